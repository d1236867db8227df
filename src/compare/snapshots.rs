//! From two snapshots to their [`Drift`]: every difference between them, not only the first.

use std::collections::BTreeMap;

use super::drift::{Change, Drift};
use super::{changes, listed};
use crate::document::quoted;
use crate::project::manifest::{Determinism, Isolation, Policy};
use crate::snapshot::dependencies::Package;
use crate::snapshot::{Build, Dependencies, Environment, Platform, Snapshot, Stage, Toolchain};

/// All differences between the inputs of two snapshots, in the order of the data's way through a
/// training. Each side is taken apart field by field, so that a new field is compared, or left out for a reason, before
/// any of this compiles.
#[must_use]
pub fn drift(locked: &Snapshot, found: &Snapshot) -> Vec<Drift> {
    let Snapshot {
        seed,
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
    } = locked;
    let mut drift = Vec::new();
    self::stages(stages, &found.stages, &mut drift);
    self::determinism(*determinism, found.determinism, &mut drift);
    self::isolation(*isolation, found.isolation, &mut drift);
    if *seed != found.seed {
        drift.push(Drift::Seed {
            locked: *seed,
            found: found.seed,
        });
    }
    for (name, locked, found) in changes(params, &found.params) {
        drift.push(Drift::Param {
            name: name.clone(),
            locked: locked.cloned(),
            found: found.cloned(),
        });
    }
    super::data::data(data, &found.data, &mut drift);
    super::sources::source(source, &found.source, &mut drift);
    self::dependencies(dependencies, &found.dependencies, &mut drift);
    self::toolchain(toolchain, &found.toolchain, &mut drift);
    self::build(build, &found.build, &mut drift);
    self::environment(environment, &found.environment, &mut drift);
    self::platform(platform, &found.platform, &mut drift);
    drift
}

/// A change of one field, where the two values are not equal; `text` is for people, and no two values have the same.
pub(super) fn field<V: PartialEq + ?Sized, T: Into<Option<String>>>(
    name: String,
    (old, new): (&V, &V),
    text: impl Fn(&V) -> T,
) -> Option<Change<String>> {
    (old != new).then(|| Change {
        name,
        locked: text(old).into(),
        found: text(new).into(),
    })
}

fn determinism(locked: Determinism, found: Determinism, drift: &mut Vec<Drift>) {
    let Determinism { entropy, clock } = locked;
    let changes = [
        field("determinism.entropy".to_owned(), (&entropy, &found.entropy), |entropy| entropy.word().to_owned()),
        field("determinism.clock".to_owned(), (&clock, &found.clock), |clock| clock.word().to_owned()),
    ];
    drift.extend(changes.into_iter().flatten().map(Drift::Manifest));
}

fn isolation(locked: Isolation, found: Isolation, drift: &mut Vec<Drift>) {
    let Isolation { reads, network } = locked;
    let text = |policy: &Policy| policy.word().to_owned();
    let changes = [
        field("isolation.reads".to_owned(), (&reads, &found.reads), text),
        field("isolation.network".to_owned(), (&network, &found.network), text),
    ];
    drift.extend(changes.into_iter().flatten().map(Drift::Manifest));
}

fn stages(locked: &BTreeMap<String, Stage>, found: &BTreeMap<String, Stage>, drift: &mut Vec<Drift>) {
    for (name, locked, found) in changes(locked, found) {
        let name = format!("stage.{name}");
        if let (Some(old), Some(new)) = (locked, found) {
            drift.extend(stage(&name, old, new).into_iter().map(Drift::Manifest));
            continue;
        }
        let word = |stage: Option<&Stage>| stage.map(|_| "declared".to_owned());
        drift.push(Drift::Manifest(Change {
            name,
            locked: word(locked),
            found: word(found),
        }));
    }
}

fn stage(name: &str, locked: &Stage, found: &Stage) -> Vec<Change<String>> {
    let Stage {
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
    } = locked;
    let of = |field: &str| format!("{name}.{field}");
    let list = |items: &Vec<String>| listed(items);
    let mut changed = vec![
        field(of("bin"), (bin, &found.bin), Clone::clone),
        field(of("command"), (command, &found.command), list),
        field(of("args"), (args, &found.args), list),
        field(of("data"), (data, &found.data), list),
        field(of("needs"), (needs, &found.needs), list),
        field(of("artifacts"), (artifacts, &found.artifacts), list),
        field(of("metrics"), (metrics, &found.metrics), Clone::clone),
        field(of("stdout"), (stdout, &found.stdout), Clone::clone),
        field(of("metrics.ignore"), (ignore_metrics, &found.ignore_metrics), list),
        field(of("scratch"), (scratch, &found.scratch), list),
    ];
    changed.extend(changes(ignore, &found.ignore).map(|(path, old, new)| {
        Some(Change {
            name: of(&format!("artifacts.{}.ignore", quoted(path))),
            locked: old.map(|places| listed(places)),
            found: new.map(|places| listed(places)),
        })
    }));
    changed.into_iter().flatten().collect()
}

/// How the packages differ that two Cargo.locks pin.
pub fn dependencies(locked: &Dependencies, found: &Dependencies, drift: &mut Vec<Drift>) {
    let Dependencies { lock, packages } = locked;
    if *lock == found.lock && *packages == found.packages {
        return;
    }
    let only = |these: &[Package], others: &[Package]| -> Vec<Package> {
        these.iter().filter(|package| !others.contains(package)).cloned().collect()
    };
    let removed = only(packages, &found.packages);
    let mut added = only(&found.packages, packages);
    let before = drift.len();
    for old in removed {
        // The same name on both sides is one change, not a removal and an addition.
        let position = added.iter().position(|new| new.name == old.name);
        let found = position.map(|position| added.remove(position));
        drift.push(Drift::Dependency {
            locked: Some(old),
            found,
        });
    }
    drift.extend(added.into_iter().map(|new| Drift::Dependency {
        locked: None,
        found: Some(new),
    }));
    if drift.len() == before {
        drift.push(Drift::DependencyGraph {
            locked: *lock,
            found: found.lock,
        });
    }
}

fn toolchain(locked: &Toolchain, found: &Toolchain, drift: &mut Vec<Drift>) {
    let Toolchain {
        rustc,
        commit,
        host,
        llvm,
        cargo,
        // The file that asks for it is a source.
        pin: _,
    } = locked;
    // One commit is one compiler, whatever its channel is called; builds of distributions have none.
    let same = *commit == found.commit && (commit != "unknown" || *rustc == found.rustc);
    if !same {
        let text = |toolchain: &Toolchain| {
            let commit = toolchain.commit.get(..9).unwrap_or(&toolchain.commit).to_owned();
            format!("{} ({commit})", toolchain.rustc)
        };
        drift.push(Drift::Toolchain(Change::new("rustc", text(locked), text(found))));
    } else if *llvm != found.llvm {
        // Another compiler brings its own; the same one with another is a distribution's doing.
        drift.push(Drift::Toolchain(Change::new("llvm", llvm, &found.llvm)));
    }
    for (name, old, new) in [("host", host, &found.host), ("cargo", cargo, &found.cargo)] {
        if old != new {
            drift.push(Drift::Toolchain(Change::new(name, old, new)));
        }
    }
}

fn build(locked: &Build, found: &Build, drift: &mut Vec<Drift>) {
    let Build {
        profile,
        features,
        target,
        rustflags,
        settings,
        config,
    } = locked;
    let list = |items: &Vec<String>| listed(items);
    let fields = [
        field("profile".to_owned(), (profile, &found.profile), Clone::clone),
        field("features".to_owned(), (features, &found.features), list),
        field("target".to_owned(), (target, &found.target), Clone::clone),
        field("rustflags".to_owned(), (rustflags, &found.rustflags), list),
    ];
    drift.extend(fields.into_iter().flatten().map(Drift::Build));
    for (key, old, new) in changes(settings, &found.settings) {
        drift.push(Drift::Build(Change {
            name: key.clone(),
            locked: old.cloned(),
            found: new.cloned(),
        }));
    }
    // A file that has no such key changes no build; that it came or went is a source's change.
    let none = BTreeMap::new();
    for (file, old, new) in changes(config, &found.config) {
        for (key, old, new) in changes(old.unwrap_or(&none), new.unwrap_or(&none)) {
            drift.push(Drift::Build(Change {
                name: format!("{file}: {key}"),
                locked: old.cloned(),
                found: new.cloned(),
            }));
        }
    }
}

fn environment(locked: &Environment, found: &Environment, drift: &mut Vec<Drift>) {
    let Environment {
        // What the program sees is the variables; these are not among them. Of two locks they are compared.
        unset: _,
        variables,
    } = locked;
    for (name, old, new) in changes(variables, &found.variables) {
        drift.push(Drift::Environment {
            name: name.clone(),
            locked: old.cloned(),
            found: new.cloned(),
        });
    }
}

fn platform(locked: &Platform, found: &Platform, drift: &mut Vec<Drift>) {
    let Platform { target, libc, cpu } = locked;
    let fields = [
        ("target", target, &found.target),
        ("libc", libc, &found.libc),
        ("cpu", cpu, &found.cpu),
    ];
    for (name, old, new) in fields {
        if old != new {
            drift.push(Drift::Platform(Change::new(name, old, new)));
        }
    }
}
