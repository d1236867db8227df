//! From two snapshots to their [`Drift`]: every difference between them, not only the first.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::changes;
use super::drift::{Change, DataChange, Drift, FileChange};
use super::table::{self, TableChange};
use crate::snapshot::data::DataFile;
use crate::snapshot::dependencies::Package;
use crate::snapshot::{Build, Data, Dependencies, Environment, Platform, Snapshot, Source, Stage, Toolchain};
use crate::table::Table;

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
    // Not by `changes`, which would compare list by list what the digests tell in a moment.
    let names: BTreeSet<&String> = locked.keys().chain(found.keys()).collect();
    for name in names {
        match (locked.get(name), found.get(name)) {
            (Some(locked), Some(found)) => data_entry(name, locked, found, drift),
            (Some(locked), None) => {
                drift.extend(locked.files.all().iter().map(|(path, file)| missing(name, path, Some(file))));
            }
            (None, Some(found)) => {
                drift.extend(found.files.all().iter().map(|(path, file)| added(name, path, file)));
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
    if locked.sample.is_some() != found.sample.is_some() {
        drift.push(Drift::DataChanged(DataChange::Extent {
            name: name.clone(),
            locked: locked.sample,
            found: found.sample,
        }));
        return; // digests of samples and of whole files say nothing about each other
    }
    for (path, old, new) in changes(&locked.links, &found.links) {
        drift.push(Drift::DataChanged(DataChange::Link {
            name: name.clone(),
            path: path.clone(),
            locked: old.cloned(),
            found: new.cloned(),
        }));
    }
    // Most often nothing is new; then the lock's list, which may be long, is not unpacked.
    if locked.digest == found.digest && locked.files.paths() == found.files.paths() {
        return;
    }
    let (old, new) = (locked.files.all(), found.files.all());
    for pair in pairs(&old, &new) {
        drift.extend(match pair {
            (Some((path, old)), Some((_, new))) if old.digest != new.digest || old.bytes != new.bytes => {
                let file = FileChange {
                    name: name.clone(),
                    path: path.clone(),
                    locked: old.clone(),
                    found: new.clone(),
                    table: table_change(old, new, found.beginnings.get(path)),
                };
                Some(Drift::DataChanged(DataChange::File(Box::new(file))))
            }
            (Some((path, old)), None) => Some(missing(&name, path, Some(old))),
            (None, Some((path, new))) => Some(added(&name, path, new)),
            _ => None,
        });
    }
}

type Named = (String, DataFile);

/// Two sorted lists, side by side by path.
fn pairs<'a>(old: &'a [Named], new: &'a [Named]) -> impl Iterator<Item = (Option<&'a Named>, Option<&'a Named>)> {
    let (mut old, mut new) = (old.iter().peekable(), new.iter().peekable());
    std::iter::from_fn(move || {
        let order = match (old.peek(), new.peek()) {
            (None, None) => return None,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some((one, _)), Some((other, _))) => one.cmp(other),
        };
        Some((if order.is_le() { old.next() } else { None }, if order.is_ge() { new.next() } else { None }))
    })
}

fn table_change(old: &DataFile, new: &DataFile, beginning: Option<&Table>) -> Option<TableChange> {
    match (&old.table, &new.table) {
        (Some(old), Some(new)) => Some(table::change(old, new, beginning)),
        _ => None,
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
