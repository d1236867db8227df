//! Whether threads or processes race, and for what. That there are several proves nothing: a race is named where
//! trainings differ by who comes first, and agree where that is held.

use std::time::Duration;

use super::factor::Frozen;
use super::parts;
use super::trial::Effect;
use super::variation::TestResult;
use super::vary::{MORE_BASE_RUNS, Trials, UNSTABLE, Wanted};
use crate::cause::Kind;
use crate::error::Result;
use crate::run::circumstances::Circumstances;

/// How many trainings with several threads are held against the first.
const RACES: u64 = 7;

/// The most trainings that are made to see whether all of them agree.
const MOST: u32 = 40;

/// How seldom that many trainings may agree by chance.
const CHANCE: f64 = 0.01;

/// For how long one waits for those before it, at least and at most: on a busy machine a thread may not come to go on for
/// long.
const TURN: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(10));

/// What came of several threads.
pub(super) enum Race {
    /// There were none.
    Alone,
    /// They agree whatever comes first.
    Steady,
    /// They do not.
    Lost(Lost),
}

/// Trainings that differ where threads are held up.
pub(super) struct Lost {
    effect: Effect,
    /// How many of so many differed from the first.
    differed: (u32, u32),
}

/// What shows that an outcome follows who comes first, where trainings differ with everything frozen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// So many trainings agree where threads and processes take turns.
    Turns(u32),
    /// So many trainings agree where it does not count which thread draws random numbers.
    Draws(u32),
    /// Of so many trainings with threads held up these differ in more parts than any without.
    Delays {
        /// How many were made of either.
        of: usize,
        /// How many of those held up differ in more.
        more: usize,
        /// In how many parts the others differ at most.
        still: usize,
    },
}

impl Trials<'_> {
    /// A race that needs several threads does not show where one was told to be enough: with all else frozen,
    /// trainings with several threads are held against each other.
    pub(super) fn race(&mut self, frozen: &Frozen<'_>) -> Result<Race> {
        let first = self.observe(&frozen.race(0))?;
        if !first.is_concurrent() {
            return Ok(Race::Alone);
        }
        let (mut differed, mut of) = (0, 0);
        for seed in 1..=RACES {
            let other = self.observe(&frozen.race(seed))?;
            of += 1;
            let Some(effect) = self.laboratory.compare(&first, &other) else {
                continue;
            };
            differed += 1;
            if differed == 2 {
                let differed = (differed, of);
                return Ok(Race::Lost(Lost { effect, differed }));
            }
        }
        Ok(Race::Steady)
    }

    /// Notes a race, unless trainings differ with everything frozen too; and whether it is for random numbers.
    pub(super) fn lost(&mut self, lost: Lost, frozen: &Frozen<'_>) -> Result<()> {
        self.repeat_base(MORE_BASE_RUNS)?;
        if self.variation.unstable.is_some() {
            self.note(Kind::Scheduling, TestResult::NotVaried(UNSTABLE.to_owned()));
            return Ok(());
        }
        self.variation.raced_draw = self.agree_delayed_and_alike(lost.differed, frozen)?;
        let result = TestResult::Changes {
            setting: "4 threads, held up now and then".to_owned(),
            effect: lost.effect,
        };
        self.note(Kind::Scheduling, result);
        Ok(())
    }

    /// Where trainings differ whatever is frozen: what must be held beside it so that they agree, if that is who comes
    /// first.
    pub(super) fn held_order<'f>(&mut self, frozen: &Frozen<'f>) -> Result<Option<Frozen<'f>>> {
        if !self.base.is_concurrent() {
            return Ok(None);
        }
        let alike = Frozen {
            alike: true,
            ..frozen.clone()
        };
        if self.base.has_drawn()
            && let Some(trainings) = self.all_agree(self.differed(), |_| alike.circumstances())?
        {
            self.variation.raced_draw = true;
            self.variation.race = Some(Evidence::Draws(trainings));
            return Ok(Some(alike));
        }
        self.laboratory
            .console
            .status("Varying", "who comes first: threads and processes take turns");
        let in_turns = Frozen {
            turns: Some(self.took.clamp(TURN.0, TURN.1)),
            ..frozen.clone()
        };
        self.variation.took_turns = true;
        let agreed = self.all_agree(self.differed(), |_| in_turns.circumstances())?;
        self.variation.race = agreed.map(Evidence::Turns);
        Ok(agreed.map(|_| in_turns))
    }

    /// Searches on with the order held, for what else the outcome follows.
    pub(super) fn search_in_order(&mut self, held: &Frozen<'_>, wanted: &Wanted<'_>) -> Result<()> {
        let by_order = self.variation.unstable.take();
        self.begin_anew(held.circumstances())?;
        self.each(held, wanted)?;
        // Should trainings differ after all, no more is varied; what was shown of the order stays.
        self.variation.unstable = by_order;
        Ok(())
    }

    /// Where the order cannot be held: whether holding threads up makes more of the outcome move.
    pub(super) fn seek_delays(&mut self, frozen: &Frozen<'_>) -> Result<()> {
        if self.base.is_concurrent() {
            self.variation.race = self.differ_by_delays(frozen)?;
        }
        Ok(())
    }

    /// How many of the trainings with everything frozen differed from the first.
    fn differed(&self) -> (u32, u32) {
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let differed = self.differed.iter().filter(|parts| **parts > 0).count();
        (number(differed), number(self.differed.len()))
    }

    /// Whether trainings in which threads are held up agree where it does not count which thread draws.
    fn agree_delayed_and_alike(&mut self, differed: (u32, u32), frozen: &Frozen<'_>) -> Result<bool> {
        let alike = |seed| {
            let mut circumstances = frozen.race(seed);
            circumstances.conditions.drawn_alike = true;
            circumstances
        };
        Ok(self.base.has_drawn() && self.all_agree(differed, alike)?.is_some())
    }

    /// More where threads are held up, on all processors, than where as many of them have one and are not: then it is
    /// by timing, since all else is the same.
    fn differ_by_delays(&mut self, frozen: &Frozen<'_>) -> Result<Option<Evidence>> {
        let mut alone = frozen.race(0);
        alone.conditions.processors = frozen.circumstances().conditions.processors;
        alone.conditions.delays = None;
        let firsts = (self.observe(&alone)?, self.observe(&frozen.race(0))?);
        let (mut still, mut delayed) = (Vec::new(), Vec::new());
        // In turn, so that what changes with time changes both.
        for seed in 1..=self.differed.len() as u64 {
            let others = (self.observe(&alone)?, self.observe(&frozen.race(seed))?);
            for (first, other, differing) in [(&firsts.0, others.0, &mut still), (&firsts.1, others.1, &mut delayed)] {
                // One that failed shows nothing of the others.
                if first.outcome.is_some() && other.outcome.is_some() {
                    differing.push(parts::differing(&first.parts, &other.parts).len());
                }
            }
        }
        let shown = by_delays(&still, &delayed);
        if shown.is_some() {
            let differed = delayed.iter().filter(|parts| **parts > 0).count();
            let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
            let rate = (number(differed), number(delayed.len()));
            self.variation.raced_draw = self.agree_delayed_and_alike(rate, frozen)?;
        }
        Ok(shown)
    }

    /// Trains until it is no chance any more that all agree, where so many of so many differed before. Gives how many
    /// agreed, or nothing if one did not, or if that would take too many.
    fn all_agree(&mut self, differed: (u32, u32), at: impl Fn(u64) -> Circumstances) -> Result<Option<u32>> {
        let Some(needed) = needed(differed) else {
            return Ok(None);
        };
        let first = self.observe(&at(0))?;
        if first.outcome.is_none() {
            return Ok(None);
        }
        for number in 1..=u64::from(needed) {
            let other = self.observe(&at(number))?;
            if self.laboratory.compare(&first, &other).is_some() {
                return Ok(None);
            }
        }
        Ok(Some(needed + 1))
    }
}

/// How many trainings must agree with a first one, that it be no chance, where so many of so many do not.
fn needed((differed, of): (u32, u32)) -> Option<u32> {
    const LEAST: u32 = 6;
    let differing = f64::from(differed) / f64::from(of.max(1));
    (1..=MOST)
        .find(|trainings| (1.0 - differing).powi(i32::try_from(*trainings).unwrap_or(i32::MAX)) <= CHANCE)
        .map(|trainings| trainings.max(LEAST))
}

/// What shows that delays make a difference: of twelve trainings each, eight with threads held up that differ in more
/// parts than any of the others are less likely than one in a thousand if both are of one kind.
fn by_delays(still: &[usize], delayed: &[usize]) -> Option<Evidence> {
    let most = still.iter().copied().max()?;
    let more = delayed.iter().filter(|parts| **parts > most).count();
    let of = delayed.len();
    let is_shown = of >= MORE_BASE_RUNS as usize && of == still.len() && 3 * more >= 2 * of;
    is_shown.then_some(Evidence::Delays { of, more, still: most })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seldomer_trainings_differ_the_more_of_them_must_agree() {
        assert_eq!(needed((12, 12)), Some(6));
        assert_eq!(needed((6, 12)), Some(7));
        assert_eq!(needed((2, 7)), Some(14));
        assert_eq!(needed((2, 12)), Some(26));
        assert_eq!(needed((1, 12)), None, "more than anybody waits for");
        assert_eq!(needed((0, 12)), None, "none differed, so that agreeing shows nothing");
    }

    #[test]
    fn delays_are_to_blame_where_they_make_a_difference_and_not_where_they_are() {
        let (few, many) = ([0, 1, 0, 2, 0, 0, 1, 0, 0, 0, 1, 0], [9, 8, 0, 7, 9, 1, 8, 9, 9, 7, 0, 9]);
        let shown = Evidence::Delays {
            of: 12,
            more: 9,
            still: 2,
        };
        assert_eq!(by_delays(&few, &many), Some(shown));
        assert_eq!(by_delays(&many, &many), None, "it differs without them as well");
        assert_eq!(by_delays(&many, &few), None, "it differs less with them");
        assert_eq!(by_delays(&few[..3], &many[..3]), None, "too few");
        assert_eq!(by_delays(&[], &[]), None);
    }
}
