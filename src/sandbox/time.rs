//! The time that is told in place of the kernel's: a wall clock that stands still while timers go on, or,
//! for diagnosis, clocks that pass only by being asked.

use super::Conditions;
use super::thread_ids::Line;

/// The clocks that tell the date (clock_gettime(2)): `REALTIME`, `REALTIME_COARSE`, `TAI`.
pub const WALL_CLOCKS: &[u32] = &[0, 5, 11];

/// A date for diagnosis where none is asked for: 2001-09-09, a round number of seconds.
const SOME_DATE: i64 = 1_000_000_000;

/// Where timers begin that pass only by being asked: soon after the machine's start, so that a deadline counted from
/// here has passed for the kernel.
const SOON: i64 = 1;

const NANOSECONDS: u64 = 1_000_000_000;

/// Seconds and nanoseconds.
pub type Moment = (i64, i64);

/// What the clock of that number shows this thread; none if it is the kernel's to say.
#[must_use]
pub fn clock(conditions: &Conditions, line: &mut Line, number: u64) -> Option<Moment> {
    let tells_date = WALL_CLOCKS.iter().any(|clock| u64::from(*clock) == number & 0xffff_ffff);
    match (conditions.tick, conditions.clock) {
        (Some(tick), date) => {
            let passed = line.tick() * tick;
            let start = if tells_date { date.unwrap_or(SOME_DATE) } else { SOON };
            let seconds = i64::try_from(passed / NANOSECONDS).unwrap_or(i64::MAX);
            Some((start.saturating_add(seconds), i64::try_from(passed % NANOSECONDS).unwrap_or(0)))
        }
        (None, Some(date)) if tells_date => Some((date, 0)),
        _ => None,
    }
}

/// The processor's counter, where it passes only by being asked.
#[must_use]
pub fn counter(line: &mut Line, tick: u64) -> u64 {
    SOON.unsigned_abs() * NANOSECONDS + line.tick() * tick
}

/// As two words in memory: `struct timespec`, or with microseconds `struct timeval`.
#[must_use]
pub fn words((seconds, fraction): Moment) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&seconds.to_ne_bytes());
    bytes[8..].copy_from_slice(&fraction.to_ne_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::super::thread_ids::ThreadIds;
    use super::*;

    fn ask(conditions: &Conditions, clocks: &[u64]) -> Vec<Option<Moment>> {
        let lineage = ThreadIds::default();
        clocks
            .iter()
            .map(|number| lineage.with(1, |line| clock(conditions, line, *number)))
            .collect()
    }

    #[test]
    fn a_frozen_date_leaves_timers_to_the_kernel() {
        let frozen = Conditions {
            clock: Some(7),
            ..Conditions::default()
        };
        assert_eq!(ask(&frozen, &[0, 1, 5, 0]), [Some((7, 0)), None, Some((7, 0)), Some((7, 0))]);
    }

    #[test]
    fn ticking_clocks_pass_by_being_asked() {
        let ticking = Conditions {
            tick: Some(NANOSECONDS / 2),
            ..Conditions::default()
        };
        assert_eq!(ask(&ticking, &[1, 1]), [Some((1, 500_000_000)), Some((2, 0))]);
    }
}
