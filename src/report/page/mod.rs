//! The page that an auditor gets: one HTML file, without scripts, network or anything beside it. Here is the order
//! of its sections and the room that each has; each section is a function of the facts in a file of its own.
//! The page's looks are `page.css`'s matter.

mod chart;
mod environment;
mod failure;
mod findings;
mod inputs;
mod masthead;
mod outcome;
mod repeat;
mod series;
mod state;
#[cfg(test)]
mod tests;
mod text;
mod times;
mod trends;
mod vouched;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::report_data::ReportData;

const CSS: &str = include_str!("page.css");

/// No page is longer, in bytes: it is sent by mail and kept in drawers.
const LONGEST: usize = 290_000;

/// How much of what could be without end is shown; what is left out is counted.
#[derive(Clone, Copy, Debug)]
struct Limits {
    /// Entries of a list.
    rows: usize,
    /// Characters of one text.
    text: usize,
    /// Charts of metrics.
    charts: usize,
    /// Points of all charts together.
    points: usize,
    /// Bytes of a program's output.
    output: usize,
}

/// The first that gives a page that is short enough is taken.
const LIMITS: [Limits; 4] = [
    Limits {
        rows: 120,
        text: 400,
        charts: 12,
        points: 600,
        output: 20_000,
    },
    Limits {
        rows: 60,
        text: 240,
        charts: 8,
        points: 300,
        output: 12_000,
    },
    Limits {
        rows: 24,
        text: 120,
        charts: 4,
        points: 120,
        output: 6_000,
    },
    Limits {
        rows: 8,
        text: 60,
        charts: 2,
        points: 60,
        output: 3_000,
    },
];

/// What every section is made of.
#[derive(Clone, Copy, Debug)]
struct View<'a> {
    facts: &'a ReportData<'a>,
    limits: Limits,
}

impl View<'_> {
    /// A text of others in its room.
    fn text(&self, text: &str) -> Markup {
        text::foreign(text, self.limits.text)
    }

    /// The same, typed.
    fn code(&self, text: &str) -> Markup {
        text::code(text, self.limits.text)
    }
}

/// The whole page.
#[must_use]
pub fn page(facts: &ReportData<'_>) -> String {
    let mut page = String::new();
    for limits in LIMITS {
        page = written(View { facts, limits });
        if page.len() <= LONGEST {
            break;
        }
    }
    page
}

fn written(view: View<'_>) -> String {
    let facts = view.facts;
    let title = format!("{}: {}", text::shown(&facts.package), facts.word());
    let title = text::shortened(&title, 120).unwrap_or(title);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                title { (title) " - cargo repro " (facts.command) }
                style { (PreEscaped(CSS)) }
            }
            body {
                (masthead::header(view))
                main {
                    @for (id, heading, section) in sections(view) {
                        section id=(id) aria-labelledby={ (id) "-title" } {
                            h2 id={ (id) "-title" } { (heading) }
                            (section)
                        }
                    }
                }
                footer {
                    p {
                        "Written by cargo repro " (env!("CARGO_PKG_VERSION")) " from the same verdict that the command "
                        "printed. This page is one file: it loads nothing, runs nothing, and can be filed and printed."
                    }
                }
            }
        }
    };
    page.into_string()
}

/// Every section that has something to say, in order.
fn sections(view: View<'_>) -> Vec<(&'static str, &'static str, Markup)> {
    let all = [
        ("failure", "What failed", failure::section(view)),
        ("findings", findings::heading(view), findings::section(view)),
        ("varied", "What was varied", findings::factors(view)),
        ("vouched", "Who vouches for it", vouched::section(view)),
        ("inputs", "Inputs", inputs::section(view)),
        ("outcome", "Outcome", outcome::section(view)),
        ("environment", "Environment", environment::section(view)),
        ("metrics", "Metrics over the locks in the git history", trends::section(view)),
        ("time", "Where the time went", times::section(view)),
        ("not-checked", "Not checked", Some(repeat::not_checked(view))),
        ("repeat", "How to repeat it", Some(repeat::how(view))),
        ("proof", "What this proves, and what not", Some(repeat::proof(view))),
    ];
    all.into_iter()
        .filter_map(|(id, heading, section)| Some((id, heading, section?)))
        .collect()
}
