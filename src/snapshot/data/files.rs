//! The files of declared data, sorted by path. A lock has a few of them as tables that anybody can read; a
//! great many it packs into one text, which is small, quickly skipped, and unpacked only to say which of
//! them differ.
//!
//! The packed form, version 1, before base64 (RFC 4648, with padding): for each file in order of path, as
//! LEB128, how many bytes its path shares with the one before, and how many follow; these bytes; its raw
//! SHA-256; and as LEB128 its size times two, plus one if only a sample of it was read.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::OnceLock;

use data_encoding::BASE64;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::DataFile;
use crate::digest::{Digest, Hasher};

/// A lock has up to so many files as tables.
pub const MOST_OPEN: usize = 1000;

/// So many bytes all paths together may have: in the packed form each may repeat what the one before had, so a few
/// bytes may stand for many.
const MOST_PATHS: usize = 2 << 30;

/// Begins what holds the place of a packed list, until [`Files::fill`]; no base64 has it.
pub const HELD: char = '@';

/// The version of the packed form.
const RULES: u32 = 1;

/// Files by path.
#[derive(Clone, Debug)]
pub struct Files(Form);

#[derive(Clone, Debug)]
enum Form {
    Open(Open),
    Packed(Packed),
}

/// Files one by one.
#[derive(Clone, Debug)]
struct Open {
    /// Sorted by path, no path twice.
    files: Vec<(String, DataFile)>,
    /// The digest of the paths, once somebody asked for it.
    paths: OnceLock<Digest>,
}

/// Many files, as a lock has them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Packed {
    rules: u32,
    count: usize,
    /// SHA-256 of the sorted paths, each with a line end.
    paths: Digest,
    packed: String,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Written<'a> {
    Open(BTreeMap<&'a str, &'a DataFile>),
    Packed(Cow<'a, Packed>),
}

impl Files {
    /// These, in any order; of those with one path the first stays.
    #[must_use]
    pub fn new(mut files: Vec<(String, DataFile)>) -> Self {
        // They come in order, but where a directory's name goes on like a file's: `a-b` stands before `a/b`.
        if !files.is_sorted_by(|one, other| one.0 < other.0) {
            files.sort_by(|one, other| one.0.cmp(&other.0));
            files.dedup_by(|one, other| one.0 == other.0);
        }
        let paths = OnceLock::new();
        Self(Form::Open(Open { files, paths }))
    }

    /// Whether their paths together are longer than a lock may have them.
    #[must_use]
    pub fn is_too_long(&self) -> bool {
        matches!(&self.0, Form::Open(open) if open.files.iter().map(|(path, _)| path.len()).sum::<usize>() > MOST_PATHS)
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.0 {
            Form::Open(open) => open.files.len(),
            Form::Packed(packed) => packed.count,
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of them, sorted by path.
    #[must_use]
    pub fn all(&self) -> Cow<'_, [(String, DataFile)]> {
        match &self.0 {
            Form::Open(open) => Cow::Borrowed(&open.files),
            // A text that cannot be unpacked was refused when the lock was read.
            Form::Packed(packed) => Cow::Owned(packed.unpack().unwrap_or_default()),
        }
    }

    /// Takes the packed list for which a place is held, if one is. `list` gives that of a place.
    ///
    /// # Errors
    /// When there is none, or it is no list.
    pub fn fill(&mut self, list: impl FnOnce(&str) -> Option<String>) -> Result<bool, String> {
        match &mut self.0 {
            Form::Packed(packed) if packed.packed.starts_with(HELD) => {
                packed.packed = list(&packed.packed).ok_or_else(|| Fault::NotOne.words())?;
                packed.check().map(|()| true)
            }
            _ => Ok(false),
        }
    }

    /// The digest of the paths alone, which with the tree digest of the contents says all.
    #[must_use]
    pub fn paths(&self) -> Digest {
        match &self.0 {
            Form::Packed(packed) => packed.paths,
            Form::Open(open) => *open.paths.get_or_init(|| {
                let mut hasher = Hasher::default();
                for (path, _) in &open.files {
                    hasher.update(path);
                    hasher.update("\n");
                }
                hasher.finish()
            }),
        }
    }
}

impl PartialEq for Files {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.all() == other.all()
    }
}

impl Serialize for Files {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let written = match &self.0 {
            Form::Packed(packed) => Written::Packed(Cow::Borrowed(packed)),
            Form::Open(Open { files, .. }) if files.len() > MOST_OPEN => {
                Written::Packed(Cow::Owned(Packed::of(files, self.paths())))
            }
            Form::Open(Open { files, .. }) => {
                Written::Open(files.iter().map(|(path, file)| (path.as_str(), file)).collect())
            }
        };
        written.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Files {
    /// By hand: of a choice of forms serde would only say that none of them fits.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let table = toml::Table::deserialize(deserializer)?;
        // A file may be called `packed`, but is never a text.
        if !table.get("packed").is_some_and(toml::Value::is_str) {
            let file = |(path, value): (String, toml::Value)| match DataFile::deserialize(value) {
                Ok(file) => Ok((path, file)),
                Err(error) => Err(D::Error::custom(format!("the file {path}: {}", error.message()))),
            };
            return table.into_iter().map(file).collect::<Result<_, _>>().map(Self::new);
        }
        let packed = Packed::deserialize(table).map_err(|error| D::Error::custom(error.message()))?;
        if packed.rules > RULES {
            let what = "the list of files is packed by the rules";
            let known = format!("{what} {}, and this cargo repro knows those up to {RULES}", packed.rules);
            return Err(D::Error::custom(known));
        }
        if !packed.packed.starts_with(HELD) {
            packed.check().map_err(D::Error::custom)?;
        }
        Ok(Self(Form::Packed(packed)))
    }
}

impl Packed {
    fn of(files: &[(String, DataFile)], paths: Digest) -> Self {
        let mut bytes = Vec::with_capacity(files.len() * 48);
        let mut before = "";
        for (path, file) in files {
            let shared = before.bytes().zip(path.bytes()).take_while(|(one, other)| one == other).count();
            write_number(&mut bytes, shared as u64);
            write_number(&mut bytes, (path.len() - shared) as u64);
            bytes.extend(&path.as_bytes()[shared..]);
            bytes.extend(file.digest.raw());
            write_number(&mut bytes, file.bytes << 1 | u64::from(file.sampled));
            before = path;
        }
        Self {
            rules: RULES,
            count: files.len(),
            paths,
            packed: BASE64.encode(&bytes),
        }
    }

    /// Looks through it.
    fn check(&self) -> Result<(), String> {
        self.walk(|_, _, _| {}).map_err(Fault::words)
    }

    /// The files.
    fn unpack(&self) -> Result<Vec<(String, DataFile)>, Fault> {
        let mut files = Vec::new();
        self.walk(|path, digest, size| {
            let file = DataFile {
                sampled: size & 1 == 1,
                ..DataFile::new(digest, size >> 1)
            };
            files.push((path.to_owned(), file));
        })?;
        Ok(files)
    }

    /// Shows each path with its digest and its packed size, up to the first mistake.
    fn walk(&self, mut show: impl FnMut(&str, Digest, u64)) -> Result<(), Fault> {
        let bytes = BASE64.decode(self.packed.as_bytes()).map_err(|_| Fault::NotOne)?;
        let mut rest = bytes.as_slice();
        let (mut path, mut count, mut unpacked) = (Vec::new(), 0, 0);
        while !rest.is_empty() {
            read_path(&mut rest, &mut path).ok_or(Fault::NotOne)?;
            unpacked += path.len();
            if unpacked > MOST_PATHS {
                return Err(Fault::TooLong);
            }
            let (digest, size) = read_content(&mut rest).ok_or(Fault::NotOne)?;
            show(std::str::from_utf8(&path).map_err(|_| Fault::NotOne)?, digest, size);
            count += 1;
        }
        if count == self.count {
            Ok(())
        } else {
            Err(Fault::NotOne)
        }
    }
}

/// What is wrong with a packed list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    NotOne,
    TooLong,
}

impl Fault {
    fn words(self) -> String {
        match self {
            Self::NotOne => "the packed list of files is not one: it ends early, or has been changed".to_owned(),
            Self::TooLong => format!("the packed list of files stands for more than {} GiB of paths", MOST_PATHS >> 30),
        }
    }
}

/// Makes the path before to the one that comes next.
fn read_path(rest: &mut &[u8], path: &mut Vec<u8>) -> Option<()> {
    let shared = usize::try_from(read_number(rest)?).ok()?;
    let length = usize::try_from(read_number(rest)?).ok()?;
    if shared > path.len() {
        return None;
    }
    path.truncate(shared);
    path.extend(rest.split_off(..length)?);
    Some(())
}

fn read_content(rest: &mut &[u8]) -> Option<(Digest, u64)> {
    let digest = Digest::from_raw(rest.split_off(..32)?.try_into().ok()?);
    Some((digest, read_number(rest)?))
}

/// LEB128, as DWARF and WebAssembly write unsigned numbers.
fn write_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn read_number(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let byte = *rest.split_off_first()?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn files() -> impl Strategy<Value = Vec<(String, DataFile)>> {
        let file = ("[ab/é]{0,9}", any::<[u8; 8]>(), 0..u64::MAX >> 1, any::<bool>());
        let file = file.prop_map(|(path, seed, bytes, sampled)| {
            let file = DataFile {
                sampled,
                ..DataFile::new(Digest::of(seed), bytes)
            };
            (path, file)
        });
        proptest::collection::vec(file, 0..40)
    }

    proptest! {
        #[test]
        fn what_was_packed_unpacks_to_the_same(files in files()) {
            let files = Files::new(files);
            let packed = Packed::of(&files.all(), files.paths());
            prop_assert_eq!(packed.unpack().unwrap(), files.all().into_owned());
            let again = Files(Form::Packed(packed));
            prop_assert_eq!(again.paths(), files.paths());
            prop_assert_eq!(again, files);
        }

        #[test]
        fn no_text_makes_the_unpacking_panic(bytes: Vec<u8>, count in 0_usize..9) {
            let packed = BASE64.encode(&bytes);
            let _ = Packed { rules: 1, count, paths: Digest::of(""), packed }.unpack();
        }
    }

    #[test]
    fn a_list_that_stands_for_more_paths_than_there_may_be_is_called_that() {
        // One long path, and then a great many that have all of it.
        let length = 16 << 20;
        let mut bytes = Vec::new();
        let put = |bytes: &mut Vec<u8>, shared: usize, more: &[u8]| {
            write_number(bytes, shared as u64);
            write_number(bytes, more.len() as u64);
            bytes.extend(more);
            bytes.extend(Digest::of("").raw());
            write_number(bytes, 0);
        };
        put(&mut bytes, 0, &vec![b'a'; length]);
        let count = MOST_PATHS / length + 1;
        (1..count).for_each(|_| put(&mut bytes, length, b""));
        let packed = Packed {
            rules: 1,
            count,
            paths: Digest::of(""),
            packed: BASE64.encode(&bytes),
        };
        let fault = packed.walk(|_, _, _| {}).unwrap_err();
        assert_eq!(fault, Fault::TooLong);
        assert!(fault.words().contains("more than 2 GiB of paths"));
    }

    #[test]
    fn few_files_are_tables_and_many_are_one_text() {
        let many = |count: usize| {
            let file = |number| (format!("data/{number:06}"), DataFile::new(Digest::of([0]), 1));
            Files::new((0..count).map(file).collect())
        };
        for (count, packed) in [(MOST_OPEN, false), (MOST_OPEN + 1, true)] {
            let text = toml::to_string(&many(count)).unwrap();
            assert_eq!(text.contains("packed = "), packed);
            assert_eq!(toml::from_str::<Files>(&text).unwrap(), many(count));
        }
    }
}
