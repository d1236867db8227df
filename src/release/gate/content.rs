//! The tagged commit against the lock in it: whether the files that can reach the model are those that the lock
//! pins. Read from git's objects alone, without a work tree, a toolchain or a build, so that a server can do
//! it. What differs is the same [`Drift`] as everywhere.

mod data;
mod declared;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::packages;
use crate::compare::drift::Change;
use crate::compare::{Drift, drift};
use crate::digest::Digest;
use crate::error::Result;
use crate::lockfile::Lockfile;
use crate::outcome::{Artifact, Cut};
use crate::project::cargo_config;
use crate::project::lfs::Pointer;
use crate::project::manifest::Manifest;
use crate::project::repository::{Commit, Entry, Kind, Repository};
use crate::snapshot::source::tree::join;
use crate::snapshot::source::{self, Closure, Looks, Source};
use crate::snapshot::toolchain::pin;
use crate::snapshot::{Build, Dependencies, Environment, Snapshot, Stage};
use crate::verdict::{self, NotChecked};

pub use declared::declared_otherwise;

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
        join(self.package, inner)
    }

    /// What the commit holds.
    #[must_use]
    pub fn objects(&self) -> source::Tree<'_> {
        source::Tree::new(self.repository, self.commit)
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

/// What the commit has that the lock does not pin so, and what could not be told from the commit.
///
/// # Errors
/// When git's objects cannot be read.
pub fn differences(tree: Tree<'_>, lock: &Lockfile, manifest: &Manifest) -> Result<(Vec<Drift>, Vec<NotChecked>)> {
    let mut not_checked = Vec::new();
    let locked = &lock.snapshot;
    let committed = tree.repository.entries(tree.commit)?;
    let mut found = Snapshot {
        seed: manifest.seed,
        params: manifest.params.clone(),
        determinism: manifest.determinism,
        isolation: manifest.isolation,
        stages: manifest.stages.iter().map(|(name, stage)| (name.clone(), Stage::from(stage))).collect(),
        source: sources(tree, locked, manifest, &mut not_checked)?,
        data: data::observe(tree, &committed, locked, manifest, &mut not_checked)?,
        // Variables that pass have their values from the machine that recorded; all others are the manifest's.
        environment: Environment::of(&manifest.environment, |name| {
            Ok(locked.environment.variables.get(name).cloned())
        })?,
        build: Build {
            profile: manifest.build.profile.clone(),
            // Which are on follows from files and from what the manifest asks for: see `declared_otherwise`.
            features: locked.build.features.clone(),
            // These follow from files, which are compared as sources.
            target: locked.build.target.clone(),
            rustflags: locked.build.rustflags.clone(),
            settings: locked.build.settings.clone(),
            config: locked.build.config.clone(),
        },
        // Those of the commit take its place below.
        dependencies: locked.dependencies.clone(),
        // These are a machine's, and no commit has them.
        toolchain: locked.toolchain.clone(),
        platform: locked.platform.clone(),
    };
    let mut differences = Vec::new();
    let workspace = packages::workspace(tree)?;
    match tree.read(&join(&workspace, "Cargo.lock"))?.map(|bytes| Dependencies::from_bytes(&bytes)) {
        Some(Ok(dependencies)) => found.dependencies = dependencies,
        _ => differences.push(Drift::Source(Change {
            name: "Cargo.lock".to_owned(),
            locked: Some(locked.dependencies.lock.to_string()),
            found: None,
        })),
    }
    not_checked.extend(verdict::left_out(&locked.stages));
    differences.splice(0..0, drift(locked, &found));
    differences.extend(data::undeclared(locked, manifest));
    differences.extend(data::added(tree, &committed, locked, manifest)?);
    differences.extend(artifacts(tree, lock, &mut not_checked)?);
    Ok((differences, not_checked))
}

/// The first file of the closure that a commit does not have as the lock pins it.
///
/// # Errors
/// When git's objects cannot be read.
pub fn first_other_source(tree: Tree<'_>, locked: &Snapshot) -> Result<Option<String>> {
    for (path, digest) in locked.source.files.iter().filter(|(path, _)| !path.starts_with("../")) {
        let is_same = match in_submodule(tree, path) {
            Some((name, commit)) => locked.source.submodules.get(&name) == Some(&commit),
            None => tree.read(path)?.map(Digest::of) == Some(*digest),
        };
        if !is_same {
            return Ok(Some(path.clone()));
        }
    }
    Ok(None)
}

/// The closure as the commit has it.
fn sources(
    tree: Tree<'_>,
    locked: &Snapshot,
    manifest: &Manifest,
    not_checked: &mut Vec<NotChecked>,
) -> Result<Source> {
    let locked_source = &locked.source;
    let mut closure = closure(tree, locked, manifest)?;
    let objects = tree.objects();
    let mut found = Source {
        files: BTreeMap::new(),
        forms: Some(BTreeMap::new()),
        submodules: BTreeMap::new(),
        ..locked_source.clone()
    };
    let forms = found.forms.get_or_insert_default();
    // What is not in this repository is as it is pinned elsewhere: of a submodule by its commit.
    let mut elsewhere = |path: &str| match in_submodule(tree, path) {
        Some((name, commit)) => {
            found.submodules.insert(name, commit);
            true
        }
        None => path.starts_with("../"),
    };
    let mut outside = Vec::new();
    for path in std::mem::take(&mut closure.files) {
        if elsewhere(&path) {
            outside.extend(path.starts_with("../").then(|| path.clone()));
            let form = locked_source.forms.iter().flatten().find(|(other, _)| **other == path);
            forms.extend(form.map(|(path, form)| (path.clone(), *form)));
            found.files.extend(locked_source.files.get(&path).map(|digest| (path, *digest)));
        } else if let Some(bytes) = tree.read(&path)? {
            forms.extend(objects.form(&path).map(|form| (path.clone(), form)));
            found.files.insert(path, Digest::of(bytes));
        }
    }
    if let Some(locked) = &locked_source.looks {
        let (kept, asked) = parted(locked, closure, &mut elsewhere);
        let is_apart = |path: &str| manifest.is_apart_in(tree.package, path);
        let mut looks = Looks::observe(objects, &asked, &is_apart)?;
        looks.absent.extend(kept.absent);
        looks.made.extend(kept.made);
        looks.listed.extend(kept.listed);
        found.looks = Some(looks);
    }
    not_checked.extend(verdict::lacking(locked_source));
    if !outside.is_empty() {
        let why = format!("outside the repository, which no commit of it holds: {}", outside.join(", "));
        not_checked.push(NotChecked::new("source", why));
    }
    Ok(found)
}

/// What the lock knows, and what would rule a build, or be a part of a package, if it appeared.
fn closure(tree: Tree<'_>, locked: &Snapshot, manifest: &Manifest) -> Result<Closure> {
    let known = &locked.source.files;
    let mut ruling: BTreeSet<String> = ruling(tree, locked).into_iter().collect();
    ruling.insert(join(&packages::workspace(tree)?, "Cargo.toml"));
    let mut closure = Closure::of(ruling).behind_links(tree.objects());
    closure.files.extend(known.keys().cloned());
    closure.files.extend(source::vendored_beside(tree.objects(), known.keys())?);
    if manifest.runs_commands() {
        let apart = |path: &str| manifest.is_apart(path);
        closure
            .files
            .extend(source::whole_package(tree.repository, tree.commit, tree.package, apart)?);
    }
    if let Some(looks) = &locked.source.looks {
        closure.extend_with(looks);
        // Where there was nothing, there may be a file now.
        closure.files.extend(looks.absent.iter().chain(&looks.made).cloned());
    }
    Ok(closure)
}

/// What of a lock's looks is elsewhere, and stays as it is; and what is to be asked of the commit.
fn parted(locked: &Looks, closure: Closure, elsewhere: &mut impl FnMut(&str) -> bool) -> (Looks, Closure) {
    let (mut kept, mut asked) = (Looks::default(), Closure::default());
    (kept.absent, asked.absent) = closure.absent.into_iter().partition(|path| elsewhere(path));
    (kept.made, asked.made) = closure.made.into_iter().partition(|path| elsewhere(path));
    for directory in closure.listed {
        if elsewhere(&directory) {
            kept.listed.extend(locked.listed.get(&directory).map(|names| (directory, names.clone())));
        } else {
            asked.listed.insert(directory);
        }
    }
    (kept, asked)
}

/// Files that would rule a build if they appeared: those that cargo and rustup find by walking up from the
/// package, and the build scripts of its local packages.
fn ruling(tree: Tree<'_>, locked: &Snapshot) -> Vec<String> {
    let mut paths = Vec::new();
    for above in Path::new(tree.package).ancestors() {
        paths.extend(pin::files(above).chain(cargo_config::places(above)));
    }
    let manifests = locked.source.files.keys().filter(|path| path.ends_with("Cargo.toml"));
    paths.extend(manifests.map(|path| Path::new(path).with_file_name("build.rs")));
    paths.into_iter().map(|path| path.to_string_lossy().into_owned()).collect()
}

fn in_submodule(tree: Tree<'_>, path: &str) -> Option<(String, String)> {
    source::submodule_above(tree.repository, tree.commit, path).map(|(name, entry)| (name, entry.id()))
}

/// Committed artifacts that are none of the recorded ones.
fn artifacts(tree: Tree<'_>, lock: &Lockfile, not_checked: &mut Vec<NotChecked>) -> Result<Vec<Drift>> {
    let mut tampered = Vec::new();
    for (stage, outcome) in &lock.outcome {
        for (path, locked) in &outcome.artifacts {
            let place = tree.path(path);
            let Some(entry) = tree.repository.entry(tree.commit, Path::new(&place)) else {
                not_checked.push(NotChecked::new("artifact", format!("{path} is not in the tagged commit")));
                continue;
            };
            let cut = lock.snapshot.stages.get(stage).and_then(|stage| stage.cut(path));
            let Some(found) = artifact(tree, &place, entry, cut)? else {
                let why = format!("{path} is a Git LFS pointer, which tells nothing of the part that is compared");
                not_checked.push(NotChecked::new("artifact", why));
                continue;
            };
            let mut recorded =
                lock.classes_known().filter_map(|(_, _, outcome)| outcome.get(stage)?.artifacts.get(path));
            if !recorded.any(|recorded| *recorded == found) {
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

/// What a commit has in an artifact's place: a file, or a pointer to it; a link or a submodule is no artifact,
/// wherever it leads. None where a part is left out of what a pointer stands for.
fn artifact(tree: Tree<'_>, place: &str, entry: Entry, cut: Option<Cut<'_>>) -> Result<Option<Artifact>> {
    if matches!(entry.kind, Kind::Link | Kind::Submodule) {
        return Ok(Some(Artifact {
            digest: Digest::of("no regular file"), // nor could one of no bytes have it
            bytes: 0,
        }));
    }
    let bytes = tree.repository.content(entry)?;
    Ok(match (cut, tree.objects().stands_for(place, &bytes)?) {
        (None, Some(Pointer { digest, bytes })) => Some(Artifact { digest, bytes }),
        (Some(_), Some(_)) => None,
        (Some(cut), None) => Some(cut.artifact(&bytes)),
        (None, None) => Some(Artifact::of(&bytes)),
    })
}
