//! The border to git: which commit is checked out, what its tree holds, which tags point to it. Files
//! are compared by content, never by what `git status` believes, since `assume-unchanged` and
//! `git replace` hide edits. Nothing here writes to the repository, save for notes.

mod attributes;
mod configuration;
mod entries;
mod history;
mod names;
mod notes;
mod open;
mod partial;
mod start;
mod tags;
mod trees;
mod work_tree;

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;

pub use entries::is_below;
pub use history::Version;
pub use start::{FirstCommit, commit_scratch, start};
pub use tags::{Annotation, Tagged, Target};
pub use work_tree::pathspec;

use crate::error::{Error, IoContext as _, Result};
use crate::os::env;

/// A repository with a work tree.
pub struct Repository {
    git: git2::Repository,
    root: PathBuf,
    /// The remote that promised the objects that a partial clone lacks.
    promisor: OnceCell<Option<String>>,
    /// What the commit holds that was asked about last, by paths, and by those of them that are text.
    listed: Listing<PathBuf>,
    named: Listing<String>,
    /// The directories that were asked for.
    trees: trees::Trees,
    /// Commits of which all directories are here.
    whole: RefCell<BTreeSet<git2::Oid>>,
}

/// A commit's entries, once they were asked for.
type Listing<Path> = RefCell<Option<(git2::Oid, Rc<BTreeMap<Path, Entry>>)>>;

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
    /// The object id in hex that a file with these bytes has.
    #[must_use]
    pub fn id_of(bytes: &[u8]) -> Option<String> {
        Some(git2::Oid::hash_object(git2::ObjectType::Blob, bytes).ok()?.to_string())
    }

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
        let git = open::discover(directory)?.ok_or_else(|| none(directory))?;
        Self::with_work_tree(git)
    }

    fn with_work_tree(git: git2::Repository) -> Result<Self> {
        let root = git
            .workdir()
            .ok_or_else(|| {
                Error::new(format!("the git repository {} is bare", git.path().display()))
                    .hint("run this in a clone that has a work tree")
            })?
            .to_path_buf();
        Ok(Self::of(git, root))
    }

    fn of(git: git2::Repository, root: PathBuf) -> Self {
        Self {
            git,
            root,
            promisor: OnceCell::new(),
            listed: RefCell::default(),
            named: RefCell::default(),
            trees: trees::Trees::default(),
            whole: RefCell::default(),
        }
    }

    /// The repository for its history alone, which a bare one has too: its root is then the repository itself.
    /// Within a hook that decides on a push, what was pushed is looked at as well.
    ///
    /// # Errors
    /// When there is none, or its format cannot be read.
    pub fn history(directory: &Path) -> Result<Self> {
        let broken = |error: git2::Error| unreadable(directory, &error);
        let git = open::discover(directory)?.ok_or_else(|| none(directory))?;
        if !git.is_bare() {
            return Self::with_work_tree(git);
        }
        if let Some(pushed) = env::git_quarantine() {
            git.odb().and_then(|objects| objects.add_disk_alternate(&pushed)).map_err(broken)?;
        }
        let root = git.path().to_path_buf();
        Ok(Self::of(git, root))
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

    /// The content of an entry.
    ///
    /// # Errors
    /// When the object is missing, as in a partial clone.
    pub fn content(&self, entry: Entry) -> Result<Vec<u8>> {
        Ok(self.blob(entry.id)?.content().to_vec())
    }

    /// Whether the entry's content is `bytes`.
    #[must_use]
    pub fn is_content(&self, entry: Entry, bytes: &[u8]) -> bool {
        Entry::id_of(bytes).is_some_and(|id| id == entry.id())
    }

    /// The repository of the submodule at `path`, and the commit of `entry` in it.
    ///
    /// # Errors
    /// When it was not initialised, or lacks the commit.
    pub fn submodule(&self, path: &str, entry: Entry) -> Result<(Self, Commit)> {
        let hint = "`git submodule update --init --recursive` brings it";
        let directory = self.root.join(path);
        let git = open::at_top(&directory)?
            .ok_or_else(|| Error::new(format!("the submodule {path} is not there")).hint(hint))?;
        if git.find_commit(entry.id).is_err() {
            let what = format!("the submodule {path} has no commit {}", entry.id);
            return Err(Error::new(what).hint(hint));
        }
        Ok((Self::of(git, directory), Commit(entry.id)))
    }

    /// The commit that the submodule at `path` has checked out.
    #[must_use]
    pub fn submodule_head(&self, path: &str) -> Option<String> {
        let inner = open::at_top(&self.root.join(path)).ok()??;
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
        for (path, entry) in self.entries(commit)?.iter() {
            if entry.kind == Kind::Submodule
                && let Ok((inner, _)) = self.submodule(path, *entry)
            {
                let link = directory.join(path).join(".git");
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

fn none(directory: &Path) -> Error {
    Error::new(format!("{} is not in a git repository", directory.display()))
        .hint("`git init`, then commit the sources; a lock names the commit it was recorded at")
}

fn unreadable(at: &Path, error: &git2::Error) -> Error {
    Error::new(format!("could not read the git repository of {}: {}", at.display(), error.message()))
        .hint("`git fsck` checks it; repositories with SHA-256 objects or reftables cannot be read yet")
}
