//! Which package a piece of code belongs to: by the path of its file, which the compiler wrote into the
//! debug information, or else by the crate in its name.

use std::collections::{BTreeMap, BTreeSet};

use super::names::is_standard;

/// Where a function was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// In the project itself.
    Own,
    /// In a package, named with its version if that is known.
    Package(String),
    /// In the libraries that come with the compiler.
    Standard,
    /// In a shared library, by its file's name.
    Library(String),
    /// Not known.
    Unknown,
}

/// What is known of the program's packages.
#[derive(Clone, Debug, Default)]
pub struct Packages {
    /// Directories of the project's own source, as the compiler saw them.
    pub roots: Vec<String>,
    /// The project's own crates, as code names them (`my_model`).
    pub own: BTreeSet<String>,
    /// The other crates and their packages: `linfa_trees` is of `linfa-trees 0.8.1`.
    pub others: BTreeMap<String, String>,
}

/// A source file's origin, and how to call it to a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Where it is from, if the path tells.
    pub origin: Option<Origin>,
    /// The crate, if the path tells.
    pub crate_name: Option<String>,
    /// Its path in the package or the project, or the whole path.
    pub file: String,
}

impl Packages {
    /// The origin of a source file.
    #[must_use]
    pub fn source(&self, path: &str) -> Source {
        let (origin, crate_name, file) = standard(path)
            .or_else(|| registry(path))
            .or_else(|| checkout(path))
            .or_else(|| generated(path))
            .or_else(|| self.project(path))
            .unwrap_or((None, None, path));
        Source {
            origin,
            crate_name,
            file: file.to_owned(),
        }
    }

    /// The origin of a crate, by the name that code has for it.
    #[must_use]
    pub fn named(&self, crate_name: &str) -> Origin {
        if self.own.contains(crate_name) {
            Origin::Own
        } else if is_standard(crate_name) {
            Origin::Standard
        } else {
            Origin::Package(self.others.get(crate_name).map_or(crate_name, String::as_str).to_owned())
        }
    }

    fn project<'a>(&self, path: &'a str) -> Option<Found<'a>> {
        let below = |root: &String| path.strip_prefix(root.trim_end_matches('/'))?.strip_prefix('/');
        // A path that is not absolute is relative to where the project's own crates are compiled.
        let file = self.roots.iter().find_map(below).or_else(|| (!path.starts_with('/')).then_some(path))?;
        let file = file.trim_start_matches("./");
        let vendored = file.strip_prefix("vendor/").and_then(|rest| rest.split_once('/'));
        Some(match vendored {
            Some((name, file)) => package(name, file),
            None => (Some(Origin::Own), None, file),
        })
    }
}

type Found<'a> = (Option<Origin>, Option<String>, &'a str);

/// `/rustc/<commit>/library/std/src/time.rs`, the same in a toolchain that has the sources, and what the
/// standard library itself depends on.
fn standard(path: &str) -> Option<Found<'_>> {
    let in_library = |marker: &str| {
        let (before, rest) = path.split_once(marker)?;
        (before.starts_with("/rustc/") || before.ends_with("/rustlib/src/rust")).then_some(rest)
    };
    let file = in_library("/library/").or_else(|| path.strip_prefix("/rust/deps/"))?;
    let (crate_name, _) = file.split_once('/')?;
    Some((Some(Origin::Standard), Some(identifier(without_version(crate_name).0)), file))
}

/// `…/registry/src/<index>/linfa-trees-0.8.1/src/lib.rs`
fn registry(path: &str) -> Option<Found<'_>> {
    let (_, rest) = path.split_once("/registry/src/")?;
    let (_, rest) = rest.split_once('/')?;
    let (name, file) = rest.split_once('/')?;
    Some(package(name, file))
}

/// `…/git/checkouts/linfa-0123456789abcdef/1a2b3c4/algorithms/linfa-trees/src/lib.rs`: the directory has
/// the repository's name, and the package's own is known only to its manifest.
fn checkout(path: &str) -> Option<Found<'_>> {
    let (_, rest) = path.split_once("/git/checkouts/")?;
    let (repository, rest) = rest.split_once('/')?;
    let (revision, file) = rest.split_once('/')?;
    let repository = repository.rsplit_once('-').map_or(repository, |(name, _)| name);
    let inner = file.split_once("/src/").and_then(|(before, _)| before.rsplit('/').next());
    let name = inner.unwrap_or(repository);
    let origin = Origin::Package(format!("{name} (git {revision})"));
    Some((Some(origin), Some(identifier(name)), file))
}

/// `target/release/build/app-0123456789abcdef/out/generated.rs`: what a build script wrote belongs to a
/// package that only the crate's name tells.
fn generated(path: &str) -> Option<Found<'_>> {
    let (_, rest) = path.split_once("/build/")?;
    let (_, file) = rest.split_once("/out/")?;
    Some((None, None, file))
}

fn package<'a>(directory: &str, file: &'a str) -> Found<'a> {
    let (name, version) = without_version(directory);
    let named = version.map_or_else(|| name.to_owned(), |version| format!("{name} {version}"));
    (Some(Origin::Package(named)), Some(identifier(name)), file)
}

/// `sha-1-0.10.1` is version 0.10.1 of `sha-1`.
fn without_version(directory: &str) -> (&str, Option<&str>) {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_version = |text: &str| match text.splitn(3, '.').collect::<Vec<_>>().as_slice() {
        [major, minor, rest] => {
            is_number(major) && is_number(minor) && rest.starts_with(|first: char| first.is_ascii_digit())
        }
        _ => false,
    };
    let dashes = directory.match_indices('-');
    let split = dashes
        .map(|(at, _)| (&directory[..at], &directory[at + 1..]))
        .find(|(_, text)| is_version(text));
    split.map_or((directory, None), |(name, version)| (name, Some(version)))
}

fn identifier(name: &str) -> String {
    name.replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn packages() -> Packages {
        Packages {
            roots: vec!["/repro/source".to_owned()],
            own: BTreeSet::from(["app".to_owned()]),
            others: BTreeMap::from([("linfa_trees".to_owned(), "linfa-trees 0.8.1".to_owned())]),
        }
    }

    #[test]
    fn a_path_tells_the_package() {
        let package = |name: &str| Some(Origin::Package(name.to_owned()));
        let cases = [
            (
                "/repro/cargo/registry/src/index.crates.io-1949cf8c6b5b557f/linfa-trees-0.8.1/src/a.rs",
                package("linfa-trees 0.8.1"),
                "src/a.rs",
            ),
            ("/c/registry/src/i/sha-1-0.10.1/src/lib.rs", package("sha-1 0.10.1"), "src/lib.rs"),
            ("/c/registry/src/i/toml-1.2.1+spec-1.1.0/src/lib.rs", package("toml 1.2.1+spec-1.1.0"), "src/lib.rs"),
            (
                "/c/git/checkouts/linfa-0123456789abcdef/1a2b3c4/algorithms/linfa-trees/src/a.rs",
                package("linfa-trees (git 1a2b3c4)"),
                "algorithms/linfa-trees/src/a.rs",
            ),
            (
                "/c/git/checkouts/my-lib-0123456789abcdef/1a2b3c4/src/a.rs",
                package("my-lib (git 1a2b3c4)"),
                "src/a.rs",
            ),
            ("/repro/source/vendor/linfa-0.8.1/src/lib.rs", package("linfa 0.8.1"), "src/lib.rs"),
            ("/rustc/59807616e1234/library/std/src/time.rs", Some(Origin::Standard), "std/src/time.rs"),
            (
                "/home/u/.rustup/toolchains/stable/lib/rustlib/src/rust/library/core/src/iter.rs",
                Some(Origin::Standard),
                "core/src/iter.rs",
            ),
            ("/rust/deps/hashbrown-0.16.1/src/map.rs", Some(Origin::Standard), "hashbrown-0.16.1/src/map.rs"),
            ("/repro/source/src/main.rs", Some(Origin::Own), "src/main.rs"),
            ("src/main.rs", Some(Origin::Own), "src/main.rs"),
            ("/repro/source/target/release/build/app-01/out/x.rs", None, "x.rs"),
            ("/elsewhere/lib.c", None, "/elsewhere/lib.c"),
        ];
        for (path, origin, file) in cases {
            let source = packages().source(path);
            assert_eq!((source.origin, source.file.as_str()), (origin, file), "{path}");
        }
    }

    #[test]
    fn a_crate_tells_the_package() {
        assert_eq!(packages().named("app"), Origin::Own);
        assert_eq!(packages().named("core"), Origin::Standard);
        assert_eq!(packages().named("linfa_trees"), Origin::Package("linfa-trees 0.8.1".to_owned()));
        assert_eq!(packages().named("linfa"), Origin::Package("linfa".to_owned()));
    }

    proptest! {
        #[test]
        fn no_path_breaks_it(path in ".{0,40}|[a-b/.0-9-]{0,60}|/registry/src/[a-z/.0-9-]{0,40}") {
            let _ = packages().source(&path);
        }
    }
}
