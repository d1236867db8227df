//! What `tag` and `attest` share: the package in its repository, its committed lock, and how they verify.

use std::path::{Path, PathBuf};

use crate::cli::args;
use crate::cli::settings::Settings;
use crate::error::{Error, Result};
use crate::exit_code::ExitCode;
use crate::lockfile::{self, Lockfile};
use crate::os::bounded;
use crate::project;
use crate::project::line_ends;
use crate::project::repository::{Commit, ObjectId, Repository};
use crate::release::gate::refusal::{CommitFault, Refusal};
use crate::run::copies::{self, Copied};
use crate::snapshot::source::relative;
use crate::verdict::{Note, Verdict};

/// A package in its repository.
pub(super) struct Place {
    pub(super) repository: Repository,
    /// Its directory.
    pub(super) directory: PathBuf,
    /// The same from the top, empty for the top itself.
    pub(super) package: String,
}

/// A lock that does not tell of a copy that this verification saw would pass a gate that asks for copies: nobody
/// vouches for it.
pub(super) fn refuse_unsaid_copies(verdict: &Verdict, lock: &Lockfile) -> Result<()> {
    let said = copies::in_lock(lock);
    let is_said =
        |copied: &Copied| said.iter().any(|said| said.artifact == copied.artifact && said.stage == copied.stage);
    let unsaid = verdict.notes.iter().find_map(|note| match note {
        Note::Copied(copied) if !is_said(copied) => Some(copied),
        _ => None,
    });
    match unsaid {
        None => Ok(()),
        Some(copied) => {
            let Copied { artifact, input, .. } = copied;
            Err(Error::new(format!("the lock does not say that {artifact} is a copy of {input}"))
                .code(ExitCode::GateRefused)
                .hint("`cargo repro record` writes a lock that does; commit it, and run the same command again"))
        }
    }
}

impl Place {
    pub(super) fn find(settings: &Settings) -> Result<Self> {
        let directory = project::directory(settings)?;
        let repository = Repository::discover(&directory)?;
        let package = relative(repository.root(), &directory)?;
        Ok(Self {
            repository,
            directory,
            package,
        })
    }

    fn lock_path(&self) -> Result<String> {
        relative(self.repository.root(), &self.directory.join(lockfile::FILE))
    }

    /// The bytes of the lock as a commit has them, as git knows them.
    pub(super) fn lock_object(&self, commit: Commit) -> Result<ObjectId> {
        let path = self.lock_path()?;
        let entry = self.repository.entry(commit, Path::new(&path));
        entry.map(|entry| entry.object()).ok_or_else(|| not_committed(&path))
    }

    /// The bytes of the lock as a commit has them.
    pub(super) fn lock(&self, commit: Commit) -> Result<Vec<u8>> {
        let path = self.lock_path()?;
        let entry = self.repository.entry(commit, Path::new(&path)).ok_or_else(|| not_committed(&path))?;
        self.repository.content(entry)
    }

    /// A verification is one of the lock in the work tree, and a tag carries the committed one.
    pub(super) fn uncommitted(&self, commit: Commit) -> Result<Option<Refusal>> {
        let committed = self.lock(commit)?;
        let there = bounded::bytes(&self.directory.join(lockfile::FILE), bounded::HELD).unwrap_or_default();
        let is_committed = line_ends::with_lf(&there) == line_ends::with_lf(&committed);
        Ok((!is_committed).then_some(Refusal::Commit(CommitFault::LockUncommitted)))
    }
}

fn not_committed(path: &str) -> Error {
    Error::new(format!("{path} is not committed"))
        .hint("`cargo repro record` writes it; commit it, since what vouches for it lies beside the commit")
}

/// The arguments of a plain verification.
pub(super) fn as_verify(rev: Option<String>, times: u32) -> args::Verify {
    args::Verify {
        rev,
        times,
        explain: false,
        kept_first: false,
        cached: false,
        outputs: None,
        artifacts: None,
        overrides: args::Overrides::default(),
        reports: args::Reports::default(),
    }
}

/// How many trainings, in words.
pub(super) fn trainings(runs: u32) -> String {
    match runs {
        1 => "1 training".to_owned(),
        many => format!("{many} trainings"),
    }
}
