//! A leaf's bytes taken apart into cells.

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use xxhash_rust::xxh3::xxh3_128;

use super::Stop;
use super::scan::Scanner;
use crate::table::MOST_COLUMNS;
use crate::table::leaf::Cells;

/// The cells of one leaf after another.
#[derive(Debug)]
pub(super) struct Leaf {
    delimiter: u8,
    cells: Vec<Cells>,
    unordered: u128,
    rows: u64,
    fields: Fields,
    /// A row as a line, for its hash.
    line: Vec<u8>,
}

/// A row with too few or too many fields.
struct Ragged {
    row: u64,
    fields: usize,
}

impl Leaf {
    pub(super) fn new(delimiter: u8, columns: usize) -> Self {
        Self {
            delimiter,
            cells: (0..columns).map(|_| Cells::default()).collect(),
            unordered: 0,
            rows: 0,
            fields: Fields::new(delimiter),
            line: Vec::new(),
        }
    }

    /// The columns.
    pub(super) fn cells(&self) -> &[Cells] {
        &self.cells
    }

    /// The sum of the rows' hashes.
    pub(super) fn unordered(&self) -> u128 {
        self.unordered
    }

    /// Takes the bytes apart. `first_row` and `offset` say where in the file they are.
    pub(super) fn read(&mut self, bytes: &[u8], first_row: u64, offset: u64) -> Result<(), Stop> {
        if let Err(error) = std::str::from_utf8(bytes) {
            let at = error.valid_up_to();
            let mut scanner = Scanner::new(self.delimiter, 1, u64::MAX);
            let mut before = Vec::new();
            scanner.scan(&bytes[..at], &mut before);
            return Err(Stop::NotATable(format!(
                "row {} (counted from 0) is not valid UTF-8, at byte {} of the file",
                first_row + before.len() as u64,
                offset + at as u64
            )));
        }
        self.cells.iter_mut().for_each(Cells::clear);
        self.unordered = 0;
        self.rows = 0;
        let read = if is_plain(bytes) {
            self.plain(bytes)
        } else {
            self.by_crate(bytes)
        };
        read.map_err(|ragged| {
            let is = if ragged.fields == 1 {
                "1 field".to_owned()
            } else {
                format!("{} fields", ragged.fields)
            };
            let row = first_row + ragged.row;
            let columns = self.cells.len();
            Stop::NotATable(format!("row {row} (counted from 0) has {is}, the header has {columns}"))
        })
    }

    /// Without quotes: each delimiter ends a cell, each line end a row.
    fn plain(&mut self, bytes: &[u8]) -> Result<(), Ragged> {
        let mut row = Row::default();
        for base in (0..bytes.len()).step_by(64) {
            let mut found = if let Some(chunk) = bytes[base..].first_chunk() {
                separators(chunk, self.delimiter)
            } else {
                let mut padded = [0; 64];
                padded[..bytes.len() - base].copy_from_slice(&bytes[base..]);
                separators(&padded, self.delimiter)
            };
            while found != 0 {
                let at = base + found.trailing_zeros() as usize;
                found &= found - 1;
                if bytes[at] == b'\n' {
                    self.end_row(bytes, &row, at)?;
                    row = Row {
                        start: at + 1,
                        cell: at + 1,
                        column: 0,
                    };
                } else {
                    if let Some(cells) = self.cells.get_mut(row.column) {
                        cells.push_text(bytes, row.cell, at);
                    }
                    row.column += 1;
                    row.cell = at + 1;
                }
            }
        }
        if row.start < bytes.len() {
            self.end_row(bytes, &row, bytes.len())
        } else {
            Ok(())
        }
    }

    #[inline]
    fn end_row(&mut self, bytes: &[u8], row: &Row, at: usize) -> Result<(), Ragged> {
        let end = if at > row.cell && bytes[at - 1] == b'\r' {
            at - 1
        } else {
            at
        };
        if end == row.start {
            return Ok(());
        }
        if row.column + 1 != self.cells.len() {
            return Err(Ragged {
                row: self.rows,
                fields: row.column + 1,
            });
        }
        self.cells[row.column].push_text(bytes, row.cell, end);
        self.rows += 1;
        let line = &bytes[row.start..end];
        let hash = if self.delimiter == b',' {
            xxh3_128(line)
        } else {
            self.line.clear();
            for (column, cell) in line.split(|byte| *byte == self.delimiter).enumerate() {
                push_to_line(&mut self.line, column, cell);
            }
            xxh3_128(&self.line)
        };
        self.unordered = self.unordered.wrapping_add(hash);
        Ok(())
    }

    /// With quotes, or with line ends that are CR alone.
    fn by_crate(&mut self, bytes: &[u8]) -> Result<(), Ragged> {
        let Self {
            cells,
            unordered,
            rows,
            fields,
            line,
            ..
        } = self;
        fields.rows(bytes, |row, fields| {
            if fields != cells.len() {
                return Err(Ragged { row: *rows, fields });
            }
            *rows += 1;
            line.clear();
            for (column, (cell, cells)) in row.iter().zip(cells.iter_mut()).enumerate() {
                cells.push_text(cell, 0, cell.len());
                push_to_line(line, column, cell);
            }
            *unordered = unordered.wrapping_add(xxh3_128(line));
            Ok(())
        })
    }
}

/// Where the current row and its current cell begin.
#[derive(Default)]
struct Row {
    start: usize,
    cell: usize,
    column: usize,
}

/// Whether there are no quotes, and each CR is part of a line end.
fn is_plain(bytes: &[u8]) -> bool {
    memchr::memchr(b'"', bytes).is_none()
        && memchr::memchr_iter(b'\r', bytes).all(|at| bytes.get(at + 1).is_none_or(|next| *next == b'\n'))
}

/// A bit for each byte that is the delimiter or LF.
#[inline]
fn separators(chunk: &[u8; 64], delimiter: u8) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    let (words, _) = chunk.as_chunks::<8>();
    let mut bits = 0;
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let is_zero = |x: u64| !(((x & LOW) + LOW) | x | LOW);
        let high = is_zero(word ^ (ONES * u64::from(delimiter))) | is_zero(word ^ (ONES * u64::from(b'\n')));
        // Gathers the high bit of each byte.
        let gathered = (high >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        bits |= gathered << (8 * index);
    }
    bits
}

fn push_to_line(line: &mut Vec<u8>, column: usize, cell: &[u8]) {
    if column > 0 {
        line.push(b',');
    }
    let is_special = |byte: &u8| matches!(byte, b',' | b'"' | b'\n' | b'\r');
    if !cell.iter().any(is_special) {
        line.extend_from_slice(cell);
        return;
    }
    line.push(b'"');
    for byte in cell {
        if *byte == b'"' {
            line.push(b'"');
        }
        line.push(*byte);
    }
    line.push(b'"');
}

/// The fields of one row, which is all that the bytes hold, as far as they are kept; and how many it has.
pub(super) fn fields(bytes: &[u8], delimiter: u8) -> (Vec<Vec<u8>>, usize) {
    let mut first = (Vec::new(), 0);
    let read: Result<(), ()> = Fields::new(delimiter).rows(bytes, |row, fields| {
        first = (row.iter().map(|cell| cell.to_vec()).collect(), fields);
        Ok(())
    });
    debug_assert!(read.is_ok(), "nothing above fails");
    first
}

/// The crate csv's own automaton, with room for a row.
#[derive(Debug)]
struct Fields {
    reader: Reader,
    text: Vec<u8>,
    ends: Vec<usize>,
}

/// So many fields of a row are kept. More are counted: a row of nothing but commas has millions.
const KEPT: usize = MOST_COLUMNS + 1;

impl Fields {
    fn new(delimiter: u8) -> Self {
        Self {
            reader: ReaderBuilder::new().delimiter(delimiter).build(),
            text: vec![0; 4096],
            ends: vec![0; KEPT + 64],
        }
    }

    /// Calls `each` with the cells of every row that are kept, and their number.
    fn rows<E>(&mut self, bytes: &[u8], mut each: impl FnMut(&[&[u8]], usize) -> Result<(), E>) -> Result<(), E> {
        self.reader.reset();
        // A blank line first: the reader would skip a byte order mark, and this may be amid the file.
        let (_, _, _, _) = self.reader.read_record(b"\n", &mut self.text, &mut self.ends);
        let (mut at, mut length, mut count) = (0, 0, 0);
        loop {
            let (result, read, wrote, ended) =
                self.reader
                    .read_record(&bytes[at..], &mut self.text[length..], &mut self.ends[count.min(KEPT)..]);
            at += read;
            length += wrote;
            count += ended;
            match result {
                ReadRecordResult::InputEmpty | ReadRecordResult::OutputEndsFull => {}
                ReadRecordResult::OutputFull => self.text.resize(2 * self.text.len(), 0),
                ReadRecordResult::Record => {
                    let mut start = 0;
                    let cell = |end: &usize| &self.text[std::mem::replace(&mut start, *end)..*end];
                    let row: Vec<&[u8]> = self.ends[..count.min(KEPT)].iter().map(cell).collect();
                    each(&row, count)?;
                    (length, count) = (0, 0);
                }
                ReadRecordResult::End => return Ok(()),
            }
        }
    }
}
