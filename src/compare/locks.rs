//! How two locks differ: inputs, how they were recorded, outputs, and what they promise on further classes.

use std::collections::{BTreeMap, BTreeSet};

use super::classes::{ClassChange, class_changes};
use super::drift::Change;
use super::snapshots::field;
use super::{Divergence, Drift, changes, divergence, drift, listed};
use crate::lockfile::{Lockfile, Record};
use crate::outcome::{Outcome, StageOutcome};
use crate::project::manifest::Overridden;

/// Every difference.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Differences {
    /// Of inputs that a machine can be held against.
    pub inputs: Vec<Drift>,
    /// Of what else a lock says of its recording.
    pub record: Vec<Recorded>,
    /// Of outputs, on the class that the first lock was recorded on where both know it: two classes may well have two
    /// outcomes.
    pub outputs: Vec<Divergence>,
    /// Of further classes.
    pub classes: Vec<ClassChange>,
}

/// What a lock says of its recording, otherwise than another one.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded(pub Change<String>);

/// The differences of `b` from `a`. Locks are taken apart field by field, so that a new field is compared, or left out
/// for a reason, before any of this compiles.
#[must_use]
pub fn differences(a: &Lockfile, b: &Lockfile) -> Differences {
    let Lockfile {
        record,
        snapshot,
        overridden,
        outcome,
        classes: _, // with all that is known of classes, below
        facts: _,   // nothing compares them
    } = a;
    let outcomes = a.classes_known().chain(b.classes_known()).map(|(_, _, outcome)| outcome);
    let mut stages: Vec<&str> = outcomes.flat_map(|outcome| outcome.keys()).map(String::as_str).collect();
    stages.sort_unstable();
    stages.dedup();
    let counterpart = b.expected(&snapshot.platform).unwrap_or(&b.outcome);
    let mut recorded = recorded(*record, b.record);
    recorded.extend(self::overridden(overridden, &b.overridden));
    // What programs see is the same; but the next machine may have them.
    let (unset, now_unset) = (&snapshot.environment.unset, &b.snapshot.environment.unset);
    recorded.extend(field("environment.unset".to_owned(), (unset, now_unset), |names| listed(names)));
    recorded.extend(drawn_upon(outcome, counterpart));
    Differences {
        inputs: drift(snapshot, &b.snapshot),
        record: recorded.into_iter().map(Recorded).collect(),
        outputs: divergence(outcome, counterpart, &stages),
        classes: class_changes(a, b, &stages),
    }
}

fn recorded(a: Record, b: Record) -> Vec<Change<String>> {
    let Record {
        runs: _, // it says how sure the outcome is, and not what it is
        dirty,
        date,
        draws,
    } = a;
    let fields = [
        field("record.dirty".to_owned(), (&dirty, &b.dirty), |dirty| dirty.to_string()),
        field("record.date".to_owned(), (&date, &b.date), |date| date.map(crate::release::attestation::time::text)),
        field("record.draws".to_owned(), (&draws, &b.draws), |draws| draws.map(|by| u32::from(by).to_string())),
    ];
    fields.into_iter().flatten().collect()
}

/// What the manifest said where the command line gave another value.
fn overridden(a: &Overridden, b: &Overridden) -> Vec<Change<String>> {
    let Overridden { seed, params } = a;
    let seed = field("overridden.seed".to_owned(), (seed, &b.seed), |seed| seed.map(|seed| seed.to_string()));
    let params = changes(params, &b.params).map(|(name, old, new)| Change {
        name: format!("overridden.params.{name}"),
        locked: old.map(ToString::to_string),
        found: new.map(ToString::to_string),
    });
    seed.into_iter().chain(params).collect()
}

/// What stages read undeclared, and which of their artifacts are copies: neither is an output.
fn drawn_upon(a: &Outcome, b: &Outcome) -> Vec<Change<String>> {
    let none = StageOutcome::default();
    let mut all = Vec::new();
    for (stage, old, new) in changes(a, b) {
        let new = new.unwrap_or(&none);
        let StageOutcome {
            reads,
            copied,
            binary: _, // it may differ in a symbol's name, while every output is equal
            // These are outputs.
            undeclared: _,
            streams: _,
            artifacts: _,
            metrics: _,
            checkpoints: _,
        } = old.unwrap_or(&none);
        let reads_text = |reads: &BTreeMap<String, _>| {
            listed(&reads.iter().map(|(path, digest)| format!("{path} {digest}")).collect::<Vec<_>>())
        };
        let copied_text = |copied: &BTreeSet<String>| listed(&copied.iter().cloned().collect::<Vec<_>>());
        all.extend(field(format!("outcome.{stage}.reads"), (reads, &new.reads), reads_text));
        all.extend(field(format!("outcome.{stage}.copied"), (copied, &new.copied), copied_text));
    }
    all
}
