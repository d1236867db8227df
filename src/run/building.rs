//! One build in the making: what is kept of an earlier one is taken up if it is of just this, and else everything is
//! built anew in empty directories.

use std::time::Instant;

use super::build::{self, Built};
use super::checkout::Checkout;
use super::kept_build::KeptBuild;
use super::session::Pinned;
use super::workdir::Workdir;
use super::{crates, layer};
use crate::console::Console;
use crate::digest::Digest;
use crate::error::Result;
use crate::project::Project;
use crate::report;
use crate::timing::{Step, Timing};

/// The checkout as it is to be, with the sources of the snapshot.
///
/// # Errors
/// When they cannot be read, or are others.
pub fn plan(project: &Project, workdir: &Workdir, dirty: bool, pinned: &Pinned<'_>) -> Result<Checkout> {
    let checkout = Checkout::plan(project, workdir, dirty)?;
    if let Some(source) = pinned.source.filter(|_| !dirty) {
        // What the commit has is that of the commit.
        let outside = source.files.keys().filter(|path| path.starts_with("../"));
        checkout.must_be(&project.repository, outside, &source.files)?;
    }
    Ok(checkout)
}

/// One build in the making.
pub struct Building<'a> {
    /// The project.
    pub project: &'a Project,
    /// Where.
    pub workdir: &'a Workdir,
    /// The sources, not written yet.
    pub checkout: &'a Checkout,
    /// What it follows.
    pub pinned: Pinned<'a>,
    /// How it is made.
    pub made: Digest,
    /// Where to tell steps.
    pub console: Console,
    /// Where the time went.
    pub timings: Vec<Timing>,
}

impl Building<'_> {
    /// The kept build if it is of just this, else a new one; and keeps it where builds are kept.
    ///
    /// # Errors
    /// When the sources cannot be written, or the build fails.
    pub fn take_up_or_build(&mut self, begin: Instant) -> Result<Built> {
        let kept = KeptBuild::take(self.workdir, self.checkout, self.made)?;
        self.workdir.forget_leftovers(&self.pinned.circumstances.home)?;
        let built = match kept {
            Some(built) => self.take_up(built, begin)?,
            None => self.build(begin)?,
        };
        if self.workdir.is_kept() {
            KeptBuild::keep(self.workdir, &built, self.checkout, self.made)?;
        }
        Ok(built)
    }

    fn take_up(&mut self, built: Built, begin: Instant) -> Result<Built> {
        self.check_out(begin)?;
        let name = &self.project.package.name;
        self.console.detail("Fresh", format!("{name}, built before from the same"));
        self.timings.push(Timing::since(Step::Build, Instant::now()));
        Ok(built)
    }

    fn build(&mut self, begin: Instant) -> Result<Built> {
        self.workdir.forget_build()?;
        let layer = layer::provide(self.project, self.workdir, self.checkout, &self.pinned, self.made, self.console)?;
        // After the packages: cargo builds anew what is newer than what was built.
        self.check_out(begin)?;
        let begin = Instant::now();
        crates::provide(self.workdir, &self.project.package, self.pinned.dependencies)?;
        self.timings.push(Timing::since(Step::Packages, begin));
        let begin = Instant::now();
        let mut built = build::build(self.project, self.workdir, self.checkout, &self.pinned, self.console)?;
        if let Some(layer) = layer {
            layer.unite(&mut built);
        }
        self.timings.push(Timing::since(Step::Build, begin));
        Ok(built)
    }

    fn check_out(&mut self, begin: Instant) -> Result<()> {
        self.checkout.apply()?;
        self.timings.push(Timing::since(Step::Checkout, begin));
        self.console.json(&report::json::phase("build", &self.project.package.name))
    }
}
