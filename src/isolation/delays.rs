//! For how long a thread that asks is held up: by chance, from a seed; or, where threads and processes take turns, until
//! those that began before it have ended.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Conditions;
use super::lineage::Lineage;
use crate::digest::Digest;

/// What is held up.
#[derive(Debug)]
pub struct Delays {
    seed: u64,
    turns: Option<Duration>,
    lineage: Arc<Lineage>,
    /// How often somebody was.
    count: u64,
}

/// What a thread waits for.
#[derive(Debug)]
pub enum Wait {
    /// That time passes.
    For(Duration),
    /// That it is its turn, or that this much time has passed: those before it may wait for it.
    Turn(i32, Duration, Arc<Lineage>),
}

impl Delays {
    /// As the conditions say.
    #[must_use]
    pub fn of(conditions: &Conditions, lineage: &Arc<Lineage>) -> Self {
        Self {
            seed: conditions.delays.unwrap_or_default(),
            turns: conditions.turns.map(Duration::from_millis),
            lineage: Arc::clone(lineage),
            count: 0,
        }
    }

    /// What this thread waits for.
    pub fn next(&mut self, thread: i32) -> Wait {
        self.count += 1;
        if let Some(longest) = self.turns {
            return Wait::Turn(thread, longest, Arc::clone(&self.lineage));
        }
        let mixed = Digest::of(format!("{} {}", self.seed, self.count)).hex();
        Wait::For(Duration::from_micros(u64::from_str_radix(&mixed[..3], 16).unwrap_or(0) / 2))
    }
}

impl Wait {
    /// Waits.
    pub fn pass(self) {
        const LOOK: Duration = Duration::from_millis(1);
        match self {
            Self::For(time) => std::thread::sleep(time),
            Self::Turn(thread, longest, lineage) => {
                let end = Instant::now() + longest;
                while lineage.is_behind(thread) && Instant::now() < end {
                    std::thread::sleep(LOOK);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whose_turn_it_is_waits_for_nothing_and_the_next_until_the_first_has_ended() {
        let lineage = Arc::new(Lineage::default());
        lineage.born(10, 11);
        lineage.born(10, 12);
        lineage.born(11, 13);
        let behind = || [10, 11, 12, 13].map(|thread| lineage.is_behind(thread));
        assert_eq!(behind(), [false, false, true, false], "what the first one began belongs to its turn");
        lineage.ended(11);
        lineage.ended(13);
        assert_eq!(behind(), [false; 4], "who began them is not waited for");
    }

    #[test]
    fn a_turn_comes_even_if_those_before_do_not_end() {
        let lineage = Arc::new(Lineage::default());
        lineage.born(10, 11);
        lineage.born(10, 12);
        let conditions = Conditions {
            turns: Some(2),
            ..Conditions::default()
        };
        Delays::of(&conditions, &lineage).next(12).pass();
        assert!(lineage.is_behind(12));
    }

    #[test]
    fn delays_by_chance_are_short_and_follow_the_seed() {
        let waits = |seed| {
            let conditions = Conditions {
                delays: Some(seed),
                ..Conditions::default()
            };
            let mut delays = Delays::of(&conditions, &Arc::default());
            let micros = |wait| match wait {
                Wait::For(time) => time.as_micros(),
                Wait::Turn(..) => panic!("nobody takes turns"),
            };
            (0..50).map(|_| micros(delays.next(1))).collect::<Vec<_>>()
        };
        assert_eq!(waits(1), waits(1));
        assert_ne!(waits(1), waits(2));
        assert!(waits(1).iter().all(|wait| *wait < 2048));
    }
}
