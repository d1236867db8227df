//! Points in time as attestations have them: whole seconds since 1970, written as RFC 3339 in UTC. What
//! time it is now is for [`crate::os::env`].

use std::time::{Duration, UNIX_EPOCH};

/// The last second of the year 9999; RFC 3339 has no later one.
const LAST: i64 = 253_402_300_799;

/// As text; what lies outside the years 1970 to 9999 becomes the nearest that does not.
#[must_use]
pub fn text(seconds: i64) -> String {
    let seconds = seconds.clamp(0, LAST).unsigned_abs();
    humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_secs(seconds)).to_string()
}

/// From text; a fraction of a second is dropped.
#[must_use]
pub fn parse(text: &str) -> Option<i64> {
    let time = humantime::parse_rfc3339(text).ok()?;
    let since = time.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_secs()).ok()
}

/// A length of time for people: `30 days`, `1 h 30 m`.
#[must_use]
pub fn length(time: Duration) -> String {
    let mut text = String::new();
    for c in humantime::format_duration(time).to_string().chars() {
        if c.is_ascii_alphabetic() && text.ends_with(|before: char| before.is_ascii_digit()) {
            text.push(' ');
        }
        text.push(c);
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn times_are_written_as_rfc_3339_has_them() {
        assert_eq!(text(0), "1970-01-01T00:00:00Z");
        assert_eq!(text(1_795_478_400), "2026-11-24T00:00:00Z");
        assert_eq!(text(i64::MAX), "9999-12-31T23:59:59Z");
        assert_eq!(text(-1), "1970-01-01T00:00:00Z");
    }

    #[test]
    fn another_zone_and_no_zone_are_refused() {
        assert_eq!(parse("2026-11-24T00:00:00.9Z"), Some(1_795_478_400));
        assert_eq!(parse("2026-11-24T00:00:00+01:00"), None);
        assert_eq!(parse("2026-11-24T00:00:00"), None);
        assert_eq!(parse("2026-11-24"), None);
    }

    #[test]
    fn a_length_of_time_has_its_units_apart() {
        assert_eq!(length(Duration::from_secs(30 * 24 * 3600)), "30 days");
        assert_eq!(length(Duration::from_secs(5400)), "1 h 30 m");
    }

    proptest! {
        #[test]
        fn a_time_reads_back_from_its_text(seconds in 0..=LAST) {
            prop_assert_eq!(parse(&text(seconds)), Some(seconds));
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,40}|[0-9TZ:.+-]{0,30}") {
            let _ = parse(&text);
        }
    }
}
