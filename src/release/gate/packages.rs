//! The packages of a commit that have a manifest, and what they say: their policies, names and versions. Read
//! from git's objects, since a server has no work tree.

use std::path::{Component, Path, PathBuf};

use serde::Deserialize;

use super::content::Tree;
use crate::error::Result;
use crate::project::manifest::{FILE, Gate, Manifest};
use crate::project::repository::{Commit, Repository};
use crate::snapshot::source::tree::join;

/// A package with a policy.
#[derive(Debug)]
pub struct Policy {
    /// The package's directory from the top, empty for the top itself.
    pub package: String,
    /// What it asks of a release; or why it cannot be read.
    pub gate: Result<Gate, String>,
}

/// The directories that have a manifest.
///
/// # Errors
/// When git's objects cannot be read.
pub fn with_manifest(repository: &Repository, commit: Commit) -> Result<Vec<String>> {
    let paths = repository.entries(commit)?;
    let directory = |path: &String| match path.strip_suffix(FILE)? {
        "" => Some(String::new()),
        above => above.strip_suffix('/').map(str::to_owned),
    };
    Ok(paths.keys().filter_map(directory).collect())
}

/// The packages whose manifests have a `[gate]`. A manifest that cannot be read counts if it seems to have one.
///
/// # Errors
/// When git's objects cannot be read.
pub fn policies(repository: &Repository, commit: Commit) -> Result<Vec<Policy>> {
    let mut found = Vec::new();
    for package in with_manifest(repository, commit)? {
        let tree = Tree {
            repository,
            commit,
            package: &package,
        };
        if let Some(text) = text(tree)?.filter(|text| seems_to_gate(text)) {
            let gate = of_text(&text, tree);
            found.push(Policy { package, gate });
        }
    }
    Ok(found)
}

/// What a package asks of a release; none where it has no manifest.
///
/// # Errors
/// When git's objects cannot be read.
pub fn policy(tree: Tree<'_>) -> Result<Option<Result<Gate, String>>> {
    Ok(text(tree)?.map(|text| of_text(&text, tree)))
}

fn text(tree: Tree<'_>) -> Result<Option<String>> {
    let bytes = tree.read(&tree.path(FILE))?;
    Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
}

/// However TOML lets it be written.
fn seems_to_gate(text: &str) -> bool {
    match text.parse::<toml::Table>() {
        Ok(manifest) => manifest.contains_key("gate"),
        Err(_) => text.contains("gate"),
    }
}

fn of_text(text: &str, tree: Tree<'_>) -> Result<Gate, String> {
    Manifest::from_text(text, &tree.path(FILE))
        .map(|manifest| manifest.gate)
        .map_err(|error| error.what().to_owned())
}

#[derive(Deserialize)]
struct CargoToml {
    package: Option<PackageText>,
    workspace: Option<Workspace>,
}

#[derive(Deserialize)]
struct Workspace {
    package: Option<PackageText>,
    #[serde(default)]
    members: Vec<String>,
    #[serde(default)]
    exclude: Vec<String>,
}

impl Workspace {
    /// Whether a package in this directory of the workspace is none of it, by cargo's own rule.
    fn leaves_out(&self, inner: &Path) -> bool {
        let root = Path::new("/");
        let is_in = |list: &[String]| list.iter().any(|path| root.join(inner).starts_with(root.join(path)));
        is_in(&self.exclude) && !is_in(&self.members)
    }
}

#[derive(Deserialize)]
struct PackageText {
    name: Option<String>,
    version: Option<Version>,
    workspace: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Version {
    Own(String),
    Inherited {
        #[serde(rename = "workspace")]
        _workspace: bool,
    },
}

/// The name in the package's Cargo.toml.
///
/// # Errors
/// When git's objects cannot be read.
pub fn name(tree: Tree<'_>) -> Result<Option<String>> {
    let bytes = tree.read(&tree.path("Cargo.toml"))?;
    Ok(bytes.and_then(|bytes| cargo_toml(&bytes)?.package?.name))
}

/// The package's version, its own or the workspace's; the inner error is why it cannot be told.
///
/// # Errors
/// When git's objects cannot be read.
pub fn version(tree: Tree<'_>) -> Result<Result<String, String>> {
    let unreadable = || Err("the Cargo.toml of the tagged commit does not say it".to_owned());
    let Some(bytes) = tree.read(&tree.path("Cargo.toml"))? else {
        return Ok(unreadable());
    };
    match cargo_toml(&bytes).and_then(|text| text.package?.version) {
        Some(Version::Own(version)) => Ok(Ok(version)),
        None => Ok(unreadable()),
        Some(Version::Inherited { .. }) => {
            let root = join(&workspace(tree)?, "Cargo.toml");
            let text = tree.read(&root)?.and_then(|bytes| cargo_toml(&bytes));
            Ok(match text.and_then(|text| text.workspace?.package?.version) {
                Some(Version::Own(version)) => Ok(version),
                _ => unreadable(),
            })
        }
    }
}

/// The directory of the package's workspace from the top, where cargo would find it by walking up; the package's
/// own where it stands alone.
///
/// # Errors
/// When git's objects cannot be read.
pub fn workspace(tree: Tree<'_>) -> Result<String> {
    let package = Path::new(tree.package);
    for above in package.ancestors() {
        let directory = above.to_string_lossy();
        let Some(bytes) = tree.read(&join(&directory, "Cargo.toml"))? else {
            continue;
        };
        // One that cannot be read ends cargo's walk, too.
        let Some(text) = cargo_toml(&bytes) else {
            return Ok(directory.into_owned());
        };
        if let Some(elsewhere) = text.package.and_then(|package| package.workspace) {
            return Ok(joined(above, &elsewhere));
        }
        if let Some(workspace) = text.workspace {
            let inner = package.strip_prefix(above).unwrap_or(package);
            let root = if workspace.leaves_out(inner) { package } else { above };
            return Ok(root.to_string_lossy().into_owned());
        }
    }
    Ok(tree.package.to_owned())
}

/// A path from a directory, without its `..`.
fn joined(directory: &Path, path: &str) -> String {
    let mut joined = PathBuf::new();
    for part in directory.join(path).components() {
        match part {
            Component::ParentDir => drop(joined.pop()),
            Component::Normal(name) => joined.push(name),
            _ => {}
        }
    }
    joined.to_string_lossy().into_owned()
}

fn cargo_toml(bytes: &[u8]) -> Option<CargoToml> {
    toml::from_str(std::str::from_utf8(bytes).ok()?).ok()
}
