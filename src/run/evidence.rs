//! What a run that diverged leaves to look at: what the bytes of an artifact say of the difference, and
//! the outputs themselves. Judging them is [`crate::compare`]'s.

use std::path::{Component, Path, PathBuf};

use super::session::Session;
use crate::compare::divergence::Output;
use crate::compare::{Divergence, bytes};
use crate::digest::Digest;
use crate::error::{IoContext as _, Result};
use crate::os::atomic;
use crate::os::bounded;
use crate::outcome::Outcome;

/// Adds what the bytes say, for artifacts whose recorded version is in `directory`.
pub fn describe(directory: &Path, session: &Session<'_>, differing: &mut [Divergence]) {
    for divergence in differing {
        if let Output::ArtifactChanged {
            path,
            locked,
            difference,
            ..
        } = &mut divergence.output
        {
            let read = |path: &Path| bounded::bytes(path, bounded::HELD).ok();
            // Where a part is left out, what is left is held against each other.
            let stage = session.stage(&divergence.stage);
            let compared = |bytes: Vec<u8>| match stage.as_ref().and_then(|stage| stage.cut(path)?.rest(&bytes)) {
                Some((rest, _)) => rest.into_bytes(),
                None => bytes,
            };
            let recorded = read(&directory.join(&*path)).map(compared);
            let recorded = recorded.filter(|bytes| Digest::of(bytes) == locked.digest);
            let found = read(&session.output(path)).map(compared);
            *difference = recorded.zip(found).and_then(|(recorded, found)| bytes::difference(&recorded, &found));
        }
    }
}

/// Leaves the outputs that are not as locked where the user can look at them, in place of those of an
/// earlier verification. Gives the directory if anything was left there.
///
/// # Errors
/// When one cannot be copied.
pub fn leave(session: &Session<'_>, locked: &Outcome, differing: &[Divergence], to: &Path) -> Result<Option<PathBuf>> {
    let paths = differing.iter().filter_map(|divergence| match &divergence.output {
        Output::ArtifactChanged { path, .. } | Output::ArtifactUnexpected { path } => Some(path),
        _ => None,
    });
    let mut left = None;
    let old = locked.values().flat_map(|stage| stage.artifacts.keys());
    for path in old {
        let _ = std::fs::remove_file(to.join(below(path)));
    }
    for path in paths {
        let from = session.output(path);
        // A stray pipe would never end, and a stray link leads anywhere.
        if !from.symlink_metadata().is_ok_and(|meta| meta.is_file()) {
            continue;
        }
        let place = to.join(below(path));
        let parent = place.parent().unwrap_or(to);
        std::fs::create_dir_all(parent).at("make the directory", parent)?;
        atomic::replace_by(&place, &from)?;
        left = Some(to.to_path_buf());
    }
    Ok(left)
}

/// The path as one that stays below whatever it is joined to: a stray file may lie above the package.
fn below(path: &str) -> PathBuf {
    let parts = Path::new(path).components();
    parts
        .map(|part| {
            if part == Component::ParentDir {
                "above".as_ref()
            } else {
                part.as_os_str()
            }
        })
        .collect()
}
