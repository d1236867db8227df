//! The source closure: the files that can reach the program. Which they are is known exactly only
//! after a build (rustc's dep-info names them), so a lock keeps the list; this file digests a list at a
//! commit, compares it with the work tree, and knows the files that matter before any build.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::bounded;
use crate::digest::Digest;
use crate::error::{Error, IoContext as _, Result};
use crate::lfs;
use crate::memory::Memory;
use crate::package::Package;
use crate::repository::{Commit, Entry, Kind, Repository};

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
    /// Digests `files` as the commit has them; a file that it does not have is left out.
    ///
    /// # Errors
    /// When git's objects or a path dependency cannot be read.
    pub fn observe(repository: &Repository, commit: Commit, files: &BTreeSet<String>) -> Result<Self> {
        let mut digests = BTreeMap::new();
        let mut submodules = BTreeMap::new();
        let tree = Tree::new(repository, commit);
        for path in files {
            if let Some(content) = tree.read(path)? {
                digests.insert(path.clone(), Digest::of(content));
                submodules.extend(tree.submodule_of(path));
            }
        }
        Ok(Self {
            commit: commit.to_string(),
            tag: repository.tags_at(commit)?.into_iter().next(),
            closure: Digest::of_tree(digests.values()),
            submodules,
            variables: Vec::new(),
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
        files: digests,
    })
}

/// A commit's files, those of its submodules among them, and path dependencies outside the repository,
/// which no commit of it holds.
struct Tree<'a> {
    repository: &'a Repository,
    commit: Commit,
}

impl<'a> Tree<'a> {
    fn new(repository: &'a Repository, commit: Commit) -> Self {
        Self { repository, commit }
    }

    /// A regular file's content; `None` where the commit has none of that name.
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>> {
        if path.starts_with("../") {
            let outside = self.repository.root().join(path);
            return match bounded::bytes(&outside, bounded::HELD) {
                Ok(content) => Ok(Some(content)),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(Error::io("read", &outside, &error)),
            };
        }
        if let Some(entry) = self.repository.entry(self.commit, Path::new(path)) {
            return match entry.kind {
                Kind::Submodule => Ok(None),
                _ => self.repository.content(entry).map(Some),
            };
        }
        match self.submodule(path) {
            Some((name, entry)) => {
                let (inner, commit) = self.repository.submodule(&name, entry)?;
                let rest = path[name.len() + 1..].to_owned();
                Tree::new(&inner, commit).read(&rest)
            }
            None => Ok(None),
        }
    }

    fn submodule(&self, path: &str) -> Option<(String, Entry)> {
        submodule_above(self.repository, self.commit, path)
    }

    fn submodule_of(&self, path: &str) -> Option<(String, String)> {
        if path.starts_with("../") || self.repository.entry(self.commit, Path::new(path)).is_some() {
            return None;
        }
        self.submodule(path).map(|(name, entry)| (name, entry.id()))
    }
}

/// The submodule that a path of the commit lies in, by its own path.
#[must_use]
pub fn submodule_above(repository: &Repository, commit: Commit, path: &str) -> Option<(String, Entry)> {
    let above = Path::new(path).ancestors().skip(1).filter(|above| above.as_os_str() != "");
    above
        .filter_map(|above| Some((above.to_str()?.to_owned(), repository.entry(commit, above)?)))
        .find(|(_, entry)| entry.kind == Kind::Submodule)
}

/// Which of `files` are not in the work tree as the commit has them. Files outside the repository are
/// not asked about: no commit of it has them.
///
/// # Errors
/// When git's objects or the work tree cannot be read.
pub fn dirty(
    repository: &Repository,
    commit: Commit,
    files: &BTreeSet<String>,
    memory: &mut Memory,
) -> Result<Vec<Dirty>> {
    let tree = Tree::new(repository, commit);
    let mut dirty = Vec::new();
    for path in files.iter().filter(|path| !path.starts_with("../")) {
        let place = repository.root().join(path);
        let committed = tree.read(path)?;
        let is_link = place.symlink_metadata().is_ok_and(|meta| meta.is_symlink());
        let found = if is_link {
            let target = std::fs::read_link(&place).at("read", &place)?;
            Some(Digest::of(target.as_os_str().as_encoded_bytes()))
        } else if place.is_file() {
            Some(memory.digest(&place)?.0)
        } else {
            None
        };
        let how = match (committed, found) {
            (Some(content), Some(digest)) if Digest::of(&content) == digest => continue,
            // Committed by Git LFS: the commit has a pointer to the file that is here.
            (Some(content), Some(digest)) if lfs::stands_for(&content) == Some(digest) => continue,
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
    Ok(dirty)
}

/// Whether a run cannot do without it, so that a checkout must have it even where git ignores it.
fn is_essential(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    ["Cargo.lock", "Cargo.toml", crate::manifest::FILE].contains(&name)
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
    relative.to_str().map(str::to_owned).ok_or_else(|| {
        Error::new(format!("the name of {} is not UTF-8", path.display()))
            .hint("rename it; a lock is text and could not name it")
    })
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

/// The committed files of packages that are vendored in the repository: cargo takes them as they are.
///
/// # Errors
/// When git's objects cannot be read.
pub fn vendored_files(repository: &Repository, commit: Commit, package: &Package) -> Result<BTreeSet<String>> {
    let root = repository.root();
    let vendored = package.remote.iter().filter(|remote| remote.directory.starts_with(root));
    let prefixes: Vec<String> = vendored
        .map(|remote| relative(root, &remote.directory).map(|path| path + "/"))
        .collect::<Result<_>>()?;
    if prefixes.is_empty() {
        return Ok(BTreeSet::new());
    }
    let files = repository.entries(commit)?.into_keys();
    Ok(files
        .filter(|path| prefixes.iter().any(|prefix| path.starts_with(prefix.as_str())))
        .collect())
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
    let prefix = if package.is_empty() {
        String::new()
    } else {
        format!("{package}/")
    };
    let prose = |path: &str| {
        let path = Path::new(path);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        path.extension().is_some_and(|ending| ending == "md") || name.starts_with("LICENSE") || name.starts_with(".git")
    };
    let files = repository.entries(commit)?.into_iter().filter_map(|(path, entry)| {
        let inner = path.strip_prefix(&prefix)?;
        let counts = entry.kind != Kind::Submodule && !prose(inner) && !is_apart(inner);
        counts.then(|| path.clone())
    });
    Ok(files.collect())
}
