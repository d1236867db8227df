//! `record --add-class`: on a machine of another platform class, the outcome of the very inputs that a lock
//! pins, added to that lock. And what becomes of such outcomes when a lock is recorded anew.

use super::{Confirmed, confirm, not_repeated, refuse_dirty, with_read};
use crate::cache::Cache;
use crate::cli::args;
use crate::cli::commands::verify::inspect_all;
use crate::cli::commands::{conclude, not_isolated};
use crate::cli::settings::{Overrides, Settings};
use crate::compare::classes::drift_from;
use crate::compare::divergence;
use crate::diagnose::trial::Laboratory;
use crate::diagnose::workshop::Workshop;
use crate::error::{Error, Result};
use crate::exit_code::ExitCode;
use crate::inspect::Inspected;
use crate::lockfile::{self, Class, Lockfile, Read};
use crate::os::atomic;
use crate::project::{self, Project};
use crate::run::access::Access;
use crate::run::circumstances::Circumstances;
use crate::run::session::{Pinned, Session};
use crate::run::workdir::Workdir;
use crate::snapshot::{Platform, Snapshot, Source};
use crate::verdict::{NotChecked, Note, Verdict, Word, stops};

/// Runs the command.
///
/// # Errors
/// When there is no lock that this class could be added to, or anything keeps the training from its end; the
/// lock is as it was then.
pub(super) fn run(settings: &Settings, args: &args::Record) -> Result<ExitCode> {
    let directory = project::directory(settings)?;
    // Whatever is remembered of this machine's files, they are read as a verification would.
    let (mut project, mut cache) =
        Project::open(directory, &Overrides::default(), settings.offline, |_| Cache::none())?;
    let workdir = Workdir::kept(&project.directory, settings.console)?;
    let read = Lockfile::read(&project.lock_path())?;
    let followed = project.follow(&read.lock, &Overrides::default());
    let mut inspected = inspect_all(&project, &read, &mut cache, settings.console)?;
    inspected.notes.extend(followed);
    let platform = inspected.snapshot.platform.clone();
    refuse_lock(&read, &platform)?;
    settings.console.status("Adding", format!("{platform} to the lock {}", read.id.short()));
    let addition = Addition {
        project: &project,
        read: &read,
        workdir: &workdir,
        settings,
        times: args.confirm,
    };
    conclude(settings, &addition.verdict(inspected)?)
}

/// A class is added to what another machine recorded, and of that a commit has everything.
fn refuse_lock(read: &Read, platform: &Platform) -> Result<()> {
    if read.lock.snapshot.platform == *platform {
        return Err(Error::new(format!("this machine is of the class that repro.lock was recorded on: {platform}"))
            .hint("`cargo repro record` records it anew; `--add-class` is for machines of other classes"));
    }
    if read.lock.record.dirty {
        return Err(Error::new("repro.lock was recorded with uncommitted changes, which this machine does not have")
            .hint("commit them where they are, and `cargo repro record` there again"));
    }
    Ok(())
}

/// What a class is added to, and how.
struct Addition<'a> {
    project: &'a Project,
    read: &'a Read,
    workdir: &'a Workdir,
    settings: &'a Settings,
    times: u32,
}

impl Addition<'_> {
    fn verdict(&self, inspected: Inspected) -> Result<Verdict> {
        let Inspected {
            snapshot,
            drift,
            notes,
            not_checked,
        } = inspected;
        let mut verdict = Verdict {
            drift,
            notes,
            not_checked,
            lock: Some(self.read.id),
            lock_commit: Some(self.read.lock.snapshot.source.commit.clone()),
            ..Verdict::new(Word::Drifted, self.project.commit)
        };
        if verdict.drift.iter().any(stops) {
            let why = "inputs differ, so nothing was built or trained, and nothing was added";
            verdict.not_checked.push(NotChecked::new("outcome", why));
            return Ok(verdict);
        }
        self.project.check_commands()?;
        self.train(&snapshot, verdict)
    }

    /// Trains as a recording does, under the circumstances of the lock's own.
    fn train(&self, snapshot: &Snapshot, mut verdict: Verdict) -> Result<Verdict> {
        let circumstances = Circumstances::as_recorded(&self.project.manifest, self.read.lock.record);
        let pinned = Pinned::of(snapshot, &circumstances);
        let session = Session::build(self.project, self.workdir, false, pinned, self.settings.console)?;
        let laboratory = Laboratory {
            project: self.project,
            session: &session,
            data: &snapshot.data,
            environment: &snapshot.environment,
            console: self.settings.console,
        };
        let workshop = Workshop {
            laboratory,
            pinned: Pinned::of(snapshot, &circumstances),
            dirty: false,
        };
        let confirmed = confirm(&workshop, &circumstances, self.times);
        session.forget_kept();
        let agreed = match confirmed? {
            Confirmed::Same(agreed) => agreed,
            Confirmed::Refused(refusal) => return Ok(*refusal),
        };
        verdict.not_checked.extend(not_isolated(self.workdir));
        verdict.not_checked.extend(agreed.not_covered);
        verdict.not_checked.extend(self.unpinned(&session, &agreed.accesses)?);
        verdict
            .notes
            .extend(agreed.accesses.into_iter().filter(Access::is_worth_a_note).map(Note::Reached));
        verdict.notes.extend(agreed.copied.into_iter().map(Note::Copied));
        let class = Class {
            runs: self.times,
            platform: snapshot.platform.clone(),
            outcome: agreed.outcome,
        };
        self.add(class, verdict)
    }

    /// Files that reach the program only on this class; the lock's list is that of the class it was recorded on.
    fn unpinned(&self, session: &Session<'_>, accesses: &[Access]) -> Result<Option<NotChecked>> {
        let project = self.project;
        let closure = with_read(project, super::closure(project, session)?, accesses)?;
        refuse_dirty(project, &closure, false, &mut Cache::none())?;
        let mut files = Source::observe(project.tree(), &closure, &|path| project.is_apart(path))?.files;
        files.retain(|path, _| !self.read.lock.snapshot.source.files.contains_key(path));
        if files.is_empty() {
            return Ok(None);
        }
        let files: Vec<String> = files.into_keys().collect();
        let why = format!("the lock does not pin what reaches the program only on this class: {}", files.join(", "));
        Ok(Some(NotChecked::new("source", why)))
    }

    /// What a pull brought during hours of training is not for an older lock to replace.
    fn refuse_other_lock(&self) -> Result<()> {
        let now = Lockfile::read(&self.project.lock_path())?;
        if now == *self.read {
            return Ok(());
        }
        Err(Error::new("repro.lock changed while the model was trained, and stays as it is now")
            .hint("run the same command again when nobody else works in this clone"))
    }

    /// Puts the class into the lock, unless the lock knows the class by another outcome.
    fn add(&self, class: Class, mut verdict: Verdict) -> Result<Verdict> {
        let mut lock = self.read.lock.clone();
        let order = self.project.manifest.stage_order();
        let known = lock.classes.iter_mut().find(|known| known.platform == class.platform);
        verdict.runs = class.runs;
        if let Some(known) = known {
            verdict.divergence = divergence(&known.outcome, &class.outcome, &order);
            if !verdict.divergence.is_empty() {
                verdict.word = Word::Diverged;
                return Ok(verdict);
            }
            known.runs = known.runs.max(class.runs);
            verdict.runs = known.runs;
            verdict.outcome.clone_from(&known.outcome);
        } else {
            verdict.outcome.clone_from(&class.outcome);
            lock.put_class(class);
        }
        crate::os::interrupt::check()?;
        self.refuse_other_lock()?;
        atomic::sweep(&self.project.directory);
        if lock == self.read.lock {
            self.settings.console.status("Unchanged", lockfile::FILE);
        } else {
            lock.write(&self.project.lock_path())?;
            self.settings.console.status("Wrote", lockfile::FILE);
        }
        verdict.word = Word::Recorded;
        verdict.lock = Some(lock.id());
        // That the class was unknown is what was changed just now.
        verdict.drift.retain(|drift| !matches!(drift, crate::compare::Drift::Platform(_)));
        verdict.not_checked.splice(0..0, not_repeated(verdict.runs));
        Ok(verdict)
    }
}

/// Lets a new lock keep what other machines added to the old one, if that still is what its inputs give there;
/// else tells what is no longer known.
pub(super) fn inherit(lock: &mut Lockfile, old: &Lockfile, order: &[&str]) -> Option<Note> {
    let here = &lock.snapshot.platform;
    let same_class = old.snapshot.platform == *here;
    let same_answers = (lock.record.date, lock.record.draws) == (old.record.date, old.record.draws);
    let same_inputs = same_answers && !drift_from(old, &lock.snapshot).iter().any(stops);
    if same_class && same_inputs && divergence(&old.outcome, &lock.outcome, order).is_empty() {
        lock.classes.clone_from(&old.classes);
        return None;
    }
    let gone = old.classes_known().map(|(class, ..)| class).filter(|class| *class != here);
    let classes: Vec<Platform> = gone.cloned().collect();
    (!classes.is_empty()).then_some(Note::ClassesDropped {
        classes,
        could_be_added: same_inputs && !same_class,
    })
}
