//! The cells of one leaf, column by column in buffers that are used again, and what is summed over all
//! leaves in whatever order they come.

use sha2::{Digest as _, Sha256};

use super::kind::Kinds;
use super::locator::{Locator, MOST_CELLS, Powers};

/// A cell of so many bytes is copied at once, whatever its length.
const SHORT: usize = 16;

/// Zeros behind a buffer, so that a cell can be looked at sixteen bytes at a time.
const SLACK: usize = 32;

/// The encoded cells of one column of a leaf.
#[derive(Debug, Default)]
pub(super) struct Cells {
    /// Longer than what is used.
    bytes: Vec<u8>,
    used: usize,
}

impl Cells {
    /// The cell `text[start..end]`, missing if it is empty.
    #[inline]
    pub(super) fn push_text(&mut self, text: &[u8], start: usize, end: usize) {
        let length = end - start;
        let room = self.bytes.get_mut(self.used..self.used + 1 + SHORT);
        if let (true, Some(room), Some(cell)) = (length <= SHORT, room, text.get(start..start + SHORT)) {
            room[0] = if length == 0 { 0 } else { length as u8 + 1 };
            room[1..].copy_from_slice(cell);
            self.used += 1 + length;
        } else if length == 0 {
            self.push_missing();
        } else {
            self.push(&text[start..end]);
        }
    }

    /// A cell that is missing.
    pub(super) fn push_missing(&mut self) {
        self.raw(&[0]);
    }

    /// A cell that is there.
    pub(super) fn push(&mut self, cell: &[u8]) {
        let mut length = cell.len() + 1;
        while length >= 0x80 {
            self.raw(&[length as u8 | 0x80]);
            length >>= 7;
        }
        self.raw(&[length as u8]);
        self.raw(cell);
    }

    /// What was pushed.
    pub(super) fn encoded(&self) -> &[u8] {
        &self.bytes[..self.used]
    }

    /// Where the cell ends that begins here.
    pub(super) fn end_of(&self, at: usize) -> usize {
        let (start, length) = header(&self.bytes, at);
        start + length.unwrap_or(0)
    }

    /// Empties it.
    pub(super) fn clear(&mut self) {
        self.used = 0;
    }

    /// As they are; whoever calls this has encoded them.
    pub(super) fn raw(&mut self, bytes: &[u8]) {
        let end = self.used + bytes.len();
        if self.bytes.len() < end + SLACK {
            let room = end + end / 4 + SLACK;
            self.bytes.reserve_exact(room - self.bytes.len());
            self.bytes.resize(room, 0);
        }
        self.bytes[self.used..end].copy_from_slice(bytes);
        self.used = end;
    }
}

/// Where the cell that is encoded here begins, and its length; none for a missing one.
#[inline]
fn header(bytes: &[u8], at: usize) -> (usize, Option<usize>) {
    let first = bytes[at];
    if first < 0x80 {
        return (at + 1, usize::from(first).checked_sub(1));
    }
    let (mut length, mut shift, mut at) = (0, 0, at);
    loop {
        let byte = bytes[at];
        length |= usize::from(byte & 0x7f) << shift;
        shift += 7;
        at += 1;
        if byte < 0x80 {
            return (at, Some(length - 1));
        }
    }
}

/// The digests of a leaf's columns, in their order.
pub(super) type Digests = Vec<[u8; 32]>;

/// What is known of one column so far.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) kinds: Kinds,
    pub(super) nulls: u64,
    pub(super) locator: Locator,
}

/// What is summed over leaves; the order does not matter.
#[derive(Clone, Debug)]
pub(super) struct Sums {
    pub(super) unordered: u128,
    pub(super) columns: Vec<Known>,
    /// Whether cells are texts whose type is to be found.
    is_text: bool,
}

impl Sums {
    /// Of no rows.
    pub(super) fn new(columns: usize, is_text: bool) -> Self {
        let known = Known {
            kinds: Kinds::ALL,
            nulls: 0,
            locator: Locator::NONE,
        };
        Self {
            unordered: 0,
            columns: vec![known; columns],
            is_text,
        }
    }

    /// One leaf: its digests. `first_row` is the row it begins with.
    pub(super) fn leaf(&mut self, cells: &[Cells], first_row: u64, rows: u64) -> Digests {
        let has_locator = (first_row + rows) * cells.len() as u64 <= MOST_CELLS;
        let powers: Vec<Powers> = if has_locator {
            (first_row..first_row + rows).map(Powers::of).collect()
        } else {
            Vec::new()
        };
        let mut digests = Vec::with_capacity(cells.len());
        for (known, column) in self.columns.iter_mut().zip(cells) {
            known.see(column, self.is_text);
            known.locate(column, &powers);
            digests.push(Sha256::digest(column.encoded()).into());
        }
        digests
    }

    /// The rows of both.
    pub(super) fn join(&mut self, other: &Self) {
        self.unordered = self.unordered.wrapping_add(other.unordered);
        for (known, more) in self.columns.iter_mut().zip(&other.columns) {
            known.kinds = known.kinds.and(more.kinds);
            known.nulls += more.nulls;
            known.locator.join(&more.locator);
        }
    }
}

impl Known {
    /// Counts what is missing, and finds out which types still fit.
    fn see(&mut self, cells: &Cells, is_text: bool) {
        let (mut kinds, mut nulls, mut at) = (self.kinds, 0, 0);
        while at < cells.used {
            let (start, length) = header(&cells.bytes, at);
            at = start;
            let Some(length) = length else {
                nulls += 1;
                continue;
            };
            at += length;
            if is_text && !kinds.is_text() {
                kinds = kinds.and(Kinds::of_padded(&cells.bytes[start..], length));
            }
        }
        self.kinds = kinds;
        self.nulls += nulls;
    }

    fn locate(&mut self, cells: &Cells, powers: &[Powers]) {
        let mut at = 0;
        for row in powers {
            let end = cells.end_of(at);
            self.locator.add(row, &cells.bytes[at..end]);
            at = end;
        }
    }
}
