//! What came out, stage by stage: as locked, and as computed now, if it was.

use maud::{Markup, html};

use super::View;
use super::chart::value;
use super::state::State;
use super::text::{code, count, digest, trainings};
use crate::digest::Digest;
use crate::lockfile::Read;
use crate::outcome::{Artifact, Metric, Outcome, StageOutcome};
use crate::text::size;

/// One output on both sides; a side without it has none.
struct Row<'a> {
    kind: &'static str,
    name: &'a str,
    locked: Option<Markup>,
    found: Option<Markup>,
    is_same: bool,
    /// Whether a difference is worth a word and no divergence.
    is_aside: bool,
}

/// The section.
pub(super) fn section(view: View<'_>) -> Option<Markup> {
    let facts = view.facts;
    let found = facts
        .judged
        .ok()
        .filter(|verdict| verdict.runs > 0 && !verdict.outcome.is_empty())
        .map(|verdict| &verdict.outcome);
    let locked = facts.lock.map(|read| promised(view, read));
    if locked.is_none() && found.is_none() {
        return Some(html! { p { "Nothing is known of the outcome: there is no lock that could be read." } });
    }
    Some(html! {
        (introduction(view, found.is_some()))
        table.outcome {
            thead { tr {
                th scope="col" { "Output" } th scope="col" { "As locked" } th scope="col" { "Computed now" }
            } }
            (stages(view, locked, found))
        }
    })
}

/// The outcome that is promised on this machine, or else the first.
fn promised<'a>(view: View<'a>, read: &'a Read) -> &'a Outcome {
    let own = view.facts.platform.and_then(|platform| read.lock.expected(platform));
    own.unwrap_or(&read.lock.outcome)
}

fn introduction(view: View<'_>, is_computed: bool) -> Markup {
    let verdict = view.facts.judged.ok();
    let runs = verdict.map_or(0, |verdict| verdict.runs);
    let is_kept = verdict.is_some_and(|verdict| verdict.not_checked.iter().any(|item| item.kind == "rebuild"));
    html! {
        p {
            @if is_computed {
                "Computed again here, from the commit in a new directory"
                @if is_kept { ", by the build that " code { "record" } " kept" }
                "; there " (if runs == 1 { "was " } else { "were " })
                (trainings(runs)) " in all."
            } @else if runs > 0 {
                "There was " (trainings(runs)) ", of which no outcome is kept."
            } @else {
                strong { "Nothing was trained for this page." }
                " What stands here is what the lock promises; it was not computed again."
            }
            @if let Some(read) = view.facts.lock {
                " The lock itself stands on " (trainings(read.lock.record.runs))
                @if read.lock.record.runs > 1 { ", which all gave the same" }
                "."
            }
        }
    }
}

fn stages(view: View<'_>, locked: Option<&Outcome>, found: Option<&Outcome>) -> Markup {
    let empty = Outcome::new();
    let none = StageOutcome::default();
    let (left, right) = (locked.unwrap_or(&empty), found.unwrap_or(&empty));
    let names: std::collections::BTreeSet<&String> = left.keys().chain(right.keys()).collect();
    let mut room = view.limits.rows;
    let shown = names.len().min(view.limits.rows);
    html! {
        @for name in names.iter().take(shown) {
            @let rows = rows(left.get(*name).unwrap_or(&none), right.get(*name).unwrap_or(&none));
            @let kept = rows.len().min(room);
            // A stage always has its name here, and the first stages have the room.
            @let rest = rows.len() - kept;
            tbody {
                tr.group { th colspan="3" scope="rowgroup" { "Stage " (view.text(name)) } }
                @for row in &rows[..kept] { (shown_row(view, row, found.is_some())) }
                @if rest > 0 { tr { td.left-out colspan="3" { "and " (count(rest, "more output", "more outputs")) } } }
                ({ room -= kept; html! {} })
            }
        }
        @if names.len() > shown {
            tbody { tr { td.left-out colspan="3" { "and " (count(names.len() - shown, "more stage", "more stages")) } } }
        }
    }
}

fn shown_row(view: View<'_>, row: &Row<'_>, is_computed: bool) -> Markup {
    html! {
        tr {
            th scope="row" { span.kind { (row.kind) } " " (view.text(row.name)) }
            td data-label="As locked" { @match &row.locked { Some(value) => (value), None => "not in the lock" } }
            td data-label="Computed now" {
                @if !is_computed {
                    (State::NotChecked("not computed again").mark())
                } @else if row.is_same {
                    (State::Partly("the same").mark())
                } @else {
                    @if row.is_aside {
                        (State::Aside("other bytes; by itself no divergence").mark())
                    } @else {
                        (State::Differs("differs").mark())
                    }
                    div.change { @match &row.found { Some(value) => (value), None => "nothing" } }
                }
            }
        }
    }
}

/// Every output of a stage: those that people ask for first.
fn rows<'a>(locked: &'a StageOutcome, found: &'a StageOutcome) -> Vec<Row<'a>> {
    let mut rows: Vec<Row<'a>> = both(&locked.metrics, &found.metrics)
        .map(|(name, old, new)| row("metric", name, (old.map(metric), new.map(metric)), old == new))
        .collect();
    rows.extend(
        both(&locked.artifacts, &found.artifacts)
            .map(|(path, old, new)| row("file", path, (old.map(artifact), new.map(artifact)), old == new)),
    );
    rows.extend(checkpoints(locked, found));
    rows.extend(
        both(&locked.streams, &found.streams)
            .map(|(name, old, new)| row("stream", name, (old.map(words), new.map(words)), old == new)),
    );
    let binary = (locked.binary.as_ref().map(digest), found.binary.as_ref().map(digest));
    if binary.0.is_some() || binary.1.is_some() {
        let mut program = row("program", "", binary, locked.binary == found.binary);
        program.is_aside = true;
        rows.push(program);
    }
    // They are known by name alone, on either side.
    let unlocked = found.undeclared.iter().filter(|name| !locked.undeclared.contains(name));
    rows.extend(locked.undeclared.iter().chain(unlocked).map(|name| {
        let side = |names: &Vec<String>| names.contains(name).then(|| html! { "written, not declared; by name alone" });
        let (old, new) = (side(&locked.undeclared), side(&found.undeclared));
        let is_same = old.is_some() == new.is_some();
        row("file", name, (old, new), is_same)
    }));
    rows
}

/// In the order in which they were reported, by their number: a name may come twice.
fn checkpoints<'a>(locked: &'a StageOutcome, found: &'a StageOutcome) -> impl Iterator<Item = Row<'a>> {
    let longer = locked.checkpoints.len().max(found.checkpoints.len());
    (0..longer).filter_map(|at| {
        let (old, new) = (locked.checkpoints.get(at), found.checkpoints.get(at));
        let name = &old.or(new)?.name;
        let side = |digest: &Digest, other: &str| {
            html! { (super::text::digest(digest)) @if other != name { " as " (super::text::code(other, 60)) } }
        };
        let shown = |point: Option<&crate::outcome::Checkpoint>| point.map(|point| side(&point.digest, &point.name));
        Some(row("checkpoint", name, (shown(old), shown(new)), old == new))
    })
}

fn row<'a>(kind: &'static str, name: &'a str, values: (Option<Markup>, Option<Markup>), is_same: bool) -> Row<'a> {
    let (locked, found) = values;
    Row {
        kind,
        name,
        locked,
        found,
        is_same,
        is_aside: false,
    }
}

/// The names of two maps with what each has of them, in order.
fn both<'a, V>(
    left: &'a std::collections::BTreeMap<String, V>,
    right: &'a std::collections::BTreeMap<String, V>,
) -> impl Iterator<Item = (&'a str, Option<&'a V>, Option<&'a V>)> {
    let names: std::collections::BTreeSet<&String> = left.keys().chain(right.keys()).collect();
    names.into_iter().map(|name| (name.as_str(), left.get(name), right.get(name)))
}

fn metric(metric: &Metric) -> Markup {
    html! {
        b.number { (value(metric)) }
        @if !metric.bits.is_empty() { " " span.bits { "bits " (code(&metric.bits, 60)) } }
    }
}

fn artifact(artifact: &Artifact) -> Markup {
    html! { (digest(&artifact.digest)) " " span.bits { (size(artifact.bytes)) } }
}

fn words(words: &u64) -> Markup {
    html! { (words) " words drawn" }
}
