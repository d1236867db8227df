//! Builds under given circumstances, for trials of what only a build draws on.

use super::trial::{Laboratory, Observed};
use crate::error::Result;
use crate::run::circumstances::Circumstances;
use crate::run::session::{Pinned, Session};
use crate::run::workdir::Workdir;

/// Where programs are built again, each time in a directory of its own: what an earlier build left there would hide
/// what this one draws on.
#[derive(Clone, Copy, Debug)]
pub struct Workshop<'a> {
    /// The built program, with its inputs.
    pub laboratory: Laboratory<'a>,
    /// What builds follow.
    pub pinned: Pinned<'a>,
    /// Whether the work tree is built in place of the commit.
    pub dirty: bool,
}

impl<'a> Workshop<'a> {
    /// Whether there is anything to build.
    #[must_use]
    pub fn builds(&self) -> bool {
        !self.laboratory.session.built.programs.is_empty()
    }

    /// Builds in an empty work directory.
    ///
    /// # Errors
    /// When the build fails.
    pub fn build(&self, workdir: &'a Workdir, circumstances: &Circumstances) -> Result<Session<'a>> {
        let shell = self.laboratory.shell.silenced();
        let pinned = Pinned {
            circumstances,
            ..self.pinned
        };
        Session::build(self.laboratory.project, workdir, self.dirty, pinned, shell)
    }

    /// Builds, and trains once with what was built. A program that fails is an observation.
    ///
    /// # Errors
    /// When the build fails, or the trial could not be made.
    pub fn observe(&self, build: &Circumstances, training: &Circumstances) -> Result<Observed> {
        let workdir = Workdir::fresh()?;
        let here = Workshop { ..*self };
        let session = here.build(&workdir, build)?;
        here.with(&session).observe(training)
    }

    /// The same laboratory for another build.
    #[must_use]
    pub fn with<'b>(&self, session: &'b Session<'b>) -> Laboratory<'b>
    where
        'a: 'b,
    {
        Laboratory {
            session,
            ..self.laboratory
        }
    }
}
