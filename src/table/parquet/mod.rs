//! Parquet. One thread reads the table while another digests the bytes.

mod bounds;
mod cells;
mod thrift;

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::Path;
use std::sync::{Arc, Once};
use std::thread::Builder;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, FieldRef, Schema};
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use xxhash_rust::xxh3::xxh3_128;

use super::build::Ordered;
use super::leaf::{Cells, Sums};
use super::{Format, LEAF_ROWS, MOST_COLUMNS, MOST_LEAF_BYTES, NotATable, Reading, Table};
use crate::bounded;
use crate::digest::{Digest, Hasher};
use crate::error::{Error, IoContext as _, Result};
use crate::interrupt;
use crate::tally::Tally;

/// The thread that reads tables is called so.
const READER: &str = "parquet";

/// Enough for the deepest schema that is read.
const STACK: usize = 16 << 20;

/// The file's bytes and its table.
pub(super) fn read(path: &Path, tally: &Tally) -> Result<Reading> {
    let (digest, table) = beside(path, None, || digest(path, tally))?;
    let (digest, bytes) = digest?;
    Ok(Reading {
        digest,
        bytes,
        table: table?,
    })
}

/// The table of the first rows.
pub(super) fn read_first(path: &Path, rows: u64) -> Result<Result<Table, NotATable>> {
    let ((), table) = beside(path, Some(rows), || ())?;
    table
}

/// What both a table's reader and something else give, each in a thread of its own. A reader that panics
/// over a broken file says by that that there is no table.
fn beside<T>(
    path: &Path,
    first: Option<u64>,
    other: impl FnOnce() -> T,
) -> Result<(T, Result<Result<Table, NotATable>>)> {
    hush();
    std::thread::scope(|scope| {
        let reader = Builder::new().name(READER.to_owned()).stack_size(STACK);
        let reader = reader.spawn_scoped(scope, || table(path, first));
        let reader = reader.map_err(|error| Error::new(format!("could not start a thread: {error}")))?;
        let other = other();
        let table = match reader.join() {
            Ok(table) => table,
            Err(_panic) => {
                Ok(Err(NotATable("it cannot be read as Parquet: its parts contradict each other".to_owned())))
            }
        };
        Ok((other, table))
    })
}

/// Such a panic is no bug of this tool that should be reported where it happens.
fn hush() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if std::thread::current().name() != Some(READER) {
                usual(panic);
            }
        }));
    });
}

fn digest(path: &Path, tally: &Tally) -> Result<(Digest, u64)> {
    let mut file = bounded::open(path).at("open", path)?;
    let mut hasher = Hasher::default();
    let mut buffer = vec![0; 256 * 1024];
    let mut bytes = 0;
    loop {
        interrupt::check()?;
        let read = file.read(&mut buffer).at("read", path)?;
        if read == 0 {
            return Ok((hasher.finish(), bytes));
        }
        hasher.update(&buffer[..read]);
        bytes += read as u64;
        tally.read(read as u64);
    }
}

fn table(path: &Path, first: Option<u64>) -> Result<Result<Table, NotATable>> {
    let file = bounded::open(path).at("open", path)?;
    if file.metadata().at("read", path)?.len() == 0 {
        return Ok(Err(NotATable("it is empty".to_owned())));
    }
    if let Err(why) = bounds::of_footer(&file).at("read", path)? {
        return Ok(Err(NotATable(why)));
    }
    // What Arrow wrote beside Parquet's own types depends on the program that wrote it.
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let metadata = match ArrowReaderMetadata::load(&file, options) {
        Ok(metadata) => metadata,
        Err(error) => return Ok(Err(unreadable(&error))),
    };
    let (names, kinds) = match columns(metadata.schema()) {
        Ok(columns) => columns,
        Err(why) => return Ok(Err(NotATable(why))),
    };
    let rows = match bounds::of_pages(&file, metadata.metadata()).at("read", path)? {
        Ok(rows) => rows,
        Err(why) => return Ok(Err(NotATable(why))),
    };
    // Texts as views: else each row gets a copy of what it has in common with others.
    let options = ArrowReaderOptions::new().with_schema(views(metadata.schema()).into());
    let metadata = match ArrowReaderMetadata::try_new(metadata.metadata().clone(), options) {
        Ok(metadata) => metadata,
        Err(error) => return Ok(Err(unreadable(&error))),
    };
    let limit = first.map(|rows| usize::try_from(rows).unwrap_or(usize::MAX));
    let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata).with_batch_size(rows);
    let builder = if let Some(rows) = limit {
        builder.with_limit(rows)
    } else {
        builder
    };
    let reader = match builder.build() {
        Ok(reader) => reader,
        Err(error) => return Ok(Err(unreadable(&error))),
    };
    let mut leaves = Leaves::new(names.len());
    for batch in reader {
        interrupt::check()?;
        let pushed = batch.map_err(|error| unreadable(&error)).and_then(|batch| leaves.push(&batch));
        if let Err(why) = pushed {
            return Ok(Err(why));
        }
    }
    leaves.end();
    Ok(Ok(leaves.ordered.finish(Format::Parquet, first, names, Some(kinds), &leaves.sums)))
}

/// The same schema with views in place of texts.
fn views(schema: &Schema) -> Schema {
    let fields: Vec<FieldRef> = schema.fields().iter().map(with_views).collect();
    Schema::new_with_metadata(fields, schema.metadata().clone())
}

fn with_views(field: &FieldRef) -> FieldRef {
    use DataType as Is;
    let kind = match field.data_type() {
        Is::Utf8 => Is::Utf8View,
        Is::Binary => Is::BinaryView,
        Is::List(item) => Is::List(with_views(item)),
        Is::LargeList(item) => Is::LargeList(with_views(item)),
        Is::Struct(fields) => Is::Struct(fields.iter().map(with_views).collect()),
        Is::Map(entries, sorted) => Is::Map(with_views(entries), *sorted),
        other => other.clone(),
    };
    Arc::new(field.as_ref().clone().with_data_type(kind))
}

/// The names and the types, if they are such as a table has.
fn columns(schema: &Schema) -> Result<(Vec<String>, Vec<String>), String> {
    let fields = schema.fields();
    if fields.len() > MOST_COLUMNS {
        return Err(format!("it has {} columns, more than {MOST_COLUMNS}", fields.len()));
    }
    let (mut names, mut kinds, mut seen) = (Vec::new(), Vec::new(), BTreeSet::new());
    for field in fields {
        let name = field.name();
        if !seen.insert(name) {
            return Err(format!("two columns are called \"{name}\""));
        }
        kinds.push(cells::kind(field.data_type()).map_err(|why| format!("column \"{name}\" {why}"))?);
        names.push(name.clone());
    }
    Ok((names, kinds))
}

fn unreadable(error: &impl std::fmt::Display) -> NotATable {
    let text = error.to_string();
    let text = text.lines().next().unwrap_or_default().trim_end_matches('.');
    NotATable(format!("it cannot be read as Parquet: {text}"))
}

/// Leaves, whatever the batches are in which rows come.
struct Leaves {
    cells: Vec<Cells>,
    /// Rows in them.
    rows: usize,
    /// The row that the leaf begins with.
    first_row: u64,
    sums: Sums,
    ordered: Ordered,
}

impl Leaves {
    fn new(columns: usize) -> Self {
        Self {
            cells: (0..columns).map(|_| Cells::default()).collect(),
            rows: 0,
            first_row: 0,
            sums: Sums::new(columns, false),
            ordered: Ordered::new(columns),
        }
    }

    fn push(&mut self, batch: &RecordBatch) -> Result<(), NotATable> {
        let mut done = 0;
        while done < batch.num_rows() {
            let rows = (batch.num_rows() - done).min(LEAF_ROWS as usize - self.rows);
            let mut bytes = 0;
            for (array, column) in batch.columns().iter().zip(&mut self.cells) {
                cells::push(array, done..done + rows, column).map_err(NotATable)?;
                bytes += column.encoded().len();
                if bytes <= MOST_LEAF_BYTES {
                    continue;
                }
                return Err(NotATable(format!(
                    "the {LEAF_ROWS} rows from row {} on (counted from 0) take more than {} MiB",
                    self.first_row,
                    MOST_LEAF_BYTES >> 20
                )));
            }
            done += rows;
            self.rows += rows;
            if self.rows == LEAF_ROWS as usize {
                self.end();
            }
        }
        Ok(())
    }

    /// The leaf is full, or the last.
    fn end(&mut self) {
        if self.rows == 0 {
            return;
        }
        let mut at = vec![0; self.cells.len()];
        let mut row = Vec::new();
        for _ in 0..self.rows {
            row.clear();
            for (at, column) in at.iter_mut().zip(&self.cells) {
                let end = column.end_of(*at);
                row.extend_from_slice(&column.encoded()[*at..end]);
                *at = end;
            }
            self.sums.unordered = self.sums.unordered.wrapping_add(xxh3_128(&row));
        }
        let rows = self.rows as u64;
        self.ordered.push(&self.sums.leaf(&self.cells, self.first_row, rows), rows);
        self.first_row += rows;
        self.rows = 0;
        self.cells.iter_mut().for_each(Cells::clear);
    }
}
