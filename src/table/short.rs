//! Short digests and sums, written as hex digits without a prefix: they help to say where tables differ
//! and decide nothing.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The first 8 bytes of a SHA-256.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Short(pub(super) [u8; 8]);

/// The sum of the rows' hashes.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Unordered(pub(super) u128);

/// The number that so many hex digits are; exactly so many.
pub(super) fn unhex(text: &str, digits: usize) -> Option<u128> {
    let plain = text.len() == digits && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if plain {
        u128::from_str_radix(text, 16).ok()
    } else {
        None
    }
}

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", u64::from_be_bytes(self.0))
    }
}

impl FromStr for Short {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = unhex(text, 16).and_then(|number| u64::try_from(number).ok());
        number
            .map(|number| Self(number.to_be_bytes()))
            .ok_or_else(|| format!("`{text}` is not the digest of a block; one is 16 lower-case hex digits"))
    }
}

impl fmt::Display for Unordered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl FromStr for Unordered {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        unhex(text, 32)
            .map(Self)
            .ok_or_else(|| format!("`{text}` is not a sum of rows; one is 32 lower-case hex digits"))
    }
}

/// Serde and `Debug` by the text, for every type that has one.
macro_rules! as_text {
    ($($type:ty),+) => {$(
        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )+};
}

as_text!(Short, Unordered, super::locator::Locator);
