//! `log`: every lock that the history holds, and what changed between one and the next.

use std::num::NonZeroUsize;
use std::path::Path;

use rayon::prelude::*;

use super::done;
use crate::args;
use crate::error::{Error, Result};
use crate::exit_code::ExitCode;
use crate::history::{Change, Entry, Recorded};
use crate::interrupt;
use crate::lockfile::{self, Lockfile, Read};
use crate::project;
use crate::report;
use crate::repository::{Repository, Version};
use crate::settings::Settings;
use crate::snapshot::source::relative;

/// Runs the command.
///
/// # Errors
/// When the history has no lock, or cannot be read; or no lock has the metric.
pub fn run(settings: &Settings, args: &args::Log) -> Result<ExitCode> {
    let directory = project::directory(settings)?;
    let repository = Repository::discover(&directory)?;
    let most = args.limit.map_or(usize::MAX, NonZeroUsize::get);
    // A drawing for people has no changes in it.
    let detail = if args.metric.is_some() && settings.shell.is_human() {
        Detail::Words
    } else {
        Detail::Changes
    };
    let entries = entries(&repository, &directory, &args.rev, most, detail)?;
    if entries.is_empty() {
        return Err(Error::new(format!("no commit that {} goes back to has a {}", args.rev, lockfile::FILE))
            .hint("`cargo repro record` writes it; commit it"));
    }
    if repository.is_shallow() {
        settings
            .shell
            .warn("this clone is shallow, so older locks are missing; `git fetch --unshallow` brings them");
    }
    let layout = settings.shell.layout();
    match &args.metric {
        Some(metric) => {
            let chart = report::log::chart(&entries, metric, layout);
            settings.shell.result(&chart.ok_or_else(|| unknown(&entries, metric, args.limit))?)?;
        }
        None if settings.shell.is_human() => settings.shell.result(&report::log::human(&entries, layout))?,
        None => {}
    }
    // There may be ten thousand: what nobody reads is not composed.
    if !settings.shell.is_human() {
        entries.iter().try_for_each(|entry| settings.shell.json(&report::log::json(entry)))?;
    }
    done(settings)
}

/// How much is to be known of each lock.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    /// What it says.
    Words,
    /// What it changed, too.
    Changes,
}

/// So many are parsed at a time: enough for every core, and few enough to be forgotten again.
const AT_ONCE: usize = 256;

/// The newest versions of the lock, the newest first.
///
/// # Errors
/// When git cannot be read, or there is no such revision.
pub(super) fn entries(
    repository: &Repository,
    directory: &Path,
    rev: &str,
    most: usize,
    detail: Detail,
) -> Result<Vec<Entry>> {
    let path = relative(repository.root(), &directory.join(lockfile::FILE))?;
    let versions = repository.versions(path.as_ref(), repository.resolve(rev)?)?;
    let mut entries = Vec::new();
    // A version with its lock, whose change is not known before the one below it is read.
    let mut waiting: Option<(&Version, Parsed)> = None;
    for group in versions[..versions.len().min(most.saturating_add(1))].chunks(AT_ONCE) {
        interrupt::check()?;
        let texts = group.iter().map(|version| repository.content(version.entry));
        let texts: Vec<Vec<u8>> = texts.collect::<Result<_>>()?;
        let parsed: Vec<Parsed> = texts.par_iter().map(|bytes| parsed(bytes)).collect();
        let locks: Vec<_> = waiting.take().into_iter().chain(group.iter().zip(parsed)).collect();
        let known: Vec<Entry> = locks
            .par_windows(2)
            .map(|pair| entry(&pair[0], || Change::between(&pair[1].1, &pair[0].1), detail))
            .collect();
        entries.extend(known);
        waiting = locks.into_iter().last();
    }
    if let Some(oldest) = waiting.filter(|_| versions.len() <= most) {
        entries.push(entry(&oldest, || Change::First, Detail::Changes));
    }
    Ok(entries)
}

type Parsed = std::result::Result<Read, String>;

fn parsed(bytes: &[u8]) -> Parsed {
    match std::str::from_utf8(bytes) {
        Ok(text) => Lockfile::from_text(text, lockfile::FILE).map_err(|error| error.what().to_owned()),
        Err(_) => Err(format!("{} is not UTF-8", lockfile::FILE)),
    }
}

fn entry((version, read): &(&Version, Parsed), change: impl Fn() -> Change, detail: Detail) -> Entry {
    Entry {
        commit: version.commit.to_string(),
        time: version.time,
        tags: version.tags.clone(),
        read: read.as_ref().map(Recorded::from).map_err(Clone::clone),
        change: match detail {
            Detail::Changes => change(),
            Detail::Words => Change::Unknown,
        },
    }
}

fn unknown(entries: &[Entry], metric: &str, limit: Option<NonZeroUsize>) -> Error {
    let names = report::log::metrics(entries);
    let names: Vec<String> = names.into_iter().map(|(stage, metric)| format!("{stage}.{metric}")).collect();
    let hint = if names.is_empty() {
        "none of them has a metric".to_owned()
    } else {
        format!("they have: {}", names.join(", "))
    };
    let which = limit.map_or_else(|| "no lock".to_owned(), |limit| format!("none of the newest {limit}"));
    Error::new(format!("{which} has a metric `{metric}`")).code(ExitCode::Usage).hint(hint)
}
