//! What can go wrong between a program and its run: what, where, and what to do next.
//!
//! Not an error of the training itself, which is the program's own.

use std::{fmt, io, path::PathBuf};

use crate::protocol;

/// A result whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a run could not do what it was asked.
#[non_exhaustive]
pub enum Error {
    /// `cargo repro` speaks a protocol that this library does not.
    Protocol {
        /// What the command said its version is.
        found: String,
    },
    /// A variable of the environment is missing or makes no sense.
    Environment {
        /// The variable.
        variable: String,
        /// What is wrong with it, and what would be right.
        problem: String,
    },
    /// Outside `cargo repro`, with no manifest and no seed in the environment.
    NoSeed,
    /// The manifest cannot be used.
    Manifest {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, and where.
        problem: String,
    },
    /// The program needs a parameter that it was not given.
    ParamMissing {
        /// The parameter.
        name: String,
    },
    /// A parameter's text is not of the type that the program expects.
    ParamValue {
        /// The parameter.
        name: String,
        /// Its text.
        found: String,
        /// What the program expects.
        expected: String,
    },
    /// The program refused the parameters as a whole, such as with `deny_unknown_fields`.
    ParamsRefused {
        /// Why.
        problem: String,
    },
    /// A data set cannot be given to the program.
    Data {
        /// The data set.
        name: String,
        /// Why, and what would be right.
        problem: String,
    },
    /// A metric was reported a second time.
    MetricTwice {
        /// The metric.
        name: String,
    },
    /// An artifact's path does not lead to a place inside the output directory.
    ArtifactPath {
        /// The path.
        path: PathBuf,
        /// Why not.
        problem: &'static str,
    },
    /// A value cannot be written as canonical bytes or canonical JSON.
    Value {
        /// What the value was for, such as ``artifact `model.json` ``; empty where that is not
        /// known.
        subject: String,
        /// The JSON pointer (RFC 6901) of the part that is to blame; empty for the whole or where
        /// that is not known.
        pointer: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A file could not be read or written.
    Io {
        /// What was being done, such as `write artifact`.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
}

impl Error {
    /// An I/O error at a path, for `map_err`.
    pub(crate) fn io(
        doing: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io {
            doing,
            path,
            source,
        }
    }

    /// The error of a variable in the environment.
    pub(crate) fn environment(variable: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Environment {
            variable: variable.into(),
            problem: problem.into(),
        }
    }

    /// Says which part of a value is to blame.
    pub(crate) fn at(mut self, place: String) -> Self {
        if let Self::Value { pointer, .. } = &mut self {
            *pointer = place;
        }
        self
    }

    /// Says what a value was for.
    pub(crate) fn about(mut self, what: &str, name: &str) -> Self {
        if let Self::Value { subject, .. } = &mut self {
            *subject = format!("{what} `{name}`");
        }
        self
    }
}

/// The same text as `Display`: a `main` that returns an error prints it by `Debug`, and what a person
/// reads there should be the message.
impl fmt::Debug for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Protocol { found } => write_protocol(out, found),
            Self::Environment { variable, problem } => {
                write!(out, "environment variable {variable}: {problem}")
            }
            Self::NoSeed => write!(
                out,
                "no seed: run the program with `cargo repro`, write a repro.toml with `seed`, or set {}",
                protocol::SEED
            ),
            Self::Manifest { path, problem } => write!(out, "{}: {problem}", path.display()),
            Self::ParamMissing { name } => {
                write!(
                    out,
                    "parameter `{name}` is missing: add it to [params] in repro.toml"
                )
            }
            Self::ParamValue {
                name,
                found,
                expected,
            } => write!(
                out,
                "parameter `{name}` is `{found}`, but the program expects {expected}: change it in [params] of repro.toml"
            ),
            Self::ParamsRefused { problem } => {
                write!(out, "the program refuses its parameters: {problem}")
            }
            Self::Data { name, problem } => write!(out, "data `{name}`: {problem}"),
            Self::MetricTwice { name } => write!(
                out,
                "metric `{name}` was reported twice: give each figure a name of its own, such as `{name}-2`"
            ),
            Self::ArtifactPath { path, problem } => write!(
                out,
                "artifact path `{}` {problem}: give one relative to the output directory, such as `model.json`",
                path.display()
            ),
            Self::Value {
                subject,
                pointer,
                problem,
            } => write_value(out, subject, pointer, problem),
            Self::Io {
                doing,
                path,
                source,
            } => write!(out, "cannot {doing} {}: {source}", path.display()),
        }
    }
}

fn write_protocol(out: &mut fmt::Formatter<'_>, found: &str) -> fmt::Result {
    let known = protocol::VERSION;
    write!(
        out,
        "`cargo repro` speaks protocol {found}, this program {known}: "
    )?;
    match found.parse::<u32>() {
        Ok(version) if version > known => {
            write!(out, "update repro-ml in the program's Cargo.toml")
        }
        Ok(version) if version < known => write!(out, "update cargo-repro"),
        _ => write!(out, "{} must be a version number", protocol::PROTOCOL),
    }
}

fn write_value(
    out: &mut fmt::Formatter<'_>,
    subject: &str,
    pointer: &str,
    problem: &str,
) -> fmt::Result {
    if !subject.is_empty() {
        write!(out, "{subject}: ")?;
    }
    if !pointer.is_empty() {
        write!(out, "at {pointer}: ")?;
    }
    write!(out, "{problem}")
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

impl serde::ser::Error for Error {
    fn custom<T: fmt::Display>(problem: T) -> Self {
        Self::Value {
            subject: String::new(),
            pointer: String::new(),
            problem: problem.to_string(),
        }
    }
}
