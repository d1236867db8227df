//! The names in one directory of a commit, and what each of them is.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use super::{Commit, Entry, Repository, entry_of, unreadable};
use crate::error::{Error, Result};

impl Repository {
    /// The names in a directory of the commit's tree, `""` for the top, with what each is; none for a directory.
    /// `None` where the commit has no such directory.
    ///
    /// # Errors
    /// When an object is missing, or a name is not UTF-8, which no lock could hold.
    pub fn names(&self, commit: Commit, directory: &str) -> Result<Option<BTreeMap<String, Option<Entry>>>> {
        self.bring_directories(commit)?;
        let broken = |error: git2::Error| unreadable(&self.root, &error);
        let top = self.git.find_commit(commit.0).and_then(|commit| commit.tree()).map_err(broken)?;
        let tree = if directory.is_empty() {
            top
        } else {
            match top.get_path(Path::new(directory)) {
                Ok(entry) if entry.kind() == Some(git2::ObjectType::Tree) => {
                    self.git.find_tree(entry.id()).map_err(broken)?
                }
                _ => return Ok(None),
            }
        };
        let named = |entry: git2::TreeEntry<'_>| {
            let name = entry.name().map_err(|_| {
                let name = Path::new(directory).join(OsStr::from_bytes(entry.name_bytes()));
                Error::not_text(&name)
            })?;
            Ok((name.to_owned(), entry_of(&entry)))
        };
        tree.iter().map(named).collect::<Result<_>>().map(Some)
    }

    /// Whether the commit has anything of that path, a directory among them.
    #[must_use]
    pub fn has(&self, commit: Commit, path: &str) -> bool {
        let tree = || self.git.find_commit(commit.0).and_then(|commit| commit.tree());
        self.bring_directories(commit).is_ok()
            && tree().is_ok_and(|tree| path.is_empty() || tree.get_path(Path::new(path)).is_ok())
    }
}
