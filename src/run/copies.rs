//! Artifacts that are copies: a file among the inputs has the very bytes, and the build or a stage read it. That may
//! be meant, and may be a model that nobody trained; so it is named.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::access::{Access, Reached};
use super::checkout::Checkout;
use super::handover::{Handover, Keeps};
use super::staging::Staged;
use super::workdir::Workdir;
use crate::digest::Digest;
use crate::error::{IoContext as _, Result};
use crate::lockfile::Lockfile;
use crate::os::bounded;
use crate::outcome::{Artifact, Outcome};
use crate::sandbox::Report;

/// An artifact that is a copy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Copied {
    /// Its stage.
    pub stage: String,
    /// Its path.
    pub artifact: String,
    /// The input that it is a copy of, as a person calls it.
    pub input: String,
    /// Who read that: a stage, or the build; known at the time, and not in a lock.
    pub by: Option<Reader>,
}

/// Who read an input.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reader {
    /// The build.
    Build,
    /// This stage.
    Stage(String),
}

/// An input: what it is called, and where its bytes are.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Input {
    name: String,
    place: PathBuf,
}

/// Where inputs lie.
pub struct Inputs<'a> {
    /// The work directory.
    pub workdir: &'a Workdir,
    /// Where programs find it.
    pub seems: &'a Path,
    /// The checkout.
    pub checkout: &'a Checkout,
    /// The data.
    pub staged: &'a Staged,
}

/// The regular files that a report says were read, as the program called them.
#[must_use]
pub fn read_files(report: &Report) -> BTreeSet<String> {
    let reads = report.reads.iter();
    reads
        .filter(|(_, look)| look.existed && look.opened && !look.written)
        .map(|(path, _)| path.clone())
        .collect()
}

impl Inputs<'_> {
    /// What a path is, as a program calls it, if that is an input.
    fn input(&self, path: &str) -> Option<Input> {
        let outside = self.workdir.unseen(&self.workdir.unseen_from(self.seems, Path::new(path)));
        self.input_at(&outside)
    }

    fn input_at(&self, place: &Path) -> Option<Input> {
        let (name, place) = if let Some((name, source)) = self.staged.source_of(place) {
            (name, source)
        } else if self.checkout.keeps(place) == Keeps::Itself {
            let inner = crate::snapshot::source::relative(self.checkout.root(), place).ok()?;
            (inner, place.to_path_buf())
        } else {
            let inner = place.strip_prefix(self.workdir.cargo_home()).ok()?;
            // registry/src/INDEX/PACKAGE/… and git/checkouts/PACKAGE/COMMIT/…
            let mut parts = inner.components().skip(2);
            let above = if inner.starts_with("registry/src") { 1 } else { 0 };
            let rest: PathBuf = parts.by_ref().skip(above).collect();
            let is_package = inner.starts_with("registry/src") || inner.starts_with("git/checkouts");
            (rest.to_str().filter(|_| is_package)?.to_owned(), place.to_path_buf())
        };
        Some(Input { name, place })
    }

    /// All that a reader that could not be watched may have read.
    fn everything(&self) -> Vec<Input> {
        let places = self.checkout.paths().map(PathBuf::as_path).chain(self.staged.places());
        places.filter_map(|place| self.input_at(place)).collect()
    }

    /// The inputs that somebody read: those of the run by the paths, those of the machine by the accesses.
    fn of_reader(&self, paths: &BTreeSet<String>, accesses: &[&Access]) -> Vec<Input> {
        let mut inputs: Vec<Input> = paths.iter().filter_map(|path| self.input(path)).collect();
        inputs.extend(accesses.iter().filter_map(|access| match &access.what {
            Reached::Outside(path) => Some(Input {
                name: path.clone(),
                place: PathBuf::from(path),
            }),
            Reached::Committed(path) => self.input_at(&self.checkout.root().join(path)),
            _ => None,
        }));
        inputs
    }
}

/// What a build or a stage read.
pub struct Reading<'a> {
    /// Who.
    pub by: Reader,
    /// The files, as it called them; none if it could not be watched.
    pub files: Option<BTreeSet<String>>,
    /// What it reached for beside.
    pub accesses: Vec<&'a Access>,
}

/// Names the copies in an outcome, and notes them in it.
///
/// # Errors
/// When the user interrupts.
pub fn find(
    outcome: &mut Outcome,
    left: &Handover<'_>,
    inputs: &Inputs<'_>,
    readings: &[Reading<'_>],
) -> Result<Vec<Copied>> {
    let artifacts = telling(outcome, left)?;
    let mut copied = Vec::new();
    let mut digests: BTreeMap<PathBuf, Option<Digest>> = BTreeMap::new();
    for reading in readings {
        let files = match &reading.files {
            Some(paths) => inputs.of_reader(paths, &reading.accesses),
            None => inputs.everything(),
        };
        for input in files {
            // A build that was kept may have read what nothing looked for since.
            inputs.checkout.reach(&input.place)?;
            let Ok(meta) = input.place.metadata() else { continue };
            for (stage, path, whole) in artifacts.iter().filter(|(.., whole)| whole.bytes == meta.len()) {
                crate::os::interrupt::check()?;
                let digest = *digests
                    .entry(input.place.clone())
                    .or_insert_with(|| Digest::of_file(&input.place).ok().map(|(digest, _)| digest));
                let known = &mut outcome.get_mut(stage).expect("it has that artifact").copied;
                if digest == Some(whole.digest) && known.insert(path.clone()) {
                    copied.push(Copied {
                        stage: stage.clone(),
                        artifact: path.clone(),
                        input: input.name.clone(),
                        by: Some(reading.by.clone()),
                    });
                }
            }
        }
    }
    crate::os::interrupt::check()?;
    Ok(copied)
}

/// The artifacts whose bytes say something, with the digest of all of them, also where a part is left out of comparison.
fn telling(outcome: &Outcome, left: &Handover<'_>) -> Result<Vec<(String, String, Artifact)>> {
    const SMALL: u64 = 64;
    let mut telling = Vec::new();
    for (stage, found) in outcome {
        for (path, artifact) in &found.artifacts {
            let place = left.left_by(stage, path);
            let whole = if left.is_whole(stage, path) {
                *artifact
            } else {
                let (digest, bytes) = Digest::of_file(&place)?;
                Artifact { digest, bytes }
            };
            let is_trivial = whole.bytes <= SMALL && says_nothing(&bounded::bytes(&place, SMALL).at("read", &place)?);
            if !is_trivial {
                telling.push((stage.clone(), path.clone(), whole));
            }
        }
    }
    Ok(telling)
}

/// Whether a file's content is such that equal ones mean nothing.
fn says_nothing(content: &[u8]) -> bool {
    matches!(content.trim_ascii(), b"" | b"{}" | b"[]" | b"\"\"" | b"null")
}

/// The copies that a lock tells of, on whatever class.
#[must_use]
pub fn in_lock(lock: &Lockfile) -> BTreeSet<Copied> {
    let outcomes = std::iter::once(&lock.outcome).chain(lock.classes.iter().map(|class| &class.outcome));
    let all = outcomes.flatten().flat_map(|(stage, found)| {
        found.copied.iter().map(move |artifact| Copied {
            stage: stage.clone(),
            artifact: artifact.clone(),
            input: found
                .artifacts
                .get(artifact)
                .and_then(|whole| input_in_lock(lock, whole.digest))
                .unwrap_or_else(|| "an input".to_owned()),
            by: None,
        })
    });
    all.collect()
}

/// The input of these bytes, if it is one that the lock names.
fn input_in_lock(lock: &Lockfile, digest: Digest) -> Option<String> {
    let snapshot = &lock.snapshot;
    let mut sources = snapshot.source.files.iter();
    sources.find(|(_, found)| **found == digest).map(|(path, _)| path.clone()).or_else(|| {
        let mut files = snapshot.data.values().flat_map(|data| data.files.all().into_owned());
        files.find(|(_, file)| file.digest == digest).map(|(path, _)| path)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_nothing_is_no_copy_of_anything() {
        for content in ["", "\n", " {}\n", "[]", "null\n"] {
            assert!(says_nothing(content.as_bytes()), "{content:?}");
        }
        for content in ["7\n", "{\"a\":1}", "0"] {
            assert!(!says_nothing(content.as_bytes()), "{content:?}");
        }
    }
}
