//! An error at a place of the manifest's text, shown as rustc shows one. Which errors there are is
//! [`super::parse`]'s.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use toml::Spanned;
use toml::de::DeTable;

use crate::error::Error;

/// The text being read, to show a place in it.
pub(super) struct Origin<'a> {
    /// The whole text.
    pub(super) text: &'a str,
    /// What errors call it.
    pub(super) name: &'a str,
}

impl Origin<'_> {
    /// An error at a place: the message, the line with the place underlined, and what to do.
    pub(super) fn error(&self, span: Range<usize>, what: impl Into<String>, label: &str) -> Error {
        let what = what.into();
        let span = span.start.min(self.text.len())..span.end.min(self.text.len());
        let line = self.text[..span.start].matches('\n').count() + 1;
        let group = Level::ERROR.primary_title(&what).element(
            Snippet::source(self.text)
                .path(self.name)
                .annotation(AnnotationKind::Primary.span(span).label(label)),
        );
        let rendered = Renderer::plain().render(&[group]);
        // The title is the error's own line; what follows is the place.
        let place = rendered.split_once('\n').map_or("", |(_, rest)| rest);
        Error::new(format!("{}:{line}: {what}", self.name)).context(place)
    }

    pub(super) fn at<T>(&self, value: &Spanned<T>, what: impl Into<String>, label: &str) -> Error {
        self.error(value.span(), what, label)
    }

    /// Where the value of a key within tables stands. Types that take one of several forms lose the places
    /// of what is in them.
    pub(super) fn span_of(&self, keys: &[&str]) -> Option<Range<usize>> {
        let document = DeTable::parse(self.text).ok()?;
        let (last, tables) = keys.split_last()?;
        let mut table = document.get_ref();
        for key in tables {
            table = table.get(*key)?.get_ref().as_table()?;
        }
        table.get(*last).map(Spanned::span)
    }
}

/// A message about a type, which names the reader's types, in the words of <https://toml.io/en/v1.0.0>; any other
/// as it is.
pub(super) fn in_words_of_toml(message: &str) -> String {
    const FOUND: [(&str, &str); 3] = [("floating point", "float"), ("sequence", "array"), ("map", "table")];
    // The longest ending first. An integer beyond 64 bits is read as one of 128.
    const EXPECTED: [(&str, &str); 5] = [
        (" as i128, expected i64", ", expected one of 64 bits"),
        (" as u128, expected i64", ", expected one of 64 bits"),
        (", expected i64", ", expected an integer"),
        (", expected a sequence", ", expected an array"),
        (", expected a map", ", expected a table"),
    ];
    const START: &str = "invalid type: ";
    let Some(rest) = message.strip_prefix(START) else {
        return message.to_owned();
    };
    let found = FOUND
        .iter()
        .find_map(|(theirs, ours)| Some(format!("{ours}{}", rest.strip_prefix(theirs)?)));
    let rest = found.unwrap_or_else(|| rest.to_owned());
    let expected = EXPECTED
        .iter()
        .find_map(|(theirs, ours)| Some(format!("{}{ours}", rest.strip_suffix(theirs)?)));
    format!("{START}{}", expected.unwrap_or(rest))
}
