//! A build that is kept: what cargo made, with everything that went into it. The next recording takes it as it is
//! where all of that is the same, but for the files of the system, and starts no compiler; else it builds in empty directories, so that nothing that
//! code of another commit left there can get into its program. The note of it is the tool's own: no build and no
//! stage can see it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::access::Reached;
use super::build::Built;
use super::checkout::Checkout;
use super::workdir::Workdir;
use crate::cache::stat::StatData;
use crate::digest::Digest;
use crate::error::{IoContext as _, Result};
use crate::os::bounded;

/// The note.
#[derive(Debug, Serialize, Deserialize)]
pub struct KeptBuild {
    /// Of the names of all files, since a build may look for whatever it finds; and of how, by what, from which packages
    /// and in which environment it was made.
    of: Digest,
    /// The files of the commit that were read, by what they held.
    reads: BTreeMap<String, Digest>,
    /// Files of the machine that were read, as the kernel saw them.
    outside: BTreeMap<String, Option<StatData>>,
    /// The programs, as the kernel saw them.
    programs: BTreeMap<PathBuf, Option<StatData>>,
    built: Built,
}

impl KeptBuild {
    /// Takes away what was noted, and gives the build if it is that of this checkout: one that does not end leaves
    /// nothing behind that others could rely on.
    ///
    /// # Errors
    /// When it cannot be taken away.
    pub fn take(workdir: &Workdir, checkout: &Checkout, made: Digest) -> Result<Option<Built>> {
        let found = Self::find(workdir, checkout, made);
        let note = workdir.build_note();
        match std::fs::remove_file(&note) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            removed => removed.at("remove", &note).map(|()| found),
        }
    }

    /// The build that is noted, if it is that of this checkout.
    #[must_use]
    pub fn find(workdir: &Workdir, checkout: &Checkout, made: Digest) -> Option<Built> {
        // A note that cannot be read is as good as none.
        let bytes = bounded::bytes(&workdir.build_note(), bounded::GENERATED).ok()?;
        let known: Self = serde_json::from_slice(&bytes).ok()?;
        let holds = known.holds(of(workdir, checkout, made), |path| checkout.digest(path), StatData::of);
        holds.then_some(known.built)
    }

    fn holds(
        &self,
        of: Digest,
        digest: impl Fn(&str) -> Option<Digest>,
        stat: impl Fn(&Path) -> Option<StatData>,
    ) -> bool {
        self.of == of
            && self.reads.iter().all(|(path, known)| digest(path) == Some(*known))
            && self.outside.iter().all(|(path, known)| stat(Path::new(path)) == *known)
            && self.programs.iter().all(|(path, known)| known.is_some() && stat(path) == *known)
    }

    /// Notes a build that has ended. `made` is how it was made.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep(workdir: &Workdir, built: &Built, checkout: &Checkout, made: Digest) -> Result<()> {
        let mut reads = BTreeMap::new();
        let mut read = |inner: &str| reads.extend(checkout.digest(inner).map(|digest| (inner.to_owned(), digest)));
        match &built.read {
            Some(paths) => {
                let inner = |path: &String| {
                    let place = workdir.unseen(Path::new(path));
                    crate::snapshot::source::relative(checkout.root(), &place).ok()
                };
                paths.iter().filter_map(inner).for_each(|inner| read(&inner));
            }
            // It could not be watched, and may have read anything.
            None => {
                let inner = |path: &PathBuf| crate::snapshot::source::relative(checkout.root(), path).ok();
                checkout.paths().filter_map(inner).for_each(|inner| read(&inner));
            }
        }
        built.sources.files.iter().for_each(|inner| read(inner));
        let mut outside = BTreeMap::new();
        for access in &built.accesses {
            match &access.what {
                Reached::Committed(path) => read(path),
                Reached::Outside(path) => drop(outside.insert(path.clone(), StatData::of(Path::new(path)))),
                _ => {}
            }
        }
        let known = Self {
            of: of(workdir, checkout, made),
            reads,
            outside,
            programs: built.programs.values().map(|path| (path.clone(), StatData::of(path))).collect(),
            built: built.clone(),
        };
        let note = workdir.build_note();
        // Half of it is no JSON, and as good as nothing.
        std::fs::write(&note, serde_json::to_vec(&known).expect("digests and text can be written")).at("write", &note)
    }
}

fn of(workdir: &Workdir, checkout: &Checkout, made: Digest) -> Digest {
    let tool = Digest::of(env!("CARGO_PKG_VERSION"));
    let place = Digest::of(workdir.root().as_os_str().as_encoded_bytes());
    Digest::of_tree([&checkout.shape(), &made, &tool, &place])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(paths: &[&str]) -> KeptBuild {
        KeptBuild {
            of: Digest::of("names"),
            reads: paths.iter().map(|path| ((*path).to_owned(), Digest::of(path))).collect(),
            outside: BTreeMap::from([("/opt/none".to_owned(), None)]),
            programs: BTreeMap::new(),
            built: Built::default(),
        }
    }

    #[test]
    fn what_was_built_is_relied_on_while_all_that_was_read_is_the_same() {
        let names = Digest::of("names");
        let same = |path: &str| Some(Digest::of(path));
        let none = |_: &Path| None;
        assert!(known(&["a", "b"]).holds(names, same, none));
        assert!(!known(&["a", "b"]).holds(names, |path| same(path).filter(|_| path != "b"), none));
        assert!(!known(&["a", "b"]).holds(names, |_| Some(Digest::of("another")), none));
        assert!(!known(&["a"]).holds(Digest::of("other names"), same, none));
        assert!(!known(&["a"]).holds(names, same, |_| StatData::of(Path::new("/"))), "what was not there is");
    }
}
