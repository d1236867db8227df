//! What the tree of a commit holds. Git's objects may say anything: what git itself would not check out is refused.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::trees::Named;
use super::{Commit, Entry, Repository, unreadable};
use crate::error::{Error, Result};
use crate::os::interrupt;

impl Repository {
    /// The entry of a path in the commit's tree. A path in a submodule gives `None`.
    #[must_use]
    pub fn entry(&self, commit: Commit, path: &Path) -> Option<Entry> {
        match self.named_by(commit, path).ok()?? {
            Named::Entry(entry) => Some(entry),
            Named::Directory(_) => None,
        }
    }

    /// Every entry of the commit's tree by its path, save for those whose path is not UTF-8: no lock can name them.
    ///
    /// # Errors
    /// When an object is missing.
    pub fn entries(&self, commit: Commit) -> Result<Rc<BTreeMap<String, Entry>>> {
        if let Some((_, known)) = self.named.borrow().as_ref().filter(|(of, _)| *of == commit.0) {
            return Ok(Rc::clone(known));
        }
        let all = self.all_entries(commit)?;
        let named = all.iter().filter_map(|(path, entry)| Some((path.to_str()?.to_owned(), *entry)));
        let named = Rc::new(named.collect());
        *self.named.borrow_mut() = Some((commit.0, Rc::clone(&named)));
        Ok(named)
    }

    /// Every entry of the commit's tree, whatever it is called.
    ///
    /// # Errors
    /// When an object is missing.
    pub fn all_entries(&self, commit: Commit) -> Result<Rc<BTreeMap<PathBuf, Entry>>> {
        if let Some((_, known)) = self.listed.borrow().as_ref().filter(|(of, _)| *of == commit.0) {
            return Ok(Rc::clone(known));
        }
        self.bring_directories(commit)?;
        let broken = |error: git2::Error| unreadable(&self.root, &error);
        let tree = self.git.find_commit(commit.0).and_then(|commit| commit.tree()).map_err(broken)?;
        // In the order of paths, so that none need be sorted: comparing them is what takes time.
        let mut entries = Vec::new();
        let mut waiting = vec![(PathBuf::new(), Named::Directory(tree.id()))];
        while let Some((path, part)) = waiting.pop() {
            let id = match part {
                Named::Entry(entry) => {
                    entries.push((path, entry));
                    continue;
                }
                Named::Directory(id) => id,
            };
            interrupt::check()?;
            let mut parts = Vec::new();
            for entry in &self.git.find_tree(id).map_err(broken)? {
                let path = path.join(OsStr::from_bytes(entry.name_bytes()));
                if !is_name(entry.name_bytes()) {
                    return Err(Error::new(format!("the commit has an entry called {}", path.display()))
                        .hint("git itself would not check it out; `git fsck` names the tree that it is in"));
                }
                parts.push((path, Named::of(&entry)));
            }
            // Git has a directory among its names as if a slash were part of its own.
            parts.sort_by(|(one, _), (other, _)| other.file_name().cmp(&one.file_name()));
            waiting.append(&mut parts);
        }
        let entries: BTreeMap<PathBuf, Entry> = entries.into_iter().collect();
        refuse_files_in_files(&entries)?;
        let entries = Rc::new(entries);
        *self.listed.borrow_mut() = Some((commit.0, Rc::clone(&entries)));
        Ok(entries)
    }
}

/// Whether a name stays in its directory, and is none of git's own: objects may say anything.
fn is_name(name: &[u8]) -> bool {
    !name.is_empty() && !name.contains(&b'/') && name != b"." && name != b".." && !name.eq_ignore_ascii_case(b".git")
}

/// Whether a path is a directory, or lies below it, where both are written without `.`, `..` and doubled slashes.
#[must_use]
pub fn is_below(path: &Path, directory: &Path) -> bool {
    let rest = path.as_os_str().as_bytes().strip_prefix(directory.as_os_str().as_bytes());
    rest.is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
}

/// A tree may have a link and a directory of one name: what is in the directory would be written to where the link leads.
fn refuse_files_in_files(entries: &BTreeMap<PathBuf, Entry>) -> Result<()> {
    // What is in a directory follows it, in the order of paths.
    let mut followed = entries.keys().zip(entries.keys().skip(1));
    match followed.find(|(path, next)| is_below(next, path)) {
        None => Ok(()),
        Some((path, _)) => Err(Error::new(format!("the commit has two entries called {}", path.display()))
            .hint("git itself would not check them out; `git fsck` names the tree that they are in")),
    }
}

#[cfg(test)]
mod tests {
    use git2::{ObjectType, Oid};

    use super::*;

    /// The bytes of a tree: mode, name and object of each entry.
    fn tree(git: &git2::Repository, entries: &[(&str, &str, Oid)]) -> Oid {
        let mut bytes = Vec::new();
        for (mode, name, id) in entries {
            bytes.extend(format!("{mode} {name}\0").bytes());
            bytes.extend(id.as_bytes());
        }
        git.odb().unwrap().write(ObjectType::Tree, &bytes).unwrap()
    }

    #[test]
    fn what_git_would_not_check_out_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let git = git2::Repository::init(directory.path()).unwrap();
        let file = git.blob(b"x").unwrap();
        let inner = tree(&git, &[("100644", "x", file)]);
        let trees = [
            (tree(&git, &[("100644", "fine", file), ("40000", "inner", inner)]), true),
            (tree(&git, &[("40000", "..", inner)]), false),
            (tree(&git, &[("100644", "..", file)]), false),
            (tree(&git, &[("100644", "a/../../x", file)]), false),
            (tree(&git, &[("40000", ".git", inner)]), false),
            (tree(&git, &[("40000", ".GIT", inner)]), false),
            (tree(&git, &[("120000", "a", file), ("100644", "a-b", file), ("40000", "a", inner)]), false),
            (tree(&git, &[("160000", "a", file), ("40000", "a", inner)]), false),
        ];
        let author = git2::Signature::now("a", "a@b").unwrap();
        for (at, (top, is_fine)) in trees.into_iter().enumerate() {
            let top = git.find_tree(top).unwrap();
            let commit = git.commit(None, &author, &author, "", &top, &[]).unwrap();
            let repository = Repository::discover(directory.path()).unwrap();
            assert_eq!(repository.all_entries(Commit(commit)).is_ok(), is_fine, "{at}");
        }
    }
}
