//! One file of a checkout: what it is to be, and whether it is that.

use std::cell::OnceCell;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::changed;
use crate::digest::Digest;
use crate::error::{Error, IoContext as _, Result};
use crate::os::bounded;
use crate::project::repository::{Entry, Kind, Repository};

/// A file, an executable or a link.
#[derive(Clone, Debug)]
pub(super) struct Planned {
    pub(super) kind: Kind,
    pub(super) content: Content,
}

#[derive(Clone, Debug)]
pub(super) enum Content {
    /// Not of the commit.
    Bytes(Vec<u8>),
    /// Of the commit. Once it is read it is kept in memory: what is needed of sources is small, and is compared on every
    /// run.
    Committed(Rc<Repository>, Entry, OnceCell<Vec<u8>>),
    /// Copied from a file outside the commit, as long as that has these bytes: it is somebody's to edit.
    File(PathBuf, Digest),
}

impl Planned {
    pub(super) fn committed(repository: &Rc<Repository>, entry: Entry) -> Self {
        Self {
            kind: entry.kind,
            content: Content::Committed(Rc::clone(repository), entry, OnceCell::new()),
        }
    }

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
            Content::File(..) => true,
            _ => self
                .held()
                .map_or(true, |bytes| bytes.windows(text.len()).any(|window| window == text.as_bytes())),
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

    /// The object of the commit that it is.
    pub(super) fn object(&self) -> Option<(&Rc<Repository>, Entry)> {
        match &self.content {
            Content::Committed(repository, entry, _) => Some((repository, *entry)),
            _ => None,
        }
    }

    /// What is held in memory of it, read if need be; nothing of a file that lies elsewhere.
    pub(super) fn held(&self) -> Result<&[u8]> {
        match &self.content {
            Content::Bytes(bytes) => Ok(bytes),
            Content::File(..) => Ok(&[]),
            Content::Committed(repository, entry, cell) => {
                if cell.get().is_none() {
                    let _ = cell.set(repository.content(*entry)?);
                }
                Ok(cell.get().expect("it was just set"))
            }
        }
    }

    /// The digest of its content; none where that cannot be read.
    pub(super) fn digest(&self) -> Option<Digest> {
        match &self.content {
            Content::File(_, digest) => Some(*digest),
            _ => self.held().ok().map(Digest::of),
        }
    }

    /// Another one for another content, without reading it.
    pub(super) fn identity(&self) -> Digest {
        match &self.content {
            Content::Bytes(bytes) => Digest::of(bytes),
            Content::File(_, digest) => *digest,
            Content::Committed(_, entry, _) => Digest::of(entry.id()),
        }
    }

    pub(super) fn write(&self, path: &Path) -> Result<()> {
        if self.is_written(path) {
            return Ok(());
        }
        let read;
        let bytes = match &self.content {
            Content::Bytes(_) | Content::Committed(..) => self.held()?,
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
        if self.kind == Kind::Link {
            let target = std::fs::read_link(path);
            let is_it = |target: PathBuf| self.held().is_ok_and(|held| target.as_os_str().as_encoded_bytes() == held);
            return target.is_ok_and(is_it);
        }
        let is_same = || match &self.content {
            Content::Bytes(_) | Content::Committed(..) => self.held().is_ok_and(|held| {
                meta.len() == held.len() as u64 && bounded::bytes(path, bounded::HELD).is_ok_and(|found| found == held)
            }),
            Content::File(_, digest) => Digest::of_file(path).is_ok_and(|(found, _)| found == *digest),
        };
        meta.is_file() && meta.permissions().mode() & 0o777 == self.mode() && is_same()
    }
}
