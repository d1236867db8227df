//! Where runs happen: directories of this user alone under `/var/tmp` (or `TMPDIR`), outside every
//! work tree, so that cargo finds no configuration above them. `record` keeps one per project, so
//! that an unchanged program is not compiled again; `verify` makes a new one each time and removes it.
//! A directory that a killed process left is removed by the next.

mod claim;

use std::fs::{DirBuilder, File};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use crate::console::Console;
use crate::error::{Error, IoContext as _, Result};
use crate::os::env;
use crate::sandbox::{self, PLACE, Report, start};

/// The directory that `record` keeps, in the project's.
const KEPT: &str = "record";

/// A work directory, held until dropped.
#[derive(Debug)]
pub struct Workdir {
    root: PathBuf,
    /// Held for as long as the directory is in use; the kernel lets go of it however this process ends.
    _lock: File,
    temporary: bool,
    /// Finds out, beside other work, whether children can see it at its seeming place.
    probe: Mutex<Option<Child>>,
    namespaces: OnceLock<bool>,
}

impl Workdir {
    /// The project's own directory, which `record` keeps. Waits for another `record` of it.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn kept(project: &Path, console: Console) -> Result<Self> {
        let waits = || console.status("Blocking", "waiting for another `cargo repro record` of this project");
        let (root, lock) = claim::kept(&base()?, project, waits)?;
        Self::lay_out(root, lock, false)
    }

    /// A new directory, removed when dropped.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn fresh() -> Result<Self> {
        let (root, lock) = claim::fresh(&base()?)?;
        Self::lay_out(root, lock, true)
    }

    fn lay_out(root: PathBuf, lock: File, temporary: bool) -> Result<Self> {
        let workdir = Self {
            root,
            _lock: lock,
            temporary,
            probe: Mutex::default(),
            namespaces: OnceLock::new(),
        };
        let mount_point = workdir.mount_point();
        for directory in [
            workdir.tree(),
            workdir.home(),
            workdir.temp(),
            workdir.cargo_home(),
            workdir.target(),
            mount_point.clone(),
        ] {
            make(&directory)?;
        }
        *workdir.lock_probe() = start::probe(&mount_point, &workdir.probe_report()).ok();
        Ok(workdir)
    }

    fn lock_probe(&self) -> MutexGuard<'_, Option<Child>> {
        self.probe.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn probe_report(&self) -> PathBuf {
        self.root.join("probe.json")
    }

    /// Whether this machine lets namespaces be made, within which children see this directory at its
    /// seeming place.
    #[must_use]
    pub fn has_namespaces(&self) -> bool {
        let holds = |mut probe: Child| {
            let _ = probe.wait();
            Report::take(&self.probe_report()).is_some_and(|report| report.failure.is_none())
        };
        *self.namespaces.get_or_init(|| self.lock_probe().take().is_some_and(holds))
    }

    /// Where the new root is built, within which nothing else is seen.
    #[must_use]
    pub fn mount_point(&self) -> PathBuf {
        self.root.join("root")
    }

    /// Copies of files of the kernel that change by themselves, for runs that are to see the same.
    #[must_use]
    pub fn canned(&self) -> PathBuf {
        self.root.join("canned")
    }

    /// That directory, empty.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn fresh_canned(&self) -> Result<PathBuf> {
        emptied(self.canned())
    }

    /// An empty directory for copies of data.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn fresh_copies(&self) -> Result<PathBuf> {
        emptied(self.root.join("copies"))
    }

    /// The canonical path of something in it, whether children can see it there or not.
    #[must_use]
    pub fn seeming(&self, path: &Path) -> PathBuf {
        sandbox::seen(&self.root, Path::new(PLACE), path)
    }

    /// A path in it as children see it that find it at `place`.
    #[must_use]
    pub fn seen_at(&self, place: &Path, path: &Path) -> PathBuf {
        if self.has_namespaces() {
            sandbox::seen(&self.root, place, path)
        } else {
            path.to_path_buf()
        }
    }

    /// A path in it as children see it.
    #[must_use]
    pub fn seen(&self, path: &Path) -> PathBuf {
        self.seen_at(Path::new(PLACE), path)
    }

    /// The real path of what children speak of.
    #[must_use]
    pub fn unseen(&self, path: &Path) -> PathBuf {
        self.unseen_from(Path::new(PLACE), path)
    }

    /// The real path of what children speak of that find it at `place`.
    #[must_use]
    pub fn unseen_from(&self, place: &Path, path: &Path) -> PathBuf {
        if self.has_namespaces() {
            sandbox::unseen(&self.root, place, path)
        } else {
            path.to_path_buf()
        }
    }

    /// Where the checkout goes.
    #[must_use]
    pub fn tree(&self) -> PathBuf {
        self.root.join("tree")
    }

    /// Empties what an earlier build could write to, and the checkout: the next one finds nothing of it.
    ///
    /// # Errors
    /// When something cannot be removed.
    pub fn forget_build(&self) -> Result<()> {
        for directory in [self.tree(), self.target(), self.cargo_home()] {
            emptied(directory)?;
        }
        Ok(())
    }

    /// Where cargo builds.
    #[must_use]
    pub fn target(&self) -> PathBuf {
        self.root.join("target")
    }

    /// The `CARGO_HOME` of the build.
    #[must_use]
    pub fn cargo_home(&self) -> PathBuf {
        self.root.join("cargo")
    }

    /// Whether it stays when this process is done.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        !self.temporary
    }

    /// Packages that were built apart from the program.
    #[must_use]
    pub fn layers(&self) -> PathBuf {
        self.root.join("layers")
    }

    /// The note of what was built, beside it.
    #[must_use]
    pub fn build_note(&self) -> PathBuf {
        self.root.join("built.json")
    }

    /// The directory itself.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The `HOME` of builds and programs.
    #[must_use]
    pub fn home(&self) -> PathBuf {
        self.home_named("home")
    }

    /// A home of another name.
    #[must_use]
    pub fn home_named(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// The `TMPDIR` of builds and programs.
    #[must_use]
    pub fn temp(&self) -> PathBuf {
        self.root.join("tmp")
    }

    /// Where outputs are kept that a later training is held against.
    #[must_use]
    pub fn first_outputs(&self) -> PathBuf {
        self.root.join("first")
    }

    /// Where everything that a stage wrote lies once it has ended, by its path in the checkout.
    #[must_use]
    pub fn left(&self, stage: &str) -> PathBuf {
        self.root.join("left").join(stage)
    }

    /// Removes what stages of an earlier run left.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn forget_left(&self) -> Result<()> {
        emptied(self.root.join("left")).map(|_| ())
    }

    /// The ledger of a stage.
    #[must_use]
    pub fn ledger(&self, stage: &str) -> PathBuf {
        self.root.join(format!("ledger-{stage}.jsonl"))
    }

    /// What a stage printed, until it is put in its place among the outputs.
    #[must_use]
    pub fn printed(&self, stage: &str) -> PathBuf {
        self.root.join(format!("printed-{stage}"))
    }

    /// Empties what programs can leave behind for the next one: their home, of whatever name, and their
    /// temporary files.
    ///
    /// # Errors
    /// When something cannot be removed or made.
    pub fn forget_leftovers(&self, home: &str) -> Result<()> {
        let is_empty =
            |directory: &Path| std::fs::read_dir(directory).is_ok_and(|mut entries| entries.next().is_none());
        for directory in [self.home_named(home), self.temp()].iter().filter(|directory| !is_empty(directory)) {
            remove(directory)?;
            make(directory)?;
        }
        Ok(())
    }
}

impl Drop for Workdir {
    fn drop(&mut self) {
        let _ = self.has_namespaces(); // nobody may have asked, and the probe must not be left
        if self.temporary {
            // The next fresh directory sweeps what could not be removed now.
            let _ = remove(&self.root);
        }
    }
}

/// Where outputs that are not as locked are left for the user to look at.
///
/// # Errors
/// When the base directory cannot be used.
pub fn outputs_directory(project: &Path) -> Result<PathBuf> {
    Ok(claim::project_directory(&base()?, project)?.join("diverged"))
}

/// Removes all that is kept for a project, for one that nobody will come back to.
///
/// # Errors
/// When something cannot be removed.
pub fn forget(project: &Path) -> Result<()> {
    remove(&claim::project_directory(&base()?, project)?)
}

/// Where all of this user's work directories are.
#[must_use]
pub fn of_this_user() -> PathBuf {
    env::scratch_root().join(format!("cargo-repro-{}", rustix::process::getuid().as_raw()))
}

/// The directory of this user for all of it, made if need be. In a place where everybody may write, another user could
/// have made it first; then it is not used.
fn base() -> Result<PathBuf> {
    let user = rustix::process::getuid();
    let base = of_this_user();
    make(&base)?;
    let meta = base.symlink_metadata().at("look at", &base)?;
    if !meta.is_dir() || meta.uid() != user.as_raw() || meta.mode() & 0o077 != 0 {
        return Err(Error::new(format!("{} is not a directory of this user alone", base.display()))
            .hint("remove it, or set TMPDIR to a directory of your own"));
    }
    refuse_configuration_above(&base)?;
    refuse_noexec(&base)?;
    claim::sweep(&base);
    // As the kernel says where a program is, and what it reads.
    base.canonicalize().at("find", &base)
}

/// Build scripts and programs are run where they are built.
fn refuse_noexec(base: &Path) -> Result<()> {
    let is_noexec = rustix::fs::statvfs(base).is_ok_and(|on| on.f_flag.contains(rustix::fs::StatVfsMountFlags::NOEXEC));
    if is_noexec {
        return Err(Error::new(format!("{} is mounted noexec, and what is built there must run", base.display()))
            .hint("set TMPDIR to a directory on another file system, such as one in your home: `export TMPDIR=~/tmp && mkdir -p ~/tmp`"));
    }
    Ok(())
}

/// Cargo would follow it, and the lock would not say so.
fn refuse_configuration_above(base: &Path) -> Result<()> {
    let names = [".cargo/config.toml", ".cargo/config"];
    let mut above = base.ancestors().flat_map(|directory| names.map(|name| directory.join(name)));
    match above.find(|path| path.exists()) {
        None => Ok(()),
        Some(path) => Err(Error::new(format!("{} would change every build in {}", path.display(), base.display()))
            .hint("set TMPDIR to a directory without cargo configuration above it")),
    }
}

fn make(directory: &Path) -> Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true).mode(0o700).create(directory).at("make the directory", directory)
}

/// A directory with nothing in it.
pub(super) fn emptied(directory: PathBuf) -> Result<PathBuf> {
    remove(&directory)?;
    make(&directory)?;
    Ok(directory)
}

/// Removes a tree; that there is none is fine. A program may have left directories that cannot be
/// entered, so a refusal is answered by making them writable and trying again.
fn remove(path: &Path) -> Result<()> {
    let gone = |result: std::io::Result<()>| match result {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        other => other,
    };
    if gone(std::fs::remove_dir_all(path)).is_ok() {
        return Ok(());
    }
    open_up(path);
    gone(std::fs::remove_dir_all(path)).at("remove", path)
}

/// Makes a tree's directories such that they can be entered and emptied.
pub(super) fn open_up(directory: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let _ = std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o700));
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            open_up(&entry.path());
        }
    }
}
