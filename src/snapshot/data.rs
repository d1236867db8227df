//! Declared data: which files it is now, with their digests. A file's digest is SHA-256 of its bytes; a
//! directory's, a glob's and a list's is the tree digest of its files, sorted by path. Only content
//! counts, so a touched file is the same file.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::error::{Error, IoContext as _, Result};
use crate::memory::Memory;

/// One entry of `[data]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Data {
    /// The paths and globs that the manifest declares.
    pub paths: Vec<String>,
    /// What they are.
    pub form: Form,
    /// The digest of all of it.
    pub digest: Digest,
    /// Its size in bytes.
    pub bytes: u64,
    /// The files by path, as the manifest's paths lead to them.
    pub files: BTreeMap<String, DataFile>,
    /// Declared paths where there is nothing. Never in a lock.
    #[serde(skip)]
    pub missing: Vec<String>,
}

/// What declared data is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// One file.
    File,
    /// All files of a directory.
    Directory,
    /// The files that a pattern matches, or several of these.
    Several,
}

impl Form {
    /// With its article.
    #[must_use]
    pub fn phrase(self) -> &'static str {
        match self {
            Self::File => "a file",
            Self::Directory => "a directory",
            Self::Several => "a glob or a list",
        }
    }
}

/// One file of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataFile {
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// Its size.
    pub bytes: u64,
}

impl Data {
    /// Finds and digests the files that `paths` declare, relative to `directory`. What is missing is
    /// noted, not an error.
    ///
    /// # Errors
    /// When something cannot be read, is neither a file nor a directory, or has a name that is not
    /// UTF-8.
    pub fn observe(directory: &Path, paths: &[String], memory: &mut Memory) -> Result<Self> {
        let mut found = Found::default();
        for path in paths {
            found.declare(directory, path)?;
        }
        found.files.sort();
        found.files.dedup();
        let form = match (paths, found.forms.as_slice()) {
            ([_], [form]) => *form,
            _ => Form::Several,
        };
        let mut files = BTreeMap::new();
        for path in &found.files {
            let (digest, bytes) = memory.digest(&directory.join(path))?;
            files.insert(path.clone(), DataFile { digest, bytes });
        }
        let single = files.values().next().filter(|_| form == Form::File);
        Ok(Self {
            paths: paths.to_vec(),
            form,
            digest: single.map_or_else(|| Digest::of_tree(files.values().map(|file| &file.digest)), |file| file.digest),
            bytes: files.values().map(|file| file.bytes).sum(),
            files,
            missing: found.missing,
        })
    }

    /// What the program gets: for a file or a directory its path, for anything else one path a line.
    #[must_use]
    pub fn as_variable(&self, directory: &Path) -> String {
        let absolute = |path: &str| directory.join(path).to_string_lossy().into_owned();
        match self.form {
            Form::File | Form::Directory => absolute(&self.paths[0]),
            Form::Several => {
                let files: Vec<String> = self.files.keys().map(|path| absolute(path)).collect();
                files.join("\n")
            }
        }
    }
}

#[derive(Default)]
struct Found {
    files: Vec<String>,
    forms: Vec<Form>,
    missing: Vec<String>,
}

impl Found {
    fn declare(&mut self, directory: &Path, declared: &str) -> Result<()> {
        let path = directory.join(declared);
        match std::fs::metadata(&path) {
            Ok(meta) if meta.is_dir() => {
                self.forms.push(Form::Directory);
                let root = path.canonicalize().at("find", &path)?;
                self.directory(&path, declared.trim_end_matches('/'), &root)
            }
            Ok(meta) => {
                self.forms.push(Form::File);
                self.file(declared.to_owned(), &path, &meta)
            }
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::io("read the data", &path, &error))
            }
            Err(_) if declared.contains(['*', '?', '[']) => self.glob(directory, declared),
            Err(_) => {
                self.forms.push(Form::File);
                self.missing.push(declared.to_owned());
                Ok(())
            }
        }
    }

    fn glob(&mut self, directory: &Path, declared: &str) -> Result<()> {
        self.forms.push(Form::Several);
        let escaped = glob::Pattern::escape(&directory.to_string_lossy());
        let matches = glob::glob(&format!("{escaped}/{declared}"))
            .map_err(|error| Error::new(format!("the pattern {declared} cannot be read: {error}")))?;
        let before = self.files.len();
        for path in matches {
            let path = path.map_err(|error| Error::io("read the data", error.path(), error.error()))?;
            let meta = std::fs::metadata(&path).at("read the data", &path)?;
            if meta.is_file() {
                let name = utf8(path.strip_prefix(directory).unwrap_or(&path))?;
                self.file(name, &path, &meta)?;
            }
        }
        if self.files.len() == before {
            self.missing.push(declared.to_owned());
        }
        Ok(())
    }

    fn directory(&mut self, path: &Path, name: &str, root: &Path) -> Result<()> {
        for entry in std::fs::read_dir(path).at("read the data", path)? {
            let entry = entry.at("read the data", path)?;
            let inner = entry.path();
            let inner_name = format!("{name}/{}", utf8(Path::new(&entry.file_name()))?);
            let meta = std::fs::metadata(&inner).at("read the data", &inner)?;
            let is_link = entry.file_type().at("read the data", &inner)?.is_symlink();
            if is_link {
                let target = inner.canonicalize().at("follow", &inner)?;
                if !target.starts_with(root) || path.canonicalize().at("find", path)?.starts_with(&target) {
                    return Err(Error::new(format!("the link {} leads out of the declared data", inner.display()))
                        .hint("declare what it points to, or put a copy there"));
                }
            }
            if meta.is_dir() {
                self.directory(&inner, &inner_name, root)?;
            } else {
                self.file(inner_name, &inner, &meta)?;
            }
        }
        Ok(())
    }

    fn file(&mut self, name: String, path: &Path, meta: &std::fs::Metadata) -> Result<()> {
        if !meta.is_file() {
            return Err(Error::new(format!("the data {} is neither a file nor a directory", path.display()))
                .hint("sockets, pipes and devices have no content that could be pinned"));
        }
        self.files.push(name);
        Ok(())
    }
}

fn utf8(path: &Path) -> Result<String> {
    path.to_str().map(str::to_owned).ok_or_else(|| {
        Error::new(format!("the name of the data {} is not UTF-8", path.display()))
            .hint("rename it; a lock is text and could not name it")
    })
}
