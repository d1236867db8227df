//! What git says of the files of the work tree: whether it tracks them, and whether it is told not to. What is in
//! them is the snapshot's matter, by digest.

use std::path::Path;

use super::{Repository, unreadable};
use crate::error::Result;

impl Repository {
    /// Whether git is told to ignore the path.
    #[must_use]
    pub fn is_ignored(&self, path: &Path) -> bool {
        self.git.is_path_ignored(path).unwrap_or(false)
    }

    /// Whether git tracks the path, or anything below it.
    #[must_use]
    pub fn is_tracked(&self, path: &str) -> bool {
        let Ok(index) = self.git.index() else {
            return false;
        };
        let below = if path.is_empty() {
            String::new()
        } else {
            format!("{path}/")
        };
        index.get_path(Path::new(path), 0).is_some() || index.find_prefix(&below).is_ok()
    }

    /// Files at or below a path that no clone would have: git ignores them, or, if that is wanted, does not track
    /// them. Relative to the root.
    ///
    /// # Errors
    /// When the work tree cannot be read.
    pub fn unkept(&self, path: &str, with_untracked: bool) -> Result<Vec<String>> {
        let mut options = git2::StatusOptions::new();
        options.include_ignored(true).recurse_ignored_dirs(true);
        // Else a directory that holds nothing but ignored files is not looked into.
        options.include_untracked(true).recurse_untracked_dirs(true);
        if !path.is_empty() {
            options.disable_pathspec_match(true).pathspec(path);
        }
        let statuses = self.git.statuses(Some(&mut options)).map_err(|error| unreadable(&self.root, &error))?;
        let is_unkept = |status: git2::Status| status.is_ignored() || with_untracked && status.is_wt_new();
        let unkept = statuses.iter().filter(|entry| is_unkept(entry.status()));
        Ok(unkept.filter_map(|entry| entry.path().ok().map(str::to_owned)).collect())
    }

    /// Files that git neither tracks nor ignores, relative to the root, sorted.
    ///
    /// # Errors
    /// When the work tree cannot be read.
    pub fn untracked(&self) -> Result<Vec<String>> {
        let mut options = git2::StatusOptions::new();
        options.include_untracked(true).recurse_untracked_dirs(true).include_ignored(false);
        let statuses = self.git.statuses(Some(&mut options)).map_err(|error| unreadable(&self.root, &error))?;
        let mut paths: Vec<String> = statuses
            .iter()
            .filter(|entry| entry.status().is_wt_new())
            .filter_map(|entry| entry.path().ok().map(str::to_owned))
            .collect();
        paths.sort();
        Ok(paths)
    }
}

/// A path from the top of the repository, as git takes it from wherever it is called within.
#[must_use]
pub fn pathspec(path: &str) -> String {
    let path = format!(":/{path}");
    if path.chars().all(|c| c.is_ascii_alphanumeric() || "/:._-+@".contains(c)) {
        path
    } else {
        format!("'{}'", path.replace('\'', r"'\''"))
    }
}
