//! Paths in a plan, whatever bytes they are: serde gives up on those that are not UTF-8.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    Bytes(Vec<u8>),
}

impl Written {
    fn of(path: &Path) -> Self {
        match path.to_str() {
            Some(text) => Self::Text(text.to_owned()),
            None => Self::Bytes(path.as_os_str().as_bytes().to_vec()),
        }
    }

    fn path(self) -> PathBuf {
        match self {
            Self::Text(text) => text.into(),
            Self::Bytes(bytes) => OsString::from_vec(bytes).into(),
        }
    }
}

/// For one path.
pub(super) mod path {
    use super::*;

    pub fn serialize<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
        Written::of(path).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
        Written::deserialize(deserializer).map(Written::path)
    }
}

/// For several.
pub(super) mod paths {
    use super::*;

    pub fn serialize<S: Serializer>(paths: &[PathBuf], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(paths.iter().map(|path| Written::of(path)))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<PathBuf>, D::Error> {
        let written = Vec::<Written>::deserialize(deserializer)?;
        Ok(written.into_iter().map(Written::path).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use crate::sandbox::Mount;

    #[test]
    fn a_path_is_read_back_whatever_bytes_it_is() {
        for bytes in [b"/a/b".as_slice(), b"/caf\xe9", b"/[1,2]", "/größe".as_bytes()] {
            use std::os::unix::ffi::OsStrExt as _;
            let mount = Mount {
                from: OsStr::from_bytes(bytes).into(),
                to: "/b".into(),
                writable: false,
            };
            let text = serde_json::to_string(&mount).unwrap();
            let read: Mount = serde_json::from_str(&text).unwrap();
            assert_eq!(read.from, mount.from);
        }
    }
}
