//! Entropy that answers from a key: SHA-256 (FIPS 180-4) in counter mode over the key, who asks, and
//! how often it asked before. An answer does not depend on what other threads do meanwhile.

use std::io::Write as _;
use std::os::fd::OwnedFd;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::thread_ids::Line;

/// The key of all answers.
#[derive(Clone, Debug)]
pub struct Entropy {
    key: Vec<u8>,
    numbering: Numbering,
}

/// Which requests of a thread move it on to other answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub enum Numbering {
    /// All of them, also those for nothing and for hash keys. Which thread makes these is often chance: the first
    /// that asks for anything, or the worker that got a piece of work. Locks from before have this one.
    First,
    /// Those whose answers are its own.
    Second,
}

impl From<Numbering> for u32 {
    fn from(numbering: Numbering) -> Self {
        match numbering {
            Numbering::First => 1,
            Numbering::Second => 2,
        }
    }
}

impl TryFrom<u32> for Numbering {
    type Error = String;

    fn try_from(number: u32) -> Result<Self, String> {
        match number {
            1 => Ok(Self::First),
            2 => Ok(Self::Second),
            newer => Err(format!("answers to requests for entropy are counted in a newer way: {newer}")),
        }
    }
}

/// Flag and size with which std asks for the keys of `HashMap` (library/std/src/sys/random/linux.rs).
const INSECURE: u64 = 4;
const HASH_KEYS: u64 = 16;

impl Entropy {
    /// From the text of a plan.
    #[must_use]
    pub fn new(key: &str, numbering: Numbering) -> Self {
        Self {
            key: key.as_bytes().to_vec(),
            numbering,
        }
    }

    /// What `getrandom(_, length, flags)` gives this thread. The keys of hash maps are the same in every
    /// thread: which worker of a pool does a piece of work must not show in its order.
    #[must_use]
    pub fn answer(&self, line: &mut Line, length: u64, flags: u64) -> Vec<u8> {
        let for_keys = are_hash_keys(length, flags);
        let counts = self.numbering == Numbering::First || (length > 0 && !for_keys);
        let draw = if counts { line.draw() } else { 0 };
        let who = if for_keys {
            "hash keys".to_owned()
        } else {
            format!("{} {draw}", line.name)
        };
        let length = usize::try_from(length).unwrap_or(usize::MAX).min(MOST);
        let mut bytes = Vec::with_capacity(length + 32);
        self.blocks(&who).take(length.div_ceil(32)).for_each(|block| bytes.extend(block));
        bytes.truncate(length);
        bytes
    }

    /// What stands for one of the entropy devices that this thread opened: a pipe that does not end.
    ///
    /// # Errors
    /// When there are no more descriptors.
    pub fn device(&self, line: &mut Line) -> std::io::Result<OwnedFd> {
        let (reader, writer) = rustix::pipe::pipe()?;
        let draw = line.draw();
        let (key, who) = (self.clone(), format!("device {} {draw}", line.name));
        std::thread::spawn(move || {
            let mut pipe = std::io::BufWriter::with_capacity(4096, std::fs::File::from(writer));
            let mut blocks = key.blocks(&who);
            while blocks.next().is_some_and(|block| pipe.write_all(&block).is_ok()) {}
        });
        Ok(reader)
    }

    /// A text in the form of a UUID (RFC 9562), version 4.
    #[must_use]
    pub fn uuid(&self, line: &mut Line) -> String {
        let mut bytes = self.answer(line, 17, 0);
        (bytes[6], bytes[8]) = (bytes[6] & 0x0f | 0x40, bytes[8] & 0x3f | 0x80);
        let hex: String = bytes[..16].iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{}-{}-{}-{}-{}\n", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }

    /// The sixteen bytes that every program finds on its stack (getauxval(3), `AT_RANDOM`).
    #[must_use]
    pub fn at_start(&self) -> [u8; 16] {
        let block = self.blocks("at start").next().expect("there are endless blocks");
        block.first_chunk().copied().expect("a block is longer")
    }

    fn blocks(&self, who: &str) -> impl Iterator<Item = [u8; 32]> + use<> {
        let start = Sha256::new()
            .chain_update(&self.key)
            .chain_update([0])
            .chain_update(who)
            .chain_update([0]);
        (0u64..).map(move |number| start.clone().chain_update(number.to_le_bytes()).finalize().into())
    }
}

/// The kernel gives no more at once without being interruptible; callers go on where it ended.
const MOST: usize = 1 << 18;

/// Whether these are the keys of std's hash maps.
#[must_use]
pub fn are_hash_keys(length: u64, flags: u64) -> bool {
    length == HASH_KEYS && flags & INSECURE != 0
}

#[cfg(test)]
mod tests {
    use super::super::thread_ids::ThreadIds;
    use super::*;

    fn draw(lineage: &ThreadIds, thread: i32, flags: u64) -> Vec<u8> {
        lineage.with(thread, |line| Entropy::new("00", Numbering::Second).answer(line, 16, flags))
    }

    #[test]
    fn answers_are_the_same_in_every_order_of_threads() {
        let order = |threads: [i32; 4]| {
            let lineage = ThreadIds::default();
            lineage.born(1, 2);
            let mut answers: Vec<_> = threads.map(|thread| (thread, draw(&lineage, thread, 0))).into();
            answers.sort();
            answers
        };
        assert_eq!(order([1, 1, 2, 2]), order([2, 1, 2, 1]));
    }

    #[test]
    fn draws_differ_and_hash_keys_do_not() {
        let lineage = ThreadIds::default();
        assert_ne!(draw(&lineage, 1, 0), draw(&lineage, 1, 0));
        assert_eq!(draw(&lineage, 1, INSECURE), draw(&lineage, 1, INSECURE));
    }

    #[test]
    fn requests_that_any_thread_may_make_leave_its_own_alone() {
        let drawn = |numbering, requests: &[(u64, u64)]| {
            let entropy = Entropy::new("00", numbering);
            ThreadIds::default().with(1, |line| {
                for (length, flags) in requests {
                    assert_eq!(entropy.answer(line, *length, *flags).len() as u64, *length);
                }
                entropy.answer(line, 32, 0)
            })
        };
        for request in [(0, 0), (HASH_KEYS, INSECURE)] {
            assert_eq!(drawn(Numbering::Second, &[]), drawn(Numbering::Second, &[request, request]));
            // As locks from before have it.
            assert_ne!(drawn(Numbering::First, &[]), drawn(Numbering::First, &[request]));
        }
        assert_eq!(drawn(Numbering::First, &[]), drawn(Numbering::Second, &[]));
        assert_ne!(drawn(Numbering::Second, &[]), drawn(Numbering::Second, &[(8, 0)]));
    }

    #[test]
    fn another_key_gives_other_answers_of_the_length_asked_for() {
        let answer =
            |key: &str| ThreadIds::default().with(1, |line| Entropy::new(key, Numbering::Second).answer(line, 100, 0));
        assert_eq!(answer("a").len(), 100);
        assert_ne!(answer("a"), answer("b"));
    }

    #[test]
    fn a_uuid_has_its_version() {
        let uuid = ThreadIds::default().with(1, |line| Entropy::new("a", Numbering::Second).uuid(line));
        assert_eq!((uuid.len(), &uuid[14..15]), (37, "4"));
    }
}
