//! What two versions of an artifact say of their difference. Bytes first; then, where both are JSON,
//! what kind of difference it is, because that is evidence: another order of keys is a map's iteration
//! order, last digits are an order of summation, everything is another seed or other data.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;

/// How two byte strings that are not equal differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The offset of the first byte that differs, or the length of the shorter where it is a prefix of
    /// the other.
    pub offset: usize,
    /// The line of that byte, counted from 1, where both are text.
    pub line: Option<usize>,
    /// What kind of difference it is, where both are JSON.
    pub json: Option<JsonDifference>,
}

/// How two JSON documents differ.
#[derive(Clone, Debug, PartialEq)]
pub enum JsonDifference {
    /// The same values; spaces or line ends differ.
    Layout,
    /// The same values under another order of keys.
    KeyOrder,
    /// The same numbers, written otherwise.
    NumberText {
        /// Where the first stands (JSON pointer, RFC 6901).
        first: String,
    },
    /// Only numbers differ.
    Numbers {
        /// How many.
        changed: usize,
        /// Of how many in all.
        of: usize,
        /// The largest difference relative to the larger of the two.
        largest_relative: f64,
        /// Where the first stands.
        first: String,
    },
    /// More than numbers.
    Structure {
        /// Where the first difference stands.
        first: String,
    },
}

/// Compares two versions. `None` if they are equal.
#[must_use]
pub fn difference(locked: &[u8], found: &[u8]) -> Option<Difference> {
    if locked == found {
        return None;
    }
    let common = locked.iter().zip(found).take_while(|(a, b)| a == b).count();
    let texts = std::str::from_utf8(locked).ok().zip(std::str::from_utf8(found).ok());
    Some(Difference {
        offset: common,
        line: texts.map(|_| locked[..common].iter().filter(|byte| **byte == b'\n').count() + 1),
        json: texts.and_then(|(locked, found)| json(locked, found)),
    })
}

fn json(locked: &str, found: &str) -> Option<JsonDifference> {
    let (old, new): (Value, Value) = (serde_json::from_str(locked).ok()?, serde_json::from_str(found).ok()?);
    let mut walk = Walk::default();
    walk.compare(&old, &new, String::new());
    Some(if let Some(first) = walk.structure {
        JsonDifference::Structure { first }
    } else if let Some(first) = walk.first_number {
        JsonDifference::Numbers {
            changed: walk.changed,
            of: walk.numbers,
            largest_relative: walk.largest_relative,
            first,
        }
    } else if let Some(first) = walk.first_text.or_else(|| rewritten(locked, found)) {
        JsonDifference::NumberText { first }
    } else if without_space(locked) == without_space(found) {
        JsonDifference::Layout
    } else {
        JsonDifference::KeyOrder
    })
}

/// The first number, of two documents with equal values, that is written otherwise: parsing makes `0.1` of
/// `0.10`.
fn rewritten(locked: &str, found: &str) -> Option<String> {
    let (mut old, mut new) = (BTreeMap::new(), BTreeMap::new());
    numbers(locked, String::new(), &mut old);
    numbers(found, String::new(), &mut new);
    old.into_iter().find(|(at, text)| new.get(at) != Some(text)).map(|(at, _)| at)
}

/// The numbers of a document as they are written, by where they stand.
fn numbers<'a>(json: &'a str, at: String, found: &mut BTreeMap<String, &'a str>) {
    match json.as_bytes().first() {
        Some(b'{') => {
            let entries: BTreeMap<String, &RawValue> = serde_json::from_str(json).unwrap_or_default();
            entries.into_iter().for_each(|(key, value)| numbers(value.get(), below(&at, &key), found));
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(json).unwrap_or_default();
            items
                .into_iter()
                .enumerate()
                .for_each(|(index, item)| numbers(item.get(), format!("{at}/{index}"), found));
        }
        Some(b'-' | b'0'..=b'9') => drop(found.insert(at, json)),
        _ => {}
    }
}

/// The pointer to a key of what is at `at`.
fn below(at: &str, key: &str) -> String {
    format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"))
}

fn without_space(text: &str) -> String {
    text.chars().filter(|c| !c.is_ascii_whitespace()).collect()
}

#[derive(Default)]
struct Walk {
    numbers: usize,
    changed: usize,
    largest_relative: f64,
    first_number: Option<String>,
    first_text: Option<String>,
    structure: Option<String>,
}

impl Walk {
    fn compare(&mut self, old: &Value, new: &Value, at: String) {
        if self.structure.is_some() {
            return;
        }
        match (old, new) {
            (Value::Number(old), Value::Number(new)) => self.number(old, new, at),
            (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
                for (index, (old, new)) in old.iter().zip(new).enumerate() {
                    self.compare(old, new, format!("{at}/{index}"));
                }
            }
            (Value::Object(old), Value::Object(new)) if old.len() == new.len() => {
                for (key, old) in old {
                    let at = below(&at, key);
                    match new.get(key) {
                        Some(new) => self.compare(old, new, at),
                        None => self.structure = self.structure.take().or(Some(at)),
                    }
                }
            }
            _ if old == new => {}
            _ => self.structure = Some(at),
        }
    }

    fn number(&mut self, old: &serde_json::Number, new: &serde_json::Number, at: String) {
        self.numbers += 1;
        if old == new && old.to_string() == new.to_string() {
            return;
        }
        let (Some(a), Some(b)) = (old.as_f64(), new.as_f64()) else {
            return;
        };
        if a.total_cmp(&b).is_eq() || a == b {
            self.first_text.get_or_insert(at);
            return;
        }
        self.changed += 1;
        let relative = (a - b).abs() / a.abs().max(b.abs());
        self.largest_relative = self.largest_relative.max(relative);
        self.first_number.get_or_insert(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(locked: &str, found: &str) -> JsonDifference {
        difference(locked.as_bytes(), found.as_bytes()).unwrap().json.unwrap()
    }

    #[test]
    fn equal_bytes_have_no_difference() {
        assert_eq!(difference(b"ab", b"ab"), None);
    }

    #[test]
    fn the_first_differing_byte_and_its_line_are_named() {
        let found = difference(b"a\nbc", b"a\nbd").unwrap();
        assert_eq!((found.offset, found.line, found.json), (3, Some(2), None));
        assert_eq!(difference(b"ab", b"abc").unwrap().offset, 2);
        assert_eq!(difference(&[0xff, 1], &[0xff, 2]).unwrap().line, None);
    }

    #[test]
    fn the_kind_of_a_difference_in_json_is_told() {
        assert_eq!(kind(r#"{"a":1,"b":2}"#, r#"{"b":2,"a":1}"#), JsonDifference::KeyOrder);
        assert_eq!(kind("[1,2]", "[1, 2]"), JsonDifference::Layout);
        assert_eq!(kind("[1.0]", "[1]"), JsonDifference::NumberText { first: "/0".to_owned() });
        assert_eq!(
            kind(r#"{"a":[0.1]}"#, r#"{"a":[0.10]}"#),
            JsonDifference::NumberText {
                first: "/a/0".to_owned()
            }
        );
        assert_eq!(kind("1e2 ", "100.0"), JsonDifference::NumberText { first: String::new() });
        assert_eq!(kind("[0.0]", "[-0.0]"), JsonDifference::NumberText { first: "/0".to_owned() });
        assert_eq!(
            kind(r#"{"t":[1.0,4.0]}"#, r#"{"t":[1.0,3.0]}"#),
            JsonDifference::Numbers {
                changed: 1,
                of: 2,
                largest_relative: 0.25,
                first: "/t/1".to_owned()
            }
        );
        assert_eq!(
            kind(r#"{"a/b":1}"#, r#"{"a/b":"1"}"#),
            JsonDifference::Structure {
                first: "/a~1b".to_owned()
            }
        );
        assert_eq!(kind("[1,2]", "[1]"), JsonDifference::Structure { first: String::new() });
    }
}
