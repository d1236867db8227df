//! Patterns for files: `*` and `?` within a name, `[a-z]` and `[!a-z]`, and `**` for any
//! directories.
//!
//! Only what `[data]` of a manifest needs outside `cargo repro`.

use std::{collections::BTreeSet, fs, io, path::Path};

/// The files under `root` that match, as paths relative to it with `/` between their parts, sorted
/// by bytes; a pattern without wildcards is one path, whether it is there or not.
pub(crate) fn expand(root: &Path, pattern: &str) -> io::Result<Vec<String>> {
    if !is_wild(pattern) {
        return Ok(vec![pattern.to_owned()]);
    }
    if let Some(pattern) = pattern.strip_prefix('/') {
        let found = expand(Path::new("/"), pattern)?;
        return Ok(found.into_iter().map(|path| format!("/{path}")).collect());
    }
    let parts: Vec<&str> = pattern.split('/').filter(|part| *part != ".").collect();
    let mut found = BTreeSet::new();
    descend(root, "", &parts, &mut found)?;
    Ok(found.into_iter().collect())
}

fn is_wild(part: &str) -> bool {
    part.contains(['*', '?', '['])
}

/// Matches the rest of a pattern in the directory `at`, relative to `root`.
fn descend(root: &Path, at: &str, parts: &[&str], found: &mut BTreeSet<String>) -> io::Result<()> {
    match parts {
        [] => Ok(()),
        ["**"] => descend(root, at, &["**", "*"], found),
        ["**", rest @ ..] => {
            descend(root, at, rest, found)?;
            for (name, kind) in entries(root, at)? {
                // Not through links: they may lead in circles.
                if kind.is_dir() {
                    descend(root, &join(at, &name), parts, found)?;
                }
            }
            Ok(())
        }
        [part, rest @ ..] if is_wild(part) => {
            for (name, _) in entries(root, at)? {
                if matches(part, &name) {
                    step(root, &join(at, &name), rest, found)?;
                }
            }
            Ok(())
        }
        [part, rest @ ..] => step(root, &join(at, part), rest, found),
    }
}

/// Takes a path that matches so far: a file where the pattern ends, a directory where it goes on.
fn step(root: &Path, path: &str, rest: &[&str], found: &mut BTreeSet<String>) -> io::Result<()> {
    let full = root.join(path);
    if rest.is_empty() {
        if full.is_file() {
            found.insert(path.to_owned());
        }
    } else if full.is_dir() {
        descend(root, path, rest, found)?;
    }
    Ok(())
}

/// What is in a directory, except for names that are not UTF-8.
fn entries(root: &Path, at: &str) -> io::Result<Vec<(String, fs::FileType)>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(root.join(at))? {
        let entry = entry?;
        if let Ok(name) = entry.file_name().into_string() {
            entries.push((name, entry.file_type()?));
        }
    }
    Ok(entries)
}

fn join(at: &str, name: &str) -> String {
    if at.is_empty() {
        name.to_owned()
    } else {
        format!("{at}/{name}")
    }
}

/// Whether a name matches one part of a pattern.
fn matches(pattern: &str, name: &str) -> bool {
    let mut wanted = pattern.chars();
    let mut rest = name.chars();
    match wanted.next() {
        None => name.is_empty(),
        Some('*') => {
            let mut ends = name
                .char_indices()
                .map(|(index, _)| index)
                .chain([name.len()]);
            ends.any(|end| matches(wanted.as_str(), &name[end..]))
        }
        Some('?') => rest.next().is_some() && matches(wanted.as_str(), rest.as_str()),
        Some(first) => {
            let Some(character) = rest.next() else {
                return false;
            };
            match Class::at_start(pattern) {
                Some((class, pattern)) => class.has(character) && matches(pattern, rest.as_str()),
                None => first == character && matches(wanted.as_str(), rest.as_str()),
            }
        }
    }
}

/// The inside of `[…]`.
struct Class<'a> {
    inside: &'a str,
    negated: bool,
}

impl<'a> Class<'a> {
    /// The class that a pattern begins with, and the pattern after it. A `[` that nothing closes is
    /// itself.
    fn at_start(pattern: &'a str) -> Option<(Self, &'a str)> {
        let inside = pattern.strip_prefix('[')?;
        let (negated, inside) = match inside.strip_prefix(['!', '^']) {
            Some(rest) => (true, rest),
            None => (false, inside),
        };
        // A `]` right at the beginning is one of the characters.
        let (end, _) = inside
            .char_indices()
            .skip(1)
            .find(|(_, character)| *character == ']')?;
        Some((
            Self {
                inside: &inside[..end],
                negated,
            },
            &inside[end + 1..],
        ))
    }

    fn has(&self, character: char) -> bool {
        let inside: Vec<char> = self.inside.chars().collect();
        let mut rest = inside.as_slice();
        let mut has = false;
        while let Some((first, more)) = rest.split_first() {
            rest = more;
            has |= match more {
                ['-', last, after @ ..] => {
                    rest = after;
                    (*first..=*last).contains(&character)
                }
                _ => *first == character,
            };
        }
        has != self.negated
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_match_as_shells_do() {
        for (pattern, name, expected) in [
            ("*.csv", "a.csv", true),
            ("*.csv", ".csv", true),
            ("*.csv", "a.csv.gz", false),
            ("a*b*c", "aXbYbZc", true),
            ("?", "ß", true),
            ("?", "", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[]]", "]", true),
            ("[", "[", true),
            ("[-x]", "-", true),
            ("größe*", "größe1", true),
            ("", "a", false),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} on {name}");
        }
    }

    #[test]
    fn files_are_found_and_sorted() {
        let root = tempfile::tempdir().unwrap();
        for file in [
            "b.csv",
            "a.csv",
            "deep/c.csv",
            "deep/er/d.csv",
            "deep/er/d.txt",
            "a-b/e.csv",
        ] {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file).unwrap();
        }
        let found = |pattern| expand(root.path(), pattern).unwrap();
        assert_eq!(found("*.csv"), ["a.csv", "b.csv"]);
        assert_eq!(
            found("./**/*.csv"),
            ["a-b/e.csv", "a.csv", "b.csv", "deep/c.csv", "deep/er/d.csv"]
        );
        assert_eq!(
            found("deep/**"),
            ["deep/c.csv", "deep/er/d.csv", "deep/er/d.txt"]
        );
        assert_eq!(found("*/er/d.*"), ["deep/er/d.csv", "deep/er/d.txt"]);
        assert_eq!(found("no/such"), ["no/such"]);
        let absolute = format!("{}/*.csv", root.path().display());
        assert_eq!(expand(Path::new("elsewhere"), &absolute).unwrap().len(), 2);
    }
}
