//! `verify`: every drift before any compute; then a clean checkout, a rebuild from verified sources in
//! a new target directory, a retraining, and every divergence. It writes nothing that `record` wrote.

use std::path::{Path, PathBuf};

use super::explain::Case;
use super::{conclude, not_covered, not_isolated};
use crate::args;
use crate::compare::divergence::changed_binaries;
use crate::compare::{Drift, divergence};
use crate::error::{Error, Phase, Result};
use crate::exit_code::ExitCode;
use crate::inspect::{self, Inspected};
use crate::lockfile::{Lockfile, Read};
use crate::memory::Memory;
use crate::project::{self, Project};
use crate::run::access::Access;
use crate::run::circumstances::Circumstances;
use crate::run::session::{Pinned, Session, Trained};
use crate::run::workdir::{self, Workdir};
use crate::run::{crates, evidence};
use crate::settings::{Overrides, Settings};
use crate::shell::Shell;
use crate::snapshot::{Platform, Snapshot};
use crate::verdict::{NotChecked, Note, Verdict, Word, decide, stops};

/// Runs the command.
///
/// # Errors
/// When the lock or the inputs cannot be read, or a phase fails.
pub fn run(settings: &Settings, args: &args::Verify) -> Result<ExitCode> {
    conclude(settings, &verify(settings, args)?.verdict)
}

/// What a verification came to, and of what it was one.
pub(super) struct Verified {
    pub(super) verdict: Verdict,
    /// The lock, and the class of the machine that computed; none where not even the inputs could be looked at.
    pub(super) against: Option<(Read, Platform)>,
}

/// Verifies, and leaves it to the caller to say what came of it.
///
/// # Errors
/// As [`run`].
pub(super) fn verify(settings: &Settings, args: &args::Verify) -> Result<Verified> {
    let overrides = Overrides::resolve(&args.overrides)?;
    let here = project::directory(settings)?;
    let revision = args.rev.as_ref().map(|name| crate::revision::check_out(&here, name)).transpose()?;
    let directory = revision.as_ref().map_or(here.clone(), |revision| revision.package.clone());
    let opened = Project::open(directory.clone(), &overrides, settings.offline, |repository| {
        if args.cached {
            Memory::load(&repository.private_directory())
        } else {
            Memory::none()
        }
    });
    let (project, mut memory) = match opened {
        Ok(opened) => opened,
        Err(refusal) => {
            let verdict = inspect::refused(&directory, refusal)?;
            return Ok(Verified { verdict, against: None });
        }
    };
    let read = Lockfile::read(&project.lock_path())?;
    let at = args.rev.as_ref().map_or_else(String::new, |name| format!("{name}, "));
    settings.shell.status(
        "Verifying",
        format!("{} at {at}{} against {}", project.package.name, project.commit.short(), read.id.short()),
    );
    let outputs = match &args.outputs {
        Some(directory) => elsewhere(settings.current_directory.join(directory), &here)?,
        None => workdir::outputs_directory(&here)?,
    };
    let verification = Verification {
        project: &project,
        read: &read,
        settings,
        times: args.times,
        explain: args.explain,
        cached: args.cached,
        outputs: &outputs,
    };
    let judged = verification.verdict(&mut memory);
    memory.save();
    let (verdict, platform) = judged?;
    Ok(Verified {
        verdict,
        against: Some((read, platform)),
    })
}

/// The directory that `--outputs` names, unless the recorded outputs lie there.
fn elsewhere(directory: PathBuf, package: &Path) -> Result<PathBuf> {
    if directory.canonicalize().is_ok_and(|directory| directory == package) {
        return Err(Error::new("`--outputs` must not be the package's own directory, where the recorded outputs are")
            .code(ExitCode::Usage)
            .hint("name another; it need not be there yet"));
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
    /// Whether files that seem untouched since the last look are not read again.
    cached: bool,
    /// Where outputs that are not as locked are left.
    outputs: &'a Path,
}

impl Verification<'_> {
    fn verdict(&self, memory: &mut Memory) -> Result<(Verdict, Platform)> {
        self.settings
            .shell
            .json(&crate::report::json::phase("snapshot", &self.project.package.name));
        let inspected = inspect_all(self.project, self.read, memory, self.settings.shell)?;
        let mut verdict = Verdict {
            drift: inspected.drift,
            notes: inspected.notes,
            not_checked: inspected.not_checked,
            lock: Some(self.read.id),
            ..Verdict::new(Word::Drifted, self.project.commit)
        };
        if self.cached {
            let why = "`--cached`: files whose size, times and inode are as at the last look were not read again";
            verdict.not_checked.push(NotChecked::new("content", why));
        }
        if verdict.drift.iter().any(stops) {
            verdict
                .not_checked
                .push(NotChecked::new("outcome", "inputs differ, so nothing was built or trained"));
            return Ok((verdict, inspected.snapshot.platform));
        }
        let unknown = |drift: &Drift| matches!(drift, Drift::Platform(_));
        if verdict.drift.iter().any(unknown) {
            verdict.notes.push(Note::ClassUnknown(inspected.snapshot.platform.clone()));
        }
        self.project.check_commands()?;
        self.retrain(&inspected.snapshot, &mut verdict)?;
        Ok((verdict, inspected.snapshot.platform))
    }

    /// Rebuilds, and trains until all trainings are done or one differs.
    fn retrain(&self, snapshot: &Snapshot, verdict: &mut Verdict) -> Result<()> {
        let project = self.project;
        let circumstances = Circumstances::of(&project.manifest, self.read.lock.record.date);
        let pinned = Pinned {
            build: &snapshot.build,
            environment: &snapshot.environment,
            dependencies: &snapshot.dependencies,
            circumstances: &circumstances,
            line_tables: false,
        };
        let workdir = Workdir::fresh()?;
        verdict.not_checked.extend(not_isolated(&workdir));
        let session = Session::build(project, &workdir, false, pinned, self.settings.shell)?;
        let case = Case {
            project,
            snapshot,
            circumstances: &circumstances,
            workdir: &workdir,
            session: &session,
            shell: self.settings.shell,
        };
        for number in 1..=self.times {
            let trained = case.laboratory(&session).train(&circumstances, (number, self.times))?;
            verdict.runs = number;
            if number == 1 {
                verdict.not_checked.extend(not_covered(project, &session, &trained));
            }
            if self.judge(trained, &case, verdict)? {
                return Ok(());
            }
        }
        verdict.word = decide(&verdict.drift, &verdict.divergence);
        Ok(())
    }

    /// Holds a training against the lock. Gives whether that is the end.
    fn judge(&self, trained: Trained, case: &Case<'_>, verdict: &mut Verdict) -> Result<bool> {
        let lock = &self.read.lock;
        // On a class that it does not know, nothing is promised, but the outcome may be equal all the same.
        let locked = lock.expected(&case.snapshot.platform).unwrap_or(&lock.outcome);
        if verdict.runs == 1 {
            verdict
                .notes
                .extend(trained.accesses.into_iter().filter(Access::is_worth_a_note).map(Note::Reached));
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
pub(super) fn inspect_all(project: &Project, read: &Read, memory: &mut Memory, shell: Shell) -> Result<Inspected> {
    let (inspected, packages) = std::thread::scope(|scope| {
        let (package, dependencies) = (&project.package, &read.lock.snapshot.dependencies);
        let root = project.repository.root();
        let packages = scope.spawn(move || crates::check(root, package, dependencies));
        let inspected = shell.watching("Hashing", |tally| inspect::inspect(project, read, memory, tally));
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
