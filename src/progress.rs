//! How far a long reading has come: counters that the workers raise and that a progress bar, if somebody
//! watches, reads. They decide nothing.

use std::sync::atomic::{AtomicU64, Ordering};

/// What was read so far, and how much there is.
#[derive(Debug, Default)]
pub struct Progress {
    bytes: AtomicU64,
    files: AtomicU64,
    all_bytes: AtomicU64,
    met_files: AtomicU64,
    all_files: AtomicU64,
}

impl Progress {
    /// So many more bytes were read.
    pub fn read(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// One more file is done.
    pub fn finish_file(&self) {
        self.files.fetch_add(1, Ordering::Relaxed);
    }

    /// So many more files are to be read.
    pub fn expect(&self, files: u64) {
        self.all_files.fetch_add(files, Ordering::Relaxed);
    }

    /// Of one more of these it is known how many bytes are to be read.
    pub fn meet(&self, bytes: u64) {
        self.met_files.fetch_add(1, Ordering::Relaxed);
        self.all_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Bytes read, and to be read of the files that were met.
    #[must_use]
    pub fn bytes(&self) -> (u64, u64) {
        (self.bytes.load(Ordering::Relaxed), self.all_bytes.load(Ordering::Relaxed))
    }

    /// Files met.
    #[must_use]
    pub fn met(&self) -> u64 {
        self.met_files.load(Ordering::Relaxed)
    }

    /// Files read, and to be read in all.
    #[must_use]
    pub fn files(&self) -> (u64, u64) {
        (self.files.load(Ordering::Relaxed), self.all_files.load(Ordering::Relaxed))
    }
}
