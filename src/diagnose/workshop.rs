//! Builds under given circumstances, for trials of what only a build draws on.

use super::builds::{self, Found};
use super::factor::Frozen;
use super::trial::{Effect, Laboratory, Observed};
use super::variation::TestResult;
use super::vary::{MORE_BASE_RUNS, Trials, UNSTABLE, Wanted};
use crate::cause::Kind;
use crate::error::Result;
use crate::run::circumstances::Circumstances;
use crate::run::session::{Pinned, Session};
use crate::run::workdir::Workdir;

/// Where programs are built again, each time in a directory of its own: what an earlier build left there would hide
/// what this one draws on.
#[derive(Clone, Copy, Debug)]
pub struct Workshop<'a> {
    /// The built program, with its inputs.
    pub laboratory: Laboratory<'a>,
    /// What builds follow.
    pub pinned: Pinned<'a>,
    /// Whether the work tree is built in place of the commit.
    pub dirty: bool,
}

impl<'a> Workshop<'a> {
    /// Whether there is anything to build.
    #[must_use]
    pub fn builds(&self) -> bool {
        !self.laboratory.session.built.programs.is_empty()
    }

    /// Builds in an empty work directory.
    ///
    /// # Errors
    /// When the build fails.
    pub fn build(&self, workdir: &'a Workdir, circumstances: &Circumstances) -> Result<Session<'a>> {
        let console = self.laboratory.console.silenced();
        let pinned = Pinned {
            circumstances,
            ..self.pinned
        };
        Session::build(self.laboratory.project, workdir, self.dirty, pinned, console)
    }

    /// Builds, and trains once with what was built. A program that fails is an observation.
    ///
    /// # Errors
    /// When the build fails, or the trial could not be made.
    pub fn observe(&self, build: &Circumstances, training: &Circumstances) -> Result<Observed> {
        let workdir = Workdir::fresh()?;
        let here = Workshop { ..*self };
        let session = here.build(&workdir, build)?;
        here.with(&session).observe(training)
    }

    /// The same laboratory for another build.
    #[must_use]
    pub fn with<'b>(&self, session: &'b Session<'b>) -> Laboratory<'b>
    where
        'a: 'b,
    {
        Laboratory {
            session,
            ..self.laboratory
        }
    }
}

impl Trials<'_> {
    /// Builds again, and trains with everything frozen in what came of it.
    pub(super) fn builds(&mut self, frozen: &Frozen<'_>, wanted: &Wanted<'_>) -> Result<()> {
        let Some(workshop) = wanted.workshop.filter(Workshop::builds) else {
            self.note(Kind::Build, TestResult::NotVaried("nothing is built".to_owned()));
            return Ok(());
        };
        self.laboratory
            .console
            .status("Varying", "the build, at another date and with other random numbers");
        let Some(found) = self.found_of_builds(&workshop, &frozen.circumstances())? else {
            self.note(Kind::Build, TestResult::NotVaried(UNSTABLE.to_owned()));
            return Ok(());
        };
        let result = match &found {
            Found::Same(builds) => TestResult::Steady(*builds),
            Found::Unheld(effect) => TestResult::Changes {
                setting: "another build of the same sources".to_owned(),
                effect: effect.clone(),
            },
            Found::Unseen(effect) => TestResult::Changes {
                setting: "a build at another date and with other random numbers".to_owned(),
                effect: effect.clone(),
            },
            Found::Follows(all) => TestResult::Changes {
                setting: all.iter().map(|(setting, _)| setting.what).collect::<Vec<_>>().join(", and "),
                effect: all[0].1.clone(),
            },
        };
        self.variation.by_build = builds::causes(&found, "the outcome", |effect| Some(effect.first().to_owned()));
        self.note(Kind::Build, result);
        Ok(())
    }

    /// What builds come to: where those with everything changed at once agree with the first one, no others are made.
    /// Nothing if it turns out that trainings of one build differ.
    fn found_of_builds(&mut self, workshop: &Workshop<'_>, training: &Circumstances) -> Result<Option<Found<Effect>>> {
        let normal = workshop.pinned.circumstances;
        let others = builds::others(normal);
        let mut differs = None;
        for other in &others {
            self.variation.runs += 1;
            differs = self.laboratory.compare(&self.base, &workshop.observe(other, training)?);
            if differs.is_some() {
                break;
            }
        }
        let Some(effect) = differs else {
            let made = u32::try_from(others.len()).unwrap_or(u32::MAX);
            return Ok(Some(Found::Same(made + 1)));
        };
        let (laboratory, mut runs) = (self.laboratory, 0);
        let build = |at: &Circumstances| {
            runs += 1;
            workshop.observe(at, training)
        };
        let found = builds::find(normal, build, |one, other| laboratory.compare(one, other))?;
        self.variation.runs += runs;
        if let Found::Same(_) = found {
            self.repeat_base(MORE_BASE_RUNS)?;
            let is_steady = self.variation.unstable.is_none();
            return Ok(is_steady.then_some(Found::Unseen(effect)));
        }
        Ok(Some(found))
    }
}
