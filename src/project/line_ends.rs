//! Line ends that git has turned: by `core.autocrlf`, or by `text` and `eol` in `.gitattributes`, a text has CRLF in the
//! work tree where the commit has LF. Such a file was not tampered with, and is not the same file either.

use std::borrow::Cow;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::digest::{Digest, Hasher};
use crate::os::bounded;
use crate::os::interrupt;

/// What git turns back when the file is committed.
#[must_use]
pub fn with_lf(bytes: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memmem::find(bytes, b"\r\n").is_none() {
        return Cow::Borrowed(bytes);
    }
    let mut turned = Vec::with_capacity(bytes.len());
    push_with_lf(bytes, &mut turned);
    Cow::Owned(turned)
}

/// Whether two contents are other bytes, and the same lines.
#[must_use]
pub fn differ_only(one: &[u8], other: &[u8]) -> bool {
    one != other && with_lf(one) == with_lf(other)
}

/// Whether a file, of whatever size, would have this digest if its line ends were turned. One that has none is not
/// read on.
#[must_use]
pub fn would_have(path: &Path, digest: Digest) -> bool {
    try_would_have(path, digest).unwrap_or(false)
}

fn try_would_have(path: &Path, digest: Digest) -> std::io::Result<bool> {
    const PIECE: usize = 1 << 18;
    let mut file = bounded::open(path)?;
    let mut piece = vec![0; PIECE];
    let (mut lf, mut crlf) = (Hasher::default(), Hasher::default());
    let mut turned = Vec::new();
    // A carriage return at the end of a piece waits for what follows.
    let mut waits = false;
    let mut is_first = true;
    loop {
        interrupt::check().map_err(std::io::Error::other)?;
        let start = usize::from(waits);
        piece[0] = if waits { b'\r' } else { piece[0] };
        let read = file.read(&mut piece[start..])?;
        let mut bytes = &piece[..start + read];
        if is_first && !bytes.contains(&b'\n') && read > 0 {
            return Ok(false);
        }
        is_first = false;
        waits = read > 0 && bytes.ends_with(b"\r");
        bytes = if waits { &bytes[..bytes.len() - 1] } else { bytes };
        turned.clear();
        push_with_lf(bytes, &mut turned);
        lf.update(&turned);
        crlf.update(with_crlf(&turned));
        if read == 0 {
            return Ok([lf.finish(), crlf.finish()].contains(&digest));
        }
    }
}

/// The file of a vendored package whose line ends git turned when it was committed, where these are cargo's words of
/// that: it finds other bytes than it vendored. Of the tree that cargo saw at `seen` the files are at `root`.
#[must_use]
pub fn turned_since_vendored(words: &str, seen: &Path, root: &Path) -> Option<PathBuf> {
    let (_, rest) = words.split_once("the listed checksum of `")?;
    let (path, rest) = rest.split_once('`')?;
    let expected = rest.lines().find_map(|line| line.trim().strip_prefix("expected:"))?;
    let expected = format!("sha256:{}", expected.trim()).parse().ok()?;
    let inner = Path::new(path).strip_prefix(seen).ok()?;
    would_have(&root.join(inner), expected).then(|| inner.to_path_buf())
}

fn push_with_lf(bytes: &[u8], turned: &mut Vec<u8>) {
    let mut start = 0;
    for at in memchr::memmem::find_iter(bytes, b"\r\n") {
        turned.extend_from_slice(&bytes[start..at]);
        start = at + 1;
    }
    turned.extend_from_slice(&bytes[start..]);
}

fn with_crlf(bytes: &[u8]) -> Vec<u8> {
    let mut turned = Vec::with_capacity(bytes.len() + bytes.len() / 16);
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        match line.strip_suffix(b"\n") {
            Some(line) => {
                turned.extend_from_slice(line);
                turned.extend_from_slice(b"\r\n");
            }
            None => turned.extend_from_slice(line),
        }
    }
    turned
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_what_git_turns_is_the_same() {
        assert!(differ_only(b"a\r\nb\r\n", b"a\nb\n"));
        assert!(differ_only(b"a\r\nb\n", b"a\nb\r\n"));
        assert!(!differ_only(b"a\n", b"a\n"));
        assert!(!differ_only(b"a\rb\n", b"a\nb\n"));
        assert!(!differ_only(b"a\r\n", b"a"));
    }

    #[test]
    fn what_cargo_says_of_a_vendored_file_that_git_turned_is_understood() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("vendor/a")).unwrap();
        std::fs::write(root.path().join("vendor/a/lib.rs"), "one\ntwo\n").unwrap();
        let words = |expected: &str| {
            let hex = Digest::of(expected).hex();
            format!(
                "error: the listed checksum of `/repro/tree/vendor/a/lib.rs` has changed:\nexpected: {hex}\nactual:   00\n\n\
                 directory sources are not intended to be edited"
            )
        };
        let found = |words: &str| turned_since_vendored(words, Path::new("/repro/tree"), root.path());
        assert_eq!(found(&words("one\r\ntwo\r\n")), Some("vendor/a/lib.rs".into()));
        assert_eq!(found(&words("one\r\nthree\r\n")), None, "an edit is an edit");
        assert_eq!(found("error: could not compile `a`"), None);
    }

    proptest! {
        #[test]
        fn a_file_would_have_the_digest_of_its_lines_with_either_end(
            text in "[a\r\n]{0,40}",
            padding in prop_oneof![Just(0), (1_usize << 18) - 20..(1 << 18) + 2],
        ) {
            let content = format!("\n{}{text}", "x".repeat(padding));
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), &content).unwrap();
            let lf = content.replace("\r\n", "\n");
            prop_assert!(would_have(file.path(), Digest::of(&lf)));
            prop_assert!(would_have(file.path(), Digest::of(lf.replace('\n', "\r\n"))));
            let other = Digest::of(lf.clone() + "x");
            prop_assert!(!would_have(file.path(), other));
            prop_assert_eq!(with_lf(content.as_bytes()), lf.as_bytes());
        }
    }
}
