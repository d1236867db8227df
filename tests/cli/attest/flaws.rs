//! Everything that can be wrong with an attestation, as the gate says it: 9 where one that would have been
//! needed is not valid, 8 where there are only too few.

use std::time::{Duration, Instant};

use cargo_repro::digest::Digest;
use cargo_repro::release::attestation::{Reproduction, SigningKey, Subject};
use insta::assert_snapshot;

use super::V;
use crate::support::release::{PLAIN, keys, now, timeless};
use crate::support::{Both, Project};

const LACKING: &str = "attestations-lacking attestations";
const IN_NOTE: &str = "attestation-invalid the git note, line 1";
const GATE: [&str; 2] = ["gate", V];

/// A tagged project that wants one attestation by alice.
fn project(more: &str) -> (Project, SigningKey) {
    let project = Project::gated(PLAIN);
    let alice = project.key("alice");
    project.policy("repro.toml", &format!("{PLAIN}require = 1\n{more}{}", keys(&[("alice", &alice)])));
    project.tag(V);
    (project, alice)
}

/// The gate's whole answer on one line, for what it must say.
fn said(both: &Both) -> String {
    both.human.stdout.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// With this as the note, the release is refused as invalid and says why.
#[track_caller]
fn invalid(project: &Project, note: &str, why: &str) -> Both {
    project.note(note);
    let both = project.refuses(&GATE, 9, &[LACKING, IN_NOTE]);
    assert!(said(&both).contains(why), "{why}\n{}", both.human.stdout);
    both
}

fn nothing(_: &mut Reproduction, _: &mut Vec<Subject>) {}

#[test]
fn a_wrong_key_is_no_allowed_key() {
    let (project, alice) = project("");
    let mallory = project.key("mallory");
    let both = invalid(&project, &project.attestation(&mallory, nothing), "no allowed key signed it; it names");
    assert_snapshot!(both.snapshot);
    // Under the name of a key that is allowed.
    let line = project
        .attestation(&mallory, nothing)
        .replace(&mallory.public().id(), &alice.public().id());
    invalid(&project, &line, "it names the key of alice, but that key did not sign these bytes");
}

#[test]
fn a_signature_over_other_bytes_is_none() {
    let (project, alice) = project("");
    let honest = project.attestation(&alice, nothing);
    let other = project.attestation(&alice, |about, _| about.runs = 7);
    let part = |line: &str, key: &str| {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        value.pointer(key).unwrap().as_str().unwrap().to_owned()
    };
    let mixed = honest.replace(&part(&honest, "/payload"), &part(&other, "/payload"));
    invalid(&project, &mixed, "did not sign these bytes: they were changed");
    let mixed = honest.replace(&part(&honest, "/signatures/0/sig"), &part(&other, "/signatures/0/sig"));
    invalid(&project, &mixed, "did not sign these bytes");
    project.note(&honest);
    project.passes(&GATE);
}

#[test]
fn a_statement_about_something_else_is_none() {
    let (project, alice) = project("");
    let zero: Digest = format!("sha256:{}", "0".repeat(64)).parse().unwrap();
    let line = project.attestation(&alice, |about, _| about.lock = zero);
    invalid(&project, &line, "it is about the lock sha256:000000000000, and this one is");
    let line = project.attestation(&alice, |about, _| about.verdict = "diverged".to_owned());
    invalid(&project, &line, "its verdict is \"diverged\" and not \"reproduced\"");
    let line = project.attestation(&alice, |about, _| about.runs = 0);
    invalid(&project, &line, "it stands on no training");
    let line = project.attestation(&alice, |_, files| {
        files
            .iter_mut()
            .filter(|file| file.name == "model.json")
            .for_each(|file| file.digest = zero);
    });
    invalid(&project, &line, "it vouches for \"model.json\" as sha256:000000000000, and the lock has");
    let line = project.attestation(&alice, |_, files| files.retain(|file| file.name != "model.json"));
    invalid(&project, &line, "it does not vouch for \"model.json\", which the lock has");
    let line = project.attestation(&alice, |_, files| {
        files.push(Subject {
            name: "more\u{1b}.json".to_owned(),
            digest: zero,
            left_out: Vec::new(),
        });
    });
    let both = invalid(&project, &line, "which the lock does not have");
    assert!(!both.human.stdout.contains('\u{1b}'));
    let line = project.attestation(&alice, |_, files| {
        files
            .iter_mut()
            .filter(|file| file.name == "repro.lock")
            .for_each(|file| file.digest = zero);
    });
    invalid(&project, &line, "it vouches for \"repro.lock\" as sha256:000000000000");
}

#[test]
fn an_attestation_grows_old() {
    let (project, alice) = project("max-age = \"1h\"\n");
    let finished = |ago: i64| {
        project.attestation(&alice, |about, _| {
            about.started = now() - ago - 10;
            about.finished = now() - ago;
        })
    };
    let both = invalid(&project, &finished(3601), "the training ended at");
    assert!(said(&both).contains("is more than 1 h ago"), "{}", both.human.stdout);
    project.note(&finished(3500));
    project.passes(&GATE);
    // One that is young enough suffices, whatever else the key once said.
    project.note(&(finished(999_999) + &finished(60)));
    let both = project.passes(&GATE);
    assert_eq!(both.json.kinds("notes"), ["attestation-set-aside the git note, line 1"]);
}

#[test]
fn a_clock_that_went_backwards_is_said_to_be_wrong() {
    let (project, alice) = project("");
    let line = project.attestation(&alice, |about, _| about.finished = now() + 3600);
    invalid(&project, &line, "one of the two clocks is wrong");
    let line = project.attestation(&alice, |about, _| about.finished = about.started - 1);
    invalid(&project, &line, "it ended before it began");
    // Two clocks are never quite the same.
    project.note(&project.attestation(&alice, |about, _| about.finished = now() + 60));
    project.passes(&GATE);
}

#[test]
fn a_key_under_two_names_counts_once() {
    let (project, alice) = project("");
    let bob = project.key("bob");
    let table = keys(&[("alice", &alice), ("also-alice", &alice), ("bob", &bob)]);
    project.policy("repro.toml", &format!("{PLAIN}require = 2\n{table}"));
    project.tag("v1");
    let by_alice = project.attestation(&alice, nothing);
    let again = project.attestation(&alice, |about, _| about.runs = 2);
    project.note(&format!("{by_alice}{again}"));
    let both = project.refuses(&["gate", "v1"], 8, &[LACKING]);
    assert_eq!(both.json.verdict()["refusals"][0]["found"], "1");
    assert!(said(&both).contains("attested by alice, also-alice"), "{}", both.human.stdout);
    project.note(&format!("{by_alice}{again}{}", project.attestation(&bob, nothing)));
    project.passes(&["gate", "v1"]);
    // A policy that only seems to have two keys could never be met, and says so.
    let table = keys(&[("alice", &alice), ("also-alice", &alice)]);
    project.policy("repro.toml", &format!("{PLAIN}require = 2\n{table}")).tag("v2");
    project.refuses(&["gate", "v2"], 8, &["policy-unreadable the tagged commit"]);
}

#[test]
fn the_key_of_ci_adds_nothing_where_the_policy_says_so() {
    let (project, alice) = project("");
    let ci = project.key("ci");
    let table = keys(&[("alice", &alice)]);
    let line = ci.public().line();
    project.policy("repro.toml", &format!("{PLAIN}require = 1\n{table}ci = {{ key = \"{line}\", counts = false }}\n"));
    project.tag("v1").note(&project.attestation(&ci, nothing));
    let both = project.refuses(&["gate", "v1"], 8, &[LACKING]);
    assert!(said(&both).contains("attested by ci (does not count)"), "{}", both.human.stdout);
    assert_snapshot!(timeless(&both.snapshot.replace(&ci.public().id(), "[key]")));
    // Nor under another name.
    project.policy(
        "repro.toml",
        &format!("{PLAIN}require = 1\n{table}ci = {{ key = \"{line}\", counts = false }}\nbob = \"{line}\"\n"),
    );
    project.tag("v2");
    project.refuses(&["gate", "v2"], 8, &[LACKING]);
}

#[test]
fn keys_may_have_to_be_of_distinct_classes() {
    let (project, alice) = project("");
    let bob = project.key("bob");
    let table = keys(&[("alice", &alice), ("bob", &bob)]);
    project
        .policy("repro.toml", &format!("{PLAIN}require = 2\ndistinct-classes = true\n{table}"))
        .tag("v1");
    let by_alice = project.attestation(&alice, nothing);
    project.note(&format!("{by_alice}{}", project.attestation(&bob, nothing)));
    let both = project.refuses(&["gate", "v1"], 8, &[LACKING]);
    assert!(said(&both).contains("each of another platform class"), "{}", both.human.stdout);
    let elsewhere = project.attestation(&bob, |about, _| about.platform.libc = "glibc 2.17".to_owned());
    project.note(&format!("{by_alice}{elsewhere}"));
    project.passes(&["gate", "v1"]);
}

#[test]
fn a_note_that_is_not_json_is_said_to_be_none() {
    let (project, alice) = project("");
    let honest = project.attestation(&alice, nothing);
    for (note, why) in [
        ("no json\n", "it is not the JSON that it should be"),
        ("{}\n", "it is no DSSE envelope: it has no `payloadType`"),
        ("[1, 2]\n", "it is no DSSE envelope"),
        ("\u{1b}[31mpassed\n", "it is not the JSON that it should be"),
        (&honest[..honest.len() / 2], "it is not the JSON that it should be"),
        (&honest.replace("in-toto", "in-tutu"), "and no in-toto statement"),
        (&format!("{{\"payload\":\"e30=\",{}", &honest[1..]), "stands there twice"),
        (&honest.replace("\"signatures\":[", "\"signatures\":[],\"x\":["), "it is not signed"),
    ] {
        invalid(&project, note, why);
    }
    let both = invalid(&project, "no json\n", "it is not the JSON that it should be");
    assert_snapshot!(both.snapshot);
    // An empty note is no note.
    project.note("\n\n");
    project.refuses(&GATE, 8, &[LACKING]);
    // Neither is a note that is no text.
    let file = project.around().join("bytes");
    std::fs::write(&file, [0xff, 0xfe, b'\n', 0, 1, b'\n']).unwrap();
    let blob = project.git(&["hash-object", "-w", &file.to_string_lossy()]);
    project.git(&[
        "notes",
        "--ref=cargo-repro",
        "add",
        "--force",
        "-C",
        &blob,
        "HEAD:repro.lock",
    ]);
    let both = project.both(&GATE);
    both.human.code(9);
}

#[test]
fn a_note_that_is_no_text_at_all_keeps_no_release_back() {
    let (project, alice) = project("");
    let line = project.attestation(&alice, nothing);
    project
        .write("attestations/alice.intoto.jsonl", &line)
        .commit("the attestation")
        .tag("v1");
    let lock = project.git(&["rev-parse", "HEAD:repro.lock"]);
    let tree = project.git(&["rev-parse", "HEAD^{tree}"]);
    let listing = project.file("listing", &format!("040000 tree {tree}\t{lock}\n"));
    let mut command = crate::support::git_command(&project.root, &["mktree"]);
    let output = command.stdin(std::fs::File::open(listing).unwrap()).output().unwrap();
    let notes = String::from_utf8(output.stdout).unwrap().trim().to_owned();
    let commit = project.git(&["commit-tree", "-m", "notes", &notes]);
    project.git(&["update-ref", "refs/notes/cargo-repro", &commit]);
    project.passes(&["gate", "v1"]);
    project.refuses(&GATE, 8, &[LACKING]);
    // Nor is a reference of notes that is none.
    for target in [&tree, &lock] {
        project.git(&["update-ref", "refs/notes/cargo-repro", target]);
        project.passes(&["gate", "v1"]);
    }
}

#[test]
fn a_lock_that_was_recorded_anew_is_not_the_one_that_was_attested() {
    let (project, alice) = project("");
    let line = project.attestation(&alice, nothing);
    project.note(&line);
    project.passes(&GATE);
    project
        .edit("src/main.rs", "/ 100.0", "/ 99.0")
        .commit("another program")
        .record()
        .tag("v1");
    project.refuses(&["gate", "v1"], 8, &[LACKING]);
    // Brought along, it is seen to be of another lock.
    project
        .write("attestations/alice.intoto.jsonl", &line)
        .commit("the attestation")
        .tag("v2");
    let kinds = [LACKING, "attestation-invalid attestations/alice.intoto.jsonl, line 1"];
    let both = project.refuses(&["gate", "v2"], 9, &kinds);
    assert!(said(&both).contains("it is about the lock sha256:"), "{}", both.human.stdout);
}

#[test]
fn what_is_wrong_beside_enough_that_is_right_is_set_aside_and_said() {
    let (project, alice) = project("");
    let mallory = project.key("mallory");
    let wrong = project.attestation(&mallory, nothing);
    project.note(&format!("garbage\n{wrong}{}", project.attestation(&alice, nothing)));
    let both = project.passes(&GATE);
    let notes = [
        "attestation-set-aside the git note, line 1",
        "attestation-set-aside the git note, line 2",
    ];
    assert_eq!(both.json.kinds("notes"), notes);
    assert_eq!(both.json.verdict()["attestations"].as_array().unwrap().len(), 1);
}

#[test]
fn a_thousand_lines_of_garbage_break_nothing() {
    let (project, alice) = project("");
    let garbage: String = (0..1000).map(|number| format!("garbage {number}\n")).collect();
    project.note(&garbage);
    let start = Instant::now();
    let both = project.both(&GATE);
    both.human.code(9);
    assert_eq!(both.json.kinds("refusals").len(), 1001);
    assert!(both.human.stdout.lines().count() < 100, "a person reads a few of them");
    assert!(said(&both).contains("attestation-invalid and 990 more"), "{}", both.human.stdout);
    project.note(&(garbage + &project.attestation(&alice, nothing)));
    let both = project.passes(&GATE);
    assert!(both.human.stdout.lines().count() < 100, "a person reads a few of them:\n{}", both.human.stdout);
    assert!(start.elapsed() < Duration::from_secs(30));
}
