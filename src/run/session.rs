//! One run session: a checkout that was built once, and trainings in it, each from the clean state.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::build::{self, Built};
use super::checkout::Checkout;
use super::collect::collect;
use super::crates;
use super::staging::{self, Staged};
use super::train::Training;
use super::workdir::Workdir;
use crate::compare::Drift;
use crate::error::{IoContext as _, Result};
use crate::outcome::Outcome;
use crate::project::Project;
use crate::report;
use crate::shell::Shell;
use crate::snapshot::{Build, Data, Dependencies, Environment};

/// A work directory with the programs built.
#[derive(Debug)]
pub struct Session<'a> {
    project: &'a Project,
    workdir: &'a Workdir,
    checkout: Checkout,
    directory: PathBuf,
    shell: Shell,
    /// What the build gave.
    pub built: Built,
}

impl<'a> Session<'a> {
    /// Checks out, provides the packages, and builds.
    ///
    /// # Errors
    /// When one of these fails.
    pub fn build(
        project: &'a Project,
        workdir: &'a Workdir,
        dirty: bool,
        settings: &Build,
        environment: &Environment,
        dependencies: &Dependencies,
        shell: Shell,
    ) -> Result<Self> {
        shell.detail("Checking", format!("out {} into {}", project.commit.short(), workdir.tree().display()));
        let checkout = Checkout::plan(project, &workdir.tree(), dirty)?;
        checkout.apply()?;
        workdir.forget_leftovers()?;
        crates::provide(&workdir.cargo_home(), &project.package, dependencies)?;
        shell.json(&report::json::phase("build", &project.package.name));
        let built = build::build(project, workdir, checkout.root(), settings, environment, shell)?;
        let directory = checkout.root().join(project.prefix()?);
        Ok(Self {
            project,
            workdir,
            checkout,
            directory,
            shell,
            built,
        })
    }

    /// Trains once, from the clean state, and gives the outcome, or what changed of the data meanwhile.
    ///
    /// # Errors
    /// When a stage fails, or an output cannot be read.
    pub fn train(
        &self,
        data: &BTreeMap<String, Data>,
        environment: &Environment,
        number: u32,
        of: u32,
    ) -> Result<(Outcome, Vec<Drift>)> {
        self.checkout.apply()?;
        self.workdir.forget_leftovers()?;
        let staged = staging::stage(self.project, data, &self.directory, self.workdir)?;
        let training = Training {
            project: self.project,
            workdir: self.workdir,
            directory: &self.directory,
            built: &self.built,
            staged: &staged,
            environment,
            shell: self.shell,
        };
        for name in self.project.manifest.stage_order() {
            let stage = &self.project.manifest.stages[name];
            let times = if of > 1 {
                format!(" ({number} of {of})")
            } else {
                String::new()
            };
            self.shell.status("Training", format!("{name}{times}"));
            self.shell.json(&report::json::phase("train", name));
            training.stage(name, stage)?;
        }
        let outcome = self.collect(&staged)?;
        Ok((outcome, staged.changed()?))
    }

    fn collect(&self, staged: &Staged) -> Result<Outcome> {
        self.shell.json(&report::json::phase("collect", ""));
        collect(&self.project.manifest, self.workdir, &self.directory, &self.checkout, staged, &self.built)
    }

    /// Keeps the artifacts of the last training, so that what differs in a later one can be told.
    ///
    /// # Errors
    /// When one cannot be copied.
    pub fn keep(&self, outcome: &Outcome) -> Result<()> {
        for path in outcome.values().flat_map(|stage| stage.artifacts.keys()) {
            let to = self.kept().join(path);
            let parent = to.parent().unwrap_or(&to);
            std::fs::create_dir_all(parent).at("make the directory", parent)?;
            std::fs::copy(self.output(path), &to).at("copy an output to", &to)?;
        }
        Ok(())
    }

    /// Removes what [`Session::keep`] kept; what cannot be removed costs space and nothing else.
    pub fn forget_kept(&self) {
        let _ = std::fs::remove_dir_all(self.kept());
    }

    /// Where [`Session::keep`] put them.
    #[must_use]
    pub fn kept(&self) -> PathBuf {
        self.workdir.first_outputs()
    }

    /// Where an output of the last training lies.
    #[must_use]
    pub fn output(&self, path: &str) -> PathBuf {
        self.directory.join(path)
    }
}
