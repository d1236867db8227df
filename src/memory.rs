//! What was seen at the last look, believed only while the stat of everything it was read from is the
//! same (git's index works so). It lies in the repository's private directory, never among tracked
//! files; losing or breaking it costs time and nothing else. `status` and `record` use it, `verify`
//! does not.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::ambient;
use crate::digest::Digest;
use crate::error::Result;

/// Raised whenever what is kept, or how it is observed, changes; another number is forgotten.
const VERSION: u32 = 2;

/// A file younger than this when it was read may change again within the same timestamp.
const RACY_NS: i64 = 20_000_000;

/// What the kernel says of a path, enough to tell that its content was not changed since.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified_ns: i64,
    changed_ns: i64,
}

impl Stamp {
    /// The stamp of what `path` leads to; `None` where there is nothing.
    fn of(path: &Path) -> Option<Self> {
        let meta = std::fs::metadata(path).ok()?;
        let ns = |seconds: i64, rest: i64| seconds * 1_000_000_000 + rest;
        Some(Self {
            device: meta.dev(),
            inode: meta.ino(),
            size: meta.size(),
            modified_ns: ns(meta.mtime(), meta.mtime_nsec()),
            changed_ns: ns(meta.ctime(), meta.ctime_nsec()),
        })
    }

    fn is_racy(self, read_at_ns: i64) -> bool {
        self.modified_ns.max(self.changed_ns) > read_at_ns - RACY_NS
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    version: u32,
    files: BTreeMap<PathBuf, (Stamp, Digest, u64)>,
    facts: BTreeMap<String, Fact>,
}

impl Kept {
    fn empty() -> Self {
        Self {
            version: VERSION,
            files: BTreeMap::new(),
            facts: BTreeMap::new(),
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Fact {
    /// What it was read from; `None` where there was nothing, and must still be nothing.
    witnesses: Vec<(PathBuf, Option<Stamp>)>,
    /// Where it only mattered whether there was something.
    presence: Vec<(PathBuf, bool)>,
    value: serde_json::Value,
}

impl Fact {
    fn holds(&self) -> bool {
        self.witnesses.iter().all(|(path, stamp)| Stamp::of(path) == *stamp)
            && self.presence.iter().all(|(path, there)| path.exists() == *there)
    }
}

/// What a fact was observed from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Witnesses {
    /// Files that were read, and directories that were looked through.
    pub read: Vec<PathBuf>,
    /// Paths of which only the existence mattered.
    pub present: Vec<PathBuf>,
}

/// The memory of one repository.
#[derive(Debug)]
pub struct Memory {
    place: Option<PathBuf>,
    kept: Kept,
    changed: bool,
}

impl Memory {
    /// Remembers what an earlier process left in `directory`.
    #[must_use]
    pub fn load(directory: &Path) -> Self {
        let place = directory.join("memory.json");
        let kept = std::fs::read(&place)
            .ok()
            .and_then(|bytes| serde_json::from_slice::<Kept>(&bytes).ok())
            .filter(|kept| kept.version == VERSION)
            .unwrap_or_else(Kept::empty);
        Self {
            place: Some(place),
            kept,
            changed: false,
        }
    }

    /// Believes nothing from earlier, and leaves nothing behind.
    #[must_use]
    pub fn none() -> Self {
        Self {
            place: None,
            kept: Kept::empty(),
            changed: false,
        }
    }

    /// The digest and size of a file, read again only if its stat is new.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn digest(&mut self, path: &Path) -> Result<(Digest, u64)> {
        let stamp = Stamp::of(path);
        if let (Some(now), Some((then, digest, size))) = (stamp, self.kept.files.get(path))
            && now == *then
        {
            return Ok((*digest, *size));
        }
        let read_at = ambient::now_ns();
        let (digest, size) = Digest::of_file(path)?;
        // The stamp is from before the reading: a change meanwhile makes it wrong, which is right.
        match stamp.filter(|stamp| !stamp.is_racy(read_at)) {
            Some(stamp) => self.kept.files.insert(path.to_path_buf(), (stamp, digest, size)),
            None => self.kept.files.remove(path),
        };
        self.changed = true;
        Ok((digest, size))
    }

    /// A value that was observed at the cost of a process, observed again only if one of the paths it
    /// was read from is new. `observe` gives the value and those paths.
    ///
    /// # Errors
    /// Those of `observe`.
    pub fn fact<T: Serialize + DeserializeOwned>(
        &mut self,
        name: &str,
        observe: impl FnOnce() -> Result<(T, Witnesses)>,
    ) -> Result<T> {
        if let Some(fact) = self.kept.facts.get(name)
            && fact.holds()
            && let Ok(value) = T::deserialize(&fact.value)
        {
            return Ok(value);
        }
        let began = ambient::now_ns();
        let (value, seen) = observe()?;
        let stamped = |path: PathBuf| {
            let stamp = Stamp::of(&path);
            (path, stamp)
        };
        let witnesses: Vec<_> = seen.read.into_iter().map(stamped).collect();
        let racy = |stamp: &Option<Stamp>| stamp.is_some_and(|stamp| stamp.is_racy(began));
        if witnesses.iter().any(|(_, stamp)| racy(stamp)) {
            self.kept.facts.remove(name);
        } else {
            let there = |path: PathBuf| {
                let there = path.exists();
                (path, there)
            };
            let fact = Fact {
                witnesses,
                presence: seen.present.into_iter().map(there).collect(),
                value: serde_json::to_value(&value).expect("facts have string keys only"),
            };
            self.kept.facts.insert(name.to_owned(), fact);
        }
        self.changed = true;
        Ok(value)
    }

    /// Leaves what was seen for the next process. A failure costs that process time only.
    pub fn save(&self) {
        if let Some(place) = self.place.as_ref().filter(|_| self.changed) {
            let _ = self.write(place);
        }
    }

    fn write(&self, place: &Path) -> std::io::Result<()> {
        let directory = place.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(directory)?;
        let bytes = serde_json::to_vec(&self.kept)?;
        let mut file = tempfile::NamedTempFile::new_in(directory)?;
        file.write_all(&bytes)?;
        file.persist(place)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn age(path: &Path, seconds: u64) {
        let file = std::fs::File::options().append(true).open(path).unwrap();
        let then = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000 + seconds);
        file.set_modified(then).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(60));
    }

    #[test]
    fn a_file_with_the_same_stat_is_not_read_again_and_one_with_another_is() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("data");
        std::fs::write(&path, "one").unwrap();
        age(&path, 0);
        let mut memory = Memory::load(directory.path());
        assert_eq!(memory.digest(&path).unwrap(), (Digest::of("one"), 3));
        memory.save();

        let mut memory = Memory::load(directory.path());
        assert!(memory.kept.files.contains_key(&path));
        std::fs::write(&path, "two").unwrap();
        age(&path, 0); // the size and the mtime are the same; the ctime is not
        assert_eq!(memory.digest(&path).unwrap(), (Digest::of("two"), 3));
    }

    #[test]
    fn a_file_written_just_now_is_not_trusted() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("data");
        std::fs::write(&path, "one").unwrap();
        let mut memory = Memory::load(directory.path());
        memory.digest(&path).unwrap();
        assert!(memory.kept.files.is_empty());
    }

    #[test]
    fn a_fact_is_observed_again_when_something_appears_where_nothing_was() {
        let directory = tempfile::tempdir().unwrap();
        let absent = directory.path().join("config.toml");
        let mut memory = Memory::load(directory.path());
        let witnesses = || Witnesses {
            read: vec![absent.clone()],
            present: Vec::new(),
        };
        assert_eq!(memory.fact("n", || Ok((1, witnesses()))).unwrap(), 1);
        assert_eq!(memory.fact("n", || Ok((2, witnesses()))).unwrap(), 1);
        std::fs::write(&absent, "").unwrap();
        assert_eq!(memory.fact("n", || Ok((3, witnesses()))).unwrap(), 3);
    }

    #[test]
    fn where_only_presence_mattered_a_new_content_changes_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("build.rs");
        std::fs::write(&path, "").unwrap();
        let mut memory = Memory::load(directory.path());
        let witnesses = || Witnesses {
            read: Vec::new(),
            present: vec![path.clone()],
        };
        assert_eq!(memory.fact("n", || Ok((1, witnesses()))).unwrap(), 1);
        std::fs::write(&path, "fn main() {}").unwrap();
        assert_eq!(memory.fact("n", || Ok((2, witnesses()))).unwrap(), 1);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(memory.fact("n", || Ok((3, witnesses()))).unwrap(), 3);
    }

    #[test]
    fn a_broken_memory_is_an_empty_one() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("memory.json"), "{\"version\":1,\"fi").unwrap();
        assert!(Memory::load(directory.path()).kept.facts.is_empty());
    }
}
