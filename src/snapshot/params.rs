//! A parameter: the value that the manifest or the command line gives it, which is all there is to
//! observe.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A parameter's value.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Param {
    /// `true` or `false`
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A decimal number.
    Float(f64),
    /// Text.
    Text(String),
}

impl fmt::Display for Param {
    /// As the program gets it: text without quotes, floats as the shortest decimal that reads back.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => value.fmt(f),
            Self::Integer(value) => value.fmt(f),
            Self::Float(value) => f.write_str(&repro::protocol::shortest(*value)),
            Self::Text(value) => value.fmt(f),
        }
    }
}

impl PartialEq for Param {
    /// By bits: a parameter that went from `0.0` to `-0.0` has changed. TOML has one NaN only.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Integer(a), Self::Integer(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()),
            (Self::Text(a), Self::Text(b)) => a == b,
            _ => false,
        }
    }
}

impl Param {
    /// What the command line gives for this parameter, in the type that the manifest gave it.
    #[must_use]
    pub fn with_text(&self, text: &str) -> Option<Self> {
        match self {
            Self::Bool(_) => text.parse().ok().map(Self::Bool),
            Self::Integer(_) => text.parse().ok().map(Self::Integer),
            Self::Float(_) => text.parse().ok().map(Self::Float),
            Self::Text(_) => Some(Self::Text(text.to_owned())),
        }
    }

    /// Its type, for people.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Bool(_) => "true or false",
            Self::Integer(_) => "a whole number",
            Self::Float(_) => "a number",
            Self::Text(_) => "text",
        }
    }
}
