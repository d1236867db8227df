//! What the pages of a Parquet file would take to read, by its own parts and before it is read: a few bytes can stand
//! for a page of gigabytes, or a text that every row repeats. Whatever is refused here is no table, on every machine.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt as _;

use parquet::basic::{Compression, Encoding, Type};
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};

use super::thrift::Input;
use crate::os::interrupt;
use crate::table::{LEAF_ROWS, MOST_LEAF_BYTES};

/// The largest page.
const MOST_PAGE: u64 = 128 << 20;

/// What the pages and dictionaries that are open at one time, one of each column, may take together.
const MOST_OPEN: u64 = 512 << 20;

/// What the cells of one batch may take where that is not known before.
const MOST_BATCH: u64 = 64 << 20;

/// Of lists that are packed more tightly than this, one row could hold whatever the file does.
const TIGHTEST: u64 = 20;

/// So much of lists is read however tightly it is packed, of all columns together.
const LOOSE_BYTES: u64 = 256 << 20;
const LOOSE_VALUES: u64 = 16 << 20;

/// Deflate makes no more of a byte.
const MOST_OF_DEFLATE: u64 = 1032;

/// The header of a page is as large as the smallest and largest cell that it may name.
const MOST_HEADER: u64 = 16 << 20;

/// Why a file is not read.
pub(super) type Excess = String;

/// How many rows may be read at a time.
///
/// # Errors
/// The outer one is the file's, the inner one says what is too large.
pub(super) fn of_pages(file: &File, metadata: &ParquetMetaData) -> io::Result<Result<usize, Excess>> {
    let columns = metadata.file_metadata().schema_descr().num_columns();
    let (mut open, mut wide) = (0, 0);
    // Of each part of the file the lists of all columns are read side by side.
    let mut lists = vec![Lists::default(); metadata.num_row_groups()];
    for index in 0..columns {
        let mut column = Column::default();
        for (group, lists) in metadata.row_groups().iter().zip(&mut lists) {
            if let Err(why) = column.chunk(file, group.column(index), lists)? {
                return Ok(Err(why));
            }
        }
        open += column.dictionary + column.page;
        wide += column.width;
        if open > MOST_OPEN {
            return Ok(Err(format!("its pages take more than {} MiB at a time", MOST_OPEN >> 20)));
        }
    }
    let rows = MOST_BATCH / wide.max(1);
    Ok(Ok(usize::try_from(rows.clamp(1, LEAF_ROWS)).unwrap_or(1)))
}

/// What is known of a column, from all of its chunks so far.
#[derive(Default)]
struct Column {
    /// The largest dictionary.
    dictionary: u64,
    /// The largest page.
    page: u64,
    /// What one cell may take where its bytes stand nowhere in the file as they are.
    width: u64,
    /// The rows and bytes of the last pages that may all lie within one leaf.
    last: VecDeque<(u64, u64)>,
    rows: u64,
    bytes: u64,
}

/// What the lists of several columns take, and their room in the file.
#[derive(Clone, Copy, Default)]
struct Lists {
    columns: usize,
    plain: u64,
    values: u64,
    length: u64,
}

impl Lists {
    fn add(&mut self, plain: u64, values: u64, length: u64) {
        self.columns += 1;
        self.plain = self.plain.saturating_add(plain);
        self.values = self.values.saturating_add(values);
        self.length = self.length.saturating_add(length);
    }

    /// One row may hold all of it.
    fn is_too_tight(&self) -> bool {
        let is_tight = |size: u64, loose: u64| size > loose && size / TIGHTEST > self.length;
        is_tight(self.plain, LOOSE_BYTES) || is_tight(self.values, LOOSE_VALUES)
    }

    /// The last that was added is the one that was too much.
    fn words(&self, name: &str) -> String {
        let (with, takes, its) = match self.columns {
            1 => (String::new(), "takes", "its"),
            2 => (" and the list before it".to_owned(), "take", "their"),
            columns => (format!(" and the {} lists before it", columns - 1), "take", "their"),
        };
        format!("column \"{name}\"{with} {takes} more than {TIGHTEST} times {its} room in the file")
    }
}

/// What the header of a page says.
#[derive(Debug, Default)]
struct Page {
    is_dictionary: bool,
    plain: u64,
    packed: u64,
    values: u64,
    /// What lies before the packed part as it is.
    levels: u64,
    is_packed: bool,
}

impl Column {
    fn chunk(&mut self, file: &File, chunk: &ColumnChunkMetaData, lists: &mut Lists) -> io::Result<Result<(), Excess>> {
        let (start, length) = chunk.byte_range();
        let name = chunk.column_path().string();
        let is_list = chunk.column_descr().max_rep_level() > 0;
        let (mut at, end) = (start, start.saturating_add(length).min(file.metadata()?.len()));
        let (mut plain, mut values) = (0_u64, 0_u64);
        while at < end {
            interrupt::check().map_err(io::Error::other)?;
            let Some((page, header)) = header(file, at, end)? else {
                return Ok(Err(format!("it cannot be read as Parquet: column \"{name}\" has a broken page")));
            };
            at = at.saturating_add(header);
            if let Err(why) = self.page(&page, &name, is_list).and_then(|()| fits(&page, end.saturating_sub(at), &name))
            {
                return Ok(Err(why));
            }
            if page.is_packed && !unpacks(file, at, &page, chunk.compression())? {
                return Ok(Err(format!(
                    "it cannot be read as Parquet: a page of column \"{name}\" is larger than it says"
                )));
            }
            at = at.saturating_add(page.packed);
            plain = plain.saturating_add(page.plain);
            values = values.saturating_add(page.values);
        }
        if is_list {
            lists.add(plain, values, length);
            if lists.is_too_tight() {
                return Ok(Err(lists.words(&name)));
            }
        }
        self.width = self.width.max(self.cell(chunk));
        Ok(Ok(()))
    }

    /// The most that one cell takes beyond the pages.
    fn cell(&self, chunk: &ColumnChunkMetaData) -> u64 {
        let descriptor = chunk.column_descr();
        match descriptor.physical_type() {
            Type::FIXED_LEN_BYTE_ARRAY => u64::try_from(descriptor.type_length()).unwrap_or(0),
            // Each may begin as the one before, with all of it.
            Type::BYTE_ARRAY if chunk.encodings().any(|encoding| encoding == Encoding::DELTA_BYTE_ARRAY) => self.page,
            _ => 0,
        }
    }

    fn page(&mut self, page: &Page, name: &str, is_list: bool) -> Result<(), Excess> {
        if page.plain > MOST_PAGE {
            return Err(format!("a page of column \"{name}\" takes more than {} MiB", MOST_PAGE >> 20));
        }
        if page.is_dictionary {
            // Room is made for as many values as it says.
            if page.values > page.plain {
                return Err(format!(
                    "it cannot be read as Parquet: the dictionary of column \"{name}\" has more values than bytes"
                ));
            }
            self.dictionary = self.dictionary.max(page.plain);
            return Ok(());
        }
        self.page = self.page.max(page.plain);
        if is_list {
            return Ok(()); // how many rows those are, the page does not say
        }
        self.last.push_back((page.values, page.plain));
        self.rows += page.values;
        self.bytes += page.plain;
        while self.rows > LEAF_ROWS
            && let Some((rows, bytes)) = self.last.pop_front()
        {
            self.rows -= rows;
            self.bytes -= bytes;
        }
        if self.bytes > 2 * MOST_LEAF_BYTES as u64 && self.last.len() > 1 {
            return Err(format!("{LEAF_ROWS} rows of column \"{name}\" take more than {} MiB", MOST_LEAF_BYTES >> 20));
        }
        Ok(())
    }
}

/// A page lies within its chunk.
fn fits(page: &Page, room: u64, name: &str) -> Result<(), Excess> {
    if page.packed > room.min(2 * MOST_PAGE) || page.levels > page.packed.min(page.plain) {
        return Err(format!("it cannot be read as Parquet: column \"{name}\" has a broken page"));
    }
    Ok(())
}

/// The header at a place, and how long it is; none if there is no whole one.
fn header(file: &File, at: u64, end: u64) -> io::Result<Option<(Page, u64)>> {
    let mut room = 256;
    loop {
        let size = room.min(end - at);
        let mut bytes = vec![0; usize::try_from(size).unwrap_or(0)];
        file.read_exact_at(&mut bytes, at)?;
        let mut input = Input(&bytes);
        if let Some(page) = read_header(&mut input) {
            return Ok(Some((page, size - input.0.len() as u64)));
        }
        if size < room || room >= MOST_HEADER {
            return Ok(None);
        }
        room *= 8;
    }
}

fn read_header(input: &mut Input<'_>) -> Option<Page> {
    let mut page = Page {
        is_packed: true,
        ..Page::default()
    };
    let size = |input: &mut Input<'_>| u64::try_from(input.number()?).ok();
    input.fields(|(number, _), input| {
        match number {
            2 => page.plain = size(input)?,
            3 => page.packed = size(input)?,
            // Of the three kinds of page each has its number of values first.
            5 | 7 | 8 => {
                page.is_dictionary = number == 7;
                let mut values = None;
                input.fields(|(inner, kind), input| {
                    match (number, inner) {
                        (_, 1) => values = Some(size(input)?),
                        (8, 5 | 6) => page.levels += size(input)?,
                        (8, 7) => {
                            page.is_packed = kind == 1;
                            return Some(false);
                        }
                        _ => return Some(false),
                    }
                    Some(true)
                })?;
                page.values = values?;
            }
            _ => return Some(false),
        }
        Some(true)
    })?;
    Some(page)
}

/// Whether a page is not larger than it says, with those codecs that would go on until memory is full.
fn unpacks(file: &File, at: u64, page: &Page, codec: Compression) -> io::Result<bool> {
    let is_open_ended = match codec {
        Compression::GZIP(_) => page.packed.saturating_mul(MOST_OF_DEFLATE) > MOST_PAGE,
        Compression::BROTLI(_) => true,
        Compression::LZ4 => page.packed.saturating_mul(255) > MOST_PAGE,
        _ => false,
    };
    if !is_open_ended || page.packed == page.levels {
        return Ok(true);
    }
    let mut packed = vec![0; usize::try_from(page.packed - page.levels).unwrap_or(0)];
    file.read_exact_at(&mut packed, at + page.levels)?;
    let most = page.plain - page.levels;
    let counted = match codec {
        Compression::GZIP(_) => counted(flate2::read::MultiGzDecoder::new(packed.as_slice()), most),
        Compression::BROTLI(_) => counted(brotli::Decompressor::new(packed.as_slice(), 1 << 16), most),
        // An older form of the same codec, which has no frame, writes into room of the right size.
        _ => counted(lz4_flex::frame::FrameDecoder::new(packed.as_slice()), most),
    };
    // What is broken is for the reader to say, who comes no further than this.
    Ok(counted.is_none_or(|count| count <= most))
}

/// How many bytes come out, as far as they are more than so many; none if what goes in is broken.
fn counted(stream: impl Read, most: u64) -> Option<u64> {
    io::copy(&mut stream.take(most + 1), &mut io::sink()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_bounded_together_however_many_columns_they_are_in() {
        let mut lists = Lists::default();
        let (half, length) = (LOOSE_BYTES / 2, 1000);
        for _ in 0..2 {
            lists.add(half, 1, length);
            assert!(!lists.is_too_tight());
        }
        lists.add(half, 1, length);
        assert!(lists.is_too_tight());
        let words = "column \"c\" and the 2 lists before it take more than 20 times their room in the file";
        assert_eq!(lists.words("c"), words);
        // Where the file holds as much, all of them may be read.
        lists.add(0, 0, LOOSE_BYTES);
        assert!(!lists.is_too_tight());
    }

    #[test]
    fn many_empty_lists_are_values_too() {
        let mut lists = Lists::default();
        lists.add(0, LOOSE_VALUES + TIGHTEST, 0);
        assert!(lists.is_too_tight());
        assert_eq!(lists.words("c"), "column \"c\" takes more than 20 times its room in the file");
    }
}
