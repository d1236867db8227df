//! What holds for every lock that there can be: its text reads back to it, says what it is, and shows
//! every edit.

mod classes;

use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::isolation::entropy::Numbering;
use crate::manifest::{Clock, Determinism, Entropy, Isolation, Policy};
use crate::outcome::{Artifact, Checkpoint, Metric, StageOutcome};
use crate::snapshot::data::{DataFile, Files, Form, Sample};
use crate::snapshot::dependencies::Package;
use crate::snapshot::{Build, Data, Dependencies, Environment, Param, Platform, Seed, Source, Stage, Toolchain};
use crate::table::{Column, Format, Short, Table, Unordered};

/// Names and values as people, files and shells can make them: plain ones, ones that TOML must quote,
/// ones that look like parts of a lock, and any others.
fn text() -> BoxedStrategy<String> {
    prop_oneof![
        "[a-z][a-z0-9_-]{0,8}",
        "[a-z]{1,4}[ ./\\\\\"'#=\\[\\]{}]{1,3}[a-zäß数😀]{0,4}",
        Just("\n[facts]\n".to_owned()),
        Just("\nid = \"sha256:\"\nversion = 2\n".to_owned()),
        Just("'''\"\"\"\r\n\t\u{7f}\u{0}".to_owned()),
        Just("nan".to_owned()),
        Just(String::new()),
        ".{0,12}",
    ]
    .boxed()
}

fn map<T: std::fmt::Debug + 'static>(value: impl Strategy<Value = T> + 'static) -> BoxedStrategy<BTreeMap<String, T>> {
    btree_map(text(), value, 0..3).boxed()
}

fn digest() -> BoxedStrategy<Digest> {
    any::<u64>().prop_map(|number| Digest::of(number.to_le_bytes())).boxed()
}

/// TOML's whole numbers are signed.
fn count() -> BoxedStrategy<u64> {
    prop_oneof![0..10_u64, 0..=i64::MAX.unsigned_abs()].boxed()
}

fn number() -> BoxedStrategy<f64> {
    let special = [
        0.0,
        -0.0,
        1.0,
        f64::MIN_POSITIVE,
        5e-324,
        f64::MAX,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
        -f64::NAN,
    ];
    prop_oneof![
        any::<f64>().prop_filter("a NaN's payload has no text", |number| !number.is_nan()),
        prop::sample::select(special.to_vec())
    ]
    .boxed()
}

fn param() -> BoxedStrategy<Param> {
    prop_oneof![
        any::<bool>().prop_map(Param::Bool),
        any::<i64>().prop_map(Param::Integer),
        number().prop_map(Param::Float),
        text().prop_map(Param::Text),
    ]
    .boxed()
}

fn metric() -> BoxedStrategy<Metric> {
    prop_oneof![number(), any::<u64>().prop_map(f64::from_bits)].prop_map(Metric::new).boxed()
}

fn stage_outcome() -> BoxedStrategy<StageOutcome> {
    let artifact = (digest(), count()).prop_map(|(digest, bytes)| Artifact { digest, bytes });
    let checkpoint = (text(), digest()).prop_map(|(name, digest)| Checkpoint { name, digest });
    (
        option::of(digest()),
        vec(text(), 0..3),
        map(count()),
        map(artifact),
        map(metric()),
        vec(checkpoint, 0..3),
        map(digest()),
    )
        .prop_map(|(binary, undeclared, streams, artifacts, metrics, checkpoints, reads)| StageOutcome {
            binary,
            undeclared,
            reads,
            streams,
            artifacts,
            metrics,
            checkpoints,
        })
        .boxed()
}

fn table() -> BoxedStrategy<Table> {
    let short = || "[0-9a-f]{16}".prop_map(|text| text.parse::<Short>().unwrap());
    let column = (text(), text(), count(), digest()).prop_map(|(name, kind, nulls, digest)| Column {
        name,
        kind,
        nulls,
        digest,
        locator: None,
    });
    let format = prop_oneof![Just(Format::Csv), Just(Format::Tsv), Just(Format::Parquet)];
    (format, option::of(count()), count(), digest(), vec(short(), 0..3), vec(column, 0..3))
        .prop_map(|(format, first, rows, content, blocks, columns)| Table {
            rules: 1,
            format,
            first,
            rows,
            content,
            unordered: Unordered::default(),
            block_rows: 512,
            blocks,
            columns,
        })
        .boxed()
}

fn data_file() -> BoxedStrategy<DataFile> {
    (digest(), count(), any::<bool>(), option::of(text()), option::of(table()))
        .prop_map(|(digest, bytes, sampled, no_table, table)| DataFile {
            digest,
            bytes,
            sampled,
            no_table: no_table.map(String::into_boxed_str),
            table: table.map(Box::new),
        })
        .boxed()
}

fn data() -> BoxedStrategy<Data> {
    let form = prop_oneof![Just(Form::File), Just(Form::Directory), Just(Form::Several)];
    let sample = option::of((count(), 0_usize..9).prop_map(|(read, files)| Sample { rules: 1, files, read }));
    (vec(text(), 0..3), form, digest(), count(), sample, map(text()), map(data_file()))
        .prop_map(|(paths, form, digest, bytes, sample, links, files)| Data {
            paths,
            form,
            digest,
            bytes,
            sample,
            links,
            files: Files::new(files.into_iter().collect()),
            missing: Vec::new(),
            remarks: Vec::new(),
            beginnings: BTreeMap::new(),
        })
        .boxed()
}

fn stage() -> BoxedStrategy<Stage> {
    let texts = || vec(text(), 0..3);
    (option::of(text()), texts(), texts(), texts(), texts(), texts(), option::of(text()))
        .prop_map(|(bin, command, args, data, needs, artifacts, metrics)| Stage {
            bin,
            command,
            args,
            data,
            needs,
            artifacts,
            metrics,
        })
        .boxed()
}

fn source() -> BoxedStrategy<Source> {
    (text(), option::of(text()), digest(), map(text()), vec(text(), 0..3), map(digest()))
        .prop_map(|(commit, tag, closure, submodules, variables, files)| Source {
            commit,
            tag,
            closure,
            submodules,
            variables,
            files,
        })
        .boxed()
}

fn toolchain() -> BoxedStrategy<Toolchain> {
    (text(), text(), text(), text(), text(), option::of(text()))
        .prop_map(|(rustc, commit, host, llvm, cargo, pin)| Toolchain {
            rustc,
            commit,
            host,
            llvm,
            cargo,
            pin,
        })
        .boxed()
}

fn build() -> BoxedStrategy<Build> {
    (text(), vec(text(), 0..3), text(), vec(text(), 0..3), map(text()), map(map(text())))
        .prop_map(|(profile, features, target, rustflags, settings, config)| Build {
            profile,
            features,
            target,
            rustflags,
            settings,
            config,
        })
        .boxed()
}

fn dependencies() -> BoxedStrategy<Dependencies> {
    let package =
        (text(), text(), option::of(text()), option::of(text())).prop_map(|(name, version, source, checksum)| {
            Package {
                name,
                version,
                source,
                checksum,
            }
        });
    (digest(), vec(package, 0..3))
        .prop_map(|(lock, packages)| Dependencies { lock, packages })
        .boxed()
}

fn platform() -> BoxedStrategy<Platform> {
    (text(), text(), text())
        .prop_map(|(target, libc, cpu)| Platform { target, libc, cpu })
        .boxed()
}

fn class() -> BoxedStrategy<Class> {
    (any::<u32>(), platform(), map(stage_outcome()))
        .prop_map(|(runs, platform, outcome)| Class {
            runs,
            platform,
            outcome,
        })
        .boxed()
}

fn snapshot() -> BoxedStrategy<Snapshot> {
    let environment = (vec(text(), 0..3), map(text())).prop_map(|(unset, variables)| Environment { unset, variables });
    let inner = (source(), toolchain(), dependencies(), build(), platform(), environment);
    (count(), map(param()), map(data()), map(stage()), policies(), inner)
        .prop_map(|(seed, params, data, stages, (determinism, isolation), inner)| {
            let (source, toolchain, dependencies, build, platform, environment) = inner;
            Snapshot {
                seed: i64::try_from(seed).ok().and_then(Seed::new).unwrap(),
                params,
                determinism,
                isolation,
                source,
                toolchain,
                dependencies,
                build,
                platform,
                environment,
                data,
                stages,
            }
        })
        .boxed()
}

fn policies() -> BoxedStrategy<(Determinism, Isolation)> {
    let policy = || prop_oneof![Just(Policy::Deny), Just(Policy::Warn)];
    let determinism = (
        prop_oneof![Just(Entropy::System), Just(Entropy::Seeded)],
        prop_oneof![Just(Clock::System), Just(Clock::Frozen)],
    );
    let determinism = determinism.prop_map(|(entropy, clock)| Determinism { entropy, clock });
    let isolation = (policy(), policy()).prop_map(|(reads, network)| Isolation { reads, network });
    (determinism, isolation).boxed()
}

fn lockfile() -> BoxedStrategy<Lockfile> {
    let facts = (text(), text(), text(), 0..4096_usize).prop_map(|(tool, kernel, cpu, processors)| Facts {
        tool,
        kernel: kernel.replace("\n[facts]\n", ""), // facts are one line each, by what they are read from
        cpu: cpu.replace("\n[facts]\n", ""),
        processors,
    });
    let facts = facts.prop_map(|facts| Facts {
        tool: facts.tool.replace("\n[facts]\n", ""),
        ..facts
    });
    // TOML has whole numbers of 64 bits with a sign, and a date before 1970 is one, too.
    let draws = option::of(prop_oneof![Just(Numbering::First), Just(Numbering::Second)]);
    let record = (any::<u32>(), any::<bool>(), option::of(any::<i64>()), draws);
    let record = record.prop_map(|(runs, dirty, date, draws)| Record {
        runs,
        dirty,
        date,
        draws,
    });
    (record, snapshot(), map(stage_outcome()), vec(class(), 0..3), facts)
        .prop_map(|(record, snapshot, outcome, classes, facts)| {
            let mut lock = Lockfile {
                record,
                snapshot,
                outcome,
                classes: Vec::new(),
                facts,
            };
            for class in classes {
                if class.platform != lock.snapshot.platform {
                    lock.put_class(class);
                }
            }
            lock
        })
        .boxed()
}

/// Where the body is, as the format says: after the line of the id, up to the line `[facts]`.
fn body(text: &str) -> std::ops::Range<usize> {
    let id = text.find("\nid = \"").unwrap() + 1;
    let start = id + text[id..].find('\n').unwrap() + 1;
    start..text.rfind(FACTS).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_lock_reads_back_from_its_text_intact_and_writes_it_again(lock in lockfile()) {
        let text = lock.to_text();
        let read = Lockfile::from_text(&text, "repro.lock").unwrap();
        prop_assert_eq!(&read.lock, &lock);
        prop_assert_eq!(read.id, lock.id());
        prop_assert_eq!(read.actual_id, read.id);
        prop_assert_eq!(read.lock.to_text(), text);
    }

    #[test]
    fn a_lock_is_text_with_plain_line_ends_and_a_marker_first(lock in lockfile()) {
        let text = lock.to_text();
        prop_assert!(text.starts_with("# @generated") && text.ends_with('\n'));
        prop_assert!(!text.contains('\r'));
    }

    #[test]
    fn every_other_byte_in_the_body_is_seen(lock in lockfile(), at: prop::sample::Index, bits in 1..=255_u8) {
        let mut bytes = lock.to_text().into_bytes();
        let body = body(std::str::from_utf8(&bytes).unwrap());
        let at = body.start + at.index(body.len());
        bytes[at] ^= bits;
        // What is no UTF-8 any more is refused before it is read as a lock.
        if let Ok(text) = String::from_utf8(bytes) {
            let read = Lockfile::from_text(&text, "repro.lock");
            prop_assert!(read.is_err() || read.is_ok_and(|read| read.id != read.actual_id));
        }
    }

    #[test]
    fn every_byte_taken_out_of_the_body_or_doubled_in_it_is_seen(lock in lockfile(), at: prop::sample::Index, double: bool) {
        let mut bytes = lock.to_text().into_bytes();
        let body = body(std::str::from_utf8(&bytes).unwrap());
        let at = body.start + at.index(body.len());
        if double {
            bytes.insert(at, bytes[at]);
        } else {
            bytes.remove(at);
        }
        if let Ok(text) = String::from_utf8(bytes) {
            let read = Lockfile::from_text(&text, "repro.lock");
            prop_assert!(read.is_err() || read.is_ok_and(|read| read.id != read.actual_id));
        }
    }

    #[test]
    fn a_lock_that_is_cut_off_in_its_body_is_refused(lock in lockfile(), at: prop::sample::Index) {
        let text = lock.to_text();
        let mut at = at.index(body(&text).end);
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        let read = Lockfile::from_text(&text[..at], "repro.lock");
        prop_assert!(read.is_err() || read.is_ok_and(|read| read.id != read.actual_id));
    }

    #[test]
    fn no_text_whatever_breaks_the_reader(text: String) {
        let _ = Lockfile::from_text(&text, "repro.lock");
        let _ = Lockfile::from_text(&format!("version = 1\nid = {text}{FACTS}"), "repro.lock");
    }

    #[test]
    fn two_locks_have_one_id_only_if_they_say_the_same(one in lockfile(), other in lockfile()) {
        prop_assert_eq!(one.id() == other.id(), v1::body(&one) == v1::body(&other));
        let moved = Lockfile { facts: other.facts.clone(), ..one.clone() };
        prop_assert_eq!(moved.id(), one.id(), "facts are not covered");
    }
}

/// Kept for good: whatever later versions of this tool do, they read it, and say of it what it says.
#[test]
fn the_sample_of_version_1_reads_and_is_written_again_byte_for_byte() {
    let text = include_str!("../../fixtures/lockfiles/v1.lock");
    let read = Lockfile::from_text(text, "v1.lock").unwrap();
    assert_eq!(read.id, read.actual_id, "somebody edited the sample");
    assert_eq!(read.lock.to_text(), text);
    let Lockfile { snapshot, outcome, .. } = &read.lock;
    assert_eq!(snapshot.params["start"], Param::Float(-0.0));
    assert_eq!(outcome["train"].metrics["worst"].number().map(f64::to_bits), Some(f64::NAN.to_bits()));
    assert!(
        !snapshot.source.submodules.is_empty()
            && !snapshot.build.config.is_empty()
            && !snapshot.environment.unset.is_empty()
    );
}

#[test]
fn sweeping_takes_what_a_recording_left_and_nothing_that_another_command_is_writing() {
    let directory = tempfile::tempdir().unwrap();
    let make = |prefix: &str| tempfile::Builder::new().prefix(prefix).tempfile_in(&directory).unwrap();
    let [recorded, report, old] = [RECORDED, TEMPORARY, TEMPORARY].map(make);
    let long_ago = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    old.as_file().set_modified(long_ago).unwrap();
    sweep(directory.path());
    assert!(report.path().exists(), "it would be renamed in a moment");
    assert!(!recorded.path().exists() && !old.path().exists());
}
