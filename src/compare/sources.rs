//! How two closures differ: files, what they are, and the names that are inputs by themselves.

use std::collections::{BTreeMap, BTreeSet};

use super::changes;
use super::drift::{Change, Drift, NameChange, SourceName};
use crate::snapshot::Source;
use crate::snapshot::source::looks::TOP;
use crate::snapshot::source::{Form, Looks};

/// All differences of the sources.
pub(super) fn source(locked: &Source, found: &Source, drift: &mut Vec<Drift>) {
    let Source {
        // The files are compared: a commit that only adds the lock changes none of them.
        commit: _,
        // It is looked up in the repository, as another drift.
        tag: _,
        // It follows from the files.
        closure: _,
        submodules,
        // Their names, which only a build tells; their values are the environment's.
        variables: _,
        looks,
        forms,
        files,
    } = locked;
    for (path, old, new) in changes(submodules, &found.submodules) {
        drift.push(Drift::Source(Change {
            name: format!("{path} (submodule)"),
            locked: old.cloned(),
            found: new.cloned(),
        }));
    }
    let names = match (looks, &found.looks) {
        (Some(locked), Some(found)) => names(locked, found),
        // What a lock does not hold is not checked, and said to be.
        _ => Vec::new(),
    };
    // A file that came and the name that came by it are one change.
    let named: BTreeSet<&str> = names.iter().map(|name| name.path.as_str()).collect();
    let files: Vec<_> = changes(files, &found.files).collect();
    let changed: BTreeSet<&String> = files.iter().map(|(path, ..)| *path).collect();
    for (path, old, new) in &files {
        if old.is_none() && named.contains(path.as_str()) {
            continue;
        }
        drift.push(Drift::Source(Change {
            name: (*path).clone(),
            locked: old.map(ToString::to_string),
            found: new.map(ToString::to_string),
        }));
    }
    if let (Some(locked), Some(found)) = (forms, &found.forms) {
        self::forms(locked, found, &changed, drift);
    }
    let said = |name: &SourceName| name.is_gone() && changed.contains(&name.path);
    let names: Vec<SourceName> = names.into_iter().filter(|name| !said(name)).collect();
    drift.extend(names.into_iter().map(Drift::SourceName));
}

/// Files of the same bytes that are something else now.
fn forms(
    locked: &BTreeMap<String, Form>,
    found: &BTreeMap<String, Form>,
    changed: &BTreeSet<&String>,
    drift: &mut Vec<Drift>,
) {
    for (path, old, new) in changes(locked, found).filter(|(path, ..)| !changed.contains(path)) {
        drift.push(Drift::Source(Change {
            name: path.clone(),
            locked: Some(Form::words(old.copied()).to_owned()),
            found: Some(Form::words(new.copied()).to_owned()),
        }));
    }
}

/// What came to directories that are listed or went from them, and what is where nothing was.
fn names(locked: &Looks, found: &Looks) -> Vec<SourceName> {
    let Looks { absent, made, listed } = locked;
    let mut names = BTreeMap::new();
    // Two directories, or a listing and a look, may tell the same of one name.
    let mut note = |path: String, how: NameChange| {
        let key = path.trim_end_matches('/').to_owned();
        names.entry(key).or_insert(SourceName { path, how });
    };
    for (directory, old, new) in changes(listed, &found.listed) {
        let at = if directory == TOP {
            String::new()
        } else {
            format!("{directory}/")
        };
        match (old, new) {
            (Some(old), Some(new)) => {
                new.difference(old)
                    .for_each(|name| note(format!("{at}{name}"), NameChange::Came(directory.clone())));
                old.difference(new)
                    .for_each(|name| note(format!("{at}{name}"), NameChange::Went(directory.clone())));
            }
            (None, _) => note(format!("{directory}/"), NameChange::ListedNow),
            (_, None) => note(format!("{directory}/"), NameChange::ListedBefore),
        }
    }
    for (old, new) in [(absent, &found.absent), (made, &found.made)] {
        old.difference(new).for_each(|path| note(path.clone(), NameChange::Appeared));
        new.difference(old).for_each(|path| note(path.clone(), NameChange::Disappeared));
    }
    names.into_values().collect()
}
