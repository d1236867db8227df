//! What to do where there is no manifest: in a workspace another package may have one.

use std::path::Path;

use super::FILE;
use crate::error::Error;
use crate::os::bounded;

/// That a directory has no manifest, and what comes next.
pub(super) fn absent(directory: &Path) -> Error {
    let error = Error::new(format!("no {FILE} in {}", directory.display()));
    match members_with_manifest(directory).as_slice() {
        [] => error.hint("`cargo repro init` writes one for this package, and `cargo repro new DIR` starts a new one"),
        [one] => error.hint(format!("the workspace's package {one} has one: add `-p {one}`")),
        all => {
            error.hint(format!("these packages of the workspace have one: {}; choose with `-p NAME`", all.join(", ")))
        }
    }
}

/// The names of the packages of the workspace in this directory that have a manifest.
fn members_with_manifest(directory: &Path) -> Vec<String> {
    let members = cargo_toml(directory).and_then(|table| {
        let members = table.get("workspace")?.get("members")?.as_array()?.clone();
        Some(members)
    });
    let patterns = members
        .into_iter()
        .flatten()
        .filter_map(|pattern| Some(directory.join(pattern.as_str()?).join(FILE)));
    let found = patterns.flat_map(|pattern| glob::glob(&pattern.to_string_lossy()).into_iter().flatten().flatten());
    let mut names: Vec<String> = found
        .filter_map(|manifest| Some(cargo_toml(manifest.parent()?)?.get("package")?.get("name")?.as_str()?.to_owned()))
        .collect();
    names.sort();
    names
}

fn cargo_toml(directory: &Path) -> Option<toml::Table> {
    bounded::text(&directory.join("Cargo.toml"), bounded::WRITTEN).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_packages_of_a_workspace_that_have_a_manifest_are_named() {
        let top = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = top.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let hint = || absent(top.path()).next().unwrap_or_default().to_owned();
        write("Cargo.toml", "[workspace]\nmembers = [\"models/*\", \"tool\"]\n");
        for name in ["models/one", "models/two", "tool"] {
            let package = format!("[package]\nname = \"{}\"\n", name.replace('/', "-"));
            write(&format!("{name}/Cargo.toml"), &package);
        }
        assert!(hint().starts_with("`cargo repro init`"), "{}", hint());
        write("models/two/repro.toml", "");
        assert_eq!(hint(), "the workspace's package models-two has one: add `-p models-two`");
        write("models/one/repro.toml", "");
        assert!(hint().contains("models-one, models-two"), "{}", hint());
    }
}
