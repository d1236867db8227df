//! How the program is compiled, as far as files decide it: the profile's settings, the features, the
//! flags, and the repository's own cargo configuration. Configuration outside the repository and
//! `RUSTFLAGS` do not reach a build of ours; [`ambient_settings`] names them, so that nobody wonders.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use cargo_config2::ResolveOptions;
use serde::{Deserialize, Serialize};

use crate::ambient;
use crate::bounded;
use crate::error::{Error, IoContext as _, Result};
use crate::manifest;
use crate::package::Package;
use crate::repository::Repository;
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
        let files = config_files(&package.directory, repository.root());
        let mut config = BTreeMap::new();
        for path in &files {
            let table = read_table(path)?;
            let building = table.into_iter().filter(|(key, _)| BUILDING.contains(&key.as_str()));
            config.insert(relative(repository.root(), path)?, flatten(building.collect()));
        }
        let (target, rustflags) = effective(&files, package, repository.root(), toolchain)?;
        Ok(Self {
            profile: declared.profile.clone(),
            features: package.features.clone(),
            target,
            rustflags,
            settings: profile_settings(&package.workspace, &declared.profile)?,
            config,
        })
    }
}

/// The repository's configuration files that cargo finds from `directory` upward, nearest first.
#[must_use]
pub fn config_files(directory: &Path, root: &Path) -> Vec<PathBuf> {
    directory
        .ancestors()
        .take_while(|above| above.starts_with(root))
        .filter_map(|above| {
            let candidates = [above.join(".cargo/config"), above.join(".cargo/config.toml")];
            candidates.into_iter().find(|path| path.is_file())
        })
        .collect()
}

/// The target and the flags that cargo makes of the repository's configuration alone. The files are
/// laid out in a scratch directory, since cargo's own search would not stop at the repository.
fn effective(
    files: &[PathBuf],
    package: &Package,
    root: &Path,
    toolchain: &Installed,
) -> Result<(String, Vec<String>)> {
    let host = toolchain.identity.host.clone();
    if files.is_empty() {
        return Ok((host, Vec::new()));
    }
    let scratch_root = ambient::scratch_root();
    let scratch = tempfile::tempdir_in(&scratch_root).at("make a directory in", &scratch_root)?;
    let inside = |path: &Path| scratch.path().join(path.strip_prefix(root).unwrap_or(path));
    for file in files {
        let copy = inside(file);
        let directory = copy.parent().unwrap_or(scratch.path());
        std::fs::create_dir_all(directory).at("make", directory)?;
        std::fs::copy(file, &copy).at("copy", file)?;
    }
    let directory = inside(&package.directory);
    std::fs::create_dir_all(&directory).at("make", &directory)?;
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
        [one] => one.triple().to_owned(),
        _ => {
            return Err(Error::new("the repository's cargo configuration builds for several targets")
                .hint("leave one in `build.target`"));
        }
    };
    let flags = config.rustflags(target.as_str()).map_err(|error| refuse(&error))?;
    Ok((target, flags.map_or_else(Vec::new, |flags| flags.flags)))
}

/// The settings of a profile and of those that it inherits from.
fn profile_settings(workspace: &Path, profile: &str) -> Result<BTreeMap<String, String>> {
    let manifest = read_table(&workspace.join("Cargo.toml"))?;
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

fn read_table(path: &Path) -> Result<toml::Table> {
    let text = bounded::text(path, bounded::WRITTEN).at("read", path)?;
    text.parse().map_err(|error: toml::de::Error| {
        Error::new(format!("{} is not TOML", path.display())).context(error.to_string())
    })
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

/// Settings outside the repository that plain `cargo build` would follow and ours does not: variables
/// by their names alone, and configuration keys by the file that has them.
#[must_use]
pub fn ambient_settings(package: &Package, root: &Path) -> Vec<String> {
    const VARIABLES: [&str; 7] = [
        "RUSTFLAGS",
        "CARGO_ENCODED_RUSTFLAGS",
        "CARGO_BUILD_RUSTFLAGS",
        "CARGO_BUILD_TARGET",
        "RUSTC",
        "RUSTC_WRAPPER",
        "RUSTC_WORKSPACE_WRAPPER",
    ];
    let mut found: Vec<String> = VARIABLES
        .iter()
        .filter(|name| ambient::is_set(name))
        .map(|name| (*name).to_owned())
        .collect();
    let above = package.directory.ancestors().filter(|above| !above.starts_with(root));
    let mut directories: Vec<PathBuf> = above.map(|above| above.join(".cargo")).collect();
    let home = ambient::cargo_home();
    if !directories.contains(&home) {
        directories.push(home);
    }
    for directory in directories {
        let files = [directory.join("config.toml"), directory.join("config")];
        let Some(table) = files.iter().find_map(|path| read_table(path).ok()) else {
            continue;
        };
        let building = table.into_iter().filter(|(key, _)| BUILDING.contains(&key.as_str()));
        let keys = flatten(building.collect()).into_keys();
        let place = if directory == ambient::cargo_home() {
            "$CARGO_HOME/config.toml".to_owned()
        } else {
            relative(root, &directory.join("config.toml")).unwrap_or_else(|_| "a .cargo/config.toml above".to_owned())
        };
        found.extend(keys.map(|key| format!("{key} in {place}")));
    }
    found
}
