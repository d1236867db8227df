//! Which object each release tag was when this repository first knew it to be on a remote (or, for a server,
//! to be here). A tag that is another one later was moved, whatever else holds. Kept beside git's own files,
//! for all work trees; losing it loses that knowledge and nothing else.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Error, IoContext as _, Result};
use crate::os::atomic;
use crate::os::bounded;
use crate::os::file_lock;
use crate::project::repository::{ObjectId, Repository};

const FILE: &str = "tags.json";
const VERSION: u32 = 1;

/// The tags that were seen.
#[derive(Debug)]
pub struct TagHistory {
    path: PathBuf,
    kept: Kept,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Kept {
    version: u32,
    tags: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Versioned {
    version: u32,
}

impl TagHistory {
    /// What was kept; nothing where nothing was, or by another version of this tool.
    ///
    /// # Errors
    /// When it is there and cannot be read: to go on would be to forget it.
    pub fn load(repository: &Repository) -> Result<Self> {
        Self::at(repository.shared_directory().join(FILE))
    }

    fn at(path: PathBuf) -> Result<Self> {
        let kept = read(&path)?;
        Ok(Self { path, kept })
    }

    /// The object that a tag was first.
    #[must_use]
    pub fn first(&self, tag: &str) -> Option<ObjectId> {
        self.kept.tags.get(tag).and_then(|id| ObjectId::from_hex(id))
    }

    /// Keeps what tags are, except those that are known already: to others by now, too. So what is kept is read
    /// again, and nobody else writes it meanwhile.
    ///
    /// # Errors
    /// When what is kept cannot be read any more, or the user has interrupted.
    pub fn enter(&mut self, seen: &[(String, ObjectId)]) -> Result<()> {
        if seen.iter().all(|(tag, _)| self.first(tag).is_some()) {
            return Ok(());
        }
        let directory = self.path.parent().unwrap_or(Path::new("."));
        // Where it cannot be written (a read-only clone), the next look is a first one again.
        let writable = std::fs::create_dir_all(directory).is_ok();
        let _held = writable.then(|| file_lock::directory(directory)).transpose()?;
        self.kept = read(&self.path)?;
        self.kept.version = VERSION;
        for (tag, object) in seen {
            if self.first(tag).is_none() {
                self.kept.tags.insert(tag.clone(), object.to_string());
            }
        }
        let text = serde_json::to_string_pretty(&self.kept).expect("names and ids are text");
        if writable {
            let _ = atomic::replace(&self.path, text.as_bytes());
        }
        Ok(())
    }
}

fn read(path: &Path) -> Result<Kept> {
    let text = match bounded::text(path, bounded::GENERATED) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Kept::default()),
        read => read
            .at("read", path)
            .map_err(|error| error.hint("let everybody read it whose pushes are judged here"))?,
    };
    let broken = |error: serde_json::Error| {
        Error::new(format!("{} is not as cargo repro wrote it: {error}", path.display()))
            .hint("remove it, and every tag is seen for the first time again")
    };
    let Versioned { version } = serde_json::from_str(&text).map_err(broken)?;
    if version != VERSION {
        return Ok(Kept::default());
    }
    serde_json::from_str(&text).map_err(broken)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(digit: usize) -> ObjectId {
        ObjectId::from_hex(&digit.to_string().repeat(40)).unwrap()
    }

    #[test]
    fn no_tag_is_lost_of_many_that_are_entered_at_once_by_what_was_read_before() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("cargo-repro").join(FILE);
        let load = || TagHistory::at(path.clone()).unwrap();
        let histories: Vec<_> = (1..=8).map(|_| load()).collect();
        std::thread::scope(|scope| {
            for (number, mut history) in (1..).zip(histories) {
                scope.spawn(move || {
                    let own = (format!("v{number}"), object(number));
                    history.enter(&[own, ("v".to_owned(), object(number))]).unwrap();
                });
            }
        });
        let history = load();
        for number in 1..=8 {
            assert_eq!(history.first(&format!("v{number}")), Some(object(number)));
        }
        // The first one stays, and whoever comes later is told.
        let first = history.first("v").unwrap();
        let mut late = load();
        late.kept = Kept::default();
        late.enter(&[("v".to_owned(), object(9))]).unwrap();
        assert_eq!(late.first("v"), Some(first));
        assert_eq!(load().first("v"), Some(first));
    }

    #[test]
    fn what_cannot_be_read_is_neither_empty_nor_overwritten() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(FILE);
        let mut history = TagHistory::at(path.clone()).unwrap();
        for bytes in [&b""[..], b"half a na", b"\xff", b"{\"version\":1}"] {
            std::fs::write(&path, bytes).unwrap();
            assert!(TagHistory::at(path.clone()).is_err());
            assert!(history.enter(&[("v1".to_owned(), object(1))]).is_err());
            assert_eq!(std::fs::read(&path).unwrap(), bytes);
        }
        std::fs::write(&path, "{\"version\":2,\"tags\":[]}").unwrap();
        assert_eq!(TagHistory::at(path).unwrap().first("v1"), None);
    }
}
