//! `diff`: what differs between two locks, by file or by revision; of one, from it to the work tree's.

use crate::cli::args;
use crate::cli::settings::Settings;
use crate::compare::locks::differences;
use crate::error::Result;
use crate::exit_code::ExitCode;
use crate::lockfile::{self, Lockfile, Read};
use crate::project;
use crate::project::revision;
use crate::report::{self, finding::Finding};

/// Runs the command.
///
/// # Errors
/// When one of the locks is not there, or cannot be read.
pub fn run(settings: &Settings, args: &args::Diff) -> Result<ExitCode> {
    let a = find_lock(settings, &args.a)?.lock;
    let b = match &args.b {
        Some(name) => find_lock(settings, name)?.lock,
        None => Lockfile::read(&project::directory(settings)?.join(lockfile::FILE))?.lock,
    };
    let other = args.b.as_deref().unwrap_or(lockfile::FILE);
    let found = differences(&a, &b);
    let mut inputs: Vec<Finding> = found.inputs.iter().map(Finding::from).collect();
    inputs.extend(found.record.iter().map(Finding::from));
    let mut outputs: Vec<Finding> = found.outputs.iter().map(Finding::from).collect();
    outputs.extend(found.classes.iter().map(Finding::from));
    settings
        .console
        .result(&report::lock::diff(&args.a, other, &inputs, &outputs, settings.console.layout()))?;
    for (side, findings) in [("input", &inputs), ("output", &outputs)] {
        for finding in findings {
            settings.console.json(&report::json::difference(side, finding))?;
        }
    }
    let code = match (inputs.is_empty(), outputs.is_empty()) {
        _ if !args.exit_code => ExitCode::Ok,
        (false, _) => ExitCode::Drift,
        (_, false) => ExitCode::Divergence,
        _ => ExitCode::Ok,
    };
    settings.console.json(&report::json::done(code.number()))?;
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
