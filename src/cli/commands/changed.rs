//! Where sources changed since the lock: the first line of each that is not as it was then.

use std::collections::BTreeMap;
use std::path::Path;

use super::subject::text;
use crate::compare::Drift;
use crate::digest::Digest;
use crate::lockfile::Lockfile;
use crate::project::repository::Repository;
use crate::report::place::first_difference;

/// Lines of more files than these are not shown on a runner.
const MOST: usize = 10;

/// The first changed line of the first few sources among these, by their path from the top of the repository.
pub(super) fn lines(repository: &Repository, lock: &Lockfile, drift: &[Drift]) -> BTreeMap<String, u32> {
    let paths = drift.iter().filter_map(|drift| match drift {
        Drift::Source(change) => Some(&change.name),
        Drift::SourceDirty(dirty) => Some(&dirty.path),
        _ => None,
    });
    let line = |path: &String| {
        let old = locked(repository, lock, path)?;
        let new = Some(text(&repository.root().join(path))).filter(|text| !text.is_empty())?;
        Some((path.clone(), first_difference(&old, &new)?))
    };
    paths.take(MOST).filter_map(line).collect()
}

/// A source as the lock has it: its commit may not be here, or have been recorded with other files beside it.
fn locked(repository: &Repository, lock: &Lockfile, path: &str) -> Option<String> {
    let source = &lock.snapshot.source;
    let digest = source.files.get(path)?;
    let entry = repository.entry(repository.commit(&source.commit)?, Path::new(path))?;
    let content = repository.content(entry).ok()?;
    (Digest::of(&content) == *digest).then(|| String::from_utf8(content).ok())?
}
