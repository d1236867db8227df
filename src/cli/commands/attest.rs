//! `attest`: verifies, and signs what came of it, as in-toto statements in DSSE envelopes. Nothing is signed
//! unless the model was reproduced by this very run. With `--check` it trains nothing and says what
//! attestations are worth.

use std::path::{Path, PathBuf};

use super::release::{self, Place};
use super::subject::Subject;
use super::verify::verify;
use super::{conclude, filing};
use crate::cli::args;
use crate::cli::settings::Settings;
use crate::digest::Digest;
use crate::error::{Error, IoContext as _, Result};
use crate::exit_code::ExitCode;
use crate::lockfile::{self, Lockfile, Read};
use crate::os::atomic;
use crate::os::bounded;
use crate::os::env;
use crate::os::file_lock;
use crate::release::attestation::passphrase::{Purpose, passphrase};
use crate::release::attestation::{
    AllowedKey, Envelope, Expectation, Flaw, PublicKey, Reproduction, SigningKey, check, expected_outcome, provenance,
    reproduction, summary,
};
use crate::release::gate::content::Tree;
use crate::release::gate::evidence::{Evidence, NOTES};
use crate::release::gate::packages;
use crate::release::gate::refusal::{CommitFault, Refusal};
use crate::snapshot::Platform;
use crate::verdict::{Note, Verdict, Word};

/// Runs the command.
///
/// # Errors
/// When there is no key, the inputs or the lock cannot be read, a phase fails, or nothing can be written.
pub fn run(settings: &Settings, args: &args::Attest) -> Result<ExitCode> {
    let place = Place::find(settings)?;
    if !args.check.is_empty() {
        return self::judge(settings, args, &place);
    }
    // Before hours of training: a wrong passphrase, a lock that nobody could find again.
    let key = signing_key(settings, args)?;
    let commit = match &args.rev {
        Some(rev) => place.repository.resolve(rev)?,
        None => place.repository.head()?,
    };
    let bytes = place.lock(commit)?;
    let mut refused = Verdict::new(Word::Passed, commit);
    if args.rev.is_none() {
        refused.refuse(place.uncommitted(commit)?.into_iter().collect());
    }
    let dirty = Lockfile::from_text(&String::from_utf8_lossy(&bytes), lockfile::FILE)?.lock.record.dirty;
    if dirty {
        refused.refuse(vec![Refusal::Commit(CommitFault::LockDirty)]);
    }
    if refused.word != Word::Passed {
        return conclude(settings, &refused);
    }
    let output = args.output.as_ref().map(|file| filing::followed(settings.current_directory.join(file)));
    output.as_deref().map_or(Ok(()), refuse_unwritable)?;
    let started = env::now();
    let mut subject = Subject::default();
    let verdict = verify(settings, &release::as_verify(args.rev.clone(), args.times), &mut subject)?;
    let against = subject.lock.zip(subject.platform);
    let Some((read, platform)) = against.filter(|_| verdict.word == Word::Reproduced) else {
        return conclude(settings, &verdict);
    };
    release::refuse_unsaid_copies(&verdict, &read.lock)?;
    let about = reproduction_of(&verdict, &read, platform, started);
    let lock_file = Digest::of(&bytes);
    if read.lock != Lockfile::from_text(&String::from_utf8_lossy(&bytes), lockfile::FILE)?.lock {
        return Err(Error::new("repro.lock changed while the model was trained")
            .hint("run the same command again when nobody else works in this clone"));
    }
    let lines = signed(&key, &read, lock_file, &about, place.repository.origin().as_deref());
    let kept = match &output {
        Some(file) => keep_file(file, &lines)?,
        None => {
            place.repository.add_to_note(NOTES, place.lock_object(commit)?, &lines)?;
            format!("the git note of the lock; `git push origin {NOTES}` shares it")
        }
    };
    settings
        .console
        .status("Attested", format!("{} with key {}, in {kept}", read.id.short(), &key.public().id()[..12]));
    conclude(settings, &verdict)
}

fn signing_key(settings: &Settings, args: &args::Attest) -> Result<SigningKey> {
    let path = match &args.key {
        Some(path) => settings.current_directory.join(path),
        None => env::default_key(),
    };
    let file = args.passphrase_file.as_deref();
    SigningKey::read(&path, &mut || passphrase(settings, Purpose::Open(&path), file).map(Some))
}

fn reproduction_of(verdict: &Verdict, read: &Read, platform: Platform, started: i64) -> Reproduction {
    let not_checked = verdict.not_checked.iter().map(|item| (item.kind.to_owned(), item.why.clone()));
    Reproduction {
        verdict: verdict.word.text().to_owned(),
        lock: read.id,
        commit: verdict.commit.clone(),
        platform,
        runs: verdict.runs,
        confirmed: read.lock.record.runs,
        not_checked: not_checked.collect(),
        tool: format!("cargo-repro {}", env!("CARGO_PKG_VERSION")),
        started,
        // A clock that was set back meanwhile would make a statement that nobody believes.
        finished: env::now().max(started),
    }
}

/// Our own statement, which the gate counts; and the two that others read.
fn signed(
    key: &SigningKey,
    read: &Read,
    lock_file: Digest,
    about: &Reproduction,
    repository: Option<&str>,
) -> Vec<String> {
    let lock = &read.lock;
    let outcome = expected_outcome(lock, &about.platform);
    let subject = reproduction::subjects(lock, outcome, lock_file);
    let statements = [
        about.statement(subject.clone()),
        provenance::statement(lock, outcome, lock_file, about, repository),
        summary::statement(subject, lock_file, about, repository),
    ];
    let sign =
        |statement: &crate::release::attestation::Statement| Envelope::sign(statement.to_payload(), key).to_line();
    statements.iter().map(sign).collect()
}

/// Finds out before hours of training that a file could not be added to.
fn refuse_unwritable(path: &Path) -> Result<()> {
    filing::check_writable(path)?;
    if path.metadata().is_ok_and(|meta| !meta.is_file()) {
        return Err(Error::new(format!("{} is not a file that could be added to", path.display()))
            .hint("nothing was done yet; name a file, which need not be there yet"));
    }
    text_of(path).map(drop)
}

/// What is in a file; nothing if there is none.
fn text_of(path: &Path) -> Result<String> {
    match bounded::text(path, bounded::WRITTEN) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        read => read.at("read", path),
    }
}

/// Adds lines to a file, which is whole at any moment. Its directory is held meanwhile, since the file is another
/// one afterwards: who adds at the same time adds to that.
fn keep_file(path: &Path, lines: &[String]) -> Result<String> {
    let directory = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(directory).at("make the directory", directory)?;
    let _held = file_lock::directory(directory)?;
    let mut text = text_of(path)?;
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    for line in lines {
        text += line;
        text.push('\n');
    }
    atomic::replace(path, text.as_bytes())?;
    Ok(path.display().to_string())
}

/// What attestations in files are worth: each must be of an allowed key, and for the lock in the commit.
fn judge(settings: &Settings, args: &args::Attest, place: &Place) -> Result<ExitCode> {
    let commit = match &args.rev {
        Some(rev) => place.repository.resolve(rev)?,
        None => place.repository.head()?,
    };
    let bytes = place.lock(commit)?;
    let read = Lockfile::from_text(&String::from_utf8_lossy(&bytes), lockfile::FILE)?;
    let tree = Tree {
        repository: &place.repository,
        commit,
        package: &place.package,
    };
    let policy = packages::policy(tree)?.transpose().map_err(Error::new)?.unwrap_or_default();
    let mut keys = policy.keys;
    for path in &args.public_key {
        let key = public_key(&settings.current_directory.join(path))?;
        keys.insert(path.display().to_string(), AllowedKey { key, counts: true });
    }
    let expected = Expectation {
        keys: &keys,
        id: read.actual_id,
        lock: &read.lock,
        lock_file: Digest::of(&bytes),
        now: env::now(),
        max_age: policy.max_age,
    };
    let mut given = Evidence::of(&place.repository);
    given.add_files(&settings.current_directory, &args.check)?;
    let mut verdict = Verdict::new(Word::Passed, commit);
    verdict.lock = Some(read.id);
    verdict.lock_commit = Some(read.lock.snapshot.source.commit.clone());
    let mut beside = Vec::new();
    for (origin, line) in given.given() {
        match check(line, &expected) {
            Ok(vouched) => verdict.vouched.extend(vouched),
            Err(flaw @ Flaw::Predicate { .. }) => beside.push((origin.to_owned(), flaw)),
            Err(flaw) => verdict.refuse(vec![Refusal::Attestation {
                origin: origin.to_owned(),
                flaw,
            }]),
        }
    }
    let aside = |(origin, flaw)| Note::AttestationSetAside { origin, flaw };
    verdict.notes.extend(beside.into_iter().map(aside));
    if verdict.vouched.is_empty() && verdict.refusals.is_empty() {
        verdict.refuse(vec![Refusal::Attestation {
            origin: files(&args.check),
            flaw: Flaw::NoReproduction,
        }]);
    }
    conclude(settings, &verdict)
}

fn files(paths: &[PathBuf]) -> String {
    let names: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    names.join(", ")
}

fn public_key(path: &Path) -> Result<PublicKey> {
    let text = bounded::text(path, bounded::WRITTEN).at("read", path)?;
    PublicKey::from_text(&text).ok_or_else(|| {
        Error::new(format!("{} is no ECDSA P-256 public key", path.display()))
            .hint("`cargo repro key new` writes one beside the private key, ending in `.pub`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost_of_many_that_add_to_one_file_at_once() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("deep/all.intoto.jsonl");
        std::thread::scope(|scope| {
            for writer in 0..8 {
                let file = &file;
                scope.spawn(move || {
                    for line in 0..5 {
                        keep_file(file, &[format!("{writer}.{line}")]).unwrap();
                    }
                });
            }
        });
        let text = std::fs::read_to_string(&file).unwrap();
        let mut lines: Vec<_> = text.lines().collect();
        lines.sort_unstable();
        let all: Vec<_> = (0..8).flat_map(|writer| (0..5).map(move |line| format!("{writer}.{line}"))).collect();
        assert_eq!(lines, all);
    }
}
