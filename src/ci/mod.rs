//! Pipelines for the project at hand: what CI must know of it as one value, and that value as the text of each
//! forge. What is asked of the machine is in `gather.rs`; everything else here is text from values. Running
//! anything is CI's own affair.

mod filter;
mod gather;
pub mod github;
pub mod gitlab;
mod inputs;
mod remarks;
#[cfg(test)]
mod tests;
mod tool;

pub use gather::gather;
pub use inputs::{Input, Local, Place};
pub use tool::{Action, Source, Tool};

use crate::digest::Digest;
use crate::snapshot::Platform;

/// The first words of every file that is written, by which it is known again.
pub const MARK: &str = "# Written by `cargo repro ci";

/// What a pipeline must know of a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pipeline {
    /// The package's name.
    pub package: String,
    /// Its directory from the top of the repository, empty for the top.
    pub directory: String,
    /// Its workspace's.
    pub workspace: String,
    /// What a training depends on, in the repository.
    pub inputs: Vec<Input>,
    /// Where the compiler is named.
    pub compiler: Compiler,
    /// The machine that the lock was recorded on.
    pub machine: Option<Platform>,
    /// Whether files are kept by Git LFS.
    pub lfs: bool,
    /// Whether sources lie in submodules.
    pub submodules: bool,
    /// Declared data that a clone does not have.
    pub absent: Vec<Place>,
    /// How long the stages may take together, in minutes; none if one of them may take for ever.
    pub minutes: Option<u64>,
    /// The patterns of tags that are releases.
    pub tags: Vec<String>,
    /// Whether the manifest itself names these.
    pub gated: bool,
    /// Whether there is a lock yet.
    pub locked: bool,
}

/// Where the compiler is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compiler {
    /// In the repository's `rust-toolchain.toml`.
    Pinned,
    /// In the lock alone, by the name of a release.
    Locked(String),
    /// In the lock alone, and no release has that name.
    Unnamed(String),
    /// Nowhere.
    Open,
}

impl Pipeline {
    /// Whether the package must be named, being one of several.
    #[must_use]
    pub fn is_member(&self) -> bool {
        self.directory != self.workspace
    }

    /// What its file is called, without an ending.
    #[must_use]
    pub fn file_stem(&self) -> String {
        match self.is_member() {
            true => format!("repro-{}", self.package),
            false => "repro".to_owned(),
        }
    }

    /// The minute and the hour of the nightly run: neither the full hour, when everybody's begin, nor the same for
    /// all packages.
    #[must_use]
    pub fn night(&self) -> (u8, u8) {
        let [minute, hour, ..] = *Digest::of(&self.package).raw();
        (minute % 30 * 2 + 1, hour % 5 + 1)
    }
}
