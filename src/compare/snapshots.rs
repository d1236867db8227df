//! From two snapshots to their [`Drift`]: every difference between them, not only the first.

use std::collections::BTreeMap;

use super::changes;
use super::drift::{Change, DataChange, Drift};
use crate::snapshot::data::DataFile;
use crate::snapshot::dependencies::Package;
use crate::snapshot::{Build, Data, Dependencies, Environment, Platform, Snapshot, Source, Stage, Toolchain};

/// All differences between the inputs of two snapshots, in the order of the data's way through a
/// training.
#[must_use]
pub fn drift(locked: &Snapshot, found: &Snapshot) -> Vec<Drift> {
    let mut drift = Vec::new();
    stages(&locked.stages, &found.stages, &mut drift);
    if locked.determinism != found.determinism {
        let text = |snapshot: &Snapshot| format!("{:?}", snapshot.determinism);
        let change = Change::new("determinism".to_owned(), text(locked), text(found));
        drift.push(Drift::Manifest(change));
    }
    if locked.isolation != found.isolation {
        let text = |snapshot: &Snapshot| format!("{:?}", snapshot.isolation);
        drift.push(Drift::Manifest(Change::new("isolation".to_owned(), text(locked), text(found))));
    }
    if locked.seed != found.seed {
        drift.push(Drift::Seed {
            locked: locked.seed,
            found: found.seed,
        });
    }
    for (name, locked, found) in changes(&locked.params, &found.params) {
        drift.push(Drift::Param {
            name: name.clone(),
            locked: locked.cloned(),
            found: found.cloned(),
        });
    }
    data(&locked.data, &found.data, &mut drift);
    source(&locked.source, &found.source, &mut drift);
    dependencies(&locked.dependencies, &found.dependencies, &mut drift);
    toolchain(&locked.toolchain, &found.toolchain, &mut drift);
    build(&locked.build, &found.build, &mut drift);
    environment(&locked.environment, &found.environment, &mut drift);
    platform(&locked.platform, &found.platform, &mut drift);
    drift
}

fn stages(locked: &BTreeMap<String, Stage>, found: &BTreeMap<String, Stage>, drift: &mut Vec<Drift>) {
    for (name, locked, found) in changes(locked, found) {
        let name = format!("stage.{name}");
        let (Some(old), Some(new)) = (locked, found) else {
            let word = |stage: Option<&Stage>| stage.map(|_| "declared".to_owned());
            drift.push(Drift::Manifest(Change {
                name,
                locked: word(locked),
                found: word(found),
            }));
            continue;
        };
        let list = |items: &[String]| items.join(", ");
        let optional = |text: &Option<String>| text.clone().unwrap_or_default();
        let fields = [
            ("bin", optional(&old.bin), optional(&new.bin)),
            ("command", old.command.join(" "), new.command.join(" ")),
            ("args", old.args.join(" "), new.args.join(" ")),
            ("data", list(&old.data), list(&new.data)),
            ("needs", list(&old.needs), list(&new.needs)),
            ("artifacts", list(&old.artifacts), list(&new.artifacts)),
            ("metrics", optional(&old.metrics), optional(&new.metrics)),
        ];
        for (field, old, new) in fields {
            if old != new {
                let text = |text: String| (!text.is_empty()).then_some(text);
                drift.push(Drift::Manifest(Change {
                    name: format!("{name}.{field}"),
                    locked: text(old),
                    found: text(new),
                }));
            }
        }
    }
}

fn data(locked: &BTreeMap<String, Data>, found: &BTreeMap<String, Data>, drift: &mut Vec<Drift>) {
    for (name, locked, found) in changes(locked, found) {
        match (locked, found) {
            (Some(locked), Some(found)) => data_entry(name, locked, found, drift),
            (Some(locked), None) => {
                drift.extend(locked.files.iter().map(|(path, file)| missing(name, path, Some(file))))
            }
            (None, Some(found)) => {
                drift.extend(found.files.iter().map(|(path, file)| added(name, path, file)));
                drift.extend(found.missing.iter().map(|path| missing(name, path, None)));
            }
            (None, None) => {}
        }
    }
}

fn missing(name: &str, path: &str, locked: Option<&DataFile>) -> Drift {
    Drift::DataMissing {
        name: name.to_owned(),
        path: path.to_owned(),
        locked: locked.map(|file| file.digest),
    }
}

fn added(name: &str, path: &str, found: &DataFile) -> Drift {
    Drift::DataAdded {
        name: name.to_owned(),
        path: path.to_owned(),
        found: found.digest,
    }
}

fn data_entry(name: &str, locked: &Data, found: &Data, drift: &mut Vec<Drift>) {
    let name = name.to_owned();
    if locked.paths != found.paths {
        drift.push(Drift::DataChanged(DataChange::Paths {
            name: name.clone(),
            locked: locked.paths.clone(),
            found: found.paths.clone(),
        }));
    } else if locked.form != found.form && found.missing.is_empty() {
        drift.push(Drift::DataChanged(DataChange::Form {
            name: name.clone(),
            locked: locked.form,
            found: found.form,
        }));
        return; // every path below it is another one now; that says nothing more
    }
    for (path, old, new) in changes(&locked.files, &found.files) {
        drift.push(match (old, new) {
            (Some(old), Some(new)) => Drift::DataChanged(DataChange::File {
                name: name.clone(),
                path: path.clone(),
                locked: *old,
                found: *new,
            }),
            (Some(old), None) => missing(&name, path, Some(old)),
            (None, Some(new)) => added(&name, path, new),
            (None, None) => continue,
        });
    }
}

fn source(locked: &Source, found: &Source, drift: &mut Vec<Drift>) {
    for (path, old, new) in changes(&locked.submodules, &found.submodules) {
        drift.push(Drift::Source(Change {
            name: format!("{path} (submodule)"),
            locked: old.cloned(),
            found: new.cloned(),
        }));
    }
    for (path, old, new) in changes(&locked.files, &found.files) {
        drift.push(Drift::Source(Change {
            name: path.clone(),
            locked: old.map(ToString::to_string),
            found: new.map(ToString::to_string),
        }));
    }
}

/// How the packages differ that two Cargo.locks pin.
pub fn dependencies(locked: &Dependencies, found: &Dependencies, drift: &mut Vec<Drift>) {
    if locked == found {
        return;
    }
    let only = |these: &[Package], others: &[Package]| -> Vec<Package> {
        these.iter().filter(|package| !others.contains(package)).cloned().collect()
    };
    let removed = only(&locked.packages, &found.packages);
    let mut added = only(&found.packages, &locked.packages);
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
            locked: locked.lock,
            found: found.lock,
        });
    }
}

fn toolchain(locked: &Toolchain, found: &Toolchain, drift: &mut Vec<Drift>) {
    // One commit is one compiler, whatever its channel is called; builds of distributions have none.
    let same = locked.commit == found.commit && (locked.commit != "unknown" || locked.rustc == found.rustc);
    if !same {
        let text = |toolchain: &Toolchain| {
            let commit = toolchain.commit.get(..9).unwrap_or(&toolchain.commit).to_owned();
            format!("{} ({commit})", toolchain.rustc)
        };
        drift.push(Drift::Toolchain(Change::new("rustc", text(locked), text(found))));
    } else if locked.llvm != found.llvm {
        // Another compiler brings its own; the same one with another is a distribution's doing.
        drift.push(Drift::Toolchain(Change::new("llvm", &locked.llvm, &found.llvm)));
    }
    let fields = [
        ("host", &locked.host, &found.host),
        ("cargo", &locked.cargo, &found.cargo),
    ];
    for (name, old, new) in fields {
        if old != new {
            drift.push(Drift::Toolchain(Change::new(name, old, new)));
        }
    }
}

fn build(locked: &Build, found: &Build, drift: &mut Vec<Drift>) {
    let fields = [
        ("profile", locked.profile.clone(), found.profile.clone()),
        ("features", locked.features.join(", "), found.features.join(", ")),
        ("target", locked.target.clone(), found.target.clone()),
        ("rustflags", locked.rustflags.join(" "), found.rustflags.join(" ")),
    ];
    for (name, old, new) in fields {
        if old != new {
            drift.push(Drift::Build(Change::new(name.to_owned(), old, new)));
        }
    }
    for (key, old, new) in changes(&locked.settings, &found.settings) {
        drift.push(Drift::Build(Change {
            name: key.clone(),
            locked: old.cloned(),
            found: new.cloned(),
        }));
    }
    let none = BTreeMap::new();
    for (file, old, new) in changes(&locked.config, &found.config) {
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
    for (name, old, new) in changes(&locked.variables, &found.variables) {
        drift.push(Drift::Environment {
            name: name.clone(),
            locked: old.cloned(),
            found: new.cloned(),
        });
    }
}

fn platform(locked: &Platform, found: &Platform, drift: &mut Vec<Drift>) {
    let fields = [
        ("target", &locked.target, &found.target),
        ("libc", &locked.libc, &found.libc),
        ("cpu", &locked.cpu, &found.cpu),
    ];
    for (name, old, new) in fields {
        if old != new {
            drift.push(Drift::Platform(Change::new(name, old, new)));
        }
    }
}
