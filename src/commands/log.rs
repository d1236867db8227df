//! `log`: every lock that the history holds, and what changed between one and the next.

use std::path::Path;

use rayon::prelude::*;

use super::done;
use crate::args;
use crate::error::{Error, Result};
use crate::exit_code::ExitCode;
use crate::lockfile::{self, Lockfile};
use crate::project;
use crate::report;
use crate::report::log::Entry;
use crate::repository::Repository;
use crate::settings::Settings;
use crate::snapshot::source::relative;

/// Runs the command.
///
/// # Errors
/// When the history has no lock, or cannot be read; or no lock has the metric.
pub fn run(settings: &Settings, args: &args::Log) -> Result<ExitCode> {
    let directory = project::directory(settings)?;
    let repository = Repository::discover(&directory)?;
    let entries = entries(&repository, &directory, &args.rev, args.limit.unwrap_or(usize::MAX))?;
    if entries.is_empty() {
        return Err(Error::new(format!("no commit that {} goes back to has a {}", args.rev, lockfile::FILE))
            .hint("`cargo repro record` writes it; commit it"));
    }
    if repository.is_shallow() {
        settings
            .shell
            .warn("this clone is shallow, so older locks are missing; `git fetch --unshallow` brings them");
    }
    match &args.metric {
        None => settings.shell.result(&report::log::human(&entries, settings.shell.layout()))?,
        Some(metric) => {
            let chart = report::log::chart(&entries, metric, settings.shell.layout())
                .ok_or_else(|| unknown(&entries, metric))?;
            settings.shell.result(&chart)?;
        }
    }
    if !settings.shell.is_human() {
        for (at, entry) in entries.iter().enumerate() {
            settings.shell.json(&report::log::json(entry, entries.get(at + 1)));
        }
    }
    Ok(done(settings))
}

/// Every version of the lock, the newest first.
///
/// # Errors
/// When git cannot be read, or there is no such revision.
pub(super) fn entries(repository: &Repository, directory: &Path, rev: &str, most: usize) -> Result<Vec<Entry>> {
    let path = relative(repository.root(), &directory.join(lockfile::FILE))?;
    let from = repository.resolve(rev)?;
    let mut versions = repository.versions(path.as_ref(), from)?;
    versions.truncate(most);
    let mut tags = repository.tags_by_commit()?;
    let texts: Vec<_> = versions
        .into_iter()
        .map(|version| Ok((version, repository.content(version.entry)?)))
        .collect::<Result<_>>()?;
    let read = |bytes: &[u8]| match std::str::from_utf8(bytes) {
        Ok(text) => Lockfile::from_text(text, lockfile::FILE).map_err(|error| error.what().to_owned()),
        Err(_) => Err(format!("{} is not UTF-8", lockfile::FILE)),
    };
    // Ten thousand of them take a while to parse.
    let parsed: Vec<_> = texts.par_iter().map(|(_, bytes)| read(bytes)).collect();
    let entry = |((version, _), read): ((crate::repository::Version, Vec<u8>), _)| Entry {
        commit: version.commit.to_string(),
        time: version.time,
        tags: tags.remove(&version.commit.to_string()).unwrap_or_default(),
        read,
    };
    Ok(texts.into_iter().zip(parsed).map(entry).collect())
}

fn unknown(entries: &[Entry], metric: &str) -> Error {
    let names = report::log::metrics(entries);
    let hint = if names.is_empty() {
        "none of them has a metric".to_owned()
    } else {
        format!("they have: {}", names.into_iter().collect::<Vec<_>>().join(", "))
    };
    Error::new(format!("no lock has a metric `{metric}`")).code(ExitCode::Usage).hint(hint)
}
