//! Git LFS pointers (the specification's version 1): the small text that a repository has in the place of
//! a large file. A pointer is never the data, but it says which data belongs in its place.

use crate::digest::Digest;

const VERSION: &[u8] = b"version https://git-lfs.github.com/spec/v1";

/// A pointer is smaller than this.
pub const LARGEST: u64 = 1024;

/// Whether these bytes, a whole file, are a pointer.
#[must_use]
pub fn is_pointer(bytes: &[u8]) -> bool {
    bytes.starts_with(VERSION) && (bytes.len() as u64) < LARGEST
}

/// The digest of the file that a pointer stands for; none if the bytes are no pointer.
#[must_use]
pub fn stands_for(bytes: &[u8]) -> Option<Digest> {
    let text = std::str::from_utf8(bytes).ok().filter(|_| is_pointer(bytes))?;
    text.lines().find_map(|line| line.strip_prefix("oid ")?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_says_which_file_belongs_in_its_place() {
        let file = Digest::of("the data");
        let pointer = format!("version https://git-lfs.github.com/spec/v1\noid {file}\nsize 8\n");
        assert_eq!(stands_for(pointer.as_bytes()), Some(file));
        assert_eq!(stands_for(b"oid sha256:00\n"), None);
        assert!(!is_pointer(b"a,b\n1,2\n"));
        assert!(!is_pointer(&[VERSION, &[b'x'; 2000]].concat()));
    }
}
