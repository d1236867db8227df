//! The names in one directory of a commit, and what each of them is.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use super::trees::Named;
use super::{Commit, Entry, Repository, entry_of, unreadable};
use crate::error::{Error, Result};

impl Repository {
    /// The names in a directory of the commit's tree, `""` for the top, with what each is; none for a directory.
    /// `None` where the commit has no such directory.
    ///
    /// # Errors
    /// When an object is missing, or a name is not UTF-8, which no lock could hold.
    pub fn names(&self, commit: Commit, directory: &str) -> Result<Option<BTreeMap<String, Option<Entry>>>> {
        let Some(Named::Directory(tree)) = self.named_by(commit, Path::new(directory))? else {
            return Ok(None);
        };
        let tree = self.git.find_tree(tree).map_err(|error| unreadable(&self.root, &error))?;
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
        matches!(self.named_by(commit, Path::new(path)), Ok(Some(_)))
    }
}
