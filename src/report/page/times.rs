//! Where the time went: a bar a step, with its seconds in words.

use std::time::Duration;

use maud::{Markup, html};

use super::View;
use super::text::shown;
use crate::timing::{Step, Timing};

/// The section; none where nothing was timed.
pub(super) fn section(view: View<'_>) -> Option<Markup> {
    let timings = view.facts.timings;
    let longest = timings.iter().map(|timing| timing.took).max()?;
    let whole: Duration = timings.iter().map(|timing| timing.took).sum();
    let kept = timings.len().min(view.limits.rows);
    let rest: Duration = timings[kept..].iter().map(|timing| timing.took).sum();
    let longest = longest.max(rest);
    Some(html! {
        p { "Together " (seconds(whole)) ", in the order in which it went. The longest bar is " (seconds(longest)) "." }
        table.times {
            thead.visually-hidden { tr { th scope="col" { "Step" } th scope="col" { "Time" } th scope="col" { "Bar" } } }
            tbody {
                @for timing in &timings[..kept] { (bar(&step(timing, view.limits.text), timing.took, longest)) }
                @if kept < timings.len() {
                    (bar(&format!("{} more steps", timings.len() - kept), rest, longest))
                }
            }
        }
    })
}

fn bar(name: &str, took: Duration, longest: Duration) -> Markup {
    let part = took.as_secs_f64() / longest.as_secs_f64().max(f64::MIN_POSITIVE) * 100.0;
    html! {
        tr {
            th scope="row" { bdi { (name) } }
            td.number { (seconds(took)) }
            td.bar { svg width="100%" height="14" aria-hidden="true" focusable="false" {
                rect.bar x="0" y="1" width=(format!("{part:.1}%")) height="12" {}
            } }
        }
    }
}

fn step(timing: &Timing, most: usize) -> String {
    let words = match &timing.step {
        Step::Inputs => "looking at the inputs".to_owned(),
        Step::Checkout => "a clean checkout".to_owned(),
        Step::Packages => "checking the packages' archives".to_owned(),
        Step::Build => "building".to_owned(),
        Step::Train { stage, run } => format!("training {run}, stage {}", shown(stage)),
        Step::Collect { run } => format!("digesting the outputs of training {run}"),
        Step::Explain => "looking for the cause".to_owned(),
    };
    super::text::shortened(&words, most).unwrap_or(words)
}

/// A length of time, as exact as it matters.
fn seconds(took: Duration) -> String {
    let whole = took.as_secs();
    match whole {
        0..10 => format!("{:.2} s", took.as_secs_f64()),
        10..120 => format!("{:.1} s", took.as_secs_f64()),
        120..7200 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_as_exact_as_it_matters() {
        let text = |millis| seconds(Duration::from_millis(millis));
        assert_eq!(
            [text(4), text(12_345), text(150_000), text(7_300_000)],
            ["0.00 s", "12.3 s", "2 min 30 s", "2 h 1 min"]
        );
    }
}
