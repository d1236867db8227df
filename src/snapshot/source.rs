//! The source closure: the files that can reach the program. Which they are is known exactly only
//! after a build (rustc's dep-info names them), so a lock keeps the list; this file digests a list at a
//! commit, compares it with the work tree, and knows the files that matter before any build.

pub mod looks;
pub mod tree;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::cache::Cache;
use crate::digest::Digest;
use crate::error::{Error, IoContext as _, Result};
use crate::project::package::Package;
use crate::project::repository::{Commit, Entry, Kind, Repository};

pub use looks::{Closure, Looks};
pub use tree::{Form, Tree, submodule_above};

/// The source closure at a commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The commit.
    pub commit: String,
    /// A tag that points exactly to it; the first by name if there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// The tree digest of `files`.
    pub closure: Digest,
    /// Submodules that hold files of the closure, with the commit that the tree names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub submodules: BTreeMap<String, String>,
    /// Variables of the environment that the compiler and build scripts asked for (`env!`, `option_env!`,
    /// `rerun-if-env-changed`). Their values are those of the pinned environment, where most are not set.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variables: Vec<String>,
    /// What was looked for in vain, and what was listed; none in a lock from before this was watched, or from where
    /// it could not be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub looks: Option<Looks>,
    /// What of `files` is no regular file; none in a lock from before this was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forms: Option<BTreeMap<String, Form>>,
    /// Each file's digest by its path from the top of the repository; `../` leads to path dependencies
    /// outside it.
    pub files: BTreeMap<String, Digest>,
}

/// A file of the work tree that is not as committed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dirty {
    /// Its path from the top of the repository.
    pub path: String,
    /// What was done to it.
    pub how: Edit,
}

/// How a file of the work tree differs from the commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Edit {
    /// Its content differs.
    Modified,
    /// It is not there.
    Deleted,
    /// The commit does not have it.
    Untracked,
}

impl Edit {
    /// The word for people.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Modified => "modified",
            Self::Deleted => "deleted",
            Self::Untracked => "not committed",
        }
    }
}

impl Source {
    /// Observes a closure as the commit has it; a file that it does not have is left out. `is_apart` names what is
    /// no source though it lies among them, by its path from the top: outputs, data, the lock.
    ///
    /// # Errors
    /// When git's objects or a path dependency cannot be read.
    pub fn observe(tree: Tree<'_>, closure: &Closure, is_apart: &dyn Fn(&str) -> bool) -> Result<Self> {
        let mut digests = BTreeMap::new();
        let mut forms = BTreeMap::new();
        let mut submodules = BTreeMap::new();
        // Where there was nothing, there may be something now.
        for path in closure.files.iter().chain(&closure.absent).chain(&closure.made) {
            if let Some(content) = tree.read(path)? {
                digests.insert(path.clone(), Digest::of(content));
                forms.extend(tree.form(path).map(|form| (path.clone(), form)));
                submodules.extend(tree.submodule_of(path));
            }
        }
        Ok(Self {
            commit: tree.commit.to_string(),
            tag: tree.repository.tags_at(tree.commit)?.into_iter().next(),
            closure: Digest::of_tree(digests.values()),
            submodules,
            variables: Vec::new(),
            looks: Some(Looks::observe(tree, closure, is_apart)?),
            forms: Some(forms),
            files: digests,
        })
    }
}

/// Digests `files` as the work tree has them, for a recording that is marked as dirty.
///
/// # Errors
/// When a file cannot be read.
pub fn observe_work_tree(repository: &Repository, commit: Commit, files: &BTreeSet<String>) -> Result<Source> {
    let mut digests = BTreeMap::new();
    for path in files {
        let place = repository.root().join(path);
        if place.is_file() {
            digests.insert(path.clone(), Digest::of_file(&place)?.0);
        }
    }
    Ok(Source {
        commit: commit.to_string(),
        tag: None,
        closure: Digest::of_tree(digests.values()),
        submodules: BTreeMap::new(),
        variables: Vec::new(),
        // Such a lock is one to look at, and not to verify by.
        looks: None,
        forms: None,
        files: digests,
    })
}

/// What of a closure is not in the work tree as the commit has it. Files outside the repository are
/// not asked about: no commit of it has them. `is_apart` is as in [`Source::observe`].
///
/// # Errors
/// When git's objects or the work tree cannot be read.
pub fn dirty(
    tree: Tree<'_>,
    closure: &Closure,
    is_apart: &dyn Fn(&str) -> bool,
    cache: &mut Cache,
) -> Result<Vec<Dirty>> {
    let repository = tree.repository;
    let mut dirty = looks::dirty(tree, closure, is_apart)?;
    let files = closure.files.iter().chain(&closure.absent);
    for path in files.filter(|path| !path.starts_with("../")) {
        let place = repository.root().join(path);
        let committed = tree.read(path)?;
        let is_link = place.symlink_metadata().is_ok_and(|meta| meta.is_symlink());
        let found = if is_link {
            let target = std::fs::read_link(&place).at("read", &place)?;
            Some(Digest::of(target.as_os_str().as_encoded_bytes()))
        } else if place.is_file() {
            Some(cache.digest(&place)?.0)
        } else {
            None
        };
        let how = match (committed, found) {
            (Some(content), Some(digest)) if Digest::of(&content) == digest => continue,
            // Committed by Git LFS: the commit has a pointer to the file that is here.
            (Some(content), Some(digest)) if is_pointer_to(tree, path, &content, digest)? => continue,
            (Some(content), Some(_)) if !is_link && repository.has_turned(path, &content) => continue,
            (Some(_), Some(_)) => Edit::Modified,
            (Some(_), None) => Edit::Deleted,
            (None, Some(_)) if !is_essential(path) && repository.is_ignored(Path::new(path)) => continue,
            (None, Some(_)) => Edit::Untracked,
            (None, None) => continue,
        };
        dirty.push(Dirty {
            path: path.clone(),
            how,
        });
    }
    dirty.sort();
    dirty.dedup_by(|one, other| one.path == other.path);
    Ok(dirty)
}

fn is_pointer_to(tree: Tree<'_>, path: &str, content: &[u8], digest: Digest) -> Result<bool> {
    Ok(tree.stands_for(path, content)?.is_some_and(|pointer| pointer.digest == digest))
}

/// Whether a run cannot do without it, so that a checkout must have it even where git ignores it.
fn is_essential(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    ["Cargo.lock", "Cargo.toml", crate::project::manifest::FILE].contains(&name)
}

/// A path from the top of the repository, as locks write it.
///
/// # Errors
/// When it is not UTF-8.
pub fn relative(root: &Path, path: &Path) -> Result<String> {
    let common = root.components().zip(path.components()).take_while(|(a, b)| a == b).count();
    let mut relative = PathBuf::new();
    relative.extend(root.components().skip(common).map(|_| Component::ParentDir));
    relative.extend(path.components().skip(common));
    relative.to_str().map(str::to_owned).ok_or_else(|| Error::not_text(path))
}

/// Manifests, pins and cargo configuration that reach every program of the package, whether they
/// exist or not: one that appears is a change. Cargo.lock is not among them; its packages are recorded
/// one by one.
///
/// # Errors
/// When a path is not UTF-8.
pub fn ruling_files(repository: &Repository, package: &Package) -> Result<BTreeSet<String>> {
    let root = repository.root();
    let mut paths = vec![package.workspace.join("Cargo.toml")];
    for local in &package.local {
        paths.push(local.directory.join("Cargo.toml"));
        paths.push(local.directory.join("build.rs"));
    }
    let inside = package.directory.ancestors().take_while(|above| above.starts_with(root));
    for directory in inside {
        let names = [
            "rust-toolchain.toml",
            "rust-toolchain",
            ".cargo/config.toml",
            ".cargo/config",
        ];
        paths.extend(names.map(|name| directory.join(name)));
    }
    paths.extend(package.configuration.iter().cloned());
    paths.iter().map(|path| relative(root, path)).collect()
}

/// The committed files of packages that are vendored in the repository, which cargo takes as they are, and what a local
/// registry in it says of the packages; their archives are known by the checksums in Cargo.lock.
///
/// # Errors
/// When git's objects cannot be read.
pub fn vendored_files(repository: &Repository, commit: Commit, package: &Package) -> Result<BTreeSet<String>> {
    let root = repository.root();
    let vendored = package.remote.iter().filter(|remote| remote.directory.starts_with(root));
    let prefixes: Vec<String> = vendored
        .map(|remote| relative(root, &remote.directory).map(|path| path + "/"))
        .collect::<Result<_>>()?;
    let entries = index_entries(root, package)?;
    if prefixes.is_empty() && entries.is_empty() {
        return Ok(BTreeSet::new());
    }
    let files = repository.entries(commit)?;
    let counts =
        |path: &&String| entries.contains(*path) || prefixes.iter().any(|prefix| path.starts_with(prefix.as_str()));
    Ok(files.keys().filter(counts).cloned().collect())
}

/// The entries of local registries in the repository.
fn index_entries(root: &Path, package: &Package) -> Result<BTreeSet<String>> {
    let inside = package.registries.iter().filter(|registry| registry.directory.starts_with(root));
    let entries = inside.flat_map(|registry| package.remote.iter().map(|remote| registry.entry(&remote.name)));
    entries.map(|entry| relative(root, &entry)).collect()
}

/// The files of the vendored packages that a lock's list knows, as the commit has them: one that came to such a
/// package is a part of it like any other.
///
/// # Errors
/// When git's objects cannot be read.
pub fn vendored_beside<'a>(tree: Tree<'_>, files: impl IntoIterator<Item = &'a String>) -> Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    let packages = files.into_iter().filter_map(|path| path.strip_suffix("/.cargo-checksum.json"));
    for package in packages.filter(|package| !package.starts_with("../")) {
        found.extend(tree.below(package)?);
    }
    Ok(found)
}

/// The files that may reach the program, as far as that can be known before a build: what rules it,
/// and every file beside the roots of the local packages. More than the closure, never less of what a
/// user edits.
///
/// # Errors
/// When a directory cannot be read, or a path is not UTF-8.
pub fn candidates(repository: &Repository, commit: Commit, package: &Package) -> Result<BTreeSet<String>> {
    let mut files = ruling_files(repository, package)?;
    files.insert(relative(repository.root(), &package.workspace.join("Cargo.lock"))?);
    let mut directories = BTreeSet::new();
    for local in &package.local {
        for source in &local.roots {
            files.insert(relative(repository.root(), source)?);
            directories.extend(source.parent().filter(|parent| *parent != local.directory).map(Path::to_path_buf));
        }
    }
    for directory in &directories {
        collect(directory, repository.root(), &mut files)?;
    }
    let prefixes: Vec<String> = directories
        .iter()
        .map(|directory| relative(repository.root(), directory).map(|path| path + "/"))
        .collect::<Result<_>>()?;
    let committed = repository.entries(commit)?;
    let inside = |path: &&String| prefixes.iter().any(|prefix| path.starts_with(prefix.as_str()));
    files.extend(committed.keys().filter(inside).cloned());
    Ok(files)
}

/// Every file below a directory.
fn collect(directory: &Path, root: &Path, files: &mut BTreeSet<String>) -> Result<()> {
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(Error::io("read", directory, &error)),
    };
    for entry in entries {
        let entry = entry.at("read", directory)?;
        let path = entry.path();
        if entry.file_type().at("look at", &path)?.is_dir() {
            collect(&path, root, files)?;
        } else if path.to_str().is_some() {
            // No source can name another.
            files.insert(relative(root, &path)?);
        }
    }
    Ok(())
}

/// For programs that cargo does not build, nothing says which files they read; so every committed file
/// of the package (by its directory from the top) counts, save for prose and for what `is_apart` names (data, outputs, the lock).
///
/// # Errors
/// When git's objects cannot be read.
pub fn whole_package(
    repository: &Repository,
    commit: Commit,
    package: &str,
    is_apart: impl Fn(&str) -> bool,
) -> Result<BTreeSet<String>> {
    let files = repository.entries(commit)?;
    let counts = |path: &String, entry: Entry| entry.kind != Kind::Submodule && is_of_package(package, path, &is_apart);
    Ok(files
        .iter()
        .filter(|(path, entry)| counts(path, **entry))
        .map(|(path, _)| path.clone())
        .collect())
}

/// A path from the top of the repository as one from the package in this directory; none if it lies elsewhere.
#[must_use]
pub fn inner<'a>(package: &str, path: &'a str) -> Option<&'a str> {
    match package {
        "" => Some(path),
        package => path.strip_prefix(package)?.strip_prefix('/'),
    }
}

/// Whether a file of the repository counts as one of the package for this.
pub fn is_of_package(package: &str, path: &str, is_apart: &impl Fn(&str) -> bool) -> bool {
    let prose = |path: &str| {
        let path = Path::new(path);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        path.extension().is_some_and(|ending| ending == "md") || name.starts_with("LICENSE") || name.starts_with(".git")
    };
    inner(package, path).is_some_and(|inner| !prose(inner) && !is_apart(inner))
}
