//! Blocks of rows: a list that never grows beyond [`MOST_BLOCKS`], however many rows there are.

use sha2::{Digest as _, Sha256};

use super::LEAF_ROWS;
use super::short::Short;

/// So many are kept.
pub(super) const MOST_BLOCKS: usize = 64;

/// The blocks of a table whose leaves come in order.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    /// How often neighbours became one: a block is 2^level leaves.
    level: u32,
    done: Vec<Short>,
    /// What the next block has so far, with the level of each part; levels fall.
    open: Vec<(u32, Short)>,
}

impl Blocks {
    /// The next leaf of every column.
    pub(super) fn push(&mut self, leaves: &[[u8; 32]]) {
        let mut hasher = Sha256::new();
        for leaf in leaves {
            hasher.update(leaf);
        }
        if self.done.len() == MOST_BLOCKS {
            self.done = coarser(&self.done);
            self.level += 1;
        }
        let mut part = (0, first_bytes(&hasher.finalize()));
        while let Some((level, before)) = self.open.pop_if(|(level, _)| *level == part.0) {
            part = (level + 1, both(before, part.1));
        }
        if part.0 == self.level {
            self.done.push(part.1);
        } else {
            self.open.push(part);
        }
    }

    /// Rows of a block, and the blocks.
    pub(super) fn finish(mut self) -> (u64, Vec<Short>) {
        let last = self
            .open
            .into_iter()
            .map(|(_, part)| part)
            .rev()
            .reduce(|after, before| both(before, after));
        self.done.extend(last);
        (LEAF_ROWS << self.level, self.done)
    }
}

/// The same blocks with twice the rows each.
#[must_use]
pub fn coarser(blocks: &[Short]) -> Vec<Short> {
    blocks
        .chunks(2)
        .map(|pair| match pair {
            [first, second] => both(*first, *second),
            alone => alone[0],
        })
        .collect()
}

fn both(first: Short, second: Short) -> Short {
    let mut hasher = Sha256::new();
    hasher.update(first.0);
    hasher.update(second.0);
    first_bytes(&hasher.finalize())
}

fn first_bytes(digest: &[u8]) -> Short {
    let mut short = [0; 8];
    short.copy_from_slice(&digest[..8]);
    Short(short)
}
