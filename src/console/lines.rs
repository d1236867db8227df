//! What a program printed, made into whole lines that may stand above the live line. Pure. A line that is
//! not ended yet is held back, since the live line would be drawn over it. Of a line that was written anew after a
//! carriage return, its last form is kept, as a terminal would have shown it. Of escape sequences only colours
//! are left: any other could move the cursor into what stands above.

use crate::text::is_unseen;

/// A line that gets longer than this is broken, so that a program that never ends one costs no memory.
const LONGEST: usize = 64 * 1024;

/// Ends every colour.
const RESET: &str = "\x1b[0m";

/// The lines of one stream.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// What was printed since the last line's end.
    open: Vec<u8>,
}

impl Lines {
    /// Takes what was printed; gives the lines that are whole now.
    pub(super) fn take(&mut self, bytes: &[u8]) -> String {
        let mut text = String::new();
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            match part.strip_suffix(b"\n") {
                Some(end) => {
                    self.open.extend(end);
                    text += &self.end();
                }
                None => self.hold(part, &mut text),
            }
        }
        text
    }

    fn hold(&mut self, part: &[u8], text: &mut String) {
        self.open.extend(part);
        // What was written over is not seen again.
        let start = self.open.len() - last_form(&self.open).len();
        self.open.drain(..start);
        if self.open.len() > LONGEST {
            *text += &self.end();
        }
    }

    /// The line that is open, ended.
    fn end(&mut self) -> String {
        let line = clean(&String::from_utf8_lossy(last_form(&self.open))) + "\n";
        self.open.clear();
        line
    }

    /// The rest, when nothing more will come.
    pub(super) fn finish(&mut self) -> String {
        if self.open.is_empty() {
            String::new()
        } else {
            self.end()
        }
    }

    /// The line that is open, in letters alone, unless it is blank.
    pub(super) fn open(&self) -> Option<String> {
        last(&String::from_utf8_lossy(last_form(&self.open)))
    }
}

/// What a line looks like after its last carriage return that something follows, with what follows it.
fn last_form(line: &[u8]) -> &[u8] {
    let shown = line.trim_ascii_end();
    match shown.iter().rposition(|byte| *byte == b'\r') {
        Some(at) => &line[at + 1..],
        None => line,
    }
}

/// The last line that is not blank, in letters alone.
pub(super) fn last(text: &str) -> Option<String> {
    let letters = |line: &str| {
        let plain = anstream::adapter::strip_str(line).to_string();
        let letters: String = plain.chars().map(|c| if c == '\t' { ' ' } else { c }).filter(|c| is_shown(*c)).collect();
        letters.trim().to_owned()
    };
    text.lines().rev().map(letters).find(|line| !line.is_empty())
}

/// Whether a letter does nothing but stand there; one makes the letter before it wider than it says.
fn is_shown(letter: char) -> bool {
    !is_unseen(letter) && letter != '\u{fe0f}'
}

/// A line with its letters, tabs and colours, and no other control.
fn clean(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut colored = false;
    let mut rest = line;
    while let Some(at) = rest.find(|letter: char| letter.is_control() && letter != '\t') {
        text += &rest[..at];
        rest = &rest[at..];
        let (sequence, after) = rest.split_at(length(rest));
        if is_color(sequence) {
            text += sequence;
            colored = !matches!(sequence, RESET | "\x1b[m");
        }
        rest = after;
    }
    text += rest;
    if colored {
        text += RESET;
    }
    text
}

/// How long the control at the beginning is: a control character, or an escape sequence as ECMA-48 has them.
fn length(text: &str) -> usize {
    let ends = |from: usize, is_end: &dyn Fn(char) -> bool| {
        let end = text[from..].char_indices().find(|(_, letter)| is_end(*letter));
        end.map_or(text.len(), |(at, letter)| from + at + letter.len_utf8())
    };
    let mut letters = text.chars();
    match (letters.next(), letters.next()) {
        (Some('\x1b'), Some('[')) => ends(2, &|letter| ('@'..='~').contains(&letter)),
        // A string, such as a title, goes to the bell or to the escape sequence that ends it.
        (Some('\x1b'), Some(']' | 'P' | 'X' | '^' | '_')) => {
            let bell = ends(2, &|letter| letter == '\x07');
            text.find("\x1b\\").map_or(bell, |end| bell.min(end + 2))
        }
        (Some('\x1b'), Some(_)) => ends(1, &|letter| !(' '..='/').contains(&letter)),
        (Some(letter), _) => letter.len_utf8(),
        (None, _) => 0,
    }
}

fn is_color(sequence: &str) -> bool {
    let inner = sequence.strip_prefix("\x1b[").and_then(|rest| rest.strip_suffix('m'));
    inner.is_some_and(|codes| codes.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b';' | b':')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_given_once_it_is_whole() {
        let mut lines = Lines::default();
        assert_eq!(lines.take(b"one\ntw"), "one\n");
        assert_eq!(lines.open().unwrap(), "tw");
        assert_eq!(lines.take("o\n\nthr\u{e9}".as_bytes()), "two\n\n");
        assert_eq!(lines.finish(), "thr\u{e9}\n");
        assert_eq!(lines.finish(), "");
    }

    #[test]
    fn of_a_line_written_anew_the_last_form_is_kept() {
        let mut lines = Lines::default();
        assert_eq!(lines.take(b"10%\r20%\r3"), "");
        assert_eq!(lines.open().unwrap(), "3");
        assert_eq!(lines.take(b"0%\r"), "");
        assert_eq!(lines.open().unwrap(), "30%");
        assert_eq!(lines.take(b"40%\r\nnext\r\n"), "40%\nnext\n");
        assert_eq!(lines.take(b"\r 50%\r\x1b[Kdone\n"), "done\n");
    }

    #[test]
    fn a_line_without_an_end_is_broken() {
        let mut lines = Lines::default();
        let given: usize = (0..100).map(|_| lines.take(&[b'x'; 4096]).len()).sum();
        assert!(given >= 5 * LONGEST, "{given}");
        assert!(lines.open.len() <= LONGEST);
        for _ in 0..100 {
            assert_eq!(lines.take(&b"12345\r".repeat(1000)), "");
            assert!(lines.open.len() < 16);
        }
    }

    #[test]
    fn only_letters_and_colours_are_left() {
        assert_eq!(clean("a\x1b[31mred"), "a\x1b[31mred\x1b[0m");
        assert_eq!(clean("\x1b[1;38:5:9mx\x1b[0m"), "\x1b[1;38:5:9mx\x1b[0m");
        assert_eq!(clean("\x1b[2J\x1b[5Ab\x07\x08c\td"), "bc\td");
        assert_eq!(clean("\x1b]0;title\x07x\x1b]8;;http://a\x1b\\link\x1b]8;;\x1b\\"), "xlink");
        assert_eq!(clean("\x1b(Bx\x1b7y\u{9b}2Jz\x1b"), "xy2Jz");
        assert_eq!(clean("\x1b[?25lx\x1b[>4mx"), "xx");
        assert_eq!(clean("cut off \x1b[3"), "cut off ");
    }

    #[test]
    fn the_last_line_is_told_in_letters() {
        assert_eq!(last("a\n\x1b[1m b\tc \x1b[0m\n \n").unwrap(), "b c");
        assert_eq!(last("\n\x1b[0m\n"), None);
        assert_eq!(last("x\u{202e}y\u{7}").unwrap(), "xy");
    }
}
