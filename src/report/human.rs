//! The verdict for a person: the word first, then what differs and why, then what was not checked.
//! Styled text; whoever prints it strips the colours where they do not belong.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use textwrap::core::display_width;

use super::diagnosis;
use super::finding::{ACCEPT, Finding};
use super::gate;
use crate::compare::Drift;
use crate::digest::Digest;
use crate::outcome::{Kind, Metric, Outcome, StageOutcome};
use crate::project::repository::pathspec;
use crate::text::layout::{Layout, padded};
use crate::text::{size, visible};
use crate::verdict::edits::{edits, restorable};
use crate::verdict::{NotChecked, Verdict, Word, stops};

pub(super) const GOOD: Style = AnsiColor::Green.on_default().bold();
pub(super) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(super) const CAUTION: Style = AnsiColor::Yellow.on_default().bold();
pub(super) const NAME: Style = Style::new().bold();
pub(super) const FAINT: Style = Style::new().dimmed();

/// The whole verdict.
#[must_use]
pub fn verdict(verdict: &Verdict, layout: Layout) -> String {
    let mut text = headline(verdict, layout);
    if let Some(lock) = verdict.lock {
        // Its own: what was looked at may be a later one, and the status line has named that.
        let commit = visible(verdict.lock_commit.as_ref().unwrap_or(&verdict.commit));
        let commit = commit.get(..12).unwrap_or(&commit);
        let _ = writeln!(text, "  {FAINT}lock {}, commit {commit}{FAINT:#}", lock.short());
    }
    text += &gate::vouched(&verdict.vouched, layout);
    let refusals: Vec<Finding> = verdict.refusals.iter().map(Finding::from).collect();
    let critical: Vec<Finding> = edits(&verdict.drift).map(plain).collect();
    let warnings = verdict.drift.iter().filter(|drift| !stops(drift)).map(Finding::from);
    let divergence: Vec<Finding> = verdict.divergence.iter().map(Finding::from).collect();
    let sides = sides(verdict);
    text += &findings(refusals.iter(), BAD, &["wanted".to_owned(), "found".to_owned()], layout);
    text += &findings(critical.iter().chain(&divergence), BAD, &sides, layout);
    for cause in &verdict.causes {
        text += "\n";
        text += &diagnosis::cause(cause, layout);
    }
    if !verdict.factors.is_empty() {
        text += "\n";
        text += &diagnosis::factors(&verdict.factors, layout);
    }
    if matches!(verdict.word, Word::Reproduced | Word::Recorded) {
        text += "\n";
        text += &outcome(&verdict.outcome, MOST_FIGURES, layout);
    }
    let notes: Vec<Finding> = warnings.chain(verdict.notes.iter().map(Finding::from)).collect();
    text += &findings(notes.iter(), CAUTION, &sides, layout);
    if let Some(artifacts) = &verdict.artifacts {
        let _ = writeln!(text, "\nThe artifacts that were proved are in {}", artifacts.display());
    }
    if let Some(outputs) = &verdict.outputs {
        let _ = writeln!(text, "\nThe outputs of this run are in {}", outputs.display());
    }
    text += &not_checked(verdict, layout);
    text += &next_step(verdict, layout);
    if verdict.word == Word::Diverged
        && verdict.causes.is_empty()
        && verdict.lock.is_some()
        && verdict.factors.is_empty()
    {
        text += "\n";
        text += &layout.wrapped("", "hint: ", "`cargo repro explain` finds out why, and where in the program");
    }
    text
}

/// What is said once of all drift need not stand at each.
fn plain(drift: &Drift) -> Finding {
    let mut finding = Finding::from(drift);
    finding.hint = finding.hint.filter(|hint| hint != ACCEPT);
    finding
}

/// How drift is accepted, and how it is undone.
fn next_step(verdict: &Verdict, layout: Layout) -> String {
    const SHOWN: usize = 4;
    // Others say for themselves what to do; a lock of them would be none.
    let is_accepted = |drift: &Drift| {
        !matches!(
            drift,
            Drift::DataMissing { .. }
                | Drift::DependencyTampered(_)
                | Drift::LockEdited { .. }
                | Drift::ArtifactTampered { .. }
        )
    };
    let is_open = verdict.word == Word::Drifted && verdict.runs == 0 && verdict.lock.is_some();
    if !is_open || !edits(&verdict.drift).any(is_accepted) {
        return String::new();
    }
    let files: Vec<String> = restorable(&verdict.drift).map(pathspec).collect();
    let hint = match files.len() {
        0 => "`cargo repro record` accepts it as it is now; or put back what changed".to_owned(),
        1..=SHOWN => format!(
            "`cargo repro record` accepts it, once it is committed; `git restore {}` undoes what is not",
            files.join(" ")
        ),
        _ => "`cargo repro record` accepts it, once it is committed; `git restore` of these files undoes what is not"
            .to_owned(),
    };
    format!("\n{}", layout.wrapped("", "hint: ", &hint))
}

fn headline(verdict: &Verdict, layout: Layout) -> String {
    let (style, rest) = sentence(verdict);
    layout.wrapped("", &format!("{style}{}{style:#}: ", verdict.word.text()), &rest)
}

/// What stands behind the word, and how grave it is.
pub(super) fn sentence(verdict: &Verdict) -> (Style, String) {
    let trainings = match verdict.runs {
        1 => "1 training".to_owned(),
        many => format!("{many} trainings"),
    };
    let count = |number: usize, one: &str, many: &str| {
        if number == 1 {
            format!("1 {one}")
        } else {
            format!("{number} {many}")
        }
    };
    let critical = edits(&verdict.drift).count();
    let diverged = count(verdict.divergence.len(), "output is", "outputs are");
    let (style, rest) = match verdict.word {
        Word::Reproduced => (GOOD, format!("{trainings} gave what repro.lock says, byte for byte")),
        Word::Recorded if verdict.runs == 1 => (GOOD, "what one training gave stands in repro.lock".to_owned()),
        Word::Recorded => (GOOD, format!("{trainings} gave the same, byte for byte; it stands in repro.lock")),
        Word::Steady => (GOOD, format!("no factor that was varied changes the outcome, in {trainings}")),
        Word::Diverged if !verdict.factors.is_empty() && verdict.causes.is_empty() => {
            let rest = "trainings differ though everything that can be held fast was";
            (BAD, format!("{rest}, in {trainings}"))
        }
        Word::Diverged if !verdict.factors.is_empty() => {
            let changing = count(verdict.causes.len(), "factor changes", "factors change");
            (BAD, format!("{changing} the outcome, found in {trainings}"))
        }
        Word::Unchanged => (GOOD, "every input is as in repro.lock; nothing was trained".to_owned()),
        Word::Drifted => {
            let inputs = count(critical, "input is", "inputs are");
            (BAD, format!("{inputs} not as in repro.lock; nothing was trained"))
        }
        Word::Diverged if verdict.lock.is_none() => {
            (BAD, format!("{trainings} of the same inputs disagree; no lock was written"))
        }
        Word::Diverged => (BAD, format!("{diverged} not as in repro.lock, though every input is")),
        Word::Inconclusive => (CAUTION, format!("{diverged} not as in repro.lock, on another platform class")),
        Word::Passed => (GOOD, gate::headline(verdict)),
        Word::Refused | Word::Invalid => (BAD, gate::headline(verdict)),
        Word::Done => (GOOD, String::new()),
    };
    // A drift found while the program ran is found after some training.
    let rest = if verdict.word == Word::Drifted && verdict.runs > 0 {
        format!("an input changed while the training read it; no verdict on {trainings}")
    } else {
        rest
    };
    (style, rest)
}

/// What the two values of a finding are called: without a lock, two trainings were compared.
fn sides(verdict: &Verdict) -> [String; 2] {
    if verdict.word == Word::Diverged && verdict.lock.is_none() {
        ["run 1".to_owned(), format!("run {}", verdict.runs)]
    } else {
        ["locked".to_owned(), "found".to_owned()]
    }
}

/// Findings of one kind beyond these are counted: a person reads a few, a program all of them.
const MOST_OF_A_KIND: usize = 10;

fn findings<'a>(all: impl Iterator<Item = &'a Finding>, style: Style, sides: &[String; 2], layout: Layout) -> String {
    let mut text = String::new();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for finding in all {
        let count = counts.entry(finding.kind).or_default();
        *count += 1;
        if *count <= MOST_OF_A_KIND {
            text += "\n";
            text += &self::finding(finding, style, sides, layout);
        }
    }
    for (kind, count) in counts.into_iter().filter(|(_, count)| *count > MOST_OF_A_KIND) {
        let more = count - MOST_OF_A_KIND;
        let more = format!("{style}{kind}{style:#} and {more} more; `--message-format json` has all of them");
        text += "\n";
        text += &layout.wrapped("  ", "", &more);
    }
    text
}

/// One finding: its kind and subject, the sentence, both values, the hint.
fn finding(finding: &Finding, style: Style, sides: &[String; 2], layout: Layout) -> String {
    let mut text = String::new();
    let stage = finding
        .stage
        .as_ref()
        .map_or_else(String::new, |stage| format!(" {FAINT}(stage {stage}){FAINT:#}"));
    let label = format!("{style}{}{style:#} ", finding.kind);
    let subject = format!("{NAME}{}{NAME:#}{stage}", visible(&finding.subject));
    text += &layout.wrapped("  ", &label, &subject);
    text += &layout.wrapped("    ", "", &visible(&finding.detail));
    if finding.locked.is_some() || finding.found.is_some() {
        let value = |value: &Option<String>| value.as_ref().map_or_else(|| "—".to_owned(), |text| shown(text));
        for (side, side_value) in sides.iter().zip([&finding.locked, &finding.found]) {
            text += &layout.row(&format!("    {side:<7} "), &value(side_value));
        }
    }
    if let Some(hint) = &finding.hint {
        text += &layout.wrapped("    ", "hint: ", hint);
    }
    text
}

/// A digest is shown by its beginning, which tells two apart; JSON has all of it.
fn shown(value: &str) -> String {
    value.parse::<Digest>().map_or_else(|_| visible(value), |digest| digest.short())
}

/// The table of what came out, with the first so many metrics of a stage.
#[must_use]
pub fn outcome(outcome: &Outcome, most: usize, layout: Layout) -> String {
    let mut text = String::new();
    for (name, stage) in outcome {
        let mut rows: Vec<(String, String)> = figures(stage, most);
        rows.extend(
            stage.artifacts.iter().map(|(path, artifact)| {
                (visible(path), format!("{}  {}", artifact.digest.short(), size(artifact.bytes)))
            }),
        );
        if !stage.checkpoints.is_empty() {
            let names: Vec<&str> = stage.checkpoints.iter().map(|checkpoint| checkpoint.name.as_str()).collect();
            rows.push(("checkpoints".to_owned(), visible(&shortened(&names))));
        }
        if !stage.undeclared.is_empty() {
            let names: Vec<&str> = stage.undeclared.iter().map(String::as_str).collect();
            rows.push(("undeclared".to_owned(), visible(&shortened(&names))));
        }
        let width = rows.iter().map(|(name, _)| display_width(name)).max().unwrap_or(0);
        let _ = writeln!(text, "  {FAINT}stage{FAINT:#} {NAME}{name}{NAME:#}");
        for (name, value) in rows {
            text += &layout.row(&format!("    {}  ", padded(&name, width)), &value);
        }
    }
    text
}

/// The metrics, the points of numbers below each other.
fn figures(stage: &StageOutcome, most: usize) -> Vec<(String, String)> {
    let shown = stage
        .metrics
        .iter()
        .take(most)
        .map(|(name, metric)| (visible(name), metric, visible(&metric.shown())));
    let shown: Vec<(String, &Metric, String)> = shown.collect();
    let before = |text: &str| text.find(['.', 'e']).unwrap_or(text.len());
    let is_number = |metric: &Metric, text: &str| metric.kind == Kind::Number && !text.ends_with(['N', 'f']);
    let numbers = shown.iter().filter(|(_, metric, text)| is_number(metric, text));
    // A very long one stands alone, and moves no other.
    let width = numbers
        .map(|(.., text)| before(text))
        .filter(|width| *width <= LONGEST)
        .max()
        .unwrap_or(0);
    let row = |(name, metric, text): (String, &Metric, String)| {
        let indent = width.saturating_sub(before(&text)) * usize::from(is_number(metric, &text));
        (name, format!("{}{text}", " ".repeat(indent)))
    };
    let mut rows: Vec<(String, String)> = shown.into_iter().map(row).collect();
    if stage.metrics.len() > most {
        let more = stage.metrics.len() - most;
        rows.push((String::new(), format!("and {more} metrics more; `cargo repro show` has all of them")));
    }
    rows
}

/// A verdict shows so many metrics of a stage.
const MOST_FIGURES: usize = 40;

/// Longer than the whole part of most numbers.
const LONGEST: usize = 20;

/// The first few of many.
fn shortened(names: &[&str]) -> String {
    const SHOWN: usize = 6;
    let mut text = names[..names.len().min(SHOWN)].join(", ");
    if names.len() > SHOWN {
        let _ = write!(text, " and {} more", names.len() - SHOWN);
    }
    text
}

fn not_checked(verdict: &Verdict, layout: Layout) -> String {
    let mut text = String::new();
    if verdict.not_checked.is_empty() {
        return text;
    }
    if verdict.brief {
        return briefly(&verdict.not_checked, layout);
    }
    let _ = writeln!(text, "\n{FAINT}not checked:{FAINT:#}");
    for item in &verdict.not_checked {
        text += &layout.wrapped("  ", &format!("{}: ", item.kind), &visible(&item.why));
    }
    text
}

/// What was not looked at in a moment, in a line.
fn briefly(items: &[NotChecked], layout: Layout) -> String {
    let mut kinds: Vec<&str> = Vec::new();
    for item in items {
        if !kinds.contains(&item.kind) {
            kinds.push(item.kind);
        }
    }
    let line = format!("{} (`cargo repro verify` goes on)", kinds.join(", "));
    format!("\n{}", layout.wrapped("", &format!("{FAINT}not checked:{FAINT:#} "), &line))
}
