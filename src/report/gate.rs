//! The gate's answer: the tag, every reason against it, and who vouches for the lock.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::human::{FAINT, NAME};
use crate::release::attestation::{Vouched, time};
use crate::text::layout::Layout;
use crate::text::visible;
use crate::verdict::{Verdict, Word};

/// The headline's sentence for the gate's words.
pub(super) fn headline(verdict: &Verdict) -> String {
    let tag = verdict.tag.as_ref().map(|(name, _)| visible(name));
    match (verdict.word, tag) {
        (Word::Passed, Some(tag)) => format!("{tag} may be a release"),
        (Word::Passed, None) if verdict.vouched.is_empty() => "nothing stands against it".to_owned(),
        (Word::Passed, None) => "an allowed key vouches that the model was reproduced from this lock".to_owned(),
        (_, tag) => {
            let reasons = match verdict.refusals.len() {
                1 => "1 reason".to_owned(),
                many => format!("{many} reasons"),
            };
            match tag {
                Some(tag) => format!("{tag} is no release, for {reasons}"),
                None if verdict.word == Word::Invalid => {
                    format!("what was given does not vouch for this lock, for {reasons}")
                }
                None => format!("nothing was signed, for {reasons}"),
            }
        }
    }
}

/// Who vouches, a line each.
pub(super) fn vouched(all: &[Vouched], layout: Layout) -> String {
    let mut text = String::new();
    for vouched in all {
        let about = &vouched.reproduction;
        let key = vouched.key_id.get(..12).unwrap_or(&vouched.key_id);
        let aside = if vouched.counts { "" } else { " (does not count)" };
        let _ =
            writeln!(text, "  {FAINT}attested by{FAINT:#} {NAME}{}{NAME:#}{aside}", visible(&vouched.names.join(", ")));
        let trainings = match about.runs {
            1 => "1 training".to_owned(),
            many => format!("{many} trainings"),
        };
        let line = format!("{trainings} on {}, {}, key {key}", about.platform, time::text(about.finished));
        text += &layout.wrapped("    ", "", &visible(&line));
    }
    text
}

/// What is added to the verdict for programs.
pub(super) fn json(verdict: &Verdict, value: &mut Value) {
    if let Some((name, object)) = &verdict.tag {
        value["tag"] = json!({"name": name, "object": object.map(|object| object.to_string())});
    }
    if verdict.tag.is_some() || !verdict.vouched.is_empty() || !verdict.refusals.is_empty() {
        let refusals: Vec<super::finding::Finding> = verdict.refusals.iter().map(Into::into).collect();
        value["refusals"] = json!(refusals);
        value["attestations"] = verdict.vouched.iter().map(attestation).collect();
    }
}

fn attestation(vouched: &Vouched) -> Value {
    let about = &vouched.reproduction;
    json!({
        "names": vouched.names,
        "key": vouched.key_id,
        "counts": vouched.counts,
        "platform": about.platform,
        "runs": about.runs,
        "commit": about.commit,
        "finished": time::text(about.finished),
    })
}
