//! What the committed `.gitattributes` say of a path (gitattributes(5)): those of the machine and of this clone say
//! nothing of a commit.

use std::collections::BTreeMap;
use std::path::Path;

use glob::{MatchOptions, Pattern};

use super::{Commit, Kind, Repository};
use crate::error::Result;

const FILE: &str = ".gitattributes";

/// As git matches: a star ends at a slash, and a dot is a letter like any other.
const OPTIONS: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: false,
};

impl Repository {
    /// The value of an attribute of a path, as the commit's own files set it.
    ///
    /// # Errors
    /// When an object is missing.
    pub fn attribute(&self, commit: Commit, path: &str, name: &str) -> Result<Option<String>> {
        let mut found = Attributes::default();
        let above: Vec<&Path> = Path::new(path).ancestors().skip(1).collect();
        for directory in above.into_iter().rev() {
            let entry = self.entry(commit, &directory.join(FILE));
            // Git follows no link to attributes.
            let Some(entry) = entry.filter(|entry| matches!(entry.kind, Kind::File | Kind::Executable)) else {
                continue;
            };
            let text = self.content(entry)?;
            let inner = Path::new(path).strip_prefix(directory).unwrap_or(Path::new(path));
            let is_top = directory.as_os_str().is_empty();
            found.read(&String::from_utf8_lossy(&text), &inner.to_string_lossy(), is_top);
        }
        Ok(found.values.remove(name).flatten())
    }
}

/// What is known of a path so far; a later line, and a deeper file, has the last word.
#[derive(Debug, Default)]
struct Attributes {
    /// Text, or none where it is set, unset, or left open: none of that is a value.
    values: BTreeMap<String, Option<String>>,
    macros: BTreeMap<String, Vec<String>>,
}

impl Attributes {
    /// Reads a file beside which, or below which, the path `inner` lies.
    fn read(&mut self, text: &str, inner: &str, is_top: bool) {
        for line in text.lines() {
            let Some((pattern, assignments)) = split(line) else {
                continue;
            };
            if let Some(name) = pattern.strip_prefix("[attr]") {
                if is_top {
                    self.macros.insert(name.to_owned(), assignments);
                }
            } else if matches(&pattern, inner) {
                assignments.iter().for_each(|assignment| self.assign(assignment, true));
            }
        }
    }

    fn assign(&mut self, assignment: &str, expand: bool) {
        if let Some(name) = assignment.strip_prefix(['-', '!']) {
            self.values.insert(name.to_owned(), None);
        } else if let Some((name, value)) = assignment.split_once('=') {
            self.values.insert(name.to_owned(), Some(value.to_owned()));
        } else {
            self.values.insert(assignment.to_owned(), None);
            let inner = self.macros.get(assignment).filter(|_| expand).cloned().unwrap_or_default();
            inner.iter().for_each(|assignment| self.assign(assignment, false));
        }
    }
}

/// The pattern of a line and its assignments; none of a comment, or where there is no pattern that can match.
fn split(line: &str) -> Option<(String, Vec<String>)> {
    let line = line.trim_matches([' ', '\t', '\r']);
    if line.is_empty() || line.starts_with(['#', '!']) {
        return None;
    }
    let (pattern, rest) = match line.strip_prefix('"') {
        Some(quoted) => {
            let (pattern, rest) = quoted.split_once('"')?;
            // Letters that are written by number are beyond what anybody tracks.
            (pattern, rest)
        }
        None => line.split_once([' ', '\t'])?,
    };
    Some((pattern.to_owned(), rest.split_whitespace().map(str::to_owned).collect()))
}

/// Whether a pattern means a file, by its path from the directory of the pattern's file.
fn matches(pattern: &str, inner: &str) -> bool {
    // So `git lfs track` writes a blank.
    let pattern = pattern.replace("[[:space:]]", "[ ]");
    if pattern.ends_with('/') {
        return false; // of directories, and nothing in them
    }
    let (pattern, subject) = if pattern.contains('/') {
        (pattern.trim_start_matches('/'), inner)
    } else {
        (pattern.as_str(), inner.rsplit('/').next().unwrap_or(inner))
    };
    Pattern::new(pattern).is_ok_and(|pattern| pattern.matches_with(subject, OPTIONS))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(files: &[(&str, bool)], inner: &str) -> Option<String> {
        let mut attributes = Attributes::default();
        files.iter().for_each(|(text, is_top)| attributes.read(text, inner, *is_top));
        attributes.values.remove("filter").flatten()
    }

    #[test]
    fn the_last_line_that_matches_decides() {
        let of = |text: &str, inner: &str| filter(&[(text, true)], inner);
        let lfs = Some("lfs".to_owned());
        assert_eq!(of("*.bin filter=lfs diff=lfs merge=lfs -text\n", "a/m.bin"), lfs);
        assert_eq!(of("*.bin filter=lfs\nkeep.bin -filter\n", "a/keep.bin"), None);
        assert_eq!(of("*.bin filter=lfs\n*.bin !filter\n", "m.bin"), None);
        assert_eq!(of("*.bin filter=other\n", "m.bin").as_deref(), Some("other"));
        assert_eq!(of("# *.bin filter=lfs\n!*.bin filter=lfs\n", "m.bin"), None);
        assert_eq!(filter(&[("*.bin filter=lfs", true), ("m.bin -filter", false)], "m.bin"), None);
        assert_eq!(of("[attr]big filter=lfs -text\n*.bin big\n", "m.bin"), lfs);
        assert_eq!(filter(&[("[attr]big filter=lfs\n*.bin big\n", false)], "m.bin"), None);
    }

    #[test]
    fn patterns_match_as_gits_do() {
        for (pattern, inner, means) in [
            ("*.bin", "a/b/m.bin", true),
            ("a/*.bin", "a/b/m.bin", false),
            ("a/**", "a/b/m.bin", true),
            ("**/m.bin", "a/b/m.bin", true),
            ("/m.bin", "a/m.bin", false),
            ("/m.bin", "m.bin", true),
            ("a/", "a/m.bin", false),
            ("a", "a/m.bin", false),
            ("my[[:space:]]model", "my model", true),
            ("M.BIN", "m.bin", false),
        ] {
            assert_eq!(matches(pattern, inner), means, "{pattern} {inner}");
        }
    }
}
