//! `repro.toml`: what the user intends. This file gives the resolved types; how the text becomes them,
//! and how a mistake is shown at its line, is in `parse.rs` and the files beside it.

mod absent;
mod data;
mod gate;
pub mod merge;
mod names;
mod origin;
mod outputs;
mod overridden;
mod parse;
mod placeholder;
mod stages;
mod written;

pub use data::{Declared, Extent, Tables};
pub use gate::{Gate, Signer, VERSION as VERSION_PLACE};
pub use overridden::{Overridden, Override};
pub(crate) use placeholder::fill;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::os::bounded;
use crate::snapshot::params::Param;
use crate::snapshot::seed::Seed;
use crate::snapshot::source;

/// The manifest's file name, beside the package's Cargo.toml.
pub const FILE: &str = "repro.toml";

/// The version of the format that this tool reads.
pub const VERSION: i64 = 1;

/// The manifest, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// The one seed that every stream derives from.
    pub seed: Seed,
    /// Parameters by name.
    pub params: BTreeMap<String, Param>,
    /// Declared data by name.
    pub data: BTreeMap<String, Declared>,
    /// Stages by name.
    pub stages: BTreeMap<String, Stage>,
    /// How the program is compiled.
    pub build: Build,
    /// What the program sees of the environment.
    pub environment: Environment,
    /// Which sources of nondeterminism are replaced.
    pub determinism: Determinism,
    /// What becomes of a stage that reaches for what is not declared.
    pub isolation: Isolation,
    /// What makes a tag a release.
    pub gate: Gate,
    /// What of it the command line replaced.
    pub overridden: Overridden,
}

/// One command of the pipeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// What is run.
    pub program: Program,
    /// Arguments, with `{seed}` and `{param}` not yet filled in.
    pub args: Vec<String>,
    /// Names of the declared data that it reads.
    pub data: Vec<String>,
    /// Names of the stages that must come before it.
    pub needs: Vec<String>,
    /// Files that it writes, relative to the package.
    pub artifacts: Vec<String>,
    /// A JSON file of figures that it writes, relative to the package.
    pub metrics: Option<String>,
    /// The file that its standard output goes to, an artifact like any other.
    pub stdout: Option<String>,
    /// What of its artifacts is not compared: JSON pointers, by path.
    pub ignore: BTreeMap<String, Vec<String>>,
    /// Metrics that are not compared.
    pub ignore_metrics: Vec<String>,
    /// Globs of files that it may write and that are no outcome.
    pub scratch: Vec<String>,
    /// When it counts as hanging.
    pub timeout: Option<Duration>,
}

impl Stage {
    /// Every file that it declares as its output.
    pub fn outputs(&self) -> impl Iterator<Item = &String> + Clone {
        self.artifacts.iter().chain(&self.metrics).chain(&self.stdout)
    }
}

/// What a stage runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Program {
    /// A binary or an example of the package, by its name.
    Bin(String),
    /// Any program: its name or path, and its first arguments.
    Command(Vec<String>),
}

/// How the program is compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Build {
    /// The cargo profile.
    pub profile: String,
    /// Features to enable.
    pub features: Vec<String>,
    /// Whether the package's default features are on.
    pub default_features: bool,
}

impl Build {
    /// All of it in a line, for whoever keeps something by it.
    #[must_use]
    pub fn key(&self) -> String {
        let default = if self.default_features { "default" } else { "" };
        format!("profile {}, features {default} {}", self.profile, self.features.join(" "))
    }
}

/// What the program sees of the environment, beside the fixed minimum.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// Variables with their values.
    pub set: BTreeMap<String, String>,
    /// Variables whose value is the caller's, and is recorded.
    pub pass: Vec<String>,
}

/// Which sources of nondeterminism are replaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Determinism {
    /// Where entropy comes from.
    pub entropy: Entropy,
    /// Where the date comes from.
    pub clock: Clock,
}

/// Where entropy comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Entropy {
    /// The operating system.
    #[default]
    System,
    /// The seed: `HashMap` keys, `getrandom`, `/dev/urandom`, and all that draws on these.
    Seeded,
}

/// Where the date comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Clock {
    /// The operating system.
    #[default]
    System,
    /// It stands still at the recorded commit's.
    Frozen,
}

/// What becomes of a stage that reaches for what is not declared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Isolation {
    /// Files beside the declared data.
    pub reads: Policy,
    /// The network.
    pub network: Policy,
}

/// How that is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Policy {
    /// It is not there, and nothing is recorded of a run that wanted it.
    #[default]
    Deny,
    /// It is there, and every verdict says that it was used.
    Warn,
}

impl Entropy {
    /// As the manifest writes it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Seeded => "seeded",
        }
    }
}

impl Clock {
    /// As the manifest writes it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Frozen => "frozen",
        }
    }
}

impl Policy {
    /// As the manifest writes it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Deny => "deny",
            Self::Warn => "warn",
        }
    }
}

impl Manifest {
    /// Reads and checks the manifest of the package in `directory`.
    ///
    /// # Errors
    /// When there is none, or it says something that it may not; the error shows the line.
    pub fn read(directory: &Path) -> Result<Self> {
        let path = directory.join(FILE);
        let text = match bounded::bytes(&path, bounded::WRITTEN) {
            Ok(bytes) => String::from_utf8(bytes)
                .map_err(|_| Error::new(format!("{} is not UTF-8", path.display())).hint("save it as UTF-8"))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(absent::absent(directory));
            }
            Err(error) => return Err(Error::io("read", &path, &error)),
        };
        Self::from_text(&text, FILE)
    }

    /// Checks the manifest's text; `origin` names it in errors.
    ///
    /// # Errors
    /// When it says something that it may not; the error shows the line.
    pub fn from_text(text: &str, origin: &str) -> Result<Self> {
        parse::manifest(text, origin)
    }

    /// The paths and globs of all declared data, relative to the package.
    pub fn data_paths(&self) -> impl Iterator<Item = &String> + Clone {
        self.data.values().flat_map(|declared| &declared.paths)
    }

    /// The names of the stages in the order in which they run: a stage after all that it needs, and
    /// otherwise by name.
    #[must_use]
    pub fn stage_order(&self) -> Vec<&str> {
        let mut order: Vec<&str> = Vec::new();
        while order.len() < self.stages.len() {
            let ready = self.stages.iter().find(|(name, stage)| {
                !order.contains(&name.as_str()) && stage.needs.iter().all(|need| order.contains(&need.as_str()))
            });
            let (name, _) = ready.expect("parse refuses cycles and unknown names in `needs`");
            order.push(name);
        }
        order
    }

    /// Every file that some stage declares as its output.
    pub fn outputs(&self) -> impl Iterator<Item = &String> {
        self.stages.values().flat_map(Stage::outputs)
    }

    /// The stages whose outputs a stage finds: those that it needs, and those that these need.
    #[must_use]
    pub fn needed_by(&self, stage: &str) -> BTreeSet<&str> {
        let needs = |name: &str| self.stages.get(name).into_iter().flat_map(|stage| &stage.needs).map(String::as_str);
        let mut needed = BTreeSet::new();
        let mut open: Vec<&str> = needs(stage).collect();
        while let Some(name) = open.pop() {
            if needed.insert(name) {
                open.extend(needs(name));
            }
        }
        needed
    }

    /// The binaries and examples to build, each once.
    #[must_use]
    pub fn binaries(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self
            .stages
            .values()
            .filter_map(|stage| match &stage.program {
                Program::Bin(name) => Some(name.as_str()),
                Program::Command(_) => None,
            })
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Whether some stage may write this path of the package without its being an outcome.
    #[must_use]
    pub fn is_scratch(&self, path: &str) -> bool {
        let globs = self.stages.values().flat_map(|stage| &stage.scratch);
        globs.into_iter().any(|glob| written::is_scratch(glob, path))
    }

    /// Whether a path of the package is the lock, an output, declared data, or an attestation: things that
    /// are judged by themselves and so are no source.
    #[must_use]
    pub fn is_apart(&self, path: &str) -> bool {
        // No run sees a lock, be it that of a package within this one.
        Path::new(path).ends_with(crate::lockfile::FILE)
            || path == FILE
            || path == "Cargo.lock"
            || path.starts_with(crate::release::gate::DIRECTORY)
            || self.outputs().any(|output| output == path)
            || self.data_paths().any(|data| is_declared(data, path))
    }

    /// The same for a path from the top of the repository, with the package in this directory of it; and the locks
    /// of other packages, since no run depends on a lock.
    #[must_use]
    pub fn is_apart_in(&self, package: &str, path: &str) -> bool {
        let inner = source::inner(package, path);
        path.rsplit('/').next() == Some(crate::lockfile::FILE) || inner.is_some_and(|inner| self.is_apart(inner))
    }

    /// Whether some stage runs a program that cargo does not build.
    #[must_use]
    pub fn runs_commands(&self) -> bool {
        self.stages.values().any(|stage| matches!(stage.program, Program::Command(_)))
    }
}

/// Whether a path of the package is, or lies in, what a declared path or glob means.
pub(crate) fn is_declared(data: &str, path: &str) -> bool {
    let whole = data.trim_end_matches('/');
    path == whole
        || Path::new(path).starts_with(whole)
        || glob::Pattern::new(data).is_ok_and(|pattern| pattern.matches(path))
}
