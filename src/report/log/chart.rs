//! How a metric went, drawn in letters: a line a lock, with its place between the least and the greatest.

use std::collections::BTreeSet;

use textwrap::core::display_width;

use super::{date, short};
use crate::history::{Entry, has_branches};
use crate::outcome::Metric;
use crate::report::human::{FAINT, NAME};
use crate::text::layout::{Layout, padded};
use crate::text::visible;

/// The columns of the plot, from what still shows a direction to what suffices.
const NARROWEST: usize = 8;
const WIDEST: usize = 32;

/// A tag has so many columns.
const LABEL: usize = 14;

/// The digits of a commit, where there is room for them and where there is not.
const DIGITS: [usize; 2] = [12, 7];

/// Blanks between the columns, and the plot's two edges.
const BETWEEN: usize = 9;

/// The names of all metrics, each with its stage before it.
#[must_use]
pub fn metrics(entries: &[Entry]) -> BTreeSet<(&str, &str)> {
    let stages = entries.iter().filter_map(|entry| entry.read.as_ref().ok()).flat_map(|read| &read.outcome);
    stages
        .flat_map(|(stage, outcome)| outcome.metrics.keys().map(move |name| (stage.as_str(), name.as_str())))
        .collect()
}

/// How a metric went, the oldest first. The metric is `NAME` or `STAGE.NAME`; none if no lock has it.
#[must_use]
pub fn chart(entries: &[Entry], metric: &str, layout: Layout) -> Option<String> {
    // Either part may have a dot in it.
    let is_it = |(stage, name): &(&str, &str)| *name == metric || format!("{stage}.{name}") == metric;
    let charts: Vec<String> = metrics(entries)
        .into_iter()
        .filter(is_it)
        .map(|name| one(entries, name, layout))
        .collect();
    (!charts.is_empty()).then(|| charts.join("\n"))
}

/// A lock's row: what it is called, and its value.
struct Row<'a> {
    entry: &'a Entry,
    label: String,
    value: String,
    number: Option<f64>,
}

fn one(entries: &[Entry], (stage, name): (&str, &str), layout: Layout) -> String {
    let rows: Vec<Row<'_>> = entries.iter().rev().map(|entry| row(entry, stage, name)).collect();
    let numbers = || rows.iter().filter_map(|row| row.number);
    let bounds = (numbers().fold(f64::INFINITY, f64::min), numbers().fold(f64::NEG_INFINITY, f64::max));
    let widest = |texts: &dyn Fn(&Row<'_>) -> usize| rows.iter().map(texts).max().unwrap_or(0);
    let labels = widest(&|row| display_width(&row.label));
    let values = widest(&|row| display_width(&row.value));
    let beside = |digits: usize| digits + labels + values + BETWEEN;
    let has_room = |digits: &usize| beside(*digits) + NARROWEST <= layout.columns();
    let digits = DIGITS.into_iter().find(has_room).unwrap_or(DIGITS[1]);
    let columns = layout.columns().saturating_sub(beside(digits)).clamp(NARROWEST, WIDEST);
    let mut text =
        format!("{NAME}{}{NAME:#} {FAINT}(stage {}), oldest first{FAINT:#}\n", visible(name), visible(stage));
    if has_branches(entries) {
        let words = "The history has branches: the values are in the order of their commits.";
        text += &layout.wrapped("  ", "", words);
    }
    for row in &rows {
        let commit = short(row.entry).get(..digits).unwrap_or(short(row.entry));
        let plot = row.number.map_or_else(String::new, |number| plot(number, bounds, columns));
        let line = format!("  {commit} {}  {}  {plot}", padded(&row.label, labels), padded(&row.value, values));
        text += line.trim_end();
        text.push('\n');
    }
    text
}

fn row<'a>(entry: &'a Entry, stage: &str, name: &str) -> Row<'a> {
    let outcome = entry.read.as_ref().ok().and_then(|read| read.outcome.get(stage));
    let metric = outcome.and_then(|outcome| outcome.metrics.get(name));
    let label = entry.tags.first().map_or_else(|| date(entry), |tag| visible(tag));
    Row {
        entry,
        label: cut(&label, LABEL),
        value: metric.map_or_else(|| "—".to_owned(), |metric| visible(&metric.shown())),
        number: metric.and_then(Metric::number).filter(|number| number.is_finite()),
    }
}

fn plot(number: f64, (least, greatest): (f64, f64), columns: usize) -> String {
    // Halves, since the whole range may be beyond what a number holds.
    let range = greatest / 2.0 - least / 2.0;
    let part = if range > 0.0 {
        (number / 2.0 - least / 2.0) / range
    } else {
        0.5
    };
    let before = (part * (columns - 1) as f64).round() as usize;
    let after = columns - 1 - before;
    format!("{FAINT}│{FAINT:#}{}●{}{FAINT}│{FAINT:#}", " ".repeat(before), " ".repeat(after))
}

/// The beginning that fits into so many columns.
fn cut(text: &str, columns: usize) -> String {
    let mut cut = String::new();
    for letter in text.chars() {
        cut.push(letter);
        if display_width(&cut) > columns {
            cut.pop();
            break;
        }
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_beyond_all_numbers_has_its_ends() {
        let ends = (-f64::MAX, f64::MAX);
        assert!(plot(-f64::MAX, ends, 8).contains("●       "));
        assert!(plot(f64::MAX, ends, 8).contains("       ●"));
        assert!(plot(1.0, (1.0, 1.0), 8).contains("    ●   "));
    }

    #[test]
    fn a_wide_letter_is_not_cut_in_two() {
        assert_eq!(cut("学習中", 5), "学習");
        assert_eq!(cut("abc", 14), "abc");
    }
}
