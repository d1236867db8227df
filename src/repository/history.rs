//! How one file came through the history.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Commit, Entry, Repository, unreadable};
use crate::error::Result;

/// A commit that brought another content of the file than any of its parents has.
#[derive(Clone, Debug)]
pub struct Version {
    /// The commit.
    pub commit: Commit,
    /// When it was made, in seconds since 1970.
    pub time: i64,
    /// The file.
    pub entry: Entry,
    /// The tags of commits that have the file from here, sorted: a release often comes a commit later.
    pub tags: Vec<String>,
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
        // Of each commit with the file, where it has it from: a version of its own, or a parent.
        let mut origins: Vec<(git2::Oid, git2::Oid)> = Vec::new();
        for id in walk {
            crate::interrupt::check()?;
            let commit = self.git.find_commit(id.map_err(broken)?).map_err(broken)?;
            let Some(entry) = self.entry(Commit(commit.id()), path) else {
                continue;
            };
            // A shallow clone ends where a parent is not there: what it has there seems new.
            let has_it = |parent: &git2::Oid| self.entry(Commit(*parent), path).map(|old| old.id) == Some(entry.id);
            let origin = commit.parent_ids().find(has_it);
            origins.push((commit.id(), origin.unwrap_or(commit.id())));
            if origin.is_none() {
                versions.push(Version {
                    commit: Commit(commit.id()),
                    time: commit.time().seconds(),
                    entry,
                    tags: Vec::new(),
                });
            }
        }
        self.name(&mut versions, &origins)?;
        Ok(versions)
    }

    /// Gives each version the tags of the commits that have it. The newest commits come first, so that of any the
    /// parents come later.
    fn name(&self, versions: &mut [Version], origins: &[(git2::Oid, git2::Oid)]) -> Result<()> {
        let mut version_of: BTreeMap<git2::Oid, git2::Oid> = BTreeMap::new();
        for (commit, origin) in origins.iter().rev() {
            let version = version_of.get(origin).copied().unwrap_or(*origin);
            version_of.insert(*commit, version);
        }
        let mut tags: BTreeMap<git2::Oid, Vec<String>> = BTreeMap::new();
        for (commit, tag) in self.tagged_commits()? {
            if let Some(version) = version_of.get(&commit.0) {
                tags.entry(*version).or_default().push(tag);
            }
        }
        for version in versions {
            version.tags = tags.remove(&version.commit.0).unwrap_or_default();
            version.tags.sort();
        }
        Ok(())
    }
}
