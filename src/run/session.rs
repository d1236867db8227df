//! One run session: a checkout that was built once, and trainings in it, each from the clean state.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::access::{Access, Reached};
use super::build::Built;
use super::building::{self, Building};
use super::checkout::Checkout;
use super::circumstances::Circumstances;
use super::collect::collect;
use super::copies::{self, Copied, Inputs, Reader, Reading};
use super::handover::Handover;
use super::kept_build::KeptBuild;
use super::places;
use super::staging::{self, Staged};
use super::train::Training;
use super::workdir::Workdir;
use crate::compare::Drift;
use crate::console::Console;
use crate::digest::Digest;
use crate::error::{Error, IoContext as _, Result};
use crate::outcome::{Outcome, Remark};
use crate::project::Project;
use crate::project::manifest::{Isolation, Policy};
use crate::report;
use crate::sandbox::Report;
use crate::snapshot::{Build, Data, Dependencies, Environment, Snapshot, Source};
use crate::timing::{Step, Timing};
use crate::trace::Packages;

/// A work directory with the programs built.
#[derive(Debug)]
pub struct Session<'a> {
    project: &'a Project,
    workdir: &'a Workdir,
    checkout: Checkout,
    directory: PathBuf,
    console: Console,
    /// What the build gave.
    pub built: Built,
    /// Where the time went since somebody asked.
    timings: RefCell<Vec<Timing>>,
}

/// What of a snapshot a build follows.
#[derive(Clone, Copy, Debug)]
pub struct Pinned<'a> {
    /// How it is compiled.
    pub build: &'a Build,
    /// What compilers and programs see of the environment.
    pub environment: &'a Environment,
    /// The packages.
    pub dependencies: &'a Dependencies,
    /// The sources by their digests, where they are known before the build.
    pub source: Option<&'a Source>,
    /// What is around the compiler: where entropy and the date come from.
    pub circumstances: &'a Circumstances,
    /// Whether the program is to know its lines, so that a place in it can be named.
    pub line_tables: bool,
}

impl<'a> Pinned<'a> {
    /// That of a snapshot, under these circumstances.
    #[must_use]
    pub fn of(snapshot: &'a Snapshot, circumstances: &'a Circumstances) -> Self {
        Self {
            build: &snapshot.build,
            environment: &snapshot.environment,
            dependencies: &snapshot.dependencies,
            source: Some(&snapshot.source),
            circumstances,
            line_tables: false,
        }
    }

    /// How, by what, from which packages and in which surroundings it is made; macros and build scripts may draw on any
    /// of these.
    pub(super) fn made(&self, project: &Project) -> Digest {
        let (toolchain, programs) = (&project.toolchain.identity, project.manifest.binaries());
        let around = (&self.circumstances.conditions, &self.environment.variables, project.manifest.isolation);
        let all = (self.build, self.dependencies, toolchain, programs, self.line_tables, around);
        Digest::of(serde_json::to_vec(&all).expect("what a lock has can be written"))
    }
}

/// What a training gave.
#[derive(Debug, Default)]
pub struct Trained {
    /// The outcome.
    pub outcome: Outcome,
    /// What is worth saying of the outputs.
    pub remarks: Vec<Remark>,
    /// What changed of the data meanwhile.
    pub changed: Vec<Drift>,
    /// What the stages reached for beside their inputs.
    pub accesses: Vec<Access>,
    /// Artifacts that are copies of inputs.
    pub copied: Vec<Copied>,
    /// What the supervisors reported, by stage.
    pub reports: BTreeMap<String, Report>,
}

impl Trained {
    /// Whether it was seen what the stages reached for.
    #[must_use]
    pub fn was_watched(&self) -> bool {
        self.reports.values().all(|report| report.held.listener)
    }

    /// Digests the files of the machine that were read by leave of the manifest.
    fn pin_reads(&mut self, policy: Isolation) {
        if policy.reads == Policy::Deny {
            return;
        }
        for access in &self.accesses {
            let (Reached::Outside(path), Some(stage)) = (&access.what, &access.stage) else {
                continue;
            };
            // What cannot be read now was not read by the program either.
            if let (Ok((digest, _)), Some(outcome)) = (Digest::of_file(Path::new(path)), self.outcome.get_mut(stage)) {
                outcome.reads.insert(Access::name_in_lock(path), digest);
            }
        }
    }
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
        snapshot: Pinned<'_>,
        console: Console,
    ) -> Result<Self> {
        places::refuse_taken(project)?;
        let begin = Instant::now();
        let checkout = building::plan(project, workdir, dirty, &snapshot)?;
        let place = workdir.tree();
        console
            .detail("Checking", format!("out {} into {}{}", project.commit.short(), place.display(), checkout.part()));
        let mut building = Building {
            project,
            workdir,
            checkout: &checkout,
            pinned: snapshot,
            made: snapshot.made(project),
            console,
            timings: Vec::new(),
        };
        let built = building.take_up_or_build(begin)?;
        let timings = building.timings;
        let directory = checkout.root().join(project.prefix()?);
        Ok(Self {
            project,
            workdir,
            checkout,
            directory,
            console,
            built,
            timings: RefCell::new(timings),
        })
    }

    /// Whether the build that is kept there is one of just this: then [`Session::build`] starts no compiler. Nothing
    /// is changed by asking.
    ///
    /// # Errors
    /// When the sources cannot be read, or are not those of the snapshot.
    pub fn is_built(project: &Project, workdir: &Workdir, snapshot: Pinned<'_>) -> Result<bool> {
        let checkout = building::plan(project, workdir, false, &snapshot)?;
        Ok(KeptBuild::find(workdir, &checkout, snapshot.made(project)).is_some())
    }

    /// Where the time went since the last asking, a training that failed included; the training that was done has
    /// that number.
    pub fn take_timings(&self, number: u32) -> Vec<Timing> {
        let mut timings = self.timings.take();
        for timing in &mut timings {
            if let Step::Train { run, .. } | Step::Collect { run } = &mut timing.step {
                *run = number;
            }
        }
        timings
    }

    /// Refuses sources that are not those that were built: who may edit them did meanwhile.
    ///
    /// # Errors
    /// That names the first one.
    pub fn must_be_of(&self, closure: &BTreeSet<String>, source: &Source) -> Result<()> {
        self.checkout.must_be(&self.project.repository, closure, &source.files)
    }

    /// Trains once, from the clean state.
    ///
    /// # Errors
    /// When a stage fails, or an output cannot be read.
    pub fn train(
        &self,
        data: &BTreeMap<String, Data>,
        environment: &Environment,
        circumstances: &Circumstances,
        (number, of): (u32, u32),
    ) -> Result<Trained> {
        let times = if of > 1 {
            format!(" ({number} of {of})")
        } else {
            String::new()
        };
        self.train_as(data, environment, circumstances, self.console, &times)
    }

    /// Trains once as [`Session::train`] does, and says so with these words behind the stage's name.
    ///
    /// # Errors
    /// As [`Session::train`].
    pub fn train_as(
        &self,
        data: &BTreeMap<String, Data>,
        environment: &Environment,
        circumstances: &Circumstances,
        console: Console,
        words: &str,
    ) -> Result<Trained> {
        self.checkout.apply()?;
        self.workdir.forget_leftovers(&circumstances.home)?;
        let mut staged =
            staging::stage(self.project, data, &self.directory, self.workdir, &self.checkout, &circumstances.place)?;
        if let Some(time) = circumstances.file_time {
            self.checkout.set_times(time)?;
        }
        if circumstances.copies {
            staged.copy_to(&self.workdir.fresh_copies()?)?;
        }
        let handover = Handover::begin(&self.project.manifest, self.workdir, &self.checkout, &self.directory)?;
        let training = Training {
            project: self.project,
            workdir: self.workdir,
            directory: &self.directory,
            built: &self.built,
            staged: &staged,
            environment,
            checkout: &self.checkout,
            circumstances,
            console,
        };
        let mut trained = Trained::default();
        for name in self.project.manifest.stage_order() {
            let stage = &self.project.manifest.stages[name];
            console.status("Training", format!("{name}{words}"));
            console.json(&report::json::phase("train", name))?;
            let before = handover.prepare(name, &staged)?;
            let begin = Instant::now();
            let ended = training.stage(name, stage, &before);
            let step = Step::Train {
                stage: name.to_owned(),
                run: 1,
            };
            self.timings.borrow_mut().push(Timing::since(step, begin));
            let (accesses, report) = ended.map_err(|error| advised(error, name, &handover).of_stage(name))?;
            handover.settle(name, &before, &staged).map_err(|error| error.of_stage(name))?;
            self.workdir.forget_leftovers(&circumstances.home)?;
            trained.accesses.extend(accesses);
            trained.reports.insert(name.to_owned(), report);
        }
        let begin = Instant::now();
        (trained.outcome, trained.remarks) = self.collect(&handover, console)?;
        trained.pin_reads(self.project.manifest.isolation);
        self.find_copies(&mut trained, &staged, &handover, &circumstances.place)?;
        trained.changed = console.watching("Checking", |progress| staged.changed(progress))?;
        self.timings.borrow_mut().push(Timing::since(Step::Collect { run: 1 }, begin));
        Ok(trained)
    }

    /// Names the artifacts that are copies of what the build or a stage read.
    fn find_copies(&self, trained: &mut Trained, staged: &Staged, left: &Handover<'_>, seems: &Path) -> Result<()> {
        let inputs = Inputs {
            workdir: self.workdir,
            seems,
            checkout: &self.checkout,
            staged,
        };
        let mut read = self.built.read.clone();
        if let Some(read) = &mut read {
            let root = self.checkout.root();
            // Also what was compiled by an earlier build that this one could take up again.
            read.extend(self.built.sources.files.iter().map(|inner| self.called(&root.join(inner))));
        }
        let is_built = !self.built.programs.is_empty();
        let mut readings: Vec<Reading<'_>> = Vec::new();
        readings.extend(is_built.then(|| Reading {
            by: Reader::Build,
            files: read,
            accesses: self.built.accesses.iter().collect(),
        }));
        for (stage, report) in &trained.reports {
            let mine = trained.accesses.iter().filter(|access| access.stage.as_ref() == Some(stage));
            readings.push(Reading {
                by: Reader::Stage(stage.clone()),
                files: report.held.listener.then(|| copies::read_files(report)),
                accesses: mine.collect(),
            });
        }
        let copied = copies::find(&mut trained.outcome, left, &inputs, &readings)?;
        trained.copied = copied;
        Ok(())
    }

    fn collect(&self, left: &Handover<'_>, console: Console) -> Result<(Outcome, Vec<Remark>)> {
        console.json(&report::json::phase("collect", ""))?;
        collect(&self.project.manifest, self.workdir, &self.directory, left, &self.built)
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

    /// The file of this machine that a program here calls `path`.
    #[must_use]
    pub fn readable(&self, path: &str) -> PathBuf {
        self.workdir.unseen(Path::new(path))
    }

    /// A file here, as its programs call it.
    #[must_use]
    pub fn called(&self, path: &Path) -> String {
        self.workdir.seen(path).to_string_lossy().into_owned()
    }

    /// What is known of the program's packages, for naming a place in it.
    #[must_use]
    pub fn packages(&self) -> Packages {
        let crate_name = |package: &str| package.replace('-', "_");
        let package = &self.project.package;
        let title = |package: &crate::project::package::RemotePackage| format!("{} {}", package.name, package.version);
        Packages {
            // Without namespaces the compiler was told to write the canonical path.
            roots: vec![
                self.called(self.checkout.root()),
                self.workdir.seeming(self.checkout.root()).to_string_lossy().into_owned(),
            ],
            own: package.local.iter().map(|local| crate_name(&local.name)).collect(),
            others: package.remote.iter().map(|remote| (crate_name(&remote.name), title(remote))).collect(),
        }
    }

    /// Where [`Session::keep`] put them.
    #[must_use]
    pub fn kept(&self) -> PathBuf {
        self.workdir.first_outputs()
    }

    /// What is compared of a stage's outputs, as the manifest declares it.
    #[must_use]
    pub fn stage(&self, name: &str) -> Option<crate::snapshot::Stage> {
        self.project.manifest.stages.get(name).map(crate::snapshot::Stage::from)
    }

    /// Where an output of the last training lies.
    #[must_use]
    pub fn output(&self, path: &str) -> PathBuf {
        self.handover().output(path)
    }

    /// The package's directory as a stage of the last training left it.
    #[must_use]
    pub fn left_by(&self, stage: &str) -> PathBuf {
        self.handover().left_by(stage, "")
    }

    fn handover(&self) -> Handover<'_> {
        Handover::of(&self.project.manifest, self.workdir, &self.checkout, &self.directory)
    }
}

/// The error with what would let the stage find what it looked for, where another stage left that.
fn advised(error: Error, stage: &str, handover: &Handover<'_>) -> Error {
    let missed = error.known_causes().iter().find_map(|cause| handover.advice(stage, &cause.subject));
    match missed {
        Some(advice) => error.hint(advice),
        None => error,
    }
}
