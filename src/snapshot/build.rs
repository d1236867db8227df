//! How the program is compiled, as far as files decide it: the profile's settings, the features, the
//! flags, and the repository's own cargo configuration. Configuration outside the repository and
//! `RUSTFLAGS` do not reach a build of ours; [`ambient`] names them, so that nobody wonders.

pub mod ambient;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cargo_config2::ResolveOptions;
use serde::{Deserialize, Serialize};

use crate::error::{Error, IoContext as _, Result};
use crate::os::scratch::Scratch;
use crate::project::cargo_config;
use crate::project::manifest;
use crate::project::package::Package;
use crate::project::repository::Repository;
use crate::snapshot::Environment;
use crate::snapshot::source::relative;
use crate::snapshot::toolchain::Installed;

/// What a build is made of, beside sources and compiler.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Build {
    /// The cargo profile.
    pub profile: String,
    /// The package's features that are on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<String>,
    /// The target triple.
    pub target: String,
    /// Flags that the repository's cargo configuration gives to rustc.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rustflags: Vec<String>,
    /// The profile's settings by dotted key, as the workspace's Cargo.toml has them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, String>,
    /// The repository's cargo configuration that can change a build, by file and dotted key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub config: BTreeMap<String, BTreeMap<String, String>>,
}

/// The tables of a cargo configuration that can change what is built. Tables about registries and the
/// network cannot, and may hold secrets.
pub const BUILDING: [&str; 6] = ["build", "target", "profile", "env", "patch", "unstable"];

impl Build {
    /// Reads it from the manifests and the configuration of the work tree.
    ///
    /// # Errors
    /// When one of them cannot be read.
    pub fn observe(
        declared: &manifest::Build,
        package: &Package,
        repository: &Repository,
        toolchain: &Installed,
    ) -> Result<Self> {
        let files = cargo_config::files(&package.directory, repository.root())?;
        let mut config = BTreeMap::new();
        for path in &files {
            let table = cargo_config::read(path)?;
            let building = table.into_iter().filter(|(key, _)| BUILDING.contains(&key.as_str()));
            config.insert(relative(repository.root(), path)?, flatten(building.collect()));
        }
        let (target, rustflags) = effective(&files, toolchain)?;
        Ok(Self {
            profile: declared.profile.clone(),
            features: package.features.clone(),
            target,
            rustflags,
            settings: profile_settings(&package.workspace, &declared.profile)?,
            config,
        })
    }

    /// Where it says that code is made for the processor at hand: by the name of what says it.
    #[must_use]
    pub fn native(&self, environment: &Environment) -> Option<String> {
        let is_native = |value: &str| {
            let words = value.split(|c: char| c.is_whitespace() || "\"'[],\u{1f}".contains(c));
            words.filter_map(|word| word.rsplit_once('=')).any(|(key, value)| {
                let is_target = key.ends_with("target-cpu") || key.ends_with("target_cpu");
                value == "native" && (is_target || ["-march", "-mtune", "-mcpu"].contains(&key))
            })
        };
        if let Some(flag) = self.rustflags.iter().find(|flag| is_native(flag)) {
            return Some(flag.clone());
        }
        let of_profile = self.settings.iter().map(|(key, value)| (key.clone(), value));
        let of_files = self.config.values().flatten().map(|(key, value)| (key.clone(), value));
        let of_environment = environment.variables.iter().map(|(name, value)| (name.clone(), value));
        let mut all = of_profile.chain(of_files).chain(of_environment);
        all.find(|(_, value)| is_native(value)).map(|(key, _)| key)
    }
}

/// The target and the flags that cargo makes of the repository's configuration alone. What decides on them is
/// laid out in a scratch directory, since cargo's own search would not stop at the repository, and with its wrappers
/// the compiler would be asked through them.
fn effective(files: &[PathBuf], toolchain: &Installed) -> Result<(String, Vec<String>)> {
    let host = toolchain.identity.host.clone();
    if files.is_empty() {
        return Ok((host, Vec::new()));
    }
    let scratch = Scratch::new("cargo-repro-configuration-")?;
    let directory = lay_out(files, scratch.path())?;
    let options = ResolveOptions::default()
        .env(std::iter::empty::<(String, String)>())
        .cargo_home(None)
        .rustc(cargo_config2::PathAndArgs::new(&toolchain.rustc))
        .cargo(toolchain.cargo.clone())
        .host_triple(host.clone());
    let refuse = |error: &dyn std::fmt::Display| {
        Error::new("the repository's cargo configuration cannot be read").context(error.to_string())
    };
    let config = cargo_config2::Config::load_with_options(&directory, options).map_err(|error| refuse(&error))?;
    let no_targets: [&str; 0] = [];
    let targets = config.build_target_for_config(no_targets).map_err(|error| refuse(&error))?;
    let target = match targets.as_slice() {
        [] => host,
        // The compiler would read it, and there is no need for that outside the sandbox.
        [one] if one.spec_path().is_some() => {
            return Err(Error::new(format!("`build.target` is a file, {}", one.triple()))
                .hint("name one of the compiler's own targets; `rustc --print target-list` has them"));
        }
        [one] => one.triple().to_owned(),
        _ => {
            return Err(Error::new("the repository's cargo configuration builds for several targets")
                .hint("leave one in `build.target`"));
        }
    };
    let flags = config.rustflags(target.as_str()).map_err(|error| refuse(&error))?;
    Ok((target, flags.map_or_else(Vec::new, |flags| flags.flags)))
}

/// Lays out what decides on target and flags, nested so that a file's settings have precedence over those of the files
/// behind it. Gives the directory from where cargo would find all of it.
fn lay_out(files: &[PathBuf], scratch: &Path) -> Result<PathBuf> {
    let mut directory = scratch.to_path_buf();
    for file in files.iter().rev() {
        let mut table = cargo_config::read(file)?;
        table.retain(|key, _| ["build", "target"].contains(&key));
        let keep = |table: &mut toml::Table, keys: &[&str]| table.retain(|key, _| keys.contains(&key));
        if let Some(build) = table.get_mut("build").and_then(toml::Value::as_table_mut) {
            keep(build, &["target", "rustflags"]);
        }
        let targets = table.get_mut("target").and_then(toml::Value::as_table_mut).into_iter();
        for target in targets.flat_map(|all| all.iter_mut()).filter_map(|(_, one)| one.as_table_mut()) {
            keep(target, &["rustflags"]);
        }
        directory.push("above");
        let place = directory.join(".cargo");
        std::fs::create_dir_all(&place).at("make", &place)?;
        let copy = place.join("config.toml");
        std::fs::write(&copy, table.to_string()).at("write", &copy)?;
    }
    Ok(directory)
}

/// The settings of a profile and of those that it inherits from.
fn profile_settings(workspace: &Path, profile: &str) -> Result<BTreeMap<String, String>> {
    let manifest = cargo_config::read(&workspace.join("Cargo.toml"))?;
    let profiles = manifest.get("profile").and_then(toml::Value::as_table);
    let mut settings = BTreeMap::new();
    let mut name = profile.to_owned();
    let mut seen = Vec::new();
    while let Some(table) = profiles.and_then(|all| all.get(&name)).and_then(toml::Value::as_table) {
        let prefix = format!("profile.{name}.");
        let flat = flatten(table.clone());
        settings.extend(flat.into_iter().map(|(key, value)| (format!("{prefix}{key}"), value)));
        let Some(parent) = table.get("inherits").and_then(toml::Value::as_str) else {
            break;
        };
        seen.push(std::mem::replace(&mut name, parent.to_owned()));
        if seen.contains(&name) {
            break; // cargo refuses such a circle when it builds
        }
    }
    Ok(settings)
}

/// Nested tables as dotted keys; everything else as TOML writes it.
fn flatten(table: toml::Table) -> BTreeMap<String, String> {
    let mut flat = BTreeMap::new();
    for (key, value) in table {
        match value {
            toml::Value::Table(inner) => {
                let inner = flatten(inner).into_iter();
                flat.extend(inner.map(|(rest, value)| (format!("{key}.{rest}"), value)));
            }
            value => {
                flat.insert(key, value.to_string());
            }
        }
    }
    flat
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build(rustflags: &[&str]) -> Build {
        Build {
            profile: "release".to_owned(),
            features: Vec::new(),
            target: "x86_64-unknown-linux-gnu".to_owned(),
            rustflags: rustflags.iter().map(|flag| (*flag).to_owned()).collect(),
            settings: BTreeMap::new(),
            config: BTreeMap::new(),
        }
    }

    fn environment(variables: &[(&str, &str)]) -> Environment {
        Environment {
            unset: Vec::new(),
            variables: variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        }
    }

    #[test]
    fn code_for_the_processor_at_hand_is_seen_wherever_it_is_asked_for() {
        let none = environment(&[]);
        for flags in [
            &["-C", "target-cpu=native"][..],
            &["-Ctarget-cpu=native"],
            &["--codegen=target-cpu=native"],
        ] {
            assert!(build(flags).native(&none).is_some(), "{flags:?}");
        }
        assert_eq!(build(&["-C", "target-cpu=x86-64-v3", "--cfg", "native"]).native(&none), None);
        let compiler = environment(&[("CFLAGS", "-O2 -march=native")]);
        assert_eq!(build(&[]).native(&compiler).as_deref(), Some("CFLAGS"));
        let mut with_profile = build(&[]);
        let value = "[\"-Ctarget-cpu=native\"]".to_owned();
        with_profile.settings.insert("profile.release.rustflags".to_owned(), value);
        assert_eq!(with_profile.native(&none).as_deref(), Some("profile.release.rustflags"));
    }

    #[test]
    fn only_what_decides_on_target_and_flags_is_laid_out() {
        let root = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = root.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let near = write("near", "[build]\nrustc-wrapper = \"w\"\ntarget = \"t\"\n[env]\nA = \"b\"\n");
        let far = write("far", "[target.t]\nlinker = \"l\"\nrustflags = [\"-g\"]\n");
        let scratch = root.path().join("scratch");
        let directory = lay_out(&[near, far], &scratch).unwrap();
        let read = |directory: &Path| std::fs::read_to_string(directory.join(".cargo/config.toml")).unwrap();
        assert_eq!(directory, scratch.join("above/above"));
        assert_eq!(read(&directory), "[build]\ntarget = \"t\"\n");
        assert_eq!(read(&scratch.join("above")), "[target.t]\nrustflags = [\"-g\"]\n");
    }
}
