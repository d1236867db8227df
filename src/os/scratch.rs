//! Directories that are there while something is done and gone after it, however it ends: where a signal ends the
//! process without waiting for whoever made them, too.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

use tempfile::TempDir;

use crate::error::{IoContext as _, Result};
use crate::os::env;

/// Those that are there.
static THERE: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// How often it is tried to remove one into which somebody may still write.
const TRIES: u8 = 5;

/// A directory of its own.
#[derive(Debug)]
pub struct Scratch(Option<TempDir>);

impl Scratch {
    /// An empty one, whose name begins so.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn new(prefix: &str) -> Result<Self> {
        let root = env::scratch_root();
        let mut there = there();
        let directory = tempfile::Builder::new().prefix(prefix).tempdir_in(&root);
        let directory = directory.at("make a directory in", &root)?;
        there.push(directory.path().to_path_buf());
        drop(there);
        Ok(Self(Some(directory)))
    }

    /// Its place.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.as_ref().map_or(Path::new(""), TempDir::path)
    }

    /// Leaves it there.
    #[must_use]
    pub fn keep(mut self) -> PathBuf {
        let path = self.path().to_path_buf();
        there().retain(|known| *known != path);
        self.0.take().map(TempDir::keep).unwrap_or_default()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let path = self.path().to_path_buf();
        if let Some(directory) = self.0.take() {
            drop(directory);
            there().retain(|known| *known != path);
        }
    }
}

/// Removes all that are there; for a process that ends at once.
pub fn sweep() {
    remove(&there());
}

fn remove(directories: &[PathBuf]) {
    for path in directories {
        let _ = (0..TRIES).find(|_| std::fs::remove_dir_all(path).is_ok() || !path.exists());
    }
}

fn there() -> MutexGuard<'static, Vec<PathBuf>> {
    THERE.lock().unwrap_or_else(|broken| broken.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_gone_with_its_value_or_with_the_process_and_stays_where_it_is_kept() {
        let (one, other) = (Scratch::new("one-").unwrap(), Scratch::new("other-").unwrap());
        let (first, second) = (one.path().to_path_buf(), other.keep());
        std::fs::write(first.join("file"), "x").unwrap();
        assert!(there().contains(&first) && !there().contains(&second));
        drop(one);
        assert!(!first.exists() && second.exists() && !there().contains(&first));
        std::fs::remove_dir(second).unwrap();
    }

    #[test]
    fn a_process_that_ends_at_once_removes_what_is_there_with_all_that_is_in_it() {
        let one = Scratch::new("swept-").unwrap();
        std::fs::create_dir_all(one.path().join("a/b")).unwrap();
        std::fs::write(one.path().join("a/b/file"), "x").unwrap();
        let known: Vec<PathBuf> = there().iter().filter(|path| *path == one.path()).cloned().collect();
        remove(&[known, vec![one.path().join("gone")]].concat());
        assert!(!one.path().exists());
    }
}
