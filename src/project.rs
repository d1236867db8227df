//! The project: the cargo package with the manifest, and its git repository, on this machine with its
//! toolchain. Everything that a command needs before it can look at inputs.

pub mod cargo_config;
pub mod git;
pub mod lfs;
pub mod line_ends;
pub mod manifest;
pub mod package;
pub mod repository;
pub mod revision;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;

use crate::cache::Cache;
use crate::cli::settings::{Overrides, Settings};
use crate::error::{Error, Result};
use crate::lockfile::{self, Lockfile};
use crate::progress::Progress;
use crate::project::manifest::{Manifest, Program};
use crate::project::package::Package;
use crate::project::repository::{Commit, Kind, Repository};
use crate::snapshot::build::ambient;
use crate::snapshot::source::{self, Tree};
use crate::snapshot::toolchain::Installed;
use crate::snapshot::{self, Data};
use crate::verdict::Note;

/// The project as found.
#[derive(Debug)]
pub struct Project {
    /// The package's directory.
    pub directory: PathBuf,
    /// Its manifest, with the command line's overrides.
    pub manifest: Manifest,
    /// Its repository.
    pub repository: Rc<Repository>,
    /// The commit that is checked out.
    pub commit: Commit,
    /// The toolchain that cargo uses here.
    pub toolchain: Installed,
    /// The package as cargo resolves it.
    pub package: Package,
}

/// Which directory the command line means.
///
/// # Errors
/// When there is no such package.
pub fn directory(settings: &Settings) -> Result<PathBuf> {
    let found = package::find(settings.manifest_path.as_deref(), &settings.current_directory)?;
    match &settings.package {
        None => Ok(found),
        Some(name) => {
            let toolchain = Installed::find(&found, &mut Cache::none())?;
            package::find_member(&found, name, &toolchain)
        }
    }
}

impl Project {
    /// Finds the project in `directory`, and checks that what its manifest names is there. `cache` is
    /// asked with the repository, since it lies there.
    ///
    /// # Errors
    /// When anything that a project consists of is missing or broken.
    pub fn open(
        directory: PathBuf,
        overrides: &Overrides,
        offline: bool,
        remember: impl FnOnce(&Repository) -> Cache,
    ) -> Result<(Self, Cache)> {
        Self::open_with(directory, overrides, offline, None, remember)
    }

    /// The same with a toolchain that is known already.
    ///
    /// # Errors
    /// As [`Project::open`].
    pub fn open_with(
        directory: PathBuf,
        overrides: &Overrides,
        offline: bool,
        toolchain: Option<Installed>,
        remember: impl FnOnce(&Repository) -> Cache,
    ) -> Result<(Self, Cache)> {
        let manifest = overrides.apply(Manifest::read(&directory)?)?;
        let repository = Rc::new(Repository::discover(&directory)?);
        let commit = repository.head()?;
        let mut cache = remember(&repository);
        let toolchain = toolchain.map_or_else(|| Installed::find(&directory, &mut cache), Ok)?;
        let name = format!("package in {} with {}", directory.display(), manifest.build.key());
        let package = cache.fact(&name, || {
            let package = Package::resolve(&directory, repository.root(), &manifest.build, &toolchain, offline)
                .map_err(|error| with_empty_submodule(error, &repository, commit))?;
            let mut witnesses = package.witnesses();
            witnesses.read.extend([toolchain.cargo.clone(), toolchain.rustc.clone()]);
            Ok((package, witnesses))
        })?;
        for name in manifest.binaries() {
            package.program(name)?;
        }
        if !package.workspace.starts_with(repository.root()) {
            let (workspace, root) = (package.workspace.display(), repository.root().display());
            return Err(Error::new(format!("the workspace in {workspace} is outside the git repository {root}"))
                .hint("keep both in one repository, or end the package's workspace with a `[workspace]` of its own"));
        }
        let project = Self {
            directory,
            manifest,
            repository,
            commit,
            toolchain,
            package,
        };
        Ok((project, cache))
    }

    /// Takes the values that a lock was recorded with, where the manifest says what it said then and the command line says
    /// nothing else; with what is worth saying of that.
    pub fn follow(&mut self, lock: &Lockfile, overrides: &Overrides) -> Vec<Note> {
        let named = overrides.named();
        let named: Vec<&str> = named.iter().map(String::as_str).collect();
        self.manifest.follow(lock, &named).into_iter().map(Note::Overridden).collect()
    }

    /// Digests all declared data.
    ///
    /// # Errors
    /// When some of it cannot be read; that something is missing is noted in it.
    pub fn observe_data(&self, cache: &mut Cache, progress: &Progress) -> Result<BTreeMap<String, Data>> {
        snapshot::observe_data(&self.directory, &self.manifest.data, cache, progress)
    }

    /// The lock's place.
    #[must_use]
    pub fn lock_path(&self) -> PathBuf {
        self.directory.join(lockfile::FILE)
    }

    /// The package's directory from the top of the repository, empty if it is the top.
    ///
    /// # Errors
    /// When it is not UTF-8.
    pub fn prefix(&self) -> Result<String> {
        source::relative(self.repository.root(), &self.directory)
    }

    /// Whether a path from the top of the repository is no source, though it lies among them: an output, data,
    /// what this tool keeps beside a manifest.
    #[must_use]
    pub fn is_apart(&self, path: &str) -> bool {
        let prefix = self.prefix().unwrap_or_default();
        self.manifest.is_apart_in(&prefix, path)
    }

    /// The commit's files.
    #[must_use]
    pub fn tree(&self) -> Tree<'_> {
        Tree::new(&self.repository, self.commit)
    }

    /// A path of the package, from the top of the repository.
    ///
    /// # Errors
    /// When it is not UTF-8.
    pub fn in_repository(&self, path: &str) -> Result<String> {
        source::relative(self.repository.root(), &self.directory.join(path))
    }

    /// Settings that plain cargo would follow here, and builds of ours do not.
    ///
    /// # Errors
    /// When the repository's configuration cannot be read.
    pub fn settings_set_aside(&self) -> Result<Vec<String>> {
        ambient::settings(&self.package, self.repository.root(), &self.manifest.environment)
    }

    /// Checks that each command that is a path of the package is there.
    ///
    /// # Errors
    /// When one is not.
    pub fn check_commands(&self) -> Result<()> {
        for (name, stage) in &self.manifest.stages {
            let Program::Command(command) = &stage.program else {
                continue;
            };
            if crate::run::find_command(&command[0], &self.directory).is_none() {
                return Err(Error::new(format!("stage `{name}` runs `{}`, which is not on this machine", command[0]))
                    .hint("install it, or name it by its path"));
            }
        }
        Ok(())
    }
}

/// Cargo only says that a file is not there; that a clone came without its submodules is the usual reason.
fn with_empty_submodule(error: Error, repository: &Repository, commit: Commit) -> Error {
    let entries = repository.entries(commit).unwrap_or_default();
    let mut submodules = entries.iter().filter(|(_, entry)| entry.kind == Kind::Submodule);
    match submodules.find(|(name, _)| repository.submodule_head(name).is_none()) {
        None => error,
        Some((name, _)) => {
            error.hint(format!("the submodule {name} is empty; `git submodule update --init --recursive` brings it"))
        }
    }
}
