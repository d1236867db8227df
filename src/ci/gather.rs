//! What a pipeline must know, asked of the project: its manifest, its lock if there is one, its workspace and its
//! repository. Nothing is built and nothing is digested.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::inputs::{self, Local, Place, Shape};
use super::{Compiler, Pipeline};
use crate::cache::Cache;
use crate::cli::settings::Settings;
use crate::error::{Error, Result};
use crate::lockfile::{self, Lockfile};
use crate::os::bounded;
use crate::project;
use crate::project::lfs;
use crate::project::manifest;
use crate::project::manifest::Manifest;
use crate::project::package::{self, Members};
use crate::project::repository::Repository;
use crate::snapshot::data::Form;
use crate::snapshot::source::relative;
use crate::snapshot::toolchain::Installed;

/// What every pipeline gates where the manifest does not say what a release is.
const TAGS: &str = "v*";

/// For the checkout, the downloads and the builds around the stages.
const BESIDE: Duration = Duration::from_secs(30 * 60);

/// The project that the command line means, and its repository.
///
/// # Errors
/// When there is no such project, or something of it cannot be read.
pub fn gather(settings: &Settings) -> Result<(Pipeline, Repository)> {
    let directory = project::directory(settings)?;
    let manifest = Manifest::read(&directory)?;
    let repository = Repository::discover(&directory)?;
    let toolchain = Installed::find(&directory, &mut Cache::none())?;
    let members = package::members(&directory, &toolchain)?;
    let path = directory.join(lockfile::FILE);
    let lock = if path.exists() {
        Some(Lockfile::read(&path)?.lock)
    } else {
        None
    };
    let asked = Asked {
        place: relative(repository.root(), &directory)?,
        directory,
        manifest: &manifest,
        repository: &repository,
        lock: lock.as_ref(),
    };
    let pipeline = asked.pipeline(&members, toolchain.identity.pin.is_some())?;
    Ok((pipeline, repository))
}

/// Where the answers come from.
struct Asked<'a> {
    directory: PathBuf,
    /// The same from the top of the repository.
    place: String,
    manifest: &'a Manifest,
    repository: &'a Repository,
    lock: Option<&'a Lockfile>,
}

impl Asked<'_> {
    fn pipeline(&self, members: &Members, is_pinned: bool) -> Result<Pipeline> {
        let workspace = relative(self.repository.root(), &members.workspace)?;
        if workspace.starts_with("..") || self.place.starts_with("..") {
            let what = format!("the workspace in {} is outside the git repository", members.workspace.display());
            return Err(Error::new(what).hint("a clone of the repository would not have it"));
        }
        let platform = self.lock.map(|lock| &lock.snapshot.platform);
        let gate = &self.manifest.gate;
        let source = self.lock.map(|lock| &lock.snapshot.source);
        let (locals, places) = (self.locals(members), self.places());
        Ok(Pipeline {
            package: members.name.clone(),
            inputs: inputs::inputs(&self.place, &workspace, self.manifest, self.lock, (&locals, &places)),
            workspace,
            compiler: self.compiler(is_pinned),
            machine: platform.cloned(),
            lfs: self.has_lfs(),
            submodules: source.is_some_and(|source| !source.submodules.is_empty()),
            absent: places.into_iter().filter(|place| self.is_absent(place)).collect(),
            minutes: minutes(self.manifest),
            tags: if gate.tags.is_empty() {
                vec![TAGS.to_owned()]
            } else {
                gate.tags.clone()
            },
            gated: !gate.tags.is_empty(),
            locked: self.lock.is_some(),
            directory: self.place.clone(),
        })
    }

    /// The packages of the workspace that lie in the repository.
    fn locals(&self, members: &Members) -> Vec<Local> {
        let from_top = |path: &Path| relative(self.repository.root(), path).ok().filter(|path| !path.starts_with(".."));
        let local = |package: &package::LocalPackage| {
            Some(Local {
                directory: from_top(&package.directory)?,
                roots: package.roots.iter().filter_map(|root| from_top(root)).collect(),
            })
        };
        members.packages.iter().filter_map(local).collect()
    }

    /// A pin counts only where a clone has it.
    fn compiler(&self, is_pinned: bool) -> Compiler {
        let root = self.repository.root();
        let inside = self.directory.ancestors().take_while(|above| above.starts_with(root));
        let mut pins = inside.flat_map(|above| ["rust-toolchain.toml", "rust-toolchain"].map(|name| above.join(name)));
        if is_pinned && pins.any(|path| path.is_file()) {
            return Compiler::Pinned;
        }
        let is_release = |rustc: &str| rustc.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        match self.lock.map(|lock| lock.snapshot.toolchain.rustc.clone()) {
            Some(rustc) if is_release(&rustc) => Compiler::Locked(rustc),
            Some(rustc) => Compiler::Unnamed(rustc),
            None => Compiler::Open,
        }
    }

    /// Whether some `.gitattributes` above the data speaks of LFS, or the commit has a pointer for it.
    fn has_lfs(&self) -> bool {
        let root = self.repository.root();
        let places = self.manifest.data_paths().map(|path| self.directory.join(path));
        let says_so = |place: PathBuf| {
            let above = place.ancestors().take_while(|above| above.starts_with(root)).map(Path::to_path_buf);
            above.map(|directory| directory.join(".gitattributes")).any(|path| {
                bounded::text(&path, bounded::WRITTEN)
                    .is_ok_and(|text| text.lines().any(|line| !line.starts_with('#') && line.contains("filter=lfs")))
            })
        };
        places.chain([self.directory.clone()]).any(says_so)
            || self.manifest.data_paths().any(|path| self.is_pointer(path))
    }

    fn is_pointer(&self, path: &str) -> bool {
        let content = || {
            let place = inputs::from_top(&self.place, path)?;
            let entry = self.repository.entry(self.repository.head().ok()?, Path::new(&place))?;
            self.repository.content(entry).ok()
        };
        content().is_some_and(|content| lfs::is_pointer(&content))
    }

    /// The declared paths of data; what is neither here nor in a lock counts as a file.
    fn places(&self) -> Vec<Place> {
        let place = |(name, path): (&String, &String)| {
            let here = self.directory.join(path);
            let locked = self.lock.and_then(|lock| lock.snapshot.data.get(name));
            let is_directory = path.ends_with('/') || here.is_dir();
            Place {
                path: path.clone(),
                shape: if is_directory || locked.is_some_and(|data| data.form == Form::Directory) {
                    Shape::Directory
                } else if path.contains(['*', '?', '[']) && !here.exists() {
                    Shape::Glob
                } else {
                    Shape::File
                },
                dvc: self.directory.join(format!("{}.dvc", path.trim_end_matches('/'))).is_file(),
                target: self.target(&here),
            }
        };
        let data = self.manifest.data.iter();
        data.flat_map(|(name, declared)| declared.paths.iter().map(move |path| (name, path)))
            .map(place)
            .collect()
    }

    /// Where a link leads, if that is in the repository.
    fn target(&self, here: &Path) -> Option<String> {
        let target = here.symlink_metadata().ok()?.is_symlink().then(|| here.canonicalize().ok())??;
        let root = self.repository.root().canonicalize().ok()?;
        relative(&root, &target).ok().filter(|target| !target.starts_with(".."))
    }

    /// Whether a clone lacks some of what is declared: it is elsewhere, DVC keeps it, git ignores it, or does not track
    /// it. The last only where there is a lock: before, it may yet come into a commit.
    fn is_absent(&self, place: &Place) -> bool {
        let Some((directory, pattern)) = inputs::straight(&self.place, &place.path) else {
            return true;
        };
        let path = inputs::join(&directory, &pattern);
        let is_locked = self.lock.is_some();
        let unkept = |path: &str| self.repository.unkept(path, is_locked).unwrap_or_default();
        place.dvc
            || match place.shape {
                Shape::File => [Some(&path), place.target.as_ref()].into_iter().flatten().any(|path| {
                    let is_ignored = self.repository.is_ignored(Path::new(path));
                    (is_locked || is_ignored) && !self.repository.is_tracked(path)
                }),
                Shape::Directory => !unkept(&path).is_empty() || is_locked && !self.repository.is_tracked(&path),
                Shape::Glob => {
                    // As data is found: no star of it goes into a directory below.
                    let options = glob::MatchOptions {
                        require_literal_separator: true,
                        ..glob::MatchOptions::default()
                    };
                    let fixed: Vec<&str> =
                        pattern.split('/').take_while(|part| !part.contains(['*', '?', '['])).collect();
                    let begin = inputs::join(&directory, &fixed.join("/"));
                    let pattern = format!("{}/{pattern}", glob::Pattern::escape(&directory));
                    let pattern = glob::Pattern::new(pattern.trim_start_matches('/'));
                    pattern.is_ok_and(|pattern| unkept(&begin).iter().any(|path| pattern.matches_with(path, options)))
                }
            }
    }
}

/// How long all stages may take, if each of them says so.
fn minutes(manifest: &manifest::Manifest) -> Option<u64> {
    let all: Option<Duration> = manifest.stages.values().map(|stage| stage.timeout).sum();
    all.map(|all| (all + BESIDE).as_secs().div_ceil(60))
}
