//! How reading parameters fails, while serde passes the error up.

use std::fmt;

use serde::de;

use crate::error::Error;

/// A failure that may not know yet which parameter it is about.
#[derive(Debug)]
pub(super) enum Failure {
    /// A field has no parameter and no default.
    Missing(&'static str),
    /// A text is not of the type expected.
    Expected(String),
    /// The same, and the parameter is known.
    Of {
        name: String,
        found: String,
        expected: String,
    },
    /// What serde or the program's own `Deserialize` says.
    Said(String),
}

impl Failure {
    /// Says which parameter it is about.
    pub(super) fn of(self, name: &str, found: &str) -> Self {
        match self {
            Self::Expected(expected) | Self::Said(expected) => Self::Of {
                name: name.into(),
                found: found.into(),
                expected,
            },
            known => known,
        }
    }
}

impl de::Error for Failure {
    fn custom<T: fmt::Display>(said: T) -> Self {
        Self::Said(said.to_string())
    }

    fn missing_field(field: &'static str) -> Self {
        Self::Missing(field)
    }

    fn invalid_type(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::Expected(expected.to_string())
    }

    fn invalid_value(_: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::Expected(expected.to_string())
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::Expected(format!("one of `{}`", expected.join("`, `")))
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Missing(name) => Self::ParamMissing { name: name.into() },
            Failure::Of {
                name,
                found,
                expected,
            } => Self::ParamValue {
                name,
                found,
                expected,
            },
            Failure::Expected(what) => Self::ParamsRefused {
                problem: format!("it expects {what} where they are a struct of names and values"),
            },
            Failure::Said(problem) => Self::ParamsRefused { problem },
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(what) => write!(out, "`{what}` is missing"),
            Self::Expected(what) | Self::Said(what) | Self::Of { expected: what, .. } => {
                out.write_str(what)
            }
        }
    }
}

impl std::error::Error for Failure {}
