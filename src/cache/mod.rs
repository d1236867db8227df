//! What was seen at the last look: the [`StatCache`] of files, facts that cost a process, and the tables in
//! files of a known digest. A fact is believed only while the stat data of everything that it was read from
//! is the same. It lies in the repository's private directory, never among tracked files, and is sealed with
//! a key of the user's: one that came with the repository is not believed. Losing or breaking it costs time and
//! nothing else. `status` and `record` use it; `verify` does if it is asked to.

pub mod seal;
pub mod stat;
pub mod stat_cache;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::cache::seal::Seal;
use crate::cache::stat::StatData;
use crate::cache::stat_cache::StatCache;
use crate::digest::Digest;
use crate::error::Result;
use crate::os::bounded;
use crate::os::env;
use crate::project::lfs;
use crate::table::{Format, NotATable, Table};

/// Raised whenever what is kept, or how it is observed, changes; another number is forgotten.
const VERSION: u32 = 4;

const FACTS: &str = "memory.json";
const INDEX: &str = "files.index";

/// More tables than this are not kept.
const MOST_TABLES: usize = 512;

#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    version: u32,
    facts: BTreeMap<String, Fact>,
    /// By the file's digest and the table's format.
    tables: BTreeMap<String, Result<Table, String>>,
}

impl Kept {
    fn empty() -> Self {
        Self {
            version: VERSION,
            tables: BTreeMap::new(),
            facts: BTreeMap::new(),
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Fact {
    /// What it was read from; `None` where there was nothing, and must still be nothing.
    witnesses: Vec<(PathBuf, Option<StatData>)>,
    /// Where it only mattered whether there was something.
    presence: Vec<(PathBuf, bool)>,
    value: serde_json::Value,
}

impl Fact {
    fn holds(&self) -> bool {
        self.witnesses.iter().all(|(path, stat)| StatData::of(path) == *stat)
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

/// The cache of one repository.
#[derive(Debug)]
pub struct Cache {
    /// The directory that it lies in, and what it is sealed with; none if it is not kept.
    place: Option<(PathBuf, Seal)>,
    kept: Kept,
    changed: bool,
    /// What is known of files.
    pub files: StatCache,
}

impl Cache {
    /// Remembers what an earlier process of the same user left in `directory`.
    #[must_use]
    pub fn load(directory: &Path) -> Self {
        Seal::of_user().map_or_else(Self::none, |seal| Self::sealed(directory, seal))
    }

    fn sealed(directory: &Path, seal: Seal) -> Self {
        let place = directory.join(FACTS);
        let bytes = bounded::bytes(&place, bounded::HELD).unwrap_or_default();
        let kept = seal
            .open(&place, &bytes)
            .and_then(|bytes| serde_json::from_slice::<Kept>(bytes).ok())
            .filter(|kept| kept.version == VERSION)
            .unwrap_or_else(Kept::empty);
        Self {
            kept,
            changed: false,
            files: StatCache::load(&directory.join(INDEX), &seal),
            place: Some((directory.to_path_buf(), seal)),
        }
    }

    /// Believes nothing from earlier, and leaves nothing behind.
    #[must_use]
    pub fn none() -> Self {
        Self {
            place: None,
            kept: Kept::empty(),
            changed: false,
            files: StatCache::default(),
        }
    }

    /// The digest and size of a file, read again only if its stat data is new.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn digest(&mut self, path: &Path) -> Result<(Digest, u64)> {
        let stat = StatData::of(path);
        if let Some(now) = stat
            && let Some(digest) = self.files.digest(path, now)
        {
            return Ok((digest, now.size));
        }
        let read_at = env::now_ns();
        let (digest, size) = Digest::of_file(path)?;
        // The stat data is from before the reading: a change meanwhile makes it wrong, which is right.
        let seen = stat.filter(|stat| !stat.is_racy(read_at) && !is_pointer(path, size));
        let seen = seen.map(|stat| (stat, digest));
        self.files.keep(path, seen);
        Ok((digest, size))
    }

    /// The table that a file of this digest holds, or why it holds none, if it was read before.
    #[must_use]
    pub fn table(&self, digest: Digest, format: Format) -> Option<Result<Table, NotATable>> {
        self.kept.tables.get(&key(digest, format)).cloned().map(|table| table.map_err(NotATable))
    }

    /// Keeps what was read of a file.
    pub fn keep_table(&mut self, digest: Digest, format: Format, table: &Result<Table, NotATable>) {
        if self.kept.tables.contains_key(&key(digest, format)) {
            return;
        }
        if self.kept.tables.len() >= MOST_TABLES {
            self.kept.tables.clear();
        }
        let table = table.clone().map_err(|NotATable(why)| why);
        self.kept.tables.insert(key(digest, format), table);
        self.changed = true;
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
        let began = env::now_ns();
        let (value, seen) = observe()?;
        let with_stat = |path: PathBuf| {
            let stat = StatData::of(&path);
            (path, stat)
        };
        let witnesses: Vec<_> = seen.read.into_iter().map(with_stat).collect();
        let racy = |stat: &Option<StatData>| stat.is_some_and(|stat| stat.is_racy(began));
        if witnesses.iter().any(|(_, stat)| racy(stat)) {
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
        let Some((directory, seal)) = &self.place else {
            return;
        };
        self.files.save(&directory.join(INDEX), seal);
        if self.changed {
            let _ = self.write(directory, seal);
        }
    }

    fn write(&self, directory: &Path, seal: &Seal) -> std::io::Result<()> {
        std::fs::create_dir_all(directory)?;
        let place = directory.join(FACTS);
        let bytes = seal.close(&place, serde_json::to_vec(&self.kept)?);
        let mut file = tempfile::NamedTempFile::new_in(directory)?;
        file.write_all(&bytes)?;
        file.persist(place)?;
        Ok(())
    }
}

/// Whether a file only says where its bytes are. Whoever reads it as data must come to see that, so the
/// index does not know it.
fn is_pointer(path: &Path, size: u64) -> bool {
    size < lfs::LARGEST && bounded::bytes(path, lfs::LARGEST).is_ok_and(|bytes| lfs::is_pointer(&bytes))
}

fn key(digest: Digest, format: Format) -> String {
    format!("{} {digest}", format.word())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept_in(directory: &Path) -> Cache {
        Cache::sealed(directory, Seal::new([1; 32]))
    }

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
        let mut cache = kept_in(directory.path());
        assert_eq!(cache.digest(&path).unwrap(), (Digest::of("one"), 3));
        cache.save();

        let mut cache = kept_in(directory.path());
        assert_eq!(cache.files.digest(&path, StatData::of(&path).unwrap()), Some(Digest::of("one")));
        std::fs::write(&path, "two").unwrap();
        age(&path, 0); // the size and the mtime are the same; the ctime is not
        assert_eq!(cache.digest(&path).unwrap(), (Digest::of("two"), 3));
    }

    #[test]
    fn a_file_that_may_change_within_its_timestamp_is_not_trusted() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("data");
        std::fs::write(&path, "one").unwrap();
        age(&path, 3_000_000_000); // in 2096: too young whenever this runs
        let mut cache = kept_in(directory.path());
        cache.digest(&path).unwrap();
        assert_eq!(cache.files.digest(&path, StatData::of(&path).unwrap()), None);
    }

    #[test]
    fn a_fact_is_observed_again_when_something_appears_where_nothing_was() {
        let directory = tempfile::tempdir().unwrap();
        let absent = directory.path().join("config.toml");
        let mut cache = kept_in(directory.path());
        let witnesses = || Witnesses {
            read: vec![absent.clone()],
            present: Vec::new(),
        };
        assert_eq!(cache.fact("n", || Ok((1, witnesses()))).unwrap(), 1);
        assert_eq!(cache.fact("n", || Ok((2, witnesses()))).unwrap(), 1);
        std::fs::write(&absent, "").unwrap();
        assert_eq!(cache.fact("n", || Ok((3, witnesses()))).unwrap(), 3);
    }

    #[test]
    fn where_only_presence_mattered_a_new_content_changes_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("build.rs");
        std::fs::write(&path, "").unwrap();
        let mut cache = kept_in(directory.path());
        let witnesses = || Witnesses {
            read: Vec::new(),
            present: vec![path.clone()],
        };
        assert_eq!(cache.fact("n", || Ok((1, witnesses()))).unwrap(), 1);
        std::fs::write(&path, "fn main() {}").unwrap();
        assert_eq!(cache.fact("n", || Ok((2, witnesses()))).unwrap(), 1);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(cache.fact("n", || Ok((3, witnesses()))).unwrap(), 3);
    }

    #[test]
    fn the_cache_of_another_user_or_another_place_is_an_empty_one() {
        let (directory, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let path = directory.path().join("data");
        std::fs::write(&path, "one").unwrap();
        let mut cache = kept_in(directory.path());
        cache.files.keep(&path, StatData::of(&path).map(|stat| (stat, Digest::of("another"))));
        cache.fact("n", || Ok((1, Witnesses::default()))).unwrap();
        cache.save();
        let is_known = |cache: &Cache| {
            let digest = cache.files.digest(&path, StatData::of(&path).unwrap());
            (digest.is_some(), cache.kept.facts.contains_key("n"))
        };
        assert_eq!(is_known(&kept_in(directory.path())), (true, true));
        assert_eq!(is_known(&Cache::sealed(directory.path(), Seal::new([2; 32]))), (false, false));
        for name in [FACTS, INDEX] {
            std::fs::copy(directory.path().join(name), other.path().join(name)).unwrap();
        }
        assert_eq!(is_known(&kept_in(other.path())), (false, false));
    }

    #[test]
    fn a_broken_cache_is_an_empty_one() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("memory.json"), "{\"version\":1,\"fi").unwrap();
        assert!(kept_in(directory.path()).kept.facts.is_empty());
    }
}
