//! A difference, named: the `kind` word, the subject, both values, a sentence, and what to do. Every
//! report shows the same findings; the words are a contract.

mod classes;
mod gate;
mod inputs;
mod outputs;
mod tables;

use std::borrow::Cow;

use serde::Serialize;

use crate::compare::{Divergence, Drift};
use crate::project::manifest::Override;
use crate::release::gate::refusal::Refusal;
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
    /// By how much a metric changed, if that can be said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delta: Option<String>,
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

/// What can be done about any drift, where nothing more is known of it.
pub const ACCEPT: &str = "`cargo repro record` accepts it; or undo the change";

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

/// Every `kind` of refusal by the gate that is not also a `kind` of drift.
pub const REFUSAL_KINDS: [&str; 21] = [
    "tag-missing",
    "tag-deleted",
    "tag-lightweight",
    "tag-renamed",
    "tag-target",
    "tag-unsigned",
    "tag-signature",
    "version-other",
    "commit-missing",
    "commit-other",
    "policy-unreadable",
    "lock-missing",
    "lock-unreadable",
    "lock-uncommitted",
    "lock-unnamed",
    "lock-other",
    "artifact-copied",
    "lock-dirty",
    "lock-unconfirmed",
    "attestations-lacking",
    "attestation-invalid",
];

/// What a case comes to before the parts that all cases share.
struct Words {
    kind: &'static str,
    subject: String,
    locked: Option<String>,
    found: Option<String>,
    delta: Option<String>,
    detail: String,
    hint: Option<Cow<'static, str>>,
}

impl Words {
    fn new(kind: &'static str, subject: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            kind,
            subject: subject.into(),
            locked: None,
            found: None,
            delta: None,
            detail: detail.into(),
            hint: None,
        }
    }

    fn values(mut self, locked: Option<impl ToString>, found: Option<impl ToString>) -> Self {
        self.locked = locked.map(|value| value.to_string());
        self.found = found.map(|value| value.to_string());
        self
    }

    fn hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl Finding {
    fn of(words: Words, stage: Option<String>, severity: Option<Severity>) -> Self {
        Self {
            kind: words.kind,
            stage,
            subject: words.subject,
            severity,
            locked: words.locked,
            found: words.found,
            delta: words.delta,
            detail: words.detail,
            hint: words.hint.map(Cow::into_owned),
        }
    }
}

impl From<&Drift> for Finding {
    fn from(drift: &Drift) -> Self {
        let words = inputs::drift_words(drift);
        let severity = if stops(drift) {
            Severity::Critical
        } else {
            Severity::Warning
        };
        let mut finding = Self::of(words, None, Some(severity));
        if finding.hint.is_none() && severity == Severity::Critical {
            finding.hint = Some(ACCEPT.to_owned());
        }
        finding
    }
}

impl From<&Divergence> for Finding {
    fn from(divergence: &Divergence) -> Self {
        let words = outputs::output_words(&divergence.output);
        Self::of(words, Some(divergence.stage.clone()), None)
    }
}

impl From<&Refusal> for Finding {
    fn from(refusal: &Refusal) -> Self {
        Self::of(gate::refusal_words(refusal), None, None)
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
            Note::Leftover(leftover) => (Some(leftover.stage.clone()), inputs::leftover(leftover)),
            Note::SetAside(setting) => {
                let detail = inputs::set_aside(setting);
                let hint = "what builds need is set in the repository: .cargo/config.toml, Cargo.toml, or [environment] of repro.toml";
                (None, Words::new("setting-set-aside", setting.as_str(), detail).hint(hint))
            }
            Note::Native { what, cpu } => {
                let detail = format!(
                    "{what} means the processor of whichever machine builds, here {cpu}: another one makes another program, and maybe another model"
                );
                let hint =
                    "name one instead of `native`, such as x86-64-v3: every machine of the class then builds the same";
                (None, Words::new("native-code", "build", detail).hint(hint))
            }
            Note::Reached(access) => {
                let kind = access.cause().kind.word();
                let words = Words::new(kind, access.subject(), access.detail());
                (access.stage.clone(), access.hint().into_iter().fold(words, Words::hint))
            }
            Note::Copied(copied) => (Some(copied.stage.clone()), outputs::copied_words(copied)),
            Note::Data { name, remark } => {
                let (kind, detail, hint) = super::data::remark(remark);
                let words = Words::new(kind, format!("data.{name}"), detail);
                (None, hint.into_iter().fold(words, Words::hint))
            }
            Note::Overridden(Override {
                name,
                declared,
                recorded,
            }) => {
                let detail = format!(
                    "it was recorded with {recorded}, given on the command line, and is verified with that as long as \
                     repro.toml says {declared}"
                );
                let words = Words::new("params-overridden", name.as_str(), detail);
                (
                    None,
                    words
                        .values(Some(recorded), Some(declared))
                        .hint("write it into repro.toml if it is to stay"),
                )
            }
            Note::Output(remark) => (Some(remark.stage.clone()), outputs::remark_words(remark)),
            Note::Undeclared { place, files } => (None, outputs::undeclared_words(place, *files)),
            Note::ClassUnknown(platform) => (None, classes::class_unknown(platform)),
            Note::ClassesDropped {
                classes,
                could_be_added,
            } => (None, classes::classes_dropped(classes, *could_be_added)),
            Note::TagUngated { tag } => {
                let detail = "no pattern under `tags` of [gate] names this tag, so hooks let it pass unasked";
                (None, Words::new("tag-ungated", tag.as_str(), detail))
            }
            Note::AttestationSetAside { origin, flaw } => {
                let detail = format!("it does not count: {}", flaw.words());
                (None, Words::new("attestation-set-aside", origin.as_str(), detail))
            }
            Note::Found(text) => (None, Words::new("finding", "trainings", text.clone())),
            Note::RunsDisagree { run } => {
                let detail = format!(
                    "training {run} of this verification differs from its first: the program is not deterministic here either"
                );
                (None, Words::new("runs-disagree", "trainings", detail))
            }
        };
        Self::of(words, stage, None)
    }
}
