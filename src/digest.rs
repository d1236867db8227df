//! SHA-256 (FIPS 180-4) digests, written `sha256:<64 hex digits>` wherever they are kept. A file's
//! digest is that of its bytes, so `sha256sum` checks it; a tree's follows the OpenSSF model-signing
//! rule. What the bytes mean is not for this file.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

use crate::error::{IoContext, Result};
use crate::os::bounded;
use crate::os::interrupt;
use crate::progress::Progress;

const PREFIX: &str = "sha256:";

/// A SHA-256 digest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of these bytes.
    pub fn of(bytes: impl AsRef<[u8]>) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The digest and the length in bytes of a regular file's content.
    ///
    /// # Errors
    /// When the file cannot be read, or the user interrupts.
    pub fn of_file(path: &Path) -> Result<(Self, u64)> {
        Self::of_watched(path, &Progress::default())
    }

    /// The same, for whoever watches.
    ///
    /// # Errors
    /// As [`Digest::of_file`].
    pub fn of_watched(path: &Path, progress: &Progress) -> Result<(Self, u64)> {
        Self::of_open(&mut bounded::open(path).at("open", path)?, path, progress)
    }

    /// The same of a file that is open already; `path` names it in errors.
    ///
    /// # Errors
    /// As [`Digest::of_file`].
    pub fn of_open(file: &mut File, path: &Path, progress: &Progress) -> Result<(Self, u64)> {
        const BUFFER: usize = 256 * 1024;
        let mut hasher = Sha256::new();
        let mut buffer = vec![0; BUFFER];
        let mut bytes = 0;
        loop {
            interrupt::check()?;
            let read = file.read(&mut buffer).at("read", path)?;
            if read == 0 {
                return Ok((Self(hasher.finalize().into()), bytes));
            }
            hasher.update(&buffer[..read]);
            bytes += read as u64;
            progress.read(read as u64);
        }
    }

    /// The digest of all that a stream has left, however much that is.
    ///
    /// # Errors
    /// When it cannot be read, or the user interrupts.
    pub fn of_stream(mut stream: impl Read) -> std::io::Result<Self> {
        let mut hasher = Sha256::new();
        let mut buffer = [0; 1 << 14];
        loop {
            interrupt::check().map_err(|_| std::io::Error::other("interrupted"))?;
            match stream.read(&mut buffer)? {
                0 => return Ok(Self(hasher.finalize().into())),
                read => hasher.update(&buffer[..read]),
            }
        }
    }

    /// The digest and the length of all that a reader gives, to its end and without interruption.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn of_reader(mut from: impl Read) -> std::io::Result<(Self, u64)> {
        let (mut hasher, mut bytes, mut buffer) = (Sha256::new(), 0, vec![0; 256 * 1024]);
        loop {
            match from.read(&mut buffer) {
                Ok(0) => return Ok((Self(hasher.finalize().into()), bytes)),
                Ok(read) => {
                    hasher.update(&buffer[..read]);
                    bytes += read as u64;
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The digest of a tree: SHA-256 over the concatenated raw digests of its files, sorted by name
    /// (the OpenSSF model-signing rule). The names themselves are not hashed; whoever compares trees
    /// compares the lists of names too. `files` must come in the order of their names.
    pub fn of_tree<'a>(files: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut hasher = Sha256::new();
        for digest in files {
            hasher.update(digest.0);
        }
        Self(hasher.finalize().into())
    }

    /// The digest that these raw bytes are.
    #[must_use]
    pub fn from_raw(raw: [u8; 32]) -> Self {
        Self(raw)
    }

    /// The raw bytes, for digests of digests.
    #[must_use]
    pub fn raw(&self) -> &[u8; 32] {
        &self.0
    }

    /// Enough of it to tell two apart by eye: `sha256:` and twelve hex digits.
    #[must_use]
    pub fn short(&self) -> String {
        let whole = self.to_string();
        whole[..PREFIX.len() + 12].to_owned()
    }

    /// The hex digits alone, as Cargo.lock writes a checksum.
    #[must_use]
    pub fn hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// A digest in the making, of bytes that come piece by piece.
#[derive(Clone, Debug, Default)]
pub struct Hasher(Sha256);

impl Hasher {
    /// These bytes are next.
    pub fn update(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.update(bytes);
    }

    /// The digest of all of them.
    #[must_use]
    pub fn finish(self) -> Digest {
        Digest(self.0.finalize().into())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PREFIX)?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why a text is not a digest.
#[derive(Debug, PartialEq, Eq)]
pub struct NotADigest(String);

impl fmt::Display for NotADigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a digest; one is `{PREFIX}` and 64 lower-case hex digits", self.0)
    }
}

impl FromStr for Digest {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<Self, NotADigest> {
        let refuse = || NotADigest(text.to_owned());
        let hex = text.strip_prefix(PREFIX).ok_or_else(refuse)?.as_bytes();
        let mut digest = [0; 32];
        if hex.len() != 64 {
            return Err(refuse());
        }
        for (byte, pair) in digest.iter_mut().zip(hex.chunks_exact(2)) {
            let nibble = |digit: u8| match digit {
                b'0'..=b'9' => Some(digit - b'0'),
                b'a'..=b'f' => Some(digit - b'a' + 10),
                _ => None,
            };
            let high = nibble(pair[0]).ok_or_else(refuse)?;
            let low = nibble(pair[1]).ok_or_else(refuse)?;
            *byte = high << 4 | low;
        }
        Ok(Self(digest))
    }
}

/// As text where people may read it, and as its bytes elsewhere.
impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            return <[u8; 32]>::deserialize(deserializer).map(Self);
        }
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_digest_of_abc_is_the_one_in_fips_180() {
        assert_eq!(
            Digest::of("abc").to_string(),
            "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn a_tree_digest_is_the_digest_of_its_raw_digests_in_order() {
        let (a, b) = (Digest::of("a"), Digest::of("b"));
        let mut raw = a.0.to_vec();
        raw.extend(b.0);
        assert_eq!(Digest::of_tree([&a, &b]), Digest::of(raw));
        assert_ne!(Digest::of_tree([&a, &b]), Digest::of_tree([&b, &a]));
    }

    proptest! {
        #[test]
        fn a_digest_reads_back_from_its_text(bytes: Vec<u8>) {
            let digest = Digest::of(&bytes);
            prop_assert_eq!(digest.to_string().parse::<Digest>(), Ok(digest));
        }

        #[test]
        fn no_other_text_is_a_digest(text in "(sha256:)?[0-9a-fA-Fg]{60,66}") {
            let valid = text.strip_prefix(PREFIX).is_some_and(|hex| {
                hex.len() == 64 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
            });
            prop_assert_eq!(text.parse::<Digest>().is_ok(), valid);
        }

        #[test]
        fn a_files_digest_and_size_are_those_of_its_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..5000)) {
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), &bytes).unwrap();
            prop_assert_eq!(Digest::of_file(file.path()).unwrap(), (Digest::of(&bytes), bytes.len() as u64));
        }
    }
}
