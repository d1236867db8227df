//! Comparing says nothing exactly where two values are equal, and each field of them has a word of its own.

mod locks;

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::{Drift, divergence, drift, listed};
use crate::digest::Digest;
use crate::lockfile::Lockfile;
use crate::lockfile::tests::any::{digest, lockfile, map, metric, snapshot, stage_outcome, text};
use crate::outcome::{Metric, Outcome};
use crate::project::manifest::{Clock, Entropy, Policy};
use crate::report::finding::Finding;
use crate::snapshot::data::{Files, Form, Sample};
use crate::snapshot::source::{self, Looks};
use crate::snapshot::{Param, Seed, Snapshot};

/// A snapshot without what is left out of comparison, for the reasons that stand where it is compared.
fn compared(mut snapshot: Snapshot) -> Snapshot {
    snapshot.source.commit.clear();
    snapshot.source.tag = None;
    snapshot.source.closure = Digest::of("");
    snapshot.source.variables.clear();
    // A lock may lack these, which is no difference; where both sides have them they are compared.
    snapshot.source.looks.get_or_insert_default();
    snapshot.source.forms.get_or_insert_default();
    snapshot.toolchain.pin = None;
    if snapshot.toolchain.commit != "unknown" {
        snapshot.toolchain.rustc.clear();
    }
    snapshot.build.config.retain(|_, keys| !keys.is_empty());
    snapshot.environment.unset.clear();
    for data in snapshot.data.values_mut() {
        data.bytes = 0;
        data.sample = data.sample.map(|sample| Sample {
            files: 0,
            read: 0,
            ..sample
        });
        let mut files = data.files.all().into_owned();
        for (_, file) in &mut files {
            (file.sampled, file.no_table, file.table) = (false, None, None);
        }
        data.files = Files::new(files);
    }
    snapshot
}

/// Any snapshot whose data has the digest of its files, as every recorded one has.
fn whole() -> impl Strategy<Value = Snapshot> {
    snapshot().prop_map(|mut snapshot| {
        for data in snapshot.data.values_mut() {
            data.digest = Digest::of_tree(data.files.all().iter().map(|(_, file)| &file.digest));
        }
        snapshot
    })
}

/// Of each field either the one's or the other's, so that many are equal.
fn mixed(one: &Snapshot, other: &Snapshot, bits: u16) -> Snapshot {
    let mut mixed = one.clone();
    let takes = |bit: u16| bits & (1 << bit) != 0;
    macro_rules! take {
        ($($bit:literal $field:ident)*) => {$(if takes($bit) { mixed.$field.clone_from(&other.$field); })*};
    }
    take!(0 seed 1 params 2 determinism 3 isolation 4 source 5 toolchain 6 dependencies 7 build 8 platform 9 environment 10 data 11 stages);
    mixed
}

fn entries<V: Clone>(one: &BTreeMap<String, V>, other: &BTreeMap<String, V>, bits: u16) -> BTreeMap<String, V> {
    let all = one.iter().chain(other).enumerate();
    all.filter(|(at, _)| bits & (1 << (at % 16)) != 0)
        .map(|(_, (name, value))| (name.clone(), value.clone()))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn there_is_no_drift_exactly_between_equal_snapshots(one in whole(), other in whole(), bits: u16) {
        let found = mixed(&one, &other, bits);
        prop_assert_eq!(drift(&one, &found).is_empty(), compared(one.clone()) == compared(found.clone()));
        prop_assert_eq!(drift(&found, &one).is_empty(), drift(&one, &found).is_empty());
        prop_assert!(drift(&one, &one).is_empty());
        let mut parts = one.clone();
        parts.stages = entries(&one.stages, &other.stages, bits);
        parts.params = entries(&one.params, &other.params, bits);
        parts.data = entries(&one.data, &other.data, bits);
        prop_assert_eq!(drift(&one, &parts).is_empty(), compared(one) == compared(parts));
    }

    #[test]
    fn there_is_no_divergence_exactly_between_equal_outcomes(one in map(stage_outcome()), other in map(stage_outcome()), bits: u16) {
        let compared = |outcome: &Outcome| -> Outcome {
            let stages = outcome.iter().map(|(name, stage)| {
                let mut stage = stage.clone();
                (stage.binary, stage.reads, stage.copied) = (None, BTreeMap::new(), std::collections::BTreeSet::new());
                stage.undeclared.sort();
                stage.undeclared.dedup();
                (name.clone(), stage)
            });
            // One that gave nothing is one that there is not.
            stages.filter(|(_, stage)| *stage != crate::outcome::StageOutcome::default()).collect()
        };
        let found = entries(&one, &other, bits);
        for order in [Vec::new(), one.keys().map(String::as_str).collect()] {
            let differing = divergence(&one, &found, &order);
            prop_assert_eq!(differing.is_empty(), compared(&one) == compared(&found));
        }
        prop_assert!(divergence(&one, &one, &[]).is_empty());
    }

    #[test]
    fn a_metric_that_is_another_is_a_divergence(one in metric(), other in metric()) {
        let outcome = |metric: &Metric| -> Outcome {
            let stage = crate::outcome::StageOutcome { metrics: [("m".to_owned(), metric.clone())].into(), ..Default::default() };
            [("train".to_owned(), stage)].into()
        };
        let differing = divergence(&outcome(&one), &outcome(&other), &["train"]);
        prop_assert_eq!(differing.is_empty(), one == other);
    }

    #[test]
    fn no_two_lists_have_one_text(one in proptest::collection::vec(text(), 0..4), other in proptest::collection::vec(text(), 0..4)) {
        prop_assert_eq!(one == other, listed(&one) == listed(&other));
        let read: toml::Table = format!("list = {}", listed(&one).replace('\u{7f}', "\\u007f")).parse().unwrap();
        prop_assert_eq!(read["list"].as_array().unwrap().iter().map(|item| item.as_str().unwrap().to_owned()).collect::<Vec<_>>(), one);
    }

    #[test]
    fn no_two_trees_have_one_digest(one in proptest::collection::vec(digest(), 0..5), other in proptest::collection::vec(digest(), 0..5)) {
        prop_assert_eq!(one == other, Digest::of_tree(&one) == Digest::of_tree(&other));
    }

    #[test]
    fn two_locks_have_one_text_only_if_they_are_equal(one in lockfile(), other in lockfile(), bits: u16) {
        let mut mixed = one.clone();
        mixed.snapshot = self::mixed(&one.snapshot, &other.snapshot, bits);
        mixed.outcome = entries(&one.outcome, &other.outcome, bits >> 2);
        if bits & 1 << 13 != 0 { mixed.record = other.record; }
        let is_equal = mixed == Lockfile { facts: mixed.facts.clone(), ..one.clone() };
        prop_assert!(mixed.id() != one.id() || is_equal);
    }
}

/// A field, what changes it alone, and what is said of that.
type Mutation = (&'static str, fn(&mut Snapshot));

/// Each is of a field of its own.
const MUTATIONS: &[Mutation] = &[
    ("seed-changed seed", |s| s.seed = Seed::new(977).unwrap()),
    ("params-changed params.depth", |s| drop(s.params.insert("depth".into(), Param::Float(12.0)))),
    ("params-changed params.new", |s| drop(s.params.insert("new".into(), Param::Text("a".into())))),
    ("manifest-changed determinism.entropy", |s| {
        s.determinism.entropy = other(&s.determinism.entropy, Entropy::System, Entropy::Seeded);
    }),
    ("manifest-changed determinism.clock", |s| {
        s.determinism.clock = other(&s.determinism.clock, Clock::System, Clock::Frozen);
    }),
    ("manifest-changed isolation.reads", |s| {
        s.isolation.reads = other(&s.isolation.reads, Policy::Deny, Policy::Warn)
    }),
    ("manifest-changed isolation.network", |s| {
        s.isolation.network = other(&s.isolation.network, Policy::Deny, Policy::Warn);
    }),
    ("source-changed src/new.rs", |s| {
        s.source.files.insert("src/new.rs".into(), Digest::of("new"));
    }),
    ("source-changed override.txt", |s| {
        looks(s).absent.insert("override.txt".into());
    }),
    ("source-changed cache.bin", |s| {
        looks(s).made.insert("cache.bin".into());
    }),
    ("source-changed docs/", |s| drop(looks(s).listed.insert("docs".into(), BTreeSet::new()))),
    ("source-changed configs/b.toml", |s| {
        looks(s).listed.get_mut("configs").unwrap().insert("b.toml".into());
    }),
    ("source-changed top.txt", |s| {
        looks(s).listed.get_mut(".").unwrap().insert("top.txt".into());
    }),
    ("source-changed train.sh", |s| {
        s.source.forms.as_mut().unwrap().insert("train.sh".into(), source::Form::Executable);
    }),
    ("source-changed sub (submodule)", |s| drop(s.source.submodules.insert("sub".into(), "abc".into()))),
    ("toolchain-changed rustc", |s| s.toolchain.commit = "0123456789".into()),
    ("toolchain-changed llvm", |s| s.toolchain.llvm += "x"),
    ("toolchain-changed host", |s| s.toolchain.host += "x"),
    ("toolchain-changed cargo", |s| s.toolchain.cargo += "x"),
    ("dependency-changed Cargo.lock", |s| s.dependencies.lock = Digest::of("other")),
    ("dependency-changed rand", |s| {
        let package = s.dependencies.packages.iter_mut().find(|package| package.name == "rand");
        package.unwrap().version += ".1";
    }),
    ("build-changed profile", |s| s.build.profile += "x"),
    ("build-changed features", |s| s.build.features = vec!["a, b".into()]),
    ("build-changed target", |s| s.build.target += "x"),
    ("build-changed rustflags", |s| s.build.rustflags = vec!["-C x".into()]),
    ("build-changed profile.x", |s| drop(s.build.settings.insert("profile.x".into(), "1".into()))),
    ("build-changed c.toml: k", |s| {
        drop(s.build.config.insert("c.toml".into(), [("k".into(), "1".into())].into()))
    }),
    ("platform-changed target", |s| s.platform.target += "x"),
    ("platform-changed libc", |s| s.platform.libc += "x"),
    ("platform-changed cpu", |s| s.platform.cpu += "x"),
    ("environment-changed NEW", |s| drop(s.environment.variables.insert("NEW".into(), String::new()))),
    ("data-changed data.d", |s| s.data.get_mut("d").unwrap().paths = vec!["a, b".into()]),
    ("data-changed data.d", |s| s.data.get_mut("d").unwrap().digest = Digest::of("other")),
    ("data-changed data.d", |s| s.data.get_mut("d").unwrap().form = Form::Several),
    ("data-changed data.d", |s| drop(s.data.get_mut("d").unwrap().links.insert("l".into(), "x".into()))),
    ("data-changed data.d", |s| {
        s.data.get_mut("d").unwrap().sample = Some(Sample {
            rules: 9,
            files: 0,
            read: 0,
        });
    }),
    ("manifest-changed stage.train.bin", |s| {
        s.stages.get_mut("train").unwrap().bin = Some("other".into())
    }),
    ("manifest-changed stage.train.command", |s| {
        s.stages.get_mut("train").unwrap().command = vec!["a b".into()]
    }),
    ("manifest-changed stage.train.args", |s| {
        s.stages.get_mut("train").unwrap().args = vec!["a b".into()]
    }),
    ("manifest-changed stage.train.data", |s| {
        s.stages.get_mut("train").unwrap().data = vec!["a, b".into()]
    }),
    ("manifest-changed stage.train.needs", |s| {
        s.stages.get_mut("train").unwrap().needs = vec!["a, b".into()]
    }),
    ("manifest-changed stage.train.artifacts", |s| {
        s.stages.get_mut("train").unwrap().artifacts = vec!["a, b".into()]
    }),
    ("manifest-changed stage.train.metrics", |s| {
        s.stages.get_mut("train").unwrap().metrics = Some(String::new())
    }),
    ("manifest-changed stage.train.stdout", |s| {
        s.stages.get_mut("train").unwrap().stdout = Some("log".into())
    }),
    ("manifest-changed stage.train.metrics.ignore", |s| {
        s.stages.get_mut("train").unwrap().ignore_metrics = vec!["a".into()];
    }),
    ("manifest-changed stage.train.scratch", |s| {
        s.stages.get_mut("train").unwrap().scratch = vec!["a".into()]
    }),
    ("manifest-changed stage.train.artifacts.\"m\".ignore", |s| {
        drop(s.stages.get_mut("train").unwrap().ignore.insert("m".into(), vec!["/a".into()]));
    }),
    ("manifest-changed stage.new", |s| {
        let stage = s.stages["train"].clone();
        s.stages.insert("new".into(), stage);
    }),
];

fn other<T: PartialEq + Copy>(now: &T, one: T, another: T) -> T {
    if *now == one { another } else { one }
}

fn looks(snapshot: &mut Snapshot) -> &mut Looks {
    snapshot.source.looks.as_mut().unwrap()
}

fn read_sample() -> Lockfile {
    let text = include_str!("../../fixtures/lockfiles/v1.lock");
    Lockfile::from_text(text, "v1.lock").unwrap().lock
}

/// The sample, with data of one name, and with what later locks hold.
fn sample() -> Snapshot {
    let mut snapshot = read_sample().snapshot;
    let data = snapshot.data.values().next().unwrap().clone();
    snapshot.data = [("d".to_owned(), data)].into();
    snapshot.source.forms = Some(BTreeMap::new());
    snapshot.source.looks = Some(Looks {
        listed: [".", "configs"]
            .map(|directory| (directory.to_owned(), BTreeSet::from(["a".to_owned()])))
            .into(),
        ..Looks::default()
    });
    snapshot
}

#[test]
fn every_single_change_is_said_once_and_by_its_own_name() {
    let locked = sample();
    for (said, mutate) in MUTATIONS {
        let mut found = locked.clone();
        mutate(&mut found);
        for (one, other) in [(&locked, &found), (&found, &locked)] {
            let drift: Vec<Drift> = drift(one, other);
            let findings: Vec<String> = drift
                .iter()
                .map(Finding::from)
                .map(|finding| format!("{} {}", finding.kind, finding.subject))
                .collect();
            assert_eq!(findings, [*said]);
            let finding = Finding::from(&drift[0]);
            assert_ne!(finding.locked, finding.found, "{said}: a reader must see the difference");
        }
    }
}

#[test]
fn joined_words_are_not_the_words() {
    let with = |args: &[&str]| {
        let mut snapshot = sample();
        let stage = snapshot.stages.get_mut("train").unwrap();
        stage.args = args.iter().map(|text| (*text).to_owned()).collect();
        snapshot
    };
    let lists: [&[&str]; 7] = [
        &["a b"],
        &["a", "b"],
        &["a", "", "b"],
        &["a, b"],
        &["\"a\", \"b\""],
        &[""],
        &[],
    ];
    let texts: BTreeSet<Option<String>> = lists
        .iter()
        .map(|list| Finding::from(&drift(&with(&["x"]), &with(list))[0]).found)
        .collect();
    assert_eq!(texts.len(), lists.len());
    for (at, one) in lists.iter().enumerate() {
        for (other_at, other) in lists.iter().enumerate() {
            assert_eq!(drift(&with(one), &with(other)).len(), usize::from(at != other_at), "{one:?} {other:?}");
        }
    }
}
