//! What compilers read of the commit, kept beside a target directory that is kept: cargo does not run a macro
//! again whose package it has built already, what the macro read still is in the program, and that it changed is
//! nothing that cargo learns of.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::access::{Access, Reached};
use super::checkout::Checkout;
use crate::bounded;
use crate::digest::Digest;
use crate::error::{Error, IoContext as _, Result};

/// What the builds in a target directory read, and of which checkout.
#[derive(Debug, Serialize, Deserialize)]
pub struct BuildReads {
    /// Of the names of all files, since a macro may read whatever it finds; and of what decides which of its earlier
    /// results cargo takes up again, be they of the last build or of one long before.
    of: Digest,
    reads: Vec<Read>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Read {
    by: String,
    what: What,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum What {
    /// A file, with what was in it.
    File(String, Digest),
    /// Where nothing was.
    Nothing(String),
    /// A directory's names. That they are the same, and that still nothing is there, the names of all files tell.
    Names(String),
}

impl What {
    fn of(what: &Reached, checkout: &Checkout) -> Option<Self> {
        match what {
            Reached::Committed(path) => Some(Self::File(path.clone(), checkout.digest(path)?)),
            Reached::Lacking { path, .. } => Some(Self::Nothing(path.clone())),
            Reached::Listed(path) => Some(Self::Names(path.clone())),
            _ => None,
        }
    }

    fn reached(self) -> Reached {
        match self {
            Self::File(path, _) => Reached::Committed(path),
            Self::Nothing(path) => Reached::Lacking { path, made: false },
            Self::Names(path) => Reached::Listed(path),
        }
    }
}

impl BuildReads {
    /// Takes away what was kept: a build that does not end leaves nothing behind that others could rely on. `None`
    /// where the packages of this checkout are to be built anew, since the last build did not end, or what it read
    /// is another now.
    ///
    /// # Errors
    /// When it cannot be taken away.
    pub fn take(kept: &Path, checkout: &Checkout, made: Digest) -> Result<Option<Self>> {
        let bytes = match bounded::bytes(kept, bounded::HELD) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io("read", kept, &error)),
        };
        std::fs::remove_file(kept).at("remove", kept)?;
        let known: Option<Self> = serde_json::from_slice(&bytes).ok();
        Ok(known.filter(|known| known.holds(of(checkout, made), |path| checkout.digest(path))))
    }

    fn holds(&self, of: Digest, digest: impl Fn(&str) -> Option<Digest>) -> bool {
        let is_same = |read: &Read| match &read.what {
            What::File(path, locked) => digest(path) == Some(*locked),
            What::Nothing(_) | What::Names(_) => true,
        };
        self.of == of && self.reads.iter().all(is_same)
    }

    /// Adds what earlier builds in this target directory read to what this one did. With `anew`, everything that
    /// can read was built in this build, and what others read says nothing any more.
    pub fn unite(self, accesses: &mut Vec<Access>, anew: bool) {
        for read in self.reads.into_iter().filter(|_| !anew) {
            let what = read.what.reached();
            if accesses.iter().all(|access| access.what != what) {
                accesses.push(Access {
                    stage: None,
                    by: read.by,
                    what,
                });
            }
        }
    }

    /// Keeps what a build read that ended, for the next one. `made` is how it was made, by what and from which
    /// packages.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep(kept: &Path, accesses: &[Access], checkout: &Checkout, made: Digest) -> Result<()> {
        let read = |access: &Access| {
            let what = What::of(&access.what, checkout)?;
            let by = access.by.clone();
            Some(Read { by, what })
        };
        let reads = Self {
            of: of(checkout, made),
            reads: accesses.iter().filter_map(read).collect(),
        };
        // Half of it is no JSON, and as good as nothing.
        std::fs::write(kept, serde_json::to_vec(&reads).expect("digests and text can be written")).at("write", kept)
    }
}

fn of(checkout: &Checkout, made: Digest) -> Digest {
    Digest::of_tree([&checkout.shape(), &made])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(path: &str) -> Access {
        Access {
            stage: None,
            by: "rustc".to_owned(),
            what: Reached::Committed(path.to_owned()),
        }
    }

    fn known(paths: &[&str]) -> BuildReads {
        let read = |path: &&str| Read {
            by: "rustc".to_owned(),
            what: What::File((*path).to_owned(), Digest::of(path)),
        };
        BuildReads {
            of: Digest::of("names"),
            reads: paths.iter().map(read).collect(),
        }
    }

    #[test]
    fn what_a_macro_read_is_known_until_it_is_built_again() {
        let build = |earlier: &[&str], read: &[&str], anew| {
            let mut accesses: Vec<Access> = read.iter().map(|path| access(path)).collect();
            known(earlier).unite(&mut accesses, anew);
            accesses.into_iter().map(|access| access.subject().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(build(&["weight.txt"], &[], false), ["weight.txt"]);
        assert_eq!(build(&["weight.txt"], &["other.txt", "weight.txt"], false), ["other.txt", "weight.txt"]);
        assert_eq!(build(&["weight.txt"], &["other.txt"], true), ["other.txt"]);
    }

    #[test]
    fn what_was_built_is_relied_on_while_all_that_was_read_is_the_same() {
        let names = Digest::of("names");
        let same = |path: &str| Some(Digest::of(path));
        assert!(known(&["a", "b"]).holds(names, same));
        assert!(!known(&["a", "b"]).holds(names, |path| same(path).filter(|_| path != "b")));
        assert!(!known(&["a", "b"]).holds(names, |_| Some(Digest::of("another"))));
        assert!(!known(&["a"]).holds(Digest::of("other names"), same));
    }
}
