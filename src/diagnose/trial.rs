//! One training under given circumstances, and how its outcome compares with another's.

use std::collections::BTreeMap;

use super::parts::{self, Part, Parts};
use crate::compare::divergence::Output;
use crate::compare::{Divergence, divergence};
use crate::console::Console;
use crate::error::Result;
use crate::exit_code::ExitCode;
use crate::os::bounded;
use crate::outcome::Outcome;
use crate::project::Project;
use crate::run::access::Access;
use crate::run::circumstances::Circumstances;
use crate::run::session::{Session, Trained};
use crate::sandbox::Report;
use crate::snapshot::{Data, Environment};

/// A built program with its inputs, to be trained as often as is needed.
#[derive(Clone, Copy, Debug)]
pub struct Laboratory<'a> {
    /// The project.
    pub project: &'a Project,
    /// The built program.
    pub session: &'a Session<'a>,
    /// The data.
    pub data: &'a BTreeMap<String, Data>,
    /// The pinned environment.
    pub environment: &'a Environment,
    /// Where steps are told; what programs print in a trial is not.
    pub console: Console,
}

/// What a trial came to.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// The outcome; none if the program failed.
    pub outcome: Option<Outcome>,
    /// How it failed.
    pub failure: Option<String>,
    /// What was reached for beside inputs.
    pub accesses: Vec<Access>,
    /// What the supervisors saw, by stage.
    pub reports: BTreeMap<String, Report>,
    /// The outcome in small parts, where it was taken apart.
    pub parts: Parts,
}

impl Observed {
    /// Whether several threads, or several processes beside the one that waits for them, were at work.
    #[must_use]
    pub fn is_concurrent(&self) -> bool {
        self.reports.values().any(|report| report.threads > 0 || report.processes > 2)
    }

    /// Whether what it asks the system for could be answered in its place.
    #[must_use]
    pub fn is_answered(&self) -> bool {
        self.reports.values().all(|report| report.held.answers())
    }

    /// Whether it drew on entropy for more than the C library's own use.
    #[must_use]
    pub fn has_drawn(&self) -> bool {
        self.reports.values().any(|report| report.draws > 0 || !report.held.listener)
    }
}

impl Laboratory<'_> {
    /// Trains once, the given of so many times, as a user is told.
    ///
    /// # Errors
    /// When a stage fails, or an output cannot be read.
    pub fn train(&self, circumstances: &Circumstances, number: (u32, u32)) -> Result<Trained> {
        self.session.train(self.data, self.environment, circumstances, number)
    }

    /// Trains once. A program that fails is an observation; that it could not be tried is an error.
    ///
    /// # Errors
    /// When the user interrupts, or the trial could not be made.
    pub fn observe(&self, circumstances: &Circumstances) -> Result<Observed> {
        crate::os::interrupt::check()?;
        let trained = self
            .session
            .train_as(self.data, self.environment, circumstances, self.console.silenced(), "");
        match trained {
            Ok(trained) => Ok(Observed {
                outcome: Some(trained.outcome),
                failure: None,
                accesses: trained.accesses,
                reports: trained.reports,
                parts: Parts::new(),
            }),
            Err(error) if error.exit_code() == ExitCode::TrainingFailed => Ok(Observed {
                failure: Some(error.what().to_owned()),
                ..Observed::default()
            }),
            Err(error) => Err(error),
        }
    }

    /// Takes the outcome of the training that was just made apart.
    pub fn take_apart(&self, observed: &mut Observed) {
        if let Some(outcome) = &observed.outcome {
            observed.parts = parts::of(outcome, |path| bounded::bytes(&self.session.output(path), bounded::HELD).ok());
        }
    }

    /// How two observations differ; nothing if they do not.
    #[must_use]
    pub fn compare(&self, one: &Observed, other: &Observed) -> Option<Effect> {
        match (&one.outcome, &other.outcome) {
            (Some(one), Some(other)) => {
                let order = self.project.manifest.stage_order();
                Effect::of(&divergence(one, other, &order))
            }
            (None, None) => None,
            _ => {
                let failure = one.failure.as_ref().or(other.failure.as_ref());
                Some(Effect {
                    stage: String::new(),
                    checkpoint: None,
                    output: failure.cloned().unwrap_or_default(),
                })
            }
        }
    }
}

/// What changed first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// In which stage.
    pub stage: String,
    /// The first checkpoint, if the program reports any that changed.
    pub checkpoint: Option<String>,
    /// The first artifact, or else metric or stream, or how the program failed.
    pub output: String,
}

impl Effect {
    /// Of two outcomes' differences; none if there are none.
    #[must_use]
    pub fn of(differing: &[Divergence]) -> Option<Self> {
        let first = differing.first()?;
        let name = |output: &Output| match output {
            Output::Stream { name, .. }
            | Output::Checkpoint { name, .. }
            | Output::MetricChanged { name, .. }
            | Output::MetricMissing { name, .. } => name.clone(),
            Output::ArtifactChanged { path, .. }
            | Output::ArtifactMissing { path, .. }
            | Output::ArtifactUnexpected { path }
            | Output::UndeclaredMissing { path } => path.clone(),
        };
        let in_stage = || differing.iter().filter(|divergence| divergence.stage == first.stage);
        let is_checkpoint = |output: &Output| matches!(output, Output::Checkpoint { .. });
        let is_artifact = |output: &Output| {
            matches!(
                output,
                Output::ArtifactChanged { .. } | Output::ArtifactMissing { .. } | Output::ArtifactUnexpected { .. }
            )
        };
        let find = |wanted: &dyn Fn(&Output) -> bool| {
            in_stage()
                .find(|divergence| wanted(&divergence.output))
                .map(|divergence| name(&divergence.output))
        };
        Some(Self {
            stage: first.stage.clone(),
            checkpoint: find(&is_checkpoint),
            output: find(&is_artifact).unwrap_or_else(|| name(&first.output)),
        })
    }

    /// Of one part that differs.
    #[must_use]
    pub fn on(part: &Part) -> Self {
        Self {
            stage: part.stage.clone(),
            checkpoint: None,
            output: part.output.clone(),
        }
    }

    /// What comes first for a person: the checkpoint if there is one.
    #[must_use]
    pub fn first(&self) -> &str {
        self.checkpoint.as_ref().unwrap_or(&self.output)
    }
}
