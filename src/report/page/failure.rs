//! Why a command could not come to its end: the message, what the compiler or the program said, and what to do.

use maud::{Markup, html};

use super::View;
use super::text::{count, lines, ticked};

/// A program's output beyond so many lines is left out from its beginning: it ends with what went wrong.
const MOST_LINES: usize = 200;

/// The section; none where there is a verdict.
pub(super) fn section(view: View<'_>) -> Option<Markup> {
    let error = view.facts.judged.err()?;
    let exit_code = error.exit_code();
    Some(html! {
        p { strong { (view.text(error.what())) } }
        p {
            "It failed in the phase " code { (error.failed_phase().word()) } ", with exit code " (exit_code.number())
            " (" (exit_code.meaning()) "). There is no verdict: this page says nothing for or against the lock."
        }
        @if let Some(context) = error.output() {
            (output(context, view.limits.output))
        }
        @if let Some(hint) = error.next() {
            p.hint { b { "What to do: " } (ticked(hint, view.limits.text)) }
        }
    })
}

fn output(context: &str, most: usize) -> Markup {
    let (left_out, end) = end(context, most);
    html! {
        p #output-title { "What was said last:" }
        pre tabindex="0" role="region" aria-labelledby="output-title" {
            @if left_out > 0 { i { "(" (count(left_out, "line", "lines")) " before this left out)\n" } }
            bdi { (lines(end)) }
        }
    }
}

/// The last lines that fit, and how many are before them.
fn end(context: &str, most: usize) -> (usize, &str) {
    let context = context.trim_end_matches('\n');
    let starts: Vec<usize> = std::iter::once(0).chain(context.match_indices('\n').map(|(at, _)| at + 1)).collect();
    let fits = |start: &usize| context.len() - start <= most;
    let first = starts.len().saturating_sub(MOST_LINES);
    match starts.iter().enumerate().skip(first).find(|(_, start)| fits(start)) {
        Some((left_out, start)) => (left_out, &context[*start..]),
        // One line that is longer than all the room.
        None => (starts.len() - 1, &context[context.ceil_char_boundary(context.len() - most.min(context.len()))..]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_an_output_is_kept() {
        assert_eq!(end("a\nb\nc\n", 100), (0, "a\nb\nc"));
        assert_eq!(end("aaa\nbbb\nccc", 7), (1, "bbb\nccc"));
        assert_eq!(end(&"ä".repeat(50), 5).1, "ää");
        let many = "line\n".repeat(1000);
        assert_eq!(end(&many, 20_000).0, 800);
    }
}
