//! Causes and factors for a person.

use std::fmt::Write as _;

use anstyle::Style;

use super::human::{BAD, FAINT, GOOD, NAME};
use crate::cause::Cause;
use crate::diagnose::Tested;
use crate::diagnose::vary::TestResult;
use crate::text::layout::Layout;
use crate::text::visible;
use crate::trace::Site;

/// A cause: what it is, what it does, and where the program draws on it.
#[must_use]
pub fn cause(cause: &Cause, layout: Layout) -> String {
    let stage = match &cause.stage {
        Some(stage) => format!("{FAINT}(stage {stage}){FAINT:#}"),
        None => format!("{FAINT}(build){FAINT:#}"),
    };
    // Where nothing narrower is known, the kind is its own subject.
    let subject = match &cause.subject {
        subject if subject == cause.kind.word() => String::new(),
        subject => format!("{NAME}{}{NAME:#} ", visible(subject)),
    };
    let label = format!("{FAINT}cause{FAINT:#} {BAD}{}{BAD:#} ", cause.kind.word());
    let mut text = layout.wrapped("  ", &label, &format!("{subject}{stage}"));
    text += &layout.wrapped("    ", "", &visible(&cause.detail));
    for (number, site) in cause.sites.iter().enumerate() {
        let label = if number == 0 { "at " } else { "and at " };
        text += &layout.wrapped("    ", label, &visible(&place(site)));
    }
    if let Some(hint) = &cause.hint {
        text += &layout.wrapped("    ", "hint: ", hint);
    }
    text
}

/// A place, what it drew by, and where the project had called it.
fn place(site: &Site) -> String {
    let mut text = site.to_string();
    if let Some(way) = site.via.first() {
        let _ = write!(text, ", by {way}");
    }
    if let Some(caller) = &site.called_from {
        let _ = write!(text, ", called from {caller}");
    }
    if site.guessed {
        text += " (a guess: the stack could not be followed all the way)";
    }
    text
}

/// The table of what was varied; what was not is listed as not checked.
#[must_use]
pub fn factors(factors: &[Tested], layout: Layout) -> String {
    let mut text = String::new();
    let width = factors.iter().map(|tested| tested.factor.word().len()).max().unwrap_or(0);
    for tested in factors {
        let word = tested.factor.word();
        let start = |style: Style, answer: &str| format!("  {word:<width$}  {style}{answer}{style:#}  ");
        let row = match &tested.result {
            TestResult::Steady(settings) => {
                let settings = if *settings == 1 {
                    "1 setting".to_owned()
                } else {
                    format!("{settings} settings")
                };
                layout.row(&start(GOOD, "same   "), &format!("{FAINT}{settings}{FAINT:#}"))
            }
            TestResult::Changes { setting, effect } => {
                let first = visible(effect.first());
                layout.row(
                    &start(BAD, "changes"),
                    &format!("{NAME}{first}{NAME:#} {FAINT}first, with {setting}{FAINT:#}"),
                )
            }
            TestResult::NotVaried(_) => format!("  {word:<width$}  {FAINT}not varied{FAINT:#}\n"),
        };
        text += &row;
    }
    text
}
