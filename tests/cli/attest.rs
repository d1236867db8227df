//! `attest`, and what the gate makes of what it signed: the honest way, and everything that can be wrong with
//! an attestation.

mod flaws;

use insta::assert_snapshot;

use crate::schema::holds;
use crate::support::release::{PLAIN, keys, reads_as_refused};
use crate::support::{Answer, Project};

const V: &str = "v0.1.0";

/// A project whose policy asks for so many of these keys.
fn requiring(require: u32, names: &[&str]) -> Project {
    let project = Project::gated(PLAIN);
    let made: Vec<_> = names.iter().map(|name| (*name, project.key(name))).collect();
    let table: Vec<_> = made.iter().map(|(name, key)| (*name, key)).collect();
    project.policy("repro.toml", &format!("{PLAIN}require = {require}\n{}", keys(&table)));
    project
}

/// Attests with the key of that name.
fn attest(project: &Project, name: &str, more: &[&str]) -> Answer {
    let file = project.key_file(name).to_string_lossy().into_owned();
    let mut args = vec!["attest", "--key", &file];
    args.extend(more);
    project.repro(&args)
}

#[test]
fn what_was_attested_is_a_note_that_the_gate_counts() {
    let project = requiring(1, &["alice"]);
    project.tag(V);
    project.refuses(&["gate", V], 8, &["attestations-lacking attestations"]);
    let answer = attest(&project, "alice", &[]);
    answer.code(0);
    assert!(
        answer
            .stderr
            .contains("in the git note of the lock; `git push origin refs/notes/cargo-repro` shares it")
    );
    assert!(answer.stdout.starts_with("reproduced: 1 training gave what repro.lock says"), "{}", answer.stdout);
    assert_eq!(project.noted().len(), 3, "the reproduction, its provenance and the summary");
    let both = project.passes(&["gate", V]);
    let attestations = both.json.verdict()["attestations"].as_array().unwrap().clone();
    assert_eq!(attestations.len(), 1);
    assert_eq!((&attestations[0]["names"][0], &attestations[0]["counts"]), (&"alice".into(), &true.into()));
    assert_eq!(attestations[0]["commit"], project.git(&["rev-parse", "HEAD"]));
    assert!(both.human.stdout.contains("  attested by alice\n    1 training on "), "{}", both.human.stdout);
    assert_eq!(both.json.kinds("notes"), [""; 0], "what stands beside it is none of the gate's business");
    // Again is another one, of the same key.
    let json = project.json(&[
        "attest",
        "--key",
        &project.key_file("alice").to_string_lossy(),
        "--times",
        "2",
    ]);
    json.code(0);
    holds(&json);
    assert_eq!(json.verdict()["runs"], 2);
    project.passes(&["gate", V]);
}

#[test]
fn what_was_attested_into_a_file_is_found_in_the_tagged_commit() {
    let project = requiring(1, &["alice"]);
    attest(&project, "alice", &["--output", "attestations/alice.intoto.jsonl"]).code(0);
    assert_eq!(project.read("attestations/alice.intoto.jsonl").lines().count(), 3);
    assert_eq!(project.git(&["for-each-ref", "refs/notes"]), "");
    project.tag("v0");
    project.refuses(&["gate", "v0"], 8, &["attestations-lacking attestations"]);
    project.passes(&["gate", "v0", "--from", "attestations/alice.intoto.jsonl"]);
    project.commit("the attestation").tag(V);
    project.passes(&["gate", V]);
    // It is no source, and a second one is put below the first.
    project.repro(&["status"]).code(0);
    attest(&project, "alice", &["--output", "attestations/alice.intoto.jsonl"]).code(0);
    assert_eq!(project.read("attestations/alice.intoto.jsonl").lines().count(), 6);
}

#[test]
fn an_older_revision_is_attested_with_the_lock_that_it_carries() {
    let project = requiring(1, &["alice"]);
    project.tag(V).edit("src/main.rs", "/ 100.0", "/ 99.0").commit("another program");
    attest(&project, "alice", &[]).code(3);
    attest(&project, "alice", &["--rev", V]).code(0);
    project.passes(&["gate", V]);
}

#[test]
fn attestations_are_checked_against_the_lock_without_a_training() {
    let project = requiring(1, &["alice"]);
    let bob = project.key("bob");
    let alice = project.file("alice", &{
        attest(&project, "alice", &["--output", "out.jsonl"]).code(0);
        project.read("out.jsonl")
    });
    let both = project.both(&["attest", "--check", &alice]);
    both.human.code(0);
    holds(&both.json);
    assert!(
        both.human
            .stdout
            .starts_with("passed: an allowed key vouches that the model was reproduced from this lock")
    );
    assert!(!both.human.stderr.contains("Training"));
    // Bob's key is nobody's here, unless somebody says so.
    let by_bob = project.file("bob", &project.attestation(&bob, |_, _| {}));
    let both = project.refuses(&["attest", "--check", &by_bob], 9, &[&format!("attestation-invalid {by_bob}, line 1")]);
    assert!(both.human.stdout.contains("no allowed key signed it"), "{}", both.human.stdout);
    let public = project.key_file("bob").with_extension("pem.pub").to_string_lossy().into_owned();
    project.repro(&["attest", "--check", &by_bob, "--public-key", &public]).code(0);
    project.repro(&["attest", "--check", &by_bob, &alice, "--public-key", &public]).code(0);
    project.refuses(&["attest", "--check", &alice, &by_bob], 9, &[&format!("attestation-invalid {by_bob}, line 1")]);
    project.repro(&["attest", "--public-key", &public]).code(2);
    let none = project.file("none.pub", "no key\n");
    project.repro(&["attest", "--check", &by_bob, "--public-key", &none]).code(1);
    // Nothing in it is nothing.
    let empty = project.file("empty", "\n\n");
    let both = project.refuses(&["attest", "--check", &empty], 9, &[&format!("attestation-invalid {empty}")]);
    assert_snapshot!(both.human.text());
    let beside = project.read("out.jsonl").lines().skip(1).collect::<Vec<_>>().join("\n");
    let beside = project.file("beside", &beside);
    project.refuses(&["attest", "--check", &beside], 9, &[&format!("attestation-invalid {beside}")]);
    // Another commit has another lock.
    let rev = ["attest", "--check", &alice, "--rev", "HEAD"];
    project.repro(&rev).code(0);
    project.edit("repro.lock", "runs = 1", "runs = 9").reseal().commit("another lock");
    project.repro(&["attest", "--check", &alice, "--rev", "HEAD~1"]).code(0);
    project.refuses(&rev, 9, &[&format!("attestation-invalid {alice}, line 1")]);
}

#[test]
fn a_check_by_a_policy_with_a_mistake_is_an_error() {
    let project = requiring(1, &["alice"]);
    let file = project.file("a", "{}\n");
    project.edit("repro.toml", "require = 1", "require = 2").commit("broken");
    let answer = project.repro(&["attest", "--check", &file]);
    answer.code(1);
    assert!(
        answer
            .stderr
            .contains("more attestations are required (2) than there are keys that count (1)"),
        "{}",
        answer.stderr
    );
}

#[test]
fn a_key_behind_a_passphrase_is_opened_by_a_file() {
    let project = requiring(1, &["alice"]);
    let key = project.key_file("locked");
    let alice = cargo_repro::release::attestation::SigningKey::generate();
    alice.write(&key, Some("correct horse")).unwrap();
    project
        .policy("repro.toml", &format!("{PLAIN}require = 1\n{}", keys(&[("alice", &alice)])))
        .tag(V);
    let (right, wrong) = (project.file("right", "correct horse\n"), project.file("wrong", "battery staple\n"));
    let args = |file: &str| attest(&project, "locked", &["--passphrase-file", file]);
    args(&right).code(0);
    project.passes(&["gate", V]);
    let answer = args(&wrong);
    answer.code(1);
    assert!(answer.stderr.contains("this is not the passphrase") && !answer.stderr.contains("Training"));
    attest(&project, "locked", &[]).code(2);
    attest(&project, "nobody", &[]).code(1);
}

/// Nothing is signed, and nothing sounds like it.
#[track_caller]
fn signs_nothing(project: &Project, more: &[&str], code: i32) -> Answer {
    let answer = attest(project, "alice", more);
    answer.code(code);
    reads_as_refused(&answer);
    assert!(!answer.stderr.contains("Attested"), "{}", answer.stderr);
    assert_eq!(project.git(&["for-each-ref", "refs/notes"]), "");
    let mut args = vec!["attest", "--message-format", "json", "--key"];
    let file = project.key_file("alice").to_string_lossy().into_owned();
    args.push(&file);
    args.extend(more);
    let json = project.repro(&args);
    json.code(code);
    holds(&json);
    answer
}

#[test]
fn nothing_is_signed_that_was_not_reproduced() {
    let project = Project::recorded("switch");
    project.named().key("alice");
    project.write("../switch.txt", "last-digits");
    signs_nothing(&project, &[], 4);
    signs_nothing(&project, &["--output", "a.jsonl"], 4);
    assert!(!project.root.join("a.jsonl").exists());
    project.remove("../switch.txt").edit("repro.toml", "seed = 42", "seed = 43");
    signs_nothing(&project, &[], 3);
    project.commit("another seed");
    signs_nothing(&project, &[], 3);
}

#[test]
fn nothing_is_signed_of_a_lock_that_others_could_not_find_or_reproduce() {
    let project = Project::recorded("steady");
    project.named().key("alice");
    project.edit("repro.lock", "runs = 1", "runs = 2").reseal();
    let answer = signs_nothing(&project, &[], 8);
    assert_snapshot!(answer.text());
    project.edit("repro.lock", "dirty = false", "dirty = true").reseal().commit("dirty");
    assert!(signs_nothing(&project, &[], 8).stdout.contains("lock-dirty"));
    project.edit("repro.lock", "dirty = true", "dirty = false").commit("by hand");
    signs_nothing(&project, &[], 3);
    project.remove("repro.lock").commit("none");
    let answer = signs_nothing(&project, &[], 1);
    assert!(answer.stderr.contains("repro.lock is not committed"), "{}", answer.stderr);
}

#[test]
fn nothing_is_kept_by_nobody() {
    let project = Project::recorded("steady");
    project.key("alice");
    let key = project.key_file("alice");
    let mut command = project.command(&["attest", "--key", &key.to_string_lossy()]);
    let answer = project.answer(command.env("HOME", project.around()).env("XDG_CONFIG_HOME", project.around()));
    answer.code(1);
    assert!(answer.stderr.contains("git does not know who you are"), "{}", answer.stderr);
    assert!(!answer.stderr.contains("Attested") && answer.stdout.is_empty());
}

#[test]
fn a_file_that_cannot_be_added_to_is_found_out_before_the_training() {
    let project = Project::recorded("steady");
    project.named().key("alice");
    std::fs::create_dir(project.around().join("directory")).unwrap();
    std::fs::write(project.around().join("bytes"), b"\xff\n").unwrap();
    for (file, said) in [
        ("../directory", "error: could not write "),
        ("/dev/null", "error: /dev/null is not a file that could be added to"),
        ("../bytes", "error: could not read "),
        ("../bytes/below.jsonl", "error: could not "),
        ("/proc/below.jsonl", "error: could not write /proc/below.jsonl"),
    ] {
        let answer = signs_nothing(&project, &["--output", file], 1);
        assert!(answer.stderr.contains(said) && !answer.stderr.contains("Compiling"), "{}", answer.stderr);
    }
}

#[test]
fn two_that_attest_at_once_both_end_in_the_note() {
    let project = requiring(2, &["alice", "bob"]);
    project.tag(V);
    let processes: Vec<_> = ["alice", "bob"]
        .into_iter()
        .map(|name| {
            let key = project.key_file(name);
            let mut command = project.command(&["attest", "--key", &key.to_string_lossy()]);
            command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::piped());
            command.spawn().unwrap()
        })
        .collect();
    for process in processes {
        let output = process.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(project.noted().len(), 6);
    project.passes(&["gate", V]);
}

#[test]
fn a_reference_of_notes_that_another_process_holds_is_waited_for_and_then_named() {
    let project = requiring(1, &["alice"]);
    let lock = project.root.join(".git/refs/notes/cargo-repro.lock");
    std::fs::create_dir_all(lock.parent().unwrap()).unwrap();
    std::fs::write(&lock, "").unwrap();
    let answer = attest(&project, "alice", &[]);
    answer.code(1);
    assert!(!answer.stderr.contains("Attested"), "{}", answer.stderr);
    assert!(
        answer.stderr.contains("another process has held refs/notes/cargo-repro for 5 seconds"),
        "{}",
        answer.stderr
    );
    assert!(answer.stderr.contains(".git/refs/notes/cargo-repro.lock behind: remove it"), "{}", answer.stderr);

    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(std::time::Duration::from_secs(2));
            std::fs::remove_file(&lock).unwrap();
        });
        attest(&project, "alice", &[]).code(0);
    });
    assert_eq!(project.noted().len(), 3);
    assert!(!lock.exists());
}
