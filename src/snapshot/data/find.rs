//! From declared paths to the names of files: directories are walked, patterns matched, links followed as
//! far as they stay within what is declared. What the files hold is not looked at here.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Form;
use crate::cache::stat::StatData;
use crate::cache::stat_cache::{Kind, StatCache};
use crate::error::{Error, IoContext as _, Result};
use crate::lockfile;
use crate::os::env;
use crate::os::interrupt;
use crate::project::manifest;
use crate::release::gate;

/// What the declared paths lead to.
#[derive(Debug, Default)]
pub struct Found {
    /// Files, by the directory that they are in.
    pub groups: Vec<Group>,
    /// Links within declared directories, with their targets as they are written.
    pub links: BTreeMap<String, String>,
    /// Declared paths where there is nothing.
    pub missing: Vec<String>,
    /// What each of the paths is.
    pub forms: Vec<Form>,
}

/// Files of one directory.
#[derive(Debug)]
pub struct Group {
    /// The directory.
    pub directory: PathBuf,
    /// What stands before a file's name in its declared path: empty, or with a slash at its end.
    pub prefix: String,
    /// The files' names.
    pub names: Vec<Arc<str>>,
}

/// Whether a path is a lock, or an attestation beside a manifest: no data, however large a directory or pattern is
/// declared, since a program must not read what it is judged by.
fn tells_of_runs(path: &Path) -> bool {
    let attestations = gate::DIRECTORY.trim_end_matches('/');
    let holds_attestations =
        |above: &Path| above.ends_with(attestations) && above.with_file_name(manifest::FILE).is_file();
    path.ends_with(lockfile::FILE) || path.ancestors().any(holds_attestations)
}

/// Whether that must be asked of something in a directory: most names are no such thing.
fn is_suspect(name: &str, kind: Kind) -> bool {
    kind == Kind::Link
        || name == lockfile::FILE
        || kind == Kind::Directory && gate::DIRECTORY.trim_end_matches('/') == name
}

/// The same of a path that a pattern matched.
fn is_odd(path: &Path) -> bool {
    let attestations = gate::DIRECTORY.trim_end_matches('/');
    path.ends_with(lockfile::FILE) || path.is_symlink() || path.iter().any(|part| part == attestations)
}

/// Looks for the files that `paths` declare, relative to `directory`. The index spares the reading of
/// directories that are as they were, and learns of the others.
///
/// # Errors
/// When something cannot be read, is no file, leads out of the declared data, or has a name that is not
/// UTF-8.
pub fn find(directory: &Path, paths: &[String], index: &mut StatCache) -> Result<Found> {
    let mut search = Search {
        found: Found::default(),
        index,
    };
    for path in paths {
        search.declare(directory, path)?;
    }
    Ok(search.found)
}

struct Search<'a> {
    found: Found,
    index: &'a mut StatCache,
}

/// The directories that a walk is in, each known by device and inode whatever path led to it.
struct Descent {
    /// Where the declared directory really is.
    root: PathBuf,
    within: Vec<(u64, u64)>,
}

impl Search<'_> {
    fn declare(&mut self, directory: &Path, declared: &str) -> Result<()> {
        let path = directory.join(declared);
        if path.canonicalize().is_ok_and(|path| tells_of_runs(&path)) {
            return Err(Error::new(format!("{declared} cannot be data: a run must not see what it is judged by"))
                .hint("locks and attestations are no data; take it out of [data]"));
        }
        match std::fs::metadata(&path) {
            Ok(meta) if meta.is_dir() => {
                self.found.forms.push(Form::Directory);
                let root = path.canonicalize().at("find", &path)?;
                let within = Vec::new();
                self.walk(&path, declared.trim_end_matches('/'), &mut Descent { root, within })
            }
            Ok(_) => {
                self.found.forms.push(Form::File);
                self.file(&path, declared)
            }
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::io("read the data", &path, &error))
            }
            Err(_) if declared.contains(['*', '?', '[']) => self.glob(directory, declared),
            Err(_) => {
                self.found.forms.push(Form::File);
                self.found.missing.push(declared.to_owned());
                Ok(())
            }
        }
    }

    fn glob(&mut self, directory: &Path, declared: &str) -> Result<()> {
        self.found.forms.push(Form::Several);
        let escaped = glob::Pattern::escape(&directory.to_string_lossy());
        let matches = glob::glob(&format!("{escaped}/{declared}"))
            .map_err(|error| Error::new(format!("the pattern {declared} cannot be read: {error}")))?;
        let mut is_missing = true;
        for path in matches {
            let path = path.map_err(|error| Error::io("read the data", error.path(), error.error()))?;
            let meta = std::fs::metadata(&path).at("read the data", &path)?;
            let is_apart = is_odd(&path) && path.canonicalize().is_ok_and(|path| tells_of_runs(&path));
            if !meta.is_dir() && !is_apart {
                is_missing = false;
                let name = utf8(path.strip_prefix(directory).unwrap_or(&path), &path)?;
                self.file(&path, name)?;
            }
        }
        if is_missing {
            self.found.missing.push(declared.to_owned());
        }
        Ok(())
    }

    /// One file, which joins the group before it if that is of the same directory.
    fn file(&mut self, path: &Path, declared: &str) -> Result<()> {
        let (parent, name) = path.parent().zip(path.file_name()).ok_or_else(|| {
            Error::new(format!("the data {declared} has no name")).hint("declare a file, a directory or a pattern")
        })?;
        let name: Arc<str> = utf8(Path::new(name), path)?.into();
        let prefix = declared[..declared.len() - name.len()].to_owned();
        match self.found.groups.last_mut() {
            Some(group) if group.directory == parent && group.prefix == prefix => group.names.push(name),
            _ => self.found.groups.push(Group {
                directory: parent.to_path_buf(),
                prefix,
                names: vec![name],
            }),
        }
        Ok(())
    }

    fn walk(&mut self, path: &Path, declared: &str, descent: &mut Descent) -> Result<()> {
        interrupt::check()?;
        let meta = std::fs::metadata(path).at("read the data", path)?;
        descent.within.push((meta.dev(), meta.ino()));
        let mut files = Vec::new();
        for (name, kind) in self.names(path)? {
            let inner = || path.join(&*name);
            if is_suspect(&name, kind) && inner().canonicalize().is_ok_and(|path| tells_of_runs(&path)) {
                continue;
            }
            let inner_name = || format!("{declared}/{name}");
            let leads_to = match kind {
                Kind::Link => self.follow(&inner(), inner_name(), descent)?,
                other => other,
            };
            match leads_to {
                Kind::File => files.push(name),
                Kind::Directory => self.walk(&inner(), &inner_name(), descent)?,
                Kind::Link | Kind::Other => return Err(super::content::not_a_file(&inner())),
            }
        }
        if !files.is_empty() {
            self.found.groups.push(Group {
                directory: path.to_path_buf(),
                prefix: format!("{declared}/"),
                names: files,
            });
        }
        descent.within.pop();
        Ok(())
    }

    /// What a directory holds, sorted by name: from the cache while its stat data is the same.
    fn names(&mut self, path: &Path) -> Result<Vec<(Arc<str>, Kind)>> {
        let read_at = env::now_ns();
        let stat = StatData::of(path);
        if let Some(known) = self.index.directory(path)
            && known.listed.is_some()
            && known.listed == stat
        {
            return Ok(known.entries.iter().map(|entry| (Arc::clone(&entry.name), entry.kind)).collect());
        }
        let mut names = Vec::new();
        for entry in std::fs::read_dir(path).at("read the data", path)? {
            let entry = entry.at("read the data", path)?;
            let name: Arc<str> = utf8(Path::new(&entry.file_name()), &entry.path())?.into();
            let kind = entry.file_type().at("look at the data", &entry.path())?;
            let kind = match kind {
                _ if kind.is_file() => Kind::File,
                _ if kind.is_dir() => Kind::Directory,
                _ if kind.is_symlink() => Kind::Link,
                _ => Kind::Other,
            };
            names.push((name, kind));
        }
        names.sort_unstable();
        self.index.keep_listing(path, stat.filter(|stat| !stat.is_racy(read_at)), &names);
        Ok(names)
    }

    /// What a link leads to, which must be within the declared directory and not around it.
    fn follow(&mut self, path: &Path, declared: String, descent: &Descent) -> Result<Kind> {
        let target = std::fs::read_link(path).at("follow", path)?;
        let end = path.canonicalize().map_err(|error| {
            Error::io("follow the link", path, &error).hint("a link in declared data leads to something that is there")
        })?;
        if !end.starts_with(&descent.root) {
            return Err(Error::new(format!("the link {} leads out of the declared data", path.display()))
                .hint("declare what it points to, or put a copy there"));
        }
        let meta = std::fs::metadata(&end).at("read the data", &end)?;
        if meta.is_dir() && descent.within.contains(&(meta.dev(), meta.ino())) {
            return Err(Error::new(format!("the link {} leads back to a directory that it is in", path.display()))
                .hint("the data would have no end; remove the link"));
        }
        // An absolute target names a place of this machine; what it is within the data is what counts.
        let written = if target.is_absolute() {
            end.strip_prefix(&descent.root).unwrap_or(&end).to_path_buf()
        } else {
            target
        };
        self.found.links.insert(declared, utf8(&written, path)?.to_owned());
        Ok(match meta {
            _ if meta.is_dir() => Kind::Directory,
            _ if meta.is_file() => Kind::File,
            _ => Kind::Other,
        })
    }
}

fn utf8<'a>(name: &'a Path, whole: &Path) -> Result<&'a str> {
    name.to_str().ok_or_else(|| {
        Error::new(format!("the name of the data {} is not UTF-8", whole.display()))
            .hint("rename it; a lock is text and could not name it")
    })
}
