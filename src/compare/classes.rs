//! Platform classes: what of a drift from a lock is only that a machine is of another class, and how the
//! classes of two locks differ.

use super::{Divergence, Drift, divergence, drift};
use crate::lockfile::{Class, Lockfile};
use crate::snapshot::{Platform, Snapshot};

/// All differences of a machine's inputs from a lock. A class that the lock knows is no drift, and neither is
/// what follows from the class on machines that each build for themselves.
#[must_use]
pub fn drift_from(lock: &Lockfile, found: &Snapshot) -> Vec<Drift> {
    let locked = &lock.snapshot;
    let known = lock.expected(&found.platform).is_some();
    let for_itself = |snapshot: &Snapshot| snapshot.toolchain.host == snapshot.build.target;
    let follows = locked.platform.target != found.platform.target && for_itself(locked) && for_itself(found);
    // The flags of one configuration differ between targets where it has some for one of them.
    let same_flags = locked.build.config == found.build.config;
    let mut all = drift(locked, found);
    all.retain(|drift| match drift {
        Drift::Platform(_) => !known,
        Drift::Toolchain(change) => !(follows && change.name == "host"),
        Drift::Build(change) => !(follows && (change.name == "target" || change.name == "rustflags" && same_flags)),
        _ => true,
    });
    all
}

/// How two locks differ in what they promise on a platform class.
#[derive(Clone, Debug, PartialEq)]
pub enum ClassChange {
    /// Only the second lock has an outcome on this class.
    Added(Platform),
    /// Only the first has.
    Removed(Platform),
    /// Both have one, and they differ.
    Outcome {
        /// The class.
        platform: Platform,
        /// In what.
        divergence: Vec<Divergence>,
    },
}

/// The differences of two locks' further classes. That they were recorded on different classes is a drift, and
/// how the outcomes of that recording differ is for [`fn@divergence`].
#[must_use]
pub fn class_changes(a: &Lockfile, b: &Lockfile, stages: &[&str]) -> Vec<ClassChange> {
    let mut changes = Vec::new();
    for class in &a.classes {
        let Class {
            platform,
            outcome,
            runs: _, // it says how sure the outcome is, and not what it is
        } = class;
        match b.expected(platform) {
            None => changes.push(ClassChange::Removed(platform.clone())),
            Some(found) => {
                let divergence = divergence(outcome, found, stages);
                if !divergence.is_empty() {
                    changes.push(ClassChange::Outcome {
                        platform: platform.clone(),
                        divergence,
                    });
                }
            }
        }
    }
    let added = b.classes.iter().filter(|class| a.expected(&class.platform).is_none());
    changes.extend(added.map(|class| ClassChange::Added(class.platform.clone())));
    changes
}
