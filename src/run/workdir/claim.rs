//! Whose a work directory is: that of the process that holds its lock. Directories are made with their locks, and
//! taken for left, in moments that one process at a time has; so nobody takes one away that another is making.

use std::ffi::{OsStr, OsString};
use std::fs::{File, TryLockError};
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::{KEPT, make, remove};
use crate::digest::Digest;
use crate::error::{IoContext as _, Result};
use crate::os::atomic;
use crate::os::bounded;
use crate::os::file_lock;
use crate::os::interrupt;

const FRESH: &str = "run-";

/// The lock of a work directory; and beside all of them, that of a moment.
const LOCK: &str = "lock";

/// The file in a project's directory that says whose it is.
const OWNER: &str = "project";

/// What a directory is called that nobody has and that is being removed.
const GONE: &str = "gone-";

/// Makes a new directory, which is this process's while it has the lock.
pub(super) fn fresh(base: &Path) -> Result<(PathBuf, File)> {
    let _moment = moment(base)?;
    let root = tempfile::Builder::new().prefix(FRESH).tempdir_in(base).at("make a directory in", base)?;
    let path = root.path().join(LOCK);
    let lock = open(&path)?;
    file_lock::wait_for(&lock, &path)?;
    Ok((root.keep(), lock))
}

/// Holds the directory that is kept for a project, having made it. `waits` is called before another process is
/// waited for.
pub(super) fn kept(base: &Path, project: &Path, waits: impl Fn()) -> Result<(PathBuf, File)> {
    loop {
        interrupt::check()?;
        let moment = moment(base)?;
        let root = directory_of(base, project)?.join(KEPT);
        make(&root)?;
        let path = root.join(LOCK);
        let lock = open(&path)?;
        let tried = lock.try_lock();
        drop(moment);
        if matches!(tried, Err(TryLockError::WouldBlock)) {
            waits();
        }
        file_lock::wait_for(&lock, &path)?;
        // Meanwhile it may have been taken away, lock and all.
        if is_at(&lock, &path) {
            return Ok((root, lock));
        }
    }
}

/// The directory of a project, made and marked as its.
pub(super) fn project_directory(base: &Path, project: &Path) -> Result<PathBuf> {
    let _moment = moment(base)?;
    directory_of(base, project)
}

/// The mark is whole at any moment: who read half a name would find no such project.
fn directory_of(base: &Path, project: &Path) -> Result<PathBuf> {
    let owner = project.as_os_str().as_encoded_bytes();
    let directory = base.join(&Digest::of(owner).hex()[..16]);
    make(&directory)?;
    let mark = directory.join(OWNER);
    if !bounded::bytes(&mark, bounded::WRITTEN).is_ok_and(|written| written == owner) {
        atomic::replace(&mark, owner)?;
    }
    Ok(directory)
}

/// Within it nobody else makes a directory or takes one away.
fn moment(base: &Path) -> Result<File> {
    let path = base.join(LOCK);
    let lock = open(&path)?;
    file_lock::wait_for(&lock, &path)?;
    Ok(lock)
}

/// Removes what nobody will come back for: fresh directories whose process is gone, and directories
/// of projects that are. They are renamed within the moment, and removed after it, which may take its time.
pub(super) fn sweep(base: &Path) {
    // Whoever has the moment sweeps, or the next will.
    if let Ok(moment) = taken(&base.join(LOCK)) {
        for directory in directories(base).filter(|directory| !is_gone(directory)) {
            if let Some(_lock) = abandoned(&directory) {
                let _ = std::fs::rename(&directory, directory.with_file_name(gone(&directory)));
            }
        }
        drop(moment);
    }
    for directory in directories(base).filter(|directory| is_gone(directory)) {
        let _ = remove(&directory);
    }
}

fn directories(base: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = std::fs::read_dir(base).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_dir())
}

fn is_called(directory: &Path, prefix: &str) -> bool {
    let name = directory.file_name().unwrap_or_default();
    name.as_encoded_bytes().starts_with(prefix.as_bytes())
}

fn is_gone(directory: &Path) -> bool {
    is_called(directory, GONE)
}

fn gone(directory: &Path) -> OsString {
    [OsStr::new(GONE), directory.file_name().unwrap_or_default()].into_iter().collect()
}

/// Whether nobody will come back for a directory; then with its lock, if it has one.
fn abandoned(directory: &Path) -> Option<Option<File>> {
    let room = if is_called(directory, FRESH) {
        directory.to_path_buf()
    } else {
        is_ownerless(directory).then(|| directory.join(KEPT))?
    };
    match taken(&room.join(LOCK)) {
        Ok(lock) => Some(Some(lock)),
        // Its process was killed between making and locking it.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Some(None),
        Err(_) => None,
    }
}

/// The lock at a path, unless another process has it.
fn taken(path: &Path) -> std::io::Result<File> {
    let lock = File::options().write(true).open(path)?;
    lock.try_lock()?;
    Ok(lock)
}

/// Whether the project of the directory is not there any more.
fn is_ownerless(directory: &Path) -> bool {
    bounded::bytes(&directory.join(OWNER), bounded::WRITTEN)
        .is_ok_and(|owner| !owner.is_empty() && !PathBuf::from(OsString::from_vec(owner)).join("Cargo.toml").exists())
}

fn open(path: &Path) -> Result<File> {
    let mut options = File::options();
    options.create(true).truncate(false).write(true).open(path).at("open", path)
}

/// Whether an open file is the one that is at this path now.
fn is_at(file: &File, path: &Path) -> bool {
    let identity = |meta: std::fs::Metadata| (meta.dev(), meta.ino());
    let (open, there) = (file.metadata().map(identity), path.metadata().map(identity));
    open.is_ok_and(|open| there.is_ok_and(|there| open == there))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    /// Runs `work` while four others sweep the directory again and again.
    fn among_sweepers(base: &Path, work: impl FnOnce()) {
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while !done.load(Ordering::SeqCst) {
                        sweep(base);
                        std::thread::sleep(std::time::Duration::from_micros(200));
                    }
                });
            }
            let worked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
            done.store(true, Ordering::SeqCst);
            if let Err(panic) = worked {
                std::panic::resume_unwind(panic);
            }
        });
    }

    #[test]
    fn a_directory_that_was_just_made_is_nobody_elses_to_sweep() {
        let base = tempfile::tempdir().unwrap();
        among_sweepers(base.path(), || {
            for _ in 0..200 {
                let (root, lock) = fresh(base.path()).unwrap();
                std::fs::write(root.join("work"), "").unwrap();
                assert!(is_at(&lock, &root.join(LOCK)));
                drop(lock);
                let _ = remove(&root);
            }
        });
    }

    #[test]
    fn the_directory_of_a_project_that_comes_and_goes_is_held_or_made_anew() {
        let base = tempfile::tempdir().unwrap();
        let project = tempfile::tempdir().unwrap();
        let manifest = project.path().join("Cargo.toml");
        among_sweepers(base.path(), || {
            for _ in 0..200 {
                std::fs::write(&manifest, "").unwrap();
                let (root, lock) = kept(base.path(), project.path(), || ()).unwrap();
                std::fs::write(root.join("work"), "").unwrap();
                assert!(is_at(&lock, &root.join(LOCK)));
                std::fs::remove_file(&manifest).unwrap();
            }
        });
    }

    #[test]
    fn what_was_left_is_swept_and_what_is_held_or_of_nobody_knows_whom_is_not() {
        let base = tempfile::tempdir().unwrap();
        let make = |name: &str| {
            let directory = base.path().join(name);
            std::fs::create_dir(&directory).unwrap();
            directory
        };
        let (held, _lock) = fresh(base.path()).unwrap();
        let (left, lock) = fresh(base.path()).unwrap();
        drop(lock);
        let (killed, half) = (make("run-killed"), make("gone-half"));
        let [empty, ownerless] = [("0123", ""), ("4567", "/nowhere/at/all")].map(|(name, owner)| {
            let directory = make(name);
            std::fs::write(directory.join(OWNER), owner).unwrap();
            directory
        });
        let began = std::time::Instant::now();
        // What another test forks has our locks until it starts its program.
        while [&left, &killed, &half, &ownerless].iter().any(|goes| goes.exists()) {
            assert!(began.elapsed() < std::time::Duration::from_secs(60), "something stays");
            sweep(base.path());
        }
        for stays in [&held, &empty] {
            assert!(stays.exists(), "{}", stays.display());
        }
    }
}
