//! An outcome in small parts: each number of a JSON file for itself. Where trainings differ whatever is frozen,
//! the parts that stay the same still tell whether another source changes them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::outcome::Outcome;

/// Where a part stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Part {
    /// The stage.
    pub stage: String,
    /// The artifact, metric, checkpoint or stream.
    pub output: String,
    /// Where in it (JSON pointer), or nothing.
    pointer: String,
}

impl Part {
    /// Whether it is the length of a list, which says little.
    #[must_use]
    pub fn is_length(&self) -> bool {
        self.pointer.ends_with("/#")
    }
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", self.output, self.pointer)
    }
}

/// What stands there.
pub type Parts = BTreeMap<Part, String>;

/// Files beyond this are one part.
const LARGEST: usize = 1 << 20;

/// The parts of an outcome; `read` gives an artifact's bytes.
pub fn of(outcome: &Outcome, read: impl Fn(&str) -> Option<Vec<u8>>) -> Parts {
    let mut parts = Parts::new();
    for (stage, outcome) in outcome {
        let part = |output: &str, pointer: String| Part {
            stage: stage.clone(),
            output: output.to_owned(),
            pointer,
        };
        for (path, artifact) in &outcome.artifacts {
            let json = read(path)
                .filter(|bytes| bytes.len() <= LARGEST)
                .and_then(|bytes| serde_json::from_slice(&bytes).ok());
            let Some(json) = json else {
                parts.insert(part(path, String::new()), artifact.digest.to_string());
                continue;
            };
            leaves(&json, String::new(), &mut |pointer, text| drop(parts.insert(part(path, pointer), text)));
        }
        let metrics = outcome
            .metrics
            .iter()
            .map(|(name, metric)| (name.clone(), format!("{} {}", metric.shown(), metric.bits)));
        let streams = outcome.streams.iter().map(|(name, words)| (name.clone(), words.to_string()));
        let undeclared = outcome.undeclared.iter().map(|name| (name.clone(), String::new()));
        parts.extend(
            metrics
                .chain(streams)
                .chain(undeclared)
                .map(|(name, text)| (part(&name, String::new()), text)),
        );
        let checkpoints = outcome.checkpoints.iter().enumerate();
        parts.extend(checkpoints.map(|(at, point)| (part(&point.name, at.to_string()), point.digest.to_string())));
    }
    parts
}

fn leaves(value: &Value, at: String, found: &mut impl FnMut(String, String)) {
    match value {
        Value::Object(entries) => entries.iter().for_each(|(key, value)| leaves(value, format!("{at}/{key}"), found)),
        Value::Array(items) => {
            found(format!("{at}/#"), items.len().to_string());
            items
                .iter()
                .enumerate()
                .for_each(|(index, item)| leaves(item, format!("{at}/{index}"), found));
        }
        leaf => found(at, leaf.to_string()),
    }
}

/// The parts in which two outcomes differ.
#[must_use]
pub fn differing(one: &Parts, other: &Parts) -> BTreeSet<Part> {
    let all: BTreeSet<&Part> = one.keys().chain(other.keys()).collect();
    all.into_iter().filter(|part| one.get(*part) != other.get(*part)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::outcome::{Artifact, Metric, StageOutcome};

    fn parts(model: &str, loss: f64) -> Parts {
        let mut stage = StageOutcome::default();
        let artifact = Artifact {
            digest: Digest::of(model),
            bytes: 0,
        };
        stage.artifacts.insert("model.json".to_owned(), artifact);
        stage.metrics.insert("loss".to_owned(), Metric::new(loss));
        of(&Outcome::from([("train".to_owned(), stage)]), |_| Some(model.into()))
    }

    fn names(one: &Parts, other: &Parts) -> Vec<String> {
        differing(one, other)
            .into_iter()
            .map(|part| format!("{}{}", part.output, part.pointer))
            .collect()
    }

    #[test]
    fn each_number_of_a_model_is_a_part() {
        let one = parts(r#"{"a":[1,2],"b":3}"#, 0.5);
        assert_eq!(names(&one, &parts(r#"{"a":[1,9],"b":3}"#, 0.5)), ["model.json/a/1"]);
        assert_eq!(names(&one, &parts(r#"{"a":[1],"b":3}"#, 0.25)), ["loss", "model.json/a/#", "model.json/a/1"]);
        assert!(names(&one, &one).is_empty());
    }

    #[test]
    fn what_is_no_json_is_one_part() {
        assert_eq!(names(&parts("x", 0.5), &parts("y", 0.5)), ["model.json"]);
    }
}
