//! Parquet files as tests need them: a schema in Parquet's own text, and for each leaf its levels and values.

use std::sync::Arc;

use ::parquet::column::writer::ColumnWriter;
use ::parquet::data_type::{ByteArray, FixedLenByteArray};
use ::parquet::file::properties::WriterPropertiesBuilder;
use ::parquet::file::writer::SerializedFileWriter;
use ::parquet::schema::parser::parse_message_type;

/// A leaf column. Without levels every value is there, once a row.
#[derive(Clone)]
pub(super) struct Leaf {
    definitions: Option<Vec<i16>>,
    repetitions: Option<Vec<i16>>,
    /// The level of what is there.
    full: i16,
    values: Values,
}

#[derive(Clone)]
pub(super) enum Values {
    Booleans(Vec<bool>),
    Numbers(Vec<i32>),
    Longs(Vec<i64>),
    Floats(Vec<f32>),
    Doubles(Vec<f64>),
    Bytes(Vec<ByteArray>),
    Fixed(Vec<FixedLenByteArray>),
}

macro_rules! values {
    ($($of:ty => $variant:ident),*) => {
        $(impl From<Vec<$of>> for Values {
            fn from(values: Vec<$of>) -> Self {
                Self::$variant(values)
            }
        })*
    };
}
values!(bool => Booleans, i32 => Numbers, i64 => Longs, f32 => Floats, f64 => Doubles);
values!(ByteArray => Bytes, FixedLenByteArray => Fixed);

impl From<Vec<&str>> for Values {
    fn from(texts: Vec<&str>) -> Self {
        Self::Bytes(texts.into_iter().map(|text| text.as_bytes().to_vec().into()).collect())
    }
}

impl Values {
    /// Values of one length.
    pub(super) fn fixed(values: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let fixed = |value: Vec<u8>| FixedLenByteArray::from(ByteArray::from(value));
        Self::Fixed(values.into_iter().map(fixed).collect())
    }
}

/// Of a required column.
pub(super) fn required(values: impl Into<Values>) -> Leaf {
    Leaf {
        definitions: None,
        repetitions: None,
        full: 0,
        values: values.into(),
    }
}

/// Of an optional column.
pub(super) fn optional<T>(cells: impl IntoIterator<Item = Option<T>>) -> Leaf
where
    Values: From<Vec<T>>,
{
    let (mut definitions, mut values) = (Vec::new(), Vec::new());
    for cell in cells {
        definitions.push(i16::from(cell.is_some()));
        values.extend(cell);
    }
    Leaf {
        definitions: Some(definitions),
        repetitions: None,
        full: 1,
        values: values.into(),
    }
}

/// Of lists in lists, by their levels.
pub(super) fn levelled(full: i16, levels: &[(i16, i16)], values: impl Into<Values>) -> Leaf {
    let (definitions, repetitions) = levels.iter().copied().unzip();
    Leaf {
        definitions: Some(definitions),
        repetitions: Some(repetitions),
        full,
        values: values.into(),
    }
}

/// Of an optional list of optional things.
pub(super) fn lists<T>(cells: impl IntoIterator<Item = Option<Vec<Option<T>>>>) -> Leaf
where
    Values: From<Vec<T>>,
{
    let (mut levels, mut values) = (Vec::new(), Vec::new());
    for cell in cells {
        match cell {
            None => levels.push((0, 0)),
            Some(items) if items.is_empty() => levels.push((1, 0)),
            Some(items) => {
                for (index, item) in items.into_iter().enumerate() {
                    levels.push((if item.is_some() { 3 } else { 2 }, i16::from(index > 0)));
                    values.extend(item);
                }
            }
        }
    }
    levelled(3, &levels, values)
}

impl Leaf {
    fn levels(&self) -> usize {
        let values = match &self.values {
            Values::Booleans(values) => values.len(),
            Values::Numbers(values) => values.len(),
            Values::Longs(values) => values.len(),
            Values::Floats(values) => values.len(),
            Values::Doubles(values) => values.len(),
            Values::Bytes(values) => values.len(),
            Values::Fixed(values) => values.len(),
        };
        self.definitions.as_ref().map_or(values, Vec::len)
    }

    /// Where each row begins, and where the last ends.
    fn rows(&self) -> Vec<usize> {
        let begins = |level: &usize| self.repetitions.as_ref().is_none_or(|levels| levels[*level] == 0);
        (0..self.levels()).filter(begins).chain([self.levels()]).collect()
    }

    fn write(&self, writer: &mut ColumnWriter<'_>, rows: std::ops::Range<usize>) {
        let starts = self.rows();
        let levels = starts[rows.start]..starts[rows.end];
        let there = |levels: std::ops::Range<usize>| match &self.definitions {
            Some(definitions) => definitions[levels].iter().filter(|level| **level == self.full).count(),
            None => levels.len(),
        };
        let first = there(0..levels.start);
        let values = first..first + there(levels.clone());
        let definitions = self.definitions.as_ref().map(|all| &all[levels.clone()]);
        let repetitions = self.repetitions.as_ref().map(|all| &all[levels.clone()]);
        macro_rules! write {
            ($($variant:ident => $writer:ident),*) => {
                match (&self.values, writer) {
                    $((Values::$variant(all), ColumnWriter::$writer(writer)) => {
                        writer.write_batch(&all[values], definitions, repetitions).unwrap();
                    })*
                    _ => panic!("values of another type than the schema's"),
                }
            };
        }
        write!(
            Booleans => BoolColumnWriter, Numbers => Int32ColumnWriter, Longs => Int64ColumnWriter,
            Floats => FloatColumnWriter, Doubles => DoubleColumnWriter, Bytes => ByteArrayColumnWriter,
            Fixed => FixedLenByteArrayColumnWriter
        );
    }
}

/// A file with these columns, in groups of so many rows.
pub(super) fn grouped(
    schema: &str,
    leaves: &[Leaf],
    properties: WriterPropertiesBuilder,
    rows_at_once: usize,
) -> Vec<u8> {
    let schema = parse_message_type(&format!("message m {{ {schema} }}")).unwrap();
    let mut bytes = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut bytes, Arc::new(schema), Arc::new(properties.build())).unwrap();
    let rows = leaves[0].rows().len() - 1;
    for start in (0..rows).step_by(rows_at_once) {
        let mut group = writer.next_row_group().unwrap();
        let mut next = leaves.iter();
        while let Some(mut column) = group.next_column().unwrap() {
            let end = rows.min(start + rows_at_once);
            next.next().unwrap().write(column.untyped(), start..end);
            column.close().unwrap();
        }
        group.close().unwrap();
    }
    writer.close().unwrap();
    bytes
}

/// A file with these columns in one group.
pub(super) fn written(schema: &str, leaves: &[Leaf], properties: WriterPropertiesBuilder) -> Vec<u8> {
    grouped(schema, leaves, properties, usize::MAX)
}
