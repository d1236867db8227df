//! Where attestations are found again: in git notes about the lock's bytes, in files beside the lock in the
//! tagged commit, and in files that were named. Whether they are worth anything is
//! [`crate::release::attestation`]'s.

use std::path::{Path, PathBuf};

use super::DIRECTORY;
use super::content::Tree;
use crate::error::{IoContext as _, Result};
use crate::lockfile;
use crate::os::bounded;
use crate::project::repository::{Commit, Repository};

/// The reference of the notes. Push and fetch it as any other.
pub const NOTES: &str = "refs/notes/cargo-repro";

/// How files of attestations end: one envelope a line (an in-toto bundle).
pub const ENDING: &str = ".intoto.jsonl";

/// Where to look beside the tagged commit.
#[derive(Debug)]
pub struct Evidence<'a> {
    repository: &'a Repository,
    /// Commits of notes: as the repository has them, and as a push brings them.
    notes: Vec<Commit>,
    /// Files with their lines.
    given: Vec<(String, String)>,
}

impl<'a> Evidence<'a> {
    /// What the repository has.
    #[must_use]
    pub fn of(repository: &'a Repository) -> Self {
        let mut evidence = Self {
            repository,
            notes: Vec::new(),
            given: Vec::new(),
        };
        if let Some(tip) = repository.reference(NOTES) {
            evidence.add_notes(&tip.to_string());
        }
        evidence
    }

    /// Notes that a push brings.
    pub fn add_notes(&mut self, commit: &str) {
        self.notes.extend(self.repository.commit(commit));
    }

    /// Attestations in files.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn add_files(&mut self, directory: &Path, files: &[PathBuf]) -> Result<()> {
        for file in files {
            let path = directory.join(file);
            let text = bounded::bytes(&path, bounded::WRITTEN).at("read", &path)?;
            self.add_text(&file.display().to_string(), &text);
        }
        Ok(())
    }

    fn add_text(&mut self, origin: &str, text: &[u8]) {
        self.given.extend(lines(origin, text));
    }

    /// The lines of files that were named, each with where it is.
    pub fn given(&self) -> impl Iterator<Item = (&str, &str)> {
        self.given.iter().map(|(origin, line)| (origin.as_str(), line.as_str()))
    }

    /// Everything that may be about the lock in a commit, each with where it is; what stands in several places
    /// once.
    ///
    /// # Errors
    /// When git's objects cannot be read.
    pub fn about(&self, tree: Tree<'_>) -> Result<Vec<(String, String)>> {
        let mut found = self.given.clone();
        let lock = tree.repository.entry(tree.commit, Path::new(&tree.path(lockfile::FILE)));
        for notes in lock.iter().flat_map(|_| &self.notes) {
            let about = lock.expect("there are no notes about a lock that is not there").object();
            if let Some(text) = self.repository.note(*notes, about)? {
                found.extend(lines("the git note", &text));
            }
        }
        let directory = tree.path(DIRECTORY);
        for (path, entry) in tree.repository.entries(tree.commit)?.iter() {
            if path.starts_with(&directory) && path.ends_with(ENDING) {
                found.extend(lines(path, &self.repository.content(*entry)?));
            }
        }
        let mut seen = std::collections::BTreeSet::new();
        found.retain(|(_, line)| seen.insert(line.clone()));
        Ok(found)
    }
}

/// Each line that is not empty, with where it is.
fn lines(origin: &str, text: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(text);
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(at, line)| (format!("{origin}, line {}", at + 1), line.trim().to_owned()))
        .collect()
}
