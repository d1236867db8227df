//! `tag`: the last act of a release. Everything that the gate would ask is asked first, since it costs a
//! moment; then the model is retrained, or signed verdicts are taken in its place; only then is there a tag.

use super::gate::rules;
use super::subject::Subject;
use super::verify::verify;
use super::{conclude, release};
use crate::cli::args;
use crate::cli::settings::Settings;
use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::exit_code::ExitCode;
use crate::os::env;
use crate::project::git;
use crate::project::manifest::Gate;
use crate::project::repository::{Commit, ObjectId, Repository};
use crate::release::attestation::Vouched;
use crate::release::gate::asked::{self, Asked};
use crate::release::gate::content::Tree;
use crate::release::gate::evidence::{Evidence, NOTES};
use crate::release::gate::refusal::Refusal;
use crate::release::gate::{self, Decision, Question, message, packages};
use crate::report;
use crate::verdict::{Verdict, Word};

/// Runs the command.
///
/// # Errors
/// When the inputs or the lock cannot be read, a phase fails, or git makes no tag.
pub fn run(settings: &Settings, args: &args::Tag) -> Result<ExitCode> {
    let place = release::Place::find(settings)?;
    let repository = &place.repository;
    refuse_name(repository, &args.name)?;
    let commit = repository.head()?;
    let mut evidence = Evidence::of(repository);
    evidence.add_files(&settings.current_directory, &args.from)?;
    let policy = policy(&place, commit, args)?;
    let question = Question {
        repository,
        tag: &args.name,
        package: &place.package,
        policy: &policy,
        evidence: &evidence,
        now: env::now(),
    };
    let mut decision = gate::release(question, commit)?;
    if decision.lock.is_some() {
        decision.refusals.extend(place.uncommitted(commit)?);
    }
    if !args.from.is_empty() && policy.require == 0 && !decision.vouched.iter().any(|vouched| vouched.counts) {
        refuse_unvouched(&mut decision);
    }
    if !decision.refusals.is_empty() {
        let mut verdict = asked::verdict(decision, Some(commit));
        verdict.tag = Some((args.name.clone(), None));
        return conclude(settings, &verdict);
    }
    let lock = decision.lock.expect("a commit without a lock was refused");
    let (verdict, said) = if args.from.is_empty() {
        let mut subject = Subject::default();
        let verdict = verify(settings, &release::as_verify(None, args.times), &mut subject)?;
        if verdict.word != Word::Reproduced {
            return conclude(settings, &verdict);
        }
        if verdict.lock != Some(lock) || verdict.commit != commit.to_string() {
            return Err(Error::new("the commit or the lock changed while the model was trained")
                .hint("run the same command again when nobody else works in this clone"));
        }
        if let Some(read) = &subject.lock {
            release::refuse_unsaid_copies(&verdict, &read.lock)?;
        }
        let classes = subject.platform.iter().map(ToString::to_string).collect();
        let said = Said {
            verdict: format!("reproduced, {}", release::trainings(verdict.runs)),
            classes,
        };
        (verdict, said)
    } else {
        let said = Said::by(&decision.vouched);
        (asked::verdict(decision, Some(commit)), said)
    };
    keep_given(&place, &evidence, commit)?;
    let object = make(&place, args, &policy, commit, lock, &said)?;
    finish(settings, &place, args, object, &evidence, verdict)
}

/// What the tag's message says beside the lock.
struct Said {
    verdict: String,
    classes: Vec<String>,
}

impl Said {
    fn by(vouched: &[Vouched]) -> Self {
        let mut names: Vec<String> = vouched.iter().map(|vouched| vouched.names.join("/")).collect();
        names.sort();
        names.dedup();
        let mut classes: Vec<String> =
            vouched.iter().map(|vouched| vouched.reproduction.platform.to_string()).collect();
        classes.sort();
        classes.dedup();
        Self {
            verdict: format!("reproduced, attested by {}", names.join(", ")),
            classes,
        }
    }
}

fn refuse_name(repository: &Repository, name: &str) -> Result<()> {
    if !Repository::is_tag_name(name) || name.starts_with('-') {
        return Err(Error::new(format!("`{name}` cannot be the name of a tag"))
            .code(ExitCode::Usage)
            .hint("git-check-ref-format(1) says which names can"));
    }
    if repository.reference(&format!("refs/tags/{name}")).is_some() {
        return Err(Error::new(format!("there is a tag {name} already"))
            .code(ExitCode::GateRefused)
            .hint(format!(
                "a release keeps its tag, so a new one needs a name of its own; `cargo repro gate {name}` judges the old one"
            )));
    }
    Ok(())
}

fn policy(place: &release::Place, commit: Commit, args: &args::Tag) -> Result<Gate> {
    let at = match &args.policy_ref {
        None => commit,
        Some(reference) => place.repository.protected(reference).map_err(|error| error.code(ExitCode::GateRefused))?,
    };
    let tree = Tree {
        repository: &place.repository,
        commit: at,
        package: &place.package,
    };
    let read = packages::policy(tree)?.unwrap_or_else(|| Err("there is no repro.toml".to_owned()));
    read.map_err(|why| {
        let origin = args.policy_ref.as_deref().unwrap_or("the commit");
        Error::new(format!("the policy of {origin} cannot be read: {why}")).code(ExitCode::GateRefused)
    })
}

/// `--from` takes the place of a training, so somebody must vouch for one.
fn refuse_unvouched(decision: &mut Decision) {
    let lacking = crate::release::attestation::Lacking {
        found: 0,
        wanted: 1,
        distinct_classes: false,
    };
    decision.refusals.push(Refusal::AttestationsLacking(lacking));
    let aside = std::mem::take(&mut decision.set_aside).into_iter();
    let reasons = aside.map(|(origin, flaw)| Refusal::Attestation { origin, flaw });
    decision.refusals.extend(reasons);
}

fn make(
    place: &release::Place,
    args: &args::Tag,
    policy: &Gate,
    commit: Commit,
    lock: Digest,
    said: &Said,
) -> Result<ObjectId> {
    crate::os::interrupt::check()?;
    let tree = Tree {
        repository: &place.repository,
        commit,
        package: &place.package,
    };
    let package = packages::name(tree)?.unwrap_or_default();
    let words = args
        .message
        .clone()
        .filter(|text| !text.trim().is_empty())
        .unwrap_or_else(|| format!("{package} {}", args.name));
    let text = message::message(&words, lock, &said.verdict, &said.classes);
    git::make_tag(&place.repository, &args.name, commit, &text, !policy.signers.is_empty())
}

/// The tag as made is held against the gate once more: a signature of somebody who may not sign shows only
/// now. One that does not pass does not stay.
fn finish(
    settings: &Settings,
    place: &release::Place,
    args: &args::Tag,
    object: ObjectId,
    evidence: &Evidence<'_>,
    mut verdict: Verdict,
) -> Result<ExitCode> {
    let repository = &place.repository;
    let rules = rules(args.policy_ref.as_deref());
    let asked = Asked {
        repository,
        rules: &rules,
        package: Some(&place.package),
        evidence,
        now: env::now(),
    };
    let answered = asked.answer(&args.name, Some(object));
    let passed = answered
        .as_ref()
        .is_ok_and(|answer| answer.as_ref().is_some_and(|verdict| verdict.word == Word::Passed));
    if !passed {
        repository.remove_tag(&args.name, object)?;
        settings.console.status("Removed", format!("the tag {}, which did not pass", args.name));
    }
    let Some(answer) = answered? else {
        return Err(Error::new("the gate does not know the package that was tagged"));
    };
    if answer.word != Word::Passed {
        return conclude(settings, &answer);
    }
    let notes = answer.notes.into_iter().filter(|note| !verdict.notes.contains(note)).collect::<Vec<_>>();
    verdict.notes.extend(notes);
    for item in answer.not_checked {
        if !verdict.not_checked.contains(&item) && item.kind != "retraining" {
            verdict.not_checked.push(item);
        }
    }
    verdict.vouched = answer.vouched;
    verdict.tag = Some((args.name.clone(), Some(object)));
    settings.console.json(&report::json::phase("tag", &args.name))?;
    settings.console.status("Tagged", format!("{} at {}", args.name, object.short()));
    conclude(settings, &verdict)
}

/// Whoever has the repository finds again what the tag was made by. Kept before there is a tag: none stands without
/// it then, and should there be none after all, notes about a lock harm nobody.
fn keep_given(place: &release::Place, evidence: &Evidence<'_>, commit: Commit) -> Result<()> {
    let lines: Vec<String> = evidence.given().map(|(_, line)| line.to_owned()).collect();
    if lines.is_empty() {
        return Ok(());
    }
    place.repository.add_to_note(NOTES, place.lock_object(commit)?, &lines)
}
