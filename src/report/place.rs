//! Where a person would look for a difference: a file of the repository, and the line if it can be told.
//! Pure: the texts were read by whoever asks.

mod lines;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub use lines::{Keys, first_difference};

use crate::cause::Cause;
use crate::compare::divergence::Output;
use crate::compare::drift::{Change, DataChange, FileChange};
use crate::compare::table::{Located, TableChange};
use crate::compare::{Divergence, Drift};
use crate::error::Error;
use crate::lockfile::{self, Read};
use crate::project::manifest;
use crate::release::gate::refusal::{CommitFault, Refusal, TagFault};
use crate::trace::Site;

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file, from the top of the repository, with slashes.
    pub path: String,
    /// The line, counted from 1.
    pub line: Option<u32>,
}

/// The texts that lines are looked for in; one that is not there is empty.
#[derive(Clone, Debug, Default)]
pub struct Texts {
    /// The package's directory from the top of the repository, empty if it is the top.
    pub prefix: String,
    /// The workspace's directory from the top, with `Cargo.lock`.
    pub workspace: String,
    /// `repro.toml`.
    pub manifest: Keys,
    /// `repro.lock`.
    pub lock: Keys,
    /// `Cargo.toml` of the package.
    pub package: Keys,
    /// `Cargo.toml` of the workspace, which may be the same.
    pub workspace_package: Keys,
    /// `Cargo.lock`.
    pub packages: String,
    /// `rust-toolchain.toml` or `rust-toolchain`: its path from the top, and its keys.
    pub toolchain: Option<(String, Keys)>,
    /// Source files of the package, by their path from the top.
    pub sources: BTreeMap<String, String>,
    /// The first changed line of sources that are not as locked, by their path from the top.
    pub changed: BTreeMap<String, u32>,
    /// Declared files of text that changed, by their path from the package.
    pub data: BTreeMap<String, String>,
}

const PACKAGE: &str = "Cargo.toml";
const PACKAGES: &str = "Cargo.lock";

impl Texts {
    /// A path of the package, from the top of the repository; none if it leads out of that.
    fn path(&self, path: &str) -> Option<String> {
        joined(&self.prefix, path)
    }

    fn at(&self, file: &str, line: Option<u32>) -> Option<Place> {
        let path = self.path(file)?;
        Some(Place { path, line })
    }

    /// A line of the manifest: of the first of these keys that it has.
    fn in_manifest(&self, keys: &[&[&str]]) -> Option<Place> {
        let line = keys.iter().find_map(|keys| self.manifest.line(keys));
        self.at(manifest::FILE, line)
    }

    /// A line of the lock.
    fn in_lock(&self, keys: &[&str]) -> Option<Place> {
        self.at(lockfile::FILE, self.lock.line(keys))
    }

    fn in_packages(&self, name: &str, version: Option<&str>) -> Option<Place> {
        let path = joined(&self.workspace, PACKAGES)?;
        let line = lines::of_package(&self.packages, name, version);
        Some(Place { path, line })
    }

    /// Where an input is declared, or lies.
    #[must_use]
    pub fn of_drift(&self, drift: &Drift) -> Option<Place> {
        match drift {
            Drift::LockEdited { .. } => self.at(lockfile::FILE, self.lock.line(&["id"])),
            Drift::Manifest(change) => self.of_manifest(&change.name),
            Drift::Toolchain(_) => match &self.toolchain {
                Some((path, keys)) => Some(Place {
                    path: path.clone(),
                    line: keys.line(&["toolchain", "channel"]).or(Some(1)),
                }),
                None => self.in_lock(&["toolchain"]),
            },
            Drift::Dependency { locked, found } => {
                let package = found.as_ref().or(locked.as_ref())?;
                self.in_packages(&package.name, found.as_ref().map(|package| package.version.as_str()))
            }
            Drift::DependencyGraph { .. } => self.in_packages("", None),
            Drift::DependencyTampered(tampered) => {
                let (name, version) = tampered.package.split_once(' ').unwrap_or((&tampered.package, ""));
                self.in_packages(name, Some(version))
            }
            Drift::Source(Change { name, .. }) => self.of_source(name),
            Drift::SourceName(name) => inside(&name.path),
            Drift::SourceDirty(dirty) => self.of_source(&dirty.path),
            Drift::Build(Change { name, .. }) | Drift::AmbientBuild { setting: name } => self.of_build(name),
            Drift::Seed { .. } => self.in_manifest(&[&["seed"]]),
            Drift::Param { name, .. } => self.in_manifest(&[&["params", name], &["params"]]),
            Drift::DataChanged(change) => self.of_data(change),
            Drift::DataMissing { name, .. } => self.in_manifest(&[&["data", name]]),
            Drift::DataAdded { path, .. } => self.at(path, None),
            Drift::Environment { name, .. } => self.in_manifest(&[
                &["environment", "set", name],
                &["environment", "pass"],
                &["environment"],
            ]),
            Drift::Platform(_) => self.in_lock(&["platform"]),
            Drift::TagMoved { .. } => self.in_lock(&["source", "tag"]),
            Drift::ArtifactTampered { path, .. } => self.at(path, None),
        }
    }

    fn of_source(&self, path: &str) -> Option<Place> {
        let line = self.changed.get(path).copied();
        inside(path).map(|place| Place { line, ..place })
    }

    /// A name of the comparison such as `stage.train.args`; the nearest key that there is.
    fn of_manifest(&self, name: &str) -> Option<Place> {
        let keys: Vec<&str> = name.split('.').collect();
        let line = (1..=keys.len()).rev().find_map(|length| self.manifest.line(&keys[..length]));
        self.at(manifest::FILE, line)
    }

    /// A setting as the comparison names it: `profile.release.lto`, `features`, or `FILE: KEY` of cargo's
    /// configuration in the repository.
    fn of_build(&self, name: &str) -> Option<Place> {
        if let Some((path, _)) = name.split_once(": ") {
            return inside(path);
        }
        // Profiles are those of the workspace.
        let keys: Vec<&str> = name.split('.').collect();
        if keys[0] == "profile" {
            let line = (1..=keys.len()).rev().find_map(|length| self.workspace_package.line(&keys[..length]));
            let path = joined(&self.workspace, PACKAGE)?;
            return Some(Place { path, line });
        }
        match self.manifest.line(&["build"]) {
            Some(line) => self.at(manifest::FILE, Some(line)),
            None => self.at(PACKAGE, None),
        }
    }

    fn of_data(&self, change: &DataChange) -> Option<Place> {
        match change {
            DataChange::File(change) => self.at(&change.path, self.row(change)),
            DataChange::Link { path, .. } | DataChange::Meanwhile { path, .. } => self.at(path, None),
            DataChange::Extent { name, .. }
            | DataChange::Form { name, .. }
            | DataChange::Paths { name, .. }
            | DataChange::Tree { name, .. } => self.in_manifest(&[&["data", name]]),
        }
    }

    /// The line of the first changed row, where the digests tell the row and each row is a line.
    fn row(&self, change: &FileChange) -> Option<u32> {
        let Some(TableChange::Cells(cells)) = &change.table else {
            return None;
        };
        let rows = cells.columns.iter().filter_map(|column| match &column.cells {
            Located::Rows(rows) => rows.iter().min().copied(),
            _ => None,
        });
        lines::of_row(self.data.get(&change.path)?, rows.min()?)
    }

    /// Where an output is declared, promised, or reported.
    #[must_use]
    pub fn of_divergence(&self, divergence: &Divergence, lock: Option<&Read>) -> Option<Place> {
        let stage = divergence.stage.as_str();
        match &divergence.output {
            Output::Checkpoint { name, .. } => self
                .reported("checkpoint", name)
                .or_else(|| self.in_lock(&["outcome", stage, "checkpoints"])),
            Output::Stream { name, .. } => {
                self.reported("rng", name).or_else(|| self.in_lock(&["outcome", stage, "streams"]))
            }
            Output::MetricChanged { name, .. } | Output::MetricMissing { name, .. } => {
                let is_locked = lock.is_some_and(|read| {
                    read.lock.outcome.get(stage).is_some_and(|outcome| outcome.metrics.contains_key(name))
                });
                if is_locked {
                    self.in_lock(&["outcome", stage, "metrics", name])
                } else {
                    self.reported("metric", name).or_else(|| self.in_manifest(&[&["stage", stage]]))
                }
            }
            Output::ArtifactChanged { .. }
            | Output::ArtifactMissing { .. }
            | Output::ArtifactUnexpected { .. }
            | Output::UndeclaredMissing { .. } => {
                self.in_manifest(&[&["stage", stage, "artifacts"], &["stage", stage]])
            }
        }
    }

    /// Where a source of the package calls the runtime with that name, as it stands there in quotes.
    fn reported(&self, call: &str, name: &str) -> Option<Place> {
        let wanted = format!("{call}(\"{name}\"");
        self.sources.iter().find_map(|(path, text)| {
            let line = lines::containing(text, &wanted)?;
            Some(Place {
                path: path.clone(),
                line: Some(line),
            })
        })
    }

    /// The project's own line that draws on a cause, or its declaration.
    #[must_use]
    pub fn of_cause(&self, cause: &Cause) -> Option<Place> {
        let own = cause.sites.iter().find_map(|site| self.own(site));
        let stage = || {
            let stage = cause.stage.as_deref()?;
            self.in_manifest(&[&["stage", stage]])
        };
        own.or_else(stage)
    }

    fn own(&self, site: &Site) -> Option<Place> {
        if site.package.is_some() {
            return self.own(site.called_from.as_deref()?);
        }
        let file = site.file.as_deref()?;
        // Only a file that was found is one: the compiler may have called it otherwise.
        let path = [Some(file.to_owned()), self.path(file), joined(&self.workspace, file)];
        let path = path.into_iter().flatten().find(|path| self.sources.contains_key(path))?;
        Some(Place { path, line: site.line })
    }

    /// Where a reason against a tag can be mended.
    #[must_use]
    pub fn of_refusal(&self, refusal: &Refusal) -> Option<Place> {
        match refusal {
            Refusal::Drift(drift) => self.of_drift(drift),
            Refusal::AttestationsLacking(_) => self.in_manifest(&[&["gate", "require"], &["gate"]]),
            Refusal::Attestation { .. } => self.in_manifest(&[&["gate", "keys"], &["gate"]]),
            Refusal::Tag(TagFault::VersionOther { .. } | TagFault::VersionUnknown { .. }) => {
                self.at(PACKAGE, self.package.line(&["package", "version"]))
            }
            Refusal::Tag(TagFault::Unsigned | TagFault::Signature { .. }) => {
                self.in_manifest(&[&["gate", "signers"], &["gate"]])
            }
            Refusal::Tag(_) => self.in_manifest(&[&["gate", "tags"], &["gate"]]),
            Refusal::Commit(CommitFault::PolicyUnreadable { why, .. }) => match lines::told_of(why, manifest::FILE) {
                Some(line) => self.at(manifest::FILE, line),
                None => self.in_manifest(&[&["gate"]]),
            },
            Refusal::Commit(CommitFault::LockUnconfirmed { .. }) => self.in_lock(&["record", "runs"]),
            Refusal::Commit(CommitFault::LockDirty) => self.in_lock(&["record", "dirty"]),
            Refusal::Commit(CommitFault::Other { path, .. }) => inside(path),
            Refusal::Commit(CommitFault::Missing { .. }) => self.in_lock(&["source", "commit"]),
            Refusal::Commit(_) => self.at(lockfile::FILE, None),
        }
    }

    /// The manifest, for what has no place of its own.
    #[must_use]
    pub fn of_anything(&self) -> Option<Place> {
        self.at(manifest::FILE, None)
    }

    /// Where a failed stage is declared, what the compiler pointed at, or the file that an error names, with its line
    /// if that is told.
    #[must_use]
    pub fn of_failure(&self, error: &Error) -> Option<Place> {
        if let Some(stage) = error.failed_stage() {
            return self.in_manifest(&[&["stage", stage]]);
        }
        if let Some((path, line)) = lines::pointed_at(error.output().unwrap_or_default()) {
            // The compiler speaks from the workspace's directory.
            let path = joined(&self.workspace, path)?;
            return Some(Place { path, line: Some(line) });
        }
        let told = |file: &str| lines::told_of(error.what(), file);
        if let Some(line) = told(manifest::FILE) {
            return self.at(manifest::FILE, line);
        }
        if let Some(line) = told(lockfile::FILE) {
            return self.at(lockfile::FILE, line);
        }
        if let Some(line) = told(PACKAGES) {
            let path = joined(&self.workspace, PACKAGES)?;
            return Some(Place { path, line });
        }
        let (path, keys) = self.toolchain.as_ref().filter(|_| error.what().contains("toolchain"))?;
        Some(Place {
            path: path.clone(),
            line: keys.line(&["toolchain", "channel"]),
        })
    }
}

/// A path from the top that does not lead out of the repository.
fn inside(path: &str) -> Option<Place> {
    let path = joined("", path)?;
    Some(Place { path, line: None })
}

/// Two paths as one, without `.` and `..`; none if it leads out of the repository.
fn joined(directory: &str, path: &str) -> Option<String> {
    if path.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in directory.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}
