//! The catalog of faults: programs of a few lines, each with one thing planted that keeps a training from reproducing,
//! or with none. A row says what the tool must name, and everything else that it blames is wrong.
//!
//! ```sh
//! cargo test --test catalog                        # every row, two at a time
//! CATALOG=N06,D10 cargo test --test catalog        # these rows, and what was seen of each
//! CATALOG=N cargo test --test catalog              # those whose id begins so; `all` means every row
//! ```
//!
//! The ids D01 to D80 (an input changed) and N01 to N52 (the same inputs, another output) are the catalog's; each has a
//! row or a reason why it has none. A row with two ids has two things planted; an H is a program that does what the
//! others do, but harmlessly, where nothing may be blamed. The programs are in `fixtures/programs/catalog` and, where a
//! library is needed, in `fixtures/programs/catalog-rayon`.
#![allow(
    clippy::unwrap_used,
    reason = "a row that cannot go on has failed, and the panic names the line"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "tests set the environment for the binary, so they read their own"
)]

mod bench;
mod packages;
mod row;
mod rows;
mod seen;
mod tally;
mod trial;

#[path = "../cli/support/mod.rs"]
#[allow(unused_imports, reason = "the rows use a part of it")]
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Instant;

use row::{Row, Trial};
use tally::{Done, Tally};

/// Rows at a time. Most of a row is cargo, which has work for one processor.
const WORKERS: usize = 2;

/// Of the 52 ids of nondeterminism, how many must be named rightly. Of everything else, all.
const NAMED_AT_LEAST: usize = 45;

#[test]
fn what_is_planted_is_named_and_nothing_else_is_blamed() {
    let wanted = std::env::var("CATALOG").ok();
    let is_wanted = |row: &Row| wanted.as_deref().is_none_or(|wanted| row.is_one_of(wanted));
    let (left_out, rows): (Vec<Row>, Vec<Row>) = rows::all()
        .into_iter()
        .filter(is_wanted)
        .partition(|row| matches!(row.trial, Trial::LeftOut(_)));
    let queue: Mutex<Vec<Row>> = Mutex::new(rows.into_iter().rev().collect());
    let (done, start) = (Mutex::new(Vec::new()), Instant::now());
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                loop {
                    let Some(row) = queue.lock().unwrap().pop() else { break };
                    let one = trial::carry_out(row);
                    if wanted.is_some() || !one.is_right() {
                        tally::tell(&one.to_string());
                    }
                    done.lock().unwrap().push(one);
                }
            });
        }
    });
    let done: Vec<Done> = done.into_inner().unwrap();
    assert!(!done.is_empty(), "CATALOG={} names no row", wanted.unwrap_or_default());
    let tally = Tally::new(&done, &left_out, start.elapsed());
    tally::tell(&tally.to_string());

    let failed: Vec<String> = done
        .iter()
        .filter(|one| !one.is_right() && (wanted.is_some() || !one.row.has_budget() || !one.blamed.is_empty()))
        .map(|one| format!("{} {}", one.row.id, one.row.name))
        .collect();
    assert!(failed.is_empty(), "not as they should be: {failed:?}");
    let named = tally.ids_named_rightly('N');
    assert!(wanted.is_some() || named >= NAMED_AT_LEAST, "only {named} of 52 are named rightly");
}

#[test]
fn every_id_of_the_catalog_has_a_row_or_a_reason() {
    let there: BTreeSet<String> = rows::all().iter().flat_map(Row::ids).map(str::to_owned).collect();
    let ids = |letter: char, last: u32| (1..=last).map(move |number| format!("{letter}{number:02}"));
    let expected: BTreeSet<String> = ids('D', 80).chain(ids('N', 52)).collect();
    let missing: Vec<_> = expected.difference(&there).collect();
    let strange: Vec<_> = there.difference(&expected).filter(|id| !id.starts_with('H')).collect();
    assert!(
        missing.is_empty() && strange.is_empty(),
        "without a row: {missing:?}; not of the catalog: {strange:?}"
    );
}

#[test]
fn no_two_rows_have_one_name() {
    let mut count: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let rows = rows::all();
    for row in &rows {
        *count.entry((row.id, row.name)).or_default() += 1;
    }
    count.retain(|_, count| *count > 1);
    assert!(count.is_empty(), "{count:?}");
}

#[test]
fn every_program_of_the_fixtures_has_a_row() {
    let rows = rows::all();
    for fixture in ["catalog", "catalog-rayon"] {
        let used: BTreeSet<&str> = rows.iter().filter(|row| row.fixture == fixture).map(|row| row.program).collect();
        let programs = support::fixtures().join("programs").join(fixture);
        for directory in ["src/bin", "extras/bin"] {
            for entry in std::fs::read_dir(programs.join(directory)).into_iter().flatten() {
                let path = entry.unwrap().path();
                let name = path.file_stem().unwrap().to_str().unwrap();
                assert!(used.contains(name), "no row is about {}", path.display());
            }
        }
    }
}
