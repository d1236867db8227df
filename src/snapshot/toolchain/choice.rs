//! Whose choice the toolchain is: the caller's, by `cargo +NAME` or `RUSTUP_TOOLCHAIN`, or that of the directory,
//! which rustup makes. Rustup's cargo hands its choice for the current directory to this command in the same variable;
//! of a package elsewhere that says nothing.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::pin::{Pin, Wanted};
use crate::error::Result;
use crate::os::bounded;
use crate::os::env;

/// What decides in a directory.
#[derive(Debug, PartialEq, Eq)]
enum Decider {
    /// `rustup override set`.
    Override(String),
    /// A pin.
    Pin(Pin),
    /// Rustup's default, if it says one.
    Default(Option<String>),
}

impl Decider {
    fn of(directory: &Path, rustup: &Rustup) -> Result<Self> {
        for above in directory.ancestors() {
            if let Some(name) = rustup.override_of(above) {
                return Ok(Self::Override(name));
            }
            if let Some(pin) = Pin::of(above)? {
                return Ok(Self::Pin(pin));
            }
        }
        Ok(Self::Default(rustup.default()))
    }

    /// Whether rustup means it by this name.
    fn is_called(&self, name: &OsStr) -> bool {
        match self {
            Self::Override(own) => is_name_of(own, name),
            Self::Pin(pin) => match &pin.wanted {
                Wanted::Channel(channel) => is_name_of(channel, name),
                Wanted::Directory(path) => path.as_os_str() == name,
                Wanted::Any => false,
            },
            Self::Default(own) => own.as_ref().is_some_and(|own| is_name_of(own, name)),
        }
    }
}

/// Whether `name` is the channel's with or without a host behind it.
fn is_name_of(channel: &str, name: &OsStr) -> bool {
    let rest = name.to_str().and_then(|name| name.strip_prefix(channel));
    let is_host =
        |rest: &str| rest.strip_prefix('-').is_some_and(|host| host.starts_with(|c: char| !c.is_ascii_digit()));
    rest.is_some_and(|rest| rest.is_empty() || is_host(rest))
}

/// What rustup remembers.
struct Rustup(toml::Table);

impl Rustup {
    fn read() -> Self {
        let path = env::rustup_home().join("settings.toml");
        let text = bounded::text(&path, bounded::WRITTEN).unwrap_or_default();
        Self(text.parse().unwrap_or_default())
    }

    fn default(&self) -> Option<String> {
        Some(self.0.get("default_toolchain")?.as_str()?.to_owned())
    }

    fn override_of(&self, directory: &Path) -> Option<String> {
        let overrides = self.0.get("overrides")?.as_table()?;
        Some(overrides.get(directory.to_str()?)?.as_str()?.to_owned())
    }
}

/// The toolchain that the caller chose by its name; none where rustup is to decide by the directory.
///
/// # Errors
/// When a pin cannot be read.
pub fn of_caller(directory: &Path) -> Result<Option<OsString>> {
    let Some(name) = env::rustup_toolchain() else {
        return Ok(None);
    };
    let here = env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
    let rustup = Rustup::read();
    let (here, there) = (Decider::of(&here, &rustup)?, Decider::of(directory, &rustup)?);
    let is_of_here = here != there && here.is_called(&name);
    Ok((!is_of_here).then_some(name))
}

/// Whether `rustup override set` decides for a directory, which goes before a pin.
///
/// # Errors
/// When a pin cannot be read.
pub fn is_overridden(directory: &Path) -> Result<bool> {
    Ok(matches!(Decider::of(directory, &Rustup::read())?, Decider::Override(_)))
}

/// Whether the caller chose a toolchain by its name, and not rustup for the current directory.
///
/// # Errors
/// When a pin cannot be read.
pub fn is_of_caller_alone() -> Result<bool> {
    let Some(name) = env::rustup_toolchain() else {
        return Ok(false);
    };
    let here = env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
    Ok(!Decider::of(&here, &Rustup::read())?.is_called(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_have_the_host_behind_it_and_no_date() {
        let is_name = |channel: &str, name: &str| is_name_of(channel, OsStr::new(name));
        assert!(is_name("1.95.0", "1.95.0"));
        assert!(is_name("1.95.0", "1.95.0-x86_64-unknown-linux-gnu"));
        assert!(is_name("nightly", "nightly-x86_64-unknown-linux-gnu"));
        assert!(!is_name("nightly", "nightly-2026-01-01-x86_64-unknown-linux-gnu"));
        assert!(!is_name("1.9", "1.95.0"));
        assert!(!is_name("stable", "nightly"));
    }

    #[test]
    fn an_override_decides_before_the_pin_of_its_directory() {
        let here = tempfile::tempdir().unwrap();
        let inner = here.path().join("inner");
        std::fs::create_dir(&inner).unwrap();
        std::fs::write(here.path().join("rust-toolchain"), "stable\n").unwrap();
        let table = format!("default_toolchain = \"beta\"\n[overrides]\n\"{}\" = \"nightly\"\n", here.path().display());
        let rustup = Rustup(table.parse().unwrap());
        assert_eq!(Decider::of(&inner, &rustup).unwrap(), Decider::Override("nightly".to_owned()));
        let rustup = Rustup("default_toolchain = \"beta\"".parse().unwrap());
        assert!(Decider::of(&inner, &rustup).unwrap().is_called(OsStr::new("stable")));
        assert!(Decider::of(Path::new("/"), &rustup).unwrap().is_called(OsStr::new("beta")));
    }
}
