//! Lines of texts, counted from 1, found by what stands there.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::de::DeTable;

/// The lines of all keys of a TOML file, which is read once for everything that is looked for in it.
#[derive(Clone, Debug, Default)]
pub struct Keys(BTreeMap<Vec<String>, u32>);

impl Keys {
    /// Those of a text; none of one that is no TOML.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let mut keys = BTreeMap::new();
        if let Ok(document) = DeTable::parse(text) {
            let ends: Vec<usize> = memchr::memchr_iter(b'\n', text.as_bytes()).collect();
            collect(document.get_ref(), &mut Vec::new(), &ends, &mut keys);
        }
        Self(keys)
    }

    /// The line of a key within tables.
    pub(super) fn line(&self, keys: &[&str]) -> Option<u32> {
        let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
        self.0.get(&keys).copied()
    }
}

fn collect(table: &DeTable<'_>, path: &mut Vec<String>, ends: &[usize], keys: &mut BTreeMap<Vec<String>, u32>) {
    for (key, value) in table {
        let Range { start, .. } = if key.span().is_empty() {
            value.span()
        } else {
            key.span()
        };
        path.push(key.get_ref().to_string());
        let line = ends.partition_point(|end| *end < start) + 1;
        keys.insert(path.clone(), u32::try_from(line).unwrap_or(u32::MAX));
        if let Some(inner) = value.get_ref().as_table() {
            collect(inner, path, ends, keys);
        }
        path.pop();
    }
}

/// The line of the package's entry in `Cargo.lock`: of that version, or else of any.
pub(super) fn of_package(text: &str, name: &str, version: Option<&str>) -> Option<u32> {
    let wanted = format!("name = \"{name}\"");
    let mut found = None;
    let mut lines = (1..).zip(text.lines()).peekable();
    while let Some((number, line)) = lines.next() {
        if line != wanted {
            continue;
        }
        let next = lines.peek().and_then(|(_, line)| line.strip_prefix("version = \"")?.strip_suffix('"'));
        if version.is_some() && next == version {
            return Some(number);
        }
        found = found.or(Some(number));
    }
    found
}

/// The line that a text begins on.
pub(super) fn containing(text: &str, wanted: &str) -> Option<u32> {
    of_offset(text, text.find(wanted)?)
}

/// The first line of the new text that is not as in the old; its last, where lines were taken from the end. None where
/// nothing differs.
#[must_use]
pub fn first_difference(old: &str, new: &str) -> Option<u32> {
    let same = old.split('\n').zip(new.split('\n')).take_while(|(old, new)| old == new).count();
    let line = (same + 1).min(new.lines().count().max(1));
    (old != new).then(|| u32::try_from(line).ok())?
}

/// The line of a row of a table, counted from 0, where each row is a line.
pub(super) fn of_row(text: &str, row: u64) -> Option<u32> {
    // A quoted cell that holds a line's end leaves an odd number of quotes on the line; a blank line is no row.
    let is_plain = text.lines().all(|line| !line.trim().is_empty() && line.matches('"').count() % 2 == 0);
    let head = text.lines().next()?;
    // Without a header, as tables are read: every cell of the first line is a number.
    let is_number = |cell: &str| cell.trim().parse::<f64>().is_ok();
    let header = u64::from(!head.split([',', ';', '\t']).all(is_number));
    is_plain.then_some(())?;
    u32::try_from(row + 1 + header).ok()
}

/// What a compiler's error points at, as ` --> src/main.rs:3:5`, or where a build script panicked. Warnings have such
/// lines too, so the first one below an error counts.
pub(super) fn pointed_at(text: &str) -> Option<(&str, u32)> {
    let mut is_error = false;
    for line in text.lines() {
        if line.starts_with("error") {
            is_error = true;
        } else if line.starts_with("warning") {
            is_error = false;
        }
        let place = line.trim_start().strip_prefix("--> ").or_else(|| panicked_at(line));
        let Some(place) = place.filter(|_| is_error) else {
            continue;
        };
        let mut parts = place.rsplitn(3, ':');
        let (_, line, path) = (parts.next()?, parts.next()?, parts.next()?);
        return Some((path, line.parse().ok()?));
    }
    None
}

/// Where a program of the project's own packages panicked, whose paths are relative; the compiler's own files, of
/// which it may say the same, are nobody's here.
fn panicked_at(line: &str) -> Option<&str> {
    let (thread, place) = line.split_once("panicked at ")?;
    let place = place.strip_suffix(':')?;
    (!place.starts_with('/') && !thread.contains("'rustc'")).then_some(place)
}

/// The line of a file that a message names, as `FILE:3`; an inner none where it names no line.
pub(super) fn told_of(message: &str, file: &str) -> Option<Option<u32>> {
    let (_, rest) = message.split_once(file)?;
    let digits = rest
        .strip_prefix(':')
        .map(|rest| rest.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default());
    Some(digits.and_then(|digits| digits.parse().ok()))
}

fn of_offset(text: &str, offset: usize) -> Option<u32> {
    let before = text.get(..offset)?;
    u32::try_from(before.matches('\n').count() + 1).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_on_its_line_in_every_form_of_table() {
        let text = "version = 1\nseed = 7\n\n[data]\nwine = \"a.csv\"\n\n[stage.train]\nbin = \"x\"\nartifacts = [\n  \"m\",\n]\n\n[environment]\nset = { A = \"1\" }\n";
        let keys = Keys::of(text);
        assert_eq!(keys.line(&["seed"]), Some(2));
        assert_eq!(keys.line(&["data", "wine"]), Some(5));
        assert_eq!(keys.line(&["stage", "train"]), Some(7));
        assert_eq!(keys.line(&["stage", "train", "artifacts"]), Some(9));
        assert_eq!(keys.line(&["environment", "set", "A"]), Some(14));
        assert_eq!(keys.line(&["data", "beer"]), None);
        assert_eq!(Keys::of("seed = ").line(&["seed"]), None);
    }

    #[test]
    fn a_package_is_found_by_its_version() {
        let text = "[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n\n[[package]]\nname = \"a\"\nversion = \"2.0.0\"\n";
        assert_eq!(of_package(text, "a", Some("2.0.0")), Some(6));
        assert_eq!(of_package(text, "a", Some("3.0.0")), Some(2));
        assert_eq!(of_package(text, "b", None), None);
    }

    #[test]
    fn the_first_line_that_differs_is_one_of_the_new_text() {
        assert_eq!(first_difference("a\nb\nc\n", "a\nx\nc\n"), Some(2));
        assert_eq!(first_difference("a\nb\n", "a\nb\nc\n"), Some(3));
        assert_eq!(first_difference("a\nb\nc\n", "a\nb\n"), Some(2));
        assert_eq!(first_difference("a\nb\n", "a\nb"), Some(2));
        assert_eq!(first_difference("a\n", ""), Some(1));
        assert_eq!(first_difference("a\n", "a\n"), None);
    }

    #[test]
    fn a_row_is_a_line_only_where_no_cell_holds_one() {
        assert_eq!(of_row("a,b\n1,2\n3,4\n", 1), Some(3));
        assert_eq!(of_row("1,2\n3,4\n", 1), Some(2));
        assert_eq!(of_row("\"a\";b\n\"1;2\";3\n3;4\n", 1), Some(3));
        assert_eq!(of_row("a,b\n\"1\n\",2\n3,4\n", 1), None);
        assert_eq!(of_row("a,b\n\n1,2\n", 0), None);
    }

    #[test]
    fn a_warning_above_an_error_is_not_what_it_points_at() {
        let text = "warning: unused\n --> src/a.rs:1:2\nerror[E0308]: mismatched types\n  --> src/b.rs:3:5\n";
        assert_eq!(pointed_at(text), Some(("src/b.rs", 3)));
        assert_eq!(pointed_at("warning: unused\n --> src/a.rs:1:2\n"), None);
    }

    #[test]
    fn a_panic_is_pointed_at_where_it_is_in_a_file_of_the_project() {
        let failed = |at: &str| format!("error: failed to run custom build command\n\n  thread {at}:\n  no kernels\n");
        assert_eq!(pointed_at(&failed("'main' (7) panicked at build.rs:2:5")), Some(("build.rs", 2)));
        assert_eq!(pointed_at(&failed("'main' panicked at /home/ada/.cargo/registry/x/build.rs:2:5")), None);
        assert_eq!(pointed_at(&failed("'rustc' panicked at compiler/rustc_middle/src/a.rs:2:5")), None);
    }
}
