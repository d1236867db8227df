//! The words for each case of divergence.

use super::Words;
use crate::compare::bytes::{Difference, JsonDifference};
use crate::compare::divergence::Output;
use crate::outcome::{Kind, Metric, Remark, RemarkOf};
use crate::run::copies::{Copied, Reader};

/// Names an artifact that is a copy of an input.
pub(super) fn copied_words(copied: &Copied) -> Words {
    let Copied { input, by, .. } = copied;
    let by = match by {
        None => String::new(),
        Some(Reader::Build) => ", which the build read".to_owned(),
        Some(Reader::Stage(stage)) => format!(", which stage `{stage}` read"),
    };
    let detail = format!("it is a copy: it has the same bytes as {input}{by}");
    Words::new("artifact-copied", copied.artifact.as_str(), detail)
}

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
        )
        .hint("declare it in `artifacts` of its stage, or as `scratch` if it is no outcome; then record again"),
        Output::UndeclaredMissing { path } => Words::new(
            "artifact-missing",
            path.clone(),
            "the program did not write it; it was recorded by its name alone, since repro.toml does not declare it",
        )
        .hint("declare it in `artifacts` of its stage, or as `scratch` if it is no outcome; then record again"),
        Output::MetricChanged { name, locked, found } => metric(name, locked.as_ref(), found),
        Output::MetricMissing { name, locked } => {
            Words::new("metric-missing", name.clone(), "the program did not report it")
                .values(Some(locked.shown()), None::<String>)
        }
    }
}

fn metric(name: &str, locked: Option<&Metric>, found: &Metric) -> Words {
    let detail = match locked {
        None => "the lock does not know this metric".to_owned(),
        Some(locked) if !locked.is_consistent() => "what the lock says of it is not the value of its bits".to_owned(),
        Some(locked) if locked.kind != found.kind => format!("was {}, is {}", a(locked.kind), a(found.kind)),
        Some(locked) => match locked.number().zip(found.number()) {
            None => "has another value".to_owned(),
            Some(numbers) => numbers_differ(locked, found, numbers),
        },
    };
    let words = Words::new("metric-changed", name, detail).values(locked.map(Metric::shown), Some(found.shown()));
    Words {
        delta: locked.and_then(|locked| delta(locked, found)),
        ..words
    }
}

fn a(kind: Kind) -> &'static str {
    match kind {
        Kind::Number => "a number",
        Kind::Text => "text",
        Kind::Boolean => "true or false",
        Kind::Null => "null",
    }
}

fn numbers_differ(locked: &Metric, found: &Metric, (old, new): (f64, f64)) -> String {
    if old.is_nan() && new.is_nan() {
        return format!("both are NaN, with other bits ({} → {})", locked.bits, found.bits);
    }
    if let Some(delta) = delta(locked, found) {
        return format!("changed by {delta}");
    }
    if old.is_finite() && new.is_finite() && !(locked.bits.is_empty() || found.bits.is_empty()) {
        format!("equal in value, not in bits ({} → {})", locked.bits, found.bits)
    } else if old.is_finite() && new.is_finite() {
        "has other digits".to_owned()
    } else {
        "one of the two is not a finite number".to_owned()
    }
}

/// By how much a figure changed, if that can be said: of whole numbers to the last digit.
fn delta(locked: &Metric, found: &Metric) -> Option<String> {
    if let Some(change) = found.whole().zip(locked.whole()).and_then(|(new, old)| new.checked_sub(old)) {
        return (change != 0).then(|| format!("{change:+}"));
    }
    let change = found.number()? - locked.number()?;
    // Of whole numbers beyond 128 bits the difference would be a guess.
    let is_exact = !locked.bits.is_empty() && !found.bits.is_empty();
    (is_exact && change.is_finite() && change != 0.0).then(|| format!("{change:+.3e}"))
}

/// Names what is worth saying of an output.
pub(super) fn remark_words(remark: &Remark) -> Words {
    let path = remark.path.as_str();
    match &remark.what {
        RemarkOf::NoFigures(why) => {
            let detail = format!("no metrics are read from it, and it is compared by its bytes: {why}");
            Words::new("metrics-unread", path, detail)
                .hint("a metrics file is a JSON object; numbers, text, true, false, null, NaN and ±Infinity may be nested in it")
        }
        RemarkOf::Twice(name) => {
            let detail = format!("the program reported {name} by itself with another value, and that is the one kept");
            Words::new("metrics-unread", path, detail).hint("report a metric in one way")
        }
        RemarkOf::NotThere(place) => {
            let detail = format!("`ignore` names {place}, and there is nothing at that place");
            Words::new("nothing-ignored", path, detail)
                .hint("`ignore` has JSON pointers: `/trained_at`, `/history/0/seconds`")
        }
        RemarkOf::CountsWhole => {
            let detail = "`ignore` leaves a part of it out, but it cannot be taken apart: it is no such JSON, or too large; all of it is compared";
            Words::new("nothing-ignored", path, detail)
        }
    }
}

/// Names what a run left and nobody declared.
pub(super) fn undeclared_words(place: &str, files: Option<usize>) -> Words {
    let (subject, what) = match files {
        None => (place.to_owned(), "a file".to_owned()),
        Some(1) => (format!("{place}/"), "1 file in a directory".to_owned()),
        Some(many) => (format!("{place}/"), format!("{many} files in a directory")),
    };
    let glob = if files.is_some() {
        format!("{place}/**")
    } else {
        place.to_owned()
    };
    let detail = format!(
        "the run left {what} that repro.toml does not declare: their names are compared, and their content is not. \
         `scratch = [{}]` in the stage leaves them out; `artifacts` has files that count",
        crate::document::quoted(&glob)
    );
    Words::new("output-undeclared", subject, detail)
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
