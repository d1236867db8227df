//! The toolchain that a `rust-toolchain.toml` asks for, read before rustup reads it: rustup starts whatever program a
//! `path` leads to, and that must not be one that the repository brings.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::os::bounded;
use crate::os::env;
use crate::run::workdir;

/// What a pin asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A channel, or the name of a toolchain that the user linked.
    Channel(String),
    /// The directory of a toolchain.
    Directory(PathBuf),
    /// Components alone, of whichever toolchain it is.
    Any,
}

/// A pin, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// The file.
    pub file: PathBuf,
    /// What it asks for.
    pub wanted: Wanted,
}

/// The name of a pin.
pub const NAME: &str = "rust-toolchain.toml";

/// The names of a pin, the old one among them; rustup takes the first of a directory that is there.
const NAMES: [&str; 2] = ["rust-toolchain", NAME];

/// Where rustup looks for a pin in a directory, whether there is one or not.
pub fn files(directory: &Path) -> impl Iterator<Item = PathBuf> {
    NAMES.into_iter().map(|name| directory.join(name))
}

impl Pin {
    /// The pin that a directory itself has.
    ///
    /// # Errors
    /// When it is there and cannot be read.
    pub fn of(directory: &Path) -> Result<Option<Self>> {
        let Some(file) = files(directory).find(|file| file.symlink_metadata().is_ok() && !file.is_dir()) else {
            return Ok(None);
        };
        let text = bounded::text(&file, bounded::WRITTEN).map_err(|error| Error::io("read", &file, &error))?;
        let is_old = file.extension().is_none();
        let wanted = wanted(text.trim(), is_old).map_err(|why| {
            Error::new(format!("{} is no toolchain file: {why}", file.display()))
                .hint("it says which toolchain is used, as in `[toolchain]` and `channel = \"1.95.0\"` below it")
        })?;
        Ok(Some(Self { file, wanted }))
    }

    /// The one that rustup finds from a directory upward.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn nearest(directory: &Path) -> Result<Option<Self>> {
        for above in directory.ancestors() {
            if let Some(pin) = Self::of(above)? {
                return Ok(Some(pin));
            }
        }
        Ok(None)
    }

    /// The channel that it asks for.
    #[must_use]
    pub fn channel(&self) -> Option<&str> {
        match &self.wanted {
            Wanted::Channel(name) => Some(name),
            Wanted::Directory(_) | Wanted::Any => None,
        }
    }

    /// Refuses a toolchain that the repository brings, or that a run may have left; `directories` are those of the
    /// repository.
    ///
    /// # Errors
    /// That names it.
    pub fn must_be_of_the_machine(&self, directories: &[PathBuf]) -> Result<()> {
        match &self.wanted {
            Wanted::Directory(path) => {
                let place = self.file.file_name().unwrap_or_default().to_string_lossy();
                of_the_machine(path, directories).map_err(|why| refusal(&place, path, why))
            }
            Wanted::Channel(_) | Wanted::Any => Ok(()),
        }
    }
}

/// Refuses a toolchain that the caller's `RUSTUP_TOOLCHAIN` names by a path that leads into the repository: rustup's
/// own cargo sets it so when it starts this command by a pin.
///
/// # Errors
/// That names it.
pub fn name_must_be_of_the_machine(name: &Path, directories: &[PathBuf]) -> Result<()> {
    if name.components().count() < 2 {
        return Ok(());
    }
    of_the_machine(name, directories).map_err(|why| refusal("RUSTUP_TOOLCHAIN", name, why))
}

/// Whether a program is none that the repository brings, by where it lies.
pub fn is_of_the_machine(program: &Path, directories: &[PathBuf]) -> bool {
    of_the_machine(program, directories).is_ok()
}

fn refusal(place: &str, path: &Path, why: &str) -> Error {
    Error::new(format!("{place} asks for the toolchain in {}, {why}", path.display()))
        .context("its programs would run outside the sandbox, so they are not run at all")
        .hint("pin a channel, as in `channel = \"1.95.0\"`; a toolchain of your own gets a name by `rustup toolchain link NAME DIR`")
}

/// Whether a directory is the machine's own affair; if not, why not.
fn of_the_machine(path: &Path, directories: &[PathBuf]) -> Result<(), &'static str> {
    const ANOTHER_EACH_TIME: &str = "which is another place for each process";
    if path.is_relative() {
        return Err("which is no absolute path");
    }
    let Ok(real) = path.canonicalize() else {
        return Err("which is not there");
    };
    // Links below /proc lead each process to another place.
    if ["/proc", "/dev"].iter().any(|own| path.starts_with(own) || real.starts_with(own)) {
        return Err(ANOTHER_EACH_TIME);
    }
    let is_below = |directory: &Path| directory.canonicalize().is_ok_and(|directory| real.starts_with(directory));
    if is_below(&env::rustup_home()) {
        return Ok(()); // which may lie in a repository of the user's own
    }
    if directories.iter().any(|directory| is_below(directory)) {
        return Err("which the repository itself brings");
    }
    if is_below(&workdir::of_this_user()) {
        return Err("where a run may have left it");
    }
    Ok(())
}

/// What the text of a pin asks for, by rustup's rules; the old form is one line with a channel or a path.
fn wanted(text: &str, is_old: bool) -> Result<Wanted, String> {
    if is_old && text.lines().count() == 1 {
        if Path::new(text).is_absolute() {
            return Ok(Wanted::Directory(PathBuf::from(text)));
        }
        return channel(text).map(Wanted::Channel);
    }
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| error.message().to_owned())?;
    let Some(toolchain) = table.get("toolchain").and_then(toml::Value::as_table) else {
        return Err("it has no [toolchain]".to_owned());
    };
    let string = |key: &str| match toolchain.get(key) {
        None => Ok(None),
        Some(toml::Value::String(text)) => Ok(Some(text.as_str())),
        Some(_) => Err(format!("`{key}` is no string")),
    };
    match (string("path")?, string("channel")?) {
        (Some(path), None) => Ok(Wanted::Directory(PathBuf::from(path))),
        (None, Some(name)) => channel(name).map(Wanted::Channel),
        (None, None) => Ok(Wanted::Any),
        (Some(_), Some(_)) => Err("it has both `path` and `channel`".to_owned()),
    }
}

/// A channel is a name, and never a path.
fn channel(name: &str) -> Result<String, String> {
    let letters = |letter: char| letter.is_ascii_alphanumeric() || "._+-".contains(letter);
    if name.starts_with(|first: char| first.is_ascii_alphanumeric()) && name.chars().all(letters) {
        Ok(name.to_owned())
    } else {
        Err(format!("`{name}` is no name of a channel"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_of_a_pin_is_read_as_rustup_reads_it() {
        let channel = |name: &str| Ok(Wanted::Channel(name.to_owned()));
        let directory = |path: &str| Ok(Wanted::Directory(PathBuf::from(path)));
        assert_eq!(wanted("[toolchain]\nchannel = \"1.95.0\"", false), channel("1.95.0"));
        assert_eq!(wanted("[toolchain]\nchannel = \"nightly-2026-01-01\"", true), channel("nightly-2026-01-01"));
        assert_eq!(wanted("stable", true), channel("stable"));
        assert_eq!(wanted("/proc/self/cwd/tc", true), directory("/proc/self/cwd/tc"));
        assert_eq!(wanted("[toolchain]\npath = \"tc\"", false), directory("tc"));
        assert_eq!(wanted("toolchain.path = \"/tc\"", false), directory("/tc"));
        assert_eq!(wanted("[toolchain]\ncomponents = [\"clippy\"]", false), Ok(Wanted::Any));
        for bad in [
            "",
            "[toolchain]\nchannel = \"../tc\"",
            "[toolchain]\nchannel = \"a/b\"",
            "[other]",
            "stable\n",
        ] {
            assert!(wanted(bad, false).is_err(), "{bad}");
        }
        assert!(wanted("../tc", true).is_err());
        assert!(wanted("..", true).is_err());
    }

    #[test]
    fn a_toolchain_that_a_repository_may_bring_is_refused_however_it_is_reached() {
        let around = tempfile::tempdir().unwrap();
        let (root, machine) = (around.path().join("repository"), around.path().join("machine"));
        std::fs::create_dir_all(root.join("tc")).unwrap();
        std::fs::create_dir_all(&machine).unwrap();
        std::os::unix::fs::symlink(root.join("tc"), around.path().join("link")).unwrap();
        let roots = [root.clone()];
        let refused = |path: &Path| of_the_machine(path, &roots).is_err();
        for path in [
            root.join("tc"),
            around.path().join("link"),
            machine.join("../repository/tc"),
            "tc".into(),
            "/proc/self/cwd".into(),
            "/proc/self/root/usr".into(),
            "/dev/fd/3".into(),
            around.path().join("none"),
        ] {
            assert!(refused(&path), "{}", path.display());
        }
        assert!(!refused(&machine));
    }
}
