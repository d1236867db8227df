//! How each metric went over the locks in the git history: a drawing, the figures below it, and what could not be
//! drawn.

use maud::{Markup, html};

use super::View;
use super::chart::{self, Drawing};
use super::series::{self, Point, Series, extremes, finite, neighbours, thinned};
use super::text::{code, count, shortened, shown};
use crate::history::{History, has_branches};

/// Points of one drawing: at most, and at least where many drawings share the page.
const MOST_POINTS: usize = 100;
const LEAST_POINTS: usize = 24;

/// Values that cannot be drawn are listed up to so many.
const MOST_UNDRAWN: usize = 8;

/// The section; none where the history was not read, or has no lock.
pub(super) fn section(view: View<'_>) -> Option<Markup> {
    let history = &view.facts.history;
    if history.entries.is_empty() {
        return Some(html! { p { "The git history has no lock yet, so there is no course to show." } });
    }
    let all = series::all(view.facts);
    let mut metrics: Vec<_> = all.iter().collect();
    // What is not as locked is worth the most room.
    metrics.sort_by_key(|(_, series)| series.found.is_none());
    let (drawn, rest) = metrics.split_at(metrics.len().min(view.limits.charts));
    let points = (view.limits.points / drawn.len().max(1)).clamp(LEAST_POINTS, MOST_POINTS);
    Some(html! {
        p { (introduction(history)) }
        @if all.is_empty() {
            p { "None of them has a metric." }
        } @else {
            (chart::shapes())
            (chart::legend())
        }
        @for (at, ((stage, name), series)) in drawn.iter().enumerate() {
            (figure(view, at, (stage, name), series, points))
        }
        @if !rest.is_empty() { (others(view, rest)) }
    })
}

fn introduction(history: &History) -> String {
    let unreadable = history.entries.iter().filter(|entry| entry.read.is_err()).count();
    let mut text = format!(
        "{} in the history of this commit, the oldest at the left.",
        count(history.entries.len(), "lock", "locks")
    );
    if has_branches(&history.entries) {
        text += " The history has branches: a line leads to each lock from the one before it on its branch.";
    }
    if unreadable > 0 {
        text += &format!(" {unreadable} of them cannot be read by this version.");
    }
    if history.is_shallow {
        text += " The clone is shallow: older ones may be missing.";
    }
    text
}

fn figure(view: View<'_>, at: usize, (stage, name): (&str, &str), series: &Series<'_>, most: usize) -> Markup {
    let drawable = series.drawable();
    let kept: Vec<(f64, Point<'_>)> = thinned(&drawable, most).into_iter().map(|at| drawable[at]).collect();
    let found = series.found.and_then(finite);
    let plain = |text: &str| {
        let text = shown(text);
        shortened(&text, 60).unwrap_or(text)
    };
    let caption = caption(view, series, drawable.len(), kept.len());
    let drawing = Drawing {
        id: format!("chart-{at}"),
        title: format!("{} of stage {} over the locks", plain(name), plain(stage)),
        description: description(&drawable),
        points: &kept,
        lines: &neighbours(&kept, &drawable),
        found,
        locks: view.facts.history.entries.len(),
    };
    html! {
        figure {
            h3 { (code(name, 60)) " " span.of-stage { "of stage " (code(stage, 60)) } }
            @if !kept.is_empty() { (chart::draw(&drawing)) }
            figcaption {
                p { (caption) }
                (undrawn(view, series))
                @if !kept.is_empty() { (figures(&kept)) }
            }
        }
    }
}

fn description(points: &[(f64, Point<'_>)]) -> String {
    match (points.first(), points.last(), extremes(points)) {
        (Some((_, first)), Some((_, last)), Some([least, greatest])) => format!(
            "{}: from {} on {} to {} on {}; the least is {}, the greatest {}.",
            count(points.len(), "value", "values"),
            chart::value(first.metric),
            chart::date(first.entry),
            chart::value(last.metric),
            chart::date(last.entry),
            chart::value(least.metric),
            chart::value(greatest.metric),
        ),
        _ => String::new(),
    }
}

/// What the drawing leaves out.
fn caption(view: View<'_>, series: &Series<'_>, drawable: usize, kept: usize) -> Markup {
    let missing = view.facts.history.entries.len() - series.points.len();
    html! {
        @if kept == 0 { "Nothing can be drawn. " }
        @else if kept < drawable {
            "Of " (drawable) " values " (kept) " are drawn: the first, the last, the least, the greatest, this page's, those with a tag as far as there is room, and others at even distances. "
        } @else { (count(kept, "value", "values")) ". " }
        @if missing > 0 { (count(missing, "lock does", "locks do")) " not have it. " }
        @if let Some(found) = series.found {
            strong { "Found instead of the locked value: " (chart::value(found)) } ". "
        }
    }
}

/// Not numbers, and beyond all numbers.
fn undrawn(view: View<'_>, series: &Series<'_>) -> Markup {
    let points: Vec<&Point<'_>> = series.points.iter().filter(|point| point.number.is_none()).collect();
    html! {
        @if !points.is_empty() {
            p {
                (count(points.len(), "value is", "values are")) " no finite number and not drawn: "
                @for (at, point) in points.iter().rev().take(MOST_UNDRAWN).enumerate() {
                    @if at > 0 { ", " }
                    (chart::value(point.metric)) " at " (commit(view, point))
                }
                @if points.len() > MOST_UNDRAWN { ", and " (points.len() - MOST_UNDRAWN) " older ones" }
                "."
            }
        }
    }
}

fn short(point: &Point<'_>) -> String {
    let commit = &point.entry.commit;
    shown(commit.get(..12).unwrap_or(commit))
}

fn commit(view: View<'_>, point: &Point<'_>) -> Markup {
    html! { code { (short(point)) } @if let Some(tag) = point.entry.tags.first() { " (" (code(tag, view.limits.text.min(40))) ")" } }
}

/// The same as a table.
fn figures(kept: &[(f64, Point<'_>)]) -> Markup {
    html! {
        details {
            summary { "These values as a table" }
            table.values {
                thead { tr { th scope="col" { "Lock of commit" } th scope="col" { "Date" } th scope="col" { "Value" } th scope="col" { "Remarks" } } }
                tbody {
                    @for (_, point) in kept {
                        tr {
                            td { code { (short(point)) } }
                            td { (chart::date(point.entry)) }
                            td.number { (chart::value(point.metric)) }
                            td { (remarks(point)) }
                        }
                    }
                }
            }
        }
    }
}

fn remarks(point: &Point<'_>) -> Markup {
    html! {
        @if let Some(tag) = point.entry.tags.first() { (code(tag, 24)) " " }
        @if point.is_doubtful() { "dirty or edited " }
        @if point.is_current { b { "this page's" } }
    }
}

/// The course of the metrics that have no drawing.
fn others(view: View<'_>, rest: &[(&(&str, &str), &Series<'_>)]) -> Markup {
    let left_out = rest.len().saturating_sub(view.limits.rows);
    html! {
        h3 { "Further metrics" }
        table {
            thead { tr { th scope="col" { "Metric" } th scope="col" { "First" } th scope="col" { "Least" } th scope="col" { "Greatest" } th scope="col" { "Last" } } }
            tbody {
                @for ((stage, name), series) in rest.iter().take(view.limits.rows) {
                    @let drawable = series.drawable();
                    @let extremes = extremes(&drawable);
                    @let ends = series.points.first().zip(series.points.last());
                    tr {
                        th scope="row" { (code(name, 60)) span.of-stage { " of stage " (code(stage, 60)) } }
                        td.number data-label="First" { @if let Some((first, _)) = ends { (chart::value(first.metric)) } }
                        td.number data-label="Least" { @if let Some([least, _]) = extremes { (chart::value(least.metric)) } }
                        td.number data-label="Greatest" { @if let Some([_, greatest]) = extremes { (chart::value(greatest.metric)) } }
                        td.number data-label="Last" { @if let Some((_, last)) = ends { (chart::value(last.metric)) } }
                    }
                }
            }
        }
        @if left_out > 0 { p.left-out { "and " (left_out) " more" } }
    }
}
