//! The locks of a git history as values: what each promised, and what changed since the one before. Only what
//! somebody is told of a lock is kept of it, since there may be ten thousand.

use std::collections::BTreeMap;

use crate::compare::locks::{Differences, differences};
use crate::digest::Digest;
use crate::lockfile::{Read, Record};
use crate::outcome::Outcome;
use crate::snapshot::{Param, Seed};

/// The locks of a git history.
#[derive(Debug, Default)]
pub struct History {
    /// The newest first.
    pub entries: Vec<Entry>,
    /// Whether the clone is shallow, so that older ones may be missing.
    pub is_shallow: bool,
}

/// One lock of the history.
#[derive(Debug)]
pub struct Entry {
    /// The commit that brought it.
    pub commit: String,
    /// When that was made, in seconds since 1970.
    pub time: i64,
    /// The tags of commits that have it, sorted.
    pub tags: Vec<String>,
    /// Where it lay in the repository, if the package has moved since.
    pub path: Option<String>,
    /// What it says, or why it cannot be read.
    pub read: Result<Recorded, String>,
    /// The commit of the lock that was there before it: not always the next of the list, since there are branches.
    pub before: Option<String>,
    /// What it changed of that.
    pub change: Change,
}

/// Whether one of some locks, the newest first, does not follow the next of the list. What the last of them follows
/// need not be among them.
#[must_use]
pub fn has_branches(entries: &[Entry]) -> bool {
    entries.windows(2).any(|pair| pair[0].before.as_ref() != Some(&pair[1].commit))
}

/// What is kept of a lock.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The id that it states.
    pub id: Digest,
    /// The id of the body that it has; another one if somebody edited it.
    pub actual_id: Digest,
    /// How it was recorded.
    pub record: Record,
    /// The seed.
    pub seed: Seed,
    /// The parameters.
    pub params: BTreeMap<String, Param>,
    /// What came out.
    pub outcome: Outcome,
}

/// What a lock changed.
#[derive(Clone, Debug)]
pub enum Change {
    /// There is none before it, and none older.
    First,
    /// There is none before it, but others are older.
    FirstOfBranch,
    /// The one before it, if there is one, is not in this clone.
    Cut,
    /// One of the two cannot be read, or nobody asked.
    Unknown,
    /// These differences from the one before.
    Since(Box<Differences>),
}

impl Recorded {
    /// Whether its id is not that of its body.
    #[must_use]
    pub fn is_edited(&self) -> bool {
        self.id != self.actual_id
    }
}

impl From<&Read> for Recorded {
    fn from(read: &Read) -> Self {
        Self {
            id: read.id,
            actual_id: read.actual_id,
            record: read.lock.record,
            seed: read.lock.snapshot.seed,
            params: read.lock.snapshot.params.clone(),
            outcome: read.lock.outcome.clone(),
        }
    }
}

impl Change {
    /// From one lock to one that came after it.
    #[must_use]
    pub fn between(before: &Result<Read, String>, after: &Result<Read, String>) -> Self {
        match (before, after) {
            (Ok(before), Ok(after)) => Self::Since(Box::new(differences(&before.lock, &after.lock))),
            _ => Self::Unknown,
        }
    }
}
