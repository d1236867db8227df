//! The gate: whether a tag may be a release. One question with every reason, answered from git's objects, the
//! lock in the tagged commit, the policy and signed attestations; nothing is built here, and nothing is
//! asked of the network. Making tags and hooks is [`crate::cli::commands`]'.

pub mod asked;
pub mod content;
pub mod evidence;
pub mod hooks;
pub mod message;
pub mod packages;
pub mod push;
pub mod refusal;
pub mod tag_history;

use crate::digest::Digest;
use crate::error::Result;
use crate::lockfile::{self, Lockfile, Read};
use crate::project::git;
use crate::project::manifest::{self, Gate, Manifest, VERSION_PLACE};
use crate::project::repository::{Annotation, Commit, ObjectId, Repository, Tagged, Target};
use crate::release::attestation::{self, Expectation, Flaw, Vouched};
use crate::run::copies::{self, Copied};
use crate::verdict::{NotChecked, Note};
use content::Tree;
use evidence::Evidence;
use refusal::{CommitFault, Refusal, TagFault};

/// Where a package keeps attestations as files, beside its lock.
pub const DIRECTORY: &str = "attestations/";

/// What is asked of a package's release.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The repository.
    pub repository: &'a Repository,
    /// The tag's name.
    pub tag: &'a str,
    /// The package's directory from the top, empty for the top itself.
    pub package: &'a str,
    /// What a release must have.
    pub policy: &'a Gate,
    /// Attestations, from wherever they may be.
    pub evidence: &'a Evidence<'a>,
    /// Seconds since 1970.
    pub now: i64,
}

/// What it came to.
#[derive(Debug, Default)]
pub struct Decision {
    /// Every reason against it; none: yes.
    pub refusals: Vec<Refusal>,
    /// The lock.
    pub lock: Option<Digest>,
    /// The commit that it was recorded at.
    pub lock_commit: Option<String>,
    /// Who vouches for it.
    pub vouched: Vec<Vouched>,
    /// Attestations that do not count, where enough others do, with the place of each.
    pub set_aside: Vec<(String, Flaw)>,
    /// Artifacts that are copies of inputs, as the policy lets them.
    pub copied: Vec<Copied>,
    /// What could not be told.
    pub not_checked: Vec<NotChecked>,
    /// What is worth saying beside.
    pub notes: Vec<Note>,
}

impl Decision {
    fn refused(refusal: Refusal) -> Self {
        Self {
            refusals: vec![refusal],
            ..Self::default()
        }
    }
}

/// What a tag's object says, before anything is asked of the commit.
#[derive(Debug, Default)]
pub struct Label {
    /// The commit that it points to.
    pub commit: Option<Commit>,
    /// What it says, if it says something.
    pub annotation: Option<Annotation>,
    /// What is wrong with it.
    pub refusals: Vec<Refusal>,
}

/// Looks at a tag's object under the name that it has, or would be given.
///
/// # Errors
/// When git cannot be read or asked.
pub fn label(repository: &Repository, name: &str, object: Option<ObjectId>) -> Result<Label> {
    let shallow = repository.is_shallow();
    let only = |refusal| Label {
        refusals: vec![refusal],
        ..Label::default()
    };
    let Some(object) = object else {
        return Ok(only(Refusal::Tag(TagFault::Missing { shallow })));
    };
    let annotation = match repository.tagged(object)? {
        None => {
            let commit = object.to_string();
            let role = "what the tag points to";
            return Ok(only(Refusal::Commit(CommitFault::Missing { commit, role, shallow })));
        }
        Some(Tagged::Unfit(kind)) => return Ok(only(Refusal::Tag(TagFault::Target { kind }))),
        Some(Tagged::Lightweight(commit)) => {
            return Ok(Label {
                commit: Some(commit),
                ..only(Refusal::Tag(TagFault::Lightweight))
            });
        }
        Some(Tagged::Annotated(annotation)) => annotation,
    };
    let mut label = Label::default();
    if annotation.name != name {
        let made_as = annotation.name.clone();
        let tag = name.to_owned();
        label.refusals.push(Refusal::Tag(TagFault::Renamed { made_as, tag }));
    }
    match annotation.target {
        Target::Commit(commit) => label.commit = Some(commit),
        Target::Unfit(kind) => label.refusals.push(Refusal::Tag(TagFault::Target { kind })),
        Target::Absent(commit) => label.refusals.push(Refusal::Commit(CommitFault::Missing {
            commit: commit.to_string(),
            role: "what the tag points to",
            shallow,
        })),
    }
    label.annotation = Some(annotation);
    Ok(label)
}

/// The whole question, about a tag that was made.
///
/// # Errors
/// When git cannot be read or asked.
pub fn judge(question: Question<'_>, label: &Label, object: ObjectId) -> Result<Decision> {
    let mut decision = match label.commit {
        Some(commit) => release(question, commit)?,
        None => Decision::default(),
    };
    let mut refusals = Vec::new();
    if let Some(annotation) = &label.annotation {
        refusals.extend(signature(question, annotation, object)?);
        refusals.extend(decision.lock.and_then(|lock| names_it(annotation, lock)));
    }
    decision.refusals.splice(0..0, refusals);
    Ok(decision)
}

fn signature(question: Question<'_>, annotation: &Annotation, object: ObjectId) -> Result<Option<Refusal>> {
    let signers = &question.policy.signers;
    if signers.is_empty() {
        return Ok(None);
    }
    if !message::is_signed(&annotation.message) {
        return Ok(Some(Refusal::Tag(TagFault::Unsigned)));
    }
    let checked = git::check_signature(question.repository, object, signers)?;
    Ok(checked.err().map(|why| Refusal::Tag(TagFault::Signature { why })))
}

fn names_it(annotation: &Annotation, lock: Digest) -> Option<Refusal> {
    let named: Vec<Digest> = message::locks(&annotation.message).into_iter().collect();
    match named.as_slice() {
        [] => Some(Refusal::Commit(CommitFault::LockUnnamed)),
        [one] if *one == lock => None,
        _ => Some(Refusal::Commit(CommitFault::LockOther { named, found: lock })),
    }
}

/// What is asked of a commit, whether it has the tag already or is about to get it.
///
/// # Errors
/// When git's objects cannot be read.
pub fn release(question: Question<'_>, commit: Commit) -> Result<Decision> {
    let tree = Tree {
        repository: question.repository,
        commit,
        package: question.package,
    };
    let (read, lock_file) = match locked(tree)? {
        Ok(found) => found,
        Err(refusal) => return Ok(Decision::refused(refusal)),
    };
    let lock = &read.lock;
    let mut decision = Decision {
        lock: Some(read.id),
        lock_commit: Some(lock.snapshot.source.commit.clone()),
        refusals: of_lock(&read, question.policy),
        ..Decision::default()
    };
    copies_in(lock, question.policy, &mut decision);
    decision.refusals.extend(recorded_at(tree, lock)?);
    match manifest(tree)? {
        Err(refusal) => decision.refusals.push(refusal),
        Ok(mut manifest) => {
            decision.notes.extend(manifest.follow(lock, &[]).into_iter().map(Note::Overridden));
            let (drift, not_checked) = content::differences(tree, lock, &manifest)?;
            decision.refusals.extend(drift.into_iter().map(|drift| Refusal::Drift(Box::new(drift))));
            decision.not_checked.extend(not_checked);
            decision.refusals.extend(declared_otherwise(tree, lock, &manifest)?);
        }
    }
    decision.refusals.extend(version(tree, question)?);
    let expected = Expectation {
        keys: &question.policy.keys,
        id: read.actual_id,
        lock,
        lock_file,
        now: question.now,
        max_age: question.policy.max_age,
    };
    quorum(tree, question, &expected, &mut decision)?;
    Ok(decision)
}

/// The lock in the commit, with the digest of the file.
fn locked(tree: Tree<'_>) -> Result<Result<(Read, Digest), Refusal>> {
    let path = tree.path(lockfile::FILE);
    let Some(bytes) = tree.read(&path)? else {
        return Ok(Err(Refusal::Commit(CommitFault::LockMissing { path })));
    };
    let lock_file = Digest::of(&bytes);
    let read = match String::from_utf8(bytes) {
        Ok(text) => Lockfile::from_text(&text, &path).map_err(|error| error_words(&error)),
        Err(_) => Err("it is not UTF-8".to_owned()),
    };
    Ok(read
        .map(|read| (read, lock_file))
        .map_err(|why| Refusal::Commit(CommitFault::Unreadable { path, why })))
}

fn manifest(tree: Tree<'_>) -> Result<Result<Manifest, Refusal>> {
    let path = tree.path(manifest::FILE);
    let Some(bytes) = tree.read(&path)? else {
        let why = "the tagged commit has none".to_owned();
        return Ok(Err(Refusal::Commit(CommitFault::Unreadable { path, why })));
    };
    let text = String::from_utf8_lossy(&bytes);
    let read = Manifest::from_text(&text, &path).map_err(|error| error_words(&error));
    Ok(read.map_err(|why| Refusal::Commit(CommitFault::Unreadable { path, why })))
}

/// A manifest's mistake says where it is; of a lock only the lines under the message say what it is.
fn error_words(error: &crate::error::Error) -> String {
    match error.context_lines().filter(|_| error.what().ends_with("cannot be read")) {
        Some(why) => why.lines().next().unwrap_or_default().to_owned(),
        None => error.what().to_owned(),
    }
}

/// What the lock says of itself.
fn of_lock(read: &Read, policy: &Gate) -> Vec<Refusal> {
    let record = &read.lock.record;
    let mut refusals = Vec::new();
    if read.id != read.actual_id {
        refusals.push(Refusal::Drift(Box::new(crate::compare::Drift::LockEdited {
            stated: read.id,
            actual: read.actual_id,
        })));
    }
    if record.dirty {
        refusals.push(Refusal::Commit(CommitFault::LockDirty));
    }
    if record.runs < policy.confirmed {
        refusals.push(Refusal::Commit(CommitFault::LockUnconfirmed {
            runs: record.runs,
            wanted: policy.confirmed,
        }));
    }
    refusals
}

/// Artifacts that are copies of inputs, on whatever class, are named; the policy says which may be.
fn copies_in(lock: &Lockfile, policy: &Gate, decision: &mut Decision) {
    let all = copies::in_lock(lock);
    for copied in &all {
        if policy.allow_copied.contains(&copied.artifact) {
            decision.copied.push(copied.clone());
        } else {
            decision.refusals.push(Refusal::Commit(CommitFault::Copied(copied.clone())));
        }
    }
    // A lock from before copies were looked for, or of a stage that did not read it, says nothing of these.
    let said = |stage: &str, artifact: &str| {
        all.iter()
            .any(|copied| (copied.stage.as_str(), copied.artifact.as_str()) == (stage, artifact))
    };
    let (snapshot, mut alike) = (&lock.snapshot, Vec::new());
    for (stage, outcome) in &lock.outcome {
        for (path, artifact) in outcome
            .artifacts
            .iter()
            .filter(|(path, artifact)| artifact.bytes > 0 && !said(stage, path))
        {
            let of_data = snapshot.data.values().find_map(|data| {
                let files = data.files.all();
                let same = files.iter().find(|(_, file)| !file.sampled && file.digest == artifact.digest);
                same.map(|(name, _)| name.clone())
            });
            let of_source = || snapshot.source.files.iter().find(|(_, digest)| **digest == artifact.digest);
            let input = of_data.or_else(|| of_source().map(|(name, _)| name.clone()));
            alike.extend(input.map(|input| format!("{path} has the bytes of {input}")));
        }
    }
    if !alike.is_empty() {
        let why = format!("the lock does not say that these were read: {}", alike.join(", "));
        decision.not_checked.push(NotChecked::new("copies", why));
    }
}

/// The commit that the lock was recorded at must be here, and be what the lock pins.
fn recorded_at(tree: Tree<'_>, lock: &Lockfile) -> Result<Option<Refusal>> {
    let named = &lock.snapshot.source.commit;
    let Some(commit) = tree.repository.commit(named) else {
        return Ok(Some(Refusal::Commit(CommitFault::Missing {
            commit: named.clone(),
            role: "what the lock was recorded at",
            shallow: tree.repository.is_shallow(),
        })));
    };
    let other = content::first_other_source(Tree { commit, ..tree }, &lock.snapshot)?;
    // A dirty lock pins what no commit has, which is its own reason.
    Ok(other
        .filter(|_| !lock.record.dirty)
        .map(|path| Refusal::Commit(CommitFault::Other { commit, path })))
}

/// What the manifest declares otherwise than at the commit that the lock was recorded at, and no lock tells. One that is
/// not there, or was recorded with uncommitted changes, is a reason of its own.
fn declared_otherwise(tree: Tree<'_>, lock: &Lockfile, tagged: &Manifest) -> Result<Vec<Refusal>> {
    let commit = tree.repository.commit(&lock.snapshot.source.commit).filter(|_| !lock.record.dirty);
    let Some(commit) = commit else {
        return Ok(Vec::new());
    };
    Ok(match manifest(Tree { commit, ..tree })? {
        Ok(recorded) => content::declared_otherwise(&recorded, tagged)
            .into_iter()
            .map(|drift| Refusal::Drift(Box::new(drift)))
            .collect(),
        Err(_) => vec![Refusal::Commit(CommitFault::Other {
            commit,
            path: tree.path(manifest::FILE),
        })],
    })
}

fn version(tree: Tree<'_>, question: Question<'_>) -> Result<Option<Refusal>> {
    let Some(template) = &question.policy.version else {
        return Ok(None);
    };
    Ok(match packages::version(tree)? {
        Err(why) => Some(Refusal::Tag(TagFault::VersionUnknown { why })),
        Ok(version) => {
            let expected = template.replace(VERSION_PLACE, &version);
            let tag = question.tag.to_owned();
            (expected != tag).then_some(Refusal::Tag(TagFault::VersionOther { expected, tag }))
        }
    })
}

/// Whether enough keys vouch for the lock. What is wrong with an attestation is a reason only where it is
/// missed: else whoever can write a note could keep every release back.
fn quorum(tree: Tree<'_>, question: Question<'_>, expected: &Expectation<'_>, decision: &mut Decision) -> Result<()> {
    let policy = question.policy;
    let mut flawed = Vec::new();
    for (origin, text) in question.evidence.about(tree)? {
        match attestation::check(&text, expected) {
            Ok(vouched) => decision.vouched.extend(vouched),
            // Provenance and the like stand beside what is counted.
            Err(Flaw::Predicate { .. }) => {}
            Err(flaw) => flawed.push((origin, flaw)),
        }
    }
    match attestation::quorum(&decision.vouched, policy.require, policy.distinct_classes) {
        Ok(_) => decision.set_aside = flawed,
        Err(lacking) => {
            decision.refusals.push(Refusal::AttestationsLacking(lacking));
            let reasons = flawed.into_iter().map(|(origin, flaw)| Refusal::Attestation { origin, flaw });
            decision.refusals.extend(reasons);
        }
    }
    if policy.require == 0 && decision.vouched.is_empty() {
        let why = "[gate] requires no attestation, so nothing but the lock says that the model was reproduced";
        decision.not_checked.push(NotChecked::new("retraining", why));
    }
    if policy.signers.is_empty() {
        let why = "[gate] names no signers, so anybody who can push may have made the tag";
        decision.not_checked.push(NotChecked::new("signature", why));
    }
    Ok(())
}
