//! What came of changing factors.

use std::collections::BTreeSet;

use super::factor::Factor;
use super::parts::Part;
use super::race::Evidence;
use super::remains;
use super::trial::{Effect, Observed};
use crate::cause::Cause;

/// A factor, and what came of changing it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tested {
    /// Which.
    pub factor: Factor,
    /// What came of it.
    pub result: TestResult,
}

/// The cases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TestResult {
    /// No setting changed the outcome; so many were tried.
    Steady(u32),
    /// A setting changed it, each time that it was tried.
    Changes {
        /// Which.
        setting: String,
        /// What it changed first.
        effect: Effect,
    },
    /// It was not changed, and why.
    NotVaried(String),
}

/// All that a variation came to.
#[derive(Clone, Debug, Default)]
pub struct Variation {
    /// How many trainings were made.
    pub runs: u32,
    /// Every factor that was asked for.
    pub tested: Vec<Tested>,
    /// Whether trainings differ though everything that can be frozen was.
    pub unstable: Option<Effect>,
    /// Factors that change the outcome only together, if none does alone.
    pub together: Option<(Vec<Factor>, Effect)>,
    /// The outcome with everything frozen.
    pub base: Observed,
    /// Settings under which the outcome was the wanted one.
    pub restored: Vec<(Factor, String)>,
    /// Where trainings differ whatever is frozen: the parts that do, and how many there are.
    pub restless: Option<(BTreeSet<Part>, usize)>,
    /// What of the build the outcome follows.
    pub by_build: Vec<Cause>,
    /// Where trainings differ whatever is frozen, what shows that it is by who comes first.
    pub race: Option<Evidence>,
    /// Whether threads race to draw random numbers: they agree where it does not count which of them draws.
    pub raced_draw: bool,
    /// Whether threads or processes were made to take turns.
    pub took_turns: bool,
}

impl Variation {
    /// What is left to say where trainings differ though everything was frozen.
    #[must_use]
    pub fn remains(&self) -> Vec<String> {
        let Some(effect) = &self.unstable else {
            return Vec::new();
        };
        let restless = self.restless.as_ref().map(|(parts, of)| (parts, *of));
        remains::unstable(effect, restless, self.took_turns, self.runs)
    }

    /// The factors that change the outcome.
    #[must_use]
    pub fn changing(&self) -> Vec<(Factor, &Effect)> {
        let single = self.tested.iter().filter_map(|tested| match &tested.result {
            TestResult::Changes { effect, .. } => Some((tested.factor, effect)),
            _ => None,
        });
        let together = self
            .together
            .iter()
            .flat_map(|(factors, effect)| factors.iter().map(move |factor| (*factor, effect)));
        single.chain(together).collect()
    }
}
