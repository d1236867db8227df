//! The border to `cargo metadata`: the package with the manifest, the local packages that it is made
//! of, and where the others lie. Directories are absolute here; nothing here reaches a lock.

mod asking;
pub mod local_registry;
pub mod readable;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, PackageId};
use serde::{Deserialize, Serialize};

use self::asking::Asking;
use self::local_registry::LocalRegistry;
use crate::cache::Witnesses;
use crate::error::{Error, Result};
use crate::exit_code::ExitCode;
use crate::os::env;
use crate::os::subprocess;
use crate::project::cargo_config;
use crate::project::manifest::Build;
use crate::snapshot::toolchain::Installed;

/// The package with the manifest, as cargo resolves it on this machine.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Package {
    /// The package's name.
    pub name: String,
    /// The package's directory.
    pub directory: PathBuf,
    /// The workspace's directory; the package's own where it stands alone.
    pub workspace: PathBuf,
    /// Where cargo builds this workspace by default.
    pub target_directory: PathBuf,
    /// The binaries and examples of the package.
    pub programs: Vec<Program>,
    /// The package and the path dependencies that it is built from.
    pub local: Vec<LocalPackage>,
    /// The other packages that it is built from on this platform.
    pub remote: Vec<RemotePackage>,
    /// The package's features that are on.
    pub features: Vec<String>,
    /// The files of the repository's cargo configuration, those that others include among them.
    pub configuration: Vec<PathBuf>,
    /// Registries that are directories.
    pub registries: Vec<LocalRegistry>,
}

/// A binary or an example.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Program {
    /// Its name.
    pub name: String,
    /// Whether it is an example.
    pub is_example: bool,
    /// The file that cargo hands to rustc.
    pub source: PathBuf,
}

/// A package whose sources lie in a directory that its owner edits.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LocalPackage {
    /// Its name.
    pub name: String,
    /// The directory of its Cargo.toml.
    pub directory: PathBuf,
    /// The root files of its library, its binaries and its build script.
    pub roots: Vec<PathBuf>,
}

/// A package that came from a registry or from git.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RemotePackage {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Where it came from, as Cargo.lock writes it.
    pub source: String,
    /// Where cargo unpacked or vendored it.
    pub directory: PathBuf,
}

/// The directory of the package that the command line means, found without asking cargo: that of
/// `--manifest-path`, or the nearest one upward with a Cargo.toml.
///
/// # Errors
/// When there is no Cargo.toml.
pub fn find(manifest_path: Option<&Path>, current: &Path) -> Result<PathBuf> {
    if let Some(path) = manifest_path {
        let path = current.join(path);
        if path.file_name().is_none_or(|name| name != "Cargo.toml") {
            return Err(Error::new("`--manifest-path` must be the path of a Cargo.toml").code(ExitCode::Usage));
        }
        if !path.is_file() {
            return Err(Error::new(format!("there is no {}", path.display())));
        }
        let directory = path.parent().unwrap_or(current);
        return directory.canonicalize().map_err(|error| Error::io("find", directory, &error));
    }
    current
        .ancestors()
        .find(|directory| directory.join("Cargo.toml").is_file())
        .map(Path::to_path_buf)
        .ok_or_else(|| {
            Error::new(format!("no Cargo.toml in {} or above it", current.display()))
                .hint("run this in a cargo package, or name one with `--manifest-path`")
        })
}

/// The directory of the workspace's package of that name, for `-p`.
///
/// # Errors
/// When cargo cannot read the workspace, or it has no such package.
pub fn find_member(directory: &Path, name: &str, toolchain: &Installed) -> Result<PathBuf> {
    let metadata = without_dependencies(directory, toolchain)?;
    let member = metadata.packages.iter().find(|package| package.name.as_str() == name);
    let manifest = member.map(|package| package.manifest_path.as_std_path()).ok_or_else(|| {
        let mut names: Vec<&str> = metadata.packages.iter().map(|package| package.name.as_str()).collect();
        names.sort_unstable();
        Error::new(format!("the workspace has no package `{name}`"))
            .code(ExitCode::Usage)
            .hint(format!("its packages are: {}", names.join(", ")))
    })?;
    Ok(manifest.parent().unwrap_or(directory).to_path_buf())
}

/// The names of a package's binaries; it needs no Cargo.lock for that.
///
/// # Errors
/// When cargo cannot read the manifest, or it has no package.
pub fn binaries(directory: &Path, toolchain: &Installed) -> Result<Vec<String>> {
    let metadata = without_dependencies(directory, toolchain)?;
    let programs = programs(package_in(&metadata, directory)?);
    Ok(programs
        .into_iter()
        .filter(|program| !program.is_example)
        .map(|program| program.name)
        .collect())
}

/// The packages of a workspace, as their manifests alone tell.
#[derive(Clone, Debug)]
pub struct Members {
    /// The name of the package in the directory that was asked about.
    pub name: String,
    /// The workspace's directory.
    pub workspace: PathBuf,
    /// All packages, that one among them.
    pub packages: Vec<LocalPackage>,
}

/// The workspace of the package in `directory`; it needs no Cargo.lock and no network for that.
///
/// # Errors
/// When cargo cannot read the manifests, or there is no package.
pub fn members(directory: &Path, toolchain: &Installed) -> Result<Members> {
    let metadata = without_dependencies(directory, toolchain)?;
    Ok(Members {
        name: package_in(&metadata, directory)?.name.to_string(),
        workspace: metadata.workspace_root.clone().into_std_path_buf(),
        packages: metadata.packages.iter().map(local_package).collect(),
    })
}

fn without_dependencies(directory: &Path, toolchain: &Installed) -> Result<Metadata> {
    readable::check(directory)?;
    let asking = Asking::about_manifests(directory)?;
    let (mut command, _) = asking.command(toolchain);
    metadata(command.no_deps().cargo_command(), directory)
}

/// What cargo answers.
fn metadata(mut command: Command, directory: &Path) -> Result<Metadata> {
    let output =
        subprocess::output(&mut command, None).map_err(|error| Error::io("run", Path::new("cargo"), &error))?;
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(from_cargo(directory, &cargo_metadata::Error::CargoMetadata { stderr }));
    }
    let parsed = std::str::from_utf8(&output.stdout).map_err(cargo_metadata::Error::from).and_then(|text| {
        let line = text.lines().find(|line| line.starts_with('{')).ok_or(cargo_metadata::Error::NoJson)?;
        MetadataCommand::parse(line)
    });
    parsed.map_err(|error| from_cargo(directory, &error))
}

/// The package whose Cargo.toml is in `directory`.
fn package_in<'a>(metadata: &'a Metadata, directory: &Path) -> Result<&'a cargo_metadata::Package> {
    let manifest = directory.join("Cargo.toml");
    let found = metadata.packages.iter().find(|package| package.manifest_path.as_std_path() == manifest);
    found.ok_or_else(|| {
        Error::new(format!("{} has no package, only a workspace", manifest.display()))
            .hint("choose the package with `-p NAME`, or run this in its directory")
    })
}

impl Package {
    /// Asks cargo about the package in `directory`, of the repository at `root`.
    ///
    /// # Errors
    /// When Cargo.lock is missing or stale, a dependency cannot be had, or a manifest is broken.
    pub fn resolve(directory: &Path, root: &Path, build: &Build, toolchain: &Installed, offline: bool) -> Result<Self> {
        readable::check(directory)?;
        let asking = Asking::about(directory, root)?;
        let (mut command, mut options) = asking.command(toolchain);
        options.extend([
            "--locked".to_owned(),
            format!("--filter-platform={}", toolchain.identity.host),
        ]);
        if offline {
            options.push("--offline".to_owned());
        }
        if !build.default_features {
            command.features(cargo_metadata::CargoOpt::NoDefaultFeatures);
        }
        if !build.features.is_empty() {
            command.features(cargo_metadata::CargoOpt::SomeFeatures(build.features.clone()));
        }
        let asked = command.other_options(options).cargo_command();
        let metadata = metadata(asked, directory).map_err(Error::of_cargo)?;
        let mut package = Self::from_metadata(&metadata, directory)?;
        package.configuration = cargo_config::files(directory, root)?;
        package.registries = LocalRegistry::find(&package.configuration, &env::cargo_home())?;
        for remote in &mut package.remote {
            remote.directory = asking.real(&remote.directory);
        }
        Ok(package)
    }

    fn from_metadata(metadata: &Metadata, directory: &Path) -> Result<Self> {
        let package = package_in(metadata, directory)?;
        let features = built_from(metadata, &package.id);
        let is_built = |id: &PackageId| features.contains_key(id);
        let (local, remote): (Vec<_>, Vec<_>) = metadata
            .packages
            .iter()
            .filter(|package| is_built(&package.id))
            .partition(|package| package.source.is_none());
        let mut found = Self {
            name: package.name.to_string(),
            directory: directory.to_path_buf(),
            workspace: metadata.workspace_root.clone().into_std_path_buf(),
            target_directory: metadata.target_directory.clone().into_std_path_buf(),
            programs: programs(package),
            local: local.into_iter().map(local_package).collect(),
            remote: remote.into_iter().map(remote_package).collect(),
            features: features.get(&package.id).cloned().unwrap_or_default(),
            configuration: Vec::new(),
            registries: Vec::new(),
        };
        found.local.sort_by(|a, b| a.directory.cmp(&b.directory));
        found.remote.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
        Ok(found)
    }

    /// The program that a stage names.
    ///
    /// # Errors
    /// When the package has no binary or example of that name.
    pub fn program(&self, name: &str) -> Result<&Program> {
        self.programs.iter().find(|program| program.name == name).ok_or_else(|| {
            let names: Vec<&str> = self.programs.iter().map(|program| program.name.as_str()).collect();
            let names = if names.is_empty() {
                "none".to_owned()
            } else {
                names.join(", ")
            };
            Error::new(format!("`bin = \"{name}\"`: {} has no binary or example of that name", self.name))
                .hint(format!("its binaries and examples are: {names}"))
        })
    }

    /// Everything that, if it changes or appears, may change what [`Package::resolve`] says.
    #[must_use]
    pub fn witnesses(&self) -> Witnesses {
        let mut seen = Witnesses::default();
        seen.read.extend(["Cargo.lock", "Cargo.toml"].map(|name| self.workspace.join(name)));
        for package in &self.local {
            let inside = |name: &str| package.directory.join(name);
            // Cargo finds targets by looking into the one, and by the existence of the other.
            seen.read.extend(["Cargo.toml", "src/bin", "examples"].map(inside));
            seen.present.extend(["build.rs", "src/lib.rs", "src/main.rs"].map(inside));
        }
        for directory in self.directory.ancestors() {
            let names = [".cargo/config.toml", ".cargo/config"];
            seen.read.extend(names.map(|name| directory.join(name)));
        }
        seen.read.extend(self.configuration.iter().cloned());
        let home = env::cargo_home();
        seen.read.extend([home.join("config.toml"), home.join("config")]);
        seen
    }
}

fn programs(package: &cargo_metadata::Package) -> Vec<Program> {
    let mut programs: Vec<Program> = package
        .targets
        .iter()
        .filter(|target| target.is_bin() || target.is_example())
        .map(|target| Program {
            name: target.name.clone(),
            is_example: target.is_example(),
            source: target.src_path.clone().into_std_path_buf(),
        })
        .collect();
    programs.sort_by(|a, b| (a.is_example, &a.name).cmp(&(b.is_example, &b.name)));
    programs
}

fn local_package(package: &cargo_metadata::Package) -> LocalPackage {
    let built = |target: &&cargo_metadata::Target| {
        target.is_lib() || target.is_proc_macro() || target.is_bin() || target.is_custom_build()
    };
    let manifest = package.manifest_path.as_std_path();
    LocalPackage {
        name: package.name.to_string(),
        directory: manifest.parent().unwrap_or(manifest).to_path_buf(),
        roots: package
            .targets
            .iter()
            .filter(built)
            .map(|target| target.src_path.clone().into_std_path_buf())
            .collect(),
    }
}

fn remote_package(package: &cargo_metadata::Package) -> RemotePackage {
    let manifest = package.manifest_path.as_std_path();
    RemotePackage {
        name: package.name.to_string(),
        version: package.version.to_string(),
        source: package.source.as_ref().map_or_else(String::new, |source| source.repr.clone()),
        directory: manifest.parent().unwrap_or(manifest).to_path_buf(),
    }
}

/// The packages that `root` is built from, each with its enabled features. Dev-dependencies are not
/// among them: they cannot reach the program.
fn built_from(metadata: &Metadata, root: &PackageId) -> BTreeMap<PackageId, Vec<String>> {
    let nodes: BTreeMap<&PackageId, &cargo_metadata::Node> = metadata
        .resolve
        .iter()
        .flat_map(|resolve| &resolve.nodes)
        .map(|node| (&node.id, node))
        .collect();
    let mut found = BTreeMap::new();
    let mut waiting = vec![root];
    let mut seen = BTreeSet::from([root]);
    while let Some(id) = waiting.pop() {
        let Some(node) = nodes.get(id) else { continue };
        let features = node.features.iter().map(ToString::to_string).collect();
        found.insert(id.clone(), features);
        for dependency in &node.deps {
            let kinds = &dependency.dep_kinds;
            let built = kinds.iter().any(|kind| kind.kind != DependencyKind::Development);
            if built && seen.insert(&dependency.pkg) {
                waiting.push(&dependency.pkg);
            }
        }
    }
    found
}

/// What to do without a Cargo.lock: a new one may have other versions than the one that is committed.
pub const NO_LOCK: &str =
    "`git checkout -- Cargo.lock` restores one that was committed; else `cargo generate-lockfile`, then commit it";

/// Cargo's own words, with what to do about the failures that everybody meets.
fn from_cargo(directory: &Path, error: &cargo_metadata::Error) -> Error {
    let cargo_metadata::Error::CargoMetadata { stderr } = error else {
        return Error::new(format!("could not read the package in {}: {error}", directory.display()));
    };
    let said = stderr.trim();
    let missing = !directory.ancestors().any(|above| above.join("Cargo.lock").is_file());
    if said.contains("--locked") && missing {
        Error::new("there is no Cargo.lock").hint(NO_LOCK)
    } else if said.contains("--locked") {
        Error::new("Cargo.lock is stale: it does not fit Cargo.toml any more")
            .context(said)
            .hint("`cargo update --workspace` mends it; commit the result")
    } else if said.contains("--offline") {
        Error::new("a dependency is not on this machine")
            .context(said)
            .hint("`cargo fetch --locked` downloads it; without `--offline` that happens by itself")
    } else if said.contains("failed to verify the checksum of") {
        Error::new("an archive of a dependency is not what Cargo.lock pins")
            .code(ExitCode::Drift)
            .context(said)
            .hint("put the published archive back into the local registry, or update Cargo.lock and commit it")
    } else if said.contains("failed to download") || said.contains("failed to get `") {
        Error::new("a dependency is not on this machine, and could not be downloaded")
            .context(said)
            .hint(
                "with a network, `cargo fetch --locked` downloads all of them; after that `--offline` does without one",
            )
    } else {
        Error::new(format!("cargo could not read the package in {}", directory.display())).context(said)
    }
}
