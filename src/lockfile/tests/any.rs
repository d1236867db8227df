//! Any lock that there can be.

use std::collections::BTreeMap;

use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;

use crate::digest::Digest;
use crate::lockfile::{Class, Lockfile, Record};
use crate::outcome::{Artifact, Checkpoint, Metric, StageOutcome};
use crate::project::manifest::{Clock, Determinism, Entropy, Isolation, Overridden, Policy};
use crate::sandbox::entropy::Numbering;
use crate::snapshot::data::{DataFile, Files, Form, Sample};
use crate::snapshot::dependencies::Package;
use crate::snapshot::platform::Facts;
use crate::snapshot::source::{self, Looks};
use crate::snapshot::{
    Build, Data, Dependencies, Environment, Param, Platform, Seed, Snapshot, Source, Stage, Toolchain,
};
use crate::table::{Column, Format, Short, Table, Unordered};

/// Names and values as people, files and shells can make them: plain ones, ones that TOML must quote,
/// ones that look like parts of a lock, and any others.
pub(crate) fn text() -> BoxedStrategy<String> {
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

pub(crate) fn map<T: std::fmt::Debug + 'static>(
    value: impl Strategy<Value = T> + 'static,
) -> BoxedStrategy<BTreeMap<String, T>> {
    btree_map(text(), value, 0..3).boxed()
}

pub(crate) fn digest() -> BoxedStrategy<Digest> {
    any::<u64>().prop_map(|number| Digest::of(number.to_le_bytes())).boxed()
}

/// TOML's whole numbers are signed.
pub(crate) fn count() -> BoxedStrategy<u64> {
    prop_oneof![0..10_u64, 0..=i64::MAX.unsigned_abs()].boxed()
}

pub(crate) fn number() -> BoxedStrategy<f64> {
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

pub(crate) fn param() -> BoxedStrategy<Param> {
    prop_oneof![
        any::<bool>().prop_map(Param::Bool),
        any::<i64>().prop_map(Param::Integer),
        number().prop_map(Param::Float),
        text().prop_map(Param::Text),
    ]
    .boxed()
}

pub(crate) fn metric() -> BoxedStrategy<Metric> {
    let digits = "-?(0|[1-9][0-9]{0,40})(\\.[0-9]{1,30})?(e[+-]?[0-9]{1,3})?";
    prop_oneof![
        number().prop_map(Metric::new),
        any::<u64>().prop_map(f64::from_bits).prop_map(Metric::new),
        digits.prop_map(|text| Metric::written(&text)),
        text().prop_map(Metric::text),
        any::<bool>().prop_map(Metric::boolean),
        Just(Metric::null()),
    ]
    .boxed()
}

pub(crate) fn stage_outcome() -> BoxedStrategy<StageOutcome> {
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
        proptest::collection::btree_set(text(), 0..3),
    )
        .prop_map(|(binary, undeclared, streams, artifacts, metrics, checkpoints, reads, copied)| StageOutcome {
            binary,
            undeclared,
            reads,
            copied,
            streams,
            artifacts,
            metrics,
            checkpoints,
        })
        .boxed()
}

pub(crate) fn table() -> BoxedStrategy<Table> {
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

pub(crate) fn data_file() -> BoxedStrategy<DataFile> {
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

pub(crate) fn data() -> BoxedStrategy<Data> {
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

pub(crate) fn stage() -> BoxedStrategy<Stage> {
    let texts = || vec(text(), 0..3);
    let more = (option::of(text()), texts(), texts(), map(vec(text(), 1..3)));
    (option::of(text()), texts(), texts(), texts(), texts(), texts(), option::of(text()), more)
        .prop_map(|(bin, command, args, data, needs, artifacts, metrics, (stdout, ignore_metrics, scratch, ignore))| {
            Stage {
                bin,
                command,
                args,
                data,
                needs,
                artifacts,
                metrics,
                stdout,
                ignore_metrics,
                scratch,
                ignore,
            }
        })
        .boxed()
}

pub(crate) fn source() -> BoxedStrategy<Source> {
    let names = || btree_set(text(), 0..3);
    let looks = (names(), names(), map(names())).prop_map(|(absent, made, listed)| Looks { absent, made, listed });
    let forms = map(prop_oneof![Just(source::Form::Executable), Just(source::Form::Link)]);
    let also = (option::of(looks), option::of(forms));
    (text(), option::of(text()), digest(), map(text()), vec(text(), 0..3), also, map(digest()))
        .prop_map(|(commit, tag, closure, submodules, variables, (looks, forms), files)| Source {
            commit,
            tag,
            closure,
            submodules,
            variables,
            looks,
            forms,
            files,
        })
        .boxed()
}

pub(crate) fn toolchain() -> BoxedStrategy<Toolchain> {
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

pub(crate) fn build() -> BoxedStrategy<Build> {
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

pub(crate) fn dependencies() -> BoxedStrategy<Dependencies> {
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

pub(crate) fn platform() -> BoxedStrategy<Platform> {
    (text(), text(), text())
        .prop_map(|(target, libc, cpu)| Platform { target, libc, cpu })
        .boxed()
}

pub(crate) fn class() -> BoxedStrategy<Class> {
    (any::<u32>(), platform(), map(stage_outcome()))
        .prop_map(|(runs, platform, outcome)| Class {
            runs,
            platform,
            outcome,
        })
        .boxed()
}

pub(crate) fn snapshot() -> BoxedStrategy<Snapshot> {
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

pub(crate) fn policies() -> BoxedStrategy<(Determinism, Isolation)> {
    let policy = || prop_oneof![Just(Policy::Deny), Just(Policy::Warn)];
    let determinism = (
        prop_oneof![Just(Entropy::System), Just(Entropy::Seeded)],
        prop_oneof![Just(Clock::System), Just(Clock::Frozen)],
    );
    let determinism = determinism.prop_map(|(entropy, clock)| Determinism { entropy, clock });
    let isolation = (policy(), policy()).prop_map(|(reads, network)| Isolation { reads, network });
    (determinism, isolation).boxed()
}

pub(crate) fn lockfile() -> BoxedStrategy<Lockfile> {
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
    let seed = option::of((0..i64::MAX).prop_map(|seed| Seed::new(seed).unwrap()));
    let overridden = (seed, map(param())).prop_map(|(seed, params)| Overridden { seed, params });
    (record, snapshot(), overridden, map(stage_outcome()), vec(class(), 0..3), facts)
        .prop_map(|(record, snapshot, overridden, outcome, classes, facts)| {
            let mut lock = Lockfile {
                record,
                snapshot,
                overridden,
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
