//! Hints of what everybody meets: each can be followed as it is printed.

use std::process::Command;

use crate::support::Project;
use crate::support::hints::{quoted, quotes};

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
        assert!(answer.hint().starts_with("`cargo repro record`"), "{}", answer.stderr);
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
    assert!(project.repro(&["status"]).code(1).hint().starts_with("did you mean `artifacts`?"));
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
    project.type_in(&quoted(&answer.hint(), "git add "));
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
    assert!(answer.hint().contains("set TMPDIR"), "{}", answer.stderr);
    assert!(mounted("size=300k"));
    let answer = record();
    unmount();
    assert_ne!(answer.code, Some(0));
    let said = answer.stderr.to_lowercase();
    assert!(said.contains("no space left") && said.contains("free some"), "{}", answer.stderr);
}

/// What somebody does to a recorded package, the command that meets it, and how the command in its hint begins; after
/// that, the same command has to get on.
type Slip = (&'static str, &'static [&'static str], i32, &'static str);

#[test]
fn each_command_in_a_hint_mends_what_it_is_about() {
    let forgotten = "git rm --quiet --cached repro.lock && git commit --quiet --message x && git tag v0";
    let slips: [Slip; 8] = [
        ("rm repro.lock", &["status"], 1, "cargo repro record"),
        ("echo x >>repro.lock", &["show"], 1, "git checkout -- repro.lock"),
        ("sed -i s/42/43/ repro.lock", &["status"], 3, "git checkout -- repro.lock"),
        ("rm Cargo.lock", &["status"], 1, "git checkout -- Cargo.lock"),
        ("rm repro.toml", &["status"], 1, "cargo repro init"),
        ("echo >>src/main.rs", &["status"], 3, "git restore :/src/main.rs"),
        ("rm -r .git", &["status"], 1, "git init"),
        (forgotten, &["verify", "--rev", "v0"], 1, "cargo repro log"),
    ];
    let binary = std::path::Path::new(env!("CARGO_BIN_EXE_cargo-repro"));
    let path = binary.parent().unwrap().display();
    for (slip, args, code, start) in slips {
        let project = Project::recorded("steady");
        project.named().type_in(slip);
        let before = project.repro(args);
        let text = format!("{}{}", before.code(code).stdout, before.stderr);
        let hints: Vec<String> = text.split("hint: ").skip(1).map(|hint| hint.replace("\n      ", " ")).collect();
        assert!(!hints.is_empty(), "{slip}: {text}");
        let command = quoted(&hints.concat(), start);
        project.type_in(&format!("PATH={path}:$PATH; {command}"));
        let after = project.repro(args);
        // Only that a revision has no lock stays as it is.
        let gets_on = after.text() != before.text() || slip == forgotten;
        assert!(gets_on, "{slip}, then {command}:\n{}", after.text());
    }
}

#[test]
fn each_command_that_the_sources_quote_is_one_of_the_binary() {
    // A slip in the name of a command or of an option would be found by whoever types it.
    let mut waiting = vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let project = Project::empty();
    let mut seen = std::collections::BTreeSet::new();
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            waiting.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for quote in text.lines().flat_map(quotes) {
            let Some(rest) = quote.strip_prefix("cargo repro ") else {
                continue;
            };
            let is_word =
                |word: &&str| word.chars().all(|c| c.is_ascii_lowercase() || c == '-') && !word.starts_with('-');
            let command: Vec<String> = rest.split(' ').take_while(is_word).take(2).map(str::to_owned).collect();
            let options = rest.split(' ').filter(|word| word.starts_with("--"));
            let options: Vec<String> = options.map(|word| word.split('=').next().unwrap().to_owned()).collect();
            seen.insert((command, options, path.clone()));
        }
    }
    assert!(seen.len() > 30, "{}", seen.len());
    for (command, options, path) in seen {
        let mut args: Vec<&str> = command.iter().map(String::as_str).collect();
        args.push("--help");
        let answer = project.repro(&args);
        let told = format!("`cargo repro {}` in {}", command.join(" "), path.display());
        assert_eq!(answer.code, Some(0), "{told}");
        for option in options {
            assert!(answer.stdout.contains(&option), "{told} has no {option}");
        }
    }
}
