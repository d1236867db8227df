//! `status`: drift only, in a moment. No build and no training, and where nothing changed since the
//! last look, no subprocess either.

use super::conclude;
use crate::args;
use crate::error::Result;
use crate::exit_code::ExitCode;
use crate::inspect;
use crate::lockfile::{self, Lockfile};
use crate::memory::Memory;
use crate::project::{self, Project};
use crate::settings::{Overrides, Settings};
use crate::verdict::{NotChecked, Verdict, Word, stops};

/// Runs the command.
///
/// # Errors
/// When the inputs or the lock cannot be read.
pub fn run(settings: &Settings, args: &args::Status) -> Result<ExitCode> {
    let overrides = Overrides::resolve(&args.overrides)?;
    let directory = project::directory(settings)?;
    // A lock of many files takes a while to read, and so does the index.
    let (opened, read) = std::thread::scope(|scope| {
        let read = scope.spawn(|| Lockfile::read(&directory.join(lockfile::FILE)));
        let opened = Project::open(directory.clone(), &overrides, settings.offline, |repository| {
            if args.fresh {
                Memory::none()
            } else {
                Memory::load(&repository.private_directory())
            }
        });
        (opened, read.join().expect("reading a lock does not panic"))
    });
    let (project, mut memory) = match opened {
        Ok(opened) => opened,
        Err(refusal) => return conclude(settings, &inspect::refused(&directory, refusal)?),
    };
    let read = read?;
    let inspected = settings
        .shell
        .watching("Hashing", |tally| inspect::inspect(&project, &read, &mut memory, tally))?;
    memory.save();
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
    let verdict = Verdict {
        drift: inspected.drift,
        notes: inspected.notes,
        not_checked,
        lock: Some(read.id),
        ..Verdict::new(word, project.commit)
    };
    conclude(settings, &verdict)
}
