//! How many edits stand behind a list of drift: a seed that was changed in a `repro.toml` that is not committed is
//! two findings, for programs, and one thing that somebody did.

use super::stops;
use crate::compare::Drift;
use crate::snapshot::source::Edit;

/// The drift that stops a verification, without what another one of the list says already: a file that is not as
/// committed, or not as locked, whose content is among the findings; and a second word on one toolchain.
pub fn edits(drift: &[Drift]) -> impl Iterator<Item = &Drift> {
    let first_of_toolchain = drift.iter().position(|drift| matches!(drift, Drift::Toolchain(_)));
    drift.iter().enumerate().filter_map(move |(at, one)| {
        let is_second = matches!(one, Drift::Toolchain(_)) && Some(at) != first_of_toolchain;
        (stops(one) && !is_second && !is_said(one, drift)).then_some(one)
    })
}

/// Whether the findings tell what was changed in this file, so that the file itself need not be told.
fn is_said(file: &Drift, all: &[Drift]) -> bool {
    let path = match file {
        Drift::SourceDirty(dirty) => &dirty.path,
        Drift::Source(change) => &change.name,
        _ => return false,
    };
    let name = path.rsplit('/').next().unwrap_or(path);
    let tells = |drift: &Drift| match name {
        crate::project::manifest::FILE => {
            matches!(drift, Drift::Seed { .. } | Drift::Param { .. } | Drift::Manifest(_) | Drift::Environment { .. })
        }
        "Cargo.lock" => matches!(drift, Drift::Dependency { .. } | Drift::DependencyGraph { .. }),
        "rust-toolchain.toml" | "rust-toolchain" => matches!(drift, Drift::Toolchain(_)),
        "config.toml" | "config" => path.contains(".cargo/") && matches!(drift, Drift::Build(_)),
        _ => false,
    };
    all.iter().any(tells)
}

/// The files that `git restore` would bring back, by their paths from the top of the repository.
pub fn restorable(drift: &[Drift]) -> impl Iterator<Item = &str> {
    drift.iter().filter_map(|drift| match drift {
        Drift::SourceDirty(dirty) if dirty.how != Edit::Untracked => Some(dirty.path.as_str()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::drift::Change;
    use crate::snapshot::source::Dirty;

    fn dirty(path: &str, how: Edit) -> Drift {
        Drift::SourceDirty(Dirty {
            path: path.to_owned(),
            how,
        })
    }

    fn seed() -> Drift {
        Drift::Seed {
            locked: serde_json::from_str("42").unwrap(),
            found: serde_json::from_str("43").unwrap(),
        }
    }

    fn toolchain(name: &'static str) -> Drift {
        let (locked, found) = (Some("1".to_owned()), Some("2".to_owned()));
        Drift::Toolchain(Change { name, locked, found })
    }

    #[test]
    fn one_edit_counts_once() {
        let manifest = dirty("model/repro.toml", Edit::Modified);
        assert_eq!(edits(&[seed(), manifest.clone()]).count(), 1);
        assert_eq!(edits(std::slice::from_ref(&manifest)).count(), 1, "a comment alone is not committed either");
        assert_eq!(edits(&[seed(), manifest, dirty("src/main.rs", Edit::Modified)]).count(), 2);
        let pin = dirty("rust-toolchain.toml", Edit::Untracked);
        assert_eq!(edits(&[toolchain("rustc"), toolchain("cargo"), pin]).count(), 1);
        assert_eq!(edits(&[seed(), dirty("src/config.toml", Edit::Modified)]).count(), 2);
    }

    #[test]
    fn git_brings_back_what_it_had() {
        let all = [
            dirty("a", Edit::Modified),
            dirty("b", Edit::Deleted),
            dirty("c", Edit::Untracked),
        ];
        assert_eq!(restorable(&all).collect::<Vec<_>>(), ["a", "b"]);
    }
}
