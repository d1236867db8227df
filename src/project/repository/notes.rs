//! Git notes: text about an object, kept beside it and carried by a reference of its own, so that nothing
//! that was committed changes. What the text says is [`crate::release::attestation`]'s.

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
        // Whoever can push notes could else put a directory there that keeps every release from being judged.
        let entry = places(about).into_iter().find_map(|place| text_at(&tree, &place));
        let Some(entry) = entry else {
            return Ok(None);
        };
        let blob = self.git.find_blob(entry).map_err(broken)?;
        Ok(Some(blob.content().to_vec()))
    }

    /// Adds lines to what the notes under a reference say about an object. Lines that are there stay, those of
    /// others who write at the same time too: what is there is read while the reference is locked, as git locks it.
    ///
    /// # Errors
    /// When git does not know who writes, or cannot write.
    pub fn add_to_note(&self, reference: &str, about: ObjectId, lines: &[String]) -> Result<()> {
        let author = self.git.signature().map_err(|_| {
            Error::new("git does not know who you are, and a git note has an author")
                .hint("`git config user.name NAME` and `git config user.email ADDRESS`, or keep it in a file: `--output FILE`")
        })?;
        let reference = &*self.meant(reference);
        let mut locked = self.locked(reference)?;
        let tip = self.reference(reference).map(|tip| Commit(tip.0));
        let old = tip.map_or(Ok(None), |tip| self.note(tip, about))?.unwrap_or_default();
        let text = with_lines(&old, lines);
        if text == old {
            return Ok(());
        }
        let written = self.changed(tip, about, &text).and_then(|(tree, parent)| {
            let parents: Vec<_> = parent.iter().collect();
            let commit = self.git.commit(None, &author, &author, MESSAGE, &tree, &parents)?;
            locked.set_target(reference, commit, Some(&author), MESSAGE)?;
            locked.commit()
        });
        written.map_err(|error| could_not_write(reference, &error))
    }

    /// The reference that a name leads to, whether or not it is there yet. It is what git would write.
    fn meant(&self, name: &str) -> String {
        const DEEPEST: u32 = 5; // git's own measure
        let mut name = name.to_owned();
        for _ in 0..DEEPEST {
            let reference = self.git.find_reference(&name).ok();
            match reference.as_ref().and_then(|reference| reference.symbolic_target().ok().flatten()) {
                Some(next) => name = next.to_owned(),
                None => break,
            }
        }
        name
    }

    /// Holds a reference, waiting for whoever else does: in short steps, so that Ctrl-C is heard meanwhile.
    fn locked(&self, reference: &str) -> Result<git2::Transaction<'_>> {
        const STEP: std::time::Duration = std::time::Duration::from_millis(50);
        const STEPS: u32 = 100;
        for _ in 0..STEPS {
            let tried = self.git.transaction().and_then(|mut held| held.lock_ref(reference).map(|()| held));
            match tried {
                Ok(held) => return Ok(held),
                Err(error) if error.code() == git2::ErrorCode::Locked => {
                    crate::os::interrupt::check()?;
                    std::thread::sleep(STEP);
                }
                Err(error) => return Err(could_not_write(reference, &error)),
            }
        }
        let lock = self.git.commondir().join(format!("{reference}.lock"));
        Err(Error::new(format!(
            "could not write the git note: another process has held {reference} for {} seconds",
            (STEP * STEPS).as_secs()
        ))
        .hint(format!(
            "run the same command again; if no git runs here, one that was killed left {} behind: remove it",
            lock.display()
        )))
    }

    /// The tree of the notes with another text about an object, and the commit that it follows.
    fn changed(
        &self,
        tip: Option<Commit>,
        about: ObjectId,
        text: &[u8],
    ) -> std::result::Result<(git2::Tree<'_>, Option<git2::Commit<'_>>), git2::Error> {
        let parent = tip.map(|tip| self.git.find_commit(tip.0)).transpose()?;
        let tree = match &parent {
            Some(parent) => parent.tree()?,
            None => self.git.find_tree(self.git.treebuilder(None)?.write()?)?,
        };
        let [whole, ..] = places(about);
        let there = places(about).into_iter().find(|place| text_at(&tree, place).is_some());
        let mut update = git2::build::TreeUpdateBuilder::new();
        update.upsert(there.unwrap_or(whole), self.git.blob(text)?, git2::FileMode::Blob);
        let tree = self.git.find_tree(update.create_updated(&self.git, &tree)?)?;
        Ok((tree, parent))
    }
}

const MESSAGE: &str = "Notes added by 'cargo repro'";

fn could_not_write(reference: &str, error: &git2::Error) -> Error {
    Error::new(format!("could not write the git note under {reference}: {}", error.message()))
        .hint("see that you may write to the git directory, and that its disk is not full")
}

/// Where the tree of the notes may have those about an object: git spreads many over directories of two digits
/// each.
fn places(about: ObjectId) -> [String; 3] {
    let name = about.to_string();
    [0, 2, 4].map(|digits| {
        let (directories, rest) = name.split_at(digits);
        let mut path = String::new();
        for pair in directories.as_bytes().chunks(2) {
            path.extend(pair.iter().map(|byte| char::from(*byte)));
            path.push('/');
        }
        path + rest
    })
}

fn text_at(tree: &git2::Tree<'_>, place: &str) -> Option<git2::Oid> {
    let entry = tree.get_path(place.as_ref()).ok()?;
    (entry.kind() == Some(git2::ObjectType::Blob)).then(|| entry.id())
}

/// A note, and after it those of the lines that it lacks.
fn with_lines(note: &[u8], lines: &[String]) -> Vec<u8> {
    let has = |line: &String| note.split(|byte| *byte == b'\n').any(|there| there == line.as_bytes());
    let mut text = note.to_vec();
    for line in lines.iter().filter(|line| !has(line)) {
        if !text.is_empty() && !text.ends_with(b"\n") {
            text.push(b'\n');
        }
        text.extend(line.as_bytes());
        text.push(b'\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFERENCE: &str = "refs/notes/test";

    fn repository() -> (tempfile::TempDir, ObjectId) {
        let directory = tempfile::tempdir().unwrap();
        let git = git2::Repository::init(directory.path()).unwrap();
        let mut config = git.config().unwrap();
        config.set_str("user.name", "somebody").unwrap();
        config.set_str("user.email", "somebody@example.org").unwrap();
        let about = ObjectId(git.blob(b"a lock").unwrap());
        (directory, about)
    }

    fn read(repository: &Repository, about: ObjectId) -> String {
        let tip = repository.reference(REFERENCE).unwrap();
        String::from_utf8(repository.note(Commit(tip.0), about).unwrap().unwrap()).unwrap()
    }

    #[test]
    fn nothing_is_lost_of_many_that_write_at_once() {
        let (directory, about) = repository();
        std::thread::scope(|scope| {
            for writer in 0..8 {
                let directory = directory.path();
                scope.spawn(move || {
                    let repository = Repository::discover(directory).unwrap();
                    for line in 0..5 {
                        let lines = [format!("{writer}.{line}")];
                        repository.add_to_note(REFERENCE, about, &lines).unwrap();
                    }
                });
            }
        });
        let text = read(&Repository::discover(directory.path()).unwrap(), about);
        let mut lines: Vec<_> = text.lines().collect();
        lines.sort_unstable();
        let all: Vec<_> = (0..8).flat_map(|writer| (0..5).map(move |line| format!("{writer}.{line}"))).collect();
        assert_eq!(lines, all);
    }

    #[test]
    fn what_is_there_already_makes_no_commit() {
        let (directory, about) = repository();
        let repository = Repository::discover(directory.path()).unwrap();
        let lines = ["a".to_owned(), "b".to_owned()];
        repository.add_to_note(REFERENCE, about, &lines).unwrap();
        let tip = repository.reference(REFERENCE);
        repository.add_to_note(REFERENCE, about, &lines[1..]).unwrap();
        assert_eq!(repository.reference(REFERENCE), tip);
        assert_eq!(read(&repository, about), "a\nb\n");
    }

    #[test]
    fn a_note_that_git_keeps_in_directories_is_added_to_where_it_is() {
        let (directory, about) = repository();
        let repository = Repository::discover(directory.path()).unwrap();
        for place in places(about) {
            let git = &repository.git;
            let empty = git.find_tree(git.treebuilder(None).unwrap().write().unwrap()).unwrap();
            let mut update = git2::build::TreeUpdateBuilder::new();
            update.upsert(&*place, git.blob(b"without an end").unwrap(), git2::FileMode::Blob);
            let tree = git.find_tree(update.create_updated(git, &empty).unwrap()).unwrap();
            let author = git.signature().unwrap();
            let commit = git.commit(None, &author, &author, "by git", &tree, &[]).unwrap();
            git.reference(REFERENCE, commit, true, "by git").unwrap();
            repository.add_to_note(REFERENCE, about, &["more".to_owned()]).unwrap();
            assert_eq!(read(&repository, about), "without an end\nmore\n");
            let tip = git.find_commit(repository.reference(REFERENCE).unwrap().0).unwrap();
            assert!(tip.tree().unwrap().get_path(place.as_ref()).is_ok(), "{place}");
            assert_eq!(tip.parent_id(0).unwrap(), commit);
        }
    }

    #[test]
    fn a_reference_that_stands_for_another_one_still_does_afterwards() {
        const OTHER: &str = "refs/notes/other";
        let (directory, about) = repository();
        let repository = Repository::discover(directory.path()).unwrap();
        repository.git.reference_symbolic(REFERENCE, OTHER, false, "by hand").unwrap();
        for line in ["a", "b"] {
            repository.add_to_note(REFERENCE, about, &[line.to_owned()]).unwrap();
            let target = repository.git.find_reference(REFERENCE).unwrap();
            assert_eq!(target.kind(), Some(git2::ReferenceType::Symbolic));
            assert!(repository.git.find_reference(OTHER).unwrap().target().is_some());
        }
        assert_eq!(read(&repository, about), "a\nb\n");
    }
}
