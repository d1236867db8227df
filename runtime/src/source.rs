//! This crate's own source as text, for tools that write a copy of it beside a program.
//!
//! Tests and examples are not part of it: a copy builds without them.

/// Every file that a copy of the crate needs: its path relative to the crate's directory, with `/`
/// between the parts, and its text.
///
/// Sorted by path.
pub const FILES: &[(&str, &str)] = &[
    ("Cargo.toml", include_str!("../Cargo.toml")),
    ("README.md", include_str!("../README.md")),
    ("src/artifact.rs", include_str!("artifact.rs")),
    ("src/canonical.rs", include_str!("canonical.rs")),
    (
        "src/canonical/compound.rs",
        include_str!("canonical/compound.rs"),
    ),
    ("src/canonical/sink.rs", include_str!("canonical/sink.rs")),
    ("src/digest.rs", include_str!("digest.rs")),
    ("src/environment.rs", include_str!("environment.rs")),
    ("src/error.rs", include_str!("error.rs")),
    ("src/glob.rs", include_str!("glob.rs")),
    ("src/json.rs", include_str!("json.rs")),
    ("src/json/compound.rs", include_str!("json/compound.rs")),
    ("src/json/key.rs", include_str!("json/key.rs")),
    ("src/json/text.rs", include_str!("json/text.rs")),
    ("src/ledger.rs", include_str!("ledger.rs")),
    ("src/lib.rs", include_str!("lib.rs")),
    ("src/manifest.rs", include_str!("manifest.rs")),
    ("src/params.rs", include_str!("params.rs")),
    ("src/params/failure.rs", include_str!("params/failure.rs")),
    ("src/params/value.rs", include_str!("params/value.rs")),
    ("src/protocol.rs", include_str!("protocol.rs")),
    ("src/run.rs", include_str!("run.rs")),
    ("src/setup.rs", include_str!("setup.rs")),
    ("src/source.rs", include_str!("source.rs")),
    ("src/stream.rs", include_str!("stream.rs")),
    ("src/tally.rs", include_str!("tally.rs")),
];

#[cfg(test)]
mod tests {
    use std::{
        fs,
        path::{Path, PathBuf},
    };

    use super::*;

    fn files_in(directory: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files_in(&path, found)
            } else {
                found.push(path)
            }
        }
    }

    #[test]
    fn the_list_is_what_is_on_disk() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut paths = vec![root.join("Cargo.toml"), root.join("README.md")];
        files_in(&root.join("src"), &mut paths);
        let mut on_disk: Vec<(String, String)> = paths
            .iter()
            .map(|path| {
                let name = path
                    .strip_prefix(root)
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .replace('\\', "/");
                (name, fs::read_to_string(path).unwrap())
            })
            .collect();
        on_disk.sort();
        let listed: Vec<_> = FILES
            .iter()
            .map(|&(path, text)| (path.to_owned(), text.to_owned()))
            .collect();
        assert_eq!(listed, on_disk);
    }
}
