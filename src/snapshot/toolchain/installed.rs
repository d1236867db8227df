//! The toolchains that rustup has on this machine. One compiler may be here under several names, such as `stable` and
//! `1.95.0`: what a pin or a lock asks for need not be downloaded again.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::{Installed, Toolchain};
use crate::cache::{Cache, Witnesses};
use crate::error::Result;
use crate::os::bounded;
use crate::os::env;

/// Their directories, in the order of their names.
fn directories() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(env::rustup_home().join("toolchains")).into_iter().flatten();
    let mut found: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    found.sort();
    found
}

/// What is in such a directory, if it is a whole toolchain.
fn look(directory: &Path) -> Result<Option<Installed>> {
    let [rustc, cargo] = programs(directory);
    if ![&rustc, &cargo].into_iter().all(|program| env::is_executable(program)) {
        return Ok(None);
    }
    let identity = Toolchain::of(&rustc, &cargo, Path::new("/"), None)?;
    Ok(Some(Installed { identity, rustc, cargo }))
}

/// The same, asked again only if its programs are others than at the last look.
fn look_remembered(directory: &Path, cache: &mut Cache) -> Option<Installed> {
    let observe = || {
        let witnesses = Witnesses {
            read: programs(directory).to_vec(),
            present: Vec::new(),
        };
        Ok((look(directory)?, witnesses))
    };
    cache.fact(&format!("toolchain in {}", directory.display()), observe).ok()?
}

fn programs(directory: &Path) -> [PathBuf; 2] {
    ["rustc", "cargo"].map(|name| directory.join("bin").join(name))
}

fn name(directory: &Path) -> String {
    directory.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Whether rustup would take a directory for the one of a channel.
fn is_of(channel: &str, directory: &Path) -> bool {
    let name = name(directory);
    name == channel || name.strip_prefix(channel).is_some_and(|rest| rest.starts_with('-'))
}

/// The toolchain that is the recorded one, whatever it is called.
pub fn recorded(locked: &Toolchain) -> Option<Installed> {
    let mut directories = directories();
    // The one that has its release for a name is likely it.
    directories.sort_by_key(|directory| !is_of(&locked.rustc, directory));
    directories
        .into_iter()
        .filter_map(|directory| look(&directory).ok()?)
        .find(|found| found.identity.is(locked))
}

/// The name under which the release is here that a pin asks for, where it is not here under its own.
pub fn by_another_name(channel: &str, cache: &mut Cache) -> Option<OsString> {
    let directories = directories();
    if released(channel).is_none() || directories.iter().any(|directory| is_of(channel, directory)) {
        return None;
    }
    let mut is_it =
        |directory: &Path| look_remembered(directory, cache).is_some_and(|found| found.identity.rustc == channel);
    let found = directories.iter().find(|directory| is_it(directory));
    Some(found?.file_name()?.to_owned())
}

/// The channel by which rustup installs just this toolchain, if there is one.
pub fn channel(toolchain: &Installed) -> Option<String> {
    let release = &toolchain.identity.rustc;
    if let Some(channel) = released(release) {
        return Some(channel);
    }
    // Nightlies have their day for a name, which only rustup's own file says.
    let file = toolchain.root().join("lib/rustlib/multirust-channel-manifest.toml");
    let text = bounded::text(&file, bounded::GENERATED).ok().filter(|_| release.ends_with("-nightly"))?;
    let date = text
        .lines()
        .take(5)
        .find_map(|line| line.strip_prefix("date = \""))?
        .strip_suffix('"')?
        .to_owned();
    Some(format!("nightly-{date}"))
}

/// The channel of a release, unless it is a nightly.
pub fn released(release: &str) -> Option<String> {
    let (number, kind) = release.split_once('-').unwrap_or((release, ""));
    let is_number = number.split('.').count() == 3 && number.split('.').all(|part| part.parse::<u32>().is_ok());
    (is_number && (kind.is_empty() || kind.starts_with("beta"))).then(|| release.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_its_own_channel_and_a_nightly_is_none() {
        assert_eq!(released("1.95.0").as_deref(), Some("1.95.0"));
        assert_eq!(released("1.96.0-beta.3").as_deref(), Some("1.96.0-beta.3"));
        assert_eq!(released("1.97.0-nightly"), None);
        assert_eq!(released("1.95"), None);
    }

    #[test]
    fn a_directory_is_of_a_channel_by_its_whole_name() {
        let is = |channel: &str, directory: &str| is_of(channel, Path::new(directory));
        assert!(is("1.95.0", "/t/1.95.0-x86_64-unknown-linux-gnu") && is("mine", "/t/mine"));
        assert!(!is("1.9", "/t/1.95.0-x86_64-unknown-linux-gnu"));
    }
}
