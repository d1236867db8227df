//! The locks of a history, for people and for programs: what each promised, what changed, and how a metric went.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::finding::Finding;
use super::human::{CAUTION, FAINT, NAME, visible};
use super::json::SCHEMA;
use super::layout::Layout;
use crate::attestation::time;
use crate::compare::locks::differences;
use crate::lockfile::Read;
use crate::outcome::Metric;

/// One lock of the history.
#[derive(Debug)]
pub struct Entry {
    /// The commit that brought it.
    pub commit: String,
    /// When that was made, in seconds since 1970.
    pub time: i64,
    /// The tags that point there, sorted.
    pub tags: Vec<String>,
    /// The lock, or why it cannot be read.
    pub read: Result<Read, String>,
}

/// Changes beyond these are counted.
const MOST: usize = 8;

/// The columns of a chart's plot, from what still shows a direction to what suffices.
const NARROWEST: usize = 8;
const WIDEST: usize = 32;

impl Entry {
    fn short(&self) -> &str {
        self.commit.get(..12).unwrap_or(&self.commit)
    }

    fn date(&self) -> String {
        time::text(self.time).split('T').next().unwrap_or_default().to_owned()
    }

    /// What changed since another lock: inputs first. None where one of the two cannot be read.
    fn since(&self, before: &Self) -> Option<Vec<(&'static str, Finding)>> {
        let (new, old) = (self.read.as_ref().ok()?, before.read.as_ref().ok()?);
        let found = differences(&old.lock, &new.lock);
        let inputs = found.inputs.iter().map(|drift| ("input", Finding::from(drift)));
        let outputs = found.outputs.iter().map(|output| ("output", Finding::from(output)));
        let classes = found.classes.iter().map(|class| ("output", Finding::from(class)));
        Some(inputs.chain(outputs).chain(classes).collect())
    }
}

/// All of them, the newest first, each with what changed since the one below.
#[must_use]
pub fn human(entries: &[Entry], layout: Layout) -> String {
    let mut text = String::new();
    for (at, entry) in entries.iter().enumerate() {
        if at > 0 {
            text.push('\n');
        }
        let tags: String = entry.tags.iter().map(|tag| format!(" {CAUTION}{}{CAUTION:#}", visible(tag))).collect();
        let _ = writeln!(text, "{NAME}{}{NAME:#}{tags} {FAINT}{}{FAINT:#}", entry.short(), entry.date());
        match &entry.read {
            Err(why) => text += &layout.wrapped("  ", "", &visible(why)),
            Ok(read) => text += &promised(read, layout),
        }
        match entries.get(at + 1) {
            None => text += "  the first\n",
            Some(before) => text += &changed(entry.since(before), layout),
        }
    }
    text
}

fn promised(read: &Read, layout: Layout) -> String {
    let mut text = String::new();
    let confirmed = match read.lock.record.runs {
        1 => "computed once".to_owned(),
        many => format!("computed {many} times"),
    };
    let dirty = if read.lock.record.dirty {
        ", with uncommitted changes"
    } else {
        ""
    };
    let edited = if read.id == read.actual_id {
        ""
    } else {
        ", edited by hand"
    };
    let words = format!("lock {}, {confirmed}{dirty}{edited}", read.id.short());
    text += &layout.wrapped("  ", "", &words);
    for (stage, outcome) in &read.lock.outcome {
        let metrics: Vec<String> =
            outcome.metrics.iter().map(|(name, metric)| format!("{name} {}", metric.value)).collect();
        if !metrics.is_empty() {
            text += &layout.wrapped("  ", "", &visible(&format!("{stage}: {}", metrics.join(", "))));
        }
    }
    text
}

fn changed(changes: Option<Vec<(&'static str, Finding)>>, layout: Layout) -> String {
    let Some(changes) = changes else {
        return "  not compared with the one below\n".to_owned();
    };
    if changes.is_empty() {
        return "  the same inputs and outcome as the one below\n".to_owned();
    }
    let mut text = String::new();
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

/// The names of all metrics, as `STAGE.NAME`.
#[must_use]
pub fn metrics(entries: &[Entry]) -> BTreeSet<String> {
    let locks = entries.iter().filter_map(|entry| entry.read.as_ref().ok());
    let stages = locks.flat_map(|read| &read.lock.outcome);
    stages
        .flat_map(|(stage, outcome)| outcome.metrics.keys().map(move |name| format!("{stage}.{name}")))
        .collect()
}

/// How a metric went, the oldest first: a line a lock, with its place between the least and the greatest. The metric is
/// `NAME` or `STAGE.NAME`; none if no lock has it.
#[must_use]
pub fn chart(entries: &[Entry], metric: &str, layout: Layout) -> Option<String> {
    let names = metrics(entries);
    let is_it = |name: &&String| *name == metric || name.split_once('.').is_some_and(|(_, name)| name == metric);
    let charts: Vec<String> = names.iter().filter(is_it).map(|name| one_chart(entries, name, layout)).collect();
    (!charts.is_empty()).then(|| charts.join("\n"))
}

fn one_chart(entries: &[Entry], name: &str, layout: Layout) -> String {
    let (stage, metric) = name.split_once('.').expect("names are of a stage");
    let value = |entry: &Entry| -> Option<Metric> {
        let outcome = entry.read.as_ref().ok()?.lock.outcome.get(stage)?;
        outcome.metrics.get(metric).cloned()
    };
    let rows: Vec<(&Entry, Option<Metric>)> = entries.iter().rev().map(|entry| (entry, value(entry))).collect();
    let numbers = rows.iter().filter_map(|(_, metric)| metric.as_ref()?.number());
    let finite: Vec<f64> = numbers.filter(|number| number.is_finite()).collect();
    let least = finite.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = finite.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let label = |entry: &Entry| visible(&entry.tags.first().cloned().unwrap_or_else(|| entry.date()));
    let shown = |metric: &Option<Metric>| metric.as_ref().map_or_else(|| "—".to_owned(), |metric| metric.value.clone());
    let wide = |texts: Vec<String>| texts.iter().map(|text| text.chars().count()).max().unwrap_or(0);
    let labels = wide(rows.iter().map(|(entry, _)| label(entry)).collect()).min(14);
    let values = wide(rows.iter().map(|(_, metric)| shown(metric)).collect());
    // A commit by its twelve digits, the blanks between, and the plot's two edges.
    let beside = labels + values + 21;
    let plot_width = layout.columns().saturating_sub(beside).clamp(NARROWEST, WIDEST);
    let mut text =
        format!("{NAME}{}{NAME:#} {FAINT}(stage {}), oldest first{FAINT:#}\n", visible(metric), visible(stage));
    for (entry, metric) in &rows {
        let short: String = label(entry).chars().take(14).collect();
        let number = metric.as_ref().and_then(Metric::number).filter(|number| number.is_finite());
        let plot = number.map_or_else(String::new, |number| {
            let part = if greatest > least {
                (number - least) / (greatest - least)
            } else {
                0.5
            };
            let place = (part * (plot_width - 1) as f64).round() as usize;
            format!("{FAINT}│{FAINT:#}{}●{}{FAINT}│{FAINT:#}", " ".repeat(place), " ".repeat(plot_width - 1 - place))
        });
        let line = format!("  {} {short:<labels$}  {:<values$}  {plot}", entry.short(), shown(metric));
        text += line.trim_end();
        text.push('\n');
    }
    text
}

/// One lock for programs; `before` is the one below.
#[must_use]
pub fn json(entry: &Entry, before: Option<&Entry>) -> Value {
    let mut value = json!({
        "reason": "recorded-lock",
        "schema": SCHEMA,
        "commit": entry.commit,
        "date": time::text(entry.time),
        "tags": entry.tags,
    });
    match &entry.read {
        Err(why) => value["error"] = json!(why),
        Ok(read) => {
            value["lock"] = json!(read.id);
            value["edited"] = json!(read.id != read.actual_id);
            value["dirty"] = json!(read.lock.record.dirty);
            value["runs"] = json!(read.lock.record.runs);
            let outcome = read.lock.outcome.iter();
            value["metrics"] = outcome.map(|(stage, outcome)| (stage.clone(), json!(outcome.metrics))).collect();
        }
    }
    let changes = before.map(|before| entry.since(before));
    if let Some(Some(changes)) = changes {
        value["changes"] = changes.iter().map(|(side, finding)| json!({"side": side, "finding": finding})).collect();
    }
    value
}
