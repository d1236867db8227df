//! Whether an attestation counts: a text and what is expected of it in, who vouches or what is wrong out.
//! Nothing in a text is believed, or even read, before a signature of it is found valid.

use std::collections::BTreeMap;
use std::time::Duration;

use super::envelope::Envelope;
use super::flaw::Flaw;
use super::key::PublicKey;
use super::reproduction::{self, Reproduction};
use super::statement::{Statement, Subject};
use crate::digest::Digest;
use crate::lockfile::Lockfile;
use crate::outcome::Outcome;
use crate::snapshot::Platform;
use crate::verdict::Word;

/// By how many seconds two clocks may differ.
const SKEW: i64 = 5 * 60;

/// What an attestation is held against.
#[derive(Clone, Debug)]
pub struct Expectation<'a> {
    /// The policy's keys by name.
    pub keys: &'a BTreeMap<String, AllowedKey>,
    /// The id of the lock.
    pub id: Digest,
    /// The lock.
    pub lock: &'a Lockfile,
    /// The digest of the lock's file.
    pub lock_file: Digest,
    /// The time now, in seconds since 1970.
    pub now: i64,
    /// How long ago a training may have ended.
    pub max_age: Option<Duration>,
}

/// A key of the policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AllowedKey {
    /// The key.
    pub key: PublicKey,
    /// Whether it adds to what a policy asks for.
    pub counts: bool,
}

/// Somebody who vouches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vouched {
    /// The key's names in the policy.
    pub names: Vec<String>,
    /// The key's id.
    pub key_id: String,
    /// Whether it counts, under each of its names.
    pub counts: bool,
    /// For what.
    pub reproduction: Reproduction,
}

/// Who of the policy vouches by this text for what the lock says, each key once.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn check(text: &str, expected: &Expectation<'_>) -> Result<Vec<Vouched>, Flaw> {
    let envelope = Envelope::from_text(text)?;
    // Statements of other kinds stand beside ours, by whatever keys; they decide nothing.
    if let Ok(statement) = Statement::from_payload(&envelope.payload)
        && statement.predicate_type != reproduction::TYPE
    {
        return Err(Flaw::Predicate {
            found: statement.predicate_type,
        });
    }
    let signers = envelope.signers(expected.keys.values().map(|allowed| &allowed.key));
    if signers.is_empty() {
        return Err(not_signed(&envelope, expected.keys));
    }
    let statement = Statement::from_payload(&envelope.payload)?;
    let reproduction = Reproduction::from_statement(&statement)?;
    hold(&statement.subject, &reproduction, expected)?;
    let vouched = |key: &PublicKey| {
        let of_key = || expected.keys.iter().filter(|(_, allowed)| allowed.key == *key);
        Vouched {
            names: of_key().map(|(name, _)| name.clone()).collect(),
            key_id: key.id(),
            counts: of_key().all(|(_, allowed)| allowed.counts),
            reproduction: reproduction.clone(),
        }
    };
    Ok(signers.into_iter().map(vouched).collect())
}

/// The outcome that a training on a platform class reproduces: the one of that class, and on a class that the
/// lock does not know the one that it was recorded with.
#[must_use]
pub fn expected_outcome<'a>(lock: &'a Lockfile, platform: &Platform) -> &'a Outcome {
    lock.expected(platform).unwrap_or(&lock.outcome)
}

/// Why there is no valid signature, as far as the hints in the envelope tell.
fn not_signed(envelope: &Envelope, keys: &BTreeMap<String, AllowedKey>) -> Flaw {
    let key_ids: Vec<String> = envelope.signatures.iter().filter_map(|signature| signature.keyid.clone()).collect();
    let named = keys.iter().filter(|(_, allowed)| key_ids.contains(&allowed.key.id()));
    let names: Vec<String> = named.map(|(name, _)| name.clone()).collect();
    if names.is_empty() {
        Flaw::NoAllowedKey { key_ids }
    } else {
        Flaw::WrongSignature { names }
    }
}

/// Holds what was signed against what is expected.
fn hold(subject: &[Subject], reproduction: &Reproduction, expected: &Expectation<'_>) -> Result<(), Flaw> {
    if reproduction.lock != expected.id {
        return Err(Flaw::OtherLock {
            found: reproduction.lock,
            wanted: expected.id,
        });
    }
    if reproduction.verdict != Word::Reproduced.text() {
        return Err(Flaw::Verdict {
            found: reproduction.verdict.clone(),
        });
    }
    let outcome = expected_outcome(expected.lock, &reproduction.platform);
    hold_subjects(subject, &reproduction::subjects(expected.lock, outcome, expected.lock_file))?;
    hold_time(reproduction.finished, expected.now, expected.max_age)
}

/// The order of subjects means nothing.
fn hold_subjects(found: &[Subject], wanted: &[Subject]) -> Result<(), Flaw> {
    let found: BTreeMap<&str, &Subject> = found.iter().map(|one| (one.name.as_str(), one)).collect();
    for wanted in wanted {
        let Subject { name, digest, left_out } = wanted;
        match found.get(name.as_str()) {
            None => return Err(Flaw::SubjectMissing { name: name.clone() }),
            Some(found) if found.left_out != *left_out => return Err(Flaw::SubjectPart { name: name.clone() }),
            Some(found) if found.digest != *digest => {
                return Err(Flaw::SubjectDiffers {
                    name: name.clone(),
                    found: found.digest,
                    wanted: *digest,
                });
            }
            Some(_) => {}
        }
    }
    let unknown = found.keys().find(|name| wanted.iter().all(|one| one.name != **name));
    match unknown {
        Some(name) => Err(Flaw::SubjectUnknown {
            name: (*name).to_owned(),
        }),
        None => Ok(()),
    }
}

fn hold_time(finished: i64, now: i64, max_age: Option<Duration>) -> Result<(), Flaw> {
    if finished > now.saturating_add(SKEW) {
        return Err(Flaw::Future { finished, now });
    }
    let age = u64::try_from(now.saturating_sub(finished)).unwrap_or(0);
    match max_age {
        Some(max_age) if Duration::from_secs(age) > max_age => Err(Flaw::Expired { finished, max_age, now }),
        _ => Ok(()),
    }
}
