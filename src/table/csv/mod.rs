//! CSV and TSV. Workers take turns: one at a time reads on, digests the bytes and finds where leaves end;
//! outside the turn each digests the leaves that it got.

mod cells;
mod head;
mod scan;
mod split;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};

use self::cells::Leaf;
use self::head::Head;
use self::split::{Splitter, Stretch};
use super::build::Ordered;
use super::leaf::{Digests, Sums};
use super::{Format, NotATable, Reading, Table};
use crate::error::{Error, IoContext as _, Result};
use crate::os::bounded;
use crate::os::interrupt;
use crate::progress::Progress;

/// A stretch of more bytes is digested within the turn, and its memory given back: then only one worker
/// has as much. Wide tables and long texts are so.
const LARGE: usize = 4 << 20;

/// Why reading stopped.
#[derive(Debug)]
enum Stop {
    /// The file cannot be read, or the user interrupted.
    Failed(Error),
    /// This is wrong with the table.
    NotATable(String),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// The file's bytes and its table.
pub(super) fn read(path: &Path, format: Format, threads: usize, progress: &Progress) -> Result<Reading> {
    let file = bounded::open(path).at("open", path)?;
    let splitter = Splitter::new(file, path, Some(progress));
    let (splitter, table) = table(splitter, format, None, threads)?;
    let (digest, bytes) = splitter.finish()?;
    Ok(Reading { digest, bytes, table })
}

/// The table of the first rows.
pub(super) fn read_first(path: &Path, format: Format, rows: u64) -> Result<Result<Table, NotATable>> {
    let file = bounded::open(path).at("open", path)?;
    let (_, table) = table(Splitter::new(file, path, None), format, Some(rows), 1)?;
    Ok(table)
}

/// Hands the splitter back, which may not have come to the end of the file.
fn table<'a>(
    mut splitter: Splitter<'a>,
    format: Format,
    first: Option<u64>,
    threads: usize,
) -> Result<(Splitter<'a>, Result<Table, NotATable>)> {
    let head = match head::read(&mut splitter, format) {
        Ok(head) => head,
        Err(Stop::Failed(error)) => return Err(error),
        Err(Stop::NotATable(why)) => return Ok((splitter, Err(NotATable(why)))),
    };
    splitter.begin(head.delimiter, first);
    let shared = Shared {
        splitter: Mutex::new(splitter),
        results: Mutex::new(Results::new(head.names.len())),
        is_over: AtomicBool::new(false),
    };
    std::thread::scope(|scope| {
        let more: Vec<_> = (1..threads).map(|_| scope.spawn(|| shared.work(&head))).collect();
        let own = shared.work(&head);
        let done = more.into_iter().map(|worker| worker.join().unwrap_or_else(|_| Err(broken())));
        done.fold(own, Result::and)
    })?;
    let results = into_inner(shared.results);
    let table = match results.fault {
        Some((_, why)) => Err(NotATable(why)),
        None => Ok(results.ordered.finish(format, first, head.names, None, &results.sums)),
    };
    Ok((into_inner(shared.splitter), table))
}

fn broken() -> Error {
    Error::new("a thread that read a table broke down")
}

/// A worker that broke down has been noticed by whoever joined it.
fn into_inner<T>(mutex: Mutex<T>) -> T {
    mutex.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// What the workers share.
struct Shared<'a> {
    splitter: Mutex<Splitter<'a>>,
    results: Mutex<Results>,
    /// Something is wrong: what is left need not be taken apart.
    is_over: AtomicBool,
}

/// What the workers found.
struct Results {
    /// Leaves that wait for earlier ones, by the number of their stretch.
    waiting: BTreeMap<u64, Vec<(Digests, u64)>>,
    next: u64,
    ordered: Ordered,
    sums: Sums,
    /// What is wrong in the earliest stretch that has something wrong.
    fault: Option<(u64, String)>,
}

impl Results {
    fn new(columns: usize) -> Self {
        Self {
            waiting: BTreeMap::new(),
            next: 0,
            ordered: Ordered::new(columns),
            sums: Sums::new(columns, true),
            fault: None,
        }
    }

    fn deliver(&mut self, number: u64, leaves: Vec<(Digests, u64)>) {
        self.waiting.insert(number, leaves);
        while let Some(leaves) = self.waiting.remove(&self.next) {
            self.next += 1;
            for (digests, rows) in &leaves {
                self.ordered.push(digests, *rows);
            }
        }
    }

    fn fault(&mut self, number: u64, why: String) {
        if self.fault.as_ref().is_none_or(|(earlier, _)| number < *earlier) {
            self.fault = Some((number, why));
        }
    }
}

impl Shared<'_> {
    fn work(&self, head: &Head) -> Result<()> {
        let mut stretch = Stretch::default();
        let mut leaf = Leaf::new(head.delimiter, head.names.len());
        let mut sums = Sums::new(head.names.len(), true);
        while !self.is_over.load(Ordering::Relaxed) {
            interrupt::check()?;
            let mut splitter = lock(&self.splitter);
            let step = splitter.next(&mut stretch);
            // Keeps the turn or ends it.
            let turn = (stretch.bytes().len() > LARGE).then_some(splitter);
            let step = step.and_then(|is_one| {
                if !is_one {
                    return Ok(false);
                }
                let leaves = digest(&stretch, &mut leaf, &mut sums)?;
                lock(&self.results).deliver(stretch.number, leaves);
                Ok(true)
            });
            match step {
                Ok(true) => {}
                Ok(false) => break,
                Err(Stop::Failed(error)) => {
                    self.is_over.store(true, Ordering::Relaxed);
                    return Err(error);
                }
                Err(Stop::NotATable(why)) => {
                    self.is_over.store(true, Ordering::Relaxed);
                    lock(&self.results).fault(stretch.number, why);
                }
            }
            if turn.is_some() {
                stretch = Stretch::default();
                leaf = Leaf::new(head.delimiter, head.names.len());
            }
        }
        lock(&self.results).sums.join(&sums);
        Ok(())
    }
}

/// The digests of each leaf of a stretch, with its rows.
fn digest(stretch: &Stretch, leaf: &mut Leaf, sums: &mut Sums) -> Result<Vec<(Digests, u64)>, Stop> {
    let mut leaves = Vec::with_capacity(stretch.cuts.len());
    let (mut start, mut row) = (0, stretch.first_row);
    for cut in &stretch.cuts {
        let bytes = &stretch.bytes()[start..cut.end];
        leaf.read(bytes, row, stretch.offset + start as u64)?;
        sums.unordered = sums.unordered.wrapping_add(leaf.unordered());
        leaves.push((sums.leaf(leaf.cells(), row, cut.rows), cut.rows));
        start = cut.end;
        row += cut.rows;
    }
    Ok(leaves)
}
