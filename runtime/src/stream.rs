//! Seed streams: independent random generators that the run's seed and a name determine.
//!
//! The derivation, version 1, which any language can follow:
//!
//! ```text
//! key    = SHA-256( "repro-ml stream v1" ‖ 0x00 ‖ seed as 8 bytes, little-endian ‖ name in UTF-8 )
//! stream = ChaCha20, 20 rounds, 64-bit block counter from 0, 64-bit nonce 0; words little-endian
//! ```
//!
//! With seed 42:
//!
//! | name | key | first 16 bytes |
//! |---|---|---|
//! | `split` | `ec649a6aad010dbef54563cf420531f273b2f09fa0b70464191439e90f05ee1e` | `7b92132f3270e3a82198a4b0bf7c8400` |
//! | `forest` | `b47ef2b71b6af1cd04dc6ac68c9799688c868cbe84bef74c276cb84582771f8c` | `f0ef445d5e5ba3efd392466bc20ef7cc` |
//! | (empty) | `9f28c72195228e9632cf3a23cb6e6c21f85e3977764f885e5e4a120f504be2f4` | `b9c20df424e2bf38980d9eb8606407ed` |
//!
//! As a name is part of the key, a program may add, drop or reorder streams without shifting any
//! other. It is not a source of secrets: who knows the seed knows every stream.

use std::{fmt, sync::Arc};

use rand_chacha::{
    ChaCha20Rng,
    rand_core::{self, RngCore, SeedableRng},
};
use sha2::{Digest, Sha256};

use crate::tally::Tally;

/// What every key's hash begins with, so that no other use of SHA-256 gives the same key; the 0
/// byte ends it.
const DOMAIN: &[u8] = b"repro-ml stream v1\0";

/// The key of a stream.
pub(crate) fn key(seed: u64, name: &str) -> [u8; 32] {
    Sha256::new_with_prefix(DOMAIN)
        .chain_update(seed.to_le_bytes())
        .chain_update(name)
        .finalize()
        .into()
}

/// A random generator that the run's seed and the stream's name determine.
/// [`Run::rng`](crate::Run::rng) makes one.
///
/// It is a `ChaCha20` generator that counts: when it is dropped, the 32-bit words it gave since it
/// was made or cloned are added to the run's tally, which ends up in the ledger. A clone goes on
/// from where the original is and counts only its own words.
///
/// It implements [`RngCore`] of `rand_core` 0.6, which `rand` 0.8 and `linfa` 0.8 take. For other
/// generators there is [`Run::key`](crate::Run::key).
pub struct Stream {
    name: Arc<str>,
    generator: ChaCha20Rng,
    counted_from: u128,
    tally: Arc<Tally>,
}

impl Stream {
    /// The stream at its beginning.
    pub(crate) fn new(seed: u64, name: &str, tally: Arc<Tally>) -> Self {
        tally.add(name, 0);
        Self {
            name: name.into(),
            generator: ChaCha20Rng::from_seed(key(seed, name)),
            counted_from: 0,
            tally,
        }
    }

    /// The stream's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many 32-bit words the stream gave since it was made or cloned.
    #[must_use]
    pub fn words(&self) -> u64 {
        let words = self
            .generator
            .get_word_pos()
            .wrapping_sub(self.counted_from);
        u64::try_from(words).unwrap_or(u64::MAX)
    }
}

impl Clone for Stream {
    fn clone(&self) -> Self {
        Self {
            name: Arc::clone(&self.name),
            generator: self.generator.clone(),
            counted_from: self.generator.get_word_pos(),
            tally: Arc::clone(&self.tally),
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.tally.add(&self.name, self.words());
    }
}

/// Without the generator's state, which would give its future away and say nothing to a reader.
impl fmt::Debug for Stream {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Stream")
            .field("name", &self.name)
            .field("words", &self.words())
            .finish_non_exhaustive()
    }
}

impl RngCore for Stream {
    #[inline]
    fn next_u32(&mut self) -> u32 {
        self.generator.next_u32()
    }

    #[inline]
    fn next_u64(&mut self) -> u64 {
        self.generator.next_u64()
    }

    #[inline]
    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        self.generator.fill_bytes(bytes);
    }

    #[inline]
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rand_core::Error> {
        self.generator.try_fill_bytes(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Ledger;

    /// Made by Python's hashlib and `openssl enc -chacha20`, with the command that the README
    /// gives.
    const VECTORS: [(u64, &str, &str, &str); 4] = [
        (
            42,
            "split",
            "ec649a6aad010dbef54563cf420531f273b2f09fa0b70464191439e90f05ee1e",
            "7b92132f3270e3a82198a4b0bf7c8400",
        ),
        (
            42,
            "forest",
            "b47ef2b71b6af1cd04dc6ac68c9799688c868cbe84bef74c276cb84582771f8c",
            "f0ef445d5e5ba3efd392466bc20ef7cc",
        ),
        (
            42,
            "",
            "9f28c72195228e9632cf3a23cb6e6c21f85e3977764f885e5e4a120f504be2f4",
            "b9c20df424e2bf38980d9eb8606407ed",
        ),
        (
            u64::MAX,
            "größe",
            "943a1f005ab93e56e24ec029fecc915da1ee8e21fc3a88a5e4a4e218cd0475a9",
            "cfb9d864a9efbfa713fe2bed03c43234",
        ),
    ];

    fn stream(seed: u64, name: &str) -> Stream {
        Stream::new(seed, name, Arc::new(Tally::new(Ledger::nowhere())))
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn the_vectors_hold() {
        for (seed, name, key_hex, first_hex) in VECTORS {
            assert_eq!(hex(&key(seed, name)), key_hex, "key of {name:?}");
            let mut first = [0; 16];
            stream(seed, name).fill_bytes(&mut first);
            assert_eq!(hex(&first), first_hex, "first bytes of {name:?}");
        }
    }

    #[test]
    fn the_readme_has_the_same_vectors() {
        let readme = include_str!("../README.md");
        for (_, _, key, first) in &VECTORS[..3] {
            assert!(readme.contains(&format!("`{key}` | `{first}`")));
        }
    }

    #[test]
    fn words_are_little_endian() {
        assert_eq!(stream(42, "split").next_u32(), 0x2f13_927b);
        assert_eq!(stream(42, "split").next_u64(), 0xa8e3_7032_2f13_927b);
    }

    #[test]
    fn words_are_counted_however_they_are_drawn() {
        let mut stream = stream(1, "a");
        assert_eq!(stream.words(), 0);
        stream.next_u32();
        assert_eq!(stream.words(), 1);
        stream.next_u64();
        assert_eq!(stream.words(), 3);
        stream.fill_bytes(&mut [0; 5]);
        assert_eq!(stream.words(), 5, "a word that is begun counts whole");
        stream.fill_bytes(&mut [0; 4000]);
        assert_eq!(stream.words(), 1005);
    }

    #[test]
    fn a_clone_goes_on_and_counts_its_own() {
        let mut original = stream(1, "a");
        original.next_u64();
        let mut copy = original.clone();
        assert_eq!(copy.words(), 0);
        assert_eq!(copy.next_u32(), original.next_u32());
        assert_eq!((original.words(), copy.words()), (3, 1));
    }
}
