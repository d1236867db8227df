//! The packages of a commit that have a manifest, and what they say: their policies, names and versions. Read
//! from git's objects, since a server has no work tree.

use serde::Deserialize;

use super::content::Tree;
use crate::error::Result;
use crate::manifest::{FILE, Gate, Manifest};
use crate::repository::{Commit, Repository};

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
    let paths = repository.entries(commit)?.into_keys();
    let directory = |path: String| match path.strip_suffix(FILE)? {
        "" => Some(String::new()),
        above => above.strip_suffix('/').map(str::to_owned),
    };
    Ok(paths.filter_map(directory).collect())
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
}

#[derive(Deserialize)]
struct PackageText {
    name: Option<String>,
    version: Option<Version>,
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
            for above in std::path::Path::new(tree.package).ancestors() {
                let path = above.join("Cargo.toml").to_string_lossy().into_owned();
                let text = tree.read(&path)?.and_then(|bytes| cargo_toml(&bytes));
                if let Some(Version::Own(version)) = text.and_then(|text| text.workspace?.package?.version) {
                    return Ok(Ok(version));
                }
            }
            Ok(unreadable())
        }
    }
}

fn cargo_toml(bytes: &[u8]) -> Option<CargoToml> {
    toml::from_str(std::str::from_utf8(bytes).ok()?).ok()
}
