//! The narrowest type that fits the texts of a column.

/// The types that still fit, as a set of bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kinds(u8);

const INTEGER: u8 = 1;
const FLOAT: u8 = 2;
const BOOLEAN: u8 = 4;
const DATE: u8 = 8;
const TIMESTAMP: u8 = 16;

const ONES: u128 = u128::from_le_bytes([1; 16]);
const HIGH: u128 = u128::from_le_bytes([0x80; 16]);

impl Kinds {
    /// Before any cell was seen.
    pub(super) const ALL: Self = Self(INTEGER | FLOAT | BOOLEAN | DATE | TIMESTAMP);

    /// What fits both.
    pub(super) fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether only text is left; then no cell need be looked at.
    pub(super) fn is_text(self) -> bool {
        self.0 == 0
    }

    /// The name of the narrowest.
    pub(super) fn name(self, is_empty: bool) -> &'static str {
        match self.0 {
            _ if is_empty => "empty",
            bits if bits & INTEGER != 0 => "integer",
            bits if bits & FLOAT != 0 => "float",
            bits if bits & BOOLEAN != 0 => "boolean",
            bits if bits & DATE != 0 => "date",
            bits if bits & TIMESTAMP != 0 => "timestamp",
            _ => "text",
        }
    }

    /// What fits the cell of so many bytes that begins here; more bytes may follow.
    #[inline]
    pub(super) fn of_padded(bytes: &[u8], length: usize) -> Self {
        match has_dot(bytes, length) {
            Some(false) => Self(INTEGER | FLOAT),
            Some(true) => Self(FLOAT),
            None => Self::of(&bytes[..length]),
        }
    }

    /// What fits the cell.
    pub(super) fn of(cell: &[u8]) -> Self {
        let unsigned = cell.strip_prefix(b"-").or_else(|| cell.strip_prefix(b"+")).unwrap_or(cell);
        if !unsigned.is_empty() && unsigned.iter().all(u8::is_ascii_digit) {
            Self(INTEGER | FLOAT)
        } else if is_float(unsigned) {
            Self(FLOAT)
        } else if [&b"true"[..], b"false"].iter().any(|word| cell.eq_ignore_ascii_case(word)) {
            Self(BOOLEAN)
        } else if is_date(cell) {
            Self(DATE)
        } else if is_timestamp(cell) {
            Self(TIMESTAMP)
        } else {
            Self(0)
        }
    }
}

/// Whether the cell is a number with digits, which no header has.
pub(super) fn is_number(cell: &[u8]) -> bool {
    cell.iter().any(u8::is_ascii_digit) && Kinds::of(cell).0 & FLOAT != 0
}

/// If a cell, a minus before it aside, is nothing but digits and at most one dot: whether it has one. This
/// is what the cells of a numeric table go through, so it looks at sixteen bytes at once, and takes no
/// branch that depends on them.
#[inline]
fn has_dot(bytes: &[u8], length: usize) -> Option<bool> {
    let minus = usize::from(bytes.first() == Some(&b'-'));
    let length = length - minus;
    let word = u128::from_le_bytes(*bytes.get(minus..)?.first_chunk()?);
    if !(1..=16).contains(&length) {
        return None;
    }
    let inside = HIGH >> (8 * (16 - length));
    let digits = word ^ (ONES * b'0' as u128);
    let others = (((digits & !HIGH) + ONES * 0x76) | digits) & inside;
    let dot = word ^ (ONES * b'.' as u128);
    let dots = !(((dot & !HIGH) + !HIGH) | dot) & inside;
    let has_dot = dots != 0;
    let has_several = dots & dots.wrapping_sub(1) != 0;
    (others == dots && !has_several && length > usize::from(has_dot)).then_some(has_dot)
}

/// Digits with at most one dot and at least one digit, and perhaps an exponent; or a word for what is no
/// finite number.
fn is_float(unsigned: &[u8]) -> bool {
    let is_word = [&b"nan"[..], b"inf", b"infinity"].iter().any(|word| unsigned.eq_ignore_ascii_case(word));
    let at = unsigned.iter().position(|byte| matches!(byte, b'e' | b'E'));
    let (mantissa, exponent) = match at {
        Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
        None => (unsigned, None),
    };
    let dots = mantissa.iter().filter(|byte| **byte == b'.').count();
    let digits = mantissa.iter().filter(|byte| byte.is_ascii_digit()).count();
    let exponent_is_one = exponent.is_none_or(|text| {
        let text = text.strip_prefix(b"-").or_else(|| text.strip_prefix(b"+")).unwrap_or(text);
        !text.is_empty() && text.iter().all(u8::is_ascii_digit)
    });
    is_word || digits > 0 && dots < 2 && digits + dots == mantissa.len() && exponent_is_one
}

/// `2024-02-29`, by its form.
fn is_date(cell: &[u8]) -> bool {
    cell.len() == 10 && fits(cell, b"dddd-dd-dd")
}

/// A date, `T` or a space, `hh:mm`, perhaps seconds and their fraction, perhaps a zone.
fn is_timestamp(cell: &[u8]) -> bool {
    let Some((date, rest)) = cell.split_at_checked(10) else {
        return false;
    };
    let Some((time, mut rest)) = rest.split_at_checked(6) else {
        return false;
    };
    if !fits(date, b"dddd-dd-dd") || !(fits(time, b"Tdd:dd") || fits(time, b" dd:dd")) {
        return false;
    }
    if let Some((seconds, after)) = rest.split_at_checked(3).filter(|(seconds, _)| fits(seconds, b":dd")) {
        let _ = seconds;
        rest = after;
        if let Some(fraction) = rest.strip_prefix(b".") {
            let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if digits == 0 {
                return false;
            }
            rest = &fraction[digits..];
        }
    }
    let zones = [&b"+dd:dd"[..], b"-dd:dd", b"+dddd", b"-dddd"];
    rest.is_empty() || rest == b"Z" || zones.iter().any(|zone| fits(rest, zone))
}

/// Whether the text has this form, where `d` is a digit and all else itself.
fn fits(text: &[u8], form: &[u8]) -> bool {
    let agrees = |(byte, of): (&u8, &u8)| if *of == b'd' { byte.is_ascii_digit() } else { byte == of };
    text.len() == form.len() && text.iter().zip(form).all(agrees)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_narrowest_type_is_named() {
        for (cell, name) in [
            ("12", "integer"),
            ("-007", "integer"),
            ("+1", "integer"),
            ("1.5", "float"),
            (".5", "float"),
            ("1e-3", "float"),
            ("NaN", "float"),
            ("-inf", "float"),
            ("True", "boolean"),
            ("2024-02-29", "date"),
            ("2024-02-29T10:00", "timestamp"),
            ("2024-02-29 10:00:00.125+02:00", "timestamp"),
            ("2024-02-29T10:00:00Z", "timestamp"),
            ("NA", "text"),
            ("-", "text"),
            (".", "text"),
            ("1.2.3", "text"),
            ("12a", "text"),
            ("--1", "text"),
            ("2024-02-29T10:00:00.", "text"),
        ] {
            assert_eq!(Kinds::of(cell.as_bytes()).name(false), name, "{cell}");
        }
    }

    proptest! {
        #[test]
        fn sixteen_bytes_at_once_see_what_single_bytes_do(cell in "[-+.0-9eé]{1,20}|.{1,12}", after in "[0-9.]{0,20}") {
            let padded = format!("{cell}{after}");
            prop_assert_eq!(Kinds::of_padded(padded.as_bytes(), cell.len()), Kinds::of(cell.as_bytes()));
        }
    }
}
