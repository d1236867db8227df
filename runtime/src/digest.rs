//! SHA-256 digests in the one spelling that ledger and lockfile use: `sha256:` and 64 lower-case
//! hexadecimal digits.
//!
//! Digests of bytes and of files. The digest of a value in memory is in
//! [`canonical`](crate::canonical).

use std::{fs::File, io::Read, path::Path};

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// Large enough that a file's reading is not the slow part, small enough for any stack of threads.
const CHUNK: usize = 64 * 1024;

/// The digest of these bytes.
///
/// ```
/// assert_eq!(
///     repro::digest::digest_bytes(b"abc"),
///     "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
/// );
/// ```
#[must_use]
pub fn digest_bytes(bytes: &[u8]) -> String {
    finish(Sha256::new_with_prefix(bytes))
}

/// The digest of a file's bytes, read in pieces.
///
/// # Errors
///
/// [`Error::Io`] where the file cannot be read.
pub fn digest_file(path: impl AsRef<Path>) -> Result<String> {
    let path = path.as_ref();
    let mut file = File::open(path).map_err(Error::io("open", path))?;
    let mut hasher = Sha256::new();
    let mut chunk = vec![0; CHUNK];
    loop {
        match file.read(&mut chunk) {
            Ok(0) => return Ok(finish(hasher)),
            Ok(length) => hasher.update(&chunk[..length]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::io("read", path)(error)),
        }
    }
}

/// Ends a digest and spells it.
pub(crate) fn finish(hasher: Sha256) -> String {
    let mut spelled = String::from("sha256:");
    for byte in hasher.finalize() {
        for nibble in [byte >> 4, byte & 15] {
            spelled.extend(char::from_digit(nibble.into(), 16));
        }
    }
    spelled
}
