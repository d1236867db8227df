//! The locks of a history, for people and for programs: what each promised, what changed, and how a metric went.

mod chart;

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::finding::Finding;
use super::human::{CAUTION, FAINT, NAME};
use super::json::SCHEMA;
use crate::compare::locks::Differences;
use crate::history::{Change, Entry, Recorded};
use crate::release::attestation::time;
use crate::text::layout::Layout;
use crate::text::visible;

pub use chart::{chart, metrics};

/// Changes beyond these are counted.
const MOST: usize = 8;

/// Which side of the locks a difference is of.
type Side = &'static str;

/// A commit by its first digits, as git has it.
fn short(entry: &Entry) -> &str {
    digits(&entry.commit)
}

fn digits(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}

fn date(entry: &Entry) -> String {
    time::text(entry.time).split('T').next().unwrap_or_default().to_owned()
}

/// Every difference in words: inputs first.
fn findings(differences: &Differences) -> Vec<(Side, Finding)> {
    let inputs = differences.inputs.iter().map(|drift| ("input", Finding::from(drift)));
    let record = differences.record.iter().map(|change| ("input", Finding::from(change)));
    let outputs = differences.outputs.iter().map(|output| ("output", Finding::from(output)));
    let classes = differences.classes.iter().map(|class| ("output", Finding::from(class)));
    inputs.chain(record).chain(outputs).chain(classes).collect()
}

/// All of them, the newest first, each with what it changed of the one before it.
#[must_use]
pub fn human(entries: &[Entry], layout: Layout) -> String {
    let mut text = String::new();
    for (at, entry) in entries.iter().enumerate() {
        if at > 0 {
            text.push('\n');
        }
        let tags: String = entry.tags.iter().map(|tag| format!(" {CAUTION}{}{CAUTION:#}", visible(tag))).collect();
        let path = entry.path.as_ref().map_or_else(String::new, |path| format!(" {}", visible(path)));
        let _ = writeln!(text, "{NAME}{}{NAME:#}{tags} {FAINT}{}{path}{FAINT:#}", short(entry), date(entry));
        match &entry.read {
            Err(why) => text += &layout.wrapped("  ", "", &visible(why)),
            Ok(read) => text += &promised(read, layout),
        }
        text += &changed(entry, entries.get(at + 1), layout);
    }
    text
}

fn promised(read: &Recorded, layout: Layout) -> String {
    let mut text = String::new();
    let confirmed = match read.record.runs {
        1 => "computed once".to_owned(),
        many => format!("computed {many} times"),
    };
    let dirty = if read.record.dirty {
        ", with uncommitted changes"
    } else {
        ""
    };
    let edited = if read.is_edited() { ", edited by hand" } else { "" };
    let words = format!("lock {}, {confirmed}{dirty}{edited}", read.id.short());
    text += &layout.wrapped("  ", "", &words);
    for (stage, outcome) in &read.outcome {
        let metrics: Vec<String> = outcome
            .metrics
            .iter()
            .map(|(name, metric)| format!("{name} {}", metric.shown()))
            .collect();
        if !metrics.is_empty() {
            text += &layout.wrapped("  ", "", &visible(&format!("{stage}: {}", metrics.join(", "))));
        }
    }
    text
}

fn changed(entry: &Entry, below: Option<&Entry>, layout: Layout) -> String {
    // Of a branch the lock before may stand further down, or not be listed at all.
    let elsewhere = entry.before.as_deref().filter(|before| below.is_none_or(|below| below.commit != *before));
    let before = elsewhere.map_or("the one below", digits);
    let changes = match &entry.change {
        Change::First => return "  the first\n".to_owned(),
        Change::FirstOfBranch => return "  the first of its branch\n".to_owned(),
        Change::Cut => return "  what came before, if anything did, is not in this clone\n".to_owned(),
        Change::Unknown => return format!("  not compared with {before}\n"),
        Change::Since(differences) => findings(differences),
    };
    if changes.is_empty() {
        return format!("  the same inputs and outcome as {before}\n");
    }
    let mut text = elsewhere.map_or_else(String::new, |commit| format!("  since {}:\n", digits(commit)));
    for (_, finding) in changes.iter().take(MOST) {
        let is_digest = |text: &str| text.starts_with("sha256:");
        let values = match (&finding.locked, &finding.found) {
            (Some(old), Some(new)) if !is_digest(old) && !is_digest(new) => format!(": {old} → {new}"),
            // Of a table it tells which cells.
            _ if finding.kind == "data-changed" => format!(": {}", finding.detail),
            _ => String::new(),
        };
        text += &layout.wrapped("  ", "", &visible(&format!("{} {}{values}", finding.kind, finding.subject)));
    }
    if changes.len() > MOST {
        let more = format!("and {} more; `cargo repro diff` names all of them", changes.len() - MOST);
        text += &layout.wrapped("  ", "", &more);
    }
    text
}

/// One lock for programs.
#[must_use]
pub fn json(entry: &Entry) -> Value {
    let mut value = json!({
        "reason": "recorded-lock",
        "schema": SCHEMA,
        "commit": entry.commit,
        "date": time::text(entry.time),
        "tags": entry.tags,
    });
    if let Some(path) = &entry.path {
        value["path"] = json!(path);
    }
    match &entry.read {
        Err(why) => value["error"] = json!(why),
        Ok(read) => {
            value["lock"] = json!(read.id);
            value["edited"] = json!(read.is_edited());
            value["dirty"] = json!(read.record.dirty);
            value["runs"] = json!(read.record.runs);
            value["seed"] = json!(read.seed);
            value["params"] = super::json::params(&read.params);
            let outcome = read.outcome.iter();
            value["metrics"] = outcome.map(|(stage, outcome)| (stage.clone(), json!(outcome.metrics))).collect();
        }
    }
    if let Change::Since(differences) = &entry.change {
        value["since"] = json!(entry.before);
        let changes = findings(differences).into_iter();
        value["changes"] = changes.map(|(side, finding)| json!({"side": side, "finding": finding})).collect();
    }
    value
}
