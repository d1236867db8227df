//! Settings that plain `cargo build` would follow and a build of ours does not: variables of the caller by their names
//! alone, keys of configuration outside the repository by the file that has them, and programs that the repository
//! would have in the compiler's place. Each is named, so that nobody wonders.

use std::path::{Path, PathBuf};

use super::BUILDING;
use crate::error::Result;
use crate::os::env;
use crate::project::cargo_config;
use crate::project::manifest;
use crate::project::package::Package;
use crate::snapshot::source::relative;

/// Where products lie, how many compilers there are at a time, and what is built in steps changes nothing of a program.
const OF_NO_MATTER: [&str; 7] = [
    "target-dir",
    "build-dir",
    "jobs",
    "incremental",
    "dep-info-basedir",
    "warnings",
    "rustdoc",
];

/// Every such setting.
///
/// # Errors
/// When the repository's configuration cannot be read.
pub fn settings(package: &Package, root: &Path, declared: &manifest::Environment) -> Result<Vec<String>> {
    let mut found: Vec<String> = env::cargo_settings()
        .into_iter()
        .filter(|name| !(is_of_no_matter(name) || is_declared(name, declared) && is_passed_on(name)))
        .collect();
    for directory in outside(package, root) {
        let Some(table) = cargo_config::of(&directory) else {
            continue;
        };
        let building = table.into_iter().filter(|(key, _)| BUILDING.contains(&key.as_str()));
        let keys = super::flatten(building.collect()).into_keys();
        let keys = keys.filter(|key| !key.strip_prefix("build.").is_some_and(|key| OF_NO_MATTER.contains(&key)));
        let place = if directory == env::cargo_home() {
            "$CARGO_HOME/config.toml".to_owned()
        } else {
            relative(root, &directory.join("config.toml")).unwrap_or_else(|_| "a .cargo/config.toml above".to_owned())
        };
        found.extend(keys.map(|key| format!("{key} in {place}")));
    }
    let files = cargo_config::files(&package.directory, root)?;
    let programs = cargo_config::programs(&files)?.into_iter().filter(|key| key != "build.rustdoc");
    found.extend(programs.map(|key| format!("{key} of the repository")));
    Ok(found)
}

/// The number of compilers at a time that the caller wants, as cargo itself would find it: in the environment, or in the
/// configuration outside the repository. What the repository says of it cargo reads by itself.
#[must_use]
pub fn jobs(package: &Package, root: &Path) -> Option<String> {
    let written = |directory: PathBuf| {
        let table = cargo_config::of(&directory)?;
        match table.get("build")?.get("jobs")? {
            toml::Value::Integer(number) => Some(number.to_string()),
            toml::Value::String(word) => Some(word.clone()),
            _ => None,
        }
    };
    let of_repository = || {
        let files = cargo_config::files(&package.directory, root).unwrap_or_default();
        let tables = files.iter().filter_map(|file| cargo_config::read(file).ok());
        tables
            .into_iter()
            .any(|table| table.get("build").is_some_and(|build| build.get("jobs").is_some()))
    };
    let asked = env::cargo_jobs();
    let asked = asked.or_else(|| {
        if of_repository() {
            None
        } else {
            outside(package, root).into_iter().find_map(written)
        }
    });
    asked.filter(|jobs| jobs == "default" || jobs.parse::<i32>().is_ok_and(|number| number != 0))
}

/// The directories outside the repository in which cargo finds configuration, nearest first.
fn outside(package: &Package, root: &Path) -> Vec<PathBuf> {
    let above = package.directory.ancestors().filter(|above| !above.starts_with(root));
    let mut directories: Vec<PathBuf> = above.map(|above| above.join(".cargo")).collect();
    let home = env::cargo_home();
    if !directories.contains(&home) {
        directories.push(home);
    }
    directories
}

fn is_of_no_matter(variable: &str) -> bool {
    let key = |name: &str| format!("CARGO_BUILD_{}", name.to_uppercase().replace('-', "_"));
    ["CARGO_TARGET_DIR", "CARGO_INCREMENTAL"].contains(&variable)
        || OF_NO_MATTER.iter().any(|name| key(name) == variable)
}

fn is_declared(variable: &str, declared: &manifest::Environment) -> bool {
    declared.set.contains_key(variable) || declared.pass.iter().any(|name| name == variable)
}

/// Whether a declared variable reaches a build. It has flags of its own, and a compiler.
fn is_passed_on(variable: &str) -> bool {
    !variable.ends_with("RUSTFLAGS") && !variable.contains("RUSTC")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_no_program_is_not_named() {
        for name in [
            "CARGO_TARGET_DIR",
            "CARGO_BUILD_JOBS",
            "CARGO_BUILD_BUILD_DIR",
            "CARGO_BUILD_TARGET_DIR",
        ] {
            assert!(is_of_no_matter(name), "{name}");
        }
        for name in [
            "CARGO_BUILD_TARGET",
            "CARGO_PROFILE_RELEASE_LTO",
            "CARGO_BUILD_RUSTFLAGS",
            "RUSTFLAGS",
        ] {
            assert!(!is_of_no_matter(name), "{name}");
        }
        assert!(is_passed_on("CARGO_PROFILE_RELEASE_LTO"));
        assert!(!is_passed_on("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS") && !is_passed_on("RUSTC_WRAPPER"));
    }
}
