//! `diff`: what differs between two locks, by file or by revision.

use crate::args;
use crate::compare::classes::class_changes;
use crate::compare::{divergence, drift};
use crate::error::Result;
use crate::exit_code::ExitCode;
use crate::lockfile::{Lockfile, Read};
use crate::project;
use crate::report::{self, finding::Finding};
use crate::revision;
use crate::settings::Settings;

/// Runs the command.
///
/// # Errors
/// When one of the locks is not there, or cannot be read.
pub fn run(settings: &Settings, args: &args::Diff) -> Result<ExitCode> {
    let (a, b) = (find_lock(settings, &args.a)?.lock, find_lock(settings, &args.b)?.lock);
    let inputs: Vec<Finding> = drift(&a.snapshot, &b.snapshot).iter().map(Finding::from).collect();
    let outcomes = a.classes_known().chain(b.classes_known()).map(|(_, _, outcome)| outcome);
    let mut stages: Vec<&str> = outcomes.flat_map(|outcome| outcome.keys()).map(String::as_str).collect();
    stages.sort_unstable();
    stages.dedup();
    // Of one class where both know it: two classes may well have two outcomes.
    let counterpart = b.expected(&a.snapshot.platform).unwrap_or(&b.outcome);
    let mut outputs: Vec<Finding> = divergence(&a.outcome, counterpart, &stages).iter().map(Finding::from).collect();
    outputs.extend(class_changes(&a, &b, &stages).iter().map(Finding::from));
    settings.shell.result(&report::lock::diff(&args.a, &args.b, &inputs, &outputs))?;
    for (side, findings) in [("input", &inputs), ("output", &outputs)] {
        for finding in findings {
            settings.shell.json(&report::json::difference(side, finding));
        }
    }
    let code = match (inputs.is_empty(), outputs.is_empty()) {
        _ if !args.exit_code => ExitCode::Ok,
        (false, _) => ExitCode::Drift,
        (_, false) => ExitCode::Divergence,
        _ => ExitCode::Ok,
    };
    settings.shell.json(&report::json::done(code.number()));
    Ok(code)
}

/// A lock by its path if there is such a file, else that of a revision.
///
/// # Errors
/// When there is neither.
pub fn find_lock(settings: &Settings, name: &str) -> Result<Read> {
    let path = settings.current_directory.join(name);
    if path.is_file() {
        return Lockfile::read(&path);
    }
    revision::lock(&project::directory(settings)?, name)
}
