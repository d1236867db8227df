//! `vary`: provokes. Trains with one factor around the program changed at a time, then with all of them, and
//! says which ones the outcome follows. It needs no lock.

use std::time::Instant;

use super::explain::Case;
use super::{conclude, not_isolated};
use crate::cache::Cache;
use crate::cause::Cause;
use crate::cli::args;
use crate::cli::settings::{Overrides, Settings};
use crate::diagnose::explain::causes;
use crate::diagnose::factor::{self, FACTORS, Factor};
use crate::diagnose::vary::{TestResult, Variation, Wanted, vary};
use crate::diagnose::workshop::Workshop;
use crate::error::{Error, Result};
use crate::exit_code::ExitCode;
use crate::project::repository::Commit;
use crate::project::{self, Project};
use crate::run::circumstances::Circumstances;
use crate::run::session::{Pinned, Session};
use crate::run::workdir::Workdir;
use crate::snapshot::{Closure, Snapshot, source};
use crate::verdict::{NotChecked, Note, Verdict, Word};

/// Runs the command.
///
/// # Errors
/// When there are no factors, or the program cannot be built or trained.
pub fn run(settings: &Settings, args: &args::Vary) -> Result<ExitCode> {
    let factors = wanted(args)?;
    let overrides = Overrides::resolve(&args.overrides)?;
    let directory = project::directory(settings)?;
    let (project, mut cache) = Project::open(directory, &overrides, settings.offline, |repository| {
        Cache::load(&repository.private_directory())
    })?;
    project.check_commands()?;
    let candidates = super::record::candidates(&project)?;
    let dirty = super::record::refuse_dirty(&project, &candidates, args.allow_dirty, &mut cache)?;
    let closure = Closure::of(source::candidates(&project.repository, project.commit, &project.package)?);
    let data = settings
        .console
        .watching("Hashing", |progress| project.observe_data(&mut cache, progress))?;
    let snapshot = Snapshot::observe(&project, &closure, data)?;
    super::record::refuse_missing(&snapshot.data)?;
    cache.save();
    settings
        .console
        .status("Varying", format!("{} at {}", project.package.name, project.commit.short()));
    conclude(settings, &verdict(&project, &snapshot, dirty, &factors, args, settings)?)
}

fn verdict(
    project: &Project,
    snapshot: &Snapshot,
    dirty: bool,
    factors: &[Factor],
    args: &args::Vary,
    settings: &Settings,
) -> Result<Verdict> {
    let begin = Instant::now();
    let circumstances = Circumstances::of(&project.manifest, Some(project.repository.time(project.commit)?));
    // That which `record` keeps: what is as it was then need not be built again.
    let workdir = Workdir::kept(&project.directory, settings.console)?;
    let pinned = Pinned::of(snapshot, &circumstances);
    let session = Session::build(project, &workdir, dirty, pinned, settings.console)?;
    let case = Case {
        project,
        snapshot,
        circumstances: &circumstances,
        workdir: &workdir,
        session: &session,
        console: settings.console,
    };
    let frozen = case.frozen()?;
    let laboratory = case.laboratory(&session);
    let workshop = Workshop {
        laboratory,
        pinned,
        dirty,
    };
    let wanted = Wanted {
        workshop: Some(workshop),
        until: args.budget.map(|budget| begin + budget),
        together: true,
        ..Wanted::alone(factors)
    };
    let variation = vary(&laboratory, &frozen, &wanted)?;
    let mut causes = causes(&variation, &laboratory);
    if !dirty {
        case.locate(&frozen, &mut causes, variation.raced_draw)?;
    }
    let mut not_checked = not_isolated(&workdir);
    not_checked.extend(not_varied(&variation, factors));
    Ok(judged(causes, variation, not_checked, project.commit))
}

/// What was not changed, and what cannot be.
fn not_varied(variation: &Variation, factors: &[Factor]) -> Vec<NotChecked> {
    let mut not_checked: Vec<NotChecked> = variation
        .tested
        .iter()
        .filter_map(|tested| match &tested.result {
            TestResult::NotVaried(why) => Some(NotChecked::new(tested.factor.word(), why.clone())),
            _ => None,
        })
        .collect();
    let left_out: Vec<&str> = FACTORS
        .iter()
        .filter(|factor| !factors.contains(factor))
        .map(|factor| factor.word())
        .collect();
    if !left_out.is_empty() {
        not_checked.push(NotChecked::new("factors", format!("not asked for: {}", left_out.join(", "))));
    }
    not_checked.push(NotChecked::new(
        "processor",
        "a program that asks the processor what it can do, or for random numbers, cannot be answered otherwise here",
    ));
    not_checked
}

/// What a variation comes to: steady only where nothing is named and nothing moves.
fn judged(causes: Vec<Cause>, variation: Variation, not_checked: Vec<NotChecked>, commit: Commit) -> Verdict {
    let word = if causes.is_empty() && variation.unstable.is_none() {
        Word::Steady
    } else {
        Word::Diverged
    };
    let left = causes.is_empty().then(|| variation.remains()).into_iter().flatten().map(Note::Found);
    let accesses = variation.base.accesses.iter().filter(|access| access.is_worth_a_note()).cloned();
    Verdict {
        causes,
        notes: left.chain(accesses.map(Note::Reached)).collect(),
        not_checked,
        runs: variation.runs,
        outcome: variation.base.outcome.clone().unwrap_or_default(),
        factors: variation.tested,
        ..Verdict::new(word, commit)
    }
}

/// The factors that are asked for.
///
/// # Errors
/// A usage error where a word is none of theirs, or none is left.
fn wanted(args: &args::Vary) -> Result<Vec<Factor>> {
    let parse = |words: &[String]| -> Result<Vec<Factor>> {
        let parsed = words.iter().map(|word| factor::parse(word));
        parsed
            .collect::<Result<_, _>>()
            .map_err(|why: String| Error::new(why).code(ExitCode::Usage))
    };
    let (only, skip) = (parse(&args.only)?, parse(&args.skip)?);
    let is_wanted = |factor: &Factor| (only.is_empty() || only.contains(factor)) && !skip.contains(factor);
    let wanted: Vec<Factor> = FACTORS.into_iter().filter(is_wanted).collect();
    if wanted.is_empty() {
        return Err(Error::new("no factor is left to vary")
            .code(ExitCode::Usage)
            .hint("leave something out of `--skip`"));
    }
    Ok(wanted)
}
