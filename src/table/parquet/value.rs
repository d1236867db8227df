//! The types of single values, and their bytes by the rules of [`crate::table`].

use std::fmt;

use parquet::basic::{ConvertedType, IntType, LogicalType, TimeUnit, Type as Physical};
use parquet::data_type::Int96;
use parquet::schema::types::Type;

use crate::table::leaf::Cells;

/// Digits of a decimal that sixteen bytes hold.
const DIGITS: i32 = 38;

/// The type of a column without parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// Always missing.
    Empty,
    Boolean,
    /// Of so many bits.
    Signed(u8),
    Unsigned(u8),
    Float16,
    Float32,
    Float64,
    Text,
    Binary,
    /// Of so many bytes each.
    Fixed(i32),
    Decimal {
        digits: i32,
        scale: i32,
        is_wide: bool,
    },
    Date,
    Time(TimeUnit),
    Timestamp(TimeUnit, Zone),
}

/// Whether an instant is one in UTC or one of no known zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Zone {
    Utc,
    Unknown,
}

/// A value that its type cannot have.
#[derive(Debug)]
pub(super) struct Impossible;

impl Value {
    /// # Errors
    /// For a type that has no rule; a sentence without its subject.
    pub(super) fn of(column: &Type) -> Result<Self, String> {
        let info = column.get_basic_info();
        let (logical, converted) = (info.logical_type_ref(), info.converted_type());
        if logical == Some(&LogicalType::Unknown) {
            return Ok(Self::Empty);
        }
        let Type::PrimitiveType {
            physical_type,
            type_length,
            scale,
            precision,
            ..
        } = column
        else {
            return Err("is no column of values".to_owned());
        };
        let decimal = match (logical, converted) {
            (Some(LogicalType::Decimal(decimal)), _) => Some((decimal.precision, decimal.scale)),
            (None, ConvertedType::DECIMAL) => Some((*precision, *scale)),
            _ => None,
        };
        let found = match physical_type {
            Physical::BOOLEAN => Some(Self::Boolean),
            Physical::INT96 => Some(Self::Timestamp(TimeUnit::NANOS, Zone::Unknown)),
            Physical::FLOAT => Some(Self::Float32),
            Physical::DOUBLE => Some(Self::Float64),
            Physical::INT32 | Physical::INT64 => match decimal {
                Some((digits, scale)) => Self::decimal(digits, scale, false),
                None if *physical_type == Physical::INT32 => of_32_bits(logical, converted),
                None => of_64_bits(logical, converted),
            },
            Physical::BYTE_ARRAY => match decimal {
                Some((digits, scale)) => Self::decimal(digits, scale, digits > DIGITS),
                None => of_bytes(logical, converted),
            },
            Physical::FIXED_LEN_BYTE_ARRAY => match decimal {
                Some(_) if !(1..=32).contains(type_length) => None,
                Some((digits, scale)) => Self::decimal(digits, scale, *type_length > 16),
                None => of_fixed(logical, converted, *type_length),
            },
        };
        found.ok_or_else(|| match converted {
            ConvertedType::NONE => format!("is of a type that has no rule here: {physical_type}"),
            converted => format!("is of a type that has no rule here: {converted}"),
        })
    }

    fn decimal(digits: i32, scale: i32, is_wide: bool) -> Option<Self> {
        (digits > 0 && scale >= 0).then_some(Self::Decimal { digits, scale, is_wide })
    }

    /// Pushes a number of 32 bits.
    pub(super) fn push_32(self, number: i32, out: &mut Cells) -> Result<(), Impossible> {
        let fits = match self {
            Self::Signed(8) => i8::try_from(number).map(|n| out.push(&n.to_le_bytes())).is_ok(),
            Self::Signed(16) => i16::try_from(number).map(|n| out.push(&n.to_le_bytes())).is_ok(),
            Self::Unsigned(8) => u8::try_from(number).map(|n| out.push(&n.to_le_bytes())).is_ok(),
            Self::Unsigned(16) => u16::try_from(number).map(|n| out.push(&n.to_le_bytes())).is_ok(),
            Self::Decimal { .. } => {
                out.push(&i128::from(number).to_le_bytes());
                true
            }
            // Of an unsigned one the bits are the same.
            _ => {
                out.push(&number.to_le_bytes());
                true
            }
        };
        if fits { Ok(()) } else { Err(Impossible) }
    }

    /// Pushes a number of 64 bits.
    pub(super) fn push_64(self, number: i64, out: &mut Cells) {
        if matches!(self, Self::Decimal { .. }) {
            out.push(&i128::from(number).to_le_bytes());
        } else {
            out.push(&number.to_le_bytes());
        }
    }

    /// Pushes a time of the Julian day and its nanoseconds.
    pub(super) fn push_96(time: Int96, out: &mut Cells) {
        out.push(&time.to_nanos().to_le_bytes());
    }

    /// Pushes bytes.
    pub(super) fn push_bytes(self, bytes: &[u8], out: &mut Cells) -> Result<(), Impossible> {
        match self {
            Self::Text if std::str::from_utf8(bytes).is_err() => return Err(Impossible),
            Self::Fixed(length) if usize::try_from(length) != Ok(bytes.len()) => return Err(Impossible),
            Self::Decimal { is_wide: false, .. } => out.push(&little_endian::<16>(bytes).ok_or(Impossible)?),
            Self::Decimal { is_wide: true, .. } => out.push(&little_endian::<32>(bytes).ok_or(Impossible)?),
            Self::Float16 => {
                let bits = u16::from_le_bytes(bytes.try_into().map_err(|_| Impossible)?);
                let is_nan = bits & 0x7fff > 0x7c00;
                out.push(&(if is_nan { 0x7e00 } else { bits }).to_le_bytes());
            }
            _ => out.push(bytes),
        }
        Ok(())
    }

    /// Pushes a float; every NaN is one.
    pub(super) fn push_float(number: f32, out: &mut Cells) {
        let bits = if number.is_nan() { 0x7fc0_0000 } else { number.to_bits() };
        out.push(&bits.to_le_bytes());
    }

    /// Likewise of twice the width.
    pub(super) fn push_double(number: f64, out: &mut Cells) {
        let bits = if number.is_nan() {
            0x7ff8_0000_0000_0000
        } else {
            number.to_bits()
        };
        out.push(&bits.to_le_bytes());
    }
}

fn of_32_bits(logical: Option<&LogicalType>, converted: ConvertedType) -> Option<Value> {
    Some(match (logical, converted) {
        (Some(LogicalType::Integer(of)), _) if [8, 16, 32].contains(&of.bit_width) => integer(of),
        (Some(LogicalType::Date), _) | (None, ConvertedType::DATE) => Value::Date,
        (Some(LogicalType::Time(time)), _) if time.unit == TimeUnit::MILLIS => Value::Time(TimeUnit::MILLIS),
        (None, ConvertedType::TIME_MILLIS) => Value::Time(TimeUnit::MILLIS),
        (None, ConvertedType::NONE | ConvertedType::INT_32) => Value::Signed(32),
        (None, ConvertedType::INT_8) => Value::Signed(8),
        (None, ConvertedType::INT_16) => Value::Signed(16),
        (None, ConvertedType::UINT_8) => Value::Unsigned(8),
        (None, ConvertedType::UINT_16) => Value::Unsigned(16),
        (None, ConvertedType::UINT_32) => Value::Unsigned(32),
        _ => return None,
    })
}

fn of_64_bits(logical: Option<&LogicalType>, converted: ConvertedType) -> Option<Value> {
    Some(match (logical, converted) {
        (Some(LogicalType::Integer(of)), _) if of.bit_width == 64 => integer(of),
        (Some(LogicalType::Time(time)), _) if time.unit != TimeUnit::MILLIS => Value::Time(time.unit),
        (Some(LogicalType::Timestamp(time)), _) => {
            let zone = if time.is_adjusted_to_u_t_c {
                Zone::Utc
            } else {
                Zone::Unknown
            };
            Value::Timestamp(time.unit, zone)
        }
        (None, ConvertedType::TIME_MICROS) => Value::Time(TimeUnit::MICROS),
        (None, ConvertedType::TIMESTAMP_MILLIS) => Value::Timestamp(TimeUnit::MILLIS, Zone::Utc),
        (None, ConvertedType::TIMESTAMP_MICROS) => Value::Timestamp(TimeUnit::MICROS, Zone::Utc),
        (None, ConvertedType::NONE | ConvertedType::INT_64) => Value::Signed(64),
        (None, ConvertedType::UINT_64) => Value::Unsigned(64),
        _ => return None,
    })
}

fn of_bytes(logical: Option<&LogicalType>, converted: ConvertedType) -> Option<Value> {
    Some(match (logical, converted) {
        (Some(LogicalType::String | LogicalType::Json), _) => Value::Text,
        (None, ConvertedType::UTF8 | ConvertedType::JSON) => Value::Text,
        (Some(LogicalType::Bson | LogicalType::Enum), _) => Value::Binary,
        (Some(LogicalType::Geometry(_) | LogicalType::Geography(_) | LogicalType::_Unknown { .. }), _) => Value::Binary,
        (None, ConvertedType::NONE | ConvertedType::BSON | ConvertedType::ENUM) => Value::Binary,
        _ => return None,
    })
}

fn of_fixed(logical: Option<&LogicalType>, converted: ConvertedType, length: i32) -> Option<Value> {
    match (logical, converted) {
        (None, ConvertedType::INTERVAL) => None,
        (Some(LogicalType::Float16), _) => (length == 2).then_some(Value::Float16),
        _ => Some(Value::Fixed(length)),
    }
}

fn integer(of: &IntType) -> Value {
    let bits = of.bit_width.unsigned_abs();
    if of.is_signed {
        Value::Signed(bits)
    } else {
        Value::Unsigned(bits)
    }
}

/// A signed number of big-endian bytes, in a width of its own; none if it is wider or of no byte.
fn little_endian<const WIDTH: usize>(bytes: &[u8]) -> Option<[u8; WIDTH]> {
    let is_negative = bytes.first()? & 0x80 != 0;
    let mut number = [if is_negative { 0xff } else { 0 }; WIDTH];
    if bytes.len() > WIDTH {
        return None;
    }
    for (to, from) in number.iter_mut().zip(bytes.iter().rev()) {
        *to = *from;
    }
    Some(number)
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("empty"),
            Self::Boolean => f.write_str("boolean"),
            Self::Signed(bits) => write!(f, "int{bits}"),
            Self::Unsigned(bits) => write!(f, "uint{bits}"),
            Self::Float16 => f.write_str("float16"),
            Self::Float32 => f.write_str("float32"),
            Self::Float64 => f.write_str("float64"),
            Self::Text => f.write_str("text"),
            Self::Binary => f.write_str("binary"),
            Self::Fixed(bytes) => write!(f, "binary[{bytes}]"),
            Self::Decimal { digits, scale, .. } => write!(f, "decimal({digits}, {scale})"),
            Self::Date => f.write_str("date"),
            Self::Time(of) => write!(f, "time[{}]", unit(*of)),
            Self::Timestamp(of, Zone::Unknown) => write!(f, "timestamp[{}]", unit(*of)),
            Self::Timestamp(of, Zone::Utc) => write!(f, "timestamp[{}, UTC]", unit(*of)),
        }
    }
}

fn unit(of: TimeUnit) -> &'static str {
    match of {
        TimeUnit::MILLIS => "ms",
        TimeUnit::MICROS => "us",
        TimeUnit::NANOS => "ns",
    }
}
