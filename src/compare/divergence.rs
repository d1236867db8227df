//! Divergence: how two outcomes differ. What an artifact's bytes say of the difference is added by
//! [`super::bytes`] where both versions are at hand.

use std::collections::{BTreeMap, BTreeSet};

use super::bytes::Difference;
use super::changes;
use crate::digest::Digest;
use crate::outcome::{Artifact, Checkpoint, Metric, Outcome, StageOutcome};

/// An output that is not as locked.
#[derive(Clone, Debug, PartialEq)]
pub struct Divergence {
    /// The stage that it is an output of.
    pub stage: String,
    /// What differs.
    pub output: Output,
}

/// The cases of divergence, cause above effect.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// A seed stream was drawn from more or less often, or not at all.
    Stream {
        /// Its name.
        name: String,
        /// Words drawn as locked; none if the lock does not know it.
        locked: Option<u64>,
        /// Words drawn now.
        found: Option<u64>,
    },
    /// The first checkpoint that differs: the outcome left the recorded way between it and the one
    /// before.
    Checkpoint {
        /// Its name as locked, or as found where the lock has none.
        name: String,
        /// The last one that was still equal.
        after: Option<String>,
        /// As locked; none if there are more of them now.
        locked: Option<Digest>,
        /// As found; none if the program reported fewer.
        found: Option<Digest>,
        /// How many later ones differ too.
        later: usize,
    },
    /// An artifact has other bytes.
    ArtifactChanged {
        /// Its path.
        path: String,
        /// As locked.
        locked: Artifact,
        /// As found.
        found: Artifact,
        /// What the bytes say, where the recorded ones are at hand.
        difference: Option<Difference>,
    },
    /// An artifact was not written.
    ArtifactMissing {
        /// Its path.
        path: String,
        /// As locked.
        locked: Artifact,
    },
    /// A file was written that neither the manifest nor the lock knows.
    ArtifactUnexpected {
        /// Its path.
        path: String,
    },
    /// A file that was recorded by its name alone was not written.
    UndeclaredMissing {
        /// Its path.
        path: String,
    },
    /// A metric has other bits, or is new.
    MetricChanged {
        /// Its name.
        name: String,
        /// As locked.
        locked: Option<Metric>,
        /// As found.
        found: Metric,
    },
    /// A metric was not reported.
    MetricMissing {
        /// Its name.
        name: String,
        /// As locked.
        locked: Metric,
    },
}

/// All differences between two outcomes, stage by stage in the order given, and after them any stage that is not in it.
#[must_use]
pub fn divergence(locked: &Outcome, found: &Outcome, order: &[&str]) -> Vec<Divergence> {
    let none = StageOutcome::default();
    let others: BTreeSet<&str> = locked.keys().chain(found.keys()).map(String::as_str).collect();
    let others = others.into_iter().filter(|stage| !order.contains(stage));
    let mut all = Vec::new();
    for stage in order.iter().copied().chain(others) {
        let locked = locked.get(stage).unwrap_or(&none);
        let found = found.get(stage).unwrap_or(&none);
        all.extend(stage_divergence(locked, found).into_iter().map(|output| Divergence {
            stage: stage.to_owned(),
            output,
        }));
    }
    all
}

/// The stages whose program has other bytes: a note, since the same outcome excludes it as a cause.
#[must_use]
pub fn changed_binaries(locked: &Outcome, found: &Outcome) -> BTreeMap<String, (Digest, Digest)> {
    let binary = |outcome: &Outcome, stage: &str| outcome.get(stage).and_then(|stage| stage.binary);
    let pairs = locked.keys().filter_map(|stage| {
        let (old, new) = (binary(locked, stage)?, binary(found, stage)?);
        (old != new).then(|| (stage.clone(), (old, new)))
    });
    pairs.collect()
}

fn stage_divergence(locked: &StageOutcome, found: &StageOutcome) -> Vec<Output> {
    let StageOutcome {
        // A note: it may differ in a symbol's name, while every output is equal.
        binary: _,
        undeclared,
        // Inputs that nobody declared: where outputs differ, `explain` names them among the causes.
        reads: _,
        // Follows from the inputs and the artifacts, which are compared; a note of every verification.
        copied: _,
        streams,
        artifacts,
        metrics,
        checkpoints,
    } = locked;
    let mut outputs = Vec::new();
    for (name, old, new) in changes(streams, &found.streams) {
        outputs.push(Output::Stream {
            name: name.clone(),
            locked: old.copied(),
            found: new.copied(),
        });
    }
    outputs.extend(first_checkpoint(checkpoints, &found.checkpoints));
    for (path, old, new) in changes(artifacts, &found.artifacts) {
        let path = path.clone();
        outputs.push(match (old, new) {
            (Some(old), Some(new)) => Output::ArtifactChanged {
                path,
                locked: *old,
                found: *new,
                difference: None,
            },
            (Some(old), None) => Output::ArtifactMissing { path, locked: *old },
            _ => Output::ArtifactUnexpected { path },
        });
    }
    let unknown = found.undeclared.iter().filter(|path| !undeclared.contains(path));
    outputs.extend(unknown.map(|path| Output::ArtifactUnexpected { path: path.clone() }));
    let gone = undeclared.iter().filter(|path| !found.undeclared.contains(path));
    outputs.extend(gone.map(|path| Output::UndeclaredMissing { path: path.clone() }));
    for (name, old, new) in changes(metrics, &found.metrics) {
        let name = name.clone();
        outputs.push(match (old, new) {
            (Some(old), None) => Output::MetricMissing {
                name,
                locked: old.clone(),
            },
            (old, Some(new)) => Output::MetricChanged {
                name,
                locked: old.cloned(),
                found: new.clone(),
            },
            (None, None) => continue,
        });
    }
    outputs
}

fn first_checkpoint(locked: &[Checkpoint], found: &[Checkpoint]) -> Option<Output> {
    let longest = locked.len().max(found.len());
    let differs = |at: &usize| locked.get(*at) != found.get(*at);
    let at = (0..longest).find(differs)?;
    let (old, new) = (locked.get(at), found.get(at));
    // Where the program reports another name, the locked one did not come when it should have.
    let name = old.or(new).map(|checkpoint| checkpoint.name.clone())?;
    let found_digest = new.filter(|new| new.name == name).map(|new| new.digest);
    Some(Output::Checkpoint {
        name,
        after: at.checked_sub(1).map(|before| locked[before].name.clone()),
        locked: old.map(|checkpoint| checkpoint.digest),
        found: found_digest,
        later: (at + 1..longest).filter(differs).count(),
    })
}
