//! How two locks differ: inputs, outputs, and what they promise on further classes.

use super::classes::{ClassChange, class_changes};
use super::{Divergence, Drift, divergence, drift};
use crate::lockfile::Lockfile;

/// Every difference.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Differences {
    /// Of inputs.
    pub inputs: Vec<Drift>,
    /// Of outputs, on the class that the first lock was recorded on where both know it: two classes may well have two
    /// outcomes.
    pub outputs: Vec<Divergence>,
    /// Of further classes.
    pub classes: Vec<ClassChange>,
}

/// The differences of `b` from `a`.
#[must_use]
pub fn differences(a: &Lockfile, b: &Lockfile) -> Differences {
    let outcomes = a.classes_known().chain(b.classes_known()).map(|(_, _, outcome)| outcome);
    let mut stages: Vec<&str> = outcomes.flat_map(|outcome| outcome.keys()).map(String::as_str).collect();
    stages.sort_unstable();
    stages.dedup();
    let counterpart = b.expected(&a.snapshot.platform).unwrap_or(&b.outcome);
    Differences {
        inputs: drift(&a.snapshot, &b.snapshot),
        outputs: divergence(&a.outcome, counterpart, &stages),
        classes: class_changes(a, b, &stages),
    }
}
