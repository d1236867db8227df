//! A revision of the project, for `--rev` and `diff`: the tree of a commit in a temporary repository of
//! its own, so that everything that looks at a project can look at this one; or only the lock in it.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::error::{Error, IoContext as _, Result};
use crate::lockfile::{self, Lockfile, Read};
use crate::project::manifest::Manifest;
use crate::project::repository::Repository;
use crate::run::checkout::Checkout;
use crate::run::workdir::Workdir;
use crate::snapshot::source::relative;
use crate::text::quote;

/// A checked out revision; the directory goes when it is dropped.
#[derive(Debug)]
pub struct Revision {
    _workdir: Workdir,
    /// The package's directory in it.
    pub package: PathBuf,
}

/// Checks a revision of the package in `directory` out.
///
/// # Errors
/// When the revision or its objects are not there.
pub fn check_out(directory: &Path, name: &str) -> Result<Revision> {
    let repository = Rc::new(Repository::discover(directory)?);
    let commit = repository.resolve(name)?;
    let workdir = Workdir::fresh()?;
    let top = workdir.tree().join("revision");
    let checkout = Checkout::plan_commit(&repository, commit, &top)?;
    std::fs::create_dir_all(&top).at("make the directory", &top)?;
    checkout.apply()?;
    repository.detach_at(&top, commit)?;
    let package = top.join(relative(repository.root(), directory)?);
    if !package.join("Cargo.toml").is_file() {
        return Err(Error::new(format!("the package is not in {name}")).hint(format!(
            "`git ls-tree -r --name-only {}` lists what is; it may have been in another directory then",
            quote::shell(name)
        )));
    }
    lend_data(directory, &package, &top)?;
    Ok(Revision {
        _workdir: workdir,
        package,
    })
}

/// Data that git does not keep has no revisions: it is taken from the work tree, and the lock's digests
/// tell whether it is what the revision was trained on.
fn lend_data(from: &Path, to: &Path, top: &Path) -> Result<()> {
    // A manifest that cannot be read is an error of whoever opens the project.
    let Ok(manifest) = Manifest::read(to) else {
        return Ok(());
    };
    for path in manifest.data_paths() {
        let (kept, lent) = (from.join(path), to.join(path));
        if !kept.exists() || lent.exists() {
            continue;
        }
        let Some(lent) = within(&lent, top) else {
            continue;
        };
        let parent = lent.parent().unwrap_or(to);
        std::fs::create_dir_all(parent).at("make the directory", parent)?;
        std::os::unix::fs::symlink(&kept, &lent).at("make the link", &lent)?;
    }
    Ok(())
}

/// The real place of a path that is not there yet, if that is in the checkout: the commit's links may lead anywhere.
fn within(path: &Path, top: &Path) -> Option<PathBuf> {
    let above = path.ancestors().skip(1).find(|above| above.exists())?;
    let rest = path.strip_prefix(above).ok()?;
    let is_plain = rest.components().all(|part| matches!(part, std::path::Component::Normal(_)));
    let real = above.canonicalize().ok()?;
    (is_plain && real.starts_with(top.canonicalize().ok()?)).then(|| real.join(rest))
}

/// What there is to say of a revision without a lock.
#[must_use]
pub fn without_lock(name: &str, path: &str) -> Error {
    Error::new(format!("{name} has no {path}")).hint("`cargo repro log` lists the commits that have one")
}

/// The lock that a revision carries.
///
/// # Errors
/// When it has none, or it cannot be read.
pub fn lock(directory: &Path, name: &str) -> Result<Read> {
    let repository = Repository::discover(directory)?;
    let commit = repository.resolve(name)?;
    let path = relative(repository.root(), &directory.join(lockfile::FILE))?;
    let entry = repository.entry(commit, Path::new(&path)).ok_or_else(|| without_lock(name, &path))?;
    let text = String::from_utf8(repository.content(entry)?)
        .map_err(|_| Error::new(format!("{path} in {name} is not UTF-8")))?;
    Lockfile::from_text(&text, &format!("{path} in {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_lent_into_the_checkout_and_nowhere_else() {
        let around = tempfile::tempdir().unwrap();
        let around = around.path().canonicalize().unwrap();
        let top = around.join("top");
        std::fs::create_dir_all(top.join("real")).unwrap();
        std::fs::create_dir(around.join("outside")).unwrap();
        std::os::unix::fs::symlink("../outside", top.join("out")).unwrap();
        std::os::unix::fs::symlink("real", top.join("in")).unwrap();
        assert_eq!(within(&top.join("a/b.csv"), &top), Some(top.join("a/b.csv")));
        assert_eq!(within(&top.join("in/b.csv"), &top), Some(top.join("real/b.csv")));
        for path in [
            "out/b.csv",
            "../outside/b.csv",
            "real/../../b.csv",
            "none/../../../b.csv",
        ] {
            assert_eq!(within(&top.join(path), &top), None, "{path}");
        }
    }
}
