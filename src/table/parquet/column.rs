//! One leaf column: the values of the rows that are read at one time, with their levels.

use parquet::basic::Type as Physical;
use parquet::column::reader::ColumnReader;
use parquet::data_type::{ByteArray, FixedLenByteArray, Int96};
use parquet::errors::ParquetError;
use parquet::schema::types::ColumnDescriptor;

use super::value::{Impossible, Value};
use crate::table::leaf::Cells;

/// A column, and how far its rows have been taken.
pub(super) struct Column {
    /// The level of what is there.
    full: i16,
    is_repeated: bool,
    definitions: Vec<i16>,
    repetitions: Vec<i16>,
    values: Values,
    /// Of the next level, and of the next value.
    level: usize,
    value: usize,
    levels: usize,
}

enum Values {
    Booleans(Vec<bool>),
    Numbers32(Vec<i32>),
    Numbers64(Vec<i64>),
    Numbers96(Vec<Int96>),
    Floats(Vec<f32>),
    Doubles(Vec<f64>),
    Bytes(Vec<ByteArray>),
    Fixed(Vec<FixedLenByteArray>),
}

impl Column {
    pub(super) fn new(of: &ColumnDescriptor) -> Self {
        Self {
            full: of.max_def_level(),
            is_repeated: of.max_rep_level() > 0,
            definitions: Vec::new(),
            repetitions: Vec::new(),
            values: match of.physical_type() {
                Physical::BOOLEAN => Values::Booleans(Vec::new()),
                Physical::INT32 => Values::Numbers32(Vec::new()),
                Physical::INT64 => Values::Numbers64(Vec::new()),
                Physical::INT96 => Values::Numbers96(Vec::new()),
                Physical::FLOAT => Values::Floats(Vec::new()),
                Physical::DOUBLE => Values::Doubles(Vec::new()),
                Physical::BYTE_ARRAY => Values::Bytes(Vec::new()),
                Physical::FIXED_LEN_BYTE_ARRAY => Values::Fixed(Vec::new()),
            },
            level: 0,
            value: 0,
            levels: 0,
        }
    }

    /// Takes the next rows in place of those that were; how many there were.
    pub(super) fn fill(&mut self, reader: &mut ColumnReader, rows: usize) -> Result<usize, ParquetError> {
        self.definitions.clear();
        self.repetitions.clear();
        (self.level, self.value) = (0, 0);
        let levels = (Some(&mut self.definitions), Some(&mut self.repetitions));
        macro_rules! read {
            ($($reader:ident => $values:ident),*) => {
                match (reader, &mut self.values) {
                    $((ColumnReader::$reader(reader), Values::$values(values)) => {
                        values.clear();
                        reader.read_records(rows, levels.0, levels.1, values)?
                    })*
                    _ => return Err(ParquetError::General("a column changed its type".to_owned())),
                }
            };
        }
        let (rows, _, levels) = read!(
            BoolColumnReader => Booleans, Int32ColumnReader => Numbers32, Int64ColumnReader => Numbers64,
            Int96ColumnReader => Numbers96, FloatColumnReader => Floats, DoubleColumnReader => Doubles,
            ByteArrayColumnReader => Bytes, FixedLenByteArrayColumnReader => Fixed
        );
        self.levels = levels;
        Ok(rows)
    }

    /// How much of the next cell is there; none at the end.
    pub(super) fn definition(&self) -> Option<i16> {
        if self.full == 0 {
            return (self.level < self.levels).then_some(0);
        }
        self.definitions.get(self.level).copied()
    }

    /// What the next cell repeats; 0 where it begins a row, none at the end.
    pub(super) fn repetition(&self) -> Option<i16> {
        if self.is_repeated {
            self.repetitions.get(self.level).copied()
        } else {
            (self.level < self.levels).then_some(0)
        }
    }

    /// Takes the next cell, which is there.
    pub(super) fn take(&mut self, of: Value, out: &mut Cells) -> Result<(), Impossible> {
        if self.definition() != Some(self.full) {
            return Err(Impossible);
        }
        self.level += 1;
        let at = self.value;
        self.value += 1;
        if of == Value::Empty {
            out.push_missing();
            return Ok(());
        }
        match &self.values {
            Values::Booleans(values) => out.push(&[u8::from(*values.get(at).ok_or(Impossible)?)]),
            Values::Numbers32(values) => of.push_32(*values.get(at).ok_or(Impossible)?, out)?,
            Values::Numbers64(values) => of.push_64(*values.get(at).ok_or(Impossible)?, out),
            Values::Numbers96(values) => Value::push_96(*values.get(at).ok_or(Impossible)?, out),
            Values::Floats(values) => Value::push_float(*values.get(at).ok_or(Impossible)?, out),
            Values::Doubles(values) => Value::push_double(*values.get(at).ok_or(Impossible)?, out),
            Values::Bytes(values) => of.push_bytes(values.get(at).ok_or(Impossible)?.data(), out)?,
            Values::Fixed(values) => of.push_bytes(values.get(at).ok_or(Impossible)?.data(), out)?,
        }
        Ok(())
    }

    /// Passes a cell by that is missing because what it lies in is.
    pub(super) fn pass(&mut self, below: i16) -> Result<(), Impossible> {
        if self.definition().is_none_or(|level| level >= below) {
            return Err(Impossible);
        }
        self.level += 1;
        Ok(())
    }
}
