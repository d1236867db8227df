//! A `.dvc` file beside declared data (DVC 3): the MD5 that DVC noted of it is a second opinion. A
//! disagreement is worth a warning, since then either the file or the note is stale; the lock's own digest
//! decides all the same.

use std::path::Path;

use md5::{Digest as _, Md5};
use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};
use serde::Deserialize;

use super::{DataFile, Remark};
use crate::cache::{Cache, Witnesses};
use crate::digest::Hasher;
use crate::error::{IoContext as _, Result};
use crate::os::bounded;
use crate::os::interrupt;

/// DVC's file: what `dvc add` wrote.
#[derive(Deserialize)]
struct Note {
    outs: Vec<Out>,
}

#[derive(Deserialize)]
struct Out {
    md5: Option<String>,
    /// DVC 3 writes `md5` here. Before it the MD5 of a text was that of its lines with LF.
    hash: Option<String>,
    path: String,
}

/// What the `.dvc` files beside declared paths say otherwise than the files themselves.
pub(super) fn disagreements(
    directory: &Path,
    declared: &[String],
    files: &[(String, DataFile)],
    cache: &mut Cache,
) -> Result<Vec<Remark>> {
    let mut remarks = Vec::new();
    if files.iter().any(|(_, file)| file.sampled) {
        return Ok(remarks); // an MD5 would need every byte
    }
    for path in declared {
        let path = path.trim_end_matches('/');
        let note = format!("{path}.dvc");
        let text = match bounded::text(&directory.join(&note), bounded::WRITTEN) {
            Ok(text) => Ok(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue, // hardly any data has one
            Err(error) => Err(error.to_string()),
        };
        let says = match text.and_then(|text| noted(&text, path)) {
            Ok(says) => says,
            Err(why) => {
                remarks.push(Remark::DvcUnread { path: note, why });
                continue;
            }
        };
        let whole = directory.join(path);
        let found = match says.strip_suffix(".dir") {
            Some(_) if whole.is_dir() => Some(format!("{}.dir", of_tree(directory, path, files, cache)?)),
            None if whole.is_file() => Some(of_file_remembered(&whole, cache)?),
            _ => None,
        };
        if let Some(found) = found.filter(|found| *found != says) {
            remarks.push(Remark::Dvc {
                path: note,
                says,
                found,
            });
        }
    }
    Ok(remarks)
}

/// The MD5 that the text notes of `path`.
fn noted(text: &str, path: &str) -> Result<String, String> {
    let note: Note = serde_saphyr::from_str(text).map_err(|error| {
        // The text of an error is followed by a picture of the place.
        let text = error.to_string();
        text.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned()
    })?;
    let name = path.rsplit('/').next().unwrap_or(path);
    let out = note.outs.into_iter().find(|out| out.path == name);
    let out = out.filter(|out| out.md5.is_some()).ok_or_else(|| format!("it notes no md5 of {name}"))?;
    match out.hash.as_deref() {
        Some("md5") => Ok(out.md5.unwrap_or_default()),
        _ => Err("it was written by DVC 2, whose md5 is not that of the bytes".to_owned()),
    }
}

fn of_file(path: &Path) -> Result<String> {
    use std::io::Read as _;
    let mut file = bounded::open(path).at("open the data", path)?;
    let mut hasher = Md5::new();
    let mut buffer = vec![0; 1 << 18];
    loop {
        interrupt::check()?;
        match file.read(&mut buffer).at("read the data", path)? {
            0 => return Ok(hex(hasher)),
            read => hasher.update(&buffer[..read]),
        }
    }
}

fn of_file_remembered(path: &Path, cache: &mut Cache) -> Result<String> {
    cache.fact(&format!("md5 {}", path.display()), || {
        let witnesses = Witnesses {
            read: vec![path.to_path_buf()],
            present: Vec::new(),
        };
        Ok((of_file(path)?, witnesses))
    })
}

/// A directory's: of the list of its files, as the JSON that Python writes it as. It is remembered by the
/// digests of the files, which say all that it is made of.
fn of_tree(directory: &Path, root: &str, files: &[(String, DataFile)], cache: &mut Cache) -> Result<String> {
    let within = format!("{root}/");
    let mut list: Vec<(&str, &str)> = Vec::new();
    let mut content = Hasher::default();
    for (path, file) in files {
        if let Some(inner) = path.strip_prefix(&within) {
            list.push((inner, path));
            content.update(inner);
            content.update([0]);
            content.update(file.digest.raw());
        }
    }
    // DVC sorts by the parts of a path, not by its bytes.
    list.sort_by(|(one, _), (other, _)| one.split('/').cmp(other.split('/')));
    cache.fact(&format!("md5 of the tree {}", content.finish()), || {
        let sums = list
            .par_iter()
            .map(|(inner, path)| Ok((*inner, of_file(&directory.join(path))?)))
            .collect::<Result<Vec<_>>>()?;
        let entry =
            |(inner, md5): &(&str, String)| format!("{{\"md5\": \"{md5}\", \"relpath\": {}}}", ascii_json(inner));
        let text: Vec<String> = sums.iter().map(entry).collect();
        let mut hasher = Md5::new();
        hasher.update(format!("[{}]", text.join(", ")));
        Ok((hex(hasher), Witnesses::default()))
    })
}

/// A JSON text with everything beyond ASCII escaped, as Python's `json.dumps` does.
fn ascii_json(text: &str) -> String {
    let mut json = String::new();
    for unit in serde_json::Value::from(text).to_string().encode_utf16() {
        match u8::try_from(unit) {
            Ok(byte) if byte.is_ascii() => json.push(char::from(byte)),
            _ => json += &format!("\\u{unit:04x}"),
        }
    }
    json
}

fn hex(hasher: Md5) -> String {
    data_encoding::HEXLOWER.encode(&hasher.finalize())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_text_makes_the_reading_panic_and_what_is_wrong_is_one_line(
            text in prop_oneof![any::<String>(), "(outs|md5|path|hash|- |: |\\n|  |a|\\[|\\{|&x|\\*x|\"){0,40}"],
            path in "[a-z/]{1,9}",
        ) {
            if let Err(why) = noted(&text, &path) {
                prop_assert!(!why.is_empty() && !why.contains('\n'), "{}", why);
            }
        }
    }

    #[test]
    fn what_is_no_note_is_told_with_its_place() {
        let why = noted("outs:\n- md5: [\n", "data").unwrap_err();
        assert!(why.contains("line"), "{why}");
    }
}
