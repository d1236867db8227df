//! Decides why a retraining is not as locked: the program is not deterministic here either, and then by
//! which source; or it is, and then by what of the machine, or of the build, it could have been another.

use std::collections::BTreeSet;

use super::factor::{Factor, Frozen, OF_MACHINE, RESTLESS};
use super::race::Evidence;
use super::remains;
use super::sentences::{DRAW_EARLIER, RACED, detail, hint};
use super::trial::{Effect, Laboratory, Observed};
use super::vary::{Variation, Wanted, vary};
use crate::cause::{Cause, Kind};
use crate::error::Result;
use crate::outcome::Outcome;
use crate::run::access::Access;
use crate::run::circumstances::Circumstances;
use crate::trace::Instruction;

/// What an explanation came to.
#[derive(Clone, Debug, Default)]
pub struct Explanation {
    /// The causes, if any could be named.
    pub causes: Vec<Cause>,
    /// In sentences, what was tried and what that showed.
    pub findings: Vec<String>,
    /// How many trainings it took.
    pub runs: u32,
    /// Whether threads race to draw random numbers.
    pub raced_draw: bool,
}

/// How often it is trained as it was, to see whether it agrees with itself.
const REPEATS: u32 = 4;

/// Explains why `seen` is not `locked`.
///
/// # Errors
/// When the program fails, or the user interrupts.
pub fn explain(
    laboratory: &Laboratory<'_>,
    frozen: &Frozen<'_>,
    normal: &Circumstances,
    locked: &Outcome,
    seen: &Outcome,
) -> Result<Explanation> {
    let mut explanation = Explanation::default();
    let agreement = repeat(laboratory, normal, seen, &mut explanation)?;
    let changed = changed_reads(locked, seen, &agreement.accesses);
    let disagrees = agreement.differs.is_some();
    let wanted = Wanted {
        together: disagrees,
        ..Wanted::alone(&RESTLESS)
    };
    let restless = vary(laboratory, frozen, &wanted)?;
    explanation.runs += restless.runs;
    explanation.raced_draw = restless.raced_draw;
    let named = causes(&restless, laboratory);
    if disagrees || !named.is_empty() || restless.unstable.is_some() {
        explanation.findings.push(not_deterministic(disagrees, &restless));
        if named.is_empty() {
            explanation.findings.extend(remains(&restless, agreement.differs.as_ref()));
        }
        let pinned = pin(laboratory, frozen, normal, &named, &mut explanation.runs)?;
        explanation.findings.extend(pinned);
        explanation.causes.extend(named);
        // What else changed cannot be told from what would have changed anyway.
        let changed = changed.into_iter().map(|cause| format!("{}: {}", cause.subject, cause.detail));
        explanation.findings.extend(changed);
    } else {
        explanation.causes.extend(changed);
        explanation.findings.push(deterministic(&restless));
        if explanation.causes.is_empty() {
            look_at_machine(laboratory, frozen, locked, &mut explanation)?;
        }
    }
    Ok(explanation)
}

/// Whether trainings as they are agree with the first one.
struct Agreement {
    /// How one differs, if one does.
    differs: Option<Effect>,
    /// What the last one reached for.
    accesses: Vec<Access>,
}

fn repeat(
    laboratory: &Laboratory<'_>,
    normal: &Circumstances,
    seen: &Outcome,
    explanation: &mut Explanation,
) -> Result<Agreement> {
    laboratory.console.status("Explaining", "whether it agrees with itself");
    let first = observed(seen);
    let mut agreement = Agreement {
        differs: None,
        accesses: Vec::new(),
    };
    for _ in 0..REPEATS {
        explanation.runs += 1;
        let again = laboratory.observe(normal)?;
        agreement.differs = laboratory.compare(&first, &again);
        agreement.accesses = again.accesses;
        if agreement.differs.is_some() {
            break;
        }
    }
    Ok(agreement)
}

/// An outcome that was seen elsewhere.
fn observed(outcome: &Outcome) -> Observed {
    Observed {
        outcome: Some(outcome.clone()),
        ..Observed::default()
    }
}

/// Changes what can be another on another machine.
fn look_at_machine(
    laboratory: &Laboratory<'_>,
    frozen: &Frozen<'_>,
    locked: &Outcome,
    explanation: &mut Explanation,
) -> Result<()> {
    let locked = observed(locked);
    let wanted = Wanted {
        sought: Some(&locked),
        ..Wanted::alone(&OF_MACHINE)
    };
    let machine = vary(laboratory, frozen, &wanted)?;
    explanation.runs += machine.runs;
    of_machine(&machine, laboratory, explanation);
    Ok(())
}

/// What is left to say where no source could be named.
fn remains(variation: &Variation, disagreement: Option<&Effect>) -> Vec<String> {
    match (&variation.unstable, disagreement) {
        (Some(_), _) => variation.remains(),
        (None, Some(effect)) => remains::unnamed(effect, &variation.tested, variation.runs),
        (None, None) => Vec::new(),
    }
}

fn not_deterministic(disagree: bool, variation: &Variation) -> String {
    if disagree {
        "not deterministic here either: trainings of the same program and inputs disagree".to_owned()
    } else {
        format!(
            "not deterministic, though {} trainings here agreed: changing one source changes the outcome{}",
            REPEATS + 1,
            if variation.unstable.is_some() {
                ", and so does doing nothing at all"
            } else {
                ""
            }
        )
    }
}

fn deterministic(variation: &Variation) -> String {
    format!(
        "deterministic here: {} trainings gave one outcome, and so did each of {} with one source changed; but it is not what was locked",
        REPEATS + 1,
        variation.runs,
    )
}

/// The named causes held fast and nothing else: if trainings agree then, these were all.
fn pin(
    laboratory: &Laboratory<'_>,
    frozen: &Frozen<'_>,
    normal: &Circumstances,
    named: &[Cause],
    runs: &mut u32,
) -> Result<Option<String>> {
    let mut pinned = normal.clone();
    let held = frozen.circumstances();
    for cause in named {
        match cause.kind {
            Kind::ProcessEntropy => pinned.conditions.entropy.clone_from(&held.conditions.entropy),
            Kind::Clock => {
                (pinned.conditions.clock, pinned.conditions.tick) = (held.conditions.clock, held.conditions.tick)
            }
            Kind::AddressLayout => {
                (pinned.conditions.fixed_addresses, pinned.conditions.padding) = (true, held.conditions.padding);
            }
            Kind::DirectoryOrder => pinned.conditions.directories = held.conditions.directories,
            Kind::FileTimes => {
                (pinned.file_time, pinned.conditions.written) = (held.file_time, held.conditions.written)
            }
            Kind::UndeclaredRead => pinned.conditions.canned.clone_from(&held.conditions.canned),
            _ => return Ok(None),
        }
    }
    if named.is_empty() {
        return Ok(None);
    }
    let held_fast: BTreeSet<&str> = named.iter().map(|cause| cause.kind.word()).collect();
    let held_fast = Vec::from_iter(held_fast).join(" and ");
    let first = laboratory.observe(&pinned)?;
    *runs += 1;
    for _ in 0..REPEATS {
        *runs += 1;
        if laboratory.compare(&first, &laboratory.observe(&pinned)?).is_some() {
            return Ok(Some(format!(
                "with only {held_fast} held fast, trainings still disagree: there is another cause"
            )));
        }
    }
    Ok(Some(format!("with only {held_fast} held fast, {} trainings agree", REPEATS + 1)))
}

/// Undeclared files that were read then and now, with other bytes. A lock knows them by the digest of their
/// path; the accesses of a training here tell the path.
fn changed_reads(locked: &Outcome, seen: &Outcome, accesses: &[Access]) -> Vec<Cause> {
    let path = |name: &str| {
        let mut subjects = accesses.iter().map(Access::subject);
        subjects.find(|path| Access::name_in_lock(path) == name).unwrap_or(name).to_owned()
    };
    let mut causes = Vec::new();
    for (stage, seen) in seen {
        let Some(locked) = locked.get(stage) else { continue };
        let changed = seen
            .reads
            .iter()
            .filter(|(name, digest)| locked.reads.get(*name).is_some_and(|old| old != *digest));
        causes.extend(changed.map(|(name, digest)| Cause {
            kind: Kind::UndeclaredRead,
            stage: Some(stage.clone()),
            subject: path(name),
            detail: format!(
                "an undeclared file that it reads is another one than when it was recorded: it is now {}",
                digest.short()
            ),
            first: None,
            sites: Vec::new(),
            hint: Some("declare it under [data]; then a verification finds that before it trains".to_owned()),
        }));
    }
    causes
}

/// What a variation shows, as causes.
#[must_use]
pub fn causes(variation: &Variation, laboratory: &Laboratory<'_>) -> Vec<Cause> {
    let unstable = variation.unstable.as_ref().and_then(|effect| unstable(variation, effect, laboratory));
    let changing = variation.changing();
    let together = variation.together.as_ref().is_some_and(|(factors, _)| factors.len() > 1);
    let subject = |factor: Factor| match factor {
        Kind::UndeclaredRead => kernel_file(variation).unwrap_or_default(),
        other => other.word().to_owned(),
    };
    // Which thread draws matters only because each is answered for itself: the system's numbers are anybody's.
    let draws = changing.iter().any(|(factor, _)| *factor == Kind::ProcessEntropy);
    let unstable = unstable.filter(|cause| cause.kind != Kind::Scheduling || !(variation.raced_draw && draws));
    let is_cause = |factor: Factor| match factor {
        Kind::Build => false,
        Kind::Scheduling => !(variation.raced_draw && draws),
        _ => true,
    };
    let of_training = changing.iter().filter(|(factor, _)| is_cause(*factor));
    let changing = of_training.map(|(factor, effect)| {
        let raced = variation.raced_draw && matches!(factor, Kind::ProcessEntropy | Kind::Scheduling);
        Cause {
            kind: *factor,
            stage: (!effect.stage.is_empty()).then(|| effect.stage.clone()),
            subject: subject(*factor),
            detail: detail(*factor, effect, together) + if raced { RACED } else { "" },
            first: Some(effect.first().to_owned()),
            sites: Vec::new(),
            hint: Some(match (raced, *factor) {
                (true, Kind::Scheduling) => DRAW_EARLIER.to_owned(),
                (true, other) => format!("{}; {DRAW_EARLIER}", hint(other)),
                (false, other) => hint(other).to_owned(),
            }),
        }
    });
    unstable.into_iter().chain(changing).chain(variation.by_build.iter().cloned()).collect()
}

fn kernel_file(variation: &Variation) -> Option<String> {
    use crate::run::access::Reached;
    variation.base.accesses.iter().find_map(|access| match &access.what {
        Reached::Kernel(path) => Some(path.clone()),
        _ => None,
    })
}

/// How many processes beside the first one were at work at a time.
fn processes(variation: &Variation) -> u64 {
    variation
        .base
        .reports
        .values()
        .map(|report| report.processes.saturating_sub(1))
        .max()
        .unwrap_or(0)
}

/// Trainings differ though all that can be frozen is: an instruction that asks the processor, or a race that was shown.
fn unstable(variation: &Variation, effect: &Effect, laboratory: &Laboratory<'_>) -> Option<Cause> {
    // Where trainings agree with the order held, what else the program has changes nothing.
    let is_by_order = matches!(variation.race, Some(Evidence::Turns(_) | Evidence::Draws(_)));
    let drawing = if is_by_order {
        Vec::new()
    } else {
        super::locate::asking_instructions(laboratory.session, &[Instruction::Rdrand, Instruction::Rdseed])
    };
    let (kind, subject, detail) = match drawing.first() {
        Some((instruction, function)) => (
            Kind::ProcessEntropy,
            function.clone(),
            format!(
                "trainings differ with everything frozen, and {function} has the instruction {instruction}, which asks the processor itself"
            ),
        ),
        None => {
            let (what, detail) = who_comes_first(variation)?;
            (Kind::Scheduling, what.to_owned(), detail)
        }
    };
    let raced = kind == Kind::Scheduling && variation.raced_draw;
    Some(Cause {
        kind,
        stage: Some(effect.stage.clone()),
        subject,
        detail,
        first: Some(effect.first().to_owned()),
        sites: Vec::new(),
        hint: Some(if raced { DRAW_EARLIER } else { hint(kind) }.to_owned()),
    })
}

/// What comes first by chance, and what shows it. That there are several of them shows nothing.
fn who_comes_first(variation: &Variation) -> Option<(&'static str, String)> {
    let shown = match variation.race? {
        Evidence::Draws(_) => RACED.trim_start_matches("; ").to_owned(),
        Evidence::Turns(trainings) => {
            format!("which comes first decides: made to take turns, {trainings} trainings agree")
        }
        Evidence::Delays { of, more, still } => format!(
            "which comes first decides: of {of} trainings with threads held up {more} differ in more than {still} parts, and none without"
        ),
    };
    let threads: u64 = variation.base.reports.values().map(|report| report.threads).sum();
    let (what, number) = if threads > 0 {
        ("threads", threads)
    } else {
        ("processes", processes(variation))
    };
    let detail = format!(
        "trainings differ with everything frozen but the order in which {what} run, of which it begins {number}; {shown}"
    );
    Some((what, detail))
}

fn of_machine(machine: &Variation, laboratory: &Laboratory<'_>, explanation: &mut Explanation) {
    let mut named = causes(machine, laboratory);
    if machine.restored.is_empty() {
        for cause in &mut named {
            cause.detail += "; so it can be the reason, if the machine that recorded differs in this";
        }
    } else {
        named.retain(|cause| machine.restored.iter().any(|(factor, _)| *factor == cause.kind));
        for (factor, setting) in &machine.restored {
            explanation
                .findings
                .push(format!("with {} ({setting}) the outcome is the locked one", factor.word()));
        }
    }
    if named.is_empty() {
        explanation.findings.push(
            "nothing that can be changed here changes the outcome: the lock, or an input that is not part of it, is not what was recorded"
                .to_owned(),
        );
        explanation.findings.push(
            "next: `cargo repro verify` on the machine that recorded tells which of the two it is; `cargo repro record` accepts what this one gives"
                .to_owned(),
        );
    }
    explanation.causes.extend(named);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::outcome::StageOutcome;
    use crate::run::access::Reached;

    fn reading(path: &str, content: &str) -> Outcome {
        let mut stage = StageOutcome::default();
        stage.reads.insert(Access::name_in_lock(path), Digest::of(content));
        Outcome::from([("train".to_owned(), stage)])
    }

    #[test]
    fn an_undeclared_file_is_named_by_its_path_if_it_changed() {
        let access = Access {
            stage: Some("train".to_owned()),
            by: "train".to_owned(),
            what: Reached::Outside("/data/extra.csv".to_owned()),
        };
        let locked = reading("/data/extra.csv", "1");
        let causes = changed_reads(&locked, &reading("/data/extra.csv", "2"), &[access]);
        assert_eq!(causes.iter().map(|cause| cause.subject.as_str()).collect::<Vec<_>>(), ["/data/extra.csv"]);
        assert!(changed_reads(&locked, &reading("/data/extra.csv", "1"), &[]).is_empty());
        assert!(changed_reads(&locked, &reading("/data/other.csv", "2"), &[]).is_empty());
    }
}
