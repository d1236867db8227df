//! `explain`: a verification that, where it diverges, goes on until it can say why.

use std::collections::BTreeMap;
use std::time::Instant;

use super::subject::Subject;
use crate::cli::args;
use crate::cli::settings::Settings;
use crate::compare::divergence::changed_binaries;
use crate::console::Console;
use crate::diagnose::explain::{Explanation, explain};
use crate::diagnose::factor::Frozen;
use crate::diagnose::trial::Laboratory;
use crate::diagnose::vary::draws_for;
use crate::diagnose::{builds, locate};
use crate::digest::Digest;
use crate::error::Result;
use crate::exit_code::ExitCode;
use crate::os::env;
use crate::outcome::Outcome;
use crate::project::Project;
use crate::run::circumstances::Circumstances;
use crate::run::session::{Pinned, Session};
use crate::run::workdir::Workdir;
use crate::snapshot::Snapshot;
use crate::verdict::{Note, Verdict};

/// The digests of the built programs, by name.
type Programs = BTreeMap<String, Digest>;

/// Runs the command.
///
/// # Errors
/// As `verify`.
pub fn run(settings: &Settings, args: &args::Explain) -> Result<ExitCode> {
    let verify = args::Verify {
        rev: args.rev.clone(),
        times: 1,
        outputs: None,
        artifacts: None,
        explain: true,
        kept_first: args.rev.is_none(),
        cached: false,
        overrides: args.overrides.clone(),
        reports: args.reports.clone(),
    };
    let rev = args.rev.iter().flat_map(|rev| ["--rev".to_owned(), rev.clone()]);
    let typed: Vec<String> = rev.chain(args.overrides.typed()).collect();
    super::verify::reported(settings, &verify, Subject::of("explain", &typed))
}

/// What was built and trained, and what it should have given.
#[derive(Debug)]
pub struct Case<'a> {
    /// The project.
    pub project: &'a Project,
    /// Its inputs.
    pub snapshot: &'a Snapshot,
    /// The normal circumstances.
    pub circumstances: &'a Circumstances,
    /// Where it was built.
    pub workdir: &'a Workdir,
    /// The built program.
    pub session: &'a Session<'a>,
    /// Where to tell steps.
    pub console: Console,
}

impl<'a> Case<'a> {
    /// A laboratory for trials of a built program.
    #[must_use]
    pub fn laboratory(&self, session: &'a Session<'a>) -> Laboratory<'a> {
        Laboratory {
            project: self.project,
            session,
            data: &self.snapshot.data,
            environment: &self.snapshot.environment,
            console: self.console,
        }
    }

    /// What is frozen; one training tells how many draws there is time for.
    ///
    /// # Errors
    /// When the training cannot be made.
    pub fn frozen(&self) -> Result<Frozen<'a>> {
        let mut frozen = Frozen {
            manifest: &self.project.manifest,
            environment: &self.snapshot.environment,
            canned: self.workdir.fresh_canned()?,
            draws: 1,
            date: self.circumstances.conditions.clock,
            processors: env::processors(),
            namespaces: self.workdir.has_namespaces(),
            turns: None,
            alike: false,
        };
        let begin = Instant::now();
        self.laboratory(self.session).observe(&frozen.circumstances())?;
        frozen.draws = draws_for(begin.elapsed());
        Ok(frozen)
    }

    /// Says why `seen` is not `locked`, in the verdict.
    ///
    /// # Errors
    /// When a training or a build fails, or the user interrupts.
    pub fn explain(&self, locked: &Outcome, seen: &Outcome, verdict: &mut Verdict) -> Result<()> {
        let frozen = self.frozen()?;
        let laboratory = self.laboratory(self.session);
        let mut explanation = explain(&laboratory, &frozen, self.circumstances, locked, seen)?;
        if explanation.causes.is_empty() && !changed_binaries(locked, seen).is_empty() {
            self.explain_build(&mut explanation)?;
        }
        self.locate(&frozen, &mut explanation.causes, explanation.raced_draw)?;
        verdict.causes = explanation.causes;
        verdict.runs += explanation.runs;
        verdict.notes.extend(explanation.findings.into_iter().map(Note::Found));
        Ok(())
    }

    fn explain_build(&self, explanation: &mut Explanation) -> Result<()> {
        self.console.status("Explaining", "whether the build agrees with itself");
        let build = |circumstances: &Circumstances| {
            let workdir = Workdir::fresh()?;
            let pinned = self.pinned(circumstances, false);
            let session = Session::build(self.project, &workdir, false, pinned, self.console.silenced())?;
            let digests = session.built.programs.iter();
            digests.map(|(name, path)| Ok((name.clone(), Digest::of_file(path)?.0))).collect()
        };
        let differ = |one: &Programs, other: &Programs| (one != other).then_some(());
        let found = builds::find(self.circumstances, build, differ)?;
        let causes = builds::causes(&found, "the program", |()| None);
        if !causes.is_empty() {
            explanation.findings.pop(); // it was the last thing that could be said without building again
            explanation.causes.extend(causes);
        }
        Ok(())
    }

    /// What a build follows.
    fn pinned<'b>(&'b self, circumstances: &'b Circumstances, line_tables: bool) -> Pinned<'b> {
        Pinned {
            line_tables,
            ..Pinned::of(self.snapshot, circumstances)
        }
    }

    /// Finds the lines that draw on the named sources, in a build that knows its lines; and, where threads race for a
    /// draw, which one that is.
    ///
    /// # Errors
    /// When that build fails, or the training of it.
    pub fn locate(&self, frozen: &Frozen<'_>, causes: &mut [crate::cause::Cause], raced_draw: bool) -> Result<()> {
        let can_be_seen = causes
            .iter()
            .any(|cause| cause.stage.is_some() && locate::source_of(cause.kind).is_some());
        let can_be_seen = can_be_seen || raced_draw;
        if !can_be_seen || self.session.built.programs.is_empty() {
            return Ok(());
        }
        self.console
            .status("Locating", "where the program draws on it, in a build with line numbers");
        let workdir = Workdir::fresh()?;
        let pinned = self.pinned(self.circumstances, true);
        let session = Session::build(self.project, &workdir, false, pinned, self.console.silenced())?;
        let laboratory = Laboratory {
            session: &session,
            ..self.laboratory(self.session)
        };
        locate::locate(&laboratory, &frozen.circumstances(), causes)?;
        if raced_draw {
            locate::raced_draw(&laboratory, frozen, causes)?;
        }
        Ok(())
    }
}
