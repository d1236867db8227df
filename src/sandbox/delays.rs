//! For how long a thread that asks is held up: by chance, from a seed; or, where threads and processes take turns, until
//! all those before it have ended or sleep.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use libc::c_long;

use super::Conditions;
use super::process_memory::Thread;
use super::thread_ids::{ThreadIds, Word};
use crate::digest::Digest;

/// What is held up.
#[derive(Debug)]
pub struct Delays {
    seed: u64,
    turns: Option<Duration>,
    lineage: Arc<ThreadIds>,
    /// How often somebody was.
    count: u64,
    /// How often one still waits to the end for those before it, which may wait for it.
    patience: Arc<AtomicU32>,
}

/// What a thread waits for.
#[derive(Debug)]
pub enum Wait {
    /// That time passes.
    For(Duration),
    /// That it is its turn.
    Turn {
        /// The thread.
        thread: i32,
        /// For how long at most.
        longest: Duration,
        /// Which other threads there are.
        lineage: Arc<ThreadIds>,
        /// How often that may still be.
        patience: Arc<AtomicU32>,
    },
}

impl Delays {
    /// As the conditions say.
    #[must_use]
    pub fn of(conditions: &Conditions, lineage: &Arc<ThreadIds>) -> Self {
        const PATIENCE: u32 = 20;
        Self {
            seed: conditions.delays.unwrap_or_default(),
            turns: conditions.turns.map(Duration::from_millis),
            lineage: Arc::clone(lineage),
            count: 0,
            patience: Arc::new(AtomicU32::new(PATIENCE)),
        }
    }

    /// What this thread waits for. If it is about to sleep until a word of its memory changes, it is that one.
    pub fn next(&mut self, thread: i32, sleeps_on: Option<Word>) -> Wait {
        self.count += 1;
        if let Some(longest) = self.turns {
            self.lineage.with(thread, |line| line.sleeps_on = sleeps_on);
            return Wait::Turn {
                thread,
                longest,
                lineage: Arc::clone(&self.lineage),
                patience: Arc::clone(&self.patience),
            };
        }
        let mixed = Digest::of(format!("{} {}", self.seed, self.count)).hex();
        Wait::For(Duration::from_micros(u64::from_str_radix(&mixed[..3], 16).unwrap_or(0) / 2))
    }
}

/// The word on which a call of futex(2) sleeps, if it does.
#[must_use]
pub fn sleeps_on(number: c_long, args: [u64; 6]) -> Option<Word> {
    const COMMAND: u64 = 0x7f;
    let command = libc::c_int::try_from(args[1] & COMMAND).ok()?;
    let sleeps = number == libc::SYS_futex && matches!(command, libc::FUTEX_WAIT | libc::FUTEX_WAIT_BITSET);
    sleeps.then_some(Word {
        address: args[0],
        value: args[2] as u32,
    })
}

/// Whether a thread would still sleep: nobody has changed the word. One that cannot be asked does not.
fn is_asleep(thread: i32, word: Word) -> bool {
    let mut bytes = [0; 4];
    let read = Thread(thread).read(word.address, &mut bytes);
    read.is_ok_and(|read| read == bytes.len()) && u32::from_ne_bytes(bytes) == word.value
}

impl Wait {
    /// Waits.
    pub fn pass(self) {
        const LOOK: Duration = Duration::from_millis(1);
        match self {
            Self::For(time) => std::thread::sleep(time),
            Self::Turn {
                thread,
                longest,
                lineage,
                patience,
            } => {
                let end = Instant::now() + longest;
                while patience.load(Ordering::Relaxed) > 0 && !lineage.is_turn_of(thread, is_asleep) {
                    if Instant::now() >= end {
                        let _ = patience.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
                        break;
                    }
                    std::thread::sleep(LOOK);
                }
                // If nobody woke it, the kernel lets it sleep on.
                lineage.with(thread, |line| line.sleeps_on = None);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whose_turn_it_is_waits_for_nothing_and_the_next_until_the_first_has_ended() {
        let lineage = Arc::new(ThreadIds::default());
        lineage.born(10, 11);
        lineage.born(10, 12);
        lineage.born(11, 13);
        let turns = |asleep: &[i32]| {
            let is_asleep = |thread, _| asleep.contains(&thread);
            [10, 11, 12, 13].map(|thread| lineage.is_turn_of(thread, is_asleep))
        };
        assert_eq!(turns(&[]), [true, true, false, true], "what the first one began belongs to its turn");
        let word = Word { address: 0, value: 0 };
        for thread in [11, 13] {
            lineage.with(thread, |line| line.sleeps_on = Some(word));
        }
        assert_eq!(turns(&[11]), [true, false, false, true]);
        assert_eq!(turns(&[11, 13]), [true, false, true, false], "who sleeps lets others go");
        lineage.ended(11);
        lineage.ended(13);
        assert!(turns(&[])[2], "who began it is not waited for");
    }

    #[test]
    fn a_turn_comes_even_if_those_before_do_not_end() {
        let lineage = Arc::new(ThreadIds::default());
        lineage.born(10, 11);
        lineage.born(10, 12);
        let conditions = Conditions {
            turns: Some(2),
            ..Conditions::default()
        };
        Delays::of(&conditions, &lineage).next(12, None).pass();
        assert!(!lineage.is_turn_of(12, |_, _| false));
    }

    #[test]
    fn only_a_call_that_sleeps_names_the_word_it_sleeps_on() {
        let private = |command: libc::c_int| [64, u64::from((command | 128).cast_unsigned()), 7, 0, 0, 0];
        let word = Word { address: 64, value: 7 };
        assert_eq!(sleeps_on(libc::SYS_futex, private(libc::FUTEX_WAIT)), Some(word));
        assert_eq!(sleeps_on(libc::SYS_futex, private(libc::FUTEX_WAIT_BITSET)), Some(word));
        assert_eq!(sleeps_on(libc::SYS_futex, private(libc::FUTEX_WAKE)), None);
        assert_eq!(sleeps_on(libc::SYS_sched_yield, private(libc::FUTEX_WAIT)), None);
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
                Wait::Turn { .. } => panic!("nobody takes turns"),
            };
            (0..50).map(|_| micros(delays.next(1, None))).collect::<Vec<_>>()
        };
        assert_eq!(waits(1), waits(1));
        assert_ne!(waits(1), waits(2));
        assert!(waits(1).iter().all(|wait| *wait < 2048));
    }
}
