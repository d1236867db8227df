//! JSON as programs write it, with every digit: `NaN`, `Infinity` and `-Infinity` as Python's `json.dump` writes them, and
//! numbers as their text, since a double would lose digits of a large integer. Two things are made of it: the figures of a
//! metrics file ([`figures`]) and the rest of a file of which something is left out of comparison ([`mod@pointer`]).

pub mod figures;
pub mod pointer;
mod read;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt::Write as _;

pub use read::parse;

/// A document, or a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number as it is written, or `NaN`, `Infinity`, `-Infinity`.
    Number(String),
    /// Text.
    Text(String),
    /// A list.
    Array(Vec<Value>),
    /// An object. A second entry of one name is refused where it is read.
    Object(BTreeMap<String, Value>),
}

impl Value {
    /// The text that is the same for two documents of the same values: without spaces, the keys of each object sorted, and
    /// numbers as they were written.
    #[must_use]
    pub fn canonical(&self) -> String {
        let mut text = String::new();
        self.write(&mut text);
        text
    }

    fn write(&self, text: &mut String) {
        match self {
            Self::Null => text.push_str("null"),
            Self::Bool(value) => {
                let _ = write!(text, "{value}");
            }
            Self::Number(number) => text.push_str(number),
            Self::Text(value) => text.push_str(&quoted(value)),
            Self::Array(items) => {
                text.push('[');
                for (at, item) in items.iter().enumerate() {
                    text.push_str(if at > 0 { "," } else { "" });
                    item.write(text);
                }
                text.push(']');
            }
            Self::Object(entries) => {
                text.push('{');
                for (at, (key, value)) in entries.iter().enumerate() {
                    text.push_str(if at > 0 { "," } else { "" });
                    text.push_str(&quoted(key));
                    text.push(':');
                    value.write(text);
                }
                text.push('}');
            }
        }
    }
}

/// Text in quotes, as JSON writes it and TOML reads it too.
#[must_use]
pub fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
