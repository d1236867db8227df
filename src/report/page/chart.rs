//! A metric as a drawing. Places across are in percent and text is in pixels, so that it is as readable on a phone
//! as on a desk; marks differ by shape and fill, and colour only repeats that.

use maud::{Markup, html};

use super::series::{Point, bounds, ticks};
use super::text::{shortened, shown};
use crate::history::Entry;
use crate::outcome::Metric;
use crate::release::attestation::time;

/// From the top of the drawing to the greatest value, and to the least, in pixels.
const TOP: f64 = 34.0;
const BOTTOM: f64 = 176.0;
const HEIGHT: u32 = 214;

/// Names beside marks: how long they may be, and how much room half a character may take on a phone, in percent.
const LONGEST_NAME: usize = 14;
const HALF: f64 = 1.7;

/// What is drawn.
pub(super) struct Drawing<'a> {
    /// The id of the drawing, unlike any other of the page.
    pub(super) id: String,
    /// Its name for who cannot see it.
    pub(super) title: String,
    /// What it shows, for the same.
    pub(super) description: String,
    /// The points, the oldest first.
    pub(super) points: &'a [(f64, Point<'a>)],
    /// Those of them between which a line is drawn.
    pub(super) lines: &'a [[(f64, Point<'a>); 2]],
    /// What was found instead of the current one.
    pub(super) found: Option<f64>,
    /// How many locks the history has.
    pub(super) locks: usize,
}

/// Shapes that every drawing uses; they stand once on the page.
pub(super) fn shapes() -> Markup {
    html! {
        svg.shapes width="0" height="0" aria-hidden="true" focusable="false" {
            defs {
                circle #m-lock.mark.full r="4.5" {}
                circle #m-lock-open.mark.open r="4" {}
                path #m-tag.mark.full d="M0-7L7 0L0 7L-7 0z" {}
                path #m-tag-open.mark.open d="M0-6L6 0L0 6L-6 0z" {}
                circle #s-lock.mark.full.small r="2" {}
                circle #s-lock-open.mark.open.small r="2.5" {}
                path #s-tag.mark.full.small d="M0-4.5L4.5 0L0 4.5L-4.5 0z" {}
                path #s-tag-open.mark.open.small d="M0-4.5L4.5 0L0 4.5L-4.5 0z" {}
                circle #m-current.ring r="11" {}
                path #m-found.cross d="M-6-6L6 6M6-6L-6 6" {}
            }
        }
    }
}

/// What the marks mean.
pub(super) fn legend() -> Markup {
    let entries = [
        (&["m-lock"][..], "a lock"),
        (&["m-tag"][..], "a lock with a tag"),
        (&["m-lock-open", "m-tag-open"][..], "recorded with uncommitted changes, or edited"),
        (&["m-lock", "m-current"][..], "the lock of this page"),
        (&["m-found"][..], "what was found instead"),
    ];
    html! {
        ul.legend {
            @for (marks, words) in entries {
                li {
                    svg width=(if words.contains("uncommitted") { 44 } else { 26 }) height="26" aria-hidden="true" focusable="false" {
                        @for (at, mark) in marks.iter().enumerate() {
                            use href={ "#" (mark) } x=(if *mark == "m-tag-open" { 13 + 17 * at } else { 13 }) y="13" {}
                        }
                    }
                    " " (words)
                }
            }
        }
    }
}

/// The drawing.
pub(super) fn draw(drawing: &Drawing<'_>) -> Markup {
    let numbers = drawing.points.iter().map(|(number, _)| *number).chain(drawing.found);
    let Some((least, greatest)) = bounds(numbers) else {
        return html! {};
    };
    let scale = Scale {
        least,
        greatest,
        columns: drawing.locks + usize::from(drawing.found.is_some()),
    };
    let (title, description) = (format!("{}-t", drawing.id), format!("{}-d", drawing.id));
    html! {
        svg.plot width="100%" height=(HEIGHT) role="img" aria-labelledby={ (title) " " (description) } {
            title id=(title) { (drawing.title) }
            desc id=(description) { (drawing.description) }
            @for (number, text) in ticks(least, greatest) {
                @let y = scale.y(number);
                line.grid x1="0" x2="100%" y1=(y) y2=(y) {}
                text.tick x="-10" y=(y) dy="4" text-anchor="end" { (text) }
            }
            (curve(drawing, &scale))
            (marks(drawing, &scale))
            (names(drawing, &scale))
            (ends(drawing))
        }
    }
}

struct Scale {
    least: f64,
    greatest: f64,
    columns: usize,
}

impl Scale {
    /// Across, in percent; at the edges a mark has room.
    fn percent(&self, at: usize) -> f64 {
        if self.columns < 2 {
            return 50.0;
        }
        3.0 + 94.0 * at as f64 / (self.columns - 1) as f64
    }

    fn x(&self, at: usize) -> String {
        format!("{:.2}%", self.percent(at))
    }

    /// Down, in pixels. Halves, since the whole range may be beyond what a number holds.
    fn y(&self, number: f64) -> String {
        let range = self.greatest / 2.0 - self.least / 2.0;
        let part = if range > 0.0 {
            (number / 2.0 - self.least / 2.0) / range
        } else {
            0.5
        };
        format!("{:.1}", BOTTOM - part * (BOTTOM - TOP))
    }
}

/// The lines, so that each branch has its own.
fn curve(drawing: &Drawing<'_>, scale: &Scale) -> Markup {
    html! {
        g.curve {
            @for [(new, to), (old, from)] in drawing.lines {
                line x1=(scale.x(from.at)) y1=(scale.y(*old)) x2=(scale.x(to.at)) y2=(scale.y(*new)) {}
            }
        }
    }
}

/// More marks than these are small: on a phone they would run together.
const MOST_LARGE: usize = 32;

fn marks(drawing: &Drawing<'_>, scale: &Scale) -> Markup {
    let is_small = drawing.points.len() > MOST_LARGE;
    html! {
        @for (number, point) in drawing.points {
            @let (x, y) = (scale.x(point.at), scale.y(*number));
            @let mark = match (point.entry.tags.is_empty(), point.is_doubtful()) {
                (true, false) => "lock",
                (true, true) => "lock-open",
                (false, false) => "tag",
                (false, true) => "tag-open",
            };
            @if point.is_current { use href="#m-current" x=(x) y=(y) {} }
            use href={ (if is_small { "#s-" } else { "#m-" }) (mark) } x=(x) y=(y) {}
        }
        @if let Some(found) = drawing.found {
            use href="#m-found" x=(scale.x(drawing.locks)) y=(scale.y(found)) {}
        }
    }
}

/// The names of tags and of the current lock, as far as they do not run into each other. The current one's is kept.
fn names(drawing: &Drawing<'_>, scale: &Scale) -> Markup {
    let current = drawing.points.iter().filter(|(_, point)| point.is_current);
    let tagged = drawing
        .points
        .iter()
        .rev()
        .filter(|(_, point)| !point.is_current && !point.entry.tags.is_empty());
    // The middle of each, and half its width.
    let mut taken: Vec<(f64, f64)> = Vec::new();
    let mut named = Vec::new();
    for (number, point) in current.chain(tagged) {
        let (name, place) = (name(point), scale.percent(point.at));
        let half = HALF * name.chars().count() as f64;
        let (anchor, middle) = match place {
            place if place < half => ("start", place + half),
            place if place > 100.0 - half => ("end", place - half),
            place => ("middle", place),
        };
        if taken.iter().all(|(other, width)| (middle - other).abs() > half + width) {
            taken.push((middle, half + 1.0));
            named.push((number, point, anchor, name));
        }
    }
    html! {
        @for (number, point, anchor, name) in named {
            text.name x=(scale.x(point.at)) y=(scale.y(*number)) dy="-15" text-anchor=(anchor) { (name) }
        }
    }
}

fn name(point: &Point<'_>) -> String {
    let tag = point.entry.tags.first().map(|tag| shown(tag));
    let name = tag.unwrap_or_else(|| "this lock".to_owned());
    shortened(&name, LONGEST_NAME).unwrap_or(name)
}

/// The dates below the ends.
fn ends(drawing: &Drawing<'_>) -> Markup {
    let date = |point: Option<&(f64, Point<'_>)>| point.map(|(_, point)| date(point.entry)).unwrap_or_default();
    html! {
        line.axis x1="0" x2="100%" y1=(HEIGHT - 26) y2=(HEIGHT - 26) {}
        text.tick x="0" y=(HEIGHT - 8) { (date(drawing.points.first())) }
        @if drawing.points.len() > 1 {
            text.tick x="100%" y=(HEIGHT - 8) text-anchor="end" { (date(drawing.points.last())) }
        }
    }
}

/// The day of the commit that brought a lock.
pub(super) fn date(entry: &Entry) -> String {
    time::text(entry.time).split('T').next().unwrap_or_default().to_owned()
}

/// A value as it stands in a lock, which a hand may have edited.
pub(super) fn value(metric: &Metric) -> String {
    let text = shown(&metric.shown());
    shortened(&text, 30).unwrap_or(text)
}
