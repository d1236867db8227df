//! Changes one factor at a time, then all at once, and finds the smallest set that changes the outcome.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::factor::{Factor, Frozen, Setting};
use super::parts::{self, Part};
use super::race::Race;
use super::search::smallest;
use super::trial::{Effect, Laboratory, Observed};
pub use super::variation::{TestResult, Tested, Variation};
use super::workshop::Workshop;
use crate::cause::Kind;
use crate::error::{Error, Result};
use crate::run::circumstances::Circumstances;

/// How long, and which.
#[derive(Debug)]
pub struct Wanted<'a> {
    /// The factors, in this order.
    pub factors: &'a [Factor],
    /// When to stop; factors that were not reached are said to be so.
    pub until: Option<Instant>,
    /// Whether to change all of them together if none changes the outcome alone.
    pub together: bool,
    /// An outcome that was seen elsewhere: settings that give it are kept.
    pub sought: Option<&'a Observed>,
    /// Where to build again, if builds are to be varied.
    pub workshop: Option<Workshop<'a>>,
}

impl<'a> Wanted<'a> {
    /// These factors one at a time, and nothing else.
    #[must_use]
    pub fn alone(factors: &'a [Factor]) -> Self {
        Self {
            factors,
            until: None,
            together: false,
            sought: None,
            workshop: None,
        }
    }
}

/// How many trainings with everything frozen must agree.
const BASE_RUNS: u32 = 6;

/// More of these, where a doubt arises.
pub(super) const MORE_BASE_RUNS: u32 = 12;

/// Why a factor is not varied.
pub(super) const UNSTABLE: &str = "trainings differ even with everything frozen";

/// How many settings of entropy are tried for a program that draws none.
const UNDRAWN: usize = 3;

/// A number of variables that no setting comes up to.
const VARIABLES: usize = 128;

/// How many unrelated factors must change an outcome before a race is suspected.
const UNRELATED: usize = 3;

/// Varies.
///
/// # Errors
/// When the program fails even with everything frozen, or the user interrupts.
pub fn vary(laboratory: &Laboratory<'_>, frozen: &Frozen<'_>, wanted: &Wanted<'_>) -> Result<Variation> {
    let mut trials = Trials {
        laboratory,
        base: Observed::default(),
        circumstances: frozen.circumstances(),
        variation: Variation::default(),
        restless: None,
        differed: Vec::new(),
        took: Duration::ZERO,
    };
    trials.establish()?;
    trials.each(frozen, wanted)?;
    trials.doubt()?;
    if trials.variation.unstable.is_some() {
        trials.take_apart()?;
        match trials.held_order(frozen)? {
            Some(held) => trials.search_in_order(&held, wanted)?,
            None => {
                trials.each(frozen, wanted)?;
                trials.seek_delays(frozen)?;
            }
        }
    }
    if wanted.together && trials.variation.unstable.is_none() && trials.variation.changing().is_empty() {
        trials.all(frozen, wanted)?;
    }
    let of = trials.base.parts.len();
    trials.variation.restless = trials.restless.take().map(|parts| (parts, of));
    trials.variation.base = trials.base;
    Ok(trials.variation)
}

/// How many draws of a random factor fit into a moment, by how long one training takes.
#[must_use]
pub fn draws_for(training: Duration) -> u32 {
    const MOMENT: u128 = 4000;
    u32::try_from(MOMENT / training.as_millis().max(1)).unwrap_or(3).clamp(3, 64)
}

/// Whether a factor can be given the same setting twice, and changes nothing of the speed.
fn is_exact(factor: Factor) -> bool {
    !matches!(
        factor,
        Kind::Scheduling | Kind::ThreadCount | Kind::AddressLayout | Kind::UndeclaredRead | Kind::Build
    )
}

/// A search under way.
pub(super) struct Trials<'a> {
    pub(super) laboratory: &'a Laboratory<'a>,
    pub(super) base: Observed,
    circumstances: Circumstances,
    pub(super) variation: Variation,
    /// Where trainings differ though everything is frozen, the parts that do.
    restless: Option<BTreeSet<Part>>,
    /// And of each training after the first, how many parts of it differ.
    pub(super) differed: Vec<usize>,
    /// How long one training with everything frozen took.
    pub(super) took: Duration,
}

impl Trials<'_> {
    pub(super) fn observe(&mut self, circumstances: &Circumstances) -> Result<Observed> {
        self.variation.runs += 1;
        let mut observed = self.laboratory.observe(circumstances)?;
        if self.restless.is_some() {
            self.laboratory.take_apart(&mut observed);
        }
        Ok(observed)
    }

    /// How an observation differs from the base, in what can be relied on.
    fn effect(&self, observed: &Observed) -> Option<Effect> {
        let Some(restless) = &self.restless else {
            return self.laboratory.compare(&self.base, observed);
        };
        if self.base.outcome.is_none() || observed.outcome.is_none() {
            return None;
        }
        let differing = parts::differing(&self.base.parts, &observed.parts);
        differing.difference(restless).next().map(Effect::on)
    }

    pub(super) fn each(&mut self, frozen: &Frozen<'_>, wanted: &Wanted<'_>) -> Result<()> {
        for factor in wanted.factors {
            let is_held = self.variation.race.is_some();
            let is_unstable = self.variation.unstable.is_some();
            if is_held && !is_exact(*factor) || is_unstable && !(self.has_rest() && is_exact(*factor)) {
                self.note(*factor, TestResult::NotVaried(UNSTABLE.to_owned()));
            } else if wanted.until.is_some_and(|until| Instant::now() > until) {
                self.note(*factor, TestResult::NotVaried("the time was up".to_owned()));
            } else if *factor == Kind::Build {
                self.builds(frozen, wanted)?;
            } else {
                self.factor(*factor, frozen, wanted.sought)?;
            }
        }
        Ok(())
    }

    pub(super) fn note(&mut self, factor: Factor, result: TestResult) {
        self.variation.tested.push(Tested { factor, result });
    }

    /// Whether parts of the outcome stay the same where others do not.
    fn has_rest(&self) -> bool {
        let restless = self.restless.as_ref();
        restless
            .is_some_and(|restless| self.base.parts.keys().any(|part| !part.is_length() && !restless.contains(part)))
    }

    /// Trains with everything frozen, until that can be trusted to give one outcome.
    fn establish(&mut self) -> Result<()> {
        let circumstances = self.circumstances.clone();
        let begin = Instant::now();
        self.base = self.observe(&circumstances)?;
        self.took = begin.elapsed();
        if let Some(failure) = &self.base.failure {
            return Err(Error::training(format!("with everything frozen, the program does not train: {failure}"))
                .hint("`-v` shows what was run; does it wait for time to pass, or need several processors?"));
        }
        self.repeat_base(BASE_RUNS - 1)
    }

    /// Begins anew with this held, and whole outcomes.
    pub(super) fn begin_anew(&mut self, held: Circumstances) -> Result<()> {
        self.variation.tested.clear();
        self.restless = None;
        self.base = self.observe(&held)?;
        self.circumstances = held;
        Ok(())
    }

    /// Begins anew with the parts of the outcome that stay the same, if there are any.
    pub(super) fn take_apart(&mut self) -> Result<()> {
        self.variation.tested.clear();
        self.restless = Some(BTreeSet::new());
        self.differed.clear();
        let circumstances = self.circumstances.clone();
        self.base = self.observe(&circumstances)?;
        self.repeat_base(MORE_BASE_RUNS)
    }

    pub(super) fn repeat_base(&mut self, times: u32) -> Result<()> {
        let circumstances = self.circumstances.clone();
        for _ in 0..times {
            let again = self.observe(&circumstances)?;
            if let Some(restless) = &mut self.restless {
                let differing = parts::differing(&self.base.parts, &again.parts);
                self.differed.push(differing.len());
                restless.extend(differing);
            } else if let Some(effect) = self.laboratory.compare(&self.base, &again) {
                self.variation.unstable = Some(effect);
                break;
            }
        }
        Ok(())
    }

    fn factor(&mut self, factor: Factor, frozen: &Frozen<'_>, sought: Option<&Observed>) -> Result<()> {
        let mut settings = match self.settings(factor, frozen) {
            Ok(settings) => settings,
            Err(why) => {
                self.note(factor, TestResult::NotVaried(why));
                return Ok(());
            }
        };
        if factor == Kind::ProcessEntropy && !self.base.has_drawn() {
            settings.truncate(UNDRAWN); // it may still look at what every program finds on its stack
        }
        if self.restless.is_some() {
            settings.retain(|setting| setting.times == 1);
        }
        self.laboratory.console.status("Varying", factor.word());
        if factor == Kind::Scheduling {
            match self.race(frozen)? {
                Race::Alone => settings.retain(|setting| !setting.is_for_threads()),
                Race::Steady => {}
                Race::Lost(lost) => return self.lost(lost, frozen),
            }
        }
        let mut tried = 0;
        for setting in &settings {
            for _ in 0..setting.times {
                tried += 1;
                let observed = self.observe(&setting.circumstances)?;
                if sought.is_some_and(|sought| self.laboratory.compare(sought, &observed).is_none()) {
                    self.variation.restored.push((factor, setting.what.clone()));
                }
                if self.effect(&observed).is_none() {
                    continue;
                }
                if let Some(effect) = self.confirmed(factor, setting, &observed)? {
                    let setting = setting.what.clone();
                    self.note(factor, TestResult::Changes { setting, effect });
                    return Ok(());
                }
                if self.restless.is_none() && self.variation.unstable.is_some() {
                    self.note(factor, TestResult::NotVaried(UNSTABLE.to_owned()));
                    return Ok(());
                }
            }
        }
        self.note(factor, TestResult::Steady(tried));
        Ok(())
    }

    /// The settings to try, or why this factor cannot be changed for this program on this machine.
    fn settings(&self, factor: Factor, frozen: &Frozen<'_>) -> Result<Vec<Setting>, String> {
        let by_answers = [
            Kind::ProcessEntropy,
            Kind::Clock,
            Kind::DirectoryOrder,
            Kind::UndeclaredRead,
        ];
        if by_answers.contains(&factor) && !self.base.is_answered() {
            return Err("this machine lets no process follow another and answer for it".to_owned());
        }
        if factor == Kind::UndeclaredRead && !self.reads_kernel_files() {
            return Err("it reads no file of the kernel that changes".to_owned());
        }
        frozen.settings(factor)
    }

    /// What was seen once is seen again: the frozen outcome stays, the other comes back. Factors that
    /// are random by nature need not come back, unless threads might have raced.
    fn confirmed(&mut self, factor: Factor, setting: &Setting, observed: &Observed) -> Result<Option<Effect>> {
        if self.restless.is_some() {
            return self.confirmed_in_parts(setting, observed);
        }
        // Threads that race may agree for a while even on one processor, and then not, whatever was changed.
        let is_concurrent = self.base.is_concurrent();
        self.repeat_base(if is_concurrent { MORE_BASE_RUNS } else { 2 })?;
        let effect = self.effect(observed);
        if self.variation.unstable.is_some() || self.is_by_accident(factor, setting, observed)? {
            return Ok(None);
        }
        let is_random = factor == Kind::AddressLayout || setting.times > 1;
        let times = match factor {
            Kind::Scheduling => 0,
            _ if is_concurrent => 2,
            _ if is_random => 0,
            _ => 1,
        };
        for _ in 0..times {
            let again = self.observe(&setting.circumstances)?;
            if self.effect(&again).is_none() {
                return Ok(None);
            }
        }
        Ok(effect)
    }

    /// Among parts of which some differ by themselves, only one that has the same other value each time counts.
    fn confirmed_in_parts(&mut self, setting: &Setting, observed: &Observed) -> Result<Option<Effect>> {
        let mut left = parts::differing(&self.base.parts, &observed.parts);
        for _ in 0..BASE_RUNS {
            let again = self.observe(&setting.circumstances)?;
            left.retain(|part| again.parts.get(part) == observed.parts.get(part));
            self.repeat_base(1)?;
        }
        let restless = self.restless.clone().unwrap_or_default();
        Ok(left.difference(&restless).next().map(Effect::on))
    }

    /// Whether it is not the meaning of a setting that changes the outcome: a variable's being there shifts
    /// the stack, and a program that follows addresses follows that too.
    fn is_by_accident(&mut self, factor: Factor, setting: &Setting, observed: &Observed) -> Result<bool> {
        if let Some(placebo) = &setting.placebo {
            let placebo = self.observe(placebo)?;
            if self.laboratory.compare(&placebo, observed).is_none() {
                return Ok(true);
            }
        }
        let changing = self.variation.changing();
        if factor == Kind::AddressLayout || changing.iter().all(|(factor, _)| *factor != Kind::AddressLayout) {
            return Ok(false);
        }
        let (mut base, mut other) = (self.circumstances.clone(), setting.circumstances.clone());
        base.conditions.variables = Some(VARIABLES);
        other.conditions.variables = Some(VARIABLES);
        let (base, other) = (self.observe(&base)?, self.observe(&other)?);
        Ok(self.laboratory.compare(&base, &other).is_none())
    }

    fn reads_kernel_files(&self) -> bool {
        use crate::run::access::Reached;
        self.base.accesses.iter().any(|access| matches!(access.what, Reached::Kernel(_)))
    }

    /// Where threads race, any change of timing changes the outcome, and none is to blame but the race.
    fn doubt(&mut self) -> Result<()> {
        let changing = self.variation.changing();
        let scheduling = changing.iter().any(|(factor, _)| *factor == Kind::Scheduling);
        if !self.base.is_concurrent() || changing.len() < UNRELATED || !scheduling {
            return Ok(());
        }
        self.repeat_base(MORE_BASE_RUNS)
    }

    /// All factors together; and, if that changes the outcome, the fewest of them that do.
    fn all(&mut self, frozen: &Frozen<'_>, wanted: &Wanted<'_>) -> Result<()> {
        let settings: Vec<(Factor, Setting)> = wanted
            .factors
            .iter()
            .filter(|factor| **factor != Kind::Build)
            .filter_map(|factor| Some((*factor, frozen.settings(*factor).ok()?.into_iter().next()?)))
            .collect();
        if settings.len() < 2 {
            return Ok(());
        }
        self.laboratory.console.status("Varying", "all of these together");
        let Some(effect) = self.effect_of(&settings)? else {
            return Ok(());
        };
        self.repeat_base(MORE_BASE_RUNS)?;
        if self.variation.unstable.is_some() {
            return Ok(());
        }
        let needed = smallest(&settings, |set| Ok::<_, Error>(self.effect_of(set)?.is_some()))?;
        self.variation.together = Some((needed.into_iter().map(|(factor, _)| factor).collect(), effect));
        Ok(())
    }

    fn effect_of(&mut self, settings: &[(Factor, Setting)]) -> Result<Option<Effect>> {
        let base = self.circumstances.clone();
        let merged = settings
            .iter()
            .fold(base.clone(), |merged, (_, setting)| merged.with(&base, &setting.circumstances));
        let observed = self.observe(&merged)?;
        Ok(self.laboratory.compare(&self.base, &observed))
    }
}
