//! The machines: the class that the lock was recorded on, those that were added, and the one that looked.

use maud::{Markup, html};

use super::View;
use super::text::trainings;
use crate::compare::divergence;
use crate::lockfile::Lockfile;
use crate::snapshot::Platform;

/// The section; none where no machine is known.
pub(super) fn section(view: View<'_>) -> Option<Markup> {
    let lock = view.facts.lock.map(|read| &read.lock);
    if lock.is_none() && view.facts.platform.is_none() {
        return None;
    }
    Some(html! {
        table.machines {
            thead { tr { th scope="col" { "Machine" } th scope="col" { "Platform class" } th scope="col" { "What is known of it" } } }
            tbody {
                @if let Some(lock) = lock { (recorded(view, lock)) }
                tr {
                    th scope="row" { "Checked on" }
                    @match view.facts.platform {
                        Some(platform) => {
                            td data-label="Platform class" { (view.text(&platform.to_string())) }
                            td data-label="Known" { (relation(lock, platform)) }
                        },
                        None => {
                            td data-label="Platform class" { "not looked at" }
                            td data-label="Known" { (unseen(view)) }
                        },
                    }
                }
            }
        }
        p.aside { "Byte identity is promised within one platform class: a target, a C library and a level of the CPU." }
    })
}

fn recorded(view: View<'_>, lock: &Lockfile) -> Markup {
    let left_out = lock.classes.len().saturating_sub(view.limits.rows);
    html! {
        tr {
            th scope="row" { "Recorded on" }
            td data-label="Platform class" { (view.text(&lock.snapshot.platform.to_string())) }
            td data-label="Known" {
                "computed by " (trainings(lock.record.runs)) ". Beside that, and compared by nothing: "
                (view.text(&lock.facts.kernel)) ", " (view.text(&lock.facts.cpu)) ", "
                (lock.facts.processors) " processors, " (view.text(&lock.facts.tool))
            }
        }
        @for class in lock.classes.iter().take(view.limits.rows) {
            @let stages: Vec<&str> = lock.outcome.keys().map(String::as_str).collect();
            tr {
                th scope="row" { "Added to the lock" }
                td data-label="Platform class" { (view.text(&class.platform.to_string())) }
                td data-label="Known" {
                    "computed by " (trainings(class.runs)) ": "
                    @if divergence(&lock.outcome, &class.outcome, &stages).is_empty() { "the same outcome" } @else { "another outcome" }
                }
            }
        }
        @if left_out > 0 { tr { td.left-out colspan="3" { "and " (left_out) " more classes" } } }
    }
}

/// What the lock promises to a machine.
fn relation(lock: Option<&Lockfile>, platform: &Platform) -> &'static str {
    match lock {
        None => "there is no lock to hold it against",
        Some(lock) if lock.snapshot.platform == *platform => "the class that the lock was recorded on",
        Some(lock) if lock.expected(platform).is_some() => {
            "a class that was added to the lock, and is held to its own outcome"
        }
        Some(_) => "a class that the lock does not know: equal bytes are not promised, and would count all the same",
    }
}

fn unseen(view: View<'_>) -> &'static str {
    if view.facts.judged.is_ok_and(|verdict| verdict.tag.is_some()) {
        "the gate reads the repository alone"
    } else {
        "the command ended before it came to that"
    }
}
