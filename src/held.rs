//! The kernel's locks on files, which it lets go of however a process ends.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::interrupt;

/// Waits for a lock in short steps, so that Ctrl-C is heard meanwhile: shorter ones at first, since most are held
/// for a moment.
///
/// # Errors
/// When the user has interrupted, or the file system has no locks.
pub fn wait_for(lock: &File, path: &Path) -> Result<()> {
    const LONGEST: Duration = Duration::from_millis(50);
    let mut step = Duration::from_millis(1);
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) => {
                interrupt::check()?;
                std::thread::sleep(step);
                step = (step * 2).min(LONGEST);
            }
            Err(TryLockError::Error(error)) => return Err(Error::io("lock", path, &error)),
        }
    }
}
