//! Git notes: text about an object, kept beside it and carried by a reference of its own, so that nothing
//! that was committed changes. What the text says is [`crate::attestation`]'s.

use super::{Commit, ObjectId, Repository, unreadable};
use crate::error::{Error, Result};

impl Repository {
    /// What the notes of a commit of notes say about an object.
    ///
    /// # Errors
    /// When the notes are there and cannot be read.
    pub fn note(&self, notes: Commit, about: ObjectId) -> Result<Option<Vec<u8>>> {
        let broken = |error: git2::Error| unreadable(&self.root, &error);
        let tree = self.git.find_commit(notes.0).and_then(|commit| commit.tree()).map_err(broken)?;
        let name = about.to_string();
        // Git spreads many notes over directories of two digits each.
        let fanned = [0, 2, 4].map(|digits| {
            let (directories, rest) = name.split_at(digits);
            let mut path = String::new();
            for pair in directories.as_bytes().chunks(2) {
                path.extend(pair.iter().map(|byte| char::from(*byte)));
                path.push('/');
            }
            path + rest
        });
        let entry = fanned.iter().find_map(|path| tree.get_path(path.as_ref()).ok());
        let Some(entry) = entry else {
            return Ok(None);
        };
        // Whoever can push notes could else put something there that keeps every release from being judged.
        if entry.kind() != Some(git2::ObjectType::Blob) {
            return Ok(None);
        }
        let blob = self.git.find_blob(entry.id()).map_err(broken)?;
        Ok(Some(blob.content().to_vec()))
    }

    /// Adds lines to what the notes under a reference say about an object. Lines that are there stay.
    ///
    /// # Errors
    /// When git does not know who writes, or cannot write.
    pub fn add_to_note(&self, reference: &str, about: ObjectId, lines: &[String]) -> Result<()> {
        const ATTEMPTS: u32 = 5;
        let author = self.git.signature().map_err(|_| {
            Error::new("git does not know who you are, and a git note has an author")
                .hint("`git config user.name NAME` and `git config user.email ADDRESS`, or keep it in a file: `--output FILE`")
        })?;
        for _ in 0..ATTEMPTS {
            let old = self.noted(reference, about)?.unwrap_or_default();
            let mut text = String::from_utf8_lossy(&old).into_owned();
            if !text.is_empty() && !text.ends_with('\n') {
                text.push('\n');
            }
            for line in lines.iter().filter(|line| !old_has(&old, line)) {
                text += line;
                text.push('\n');
            }
            let written = self.git.note(&author, &author, Some(reference), about.0, &text, true);
            // Another process may have written at the same time: then what is there lacks a line.
            let there = self.noted(reference, about)?.unwrap_or_default();
            if written.is_ok() && lines.iter().all(|line| old_has(&there, line)) {
                return Ok(());
            }
        }
        Err(Error::new(format!("could not write the git note under {reference}"))
            .hint("another process may be writing notes; run the same command again"))
    }

    fn noted(&self, reference: &str, about: ObjectId) -> Result<Option<Vec<u8>>> {
        let tip = self.reference(reference).map(|tip| Commit(tip.0));
        tip.map_or(Ok(None), |tip| self.note(tip, about))
    }
}

fn old_has(note: &[u8], line: &str) -> bool {
    note.split(|byte| *byte == b'\n').any(|found| found == line.as_bytes())
}
