//! The block of text around a key (RFC 7468), found among whatever stands before and after it. What is in
//! it is for [`super::key`].

/// A block, from its first dash to its last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block<'a> {
    /// What it says it is.
    pub label: &'a str,
    /// The whole of it.
    pub text: &'a str,
}

const BEGIN: &str = "-----BEGIN ";
const DASHES: &str = "-----";

/// The first block that is no `EC PARAMETERS`, which `openssl ecparam` writes before a key.
#[must_use]
pub fn find(text: &str) -> Option<Block<'_>> {
    let mut rest = text;
    loop {
        let start = rest.find(BEGIN)?;
        let from = &rest[start..];
        let label = from[BEGIN.len()..].split_once(DASHES)?.0;
        let end = format!("-----END {label}-----");
        let length = from.find(&end)? + end.len();
        let (block, after) = from.split_at(length);
        if label != "EC PARAMETERS" {
            return Some(Block { label, text: block });
        }
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_block_is_found_behind_words_and_parameters() {
        let text = "notes\n-----BEGIN EC PARAMETERS-----\nBgg=\n-----END EC PARAMETERS-----\n-----BEGIN X-----\nYQ==\n-----END X-----\nmore";
        let block = find(text).unwrap();
        assert_eq!((block.label, block.text), ("X", "-----BEGIN X-----\nYQ==\n-----END X-----"));
    }

    #[test]
    fn half_a_block_is_none() {
        for text in [
            "",
            "-----BEGIN ",
            "-----BEGIN X",
            "-----BEGIN X-----",
            "-----BEGIN X-----\n-----END Y-----",
        ] {
            assert_eq!(find(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(-----BEGIN |-----END |-----|[A-Zäß ]|EC PARAMETERS|\n){0,12}") {
            let _ = find(&text);
        }
    }
}
