//! Where canonical bytes go: into a hash, by way of a buffer in which maps wait for their order.

use std::ops::Range;

use sha2::{Digest, Sha256};

use crate::digest::finish;

/// Many times a hash block, and it stays in a core's own cache.
const FULL: usize = 32 * 1024;

/// The buffer, and the hash it empties into.
pub(super) struct Sink {
    pending: Vec<u8>,
    /// None keeps every byte.
    hasher: Option<Sha256>,
    /// While a map is open, what is in it may still move.
    open_maps: usize,
}

impl Sink {
    pub(super) fn hashing() -> Self {
        Self {
            pending: Vec::with_capacity(2 * FULL),
            hasher: Some(Sha256::new()),
            open_maps: 0,
        }
    }

    pub(super) const fn keeping() -> Self {
        Self {
            pending: Vec::new(),
            hasher: None,
            open_maps: 0,
        }
    }

    #[inline]
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
        if self.pending.len() >= FULL {
            self.spill();
        }
    }

    /// Hashes what is pending, if it is settled.
    fn spill(&mut self) {
        if self.open_maps > 0 {
            return;
        }
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&self.pending);
            self.pending.clear();
        }
    }

    /// Where the next byte goes. It holds as long as a map is open.
    pub(super) const fn position(&self) -> usize {
        self.pending.len()
    }

    pub(super) const fn open_map(&mut self) {
        self.open_maps += 1;
    }

    pub(super) const fn close_map(&mut self) {
        self.open_maps -= 1;
    }

    /// Bytes that are still here.
    pub(super) fn bytes(&self, range: Range<usize>) -> &[u8] {
        &self.pending[range]
    }

    /// Replaces everything from `start` on.
    pub(super) fn replace_from(&mut self, start: usize, bytes: &[u8]) {
        self.pending.truncate(start);
        self.pending.extend_from_slice(bytes);
    }

    pub(super) fn into_digest(self) -> String {
        finish(self.hasher.unwrap_or_default().chain_update(self.pending))
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.pending
    }
}
