//! `show`: the lock for a person to read.

use super::done;
use crate::cli::args;
use crate::cli::settings::Settings;
use crate::error::Result;
use crate::exit_code::ExitCode;
use crate::lockfile;
use crate::project;
use crate::report;

/// Runs the command.
///
/// # Errors
/// When there is no lock, or it cannot be read.
pub fn run(settings: &Settings, args: &args::Show) -> Result<ExitCode> {
    let read = match &args.lock {
        Some(name) => super::diff::find_lock(settings, name)?,
        None => lockfile::Lockfile::read(&project::directory(settings)?.join(lockfile::FILE))?,
    };
    settings.console.result(&report::lock::show(&read, settings.console.layout()))?;
    settings.console.json(&report::json::lock(&read))?;
    done(settings)
}
