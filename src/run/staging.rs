//! Declared data in the work directory: at the place where the program looks for it, with the bytes
//! that the snapshot pins, and still with them afterwards. A file that the checkout has already stays;
//! any other is a link to where it lies, since data may be too large to copy.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::checkout::normal;
use super::workdir::Workdir;
use crate::compare::Drift;
use crate::compare::drift::DataChange;
use crate::digest::Digest;
use crate::error::{IoContext as _, Result};
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
    place: PathBuf,
    digest: Digest,
}

/// Puts all data in place; `directory` is the package's in the checkout.
///
/// # Errors
/// When a link cannot be made or a file cannot be read.
pub fn stage(project: &Project, data: &BTreeMap<String, Data>, directory: &Path, workdir: &Workdir) -> Result<Staged> {
    let seen = workdir.seen(directory);
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
            let place = if place.starts_with(workdir.tree()) {
                put(&source, &place, file.digest)?;
                place
            } else {
                seen_from = &project.directory;
                source
            };
            staged.files.push(StagedFile {
                name: name.clone(),
                path: path.clone(),
                place,
                digest: file.digest,
            });
        }
        staged.variables.insert(name.clone(), data.as_variable(seen_from));
    }
    Ok(staged)
}

impl Staged {
    /// Reads all of it again: what changed while the program ran.
    ///
    /// # Errors
    /// When the user interrupts.
    pub fn changed(&self) -> Result<Vec<Drift>> {
        let mut changed = Vec::new();
        for file in &self.files {
            crate::interrupt::check()?;
            let after = Digest::of_file(&file.place).ok().map(|(digest, _)| digest);
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

    /// Whether the file is data, so that it is no output.
    #[must_use]
    pub fn holds(&self, path: &Path) -> bool {
        self.files.iter().any(|file| file.place == path)
    }
}

fn put(source: &Path, place: &Path, digest: Digest) -> Result<()> {
    let meta = place.symlink_metadata();
    if meta.is_ok_and(|meta| meta.is_file()) && Digest::of_file(place)?.0 == digest {
        return Ok(());
    }
    let parent = place.parent().unwrap_or(Path::new("/"));
    std::fs::create_dir_all(parent).at("make the directory", parent)?;
    if place.symlink_metadata().is_ok() {
        std::fs::remove_file(place).at("remove", place)?;
    }
    std::os::unix::fs::symlink(source, place).at("make the link", place)
}
