//! Artifacts against the lock. A verification proves a commit: only what the commit has can be tampered with. What
//! lies in the work tree beside it, such as the model of a run by hand, is a file that nobody judges, and is named.

use std::path::{Path, PathBuf};

use crate::cache::{Cache, Witnesses};
use crate::compare::Drift;
use crate::digest::Digest;
use crate::document::pointer;
use crate::error::{IoContext as _, Result};
use crate::lockfile::{self, Lockfile};
use crate::os::bounded;
use crate::outcome::{Artifact, Cut};
use crate::project::Project;
use crate::project::lfs;
use crate::project::line_ends;
use crate::project::repository::{Entry, Kind};
use crate::snapshot::Platform;
use crate::verdict::{Leftover, NotChecked, Note};

/// Committed files larger than this are not read from git at every look.
const LARGE: u64 = 1 << 20;

/// What a look at the artifacts came to.
#[derive(Debug, Default)]
pub(super) struct Artifacts {
    pub drift: Vec<Drift>,
    pub notes: Vec<Note>,
    pub not_checked: Vec<NotChecked>,
}

/// Artifacts may be too large to keep; one that is committed must be one that was recorded, on whichever class.
pub(super) fn artifacts(
    project: &Project,
    lock: &Lockfile,
    platform: &Platform,
    cache: &mut Cache,
) -> Result<Artifacts> {
    let recorded = |stage: &str, path: &str, found: &Artifact| {
        let mut outcomes = lock.classes_known().filter_map(|(_, _, outcome)| outcome.get(stage));
        outcomes.any(|outcome| outcome.artifacts.get(path) == Some(found))
    };
    // A lock that is not committed yet speaks of artifacts that are not either.
    let is_lock_committed = is_committed(project, lockfile::FILE, cache)?;
    let mut found = Artifacts::default();
    for (stage, outcome) in lock.expected(platform).unwrap_or(&lock.outcome) {
        for (path, locked) in &outcome.artifacts {
            let in_repository = project.in_repository(path)?;
            let entry = project.repository.entry(project.commit, Path::new(&in_repository));
            let cut = lock.snapshot.stages.get(stage).and_then(|stage| stage.cut(path));
            let committed = match entry.filter(|_| is_lock_committed) {
                Some(entry) => committed(project, &in_repository, entry, (locked, cut), cache)?,
                None => None,
            };
            if entry.is_some_and(|_| is_lock_committed) && committed.is_none() {
                let why = format!("{path} is a Git LFS pointer, which tells nothing of the part that is compared");
                found.not_checked.push(NotChecked::new("artifact", why));
            }
            let is_tampered = committed.is_some_and(|committed| !recorded(stage, path, &committed));
            if let Some(committed) = committed.filter(|_| is_tampered) {
                found.drift.push(Drift::ArtifactTampered {
                    stage: stage.clone(),
                    path: path.clone(),
                    locked: *locked,
                    found: committed,
                });
            }
            let here = in_work_tree(&project.directory.join(path), cut, cache)?;
            match here {
                None => {
                    let why = format!("{path} is not in the work tree");
                    found.not_checked.push(NotChecked::new("artifact", why));
                }
                Some(here)
                    if !recorded(stage, path, &here)
                        && committed.is_none_or(|committed| committed != here)
                        && !has_turned(project, entry, &in_repository)? =>
                {
                    found.notes.push(Note::Leftover(Leftover {
                        stage: stage.clone(),
                        path: path.clone(),
                        locked: locked.digest,
                        found: here.digest,
                        restorable: committed.filter(|_| !is_tampered).map(|_| in_repository),
                    }));
                }
                _ => {}
            }
        }
    }
    Ok(found)
}

/// Whether a file of the package is in the work tree as it is in the commit.
fn is_committed(project: &Project, path: &str, cache: &mut Cache) -> Result<bool> {
    let in_repository = project.in_repository(path)?;
    let Some(entry) = project.repository.entry(project.commit, Path::new(&in_repository)) else {
        return Ok(false);
    };
    let place: PathBuf = project.directory.join(path);
    // A lock of many files is long, and git's digest slow.
    let ids: Vec<String> = cache.fact(&format!("git's name of {in_repository}"), || {
        let here = bounded::bytes(&place, bounded::HELD).unwrap_or_default();
        let turned = line_ends::with_lf(&here);
        let turned = (turned != here).then_some(&*turned);
        let ids = [Some(&*here), turned].into_iter().flatten().filter_map(Entry::id_of).collect();
        let read = Witnesses {
            read: vec![place.clone()],
            present: Vec::new(),
        };
        Ok((ids, read))
    })?;
    Ok(ids.contains(&entry.id()))
}

/// Whether it is as committed, but for line ends that git has turned.
fn has_turned(project: &Project, entry: Option<Entry>, path: &str) -> Result<bool> {
    let committed = entry.filter(|entry| matches!(entry.kind, Kind::File | Kind::Executable));
    let committed = committed.map(|entry| project.repository.content(entry)).transpose()?;
    Ok(committed.is_some_and(|committed| project.repository.has_turned(path, &committed)))
}

/// An artifact as the commit has it. One that is kept by Git LFS is the file that its pointer stands for; none where a
/// part of that is left out, since the pointer does not tell of the rest.
fn committed(
    project: &Project,
    path: &str,
    entry: Entry,
    (locked, cut): (&Artifact, Option<Cut<'_>>),
    cache: &mut Cache,
) -> Result<Option<Artifact>> {
    if matches!(entry.kind, Kind::Link | Kind::Submodule) {
        return Ok(Some(no_file()));
    }
    if let Some(cut) = cut {
        let bytes = project.repository.content(entry)?;
        return Ok(project.tree().stands_for(path, &bytes)?.is_none().then(|| cut.artifact(&bytes)));
    }
    let look = || {
        let bytes = project.repository.content(entry)?;
        Ok((Digest::of(&bytes), bytes.len() as u64))
    };
    let (digest, bytes) = if locked.bytes > LARGE {
        // An object never changes.
        cache.fact(&format!("artifact {}", entry.id()), || Ok((look()?, Witnesses::default())))?
    } else {
        look()?
    };
    if bytes < lfs::LARGEST
        && let Some(file) = project.tree().stands_for(path, &project.repository.content(entry)?)?
    {
        return Ok(Some(Artifact {
            digest: file.digest,
            bytes: file.bytes,
        }));
    }
    Ok(Some(Artifact { digest, bytes }))
}

/// What is not the plain file that was recorded, whatever it is. No file has this size, so that not even an empty one
/// is taken for it.
fn no_file() -> Artifact {
    Artifact {
        digest: Digest::of([]),
        bytes: u64::MAX,
    }
}

fn in_work_tree(place: &Path, cut: Option<Cut<'_>>, cache: &mut Cache) -> Result<Option<Artifact>> {
    match place.symlink_metadata() {
        Err(_) => Ok(None),
        Ok(meta) if meta.is_file() && meta.len() <= pointer::LARGEST && cut.is_some() => {
            let bytes = bounded::bytes(place, pointer::LARGEST).at("read", place)?;
            Ok(cut.map(|cut| cut.artifact(&bytes)))
        }
        Ok(meta) if meta.is_file() => {
            let (digest, bytes) = cache.digest(place)?;
            Ok(Some(Artifact { digest, bytes }))
        }
        Ok(_) => Ok(Some(no_file())),
    }
}
