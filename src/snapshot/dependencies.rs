//! Every package that Cargo.lock pins. Whether the sources on this machine are those packages is
//! checked where they are unpacked, in [`crate::run::crates`].

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::os::bounded;
use crate::project::package;

/// What Cargo.lock pins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dependencies {
    /// The digest of Cargo.lock's bytes.
    pub lock: Digest,
    /// The packages, as Cargo.lock sorts them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub packages: Vec<Package>,
}

/// One package of Cargo.lock.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Where it comes from: `crates.io`, or the source as Cargo.lock writes it; none for a local one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The SHA-256 of the published `.crate`, in hex; none for git and local packages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
}

/// How the lock calls the registry that most packages come from.
pub const CRATES_IO: &str = "crates.io";

#[derive(Deserialize)]
struct CargoLock {
    #[serde(default)]
    package: Vec<LockedPackage>,
}

#[derive(Deserialize)]
struct LockedPackage {
    name: String,
    version: String,
    source: Option<String>,
    checksum: Option<String>,
}

impl Dependencies {
    /// Reads Cargo.lock.
    ///
    /// # Errors
    /// When it is missing or broken.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = bounded::bytes(path, bounded::GENERATED).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                Error::new(format!("there is no {}", path.display())).hint(package::NO_LOCK)
            }
            _ => Error::io("read", path, &error),
        })?;
        Self::from_bytes(&bytes).map_err(|message| {
            Error::new(format!("{} cannot be read", path.display()))
                .context(message)
                .hint(package::NO_LOCK)
        })
    }

    /// Of the text of Cargo.lock; the error is what is wrong with it.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
        let lock: CargoLock = toml::from_str(text).map_err(|error| error.to_string())?;
        let mut packages: Vec<Package> = lock.package.into_iter().map(Package::from).collect();
        packages.sort();
        Ok(Self {
            lock: Digest::of(bytes),
            packages,
        })
    }
}

impl From<LockedPackage> for Package {
    fn from(locked: LockedPackage) -> Self {
        let source = locked.source.map(|repr| {
            let source = cargo_metadata::Source { repr };
            if source.is_crates_io() {
                CRATES_IO.to_owned()
            } else {
                source.repr
            }
        });
        Self {
            name: locked.name,
            version: locked.version,
            source,
            checksum: locked.checksum,
        }
    }
}
