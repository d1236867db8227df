//! Why an attestation does not count, as a value with its values. Finding it is [`mod@super::check`]'s.

use std::time::Duration;

use super::time;
use crate::digest::Digest;

/// Why an attestation does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// It is no JSON, or says a key twice.
    NotJson {
        /// What is wrong with it.
        why: String,
    },
    /// It is no DSSE envelope.
    NotAnEnvelope {
        /// What is missing or malformed.
        what: &'static str,
    },
    /// What was signed is of another type than in-toto's.
    PayloadType {
        /// The type that it states.
        found: String,
    },
    /// The envelope holds no signature.
    NoSignature,
    /// None of its signatures is by an allowed key, and it names none.
    NoAllowedKey {
        /// The keys that it names.
        key_ids: Vec<String>,
    },
    /// It names an allowed key, but that key did not sign these bytes.
    WrongSignature {
        /// The names of the key in the policy.
        names: Vec<String>,
    },
    /// What was signed is no in-toto Statement v1.
    NotAStatement {
        /// What is wrong with it.
        why: String,
    },
    /// The statement says something else than that a training was reproduced.
    Predicate {
        /// The type of its predicate.
        found: String,
    },
    /// The predicate is of the right type, and malformed.
    UnreadablePredicate {
        /// What is wrong with it.
        why: String,
    },
    /// There are no statements, or only such as say something else.
    NoReproduction,
    /// It is about another lock.
    OtherLock {
        /// The lock that it is about.
        found: Digest,
        /// The lock that is asked about.
        wanted: Digest,
    },
    /// It says that the training was not reproduced.
    Verdict {
        /// What it says instead.
        found: String,
    },
    /// It vouches for a file that the lock does not have.
    SubjectUnknown {
        /// The file.
        name: String,
    },
    /// It does not vouch for a file that the lock has.
    SubjectMissing {
        /// The file.
        name: String,
    },
    /// It vouches for another part of a file: what is left out of it differs.
    SubjectPart {
        /// The file.
        name: String,
    },
    /// It vouches for other bytes of a file.
    SubjectDiffers {
        /// The file.
        name: String,
        /// What it vouches for.
        found: Digest,
        /// What the lock has.
        wanted: Digest,
    },
    /// It is too old.
    Expired {
        /// When the training ended, in seconds since 1970.
        finished: i64,
        /// How old it may be.
        max_age: Duration,
        /// The time now.
        now: i64,
    },
    /// It is from the future.
    Future {
        /// When the training ended, in seconds since 1970.
        finished: i64,
        /// The time now.
        now: i64,
    },
}

impl Flaw {
    /// One sentence, without its full stop. What comes from the attestation cannot steer a terminal,
    /// nor flood it.
    #[must_use]
    pub fn words(&self) -> String {
        const MOST: usize = 500;
        let plain = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
        self.sentence().chars().take(MOST).map(plain).collect()
    }

    fn sentence(&self) -> String {
        match self {
            Self::NotJson { why } => format!("it is not the JSON that it should be: {why}"),
            Self::NotAnEnvelope { what } => format!("it is no DSSE envelope: {what}"),
            Self::PayloadType { found } => {
                format!("what was signed is of the type \"{found}\" and no in-toto statement")
            }
            Self::NoSignature => "it is not signed".to_owned(),
            Self::NoAllowedKey { key_ids } => no_allowed_key(key_ids),
            Self::WrongSignature { names } => format!(
                "it names the key of {}, but that key did not sign these bytes: they were changed, or never signed by it",
                list(names)
            ),
            Self::NotAStatement { why } => format!("what was signed is no in-toto Statement v1: {why}"),
            Self::Predicate { found } => format!("it says something else than a reproduction does: \"{found}\""),
            Self::UnreadablePredicate { why } => format!("what it says of the reproduction cannot be read: {why}"),
            Self::NoReproduction => "nothing in it says that a lock was reproduced".to_owned(),
            Self::OtherLock { found, wanted } => {
                format!("it is about the lock {}, and this one is {}", found.short(), wanted.short())
            }
            Self::Verdict { found } => format!("its verdict is \"{found}\" and not \"reproduced\""),
            Self::SubjectUnknown { name } => format!("it vouches for \"{name}\", which the lock does not have"),
            Self::SubjectMissing { name } => format!("it does not vouch for \"{name}\", which the lock has"),
            Self::SubjectPart { name } => {
                format!("it vouches for another part of \"{name}\" than the lock has: what is left out differs")
            }
            Self::SubjectDiffers { name, found, wanted } => {
                format!("it vouches for \"{name}\" as {}, and the lock has {}", found.short(), wanted.short())
            }
            Self::Expired { finished, max_age, now } => format!(
                "the training ended at {}, which at {} is more than {} ago",
                time::text(*finished),
                time::text(*now),
                time::length(*max_age)
            ),
            Self::Future { finished, now } => format!(
                "the training ended at {}, and here it is {}: one of the two clocks is wrong",
                time::text(*finished),
                time::text(*now)
            ),
        }
    }
}

/// Enough of a key's id to tell two apart by eye. It comes from whoever wrote the envelope.
fn no_allowed_key(key_ids: &[String]) -> String {
    const SHOWN: usize = 12;
    if key_ids.is_empty() {
        return "no allowed key signed it, and it does not say which did".to_owned();
    }
    let short: Vec<String> = key_ids
        .iter()
        .map(|id| format!("\"{}\"", id.chars().take(SHOWN).collect::<String>()))
        .collect();
    format!("no allowed key signed it; it names {}", list(&short))
}

fn list(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [others @ .., last] => format!("{} and {last}", others.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values of whoever wrote the attestation, as bad as they can be.
    fn all() -> Vec<Flaw> {
        let text = || "a\u{1b}[2J\nb".to_owned();
        let (found, wanted) = (Digest::of("found"), Digest::of("wanted"));
        let (finished, now, max_age) = (1_795_478_400, 1_795_564_800, Duration::from_secs(3600));
        vec![
            Flaw::NotJson { why: text() },
            Flaw::NotAnEnvelope {
                what: "it has no `payload` in base64",
            },
            Flaw::PayloadType { found: text() },
            Flaw::NoSignature,
            Flaw::NoAllowedKey { key_ids: Vec::new() },
            Flaw::NoAllowedKey {
                key_ids: vec![text(), found.hex()],
            },
            Flaw::WrongSignature {
                names: vec!["ci".to_owned(), "anna".to_owned(), "bert".to_owned()],
            },
            Flaw::NotAStatement { why: text() },
            Flaw::Predicate { found: text() },
            Flaw::UnreadablePredicate { why: text() },
            Flaw::OtherLock { found, wanted },
            Flaw::Verdict { found: text() },
            Flaw::SubjectUnknown { name: text() },
            Flaw::SubjectMissing { name: text() },
            Flaw::SubjectPart { name: text() },
            Flaw::SubjectDiffers {
                name: text(),
                found,
                wanted,
            },
            Flaw::Expired { finished, max_age, now },
            Flaw::Future {
                finished: now,
                now: finished,
            },
        ]
    }

    #[test]
    fn each_flaw_is_one_sentence_with_its_values_and_steers_no_terminal() {
        let sentences: Vec<String> = all().iter().map(|flaw| flaw.words() + "\n").collect();
        assert!(sentences.iter().all(|sentence| sentence.matches(char::is_control).count() == 1));
        insta::with_settings!({snapshot_path => "../../../tests/snapshots", prepend_module_to_snapshot => false}, {
            insta::assert_snapshot!("flaws", sentences.concat());
        });
    }
}
