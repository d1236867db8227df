//! Where outputs may lie: `record` writes them into the work tree, so they must be nobody else's files. What the
//! text of the manifest shows is refused here; what only the package and the disk show, in [`crate::run::places`].

use std::path::{Component, Path, PathBuf};

use toml::Spanned;

use super::origin::Origin;
use crate::error::Result;
use crate::release::gate;

/// Files that rule builds, git, or this tool, wherever in the package they lie.
const RULING: [(&str, &str); 11] = [
    (super::FILE, "an input of every run"),
    (crate::lockfile::FILE, "an input of every run"),
    ("Cargo.toml", "an input of every run"),
    ("Cargo.lock", "an input of every run"),
    ("build.rs", "cargo would run it"),
    ("rust-toolchain", "it chooses the compiler"),
    ("rust-toolchain.toml", "it chooses the compiler"),
    (".cargo-checksum.json", "cargo's own"),
    (".cargo-ok", "cargo's own"),
    (".lfsconfig", "git's own"),
    (".dvcignore", "DVC's own"),
];

/// Directories whose every file is somebody's own.
const OWNED: [(&str, &str); 6] = [
    (".cargo", "cargo's own"),
    (".dvc", "DVC's own"),
    (".hg", "Mercurial's own"),
    (".jj", "Jujutsu's own"),
    (".svn", "Subversion's own"),
    (".bzr", "Bazaar's own"),
];

/// Outputs are files in the package, and none that is an input of its own.
pub(super) fn check_output(origin: &Origin<'_>, path: &Spanned<String>) -> Result<()> {
    let text = path.get_ref();
    let inside = !text.is_empty()
        && Path::new(text).components().all(|part| matches!(part, Component::Normal(_)))
        && !text.ends_with('/')
        && !text.contains("/./")
        && !text.contains('\0');
    if !inside {
        let what = "an output is a file in the package: a relative path without `.` and `..`";
        return Err(origin.at(path, what, "not such a path"));
    }
    match whose(text) {
        None => Ok(()),
        Some(label) => Err(origin.at(path, format!("{text} cannot be an output"), label)),
    }
}

/// Whose a path of the package is, where it is not free for outputs. Some file systems take capital letters for
/// small ones.
fn whose(path: &str) -> Option<&'static str> {
    let path = path.to_ascii_lowercase();
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let (first, last) = (parts.first()?, parts.last()?);
    if parts.iter().any(|part| part.starts_with(".git")) {
        return Some("git's own, or that of whoever hosts it");
    }
    let is = |name: &str, other: &str| name.eq_ignore_ascii_case(other);
    if let Some((_, whose)) = OWNED.iter().find(|(name, _)| parts.contains(name)) {
        return Some(whose);
    }
    if let Some((_, whose)) = RULING.iter().find(|(name, _)| is(name, last)) {
        return Some(whose);
    }
    if *first == gate::DIRECTORY.trim_end_matches('/') {
        return Some("attestations lie there");
    }
    if *first == "target" {
        return Some("cargo builds there, and `cargo clean` removes it");
    }
    if last.ends_with(".dvc") {
        return Some("DVC's own");
    }
    parts
        .iter()
        .any(|part| part.starts_with(crate::os::atomic::TEMPORARY))
        .then_some("`record` removes files of that name")
}

/// No output is declared data, holds some, or lies in some: `record` would overwrite what it reads. Nor does one lie
/// below another.
pub(super) fn refuse_overlap<'a>(
    origin: &Origin<'_>,
    outputs: impl Iterator<Item = &'a Spanned<String>> + Clone,
    data: &[(&str, &str)],
) -> Result<()> {
    for output in outputs.clone() {
        let path = Path::new(output.get_ref());
        if let Some((name, declared)) = data.iter().find(|(_, declared)| overlaps(declared, path)) {
            let what = format!("{} is an output, and declared data too: `{name}` is \"{declared}\"", output.get_ref());
            return Err(origin.at(output, what, "`record` would overwrite the data").hint(
                "write it elsewhere; data that one stage makes for another is an artifact, and needs no [data]",
            ));
        }
        let above = |other: &&Spanned<String>| other.get_ref() != output.get_ref() && path.starts_with(other.get_ref());
        if let Some(other) = outputs.clone().find(above) {
            let what = format!("{} cannot lie below {}, which is an output itself", output.get_ref(), other.get_ref());
            return Err(origin.at(output, what, "an output is a file, and no directory"));
        }
    }
    Ok(())
}

/// Whether a declared path or glob means the output, a directory that it is in, or something below it.
fn overlaps(declared: &str, output: &Path) -> bool {
    let normal = normal(Path::new(declared));
    let options = glob::MatchOptions {
        require_literal_separator: true,
        ..glob::MatchOptions::default()
    };
    let text = normal.to_string_lossy();
    output.starts_with(&normal)
        || normal.starts_with(output)
        || glob::Pattern::new(&text).is_ok_and(|pattern| pattern.matches_path_with(output, options))
}

/// Without `.`, and without `..` where something stands before it.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(normal.components().next_back(), Some(Component::Normal(_))) => {
                normal.pop();
            }
            other => normal.push(other),
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_others_are_no_outputs() {
        for path in [
            ".git/config",
            ".GIT/config",
            "sub/.git/hooks/post-commit",
            ".gitattributes",
            "sub/.gitmodules",
            ".github/workflows/ci.yml",
            ".cargo/config.toml",
            "sub/.cargo/config",
            "sub/Cargo.toml",
            "cargo.lock",
            "build.rs",
            "rust-toolchain.toml",
            "sub/repro.lock",
            "attestations/a.json",
            "target/release/m",
            "data/d.csv.dvc",
            ".dvc/config",
            ".cargo-repro-x",
        ] {
            assert!(whose(path).is_some(), "{path}");
        }
        for path in [
            "model.json",
            "out/git.txt",
            "targets/a",
            "my.cargo/a",
            "sub/target/a",
            "dvc/a",
        ] {
            assert_eq!(whose(path), None, "{path}");
        }
    }

    #[test]
    fn data_and_outputs_overlap_however_they_are_written() {
        let output = Path::new("out/model.txt");
        for declared in [
            "out/model.txt",
            "out",
            "out/",
            "./out",
            "x/../out",
            ".",
            "",
            "out/*.txt",
            "**/*.txt",
            "o?t/model.*",
        ] {
            assert!(overlaps(declared, output), "{declared}");
        }
        assert!(overlaps("model/part.csv", Path::new("model")));
        for declared in ["outer", "out/other.txt", "*.txt", "../out", "data/*.csv", "ou"] {
            assert!(!overlaps(declared, output), "{declared}");
        }
    }
}
