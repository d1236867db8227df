//! Programs and libraries that a run wanted and this machine has not, or not where a run looks: told by the names that
//! were looked for in every directory of the search path, and by what linkers, compilers and pkg-config say.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::{Denied, Scene, words_of};
use crate::os::env;

/// What a build wants of the system beside programs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// What `-lfoo` names.
    Library(String),
    /// What C includes.
    Header(String),
    /// What pkg-config knows packages by.
    Package(String),
}

/// The part of the system that a line says is not there.
pub(super) fn part(line: &str) -> Option<Part> {
    let library = [
        "cannot find -l",
        "unable to find library -l",
        "library not found for -l",
    ];
    if let Some(rest) = library.iter().find_map(|phrase| line.split_once(phrase)) {
        let name = rest.1.split([':', ' ', '\'']).next()?;
        return (!name.is_empty()).then(|| Part::Library(name.to_owned()));
    }
    if let Some((_, rest)) = line.split_once("fatal error: ")
        && let Some(name) = rest
            .strip_suffix(": No such file or directory")
            .or_else(|| rest.strip_suffix(" file not found"))
    {
        return Some(Part::Header(name.trim_matches('\'').to_owned()));
    }
    let package = line
        .split_once("No package '")
        .filter(|(_, rest)| rest.ends_with("' found"))
        .or_else(|| line.split_once("The system library `").filter(|(_, rest)| rest.contains("was not found")));
    let name = package?.1.split(['\'', '`']).next()?;
    Some(Part::Package(name.to_owned()))
}

impl Scene<'_> {
    /// Programs that were looked for in every directory of the search path and are in none, where the output says that
    /// something was missing: those that it names; or the only one, where it names nothing, as Rust's `unwrap` does.
    pub(super) fn sought(&self, said_missing: &[&str]) -> BTreeSet<Denied> {
        // As looks are told: of links, where they lead.
        let directories: BTreeSet<PathBuf> = self
            .path
            .split(':')
            .filter_map(|directory| Path::new(directory).canonicalize().ok())
            .collect();
        let mut seekers: BTreeMap<&str, (BTreeSet<&Path>, &str)> = BTreeMap::new();
        let absent = self.report.reads.iter().filter(|(_, look)| !look.existed && !look.written);
        let absent = absent.map(|(path, look)| (path, &look.by)).chain(&self.report.sought);
        for (path, by) in absent {
            let path = Path::new(path);
            if let (Some(directory), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str()))
                && directories.contains(directory)
            {
                seekers.entry(name).or_insert_with(|| (BTreeSet::new(), by.as_str())).0.insert(directory);
            }
        }
        seekers.retain(|_, (seen, _)| seen.len() == directories.len());
        let is_named = |name: &str| said_missing.iter().any(|line| words_of(line).any(|word| word == name));
        let names_nothing = |line: &&str| line.contains("kind: NotFound") || line.contains("(os error 2)");
        // Compilers and linkers look for much that need not be there.
        let is_own = |by: &str| self.is_stage || by.starts_with("build-script-");
        let own: Vec<&str> = seekers.iter().filter(|(_, (_, by))| is_own(by)).map(|(name, _)| *name).collect();
        let is_only = |name: &str| own == [name] && said_missing.iter().any(names_nothing);
        let found = seekers.iter().filter(|(name, _)| is_named(name) || is_only(name));
        found
            .map(|(name, (_, by))| {
                let (program, by) = ((*name).to_owned(), (*by).to_owned());
                match env::find_program(name) {
                    Some(here) => Denied::Missing { program, here },
                    None => Denied::Absent { by, program },
                }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_linkers_compilers_and_pkg_config_miss_is_read_from_their_words() {
        let library = |name: &str| Some(Part::Library(name.to_owned()));
        let header = |name: &str| Some(Part::Header(name.to_owned()));
        let package = |name: &str| Some(Part::Package(name.to_owned()));
        let cases = [
            ("  = note: rust-lld: error: unable to find library -lfoo", library("foo")),
            ("/usr/bin/ld: cannot find -lfoo: No such file or directory", library("foo")),
            ("  mold: fatal: library not found: foo", None),
            ("a.c:1:10: fatal error: sub/foo.h: No such file or directory", header("sub/foo.h")),
            ("a.c:1:10: fatal error: 'foo.h' file not found", header("foo.h")),
            ("No package 'openssl' found", package("openssl")),
            ("The system library `openssl` required by crate `openssl-sys` was not found.", package("openssl")),
            ("  the library was not found", None),
            ("cannot find -l", None),
        ];
        for (line, expected) in cases {
            assert_eq!(part(line), expected, "{line}");
        }
    }
}
