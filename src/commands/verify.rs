//! `verify`: every drift before any compute; then a clean checkout, a rebuild from verified sources in
//! a new target directory, a retraining, and every divergence. It writes nothing that `record` wrote.

use std::path::{Path, PathBuf};

use super::{conclude, not_isolated};
use crate::args;
use crate::compare::divergence::{Output, changed_binaries};
use crate::compare::{Divergence, Drift, bytes, divergence};
use crate::error::{IoContext as _, Phase, Result};
use crate::exit_code::ExitCode;
use crate::inspect::{self, Inspected};
use crate::lockfile::{self, Lockfile, Read};
use crate::memory::Memory;
use crate::outcome::Outcome;
use crate::project::{self, Project};
use crate::run::crates;
use crate::run::session::Session;
use crate::run::workdir::{self, Workdir};
use crate::settings::{Overrides, Settings};
use crate::snapshot::Snapshot;
use crate::verdict::{NotChecked, Note, Verdict, Word, decide, stops};

/// Runs the command.
///
/// # Errors
/// When the lock or the inputs cannot be read, or a phase fails.
pub fn run(settings: &Settings, args: &args::Verify) -> Result<ExitCode> {
    let overrides = Overrides::resolve(&args.overrides)?;
    let here = project::directory(settings)?;
    let revision = args.rev.as_ref().map(|name| crate::revision::check_out(&here, name)).transpose()?;
    let directory = revision.as_ref().map_or(here.clone(), |revision| revision.package.clone());
    let (project, mut memory) = Project::open(directory, &overrides, settings.offline, |_| Memory::none())?;
    let read = Lockfile::read(&project.lock_path())?;
    let at = args.rev.as_ref().map_or_else(String::new, |name| format!("{name}, "));
    settings.shell.status(
        "Verifying",
        format!("{} at {at}{} against {}", project.package.name, project.commit.short(), read.id.short()),
    );
    let outputs = match &args.outputs {
        Some(directory) => settings.current_directory.join(directory),
        None => workdir::outputs_directory(&here)?,
    };
    let verdict = verify(&project, &read, settings, args.times, &outputs, &mut memory)?;
    conclude(settings, &verdict)
}

fn verify(
    project: &Project,
    read: &Read,
    settings: &Settings,
    times: u32,
    outputs: &Path,
    memory: &mut Memory,
) -> Result<Verdict> {
    settings.shell.json(&crate::report::json::phase("snapshot", &project.package.name));
    let mut inspected = inspect_all(project, read, memory)?;
    let mut verdict = Verdict {
        word: Word::Drifted,
        drift: std::mem::take(&mut inspected.drift),
        divergence: Vec::new(),
        notes: inspected.notes,
        not_checked: inspected.not_checked,
        runs: 0,
        outcome: Outcome::new(),
        lock: Some(read.id),
        commit: project.commit.to_string(),
        outputs: None,
    };
    if verdict.drift.iter().any(stops) {
        verdict.not_checked.push(NotChecked::new("outcome", "inputs differ, so nothing was built or trained"));
        return Ok(verdict);
    }
    project.check_commands()?;
    let workdir = Workdir::fresh()?;
    retrain(project, &workdir, &inspected.snapshot, &read.lock, settings, times, outputs, &mut verdict)?;
    verdict.not_checked.extend(not_isolated());
    Ok(verdict)
}

/// The inspection and, beside it, the packages' files.
fn inspect_all(project: &Project, read: &Read, memory: &mut Memory) -> Result<Inspected> {
    let (inspected, packages) = std::thread::scope(|scope| {
        let (package, dependencies) = (&project.package, &read.lock.snapshot.dependencies);
        let packages = scope.spawn(|| crates::check(package, dependencies, true));
        (inspect::inspect(project, read, memory), packages.join().expect("checking does not panic"))
    });
    let mut inspected = inspected.map_err(|error| error.phase(Phase::Snapshot))?;
    let (tampered, unchecked) = packages?;
    inspected.drift.extend(tampered.into_iter().map(Drift::DependencyTampered));
    if !unchecked.is_empty() {
        let why = format!("not from a registry or from git: {}", unchecked.join(", "));
        inspected.not_checked.push(NotChecked::new("dependency-sources", why));
    }
    Ok(inspected)
}

#[expect(clippy::too_many_arguments, reason = "one call site; a struct for it would only rename them")]
fn retrain(
    project: &Project,
    workdir: &Workdir,
    snapshot: &Snapshot,
    lock: &Lockfile,
    settings: &Settings,
    times: u32,
    outputs: &Path,
    verdict: &mut Verdict,
) -> Result<()> {
    let (build, environment) = (&snapshot.build, &snapshot.environment);
    let session = Session::build(project, workdir, false, build, environment, &snapshot.dependencies, settings.shell)?;
    let order = project.manifest.stage_order();
    for number in 1..=times {
        let (outcome, changed) = session.train(&snapshot.data, environment, number, times)?;
        verdict.runs = number;
        if !changed.is_empty() {
            verdict.drift.extend(changed);
            verdict.word = Word::Drifted;
            return Ok(());
        }
        let mut differing = divergence(&lock.outcome, &outcome, &order);
        if number > 1 && verdict.outcome != outcome {
            verdict.notes.push(Note::RunsDisagree { run: number });
        }
        if number == 1 {
            let binaries = changed_binaries(&lock.outcome, &outcome).into_iter();
            verdict.notes.extend(binaries.map(|(stage, (locked, found))| Note::BinaryChanged { stage, locked, found }));
            verdict.outcome = outcome;
        }
        if !differing.is_empty() {
            describe(&project.directory, &session, &mut differing);
            verdict.outputs = leave(&session, lock, &differing, outputs)?;
            verdict.divergence = differing;
            break;
        }
    }
    verdict.word = decide(&verdict.drift, &verdict.divergence);
    Ok(())
}

/// Adds what the bytes say, for artifacts whose recorded version is in `directory`.
pub(super) fn describe(directory: &Path, session: &Session<'_>, differing: &mut [Divergence]) {
    for divergence in differing {
        if let Output::ArtifactChanged { path, locked, difference, .. } = &mut divergence.output {
            let recorded = std::fs::read(directory.join(&*path)).ok();
            let recorded = recorded.filter(|bytes| crate::digest::Digest::of(bytes) == locked.digest);
            let found = std::fs::read(session.output(path)).ok();
            *difference = recorded.zip(found).and_then(|(recorded, found)| bytes::difference(&recorded, &found));
        }
    }
}

/// Leaves the outputs that are not as locked where the user can look at them, in place of those of an
/// earlier verification.
fn leave(session: &Session<'_>, lock: &Lockfile, differing: &[Divergence], to: &Path) -> Result<Option<PathBuf>> {
    let paths = differing.iter().filter_map(|divergence| match &divergence.output {
        Output::ArtifactChanged { path, .. } | Output::ArtifactUnexpected { path } => Some(path),
        _ => None,
    });
    let mut left = None;
    let old = lock.outcome.values().flat_map(|stage| stage.artifacts.keys());
    for path in old {
        let _ = std::fs::remove_file(to.join(path));
    }
    for path in paths {
        let from = session.output(path);
        let place = to.join(path);
        let parent = place.parent().unwrap_or(to);
        std::fs::create_dir_all(parent).at("make the directory", parent)?;
        let bytes = std::fs::read(&from).at("read", &from)?;
        lockfile::replace(&place, &bytes)?;
        left = Some(to.to_path_buf());
    }
    Ok(left)
}
