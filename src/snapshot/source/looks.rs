//! What was looked for in the repository and was not there, and what was listed: a file that comes there reaches
//! the program as surely as a changed one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::tree::{Links, Tree, join};
use super::{Dirty, Edit};
use crate::error::Result;
use crate::project::repository::Repository;

/// The name of the top of the repository, where a directory is named.
pub const TOP: &str = ".";

/// What a lock keeps of it, by paths from the top of the repository.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Looks {
    /// Where the build or a stage looked and there was nothing.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub absent: BTreeSet<String>,
    /// The same, where the run then made something itself: in a work tree that is what a run by hand left.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub made: BTreeSet<String>,
    /// The names in each directory that was listed, those of directories with a `/` at the end.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub listed: BTreeMap<String, BTreeSet<String>>,
}

/// What of the repository reaches the program, by paths from its top.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closure {
    /// Files that are read, or would be if there were any.
    pub files: BTreeSet<String>,
    /// Names where there is nothing.
    pub absent: BTreeSet<String>,
    /// Such as the run itself makes.
    pub made: BTreeSet<String>,
    /// Directories that are listed.
    pub listed: BTreeSet<String>,
}

impl Closure {
    /// Of files alone.
    #[must_use]
    pub fn of(files: BTreeSet<String>) -> Self {
        Self {
            files,
            ..Self::default()
        }
    }

    /// Adds what another one has.
    pub fn extend(&mut self, other: Self) {
        self.files.extend(other.files);
        self.absent.extend(other.absent);
        self.made.extend(other.made);
        self.listed.extend(other.listed);
    }

    /// Adds what a lock keeps.
    pub fn extend_with(&mut self, looks: &Looks) {
        self.absent.extend(looks.absent.iter().cloned());
        self.made.extend(looks.made.iter().cloned());
        self.listed.extend(looks.listed.keys().cloned());
    }

    /// The same, with the links on the way of each path, and each path where it leads.
    #[must_use]
    pub fn behind_links(self, tree: Tree<'_>) -> Self {
        let mut links = Links::of(tree);
        let mut passed = BTreeSet::new();
        let mut follow = |paths: BTreeSet<String>| -> BTreeSet<String> {
            let ends = paths.into_iter().map(|path| {
                let (on_the_way, end) = links.follow(&path);
                passed.extend(on_the_way);
                end
            });
            ends.collect()
        };
        let mut all = Self {
            files: follow(self.files),
            absent: follow(self.absent),
            made: follow(self.made),
            listed: follow(self.listed),
        };
        all.files.extend(passed);
        all
    }
}

impl Looks {
    /// What is so of a closure in a commit; `is_apart` names what is no input by its path from the top.
    ///
    /// # Errors
    /// When git's objects or a path dependency cannot be read.
    pub fn observe(tree: Tree<'_>, closure: &Closure, is_apart: &dyn Fn(&str) -> bool) -> Result<Self> {
        let missing = |names: &BTreeSet<String>| -> Result<BTreeSet<String>> {
            let mut missing = BTreeSet::new();
            for path in names {
                if !tree.has_input(path, is_apart)? {
                    missing.insert(path.clone());
                }
            }
            Ok(missing)
        };
        let mut listed = BTreeMap::new();
        for directory in &closure.listed {
            // Of one that is gone all names are.
            listed.insert(directory.clone(), tree.names(directory, is_apart)?.unwrap_or_default());
        }
        Ok(Self {
            absent: missing(&closure.absent)?,
            made: missing(&closure.made)?,
            listed,
        })
    }
}

/// What lies in the work tree, in a directory that is listed or where nothing was, without being committed; and
/// what of such a directory is not there any more.
///
/// # Errors
/// When git's objects or the work tree cannot be read.
pub(super) fn dirty(tree: Tree<'_>, closure: &Closure, is_apart: &dyn Fn(&str) -> bool) -> Result<Vec<Dirty>> {
    let repository = tree.repository;
    let mut dirty = Vec::new();
    let mut note = |path: String, how: Edit| dirty.push(Dirty { path, how });
    for path in closure.absent.iter().filter(|path| !path.starts_with("../")) {
        // A file of that name is found by its content, as every file of the closure.
        let is_new = repository.root().join(path).is_dir() && !tree.has(path);
        if is_new && holds_untracked(repository, path, is_apart) {
            note(format!("{path}/"), Edit::Untracked);
        }
    }
    for directory in closure.listed.iter().filter(|directory| !directory.starts_with("..")) {
        let Some(committed) = tree.names(directory, is_apart)? else {
            continue;
        };
        let directory = if directory == TOP { "" } else { directory };
        for entry in std::fs::read_dir(repository.root().join(directory)).into_iter().flatten().flatten() {
            let Ok(name) = entry.file_name().into_string() else {
                continue; // no commit that can be recorded has it
            };
            let path = join(directory, &name);
            let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if name == ".git" || tree.has(&path) || tree.submodule(&path).is_some() {
                continue;
            }
            if is_directory && holds_untracked(repository, &path, is_apart) {
                note(path + "/", Edit::Untracked);
            } else if !is_directory && !is_apart(&path) && !repository.is_ignored(Path::new(&path)) {
                note(path, Edit::Untracked);
            }
        }
        for name in committed {
            let path = join(directory, name.trim_end_matches('/'));
            if repository.root().join(&path).symlink_metadata().is_err() {
                note(path, Edit::Deleted);
            }
        }
    }
    Ok(dirty)
}

/// Whether a directory holds a file that git neither has nor is told to ignore.
fn holds_untracked(repository: &Repository, directory: &str, is_apart: &dyn Fn(&str) -> bool) -> bool {
    if repository.is_ignored(Path::new(&format!("{directory}/"))) {
        return false;
    }
    let place = repository.root().join(directory);
    // Another repository, or a cache, which says so of itself (<https://bford.info/cachedir/>) or is Python's.
    if place.join(".git").exists() || place.join("CACHEDIR.TAG").exists() || place.ends_with("__pycache__") {
        return false;
    }
    std::fs::read_dir(place).into_iter().flatten().flatten().any(|entry| {
        let path = join(directory, &entry.file_name().to_string_lossy());
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => holds_untracked(repository, &path, is_apart),
            _ => !is_apart(&path) && !repository.is_ignored(Path::new(&path)),
        }
    })
}
