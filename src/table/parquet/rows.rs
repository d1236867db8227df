//! Rows put together from their columns, as the levels say (Melnik and others, "Dremel", VLDB 2010).

use super::column::Column;
use super::shape::{Items, Node, Shape};
use super::value::Impossible;
use crate::table::MOST_LEAF_BYTES;
use crate::table::leaf::Cells;

/// Why rows cannot be told.
#[derive(Debug)]
pub(super) enum Stop {
    /// Parts of the file say different things of one cell.
    Broken,
    /// The cells of one leaf take more than they may.
    TooMuch,
}

impl From<Impossible> for Stop {
    fn from(_: Impossible) -> Self {
        Self::Broken
    }
}

/// Takes the cells of so many rows of a column.
pub(super) fn push(node: &Node, columns: &mut [Column], rows: usize, out: &mut Cells) -> Result<(), Stop> {
    for _ in 0..rows {
        if node.columns.clone().any(|index| columns[index].repetition() != Some(0)) {
            return Err(Stop::Broken);
        }
        cell(node, columns, out)?;
        if out.encoded().len() > MOST_LEAF_BYTES {
            return Err(Stop::TooMuch);
        }
    }
    Ok(())
}

fn cell(node: &Node, columns: &mut [Column], out: &mut Cells) -> Result<(), Stop> {
    if let Some(present) = node.present {
        let level = columns[node.columns.start].definition().ok_or(Stop::Broken)?;
        if level < present {
            pass(node, columns, present)?;
            out.push_missing();
            return Ok(());
        }
    }
    let mut inner = Cells::default();
    match &node.shape {
        Shape::Value(value) => return Ok(columns[node.columns.start].take(*value, out)?),
        Shape::Struct(fields) => {
            for field in fields {
                cell(&field.node, columns, &mut inner)?;
            }
        }
        Shape::List(items) | Shape::Map(items) => many(node, items, columns, &mut inner)?,
    }
    out.push(inner.encoded());
    Ok(())
}

fn many(node: &Node, items: &Items, columns: &mut [Column], out: &mut Cells) -> Result<(), Stop> {
    let level = columns[node.columns.start].definition().ok_or(Stop::Broken)?;
    if level < items.some {
        return pass(node, columns, items.some);
    }
    loop {
        for each in &items.each {
            cell(each, columns, out)?;
        }
        if out.encoded().len() > MOST_LEAF_BYTES {
            return Err(Stop::TooMuch);
        }
        let mut again = node.columns.clone().map(|index| columns[index].repetition() == Some(items.again));
        let first = again.next().unwrap_or(false);
        if again.any(|other| other != first) {
            return Err(Stop::Broken);
        }
        if !first {
            return Ok(());
        }
    }
}

fn pass(node: &Node, columns: &mut [Column], below: i16) -> Result<(), Stop> {
    for index in node.columns.clone() {
        columns[index].pass(below)?;
    }
    Ok(())
}
