//! How wide a result is laid out. It is 80 columns wide wherever it is read, in a file, a pipe or a
//! wide terminal, so that it is the same there; only a terminal that is narrower gets a narrower one.

use textwrap::core::{Word, display_width};
use textwrap::{Options, WordSeparator, WordSplitter};

/// How wide lines may get. A path or a digest that is longer stays whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    columns: usize,
}

/// The columns of a plain terminal.
const COLUMNS: usize = 80;

/// Less than this holds no table.
const FEWEST: usize = 40;

impl Default for Layout {
    fn default() -> Self {
        Self { columns: COLUMNS }
    }
}

impl Layout {
    /// That of a terminal of so many columns, or on none.
    #[must_use]
    pub fn on(terminal: Option<usize>) -> Self {
        Self {
            columns: terminal.unwrap_or(COLUMNS).clamp(FEWEST, COLUMNS),
        }
    }

    /// Its columns.
    #[must_use]
    pub fn columns(self) -> usize {
        self.columns
    }

    /// A paragraph; with a label, later lines hang below it.
    #[must_use]
    pub fn wrapped(self, indent: &str, label: &str, text: &str) -> String {
        let hanging = format!("{indent}  ");
        let next = if label.is_empty() { indent } else { &hanging };
        self.filled(&format!("{indent}{label}"), next, text)
    }

    /// A row of a table: later lines stand below the first one's text.
    pub fn row(self, start: &str, text: &str) -> String {
        let below = " ".repeat(display_width(start));
        self.filled(start, &below, text)
    }

    fn filled(self, first: &str, next: &str, text: &str) -> String {
        let options = Options::new(self.columns)
            .initial_indent(first)
            .subsequent_indent(next)
            .break_words(false)
            .word_splitter(WordSplitter::NoHyphenation)
            .word_separator(WordSeparator::Custom(words));
        textwrap::fill(text, options) + "\n"
    }
}

/// The words of a line. A command within backticks is one of them: whoever copies it must not copy a line's end.
fn words(line: &str) -> Box<dyn Iterator<Item = Word<'_>> + '_> {
    let (mut start, mut is_quoted) = (0, false);
    let bytes = line.as_bytes();
    let all = line.matches('`').count();
    let mut ticks = 0;
    Box::new((0..bytes.len()).filter_map(move |at| {
        if bytes[at] == b'`' {
            ticks += 1;
            // One that nobody closes begins nothing.
            is_quoted = !is_quoted && ticks < all;
        }
        let is_end = bytes[at] == b' ' && bytes.get(at + 1) != Some(&b' ') && !is_quoted;
        (is_end || at + 1 == bytes.len()).then(|| {
            let word = &line[start..=at];
            start = at + 1;
            Word::from(word)
        })
    }))
}

/// A text with as many blanks behind it as it takes to fill so many columns.
pub fn padded(text: &str, columns: usize) -> String {
    text.to_owned() + &" ".repeat(columns.saturating_sub(display_width(text)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_command_within_backticks_is_not_broken() {
        let layout = Layout::on(Some(40));
        let text = "look at it, and then let `cargo repro record --confirm 3` accept it";
        let lines = "look at it, and then let\n`cargo repro record --confirm 3` accept\nit\n";
        assert_eq!(layout.wrapped("", "", text), lines);
        let odd = "a ` alone is no beginning of anything, so lines are broken as usual";
        assert_eq!(
            layout.wrapped("", "", odd),
            "a ` alone is no beginning of anything,\nso lines are broken as usual\n"
        );
        let two = "`a b`, `c d` and what `nobody closed is broken where it has to be";
        assert_eq!(layout.wrapped("", "", two), "`a b`, `c d` and what `nobody closed is\nbroken where it has to be\n");
    }

    proptest! {
        #[test]
        fn words_are_the_whole_line(line in "[a `é]{0,40}") {
            let together: String = words(&line).map(|word| format!("{}{}", word.word, word.whitespace)).collect();
            prop_assert_eq!(together, line);
        }
    }

    #[test]
    fn only_a_narrow_terminal_changes_a_page() {
        assert_eq!(Layout::on(None), Layout::default());
        assert_eq!(Layout::on(Some(200)), Layout::default());
        assert_eq!(Layout::on(Some(60)).columns(), 60);
        assert_eq!(Layout::on(Some(7)).columns(), 40);
    }

    #[test]
    fn wide_letters_fill_two_columns() {
        assert_eq!(padded("学習", 6), "学習  ");
        assert_eq!(padded("ab", 1), "ab");
    }

    #[test]
    fn a_row_hangs_below_its_text_and_keeps_a_long_word_whole() {
        let layout = Layout::on(Some(40));
        let row = layout.row("  \u{1b}[1mname\u{1b}[0m  ", "one two three four five six seven eight");
        assert_eq!(row, "  \u{1b}[1mname\u{1b}[0m  one two three four five six\n        seven eight\n");
        let long = "x".repeat(60);
        assert_eq!(layout.row("  a ", &long), format!("  a {long}\n"));
    }
}
