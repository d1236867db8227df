//! Where reports may go: a place that can be written, and is not one of what the report is about. All of it is looked
//! at before anything is done, since the alternative is to find out after hours.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use crate::error::{Error, IoContext as _, Result};
use crate::exit_code::ExitCode;
use crate::lockfile::{self, Lockfile};
use crate::manifest::{self, Manifest};
use crate::project;
use crate::report::Format;
use crate::repository::Repository;
use crate::settings::Settings;
use crate::snapshot::source::relative;

/// The reports that are asked for, each by its path and its form.
///
/// # Errors
/// When there is no such form (usage), or a file could not be written or must not be.
pub(super) fn files(settings: &Settings, paths: &[PathBuf]) -> Result<Vec<(PathBuf, Format)>> {
    let form = |path: &PathBuf| Format::of(path).ok_or_else(|| unknown(path));
    let forms: Vec<Format> = paths.iter().map(form).collect::<Result<_>>()?;
    if paths.is_empty() {
        return Ok(Vec::new());
    }
    // A project that cannot be opened is an error of whoever judges it.
    let taken = project::directory(settings).map(|package| Taken::of(&package)).unwrap_or_default();
    let mut files = Vec::new();
    for (path, form) in paths.iter().zip(forms) {
        let path = settings.current_directory.join(path);
        taken.check(&path)?;
        check_writable(&path)?;
        files.push((path, form));
    }
    Ok(files)
}

fn unknown(path: &Path) -> Error {
    Error::new(format!("no report has the ending of {}", path.display()))
        .code(ExitCode::Usage)
        .hint("a page for people ends in .html, Markdown in .md, JSON in .json, SARIF in .sarif, JUnit in .xml")
}

fn check_writable(path: &Path) -> Result<()> {
    let refused = |why: &str| {
        Error::new(format!("could not write {}: {why}", path.display()))
            .hint("nothing was done yet; name a file in a directory that is there and that you may write to")
    };
    match path.symlink_metadata() {
        Ok(meta) if meta.is_dir() => return Err(refused("it is a directory")),
        Err(error) if error.kind() == std::io::ErrorKind::InvalidFilename => return Err(refused(&error.to_string())),
        _ => {}
    }
    let directory = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(directory).at("make the directory", directory)?;
    tempfile::tempfile_in(directory).map_err(|error| refused(&error.to_string()))?;
    Ok(())
}

/// Files that a package is made of: no report takes their place.
#[derive(Default)]
struct Taken {
    package: PathBuf,
    manifest: Option<Manifest>,
    /// Sources and data of the lock.
    locked: BTreeSet<PathBuf>,
}

impl Taken {
    fn of(package: &Path) -> Self {
        let lock = Lockfile::read(&package.join(lockfile::FILE)).ok();
        let root = Repository::discover(package).map(|repository| repository.root().to_path_buf());
        let mut locked = BTreeSet::new();
        if let Some(snapshot) = lock.as_ref().map(|read| &read.lock.snapshot) {
            let data = snapshot.data.values().flat_map(|data| data.files.all().into_owned());
            locked.extend(data.map(|(path, _)| straight(&package.join(path))));
            let root = root.as_deref().unwrap_or(package);
            locked.extend(snapshot.source.files.keys().map(|path| straight(&root.join(path))));
        }
        Self {
            package: straight(package),
            manifest: Manifest::read(package).ok(),
            locked,
        }
    }

    fn check(&self, path: &Path) -> Result<()> {
        let place = straight(path);
        let inner = relative(&self.package, &place).unwrap_or_default();
        let whose = if self.manifest.as_ref().is_some_and(|manifest| manifest.is_apart(&inner)) {
            manifest::FILE
        } else if self.locked.contains(&place) {
            lockfile::FILE
        } else {
            return Ok(());
        };
        Err(Error::new(format!("{inner} is no place for a report: {whose} names it"))
            .code(ExitCode::Usage)
            .hint("name a file that is no source, no artifact and not among the data"))
    }
}

/// The path without links, `.` and `..`, whether or not its end is there yet.
fn straight(path: &Path) -> PathBuf {
    if let Ok(path) = path.canonicalize() {
        return path;
    }
    let mut whole = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => drop(whole.pop()),
            component => whole.push(component),
        }
        if let Ok(known) = whole.canonicalize() {
            whole = known;
        }
    }
    whole
}
