//! What a data table holds, as digests: of its content, of each column, of blocks of rows. They do not
//! depend on how the file writes the table down, so that a drift can be told in the table's own words.
//!
//! # The rules, version 1
//!
//! [`RULES`] is their version. Whoever changes one of them raises it: digests by other rules say nothing
//! about each other.
//!
//! **Cells of CSV and TSV** are their texts after unquoting. No number is read: `1.0` and `1.00` are two
//! cells, and so are `0.0` and `-0.0`, since a program may read the text; `NaN`, `NA` and `null` are texts
//! as they stand. An empty field is missing, quoted or not. Times and their zones are texts. Spaces belong
//! to the cell.
//!
//! **Cells of Parquet** are typed values, by Parquet's own logical types (what Arrow wrote beside them is not
//! looked at; INT96 is a time in nanoseconds). Integers, dates and times are their stored number,
//! little-endian in its width; the unit and the time zone are part of the column's type, so one instant in another
//! zone's column is another type. Floats are their IEEE bits, little-endian; every NaN is the one quiet NaN,
//! and −0.0 is not 0.0. A boolean is one byte, text its UTF-8, binary its bytes, a decimal its unscaled
//! number in 16 bytes little-endian, or in 32 if it has more than 38 digits. A list is its elements' encoded
//! cells one after another, a structure its fields', a map its entries' keys and values in turn. Null is
//! missing; an empty text is not.
//!
//! **An encoded cell** is the byte 0 if it is missing, else its length plus one as LEB128, then its bytes.
//!
//! **Rows** count from 0, the header apart. Equal rows are rows like any other. Blank lines are no rows.
//!
//! **A leaf** is 512 rows (the last may have fewer) of one column: SHA-256 of its encoded cells.
//! **A column's digest** is SHA-256 of its leaves' digests in order. Its name and type are not in it.
//! **The content digest** is SHA-256 of: the number of rows and the number of columns, as 8 bytes
//! little-endian each; then for each column the length of its name (8 bytes), the name, the length of its
//! type (8 bytes), the type, and the column's digest (32 bytes). These two decide whether tables are equal.
//!
//! The rest only helps to say where two tables differ:
//!
//! - **A block** is at first 512 rows: the first 8 bytes of SHA-256 of its leaves' digests, one a column.
//!   At most 64 blocks are kept; for more rows, two neighbours become one, the first 8 bytes of SHA-256 of
//!   their 16, and a block has twice the rows. One that has no neighbour stays as it is.
//! - **`unordered`** is the sum, modulo 2¹²⁸, of every row's XXH3-128, so equal rows count as often as
//!   they are there. A row of CSV or TSV is hashed as a line without its end: cells joined by commas, each
//!   one with a comma, a quote, CR or LF within quotes, quotes doubled. A row of Parquet is hashed as its
//!   encoded cells one after another.
//! - **`locator`**, of a column, is what [`Locator`] says; only tables of at most 2²⁰ cells have it.
//!
//! # Reading CSV and TSV
//!
//! As the crate csv reads it: quotes double, CR, LF and CRLF all end a row, a quote within an unquoted cell
//! is text. A byte order mark is skipped. TSV has tabs. CSV has commas, unless its header shows only one
//! field that way and more with `;`, a tab or `|` (the first of these that does). The first row is the
//! header, unless each of its cells is a number: then there is no header and the columns are named `1`,
//! `2` and so on.
//!
//! **Types** of its columns are the narrowest of `integer`, `float`, `boolean`, `date`, `timestamp` and
//! `text` that fits every cell that is there; `empty` if none is.
//!
//! **Not a table** is a file without a row or a header, one that is not UTF-8, that has two columns of one
//! name, rows with more or fewer fields than the header, a quote that is never closed, more than 10,000
//! columns, or 512 rows that take more than 32 MiB. So is a Parquet file that is cut short or broken, or
//! has a type without a rule above (an interval, for one). [`NotATable`] says which, and the digest of the
//! file's bytes stands alone.

mod blocks;
mod build;
mod csv;
mod kind;
mod leaf;
mod locator;
mod parquet;
mod short;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::error::Result;
use crate::progress::Progress;

pub use blocks::coarser;
pub use locator::{Locator, MOST};
pub use short::{Short, Unordered};

/// The version of the rules above.
pub const RULES: u32 = 1;

/// Rows of a leaf, and of a block before neighbours become one.
pub const LEAF_ROWS: u64 = 512;

/// More columns than this are no table to speak of.
const MOST_COLUMNS: usize = 10_000;

/// A leaf, or one row, of more bytes than this is not kept in memory.
const MOST_LEAF_BYTES: usize = if cfg!(test) { 1 << 20 } else { 32 << 20 };

/// What a table holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The version of the rules that the digests follow.
    pub rules: u32,
    /// How the file was read.
    pub format: Format,
    /// If only so many rows from the start were asked for. [`Table::rows`] of them are there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<u64>,
    /// The number of rows.
    pub rows: u64,
    /// The digest of names, types and all cells.
    pub content: Digest,
    /// The same for the same rows in any order.
    pub unordered: Unordered,
    /// Rows of a block.
    pub block_rows: u64,
    /// Blocks of rows over all columns.
    pub blocks: Vec<Short>,
    /// The columns in order.
    pub columns: Vec<Column>,
}

/// One column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// The type of its cells.
    #[serde(rename = "type")]
    pub kind: String,
    /// How many cells are missing.
    pub nulls: u64,
    /// The digest of its cells.
    pub digest: Digest,
    /// What finds single changed cells; small tables have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locator: Option<Locator>,
}

/// How a table is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// Separated by commas, or what the header shows.
    Csv,
    /// Separated by tabs.
    Tsv,
    /// Apache Parquet.
    Parquet,
}

impl Format {
    /// By the extension, in capitals or not; none for what is no table.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        match extension.as_str() {
            "csv" => Some(Self::Csv),
            "tsv" | "tab" => Some(Self::Tsv),
            "parquet" | "pq" => Some(Self::Parquet),
            _ => None,
        }
    }

    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Tsv => "tsv",
            Self::Parquet => "parquet",
        }
    }
}

/// Why a file is no table: one sentence without its full stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotATable(pub String);

impl fmt::Display for NotATable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What one reading of a file gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// SHA-256 of the file's bytes.
    pub digest: Digest,
    /// Its size.
    pub bytes: u64,
    /// The table, or why it is none.
    pub table: Result<Table, NotATable>,
}

/// Reads the file once, for its bytes and for its table, with so many threads at most.
///
/// # Errors
/// When the file cannot be read, or the user interrupts. What is wrong with the table is in the reading.
pub fn read(path: &Path, format: Format, threads: usize, progress: &Progress) -> Result<Reading> {
    match format {
        Format::Csv | Format::Tsv => csv::read(path, format, threads, progress),
        Format::Parquet => parquet::read(path, progress),
    }
}

/// The table of the first `rows` rows alone; what comes after is not looked at.
///
/// # Errors
/// When the file cannot be read, or the user interrupts.
pub fn read_first(path: &Path, format: Format, rows: u64) -> Result<Result<Table, NotATable>> {
    match format {
        Format::Csv | Format::Tsv => csv::read_first(path, format, rows),
        Format::Parquet => parquet::read_first(path, rows),
    }
}

/// After a drift: the table of as many rows from the start as were locked, where there are more now. It is
/// what [`crate::compare::table::change`] needs to tell rows that were only appended. None where it would
/// tell nothing.
///
/// # Errors
/// When the file cannot be read, or the user interrupts.
pub fn beginning(path: &Path, locked: &Table, found: &Table) -> Result<Option<Table>> {
    let names = |table: &Table| -> Vec<String> { table.columns.iter().map(|column| column.name.clone()).collect() };
    let comparable = locked.rules == found.rules && locked.first.is_none() && found.first.is_none();
    if !comparable || found.rows <= locked.rows || names(locked) != names(found) {
        return Ok(None);
    }
    Ok(read_first(path, found.format, locked.rows)?.ok())
}
