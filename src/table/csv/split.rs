//! The file in stretches of whole leaves, read in order by whoever's turn it is.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use super::Stop;
use super::scan::{Cut, Scanner};
use crate::digest::{Digest, Hasher};
use crate::error::{IoContext as _, Result};
use crate::os::interrupt;
use crate::progress::Progress;
use crate::table::{LEAF_ROWS, MOST_LEAF_BYTES};

/// So much is read at a time: little enough to stay in a core's cache until it is taken apart. In tests
/// so little that everything there is to read is cut somewhere.
const BLOCK: usize = if cfg!(test) { 61 } else { 256 * 1024 };

/// Whole leaves, one after another.
#[derive(Debug, Default)]
pub(super) struct Stretch {
    /// Longer than what is used, so that it need not be cleared each time.
    buffer: Vec<u8>,
    used: usize,
    /// Where its leaves end.
    pub(super) cuts: Vec<Cut>,
    /// Counts stretches.
    pub(super) number: u64,
    /// The row it begins with.
    pub(super) first_row: u64,
    /// Where in the file it begins.
    pub(super) offset: u64,
}

impl Stretch {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer[..self.used]
    }
}

/// Reads the file once, and digests its bytes if they are wanted.
#[derive(Debug)]
pub(super) struct Splitter<'a> {
    file: File,
    path: &'a Path,
    progress: Option<&'a Progress>,
    hasher: Hasher,
    bytes: u64,
    has_ended: bool,
    /// Something is wrong with the table, and was said.
    has_failed: bool,
    /// Read, and not yet handed out.
    rest: Vec<u8>,
    /// Where the rest begins in the file.
    offset: u64,
    scanner: Scanner,
    number: u64,
    row: u64,
}

impl<'a> Splitter<'a> {
    /// With a progress the bytes are digested too.
    pub(super) fn new(file: File, path: &'a Path, progress: Option<&'a Progress>) -> Self {
        Self {
            file,
            path,
            progress,
            hasher: Hasher::default(),
            bytes: 0,
            has_ended: false,
            has_failed: false,
            rest: Vec::new(),
            offset: 0,
            scanner: Scanner::new(b',', LEAF_ROWS, 0),
            number: 0,
            row: 0,
        }
    }

    /// From here on there are rows, and so many are wanted.
    pub(super) fn begin(&mut self, delimiter: u8, first: Option<u64>) {
        self.scanner = Scanner::new(delimiter, LEAF_ROWS, first.unwrap_or(u64::MAX));
    }

    /// What was read and not handed out, and whether the file ends with it.
    pub(super) fn rest(&self) -> (&[u8], bool) {
        (&self.rest, self.has_ended)
    }

    /// Reads some more to look at. False at the end of the file, or once that is more than is kept.
    pub(super) fn look_further(&mut self) -> Result<bool> {
        if self.has_ended || self.rest.len() > MOST_LEAF_BYTES {
            return Ok(false);
        }
        let mut rest = std::mem::take(&mut self.rest);
        let before = rest.len();
        rest.resize(before + BLOCK, 0);
        let read = self.fill(&mut rest[before..])?;
        rest.truncate(before + read);
        self.rest = rest;
        Ok(read > 0)
    }

    /// Leaves so many bytes of the rest out.
    pub(super) fn skip(&mut self, bytes: usize) {
        self.rest.drain(..bytes);
        self.offset += bytes as u64;
    }

    /// The next stretch; false if there is none.
    pub(super) fn next(&mut self, stretch: &mut Stretch) -> Result<bool, Stop> {
        if self.has_failed {
            return Ok(false);
        }
        let found = self.find(stretch);
        self.has_failed = found.is_err();
        found
    }

    fn find(&mut self, stretch: &mut Stretch) -> Result<bool, Stop> {
        stretch.cuts.clear();
        stretch.number = self.number;
        stretch.first_row = self.row;
        stretch.offset = self.offset;
        let mut used = self.rest.len();
        if stretch.buffer.len() < used + BLOCK {
            stretch.buffer.resize(used + 2 * BLOCK, 0);
        }
        stretch.buffer[..used].copy_from_slice(&self.rest);
        self.rest.clear();
        while stretch.cuts.is_empty() && !self.scanner.has_enough() {
            if !self.has_ended {
                if stretch.buffer.len() < used + BLOCK {
                    stretch.buffer.reserve_exact(used / 4 + BLOCK);
                    stretch.buffer.resize(used + used / 4 + BLOCK, 0);
                }
                used += self.fill(&mut stretch.buffer[used..used + BLOCK])?;
            }
            self.scanner.scan(&stretch.buffer[..used], &mut stretch.cuts);
            if self.has_ended {
                self.end(&stretch.buffer[..used], &mut stretch.cuts)?;
                break;
            }
            if stretch.cuts.is_empty() && used > MOST_LEAF_BYTES {
                return Err(self.too_large(self.row));
            }
        }
        self.hand_out(stretch, used)
    }

    fn end(&mut self, buffer: &[u8], cuts: &mut Vec<Cut>) -> Result<(), Stop> {
        if self.scanner.is_quoted() && !self.scanner.has_enough() {
            return Err(Stop::NotATable("it ends within a quote that is never closed".to_owned()));
        }
        self.scanner.end(buffer, cuts);
        Ok(())
    }

    /// Keeps what is behind the last cut for the next stretch.
    fn hand_out(&mut self, stretch: &mut Stretch, used: usize) -> Result<bool, Stop> {
        let Some(last) = stretch.cuts.last() else {
            return Ok(false);
        };
        self.rest.extend_from_slice(&stretch.buffer[last.end..used]);
        self.scanner.shift(last.end);
        self.offset += last.end as u64;
        self.number += 1;
        stretch.used = last.end;
        let mut start = 0;
        for cut in &stretch.cuts {
            if cut.end - start > MOST_LEAF_BYTES {
                return Err(self.too_large(self.row));
            }
            start = cut.end;
            self.row += cut.rows;
        }
        Ok(true)
    }

    fn too_large(&self, row: u64) -> Stop {
        Stop::NotATable(format!(
            "the {LEAF_ROWS} rows from row {row} on (counted from 0) take more than {} MiB; a quote may be open",
            MOST_LEAF_BYTES >> 20
        ))
    }

    /// Reads until the room is full or the file ends.
    fn fill(&mut self, room: &mut [u8]) -> Result<usize> {
        let mut filled = 0;
        while filled < room.len() {
            match self.file.read(&mut room[filled..]) {
                Ok(0) => {
                    self.has_ended = true;
                    break;
                }
                Ok(read) => filled += read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => interrupt::check()?,
                Err(error) => return Err(error).at("read", self.path),
            }
        }
        self.bytes += filled as u64;
        if let Some(progress) = self.progress {
            self.hasher.update(&room[..filled]);
            progress.read(filled as u64);
        }
        Ok(filled)
    }

    /// Reads what is left for the digest of all bytes.
    pub(super) fn finish(mut self) -> Result<(Digest, u64)> {
        let mut room = vec![0; BLOCK];
        while !self.has_ended {
            interrupt::check()?;
            self.fill(&mut room)?;
        }
        Ok((self.hasher.finish(), self.bytes))
    }
}
