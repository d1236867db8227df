//! The same for two locks as wholes.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::{MUTATIONS, compared, entries, mixed, other, read_sample, sample, whole};
use crate::compare::locks::{Differences, differences};
use crate::digest::Digest;
use crate::lockfile::tests::any::lockfile;
use crate::lockfile::{Class, Lockfile};
use crate::outcome::{Artifact, Metric, Outcome};
use crate::report::finding::Finding;
use crate::sandbox::entropy::Numbering;
use crate::snapshot::platform::Facts;
use crate::snapshot::{Param, Platform, Seed};

/// A lock without what is left out of the comparison of two, for the reasons that stand where they are compared.
fn said_of(lock: &Lockfile) -> Lockfile {
    let mut lock = lock.clone();
    let unset = lock.snapshot.environment.unset.clone();
    lock.snapshot = compared(lock.snapshot);
    lock.snapshot.environment.unset = unset;
    lock.record.runs = 0;
    lock.facts = Facts::default();
    for class in &mut lock.classes {
        class.runs = 0;
        // What is no output is said of the first class alone.
        for stage in class.outcome.values_mut() {
            (stage.reads, stage.copied) = (BTreeMap::new(), BTreeSet::new());
        }
    }
    let further = lock.classes.iter_mut().map(|class| &mut class.outcome);
    for outcome in further.chain([&mut lock.outcome]) {
        for stage in outcome.values_mut() {
            stage.binary = None;
            stage.undeclared.sort();
            stage.undeclared.dedup();
        }
        // A stage that gave nothing is one that there is not.
        outcome.retain(|_, stage| *stage != crate::outcome::StageOutcome::default());
    }
    lock
}

/// Any lock whose data has the digest of its files.
fn whole_lock() -> impl Strategy<Value = Lockfile> {
    (lockfile(), whole()).prop_map(|(mut lock, snapshot)| {
        lock.snapshot.data = snapshot.data;
        lock
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn there_is_no_difference_exactly_between_equal_locks(one in whole_lock(), other in whole_lock(), bits: u16, which: u8) {
        let takes = |bit: u8| which & (1 << bit) != 0;
        let mut found = one.clone();
        if takes(0) {
            // Another platform may be one of the further classes, which no lock has twice.
            found.snapshot = mixed(&one.snapshot, &other.snapshot, bits & !(1 << 8));
        }
        if takes(1) { found.outcome = entries(&one.outcome, &other.outcome, bits); }
        if takes(2) { found.record = other.record; }
        if takes(3) { found.overridden = other.overridden; }
        if takes(4) { found.snapshot.environment.unset = other.snapshot.environment.unset; }
        if takes(5) { found.classes.retain(|class| class.runs % 2 == 0); }
        if takes(6) { found.classes.iter_mut().for_each(|class| class.outcome = entries(&class.outcome, &other.outcome, bits)); }
        if takes(7) { (found.facts, found.record.runs) = (other.facts, 7); }
        let is_equal = said_of(&one) == said_of(&found);
        prop_assert_eq!(differences(&one, &found) == Differences::default(), is_equal);
        prop_assert_eq!(differences(&found, &one) == Differences::default(), is_equal);
    }
}

/// A field of a lock beside its snapshot, what is said of its change, and what changes it alone.
type Mutation = (&'static str, fn(&mut Lockfile));

const OF_LOCKS: &[Mutation] = &[
    ("record-changed record.dirty", |l| l.record.dirty = !l.record.dirty),
    ("record-changed record.date", |l| l.record.date = Some(l.record.date.map_or(0, |date| date + 1))),
    ("record-changed record.draws", |l| {
        l.record.draws = other(&l.record.draws, Some(Numbering::Second), Some(Numbering::First));
    }),
    ("record-changed overridden.seed", |l| l.overridden.seed = Seed::new(977)),
    ("record-changed overridden.params.depth", |l| {
        drop(l.overridden.params.insert("depth".into(), Param::Float(12.0)))
    }),
    ("record-changed environment.unset", |l| l.snapshot.environment.unset.push("NEW".into())),
    ("record-changed outcome.train.reads", |l| {
        train(l).reads.insert("sha256:path".into(), Digest::of("read"));
    }),
    ("record-changed outcome.train.copied", |l| {
        train(l).copied.insert("copy.bin".into());
    }),
    ("artifact-unexpected new.bin", |l| train(l).undeclared.push("new.bin".into())),
    ("stream-changed new", |l| {
        train(l).streams.insert("new".into(), 1);
    }),
    ("artifact-unexpected new.bin", |l| {
        train(l).artifacts.insert("new.bin".into(), Artifact::of("new"));
    }),
    ("metric-changed new", |l| drop(train(l).metrics.insert("new".into(), Metric::boolean(true)))),
    ("class-added", |l| l.put_class(further())),
    ("class-changed", |l| {
        let mut class = l.classes[0].clone();
        class.outcome.entry("train".into()).or_default().streams.insert("new".into(), 1);
        l.put_class(class);
    }),
];

fn train(lock: &mut Lockfile) -> &mut crate::outcome::StageOutcome {
    lock.outcome.get_mut("train").unwrap()
}

fn further() -> Class {
    let platform = Platform {
        target: "riscv64gc-unknown-linux-gnu".into(),
        libc: "glibc 2.36".into(),
        cpu: "riscv64".into(),
    };
    let (runs, outcome) = (1, Outcome::new());
    Class {
        runs,
        platform,
        outcome,
    }
}

#[test]
fn every_single_change_of_a_lock_is_said_once_and_by_its_own_name() {
    let mut lock = read_sample();
    lock.snapshot = sample();
    let mut known = further();
    known.platform.cpu += "v2";
    lock.put_class(known);
    let of_snapshots = MUTATIONS.iter().map(|(said, mutate)| {
        let mut changed = lock.clone();
        mutate(&mut changed.snapshot);
        (*said, changed)
    });
    let of_locks = OF_LOCKS.iter().map(|(said, mutate)| {
        let mut changed = lock.clone();
        mutate(&mut changed);
        (*said, changed)
    });
    for (name, changed) in of_snapshots.chain(of_locks) {
        let found = differences(&lock, &changed);
        let of_inputs = found.inputs.iter().map(Finding::from).chain(found.record.iter().map(Finding::from));
        let of_outputs = found.outputs.iter().map(Finding::from).chain(found.classes.iter().map(Finding::from));
        let all: Vec<Finding> = of_inputs.chain(of_outputs).collect();
        let [finding] = all.as_slice() else {
            panic!("{name}: {all:?}");
        };
        assert!(format!("{} {}", finding.kind, finding.subject).starts_with(name), "{name}: {finding:?}");
        let is_seen = finding.locked != finding.found || finding.kind == "artifact-unexpected";
        assert!(is_seen, "{name}: a reader must see the difference");
        assert_ne!(differences(&changed, &lock), Differences::default(), "{name}");
    }
}
