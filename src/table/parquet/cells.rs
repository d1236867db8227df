//! Types and cells of Parquet, by the rules of [`crate::table`]: names of types are this tool's own, so
//! that they stay what they are when Arrow's change.

use std::ops::Range;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type, Float16Type,
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, Time32MillisecondType, Time32SecondType,
    Time64MicrosecondType, Time64NanosecondType, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef};
use arrow_schema::{DataType, TimeUnit};

use crate::table::MOST_LEAF_BYTES;
use crate::table::leaf::Cells;

/// The name of a type, or what is wrong with it.
pub(super) fn kind(of: &DataType) -> Result<String, String> {
    Ok(match of {
        DataType::Null => "empty".to_owned(),
        DataType::Boolean => "boolean".to_owned(),
        DataType::Int8 => "int8".to_owned(),
        DataType::Int16 => "int16".to_owned(),
        DataType::Int32 => "int32".to_owned(),
        DataType::Int64 => "int64".to_owned(),
        DataType::UInt8 => "uint8".to_owned(),
        DataType::UInt16 => "uint16".to_owned(),
        DataType::UInt32 => "uint32".to_owned(),
        DataType::UInt64 => "uint64".to_owned(),
        DataType::Float16 => "float16".to_owned(),
        DataType::Float32 => "float32".to_owned(),
        DataType::Float64 => "float64".to_owned(),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "text".to_owned(),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => "binary".to_owned(),
        DataType::FixedSizeBinary(bytes) => format!("binary[{bytes}]"),
        DataType::Decimal32(digits, scale)
        | DataType::Decimal64(digits, scale)
        | DataType::Decimal128(digits, scale)
        | DataType::Decimal256(digits, scale) => format!("decimal({digits}, {scale})"),
        DataType::Date32 => "date".to_owned(),
        DataType::Time32(of) | DataType::Time64(of) => format!("time[{}]", unit(*of)),
        DataType::Timestamp(of, None) => format!("timestamp[{}]", unit(*of)),
        DataType::Timestamp(of, Some(zone)) => format!("timestamp[{}, {zone}]", unit(*of)),
        DataType::List(item) | DataType::LargeList(item) => format!("list<{}>", kind(item.data_type())?),
        DataType::Struct(fields) => {
            let fields: Result<Vec<String>, String> = fields
                .iter()
                .map(|field| Ok(format!("{}: {}", field.name(), kind(field.data_type())?)))
                .collect();
            format!("struct<{}>", fields?.join(", "))
        }
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(pair) if pair.len() == 2 => {
                format!("map<{}, {}>", kind(pair[0].data_type())?, kind(pair[1].data_type())?)
            }
            _ => return Err(unknown(of)),
        },
        _ => return Err(unknown(of)),
    })
}

fn unit(of: TimeUnit) -> &'static str {
    match of {
        TimeUnit::Second => "s",
        TimeUnit::Millisecond => "ms",
        TimeUnit::Microsecond => "us",
        TimeUnit::Nanosecond => "ns",
    }
}

fn unknown(of: &DataType) -> String {
    format!("is of a type that has no rule here: {of}")
}

/// Encodes these rows of a column.
pub(super) fn push(array: &ArrayRef, rows: Range<usize>, out: &mut Cells) -> Result<(), String> {
    use DataType as Is;
    match array.data_type() {
        Is::Null => rows.for_each(|_| out.push_missing()),
        Is::Boolean => {
            let array = array.as_boolean();
            each(array, rows, out, |out, row| out.push(&[u8::from(array.value(row))]));
        }
        Is::Int8 => numbers::<Int8Type, 1>(array, rows, out, i8::to_le_bytes),
        Is::Int16 => numbers::<Int16Type, 2>(array, rows, out, i16::to_le_bytes),
        Is::Int32 => numbers::<Int32Type, 4>(array, rows, out, i32::to_le_bytes),
        Is::Int64 => numbers::<Int64Type, 8>(array, rows, out, i64::to_le_bytes),
        Is::UInt8 => numbers::<UInt8Type, 1>(array, rows, out, u8::to_le_bytes),
        Is::UInt16 => numbers::<UInt16Type, 2>(array, rows, out, u16::to_le_bytes),
        Is::UInt32 => numbers::<UInt32Type, 4>(array, rows, out, u32::to_le_bytes),
        Is::UInt64 => numbers::<UInt64Type, 8>(array, rows, out, u64::to_le_bytes),
        Is::Float16 => numbers::<Float16Type, 2>(array, rows, out, |value| {
            if value.is_nan() { 0x7e00 } else { value.to_bits() }.to_le_bytes()
        }),
        Is::Float32 => numbers::<Float32Type, 4>(array, rows, out, |value| {
            if value.is_nan() { 0x7fc0_0000 } else { value.to_bits() }.to_le_bytes()
        }),
        Is::Float64 => numbers::<Float64Type, 8>(array, rows, out, |value| {
            if value.is_nan() {
                0x7ff8_0000_0000_0000
            } else {
                value.to_bits()
            }
            .to_le_bytes()
        }),
        // Sixteen bytes whatever width it is kept in; only more than 38 digits take more.
        Is::Decimal32(..) => numbers::<Decimal32Type, 16>(array, rows, out, |n| i128::from(n).to_le_bytes()),
        Is::Decimal64(..) => numbers::<Decimal64Type, 16>(array, rows, out, |n| i128::from(n).to_le_bytes()),
        Is::Decimal128(..) => numbers::<Decimal128Type, 16>(array, rows, out, i128::to_le_bytes),
        Is::Decimal256(..) => numbers::<Decimal256Type, 32>(array, rows, out, |n| n.to_le_bytes()),
        Is::Date32 => numbers::<Date32Type, 4>(array, rows, out, i32::to_le_bytes),
        Is::Time32(_) | Is::Time64(_) | Is::Timestamp(..) => return times(array, rows, out),
        _ => return texts(array, rows, out),
    }
    Ok(())
}

fn times(array: &ArrayRef, rows: Range<usize>, out: &mut Cells) -> Result<(), String> {
    use DataType as Is;
    use TimeUnit as Unit;
    match array.data_type() {
        Is::Time32(Unit::Second) => numbers::<Time32SecondType, 4>(array, rows, out, i32::to_le_bytes),
        Is::Time32(_) => numbers::<Time32MillisecondType, 4>(array, rows, out, i32::to_le_bytes),
        Is::Time64(Unit::Microsecond) => numbers::<Time64MicrosecondType, 8>(array, rows, out, i64::to_le_bytes),
        Is::Time64(_) => numbers::<Time64NanosecondType, 8>(array, rows, out, i64::to_le_bytes),
        Is::Timestamp(Unit::Second, _) => numbers::<TimestampSecondType, 8>(array, rows, out, i64::to_le_bytes),
        Is::Timestamp(Unit::Millisecond, _) => {
            numbers::<TimestampMillisecondType, 8>(array, rows, out, i64::to_le_bytes);
        }
        Is::Timestamp(Unit::Microsecond, _) => {
            numbers::<TimestampMicrosecondType, 8>(array, rows, out, i64::to_le_bytes);
        }
        Is::Timestamp(Unit::Nanosecond, _) => numbers::<TimestampNanosecondType, 8>(array, rows, out, i64::to_le_bytes),
        other => return Err(unknown(other)),
    }
    Ok(())
}

fn texts(array: &ArrayRef, rows: Range<usize>, out: &mut Cells) -> Result<(), String> {
    use DataType as Is;
    macro_rules! bytes {
        ($typed:expr) => {{
            let typed = $typed;
            each(typed, rows, out, |out, row| out.push(typed.value(row).as_ref()));
        }};
    }
    match array.data_type() {
        Is::Utf8 => bytes!(array.as_string::<i32>()),
        Is::LargeUtf8 => bytes!(array.as_string::<i64>()),
        Is::Utf8View => {
            let typed = array.as_string_view();
            each(typed, rows, out, |out, row| out.push(typed.value(row).as_bytes()));
        }
        Is::Binary => bytes!(array.as_binary::<i32>()),
        Is::LargeBinary => bytes!(array.as_binary::<i64>()),
        Is::BinaryView => bytes!(array.as_binary_view()),
        Is::FixedSizeBinary(_) => bytes!(array.as_fixed_size_binary()),
        _ => return nested(array, rows, out),
    }
    Ok(())
}

/// Cells that hold cells.
fn nested(array: &ArrayRef, rows: Range<usize>, out: &mut Cells) -> Result<(), String> {
    let mut inner = Cells::default();
    for row in rows {
        if is_too_much(out) {
            break;
        }
        if array.is_null(row) {
            out.push_missing();
            continue;
        }
        inner.clear();
        match array.data_type() {
            DataType::List(_) => {
                let items = array.as_list::<i32>().value(row);
                push(&items, 0..items.len(), &mut inner)?;
            }
            DataType::LargeList(_) => {
                let items = array.as_list::<i64>().value(row);
                push(&items, 0..items.len(), &mut inner)?;
            }
            DataType::Struct(_) => {
                for field in array.as_struct().columns() {
                    push(field, row..row + 1, &mut inner)?;
                }
            }
            DataType::Map(..) => {
                let entries = array.as_map().value(row);
                for entry in 0..entries.len() {
                    for side in entries.columns() {
                        push(side, entry..entry + 1, &mut inner)?;
                    }
                }
            }
            other => return Err(unknown(other)),
        }
        out.push(inner.encoded());
    }
    Ok(())
}

fn numbers<T: ArrowPrimitiveType, const WIDTH: usize>(
    array: &ArrayRef,
    rows: Range<usize>,
    out: &mut Cells,
    bytes: impl Fn(T::Native) -> [u8; WIDTH],
) {
    let array = array.as_primitive::<T>();
    each(array, rows, out, |out, row| out.push(&bytes(array.value(row))));
}

/// Whether a leaf takes more than one may by these cells alone: it is given up, so that none need follow.
fn is_too_much(cells: &Cells) -> bool {
    cells.encoded().len() > MOST_LEAF_BYTES
}

fn each(array: &impl Array, rows: Range<usize>, out: &mut Cells, push: impl Fn(&mut Cells, usize)) {
    for row in rows {
        if is_too_much(out) {
            return;
        }
        if array.is_null(row) {
            out.push_missing();
        } else {
            push(out, row);
        }
    }
}
