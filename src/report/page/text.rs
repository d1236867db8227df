//! Texts of others as a page shows them: nothing in them acts, reorders what stands beside them, or takes more
//! room than it is given. Escaping itself is the templates'.

use maud::{Markup, html};

use crate::digest::Digest;
/// What would reorder the text around it, hide in it or play with it becomes visible.
pub(super) use crate::text::visible as shown;

/// A text that was shortened is told whole beside, up to this many bytes.
const LONGEST_ASIDE: usize = 600;

/// At most so many characters: the beginning and the end, which tell more than the middle.
pub(super) fn shortened(text: &str, most: usize) -> Option<String> {
    let count = text.chars().count();
    if count <= most {
        return None;
    }
    let (head, tail) = (most - most / 3, most / 3);
    let head: String = text.chars().take(head).collect();
    let tail: String = text.chars().skip(count - tail).collect();
    Some(format!("{head}…{tail}"))
}

/// A text of others, isolated from the direction of what stands around it.
pub(super) fn foreign(text: &str, most: usize) -> Markup {
    let whole = shown(text);
    match shortened(&whole, most) {
        None => html! { bdi { (whole) } },
        Some(short) if whole.len() <= LONGEST_ASIDE => html! { bdi title=(whole) { (short) } },
        Some(short) => html! { bdi { (short) } },
    }
}

/// The same as a path, a name or a value that is typed.
pub(super) fn code(text: &str, most: usize) -> Markup {
    html! { code { (foreign(text, most)) } }
}

/// The same with its line breaks.
pub(super) fn lines(text: &str) -> String {
    text.split('\n').map(shown).collect::<Vec<_>>().join("\n")
}

/// A digest, whole: an auditor compares all of it.
pub(super) fn digest(digest: &Digest) -> Markup {
    html! { code { (digest) } }
}

/// A sentence of ours in which words between backquotes are typed.
pub(super) fn ticked(text: &str, most: usize) -> Markup {
    let whole = shown(text);
    let whole = shortened(&whole, most).unwrap_or(whole);
    let parts: Vec<&str> = whole.split('`').collect();
    // An odd backquote is one of the text itself.
    if parts.len().is_multiple_of(2) {
        return html! { bdi { (whole) } };
    }
    html! {
        bdi {
            @for (at, part) in parts.iter().enumerate() {
                @if at.is_multiple_of(2) { (part) } @else { code { (part) } }
            }
        }
    }
}

/// A number of things, as one says it.
pub(super) fn count(number: usize, one: &str, many: &str) -> String {
    if number == 1 {
        format!("1 {one}")
    } else {
        format!("{number} {many}")
    }
}

/// So many trainings.
pub(super) fn trainings(number: u32) -> String {
    count(number as usize, "training", "trainings")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_loses_its_middle() {
        assert_eq!(shortened("abcdefghij", 10), None);
        assert_eq!(shortened("abcdefghijkl", 9).unwrap(), "abcdef…jkl");
    }

    #[test]
    fn what_would_reorder_a_line_is_visible() {
        assert_eq!(shown("a\u{202e}b\u{2066}c\u{7}"), "a\u{fffd}b\u{fffd}c\u{fffd}");
    }

    #[test]
    fn words_between_backquotes_are_typed_and_an_odd_one_is_itself() {
        assert_eq!(ticked("see `a<b`", 99).into_string(), "<bdi>see <code>a&lt;b</code></bdi>");
        assert_eq!(ticked("a`b", 99).into_string(), "<bdi>a`b</bdi>");
    }
}
