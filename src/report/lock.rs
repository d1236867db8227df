//! A lock, and the difference between two, for a person to read.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use super::finding::Finding;
use super::human::outcome;
use crate::compare::divergence;
use crate::lockfile::{Class, Lockfile, Read};
use crate::snapshot::Data;
use crate::snapshot::data::DataFile;
use crate::text::layout::Layout;
use crate::text::{size, visible};

const NAME: Style = Style::new().bold();
const OLD: Style = AnsiColor::Red.on_default();
const NEW: Style = AnsiColor::Green.on_default();
const CAUTION: Style = AnsiColor::Yellow.on_default().bold();

/// The lock: what came out first, then from what.
#[must_use]
pub fn show(read: &Read, layout: Layout) -> String {
    let lock = &read.lock;
    let snapshot = &lock.snapshot;
    let mut rows: Vec<(&str, String)> = Vec::new();
    let tag = snapshot.source.tag.as_ref().map_or_else(String::new, |tag| format!(", tag {tag}"));
    rows.push(("commit", format!("{}{tag}", snapshot.source.commit)));
    rows.push(("confirmed", times(lock.record.runs)));
    rows.push(("seed", snapshot.seed.to_string()));
    let params: Vec<String> = snapshot.params.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    rows.push(("params", params.join(", ")));
    for (name, declared) in &lock.overridden.params {
        rows.push(("overridden", format!("{name}: repro.toml said {declared}, the command line another value")));
    }
    if let Some(seed) = lock.overridden.seed {
        rows.push(("overridden", format!("seed: repro.toml said {seed}, the command line another value")));
    }
    for (name, data) in &snapshot.data {
        let files = if data.files.len() == 1 {
            String::new()
        } else {
            format!(", {} files", data.files.len())
        };
        let partial = if data.sample.is_some() {
            ", partial: a sample of it was read"
        } else {
            ""
        };
        rows.push((
            "data",
            format!("{name}: {} {}{files}{}{partial}", data.digest.short(), size(data.bytes), shape(data)),
        ));
    }
    let toolchain = &snapshot.toolchain;
    let commit = toolchain.commit.get(..9).unwrap_or(&toolchain.commit);
    rows.push(("rustc", format!("{} ({commit})", toolchain.rustc)));
    rows.push(("platform", snapshot.platform.to_string()));
    rows.extend(lock.classes.iter().map(|class| ("class", further(class, lock))));
    let count = snapshot.dependencies.packages.iter().filter(|package| package.source.is_some()).count();
    rows.push(("packages", format!("{count} beside the local ones")));
    rows.push(("source", format!("{} files, {}", snapshot.source.files.len(), snapshot.source.closure.short())));
    let mut text = format!("{NAME}repro.lock{NAME:#} {}\n", read.id);
    if read.id != read.actual_id {
        text += &layout.wrapped(
            "",
            &format!("{CAUTION}edited by hand{CAUTION:#}: "),
            &format!("its content gives {}", read.actual_id),
        );
    }
    if lock.record.dirty {
        let why = "with changes that were in no commit";
        text += &layout.wrapped("", &format!("{CAUTION}recorded dirty{CAUTION:#}: "), why);
    }
    text += "\n";
    text += &outcome(&lock.outcome, usize::MAX, layout);
    text += "\n";
    for (name, value) in rows.iter().filter(|(_, value)| !value.is_empty()) {
        text += &layout.row(&format!("  {name:<10} "), &visible(value));
    }
    text
}

/// Rows and columns, where all of it is one table.
pub(super) fn shape(data: &Data) -> String {
    let all = data.files.all();
    let [(_, DataFile { table: Some(table), .. })] = all.as_ref() else {
        return String::new();
    };
    let first = if table.first.is_some() { "the first " } else { "" };
    let columns = match table.columns.len() {
        1 => "1 column".to_owned(),
        many => format!("{many} columns"),
    };
    format!(", {first}{} rows × {columns}", table.rows)
}

/// A further platform class, and whether it makes a difference.
fn further(class: &Class, lock: &Lockfile) -> String {
    let stages: Vec<&str> = lock.outcome.keys().chain(class.outcome.keys()).map(String::as_str).collect();
    let which = if divergence(&lock.outcome, &class.outcome, &stages).is_empty() {
        "the same outcome"
    } else {
        "another outcome"
    };
    format!("{}: {which}, {}", class.platform, times(class.runs))
}

fn times(runs: u32) -> String {
    match runs {
        1 => "computed once".to_owned(),
        many => format!("computed {many} times, every outcome the same"),
    }
}

/// What differs between two locks: inputs above outputs, since they are its reason.
#[must_use]
pub fn diff(a: &str, b: &str, inputs: &[Finding], outputs: &[Finding], layout: Layout) -> String {
    if inputs.is_empty() && outputs.is_empty() {
        let same = format!("{} and {} pin the same inputs and the same outcome", visible(a), visible(b));
        return layout.wrapped("", "", &same);
    }
    let mut text = format!("{OLD}- {}{OLD:#}\n{NEW}+ {}{NEW:#}\n", visible(a), visible(b));
    for (title, findings) in [("inputs", inputs), ("outputs", outputs)] {
        let _ = writeln!(text, "\n{NAME}{title}{NAME:#}");
        if findings.is_empty() {
            text += "  the same\n";
        }
        for finding in findings {
            let _ = writeln!(text, "  {} {NAME}{}{NAME:#}", finding.kind, visible(&finding.subject));
            if let Some(old) = &finding.locked {
                text += &layout.row(&format!("    {OLD}- "), &format!("{}{OLD:#}", visible(old)));
            }
            if let Some(new) = &finding.found {
                text += &layout.row(&format!("    {NEW}+ "), &format!("{}{NEW:#}", visible(new)));
            }
            if let Some(delta) = &finding.delta {
                text += &layout.row("    Δ ", delta);
            }
        }
    }
    text
}
