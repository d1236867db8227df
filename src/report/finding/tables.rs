//! The words for what changed in a table.

#[cfg(test)]
mod tests;

use crate::compare::table::{CellsChange, ColumnChange, ColumnsChange, Located, TableChange};
use crate::table::MOST;

/// So many of a kind are named; the rest is counted.
const NAMED: usize = 3;

/// One sentence, without the data's name before it and a full stop behind.
#[must_use]
pub fn sentence(change: &TableChange) -> String {
    match change {
        TableChange::RulesDiffer { locked, found } => format!(
            "the bytes differ; the lock's table follows rules of version {locked} and this tool's of version {found}, so they cannot be compared"
        ),
        TableChange::FormatDiffers { locked, found } => {
            format!("it is read as {} now, was {}, so cells cannot be compared", found.word(), locked.word())
        }
        TableChange::SampleDiffers { locked, found } => {
            let part = |first: &Option<u64>| first.map_or_else(|| "all rows".to_owned(), first_rows);
            format!("{} are looked at now, were {}, so they cannot be compared", part(found), part(locked))
        }
        TableChange::BytesOnly { first: None } => "the bytes differ, the table does not".to_owned(),
        TableChange::BytesOnly { first: Some(first) } => {
            format!("{} are as locked; what follows was not looked at", first_rows(*first))
        }
        TableChange::Columns(change) => columns(change),
        TableChange::Reordered => "the same rows in another order".to_owned(),
        TableChange::Appended { rows, locked_rows: 0 } => format!("{} appended, none were locked", count(*rows, "row")),
        TableChange::Appended { rows, locked_rows } => {
            format!("{} appended, the first {} as locked", count(*rows, "row"), number(*locked_rows))
        }
        TableChange::Truncated { rows, left: 0 } => format!("no row is left of {}", number(*rows)),
        TableChange::Truncated { rows, left } => {
            format!("the last {} gone, the first {} as locked", are(*rows, "row"), number(*left))
        }
        TableChange::Cells(change) => cells(change),
        TableChange::Rows {
            locked,
            found,
            as_locked,
            differs_then,
        } => rows(*locked, *found, *as_locked, *differs_then),
    }
}

fn cells(change: &CellsChange) -> String {
    let columns: Vec<String> = change.columns.iter().map(column_cells).collect();
    let mut text = format!("{} changed", listed(&columns, "columns"));
    if !change.rows.is_empty() {
        let ranges: Vec<String> = change.rows.iter().map(range).collect();
        text += &format!(", in rows {}", listed(&ranges, "stretches"));
    }
    if let Some(exact) = exact_rows(&change.columns) {
        text += &format!(" ({exact})");
    }
    for column in &change.columns[..change.columns.len().min(NAMED)] {
        if let Some((locked, found)) = &column.kind {
            text += &format!("; \"{}\" is {found} now, was {locked}", column.name);
        }
        if let Some((locked, found)) = column.nulls {
            text += &format!("; \"{}\" has {} missing, had {}", column.name, number(found), number(locked));
        }
    }
    match change.others {
        0 => {}
        1 => text += "; the other column as locked",
        _ => text += "; other columns as locked",
    }
    if change.appended > 0 {
        text += &format!("; {} appended", count(change.appended, "row"));
    }
    text + " (rows count from 0)"
}

fn column_cells(column: &ColumnChange) -> String {
    let cells = match &column.cells {
        Located::Rows(rows) => count(rows.len() as u64, "cell"),
        Located::Many => format!("more than {MOST} cells"),
        Located::Unknown => "cells".to_owned(),
    };
    format!("{cells} of column \"{}\"", column.name)
}

/// Every changed row, if each column's are known and they are few.
fn exact_rows(columns: &[ColumnChange]) -> Option<String> {
    let mut all: Vec<u64> = Vec::new();
    for column in columns {
        match &column.cells {
            Located::Rows(rows) => all.extend(rows),
            Located::Many | Located::Unknown => return None,
        }
    }
    all.sort_unstable();
    all.dedup();
    let rows: Vec<String> = all.iter().map(u64::to_string).collect();
    match rows.as_slice() {
        [] => None,
        [row] => Some(format!("row {row}")),
        _ if rows.len() > MOST => None,
        _ => Some(format!("rows {}", all_of(&rows))),
    }
}

fn columns(change: &ColumnsChange) -> String {
    let mut parts = Vec::new();
    let quoted = |names: &[String]| -> Vec<String> { names.iter().map(|name| format!("\"{name}\"")).collect() };
    let mut told = |names: &[String], one: &str, several: &str| match names {
        [] => {}
        [name] => parts.push(format!("column \"{name}\" {one}")),
        _ => parts.push(format!("columns {} {several}", listed(&quoted(names), "columns"))),
    };
    told(&change.removed, "is gone", "are gone");
    told(&change.added, "is new", "are new");
    told(&change.changed, "has other cells", "have other cells");
    for (locked, found) in change.renamed.iter().take(NAMED) {
        parts.push(format!("column \"{locked}\" is called \"{found}\" now"));
    }
    if change.renamed.len() > NAMED {
        parts.push(format!("{} more are called otherwise", change.renamed.len() - NAMED));
    }
    for column in change.retyped.iter().take(NAMED) {
        parts.push(format!("column \"{}\" is {} now, was {}", column.name, column.found, column.locked));
    }
    if change.retyped.len() > NAMED {
        parts.push(format!("{} more have another type", change.retyped.len() - NAMED));
    }
    if change.is_reordered {
        parts.push("columns are in another order".to_owned());
    }
    match change.rows {
        Some((locked, found)) => parts.push(format!("{}, were {}", count(found, "row"), number(locked))),
        None => parts.push("the cells of all other columns as locked".to_owned()),
    }
    parts.join("; ")
}

fn rows(locked: u64, found: u64, as_locked: u64, differs_then: bool) -> String {
    let (by, how) = if found > locked {
        (found - locked, "more")
    } else {
        (locked - found, "fewer")
    };
    let than = format!("{} {how} than the {} locked", count(by, "row"), number(locked));
    match (as_locked, differs_then) {
        (0, true) => format!("{than}, and others from the first block of rows on"),
        (0, false) => format!("{than}; whether the others are as locked cannot be told"),
        (_, true) => format!("{than}; the first {} as locked, and others after these", number(as_locked)),
        (_, false) => {
            format!("{than}; the first {} as locked, of those after these it cannot be told", number(as_locked))
        }
    }
}

fn first_rows(rows: u64) -> String {
    format!("the first {}", count(rows, "row"))
}

fn range((first, last): &(u64, u64)) -> String {
    if first == last {
        first.to_string()
    } else {
        format!("{first}–{last}")
    }
}

/// A few of them, and how many more.
fn listed(items: &[String], kind: &str) -> String {
    if items.len() <= NAMED {
        return all_of(items);
    }
    format!("{} and {} more {kind}", items[..NAMED].join(", "), items.len() - NAMED)
}

fn all_of(items: &[String]) -> String {
    match items {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        _ => items.concat(),
    }
}

fn count(many: u64, what: &str) -> String {
    if many == 1 {
        format!("1 {what}")
    } else {
        format!("{} {what}s", number(many))
    }
}

fn are(many: u64, what: &str) -> String {
    if many == 1 {
        format!("{what} is")
    } else {
        format!("{} {what}s are", number(many))
    }
}

/// With a comma before every three digits.
fn number(many: u64) -> String {
    let digits = many.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
