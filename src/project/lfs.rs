//! Git LFS pointers (<https://git-lfs.github.com/spec/v1>): the small text that a repository has in the place of
//! a large file. A pointer is never the data, but it says which data belongs in its place.

use crate::digest::Digest;

const VERSION: &str = "version https://git-lfs.github.com/spec/v1";

/// A pointer is smaller than this.
pub const LARGEST: u64 = 1024;

/// The file that a pointer stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pointer {
    /// The digest of its bytes.
    pub digest: Digest,
    /// How many these are.
    pub bytes: u64,
}

impl Pointer {
    /// Reads a pointer, which is these three lines and not a byte more: other content may well begin like one.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok().filter(|_| (bytes.len() as u64) < LARGEST)?;
        let rest = text.strip_prefix(VERSION)?.strip_prefix("\noid ")?;
        let (digest, rest) = rest.split_once('\n')?;
        let size = rest.strip_prefix("size ")?.strip_suffix('\n')?;
        let is_decimal = size.bytes().all(|byte| byte.is_ascii_digit()) && (size == "0" || !size.starts_with('0'));
        Some(Self {
            digest: digest.parse().ok()?,
            bytes: size.parse().ok().filter(|_| is_decimal)?,
        })
    }
}

/// Whether these bytes, a whole file, look like a pointer: whoever reads such a file as data is told.
#[must_use]
pub fn is_pointer(bytes: &[u8]) -> bool {
    bytes.starts_with(VERSION.as_bytes()) && (bytes.len() as u64) < LARGEST
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_says_which_file_belongs_in_its_place() {
        let digest = Digest::of("the data");
        let pointer = format!("version https://git-lfs.github.com/spec/v1\noid {digest}\nsize 8\n");
        assert_eq!(Pointer::read(pointer.as_bytes()), Some(Pointer { digest, bytes: 8 }));
        assert!(is_pointer(pointer.as_bytes()));
        assert!(!is_pointer(b"a,b\n1,2\n"));
        assert!(!is_pointer(&[VERSION.as_bytes(), &[b'x'; 2000]].concat()));
    }

    #[test]
    fn what_only_begins_like_a_pointer_is_none() {
        let digest = Digest::of("the data");
        let hex = digest.hex();
        let upper = hex.to_uppercase();
        for text in [
            format!("version https://git-lfs.github.com/spec/v1.1 evil\noid {digest}\nsize 8\n"),
            format!("version https://git-lfs.github.com/spec/v1\noid {digest}\nsize 8\nthreshold 0.99\n"),
            format!("version https://git-lfs.github.com/spec/v1\noid {digest}\nsize 8"),
            format!("version https://git-lfs.github.com/spec/v1\r\noid {digest}\r\nsize 8\r\n"),
            format!("version https://git-lfs.github.com/spec/v1\nsize 8\noid {digest}\n"),
            format!("version https://git-lfs.github.com/spec/v1\noid {digest}\n"),
            format!("version https://git-lfs.github.com/spec/v1\noid  {digest}\nsize 8\n"),
            format!("version https://git-lfs.github.com/spec/v1\noid sha256:{upper}\nsize 8\n"),
            format!("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 8\n", &hex[1..]),
            format!("version https://git-lfs.github.com/spec/v1\noid {digest}\nsize +8\n"),
            format!("version https://git-lfs.github.com/spec/v1\noid {digest}\nsize 08\n"),
            format!("version https://git-lfs.github.com/spec/v1\noid {digest}\nsize \n"),
            format!("\nversion https://git-lfs.github.com/spec/v1\noid {digest}\nsize 8\n"),
            format!("version https://git-lfs.github.com/spec/v1\noid {digest}\nsize 8\n\n"),
        ] {
            assert_eq!(Pointer::read(text.as_bytes()), None, "{text}");
        }
    }
}
