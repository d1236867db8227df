//! The tagged commit against the lock in it: whether the files that can reach the model are those that the lock
//! pins. Read from git's objects alone, without a work tree, a toolchain or a build, so that a server can do
//! it. What differs is the same [`Drift`] as everywhere.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::packages;
use crate::compare::drift::Change;
use crate::compare::{Drift, drift, listed};
use crate::digest::Digest;
use crate::error::Result;
use crate::lfs;
use crate::lockfile::Lockfile;
use crate::manifest::{Manifest, is_declared};
use crate::outcome::Artifact;
use crate::repository::{Commit, Kind, Repository};
use crate::snapshot::data::{DataFile, Files};
use crate::snapshot::source::{self, Source};
use crate::snapshot::{Data, Dependencies, Snapshot, Stage};
use crate::verdict::{self, NotChecked};

/// A package at a commit.
#[derive(Clone, Copy, Debug)]
pub struct Tree<'a> {
    /// The repository.
    pub repository: &'a Repository,
    /// The commit.
    pub commit: Commit,
    /// The package's directory from the top, empty for the top itself.
    pub package: &'a str,
}

impl Tree<'_> {
    /// A path of the package, from the top.
    #[must_use]
    pub fn path(&self, inner: &str) -> String {
        inside(self.package, inner)
    }

    /// The bytes of a file, by its path from the top; none if the commit has none.
    ///
    /// # Errors
    /// When git's objects cannot be read.
    pub fn read(&self, path: &str) -> Result<Option<Vec<u8>>> {
        match self.repository.entry(self.commit, Path::new(path)) {
            Some(entry) if entry.kind != Kind::Submodule => self.repository.content(entry).map(Some),
            _ => Ok(None),
        }
    }
}

/// A path in a directory, which is empty for the top.
pub(super) fn inside(directory: &str, inner: &str) -> String {
    if directory.is_empty() {
        inner.to_owned()
    } else {
        format!("{directory}/{inner}")
    }
}

/// What the commit has that the lock does not pin so, and what could not be told from the commit.
///
/// # Errors
/// When git's objects cannot be read.
pub fn differences(tree: Tree<'_>, lock: &Lockfile, manifest: &Manifest) -> Result<(Vec<Drift>, Vec<NotChecked>)> {
    let mut not_checked = Vec::new();
    let locked = &lock.snapshot;
    let mut found = Snapshot {
        seed: manifest.seed,
        params: manifest.params.clone(),
        determinism: manifest.determinism,
        isolation: manifest.isolation,
        stages: manifest.stages.iter().map(|(name, stage)| (name.clone(), Stage::from(stage))).collect(),
        source: sources(tree, locked, manifest, &mut not_checked)?,
        data: data(tree, locked, manifest, &mut not_checked)?,
        ..locked.clone()
    };
    found.build.profile.clone_from(&manifest.build.profile);
    // Variables that pass have their values from the machine; those that are set have them from the manifest.
    found.environment.variables.extend(manifest.environment.set.clone());
    let mut differences = Vec::new();
    let workspace = packages::workspace(tree)?;
    match tree
        .read(&inside(&workspace, "Cargo.lock"))?
        .map(|bytes| Dependencies::from_bytes(&bytes))
    {
        Some(Ok(dependencies)) => found.dependencies = dependencies,
        _ => differences.push(Drift::Source(Change {
            name: "Cargo.lock".to_owned(),
            locked: Some(locked.dependencies.lock.to_string()),
            found: None,
        })),
    }
    not_checked.extend(verdict::left_out(&locked.stages));
    differences.splice(0..0, drift(locked, &found));
    differences.extend(undeclared_data(locked, manifest));
    differences.extend(new_data(tree, locked, manifest)?);
    differences.extend(artifacts(tree, lock, &mut not_checked)?);
    Ok((differences, not_checked))
}

/// The first file of the closure that a commit does not have as the lock pins it.
///
/// # Errors
/// When git's objects cannot be read.
pub fn first_other_source(tree: Tree<'_>, locked: &Snapshot) -> Result<Option<String>> {
    for (path, digest) in locked.source.files.iter().filter(|(path, _)| !path.starts_with("../")) {
        if in_submodule(tree, path).is_none() && tree.read(path)?.map(Digest::of) != Some(*digest) {
            return Ok(Some(path.clone()));
        }
    }
    Ok(None)
}

/// The files of the closure as the commit has them.
fn sources(
    tree: Tree<'_>,
    locked: &Snapshot,
    manifest: &Manifest,
    not_checked: &mut Vec<NotChecked>,
) -> Result<Source> {
    let mut closure: BTreeSet<String> = locked.source.files.keys().cloned().collect();
    closure.extend(ruling(tree, locked));
    closure.insert(inside(&packages::workspace(tree)?, "Cargo.toml"));
    if manifest.runs_commands() {
        let apart = |path: &str| manifest.is_apart(path);
        closure.extend(source::whole_package(tree.repository, tree.commit, tree.package, apart)?);
    }
    let mut files = BTreeMap::new();
    let mut submodules = BTreeMap::new();
    let mut outside = Vec::new();
    for path in closure {
        let known = locked.source.files.get(&path);
        if path.starts_with("../") {
            outside.push(path.clone());
            files.extend(known.map(|digest| (path, *digest)));
        } else if let Some((name, commit)) = in_submodule(tree, &path) {
            // Its commit pins it; its files are in another repository.
            submodules.insert(name, commit);
            files.extend(known.map(|digest| (path, *digest)));
        } else if let Some(bytes) = tree.read(&path)? {
            files.insert(path, Digest::of(bytes));
        }
    }
    if !outside.is_empty() {
        let why = format!("outside the repository, which no commit of it holds: {}", outside.join(", "));
        not_checked.push(NotChecked::new("source", why));
    }
    Ok(Source {
        files,
        submodules,
        ..locked.source.clone()
    })
}

/// Files that would rule a build if they appeared: those that cargo and rustup find by walking up from the
/// package, and the build scripts of its local packages.
fn ruling(tree: Tree<'_>, locked: &Snapshot) -> Vec<String> {
    let mut paths = Vec::new();
    for above in Path::new(tree.package).ancestors() {
        let names = [
            "rust-toolchain.toml",
            "rust-toolchain",
            ".cargo/config.toml",
            ".cargo/config",
        ];
        paths.extend(names.map(|name| above.join(name)));
        // A link there may lead to any of the repository's directories.
        let directory = above.join(".cargo");
        let entry = tree.repository.entry(tree.commit, &directory);
        paths.extend(entry.filter(|entry| entry.kind == Kind::Link).map(|_| directory));
    }
    let manifests = locked.source.files.keys().filter(|path| path.ends_with("Cargo.toml"));
    paths.extend(manifests.map(|path| Path::new(path).with_file_name("build.rs")));
    paths.into_iter().map(|path| path.to_string_lossy().into_owned()).collect()
}

fn in_submodule(tree: Tree<'_>, path: &str) -> Option<(String, String)> {
    source::submodule_above(tree.repository, tree.commit, path).map(|(name, entry)| (name, entry.id()))
}

/// Declared data, as far as it is committed.
fn data(
    tree: Tree<'_>,
    locked: &Snapshot,
    manifest: &Manifest,
    not_checked: &mut Vec<NotChecked>,
) -> Result<BTreeMap<String, Data>> {
    let mut found = BTreeMap::new();
    for (name, locked) in &locked.data {
        let Some(declared) = manifest.data.get(name) else {
            continue;
        };
        let mut apart = Vec::new();
        let mut files = Vec::new();
        for (path, file) in locked.files.all().iter() {
            let place = tree.path(path);
            let is_link = tree
                .repository
                .entry(tree.commit, Path::new(&place))
                .is_some_and(|entry| entry.kind == Kind::Link);
            let as_committed = match tree.read(&place)? {
                Some(bytes) if !file.sampled && !is_link => committed(&bytes, file),
                _ => {
                    apart.push(path.clone());
                    file.clone()
                }
            };
            files.push((path.clone(), as_committed));
        }
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
        let as_locked = locked.files.all().as_ref() == files;
        let mut data = locked.clone();
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

fn committed(bytes: &[u8], locked: &DataFile) -> DataFile {
    let digest = Digest::of(bytes);
    if digest == locked.digest || lfs::stands_for(bytes) == Some(locked.digest) {
        locked.clone()
    } else {
        DataFile::new(digest, bytes.len() as u64)
    }
}

/// Data that the manifest declares and the lock does not know.
fn undeclared_data(locked: &Snapshot, manifest: &Manifest) -> Vec<Drift> {
    let unknown = manifest.data.iter().filter(|(name, _)| !locked.data.contains_key(*name));
    let change = |(name, declared): (&String, &crate::manifest::Declared)| {
        Drift::Manifest(Change {
            name: format!("data.{name}"),
            locked: None,
            found: Some(listed(&declared.paths)),
        })
    };
    unknown.map(change).collect()
}

/// Committed files in declared data that the lock does not know.
fn new_data(tree: Tree<'_>, locked: &Snapshot, manifest: &Manifest) -> Result<Vec<Drift>> {
    let prefix = tree.path("");
    let mut added = Vec::new();
    let mut entries = None;
    for (name, declared) in &manifest.data {
        let Some(locked) = locked.data.get(name) else {
            continue;
        };
        let known: BTreeSet<String> = locked.files.all().iter().map(|(path, _)| path.clone()).collect();
        let entries = match &entries {
            Some(entries) => entries,
            None => entries.insert(tree.repository.entries(tree.commit)?),
        };
        for (path, entry) in entries {
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

/// Committed artifacts that are none of the recorded ones.
fn artifacts(tree: Tree<'_>, lock: &Lockfile, not_checked: &mut Vec<NotChecked>) -> Result<Vec<Drift>> {
    let mut tampered = Vec::new();
    for (stage, outcome) in &lock.outcome {
        for (path, locked) in &outcome.artifacts {
            let Some(bytes) = tree.read(&tree.path(path))? else {
                not_checked.push(NotChecked::new("artifact", format!("{path} is not in the tagged commit")));
                continue;
            };
            let cut = lock.snapshot.stages.get(stage).and_then(|stage| stage.cut(path));
            let found = match (cut, lfs::stands_for(&bytes)) {
                (None, Some(digest)) => Artifact {
                    digest,
                    bytes: bytes.len() as u64,
                },
                (Some(_), Some(_)) => {
                    let why = format!("{path} is a Git LFS pointer, which tells nothing of the part that is compared");
                    not_checked.push(NotChecked::new("artifact", why));
                    continue;
                }
                (Some(cut), None) => cut.artifact(&bytes),
                (None, None) => Artifact::of(&bytes),
            };
            let mut recorded =
                lock.classes_known().filter_map(|(_, _, outcome)| outcome.get(stage)?.artifacts.get(path));
            if !recorded.any(|recorded| recorded.digest == found.digest) {
                tampered.push(Drift::ArtifactTampered {
                    stage: stage.clone(),
                    path: path.clone(),
                    locked: *locked,
                    found,
                });
            }
        }
    }
    Ok(tampered)
}
