//! What compilers read of the commit, kept beside a target directory that is kept: cargo does not run a macro
//! again whose package it has built already, and what the macro read still is in the program.

use std::path::Path;

use super::access::{Access, Reached};

/// Adds what earlier builds in this target directory read, and keeps all of it for later ones. With `anew`,
/// everything that can read was built in this build, and what others read says nothing any more.
pub fn unite(accesses: &mut Vec<Access>, kept: &Path, anew: bool, is_committed: impl Fn(&str) -> bool) {
    if !anew {
        for (by, path) in read(kept).into_iter().filter(|(_, path)| is_committed(path)) {
            let what = Reached::Committed(path);
            if accesses.iter().all(|access| access.what != what) {
                accesses.push(Access { stage: None, by, what });
            }
        }
    }
    let committed = accesses.iter().filter_map(|access| match &access.what {
        Reached::Committed(path) => Some((access.by.clone(), path.clone())),
        _ => None,
    });
    let text = serde_json::to_vec(&committed.collect::<Vec<_>>()).unwrap_or_default();
    // What cannot be kept is read anew as soon as its package is built anew.
    let _ = std::fs::write(kept, text);
}

fn read(kept: &Path) -> Vec<(String, String)> {
    std::fs::read(kept)
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default()
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

    #[test]
    fn what_a_macro_read_is_known_until_it_is_built_again() {
        let directory = tempfile::tempdir().unwrap();
        let kept = directory.path().join("reads.json");
        let build = |read: &[&str], anew| {
            let mut accesses: Vec<Access> = read.iter().map(|path| access(path)).collect();
            unite(&mut accesses, &kept, anew, |path| path != "gone.txt");
            accesses.into_iter().map(|access| access.subject().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(build(&["weight.txt", "gone.txt"], true), ["weight.txt", "gone.txt"]);
        assert_eq!(build(&[], false), ["weight.txt"]);
        assert_eq!(build(&["other.txt"], false), ["other.txt", "weight.txt"]);
        assert_eq!(build(&["other.txt"], true), ["other.txt"]);
    }
}
