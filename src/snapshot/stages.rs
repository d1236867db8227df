//! The pipeline as the manifest declares it, as far as it can change an outcome. A timeout cannot.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::project::manifest::{self, Program};

/// One stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// The binary or example of the package …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bin: Option<String>,
    /// … or the program with its first arguments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// Arguments, as written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<String>,
    /// The declared data that it reads.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub data: Vec<String>,
    /// The stages before it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<String>,
    /// The files that it writes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub artifacts: Vec<String>,
    /// Its metrics file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics: Option<String>,
    /// The file that its standard output goes to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdout: Option<String>,
    /// Metrics that are not compared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignore_metrics: Vec<String>,
    /// Files that it may write and that are no outcome.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scratch: Vec<String>,
    /// What of its artifacts is not compared: JSON pointers, by path.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub ignore: BTreeMap<String, Vec<String>>,
}

impl From<&manifest::Stage> for Stage {
    fn from(declared: &manifest::Stage) -> Self {
        let (bin, command) = match &declared.program {
            Program::Bin(name) => (Some(name.clone()), Vec::new()),
            Program::Command(command) => (None, command.clone()),
        };
        Self {
            bin,
            command,
            args: declared.args.clone(),
            data: declared.data.clone(),
            needs: declared.needs.clone(),
            artifacts: declared.artifacts.clone(),
            metrics: declared.metrics.clone(),
            stdout: declared.stdout.clone(),
            ignore_metrics: declared.ignore_metrics.clone(),
            scratch: declared.scratch.clone(),
            ignore: declared.ignore.clone(),
        }
    }
}
