//! Parquet. One thread reads the table while another digests the bytes.

mod bounds;
mod column;
mod rows;
mod schema;
mod shape;
mod thrift;
mod value;

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::Path;
use std::sync::Once;
use std::thread::Builder;

use parquet::column::reader::ColumnReader;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader as _, RowGroupReader};
use parquet::file::serialized_reader::{ReadOptionsBuilder, SerializedFileReader};
use xxhash_rust::xxh3::xxh3_128;

use self::column::Column;
use self::rows::Stop;
use self::shape::Field;
use super::build::Ordered;
use super::leaf::{Cells, Sums};
use super::{Format, LEAF_ROWS, MOST_COLUMNS, MOST_LEAF_BYTES, NotATable, Reading, Table};
use crate::digest::{Digest, Hasher};
use crate::error::{Error, IoContext as _, Result};
use crate::os::bounded;
use crate::os::interrupt;
use crate::progress::Progress;

/// The thread that reads tables is called so.
const READER: &str = "parquet";

/// Enough for the deepest schema that is read.
const STACK: usize = 16 << 20;

/// The file's bytes and its table.
pub(super) fn read(path: &Path, progress: &Progress) -> Result<Reading> {
    let (digest, table) = beside(path, None, || digest(path, progress))?;
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
            Err(_panic) => Ok(Err(contradicts())),
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

fn digest(path: &Path, progress: &Progress) -> Result<(Digest, u64)> {
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
        progress.read(read as u64);
    }
}

fn table(path: &Path, first: Option<u64>) -> Result<Result<Table, NotATable>> {
    let file = bounded::open(path).at("open", path)?;
    if file.metadata().at("read", path)?.len() == 0 {
        return Ok(Err(NotATable("it is empty".to_owned())));
    }
    let mut options = ReadOptionsBuilder::new();
    match schema::of(&file).at("read", path)? {
        Ok(Some(schema)) => options = options.with_parquet_schema(schema),
        Ok(None) => {}
        Err(why) => return Ok(Err(why)),
    }
    let reader = SerializedFileReader::new_with_options(file.try_clone().at("read", path)?, options.build());
    let reader = match reader {
        Ok(reader) => reader,
        Err(error) => return Ok(Err(unreadable(&error))),
    };
    // What Arrow wrote beside Parquet's own types depends on the program that wrote it, and is not looked at.
    let schema = reader.metadata().file_metadata().schema_descr();
    let fields = match columns(schema.root_schema()) {
        Ok(fields) => fields,
        Err(why) => return Ok(Err(NotATable(why))),
    };
    let rows = match bounds::of_pages(&file, reader.metadata()).at("read", path)? {
        Ok(rows) => rows,
        Err(why) => return Ok(Err(NotATable(why))),
    };
    let mut leaves = Leaves::new(fields.len());
    let mut columns: Vec<Column> = schema.columns().iter().map(|column| Column::new(column)).collect();
    let mut left = first.unwrap_or(u64::MAX);
    for index in 0..reader.num_row_groups() {
        let group = match reader.get_row_group(index) {
            Ok(group) => group,
            Err(error) => return Ok(Err(unreadable(&error))),
        };
        let mut readers = match opened(&*group) {
            Ok(readers) => readers,
            Err(error) => return Ok(Err(unreadable(&error))),
        };
        while left > 0 {
            interrupt::check()?;
            let most = rows.min(usize::try_from(left).unwrap_or(usize::MAX));
            let filled = fill(&mut columns, &mut readers, most);
            let pushed = filled.and_then(|rows| leaves.push(&fields, &mut columns, rows).map(|()| rows));
            match pushed {
                Ok(0) => break,
                Ok(rows) => left -= rows as u64,
                Err(why) => return Ok(Err(why)),
            }
        }
    }
    leaves.end();
    let kinds = fields.iter().map(|field| field.node.to_string()).collect();
    let names = fields.into_iter().map(|field| field.name).collect();
    Ok(Ok(leaves.ordered.finish(Format::Parquet, first, names, Some(kinds), &leaves.sums)))
}

fn opened(group: &dyn RowGroupReader) -> Result<Vec<ColumnReader>, ParquetError> {
    (0..group.num_columns()).map(|index| group.get_column_reader(index)).collect()
}

/// Reads so many rows of each column, or what is left of its part of the file.
fn fill(columns: &mut [Column], readers: &mut [ColumnReader], most: usize) -> Result<usize, NotATable> {
    let mut rows = None;
    for (column, reader) in columns.iter_mut().zip(readers) {
        let filled = column.fill(reader, most).map_err(|error| unreadable(&error))?;
        if *rows.get_or_insert(filled) != filled {
            return Err(contradicts());
        }
    }
    Ok(rows.unwrap_or(0))
}

/// The columns, if they are such as a table has.
fn columns(schema: &parquet::schema::types::Type) -> Result<Vec<Field>, String> {
    let fields = schema.get_fields();
    if fields.len() > MOST_COLUMNS {
        return Err(format!("it has {} columns, more than {MOST_COLUMNS}", fields.len()));
    }
    let mut seen = BTreeSet::new();
    if let Some(twice) = fields.iter().find(|field| !seen.insert(field.name())) {
        return Err(format!("two columns are called \"{}\"", twice.name()));
    }
    Field::all(schema).map_err(|(column, why)| format!("column \"{column}\" {why}"))
}

fn contradicts() -> NotATable {
    NotATable("it cannot be read as Parquet: its parts contradict each other".to_owned())
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

    fn push(&mut self, fields: &[Field], columns: &mut [Column], rows: usize) -> Result<(), NotATable> {
        let mut done = 0;
        while done < rows {
            let some = (rows - done).min(LEAF_ROWS as usize - self.rows);
            let mut bytes = 0;
            for (field, cells) in fields.iter().zip(&mut self.cells) {
                match rows::push(&field.node, columns, some, cells) {
                    Ok(()) => bytes += cells.encoded().len(),
                    Err(Stop::Broken) => return Err(contradicts()),
                    Err(Stop::TooMuch) => bytes = usize::MAX,
                }
                if bytes > MOST_LEAF_BYTES {
                    return Err(NotATable(format!(
                        "the {LEAF_ROWS} rows from row {} on (counted from 0) take more than {} MiB",
                        self.first_row,
                        MOST_LEAF_BYTES >> 20
                    )));
                }
            }
            done += some;
            self.rows += some;
            if self.rows == LEAF_ROWS as usize {
                self.end();
            }
        }
        if columns.iter().any(|column| column.definition().is_some()) {
            return Err(contradicts());
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
