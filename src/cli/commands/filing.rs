//! Where reports may go, and attestations: a place that can be written, and for reports none of what they are about.
//! All of it is looked at before anything is done, since the alternative is to find out after hours.

use std::path::{Component, Path, PathBuf};

use crate::cli::settings::Settings;
use crate::error::{Error, IoContext as _, Result};
use crate::exit_code::ExitCode;
use crate::lockfile::{self, Lockfile};
use crate::project;
use crate::project::manifest::{self, Manifest};
use crate::project::repository::Repository;
use crate::report::Format;
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
    let judged = project::directory(settings).ok().map(|package| Taken::of(&package));
    let mut files = Vec::new();
    for (path, form) in paths.iter().zip(forms) {
        let path = followed(settings.current_directory.join(path));
        let place = straight(&path);
        // Nor does it take the place of what another package is made of.
        let above = place.ancestors().skip(1).find(|above| above.join(manifest::FILE).is_file());
        let other = above.filter(|above| judged.as_ref().is_none_or(|judged| judged.package != **above));
        for taken in judged.iter().chain(&other.map(Taken::of)) {
            taken.check(&place)?;
        }
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

pub(super) fn check_writable(path: &Path) -> Result<()> {
    let refused = |why: &str| {
        Error::new(format!("could not write {}: {why}", path.display()))
            .hint("nothing was done yet; name a file in a directory that is there and that you may write to")
    };
    match path.metadata() {
        Ok(meta) if meta.is_dir() => return Err(refused("it is a directory")),
        Ok(meta) if !meta.is_file() => {
            let access = rustix::fs::access(path, rustix::fs::Access::WRITE_OK);
            return access.map_err(|error| refused(&error.to_string()));
        }
        Err(error) if error.kind() == std::io::ErrorKind::InvalidFilename => return Err(refused(&error.to_string())),
        _ if path.is_symlink() => return Err(refused("its links lead nowhere")),
        _ => {}
    }
    let directory = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(directory).at("make the directory", directory)?;
    tempfile::tempfile_in(directory).map_err(|error| refused(&error.to_string()))?;
    Ok(())
}

/// What a package is made of: no report takes its place.
struct Taken {
    package: PathBuf,
    /// The top of the repository, from which a lock names sources.
    root: PathBuf,
    manifest: Option<Manifest>,
    lock: Option<Lockfile>,
}

impl Taken {
    fn of(package: &Path) -> Self {
        let root = Repository::discover(package).map(|repository| repository.root().to_path_buf());
        Self {
            package: straight(package),
            root: straight(&root.unwrap_or_else(|_| package.to_path_buf())),
            manifest: Manifest::read(package).ok(),
            lock: Lockfile::read(&package.join(lockfile::FILE)).ok().map(|read| read.lock),
        }
    }

    /// `place` is straight.
    fn check(&self, place: &Path) -> Result<()> {
        let (Ok(inner), Ok(from_top)) = (relative(&self.package, place), relative(&self.root, place)) else {
            return Ok(());
        };
        let whose = if self.manifest.as_ref().is_some_and(|manifest| manifest.is_apart(&inner)) {
            manifest::FILE
        } else if self.lock.as_ref().is_some_and(|lock| lock.snapshot.source.files.contains_key(&from_top)) {
            lockfile::FILE
        } else {
            return Ok(());
        };
        Err(Error::new(format!("{inner} is no place for a report: {whose} names it"))
            .code(ExitCode::Usage)
            .hint("name a file that is no source, no artifact and not among the data"))
    }
}

/// Where the links lead that stand at the end of the path, whether or not anything is there. What is no file, such as
/// a pipe, has no other name.
pub(super) fn followed(mut path: PathBuf) -> PathBuf {
    // As many as the kernel follows (path_resolution(7)).
    for _ in 0..40 {
        if path.metadata().is_ok_and(|meta| !meta.is_file()) {
            break;
        }
        let Ok(target) = path.read_link() else { break };
        path = path.parent().unwrap_or(Path::new("/")).join(target);
    }
    path
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
