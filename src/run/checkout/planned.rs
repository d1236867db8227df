//! One file of a checkout: what it is to be, and whether it is that.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::changed;
use crate::bounded;
use crate::digest::Digest;
use crate::error::{Error, IoContext as _, Result};
use crate::repository::Kind;

/// A file, an executable or a link.
#[derive(Clone, Debug)]
pub(super) struct Planned {
    pub(super) kind: Kind,
    pub(super) content: Content,
}

#[derive(Clone, Debug)]
pub(super) enum Content {
    /// Kept in memory: trees of sources are small, and are compared on every run.
    Bytes(Vec<u8>),
    /// Copied from a file outside the commit, as long as that has these bytes: it is somebody's to edit.
    File(PathBuf, Digest),
}

impl Planned {
    /// A source of which a program, a library or a build script can be made.
    pub(super) fn empty_program() -> Self {
        Self {
            kind: Kind::File,
            content: Content::Bytes(b"#![allow(warnings)]\nfn main() {}\n".to_vec()),
        }
    }

    /// Whether a text stands in it; of a file that lies elsewhere that is not known, and so assumed.
    pub(super) fn has_text(&self, text: &str) -> bool {
        match &self.content {
            Content::Bytes(bytes) => bytes.windows(text.len()).any(|window| window == text.as_bytes()),
            Content::File(..) => true,
        }
    }

    pub(super) fn from_disk(path: &Path) -> Result<Option<Self>> {
        let meta = match path.symlink_metadata() {
            Ok(meta) => meta,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io("look at", path, &error)),
        };
        if meta.is_symlink() {
            let target = std::fs::read_link(path).at("read", path)?;
            let content = Content::Bytes(target.into_os_string().into_encoded_bytes());
            return Ok(Some(Self {
                kind: Kind::Link,
                content,
            }));
        }
        let kind = if meta.permissions().mode() & 0o111 == 0 {
            Kind::File
        } else {
            Kind::Executable
        };
        if !meta.is_file() {
            return Ok(None);
        }
        Ok(Some(Self {
            kind,
            content: Content::File(path.to_path_buf(), Digest::of_file(path)?.0),
        }))
    }

    pub(super) fn digest(&self) -> Digest {
        match &self.content {
            Content::Bytes(bytes) => Digest::of(bytes),
            Content::File(_, digest) => *digest,
        }
    }

    pub(super) fn write(&self, path: &Path) -> Result<()> {
        if self.is_written(path) {
            return Ok(());
        }
        let read;
        let bytes = match &self.content {
            Content::Bytes(bytes) => bytes,
            Content::File(source, digest) => {
                read = bounded::bytes(source, bounded::HELD).at("read", source)?;
                if Digest::of(&read) != *digest {
                    return Err(changed(source));
                }
                &read
            }
        };
        if path.symlink_metadata().is_ok_and(|meta| meta.is_dir()) {
            std::fs::remove_dir_all(path).at("remove", path)?;
        } else if path.symlink_metadata().is_ok() {
            std::fs::remove_file(path).at("remove", path)?;
        }
        let parent = path.parent().unwrap_or(Path::new("/"));
        std::fs::create_dir_all(parent).at("make the directory", parent)?;
        if self.kind == Kind::Link {
            use std::os::unix::ffi::OsStrExt as _;
            let target = Path::new(std::ffi::OsStr::from_bytes(bytes));
            return std::os::unix::fs::symlink(target, path).at("make the link", path);
        }
        std::fs::write(path, bytes).at("write", path)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(self.mode())).at("set the mode of", path)
    }

    fn mode(&self) -> u32 {
        if self.kind == Kind::Executable { 0o755 } else { 0o644 }
    }

    pub(super) fn is_written(&self, path: &Path) -> bool {
        let Ok(meta) = path.symlink_metadata() else {
            return false;
        };
        if let (Kind::Link, Content::Bytes(bytes)) = (self.kind, &self.content) {
            let target = std::fs::read_link(path);
            return target.is_ok_and(|target| target.as_os_str().as_encoded_bytes() == bytes);
        }
        let is_same = || match &self.content {
            Content::Bytes(bytes) => {
                meta.len() == bytes.len() as u64
                    && bounded::bytes(path, bounded::HELD).is_ok_and(|found| found == *bytes)
            }
            Content::File(_, digest) => Digest::of_file(path).is_ok_and(|(found, _)| found == *digest),
        };
        meta.is_file() && meta.permissions().mode() & 0o777 == self.mode() && is_same()
    }
}
