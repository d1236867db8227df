//! What differs, and why: every item in the order in which it helps, with both values, the sentence, the place and
//! what to do; and what the words mean.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

use super::View;
use super::text::{code, count, shown, ticked};
use crate::cause::Cause;
use crate::diagnose::vary::TestResult;
use crate::explanation;
use crate::report::finding::Finding;
use crate::report::place::Place;
use crate::report::report_data::{Group, Item, in_words};
use crate::trace::Site;
use crate::verdict::Word;

/// Places of one cause beyond these are counted.
const MOST_SITES: usize = 8;

/// What the section is called.
pub(super) fn heading(view: View<'_>) -> &'static str {
    match view.facts.judged {
        Ok(verdict) if verdict.tag.is_some() => "What stands against it",
        Ok(_) => "What differs, and why",
        Err(_) => "What may be why",
    }
}

/// The section; none where only a failure was found, which has its own.
pub(super) fn section(view: View<'_>) -> Option<Markup> {
    let items: Vec<&Item> = view.facts.items.iter().filter(|item| item.group != Group::Failure).collect();
    if items.is_empty() {
        return view.facts.judged.is_ok().then(|| html! { p { (nothing(view)) } });
    }
    let (kept, left_out) = cut(&items, view.limits.rows);
    let [locked, found] = sides(view);
    Some(html! {
        table.findings {
            thead { tr {
                th scope="col" { "What" }
                th scope="col" { (locked) }
                th scope="col" { (found) }
                th scope="col" { "In words" }
            } }
            tbody {
                @let mut causes = view.facts.judged.map_or_else(|error| error.known_causes(), |verdict| &verdict.causes).iter();
                @for item in kept {
                    @let cause = if item.group == Group::Cause { causes.next() } else { None };
                    (row(view, item, cause, [locked, found]))
                }
            }
        }
        @if !left_out.is_empty() {
            p.left-out {
                "Left out here: "
                @for (at, (kind, number)) in left_out.iter().enumerate() {
                    @if at > 0 { ", " }
                    (number) " more " code { (kind) }
                }
                ". A report that ends in " code { ".json" } " has all of them."
            }
        }
        (meanings(&items))
    })
}

/// What can be said where there is nothing to list.
fn nothing(view: View<'_>) -> &'static str {
    match view.facts.judged.map(|verdict| verdict.word) {
        Ok(Word::Reproduced) => "Nothing. Every input is as locked, and so is every output, byte for byte.",
        Ok(Word::Unchanged) => "Nothing among the inputs. The outputs were not computed again.",
        Ok(Word::Passed) => "Nothing stands against it.",
        _ => "Nothing was found.",
    }
}

/// So many of each group, and how many of which kind are left out.
fn cut<'a>(items: &[&'a Item], most: usize) -> (Vec<&'a Item>, BTreeMap<&'static str, usize>) {
    let mut counts: BTreeMap<Group, usize> = BTreeMap::new();
    let mut left_out: BTreeMap<&'static str, usize> = BTreeMap::new();
    let mut kept = Vec::new();
    for item in items {
        let count = counts.entry(item.group).or_default();
        *count += 1;
        if *count <= most {
            kept.push(*item);
        } else {
            *left_out.entry(item.finding.kind).or_default() += 1;
        }
    }
    (kept, left_out)
}

/// What the two values are called: without a lock two trainings were compared, and the gate wants something.
fn sides(view: View<'_>) -> [&'static str; 2] {
    let verdict = view.facts.judged.ok();
    if verdict.is_some_and(|verdict| verdict.word == Word::Diverged && verdict.lock.is_none()) {
        ["First training", "Last training"]
    } else if verdict.is_some_and(|verdict| !verdict.refusals.is_empty()) {
        ["Wanted", "Found"]
    } else {
        ["Locked", "Found"]
    }
}

fn row(view: View<'_>, item: &Item, cause: Option<&Cause>, sides: [&str; 2]) -> Markup {
    let finding = &item.finding;
    let class = match item.group {
        Group::Warning | Group::Note => "aside",
        _ => "differs",
    };
    html! {
        tr {
            th scope="row" {
                span.group.(class) { (group(item.group)) } " " code { (finding.kind) }
                div.subject { (view.text(&finding.subject)) }
                @if let Some(stage) = &finding.stage { div.stage { "stage " (view.text(stage)) } }
            }
            @let has_values = finding.locked.is_some() || finding.found.is_some();
            @if has_values {
                (value(view, sides[0], finding.locked.as_deref()))
                (value(view, sides[1], finding.found.as_deref()))
            }
            td colspan=[(!has_values).then_some("3")] {
                @match cause {
                    Some(cause) => (because(view, cause)),
                    None => p { (ticked(&finding.detail, view.limits.text)) },
                }
                // A note is about the whole; its place says nothing more.
                @if let Some(place) = item.place.as_ref().filter(|_| item.group != Group::Note) { p.place { "Look at " (in_file(view, place)) } }
                (hint(view, finding))
            }
        }
    }
}

fn value(view: View<'_>, side: &str, value: Option<&str>) -> Markup {
    html! {
        td.value data-label=(side) {
            @match value {
                Some(value) => (view.code(value)),
                None => span.none { "-" },
            }
        }
    }
}

fn hint(view: View<'_>, finding: &Finding) -> Markup {
    html! {
        @if let Some(hint) = &finding.hint {
            p.hint { b { "What to do: " } (ticked(hint, view.limits.text)) }
        }
    }
}

/// Why, what it changes first, and where in the program.
fn because(view: View<'_>, cause: &Cause) -> Markup {
    html! {
        p { (ticked(&cause.detail, view.limits.text)) }
        @if let Some(first) = cause.first.as_ref().filter(|first| !cause.detail.contains(*first)) { p { "What it changes first: " (view.code(first)) } }
        @if !cause.sites.is_empty() {
            p { "Where the program draws on it:" }
            ol.sites {
                @for site in cause.sites.iter().take(MOST_SITES) { li { (at(view, site)) } }
            }
        }
        @if cause.sites.len() > MOST_SITES { p.left-out { "and " (cause.sites.len() - MOST_SITES) " more places" } }
    }
}

fn at(view: View<'_>, site: &Site) -> Markup {
    html! {
        (view.code(&in_words(site)))
        @if !site.via.is_empty() { ", by " (view.text(&site.via.join(", "))) }
        @if site.guessed { " (a guess: the stack could not be followed all the way)" }
    }
}

fn in_file(view: View<'_>, place: &Place) -> Markup {
    let line = place.line.map_or_else(String::new, |line| format!(":{line}"));
    html! { (view.code(&format!("{}{line}", place.path))) }
}

fn group(group: Group) -> &'static str {
    match group {
        Group::Failure => "failure",
        Group::Cause => "cause",
        Group::Refusal => "refusal",
        Group::Drift => "drift",
        Group::Divergence => "divergence",
        Group::Warning => "warning",
        Group::Note => "note",
    }
}

/// What the words of the table mean, as the tool's own pages have it.
fn meanings(items: &[&Item]) -> Markup {
    let kinds: BTreeSet<&str> = items.iter().map(|item| item.finding.kind).collect();
    let known: Vec<_> = explanation::all().into_iter().filter(|known| kinds.contains(known.word)).collect();
    html! {
        @if !known.is_empty() {
            dl.meanings {
                @for known in known {
                    dt { code { (known.word) } }
                    dd { (ticked(&known.summary(), 200)) }
                }
            }
        }
    }
}

/// What was varied around the program; none where nothing was.
pub(super) fn factors(view: View<'_>) -> Option<Markup> {
    let verdict = view.facts.judged.ok()?;
    (!verdict.factors.is_empty()).then(|| {
        html! {
            table {
                thead { tr { th scope="col" { "Factor" } th scope="col" { "The outcome" } } }
                tbody {
                    @for tested in &verdict.factors {
                        tr {
                            th scope="row" { code { (tested.factor.word()) } }
                            td { @match &tested.result {
                                TestResult::Steady(settings) => { "stays the same under " (count(*settings as usize, "setting", "settings")) },
                                TestResult::Changes { setting, effect } => {
                                    strong { "changes" } ", first " (code(&shown(effect.first()), view.limits.text)) ", with " (view.text(setting))
                                },
                                TestResult::NotVaried(why) => { "not varied: " (view.text(why)) },
                            } }
                        }
                    }
                }
            }
        }
    })
}
