//! Files that are written whole or not at all: by way of a temporary one beside its place, which gets the name when it
//! is on the disk.

use std::io::Write as _;
use std::path::Path;

use crate::error::{IoContext as _, Result};
use crate::os::bounded;

/// What the temporary files of [`replace`] are called.
pub const TEMPORARY: &str = ".cargo-repro-";

/// And those of [`replace_recorded`].
const RECORDED: &str = ".cargo-repro-record-";

/// Removes temporary files that a killed recording left in a directory. Only for whoever holds the
/// project's work directory: another recording would have some of its own. Who writes anything else there
/// (a report, an attestation) holds nothing, and has its temporary files for a moment.
pub fn sweep(directory: &Path) {
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let is_called = |prefix: &str| name.as_encoded_bytes().starts_with(prefix.as_bytes());
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        if is_file && (is_called(RECORDED) || is_called(TEMPORARY) && is_old(&entry)) {
            // One that cannot be removed is in nobody's way.
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

fn is_old(entry: &std::fs::DirEntry) -> bool {
    const HOUR: std::time::Duration = std::time::Duration::from_secs(3600);
    let modified = entry.metadata().and_then(|meta| meta.modified());
    modified.is_ok_and(|modified| modified.elapsed().is_ok_and(|age| age > HOUR))
}

/// Writes what a recording gives, by way of a temporary file that [`sweep`] knows.
///
/// # Errors
/// As [`replace`].
pub fn replace_recorded(path: &Path, bytes: &[u8]) -> Result<()> {
    replace_from(RECORDED, path, &mut &*bytes).at("write", path)
}

/// The same for what no recording gives.
///
/// # Errors
/// As [`replace`], and when the other cannot be read.
pub fn replace_by(path: &Path, other: &Path) -> Result<()> {
    let mut other = bounded::open(other).at("read", other)?;
    replace_from(TEMPORARY, path, &mut other).at("write", path)
}

/// The same, for what is too large to keep in memory.
///
/// # Errors
/// As [`replace`].
pub fn replace_recorded_from(path: &Path, bytes: &mut impl std::io::Read) -> std::io::Result<()> {
    replace_from(RECORDED, path, bytes)
}

/// Writes a file by way of a temporary one beside it.
///
/// # Errors
/// When it cannot be written; what was there is intact then, and the temporary is gone.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    try_replace(path, bytes).at("write", path)
}

/// The same, for whoever has another way.
///
/// # Errors
/// As [`replace`].
pub fn try_replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    replace_from(TEMPORARY, path, &mut &*bytes)
}

/// Writes a file as [`replace`] does, unless there is one by then.
///
/// # Errors
/// As [`replace`], and when there is one.
pub fn create(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    match temporary(TEMPORARY, path, &mut &*bytes)?.persist_noclobber(path) {
        Ok(_) => sync_directory(path),
        Err(refused) if refused.error.kind() == std::io::ErrorKind::AlreadyExists => Err(refused.error),
        // Some file systems know neither links nor a rename that overwrites nothing.
        Err(_) => std::fs::File::create_new(path)?.write_all(bytes),
    }
}

fn replace_from(prefix: &str, path: &Path, content: &mut impl std::io::Read) -> std::io::Result<()> {
    temporary(prefix, path, content)?.persist(path)?;
    sync_directory(path)
}

/// A file beside its place, which has yet to get its name.
fn temporary(prefix: &str, path: &Path, content: &mut impl std::io::Read) -> std::io::Result<tempfile::NamedTempFile> {
    use std::os::unix::fs::PermissionsExt as _;
    // Of these the system takes away what the caller's umask says.
    let permissions = std::fs::Permissions::from_mode(0o666);
    let mut file = tempfile::Builder::new()
        .prefix(prefix)
        .permissions(permissions)
        .tempfile_in(directory_of(path))?;
    std::io::copy(content, file.as_file_mut())?;
    file.as_file().sync_all()?;
    Ok(file)
}

fn sync_directory(path: &Path) -> std::io::Result<()> {
    std::fs::File::open(directory_of(path))?.sync_all()
}

fn directory_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sweeping_takes_what_a_recording_left_and_nothing_that_another_command_is_writing() {
        let directory = tempfile::tempdir().unwrap();
        let make = |prefix: &str| tempfile::Builder::new().prefix(prefix).tempfile_in(&directory).unwrap();
        let [recorded, report, old] = [RECORDED, TEMPORARY, TEMPORARY].map(make);
        let long_ago = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
        old.as_file().set_modified(long_ago).unwrap();
        sweep(directory.path());
        assert!(report.path().exists(), "it would be renamed in a moment");
        assert!(!recorded.path().exists() && !old.path().exists());
    }
}
