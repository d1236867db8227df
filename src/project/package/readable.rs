//! What cargo and rustup will read of a package, looked at before they are asked: they would wait for a pipe that
//! nobody writes to, and read a device until memory is full.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use toml::Value;

use super::local_registry;

use crate::error::{Error, Result};
use crate::os::bounded;
use crate::os::interrupt;
use crate::project::cargo_config;
use crate::snapshot::toolchain::pin;

/// What they look for in a directory and in all above it.
const MANIFEST: &str = "Cargo.toml";
const LOCK: &str = "Cargo.lock";

/// Refuses a package of which cargo would read what is no regular file, or is far too large.
///
/// # Errors
/// That there is such a file.
pub(super) fn check(directory: &Path) -> Result<()> {
    let mut found = Found::default();
    check_by_name(directory)?;
    for above in directory.ancestors() {
        for file in cargo_config::places(above) {
            found.of_file(&file, cargo_config::DEEPEST)?;
        }
        found.manifests.push(above.join(MANIFEST));
    }
    found.follow()?;
    found.of_registries(directory)
}

/// The same of what they read because of its name alone, in a directory and in all above it: to choose a toolchain, or
/// for settings.
///
/// # Errors
/// When one may not be read, with the file that names it.
pub fn check_by_name(directory: &Path) -> Result<()> {
    for above in directory.ancestors() {
        look_at(&above.join(LOCK), bounded::GENERATED)?;
        for file in pin::files(above).chain(cargo_config::places(above)) {
            look_at(&file, bounded::WRITTEN)?;
        }
    }
    Ok(())
}

/// Manifests that are still to be looked at, and those that were.
#[derive(Default)]
struct Found {
    manifests: Vec<PathBuf>,
    seen: BTreeSet<PathBuf>,
    /// Local registries.
    registries: Vec<PathBuf>,
}

impl Found {
    /// Looks at the manifests, and at those that they name.
    fn follow(&mut self) -> Result<()> {
        while let Some(manifest) = self.manifests.pop() {
            interrupt::check()?;
            // One name for each, however it was come to; one that is not there is for cargo to miss.
            let Ok(manifest) = manifest.canonicalize() else {
                continue;
            };
            if self.seen.contains(&manifest) {
                continue;
            }
            if let Some(content) = table(&manifest)? {
                let directory = manifest.parent().unwrap_or(Path::new("/"));
                self.of_members(directory, &content);
                self.of_paths(directory, &Value::Table(content));
            }
            self.seen.insert(manifest);
        }
        Ok(())
    }

    /// Members of a workspace, and where a package says that its workspace is.
    fn of_members(&mut self, directory: &Path, manifest: &toml::Table) {
        let workspace = manifest.get("workspace").and_then(Value::as_table);
        let members = workspace.and_then(|workspace| workspace.get("members")?.as_array());
        for pattern in members.into_iter().flatten().filter_map(Value::as_str) {
            let pattern = directory.join(pattern).join(MANIFEST);
            let pattern = pattern.to_string_lossy();
            self.manifests.extend(glob::glob(&pattern).into_iter().flatten().flatten());
        }
        let package = manifest.get("package").and_then(Value::as_table);
        let named = package.and_then(|package| package.get("workspace")?.as_str());
        self.manifests.extend(named.map(|path| directory.join(path).join(MANIFEST)));
    }

    /// Whatever is called a path: of a dependency, or of a file, beside which there is no manifest.
    fn of_paths(&mut self, directory: &Path, value: &Value) {
        match value {
            Value::Table(table) => {
                let path = table.get("path").and_then(Value::as_str);
                self.manifests.extend(path.map(|path| directory.join(path).join(MANIFEST)));
                table.values().for_each(|value| self.of_paths(directory, value));
            }
            Value::Array(values) => values.iter().for_each(|value| self.of_paths(directory, value)),
            _ => {}
        }
    }

    /// What a file of configuration leads to, and what those do that it includes.
    fn of_file(&mut self, file: &Path, deeper: u32) -> Result<()> {
        let (Some(configuration), Some(beside)) = (table(file)?, file.parent()) else {
            return Ok(());
        };
        self.of_configuration(beside.parent().unwrap_or(beside), &configuration);
        // One that cannot be followed is refused when it is read.
        for (path, _) in cargo_config::included(&configuration).unwrap_or_default() {
            if let Some(deeper) = deeper.checked_sub(1) {
                self.of_file(&beside.join(path), deeper)?;
            }
        }
        Ok(())
    }

    /// Packages in place of others: paths, patches, and sources that are directories.
    fn of_configuration(&mut self, directory: &Path, configuration: &toml::Table) {
        self.of_paths(directory, &Value::Table(configuration.clone()));
        let paths = configuration.get("paths").and_then(Value::as_array).into_iter().flatten();
        let paths = paths.filter_map(Value::as_str);
        self.manifests.extend(paths.map(|path| directory.join(path).join(MANIFEST)));
        let registries = local_registry::directories(configuration);
        self.registries.extend(registries.map(|(_, path)| directory.join(path)));
        let sources = configuration.get("source").and_then(Value::as_table);
        for source in sources.into_iter().flat_map(|sources| sources.values()) {
            let Some(source) = source.get("directory").and_then(Value::as_str) else {
                continue;
            };
            let packages = std::fs::read_dir(directory.join(source)).into_iter().flatten().flatten();
            self.manifests.extend(packages.map(|package| package.path().join(MANIFEST)));
        }
    }
}

impl Found {
    /// What local registries have of the packages of Cargo.lock.
    fn of_registries(&self, directory: &Path) -> Result<()> {
        if self.registries.is_empty() {
            return Ok(());
        }
        let mut locks = directory.ancestors().map(|above| above.join(LOCK));
        let text = locks.find_map(|lock| bounded::text(&lock, bounded::GENERATED).ok());
        let Some(lock) = text.and_then(|text| text.parse::<toml::Table>().ok()) else {
            return Ok(());
        };
        for package in lock.get("package").and_then(Value::as_array).into_iter().flatten() {
            let text = |key: &str| package.get(key).and_then(Value::as_str).unwrap_or_default();
            let (name, version) = (text("name"), text("version"));
            for registry in &self.registries {
                look_at(&registry.join(local_registry::entry(name)), bounded::GENERATED)?;
                look_at(&registry.join(format!("{name}-{version}.crate")), bounded::HELD)?;
            }
        }
        Ok(())
    }
}

/// The table in a file; none where there is no file, or no table, which is for cargo to say.
fn table(path: &Path) -> Result<Option<toml::Table>> {
    look_at(path, bounded::WRITTEN)?;
    Ok(bounded::text(path, bounded::WRITTEN).ok().and_then(|text| text.parse().ok()))
}

fn look_at(path: &Path, most: u64) -> Result<()> {
    bounded::check(path, most)
        .or_else(|error| match error.kind() {
            // A directory called so is passed over, or named by cargo.
            std::io::ErrorKind::IsADirectory => Ok(()),
            _ => Err(error),
        })
        .map_err(|error| Error::io("read", path, &error).hint("put a regular file in its place, or take it away"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(directory: &Path, more: &str) {
        std::fs::create_dir_all(directory).unwrap();
        let name = directory.file_name().unwrap().to_str().unwrap();
        let text = format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n{more}");
        std::fs::write(directory.join(MANIFEST), text).unwrap();
    }

    fn refused(directory: &Path) -> Option<String> {
        check(directory).err().map(|error| error.what().to_owned())
    }

    #[test]
    fn a_device_in_the_place_of_any_file_that_cargo_reads_is_named() {
        let scratch = tempfile::tempdir().unwrap();
        let root = scratch.path().canonicalize().unwrap().join("root");
        let dependencies = "[dependencies]\nb = { path = \"../b\" }\n[target.'cfg(unix)'.dev-dependencies]\n\
                            c = { path = \"../crates/c\" }\n";
        package(&root.join("a"), dependencies);
        package(&root.join("b"), "[dependencies]\na = { path = \"../a\" }\n");
        package(&root.join("crates/c"), "");
        package(&root.join("crates/d"), "");
        package(&root.join("vendor/e"), "");
        std::fs::write(root.join(MANIFEST), "[workspace]\nmembers = [\"crates/*\"]\n").unwrap();
        std::fs::create_dir(root.join(".cargo")).unwrap();
        std::fs::write(
            root.join(".cargo/config.toml"),
            "paths = [\"g\"]\ninclude = [\"more.toml\"]\n[source.v]\ndirectory = \"vendor\"\n[source.l]\nlocal-registry = \"near\"\n",
        )
        .unwrap();
        package(&root.join("g"), "");
        package(&root.join("h"), "");
        let more = "[patch.crates-io]\nh = { path = \"h\" }\n";
        std::fs::write(root.join(".cargo/more.toml"), more).unwrap();
        std::fs::write(root.join("a/Cargo.lock"), "[[package]]\nname = \"f\"\nversion = \"1.0.0\"\n").unwrap();
        assert_eq!(refused(&root.join("a")), None);
        let files = [
            "a/Cargo.toml",
            "a/Cargo.lock",
            "a/rust-toolchain",
            "a/.cargo/config",
            "b/Cargo.toml",
            "crates/c/Cargo.toml",
            "crates/d/Cargo.toml",
            "vendor/e/Cargo.toml",
            "g/Cargo.toml",
            "h/Cargo.toml",
            ".cargo/more.toml",
            "Cargo.toml",
            "Cargo.lock",
            "rust-toolchain.toml",
            ".cargo/config.toml",
            "near/index/1/f",
            "near/f-1.0.0.crate",
        ];
        for file in files {
            let path = root.join(file);
            let kept = std::fs::read(&path).ok();
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            let _ = std::fs::remove_file(&path);
            std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
            let what = refused(&root.join("a")).unwrap_or_else(|| panic!("{file} was not looked at"));
            assert!(what.contains("it is a device, not a regular file"), "{file}: {what}");
            std::fs::remove_file(&path).unwrap();
            kept.into_iter().for_each(|bytes| std::fs::write(&path, bytes).unwrap());
        }
        assert_eq!(refused(&root.join("a")), None);
    }
}
