//! The collect phase: what the stages left, digested. An output that is missing is for the caller to
//! judge: an error when recording, a divergence when verifying.

use std::collections::BTreeMap;
use std::path::Path;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::build::Built;
use super::checkout::Checkout;
use super::ledger::Ledger;
use super::staging::Staged;
use super::workdir::Workdir;
use crate::beneath::{Beneath, There};
use crate::bounded;
use crate::digest::Digest;
use crate::error::{Error, IoContext as _, Phase, Result};
use crate::manifest::{Manifest, Program, Stage};
use crate::outcome::{Artifact, Metric, Outcome, StageOutcome};
use crate::tally::Tally;

/// The outcome of a finished run; `directory` is the package's in the checkout.
///
/// # Errors
/// When an output is no plain file, or the metrics or the ledger cannot be read.
pub fn collect(
    manifest: &Manifest,
    workdir: &Workdir,
    directory: &Path,
    checkout: &Checkout,
    staged: &Staged,
    built: &Built,
) -> Result<Outcome> {
    let mut outcome = Outcome::new();
    for (name, stage) in &manifest.stages {
        let collected = stage_outcome(name, stage, workdir, directory, built);
        outcome.insert(name.clone(), collected.map_err(|error| error.phase(Phase::Collect).of_stage(name))?);
    }
    // Which stage wrote a stray file cannot be seen; the last one answers for all.
    let undeclared = undeclared(manifest, directory, checkout, staged)?;
    if let Some(last) = manifest.stage_order().last().and_then(|name| outcome.get_mut(*name)) {
        last.undeclared = undeclared;
    }
    Ok(outcome)
}

fn stage_outcome(
    name: &str,
    stage: &Stage,
    workdir: &Workdir,
    directory: &Path,
    built: &Built,
) -> Result<StageOutcome> {
    let ledger = Ledger::read(&workdir.ledger(name))?;
    let mut artifacts = BTreeMap::new();
    let here = Beneath::open(directory).at("open", directory)?;
    for path in stage.artifacts.iter().chain(&stage.metrics) {
        if let Some(artifact) = artifact(&here, directory, path)? {
            artifacts.insert(path.clone(), artifact);
        }
    }
    let mut metrics = ledger.metrics;
    if let Some(path) = &stage.metrics {
        let place = directory.join(path);
        // It is a plain file then, and no link led to it.
        if artifacts.contains_key(path) {
            for (name, metric) in metrics_file(&place, path)? {
                if metrics.insert(name.clone(), metric).is_some() {
                    return Err(Error::training(format!("the metric {name} is in {path} and in the ledger"))
                        .hint("report it in one way"));
                }
            }
        }
    }
    let binary = match &stage.program {
        Program::Bin(bin) => Some(Digest::of_file(&built.programs[bin])?.0),
        Program::Command(_) => None,
    };
    Ok(StageOutcome {
        binary,
        undeclared: Vec::new(),
        reads: BTreeMap::new(),
        streams: ledger.streams,
        artifacts,
        metrics,
        checkpoints: ledger.checkpoints,
    })
}

/// An output below the directory; none where there is nothing.
fn artifact(here: &Beneath, directory: &Path, name: &str) -> Result<Option<Artifact>> {
    let place = directory.join(name);
    let refuse = |what: String| {
        Err(Error::training(format!("the output {name} {what}; an output is a plain file"))
            .hint("declare the files themselves in `artifacts`"))
    };
    match here.look(Path::new(name)).at("look at", &place)? {
        There::Nothing => Ok(None),
        There::File(mut file) => {
            let (digest, bytes) = Digest::of_open(&mut file, &place, &Tally::default())?;
            Ok(Some(Artifact { digest, bytes }))
        }
        There::Other(what) => refuse(format!("is {what}")),
        There::Blocked(at, what) => refuse(format!("lies behind {}, which is {what}", at.display())),
    }
}

/// A JSON object of numbers. JSON has no NaN and no infinities; writers turn them into `null`, which
/// could be any of them, so it is refused; as text they are exact.
fn metrics_file(place: &Path, name: &str) -> Result<BTreeMap<String, Metric>> {
    let refuse = |why: String| {
        Error::training(format!("the metrics file {name} {why}"))
            .hint("it is a JSON object of numbers, such as {\"accuracy\": 0.94}")
    };
    let bytes = bounded::bytes(place, bounded::GENERATED).at("read", place)?;
    let object: Entries =
        serde_json::from_slice(&bytes).map_err(|error| refuse(format!("is not a JSON object: {error}")))?;
    object
        .0
        .into_iter()
        .map(|(metric, value)| {
            if metric.is_empty() {
                return Err(refuse("has a metric without a name".to_owned()));
            }
            let number = match &value {
                serde_json::Value::Number(number) => number.as_f64(),
                serde_json::Value::String(text) => match text.as_str() {
                    "NaN" => Some(f64::NAN),
                    "inf" | "Infinity" => Some(f64::INFINITY),
                    "-inf" | "-Infinity" => Some(f64::NEG_INFINITY),
                    _ => None,
                },
                serde_json::Value::Null => {
                    return Err(refuse(format!(
                        "has null for {metric}: it was NaN or infinite, and which cannot be seen any more"
                    ))
                    .hint("write such a value as text: \"NaN\", \"inf\" or \"-inf\""));
                }
                _ => None,
            };
            match number {
                Some(number) => Ok((metric, Metric::new(number))),
                None => Err(refuse(format!("has something other than a number for {metric}"))),
            }
        })
        .collect()
}

/// The entries of a JSON object, where a second one of the same name is an error and does not replace
/// the first without a word.
struct Entries(BTreeMap<String, serde_json::Value>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Entries;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object of numbers")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
                let mut entries = BTreeMap::new();
                while let Some((name, value)) = map.next_entry::<String, _>()? {
                    if entries.insert(name.clone(), value).is_some() {
                        return Err(A::Error::custom(format!("`{name}` comes twice")));
                    }
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(Each)
    }
}

/// Names of files that a run wrote and nobody declared, relative to the package.
fn undeclared(manifest: &Manifest, directory: &Path, checkout: &Checkout, staged: &Staged) -> Result<Vec<String>> {
    let declared = |path: &Path| manifest.outputs().any(|output| directory.join(output) == path);
    let strangers = checkout.strangers(checkout.root())?.into_iter();
    let names = strangers
        .filter(|path| !staged.holds(path) && !declared(path))
        .map(|path| crate::snapshot::source::relative(directory, &path));
    names.collect()
}
