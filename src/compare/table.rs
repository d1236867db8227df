//! What changed between two tables, told from their digests alone: nothing is said that they do not show.

use std::collections::BTreeSet;

use crate::table::{Column, Format, LEAF_ROWS, Short, Table, coarser};

/// How a table differs from the locked one. Rows count from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TableChange {
    /// The digests follow different rules, so they say nothing.
    RulesDiffer {
        /// The locked version.
        locked: u32,
        /// This tool's.
        found: u32,
    },
    /// One is typed and the other is text, so their cells are not the same.
    FormatDiffers {
        /// As locked.
        locked: Format,
        /// As found.
        found: Format,
    },
    /// Another part of the table was digested.
    SampleDiffers {
        /// So many rows, or all.
        locked: Option<u64>,
        /// So many rows, or all.
        found: Option<u64>,
    },
    /// The table is as locked, or this many rows are that alone were looked at.
    BytesOnly {
        /// So many, or all.
        first: Option<u64>,
    },
    /// Other columns.
    Columns(ColumnsChange),
    /// The same rows in another order.
    Reordered,
    /// All locked rows, then others.
    Appended {
        /// How many others.
        rows: u64,
        /// How many are as locked.
        locked_rows: u64,
    },
    /// The locked rows without the last.
    Truncated {
        /// How many are gone.
        rows: u64,
        /// How many are as locked.
        left: u64,
    },
    /// As many rows as locked, or these and others behind them, with other cells.
    Cells(CellsChange),
    /// More or fewer rows, and not only at the end as far as can be told.
    Rows {
        /// How many were locked.
        locked: u64,
        /// How many there are.
        found: u64,
        /// How many from the start are as locked, in whole blocks.
        as_locked: u64,
        /// Whether the digests show that those behind them are not; else they cannot tell.
        differs_then: bool,
    },
}

/// How columns differ.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ColumnsChange {
    /// Not in the lock.
    pub added: Vec<String>,
    /// In the lock alone.
    pub removed: Vec<String>,
    /// The same cells by another name: old and new.
    pub renamed: Vec<(String, String)>,
    /// The same stored values of another type.
    pub retyped: Vec<Retyped>,
    /// Those that both have are in another order.
    pub is_reordered: bool,
    /// Columns of both with other cells; not told where the number of rows differs.
    pub changed: Vec<String>,
    /// Rows as locked and as found, if they differ.
    pub rows: Option<(u64, u64)>,
}

/// A column of another type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retyped {
    /// Its name.
    pub name: String,
    /// As locked.
    pub locked: String,
    /// As found.
    pub found: String,
}

/// Which cells differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CellsChange {
    /// The columns that have them.
    pub columns: Vec<ColumnChange>,
    /// How many columns are as locked.
    pub others: usize,
    /// The blocks that have them, neighbours joined: first and last row.
    pub rows: Vec<(u64, u64)>,
    /// So many rows follow the locked ones.
    pub appended: u64,
}

/// A column with other cells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnChange {
    /// Its name.
    pub name: String,
    /// Which cells.
    pub cells: Located,
    /// Its type as locked and as found, if another.
    pub kind: Option<(String, String)>,
    /// Missing cells as locked and as found, if others.
    pub nulls: Option<(u64, u64)>,
}

/// What is known of the changed cells of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Located {
    /// They are in exactly these rows.
    Rows(Vec<u64>),
    /// More than [`crate::table::MOST`].
    Many,
    /// Nothing: the table is too large for locators.
    Unknown,
}

/// What changed, for a file whose bytes did. `beginning` is the table of as many rows of the file as were
/// locked, where it has more ([`crate::table::beginning`]).
#[must_use]
pub fn change(locked: &Table, found: &Table, beginning: Option<&Table>) -> TableChange {
    if locked.rules != found.rules {
        return TableChange::RulesDiffer {
            locked: locked.rules,
            found: found.rules,
        };
    }
    if (locked.format == Format::Parquet) != (found.format == Format::Parquet) {
        return TableChange::FormatDiffers {
            locked: locked.format,
            found: found.format,
        };
    }
    if locked.first != found.first {
        return TableChange::SampleDiffers {
            locked: locked.first,
            found: found.first,
        };
    }
    if locked.content == found.content {
        return TableChange::BytesOnly { first: found.first };
    }
    let has_same_names = names(locked).eq(names(found));
    let is_retyped = |(old, new): (&Column, &Column)| old.digest == new.digest && old.kind != new.kind;
    if !has_same_names || locked.columns.iter().zip(&found.columns).any(is_retyped) {
        return TableChange::Columns(columns(locked, found));
    }
    if locked.rows == found.rows {
        same_rows(locked, found)
    } else if locked.rows < found.rows {
        more_rows(locked, found, beginning)
    } else {
        fewer_rows(locked, found)
    }
}

fn names(table: &Table) -> impl Iterator<Item = &str> {
    table.columns.iter().map(|column| column.name.as_str())
}

fn columns(locked: &Table, found: &Table) -> ColumnsChange {
    let (old, new): (BTreeSet<&str>, BTreeSet<&str>) = (names(locked).collect(), names(found).collect());
    let has_same_rows = locked.rows == found.rows;
    let mut change = ColumnsChange {
        rows: (!has_same_rows).then_some((locked.rows, found.rows)),
        ..ColumnsChange::default()
    };
    let mut added: Vec<&Column> = found.columns.iter().filter(|column| !old.contains(column.name.as_str())).collect();
    let mut order = Vec::new();
    for column in &locked.columns {
        if let Some(now) = found.columns.iter().find(|now| now.name == column.name) {
            order.push(now.name.as_str());
            if now.digest != column.digest && has_same_rows {
                change.changed.push(now.name.clone());
            } else if now.kind != column.kind {
                change.retyped.push(Retyped {
                    name: now.name.clone(),
                    locked: column.kind.clone(),
                    found: now.kind.clone(),
                });
            }
            continue;
        }
        match added.iter().position(|now| now.digest == column.digest && now.kind == column.kind) {
            Some(at) => {
                let now = added.remove(at);
                order.push(now.name.as_str());
                change.renamed.push((column.name.clone(), now.name.clone()));
            }
            None => change.removed.push(column.name.clone()),
        }
    }
    change.added = added.iter().map(|column| column.name.clone()).collect();
    let is_new = |name: &&str| !new.contains(*name) || change.added.iter().any(|added| added == *name);
    change.is_reordered = !names(found).filter(|name| !is_new(name)).eq(order);
    change
}

fn same_rows(locked: &Table, found: &Table) -> TableChange {
    if locked.unordered == found.unordered && locked.columns.iter().zip(&found.columns).all(|(a, b)| a.kind == b.kind) {
        return TableChange::Reordered;
    }
    TableChange::Cells(cells(locked, found))
}

fn cells(locked: &Table, found: &Table) -> CellsChange {
    let (block_rows, old, new) = same_blocks(locked, found);
    let mut rows: Vec<(u64, u64)> = Vec::new();
    let differing = old.iter().zip(&new).enumerate().filter(|(_, (old, new))| old != new);
    for (index, _) in differing {
        let first = index as u64 * block_rows;
        let last = (first + block_rows).min(locked.rows) - 1;
        match rows.last_mut() {
            Some(range) if range.1 + 1 == first => range.1 = last,
            _ => rows.push((first, last)),
        }
    }
    let pairs = locked.columns.iter().zip(&found.columns);
    let changed: Vec<ColumnChange> = pairs
        .filter(|(old, new)| old.digest != new.digest)
        .map(|(old, new)| ColumnChange {
            name: new.name.clone(),
            cells: locate(old, new, &rows),
            kind: (old.kind != new.kind).then(|| (old.kind.clone(), new.kind.clone())),
            nulls: (old.nulls != new.nulls).then_some((old.nulls, new.nulls)),
        })
        .collect();
    CellsChange {
        others: locked.columns.len() - changed.len(),
        columns: changed,
        rows,
        appended: 0,
    }
}

fn locate(old: &Column, new: &Column, rows: &[(u64, u64)]) -> Located {
    let (Some(before), Some(after)) = (&old.locator, &new.locator) else {
        return Located::Unknown;
    };
    match before.changed(after, rows.iter().flat_map(|(first, last)| *first..=*last)) {
        Some(rows) if !rows.is_empty() => Located::Rows(rows),
        _ => Located::Many,
    }
}

/// The blocks of both, in blocks of as many rows.
fn same_blocks(locked: &Table, found: &Table) -> (u64, Vec<Short>, Vec<Short>) {
    let rows = locked.block_rows.max(found.block_rows).max(LEAF_ROWS);
    (rows, in_blocks_of(rows, locked), in_blocks_of(rows, found))
}

fn in_blocks_of(rows: u64, table: &Table) -> Vec<Short> {
    let mut blocks = table.blocks.clone();
    let mut block_rows = table.block_rows.max(LEAF_ROWS);
    while block_rows < rows && blocks.len() > 1 {
        blocks = coarser(&blocks);
        block_rows *= 2;
    }
    blocks
}

/// How many rows from the start are as locked, in whole blocks; and whether those behind them are not.
fn as_locked(locked: &Table, found: &Table) -> (u64, bool) {
    let (block_rows, old, new) = same_blocks(locked, found);
    let whole = locked.rows.min(found.rows) / block_rows;
    let same = old.iter().zip(&new).take_while(|(old, new)| old == new).count() as u64;
    (same.min(whole) * block_rows, same < whole)
}

fn more_rows(locked: &Table, found: &Table, beginning: Option<&Table>) -> TableChange {
    let appended = found.rows - locked.rows;
    let (mut as_locked, mut differs_then) = as_locked(locked, found);
    if let Some(beginning) = beginning.filter(|table| table.rows == locked.rows) {
        if beginning.content == locked.content {
            return TableChange::Appended {
                rows: appended,
                locked_rows: locked.rows,
            };
        }
        if let TableChange::Cells(change) = same_rows(locked, beginning) {
            let is_found = |column: &ColumnChange| matches!(column.cells, Located::Rows(_));
            // Were rows put in between, nothing behind these would be in its place.
            let is_the_end = matches!(change.rows.as_slice(), [(_, last)] if last + 1 == locked.rows);
            if !is_the_end || change.columns.iter().all(is_found) {
                return TableChange::Cells(CellsChange { appended, ..change });
            }
            as_locked = change.rows.first().map_or(as_locked, |(first, _)| *first);
        }
        differs_then = true;
    }
    TableChange::Rows {
        locked: locked.rows,
        found: found.rows,
        as_locked,
        differs_then,
    }
}

fn fewer_rows(locked: &Table, found: &Table) -> TableChange {
    let gone = locked.rows - found.rows;
    let (as_locked, differs_then) = as_locked(locked, found);
    // The sums of the rows that are there, taken from the locked ones, leave those of the rows that are not.
    let only_the_last = |(old, new): (&Column, &Column)| {
        let (Some(before), Some(after)) = (&old.locator, &new.locator) else {
            return false;
        };
        let missing = before.changed(after, found.rows..locked.rows);
        missing.is_some_and(|rows| rows.len() as u64 == gone)
    };
    let ends_between_blocks = !differs_then && as_locked == found.rows;
    if ends_between_blocks || locked.columns.iter().zip(&found.columns).all(only_the_last) {
        return TableChange::Truncated {
            rows: gone,
            left: found.rows,
        };
    }
    TableChange::Rows {
        locked: locked.rows,
        found: found.rows,
        as_locked,
        differs_then,
    }
}
