//! Who vouches for the lock, as the gate found it.

use maud::{Markup, html};

use super::View;
use super::text::trainings;
use crate::release::attestation::time;

/// The section; none of a command that asks nobody.
pub(super) fn section(view: View<'_>) -> Option<Markup> {
    let verdict = view.facts.judged.ok()?;
    if verdict.vouched.is_empty() {
        let may_not_have_looked = if verdict.refusals.is_empty() {
            ""
        } else {
            ", or the gate did not come to look for one"
        };
        let asked = verdict.tag.is_some();
        return asked.then(
            || html! { p { "No valid signed verdict by a key of the policy was found" (may_not_have_looked) "." } },
        );
    }
    let left_out = verdict.vouched.len().saturating_sub(view.limits.rows);
    Some(html! {
        table.vouched {
            thead { tr {
                th scope="col" { "Who" } th scope="col" { "Key" } th scope="col" { "For what" } th scope="col" { "When" } th scope="col" { "Counts" }
            } }
            tbody {
                @for vouched in verdict.vouched.iter().take(view.limits.rows) {
                    @let about = &vouched.reproduction;
                    tr {
                        th scope="row" { (view.text(&vouched.names.join(", "))) }
                        td data-label="Key" { (view.code(&vouched.key_id)) }
                        td data-label="For what" {
                            (view.text(&about.verdict)) ", " (trainings(about.runs)) " on " (view.text(&about.platform.to_string()))
                        }
                        td.when data-label="When" { (time::text(about.finished)) }
                        td data-label="Counts" { @if vouched.counts { "yes" } @else { "no: the policy says that it does not" } }
                    }
                }
            }
        }
        @if left_out > 0 { p.left-out { "and " (left_out) " more" } }
    })
}
