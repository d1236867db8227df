//! The border to git: which commit is checked out, what its tree holds, which tags point to it. Files
//! are compared by content, never by what `git status` believes, since `assume-unchanged` and
//! `git replace` hide edits. Nothing here writes to the repository, save for notes.

mod history;
mod notes;
mod start;
mod tags;
mod work_tree;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub use history::Version;
pub use start::{FirstCommit, commit_scratch, start};
pub use tags::{Annotation, Tagged, Target};

use crate::ambient;
use crate::error::{Error, IoContext as _, Result};

/// A repository with a work tree.
pub struct Repository {
    git: git2::Repository,
    root: PathBuf,
}

impl std::fmt::Debug for Repository {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Repository").field("root", &self.root).finish()
    }
}

/// The kinds of tree entry that a checkout needs to tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A regular file that may be executed.
    Executable,
    /// A symbolic link; its target is the blob.
    Link,
    /// A submodule; the id is a commit of another repository.
    Submodule,
}

/// A path's entry in a commit's tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub kind: Kind,
    id: git2::Oid,
}

impl Entry {
    /// The object id in hex.
    #[must_use]
    pub fn id(&self) -> String {
        self.id.to_string()
    }

    /// The object.
    #[must_use]
    pub fn object(&self) -> ObjectId {
        ObjectId(self.id)
    }
}

/// A commit by its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Commit(git2::Oid);

impl std::fmt::Display for Commit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// An object by its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectId(git2::Oid);

impl std::fmt::Display for ObjectId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl ObjectId {
    /// Reads 40 hex digits; none of all zeros, by which git says that there is no object.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let id = git2::Oid::from_str(text).ok()?;
        (text.len() == 40 && !id.is_zero()).then_some(Self(id))
    }

    /// Enough of it to tell two apart by eye.
    #[must_use]
    pub fn short(&self) -> String {
        self.to_string()[..12].to_owned()
    }
}

impl From<Commit> for ObjectId {
    fn from(commit: Commit) -> Self {
        Self(commit.0)
    }
}

impl Commit {
    /// Enough of it to tell two apart by eye.
    #[must_use]
    pub fn short(&self) -> String {
        self.to_string()[..12].to_owned()
    }
}

impl Repository {
    /// The repository that `directory` is in.
    ///
    /// # Errors
    /// When there is none, it has no work tree, or its format cannot be read.
    pub fn discover(directory: &Path) -> Result<Self> {
        let git = git2::Repository::discover(directory).map_err(|error| match error.code() {
            git2::ErrorCode::NotFound => Error::new(format!("{} is not in a git repository", directory.display()))
                .hint("`git init`, then commit the sources; a lock names the commit it was recorded at"),
            git2::ErrorCode::Owner => {
                Error::new(format!("the git repository of {} belongs to another user", directory.display()))
                    .hint("`git config --global --add safe.directory DIR`, if you trust it, or change its owner")
            }
            _ => unreadable(directory, &error),
        })?;
        let root = git
            .workdir()
            .ok_or_else(|| {
                Error::new(format!("the git repository {} is bare", git.path().display()))
                    .hint("run this in a clone that has a work tree")
            })?
            .to_path_buf();
        Ok(Self { git, root })
    }

    /// The repository for its history alone, which a bare one has too: its root is then the repository itself.
    /// Within a hook that decides on a push, what was pushed is looked at as well.
    ///
    /// # Errors
    /// When there is none, or its format cannot be read.
    pub fn history(directory: &Path) -> Result<Self> {
        let broken = |error: git2::Error| unreadable(directory, &error);
        match git2::Repository::discover(directory) {
            Ok(git) if git.is_bare() => {
                if let Some(pushed) = ambient::git_quarantine() {
                    git.odb().and_then(|objects| objects.add_disk_alternate(&pushed)).map_err(broken)?;
                }
                let root = git.path().to_path_buf();
                Ok(Self { git, root })
            }
            _ => Self::discover(directory),
        }
    }

    /// Whether it has no work tree.
    #[must_use]
    pub fn is_bare(&self) -> bool {
        self.git.is_bare()
    }

    /// Whether a remote of that name is configured.
    #[must_use]
    pub fn has_remote(&self, name: &str) -> bool {
        self.git.find_remote(name).is_ok()
    }

    /// Where others find it, as its remote `origin` is configured.
    #[must_use]
    pub fn origin(&self) -> Option<String> {
        let remote = self.git.find_remote("origin").ok()?;
        remote.url().ok().map(str::to_owned)
    }

    /// Whether a directory is the repository's own, or in its work tree.
    #[must_use]
    pub fn owns(&self, directory: &Path) -> bool {
        directory.starts_with(self.git.commondir()) || directory.starts_with(&self.root)
    }

    /// Whether some of its history is not here.
    #[must_use]
    pub fn is_shallow(&self) -> bool {
        self.git.is_shallow()
    }

    /// The commit of this id, if it is here.
    #[must_use]
    pub fn commit(&self, id: &str) -> Option<Commit> {
        let id = git2::Oid::from_str(id).ok()?;
        self.git.find_commit(id).ok().map(|commit| Commit(commit.id()))
    }

    /// The top of the work tree.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where this tool may keep files of its own, beside git's.
    #[must_use]
    pub fn private_directory(&self) -> PathBuf {
        self.git.path().join("cargo-repro")
    }

    /// The same for all work trees of the repository.
    #[must_use]
    pub fn shared_directory(&self) -> PathBuf {
        self.git.commondir().join("cargo-repro")
    }

    /// When a commit was made, in seconds since 1970.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn time(&self, commit: Commit) -> Result<i64> {
        let found = self.git.find_commit(commit.0).map_err(|error| unreadable(&self.root, &error))?;
        Ok(found.time().seconds())
    }

    /// The commit that is checked out.
    ///
    /// # Errors
    /// When there is no commit yet.
    pub fn head(&self) -> Result<Commit> {
        let head = self.git.head().and_then(|head| head.peel_to_commit());
        head.map(|commit| Commit(commit.id())).map_err(|error| match error.code() {
            git2::ErrorCode::UnbornBranch | git2::ErrorCode::NotFound => {
                Error::new("the git repository has no commit yet")
                    .hint("`git add` the sources and `git commit`; a lock names the commit it was recorded at")
            }
            _ => unreadable(&self.root, &error),
        })
    }

    /// The commit that a revision names.
    ///
    /// # Errors
    /// When there is none of that name here.
    pub fn resolve(&self, revision: &str) -> Result<Commit> {
        // Of a repository without commits nothing is to be fetched.
        if revision == "HEAD" {
            return self.head();
        }
        let found = self.git.revparse_single(revision).and_then(|object| object.peel_to_commit());
        found.map(|commit| Commit(commit.id())).map_err(|_| {
            let missing = Error::new(format!("`{revision}` names no commit of this repository"));
            if self.git.is_shallow() {
                missing.hint("this clone is shallow; `git fetch --unshallow --tags` brings the rest")
            } else {
                missing.hint("`git fetch --tags` brings what the remote has")
            }
        })
    }

    /// Names of the tags that point to this commit, sorted.
    ///
    /// # Errors
    /// When the references cannot be read.
    pub fn tags_at(&self, commit: Commit) -> Result<Vec<String>> {
        let broken = |error: git2::Error| unreadable(&self.root, &error);
        let mut tags = Vec::new();
        for reference in self.git.references_glob("refs/tags/*").map_err(broken)? {
            let reference = reference.map_err(broken)?;
            let points_here = reference.peel_to_commit().is_ok_and(|target| target.id() == commit.0);
            if let (true, Ok(name)) = (points_here, reference.shorthand()) {
                tags.push(name.to_owned());
            }
        }
        tags.sort();
        Ok(tags)
    }

    /// The commit that a tag points to, if there is such a tag.
    #[must_use]
    pub fn tag(&self, name: &str) -> Option<Commit> {
        let reference = self.git.find_reference(&format!("refs/tags/{name}")).ok()?;
        let commit = reference.peel_to_commit().ok()?;
        Some(Commit(commit.id()))
    }

    /// The entry of a path in the commit's tree. A path in a submodule gives `None`.
    #[must_use]
    pub fn entry(&self, commit: Commit, path: &Path) -> Option<Entry> {
        let tree = self.git.find_commit(commit.0).ok()?.tree().ok()?;
        let entry = tree.get_path(path).ok()?;
        entry_of(&entry)
    }

    /// Every entry of the commit's tree by its path.
    ///
    /// # Errors
    /// When an object is missing, or a name is not UTF-8.
    pub fn entries(&self, commit: Commit) -> Result<BTreeMap<String, Entry>> {
        let broken = |error: git2::Error| unreadable(&self.root, &error);
        let tree = self.git.find_commit(commit.0).and_then(|commit| commit.tree()).map_err(broken)?;
        let mut entries = BTreeMap::new();
        let mut not_utf8 = None;
        let walked = tree.walk(git2::TreeWalkMode::PreOrder, |directory, entry| match (directory, entry.name()) {
            (directory, Ok(name)) => {
                if let Some(found) = entry_of(entry) {
                    entries.insert(format!("{directory}{name}"), found);
                }
                git2::TreeWalkResult::Ok
            }
            _ => {
                not_utf8 = Some(String::from_utf8_lossy(entry.name_bytes()).into_owned());
                git2::TreeWalkResult::Abort
            }
        });
        if let Some(name) = not_utf8 {
            return Err(Error::new(format!("the commit has a file whose name is not UTF-8: {name}"))
                .hint("rename it; a lock is text and could not name it"));
        }
        walked.map_err(broken)?;
        Ok(entries)
    }

    /// The content of an entry.
    ///
    /// # Errors
    /// When the object is missing, as in a partial clone.
    pub fn content(&self, entry: Entry) -> Result<Vec<u8>> {
        let blob = self.git.find_blob(entry.id).map_err(|error| unreadable(&self.root, &error))?;
        Ok(blob.content().to_vec())
    }

    /// Whether the entry's content is `bytes`.
    #[must_use]
    pub fn is_content(&self, entry: Entry, bytes: &[u8]) -> bool {
        git2::Oid::hash_object(git2::ObjectType::Blob, bytes).is_ok_and(|id| id == entry.id)
    }

    /// The repository of the submodule at `path`, and the commit of `entry` in it.
    ///
    /// # Errors
    /// When it was not initialised, or lacks the commit.
    pub fn submodule(&self, path: &str, entry: Entry) -> Result<(Self, Commit)> {
        let hint = "`git submodule update --init --recursive` brings it";
        let directory = self.root.join(path);
        let git = git2::Repository::open(&directory)
            .map_err(|_| Error::new(format!("the submodule {path} is not there")).hint(hint))?;
        if git.find_commit(entry.id).is_err() {
            let what = format!("the submodule {path} has no commit {}", entry.id);
            return Err(Error::new(what).hint(hint));
        }
        let inner = Self { git, root: directory };
        Ok((inner, Commit(entry.id)))
    }

    /// The commit that the submodule at `path` has checked out.
    #[must_use]
    pub fn submodule_head(&self, path: &str) -> Option<String> {
        let inner = git2::Repository::open(self.root.join(path)).ok()?;
        let head = inner.head().ok()?.peel_to_commit().ok()?;
        Some(head.id().to_string())
    }

    /// Makes `directory`, which holds the files of `commit`, a repository that has it checked out. The
    /// objects stay where they are; nothing is written to this repository.
    ///
    /// # Errors
    /// When something cannot be written there.
    pub fn detach_at(&self, directory: &Path, commit: Commit) -> Result<()> {
        let broken = |error: git2::Error| unreadable(directory, &error);
        let other = git2::Repository::init(directory).map_err(broken)?;
        let objects = self.git.commondir().join("objects");
        let alternates = other.path().join("objects/info/alternates");
        let line = format!("{}\n", objects.display());
        std::fs::write(&alternates, line).at("write", &alternates)?;
        // Opened anew, since alternates are read when a repository is.
        let other = git2::Repository::open(directory).map_err(broken)?;
        other.set_head_detached(commit.0).map_err(broken)?;
        for reference in self.git.references_glob("refs/tags/*").map_err(broken)?.flatten() {
            if let (Ok(name), Some(target)) = (reference.name(), reference.target()) {
                other.reference(name, target, true, "").map_err(broken)?;
            }
        }
        for (path, entry) in self.entries(commit)? {
            if entry.kind == Kind::Submodule
                && let Ok((inner, _)) = self.submodule(&path, entry)
            {
                let link = directory.join(&path).join(".git");
                std::fs::write(&link, format!("gitdir: {}\n", inner.git.path().display())).at("write", &link)?;
            }
        }
        Ok(())
    }
}

fn entry_of(entry: &git2::TreeEntry<'_>) -> Option<Entry> {
    let kind = match entry.filemode() {
        0o100_755 => Kind::Executable,
        0o120_000 => Kind::Link,
        0o160_000 => Kind::Submodule,
        0o040_000 => return None,
        _ => Kind::File,
    };
    Some(Entry { kind, id: entry.id() })
}

fn unreadable(at: &Path, error: &git2::Error) -> Error {
    Error::new(format!("could not read the git repository of {}: {}", at.display(), error.message()))
        .hint("`git fsck` checks it; repositories with SHA-256 objects or reftables cannot be read yet")
}
