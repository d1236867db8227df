//! What is known of one value beside the locked one: a mark that is told by its sign and its word, and only then by
//! its colour.

use maud::{Markup, html};

/// The cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It was looked at, and is the locked one.
    Same,
    /// What was looked at of it is the locked one; the word says what that was.
    Partly(&'static str),
    /// It is another one.
    Differs(&'static str),
    /// It is another one, which stops nothing.
    Aside(&'static str),
    /// Nobody looked.
    NotChecked(&'static str),
}

impl State {
    /// The mark.
    pub(super) fn mark(self) -> Markup {
        let (class, sign, word) = match self {
            Self::Same => ("same", "✓", "as locked"),
            Self::Partly(word) => ("same", "✓", word),
            Self::Differs(word) => ("differs", "✗", word),
            Self::Aside(word) => ("aside", "!", word),
            Self::NotChecked(word) => ("unseen", "–", word),
        };
        html! { span.state.(class) { span.sign aria-hidden="true" { (sign) } " " (word) } }
    }
}
