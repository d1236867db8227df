//! `verify`: every drift before any compute; then a clean checkout, a rebuild from verified sources in
//! a new target directory, a retraining, and every divergence. It writes nothing that `record` wrote.
//! `explain` asks the build that `record` kept first: one that diverges need not be built again.

use std::path::{Path, PathBuf};
use std::time::Instant;

use super::explain::Case;
use super::reports::Reports;
use super::subject::Subject;
use super::{not_covered, not_isolated};
use crate::cache::Cache;
use crate::cli::args;
use crate::cli::settings::{Overrides, Settings};
use crate::compare::divergence::changed_binaries;
use crate::compare::{Drift, divergence};
use crate::console::Console;
use crate::error::{Error, Phase, Result};
use crate::exit_code::ExitCode;
use crate::inspect::{self, Inspected};
use crate::lockfile::{self, Lockfile, Read};
use crate::project::{self, Project};
use crate::run::circumstances::Circumstances;
use crate::run::proved::Proved;
use crate::run::session::{Pinned, Session, Trained};
use crate::run::workdir::{self, Workdir};
use crate::run::{crates, evidence};
use crate::snapshot::Snapshot;
use crate::snapshot::toolchain::Installed;
use crate::timing::{Step, Timing};
use crate::verdict::{NotChecked, Note, Verdict, Word, decide, stops};

/// Runs the command.
///
/// # Errors
/// When the lock or the inputs cannot be read, a phase fails, or a report cannot be written.
pub fn run(settings: &Settings, args: &args::Verify) -> Result<ExitCode> {
    reported(settings, args, Subject::of("verify", &typed(args)))
}

/// Verifies, and ends as a command that writes reports.
///
/// # Errors
/// As [`run`].
pub(super) fn reported(settings: &Settings, args: &args::Verify, mut subject: Subject) -> Result<ExitCode> {
    let reports = Reports::asked(settings, &args.reports, &mut subject)?;
    let judged = verify(settings, args, &mut subject);
    reports.conclude(settings, &subject, judged)
}

/// The arguments that the verdict depends on.
fn typed(args: &args::Verify) -> Vec<String> {
    let rev = args.rev.iter().flat_map(|rev| ["--rev".to_owned(), rev.clone()]);
    let times = (args.times > 1).then(|| ["--times".to_owned(), args.times.to_string()]);
    let explain = args.explain.then(|| "--explain".to_owned());
    rev.chain(times.into_iter().flatten())
        .chain(explain)
        .chain(args.overrides.typed())
        .collect()
}

/// Verifies, and leaves it to the caller to say what came of it.
///
/// # Errors
/// As [`run`].
pub(super) fn verify(settings: &Settings, args: &args::Verify, subject: &mut Subject) -> Result<Verdict> {
    let overrides = Overrides::resolve(&args.overrides)?;
    let here = project::directory(settings)?;
    subject.look_in(&here);
    if let Some(name) = &args.rev {
        let revision = crate::project::revision::check_out(&here, name)?;
        subject.look_in(&revision.package);
        subject.revision = Some(revision);
    }
    let directory = subject.directory.clone().unwrap_or_else(|| here.clone());
    let toolchain = match &args.rev {
        Some(_) => of_revision(&directory, &here)?,
        None => None,
    };
    let opened = Project::open_with(directory.clone(), &overrides, settings.offline, toolchain, |repository| {
        if args.cached {
            Cache::load(&repository.private_directory())
        } else {
            Cache::none()
        }
    });
    let (mut project, mut cache) = match opened {
        Ok(opened) => opened,
        Err(refusal) => {
            subject.lock = Lockfile::read(&directory.join(lockfile::FILE)).ok();
            return inspect::refused(&directory, refusal);
        }
    };
    subject.package.clone_from(&project.package.name);
    subject.commit = Some(project.commit.to_string());
    if let Some(name) = args.rev.as_ref().filter(|_| !project.lock_path().exists()) {
        return Err(crate::project::revision::without_lock(name, lockfile::FILE));
    }
    let read = Lockfile::read(&project.lock_path())?;
    subject.lock = Some(read.clone());
    let followed = project.follow(&read.lock, &overrides);
    let at = args.rev.as_ref().map_or_else(String::new, |name| format!("{name}, "));
    settings.console.status(
        "Verifying",
        format!("{} at {at}{} against {}", project.package.name, project.commit.short(), read.id.short()),
    );
    let outputs = match &args.outputs {
        Some(directory) => elsewhere("--outputs", settings.current_directory.join(directory), &here)?,
        None => workdir::outputs_directory(&here)?,
    };
    let verification = Verification {
        project: &project,
        read: &read,
        settings,
        times: args.times,
        explain: args.explain,
        kept_first: args.kept_first,
        cached: args.cached,
        outputs: &outputs,
        proved: proved(settings, args, &here, &read.lock)?,
        followed: &followed,
    };
    let judged = verification.verdict(&mut cache, subject);
    cache.save();
    judged
}

/// The toolchain that the lock of a revision was recorded with, if it is on this machine.
fn of_revision(directory: &Path, here: &Path) -> Result<Option<Installed>> {
    let read = Lockfile::read(&directory.join(lockfile::FILE)).ok();
    Installed::of_revision(directory, here, read.as_ref().map(|read| &read.lock.snapshot.toolchain))
}

/// Where to keep what reproduces, if that is asked for.
fn proved(settings: &Settings, args: &args::Verify, package: &Path, lock: &Lockfile) -> Result<Option<Proved>> {
    let Some(directory) = &args.artifacts else {
        return Ok(None);
    };
    let directory = elsewhere("--artifacts", settings.current_directory.join(directory), package)?;
    Proved::open(directory, &lock.outcome).map(Some)
}

/// The directory that an option names, unless the recorded outputs lie there.
fn elsewhere(option: &str, directory: PathBuf, package: &Path) -> Result<PathBuf> {
    if directory.canonicalize().is_ok_and(|directory| directory == package) {
        let what = format!("`{option}` must not be the package's own directory, where the recorded outputs are");
        return Err(Error::new(what).code(ExitCode::Usage).hint("name another; it need not be there yet"));
    }
    Ok(directory)
}

/// What is verified, and how.
struct Verification<'a> {
    project: &'a Project,
    read: &'a Read,
    settings: &'a Settings,
    times: u32,
    /// Whether to go on after a divergence until its cause is known.
    explain: bool,
    /// Whether the build that `record` kept may show a divergence.
    kept_first: bool,
    /// Whether files that seem untouched since the last look are not read again.
    cached: bool,
    /// Where outputs that are not as locked are left.
    outputs: &'a Path,
    /// Where the artifacts are kept if they reproduce.
    proved: Option<Proved>,
    /// Values of the command line that the lock was recorded with.
    followed: &'a [Note],
}

impl Verification<'_> {
    fn verdict(&self, cache: &mut Cache, subject: &mut Subject) -> Result<Verdict> {
        self.settings
            .console
            .json(&crate::report::json::phase("snapshot", &self.project.package.name))?;
        let begin = Instant::now();
        let inspected = inspect_all(self.project, self.read, cache, self.settings.console)?;
        subject.timings.push(Timing::since(Step::Inputs, begin));
        subject.platform = Some(inspected.snapshot.platform.clone());
        let mut verdict = Verdict {
            drift: inspected.drift,
            notes: inspected.notes,
            not_checked: inspected.not_checked,
            lock: Some(self.read.id),
            lock_commit: Some(self.read.lock.snapshot.source.commit.clone()),
            ..Verdict::new(Word::Drifted, self.project.commit)
        };
        verdict.notes.extend_from_slice(self.followed);
        if self.cached {
            let why = "`--cached`: files whose size, times and inode are as at the last look were not read again";
            verdict.not_checked.push(NotChecked::new("content", why));
        }
        if verdict.drift.iter().any(stops) {
            verdict
                .not_checked
                .push(NotChecked::new("outcome", "inputs differ, so nothing was built or trained"));
            return Ok(verdict);
        }
        let unknown = |drift: &Drift| matches!(drift, Drift::Platform(_));
        if verdict.drift.iter().any(unknown) {
            verdict.notes.push(Note::ClassUnknown(inspected.snapshot.platform.clone()));
        }
        self.project.check_commands()?;
        self.retrain(&inspected.snapshot, &mut verdict, &mut subject.timings)?;
        Ok(verdict)
    }

    /// Rebuilds, and trains until all trainings are done or one differs.
    fn retrain(&self, snapshot: &Snapshot, verdict: &mut Verdict, timings: &mut Vec<Timing>) -> Result<()> {
        let circumstances = Circumstances::as_recorded(&self.project.manifest, self.read.lock.record);
        if self.kept_first && self.diverges_as_kept(snapshot, &circumstances, verdict, timings)? {
            return Ok(());
        }
        self.train_in(&Workdir::fresh()?, snapshot, &circumstances, verdict, timings)
    }

    /// Trains with the build that `record` kept, if that is of just these inputs: a divergence is one whoever built the
    /// program, and the diagnosis goes on with it. That it reproduces, or fails, is believed of a build of its own alone.
    fn diverges_as_kept(
        &self,
        snapshot: &Snapshot,
        circumstances: &Circumstances,
        verdict: &mut Verdict,
        timings: &mut Vec<Timing>,
    ) -> Result<bool> {
        let begin = Instant::now();
        let workdir = Workdir::kept(&self.project.directory, self.settings.console)?;
        if !Session::is_built(self.project, &workdir, Pinned::of(snapshot, circumstances))? {
            return Ok(false);
        }
        let (mut looked, mut took) = (verdict.clone(), Vec::new());
        let diverges = match self.train_in(&workdir, snapshot, circumstances, &mut looked, &mut took) {
            Ok(()) => !looked.divergence.is_empty(),
            Err(error) if error.exit_code() == ExitCode::TrainingFailed => false,
            Err(error) => return Err(error),
        };
        if !diverges {
            timings.push(Timing::since(Step::Explain, begin));
            return Ok(false);
        }
        let why = "it diverges with the very build that `record` made, so the program was not built again";
        looked.not_checked.push(NotChecked::new("rebuild", why));
        *verdict = looked;
        timings.extend(took);
        Ok(true)
    }

    /// Builds there, and trains.
    fn train_in(
        &self,
        workdir: &Workdir,
        snapshot: &Snapshot,
        circumstances: &Circumstances,
        verdict: &mut Verdict,
        timings: &mut Vec<Timing>,
    ) -> Result<()> {
        let project = self.project;
        let pinned = Pinned::of(snapshot, circumstances);
        verdict.not_checked.extend(not_isolated(workdir));
        let begin = Instant::now();
        let session = Session::build(project, workdir, false, pinned, self.settings.console)
            .inspect_err(|_| timings.push(Timing::since(Step::Build, begin)))?;
        timings.extend(session.take_timings(1));
        let case = Case {
            project,
            snapshot,
            circumstances,
            workdir,
            session: &session,
            console: self.settings.console,
        };
        for number in 1..=self.times {
            let trained = case.laboratory(&session).train(circumstances, (number, self.times));
            timings.extend(session.take_timings(number));
            let trained = trained?;
            verdict.runs = number;
            if number == 1 {
                verdict.not_checked.extend(not_covered(project, &session, &trained));
            }
            let begin = Instant::now();
            if self.judge(trained, &case, verdict)? {
                if self.explain && !verdict.divergence.is_empty() {
                    timings.push(Timing::since(Step::Explain, begin));
                }
                return Ok(());
            }
        }
        verdict.word = decide(&verdict.drift, &verdict.divergence);
        if let Some(proved) = self.proved.as_ref().filter(|_| verdict.word == Word::Reproduced) {
            verdict.artifacts = Some(proved.keep(&session, &verdict.outcome)?);
        }
        Ok(())
    }

    /// Holds a training against the lock. Gives whether that is the end.
    fn judge(&self, trained: Trained, case: &Case<'_>, verdict: &mut Verdict) -> Result<bool> {
        let lock = &self.read.lock;
        // On a class that it does not know, nothing is promised, but the outcome may be equal all the same.
        let locked = lock.expected(&case.snapshot.platform).unwrap_or(&lock.outcome);
        if verdict.runs == 1 {
            // What the build reached for can be in the model as well as what a stage did.
            let accesses = case.session.built.accesses.iter().cloned().chain(trained.accesses);
            verdict
                .notes
                .extend(accesses.filter(|access| access.is_worth_a_note()).map(Note::Reached));
            verdict.notes.extend(trained.copied.into_iter().map(Note::Copied));
            verdict.notes.extend(trained.remarks.into_iter().map(Note::Output));
            let binaries = changed_binaries(locked, &trained.outcome).into_iter();
            let note = |(stage, (locked, found))| Note::BinaryChanged { stage, locked, found };
            verdict.notes.extend(binaries.map(note));
            verdict.outcome.clone_from(&trained.outcome);
        } else if verdict.outcome != trained.outcome {
            verdict.notes.push(Note::RunsDisagree { run: verdict.runs });
        }
        if !trained.changed.is_empty() {
            verdict.drift.extend(trained.changed);
            verdict.word = Word::Drifted;
            return Ok(true);
        }
        let mut differing = divergence(locked, &trained.outcome, &self.project.manifest.stage_order());
        if differing.is_empty() {
            return Ok(false);
        }
        evidence::describe(&self.project.directory, case.session, &mut differing);
        verdict.outputs = evidence::leave(case.session, locked, &differing, self.outputs)?;
        verdict.divergence = differing;
        verdict.word = decide(&verdict.drift, &verdict.divergence);
        if self.explain {
            case.explain(locked, &trained.outcome, verdict)?;
        }
        Ok(true)
    }
}

/// The inspection and, beside it, the packages' files.
///
/// # Errors
/// When something cannot be read.
pub(super) fn inspect_all(project: &Project, read: &Read, cache: &mut Cache, console: Console) -> Result<Inspected> {
    let (inspected, packages) = std::thread::scope(|scope| {
        let (package, dependencies) = (&project.package, &read.lock.snapshot.dependencies);
        let root = project.repository.root();
        let packages = scope.spawn(move || crates::check(root, package, dependencies));
        let data = console.watching("Hashing", |progress| project.observe_data(cache, progress));
        let inspected = data.and_then(|data| inspect::inspect(project, read, data, cache));
        (inspected, packages.join().expect("checking does not panic"))
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
