//! The outcome: the outputs of a run, each exact. Two outcomes are compared in
//! [`mod@crate::compare::divergence`].

mod cut;
mod metric;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use cut::{Cut, Remark, RemarkOf};
pub use metric::{Kind, Metric};

use crate::digest::Digest;

/// The outputs of every stage, by its name.
pub type Outcome = BTreeMap<String, StageOutcome>;

/// The outputs of one stage.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageOutcome {
    /// The digest of the program that cargo built. Never compared by itself: a binary may differ in a
    /// symbol's name while every output is equal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binary: Option<Digest>,
    /// Files that the stage wrote without declaring them, by name alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undeclared: Vec<String>,
    /// Files of the machine that the stage read without declaring them, where the manifest lets it: the
    /// digest of their path, which is nobody's business, and that of their bytes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub reads: BTreeMap<String, Digest>,
    /// Artifacts that have the very bytes of an input that was read.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub copied: BTreeSet<String>,
    /// Seed streams by name, with the number of 32-bit words drawn.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub streams: BTreeMap<String, u64>,
    /// Declared files by path.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub artifacts: BTreeMap<String, Artifact>,
    /// Metrics by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metrics: BTreeMap<String, Metric>,
    /// Intermediate values in the order in which the program reported them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checkpoints: Vec<Checkpoint>,
}

impl StageOutcome {
    /// Whether there is nothing in it that two runs could be compared by.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.artifacts.is_empty() && self.metrics.is_empty() && self.checkpoints.is_empty()
    }
}

/// A file that a stage wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Artifact {
    /// SHA-256 of its bytes; where the manifest leaves out a part of the file, of the rest in its canonical text.
    pub digest: Digest,
    /// The size of the same.
    pub bytes: u64,
}

impl Artifact {
    /// Of these bytes.
    #[must_use]
    pub fn of(bytes: impl AsRef<[u8]>) -> Self {
        Self {
            digest: Digest::of(&bytes),
            bytes: bytes.as_ref().len() as u64,
        }
    }
}

/// A named digest of an intermediate value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// The name that the program gave it.
    pub name: String,
    /// SHA-256 of the value's canonical bytes.
    pub digest: Digest,
}
