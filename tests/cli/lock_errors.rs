//! What can happen to a lock: each has its error, says what next, and is read by nobody as if it were whole.

use crate::support::Project;

/// The words of `verify` and its exit code for this text of the lock.
fn shown(project: &Project, what: &str, lock: &[u8]) -> String {
    std::fs::write(project.root.join("repro.lock"), lock).unwrap();
    let answer = project.repro(&["status"]);
    assert_eq!(answer.code, Some(1), "{what}\n{}\n{}", answer.stdout, answer.stderr);
    assert_eq!(answer.stdout, "", "{what}");
    assert!(answer.stderr.contains("hint: "), "{what}\n{}", answer.stderr);
    assert_eq!(std::fs::read(project.root.join("repro.lock")).unwrap(), lock, "it was written to");
    // The place in the lock depends on the machine's facts above it.
    let text = regex::Regex::new(r"line \d+|(?m)^ +\d+ \|")
        .unwrap()
        .replace_all(&answer.stderr, "line N")
        .into_owned();
    format!("## {what}\n{}\n", answer.redact(&text))
}

#[test]
fn every_broken_lock_is_said_to_be_broken() {
    let project = Project::fixture("steady");
    project.record();
    let lock = project.read("repro.lock");
    let replaced = |from: &str, to: &str| {
        assert!(lock.contains(from), "{lock}");
        lock.replacen(from, to, 1)
    };
    let id = lock.lines().find(|line| line.starts_with("id = ")).unwrap();
    let conflict = format!("<<<<<<< HEAD\n{lock}=======\n{lock}>>>>>>> theirs\n");
    let inner = replaced("seed = 42\n", "<<<<<<< HEAD\nseed = 42\n=======\nseed = 43\n>>>>>>> theirs\n");
    let cases = [
        ("an empty file", String::new()),
        ("another file", "{\"lock\": true}\n".to_owned()),
        ("a newer version", replaced("version = 1\n", "version = 2\nmagic = true\n")),
        ("version 0", replaced("version = 1\n", "version = 0\n")),
        ("a version as text", replaced("version = 1\n", "version = \"1\"\n")),
        ("no version", replaced("version = 1\n", "")),
        ("no id", replaced("id = ", "di = ")),
        ("an id that is no digest", replaced(id, "id = \"md5:0\"")),
        ("an unknown key", replaced("seed = 42\n", "seed = 42\nsalt = 43\n")),
        ("an unknown key in a table", replaced("[record]\n", "[record]\nby = \"me\"\n")),
        ("a key that is missing", replaced("seed = 42\n", "")),
        ("a wrong type", replaced("seed = 42\n", "seed = \"42\"\n")),
        ("a negative seed", replaced("seed = 42\n", "seed = -42\n")),
        ("a negative size", replaced("bytes = 8\n", "bytes = -8\n")),
        ("an unknown word", replaced("form = \"file\"", "form = \"pile\"")),
        ("a conflict around all of it", conflict),
        ("a conflict in it", inner),
    ];
    let mut text = String::new();
    for (what, broken) in cases {
        text += &shown(&project, what, broken.as_bytes());
    }
    text += &shown(&project, "bytes that are no text", b"version = 1\nid = \"\xff\"\n");
    insta::assert_snapshot!(text);
}

#[test]
fn a_lock_cut_off_anywhere_is_unreadable_and_the_next_record_mends_it() {
    let project = Project::fixture("steady");
    project.repro(&["record"]).code(0);
    let lock = project.read("repro.lock");
    for tenth in 0..10 {
        let cut = &lock.as_bytes()[..lock.len() * tenth / 10];
        shown(&project, &format!("{tenth} tenths"), cut);
    }
    project.repro(&["verify"]).code(1);
    project.repro(&["record"]).code(0);
    assert_eq!(project.read("repro.lock"), lock);
}

#[test]
fn a_lock_cut_off_in_its_facts_is_still_a_lock_only_if_its_body_is_whole() {
    let project = Project::fixture("steady");
    project.record();
    let lock = project.read("repro.lock");
    let facts = lock.find("\n[facts]\n").unwrap();
    for at in (facts..lock.len()).step_by(7) {
        project.write("repro.lock", &lock[..at]);
        let answer = project.repro(&["status"]);
        // No id covers the facts; but without their table the body has no known end.
        assert!(matches!(answer.code, Some(0 | 1)), "{at}: {}", answer.stdout);
        assert!(at > facts + 8 || answer.code == Some(1), "{at} of {facts}: {}", answer.stdout);
    }
}

#[test]
fn a_lock_edited_by_hand_is_read_and_said_to_be_edited() {
    let project = Project::fixture("steady");
    project.record();
    project.edit("repro.lock", "runs = 1", "runs = 10").commit("edited");
    for command in ["status", "verify"] {
        let answer = project.json(&[command]);
        answer.code(3);
        assert_eq!(answer.kinds("drift"), ["lock-edited repro.lock"]);
    }
}

#[test]
fn a_comment_in_the_lock_is_an_edit_too() {
    let project = Project::fixture("steady");
    project.record();
    project.edit("repro.lock", "seed = 42\n", "seed = 42 # for luck\n").commit("edited");
    let answer = project.json(&["status"]);
    answer.code(3);
    assert_eq!(answer.kinds("drift"), ["lock-edited repro.lock"]);
}

#[test]
fn a_record_replaces_a_broken_lock_but_not_one_of_a_newer_version() {
    let project = Project::fixture("steady");
    project.repro(&["record"]).code(0);
    let lock = project.read("repro.lock");
    for broken in ["", "<<<<<<< HEAD\n", "version = 1\n", &lock.replace("seed = 42\n", "")] {
        project.write("repro.lock", broken);
        project.repro(&["record"]).code(0);
        assert_eq!(project.read("repro.lock"), lock, "after {broken:?}");
    }
    let newer = lock.replace("version = 1\n", "version = 2\nmagic = true\n");
    project.write("repro.lock", &newer);
    let answer = project.repro(&["record"]);
    answer.code(1);
    assert!(
        answer.stderr.contains("is of version 2; this cargo repro reads up to version 1"),
        "{}",
        answer.stderr
    );
    assert!(answer.stderr.contains("hint: install a cargo repro as new as"), "{}", answer.stderr);
    assert_eq!(project.read("repro.lock"), newer);
}

#[test]
fn a_lock_that_is_a_directory_or_not_to_be_read_is_refused() {
    let project = Project::fixture("steady");
    project.write("repro.lock/x", "");
    for command in ["status", "verify"] {
        let answer = project.repro(&[command]);
        answer.code(1);
        assert!(
            answer.stderr.contains("could not read") && answer.stderr.contains("repro.lock"),
            "{}",
            answer.stderr
        );
    }
    let answer = project.repro(&["record"]);
    answer.code(1);
    assert!(
        answer.stderr.contains("could not write") && answer.stderr.contains("repro.lock"),
        "{}",
        answer.stderr
    );
    assert_eq!(project.leftovers(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn a_lock_of_another_project_is_drift_in_all_that_differs() {
    let one = Project::fixture("steady");
    one.record();
    let other = Project::fixture("steady");
    other.edit("Cargo.toml", "codegen-units = 1", "codegen-units = 1\nopt-level = 1").edit(
        "src/main.rs",
        "100.0",
        "10.0",
    );
    other.write("repro.lock", &one.read("repro.lock")).commit("borrowed");
    let answer = other.json(&["verify"]);
    answer.code(3);
    let kinds = answer.kinds("drift");
    assert!(kinds.contains(&"source-changed src/main.rs".to_owned()), "{kinds:?}");
    assert!(kinds.iter().any(|kind| kind.starts_with("build-changed")), "{kinds:?}");
}
