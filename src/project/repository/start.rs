//! A repository for a directory that has none: of packages that `new` wrote, and of scratch directories.

use std::path::Path;

use super::unreadable;
use crate::error::Result;

/// What became of the first commit of a new directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstCommit {
    /// It was made.
    Made,
    /// The directory lies in a repository, whose history is its owner's affair.
    InAnother,
    /// Git does not know who commits.
    NoIdentity,
}

/// Makes `directory` a repository and commits everything in it that is not ignored.
///
/// # Errors
/// When git cannot write there.
pub fn start(directory: &Path, message: &str) -> Result<FirstCommit> {
    let broken = |error: git2::Error| unreadable(directory, &error);
    let none: [&Path; 0] = [];
    if git2::Repository::discover_path(directory, none).is_ok() {
        return Ok(FirstCommit::InAnother);
    }
    let git = git2::Repository::init(directory).map_err(broken)?;
    let Ok(author) = git.signature() else {
        return Ok(FirstCommit::NoIdentity);
    };
    commit_all(&git, &author, message).map_err(broken)?;
    Ok(FirstCommit::Made)
}

/// Commits everything in the repository of `directory`, in the tool's own name: for scratch
/// directories that nobody keeps.
///
/// # Errors
/// When git cannot write there.
pub fn commit_scratch(directory: &Path, message: &str) -> Result<()> {
    let commit = || {
        let git = git2::Repository::open(directory)?;
        let author = git2::Signature::new("cargo repro", "cargo-repro@localhost", &git2::Time::new(0, 0))?;
        commit_all(&git, &author, message)
    };
    commit().map_err(|error| unreadable(directory, &error))
}

fn commit_all(git: &git2::Repository, author: &git2::Signature<'_>, message: &str) -> Result<(), git2::Error> {
    let mut index = git.index()?;
    index.add_all(["*"], git2::IndexAddOption::DEFAULT, None)?;
    index.write()?;
    let tree = git.find_tree(index.write_tree()?)?;
    let parent = git.head().and_then(|head| head.peel_to_commit()).ok();
    let parents: Vec<&git2::Commit<'_>> = parent.iter().collect();
    git.commit(Some("HEAD"), author, author, message, &tree, &parents)?;
    Ok(())
}
