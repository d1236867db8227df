//! The words for what concerns platform classes, and for what else two locks differ in.

use super::{Finding, Words};
use crate::compare::classes::ClassChange;
use crate::compare::locks::Recorded;
use crate::snapshot::Platform;

/// The lock has no outcome on this machine's class.
pub(super) fn class_unknown(platform: &Platform) -> Words {
    Words::new("class-unknown", "platform", "the lock has no outcome on this machine's platform class")
        .values(None::<&str>, Some(platform))
        .hint("`cargo repro record --add-class` adds it")
}

/// A new lock has no outcomes on classes that the old one knew.
pub(super) fn classes_dropped(classes: &[Platform], could_be_added: bool) -> Words {
    let classes: Vec<String> = classes.iter().map(ToString::to_string).collect();
    let classes = classes.join("; ");
    if could_be_added {
        let detail = format!("the lock has no outcome on other platform classes any more: {classes}");
        let hint = "the inputs are the old ones: restore it with `git checkout -- repro.lock`, and `cargo repro record --add-class` keeps them";
        return Words::new("classes-dropped", "repro.lock", detail).hint(hint);
    }
    let detail = format!("what was recorded on other platform classes does not belong to this recording: {classes}");
    Words::new("classes-dropped", "repro.lock", detail)
        .hint("`cargo repro record --add-class` on a machine of each adds it again")
}

impl From<&ClassChange> for Finding {
    fn from(change: &ClassChange) -> Self {
        let (kind, platform, locked, found, detail) = match change {
            ClassChange::Added(platform) => {
                let detail = "only the second lock has an outcome on this platform class";
                ("class-added", platform, None, Some("recorded"), detail.to_owned())
            }
            ClassChange::Removed(platform) => {
                let detail = "only the first lock has an outcome on this platform class";
                ("class-removed", platform, Some("recorded"), None, detail.to_owned())
            }
            ClassChange::Outcome { platform, divergence } => {
                let outputs: Vec<String> = divergence.iter().map(|output| Self::from(output).subject).collect();
                let detail = format!("the outcomes on this platform class differ in {}", outputs.join(", "));
                ("class-changed", platform, Some("one outcome"), Some("another"), detail)
            }
        };
        Self {
            kind,
            stage: None,
            subject: platform.to_string(),
            severity: None,
            locked: locked.map(str::to_owned),
            found: found.map(str::to_owned),
            delta: None,
            detail,
            hint: None,
        }
    }
}

impl From<&Recorded> for Finding {
    fn from(Recorded(change): &Recorded) -> Self {
        let detail = format!("the two locks were recorded otherwise: {}", change.name);
        let words = Words::new("record-changed", change.name.as_str(), detail);
        Self::of(words.values(change.locked.as_ref(), change.found.as_ref()), None, None)
    }
}
