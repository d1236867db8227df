//! The stat cache, as git calls its own: the digest of each file at the last look, believed only while its [`StatData`] is the
//! same; and the names in a directory, believed while the directory's is. One file, replaced as a whole,
//! so that two processes or a killed one leave a whole index, theirs or ours. A broken one, or one that this
//! user did not seal, is an empty one: it costs time and nothing else.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};
use serde::{Deserialize, Serialize};

use crate::cache::seal::Seal;
use crate::cache::stat::StatData;
use crate::digest::Digest;
use crate::os::bounded;

/// Begins the file; another number is another form, and is forgotten.
const MAGIC: &[u8; 16] = b"cargo-repro idx3";

/// An index from this size on is read on all cores.
const LARGE: usize = 1 << 20;

/// What is known of files, by the directory in which they are and their name.
#[derive(Debug, Default)]
pub struct StatCache {
    directories: BTreeMap<String, Directory>,
    changed: bool,
}

/// What is known of one directory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Directory {
    /// Its stat data when `entries` was all that it held; none if only some of its files were looked at.
    pub listed: Option<StatData>,
    /// Sorted by name.
    pub entries: Vec<Entry>,
}

/// A name in a directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The name.
    pub name: Arc<str>,
    /// What it names.
    pub kind: Kind,
    /// The file's digest, with its stat data from before the reading.
    pub seen: Option<(StatData, Digest)>,
}

/// What a name in a directory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// A socket, a pipe, a device.
    Other,
}

impl Directory {
    /// What is known of a name in it.
    #[must_use]
    pub fn entry(&self, name: &str) -> Option<&Entry> {
        let position = self.entries.binary_search_by(|entry| (*entry.name).cmp(name)).ok()?;
        self.entries.get(position)
    }

    /// The same, where it is likely the one at `position`: a listing that came from here is in this order.
    #[must_use]
    pub fn entry_near(&self, position: usize, name: &Arc<str>) -> Option<&Entry> {
        let near = self.entries.get(position).filter(|entry| Arc::ptr_eq(&entry.name, name));
        near.or_else(|| self.entry(name))
    }

    fn entry_mut(&mut self, name: &str) -> &mut Entry {
        let position = match self.entries.binary_search_by(|entry| (*entry.name).cmp(name)) {
            Ok(position) => position,
            Err(position) => {
                let (name, kind) = (name.into(), Kind::File);
                self.entries.insert(position, Entry { name, kind, seen: None });
                position
            }
        };
        &mut self.entries[position]
    }
}

impl StatCache {
    /// The index that an earlier process left at `place`.
    #[must_use]
    pub fn load(place: &Path, seal: &Seal) -> Self {
        let bytes = bounded::bytes(place, bounded::HELD).ok();
        let directories = bytes.and_then(|bytes| opened(place, seal, &bytes));
        Self {
            directories: directories.unwrap_or_default(),
            changed: false,
        }
    }

    /// What is known of a directory, by its absolute path.
    #[must_use]
    pub fn directory(&self, path: &Path) -> Option<&Directory> {
        self.directories.get(path.to_str()?)
    }

    /// The digest of a file whose stat data is `now`, if it was looked at when it had the same.
    #[must_use]
    pub fn digest(&self, path: &Path, now: StatData) -> Option<Digest> {
        let entry = self.directory(path.parent()?)?.entry(path.file_name()?.to_str()?)?;
        entry.seen.filter(|(then, _)| *then == now).map(|(_, digest)| digest)
    }

    /// Keeps a file's digest, or forgets it where its stat data is not to be believed.
    pub fn keep(&mut self, path: &Path, seen: Option<(StatData, Digest)>) {
        if let Some((directory, name)) = path.parent().zip(path.file_name().and_then(|name| name.to_str())) {
            self.keep_all(directory, std::iter::once((name, seen)));
        }
    }

    /// The same for files of one directory.
    pub fn keep_all<'a>(
        &mut self,
        directory: &Path,
        seen: impl Iterator<Item = (&'a str, Option<(StatData, Digest)>)>,
    ) {
        let mut seen = seen.peekable();
        let Some(directory) = directory.to_str().filter(|_| seen.peek().is_some()) else {
            return;
        };
        let directory = self.directories.entry(directory.to_owned()).or_default();
        for (name, seen) in seen {
            directory.entry_mut(name).seen = seen;
        }
        self.changed = true;
    }

    /// Keeps what a directory holds in place of what it held.
    pub fn keep_listing(&mut self, path: &Path, listed: Option<StatData>, names: &[(Arc<str>, Kind)]) {
        let Some(path) = path.to_str() else {
            return;
        };
        let old = self.directories.remove(path).unwrap_or_default();
        let entries = names.iter().map(|(name, kind)| Entry {
            name: Arc::clone(name),
            kind: *kind,
            seen: old.entry(name).and_then(|entry| entry.seen),
        });
        let entries = entries.collect();
        self.directories.insert(path.to_owned(), Directory { listed, entries });
        self.changed = true;
    }

    /// Leaves it for the next process. A failure, such as a full disk, costs that process time only.
    pub fn save(&self, place: &Path, seal: &Seal) {
        if self.changed {
            let _ = self.write(place, seal);
        }
    }

    fn write(&self, place: &Path, seal: &Seal) -> std::io::Result<()> {
        let directory = place.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(directory)?;
        let bytes = encode(&self.directories).map_err(std::io::Error::other)?;
        let mut file = tempfile::NamedTempFile::new_in(directory)?;
        file.write_all(&seal.close(place, bytes))?;
        file.persist(place)?;
        Ok(())
    }
}

/// The index within a seal.
fn opened(place: &Path, seal: &Seal, bytes: &[u8]) -> Option<BTreeMap<String, Directory>> {
    if bytes.len() < LARGE {
        return decode(seal.open(place, bytes)?);
    }
    // What turns out to be sealed by nobody is thrown away.
    let (kept, directories) =
        rayon::join(|| seal.open(place, bytes).is_some(), || Seal::within(bytes).and_then(decode));
    directories.filter(|_| kept)
}

/// After the beginning each directory has its path, the length of what it holds, and that.
fn encode(directories: &BTreeMap<String, Directory>) -> postcard::Result<Vec<u8>> {
    let mut bytes = MAGIC.to_vec();
    for (path, directory) in directories {
        let held = postcard::to_allocvec(directory)?;
        bytes = postcard::to_extend(&(path, held.len()), bytes)?;
        bytes.extend(held);
    }
    Ok(bytes)
}

/// The directories of an index of this form.
fn decode(bytes: &[u8]) -> Option<BTreeMap<String, Directory>> {
    let mut rest = bytes.strip_prefix(MAGIC.as_slice())?;
    let mut parts = Vec::new();
    while !rest.is_empty() {
        let (path, length): (String, usize);
        ((path, length), rest) = postcard::take_from_bytes(rest).ok()?;
        parts.push((path, rest.split_off(..length)?));
    }
    let read = |(path, held): (String, &[u8])| Some((path, postcard::from_bytes(held).ok()?));
    if bytes.len() < LARGE {
        return parts.into_iter().map(read).collect();
    }
    // In order, so that putting them together is no sorting.
    let directories: Option<Vec<(String, Directory)>> = parts.into_par_iter().map(read).collect();
    Some(directories?.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn seal() -> Seal {
        Seal::new([1; 32])
    }

    fn indexed(directory: &Path) -> StatCache {
        let file = directory.join("file");
        std::fs::write(&file, "one").unwrap();
        let mut index = StatCache::default();
        index.keep_listing(directory, StatData::of(directory), &[("file".into(), Kind::File)]);
        index.keep(&file, StatData::of(&file).map(|stat| (stat, Digest::of("one"))));
        index
    }

    #[test]
    fn an_index_reads_back_as_it_was_saved() {
        let scratch = tempfile::tempdir().unwrap();
        let index = indexed(scratch.path());
        let place = scratch.path().join("new/index");
        index.save(&place, &seal());
        let read = StatCache::load(&place, &seal());
        assert_eq!(read.directories, index.directories);
        let file = scratch.path().join("file");
        assert_eq!(read.digest(&file, StatData::of(&file).unwrap()), Some(Digest::of("one")));
    }

    #[test]
    fn a_large_index_reads_back_too_and_only_with_its_seal() {
        let scratch = tempfile::tempdir().unwrap();
        let mut index = indexed(scratch.path());
        let names: Vec<(Arc<str>, Kind)> = (0..1000)
            .map(|number| (format!("file-{number:04}").repeat(5).into(), Kind::File))
            .collect();
        for number in 0..40 {
            index.keep_listing(&scratch.path().join(number.to_string()), None, &names);
        }
        let place = scratch.path().join("index");
        index.save(&place, &seal());
        assert!(std::fs::metadata(&place).unwrap().len() > LARGE as u64);
        assert_eq!(StatCache::load(&place, &seal()).directories, index.directories);
        assert!(StatCache::load(&place, &Seal::new([2; 32])).directories.is_empty());
    }

    #[test]
    fn another_stamp_is_another_file() {
        let scratch = tempfile::tempdir().unwrap();
        let index = indexed(scratch.path());
        let file = scratch.path().join("file");
        std::fs::write(&file, "four").unwrap();
        let stat = StatData::of(&file).unwrap();
        assert_eq!(index.digest(&file, stat), None);
    }

    proptest! {
        #[test]
        fn a_damaged_index_is_an_empty_one(at in 0_usize..600, bit in 0_u8..8, cut in any::<bool>()) {
            let scratch = tempfile::tempdir().unwrap();
            let place = scratch.path().join("index");
            indexed(scratch.path()).save(&place, &seal());
            let mut bytes = std::fs::read(&place).unwrap();
            let at = at % bytes.len();
            if cut {
                bytes.truncate(at);
            } else {
                bytes[at] ^= 1 << bit;
            }
            std::fs::write(&place, bytes).unwrap();
            prop_assert!(StatCache::load(&place, &seal()).directories.is_empty());
        }
    }
}
