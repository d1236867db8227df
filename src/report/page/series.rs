//! The metrics of a history as series of points: which of them are drawn, and what cannot be. Numbers in, numbers
//! out; drawing is [`super::chart`]'s.

use std::collections::{BTreeMap, BTreeSet};

use crate::history::Entry;
use crate::outcome::Metric;
use crate::report::report_data::ReportData;

/// One metric over the locks.
#[derive(Debug, Default)]
pub(super) struct Series<'a> {
    /// Every lock that has it, the oldest first.
    pub(super) points: Vec<Point<'a>>,
    /// What the verification found instead, where that is another value.
    pub(super) found: Option<&'a Metric>,
}

/// A lock that has the metric.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point<'a> {
    /// Which lock of the history, counted from the oldest.
    pub(super) at: usize,
    /// The lock.
    pub(super) entry: &'a Entry,
    /// The value.
    pub(super) metric: &'a Metric,
    /// The value, if it can be drawn.
    pub(super) number: Option<f64>,
    /// Whether it is the lock that the page is about.
    pub(super) is_current: bool,
    /// Which lock of the history it follows on its own branch, counted so too.
    before: Option<usize>,
}

impl Point<'_> {
    /// Whether the lock was recorded with uncommitted changes, or edited.
    pub(super) fn is_doubtful(&self) -> bool {
        self.entry.read.as_ref().is_ok_and(|read| read.record.dirty || read.is_edited())
    }
}

/// A metric's number where it can be drawn.
pub(super) fn finite(metric: &Metric) -> Option<f64> {
    metric.number().filter(|number| number.is_finite())
}

/// Every metric of the history by stage and name.
pub(super) fn all<'a>(facts: &'a ReportData<'_>) -> BTreeMap<(&'a str, &'a str), Series<'a>> {
    let entries = &facts.history.entries;
    let is_this = |entry: &Entry| match (&entry.read, facts.lock) {
        (Ok(read), Some(lock)) => read.actual_id == lock.actual_id,
        _ => false,
    };
    let current = entries.iter().position(is_this).map(|newer| entries.len() - 1 - newer);
    let mut all: BTreeMap<(&str, &str), Series<'_>> = BTreeMap::new();
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for (at, entry) in entries.iter().rev().enumerate() {
        let before = entry.before.as_deref().and_then(|commit| places.get(commit).copied());
        places.insert(&entry.commit, at);
        let Ok(read) = &entry.read else { continue };
        for (stage, outcome) in &read.outcome {
            for (name, metric) in &outcome.metrics {
                let series = all.entry((stage, name)).or_default();
                series.points.push(Point {
                    at,
                    entry,
                    metric,
                    number: finite(metric),
                    is_current: current == Some(at),
                    before,
                });
            }
        }
    }
    let verdict = facts.judged.ok().filter(|verdict| verdict.runs > 0);
    for ((stage, name), series) in &mut all {
        let locked = series.points.iter().find(|point| point.is_current).map(|point| &point.metric.bits);
        let found = verdict.and_then(|verdict| verdict.outcome.get(*stage)?.metrics.get(*name));
        series.found = found.filter(|found| locked.is_some_and(|locked| *locked != found.bits));
    }
    all
}

impl<'a> Series<'a> {
    /// The points with a number.
    pub(super) fn drawable(&self) -> Vec<(f64, Point<'a>)> {
        self.points.iter().filter_map(|point| Some((point.number?, *point))).collect()
    }
}

/// Which of the kept points, of all that can be drawn, follow each other on a branch: the later one first. What was
/// left out between two is passed over, but not a lock without a number to draw.
pub(super) fn neighbours<'a>(kept: &[(f64, Point<'a>)], drawable: &[(f64, Point<'a>)]) -> Vec<[(f64, Point<'a>); 2]> {
    let before = |point: &Point<'a>| find(drawable, point.before?).map(|(_, point)| point);
    let kept_before = |point: &Point<'a>| {
        let mut olds = std::iter::successors(before(point), before);
        olds.find_map(|old| find(kept, old.at))
    };
    kept.iter().filter_map(|later| Some([*later, kept_before(&later.1)?])).collect()
}

/// The point of a lock; they are sorted by it.
fn find<'a>(points: &[(f64, Point<'a>)], at: usize) -> Option<(f64, Point<'a>)> {
    points.binary_search_by_key(&at, |(_, point)| point.at).ok().map(|found| points[found])
}

/// The least and the greatest of some numbers; none of none.
pub(super) fn bounds(numbers: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    numbers.fold(None, |bounds, number| match bounds {
        None => Some((number, number)),
        Some((least, greatest)) => Some((f64::min(least, number), f64::max(greatest, number))),
    })
}

/// The points with the least and the greatest of some numbers; none of none.
pub(super) fn extremes<'p, 'a>(points: &'p [(f64, Point<'a>)]) -> Option<[&'p Point<'a>; 2]> {
    let by_number = |one: &&(f64, Point<'a>), other: &&(f64, Point<'a>)| one.0.total_cmp(&other.0);
    let (least, greatest) = (points.iter().min_by(by_number)?, points.iter().max_by(by_number)?);
    Some([&least.1, &greatest.1])
}

/// Which of so many points are drawn: the first, the last, the least, the greatest, the current one; of the tagged
/// ones all, or as many as leave room; and of the others some at even distances.
pub(super) fn thinned(points: &[(f64, Point<'_>)], most: usize) -> Vec<usize> {
    if points.len() <= most {
        return (0..points.len()).collect();
    }
    let by_number = |one: &usize, other: &usize| points[*one].0.total_cmp(&points[*other].0);
    let mut kept: BTreeSet<usize> = [0, points.len() - 1].into();
    kept.extend((0..points.len()).min_by(by_number));
    kept.extend((0..points.len()).max_by(by_number));
    kept.extend(points.iter().position(|(_, point)| point.is_current));
    let tagged: Vec<usize> = (0..points.len()).filter(|at| !points[*at].1.entry.tags.is_empty()).collect();
    kept.extend(evenly(tagged.len(), most / 2).map(|at| tagged[at]));
    kept.extend(evenly(points.len(), most.saturating_sub(kept.len())));
    kept.into_iter().collect()
}

/// So many of a number of places, the first and the last among them.
fn evenly(of: usize, most: usize) -> impl Iterator<Item = usize> {
    let number = of.min(most);
    (0..number).map(move |at| if number < 2 { at } else { at * (of - 1) / (number - 1) })
}

/// Round numbers within bounds, at most about five, with their texts.
pub(super) fn ticks(least: f64, greatest: f64) -> Vec<(f64, String)> {
    let range = greatest / 2.0 - least / 2.0;
    // Decimal text is the same on every machine; a logarithm need not be.
    let step = rounded_up(range / 2.0);
    let Some((step, exponent)) = step.filter(|(step, _)| step.is_normal() && least < greatest) else {
        return vec![(least, label(least, 0, true))];
    };
    let first = (least / step).ceil();
    let numbers = (0..8).map(|at| (first + f64::from(at)) * step).take_while(|number| *number <= greatest);
    let is_long = !(-6..=6).contains(&exponent) || least.abs().max(greatest.abs()) >= 1e7;
    let mut ticks: Vec<(f64, String)> = numbers.map(|number| (number, label(number, exponent, is_long))).collect();
    ticks.dedup_by(|one, other| one.1 == other.1);
    ticks
}

/// The next of 1, 2, 2.5, 5 and 10 times a power of ten, and the exponent of its last digit.
fn rounded_up(number: f64) -> Option<(f64, i32)> {
    let text = format!("{number:e}");
    let (mantissa, exponent) = text.split_once('e')?;
    let (mantissa, exponent): (f64, i32) = (mantissa.parse().ok()?, exponent.parse().ok()?);
    let (digits, shift) = match mantissa {
        ..=1.0 => ("1", 0),
        ..=2.0 => ("2", 0),
        ..=2.5 => ("25", -1),
        ..=5.0 => ("5", 0),
        _ => ("1", 1),
    };
    let exponent = exponent + shift;
    Some((format!("{digits}e{exponent}").parse().ok()?, exponent))
}

fn label(number: f64, exponent: i32, is_long: bool) -> String {
    // No negative zero: it would be a mark of the arithmetic.
    let number = if number == 0.0 { 0.0 } else { number };
    if is_long && number.abs() < 1e7 && number.abs() >= 1e-4 || number == 0.0 && is_long {
        let text = number.to_string();
        return match number.abs() {
            _ if text.len() <= 9 => text,
            1e-2..1e4 => format!("{number:.4}"),
            _ => format!("{number:.2e}"),
        };
    }
    if is_long {
        return format!("{number:.2e}");
    }
    format!("{number:.*}", usize::try_from(-exponent).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(least: f64, greatest: f64) -> Vec<String> {
        ticks(least, greatest).into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn ticks_are_round_and_few() {
        assert_eq!(texts(0.0, 1.0), ["0.00", "0.25", "0.50", "0.75", "1.00"]);
        assert_eq!(texts(0.6713, 0.6978), ["0.68", "0.69"]);
        assert_eq!(texts(-3.0, 7.0), ["-2.5", "0.0", "2.5", "5.0"]);
        assert_eq!(texts(120.0, 480.0), ["200", "300", "400"]);
        assert_eq!(texts(0.5, 0.5), ["0.5"]);
        assert_eq!(texts(0.649_747_140_522_875_9, 0.649_747_140_522_875_9), ["0.6497"]);
    }

    #[test]
    fn the_widest_and_the_narrowest_ranges_have_ticks() {
        for (least, greatest) in [
            (-f64::MAX, f64::MAX),
            (0.0, f64::MIN_POSITIVE / 8.0),
            (1.0, 1.0 + f64::EPSILON),
            (1e300, 2e300),
        ] {
            let ticks = ticks(least, greatest);
            assert!(ticks.len() < 9, "{least} {greatest}: {ticks:?}");
            assert!(ticks.iter().all(|(number, text)| number.is_finite() && text.len() < 12), "{ticks:?}");
        }
    }

    #[test]
    fn a_choice_at_even_distances_has_both_ends() {
        assert_eq!(evenly(10, 4).collect::<Vec<_>>(), [0, 3, 6, 9]);
        assert_eq!(evenly(3, 4).collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!(evenly(5, 1).collect::<Vec<_>>(), [0]);
        assert_eq!(evenly(0, 4).count(), 0);
    }
}
