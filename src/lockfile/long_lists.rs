//! The packed lists of files in a lock's text. Nearly all of a long lock is such lists, each one text of many megabytes
//! on a line of its own. They are taken out before the rest is read as TOML, which would look at every letter of them,
//! and put back where they were. What holds their places is made of the digest of the whole text, so that no text can
//! have it in another place.

use std::borrow::Cow;
use std::ops::Range;

use memchr::{memchr, memchr2, memmem};

use crate::digest::Digest;
use crate::snapshot::Snapshot;
use crate::snapshot::data::HELD;

/// How such a line begins, with the end of the line before it.
const START: &str = "\npacked = \"";

/// Shorter ones are not worth it.
const LONG: usize = 1024;

/// The lists that were taken out, each with what holds its place.
#[derive(Debug, Default)]
pub(super) struct LongLists<'a>(Vec<(String, &'a str)>);

/// A text without its long lists, and these. `of_text` is the digest of it.
pub(super) fn taken_out(text: &str, of_text: Digest) -> (Cow<'_, str>, LongLists<'_>) {
    let found = find(text);
    if found.is_empty() {
        return (Cow::Borrowed(text), LongLists::default());
    }
    let (mut rest, mut end, mut lists) = (String::new(), 0, Vec::new());
    for (number, list) in found.into_iter().enumerate() {
        let place = format!("{HELD}{of_text}-{number}");
        rest += &text[end..list.start];
        rest += &place;
        end = list.end;
        lists.push((place, &text[list]));
    }
    rest += &text[end..];
    (Cow::Owned(rest), LongLists(lists))
}

impl LongLists<'_> {
    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Puts each where its place is held for it.
    ///
    /// # Errors
    /// When one is no list of files, and when one has no place or a place no list.
    pub(super) fn put_back(&self, snapshot: &mut Snapshot) -> Result<(), String> {
        let list = |held: &str| self.0.iter().find(|(place, _)| place == held).map(|(_, list)| (*list).to_owned());
        let mut put = 0;
        for data in snapshot.data.values_mut() {
            put += usize::from(data.files.fill(list)?);
        }
        if put == self.0.len() {
            Ok(())
        } else {
            Err("a list of files stands where none can be".to_owned())
        }
    }
}

/// Where the lists are: on a line of their own up to its end, with no letter in them that TOML would read otherwise.
fn find(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let is_list = |start: usize| {
        let line = &bytes[start..];
        let list = line[..memchr(b'\n', line).unwrap_or(line.len())].strip_suffix(b"\"")?;
        (list.len() >= LONG && memchr2(b'"', b'\\', list).is_none()).then(|| start..start + list.len())
    };
    memmem::find_iter(bytes, START).filter_map(|at| is_list(at + START.len())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_long_list_on_a_line_of_its_own_is_taken_out() {
        let (long, short) = ("A".repeat(LONG), "A".repeat(LONG - 1));
        let text = format!("a = 1\npacked = \"{long}\"\nb = 2\n\npacked = \"{long}=\"\n");
        let of_text = Digest::of(&text);
        let (rest, lists) = taken_out(&text, of_text);
        assert_eq!(rest, format!("a = 1\npacked = \"@{of_text}-0\"\nb = 2\n\npacked = \"@{of_text}-1\"\n"));
        let lists: Vec<&str> = lists.0.iter().map(|(_, list)| *list).collect();
        assert_eq!(lists, [long.as_str(), &format!("{long}=")]);
        for kept in [
            format!("\npacked = \"{short}\"\n"),
            format!("\npacked = \"{long}\n"),
            format!("\npacked = \"{long}\\n\"\n"),
            format!("\npacked = \"{long}\" # \"\n"),
            format!("\n  packed = \"{long}\"\n"),
        ] {
            let (same, lists) = taken_out(&kept, of_text);
            assert!(matches!(same, Cow::Borrowed(same) if same == kept) && lists.is_empty());
        }
    }
}
