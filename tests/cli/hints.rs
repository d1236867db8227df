//! Hints of what everybody meets: each can be followed as it is printed.

use std::process::Command;

use crate::support::{Answer, Project};

#[track_caller]
fn hint(answer: &Answer) -> String {
    let line = answer.stderr.lines().rev().find_map(|line| line.strip_prefix("hint: "));
    line.unwrap_or_else(|| panic!("no hint\n{}", answer.stderr)).to_owned()
}

/// Runs a command of a hint that begins so, through the shell.
#[track_caller]
fn follow(project: &Project, hint: &str, start: &str) {
    let mut parts = hint.split('`').skip(1).step_by(2);
    let command = parts
        .find(|part| part.starts_with(start))
        .unwrap_or_else(|| panic!("no {start} in {hint}"));
    let status = Command::new("sh").args(["-c", command]).current_dir(&project.root).status().unwrap();
    assert!(status.success(), "{command}");
}

#[test]
fn a_lock_and_a_manifest_that_git_could_not_merge_are_named_as_that() {
    let project = Project::recorded("steady");
    let conflicting = |path: &str| {
        let text = project.read(path);
        project.write(path, &format!("<<<<<<< HEAD\n{text}=======\n{text}>>>>>>> other\n"));
    };
    conflicting("repro.lock");
    for args in [&["status"][..], &["verify"], &["show"]] {
        let answer = project.repro(args);
        assert!(answer.code(1).stderr.contains("marks of a merge"), "{}", answer.stderr);
        assert!(hint(&answer).starts_with("`cargo repro record`"), "{}", answer.stderr);
    }
    project.repro(&["record"]).code(0);
    project.repro(&["status"]).code(0);
    conflicting("repro.toml");
    assert!(project.repro(&["status"]).code(1).stderr.contains("marks of a merge"));
}

#[test]
fn a_key_that_is_nearly_one_is_told_which() {
    let project = Project::fixture("steady");
    project.edit("repro.toml", "artifacts = ", "artefacts = ");
    assert!(hint(project.repro(&["status"]).code(1)).starts_with("did you mean `artifacts`?"));
}

#[test]
fn files_that_are_not_committed_are_added_by_the_hint() {
    let project = Project::fixture("steady");
    project.write("src/other.rs", "").edit("repro.toml", "seed = 42", "seed = 43");
    let answer = project.repro(&["record"]);
    assert!(
        answer
            .code(1)
            .stderr
            .contains("2 files that can reach the program or its data are not as committed"),
        "{}",
        answer.stderr
    );
    follow(&project, &hint(&answer), "git add ");
    project.git(&["commit", "--quiet", "--message", "as the hint says"]);
    project.repro(&["record"]).code(0);
}

#[test]
fn an_artifact_that_was_not_written_is_told_beside_what_was() {
    let project = Project::fixture("command");
    project
        .edit("repro.toml", "artifacts = [", "artifacts = [\"model.jsn\", ")
        .commit("a slip");
    let answer = project.repro(&["record"]);
    assert!(answer.code(6).stderr.contains("did not write model.jsn"), "{}", answer.stderr);
    assert!(answer.stderr.contains("it wrote ") && answer.stderr.contains("model.txt"), "{}", answer.stderr);
}

#[test]
fn data_that_was_not_fetched_is_found_before_the_build() {
    let project = Project::fixture("steady");
    let oid = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let pointer = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize 8\n");
    project
        .write("data/numbers.csv", &pointer)
        .write("src/main.rs", "compile_error!(\"slow\");")
        .commit("lfs");
    for declared in ["\"data/numbers.csv\"", "\"data\"", "\"data/*.csv\""] {
        project.edit("repro.toml", "\"data/numbers.csv\"", declared).commit("declare");
        let answer = project.repro(&["record"]);
        assert!(answer.code(1).stderr.contains("is a Git LFS pointer"), "{}", answer.stderr);
        assert!(!answer.stderr.contains("Compiling"), "{}", answer.stderr);
        project.edit("repro.toml", declared, "\"data/numbers.csv\"");
    }
}

#[test]
#[allow(clippy::disallowed_macros, reason = "a test that cannot run here says so")]
fn a_place_where_nothing_can_run_or_be_written_is_named() {
    let project = Project::fixture("steady");
    let place = project.around().join("mounted");
    std::fs::create_dir(&place).unwrap();
    let mounted = |options: &str| {
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(&place).output();
        mount.is_ok_and(|output| output.status.success())
    };
    let record = || project.answer(project.command(&["record"]).env("TMPDIR", &place));
    let unmount = || assert!(Command::new("umount").arg(&place).status().unwrap().success());
    if !mounted("noexec") {
        eprintln!("SKIPPED a_place_where_nothing_can_run_or_be_written_is_named: it wants to mount");
        return;
    }
    let answer = record();
    unmount();
    assert!(answer.code(1).stderr.contains("is mounted noexec"), "{}", answer.stderr);
    assert!(hint(&answer).contains("set TMPDIR"), "{}", answer.stderr);
    assert!(mounted("size=300k"));
    let answer = record();
    unmount();
    assert_ne!(answer.code, Some(0));
    let said = answer.stderr.to_lowercase();
    assert!(said.contains("no space left") && said.contains("free some"), "{}", answer.stderr);
}
