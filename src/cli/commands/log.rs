//! `log`: every lock that the history holds, and what each changed of the one before it.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::ops::Range;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::done;
use crate::cli::args;
use crate::cli::settings::Settings;
use crate::error::{Error, Result};
use crate::exit_code::ExitCode;
use crate::history::{Change, Entry, Recorded};
use crate::lockfile::{self, Lockfile, Read};
use crate::os::interrupt;
use crate::project;
use crate::project::repository::{Commit, Repository, Version};
use crate::report;
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
    let detail = if args.metric.is_some() && settings.console.is_human() {
        Detail::Words
    } else {
        Detail::Changes
    };
    let entries = entries(&repository, &directory, &args.rev, most, detail)?;
    if entries.is_empty() {
        let path = path_now(&repository, &directory)?;
        return Err(Error::new(format!("no commit that {} goes back to has a {path}", args.rev))
            .hint("`cargo repro record` writes it; commit it"));
    }
    if repository.is_shallow() {
        settings
            .console
            .warn("this clone is shallow, so older locks are missing; `git fetch --unshallow` brings them");
    }
    let layout = settings.console.layout();
    match &args.metric {
        Some(metric) => {
            let chart = report::log::chart(&entries, metric, layout);
            settings.console.result(&chart.ok_or_else(|| unknown(&entries, metric, args.limit))?)?;
        }
        None if settings.console.is_human() => settings.console.result(&report::log::human(&entries, layout))?,
        None => {}
    }
    // There may be ten thousand: what nobody reads is not composed.
    if !settings.console.is_human() {
        entries.iter().try_for_each(|entry| settings.console.json(&report::log::json(entry)))?;
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

/// So many are told of at a time: enough for every core, and few enough that their locks can be kept together.
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
    let path = path_now(repository, directory)?;
    let commit = repository.resolve(rev)?;
    let versions = repository.versions(&path_at(repository, commit, path.as_ref())?, commit)?;
    let listed = versions.len().min(most);
    let mut locks = Locks {
        path,
        versions,
        is_shallow: repository.is_shallow(),
        parsed: BTreeMap::new(),
    };
    let mut entries = Vec::new();
    for start in (0..listed).step_by(AT_ONCE) {
        interrupt::check()?;
        let group = start..listed.min(start + AT_ONCE);
        locks.hold(group.clone(), detail, repository)?;
        entries.par_extend(group.into_par_iter().map(|at| locks.entry(at, detail)));
    }
    Ok(entries)
}

/// Where the lock is now, from the top of the repository.
fn path_now(repository: &Repository, directory: &Path) -> Result<String> {
    relative(repository.root(), &directory.join(lockfile::FILE))
}

/// Where a commit has the lock: where it is now or, if the package has moved since, the last of the places where it was
/// that the commit has.
fn path_at(repository: &Repository, commit: Commit, now: &Path) -> Result<PathBuf> {
    let has = |path: &Path| repository.entry(commit, path).is_some();
    let head = repository.head().ok().filter(|head| *head != commit && !has(now));
    let paths = head.map_or_else(|| Ok(Vec::new()), |head| repository.paths(now, head))?;
    Ok(paths.into_iter().find(|path| has(path)).unwrap_or_else(|| now.to_path_buf()))
}

type Parsed = std::result::Result<Read, String>;

/// All locks of the history, of which a few are parsed.
struct Locks {
    /// Where the lock is now, from the top of the repository.
    path: String,
    versions: Vec<Version>,
    is_shallow: bool,
    parsed: BTreeMap<usize, Parsed>,
}

impl Locks {
    /// Parses these and those before them, and forgets all others. What a branch was made from long ago may so be
    /// parsed twice, but no more are ever kept than two for each of the group.
    fn hold(&mut self, group: Range<usize>, detail: Detail, repository: &Repository) -> Result<()> {
        let mut wanted: BTreeSet<usize> = group.clone().collect();
        if detail == Detail::Changes {
            wanted.extend(group.filter_map(|at| self.versions[at].before));
        }
        self.parsed.retain(|at, _| wanted.contains(at));
        let missing = wanted.into_iter().filter(|at| !self.parsed.contains_key(at));
        let text = |at: usize| Ok((at, repository.content(self.versions[at].entry)?));
        let texts: Vec<(usize, Vec<u8>)> = missing.map(text).collect::<Result<_>>()?;
        self.parsed.par_extend(texts.par_iter().map(|(at, bytes)| (*at, parsed(bytes))));
        Ok(())
    }

    fn entry(&self, at: usize, detail: Detail) -> Entry {
        let version = &self.versions[at];
        Entry {
            commit: version.commit.to_string(),
            time: version.time,
            tags: version.tags.clone(),
            path: (version.path != Path::new(&self.path)).then(|| version.path.display().to_string()),
            read: self.parsed[&at].as_ref().map(Recorded::from).map_err(Clone::clone),
            before: version.before.map(|before| self.versions[before].commit.to_string()),
            change: match detail {
                Detail::Changes => self.change(at),
                Detail::Words => Change::Unknown,
            },
        }
    }

    fn change(&self, at: usize) -> Change {
        match self.versions[at].before {
            Some(before) => Change::between(&self.parsed[&before], &self.parsed[&at]),
            None if self.is_shallow => Change::Cut,
            None if at + 1 < self.versions.len() => Change::FirstOfBranch,
            None => Change::First,
        }
    }
}

fn parsed(bytes: &[u8]) -> Parsed {
    match std::str::from_utf8(bytes) {
        Ok(text) => Lockfile::from_text(text, lockfile::FILE).map_err(|error| error.what().to_owned()),
        Err(_) => Err(format!("{} is not UTF-8", lockfile::FILE)),
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
