//! A key of this user's on this machine, and what is sealed with it: what this tool keeps for itself in places that could
//! have come from elsewhere, such as a repository's `.git` out of an archive. What is not sealed so is not believed, and
//! without the key nothing is kept: either costs time alone.

use std::io::{Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use zeroize::Zeroizing;

use crate::digest::{Digest, Hasher};
use crate::os::bounded;
use crate::os::env;

const FILE: &str = "cargo-repro/memory.key";
const KEY: usize = 32;

/// SHA-256 takes so many bytes at a time.
const BLOCK: usize = 64;

/// A line end, and a digest in hex.
const MARK: usize = 1 + 64;

/// The key.
pub struct Seal(Zeroizing<[u8; KEY]>);

impl std::fmt::Debug for Seal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Seal")
    }
}

impl Seal {
    /// That of the user, made the first time; none where it can neither be read nor made, or others can read it.
    #[must_use]
    pub fn of_user() -> Option<Self> {
        Self::at(&env::cache_home().join(FILE))
    }

    fn at(place: &Path) -> Option<Self> {
        if place.symlink_metadata().is_err() {
            // Another process may be first, and then it is theirs.
            let _ = make(place);
        }
        read(place).ok().flatten()
    }

    /// One with this key.
    #[must_use]
    pub fn new(key: [u8; KEY]) -> Self {
        Self(Zeroizing::new(key))
    }

    /// What is to be kept at `place`, with its mark at the end.
    #[must_use]
    pub fn close(&self, place: &Path, mut bytes: Vec<u8>) -> Vec<u8> {
        let mark = self.mark(place, &bytes);
        bytes.extend(mark);
        bytes
    }

    /// What was kept there, if it has its mark.
    #[must_use]
    pub fn open<'a>(&self, place: &Path, bytes: &'a [u8]) -> Option<&'a [u8]> {
        let (kept, mark) = bytes.split_last_chunk::<MARK>()?;
        (self.mark(place, kept) == mark).then_some(kept)
    }

    /// What was kept, whoever may have sealed it.
    #[must_use]
    pub fn within(bytes: &[u8]) -> Option<&[u8]> {
        bytes.split_last_chunk::<MARK>().map(|(kept, _)| kept)
    }

    fn mark(&self, place: &Path, bytes: &[u8]) -> Vec<u8> {
        let digest = self.authenticated(&[place.as_os_str().as_bytes(), b"\0", bytes]);
        format!("\n{}", digest.hex()).into_bytes()
    }

    /// HMAC-SHA-256 (RFC 2104).
    fn authenticated(&self, parts: &[&[u8]]) -> Digest {
        let padded = |pad: u8| {
            let mut block = Zeroizing::new([pad; BLOCK]);
            block.iter_mut().zip(self.0.iter()).for_each(|(byte, key)| *byte ^= key);
            block
        };
        let mut inner = Hasher::default();
        inner.update(*padded(0x36));
        parts.iter().for_each(|part| inner.update(part));
        let mut outer = Hasher::default();
        outer.update(*padded(0x5c));
        outer.update(inner.finish().raw());
        outer.finish()
    }
}

fn make(place: &Path) -> std::io::Result<()> {
    let directory = place.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(directory)?;
    let mut key = Zeroizing::new([0; KEY]);
    rustix::rand::getrandom(&mut *key, rustix::rand::GetRandomFlags::empty())?;
    // For its owner alone, as temporary files are.
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    file.write_all(&*key)?;
    file.as_file().sync_all()?;
    file.persist_noclobber(place)?;
    Ok(())
}

/// A key that others could read or write is none.
fn read(place: &Path) -> std::io::Result<Option<Seal>> {
    let mut file = bounded::open(place)?;
    let found = file.metadata()?;
    let is_own = found.uid() == rustix::process::geteuid().as_raw() && found.mode() & 0o077 == 0;
    if !is_own || found.len() != KEY as u64 {
        return Ok(None);
    }
    let mut key = Zeroizing::new([0; KEY]);
    file.read_exact(&mut *key)?;
    Ok(Some(Seal(key)))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_mark_is_the_one_of_the_standard() {
        // RFC 4231, test cases 1 and 2; a shorter key is one with zeros behind it.
        let padded = |key: &[u8]| {
            let mut all = [0; KEY];
            all[..key.len()].copy_from_slice(key);
            Seal::new(all)
        };
        let hex = |seal: &Seal, text: &[u8]| seal.authenticated(&[text]).hex();
        assert_eq!(
            hex(&padded(&[0x0b; 20]), b"Hi There"),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        );
        assert_eq!(
            hex(&padded(b"Jefe"), b"what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn only_what_the_same_key_sealed_for_the_same_place_is_opened() {
        let (ours, theirs) = (Seal::new([1; KEY]), Seal::new([2; KEY]));
        let (here, there) = (Path::new("/a/memory.json"), Path::new("/b/memory.json"));
        let kept = ours.close(here, b"kept".to_vec());
        assert_eq!(ours.open(here, &kept), Some(b"kept".as_slice()));
        assert_eq!(ours.open(there, &kept), None);
        assert_eq!(theirs.open(here, &kept), None);
        for at in 0..kept.len() {
            let mut edited = kept.clone();
            edited[at] ^= 1;
            assert_eq!(ours.open(here, &edited), None, "{at}");
            assert_eq!(ours.open(here, &kept[..at]), None, "{at}");
        }
    }

    #[test]
    fn the_key_is_made_once_and_is_its_owners_alone() {
        let scratch = tempfile::tempdir().unwrap();
        let place = scratch.path().join("cache").join(FILE);
        let first = Seal::at(&place).unwrap();
        assert_eq!(std::fs::metadata(&place).unwrap().mode() & 0o777, 0o600);
        assert_eq!(Seal::at(&place).unwrap().0, first.0);
        std::fs::set_permissions(&place, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(Seal::at(&place).is_none(), "one that others can read seals nothing");
        std::fs::remove_file(&place).unwrap();
        assert_ne!(Seal::at(&place).unwrap().0, first.0);
        std::fs::write(&place, "short").unwrap();
        assert!(Seal::at(&place).is_none());
    }
}
