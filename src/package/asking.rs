//! How cargo is asked about a package: with the repository's configuration, as a build of ours follows it.
//! What else there is on the machine, in the user's cargo home or above the repository, could replace a
//! package by another (`[patch]`) and would then be recorded as if the repository had it.

use std::path::{Path, PathBuf};

use cargo_metadata::MetadataCommand;
use tempfile::TempDir;

use crate::ambient;
use crate::bounded;
use crate::error::{IoContext as _, Result};
use crate::snapshot::build::{BUILDING, config_files};
use crate::snapshot::toolchain::Installed;

/// The names of a configuration, the nearer to cargo's taste first.
const NAMES: [&str; 2] = ["config.toml", "config"];

/// From where cargo is asked.
#[derive(Debug)]
pub struct Asking {
    directory: PathBuf,
    cargo_home: PathBuf,
    /// Where cargo finds nothing of the machine's configuration, if the machine has any to be kept from it.
    apart: Option<TempDir>,
    /// The repository's configuration, which it is told of then, the nearest last.
    configuration: Vec<PathBuf>,
}

impl Asking {
    /// For the package in `directory`, of the repository at `root`.
    ///
    /// # Errors
    /// When a directory cannot be made.
    pub fn about(directory: &Path, root: &Path) -> Result<Self> {
        let cargo_home = ambient::cargo_home();
        let apart = has_more(&cargo_home, directory, root).then(|| apart_from(&cargo_home)).transpose()?;
        let mut configuration = config_files(directory, root);
        configuration.reverse();
        Ok(Self {
            directory: directory.to_path_buf(),
            cargo_home,
            apart,
            configuration,
        })
    }

    /// The command, to which questions may be added.
    #[must_use]
    pub fn command(&self, toolchain: &Installed) -> (MetadataCommand, Vec<String>) {
        let mut command = MetadataCommand::new();
        command
            .cargo_path(&toolchain.cargo)
            .env("RUSTC", &toolchain.rustc)
            .env_remove(ambient::PASSPHRASE);
        command.manifest_path(self.directory.join("Cargo.toml"));
        let Some(apart) = &self.apart else {
            command.current_dir(&self.directory);
            return (command, Vec::new());
        };
        command.env("CARGO_HOME", apart.path()).current_dir(apart.path());
        let told = self.configuration.iter().map(|path| path.to_string_lossy().into_owned());
        (command, told.flat_map(|path| ["--config".to_owned(), path]).collect())
    }

    /// The real path of what cargo speaks of.
    #[must_use]
    pub fn real(&self, path: &Path) -> PathBuf {
        let inner = self.apart.as_ref().and_then(|apart| path.strip_prefix(apart.path()).ok());
        inner.map_or_else(|| path.to_path_buf(), |inner| self.cargo_home.join(inner))
    }
}

/// Whether the machine has configuration that a build of ours does not follow.
fn has_more(cargo_home: &Path, directory: &Path, root: &Path) -> bool {
    let of_home = read(cargo_home).is_some_and(|table| table.keys().any(|key| is_kept_out(key)));
    let above = directory
        .ancestors()
        .filter(|above| !above.starts_with(root))
        .map(|above| above.join(".cargo"));
    of_home || above.filter(|above| above != cargo_home).any(|above| read(&above).is_some())
}

fn read(directory: &Path) -> Option<toml::Table> {
    NAMES
        .iter()
        .find_map(|name| bounded::text(&directory.join(name), bounded::WRITTEN).ok()?.parse().ok())
}

fn is_kept_out(key: &str) -> bool {
    BUILDING.contains(&key) || key == "paths"
}

/// A cargo home with all that is in the user's, but of the configuration only what says where packages come
/// from and how they are fetched.
fn apart_from(cargo_home: &Path) -> Result<TempDir> {
    let root = ambient::scratch_root();
    let apart = tempfile::tempdir_in(&root).at("make a directory in", &root)?;
    for name in ["registry", "git"] {
        let there = cargo_home.join(name); // what is downloaded now is to stay
        std::fs::create_dir_all(&there).at("make the directory", &there)?;
    }
    for entry in std::fs::read_dir(cargo_home).at("read", cargo_home)? {
        let name = entry.at("read", cargo_home)?.file_name();
        if !NAMES.iter().any(|own| name == *own) {
            let link = apart.path().join(&name);
            std::os::unix::fs::symlink(cargo_home.join(&name), &link).at("make the link", &link)?;
        }
    }
    let passing: toml::Table = read(cargo_home)
        .unwrap_or_default()
        .into_iter()
        .filter(|(key, _)| !is_kept_out(key))
        .collect();
    let path = apart.path().join(NAMES[0]);
    std::fs::write(&path, passing.to_string()).at("write", &path)?;
    Ok(apart)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_says_where_packages_come_from_passes() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join("bin")).unwrap();
        let text = "[http]\nproxy = \"p\"\n[patch.crates-io]\nitoa = { path = \"x\" }\n[build]\njobs = 1\n";
        std::fs::write(home.path().join("config"), text).unwrap();
        let apart = apart_from(home.path()).unwrap();
        let passing = std::fs::read_to_string(apart.path().join("config.toml")).unwrap();
        assert_eq!(passing, "[http]\nproxy = \"p\"\n");
        assert!(apart.path().join("bin").is_dir() && apart.path().join("registry").is_dir());
        assert!(!apart.path().join("config").exists());
    }

    #[test]
    fn configuration_of_the_home_and_above_the_repository_is_more() {
        let around = tempfile::tempdir().unwrap();
        let (home, root) = (around.path().join("home"), around.path().join("a/root"));
        std::fs::create_dir_all(&home).unwrap();
        std::fs::create_dir_all(root.join(".cargo")).unwrap();
        std::fs::write(root.join(".cargo/config.toml"), "[build]\n").unwrap();
        std::fs::write(home.join("config.toml"), "[net]\noffline = true\n").unwrap();
        assert!(!has_more(&home, &root, &root));
        std::fs::create_dir_all(around.path().join("a/.cargo")).unwrap();
        std::fs::write(around.path().join("a/.cargo/config.toml"), "[source]\n").unwrap();
        assert!(has_more(&home, &root, &root));
        std::fs::remove_dir_all(around.path().join("a/.cargo")).unwrap();
        std::fs::write(home.join("config.toml"), "[patch.crates-io]\n").unwrap();
        assert!(has_more(&home, &root, &root));
    }
}
