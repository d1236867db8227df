//! A difference, named: the `kind` word, the subject, both values, a sentence, and what to do. Every
//! report shows the same findings; the words are a contract.

use serde::Serialize;

use crate::compare::bytes::{Difference, JsonDifference};
use crate::compare::divergence::Output;
use crate::compare::drift::{Change, DataChange};
use crate::compare::{Divergence, Drift};
use crate::outcome::Metric;
use crate::verdict::{Note, stops};

/// A named difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The word for it.
    pub kind: &'static str,
    /// The stage, for differences of outputs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
    /// What it is about.
    pub subject: String,
    /// How grave a difference of inputs is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// The value in the lock, if it has one.
    pub locked: Option<String>,
    /// The value found, if there is one.
    pub found: Option<String>,
    /// One sentence.
    pub detail: String,
    /// What to do next, if that can be said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// How grave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// It can change the outcome: a verification stops.
    Critical,
    /// It is worth knowing: a verification goes on.
    Warning,
}

/// Every `kind` of drift.
pub const DRIFT_KINDS: [&str; 17] = [
    "toolchain-changed",
    "dependency-changed",
    "dependency-tampered",
    "source-changed",
    "source-dirty",
    "build-changed",
    "seed-changed",
    "params-changed",
    "data-changed",
    "data-missing",
    "data-added",
    "environment-changed",
    "platform-changed",
    "tag-moved",
    "lock-edited",
    "manifest-changed",
    "artifact-tampered",
];

/// Every `kind` of divergence.
pub const DIVERGENCE_KINDS: [&str; 7] = [
    "artifact-changed",
    "artifact-missing",
    "artifact-unexpected",
    "metric-changed",
    "metric-missing",
    "checkpoint-diverged",
    "stream-changed",
];

/// What a case comes to before the parts that all cases share.
struct Words {
    kind: &'static str,
    subject: String,
    locked: Option<String>,
    found: Option<String>,
    detail: String,
    hint: Option<&'static str>,
}

impl Words {
    fn new(kind: &'static str, subject: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            kind,
            subject: subject.into(),
            locked: None,
            found: None,
            detail: detail.into(),
            hint: None,
        }
    }

    fn values(mut self, locked: Option<impl ToString>, found: Option<impl ToString>) -> Self {
        self.locked = locked.map(|value| value.to_string());
        self.found = found.map(|value| value.to_string());
        self
    }

    fn hint(mut self, hint: &'static str) -> Self {
        self.hint = Some(hint);
        self
    }
}

impl From<&Drift> for Finding {
    fn from(drift: &Drift) -> Self {
        let words = drift_words(drift);
        Self {
            kind: words.kind,
            stage: None,
            subject: words.subject,
            severity: Some(if stops(drift) {
                Severity::Critical
            } else {
                Severity::Warning
            }),
            locked: words.locked,
            found: words.found,
            detail: words.detail,
            hint: words.hint.map(str::to_owned),
        }
    }
}

impl From<&Divergence> for Finding {
    fn from(divergence: &Divergence) -> Self {
        let words = output_words(&divergence.output);
        Self {
            kind: words.kind,
            stage: Some(divergence.stage.clone()),
            subject: words.subject,
            severity: None,
            locked: words.locked,
            found: words.found,
            detail: words.detail,
            hint: words.hint.map(str::to_owned),
        }
    }
}

impl From<&Note> for Finding {
    fn from(note: &Note) -> Self {
        let (stage, words) = match note {
            Note::BinaryChanged { stage, locked, found } => {
                let detail = "the program has other bytes than the recorded one; by itself that is no divergence";
                (
                    Some(stage.clone()),
                    Words::new("binary-changed", "program", detail).values(Some(locked), Some(found)),
                )
            }
            Note::RecordedDirty => {
                let detail = "the lock was recorded with uncommitted changes; the commit that it names does not have all that it pins";
                (
                    None,
                    Words::new("recorded-dirty", "repro.lock", detail)
                        .hint("commit them, then `cargo repro record` again"),
                )
            }
            Note::RunsDisagree { run } => {
                let detail = format!(
                    "training {run} of this verification differs from its first: the program is not deterministic here either"
                );
                (None, Words::new("runs-disagree", "trainings", detail))
            }
        };
        Self {
            kind: words.kind,
            stage,
            subject: words.subject,
            severity: None,
            locked: words.locked,
            found: words.found,
            detail: words.detail,
            hint: words.hint.map(str::to_owned),
        }
    }
}

fn drift_words(drift: &Drift) -> Words {
    match drift {
        Drift::LockEdited { stated, actual } => {
            Words::new("lock-edited", "repro.lock", "its content is not the one that its id was made of")
                .values(Some(stated), Some(actual))
                .hint("restore it from git, or record again with `cargo repro record`")
        }
        Drift::Manifest(change) => {
            let detail = format!("repro.toml declares {} otherwise", change.name);
            changed("manifest-changed", change, detail)
        }
        Drift::Toolchain(change) => {
            let detail = format!("another {}", if change.name == "host" { "host" } else { change.name });
            changed("toolchain-changed", change, detail)
                .hint("pin it in rust-toolchain.toml; rustup then installs the recorded one")
        }
        Drift::Dependency { locked, found } => dependency(locked.as_ref(), found.as_ref()),
        Drift::DependencyGraph { locked, found } => {
            let detail = "the same packages, but other bytes: edges between packages, or comments";
            Words::new("dependency-changed", "Cargo.lock", detail).values(Some(locked), Some(found))
        }
        Drift::DependencyTampered(tampered) => {
            let detail = format!("{} on this machine is not what Cargo.lock pins", tampered.what);
            Words::new("dependency-tampered", tampered.package.clone(), detail)
                .values(Some(&tampered.expected), Some(&tampered.found))
                .hint("remove the package from the cargo home's registry or git directory; `cargo fetch --locked` downloads it anew")
        }
        Drift::Source(change) => {
            let verb = match (&change.locked, &change.found) {
                (None, _) => "was added",
                (_, None) => "was removed",
                _ => "was changed",
            };
            changed("source-changed", change, format!("{} {verb} since the lock was recorded", change.name))
        }
        Drift::SourceDirty(dirty) => {
            let detail = format!("{} is {}; a checkout of HEAD would not have this", dirty.path, dirty.how.word());
            Words::new("source-dirty", dirty.path.clone(), detail).hint("commit it, or `git restore` it")
        }
        Drift::Build(change) => changed("build-changed", change, format!("{} is set otherwise", change.name)),
        Drift::AmbientBuild { setting } => {
            let detail =
                format!("{setting} is set on this machine; plain cargo follows it, builds of cargo repro do not");
            Words::new("build-changed", setting.clone(), detail)
        }
        Drift::Seed { locked, found } => {
            Words::new("seed-changed", "seed", "another seed").values(Some(locked), Some(found))
        }
        Drift::Param { name, locked, found } => {
            let verb = match (locked, found) {
                (None, _) => "is new",
                (_, None) => "is gone",
                _ => "has another value",
            };
            Words::new("params-changed", format!("params.{name}"), format!("the parameter {name} {verb}"))
                .values(locked.as_ref(), found.as_ref())
        }
        Drift::DataChanged(change) => data(change),
        Drift::DataMissing { name, path, locked } => {
            Words::new("data-missing", format!("data.{name}"), format!("{path} is not there"))
                .values(locked.as_ref(), None::<String>)
                .hint("fetch it from where it is kept; data that git ignores does not come with a clone")
        }
        Drift::DataAdded { name, path, found } => {
            Words::new("data-added", format!("data.{name}"), format!("{path} is not in the lock"))
                .values(None::<String>, Some(found))
        }
        Drift::Environment { name, locked, found } => {
            Words::new("environment-changed", name.clone(), format!("the program would see another {name}"))
                .values(locked.as_ref(), found.as_ref())
        }
        Drift::Platform(change) => {
            let detail =
                format!("another platform class ({}): equal bytes are not promised across classes", change.name);
            changed("platform-changed", change, detail)
        }
        Drift::TagMoved { tag, locked, found } => {
            let detail = format!("the tag {tag} pointed to another commit when the lock was recorded");
            Words::new("tag-moved", tag.clone(), detail).values(Some(locked), Some(found))
        }
        Drift::ArtifactTampered {
            stage,
            path,
            locked,
            found,
        } => {
            let detail = format!("{path} in the work tree is not what stage `{stage}` wrote when it was recorded");
            Words::new("artifact-tampered", path.clone(), detail)
                .values(Some(locked.digest), Some(found.digest))
                .hint("restore the recorded file; a verification then tells whether a retraining gives it")
        }
    }
}

fn changed<Name: ToString>(kind: &'static str, change: &Change<Name>, detail: String) -> Words {
    Words::new(kind, change.name.to_string(), detail).values(change.locked.as_ref(), change.found.as_ref())
}

fn dependency(
    locked: Option<&crate::snapshot::dependencies::Package>,
    found: Option<&crate::snapshot::dependencies::Package>,
) -> Words {
    let name = locked.or(found).map_or("", |package| package.name.as_str());
    let words = |detail: String| Words::new("dependency-changed", name, detail);
    match (locked, found) {
        (Some(old), Some(new)) if old.version != new.version => {
            words(format!("{name} {} → {}", old.version, new.version)).values(Some(&old.version), Some(&new.version))
        }
        (Some(old), Some(new)) if old.source != new.source => {
            words(format!("{name} {} comes from elsewhere", old.version))
                .values(old.source.as_ref(), new.source.as_ref())
        }
        (Some(old), Some(new)) => words(format!("{name} {} has another checksum", old.version))
            .values(old.checksum.as_ref(), new.checksum.as_ref())
            .hint("one version never has two checksums; find out who changed Cargo.lock"),
        (None, Some(new)) => words(format!("{name} {} is new", new.version)).values(None::<String>, Some(&new.version)),
        (Some(old), None) => {
            words(format!("{name} {} is gone", old.version)).values(Some(&old.version), None::<String>)
        }
        (None, None) => words(String::new()),
    }
}

fn data(change: &DataChange) -> Words {
    match change {
        DataChange::File {
            name,
            path,
            locked,
            found,
        } => {
            let size = if locked.bytes == found.bytes {
                format!("the same {} bytes long", locked.bytes)
            } else {
                format!("{} bytes long, was {}", found.bytes, locked.bytes)
            };
            Words::new("data-changed", format!("data.{name}"), format!("{path} has another content, {size}"))
                .values(Some(locked.digest), Some(found.digest))
        }
        DataChange::Form { name, locked, found } => {
            let detail = format!("is {} now, was {}", found.phrase(), locked.phrase());
            Words::new("data-changed", format!("data.{name}"), detail)
                .values(Some(locked.phrase()), Some(found.phrase()))
        }
        DataChange::Paths { name, locked, found } => {
            Words::new("data-changed", format!("data.{name}"), "repro.toml leads to other paths")
                .values(Some(locked.join(", ")), Some(found.join(", ")))
        }
        DataChange::Meanwhile {
            name,
            path,
            before,
            after,
        } => {
            let detail = format!("{path} changed while the training read it");
            Words::new("data-changed", format!("data.{name}"), detail)
                .values(Some(before), after.as_ref())
                .hint("nothing was recorded; run again when nobody writes to it, and see that the program does not")
        }
    }
}

fn output_words(output: &Output) -> Words {
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
