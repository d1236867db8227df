//! Declared data at the tagged commit: its files as they are committed, and the links among them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::Tree;
use crate::compare::drift::Change;
use crate::compare::{Drift, listed};
use crate::digest::Digest;
use crate::error::Result;
use crate::project::manifest::{Declared, Manifest, is_declared};
use crate::project::repository::{Entry, Kind};
use crate::snapshot::data::{DataFile, Files};
use crate::snapshot::source::tree::Links;
use crate::snapshot::{Data, Snapshot};
use crate::verdict::NotChecked;

/// Declared data, as far as it is committed.
pub(super) fn observe(
    tree: Tree<'_>,
    committed: &BTreeMap<String, Entry>,
    locked: &Snapshot,
    manifest: &Manifest,
    not_checked: &mut Vec<NotChecked>,
) -> Result<BTreeMap<String, Data>> {
    let mut found = BTreeMap::new();
    let mut links = Links::of(tree.objects());
    for (name, locked) in &locked.data {
        let Some(declared) = manifest.data.get(name) else {
            continue;
        };
        let mut apart = Vec::new();
        let mut files = Vec::new();
        for (path, file) in locked.files.all().iter() {
            match data_file(tree, &mut links, path, file)? {
                Committed::As(found) => files.push((path.clone(), found)),
                Committed::Apart => {
                    apart.push(path.clone());
                    files.push((path.clone(), file.clone()));
                }
                Committed::NoFile => {}
            }
        }
        apart.extend(locked.links.keys().filter(|path| !committed.contains_key(&tree.path(path))).cloned());
        if let Some(first) = apart.first() {
            let why = format!("data.{name}: not in the tagged commit, a link, or pinned by a sample: {first}");
            let more = apart.len() - 1;
            let why = if more > 0 {
                format!("{why} and {more} more")
            } else {
                why
            };
            not_checked.push(NotChecked::new("data", why));
        }
        not_checked.extend(behind_links(tree, &mut links, name, declared));
        let as_locked = locked.files.all().as_ref() == files;
        let mut data = locked.clone();
        data.links = data_links(tree, locked, declared, committed)?;
        data.paths.clone_from(&declared.paths);
        if !as_locked {
            let files = Files::new(files);
            data.digest = Digest::of_tree(files.all().iter().map(|(_, file)| &file.digest));
            data.files = files;
        }
        found.insert(name.clone(), data);
    }
    Ok(found)
}

/// Declared paths that lead through a committed link: what came to the place where they end is not looked for.
fn behind_links(tree: Tree<'_>, links: &mut Links<'_>, name: &str, declared: &Declared) -> Option<NotChecked> {
    let paths = declared.paths.iter().map(|path| path.trim_end_matches('/'));
    let behind: Vec<&str> = paths.filter(|path| !links.follow(&tree.path(path)).0.is_empty()).collect();
    (!behind.is_empty()).then(|| {
        let why =
            format!("data.{name}: behind a link, so that a file that came there is not seen: {}", behind.join(", "));
        NotChecked::new("data", why)
    })
}

/// What a commit says of a file of data.
enum Committed {
    /// It has the file, so.
    As(DataFile),
    /// It does not have it, or not in a way that could be told: data need not be committed.
    Apart,
    /// It has something else in its place.
    NoFile,
}

fn data_file(tree: Tree<'_>, links: &mut Links<'_>, path: &str, locked: &DataFile) -> Result<Committed> {
    let (_, place) = links.follow(&tree.path(path));
    let Some(entry) = tree.repository.entry(tree.commit, Path::new(&place)) else {
        let is_directory = !place.starts_with("../") && tree.repository.has(tree.commit, &place);
        return Ok(if is_directory {
            Committed::NoFile
        } else {
            Committed::Apart
        });
    };
    match entry.kind {
        Kind::Submodule => Ok(Committed::NoFile),
        // It leads out of the repository.
        Kind::Link => Ok(Committed::Apart),
        _ if locked.sampled => Ok(Committed::Apart),
        _ => {
            let bytes = tree.repository.content(entry)?;
            let digest = Digest::of(&bytes);
            let stands_for = tree.objects().stands_for(&place, &bytes)?;
            let is_same = digest == locked.digest
                || stands_for.is_some_and(|file| (file.digest, file.bytes) == (locked.digest, locked.bytes));
            Ok(Committed::As(if is_same {
                locked.clone()
            } else {
                DataFile::new(digest, bytes.len() as u64)
            }))
        }
    }
}

/// The links in declared directories, as far as these are committed.
fn data_links(
    tree: Tree<'_>,
    locked: &Data,
    declared: &Declared,
    committed: &BTreeMap<String, Entry>,
) -> Result<BTreeMap<String, String>> {
    let mut links = locked.links.clone();
    let prefix = tree.path("");
    for (path, entry) in committed {
        let Some(inner) = path.strip_prefix(&prefix) else {
            continue;
        };
        if entry.kind != Kind::Link {
            links.remove(inner); // a file, where a link was
            continue;
        }
        // A declared path may be a link itself: then what it leads to is the data.
        let is_within = |data: &String| data.trim_end_matches('/') != inner && is_declared(data, inner);
        if declared.paths.iter().any(is_within) {
            let target = String::from_utf8_lossy(&tree.repository.content(*entry)?).into_owned();
            // Of an absolute target the lock has what it is within the data.
            if !(target.starts_with('/') && links.contains_key(inner)) {
                links.insert(inner.to_owned(), target);
            }
        }
    }
    Ok(links)
}

/// Data that the manifest declares and the lock does not know.
pub(super) fn undeclared(locked: &Snapshot, manifest: &Manifest) -> Vec<Drift> {
    let unknown = manifest.data.iter().filter(|(name, _)| !locked.data.contains_key(*name));
    let change = |(name, declared): (&String, &Declared)| {
        Drift::Manifest(Change {
            name: format!("data.{name}"),
            locked: None,
            found: Some(listed(&declared.paths)),
        })
    };
    unknown.map(change).collect()
}

/// Committed files in declared data that the lock does not know.
pub(super) fn added(
    tree: Tree<'_>,
    committed: &BTreeMap<String, Entry>,
    locked: &Snapshot,
    manifest: &Manifest,
) -> Result<Vec<Drift>> {
    let prefix = tree.path("");
    let mut added = Vec::new();
    for (name, declared) in &manifest.data {
        let Some(locked) = locked.data.get(name) else {
            continue;
        };
        let known: BTreeSet<String> = locked.files.all().iter().map(|(path, _)| path.clone()).collect();
        for (path, entry) in committed {
            let Some(inner) = path.strip_prefix(&prefix).filter(|inner| !known.contains(*inner)) else {
                continue;
            };
            let is_link = entry.kind == Kind::Link || locked.links.contains_key(inner);
            if !is_link && entry.kind != Kind::Submodule && declared.paths.iter().any(|data| is_declared(data, inner)) {
                added.push(Drift::DataAdded {
                    name: name.clone(),
                    path: inner.to_owned(),
                    found: Digest::of(tree.repository.content(*entry)?),
                });
            }
        }
    }
    Ok(added)
}
