//! How cargo is asked about a package: outside the sandbox, so with nothing that would have it start a program which
//! the repository brings. It stands where it finds no configuration, and is told what of the repository's is harmless.
//! What else there is on the machine, in the user's cargo home or above the repository, could replace a package by
//! another (`[patch]`) and would then be recorded as if the repository had it; that is kept from it too.

use std::path::{Path, PathBuf};

use cargo_metadata::MetadataCommand;

use crate::error::{IoContext as _, Result};
use crate::os::env;
use crate::os::scratch::Scratch;
use crate::project::cargo_config;
use crate::snapshot::build::BUILDING;
use crate::snapshot::toolchain::Installed;

/// Where the harmless part of the repository's configuration is written, in the directory apart.
const TOLD: &str = "told";

/// From where cargo is asked.
#[derive(Debug)]
pub struct Asking {
    directory: PathBuf,
    cargo_home: PathBuf,
    /// A cargo home, and the directory where cargo stands: it finds nothing of anybody's configuration from there.
    apart: Scratch,
    /// The configuration that it is told of, the nearest last.
    told: Vec<PathBuf>,
}

impl Asking {
    /// For the package in `directory`, of the repository at `root`.
    ///
    /// # Errors
    /// When a directory cannot be made, or the repository's configuration cannot be read.
    pub fn about(directory: &Path, root: &Path) -> Result<Self> {
        let cargo_home = env::cargo_home();
        let apart = apart_from(&cargo_home)?;
        let mut told = Vec::new();
        for (number, file) in cargo_config::files(directory, root)?.iter().rev().enumerate() {
            let path = apart.path().join(format!("{TOLD}-{number}.toml"));
            std::fs::write(&path, cargo_config::harmless(file)?.to_string()).at("write", &path)?;
            told.push(path);
        }
        Ok(Self {
            directory: directory.to_path_buf(),
            cargo_home,
            apart,
            told,
        })
    }

    /// For what the manifests alone say: there may be no repository, and no configuration is needed.
    ///
    /// # Errors
    /// When a directory cannot be made.
    pub fn about_manifests(directory: &Path) -> Result<Self> {
        let cargo_home = env::cargo_home();
        Ok(Self {
            directory: directory.to_path_buf(),
            apart: apart_from(&cargo_home)?,
            cargo_home,
            told: Vec::new(),
        })
    }

    /// The command, to which questions may be added.
    #[must_use]
    pub fn command(&self, toolchain: &Installed) -> (MetadataCommand, Vec<String>) {
        let mut command = MetadataCommand::new();
        for name in env::cargo_settings() {
            command.env_remove(name);
        }
        command
            .cargo_path(&toolchain.cargo)
            .manifest_path(self.directory.join("Cargo.toml"))
            .current_dir(self.apart.path())
            .env("CARGO_HOME", self.apart.path())
            .env("RUSTC", &toolchain.rustc)
            // Empty, they have precedence over any configuration.
            .env("RUSTC_WRAPPER", "")
            .env("RUSTC_WORKSPACE_WRAPPER", "")
            .env_remove(env::PASSPHRASE);
        let told = self.told.iter().map(|path| path.to_string_lossy().into_owned());
        (command, told.flat_map(|path| ["--config".to_owned(), path]).collect())
    }

    /// The real path of what cargo speaks of.
    #[must_use]
    pub fn real(&self, path: &Path) -> PathBuf {
        let inner = path.strip_prefix(self.apart.path()).ok();
        inner.map_or_else(|| path.to_path_buf(), |inner| self.cargo_home.join(inner))
    }
}

fn is_kept_out(key: &str) -> bool {
    BUILDING.contains(&key) || key == "paths"
}

/// A cargo home with all that is in the user's, but of the configuration only what says where packages come
/// from and how they are fetched.
fn apart_from(cargo_home: &Path) -> Result<Scratch> {
    let apart = Scratch::new("cargo-repro-cargo-")?;
    for name in ["registry", "git"] {
        let there = cargo_home.join(name); // what is downloaded now is to stay
        std::fs::create_dir_all(&there).at("make the directory", &there)?;
    }
    for entry in std::fs::read_dir(cargo_home).at("read", cargo_home)? {
        let name = entry.at("read", cargo_home)?.file_name();
        if !cargo_config::NAMES.iter().any(|own| name == *own) {
            let link = apart.path().join(&name);
            std::os::unix::fs::symlink(cargo_home.join(&name), &link).at("make the link", &link)?;
        }
    }
    let passing: toml::Table = cargo_config::of(cargo_home)
        .unwrap_or_default()
        .into_iter()
        .filter(|(key, _)| !is_kept_out(key))
        .map(|(key, value)| match (key.as_str(), cargo_home.parent()) {
            ("source", Some(above)) => (key, cargo_config::sources(value, above)),
            _ => (key, value),
        })
        .collect();
    let path = apart.path().join("config.toml");
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
}
