//! `[gate]`: which tags are releases, and what a tag must have to be one. Whether a tag has it is
//! [`crate::release::gate`]'s to say.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use super::origin::Origin;
use crate::error::Result;
use crate::release::attestation::{AllowedKey, PublicKey};

/// What makes a tag a release.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gate {
    /// Patterns of the tags that hooks ask about; empty: none.
    pub tags: Vec<String>,
    /// Who may sign a tag; empty: a tag need not be signed.
    pub signers: Vec<Signer>,
    /// How many trainings a lock must stand on.
    pub confirmed: u32,
    /// What the tag is called, with `{version}` for the package's version.
    pub version: Option<String>,
    /// Artifacts that may have the very bytes of an input.
    pub allow_copied: Vec<String>,
    /// How many keys must have signed that the lock was reproduced.
    pub require: u32,
    /// Whether each of these must be of another platform class.
    pub distinct_classes: bool,
    /// When such a statement is too old.
    pub max_age: Option<Duration>,
    /// The keys that may, by name.
    pub keys: BTreeMap<String, AllowedKey>,
}

/// Who may sign a tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signer {
    /// A line of an OpenSSH allowed signers file (`ssh-keygen(1)`): the name, the type, the key.
    Ssh(String),
    /// The fingerprint of an OpenPGP key, in upper case.
    OpenPgp(String),
}

/// What a version stands for in `version`.
pub const VERSION: &str = "{version}";

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct GateText {
    tags: Option<Spanned<toml::Value>>,
    #[serde(default)]
    signers: Vec<Spanned<String>>,
    confirmed: Option<Spanned<i64>>,
    version: Option<Spanned<String>>,
    require: Option<Spanned<i64>>,
    #[serde(default, rename = "allow_copied", alias = "allow-copied")]
    allow_copied: Vec<String>,
    #[serde(default)]
    distinct_classes: bool,
    max_age: Option<Spanned<String>>,
    #[serde(default)]
    keys: BTreeMap<Spanned<String>, Spanned<toml::Value>>,
}

/// Checks the table.
pub(super) fn gate(origin: &Origin<'_>, text: Option<GateText>) -> Result<Gate> {
    let Some(text) = text else {
        return Ok(Gate {
            confirmed: 1,
            ..Gate::default()
        });
    };
    let gate = Gate {
        tags: text
            .tags
            .as_ref()
            .map_or_else(|| Ok(vec!["*".to_owned()]), |tags| patterns(origin, tags))?,
        signers: text.signers.iter().map(|line| signer(origin, line)).collect::<Result<_>>()?,
        confirmed: text.confirmed.as_ref().map_or(Ok(1), |number| count(origin, number, 1))?,
        version: text.version.as_ref().map(|template| version(origin, template)).transpose()?,
        require: text.require.as_ref().map_or(Ok(0), |number| count(origin, number, 0))?,
        allow_copied: text.allow_copied,
        distinct_classes: text.distinct_classes,
        max_age: text.max_age.as_ref().map(|age| duration(origin, age)).transpose()?,
        keys: text
            .keys
            .into_iter()
            .map(|(name, key)| allowed(origin, name, key))
            .collect::<Result<_>>()?,
    };
    // Else no release could ever be.
    let counting: std::collections::BTreeSet<String> =
        gate.keys.values().filter(|key| key.counts).map(|key| key.key.id()).collect();
    if let Some(require) = &text.require
        && counting.len() < gate.require as usize
    {
        let what = format!(
            "more attestations are required ({}) than there are keys that count ({})",
            gate.require,
            counting.len()
        );
        return Err(origin.at(require, what, "a release could never have so many"));
    }
    Ok(gate)
}

fn patterns(origin: &Origin<'_>, tags: &Spanned<toml::Value>) -> Result<Vec<String>> {
    let wrong =
        || origin.at(tags, "this is no pattern of tags", "expected a pattern such as \"v*\", or a list of these");
    let list = match tags.get_ref() {
        toml::Value::String(one) => vec![one.clone()],
        toml::Value::Array(many) => {
            let texts = many.iter().map(|value| value.as_str().map(str::to_owned));
            texts.collect::<Option<Vec<_>>>().ok_or_else(wrong)?
        }
        _ => return Err(wrong()),
    };
    for pattern in &list {
        if pattern.is_empty() || glob::Pattern::new(pattern).is_err() {
            return Err(wrong());
        }
    }
    Ok(list)
}

fn signer(origin: &Origin<'_>, line: &Spanned<String>) -> Result<Signer> {
    let text = line.get_ref();
    if let Some(fingerprint) = text.strip_prefix("gpg:") {
        let is_whole =
            [40, 64].contains(&fingerprint.len()) && fingerprint.bytes().all(|byte| byte.is_ascii_hexdigit());
        return if is_whole {
            Ok(Signer::OpenPgp(fingerprint.to_ascii_uppercase()))
        } else {
            Err(origin.at(line, "this is no whole fingerprint of an OpenPGP key", "expected 40 or 64 hex digits"))
        };
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    let is_key = |kind: &str| {
        ["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-"]
            .iter()
            .any(|start| kind.starts_with(start))
    };
    match words.as_slice() {
        // Without options: `cert-authority` and its like would let in keys that do not stand here.
        [name, kind, key, ..] if is_key(kind) && !name.starts_with('#') && !text.contains(['\n', '\r']) => {
            Ok(Signer::Ssh(format!("{name} {kind} {key}")))
        }
        _ => Err(origin.at(
            line,
            "this is nobody who could sign a tag",
            "expected `NAME ssh-ed25519 AAAA…` or `gpg:FINGERPRINT`",
        )),
    }
}

fn count(origin: &Origin<'_>, number: &Spanned<i64>, least: u32) -> Result<u32> {
    let found = u32::try_from(*number.get_ref()).ok().filter(|found| *found >= least);
    found.ok_or_else(|| origin.at(number, "this is no number of times", &format!("must be {least} or more")))
}

fn version(origin: &Origin<'_>, template: &Spanned<String>) -> Result<String> {
    if template.get_ref().matches(VERSION).count() == 1 {
        Ok(template.get_ref().clone())
    } else {
        Err(origin.at(template, "this does not say where the version stands", "expected a text such as \"v{version}\""))
    }
}

fn duration(origin: &Origin<'_>, age: &Spanned<String>) -> Result<Duration> {
    humantime::parse_duration(age.get_ref())
        .ok()
        .filter(|age| !age.is_zero())
        .ok_or_else(|| origin.at(age, "this is no length of time", "expected one such as \"30d\" or \"12h\""))
}

/// A key alone, or a table with it and whether it counts.
fn allowed(origin: &Origin<'_>, name: Spanned<String>, value: Spanned<toml::Value>) -> Result<(String, AllowedKey)> {
    let wrong = |key: &str, what: String, label: &str| {
        let inner = origin.span_of(&["gate", "keys", name.get_ref(), key]);
        origin.error(inner.unwrap_or(value.span()), what, label)
    };
    let (text, counts) = match value.get_ref() {
        toml::Value::Table(table) => {
            if let Some(unknown) = table.keys().find(|key| !["key", "counts"].contains(&key.as_str())) {
                let what = format!("unknown key `{unknown}`; an entry of [gate.keys] has `key` and `counts`");
                return Err(wrong(unknown, what, "means nothing"));
            }
            let counts = match table.get("counts") {
                None => true,
                Some(toml::Value::Boolean(counts)) => *counts,
                Some(_) => {
                    return Err(wrong("counts", "this is neither yes nor no".to_owned(), "expected true or false"));
                }
            };
            (table.get("key").and_then(toml::Value::as_str), counts)
        }
        value => (value.as_str(), true),
    };
    let key = text.and_then(PublicKey::from_text).ok_or_else(|| {
        let label = "expected an ECDSA P-256 public key, as `cargo repro key show` prints it";
        wrong("key", format!("the key of {} cannot be read", name.get_ref()), label)
    })?;
    Ok((name.into_inner(), AllowedKey { key, counts }))
}

impl Gate {
    /// Whether a tag of this name is a release.
    #[must_use]
    pub fn names(&self, tag: &str) -> bool {
        let options = glob::MatchOptions {
            require_literal_separator: false,
            ..glob::MatchOptions::default()
        };
        let matches =
            |pattern: &String| glob::Pattern::new(pattern).is_ok_and(|pattern| pattern.matches_with(tag, options));
        self.tags.iter().any(matches)
    }
}
