//! How one file came through the history.

use std::path::Path;

use super::{Commit, Entry, Repository, unreadable};
use crate::error::Result;

/// A commit that brought another content of the file than any of its parents has.
#[derive(Clone, Copy, Debug)]
pub struct Version {
    /// The commit.
    pub commit: Commit,
    /// When it was made, in seconds since 1970.
    pub time: i64,
    /// The file.
    pub entry: Entry,
}

impl Repository {
    /// Every version of a file that `from` goes back to, the newest first.
    ///
    /// # Errors
    /// When git's objects cannot be read.
    pub fn versions(&self, path: &Path, from: Commit) -> Result<Vec<Version>> {
        let broken = |error: git2::Error| unreadable(&self.root, &error);
        let mut walk = self.git.revwalk().map_err(broken)?;
        walk.set_sorting(git2::Sort::TOPOLOGICAL | git2::Sort::TIME).map_err(broken)?;
        walk.push(from.0).map_err(broken)?;
        let mut versions = Vec::new();
        for id in walk {
            crate::interrupt::check()?;
            let commit = self.git.find_commit(id.map_err(broken)?).map_err(broken)?;
            let Some(entry) = self.entry(Commit(commit.id()), path) else {
                continue;
            };
            // A shallow clone ends where a parent is not there: what it has there seems new.
            if commit
                .parent_ids()
                .all(|parent| self.entry(Commit(parent), path).map(|old| old.id) != Some(entry.id))
            {
                versions.push(Version {
                    commit: Commit(commit.id()),
                    time: commit.time().seconds(),
                    entry,
                });
            }
        }
        Ok(versions)
    }
}
