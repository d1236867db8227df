//! `status`: drift only, in a moment. No build and no training, and where nothing changed since the
//! last look, no subprocess either.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::reports::Reports;
use super::subject::Subject;
use crate::cache::Cache;
use crate::cli::args;
use crate::cli::settings::{Overrides, Settings};
use crate::error::Result;
use crate::exit_code::ExitCode;
use crate::inspect;
use crate::lockfile::{self, Lockfile};
use crate::progress::Progress;
use crate::project::{self, Project};
use crate::timing::{Step, Timing};
use crate::verdict::{NotChecked, Verdict, Word, stops};

/// Runs the command.
///
/// # Errors
/// When the inputs or the lock cannot be read.
pub fn run(settings: &Settings, args: &args::Status) -> Result<ExitCode> {
    let mut subject = Subject::of("status", &args.overrides.typed());
    let reports = Reports::asked(settings, &args.reports, &mut subject)?;
    let judged = status(settings, args, &mut subject);
    reports.conclude(settings, &subject, judged)
}

fn status(settings: &Settings, args: &args::Status, subject: &mut Subject) -> Result<Verdict> {
    let overrides = Overrides::resolve(&args.overrides)?;
    let directory = project::directory(settings)?;
    subject.look_in(&directory);
    let begin = Instant::now();
    let place = directory.join(lockfile::FILE);
    let is_unreadable = AtomicBool::new(!place.exists());
    // A lock of many files takes a while to read, and so do the index and the data.
    let (opened, read) = std::thread::scope(|scope| {
        let read = scope.spawn(|| {
            let read = Lockfile::read(&place);
            is_unreadable.store(read.is_err(), Ordering::Relaxed);
            read
        });
        let opened = Project::open(directory.clone(), &overrides, settings.offline, |repository| {
            if args.fresh {
                Cache::none()
            } else {
                Cache::load(&repository.private_directory())
            }
        });
        let opened = opened.map(|(project, mut cache)| {
            // With nothing to hold it against, data need not be read, however much there is.
            let is_wanted = !is_unreadable.load(Ordering::Relaxed);
            let observe = |progress: &Progress| project.observe_data(&mut cache, progress);
            let data = is_wanted.then(|| settings.console.watching("Hashing", observe));
            (project, cache, data)
        });
        (opened, read.join().expect("reading a lock does not panic"))
    });
    let (mut project, mut cache, data) = match opened {
        Ok(opened) => opened,
        Err(refusal) => {
            subject.lock = read.ok();
            return inspect::refused(&directory, refusal);
        }
    };
    subject.package.clone_from(&project.package.name);
    subject.commit = Some(project.commit.to_string());
    let read = read?;
    let followed = project.follow(&read.lock, &overrides);
    let data = data.expect("a lock that was read has something to hold data against")?;
    let inspected = inspect::inspect(&project, &read, data, &mut cache)?;
    cache.save();
    // The process ends soon, and gives it back in one go: of many files that is a part of the time.
    std::mem::forget(cache);
    subject.timings.push(Timing::since(Step::Inputs, begin));
    subject.platform = Some(inspected.snapshot.platform.clone());
    let mut notes = inspected.notes;
    notes.extend(followed);
    let mut not_checked = inspected.not_checked;
    not_checked.push(NotChecked::new("outcome", "nothing was built or trained; `cargo repro verify` does that"));
    not_checked.push(NotChecked::new(
        "dependency-sources",
        "packages are compared by Cargo.lock; `cargo repro verify` looks into their files",
    ));
    let word = if inspected.drift.iter().any(stops) {
        Word::Drifted
    } else {
        Word::Unchanged
    };
    let lock = read.id;
    let lock_commit = read.lock.snapshot.source.commit.clone();
    subject.lock = Some(read);
    Ok(Verdict {
        drift: inspected.drift,
        notes,
        not_checked,
        lock: Some(lock),
        brief: true,
        lock_commit: Some(lock_commit),
        ..Verdict::new(word, project.commit)
    })
}
