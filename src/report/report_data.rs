//! Everything that a report is made of, as one value: each format is a function of it. How it is gathered
//! is the commands' matter.

use anstream::adapter::strip_str;

use super::finding::{Finding, Severity};
use super::human;
use super::place::{Place, Texts};
use crate::cause::Cause;
use crate::digest::Digest;
use crate::error::{Error, Phase};
use crate::exit_code::ExitCode;
use crate::history::History;
use crate::lockfile::Read;
use crate::snapshot::Platform;
use crate::text::visible;
use crate::timing::Timing;
use crate::trace::Site;
use crate::verdict::Verdict;

/// What a command came to, and about what.
#[derive(Debug)]
pub struct ReportData<'a> {
    /// The command's name: `verify`.
    pub command: &'static str,
    /// The command line that does the same from the top of the repository, without paths of this machine.
    pub repeat: String,
    /// The package's name; empty where not even that is known.
    pub package: String,
    /// The commit that is looked at, if it is known; the verdict's own counts more.
    pub commit: Option<&'a str>,
    /// The verdict, or why there is none.
    pub judged: Result<&'a Verdict, &'a Error>,
    /// The lock that it is about, if it could be read.
    pub lock: Option<&'a Read>,
    /// The platform class of this machine, if it was looked at.
    pub platform: Option<&'a Platform>,
    /// Where the time went, in the order in which it did.
    pub timings: &'a [Timing],
    /// The locks of the git history, where they were asked for.
    pub history: History,
    /// Everything that was found, what helps most first.
    pub items: Vec<Item>,
}

/// Something that was found, and where a person would look for it.
#[derive(Clone, Debug)]
pub struct Item {
    /// What it is a case of.
    pub group: Group,
    /// The words.
    pub finding: Finding,
    /// Where, if a file of the repository can be named.
    pub place: Option<Place>,
}

/// What an item is a case of; in the order in which they help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// The command could not come to its end.
    Failure,
    /// Why an output is not as locked.
    Cause,
    /// Why a tag is no release.
    Refusal,
    /// An input that is not as locked.
    Drift,
    /// An output that is not as locked.
    Divergence,
    /// An input that is not as locked, which stops nothing.
    Warning,
    /// Something beside these.
    Note,
}

impl<'a> ReportData<'a> {
    /// The exit code of the command.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        match self.judged {
            Ok(verdict) => verdict.word.exit_code(),
            Err(error) => error.exit_code(),
        }
    }

    /// The verdict in one word.
    #[must_use]
    pub fn word(&self) -> &'static str {
        self.judged.map_or("failed", |verdict| verdict.word.text())
    }

    /// The sentence behind the word, without styles.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self.judged {
            Ok(verdict) => strip_str(&human::sentence(verdict).1).to_string(),
            Err(error) => visible(error.what()),
        }
    }

    /// The commit that was looked at, if it is known.
    #[must_use]
    pub fn commit(&self) -> Option<&'a str> {
        let stated = self.judged.ok().map(|verdict| verdict.commit.as_str());
        stated.filter(|commit| !commit.is_empty()).or(self.commit)
    }

    /// The lock that it is about: the verdict's own, or where there is no verdict what was read.
    #[must_use]
    pub fn lock_id(&self) -> Option<Digest> {
        self.judged.map_or_else(|_| self.lock.map(|read| read.id), |verdict| verdict.lock)
    }

    /// The items of some groups.
    pub fn of(&self, groups: &[Group]) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(|item| groups.contains(&item.group))
    }
}

/// The kind of a failure, by its exit code.
#[must_use]
pub fn failure_kind(code: ExitCode) -> &'static str {
    match code {
        ExitCode::BuildFailed => "build-failed",
        ExitCode::TrainingFailed => "training-failed",
        _ => "not-judged",
    }
}

/// Everything that was found, what helps most first; its places by the texts of the project's files.
#[must_use]
pub fn items(judged: Result<&Verdict, &Error>, lock: Option<&Read>, texts: Option<&Texts>) -> Vec<Item> {
    let mut items = match judged {
        Ok(verdict) => judged_items(verdict, lock, texts),
        Err(error) => failed_items(error, texts),
    };
    for item in &mut items {
        let declared = || texts.and_then(Texts::of_anything);
        item.place = item.place.take().or_else(declared);
    }
    // Stable: within a group the order is that of the comparison, cause above effect.
    items.sort_by_key(|item| item.group);
    items
}

fn judged_items(verdict: &Verdict, lock: Option<&Read>, texts: Option<&Texts>) -> Vec<Item> {
    let mut items: Vec<Item> = verdict.causes.iter().map(|cause| cause_item(cause, texts)).collect();
    items.extend(verdict.refusals.iter().map(|refusal| Item {
        group: Group::Refusal,
        finding: Finding::from(refusal),
        place: texts.and_then(|texts| texts.of_refusal(refusal)),
    }));
    items.extend(verdict.drift.iter().map(|drift| {
        let finding = Finding::from(drift);
        let group = match finding.severity {
            Some(Severity::Warning) => Group::Warning,
            _ => Group::Drift,
        };
        let place = texts.and_then(|texts| texts.of_drift(drift));
        Item { group, finding, place }
    }));
    items.extend(verdict.divergence.iter().map(|divergence| Item {
        group: Group::Divergence,
        finding: Finding::from(divergence),
        place: texts.and_then(|texts| texts.of_divergence(divergence, lock)),
    }));
    items.extend(verdict.notes.iter().map(|note| Item {
        group: Group::Note,
        finding: Finding::from(note),
        place: None,
    }));
    items
}

fn cause_item(cause: &Cause, texts: Option<&Texts>) -> Item {
    let mut detail = cause.detail.clone();
    for site in &cause.sites {
        detail += &format!("; at {}", in_words(site));
    }
    let finding = Finding {
        kind: cause.kind.word(),
        stage: cause.stage.clone(),
        subject: cause.subject.clone(),
        severity: None,
        locked: None,
        found: None,
        delta: None,
        detail,
        hint: cause.hint.clone(),
    };
    Item {
        group: Group::Cause,
        finding,
        place: texts.and_then(|texts| texts.of_cause(cause)),
    }
}

/// A place in a program.
#[must_use]
pub fn in_words(site: &Site) -> String {
    let mut text = site.function.clone();
    if let Some(package) = &site.package {
        text += &format!(", {package}");
    }
    match (&site.file, site.line) {
        (Some(file), Some(line)) => text += &format!(" ({file}:{line})"),
        (Some(file), None) => text += &format!(" ({file})"),
        (None, _) => {}
    }
    if let Some(from) = &site.called_from {
        text += &format!(", called from {}", in_words(from));
    }
    text
}

fn failed_items(error: &Error, texts: Option<&Texts>) -> Vec<Item> {
    let stage = matches!(error.failed_phase(), Phase::Train | Phase::Collect);
    let finding = Finding {
        kind: failure_kind(error.exit_code()),
        stage: None,
        subject: if stage { "training" } else { error.failed_phase().word() }.to_owned(),
        severity: None,
        locked: None,
        found: None,
        delta: None,
        detail: error.what().to_owned(),
        hint: error.next().map(str::to_owned),
    };
    let failure = Item {
        group: Group::Failure,
        finding,
        place: texts.and_then(|texts| texts.of_failure(error)),
    };
    let causes = error.known_causes().iter().map(|cause| cause_item(cause, texts));
    std::iter::once(failure).chain(causes).collect()
}
