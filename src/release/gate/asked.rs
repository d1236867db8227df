//! Which packages a tag would be a release of, whose policy holds, and the answer for all of them together.

use super::content::Tree;
use super::evidence::Evidence;
use super::packages::{self, Policy};
use super::refusal::{CommitFault, Place, Refusal, TagFault};
use super::tag_history::TagHistory;
use super::{Decision, Label, Question, judge, label};
use crate::error::Result;
use crate::os::redact;
use crate::project::git;
use crate::project::repository::{Commit, ObjectId, Repository};
use crate::verdict::{NotChecked, Note, Verdict, Word};

/// Where the policy is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Rules {
    /// In the tagged commit.
    #[default]
    Tagged,
    /// At a reference that others protect.
    At(String),
}

/// What is asked, by whom.
#[derive(Debug)]
pub struct Asked<'a> {
    /// The repository.
    pub repository: &'a Repository,
    /// Where the policy is read.
    pub rules: &'a Rules,
    /// The package by its directory from the top; none: every one whose policy names the tag.
    pub package: Option<&'a str>,
    /// Attestations.
    pub evidence: &'a Evidence<'a>,
    /// Seconds since 1970.
    pub now: i64,
}

impl Asked<'_> {
    /// The commit that the policy is read from; a refusal where it is not there.
    ///
    /// # Errors
    /// When it cannot be told for another reason.
    fn rules_at(&self, tagged: Option<Commit>) -> Result<Option<Commit>, Refusal> {
        match self.rules {
            Rules::Tagged => Ok(tagged),
            Rules::At(reference) => self.repository.protected(reference).map(Some).map_err(|error| {
                Refusal::Commit(CommitFault::PolicyUnreadable {
                    origin: reference.clone(),
                    why: error.what().to_owned(),
                })
            }),
        }
    }

    fn origin(&self) -> String {
        match self.rules {
            Rules::Tagged => "the tagged commit".to_owned(),
            Rules::At(reference) => reference.clone(),
        }
    }

    /// The policies that ask something of a tag of this name.
    ///
    /// # Errors
    /// When git's objects cannot be read.
    pub fn policies(&self, commit: Commit, tag: &str) -> Result<Vec<Policy>> {
        let Some(package) = self.package else {
            let asks = |policy: &Policy| policy.gate.as_ref().map_or(true, |gate| gate.names(tag));
            return Ok(packages::policies(self.repository, commit)?.into_iter().filter(asks).collect());
        };
        let tree = Tree {
            repository: self.repository,
            commit,
            package,
        };
        let gate = packages::policy(tree)?.unwrap_or_else(|| Err("there is no repro.toml of the package".to_owned()));
        let package = package.to_owned();
        Ok(vec![Policy { package, gate }])
    }

    /// The answer about a tag; none if no policy asks anything of it.
    ///
    /// # Errors
    /// When git cannot be read or asked.
    pub fn answer(&self, tag: &str, object: Option<ObjectId>) -> Result<Option<Verdict>> {
        let label = label(self.repository, tag, object)?;
        let commit = label.commit;
        let mut whole = Decision::default();
        let mut notes = Vec::new();
        match self.rules_at(commit) {
            Err(refusal) => whole.refusals.push(refusal),
            // Neither a policy nor a release, and the label says why; unless nobody would call it one.
            Ok(None) if self.package.is_none() && !self.is_named_at_head(tag)? => return Ok(None),
            Ok(None) => {}
            Ok(Some(rules)) => {
                let policies = self.policies(rules, tag)?;
                if policies.is_empty() {
                    return Ok(None);
                }
                for policy in policies {
                    if policy.gate.as_ref().is_ok_and(|gate| !gate.names(tag)) {
                        notes.push(Note::TagUngated { tag: tag.to_owned() });
                    }
                    let decision = self.decide(tag, &label, object, policy)?;
                    merge(&mut whole, decision);
                }
            }
        }
        whole.refusals.splice(0..0, label.refusals);
        if *self.rules == Rules::Tagged {
            let why =
                "the policy is the tagged commit's own; `--policy-ref origin/main` takes one that nobody brings along";
            whole.not_checked.push(NotChecked::new("policy", why));
        }
        let mut verdict = verdict(whole, commit);
        verdict.notes.splice(0..0, notes);
        Ok(Some(verdict))
    }

    fn is_named_at_head(&self, tag: &str) -> Result<bool> {
        let Ok(head) = self.repository.head() else {
            return Ok(false);
        };
        Ok(!self.policies(head, tag)?.is_empty())
    }

    fn decide(&self, tag: &str, label: &Label, object: Option<ObjectId>, policy: Policy) -> Result<Decision> {
        let gate = match policy.gate {
            Ok(gate) => gate,
            Err(why) => {
                let origin = self.origin();
                return Ok(Decision::refused(Refusal::Commit(CommitFault::PolicyUnreadable { origin, why })));
            }
        };
        let Some(object) = object else {
            return Ok(Decision::default());
        };
        let question = Question {
            repository: self.repository,
            tag,
            package: &policy.package,
            policy: &gate,
            evidence: self.evidence,
            now: self.now,
        };
        judge(question, label, object)
    }
}

fn merge(whole: &mut Decision, other: Decision) {
    if whole.lock.is_none() {
        (whole.lock, whole.lock_commit) = (other.lock, other.lock_commit);
    }
    whole.refusals.extend(other.refusals);
    whole.vouched.extend(other.vouched);
    whole.set_aside.extend(other.set_aside);
    whole.copied.extend(other.copied);
    whole.notes.extend(other.notes);
    for item in other.not_checked {
        if !whole.not_checked.contains(&item) {
            whole.not_checked.push(item);
        }
    }
}

/// A decision as the verdict that says it.
#[must_use]
pub fn verdict(decision: Decision, commit: Option<Commit>) -> Verdict {
    let mut verdict = Verdict::new(Word::Passed, commit.map_or_else(String::new, |commit| commit.to_string()));
    verdict.lock = decision.lock;
    verdict.lock_commit = decision.lock_commit;
    verdict.vouched = decision.vouched;
    verdict.not_checked = decision.not_checked;
    verdict.notes = decision.notes;
    let aside = decision.set_aside.into_iter();
    verdict
        .notes
        .extend(aside.map(|(origin, flaw)| Note::AttestationSetAside { origin, flaw }));
    verdict.notes.extend(decision.copied.into_iter().map(Note::Copied));
    verdict.refuse(decision.refusals);
    verdict
}

/// Whether a tag is the object that it was first, here and, where one is asked, on a remote.
///
/// # Errors
/// When git cannot be started, or what tags were cannot be read.
pub fn moved(
    repository: &Repository,
    tag: &str,
    object: ObjectId,
    remote: Option<&str>,
    not_checked: &mut Vec<NotChecked>,
) -> Result<Vec<Refusal>> {
    let told = remote.map(|remote| git::tag_of_remote(repository, remote, tag)).transpose()?;
    let mut history = TagHistory::load(repository)?;
    if matches!(told, Some(Ok(Some(there))) if there == object) {
        history.enter(&[(tag.to_owned(), object)])?;
    }
    let mut refusals = Vec::new();
    let other = |place, first| {
        Refusal::Tag(TagFault::Moved {
            place,
            first,
            found: object,
        })
    };
    // Asked last: another gate may have seen it as something else while the remote was asked.
    if let Some(first) = history.first(tag).filter(|first| *first != object) {
        refusals.push(other(Place::Earlier, first));
    }
    let (Some(remote), Some(told)) = (remote, told) else {
        let why = "no remote was asked whether it has the tag as another object; `--remote NAME` asks one";
        not_checked.push(NotChecked::new("remote", why));
        return Ok(refusals);
    };
    match told {
        Ok(there) => {
            let there = there.filter(|there| *there != object);
            refusals.extend(there.map(|there| other(Place::Remote(redact::remote(remote)), there)));
        }
        Err(why) => {
            // Git says where it asked, with the password that it was given.
            let told = redact::remote(remote);
            let why = redact::without_users(&why.lines().next().unwrap_or_default().replace(remote, &told));
            let why = format!("{told} could not be asked for its tag: {why}");
            not_checked.push(NotChecked::new("remote", why));
        }
    }
    Ok(refusals)
}
