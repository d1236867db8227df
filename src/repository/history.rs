//! How one file came through the history.

use std::collections::BTreeMap;
use std::path::Path;

use git2::Oid;

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
    /// Which of all versions was there before: that of the first parent that has, or had, any. There is none before
    /// the first, and none is known where a shallow clone ends.
    pub before: Option<usize>,
    /// The tags of commits that have the file from here, sorted: a release often comes a commit later.
    pub tags: Vec<String>,
}

/// A commit on the way back.
struct Visit {
    commit: Oid,
    has: Content,
    /// The parents to look at for the version before, in this order; if one has the same, that one.
    parents: Vec<Oid>,
}

/// What a commit has of the file.
enum Content {
    /// This version, which no parent has.
    New(usize),
    /// What its parent has.
    Same,
    /// Nothing.
    Absent,
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
        let mut visits = Vec::new();
        for id in walk {
            crate::interrupt::check()?;
            let commit = self.git.find_commit(id.map_err(broken)?).map_err(broken)?;
            let entry = self.entry(Commit(commit.id()), path);
            let visit = self.visit(&commit, path, entry, versions.len());
            if let (Content::New(_), Some(entry)) = (&visit.has, entry) {
                versions.push(Version {
                    commit: Commit(commit.id()),
                    time: commit.time().seconds(),
                    entry,
                    before: None,
                    tags: Vec::new(),
                });
            }
            visits.push(visit);
        }
        self.relate(&mut versions, &visits)?;
        Ok(versions)
    }

    /// Looks at a commit, whose version would be the `next` if it has one of its own.
    fn visit(&self, commit: &git2::Commit<'_>, path: &Path, entry: Option<Entry>, next: usize) -> Visit {
        let mut parents: Vec<Oid> = commit.parent_ids().collect();
        let mut has = Content::Absent;
        if let Some(entry) = entry {
            // A shallow clone ends where a parent is not there: what it has there seems new.
            let same = parents
                .iter()
                .position(|parent| self.entry(Commit(*parent), path).is_some_and(|old| old.id == entry.id));
            has = same.map_or(Content::New(next), |_| Content::Same);
            parents = same.map_or(parents.clone(), |at| vec![parents[at]]);
        }
        Visit {
            commit: commit.id(),
            has,
            parents,
        }
    }

    /// Gives each version the one before it, and the tags of the commits that have it. The newest commits come first,
    /// so that of any the parents come later.
    fn relate(&self, versions: &mut [Version], visits: &[Visit]) -> Result<()> {
        // The version that each commit has, or had last.
        let mut last: BTreeMap<Oid, usize> = BTreeMap::new();
        let mut holders: BTreeMap<Oid, usize> = BTreeMap::new();
        for visit in visits.iter().rev() {
            let before = visit.parents.iter().find_map(|parent| last.get(parent)).copied();
            let version = match visit.has {
                Content::New(version) => {
                    versions[version].before = before;
                    Some(version)
                }
                Content::Same | Content::Absent => before,
            };
            let Some(version) = version else { continue };
            last.insert(visit.commit, version);
            if !matches!(visit.has, Content::Absent) {
                holders.insert(visit.commit, version);
            }
        }
        for (commit, tag) in self.tagged_commits()? {
            if let Some(version) = holders.get(&commit.0) {
                versions[*version].tags.push(tag);
            }
        }
        versions.iter_mut().for_each(|version| version.tags.sort());
        Ok(())
    }
}
