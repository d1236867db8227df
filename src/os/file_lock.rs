//! The kernel's locks on files and directories, which it lets go of however a process ends.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::Duration;

use crate::error::{IoContext as _, Result};
use crate::os::interrupt;

/// Waits for a lock in short steps, so that Ctrl-C is heard meanwhile: shorter ones at first, since most are held
/// for a moment.
///
/// # Errors
/// When the user has interrupted, or the file system has no locks.
pub fn wait_for(lock: &File, path: &Path) -> Result<()> {
    held(lock, Duration::MAX)?.at("lock", path)
}

/// Holds a directory for a moment against everybody else who asks here, until what is given is dropped. Where the
/// file system has no locks nobody is held up; nor by somebody who has it for longer than any of us would, such as a
/// script that lets one of itself run at a time.
///
/// # Errors
/// When the directory cannot be opened, or the user has interrupted.
pub fn directory(path: &Path) -> Result<File> {
    const PATIENCE: Duration = Duration::from_secs(10);
    let directory = File::open(path).at("open", path)?;
    // What became of it: there is nothing better where there are no locks.
    let _ = held(&directory, PATIENCE)?;
    Ok(directory)
}

/// The outer result is the user's, the inner one the file system's.
fn held(lock: &File, patience: Duration) -> Result<std::io::Result<()>> {
    const LONGEST: Duration = Duration::from_millis(50);
    let (mut step, mut waited) = (Duration::from_millis(1), Duration::ZERO);
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(Ok(())),
            Err(TryLockError::WouldBlock) if waited < patience => {
                interrupt::check()?;
                std::thread::sleep(step);
                waited += step;
                step = (step * 2).min(LONGEST);
            }
            Err(error) => return Ok(Err(error.into())),
        }
    }
}
