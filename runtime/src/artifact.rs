//! Files that a program leaves behind, written whole or not at all.
//!
//! What is in them is the caller's; this file minds only where they go and how they get there.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Component, Path, PathBuf},
};

use crate::error::{Error, Result};

/// How many leftovers of killed programs are stepped over before giving up.
const TEMPORARY_NAMES: u32 = 1000;

/// The path as the ledger names it, with `/` between its parts; an error if it could lead out of
/// the output directory.
pub(crate) fn ledger_path(path: &Path) -> Result<String> {
    let refuse = |problem| Error::ArtifactPath {
        path: path.to_owned(),
        problem,
    };
    let mut parts = Vec::new();
    for component in path.components() {
        match component {
            Component::Normal(part) => {
                parts.push(part.to_str().ok_or_else(|| refuse("is not UTF-8"))?);
            }
            Component::CurDir => {}
            Component::ParentDir => return Err(refuse("has `..` in it")),
            Component::RootDir | Component::Prefix(_) => return Err(refuse("is absolute")),
        }
    }
    if parts.is_empty() {
        return Err(refuse("names no file"));
    }
    Ok(parts.join("/"))
}

/// Puts these bytes at `path`: whoever looks there sees the old file or the new one, never a part
/// of it.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let failed = || Error::io("write artifact", path);
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory).map_err(Error::io("create directory", directory))?;
    }
    let (temporary, mut file) = create_beside(path).map_err(failed())?;
    let written = file
        .write_all(bytes)
        // Without it, a power cut after the rename could leave an empty file under the final name.
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // The first error is the one to tell; a leftover does no harm.
        let _ = fs::remove_file(&temporary);
    }
    written.map_err(failed())
}

/// A new file in the same directory, as a rename between file systems would not be atomic.
fn create_beside(path: &Path) -> io::Result<(PathBuf, File)> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // Numbers rather than a process id or random digits: what a program does should not depend on
    // either.
    for number in 0..TEMPORARY_NAMES {
        let temporary = path.with_file_name(format!(".{name}.{number}.tmp"));
        match OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&temporary)
        {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            opened => return opened.map(|file| (temporary, file)),
        }
    }
    Err(io::Error::new(
        io::ErrorKind::AlreadyExists,
        format!("{TEMPORARY_NAMES} temporary files `.{name}.*.tmp` are in the way; remove them"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_inside() {
        assert_eq!(ledger_path(Path::new("./a//b.json")).unwrap(), "a/b.json");
        for outside in ["", ".", "/etc/passwd", "..", "a/../../b"] {
            assert!(ledger_path(Path::new(outside)).is_err(), "{outside:?}");
        }
    }

    #[test]
    fn a_file_is_replaced_and_nothing_is_left_beside_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("deep/model.json");
        write(&path, b"first").unwrap();
        write(&path, b"2nd").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"2nd");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn a_failure_leaves_no_temporary_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("taken");
        fs::create_dir(&path).unwrap();
        let error = write(&path, b"x").unwrap_err().to_string();
        assert!(error.contains("taken"), "{error}");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_leftover_is_stepped_over() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("m");
        fs::write(directory.path().join(".m.0.tmp"), b"half").unwrap();
        write(&path, b"whole").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"whole");
    }
}
