//! Inspection: every input of a project against its lock, before any compute. What `status` shows and
//! `verify` begins with. Observing happens here; comparing is [`crate::compare`]'s.

mod artifacts;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use artifacts::artifacts;

use crate::cache::Cache;
use crate::compare::classes::drift_from;
use crate::compare::drift::DataChange;
use crate::compare::{Drift, snapshots};
use crate::error::{Error, Result};
use crate::lockfile::{self, Lockfile, Read};
use crate::os::redact::Redaction;
use crate::project::Project;
use crate::project::line_ends;
use crate::project::repository::{Commit, Repository};
use crate::snapshot::data::Remark;
use crate::snapshot::{Closure, Data, Dependencies, Snapshot, source};
use crate::verdict::{self, NotChecked, Note, Verdict, Word};

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

/// Looks at every input beside the data, which takes longest and need not wait for the lock.
///
/// # Errors
/// When one cannot be read.
pub fn inspect(project: &Project, read: &Read, data: BTreeMap<String, Data>, cache: &mut Cache) -> Result<Inspected> {
    let lock = &read.lock;
    let closure = closure(project, lock)?;
    let mut snapshot = Snapshot::observe(project, &closure, data)?;
    for (name, found) in &mut snapshot.data {
        if let Some(locked) = lock.snapshot.data.get(name) {
            found.look_for_beginnings(&project.directory, locked)?;
        }
    }
    let packages = project.package.workspace.join("Cargo.lock");
    let (locked, here) = (&lock.snapshot.dependencies, &mut snapshot.dependencies);
    // The same packages to cargo, and as committed to git.
    if here.lock != locked.lock && line_ends::would_have(&packages, locked.lock) {
        here.lock = locked.lock;
    }
    let mut found: Vec<Drift> = edited(read).into_iter().collect();
    found.extend(drift_from(lock, &snapshot));
    found.iter_mut().for_each(|drift| look_for_turned(drift, &project.directory));
    let mut committed = closure;
    committed.files.insert(project.in_repository(crate::project::manifest::FILE)?);
    committed.files.insert(source::relative(project.repository.root(), &packages)?);
    let dirty = source::dirty(project.tree(), &committed, &|path| project.is_apart(path), cache)?;
    found.extend(dirty.into_iter().map(Drift::SourceDirty));
    let mut not_checked = Vec::new();
    found.extend(tag(project, lock, &mut not_checked));
    let artifacts = artifacts(project, lock, &snapshot.platform, cache)?;
    found.extend(artifacts.drift);
    not_checked.extend(artifacts.not_checked);
    let ambient = project.settings_set_aside()?;
    found.extend(ambient.into_iter().map(|setting| Drift::AmbientBuild { setting }));
    let asked_for = lock.snapshot.source.variables.iter();
    let outside =
        asked_for.filter(|name| !snapshot.environment.variables.contains_key(*name) && crate::os::env::is_set(name));
    found.extend(outside.map(|name| Drift::AmbientBuild { setting: name.clone() }));
    not_checked.extend(verdict::lacking(&lock.snapshot.source));
    not_checked.extend(verdict::sampled(&snapshot.data));
    not_checked.extend(verdict::left_out(&lock.snapshot.stages));
    let mut notes = verdict::data_notes(&snapshot.data);
    notes.retain(|note| !found.iter().any(|drift| says_the_same(drift, note)));
    notes.extend(artifacts.notes);
    notes.extend(lock.record.dirty.then_some(Note::RecordedDirty));
    notes.extend(verdict::native_note(&snapshot.build, &snapshot.environment));
    Ok(Inspected {
        snapshot,
        drift: found,
        notes,
        not_checked,
    })
}

/// Whether git has turned the line ends of data is seen in the file alone.
fn look_for_turned(drift: &mut Drift, directory: &Path) {
    if let Drift::DataChanged(DataChange::File(change)) = drift {
        let is_whole = !change.locked.sampled && !change.found.sampled;
        let may_be = is_whole && change.locked.bytes != change.found.bytes;
        change.turned = may_be && line_ends::would_have(&directory.join(&change.path), change.locked.digest);
    }
}

/// That a file is no table any more is a drift; that it is none need not be said beside it.
fn says_the_same(drift: &Drift, note: &Note) -> bool {
    match (drift, note) {
        (
            Drift::DataChanged(DataChange::File(change)),
            Note::Data {
                name,
                remark: Remark::NoTable { path, .. },
            },
        ) => change.locked.table.is_some() && change.name == *name && change.path == *path,
        _ => false,
    }
}

/// What is left to say where cargo refuses the package: what Cargo.lock pins that the lock does not is
/// drift, and likely why; if there is nothing of that, the refusal stands.
///
/// # Errors
/// The refusal.
pub fn refused(directory: &Path, refusal: Error) -> Result<Verdict> {
    let changed = if refusal.is_of_cargo() {
        changed_packages(directory)
    } else {
        None
    };
    let Some((read, commit, drift)) = changed else {
        return Err(refusal);
    };
    let said = refusal.context_lines().and_then(|lines| lines.lines().next()).unwrap_or_default();
    let why = format!("{}, so no other input was looked at: {said}", refusal.what());
    // A verdict is read elsewhere, too: cargo names files by where they are on this machine.
    let workspace = packages(directory)
        .and_then(|path| Some(path.parent()?.to_path_buf()))
        .unwrap_or_default();
    let why = Redaction::of([(workspace.to_string_lossy().into_owned(), "")]).apply(&why);
    Ok(Verdict {
        drift,
        not_checked: vec![NotChecked::new("inputs", why)],
        lock: Some(read.id),
        lock_commit: Some(read.lock.snapshot.source.commit.clone()),
        ..Verdict::new(Word::Drifted, commit)
    })
}

/// The workspace's `Cargo.lock`, before cargo says where that is.
fn packages(directory: &Path) -> Option<PathBuf> {
    directory.ancestors().map(|above| above.join("Cargo.lock")).find(|path| path.is_file())
}

fn changed_packages(directory: &Path) -> Option<(Read, Commit, Vec<Drift>)> {
    let read = Lockfile::read(&directory.join(lockfile::FILE)).ok()?;
    let commit = Repository::discover(directory).and_then(|repository| repository.head()).ok()?;
    let found = Dependencies::read(&packages(directory)?).ok()?;
    let mut drift: Vec<Drift> = edited(&read).into_iter().collect();
    let before = drift.len();
    snapshots::dependencies(&read.lock.snapshot.dependencies, &found, &mut drift);
    (drift.len() > before).then_some((read, commit, drift))
}

fn edited(read: &Read) -> Option<Drift> {
    (read.id != read.actual_id).then_some(Drift::LockEdited {
        stated: read.id,
        actual: read.actual_id,
    })
}

/// What the lock knows, and the files that would rule a build, or come to a vendored package, if they appeared.
fn closure(project: &Project, lock: &Lockfile) -> Result<Closure> {
    let locked = &lock.snapshot.source;
    let ruling = Closure::of(source::ruling_files(&project.repository, &project.package)?);
    let mut closure = ruling.behind_links(project.tree());
    closure.files.extend(locked.files.keys().cloned());
    closure.files.extend(source::vendored_beside(project.tree(), locked.files.keys())?);
    if let Some(looks) = &locked.looks {
        closure.extend_with(looks);
    }
    if project.manifest.runs_commands() {
        let apart = |path: &str| project.manifest.is_apart(path);
        let whole = source::whole_package(&project.repository, project.commit, &project.prefix()?, apart)?;
        closure.files.extend(whole);
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

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = include_str!("../fixtures/lockfiles/v1.lock");

    /// A repository with that lock, and a Cargo.lock with the first package that it pins, of this checksum.
    fn package(checksum: &str) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        let git = git2::Repository::init(directory.path()).unwrap();
        let author = git2::Signature::now("a", "a@b").unwrap();
        let tree = git.find_tree(git.index().unwrap().write_tree().unwrap()).unwrap();
        git.commit(Some("HEAD"), &author, &author, "start", &tree, &[]).unwrap();
        let package = format!(
            "[[package]]\nname = \"rand\"\nversion = \"0.8.5\"\nsource = \"registry+https://example.org/index\"\nchecksum = \"{checksum}\"\n"
        );
        std::fs::write(directory.path().join("Cargo.lock"), package).unwrap();
        std::fs::write(directory.path().join(lockfile::FILE), LOCK).unwrap();
        directory
    }

    #[test]
    fn a_refusal_of_cargo_is_drift_where_the_packages_are_not_as_locked() {
        let refusal = || Error::new("cargo refuses").context("error: checksum changed").of_cargo();
        let directory = package("0000");
        let verdict = refused(directory.path(), refusal()).unwrap();
        let is_rand =
            |drift: &Drift| matches!(drift, Drift::Dependency { locked: Some(package), .. } if package.name == "rand");
        assert!(verdict.word == Word::Drifted && verdict.drift.iter().any(is_rand), "{:?}", verdict.drift);
        assert!(verdict.not_checked[0].why.contains("checksum changed"));
        assert!(refused(directory.path(), Error::new("repro.toml is broken")).is_err());
        std::fs::remove_file(directory.path().join("Cargo.lock")).unwrap();
        assert_eq!(refused(directory.path(), refusal()).unwrap_err().what(), "cargo refuses");
    }
}
