//! The contract between `cargo repro` and a training program: environment variables one way, ledger
//! lines the other.
//!
//! Both sides compile this file, so no name in it is spelled twice. It is not the code that reads
//! the variables (that is private to [`Run`](crate::Run)) and it does no I/O.
//!
//! # What the command sets
//!
//! | variable | value |
//! |---|---|
//! | [`PROTOCOL`] | [`VERSION`] in decimal; that it is set tells a program that it runs inside `cargo repro` |
//! | [`STAGE`] | the stage's name, such as `train` |
//! | [`SEED`] | the seed, an unsigned 64-bit integer in decimal |
//! | [`OUT_DIR`] | the directory that artifact paths are relative to |
//! | [`LEDGER`] | the file that ledger lines are appended to |
//! | [`PARAM_PREFIX`] + name | a parameter: text as it is, `true` or `false`, integers in decimal, floats as [`shortest`] writes them |
//! | [`DATA_PREFIX`] + name | for a file or a directory its path; for a glob or a list one path a line, sorted by bytes |
//!
//! The last two spell the name as [`variable`] does.
//!
//! # What the program writes
//!
//! One [`Event`] a line, as a JSON object, each line ended by LF and appended with one write.

use serde::{Deserialize, Serialize};

/// The version of everything in this file.
///
/// - 1: the first.
pub const VERSION: u32 = 1;

/// The variable that holds the protocol's version.
pub const PROTOCOL: &str = "REPRO_PROTOCOL";

/// The variable that holds the stage's name.
pub const STAGE: &str = "REPRO_STAGE";

/// The variable that holds the seed.
pub const SEED: &str = "REPRO_SEED";

/// The variable that holds the directory for artifacts.
pub const OUT_DIR: &str = "REPRO_OUT_DIR";

/// The variable that holds the path of the ledger.
pub const LEDGER: &str = "REPRO_LEDGER";

/// What the variable of a parameter begins with.
pub const PARAM_PREFIX: &str = "REPRO_PARAM_";

/// What the variable of a data set begins with.
pub const DATA_PREFIX: &str = "REPRO_DATA_";

/// The stage of a program that runs outside `cargo repro` and is not told another.
pub const DEFAULT_STAGE: &str = "train";

/// The variable for `name`: `prefix`, then the name in ASCII upper case with `_` for every
/// character that is not an ASCII letter or digit.
///
/// ```
/// use repro::protocol::{PARAM_PREFIX, variable};
/// assert_eq!(variable(PARAM_PREFIX, "learning-rate"), "REPRO_PARAM_LEARNING_RATE");
/// ```
#[must_use]
pub fn variable(prefix: &str, name: &str) -> String {
    let mut variable = String::with_capacity(prefix.len() + name.len());
    variable.push_str(prefix);
    variable.extend(name.chars().map(|character| match character {
        letter_or_digit if letter_or_digit.is_ascii_alphanumeric() => {
            letter_or_digit.to_ascii_uppercase()
        }
        _ => '_',
    }));
    variable
}

/// The shortest decimal that reads back to the same `f64`, always with a point or an exponent;
/// `NaN`, `inf` or `-inf`.
///
/// ```
/// use repro::protocol::shortest;
/// assert_eq!(shortest(0.1 + 0.2), "0.30000000000000004");
/// assert_eq!(shortest(1.0), "1.0");
/// assert_eq!(shortest(-0.0), "-0.0");
/// assert_eq!(shortest(1e-7), "1e-7");
/// assert_eq!(shortest(f64::NEG_INFINITY), "-inf");
/// ```
#[must_use]
pub fn shortest(value: f64) -> String {
    format!("{value:?}")
}

/// One line of the ledger: something that the program did or came to.
///
/// Names of parameters and data sets are as the program wrote them; compare them through
/// [`variable`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// A program opened its run. The first line that a run writes.
    Open {
        /// The protocol's version that the program speaks.
        protocol: u32,
        /// What wrote the line, for people: `repro-ml 0.1.0`.
        runtime: String,
    },
    /// The program used a parameter. Once for each parameter.
    Param {
        /// The parameter's name in the program.
        name: String,
        /// The text that the program was given.
        value: String,
    },
    /// The program asked for the paths of a data set. Once for each.
    Data {
        /// The data set's name in the program.
        name: String,
    },
    /// What was drawn from a seed stream. One line for each stream, sorted by name, just before
    /// [`Event::Close`].
    Stream {
        /// The stream's name.
        name: String,
        /// How many 32-bit words the stream and its clones gave in all.
        words: u64,
    },
    /// The digest of an intermediate value.
    Checkpoint {
        /// The checkpoint's name; it may come again, as in a loop.
        name: String,
        /// `sha256:` and the digest of the value's [canonical bytes](crate::canonical), in
        /// lower-case hexadecimal.
        digest: String,
    },
    /// A figure that the training came to. [`Event::metric`] makes one.
    Metric {
        /// The metric's name; it comes once.
        name: String,
        /// What it is; left out for a number.
        #[serde(default, skip_serializing_if = "Kind::is_number")]
        kind: Kind,
        /// The value: of an `f64` as [`shortest`] writes it, of a whole number its digits, else the
        /// text, `true`, `false` or `null`.
        value: String,
        /// The IEEE 754 bits of a number that is an `f64`, as 16 lower-case hexadecimal digits;
        /// left out for all else.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        bits: String,
    },
    /// A file that the program wrote.
    Artifact {
        /// The path relative to the output directory, with `/` between its parts.
        path: String,
        /// `sha256:` and the digest of the file's bytes.
        digest: String,
    },
    /// The run ended by itself. A ledger without it is of a program that was cut off or left its
    /// run open.
    Close,
}

/// What a metric is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A number.
    #[default]
    Number,
    /// Text.
    Text,
    /// `true` or `false`.
    Boolean,
    /// There is no value.
    Null,
}

impl Kind {
    /// Whether it is a number, which need not be said.
    #[must_use]
    #[allow(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde hands over a reference"
    )]
    pub fn is_number(&self) -> bool {
        *self == Self::Number
    }
}

impl Event {
    /// The line for a metric.
    ///
    /// ```
    /// use repro::protocol::Event;
    /// let Event::Metric { value, bits, .. } = Event::metric("accuracy", 0.94) else { unreachable!() };
    /// assert_eq!((value.as_str(), bits.as_str()), ("0.94", "3fee147ae147ae14"));
    /// let Event::Metric { value, bits, .. } = Event::metric("tokens", u64::MAX) else { unreachable!() };
    /// assert_eq!((value.as_str(), bits.as_str()), ("18446744073709551615", ""));
    /// ```
    #[must_use]
    pub fn metric(name: impl Into<String>, value: impl Into<Figure>) -> Self {
        let Figure { kind, value, bits } = value.into();
        Self::Metric {
            name: name.into(),
            kind,
            value,
            bits,
        }
    }
}

/// What a metric can be: any number, text, `true` or `false`, or an [`Option`] of these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    kind: Kind,
    value: String,
    bits: String,
}

impl From<f64> for Figure {
    fn from(value: f64) -> Self {
        Self {
            kind: Kind::Number,
            value: shortest(value),
            bits: format!("{:016x}", value.to_bits()),
        }
    }
}

impl From<f32> for Figure {
    fn from(value: f32) -> Self {
        f64::from(value).into()
    }
}

macro_rules! whole {
    ($($integer:ty)*) => {$(
        impl From<$integer> for Figure {
            fn from(value: $integer) -> Self {
                let digits = value.to_string();
                let number: f64 = digits.parse().expect("digits are a number");
                // Only what an `f64` has exactly has its bits.
                let is_exact = format!("{number:.0}") == digits;
                Self {
                    kind: Kind::Number,
                    value: digits,
                    bits: if is_exact { format!("{:016x}", number.to_bits()) } else { String::new() },
                }
            }
        }
    )*};
}

whole!(i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize);

impl From<bool> for Figure {
    fn from(value: bool) -> Self {
        Self {
            kind: Kind::Boolean,
            value: value.to_string(),
            bits: String::new(),
        }
    }
}

impl From<String> for Figure {
    fn from(value: String) -> Self {
        Self {
            kind: Kind::Text,
            value,
            bits: String::new(),
        }
    }
}

impl From<&str> for Figure {
    fn from(value: &str) -> Self {
        value.to_owned().into()
    }
}

impl<T: Into<Self>> From<Option<T>> for Figure {
    fn from(value: Option<T>) -> Self {
        let null = || Self {
            kind: Kind::Null,
            value: "null".into(),
            bits: String::new(),
        };
        value.map_or_else(null, Into::into)
    }
}
