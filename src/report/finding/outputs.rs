//! The words for each case of divergence.

use super::Words;
use crate::compare::bytes::{Difference, JsonDifference};
use crate::compare::divergence::Output;
use crate::outcome::Metric;

/// Names a divergence.
pub(super) fn output_words(output: &Output) -> Words {
    match output {
        Output::Stream { name, locked, found } => {
            let detail = match (locked, found) {
                (Some(locked), Some(found)) => {
                    format!("{found} words were drawn from the stream, {locked} when it was recorded")
                }
                (None, _) => "the lock does not know this stream".to_owned(),
                (_, None) => "nothing was drawn from this stream".to_owned(),
            };
            Words::new("stream-changed", name.clone(), detail).values(locked.as_ref(), found.as_ref())
        }
        Output::Checkpoint {
            name,
            after,
            locked,
            found,
            later,
        } => {
            let place = if after.is_some() {
                "the first that differs"
            } else {
                "the first checkpoint"
            };
            let before = after.as_ref().map_or_else(String::new, |after| format!("; `{after}` before it is equal"));
            let rest = match later {
                0 => String::new(),
                1 => "; one later differs too".to_owned(),
                many => format!("; {many} later differ too"),
            };
            let absent = match (locked, found) {
                (None, _) => ", which the lock does not have",
                (_, None) => ", which was not reported",
                _ => "",
            };
            Words::new("checkpoint-diverged", name.clone(), format!("{place}{absent}{before}{rest}"))
                .values(locked.as_ref(), found.as_ref())
        }
        Output::ArtifactChanged {
            path,
            locked,
            found,
            difference,
        } => {
            let detail = difference.as_ref().map_or_else(
                || "other bytes; where they begin cannot be told, since the recorded file is not at hand".to_owned(),
                describe,
            );
            Words::new("artifact-changed", path.clone(), detail).values(Some(locked.digest), Some(found.digest))
        }
        Output::ArtifactMissing { path, locked } => {
            Words::new("artifact-missing", path.clone(), "the program did not write it")
                .values(Some(locked.digest), None::<String>)
        }
        Output::ArtifactUnexpected { path } => Words::new(
            "artifact-unexpected",
            path.clone(),
            "the program wrote it; neither repro.toml nor the lock knows it",
        ),
        Output::MetricChanged { name, locked, found } => metric(name, locked.as_ref(), found),
        Output::MetricMissing { name, locked } => {
            Words::new("metric-missing", name.clone(), "the program did not report it")
                .values(Some(&locked.value), None::<String>)
        }
    }
}

fn metric(name: &str, locked: Option<&Metric>, found: &Metric) -> Words {
    let numbers = locked.and_then(Metric::number).zip(found.number());
    let detail = match numbers {
        None => "the lock does not know this metric".to_owned(),
        Some((old, new)) if old == new => format!("equal in value, not in bits ({} → {})", text(locked), found.bits),
        Some((old, new)) if old.is_nan() && new.is_nan() => {
            format!("both are NaN, with other bits ({} → {})", text(locked), found.bits)
        }
        Some((old, new)) if old.is_finite() && new.is_finite() => {
            let change = new - old;
            let sign = if change > 0.0 { "+" } else { "" };
            format!("changed by {sign}{change:.3e}")
        }
        Some(_) => "one of the two is not a finite number".to_owned(),
    };
    Words::new("metric-changed", name, detail).values(locked.map(|metric| &metric.value), Some(&found.value))
}

fn text(metric: Option<&Metric>) -> &str {
    metric.map_or("", |metric| metric.bits.as_str())
}

/// A sentence on how two versions of a file differ.
fn describe(difference: &Difference) -> String {
    let line = difference.line.map_or_else(String::new, |line| format!(" (line {line})"));
    let first = format!("first differing byte at offset {}{line}", difference.offset);
    let Some(json) = &difference.json else { return first };
    let kind = match json {
        JsonDifference::Layout => "the same JSON, laid out otherwise".to_owned(),
        JsonDifference::KeyOrder => {
            "the same values under another order of keys: a map was written in its iteration order".to_owned()
        }
        JsonDifference::NumberText { first } => {
            format!("the same numbers, written otherwise, first at {}", pointer(first))
        }
        JsonDifference::Numbers {
            changed,
            of,
            largest_relative,
            first,
        } => format!(
            "{changed} of {of} numbers differ, by up to {largest_relative:.1e} of their size, first at {}",
            pointer(first)
        ),
        JsonDifference::Structure { first } => format!("the structure differs, first at {}", pointer(first)),
    };
    format!("{first}; {kind}")
}

/// The document itself has the empty pointer, which nobody could read.
fn pointer(pointer: &str) -> &str {
    if pointer.is_empty() { "the top" } else { pointer }
}
