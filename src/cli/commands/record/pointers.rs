//! Data that is a Git LFS pointer, found before a build of minutes and not after it.

use std::path::{Path, PathBuf};

use crate::error::{Error, Phase, Result};
use crate::os::bounded;
use crate::project::Project;
use crate::project::lfs;
use crate::run::places;

/// More files than this are left to the digesting, which finds every pointer.
const MOST: usize = 2000;

/// Refuses declared data that was not fetched yet.
///
/// # Errors
/// That names the first one.
pub fn refuse_pointers(project: &Project) -> Result<()> {
    let mut left = MOST;
    for path in project.manifest.data_paths() {
        for place in places::means(project, path) {
            if let Some(pointer) = pointer_in(&place, &mut left) {
                let what = format!("the data {} is a Git LFS pointer, not the data itself", pointer.display());
                return Err(Error::new(what).phase(Phase::Snapshot).hint("`git lfs pull` fetches what it points to"));
            }
        }
    }
    Ok(())
}

fn pointer_in(place: &Path, left: &mut usize) -> Option<PathBuf> {
    *left = left.checked_sub(1)?;
    let meta = place.metadata().ok()?;
    if meta.is_dir() {
        let entries = std::fs::read_dir(place).into_iter().flatten().flatten();
        return entries.map(|entry| entry.path()).find_map(|path| pointer_in(&path, left));
    }
    let is_small = meta.is_file() && meta.len() < lfs::LARGEST;
    let is_pointer = is_small && bounded::bytes(place, lfs::LARGEST).is_ok_and(|bytes| lfs::is_pointer(&bytes));
    is_pointer.then(|| place.to_path_buf())
}
