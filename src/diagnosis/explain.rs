//! Decides why a retraining is not as locked: the program is not deterministic here either, and then by
//! which source; or it is, and then by what of the machine, or of the build, it could have been another.

use super::factor::{Factor, Frozen, OF_MACHINE, RESTLESS};
use super::remains;
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
    let first = Observed {
        outcome: Some(seen.clone()),
        ..Observed::default()
    };
    laboratory.shell.status("Explaining", "whether it agrees with itself");
    let (disagreement, accesses) = repeat(laboratory, normal, &first, &mut explanation)?;
    let disagree = disagreement.is_some();
    let changed = changed_reads(locked, seen, &accesses);
    let locked = Observed {
        outcome: Some(locked.clone()),
        ..Observed::default()
    };
    let restless = vary(
        laboratory,
        frozen,
        &Wanted {
            factors: &RESTLESS,
            until: None,
            together: disagree,
            sought: None,
            workshop: None,
        },
    )?;
    explanation.runs += restless.runs;
    let named = causes(&restless, laboratory);
    if disagree || !named.is_empty() || restless.unstable.is_some() {
        explanation.findings.push(not_deterministic(disagree, &restless));
        if named.is_empty() {
            explanation.findings.extend(remains(&restless, disagreement.as_ref()));
        }
        if let Some(finding) = pin(laboratory, frozen, normal, &named, &mut explanation.runs)? {
            explanation.findings.push(finding);
        }
        explanation.causes.extend(named);
        // What else changed cannot be told from what would have changed anyway.
        explanation
            .findings
            .extend(changed.into_iter().map(|cause| format!("{}: {}", cause.subject, cause.detail)));
        return Ok(explanation);
    }
    explanation.causes.extend(changed);
    explanation.findings.push(format!(
        "deterministic here: {} trainings gave one outcome, and so did each of {} with one source changed; but it is not what was locked",
        REPEATS + 1,
        restless.runs,
    ));
    if explanation.causes.is_empty() {
        let machine = vary(
            laboratory,
            frozen,
            &Wanted {
                factors: &OF_MACHINE,
                until: None,
                together: false,
                sought: Some(&locked),
                workshop: None,
            },
        )?;
        explanation.runs += machine.runs;
        of_machine(&machine, laboratory, &mut explanation);
    }
    Ok(explanation)
}

fn repeat(
    laboratory: &Laboratory<'_>,
    normal: &Circumstances,
    seen: &Observed,
    explanation: &mut Explanation,
) -> Result<(Option<Effect>, Vec<Access>)> {
    let mut accesses = Vec::new();
    for _ in 0..REPEATS {
        explanation.runs += 1;
        let again = laboratory.observe(normal)?;
        let differs = laboratory.compare(seen, &again);
        accesses = again.accesses;
        if differs.is_some() {
            return Ok((differs, accesses));
        }
    }
    Ok((None, accesses))
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
    let first = laboratory.observe(&pinned)?;
    *runs += 1;
    for _ in 0..REPEATS {
        *runs += 1;
        if laboratory.compare(&first, &laboratory.observe(&pinned)?).is_some() {
            return Ok(Some(
                "with these held fast and nothing else, trainings still disagree: there is another cause".to_owned(),
            ));
        }
    }
    Ok(Some(format!("with these held fast and nothing else, {} trainings agree", REPEATS + 1)))
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
    let of_training = changing.iter().filter(|(factor, _)| *factor != Kind::Build);
    let changing = of_training.map(|(factor, effect)| Cause {
        kind: *factor,
        stage: (!effect.stage.is_empty()).then(|| effect.stage.clone()),
        subject: subject(*factor),
        detail: detail(*factor, effect, together),
        first: Some(effect.first().to_owned()),
        sites: Vec::new(),
        hint: Some(hint(*factor).to_owned()),
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

/// Trainings differ though all that can be frozen is: an instruction that asks the processor, or a race.
fn unstable(variation: &Variation, effect: &Effect, laboratory: &Laboratory<'_>) -> Option<Cause> {
    let drawing = super::locate::asking_instructions(laboratory.session, &[Instruction::Rdrand, Instruction::Rdseed]);
    let (kind, subject, detail) = match drawing.first() {
        Some((instruction, function)) => (
            Kind::ProcessEntropy,
            function.clone(),
            format!(
                "trainings differ with everything frozen, and {function} has the instruction {instruction}, which asks the processor itself"
            ),
        ),
        None if variation.base.is_concurrent() => {
            let threads: u64 = variation.base.reports.values().map(|report| report.threads).sum();
            let (what, number) = if threads > 0 {
                ("threads", threads)
            } else {
                ("processes", processes(variation))
            };
            let detail = format!(
                "trainings differ with everything frozen but the order in which {what} run: it begins {number} of them, and which comes first decides"
            );
            (Kind::Scheduling, what.to_owned(), detail)
        }
        None => return None,
    };
    Some(Cause {
        kind,
        stage: Some(effect.stage.clone()),
        subject,
        detail,
        first: Some(effect.first().to_owned()),
        sites: Vec::new(),
        hint: Some(hint(kind).to_owned()),
    })
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

fn detail(factor: Factor, effect: &Effect, together: bool) -> String {
    let what = match factor {
        Kind::ProcessEntropy => "random numbers of the system: hash maps and unseeded generators draw on them",
        Kind::Clock => "the date, or how much time has passed",
        Kind::Scheduling => "the order in which threads come to run",
        Kind::ThreadCount => "the number of threads or processors",
        Kind::AddressLayout => "where things lie in memory",
        Kind::DirectoryOrder => "the order in which a directory's names are read",
        Kind::FileTimes => {
            "what the file system says of files beside their content: when they were changed, or their numbers"
        }
        Kind::CpuFeatures => "the instructions that libraries choose by the CPU",
        Kind::WorkingDirectory => "the path of the working directory",
        Kind::Home => "the path of the home directory",
        Kind::Environment => "variables that nobody declared",
        Kind::Locale => "the locale",
        Kind::Timezone => "the time zone",
        Kind::User => "who runs it",
        Kind::Hostname => "the host's name",
        Kind::Umask => "the mode creation mask",
        Kind::ProcessId => "the process's number",
        Kind::UndeclaredRead => "a file of the kernel that changes by itself",
        Kind::Network => "the network",
        Kind::Build => "what a build makes of the same sources",
    };
    let first = effect.first();
    let verb = if together {
        "changes, together with the others,"
    } else {
        "changes"
    };
    format!("the outcome follows {what}; it {verb} `{first}` first")
}

fn hint(factor: Factor) -> &'static str {
    match factor {
        Kind::ProcessEntropy => {
            "`[determinism] entropy = \"seeded\"` makes it follow the seed; or use a BTreeMap, and a generator from the run's seed"
        }
        Kind::Clock => {
            "`[determinism] clock = \"frozen\"` pins the date; what depends on how long something takes must be mended in the program"
        }
        Kind::Scheduling => "collect results by index instead of by arrival, and add numbers in a fixed order",
        Kind::ThreadCount => "set the number of threads under `[environment] set`, for instance RAYON_NUM_THREADS",
        Kind::AddressLayout => "something is ordered or hashed by its address, or read before it is written",
        Kind::DirectoryOrder => "sort the names that read_dir gives",
        Kind::CpuFeatures => {
            "`cargo repro record --add-class` gives each platform class an outcome of its own; or set GLIBC_TUNABLES, or the library's own variable, to one level"
        }
        Kind::FileTimes | Kind::UndeclaredRead => "take it from declared data or from a parameter",
        Kind::Network => "fetch it beforehand and declare the file under [data]",
        _ => "take it from a parameter, or set it under `[environment] set`",
    }
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
