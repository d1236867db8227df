//! Drift: how the inputs of two snapshots differ. All of it is found, not only the first.

use super::table::TableChange;
use crate::digest::Digest;
use crate::outcome::Artifact;
use crate::snapshot::data::{DataFile, Form, Sample};
use crate::snapshot::dependencies::Package;
use crate::snapshot::source::Dirty;
use crate::snapshot::{Param, Seed};

/// An input that is not as locked.
#[derive(Clone, Debug, PartialEq)]
pub enum Drift {
    /// The lock's body is not the one that its id was made of.
    LockEdited {
        /// The id that the lock states.
        stated: Digest,
        /// The id of its body.
        actual: Digest,
    },
    /// The manifest declares something else that can change an outcome.
    Manifest(Change<String>),
    /// Another compiler or cargo.
    Toolchain(Change<&'static str>),
    /// A package was added, removed, or has another version, source or checksum.
    Dependency {
        /// As locked.
        locked: Option<Package>,
        /// As found.
        found: Option<Package>,
    },
    /// Cargo.lock differs in something other than its packages.
    DependencyGraph {
        /// Its digest as locked.
        locked: Digest,
        /// Its digest as found.
        found: Digest,
    },
    /// What this machine has under a package's name is not the package that Cargo.lock pins.
    DependencyTampered(Tampered),
    /// A file of the closure, or the commit of a submodule.
    Source(Change<String>),
    /// A name came to a directory that is listed, or went from it, or is where there was none.
    SourceName(SourceName),
    /// A file of the work tree is not as committed, so a checkout would build something else.
    SourceDirty(Dirty),
    /// Profile, features, flags or cargo configuration.
    Build(Change<String>),
    /// Plain cargo would follow a setting that a build of ours does not.
    AmbientBuild {
        /// The variable, or the key and the file that has it.
        setting: String,
    },
    /// The seed.
    Seed {
        /// As locked.
        locked: Seed,
        /// As found.
        found: Seed,
    },
    /// A parameter.
    Param {
        /// Its name.
        name: String,
        /// As locked.
        locked: Option<Param>,
        /// As found.
        found: Option<Param>,
    },
    /// A file of declared data has other bytes, or the data is declared otherwise.
    DataChanged(DataChange),
    /// A file of declared data, or all of it, is gone.
    DataMissing {
        /// The data's name.
        name: String,
        /// The file.
        path: String,
        /// What was locked of it, if it was.
        locked: Option<Digest>,
    },
    /// A file, or a whole entry, of declared data that the lock does not know.
    DataAdded {
        /// The data's name.
        name: String,
        /// The file.
        path: String,
        /// Its digest.
        found: Digest,
    },
    /// A variable that the program sees.
    Environment {
        /// Its name.
        name: String,
        /// As locked; none if it was unset.
        locked: Option<String>,
        /// As found.
        found: Option<String>,
    },
    /// Another platform class: byte identity is not promised, but may hold.
    Platform(Change<&'static str>),
    /// The tag that the lock was recorded at points elsewhere now.
    TagMoved {
        /// The tag.
        tag: String,
        /// The commit that was locked.
        locked: String,
        /// The commit it points to.
        found: String,
    },
    /// An artifact in the work tree is not the one that was recorded.
    ArtifactTampered {
        /// The stage that writes it.
        stage: String,
        /// Its path in the package.
        path: String,
        /// As recorded.
        locked: Artifact,
        /// As it lies there.
        found: Artifact,
    },
}

/// A named text, old and new; `None` where there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change<Name> {
    /// What changed.
    pub name: Name,
    /// As locked.
    pub locked: Option<String>,
    /// As found.
    pub found: Option<String>,
}

impl<Name> Change<Name> {
    /// Of two values.
    pub(super) fn new(name: Name, locked: impl ToString, found: impl ToString) -> Self {
        Self {
            name,
            locked: Some(locked.to_string()),
            found: Some(found.to_string()),
        }
    }
}

/// A name among the sources that is there now and was not, or the other way round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceName {
    /// Its path, with a `/` at the end if it is a directory.
    pub path: String,
    /// What makes it an input.
    pub how: NameChange,
}

impl SourceName {
    /// Whether it is what is not there any more.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        matches!(self.how, NameChange::Went(_))
    }
}

/// What makes a name an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NameChange {
    /// The directory is listed, and has it now.
    Came(String),
    /// The directory is listed, and had it.
    Went(String),
    /// It was looked for in vain, and is there now.
    Appeared,
    /// It was there, and is looked for in vain now.
    Disappeared,
    /// The directory itself is listed only now.
    ListedNow,
    /// The directory itself was listed, and is not any more.
    ListedBefore,
}

/// How declared data differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DataChange {
    /// A file has other bytes.
    File(Box<FileChange>),
    /// It was sampled and is read whole now, or the other way round.
    Extent {
        /// The data's name.
        name: String,
        /// As locked.
        locked: Option<Sample>,
        /// As found.
        found: Option<Sample>,
    },
    /// A symbolic link in it leads elsewhere.
    Link {
        /// The data's name.
        name: String,
        /// The link.
        path: String,
        /// What it led to; none if it was no link.
        locked: Option<String>,
        /// What it leads to.
        found: Option<String>,
    },
    /// What was a file is a directory now, or the like.
    Form {
        /// The data's name.
        name: String,
        /// As locked.
        locked: Form,
        /// As found.
        found: Form,
    },
    /// The manifest leads to other paths.
    Paths {
        /// The data's name.
        name: String,
        /// As locked.
        locked: Vec<String>,
        /// As found.
        found: Vec<String>,
    },
    /// Its digest is not that of its files, all of which are as locked.
    Tree {
        /// The data's name.
        name: String,
        /// As locked.
        locked: Digest,
        /// As found.
        found: Digest,
    },
    /// The data changed while the training read it.
    Meanwhile {
        /// The data's name.
        name: String,
        /// The file.
        path: String,
        /// Before the training.
        before: Digest,
        /// After it; none if it is gone.
        after: Option<Digest>,
    },
}

/// A file of declared data with other bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileChange {
    /// The data's name.
    pub name: String,
    /// The file.
    pub path: String,
    /// As locked.
    pub locked: DataFile,
    /// As found.
    pub found: DataFile,
    /// What that means for the table in it, if both are one.
    pub table: Option<TableChange>,
    /// Whether it has the same lines, and only their ends were turned.
    pub turned: bool,
}

/// Where cargo has a package's sources from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kept {
    /// An archive that it downloaded.
    Downloaded,
    /// An archive in a local registry, into which it downloads nothing.
    Local,
    /// A checkout from git.
    Git,
}

/// What is wrong with a package's sources on this machine.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tampered {
    /// Name and version.
    pub package: String,
    /// Where cargo has them from.
    pub kept: Kept,
    /// The archive, or a file of the unpacked sources.
    pub what: String,
    /// What it should be.
    pub expected: String,
    /// What it is.
    pub found: String,
}
