//! The figures of a metrics file: every value that is neither an object nor a list, by its dotted name.
//!
//! `{"eval": {"acc": 0.5}, "per_class": [0.5]}` has `eval.acc` and `per_class.0`. A name in an object that holds a dot, a
//! quote or a star stands in quotes (`"a.b".c`), so that no two places have one name. A name at the top keeps its text, as
//! in locks from before there were any others, unless something else is called so.

use std::collections::{BTreeMap, BTreeSet};

use super::{Value, parse, quoted};
use crate::outcome::Metric;

/// A larger file is no list of figures: it is compared by its bytes.
pub const LARGEST: u64 = 4 << 20;

/// And so is one of more figures.
pub const MOST: usize = 10_000;

/// What a metrics file says.
#[derive(Debug, PartialEq, Eq)]
pub struct Figures {
    /// Every figure that counts, by name.
    pub metrics: BTreeMap<String, Metric>,
    /// The canonical text of all that counts.
    pub rest: String,
}

/// Reads a metrics file, without the figures that are left out.
///
/// # Errors
/// Why it is none; it can still be compared by its bytes.
pub fn figures(bytes: &[u8], ignore: &[String]) -> Result<Figures, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
    let mut document = parse(text)?;
    if !matches!(document, Value::Object(_) | Value::Array(_)) {
        return Err("it holds neither an object nor a list".to_owned());
    }
    let mut leaves = Vec::new();
    collect(&document, &mut Vec::new(), &mut leaves)?;
    let names = names(&leaves);
    let patterns: Vec<Pattern<'_>> = ignore.iter().map(|text| Pattern::new(text)).collect();
    let is_ignored = |path: &[&str], name: Option<&str>| patterns.iter().any(|pattern| pattern.means(path, name));
    let is_under = |path: &[&str]| (1..path.len()).any(|end| is_ignored(&path[..end], None));
    let counting = leaves.iter().zip(&names).filter(|(leaf, name)| {
        let path: Vec<&str> = leaf.path.iter().map(String::as_str).collect();
        !is_ignored(&path, Some(name)) && !is_under(&path)
    });
    let metrics = counting.map(|(leaf, name)| (name.clone(), leaf.metric.clone())).collect();
    let by_path: BTreeMap<Vec<String>, String> = leaves.into_iter().map(|leaf| leaf.path).zip(names).collect();
    take_out(&mut document, &mut Vec::new(), &|path| {
        let name = by_path.get(path).map(String::as_str);
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        is_ignored(&path, name)
    });
    Ok(Figures {
        metrics,
        rest: document.canonical(),
    })
}

/// Whether a figure that the program reported by itself is left out.
#[must_use]
pub fn is_ignored(name: &str, ignore: &[String]) -> bool {
    let parts: Vec<&str> = name.split('.').collect();
    ignore.iter().any(|text| {
        let pattern = Pattern::new(text);
        (1..=parts.len()).any(|end| pattern.means(&parts[..end], (end == parts.len()).then_some(name)))
    })
}

/// A value with the names that lead to it.
struct Leaf {
    path: Vec<String>,
    metric: Metric,
}

fn collect(value: &Value, path: &mut Vec<String>, leaves: &mut Vec<Leaf>) -> Result<(), String> {
    let metric = match value {
        Value::Object(entries) => {
            return entries.iter().try_for_each(|(key, value)| below(key.clone(), value, path, leaves));
        }
        Value::Array(items) => {
            let mut items = items.iter().enumerate();
            return items.try_for_each(|(at, value)| below(at.to_string(), value, path, leaves));
        }
        Value::Null => Metric::null(),
        Value::Bool(value) => Metric::boolean(*value),
        Value::Number(text) => Metric::written(text),
        // Writers that know no NaN write it as text; it is the number that it names.
        Value::Text(text) => Metric::named(text).unwrap_or_else(|| Metric::text(text.clone())),
    };
    if leaves.len() == MOST {
        return Err(format!("it has more than {MOST} figures"));
    }
    leaves.push(Leaf {
        path: path.clone(),
        metric,
    });
    Ok(())
}

fn below(part: String, value: &Value, path: &mut Vec<String>, leaves: &mut Vec<Leaf>) -> Result<(), String> {
    path.push(part);
    let collected = collect(value, path, leaves);
    path.pop();
    collected
}

/// The name of each, no two of them the same.
fn names(leaves: &[Leaf]) -> Vec<String> {
    // What holds something has a name too, under `ignore`.
    let mut taken = BTreeSet::new();
    let mut before: &[String] = &[];
    for leaf in leaves {
        // They come in the order of the document: what it shares with the one before is in there.
        let shared = leaf.path.iter().zip(before).take_while(|(one, other)| one == other).count();
        taken.extend((shared + 1..=leaf.path.len()).map(|end| spelled(&leaf.path[..end])));
        before = &leaf.path;
    }
    let name = |leaf: &Leaf| match leaf.path.as_slice() {
        [plain] if !plain.is_empty() && !plain.contains('*') && !taken.contains(plain) => plain.clone(),
        path => spelled(path),
    };
    leaves.iter().map(name).collect()
}

/// The parts with dots between them, each in quotes if it could be taken for something else.
fn spelled(path: &[String]) -> String {
    let part = |part: &String| {
        let is_plain = !part.is_empty() && part != "*" && !part.contains(['.', '"', '\\']) && part.trim() == part;
        if is_plain && !part.contains(char::is_control) {
            part.clone()
        } else {
            quoted(part)
        }
    };
    path.iter().map(part).collect::<Vec<_>>().join(".")
}

/// A name under `ignore`: a figure, or an object or a list with all that is in it. `*` stands for one part.
struct Pattern<'a> {
    text: &'a str,
    parts: Vec<Part>,
}

enum Part {
    Any,
    Name(String),
}

impl<'a> Pattern<'a> {
    fn new(text: &'a str) -> Self {
        let mut parts = Vec::new();
        let mut rest = text;
        loop {
            let (part, behind) = first_part(rest);
            parts.push(part);
            match behind {
                Some(behind) => rest = behind,
                None => return Self { text, parts },
            }
        }
    }

    fn means(&self, path: &[&str], name: Option<&str>) -> bool {
        let is_like = |(part, name): (&Part, &&str)| match part {
            Part::Any => true,
            Part::Name(part) => part == name,
        };
        name == Some(self.text) || (self.parts.len() == path.len() && self.parts.iter().zip(path).all(is_like))
    }
}

/// The first part of a dotted name, and what stands behind its dot.
fn first_part(text: &str) -> (Part, Option<&str>) {
    if text.starts_with('"') {
        let mut quotes = serde_json::Deserializer::from_str(text).into_iter::<String>();
        if let Some(Ok(part)) = quotes.next() {
            let behind = &text[quotes.byte_offset()..];
            if behind.is_empty() || behind.starts_with('.') {
                return (Part::Name(part), behind.strip_prefix('.'));
            }
        }
    }
    let (part, behind) = text.split_once('.').map_or((text, None), |(part, behind)| (part, Some(behind)));
    let part = if part == "*" {
        Part::Any
    } else {
        Part::Name(part.to_owned())
    };
    (part, behind)
}

fn take_out(value: &mut Value, path: &mut Vec<String>, is_ignored: &dyn Fn(&[String]) -> bool) {
    let mut stays = |part: String, value: &mut Value| {
        path.push(part);
        let stays = !is_ignored(path);
        if stays {
            take_out(value, path, is_ignored);
        }
        path.pop();
        stays
    };
    match value {
        Value::Object(entries) => entries.retain(|key, value| stays(key.clone(), value)),
        Value::Array(items) => {
            let mut at = 0;
            items.retain_mut(|value| {
                at += 1;
                stays((at - 1).to_string(), value)
            });
        }
        _ => {}
    }
}
