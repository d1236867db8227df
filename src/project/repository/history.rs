//! How one file came through the history, and from which path to which.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use git2::{Delta, Oid};

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
    /// Where it lay then, from the top of the repository.
    pub path: PathBuf,
    /// Which of all versions was there before: that of the first parent that has, or had, any. There is none before
    /// the first, and none is known where a shallow clone ends.
    pub before: Option<usize>,
    /// The tags of commits that have the file from here, sorted: a release often comes a commit later.
    pub tags: Vec<String>,
}

/// Where a commit may have the file, and what it has there.
#[derive(Clone)]
struct Place {
    path: Rc<Path>,
    entry: Option<Entry>,
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
    /// Every version of a file that `from` goes back to, the newest first, and those from before it was moved to where
    /// `from` has it.
    ///
    /// # Errors
    /// When git's objects cannot be read.
    pub fn versions(&self, path: &Path, from: Commit) -> Result<Vec<Version>> {
        let (mut versions, mut visits) = (Vec::new(), Vec::new());
        self.go_back(path, from, |commit, place, parents| {
            let visit = visit(commit, place, parents, versions.len());
            if let (Content::New(_), Some(entry)) = (&visit.has, place.entry) {
                versions.push(Version {
                    commit: Commit(commit.id()),
                    time: commit.time().seconds(),
                    entry,
                    path: place.path.to_path_buf(),
                    before: None,
                    tags: Vec::new(),
                });
            }
            visits.push(visit);
        })?;
        self.relate(&mut versions, &visits)?;
        Ok(versions)
    }

    /// Every path that a file had in the commits that `from` goes back to, the newest first: also one from which it was
    /// moved on unchanged, so that no version has it.
    ///
    /// # Errors
    /// When git's objects cannot be read.
    pub fn paths(&self, path: &Path, from: Commit) -> Result<Vec<PathBuf>> {
        let mut paths: Vec<PathBuf> = Vec::new();
        self.go_back(path, from, |_, place, _| {
            if place.entry.is_some() && paths.iter().all(|known| **known != *place.path) {
                paths.push(place.path.to_path_buf());
            }
        })?;
        Ok(paths)
    }

    /// Visits the commits that `from` goes back to, the newest first, with where each has the file, and its parents.
    fn go_back(
        &self,
        path: &Path,
        from: Commit,
        mut visit: impl FnMut(&git2::Commit<'_>, &Place, &[(Oid, Place)]),
    ) -> Result<()> {
        let broken = |error: git2::Error| unreadable(&self.root, &error);
        let mut walk = self.git.revwalk().map_err(broken)?;
        walk.set_sorting(git2::Sort::TOPOLOGICAL | git2::Sort::TIME).map_err(broken)?;
        walk.push(from.0).map_err(broken)?;
        // Those of commits that are still to come: each comes after all of its children.
        let mut places = BTreeMap::from([(from.0, self.place(from.0, &Rc::from(path)))]);
        for id in walk {
            crate::os::interrupt::check()?;
            let commit = self.git.find_commit(id.map_err(broken)?).map_err(broken)?;
            let Some(place) = places.remove(&commit.id()) else {
                continue;
            };
            let parents = self.places_before(&commit, &place);
            visit(&commit, &place, &parents);
            for (parent, place) in parents {
                let known = places.entry(parent).or_insert_with(|| place.clone());
                // One branch may know of a move, and another not.
                if known.entry.is_none() {
                    *known = place;
                }
            }
        }
        Ok(())
    }

    fn place(&self, commit: Oid, path: &Rc<Path>) -> Place {
        Place {
            path: path.clone(),
            entry: self.entry(Commit(commit), path),
        }
    }

    /// Where the parents of a commit have the file: at the same path, or at the one that the commit moved it from. A
    /// shallow clone ends where a parent is not there: what the commit has then seems new.
    fn places_before(&self, commit: &git2::Commit<'_>, place: &Place) -> Vec<(Oid, Place)> {
        let mut parents: Vec<(Oid, Place)> =
            commit.parent_ids().map(|parent| (parent, self.place(parent, &place.path))).collect();
        let Some(entry) = place.entry else { return parents };
        // What a merge has from one parent need not be what another has elsewhere.
        let is_new = parents.iter().all(|(_, before)| before.entry.is_none());
        for (parent, before) in parents.iter_mut().filter(|(_, before)| before.entry.is_none()) {
            let gone = self.gone(commit, *parent, &place.path).unwrap_or_default();
            let same = gone.iter().find(|(_, id)| *id == entry.id);
            let other = || self.only_of_the_package(commit.id(), *parent, &place.path, &gone);
            if let Some((path, _)) = same.or_else(|| is_new.then(other).flatten()) {
                *before = self.place(*parent, &Rc::from(path.as_path()));
            }
        }
        parents
    }

    /// The files of the same name that a parent has and the commit has not: where one that is new may be from. None
    /// is known where the parent is not here.
    fn gone(&self, commit: &git2::Commit<'_>, parent: Oid, path: &Path) -> Option<Vec<(PathBuf, Oid)>> {
        let before = self.git.find_commit(parent).and_then(|parent| parent.tree()).ok()?;
        let diff = self.git.diff_tree_to_tree(Some(&before), Some(&commit.tree().ok()?), None).ok()?;
        let deleted = diff.deltas().filter(|delta| delta.status() == Delta::Deleted);
        let files = deleted.filter_map(|delta| Some((delta.old_file().path()?.to_path_buf(), delta.old_file().id())));
        Some(files.filter(|(old, _)| old.file_name() == path.file_name()).collect())
    }

    /// The only file that went with a package of the name that the one at `path` has: where packages come and go in one
    /// commit, another's lock is no past of this one.
    fn only_of_the_package<'a>(
        &self,
        commit: Oid,
        parent: Oid,
        path: &Path,
        gone: &'a [(PathBuf, Oid)],
    ) -> Option<&'a (PathBuf, Oid)> {
        let name = self.package_name(commit, path)?;
        let mut named = gone.iter().filter(|(old, _)| self.package_name(parent, old).as_ref() == Some(&name));
        named.next().filter(|_| named.next().is_none())
    }

    /// The name of the package whose directory a commit has the file in.
    fn package_name(&self, commit: Oid, path: &Path) -> Option<String> {
        let manifest = self.entry(Commit(commit), &path.with_file_name("Cargo.toml"))?;
        let text = String::from_utf8(self.content(manifest).ok()?).ok()?;
        let manifest: toml::Table = text.parse().ok()?;
        Some(manifest.get("package")?.get("name")?.as_str()?.to_owned())
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

/// What a commit has, whose version would be the `next` if it has one of its own.
fn visit(commit: &git2::Commit<'_>, place: &Place, parents: &[(Oid, Place)], next: usize) -> Visit {
    let all = || parents.iter().map(|(parent, _)| *parent).collect();
    let id = |place: &Place| place.entry.map(|entry| entry.id);
    let same = parents.iter().find(|(_, before)| id(before) == id(place));
    let (has, parents) = match (place.entry, same) {
        (None, _) => (Content::Absent, all()),
        (Some(_), Some((parent, _))) => (Content::Same, vec![*parent]),
        (Some(_), None) => (Content::New(next), all()),
    };
    Visit {
        commit: commit.id(),
        has,
        parents,
    }
}
