//! The inputs that the lock pins, each with what is known of it now. A row has a tick only where the command looked.

mod known;
mod rows;

use maud::{Markup, html};

use super::View;
use super::state::State;
use super::text::ticked;
use known::Known;
use rows::Row;

/// The section; without a lock there is nothing that could be told.
pub(super) fn section(view: View<'_>) -> Option<Markup> {
    let Some(read) = view.facts.lock else {
        return Some(html! { p { "No lock was read, so nothing is known of its inputs." } });
    };
    let known = Known::of(view);
    let groups = rows::groups(view, &read.lock);
    let strangers = known.beside(&groups);
    Some(html! {
        p { (ticked(&known.sentence(), 600)) }
        table.inputs {
            thead { tr { th scope="col" { "Input" } th scope="col" { "As locked" } th scope="col" { "Now" } } }
            @for group in &groups {
                tbody {
                    tr.group { th colspan="3" scope="rowgroup" { (group.title) } }
                    @for row in group.rows.iter().take(view.limits.rows) { (shown(view, row, &known)) }
                    @if group.rows.len() > view.limits.rows {
                        tr { td.left-out colspan="3" { "and " (group.rows.len() - view.limits.rows) " more" } }
                    }
                }
            }
            @if !strangers.is_empty() {
                tbody {
                    tr.group { th colspan="3" scope="rowgroup" { "Not in the lock" } }
                    @for finding in strangers.iter().take(view.limits.rows) {
                        tr {
                            th scope="row" { (view.text(&finding.subject)) }
                            td data-label="As locked" { (optional(view, finding.locked.as_deref())) }
                            td data-label="Now" {
                                (State::Differs("differs").mark()) " " (optional(view, finding.found.as_deref()))
                            }
                        }
                    }
                    @if strangers.len() > view.limits.rows {
                        tr { td.left-out colspan="3" { "and " (strangers.len() - view.limits.rows) " more" } }
                    }
                }
            }
        }
    })
}

fn optional(view: View<'_>, value: Option<&str>) -> Markup {
    html! { @match value { Some(value) => (view.code(value)), None => "nothing" } }
}

/// Differences of one row beyond these are counted.
const MOST_CHANGES: usize = 6;

fn shown(view: View<'_>, row: &Row<'_>, known: &Known) -> Markup {
    let changes = known.changes(&row.input);
    let more = changes.len().saturating_sub(MOST_CHANGES);
    html! {
        tr {
            th scope="row" { (view.text(&row.name)) }
            td data-label="As locked" { (row.locked) }
            td data-label="Now" {
                (known.state(&row.input).mark())
                @for finding in &changes[..changes.len() - more] {
                    div.change {
                        @if finding.subject != row.name { (view.text(&finding.subject)) ": " }
                        @match (&finding.locked, &finding.found) {
                            (_, Some(found)) => (view.code(found)),
                            (Some(_), None) => "gone",
                            (None, None) => (view.text(&finding.detail)),
                        }
                    }
                }
                @if more > 0 { div.left-out { "and " (more) " more" } }
            }
        }
    }
}
