//! The directories of commits, by name. Git reads and hashes the whole of a directory for each path that is asked for;
//! one that is asked for again is kept as its names.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path};

use git2::Oid;

use super::{Commit, Entry, Repository, entry_of, unreadable};
use crate::error::Result;

/// More directories than this are not kept at a time.
const MOST: usize = 256;

/// What a directory has under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// A file, a link or a submodule.
    Entry(Entry),
    /// A directory.
    Directory(Oid),
}

impl Named {
    pub(super) fn of(entry: &git2::TreeEntry<'_>) -> Self {
        entry_of(entry).map_or(Self::Directory(entry.id()), Self::Entry)
    }
}

/// The names of a directory.
type Names = BTreeMap<Box<[u8]>, Named>;

/// Directories that were asked for: once, or more often.
#[derive(Default)]
pub(super) struct Trees(RefCell<BTreeMap<Oid, Option<Names>>>);

impl Repository {
    /// What a path of the commit's tree names; nothing for a path in a submodule.
    ///
    /// # Errors
    /// When an object is missing.
    pub(super) fn named_by(&self, commit: Commit, path: &Path) -> Result<Option<Named>> {
        self.bring_directories(commit)?;
        let broken = |error: git2::Error| unreadable(&self.root, &error);
        let mut named = Named::Directory(self.git.find_commit(commit.0).map_err(broken)?.tree_id());
        for part in path.components() {
            let (Named::Directory(tree), Component::Normal(name)) = (named, part) else {
                return Ok(None);
            };
            match self.named_in(tree, name.as_bytes()).map_err(broken)? {
                Some(inner) => named = inner,
                None => return Ok(None),
            }
        }
        Ok(Some(named))
    }

    fn named_in(&self, tree: Oid, name: &[u8]) -> std::result::Result<Option<Named>, git2::Error> {
        let mut known = self.trees.0.borrow_mut();
        if let Some(Some(names)) = known.get(&tree) {
            return Ok(names.get(name).copied());
        }
        let read = self.git.find_tree(tree)?;
        if known.len() >= MOST {
            known.clear();
        }
        let is_first = !known.contains_key(&tree);
        let names = || read.iter().map(|entry| (entry.name_bytes().into(), Named::of(&entry))).collect();
        known.insert(tree, (!is_first).then(names));
        Ok(read.get_name_bytes(name).map(|entry| Named::of(&entry)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_the_same_however_often_it_is_asked_for() {
        let directory = tempfile::tempdir().unwrap();
        let git = git2::Repository::init(directory.path()).unwrap();
        let file = git.blob(b"x").unwrap();
        let tree = |entries: &[(&str, i32, Oid)]| {
            let mut builder = git.treebuilder(None).unwrap();
            for (name, mode, id) in entries {
                builder.insert(name, *id, *mode).unwrap();
            }
            builder.write().unwrap()
        };
        let inner = tree(&[("x", 0o100_644, file), ("run", 0o100_755, file)]);
        let top = tree(&[("a", 0o040_000, inner), ("a.txt", 0o100_644, file)]);
        let author = git2::Signature::now("a", "a@b").unwrap();
        let top = git.find_tree(top).unwrap();
        let commit = Commit(git.commit(None, &author, &author, "", &top, &[]).unwrap());
        let repository = Repository::discover(directory.path()).unwrap();
        for _ in 0..3 {
            for (path, id) in [("a.txt", Some(file)), ("a/x", Some(file)), ("a/run", Some(file))] {
                let entry = repository.entry(commit, Path::new(path));
                assert_eq!(entry.map(|entry| entry.id), id, "{path}");
            }
            assert_eq!(repository.named_by(commit, Path::new("a")).unwrap(), Some(Named::Directory(inner)));
            for path in ["a", "b", "a/y", "a.txt/x", "a/x/y", "../a.txt", "/a.txt", ""] {
                assert_eq!(repository.entry(commit, Path::new(path)), None, "{path}");
            }
            assert!(repository.has(commit, "a") && repository.has(commit, "a/x") && !repository.has(commit, "x"));
        }
    }
}
