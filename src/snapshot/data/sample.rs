//! Very large data by a sample, where the manifest asks for that: what was not read may have changed, and
//! every report says so. The rules have a version; whoever changes them raises the number.
//!
//! Version 1: a file of at most 32 MiB is read whole, as ever. Of a larger one, with the size S: SHA-256
//! of S as 8 bytes little-endian; then its first MiB; then 256 blocks of 64 KiB, the i-th (from 0) at the
//! byte ⌊(S − 65,536) · i / 255⌋, so that the last one ends with the file. A table is read up to its first
//! thousand rows.

use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

use crate::digest::{Digest, Hasher};
use crate::error::{IoContext as _, Result};
use crate::os::bounded;
use crate::os::interrupt;
use crate::progress::Progress;

/// The version of the rules.
pub const RULES: u32 = 1;

/// Files up to this size are read whole.
pub const SMALL: u64 = 32 << 20;

/// Rows of a table that are looked at.
pub const ROWS: u64 = 1000;

const HEAD: u64 = 1 << 20;
const BLOCK: u64 = 1 << 16;
const BLOCKS: u64 = 256;

/// How many bytes of a large file are read.
pub const READ: u64 = HEAD + BLOCK * BLOCKS;

/// The digest of a large file's sample.
///
/// # Errors
/// When it cannot be read, or the user interrupts.
pub fn digest(path: &Path, size: u64, progress: &Progress) -> Result<Digest> {
    let mut file = bounded::open(path).at("open the data", path)?;
    let mut hasher = Hasher::default();
    hasher.update(size.to_le_bytes());
    let mut buffer = vec![0; HEAD as usize];
    file.read_exact(&mut buffer).at("read the data", path)?;
    hasher.update(&buffer);
    progress.read(HEAD);
    buffer.truncate(BLOCK as usize);
    for number in 0..BLOCKS {
        interrupt::check()?;
        // In 128 bits: the product of a size and a number may not fit 64.
        let offset = u128::from(size - BLOCK) * u128::from(number) / u128::from(BLOCKS - 1);
        let offset = u64::try_from(offset).expect("it is less than the size");
        file.seek(SeekFrom::Start(offset)).at("read the data", path)?;
        file.read_exact(&mut buffer).at("read the data", path)?;
        hasher.update(&buffer);
        progress.read(BLOCK);
    }
    Ok(hasher.finish())
}
