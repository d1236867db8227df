//! What the first row says: the delimiter, and the columns' names.

use std::collections::BTreeSet;

use super::Stop;
use super::cells::fields;
use super::scan::Scanner;
use super::split::Splitter;
use crate::table::kind::is_number;
use crate::table::{Format, MOST_COLUMNS, MOST_LEAF_BYTES};

/// What the first row says.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) delimiter: u8,
    pub(super) names: Vec<String>,
}

/// In the order in which they are tried.
const OF_CSV: &[u8] = b",;\t|";

/// Reads the header, if there is one, and leaves the splitter at the first row of data.
pub(super) fn read(splitter: &mut Splitter<'_>, format: Format) -> Result<Head, Stop> {
    while splitter.rest().0.len() < 3 && splitter.look_further()? {}
    if splitter.rest().0.starts_with(b"\xef\xbb\xbf") {
        splitter.skip(3);
    }
    let candidates = if format == Format::Tsv { b"\t" } else { OF_CSV };
    let mut first = None;
    for delimiter in candidates {
        let end = first_row(splitter, *delimiter)?;
        let (cells, count) = fields(&splitter.rest().0[..end], *delimiter);
        if count > MOST_COLUMNS {
            return Err(Stop::NotATable(format!("it has {count} columns, more than {MOST_COLUMNS}")));
        }
        if count > 1 {
            return head(splitter, *delimiter, &cells, end);
        }
        first.get_or_insert((*delimiter, cells, end));
    }
    match first {
        Some((delimiter, cells, end)) if !cells.is_empty() => head(splitter, delimiter, &cells, end),
        _ => Err(Stop::NotATable("it is empty".to_owned())),
    }
}

/// Where the first row ends, after as much reading as that takes.
fn first_row(splitter: &mut Splitter<'_>, delimiter: u8) -> Result<usize, Stop> {
    let mut scanner = Scanner::new(delimiter, 1, 1);
    let mut cuts = Vec::new();
    loop {
        let (rest, has_ended) = splitter.rest();
        scanner.scan(rest, &mut cuts);
        if let Some(cut) = cuts.first() {
            return Ok(cut.end);
        }
        if has_ended && scanner.is_quoted() {
            return Err(Stop::NotATable("its first row opens a quote that is never closed".to_owned()));
        }
        if has_ended {
            return Ok(rest.len());
        }
        if !splitter.look_further()? && !splitter.rest().1 {
            let why = format!("its first row takes more than {} MiB", MOST_LEAF_BYTES >> 20);
            return Err(Stop::NotATable(why));
        }
    }
}

fn head(splitter: &mut Splitter<'_>, delimiter: u8, cells: &[Vec<u8>], end: usize) -> Result<Head, Stop> {
    if cells.iter().all(|cell| is_number(cell)) {
        let names = (1..=cells.len()).map(|number| number.to_string()).collect();
        return Ok(Head { delimiter, names });
    }
    let mut names = Vec::with_capacity(cells.len());
    let mut seen = BTreeSet::new();
    for cell in cells {
        let Ok(name) = std::str::from_utf8(cell) else {
            return Err(Stop::NotATable("its header is not valid UTF-8".to_owned()));
        };
        if !seen.insert(name) {
            return Err(Stop::NotATable(format!("two columns are called \"{name}\"")));
        }
        names.push(name.to_owned());
    }
    splitter.skip(end);
    Ok(Head { delimiter, names })
}
