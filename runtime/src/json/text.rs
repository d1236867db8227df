//! The tokens of JSON that are more than their own text: strings and floats.

use std::{fmt::Debug, io::Write};

/// Writes a finite float. `Debug`, unlike `Display`, keeps a float a float: `1.0`, and an exponent
/// where that is shorter.
pub(super) fn number(out: &mut Vec<u8>, value: impl Debug) {
    write!(out, "{value:?}").expect("a vector takes every byte");
}

/// Writes a string with its quotes.
pub(super) fn string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut plain = 0;
    for (index, byte) in text.bytes().enumerate() {
        if !matches!(byte, b'"' | b'\\' | 0..=0x1f) {
            continue;
        }
        out.extend_from_slice(&text.as_bytes()[plain..index]);
        escape(out, byte);
        plain = index + 1;
    }
    out.extend_from_slice(&text.as_bytes()[plain..]);
    out.push(b'"');
}

fn escape(out: &mut Vec<u8>, byte: u8) {
    let short = match byte {
        b'"' | b'\\' => byte,
        0x08 => b'b',
        b'\t' => b't',
        b'\n' => b'n',
        0x0c => b'f',
        b'\r' => b'r',
        _ => {
            write!(out, "\\u{byte:04x}").expect("a vector takes every byte");
            return;
        }
    };
    out.extend([b'\\', short]);
}
