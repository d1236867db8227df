//! Declared data: which files it is now, with their digests, and what tables they hold. A file's digest is
//! SHA-256 of its bytes, as `sha256sum` gives it; a directory's, a glob's and a list's is the tree digest
//! of its files, sorted by path. Only content counts, so a touched file is the same file.

mod content;
mod dvc;
mod files;
mod find;
mod look;
mod sample;

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::cache::Cache;
use crate::cache::stat_cache::StatCache;
use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::progress::Progress;
use crate::project::manifest::Declared;
use crate::table::{self, Table};

pub use files::{Files, HELD};

/// One entry of `[data]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    /// If some of it was only sampled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<Sample>,
    /// Symbolic links in it, with what they lead to.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub links: BTreeMap<String, String>,
    /// The files by path, as the manifest's paths lead to them.
    pub files: Files,
    /// Declared paths where there is nothing. Never in a lock.
    #[serde(skip)]
    pub missing: Vec<String>,
    /// What is worth saying of it. Never in a lock.
    #[serde(skip)]
    pub remarks: Vec<Remark>,
    /// After a drift: of tables that grew, the part that is as long as the locked one, by path. Never in a
    /// lock.
    #[serde(skip)]
    pub beginnings: BTreeMap<String, Table>,
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

/// How much of it was read, where the manifest says that a sample is enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// The version of the rules that choose the bytes.
    pub rules: u32,
    /// How many files were only sampled.
    pub files: usize,
    /// How many bytes were read in all.
    pub read: u64,
}

/// One file of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataFile {
    /// SHA-256 of its bytes, or of its sample.
    pub digest: Digest,
    /// Its size.
    pub bytes: u64,
    /// Whether only a sample of it was read.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sampled: bool,
    /// Why it could not be read as the table that it should be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_table: Option<Box<str>>,
    /// The table in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<Box<Table>>,
}

impl DataFile {
    /// A file that is nothing but bytes.
    #[must_use]
    pub fn new(digest: Digest, bytes: u64) -> Self {
        Self {
            digest,
            bytes,
            sampled: false,
            no_table: None,
            table: None,
        }
    }
}

/// Something worth saying of declared data that is no difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remark {
    /// A file is pinned by its bytes alone, since it is not the table that it should be.
    NoTable {
        /// The file.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// The `.dvc` file beside it tells of other bytes.
    Dvc {
        /// The `.dvc` file.
        path: String,
        /// What it says.
        says: String,
        /// What is there.
        found: String,
    },
    /// The `.dvc` file beside it cannot be understood.
    DvcUnread {
        /// The `.dvc` file.
        path: String,
        /// Why.
        why: String,
    },
}

impl Data {
    /// Finds and digests what is declared, relative to `directory`. What is missing is noted, not an error.
    ///
    /// # Errors
    /// When something cannot be read, changes while it is read, is neither a file nor a directory, or has
    /// a name that is not UTF-8.
    pub fn observe(directory: &Path, declared: &Declared, cache: &mut Cache, progress: &Progress) -> Result<Self> {
        let found = find::find(directory, &declared.paths, &mut cache.files)?;
        let form = match (declared.paths.as_slice(), found.forms.as_slice()) {
            ([_], [form]) => *form,
            _ => Form::Several,
        };
        let files = look::files(&found.groups, declared, cache, progress)?;
        let mut remarks: Vec<Remark> = files.iter().filter_map(no_table).collect();
        remarks.extend(dvc::disagreements(directory, &declared.paths, &files, cache)?);
        let files = Files::new(files);
        if files.is_too_long() {
            return Err(Error::new(format!(
                "the paths of {} together are longer than 2 GiB",
                declared.paths.join(", ")
            ))
            .hint("no lock can have so many; declare an archive of these files in their place"));
        }
        let all = files.all();
        let digest = match all.first() {
            Some((_, only)) if form == Form::File => only.digest,
            _ => {
                let of_tree = || Digest::of_tree(all.iter().map(|(_, file)| &file.digest));
                // Of many files the digest of the paths takes as long, and a lock of as many asks for it.
                if all.len() > files::MOST_OPEN {
                    rayon::join(of_tree, || files.paths()).0
                } else {
                    of_tree()
                }
            }
        };
        let sampled = all.iter().filter(|(_, file)| file.sampled).count();
        let read = |file: &DataFile| if file.sampled { sample::READ } else { file.bytes };
        let sample = (sampled > 0).then(|| Sample {
            rules: sample::RULES,
            files: sampled,
            read: all.iter().map(|(_, file)| read(file)).sum(),
        });
        let bytes = all.iter().map(|(_, file)| file.bytes).sum();
        drop(all);
        Ok(Self {
            paths: declared.paths.clone(),
            form,
            digest,
            bytes,
            sample,
            links: found.links,
            files,
            missing: found.missing,
            remarks,
            beginnings: BTreeMap::new(),
        })
    }

    /// Looks again at tables that are not the locked ones, for what tells rows that were only appended.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn look_for_beginnings(&mut self, directory: &Path, locked: &Self) -> Result<()> {
        if self.digest == locked.digest {
            return Ok(());
        }
        let locked = locked.files.all(); // once: a long list is unpacked for it
        for (path, found) in self.files.all().iter() {
            let old = || locked.binary_search_by(|(other, _)| other.cmp(path)).ok().map(|at| &locked[at].1);
            if let Some(new) = &found.table
                && let Some(old) = old().and_then(|old| old.table.as_ref())
                && let Some(beginning) = table::beginning(&directory.join(path), old, new)?
            {
                self.beginnings.insert(path.clone(), beginning);
            }
        }
        Ok(())
    }

    /// What the program gets: for a file or a directory its path, for anything else one path a line.
    #[must_use]
    pub fn as_variable(&self, directory: &Path) -> String {
        let absolute = |path: &str| directory.join(path).to_string_lossy().into_owned();
        match self.form {
            Form::File | Form::Directory => absolute(&self.paths[0]),
            Form::Several => {
                let files: Vec<String> = self.files.all().iter().map(|(path, _)| absolute(path)).collect();
                files.join("\n")
            }
        }
    }
}

fn no_table((path, file): &(String, DataFile)) -> Option<Remark> {
    let why = file.no_table.as_deref()?.to_owned();
    Some(Remark::NoTable {
        path: path.clone(),
        why,
    })
}

/// The digest that a file of data has now, by the rule by which `file` was digested.
///
/// # Errors
/// When it cannot be read, or the user interrupts.
pub fn digest_again(path: &Path, file: &DataFile, progress: &Progress) -> Result<Digest> {
    if !file.sampled {
        return Ok(Digest::of_watched(path, progress)?.0);
    }
    let size = std::fs::metadata(path).map_or(0, |meta| meta.len());
    if size <= sample::SMALL {
        return Ok(Digest::of_watched(path, progress)?.0);
    }
    sample::digest(path, size, progress)
}

/// How many bytes are read of a file to digest it.
#[must_use]
pub fn bytes_read(file: &DataFile) -> u64 {
    if file.sampled { sample::READ } else { file.bytes }
}

/// The names of all files that a declared directory holds now, as `root` leads to them.
///
/// # Errors
/// As [`Data::observe`].
pub fn names(directory: &Path, root: &str) -> Result<Vec<String>> {
    let found = find::find(directory, &[String::from(".")], &mut StatCache::default())?;
    let prefix = |group: &find::Group| group.prefix.strip_prefix("./").unwrap_or_default().to_owned();
    let names = found.groups.iter().flat_map(|group| {
        let within = format!("{}/{}", root.trim_end_matches('/'), prefix(group));
        group.names.iter().map(move |name| [&within, &**name].concat())
    });
    Ok(names.collect())
}
