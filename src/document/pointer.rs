//! Places in a document (JSON pointer, RFC 6901), and the document without them.

use std::cmp::Ordering;

use super::{Value, parse};

/// Files beyond this size are not taken apart: all of a document is in memory then, several times its size.
pub const LARGEST: u64 = 32 << 20;

/// A place in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointer(Vec<String>);

impl Pointer {
    /// Reads one; none if the text is not one.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self(Vec::new()));
        }
        let is_escaped = |part: &str| part.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
        let parts = text.strip_prefix('/')?.split('/');
        let plain = |part: &str| is_escaped(part).then(|| part.replace("~1", "/").replace("~0", "~"));
        parts.map(plain).collect::<Option<Vec<_>>>().map(Self)
    }

    /// Whether it means all of the document.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.0.is_empty()
    }

    /// From the back to the front of a document: what is taken out moves only what stands behind it.
    fn backwards(&self, other: &Self) -> Ordering {
        let index = |part: &String| part.parse::<usize>().ok();
        let parts = self.0.iter().zip(&other.0);
        let mut orders = parts.map(|(one, other)| match (index(one), index(other)) {
            (Some(one), Some(other)) => other.cmp(&one),
            _ => other.cmp(one),
        });
        let first = orders.find(|order| order.is_ne());
        first.unwrap_or_else(|| other.0.len().cmp(&self.0.len()))
    }

    /// Takes it out. Gives whether it was there.
    fn take_out(&self, document: &mut Value) -> bool {
        let Some((last, above)) = self.0.split_last() else {
            return false;
        };
        let mut place = document;
        for part in above {
            let inner = match place {
                Value::Object(entries) => entries.get_mut(part),
                Value::Array(items) => index(part, items.len()).map(|at| &mut items[at]),
                _ => None,
            };
            let Some(inner) = inner else {
                return false;
            };
            place = inner;
        }
        match place {
            Value::Object(entries) => entries.remove(last).is_some(),
            Value::Array(items) => index(last, items.len()).map(|at| items.remove(at)).is_some(),
            _ => false,
        }
    }
}

fn index(part: &str, length: usize) -> Option<usize> {
    let is_plain = part == "0" || !part.starts_with(['0', '+']);
    part.parse().ok().filter(|at| is_plain && *at < length)
}

/// What is left of a file without these places, in its [canonical text](Value::canonical), and which of them were not
/// there. None if the file is no JSON, so that all of it counts.
#[must_use]
pub fn rest(bytes: &[u8], without: &[String]) -> Option<(String, Vec<String>)> {
    let mut document = parse(std::str::from_utf8(bytes).ok()?).ok()?;
    let mut pointers: Vec<(Pointer, &String)> =
        without.iter().filter_map(|text| Some((Pointer::new(text)?, text))).collect();
    pointers.sort_by(|one, other| one.0.backwards(&other.0));
    pointers.dedup_by(|one, other| one.0 == other.0);
    let mut absent = Vec::new();
    for (pointer, text) in pointers {
        if !pointer.take_out(&mut document) {
            absent.push(text.clone());
        }
    }
    Some((document.canonical(), absent))
}
