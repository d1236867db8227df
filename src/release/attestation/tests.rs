//! What holds for every attestation: it counts as it was signed, and not once anything of it is changed.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::reproduction::{TOOL, TYPE, subjects};
use super::*;
use crate::digest::Digest;
use crate::lockfile::{Lockfile, Read};
use crate::snapshot::Platform;

const NOW: i64 = 1_795_478_400;

/// A lock that was released, as its file is.
fn lock() -> &'static (Read, Digest) {
    static LOCK: OnceLock<(Read, Digest)> = OnceLock::new();
    LOCK.get_or_init(|| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/lockfiles/v1.lock");
        let text = std::fs::read_to_string(path).unwrap();
        (Lockfile::from_text(&text, "v1.lock").unwrap(), Digest::of(&text))
    })
}

fn signer() -> &'static SigningKey {
    static KEY: OnceLock<SigningKey> = OnceLock::new();
    KEY.get_or_init(SigningKey::generate)
}

fn keys() -> BTreeMap<String, AllowedKey> {
    let key = signer().public();
    BTreeMap::from([("ci".to_owned(), AllowedKey { key, counts: true })])
}

fn expectation(keys: &BTreeMap<String, AllowedKey>) -> Expectation<'_> {
    let (read, lock_file) = lock();
    Expectation {
        keys,
        id: read.id,
        lock: &read.lock,
        lock_file: *lock_file,
        now: NOW,
        max_age: None,
    }
}

fn reproduction() -> Reproduction {
    let (read, _) = lock();
    Reproduction {
        verdict: "reproduced".to_owned(),
        lock: read.id,
        commit: "c0ffee".repeat(7)[..40].to_owned(),
        platform: read.lock.snapshot.platform.clone(),
        runs: 2,
        confirmed: 3,
        not_checked: vec![("network".to_owned(), "no namespaces here".to_owned())],
        tool: TOOL.to_owned(),
        started: NOW - 60,
        finished: NOW - 10,
    }
}

fn statement() -> Statement {
    let (read, lock_file) = lock();
    reproduction().statement(subjects(&read.lock, &read.lock.outcome, *lock_file))
}

fn signed(statement: &Statement) -> String {
    Envelope::sign(statement.to_payload(), signer()).to_line()
}

fn flaw(text: &str) -> Flaw {
    check(text, &expectation(&keys())).unwrap_err()
}

/// What is wrong with the statement once something of it is changed and signed again.
fn flaw_after(edit: impl FnOnce(&mut Statement)) -> Flaw {
    let mut statement = statement();
    edit(&mut statement);
    flaw(&signed(&statement))
}

#[test]
fn what_was_signed_counts() {
    let vouched = check(&signed(&statement()), &expectation(&keys())).unwrap();
    let expected = Vouched {
        names: vec!["ci".to_owned()],
        key_id: signer().public().id(),
        counts: true,
        reproduction: reproduction(),
    };
    assert_eq!(vouched, [expected]);
}

#[test]
fn the_predicate_is_as_documented() {
    let predicate = statement().predicate;
    let platform = &lock().0.lock.snapshot.platform;
    let expected = json!({
        "verdict": "reproduced",
        "lock": {"id": lock().0.id.to_string()},
        "commit": {"gitCommit": reproduction().commit},
        "platformClass": {"target": platform.target, "libc": platform.libc, "cpu": platform.cpu},
        "runs": 2,
        "confirmed": 3,
        "notChecked": [{"kind": "network", "why": "no namespaces here"}],
        "tool": {"name": "cargo-repro", "version": env!("CARGO_PKG_VERSION")},
        "startedOn": "2026-11-23T23:59:00Z",
        "finishedOn": "2026-11-23T23:59:50Z",
    });
    assert_eq!(predicate, expected);
}

#[test]
fn a_key_under_two_names_is_one_and_counts_only_if_it_does_under_both() {
    let mut keys = keys();
    let (key, counts) = (signer().public(), false);
    keys.insert("alias".to_owned(), AllowedKey { key, counts });
    let vouched = check(&signed(&statement()), &expectation(&keys)).unwrap();
    assert_eq!(vouched.len(), 1);
    assert_eq!((vouched[0].names.clone(), vouched[0].counts), (vec!["alias".to_owned(), "ci".to_owned()], false));
}

#[test]
fn each_key_that_signed_the_same_envelope_vouches() {
    let other = SigningKey::generate();
    let mut keys = keys();
    let (key, counts) = (other.public(), true);
    keys.insert("person".to_owned(), AllowedKey { key, counts });
    let mut envelope = Envelope::sign(statement().to_payload(), signer());
    envelope.signatures.extend(Envelope::sign(statement().to_payload(), &other).signatures);
    envelope
        .signatures
        .extend(Envelope::sign(statement().to_payload(), &SigningKey::generate()).signatures);
    let vouched = check(&envelope.to_line(), &expectation(&keys)).unwrap();
    assert_eq!(vouched.iter().map(|one| one.names[0].as_str()).collect::<Vec<_>>(), ["ci", "person"]);
    assert_eq!(quorum(&vouched, 2, false).unwrap().len(), 2);
}

#[test]
fn a_signature_by_nobody_who_is_allowed_counts_for_nothing() {
    let stranger = SigningKey::generate();
    let envelope = Envelope::sign(statement().to_payload(), &stranger);
    let key_ids = vec![stranger.public().id()];
    assert_eq!(flaw(&envelope.to_line()), Flaw::NoAllowedKey { key_ids });
    let mut pretending = envelope;
    pretending.signatures[0].keyid = Some(signer().public().id());
    let names = vec!["ci".to_owned()];
    assert_eq!(flaw(&pretending.to_line()), Flaw::WrongSignature { names: names.clone() });
    let mut changed = Envelope::sign(statement().to_payload(), signer());
    changed.payload.push(b' ');
    assert_eq!(flaw(&changed.to_line()), Flaw::WrongSignature { names });
    assert!(check(&signed(&statement()), &expectation(&BTreeMap::new())).is_err(), "nobody is allowed");
}

#[test]
fn a_hint_is_not_needed() {
    let mut envelope = Envelope::sign(statement().to_payload(), signer());
    envelope.signatures[0].keyid = None;
    assert!(check(&envelope.to_line(), &expectation(&keys())).is_ok());
}

#[test]
fn a_statement_about_something_else_counts_for_nothing() {
    let other = Digest::of("another lock");
    let about_other = flaw_after(|statement| statement.predicate["lock"]["id"] = other.to_string().into());
    let (found, wanted) = (other, lock().0.id);
    assert_eq!(about_other, Flaw::OtherLock { found, wanted });
    let diverged = flaw_after(|statement| statement.predicate["verdict"] = "diverged".into());
    let found = "diverged".to_owned();
    assert_eq!(diverged, Flaw::Verdict { found });
    let found = provenance::TYPE.to_owned();
    let provenance = flaw_after(|statement| statement.predicate_type.clone_from(&found));
    assert_eq!(provenance, Flaw::Predicate { found });
    assert!(matches!(flaw(&Envelope::sign(b"[]".to_vec(), signer()).to_line()), Flaw::NotAStatement { .. }));
}

#[test]
fn the_subjects_are_the_locks_artifacts_and_no_others() {
    let name = statement().subject[0].name.clone();
    let missing = flaw_after(|statement| drop(statement.subject.remove(0)));
    assert_eq!(missing, Flaw::SubjectMissing { name: name.clone() });
    let (found, wanted) = (Digest::of("other bytes"), statement().subject[0].digest);
    let differs = flaw_after(|statement| statement.subject[0].digest = found);
    assert_eq!(differs, Flaw::SubjectDiffers { name, found, wanted });
    let extra = Subject {
        name: "backdoor.bin".to_owned(),
        digest: found,
        left_out: Vec::new(),
    };
    let unknown = flaw_after(|statement| statement.subject.push(extra));
    let name = "backdoor.bin".to_owned();
    assert_eq!(unknown, Flaw::SubjectUnknown { name });
    let part = flaw_after(|statement| statement.subject[0].left_out = vec!["/weights".to_owned()]);
    let name = statement().subject[0].name.clone();
    assert_eq!(part, Flaw::SubjectPart { name }, "a digest of a rest is none of the file");
    let mut reordered = statement();
    reordered.subject.reverse();
    assert!(check(&signed(&reordered), &expectation(&keys())).is_ok(), "their order means nothing");
}

#[test]
fn it_counts_until_it_is_too_old_and_not_before_it_can_be() {
    let keys = keys();
    let text = signed(&statement());
    let finished = reproduction().finished;
    let at = |now, max_age: Option<u64>| {
        let max_age = max_age.map(Duration::from_secs);
        check(
            &text,
            &Expectation {
                now,
                max_age,
                ..expectation(&keys)
            },
        )
    };
    assert!(at(finished + 100, Some(100)).is_ok());
    let expired = at(finished + 101, Some(100)).unwrap_err();
    assert!(matches!(expired, Flaw::Expired { .. }));
    assert_eq!(
        expired.words(),
        "the training ended at 2026-11-23T23:59:50Z, which at 2026-11-24T00:01:31Z is more than 1 m 40 s ago"
    );
    assert!(at(finished - 300, Some(100)).is_ok(), "clocks differ a little");
    assert!(matches!(at(finished - 301, None), Err(Flaw::Future { .. })));
    assert!(at(i64::MAX, None).is_ok() && at(i64::MIN, None).is_err());
}

#[test]
fn a_predicate_that_cannot_be_is_unreadable() {
    let edits: [(&str, Value); 9] = [
        ("runs", 0.into()),
        ("runs", (-1).into()),
        ("runs", "2".into()),
        ("lock", json!({"id": "sha256:"})),
        ("platformClass", json!({"target": "x"})),
        ("finishedOn", "2026-11-23T23:00:00Z".into()),
        ("startedOn", "yesterday".into()),
        ("notChecked", Value::Null),
        ("commit", Value::Null),
    ];
    for (key, value) in edits {
        let unreadable = flaw_after(|statement| statement.predicate[key] = value.clone());
        assert!(matches!(unreadable, Flaw::UnreadablePredicate { .. }), "{key}: {value}: {unreadable:?}");
    }
    let removed = flaw_after(|statement| drop(statement.predicate.as_object_mut().unwrap().remove("tool")));
    assert_eq!(removed.words(), "what it says of the reproduction cannot be read: missing field `tool`");
}

#[test]
fn no_artifact_is_taken_for_the_lock() {
    let (read, lock_file) = lock();
    let mut forged = read.lock.outcome.clone();
    let stage = forged.values_mut().next().unwrap();
    stage.artifacts.insert("repro.lock".to_owned(), crate::outcome::Artifact::of("another"));
    assert_eq!(subjects(&read.lock, &forged, *lock_file), subjects(&read.lock, &read.lock.outcome, *lock_file));
}

#[test]
fn what_is_left_out_of_an_artifact_is_said_of_it_and_its_digest_is_not_called_the_files() {
    let (read, lock_file) = lock();
    let mut lock = read.lock.clone();
    let (stage, outcome) = lock.outcome.iter().next().unwrap();
    let (stage, path) = (stage.clone(), outcome.artifacts.keys().next().unwrap().clone());
    let declared = lock.snapshot.stages.get_mut(&stage).unwrap();
    declared.metrics = None;
    declared.ignore.insert(path.clone(), vec!["/trained_at".to_owned()]);
    let all = subjects(&lock, &lock.outcome, *lock_file);
    for subject in &all {
        assert_eq!(subject.left_out.is_empty(), subject.name != path, "{subject:?}");
    }
    let (keys, honest) = (keys(), signed(&reproduction().statement(all)));
    let expected = Expectation {
        lock: &lock,
        ..expectation(&keys)
    };
    assert!(check(&honest, &expected).is_ok());
    let flaw = check(&signed(&statement()), &expected).unwrap_err();
    assert_eq!(flaw, Flaw::SubjectPart { name: path });
}

#[test]
fn what_a_later_version_adds_is_passed_over() {
    let mut statement = statement();
    statement.predicate["later"] = json!({"more": true});
    assert!(check(&signed(&statement), &expectation(&keys())).is_ok());
}

#[test]
fn provenance_and_summary_are_of_the_same_files() {
    let (read, lock_file) = lock();
    let repository = Some("https://user:secret@host.example/repo.git");
    let provenance = provenance::statement(&read.lock, &read.lock.outcome, *lock_file, &reproduction(), repository);
    let summary = summary::statement(provenance.subject.clone(), *lock_file, &reproduction(), repository);
    for statement in [&provenance, &summary] {
        assert_eq!(statement.subject, subjects(&read.lock, &read.lock.outcome, *lock_file));
        assert_eq!(Statement::from_payload(&statement.to_payload()).as_ref(), Ok(statement));
        assert!(!String::from_utf8(statement.to_payload()).unwrap().contains("secret"));
        assert!(matches!(flaw(&signed(statement)), Flaw::Predicate { .. }), "neither counts as a reproduction");
    }
    assert_ne!(provenance.predicate_type, TYPE);
}

#[test]
fn provenance_and_summary_say_what_the_lock_says_in_slsas_words() {
    let (read, lock_file) = lock();
    let about = Reproduction {
        tool: "cargo-repro 1.2.3".to_owned(),
        ..reproduction()
    };
    let repository = Some("https://host.example/repo.git");
    let provenance = provenance::statement(&read.lock, &read.lock.outcome, *lock_file, &about, repository);
    let summary = summary::statement(provenance.subject.clone(), *lock_file, &about, repository);
    insta::with_settings!({snapshot_path => "../../../tests/snapshots", prepend_module_to_snapshot => false}, {
        insta::assert_snapshot!("provenance", format!("{:#}", provenance.predicate));
        insta::assert_snapshot!("summary", format!("{:#}", summary.predicate));
    });
}

proptest! {
    #[test]
    fn a_reproduction_reads_back_from_its_statement(
        words in proptest::array::uniform5(".{0,12}"),
        runs in 1..u32::MAX,
        confirmed: u32,
        not_checked in proptest::collection::vec((any::<String>(), any::<String>()), 0..3),
        started in 0..4_000_000_000_i64,
        length in 0..1_000_000_i64,
    ) {
        let [verdict, commit, target, libc, cpu] = words;
        let platform = Platform { target, libc, cpu };
        let (lock, tool, finished) = (Digest::of(&verdict), TOOL.to_owned(), started + length);
        let said =
            Reproduction { verdict, lock, commit, platform, runs, confirmed, not_checked, tool, started, finished };
        let subject = vec![Subject { name: "a".to_owned(), digest: lock, left_out: Vec::new() }];
        prop_assert_eq!(Reproduction::from_statement(&said.statement(subject)), Ok(said));
    }

    #[test]
    fn no_change_of_one_byte_is_believed_in_another_sense(at in 0..10_000_usize, byte: u8) {
        let original = signed(&statement());
        let mut bytes = original.clone().into_bytes();
        let at = at % bytes.len();
        bytes[at] = byte;
        let Ok(text) = String::from_utf8(bytes) else { return Ok(()) };
        let keys = keys();
        if let Ok(vouched) = check(&text, &expectation(&keys)) {
            prop_assert_eq!(vouched, check(&original, &expectation(&keys)).unwrap());
        }
    }

    #[test]
    fn no_predicate_makes_it_panic(key in "verdict|lock|commit|platformClass|runs|notChecked|tool|startedOn", text in ".{0,20}") {
        let _ = flaw_after(|statement| {
            statement.subject.clear();
            statement.predicate[key.as_str()] = text.into();
        });
    }
}
