//! Declared data in the work directory: at the place where the program looks for it, with the bytes
//! that the snapshot pins, and still with them afterwards. A file that the checkout has already stays;
//! any other is shown there, read-only, from where it lies, since data may be too large to copy; where there are
//! no walls it is a link.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::checkout::normal;
use super::workdir::Workdir;
use crate::compare::Drift;
use crate::compare::drift::DataChange;
use crate::digest::Digest;
use crate::error::{IoContext as _, Result};
use crate::isolation::Mount;
use crate::project::Project;
use crate::snapshot::Data;

/// The data of a run.
#[derive(Debug)]
pub struct Staged {
    /// The variable's text for each entry of `[data]`.
    pub variables: BTreeMap<String, String>,
    /// Where each file is read from, with what it must be.
    files: Vec<StagedFile>,
}

#[derive(Debug)]
struct StagedFile {
    name: String,
    path: String,
    /// Where the program finds it, by the path outside.
    place: PathBuf,
    /// Where its bytes are.
    source: PathBuf,
    /// Whether that is outside the checkout, where it is read as it lies.
    outside: bool,
    digest: Digest,
}

/// Puts all data in place; `directory` is the package's in the checkout.
///
/// # Errors
/// When a link cannot be made or a file cannot be read.
pub fn stage(
    project: &Project,
    data: &BTreeMap<String, Data>,
    directory: &Path,
    workdir: &Workdir,
    seems: &Path,
) -> Result<Staged> {
    let seen = workdir.seen_at(seems, directory);
    let mut staged = Staged {
        variables: BTreeMap::new(),
        files: Vec::new(),
    };
    for (name, data) in data {
        let mut seen_from = &seen;
        for (path, file) in &data.files {
            let source = project.directory.join(path);
            let place = normal(&directory.join(path));
            // Data outside the repository has no place in the checkout; it is read where it lies.
            let outside = !place.starts_with(workdir.tree());
            let (place, source) = if outside {
                seen_from = &project.directory;
                (normal(&source), source)
            } else if is_there(&place, file.digest)? {
                (place.clone(), place)
            } else {
                put(&source, &place, workdir.has_walls())?;
                (place, source)
            };
            staged.files.push(StagedFile {
                name: name.clone(),
                path: path.clone(),
                place,
                source,
                outside,
                digest: file.digest,
            });
        }
        staged.variables.insert(name.clone(), data.as_variable(seen_from));
    }
    Ok(staged)
}

impl Staged {
    /// Puts copies into `directory` in the place of the files themselves, as old as they are; what is too large
    /// for that stays.
    ///
    /// # Errors
    /// When one cannot be made.
    pub fn copy_to(&mut self, directory: &Path) -> Result<()> {
        const LARGEST: u64 = 1 << 26;
        for (number, file) in self.files.iter_mut().enumerate() {
            let meta = file.source.metadata().at("look at", &file.source)?;
            if meta.len() > LARGEST {
                continue;
            }
            let copy = directory.join(number.to_string());
            std::fs::copy(&file.source, &copy).at("copy to", &copy)?;
            let times = meta
                .modified()
                .map(|time| std::fs::FileTimes::new().set_modified(time).set_accessed(time));
            let set = times.and_then(|times| std::fs::File::open(&copy)?.set_times(times));
            set.at("set the time of", &copy)?;
            file.source = copy;
        }
        Ok(())
    }

    /// Reads all of it again: what changed while the program ran.
    ///
    /// # Errors
    /// When the user interrupts.
    pub fn changed(&self) -> Result<Vec<Drift>> {
        let mut changed = Vec::new();
        for file in &self.files {
            crate::interrupt::check()?;
            let after = Digest::of_file(&file.source).ok().map(|(digest, _)| digest);
            if after != Some(file.digest) {
                changed.push(Drift::DataChanged(DataChange::Meanwhile {
                    name: file.name.clone(),
                    path: file.path.clone(),
                    before: file.digest,
                    after,
                }));
            }
        }
        Ok(changed)
    }

    /// What must be mounted for the program to find it; `seen` gives the path of something as it sees it.
    pub fn mounts(&self, seen: impl Fn(&Path) -> PathBuf) -> Vec<Mount> {
        let mount = |file: &StagedFile| Mount {
            from: file.source.clone(),
            to: seen(&file.place),
            writable: false,
        };
        self.files
            .iter()
            .filter(|file| file.outside || file.source != file.place)
            .map(mount)
            .collect()
    }

    /// Where all bytes are.
    pub fn sources(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(|file| file.source.as_path())
    }

    /// Where the program finds each file, by the path outside.
    pub fn places(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(|file| file.place.as_path())
    }

    /// Whether the file is data, so that it is no output.
    #[must_use]
    pub fn holds(&self, path: &Path) -> bool {
        self.files.iter().any(|file| file.place == path)
    }
}

fn is_there(place: &Path, digest: Digest) -> Result<bool> {
    let meta = place.symlink_metadata();
    Ok(meta.is_ok_and(|meta| meta.is_file()) && Digest::of_file(place)?.0 == digest)
}

/// An empty file to mount the data upon, or a link to it.
fn put(source: &Path, place: &Path, mounted: bool) -> Result<()> {
    let parent = place.parent().unwrap_or(Path::new("/"));
    std::fs::create_dir_all(parent).at("make the directory", parent)?;
    if place.symlink_metadata().is_ok() {
        std::fs::remove_file(place).at("remove", place)?;
    }
    if mounted {
        return std::fs::File::create(place).map(drop).at("make a place for the data at", place);
    }
    std::os::unix::fs::symlink(source, place).at("make the link", place)
}
