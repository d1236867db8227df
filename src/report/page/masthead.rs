//! The head of the page: what was judged, the verdict in a word with a shape beside the colour, and what it is about.

use maud::{Markup, PreEscaped, html};

use super::View;
use super::text::{code, digest, shown};
use crate::verdict::Word;

/// How the verdict is to be taken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tone {
    Good,
    Caution,
    Bad,
    Failed,
}

impl Tone {
    fn of(view: View<'_>) -> Self {
        let Ok(verdict) = view.facts.judged else {
            return Self::Failed;
        };
        match verdict.word {
            Word::Reproduced | Word::Steady | Word::Unchanged | Word::Recorded | Word::Passed | Word::Done => {
                Self::Good
            }
            Word::Inconclusive => Self::Caution,
            Word::Drifted | Word::Diverged | Word::Refused | Word::Invalid => Self::Bad,
        }
    }

    fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Caution => "caution",
            Self::Bad => "bad",
            Self::Failed => "failed",
        }
    }

    /// A disc with a tick, a triangle, an octagon with a cross, a square with a bar: none is mistaken for another
    /// where colours are not seen.
    fn shape(self) -> Markup {
        let (outline, sign) = match self {
            Self::Good => ("M24 3a21 21 0 1 1 0 42a21 21 0 1 1 0-42z", "M14 25l7 7l13-15"),
            Self::Caution => ("M24 4L46 44H2z", "M24 18v13M24 36v2"),
            Self::Bad => ("M15 3h18l12 12v18l-12 12h-18l-12-12v-18z", "M16 16l16 16M32 16l-16 16"),
            Self::Failed => ("M4 4h40v40h-40z", "M13 24h22"),
        };
        PreEscaped(format!(
            r#"<svg class="shape" viewBox="0 0 48 48" width="56" height="56" aria-hidden="true" focusable="false"><path class="outline" d="{outline}"/><path class="sign" d="{sign}"/></svg>"#
        ))
    }
}

/// The head.
pub(super) fn header(view: View<'_>) -> Markup {
    let facts = view.facts;
    let tone = Tone::of(view);
    let package = if facts.package.is_empty() {
        html! { "a package without a known name" }
    } else {
        view.text(&facts.package)
    };
    html! {
        header.masthead {
            p.kicker { "Report of cargo repro " (facts.command) }
            h1 { (package) }
            div.verdict.(tone.class()) {
                (tone.shape())
                div {
                    p.word { span.visually-hidden { "Verdict: " } (facts.word()) }
                    p.sentence { bdi { (sentence(view)) } }
                }
            }
            (details(view))
        }
    }
}

fn sentence(view: View<'_>) -> String {
    let sentence = shown(&view.facts.sentence());
    // An error may quote a whole file.
    super::text::shortened(&sentence, view.limits.text.max(200)).unwrap_or(sentence)
}

fn details(view: View<'_>) -> Markup {
    let facts = view.facts;
    let tag = facts.judged.ok().and_then(|verdict| verdict.tag.as_ref());
    let exit_code = facts.exit_code();
    html! {
        dl.facts {
            @if let Some((name, object)) = tag {
                dt { "Tag" }
                dd { (view.code(name)) @if let Some(object) = object { br; "object " code { (object) } } }
            }
            dt { "Lock" }
            dd { (lock(view)) }
            dt { "Commit" }
            dd {
                @match facts.commit() {
                    Some(commit) => (code(commit, 64)),
                    None => "not known: there is no verdict on a commit",
                }
            }
            dt { "Command" }
            dd { (view.code(&facts.repeat)) }
            dt { "Exit code" }
            dd { (exit_code.number()) ": " (exit_code.meaning()) }
            dt { "Tool" }
            dd { "cargo repro " (env!("CARGO_PKG_VERSION")) }
        }
    }
}

fn lock(view: View<'_>) -> Markup {
    let facts = view.facts;
    let stated = facts.judged.ok().and_then(|verdict| verdict.lock);
    match (facts.lock, stated) {
        (Some(read), _) if read.id != read.actual_id => html! {
            (digest(&read.id)) br;
            strong { "edited by hand: " } "its content gives " (digest(&read.actual_id))
        },
        (Some(read), _) => digest(&read.id),
        (None, Some(id)) => digest(&id),
        (None, None) => html! { "none was read" },
    }
}
