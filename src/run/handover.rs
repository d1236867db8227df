//! From one stage to the next: the declared outputs of what it needs, and nothing else. What a stage leaves is put
//! aside when it has ended, so that the next one finds the committed sources as they are; each stage that needs an
//! output finds it at its place, to read. A stage that moved, replaced or removed a source is refused.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::checkout::{Checkout, normal};
use super::staging::Staged;
use super::workdir::{Workdir, open_up};
use crate::cache::stat::StatData;
use crate::error::{Error, IoContext as _, Phase, Result};
use crate::os::beneath::Beneath;
use crate::os::env;
use crate::project::manifest::Manifest;
use crate::sandbox::Mount;
use crate::snapshot;

/// How many of many are named.
const NAMED: usize = 8;

/// What stages of a run left, and what there was before the one that runs now.
#[derive(Debug)]
pub struct Handover<'a> {
    manifest: &'a Manifest,
    workdir: &'a Workdir,
    checkout: &'a Checkout,
    /// The package's directory in the checkout.
    directory: &'a Path,
}

/// The place of a stage before it runs.
#[derive(Debug)]
pub struct Before {
    /// Each planned file as the kernel saw it, where that can be believed.
    files: BTreeMap<PathBuf, Option<StatData>>,
    /// Directories, with their modes and times.
    directories: BTreeMap<PathBuf, (u32, std::time::SystemTime)>,
    /// Outputs of other stages, at their places, with where their bytes are.
    given: BTreeMap<PathBuf, PathBuf>,
}

impl<'a> Handover<'a> {
    /// For a run that begins.
    ///
    /// # Errors
    /// When what an earlier one left cannot be removed.
    pub fn begin(
        manifest: &'a Manifest,
        workdir: &'a Workdir,
        checkout: &'a Checkout,
        directory: &'a Path,
    ) -> Result<Self> {
        workdir.forget_left()?;
        Ok(Self::of(manifest, workdir, checkout, directory))
    }

    /// Of a run that has ended.
    #[must_use]
    pub fn of(manifest: &'a Manifest, workdir: &'a Workdir, checkout: &'a Checkout, directory: &'a Path) -> Self {
        Self {
            manifest,
            workdir,
            checkout,
            directory,
        }
    }

    /// Puts the outputs that a stage needs at their places.
    ///
    /// # Errors
    /// When one cannot be put there.
    pub fn prepare(&self, stage: &str, staged: &Staged) -> Result<Before> {
        let tree = self.workdir.tree();
        let here = Beneath::open(&tree).at("open", &tree)?;
        let mut given = BTreeMap::new();
        for need in self.manifest.needed_by(stage) {
            for output in self.manifest.stages[need].outputs() {
                let (from, place) = (self.left_by(need, output), self.directory.join(output));
                if from.symlink_metadata().is_ok_and(|meta| meta.is_file()) {
                    self.give(&here, &from, &place)?;
                    given.insert(place, from);
                }
            }
        }
        let now = env::now_ns();
        let has_namespaces = self.workdir.has_namespaces();
        let believed = |path: &Path| StatData::of_itself(path).filter(|stat| has_namespaces && !stat.is_racy(now));
        let files = self.checkout.there().into_iter().filter(|path| !staged.holds(path));
        let files = files.map(|path| (path.clone(), believed(path))).collect();
        let directories = self.checkout.directories().into_iter().filter_map(|path| {
            let meta = path.symlink_metadata().ok().filter(std::fs::Metadata::is_dir)?;
            Some((path, (meta.mode() & 0o7777, meta.modified().ok()?)))
        });
        Ok(Before {
            files,
            directories: directories.collect(),
            given,
        })
    }

    /// Something to mount the output upon; where there are no namespaces, a copy.
    fn give(&self, here: &Beneath, from: &Path, place: &Path) -> Result<()> {
        let tree = self.workdir.tree();
        let inner = place.strip_prefix(&tree).unwrap_or(place);
        let handle = here.place(inner).at("make a place for the output at", place)?;
        if self.workdir.has_namespaces() {
            std::fs::write(handle.path(), "").at("make a place for the output at", place)?;
            let mode = from.metadata().at("look at", from)?.permissions();
            return std::fs::set_permissions(handle.path(), mode).at("set the mode of", place);
        }
        std::fs::copy(from, handle.path()).at("copy an output to", place).map(drop)
    }

    /// Takes away what a stage left, and puts it aside under its name.
    ///
    /// # Errors
    /// When it changed sources, or wrote what another stage declares; and when something cannot be moved.
    pub fn settle(&self, stage: &str, before: &Before, staged: &Staged) -> Result<()> {
        let altered = self.altered(before, staged);
        let foreign = self.foreign(stage, before);
        let (tree, aside) = (self.workdir.tree(), self.workdir.left(stage));
        let here = Beneath::open(&tree).at("open", &tree)?;
        for place in before.given.keys() {
            // Whatever is there now is none of this stage's.
            here.remove(place.strip_prefix(&tree).unwrap_or(place)).at("remove", place)?;
        }
        set_aside(&tree, &aside, &|path: &Path| self.checkout.keeps(path) | staged.keeps(path))?;
        if altered.is_empty() {
            for (path, (mode, time)) in &before.directories {
                restore(path, *mode, *time)?;
            }
        }
        refuse(stage, "changed sources, which later stages run too", &altered)?;
        refuse(stage, "wrote what another stage declares as its output", &foreign)
    }

    /// The sources and the places of data that are not as they were, with what became of them.
    fn altered(&self, before: &Before, staged: &Staged) -> Vec<String> {
        let is_same = |path: &Path, stat: &Option<StatData>| {
            stat.is_some() && StatData::of_itself(path) == *stat || self.checkout.is_as_planned(path)
        };
        // A link in the place of a directory could lead to another of the same content.
        let is_directory = |path: &Path| path.symlink_metadata().is_ok_and(|meta| meta.is_dir());
        let directories = before.directories.keys().filter(|path| !is_directory(path));
        // What was written because the stage looked for it is known by its content.
        let known = |path: &PathBuf| before.files.get(path).cloned().flatten();
        let files = self.checkout.there().into_iter();
        let files = files.filter(|path| !staged.holds(path) && !is_same(path, &known(path)));
        let moved = staged.moved();
        let all: BTreeSet<&PathBuf> = directories.chain(files).chain(&moved).collect();
        all.into_iter()
            .map(|path| {
                let what = match path.symlink_metadata() {
                    Err(_) => "is gone",
                    Ok(_) => "is another",
                };
                let inner = path.strip_prefix(self.checkout.root()).unwrap_or(path);
                format!("{} {what}", inner.display())
            })
            .collect()
    }

    /// Outputs of other stages that are where they were not before.
    fn foreign(&self, stage: &str, before: &Before) -> Vec<String> {
        let others = self.manifest.stages.iter().filter(|(name, _)| *name != stage);
        let outputs = others.flat_map(|(name, other)| other.outputs().map(move |output| (name, output)));
        let is_written = |output: &str| {
            let place = self.directory.join(output);
            !before.given.contains_key(&place) && place.symlink_metadata().is_ok()
        };
        outputs
            .filter(|(_, output)| is_written(output))
            .map(|(name, output)| format!("{output}, of stage `{name}`"))
            .collect()
    }

    /// Where an output, or a stray file, of a stage lies aside; by its path from the package, which may lead out of it.
    #[must_use]
    pub fn left_by(&self, stage: &str, path: &str) -> PathBuf {
        let place = normal(&self.directory.join(path));
        let tree = self.workdir.tree();
        self.workdir.left(stage).join(place.strip_prefix(&tree).unwrap_or(&place))
    }

    /// Whether all bytes of a stage's output are compared.
    #[must_use]
    pub fn is_whole(&self, stage: &str, path: &str) -> bool {
        let stage = self.manifest.stages.get(stage);
        stage.is_some_and(|stage| snapshot::Stage::from(stage).cut(path).is_none())
    }

    /// Where an output or a stray file lies aside, whichever stage left it.
    #[must_use]
    pub fn output(&self, path: &str) -> PathBuf {
        let declares = |name: &&String| self.manifest.stages[*name].outputs().any(|output| output == path);
        let names = || self.manifest.stages.keys();
        let there = |name: &&String| self.left_by(name, path).symlink_metadata().is_ok();
        let stage = names().find(declares).or_else(|| names().find(there));
        self.left_by(stage.map_or("", String::as_str), path)
    }

    /// Files that stages wrote and nobody declared, by their places in the checkout.
    ///
    /// # Errors
    /// When a directory cannot be read.
    pub fn strays(&self) -> Result<BTreeSet<PathBuf>> {
        let mut strays = BTreeSet::new();
        for (name, stage) in &self.manifest.stages {
            let aside = self.workdir.left(name);
            let mut files = Vec::new();
            list(&aside, &mut files)?;
            let declared: BTreeSet<PathBuf> = stage.outputs().map(|output| self.left_by(name, output)).collect();
            let tree = self.workdir.tree();
            let undeclared = files.into_iter().filter(|file| !declared.contains(file));
            strays.extend(undeclared.filter_map(|file| Some(tree.join(file.strip_prefix(&aside).ok()?))));
        }
        Ok(strays)
    }

    /// What would have let a stage find a file that it looked for: another stage left it.
    #[must_use]
    pub fn advice(&self, stage: &str, missed: &str) -> Option<String> {
        let path = self.checkout.root().join(missed);
        let path = crate::snapshot::source::relative(self.directory, &path).ok()?;
        let mut others = self.manifest.stages.iter().filter(|(name, _)| *name != stage);
        let (other, declared) = others.find_map(|(name, other)| {
            let there = self.left_by(name, &path).symlink_metadata().is_ok();
            there.then(|| (name, other.outputs().any(|output| *output == path)))
        })?;
        Some(if declared {
            format!("{path} is written by stage `{other}`: add `needs = [\"{other}\"]` to [stage.{stage}]")
        } else {
            format!(
                "stage `{other}` left {path} without declaring it: add it to its `artifacts`, and \
                 `needs = [\"{other}\"]` to [stage.{stage}]"
            )
        })
    }
}

impl Before {
    /// What must be mounted for the stage to find what it needs; `seen` gives the path of something as it sees it.
    pub fn mounts(&self, seen: impl Fn(&Path) -> PathBuf) -> Vec<Mount> {
        let mount = |(place, from): (&PathBuf, &PathBuf)| Mount {
            from: from.clone(),
            to: seen(place),
            writable: false,
        };
        self.given.iter().map(mount).collect()
    }

    /// Where the stage finds outputs of others.
    pub fn given(&self) -> impl Iterator<Item = &Path> {
        self.given.keys().map(PathBuf::as_path)
    }
}

fn refuse(stage: &str, what: &str, names: &[String]) -> Result<()> {
    if names.is_empty() {
        return Ok(());
    }
    let more = names.len().saturating_sub(NAMED);
    let mut lines: Vec<String> = names.iter().take(NAMED).cloned().collect();
    lines.extend((more > 0).then(|| format!("and {more} more")));
    Err(Error::training(format!("stage `{stage}` {what}"))
        .phase(Phase::Train)
        .context(lines.join("\n"))
        .hint("a stage writes its own outputs and temporary files, and leaves everything else as it is"))
}

/// Moves all that is not kept from one directory to the other, at the same inner paths.
fn set_aside(from: &Path, to: &Path, kept: &dyn Fn(&Path) -> Keeps) -> Result<()> {
    let entries = match std::fs::read_dir(from) {
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            open_up(from);
            std::fs::read_dir(from)
        }
        other => other,
    };
    for entry in entries.at("read", from)? {
        let entry = entry.at("read", from)?;
        let (path, name) = (entry.path(), entry.file_name());
        let is_directory = entry.file_type().at("look at", &path)?.is_dir();
        match kept(&path) {
            Keeps::Below if is_directory => set_aside(&path, &to.join(name), kept)?,
            Keeps::Itself => {}
            _ => {
                std::fs::create_dir_all(to).at("make the directory", to)?;
                let moved = std::fs::rename(&path, to.join(&name)).or_else(|_| {
                    open_up(&path); // a directory that may not be written to cannot be moved either
                    std::fs::rename(&path, to.join(name))
                });
                moved.at("put aside", &path)?;
            }
        }
    }
    Ok(())
}

/// What of a path belongs to the checkout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeps {
    /// The path itself, and all below it.
    Itself,
    /// Something below it.
    Below,
    /// Nothing.
    Nothing,
}

impl std::ops::BitOr for Keeps {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        match (self, other) {
            (Self::Itself, _) | (_, Self::Itself) => Self::Itself,
            (Self::Below, _) | (_, Self::Below) => Self::Below,
            _ => Self::Nothing,
        }
    }
}

/// Gives a directory the mode and the time that it had, and takes its extended attributes away: a stage could tell
/// the next one something by them.
fn restore(path: &Path, mode: u32, time: std::time::SystemTime) -> Result<()> {
    let meta = path.symlink_metadata().at("look at", path)?;
    if meta.mode() & 0o7777 != mode {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).at("set the mode of", path)?;
    }
    let mut names = vec![0_u8; 1 << 16];
    if let Ok(length) = rustix::fs::listxattr(path, &mut names[..]) {
        for name in names[..length].split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
            // Those of the system's own are nobody's to take away.
            let _ = rustix::fs::removexattr(path, name);
        }
    }
    let since = time.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let keep = rustix::fs::Timespec {
        tv_sec: 0,
        tv_nsec: rustix::fs::UTIME_OMIT,
    };
    let times = rustix::fs::Timestamps {
        last_access: keep,
        last_modification: rustix::fs::Timespec {
            tv_sec: since.as_secs().try_into().unwrap_or_default(),
            tv_nsec: since.subsec_nanos().into(),
        },
    };
    rustix::fs::utimensat(rustix::fs::CWD, path, &times, rustix::fs::AtFlags::SYMLINK_NOFOLLOW)
        .map_err(std::io::Error::from)
        .at("set the time of", path)
}

fn list(directory: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    if directory.symlink_metadata().is_err() {
        return Ok(());
    }
    if std::fs::read_dir(directory).is_err() {
        open_up(directory);
    }
    for entry in std::fs::read_dir(directory).at("read", directory)? {
        let entry = entry.at("read", directory)?;
        if entry.file_type().at("look at", &entry.path())?.is_dir() {
            list(&entry.path(), files)?;
        } else {
            files.push(entry.path());
        }
    }
    Ok(())
}
