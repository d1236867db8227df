//! What a training depends on, as few enough patterns that a person reads them: more than the files of the lock,
//! never less. A file that is new beside them counts too.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path};

use crate::lockfile::{self, Lockfile};
use crate::project::manifest::{self, Manifest};

/// Something in the repository, from its top.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Input {
    /// One file.
    File(String),
    /// Every file whose path begins so, in that directory.
    Beginning(String),
    /// Every file below a directory; all of them if it is empty.
    Below(String),
    /// What a pattern of `[data]` matches: the directory of the package, and the pattern.
    Glob(String, String),
}

/// A package of the repository, by paths from its top.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Local {
    /// Its directory.
    pub directory: String,
    /// The root files of its targets.
    pub roots: Vec<String>,
}

/// A declared path of data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// As declared, from the package's directory.
    pub path: String,
    /// What is there.
    pub shape: Shape,
    /// Whether DVC keeps it.
    pub dvc: bool,
    /// Where a link that stands there leads in the repository, from its top.
    pub target: Option<String>,
}

/// What a declared path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One file.
    File,
    /// All files of a directory.
    Directory,
    /// What a pattern matches.
    Glob,
}

/// GitLab looks at no more than 50 patterns; a few are left for the pipeline's own files.
const MOST: usize = 45;

/// So many files beside each other, in a directory that is no package's, are taken for all of it.
const MANY: usize = 8;

/// The inputs of a package: by its lock, or else as far as its manifest and its workspace tell.
#[must_use]
pub fn inputs(
    directory: &str,
    workspace: &str,
    manifest: &Manifest,
    lock: Option<&Lockfile>,
    (locals, places): (&[Local], &[Place]),
) -> Vec<Input> {
    let mut fixed = ruling(directory, workspace);
    fixed.extend(declared(directory, places));
    let sources = match lock {
        Some(lock) => of_closure(lock),
        None if manifest.runs_commands() => BTreeSet::from([Input::Below(directory.to_owned())]),
        None => locals.iter().flat_map(of_package).collect(),
    };
    let all = without_covered(fixed.union(&sources).cloned().collect());
    if all.len() <= MOST {
        return all.into_iter().collect();
    }
    let coarse: BTreeSet<Input> = all.into_iter().map(coarse).collect();
    let coarse = without_covered(coarse);
    if coarse.len() <= MOST {
        coarse.into_iter().collect()
    } else {
        vec![Input::Below(String::new())]
    }
}

/// Joins two paths of the repository.
#[must_use]
pub fn join(directory: &str, name: &str) -> String {
    match (directory, name) {
        ("", name) => name.to_owned(),
        (directory, "") => directory.to_owned(),
        (directory, name) => format!("{directory}/{name}"),
    }
}

/// A path of the package from the top of the repository; none if it leads out of it.
#[must_use]
pub fn from_top(directory: &str, path: &str) -> Option<String> {
    let (directory, path) = straight(directory, path)?;
    Some(join(&directory, &path))
}

/// The same of a pattern, without `.` and `..`: what of the directory is left, which is a name and no pattern, and
/// the pattern in it.
#[must_use]
pub fn straight(directory: &str, pattern: &str) -> Option<(String, String)> {
    let mut above: Vec<&str> = directory.split('/').filter(|part| !part.is_empty()).collect();
    let mut parts: Vec<&str> = Vec::new();
    for component in Path::new(pattern).components() {
        match component {
            Component::CurDir => {}
            Component::Normal(part) => parts.push(part.to_str()?),
            Component::ParentDir => drop(parts.pop().or_else(|| above.pop())?),
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some((above.join("/"), parts.join("/")))
}

/// Files that rule every build and training of the package.
fn ruling(directory: &str, workspace: &str) -> BTreeSet<Input> {
    let mut found = BTreeSet::new();
    found.extend([manifest::FILE, lockfile::FILE].map(|name| Input::File(join(directory, name))));
    found.extend(["Cargo.toml", "Cargo.lock"].map(|name| Input::File(join(workspace, name))));
    let mut above = Some(directory);
    while let Some(here) = above {
        // Cargo looks for the workspace upwards, and takes one that is new.
        found.insert(Input::File(join(here, "Cargo.toml")));
        found.insert(Input::Beginning(join(here, "rust-toolchain")));
        // By these git may write other bytes into a work tree, and then into the data.
        found.insert(Input::File(join(here, ".gitattributes")));
        found.insert(Input::Below(join(here, ".cargo")));
        above = match here.rsplit_once('/') {
            Some((parent, _)) => Some(parent),
            None if here.is_empty() => None,
            None => Some(""),
        };
    }
    found
}

/// What the manifest declares as data.
fn declared(directory: &str, places: &[Place]) -> BTreeSet<Input> {
    let mut found = BTreeSet::new();
    for declared in places {
        let Some(path) = from_top(directory, &declared.path) else {
            continue; // outside the repository, where no commit changes it
        };
        if declared.dvc {
            found.insert(Input::File(format!("{path}.dvc")));
        }
        found.insert(match declared.shape {
            Shape::File => Input::File(path),
            Shape::Directory => Input::Below(path),
            Shape::Glob => match straight(directory, &declared.path) {
                Some((directory, pattern)) => Input::Glob(directory, pattern),
                None => continue,
            },
        });
        found.extend(declared.target.iter().map(|target| match declared.shape {
            Shape::Directory => Input::Below(target.clone()),
            Shape::File | Shape::Glob => Input::File(target.clone()),
        }));
    }
    found
}

/// The files of the lock's closure, by the directories of their packages.
fn of_closure(lock: &Lockfile) -> BTreeSet<Input> {
    let source = &lock.snapshot.source;
    let files: Vec<&str> = source.files.keys().map(String::as_str).filter(|path| !path.starts_with("../")).collect();
    let packages: BTreeSet<&str> = files.iter().filter_map(|path| directory_of_manifest(path)).collect();
    let mut found: BTreeSet<Input> = source.submodules.keys().cloned().map(Input::File).collect();
    found.extend(packages.iter().map(|package| build_script(package)));
    let mut scattered: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for path in files {
        let package = packages
            .iter()
            .filter(|package| is_below(path, package))
            .max_by_key(|package| package.len());
        let inner = package.map(|package| path[package.len()..].trim_start_matches('/'));
        match (package, inner.and_then(|inner| inner.split_once('/'))) {
            (Some(package), Some((first, _))) => drop(found.insert(Input::Below(join(package, first)))),
            (Some(_), None) => drop(found.insert(Input::File(path.to_owned()))),
            (None, _) => {
                let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
                scattered.entry(directory).or_default().push(path);
            }
        }
    }
    for (directory, paths) in scattered {
        if paths.len() > MANY && !directory.is_empty() {
            found.insert(Input::Below(directory.to_owned()));
        } else {
            found.extend(paths.into_iter().map(|path| Input::File(path.to_owned())));
        }
    }
    found
}

/// What cargo runs before the build of a package once it is there, though no manifest names it.
fn build_script(package: &str) -> Input {
    Input::File(join(package, "build.rs"))
}

fn directory_of_manifest(path: &str) -> Option<&str> {
    let above = path.strip_suffix("Cargo.toml")?;
    above.is_empty().then_some("").or_else(|| above.strip_suffix('/'))
}

/// A package whose closure nobody has seen yet: its manifest, its build script, and the directories that its targets begin in.
fn of_package(local: &Local) -> BTreeSet<Input> {
    let beside = |root: &String| {
        let inner = root.strip_prefix(&local.directory).map(|inner| inner.trim_start_matches('/'));
        match inner.and_then(|inner| inner.split_once('/')) {
            Some((first, _)) if is_below(root, &local.directory) => Input::Below(join(&local.directory, first)),
            _ => Input::File(root.clone()),
        }
    };
    let manifest = Input::File(join(&local.directory, "Cargo.toml"));
    let unasked = [manifest, build_script(&local.directory)];
    unasked.into_iter().chain(local.roots.iter().map(beside)).collect()
}

fn is_below(path: &str, directory: &str) -> bool {
    directory.is_empty() || path.strip_prefix(directory).is_some_and(|rest| rest.starts_with('/'))
}

/// Without what another of them takes in already.
fn without_covered(all: BTreeSet<Input>) -> BTreeSet<Input> {
    let directories: Vec<String> = all
        .iter()
        .filter_map(|input| match input {
            Input::Below(directory) => Some(directory.clone()),
            _ => None,
        })
        .collect();
    let is_covered = |input: &Input| match input {
        Input::File(path) | Input::Beginning(path) => directories.iter().any(|above| is_below(path, above)),
        Input::Below(path) => directories.iter().any(|above| path != above && is_below(path, above)),
        Input::Glob(..) => false,
    };
    all.into_iter().filter(|input| !is_covered(input)).collect()
}

/// The same by the directory at the top.
fn coarse(input: Input) -> Input {
    let top = |path: &str| path.split_once('/').map(|(first, _)| Input::Below(first.to_owned()));
    match &input {
        Input::File(path) | Input::Beginning(path) | Input::Below(path) => top(path).unwrap_or(input),
        Input::Glob(directory, pattern) => top(&join(directory, pattern))
            .filter(|first| !matches!(first, Input::Below(name) if name.contains(['*', '?', '[', '.'])))
            .unwrap_or(input),
    }
}
