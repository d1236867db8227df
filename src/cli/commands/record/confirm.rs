//! Several trainings that must agree before anything is recorded of them.

use crate::cause::Cause;
use crate::compare::{Divergence, divergence};
use crate::diagnose::trial::{Effect, Laboratory, Observed};
use crate::diagnose::workshop::Workshop;
use crate::diagnose::{builds, cure, remains};
use crate::error::{Error, Phase, Result};
use crate::outcome::{Outcome, Remark};
use crate::project::Project;
use crate::project::manifest::Policy;
use crate::run::access::{Access, Reached};
use crate::run::circumstances::Circumstances;
use crate::run::copies::Copied;
use crate::run::evidence;
use crate::run::session::{Session, Trained};
use crate::run::workdir::Workdir;
use crate::verdict::{NotChecked, Note, Verdict, Word};

/// What several trainings came to.
pub enum Confirmed {
    /// One outcome.
    Same(Agreed),
    /// Something else.
    Refused(Box<Verdict>),
}

/// What trainings agreed upon.
#[derive(Debug)]
pub struct Agreed {
    /// The outcome.
    pub outcome: Outcome,
    /// What is worth saying of the outputs.
    pub remarks: Vec<Remark>,
    /// What was reached for.
    pub accesses: Vec<Access>,
    /// Artifacts that are copies of inputs.
    pub copied: Vec<Copied>,
    /// Whether the build and all trainings were watched.
    pub watched: bool,
    /// What could not be watched or answered.
    pub not_covered: Vec<NotChecked>,
}

/// Trains so many times; the second time with another build, at another date, so that what only builds draw on shows.
///
/// # Errors
/// When a stage fails, reaches for what is not declared, or leaves out what is.
pub fn confirm(workshop: &Workshop<'_>, circumstances: &Circumstances, times: u32) -> Result<Confirmed> {
    let workdir = (times > 1 && workshop.builds()).then(Workdir::fresh).transpose()?;
    let mut agreed: Option<Agreed> = None;
    for number in 1..=times {
        let other = match &workdir {
            Some(workdir) if number == SECOND => Some(second(workshop, workdir)?),
            _ => None,
        };
        let laboratory = workshop.with(other.as_ref().unwrap_or(workshop.laboratory.session));
        let trained = train(&laboratory, circumstances, (number, times))?;
        let refused = match &mut agreed {
            _ if !trained.changed.is_empty() => Some(drifted(&laboratory, trained, number)),
            None => {
                if times > 1 {
                    laboratory.session.keep(&trained.outcome)?;
                }
                agreed = Some(first_of(&laboratory, trained));
                None
            }
            Some(agreed) => {
                let differing = agreed.hold_against(&laboratory, trained);
                let is_other_build = other.is_some();
                diverged(workshop, &laboratory, circumstances, differing, (is_other_build, number))?
            }
        };
        if let Some(verdict) = refused {
            return Ok(Confirmed::Refused(Box::new(verdict)));
        }
    }
    let mut agreed = agreed.expect("at least one training is asked for");
    agreed.name_accesses_once();
    Ok(Confirmed::Same(agreed))
}

/// Trains, and refuses what could not be recorded whatever other trainings give.
fn train(laboratory: &Laboratory<'_>, circumstances: &Circumstances, number: (u32, u32)) -> Result<Trained> {
    let trained = laboratory.train(circumstances, number)?;
    let reached = laboratory.session.built.accesses.iter().chain(&trained.accesses);
    refuse_undeclared(laboratory.project, reached)?;
    if trained.changed.is_empty() {
        refuse_incomplete(laboratory.project, &trained.outcome)?;
    }
    Ok(trained)
}

/// Data that changed meanwhile.
fn drifted(laboratory: &Laboratory<'_>, trained: Trained, runs: u32) -> Verdict {
    Verdict {
        drift: trained.changed,
        runs,
        ..Verdict::new(Word::Drifted, laboratory.project.commit)
    }
}

/// Two outcomes, and how they differ.
struct Differing<'a> {
    outcomes: (&'a Outcome, Outcome),
    divergence: Vec<Divergence>,
}

impl Agreed {
    /// Adds what another training reached for, and compares its outcome.
    fn hold_against(&mut self, laboratory: &Laboratory<'_>, trained: Trained) -> Differing<'_> {
        self.watched &= trained.was_watched();
        self.accesses.extend(trained.accesses);
        let order = laboratory.project.manifest.stage_order();
        Differing {
            divergence: divergence(&self.outcome, &trained.outcome, &order),
            outcomes: (&self.outcome, trained.outcome),
        }
    }

    fn name_accesses_once(&mut self) {
        self.accesses
            .sort_by(|one, other| (&one.stage, &one.what).cmp(&(&other.stage, &other.what)));
        self.accesses.dedup_by(|one, other| one.stage == other.stage && one.what == other.what);
    }
}

/// What is said of a training that differs from the first one, if this one does: by the build if that was another one and
/// each gives its own outcome again, else with what would make them agree.
fn diverged(
    workshop: &Workshop<'_>,
    laboratory: &Laboratory<'_>,
    circumstances: &Circumstances,
    differing: Differing<'_>,
    (is_other_build, runs): (bool, u32),
) -> Result<Option<Verdict>> {
    let Differing {
        outcomes: (first, other),
        divergence: mut differing,
    } = differing;
    if differing.is_empty() {
        return Ok(None);
    }
    evidence::describe(&workshop.laboratory.session.kept(), laboratory.session, &mut differing);
    let is_by_build = is_other_build && agree_by_themselves(workshop, laboratory, circumstances, [first, &other])?;
    let (causes, notes) = if is_by_build {
        (by_build(workshop, circumstances)?, Vec::new())
    } else {
        cure(&workshop.laboratory, &differing)?
    };
    Ok(Some(Verdict {
        divergence: differing,
        causes,
        notes,
        runs,
        ..Verdict::new(Word::Diverged, laboratory.project.commit)
    }))
}

/// Which training has a build of its own.
const SECOND: u32 = 2;

/// How often each of two builds that disagree is trained again.
const AGAIN: u32 = 2;

/// Another build of the same sources.
fn second<'a>(workshop: &Workshop<'a>, workdir: &'a Workdir) -> Result<Session<'a>> {
    workshop
        .laboratory
        .console
        .status("Building", "again, at another date and with other random numbers");
    workshop.build(workdir, &builds::another(workshop.pinned.circumstances)).map_err(|error| {
        // The first one held, so that it is the date, or a number drawn, by which this one failed.
        error.denied(Some("it is the second one of `--confirm`, at another date"), Vec::new())
    })
}

/// Whether each build gives its own outcome again: then it is the build by which they differ.
fn agree_by_themselves(
    workshop: &Workshop<'_>,
    other: &Laboratory<'_>,
    circumstances: &Circumstances,
    outcomes: [&Outcome; 2],
) -> Result<bool> {
    for (laboratory, outcome) in [&workshop.laboratory, other].into_iter().zip(outcomes) {
        let known = Observed {
            outcome: Some(outcome.clone()),
            ..Observed::default()
        };
        for _ in 0..AGAIN {
            if laboratory.compare(&known, &laboratory.observe(circumstances)?).is_some() {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// What of a build the outcome follows.
fn by_build(workshop: &Workshop<'_>, circumstances: &Circumstances) -> Result<Vec<Cause>> {
    const WHAT: &str = "the outcome";
    workshop.laboratory.console.status("Trying", "what of the build they follow");
    let build = |at: &Circumstances| workshop.observe(at, circumstances);
    let differ = |one: &Observed, other: &Observed| workshop.laboratory.compare(one, other);
    let found = builds::find(workshop.pinned.circumstances, build, differ)?;
    let causes = builds::causes(&found, WHAT, |effect| Some(effect.first().to_owned()));
    Ok(if causes.is_empty() {
        vec![builds::unknown(WHAT)]
    } else {
        causes
    })
}

fn first_of(laboratory: &Laboratory<'_>, trained: Trained) -> Agreed {
    let not_covered = super::super::not_covered(laboratory.project, laboratory.session, &trained);
    let built = &laboratory.session.built;
    let watched = built.read.is_some() && trained.was_watched();
    let mut accesses = built.accesses.clone();
    accesses.extend(trained.accesses);
    Agreed {
        outcome: trained.outcome,
        remarks: trained.remarks,
        accesses,
        copied: trained.copied,
        watched,
        not_covered,
    }
}

/// What would make them agree, if a line of the manifest does; else what was tried.
fn cure(laboratory: &Laboratory<'_>, differing: &[Divergence]) -> Result<(Vec<Cause>, Vec<Note>)> {
    let Some(effect) = Effect::of(differing) else {
        return Ok((Vec::new(), Vec::new()));
    };
    laboratory.console.status("Trying", "what would make them agree");
    let date = laboratory.project.repository.time(laboratory.project.commit)?;
    let tried = cure::propose(laboratory, date, &effect)?;
    let notes = match &tried.cause {
        Some(_) => Vec::new(),
        None => remains::uncured(&effect, &tried.lines).into_iter().map(Note::Found).collect(),
    };
    Ok((tried.cause.into_iter().collect(), notes))
}

/// Nothing is recorded of a training that reached for what nobody declared.
fn refuse_undeclared<'a>(project: &Project, accesses: impl Iterator<Item = &'a Access>) -> Result<()> {
    let policy = project.manifest.isolation;
    let is_denied = |access: &&Access| {
        let policy = match access.what {
            Reached::Network(_) => policy.network,
            _ => policy.reads,
        };
        access.is_grave() && policy == Policy::Deny
    };
    let denied: Vec<&Access> = accesses.filter(is_denied).collect();
    let Some(first) = denied.first() else {
        return Ok(());
    };
    let line = |access: &&Access| format!("{} {}: {}", access.cause().kind.word(), access.subject(), access.detail());
    let lines: Vec<String> = denied.iter().map(line).collect();
    Err(Error::training("the program reached for what repro.toml does not declare")
        .context(lines.join("\n"))
        .hint(first.leave().unwrap_or_default())
        .causes(denied.iter().map(|access| access.cause()).collect()))
}

/// What a stage wrote, for whoever looks for what it did not.
fn beside(declared: &[String], undeclared: &[String]) -> String {
    let list = |names: &[String]| {
        if names.is_empty() {
            "nothing".to_owned()
        } else {
            names.join(", ")
        }
    };
    let also = if undeclared.is_empty() {
        String::new()
    } else {
        format!("; and, not declared, {}", list(undeclared))
    };
    format!("it wrote {}{also}", list(declared))
}

/// A lock that pins nothing, or not what the manifest declares, would be worse than none.
fn refuse_incomplete(project: &Project, outcome: &Outcome) -> Result<()> {
    for (name, stage) in &project.manifest.stages {
        let written = &outcome[name];
        if let Some(path) = stage.outputs().find(|path| !written.artifacts.contains_key(*path)) {
            return Err(Error::training(format!("stage `{name}` ended well but did not write {path}"))
                .phase(Phase::Collect)
                .context(beside(&written.artifacts.keys().cloned().collect::<Vec<_>>(), &written.undeclared))
                .hint(format!(
                    "outputs go to REPRO_OUT_DIR, which is the package's directory in the checkout and the program's own: let it write {path} there, or declare under `artifacts` in repro.toml what it does write"
                )));
        }
        if written.is_empty() {
            return Err(Error::training(format!(
                "stage `{name}` gave nothing that a later run could be compared with"
            ))
            .phase(Phase::Collect)
            .hint("declare `artifacts` or `metrics` for it in repro.toml"));
        }
    }
    Ok(())
}
