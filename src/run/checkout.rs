//! The clean checkout: exactly the files of a commit (or, for a dirty recording, of the work tree), as
//! git stores them, with their submodules and with path dependencies from outside the repository at
//! the same relative place. Files that are right already stay untouched, so that cargo sees them as
//! unchanged; everything else in the directory is removed. Where every look is seen, what lies outside the package
//! is written once something looks for it; whoever asks here about the commit is told of all of it.

mod aliases;
mod planned;
mod withheld;

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use self::aliases::Alias;
use self::planned::Planned;
use self::withheld::{Later, needed, set_time};
use super::access::Committed;
use super::handover::Keeps;
use super::workdir::Workdir;
use crate::digest::Digest;
use crate::error::{Error, IoContext as _, Result};
use crate::lockfile;
use crate::os::interrupt;
use crate::project::Project;
use crate::project::manifest;
use crate::project::repository::{Commit, Entry, Kind, Repository, is_below};
use crate::release::gate;
use crate::snapshot::source::relative;

/// What a checkout is to hold, by path from its top.
#[derive(Debug)]
pub struct Checkout {
    /// The directory that it fills.
    top: PathBuf,
    /// Where the repository's root is in it.
    root: PathBuf,
    /// Outputs, which may be committed: a program that fails to write one must not seem to have.
    left_out: BTreeSet<PathBuf>,
    /// Directories of attestations, which tell of earlier runs as locks do.
    attestations: BTreeSet<PathBuf>,
    /// Directories that have a name of the machine's too.
    aliases: Vec<Alias>,
    files: BTreeMap<PathBuf, Planned>,
    later: Later,
    /// When all files were last changed, if that was given to them.
    time: Cell<Option<i64>>,
}

impl Checkout {
    /// Plans the checkout of the project's commit into a work directory; with `dirty`, of its work tree instead.
    ///
    /// # Errors
    /// When git's objects or the work tree cannot be read.
    pub fn plan(project: &Project, workdir: &Workdir, dirty: bool) -> Result<Self> {
        let top = &workdir.tree();
        let repository = &project.repository;
        let outside = outside(project)?;
        let depth = outside.iter().map(|(name, _)| climbs(name)).max().unwrap_or(0);
        // As many directories above the root as the dependencies climb; their names do not matter.
        let mut root = top.to_path_buf();
        root.extend((1..depth).map(|_| "above"));
        root.push("repository");
        let directory = root.join(project.prefix()?);
        let mut checkout = Self {
            top: top.to_path_buf(),
            root: root.clone(),
            left_out: project.manifest.outputs().map(|output| directory.join(output)).collect(),
            attestations: BTreeSet::from([directory.join(gate::DIRECTORY)]),
            aliases: Alias::find(project, &root, &outside),
            files: BTreeMap::new(),
            later: Later::default(),
            time: Cell::new(None),
        };
        checkout.commit(repository, project.commit, &root)?;
        if dirty {
            checkout.work_tree(repository)?;
        }
        for (name, directory) in outside {
            checkout.directory(&directory, &normal(&root.join(name)))?;
        }
        checkout.leave_out_what_was();
        // Within namespaces no program changes what lies outside its package, and every look at it is seen.
        if workdir.has_namespaces() && !dirty {
            checkout.want(&needed(project, &root, directory))?;
        } else {
            checkout.want_all()?;
        }
        Ok(checkout)
    }

    /// Takes out what tells of earlier runs, of whatever package: locks and attestations. A program that could read
    /// what it is judged by need not train.
    fn leave_out_what_was(&mut self) {
        let beside = |path: &PathBuf| Some(path.parent()?.join(gate::DIRECTORY));
        let is_called = |path: &Path, name: &str| {
            path.as_os_str().as_encoded_bytes().ends_with(name.as_bytes()) && path.ends_with(name)
        };
        let manifests = self.files.keys().filter(|path| is_called(path, manifest::FILE));
        let more: Vec<PathBuf> = manifests.filter_map(beside).collect();
        self.attestations.extend(more);
        let attestations = &self.attestations;
        self.files.retain(|path, _| {
            !is_called(path, lockfile::FILE) && !attestations.iter().any(|directory| path.starts_with(directory))
        });
    }

    /// Plans the checkout of a commit alone, without dependencies from outside.
    ///
    /// # Errors
    /// When git's objects cannot be read.
    pub fn plan_commit(repository: &Rc<Repository>, commit: Commit, top: &Path) -> Result<Self> {
        let mut checkout = Self {
            top: top.to_path_buf(),
            root: top.to_path_buf(),
            left_out: BTreeSet::new(),
            attestations: BTreeSet::new(),
            aliases: Vec::new(),
            files: BTreeMap::new(),
            later: Later::default(),
            time: Cell::new(None),
        };
        checkout.commit(repository, commit, top)?;
        checkout.want_all()?;
        Ok(checkout)
    }

    /// Where the repository's root is.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Makes the directory hold what is planned and nothing else.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn apply(&self) -> Result<()> {
        self.time.set(None);
        self.remove_strangers(&self.top)?;
        for path in self.there() {
            interrupt::check()?;
            self.files[path].write(path)?;
        }
        // What is made, or only looked at, finds the directories that the commit has.
        self.make_directories()
    }

    fn commit(&mut self, repository: &Rc<Repository>, commit: Commit, at: &Path) -> Result<()> {
        let mut files = Vec::new();
        for (name, &entry) in repository.all_entries(commit)?.iter() {
            let path = at.join(name);
            if self.left_out.contains(&path) {
                continue;
            }
            if entry.kind == Kind::Submodule {
                if let Some(name) = name.to_str() {
                    self.submodule(repository, name, entry, &path)?;
                }
            } else {
                files.push((path, Planned::committed(repository, entry)));
            }
        }
        // All at once: comparing paths is what takes time.
        self.files.append(&mut files.into_iter().collect());
        Ok(())
    }

    /// A submodule that was never initialised stays empty, as in git's own checkouts.
    fn submodule(&mut self, repository: &Repository, name: &str, entry: Entry, at: &Path) -> Result<()> {
        if repository.submodule_head(name).is_none() {
            return Ok(());
        }
        let (inner, commit) = repository.submodule(name, entry)?;
        self.commit(&Rc::new(inner), commit, at)
    }

    /// Replaces the commit's files by those of the work tree, and adds what git does not track.
    fn work_tree(&mut self, repository: &Repository) -> Result<()> {
        let mut files = BTreeMap::new();
        let tracked: Vec<PathBuf> = self.files.keys().cloned().collect();
        let untracked = repository.untracked()?.into_iter().map(|name| self.root.join(name));
        for path in tracked.into_iter().chain(untracked).filter(|path| !self.left_out.contains(path)) {
            let inner = path.strip_prefix(&self.root).unwrap_or(&path);
            if let Some(planned) = Planned::from_disk(&repository.root().join(inner))? {
                files.insert(path, planned);
            }
        }
        self.files = files;
        Ok(())
    }

    /// A package outside the repository: all its files but what cargo and git keep in it.
    fn directory(&mut self, from: &Path, to: &Path) -> Result<()> {
        for entry in std::fs::read_dir(from).at("read", from)? {
            let entry = entry.at("read", from)?;
            let (inner, name) = (entry.path(), entry.file_name());
            if name == "target" || name == ".git" {
                continue;
            }
            if entry.file_type().at("look at", &inner)?.is_dir() {
                self.directory(&inner, &to.join(name))?;
            } else if let Some(planned) = Planned::from_disk(&inner)? {
                self.files.insert(to.join(name), planned);
            }
        }
        Ok(())
    }

    fn remove_strangers(&self, directory: &Path) -> Result<()> {
        for entry in std::fs::read_dir(directory).at("read", directory)? {
            let entry = entry.at("read", directory)?;
            let path = entry.path();
            let kind = entry.file_type().at("look at", &path)?;
            if kind.is_dir() {
                let holds_some =
                    self.files.range(path.clone()..).next().is_some_and(|(next, _)| next.starts_with(&path));
                if holds_some && !self.files.contains_key(&path) {
                    self.remove_strangers(&path)?;
                } else {
                    std::fs::remove_dir_all(&path).at("remove", &path)?;
                }
            } else if !self.files.contains_key(&path) || self.is_withheld(&path) {
                // Also what an earlier run looked for.
                std::fs::remove_file(&path).at("remove", &path)?;
            }
        }
        Ok(())
    }

    /// What below `directory`, which may be written to, must stay as it is: every file that was planned.
    /// Where there are very many, those of a whole directory together.
    #[must_use]
    pub fn protected(&self, directory: &Path) -> Vec<PathBuf> {
        const MANY: usize = 500;
        let is_link = |path: &Path| self.files.get(path).is_some_and(|planned| planned.kind == Kind::Link);
        let files: Vec<&PathBuf> = self.below(directory).filter(|path| !is_link(path)).collect();
        if files.len() <= MANY {
            return files.into_iter().cloned().collect();
        }
        let top =
            |path: &PathBuf| path.strip_prefix(directory).ok()?.components().next().map(|part| directory.join(part));
        let tops: BTreeSet<PathBuf> = files.into_iter().filter_map(top).collect();
        let holds_output = |path: &PathBuf| self.left_out.iter().any(|output| output.starts_with(path));
        tops.into_iter().filter(|path| !holds_output(path)).collect()
    }

    /// What a path from the repository's root is, which may lead out of it.
    #[must_use]
    pub fn committed(&self, inner: &str) -> Committed {
        let path = normal(&self.root.join(inner));
        let is_link = |path: &Path| self.files.get(path).is_some_and(|planned| planned.kind == Kind::Link);
        if self.files.contains_key(&path) || path.ancestors().skip(1).any(is_link) {
            Committed::File
        } else if self.files.range(path.clone()..).next().is_some_and(|(next, _)| next.starts_with(&path)) {
            Committed::Directory
        } else {
            Committed::No
        }
    }

    /// The digest of a file's content, by its path from the repository's root, which may lead out of it; of a link
    /// that of where it leads.
    #[must_use]
    pub fn digest(&self, inner: &str) -> Option<Digest> {
        self.planned(inner).and_then(Planned::digest)
    }

    fn planned(&self, inner: &str) -> Option<&Planned> {
        self.files.get(&normal(&self.root.join(inner)))
    }

    /// A digest of the names and kinds of all files, and of cargo's manifests.
    #[must_use]
    pub fn shape(&self) -> Digest {
        self.digest_with(|path| path.as_os_str().as_encoded_bytes().ends_with(b"/Cargo.toml"))
    }

    /// Refuses sources that are not those that were checked out: whoever may edit them did. What links lead to is
    /// a source of its own.
    ///
    /// # Errors
    /// That names the first one.
    pub fn must_be<'a>(
        &self,
        repository: &Repository,
        sources: impl IntoIterator<Item = &'a String>,
        digests: &BTreeMap<String, Digest>,
    ) -> Result<()> {
        let is_another = |path: &&String| {
            self.planned(path).is_some_and(|planned| planned.kind != Kind::Link)
                && self.digest(path).as_ref() != digests.get(*path)
        };
        match sources.into_iter().find(is_another) {
            Some(path) => Err(changed(&normal(&repository.root().join(path)))),
            None => Ok(()),
        }
    }

    /// Every file in a directory of the repository, by its path from the repository's root.
    #[must_use]
    pub fn files_from_root(&self, directory: &str) -> BTreeSet<String> {
        let inner = |path: &PathBuf| Some(path.strip_prefix(&self.root).ok()?.to_string_lossy().into_owned());
        self.below(&self.root.join(directory)).filter_map(inner).collect()
    }

    /// Gives every file and directory the same time of last change.
    ///
    /// # Errors
    /// When one cannot be changed.
    pub fn set_times(&self, seconds: i64) -> Result<()> {
        self.time.set(Some(seconds));
        self.there().into_iter().try_for_each(|path| set_time(path, seconds))
    }

    /// Only the files that are kept; those of which only the place is get the text of an empty program.
    #[must_use]
    pub fn only(&self, kept: impl Fn(&Path) -> Keeps) -> Self {
        let files: BTreeMap<PathBuf, Planned> = self
            .files
            .iter()
            .filter_map(|(path, planned)| match kept(path) {
                Keeps::Itself => Some((path.clone(), planned.clone())),
                Keeps::Below => Some((path.clone(), Planned::empty_program())),
                Keeps::Nothing => None,
            })
            .collect();
        Self {
            top: self.top.clone(),
            root: self.root.clone(),
            left_out: self.left_out.clone(),
            attestations: self.attestations.clone(),
            aliases: self.aliases.clone(),
            later: self.later.only(|path| files.contains_key(path)),
            time: Cell::new(None),
            files,
        }
    }

    /// The digest of a planned file's content, by its place.
    #[must_use]
    pub fn digest_at(&self, place: &Path) -> Option<Digest> {
        self.files.get(place).and_then(Planned::digest)
    }

    /// A digest of all names, kinds and contents.
    #[must_use]
    pub fn content(&self) -> Digest {
        self.digest_with(|_| true)
    }

    fn digest_with(&self, content: impl Fn(&Path) -> bool) -> Digest {
        // No path has a zero byte.
        let mut all = Vec::new();
        let top = self.top.as_os_str().len();
        for (path, planned) in &self.files {
            all.extend_from_slice(path.as_os_str().as_encoded_bytes().get(top..).unwrap_or_default());
            all.extend([0, planned.kind as u8]);
            if content(path) {
                all.extend(planned.identity().hex().bytes());
            }
            all.push(0);
        }
        Digest::of(all)
    }

    /// Whether a file whose path ends so has that text.
    #[must_use]
    pub fn has_text(&self, ends: &[&str], text: &str) -> bool {
        let named = self.files.iter().filter(|(path, _)| ends.iter().any(|end| path.ends_with(end)));
        named.into_iter().any(|(_, planned)| planned.has_text(text))
    }

    /// Every planned file.
    pub fn paths(&self) -> impl Iterator<Item = &PathBuf> {
        self.files.keys()
    }

    /// Every directory that holds a planned file, the top among them.
    #[must_use]
    pub fn directories(&self) -> BTreeSet<PathBuf> {
        let mut directories = BTreeSet::from([self.top.clone()]);
        let mut last = self.top.as_path();
        for path in self.files.keys() {
            // Most lie beside the one before.
            let inner = path.as_os_str().as_encoded_bytes().get(last.as_os_str().len() + 1..);
            if is_below(path, last) && inner.is_some_and(|inner| !inner.contains(&b'/')) {
                continue;
            }
            last = path.parent().unwrap_or(last);
            let above = path.ancestors().skip(1).take_while(|above| above.starts_with(&self.top));
            for directory in above {
                if !directories.insert(directory.to_path_buf()) {
                    break;
                }
            }
        }
        directories
    }

    /// Whether a path is a planned file, or holds some.
    #[must_use]
    pub fn keeps(&self, path: &Path) -> Keeps {
        match self.files.range(path.to_path_buf()..).next() {
            Some((next, _)) if next == path => Keeps::Itself,
            Some((next, _)) if next.starts_with(path) => Keeps::Below,
            _ => Keeps::Nothing,
        }
    }

    /// Whether a planned file is there with its kind, its mode and its content.
    #[must_use]
    pub fn is_as_planned(&self, path: &Path) -> bool {
        self.files.get(path).is_some_and(|planned| planned.is_written(path))
    }
}

/// An error that names a source that somebody edited meanwhile.
fn changed(source: &Path) -> Error {
    Error::new(format!("{} changed while it was built from", source.display()))
        .hint("run the same command again when nobody edits it; what is committed here may be edited at any time")
}

/// Directories of path dependencies that lie outside the repository, by their relative path.
fn outside(project: &Project) -> Result<Vec<(String, PathBuf)>> {
    let root = project.repository.root();
    let packages = project.package.local.iter();
    packages
        .filter(|package| !package.directory.starts_with(root))
        .map(|package| Ok((relative(root, &package.directory)?, package.directory.clone())))
        .collect()
}

fn climbs(path: &str) -> usize {
    path.split('/').take_while(|part| *part == "..").count()
}

/// An absolute path without `..`.
pub(super) fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        if part == std::path::Component::ParentDir {
            normal.pop();
        } else {
            normal.push(part);
        }
    }
    normal
}
