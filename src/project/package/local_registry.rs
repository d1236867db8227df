//! Registries that are directories of archives with an index (`local-registry` in cargo's configuration). Cargo keeps no
//! copy of their archives in its home, so they are read where they lie.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use toml::Value;

use crate::error::Result;
use crate::os::bounded;
use crate::project::cargo_config;

/// A registry that is a directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalRegistry {
    /// The name of the source in the configuration.
    pub name: String,
    /// Where it lies on this machine.
    pub directory: PathBuf,
}

impl LocalRegistry {
    /// Those that the repository's configuration files define, the nearest first, and those of the user's cargo home.
    ///
    /// # Errors
    /// When a file of the repository's cannot be read.
    pub fn find(files: &[PathBuf], cargo_home: &Path) -> Result<Vec<Self>> {
        let mut found: Vec<Self> = Vec::new();
        for file in files {
            let from = file.parent().and_then(Path::parent).unwrap_or(Path::new("/"));
            add(&mut found, &cargo_config::read(file)?, from);
        }
        let files = ["config", "config.toml"].map(|name| cargo_home.join(name));
        let text = files.iter().find_map(|file| bounded::text(file, bounded::WRITTEN).ok());
        if let Some(table) = text.and_then(|text| text.parse().ok()) {
            add(&mut found, &table, cargo_home.parent().unwrap_or(Path::new("/")));
        }
        Ok(found)
    }

    /// Where a package's archive is.
    #[must_use]
    pub fn archive(&self, name: &str, version: &str) -> PathBuf {
        self.directory.join(format!("{name}-{version}.crate"))
    }

    /// Where what the index says of a package is.
    #[must_use]
    pub fn entry(&self, name: &str) -> PathBuf {
        self.directory.join(entry(name))
    }
}

/// The registries of a configuration, in which paths are relative to `from`; what was found before has precedence.
fn add(found: &mut Vec<LocalRegistry>, table: &toml::Table, from: &Path) {
    for (name, path) in directories(table) {
        if found.iter().all(|registry| registry.name != name) {
            found.push(LocalRegistry {
                name: name.to_owned(),
                directory: cargo_config::plain(&from.join(path)),
            });
        }
    }
}

/// What a configuration calls local registries, and where it says that they are.
pub(super) fn directories(table: &toml::Table) -> impl Iterator<Item = (&str, &str)> {
    let sources = table.get("source").and_then(Value::as_table);
    let all = sources.into_iter().flatten();
    all.filter_map(|(name, source)| Some((name.as_str(), source.get("local-registry")?.as_str()?)))
}

/// The path of a package's entry in a registry (<https://doc.rust-lang.org/cargo/reference/registry-index.html>).
pub fn entry(name: &str) -> PathBuf {
    let name = name.to_lowercase();
    let letters: Vec<char> = name.chars().collect();
    let part = |from: usize, to: usize| letters[from..to].iter().collect::<String>();
    let index = Path::new("index");
    match letters.len() {
        0..=2 => index.join(letters.len().to_string()).join(&name),
        3 => index.join("3").join(part(0, 1)).join(&name),
        _ => index.join(part(0, 2)).join(part(2, 4)).join(&name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_lie_where_cargo_looks_for_them() {
        let paths = ["a", "ab", "abc", "Serde_json"].map(entry);
        let expected = ["index/1/a", "index/2/ab", "index/3/a/abc", "index/se/rd/serde_json"];
        assert_eq!(paths, expected.map(PathBuf::from));
    }

    #[test]
    fn the_nearest_definition_counts_and_paths_are_relative_to_its_place() {
        let scratch = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = scratch.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, text).unwrap();
            path
        };
        let near = write("a/b/.cargo/config.toml", "[source.one]\nlocal-registry = \"../one\"\n");
        let far = write(
            "a/.cargo/config.toml",
            "[source.one]\nlocal-registry = \"x\"\n[source.two]\nlocal-registry = \"/two\"\n",
        );
        write("home/.cargo/config.toml", "[source.three]\nlocal-registry = \"three\"\n");
        let found = LocalRegistry::find(&[near, far], &scratch.path().join("home/.cargo")).unwrap();
        let registry = |name: &str, directory: PathBuf| LocalRegistry {
            name: name.to_owned(),
            directory,
        };
        let expected = [
            registry("one", scratch.path().join("a/one")),
            registry("two", "/two".into()),
            registry("three", scratch.path().join("home/three")),
        ];
        assert_eq!(found, expected);
    }
}
