//! From leaves in their order to the table.

use super::blocks::Blocks;
use super::leaf::{Digests, Sums};
use super::locator::MOST_CELLS;
use super::short::Unordered;
use super::{Column, Format, RULES, Table};
use crate::digest::{Digest, Hasher};

/// What depends on the order of leaves.
#[derive(Debug)]
pub(super) struct Ordered {
    rows: u64,
    columns: Vec<Hasher>,
    blocks: Blocks,
}

impl Ordered {
    /// Of no rows.
    pub(super) fn new(columns: usize) -> Self {
        Self {
            rows: 0,
            columns: vec![Hasher::default(); columns],
            blocks: Blocks::default(),
        }
    }

    /// The next leaf.
    pub(super) fn push(&mut self, leaf: &Digests, rows: u64) {
        self.rows += rows;
        for (column, digest) in self.columns.iter_mut().zip(leaf) {
            column.update(digest);
        }
        self.blocks.push(leaf);
    }

    /// The table. `kinds` are the columns' types, where the cells themselves do not tell them.
    pub(super) fn finish(
        self,
        format: Format,
        first: Option<u64>,
        names: Vec<String>,
        kinds: Option<Vec<String>>,
        sums: &Sums,
    ) -> Table {
        let has_locator = self.rows.saturating_mul(names.len() as u64) <= MOST_CELLS;
        let mut kinds = kinds.map(Vec::into_iter);
        let columns = names.into_iter().zip(self.columns).zip(&sums.columns);
        let columns: Vec<Column> = columns
            .map(|((name, hasher), known)| Column {
                name,
                kind: kinds
                    .as_mut()
                    .and_then(Iterator::next)
                    .unwrap_or_else(|| known.kinds.name(known.nulls == self.rows).to_owned()),
                nulls: known.nulls,
                digest: hasher.finish(),
                locator: has_locator.then_some(known.locator),
            })
            .collect();
        let (block_rows, blocks) = self.blocks.finish();
        Table {
            rules: RULES,
            format,
            first,
            rows: self.rows,
            content: content(self.rows, &columns),
            unordered: Unordered(sums.unordered),
            block_rows,
            blocks,
            columns,
        }
    }
}

/// The content digest, as the rules have it.
fn content(rows: u64, columns: &[Column]) -> Digest {
    let mut hasher = Hasher::default();
    hasher.update(rows.to_le_bytes());
    hasher.update((columns.len() as u64).to_le_bytes());
    for column in columns {
        for text in [&column.name, &column.kind] {
            hasher.update((text.len() as u64).to_le_bytes());
            hasher.update(text);
        }
        hasher.update(column.digest.raw());
    }
    hasher.finish()
}
