//! Our own predicate: that somebody trained again what a lock pins, and what came of it. Its fields are
//! explained in `docs/attestations.md`. Whether it counts for anything is [`mod@super::check`]'s to say.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::flaw::Flaw;
use super::statement::{Statement, Subject};
use super::time;
use crate::digest::Digest;
use crate::lockfile::{self, Lockfile};
use crate::outcome::Outcome;
use crate::snapshot::Platform;

/// Its type.
pub const TYPE: &str = "https://crates.io/crates/cargo-repro-ml#reproduction-v1";

/// This tool, as [`Reproduction::tool`] has it.
pub const TOOL: &str = concat!("cargo-repro ", env!("CARGO_PKG_VERSION"));

/// What somebody vouches for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reproduction {
    /// What the training came to, in one word.
    pub verdict: String,
    /// The id of the lock.
    pub lock: Digest,
    /// The commit that was built.
    pub commit: String,
    /// The class of the machine.
    pub platform: Platform,
    /// How many times it was trained.
    pub runs: u32,
    /// How many trainings the lock itself stands on.
    pub confirmed: u32,
    /// What was not looked at, in one word, and why not.
    pub not_checked: Vec<(String, String)>,
    /// The name and the version of the tool.
    pub tool: String,
    /// When it began, in seconds since 1970.
    pub started: i64,
    /// When it ended, in seconds since 1970.
    pub finished: i64,
}

/// As it is written. Keys that a later version adds are passed over.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    verdict: String,
    lock: WrittenLock,
    commit: WrittenCommit,
    platform_class: WrittenClass,
    runs: u32,
    confirmed: u32,
    not_checked: Vec<WrittenNotChecked>,
    tool: WrittenTool,
    started_on: String,
    finished_on: String,
}

#[derive(Serialize, Deserialize)]
struct WrittenLock {
    id: Digest,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrittenCommit {
    git_commit: String,
}

/// A copy of [`Platform`], which may change with the lock while this may not.
#[derive(Serialize, Deserialize)]
struct WrittenClass {
    target: String,
    libc: String,
    cpu: String,
}

#[derive(Serialize, Deserialize)]
struct WrittenNotChecked {
    kind: String,
    why: String,
}

#[derive(Serialize, Deserialize)]
struct WrittenTool {
    name: String,
    version: String,
}

/// The files that are vouched for, sorted by name: every artifact of every stage by its path, and the lock
/// itself with the digest of its file. Of an artifact of which a part is left out nobody vouches for the bytes: every
/// training gives others.
#[must_use]
pub fn subjects(lock: &Lockfile, outcome: &Outcome, lock_file: Digest) -> Vec<Subject> {
    let mut files = BTreeMap::new();
    for (name, stage) in outcome {
        let declared = lock.snapshot.stages.get(name);
        for (path, artifact) in &stage.artifacts {
            let cut = declared.and_then(|stage| stage.cut(path));
            let left_out = cut.map_or_else(Vec::new, |cut| cut.left_out().to_vec());
            files.insert(path.as_str(), (artifact.digest, left_out));
        }
    }
    // Last, so that no artifact of a forged lock is taken for the lock.
    files.insert(lockfile::FILE, (lock_file, Vec::new()));
    let subject = |(name, (digest, left_out)): (&str, _)| Subject {
        name: name.to_owned(),
        digest,
        left_out,
    };
    files.into_iter().map(subject).collect()
}

impl Reproduction {
    /// The statement that says so of these files.
    #[must_use]
    pub fn statement(&self, subject: Vec<Subject>) -> Statement {
        let (name, version) = self.tool.split_once(' ').unwrap_or((&self.tool, ""));
        let not_checked = self.not_checked.iter().map(|(kind, why)| WrittenNotChecked {
            kind: kind.clone(),
            why: why.clone(),
        });
        let written = Written {
            verdict: self.verdict.clone(),
            lock: WrittenLock { id: self.lock },
            commit: WrittenCommit {
                git_commit: self.commit.clone(),
            },
            platform_class: WrittenClass {
                target: self.platform.target.clone(),
                libc: self.platform.libc.clone(),
                cpu: self.platform.cpu.clone(),
            },
            runs: self.runs,
            confirmed: self.confirmed,
            not_checked: not_checked.collect(),
            tool: WrittenTool {
                name: name.to_owned(),
                version: version.to_owned(),
            },
            started_on: time::text(self.started),
            finished_on: time::text(self.finished),
        };
        Statement {
            subject,
            predicate_type: TYPE.to_owned(),
            predicate: serde_json::to_value(written).expect("the predicate has string keys only"),
        }
    }

    /// Reads it from a statement.
    ///
    /// # Errors
    /// When the statement says something else, or something that contradicts itself.
    pub fn from_statement(statement: &Statement) -> Result<Self, Flaw> {
        if statement.predicate_type != TYPE {
            return Err(Flaw::Predicate {
                found: statement.predicate_type.clone(),
            });
        }
        let unreadable = |why: String| Flaw::UnreadablePredicate { why };
        let written = Written::deserialize(&statement.predicate).map_err(|error| unreadable(error.to_string()))?;
        let time = |name: &str, text: &str| {
            time::parse(text).ok_or_else(|| unreadable(format!("{name} is \"{text}\", which is no time in UTC")))
        };
        let (started, finished) = (time("startedOn", &written.started_on)?, time("finishedOn", &written.finished_on)?);
        if finished < started {
            return Err(unreadable("it ended before it began".to_owned()));
        }
        if written.runs == 0 {
            return Err(unreadable("it stands on no training".to_owned()));
        }
        Ok(Self {
            verdict: written.verdict,
            lock: written.lock.id,
            commit: written.commit.git_commit,
            platform: Platform {
                target: written.platform_class.target,
                libc: written.platform_class.libc,
                cpu: written.platform_class.cpu,
            },
            runs: written.runs,
            confirmed: written.confirmed,
            not_checked: written.not_checked.into_iter().map(|entry| (entry.kind, entry.why)).collect(),
            tool: format!("{} {}", written.tool.name, written.tool.version),
            started,
            finished,
        })
    }
}
