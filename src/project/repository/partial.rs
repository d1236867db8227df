//! Partial clones, which have some objects only once somebody asks for them: git fetches these, many at a time.

use std::collections::BTreeSet;

use git2::{ErrorCode, ObjectType, OdbLookupFlags, Oid};

use super::{Commit, Entry, Repository, unreadable};
use crate::error::{Error, Result};
use crate::os::bounded;
use crate::os::interrupt;
use crate::project::git;

impl Repository {
    /// The remote that has promised what is not here; none in a clone that has all.
    pub(super) fn promisor(&self) -> Option<&str> {
        self.promisor.get_or_init(|| self.find_promisor()).as_deref()
    }

    fn find_promisor(&self) -> Option<String> {
        let config = self.git.config().and_then(|mut config| config.snapshot()).ok()?;
        let named = config.get_string("extensions.partialclone").ok();
        let promises = || {
            let mut found = None;
            let entries = config.entries(Some(r"^remote\..*\.promisor$")).ok()?;
            let _ = entries.for_each(|entry| {
                let name = entry.name().ok().and_then(|name| name.strip_prefix("remote.")?.strip_suffix(".promisor"));
                if let Some(name) = name.filter(|_| found.is_none()) {
                    found = config
                        .get_bool(&format!("remote.{name}.promisor"))
                        .is_ok_and(|is| is)
                        .then(|| name.to_owned());
                }
            });
            found
        };
        named.filter(|name| !name.is_empty()).or_else(promises)
    }

    /// Sees to it that the contents of these entries are here, in one go where some are missing.
    ///
    /// # Errors
    /// When they are promised and cannot be had.
    pub fn bring(&self, entries: impl IntoIterator<Item = Entry>) -> Result<()> {
        let Some(remote) = self.promisor() else {
            return Ok(());
        };
        let objects = self.git.odb().map_err(|error| unreadable(&self.root, &error))?;
        let is_missing = |id: &Oid| !objects.exists_ext(*id, OdbLookupFlags::NO_REFRESH);
        let entries = entries.into_iter().filter(|entry| entry.kind != super::Kind::Submodule);
        let missing: BTreeSet<Oid> = entries.map(|entry| entry.id).filter(is_missing).collect();
        self.fetch(remote, &missing.into_iter().collect::<Vec<_>>())
    }

    /// Sees to it that all directories of a commit are here, as they are in most partial clones.
    pub(super) fn bring_directories(&self, commit: Commit) -> Result<()> {
        let Some(remote) = self.promisor() else {
            return Ok(());
        };
        if self.whole.borrow().contains(&commit.0) {
            return Ok(());
        }
        let tree = self.git.find_commit(commit.0).map_err(|error| unreadable(&self.root, &error))?.tree_id();
        if !self.has_directories(tree)? {
            // Of a tree that is asked for, all that it has comes too, save for files.
            self.fetch(remote, &[tree])?;
        }
        self.whole.borrow_mut().insert(commit.0);
        Ok(())
    }

    fn has_directories(&self, top: Oid) -> Result<bool> {
        let mut waiting = vec![top];
        let mut seen = BTreeSet::new();
        while let Some(id) = waiting.pop() {
            interrupt::check()?;
            match self.git.find_tree(id) {
                Ok(tree) => {
                    let below = tree.iter().filter(|entry| entry.kind() == Some(ObjectType::Tree));
                    waiting.extend(below.map(|entry| entry.id()).filter(|id| seen.insert(*id)));
                }
                Err(error) if error.code() == ErrorCode::NotFound => return Ok(false),
                Err(error) => return Err(unreadable(&self.root, &error)),
            }
        }
        Ok(true)
    }

    /// The content of an object, fetched if it is promised.
    pub(super) fn blob(&self, id: Oid) -> Result<git2::Blob<'_>> {
        let header = self.git.odb().and_then(|objects| objects.read_header(id));
        if header.is_ok_and(|(size, _)| size as u64 > bounded::HELD) {
            let what =
                format!("the object {id} is larger than {} MiB, the most that is read of one", bounded::HELD >> 20);
            return Err(Error::new(what).hint("declare large files as data, outside git or by Git LFS"));
        }
        match (self.git.find_blob(id), self.promisor()) {
            (Err(error), Some(remote)) if error.code() == ErrorCode::NotFound => {
                self.fetch(remote, &[id])?;
                self.git.find_blob(id)
            }
            (found, _) => found,
        }
        .map_err(|error| unreadable(&self.root, &error))
    }

    fn fetch(&self, remote: &str, missing: &[Oid]) -> Result<()> {
        if missing.is_empty() {
            return Ok(());
        }
        let objects: Vec<String> = missing.iter().map(Oid::to_string).collect();
        git::fetch(self, remote, &objects)?.map_err(|why| {
            let (they, count) = match objects.len() {
                1 => ("it", "an object".to_owned()),
                count => ("them", format!("{count} objects")),
            };
            Error::new(format!(
                "this clone is partial: {count} that this needs {} with the remote {remote}, and git did not bring {they}",
                if objects.len() == 1 { "is still" } else { "are still" }
            ))
            .context(why)
            .hint(format!("`git fetch --refetch --no-filter {remote}` makes the clone whole"))
        })
    }
}
