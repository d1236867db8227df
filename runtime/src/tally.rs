//! What a run says when it ends: the words drawn from each stream, then that it closed.
//!
//! Run and streams share one tally, so the end is the drop of the last of them and no count can
//! come too late.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use crate::{error::Result, ledger::Ledger, protocol::Event};

/// The ledger, and the count of words by stream name.
pub(crate) struct Tally {
    ledger: Ledger,
    words: Mutex<BTreeMap<String, u64>>,
}

impl Tally {
    pub(crate) const fn new(ledger: Ledger) -> Self {
        Self {
            ledger,
            words: Mutex::new(BTreeMap::new()),
        }
    }

    /// Adds words to a stream's count; with none, the stream is at least named.
    pub(crate) fn add(&self, stream: &str, words: u64) {
        // A panic in another thread leaves a count that is still right.
        let mut counts = self.words.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(stream) {
            *count = count.saturating_add(words);
        } else {
            counts.insert(stream.to_owned(), words);
        }
    }

    /// Writes an event at once.
    pub(crate) fn tell(&self, event: &Event) -> Result<()> {
        self.ledger.append(event)
    }

    fn close(&mut self) -> Result<()> {
        let counts = self.words.get_mut().unwrap_or_else(PoisonError::into_inner);
        for (name, words) in std::mem::take(counts) {
            self.ledger.append(&Event::Stream { name, words })?;
        }
        self.ledger.append(&Event::Close)
    }
}

impl Drop for Tally {
    fn drop(&mut self) {
        // A drop cannot fail; a ledger without its last line tells the command that something did.
        let _ = self.close();
    }
}
