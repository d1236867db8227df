//! From the declared data of two snapshots to its drift. What of a table differs is [`super::table`]'s.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::drift::{Change, DataChange, Drift, FileChange};
use super::table::{self, TableChange};
use super::{changes, listed};
use crate::snapshot::Data;
use crate::snapshot::data::{DataFile, Sample};
use crate::table::Table;

/// How declared data differs, entry by entry.
pub(super) fn data(locked: &BTreeMap<String, Data>, found: &BTreeMap<String, Data>, drift: &mut Vec<Drift>) {
    // Not by `changes`, which would compare list by list what the digests tell in a moment.
    let names: BTreeSet<&String> = locked.keys().chain(found.keys()).collect();
    for name in names {
        let before = drift.len();
        match (locked.get(name), found.get(name)) {
            (Some(locked), Some(found)) => {
                data_entry(name, locked, found, drift);
                continue;
            }
            (Some(locked), None) => {
                drift.extend(locked.files.all().iter().map(|(path, file)| missing(name, path, Some(file))));
            }
            (None, Some(found)) => {
                drift.extend(found.files.all().iter().map(|(path, file)| added(name, path, file)));
                drift.extend(found.missing.iter().map(|path| missing(name, path, None)));
            }
            (None, None) => {}
        }
        if drift.len() == before {
            // An empty directory: there is no file to name.
            let declared = |data: &BTreeMap<String, Data>| data.get(name).map(|data| listed(&data.paths));
            drift.push(Drift::Manifest(Change {
                name: format!("data.{name}"),
                locked: declared(locked),
                found: declared(found),
            }));
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
    let Data {
        paths,
        form,
        digest,
        // They follow from the files.
        bytes: _,
        sample,
        links,
        files,
        // Of a lock there are none; those that are found are named below.
        missing: _,
        // These are said beside, and are in no lock.
        remarks: _,
        beginnings: _,
    } = locked;
    let name = name.to_owned();
    let before = drift.len();
    if *paths != found.paths {
        drift.push(Drift::DataChanged(DataChange::Paths {
            name: name.clone(),
            locked: paths.clone(),
            found: found.paths.clone(),
        }));
    } else if *form != found.form && found.missing.is_empty() {
        drift.push(Drift::DataChanged(DataChange::Form {
            name: name.clone(),
            locked: *form,
            found: found.form,
        }));
        return; // every path below it is another one now; that says nothing more
    }
    let rules = |sample: &Option<Sample>| sample.as_ref().map(|sample| sample.rules);
    if rules(sample) != rules(&found.sample) {
        drift.push(Drift::DataChanged(DataChange::Extent {
            name: name.clone(),
            locked: *sample,
            found: found.sample,
        }));
        return; // digests of samples and of whole files say nothing about each other
    }
    for (path, old, new) in changes(links, &found.links) {
        drift.push(Drift::DataChanged(DataChange::Link {
            name: name.clone(),
            path: path.clone(),
            locked: old.cloned(),
            found: new.cloned(),
        }));
    }
    // Most often nothing is new; then the lock's list, which may be long, is not unpacked.
    if *digest == found.digest && files.paths() == found.files.paths() && files.len() == found.files.len() {
        let unsaid = found.missing.iter().filter(|_| drift.len() == before);
        let unsaid: Vec<Drift> = unsaid.map(|path| missing(&name, path, None)).collect();
        drift.extend(unsaid);
        return;
    }
    file_changes(&name, locked, found, drift);
    if drift.len() == before {
        // Every file is as locked, and the digest of all of them is not: no digest of files gives it.
        drift.push(Drift::DataChanged(DataChange::Tree {
            name,
            locked: *digest,
            found: found.digest,
        }));
    }
}

fn file_changes(name: &str, locked: &Data, found: &Data, drift: &mut Vec<Drift>) {
    let (old, new) = (locked.files.all(), found.files.all());
    for pair in pairs(&old, &new) {
        drift.extend(match pair {
            (Some((path, old)), Some((_, new))) if is_changed(old, new) => {
                let file = FileChange {
                    name: name.to_owned(),
                    path: path.clone(),
                    locked: old.clone(),
                    found: new.clone(),
                    table: table_change(old, new, found.beginnings.get(path)),
                    turned: false,
                };
                Some(Drift::DataChanged(DataChange::File(Box::new(file))))
            }
            (Some((path, old)), None) => Some(missing(name, path, Some(old))),
            (None, Some((path, new))) => Some(added(name, path, new)),
            _ => None,
        });
    }
}

fn is_changed(locked: &DataFile, found: &DataFile) -> bool {
    let DataFile {
        digest,
        bytes,
        // These say what the bytes mean, by rules that another version of the tool may have others of.
        sampled: _,
        no_table: _,
        table: _,
    } = locked;
    *digest != found.digest || *bytes != found.bytes
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
