//! Text from outside, for readers: what would not be seen in it, what a runner would take for a command, sizes, and
//! lines of a width. Pure, and below every room that prints or reports.

pub mod layout;
pub mod quote;
pub mod runner;

/// Names and values come from outside; what is [unseen](is_unseen) in them must not reach a terminal.
#[must_use]
pub fn visible(text: &str) -> String {
    text.chars().map(|c| if is_unseen(c) { '\u{fffd}' } else { c }).collect()
}

/// Whether a character does something rather than stand there: a control, one that turns the direction of writing
/// around, so that something else is read than what stands there, or none at all (Unicode's noncharacters, which XML
/// forbids).
#[must_use]
pub fn is_unseen(c: char) -> bool {
    c.is_control()
        || u32::from(c) & 0xfffe == 0xfffe
        || matches!(c, '\u{fdd0}'..='\u{fdef}')
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A size in bytes with its binary unit (IEC 80000-13).
#[must_use]
pub fn size(bytes: u64) -> String {
    let (mut value, mut unit) = (bytes as f64, "B");
    for next in ["KiB", "MiB", "GiB", "TiB"] {
        if value < 1024.0 {
            break;
        }
        (value, unit) = (value / 1024.0, next);
    }
    if unit == "B" {
        format!("{bytes} B")
    } else {
        format!("{value:.1} {unit}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_binary_units() {
        assert_eq!(size(0), "0 B");
        assert_eq!(size(1023), "1023 B");
        assert_eq!(size(84_199), "82.2 KiB");
        assert_eq!(size(3 << 30), "3.0 GiB");
    }

    #[test]
    fn control_characters_become_visible() {
        assert_eq!(visible("a\u{1b}[31mb"), "a\u{fffd}[31mb");
        assert_eq!(visible("gpj.\u{202e}txt"), "gpj.\u{fffd}txt");
    }
}
