//! Inspection: every input of a project against its lock, before any compute. What `status` shows and
//! `verify` begins with. Observing happens here; comparing is [`crate::compare`]'s.

use std::collections::BTreeSet;
use std::path::Path;

use crate::compare::{Drift, drift};
use crate::digest::Digest;
use crate::error::Result;
use crate::lockfile::{Lockfile, Read};
use crate::memory::Memory;
use crate::outcome::Artifact;
use crate::project::Project;
use crate::snapshot::{self, Snapshot, source};
use crate::verdict::{NotChecked, Note};

/// What an inspection found.
#[derive(Debug)]
pub struct Inspected {
    /// The inputs as they are.
    pub snapshot: Snapshot,
    /// Every difference from the lock.
    pub drift: Vec<Drift>,
    /// What is worth knowing beside.
    pub notes: Vec<Note>,
    /// What could not be looked at.
    pub not_checked: Vec<NotChecked>,
}

/// Looks at every input.
///
/// # Errors
/// When one cannot be read.
pub fn inspect(project: &Project, read: &Read, memory: &mut Memory) -> Result<Inspected> {
    let lock = &read.lock;
    let closure = closure(project, lock)?;
    let snapshot = Snapshot::observe(project, &closure, memory)?;
    let mut found = Vec::new();
    if read.id != read.actual_id {
        found.push(Drift::LockEdited {
            stated: read.id,
            actual: read.actual_id,
        });
    }
    found.extend(drift(&lock.snapshot, &snapshot));
    let mut committed = closure;
    committed.insert(project.in_repository(crate::manifest::FILE)?);
    committed.insert(source::relative(project.repository.root(), &project.package.workspace.join("Cargo.lock"))?);
    let dirty = source::dirty(&project.repository, project.commit, &committed, memory)?;
    found.extend(dirty.into_iter().map(Drift::SourceDirty));
    let mut not_checked = Vec::new();
    found.extend(tag(project, lock, &mut not_checked));
    found.extend(artifacts(project, lock, memory, &mut not_checked)?);
    let ambient = snapshot::build::ambient_settings(&project.package, project.repository.root());
    found.extend(ambient.into_iter().map(|setting| Drift::AmbientBuild { setting }));
    Ok(Inspected {
        snapshot,
        drift: found,
        notes: if lock.record.dirty {
            vec![Note::RecordedDirty]
        } else {
            Vec::new()
        },
        not_checked,
    })
}

/// The files that the lock knows, and those that would rule a build if they appeared.
fn closure(project: &Project, lock: &Lockfile) -> Result<BTreeSet<String>> {
    let mut closure: BTreeSet<String> = lock.snapshot.source.files.keys().cloned().collect();
    closure.extend(source::ruling_files(&project.repository, &project.package)?);
    if project.manifest.runs_commands() {
        let apart = |path: &str| project.is_apart(path);
        closure.extend(source::whole_package(&project.repository, project.commit, &project.package, apart)?);
    }
    Ok(closure)
}

/// A tag that is not here says nothing: clones often come without tags.
fn tag(project: &Project, lock: &Lockfile, not_checked: &mut Vec<NotChecked>) -> Option<Drift> {
    let tag = lock.snapshot.source.tag.as_ref()?;
    let Some(commit) = project.repository.tag(tag) else {
        not_checked
            .push(NotChecked::new("tag", format!("the tag {tag} is not in this clone; `git fetch --tags` brings it")));
        return None;
    };
    let found = commit.to_string();
    (found != lock.snapshot.source.commit).then(|| Drift::TagMoved {
        tag: tag.clone(),
        locked: lock.snapshot.source.commit.clone(),
        found,
    })
}

/// Artifacts may be too large to keep; one that is there must be the recorded one.
fn artifacts(
    project: &Project,
    lock: &Lockfile,
    memory: &mut Memory,
    not_checked: &mut Vec<NotChecked>,
) -> Result<Vec<Drift>> {
    let mut tampered = Vec::new();
    for (stage, outcome) in &lock.outcome {
        for (path, locked) in &outcome.artifacts {
            let place = project.directory.join(path);
            let Some(found) = artifact(&place, memory)? else {
                not_checked.push(NotChecked::new("artifact", format!("{path} is not in the work tree")));
                continue;
            };
            if found != *locked {
                tampered.push(Drift::ArtifactTampered {
                    stage: stage.clone(),
                    path: path.clone(),
                    locked: *locked,
                    found,
                });
            }
        }
    }
    Ok(tampered)
}

fn artifact(place: &Path, memory: &mut Memory) -> Result<Option<Artifact>> {
    match place.symlink_metadata() {
        Err(_) => Ok(None),
        Ok(meta) if meta.is_file() => {
            let (digest, bytes) = memory.digest(place)?;
            Ok(Some(Artifact { digest, bytes }))
        }
        // Whatever it is, it is not the plain file that was recorded.
        Ok(_) => Ok(Some(Artifact {
            digest: Digest::of([]),
            bytes: 0,
        })),
    }
}
