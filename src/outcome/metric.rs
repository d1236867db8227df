//! A figure as the program gave it: a number with every digit or bit, text, true or false, or null.

use serde::{Deserialize, Serialize};

pub use repro::protocol::Kind;

use crate::document::quoted;

/// A figure, exactly.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metric {
    /// What it is; left out for a number, as in locks from before there was anything else.
    #[serde(default, skip_serializing_if = "Kind::is_number")]
    pub kind: Kind,
    /// Of a number that is an `f64` the shortest decimal that reads back to it, or its digits if it is whole; `NaN`, `inf`,
    /// `-inf`. Of any other number its text. Else the text, `true`, `false` or `null`.
    pub value: String,
    /// The bits of an `f64` as 16 hex digits: what is compared, since `-0.0` equals `0.0` and NaN equals nothing. Left out
    /// for what is none, such as a whole number that no `f64` has.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub bits: String,
}

/// What two figures are compared by.
#[derive(PartialEq, Eq)]
enum Exact<'a> {
    Bits(u64),
    Text(Kind, &'a str, &'a str),
}

impl Metric {
    /// Of a number.
    #[must_use]
    pub fn new(value: f64) -> Self {
        Self {
            kind: Kind::Number,
            value: repro::protocol::shortest(value),
            bits: format!("{:016x}", value.to_bits()),
        }
    }

    /// Of a number as JSON writes it, or Python: with the bits of an `f64` where it is one, else digit by digit. A decimal
    /// is the `f64` that is nearest, as every reader of JSON takes it.
    #[must_use]
    pub fn written(text: &str) -> Self {
        if let Some(named) = Self::named(text) {
            return named;
        }
        let as_text = || Self {
            kind: Kind::Number,
            value: text.to_owned(),
            bits: String::new(),
        };
        let Some(number) = text.parse::<f64>().ok().filter(|number| number.is_finite()) else {
            return as_text();
        };
        let is_whole = !text.contains(['.', 'e', 'E']);
        let mut digits = text.split(['e', 'E']).next().unwrap_or_default().bytes();
        if is_whole && format!("{number:.0}") == text {
            Self {
                value: text.to_owned(),
                ..Self::new(number)
            }
        } else if is_whole || number == 0.0 && digits.any(|digit| matches!(digit, b'1'..=b'9')) {
            as_text()
        } else {
            Self::new(number)
        }
    }

    /// Of the names of what is not finite, as writers spell them.
    #[must_use]
    pub fn named(text: &str) -> Option<Self> {
        let number = match text {
            "NaN" => f64::NAN,
            "inf" | "Infinity" => f64::INFINITY,
            "-inf" | "-Infinity" => f64::NEG_INFINITY,
            _ => return None,
        };
        Some(Self::new(number))
    }

    /// Of text.
    #[must_use]
    pub fn text(value: impl Into<String>) -> Self {
        Self::of(Kind::Text, value)
    }

    /// Of true or false.
    #[must_use]
    pub fn boolean(value: bool) -> Self {
        Self::of(Kind::Boolean, value.to_string())
    }

    /// Of null.
    #[must_use]
    pub fn null() -> Self {
        Self::of(Kind::Null, "null")
    }

    fn of(kind: Kind, value: impl Into<String>) -> Self {
        Self {
            kind,
            value: value.into(),
            bits: String::new(),
        }
    }

    /// The number; the nearest `f64` where it is none. None for what is no number.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        if self.kind != Kind::Number {
            return None;
        }
        if self.bits.is_empty() {
            return self.value.parse().ok();
        }
        u64::from_str_radix(&self.bits, 16).ok().map(f64::from_bits)
    }

    /// The value as a whole number, if it is one.
    #[must_use]
    pub fn whole(&self) -> Option<i128> {
        (self.kind == Kind::Number).then(|| self.value.parse().ok()).flatten()
    }

    /// For people: text stands in quotes, so that it is not taken for anything else.
    #[must_use]
    pub fn shown(&self) -> String {
        match self.kind {
            Kind::Text => quoted(&self.value),
            Kind::Number | Kind::Boolean | Kind::Null => self.value.clone(),
        }
    }

    /// Whether its parts say the same, and what such a figure can be.
    #[must_use]
    pub fn is_consistent(&self) -> bool {
        match self.kind {
            Kind::Number if self.bits.is_empty() => {
                let same = Self::written(&self.value);
                same.bits.is_empty() && crate::document::parse(&self.value).is_ok()
            }
            Kind::Number => self.agreed_bits().is_some(),
            Kind::Text => self.bits.is_empty(),
            Kind::Boolean => self.bits.is_empty() && matches!(self.value.as_str(), "true" | "false"),
            Kind::Null => self.bits.is_empty() && self.value == "null",
        }
    }

    /// The bits, if the value is what they are: a hand may have edited one of the two.
    fn agreed_bits(&self) -> Option<u64> {
        let is_hex = |digit: u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
        if self.kind != Kind::Number || self.bits.len() != 16 || !self.bits.bytes().all(is_hex) {
            return None;
        }
        let bits = u64::from_str_radix(&self.bits, 16).ok()?;
        let number = f64::from_bits(bits);
        let agrees = if number.is_nan() {
            self.value == "NaN"
        } else {
            self.value == Self::new(number).value || Self::written(&self.value).bits == self.bits
        };
        agrees.then_some(bits)
    }

    fn exact(&self) -> Exact<'_> {
        self.agreed_bits().map_or(Exact::Text(self.kind, &self.value, &self.bits), Exact::Bits)
    }
}

impl PartialEq for Metric {
    /// By bits: `12` and `12.0` are one number, and a lock from before there were whole numbers has the second.
    fn eq(&self, other: &Self) -> bool {
        self.exact() == other.exact()
    }
}

impl Eq for Metric {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_digit_of_a_whole_number_is_kept() {
        for text in [
            "0",
            "-0",
            "12",
            "9007199254740993",
            "18446744073709551616",
            "-170141183460469231731687303715884105729",
            "1152921504606846976",
        ] {
            let metric = Metric::written(text);
            assert_eq!(metric.value, text);
            assert!(metric.is_consistent(), "{text}");
            assert_eq!(metric.bits.is_empty(), text.ends_with('3') || text.ends_with('9'), "{text}");
        }
        assert_eq!(Metric::written("12"), Metric::new(12.0));
        assert_ne!(Metric::written("9007199254740993"), Metric::written("9007199254740992"));
        assert_ne!(Metric::written("-0"), Metric::written("0"));
    }

    #[test]
    fn what_no_double_has_keeps_its_text() {
        for text in ["1e400", "-1e400", "1e-400"] {
            let metric = Metric::written(text);
            assert_eq!((metric.value.as_str(), metric.bits.as_str()), (text, ""));
            assert!(metric.is_consistent());
        }
        assert_eq!(Metric::written("0e5"), Metric::new(0.0));
        assert_eq!(Metric::written("0.9452706955539223").bits, "3fee3fa85468ae3c");
    }

    #[test]
    fn a_value_that_is_not_that_of_the_bits_equals_nothing_else() {
        let honest = Metric::new(0.5);
        let lying = Metric {
            value: "0.9".to_owned(),
            ..honest.clone()
        };
        assert!(!lying.is_consistent());
        assert_ne!(lying, honest);
        assert_ne!(lying, Metric::new(0.9));
    }

    #[test]
    fn what_is_text_is_never_a_number() {
        assert_ne!(Metric::text("0.5"), Metric::new(0.5));
        assert_ne!(Metric::text("true"), Metric::boolean(true));
        assert_ne!(Metric::text("null"), Metric::null());
        assert_ne!(Metric::text("true").shown(), Metric::boolean(true).shown());
    }

    proptest! {
        #[test]
        fn every_double_keeps_its_bits(bits: u64) {
            let number = f64::from_bits(bits);
            let metric = Metric::new(number);
            prop_assert!(metric.is_consistent());
            prop_assert_eq!(metric.number().map(f64::to_bits), Some(bits));
            if number.is_finite() {
                prop_assert_eq!(Metric::written(&format!("{number:?}")), metric.clone());
                prop_assert_eq!(Metric::written(&format!("{number:.17e}")).bits, metric.bits);
            }
        }

        #[test]
        fn every_whole_number_keeps_its_digits(text in "-?(0|[1-9][0-9]{0,60})", other in "-?(0|[1-9][0-9]{0,60})") {
            let metric = Metric::written(&text);
            prop_assert_eq!(&metric.value, &text);
            prop_assert!(metric.is_consistent());
            prop_assert_eq!(metric == Metric::written(&other), text == other);
        }
    }
}
