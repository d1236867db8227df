//! The one seed that every stream derives from.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A seed: a whole number that TOML can write, so that it can stand in a lock, and not negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seed(u64);

impl Seed {
    /// The seed of that number, if it is one.
    #[must_use]
    pub fn new(number: i64) -> Option<Self> {
        u64::try_from(number).ok().map(Self)
    }
}

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
