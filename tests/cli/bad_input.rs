//! What is broken, missing or unwilling: each gets an exit code, a message that says what, where and
//! what next, and loses nothing. The manifest's and the lock's own mistakes have files of their own.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::interruption::{GOOD, alive, mark, script};
use crate::support::{Answer, Project, has_namespaces};

/// Runs the binary, which must refuse with this code and say all of these, and must not lose or half
/// write anything: the lock and the recorded artifact are as before, and nothing temporary stays.
#[track_caller]
fn refused(project: &Project, args: &[&str], code: i32, says: &[&str]) -> Answer {
    let state = || ["repro.lock", "model.json"].map(|name| std::fs::read(project.root.join(name)).ok());
    let before = state();
    let answer = project.repro(args);
    answer.code(code);
    for part in says {
        assert!(answer.stderr.contains(part), "not said: {part}\n{}", answer.stderr);
    }
    assert!(answer.stderr.contains("error: "), "{}", answer.stderr);
    assert!(state() == before, "the lock or an artifact changed");
    assert_eq!(project.leftovers(), Vec::<std::path::PathBuf>::new());
    answer
}

#[test]
fn without_a_cargo_toml_it_says_where_it_looked() {
    let project = Project::fixture("steady");
    let mut command = project.command(&["record"]);
    let answer = project.answer(command.current_dir(project.around()));
    answer.code(1);
    assert!(answer.stderr.contains("no Cargo.toml in"), "{}", answer.stderr);
    assert!(answer.stderr.contains("--manifest-path"), "{}", answer.stderr);
}

#[test]
fn without_a_manifest_it_names_the_command_that_writes_one() {
    let project = Project::fixture("steady");
    project.remove("repro.toml").commit("none");
    for command in ["record", "verify", "status"] {
        refused(&project, &[command], 1, &["no repro.toml in ", "hint: `cargo repro init` writes one"]);
    }
}

#[test]
fn without_a_lock_verify_and_status_name_the_command_that_writes_one() {
    let project = Project::fixture("steady");
    for command in ["verify", "status", "show"] {
        refused(&project, &[command], 1, &["repro.lock", "hint: ", "cargo repro record"]);
    }
}

#[test]
fn without_a_repository_it_says_to_make_one() {
    let project = Project::bare("steady", "project");
    // Whatever repository the scratch directory may lie in must not be found.
    let mut command = project.command(&["record"]);
    let answer = project.answer(command.env("GIT_CEILING_DIRECTORIES", project.around()));
    answer.code(1);
    assert!(answer.stderr.contains("is not in a git repository"), "{}", answer.stderr);
    assert!(answer.stderr.contains("hint: `git init`"), "{}", answer.stderr);
}

#[test]
fn without_a_commit_it_says_to_make_one() {
    let project = Project::bare("steady", "project");
    project.git(&["init", "--quiet"]);
    refused(&project, &["record"], 1, &["has no commit yet", "hint: `git add`"]);
}

#[test]
fn a_missing_cargo_lock_is_named_with_its_cure() {
    let project = Project::fixture("steady");
    project.remove("Cargo.lock").commit("none");
    refused(&project, &["record"], 1, &["there is no Cargo.lock", "hint: `git checkout -- Cargo.lock` restores"]);
    assert!(!project.root.join("Cargo.lock").exists(), "it was written behind the user's back");
}

#[test]
fn a_stale_cargo_lock_is_named_with_its_cure() {
    let project = Project::fixture("steady");
    project.edit("Cargo.toml", "version = \"0.1.0\"", "version = \"0.2.0\"").commit("stale");
    refused(&project, &["record"], 1, &["Cargo.lock is stale", "hint: `cargo update --workspace`"]);
}

#[test]
fn a_broken_cargo_lock_is_shown_in_cargos_words() {
    let project = Project::fixture("steady");
    project.write("Cargo.lock", "version = 4\n<<<<<<< HEAD\n").commit("conflict");
    refused(&project, &["record"], 1, &["could not read the package in", "Cargo.lock"]);
}

#[test]
fn a_cargo_lock_that_git_ignores_is_named_before_anything_is_built() {
    let project = Project::fixture("steady");
    project.git(&["rm", "--quiet", "--cached", "Cargo.lock"]);
    project.write(".gitignore", "/target\nCargo.lock\n").commit("ignored");
    // The checkout would not have it; cargo would only say that it needs one.
    refused(&project, &["record"], 1, &["Cargo.lock (not committed)", "hint: commit"]);
}

#[test]
fn a_repro_toml_that_git_ignores_is_no_way_around_the_commit() {
    let project = Project::fixture("steady");
    project.git(&["rm", "--quiet", "--cached", "repro.toml"]);
    project.write(".gitignore", "/target\nrepro.toml\n").commit("ignored");
    refused(&project, &["record"], 1, &["repro.toml (not committed)", "hint: commit"]);
}

#[test]
fn a_broken_cargo_toml_is_shown_in_cargos_words() {
    let project = Project::fixture("steady");
    project.write("Cargo.toml", "[package\n").commit("broken");
    refused(&project, &["record"], 1, &["could not read the package in", "Cargo.toml:1"]);
}

#[test]
fn a_bin_that_is_not_there_is_named_with_those_that_are() {
    let project = Project::fixture("steady");
    project.edit("repro.toml", "bin = \"steady\"", "bin = \"stedy\"").commit("typo");
    refused(&project, &["record"], 1, &["`bin = \"stedy\"`", "hint: its binaries and examples are: steady"]);
}

#[test]
fn a_command_that_is_not_there_is_named_before_anything_runs() {
    let project = Project::fixture("steady");
    project
        .edit("repro.toml", "bin = \"steady\"", "command = [\"no-such-program\"]")
        .commit("none");
    refused(&project, &["record"], 1, &["stage `train` runs `no-such-program`", "hint: install it"]);
}

#[test]
fn a_command_that_is_not_committed_is_named() {
    let project = Project::fixture("steady");
    project.write(".gitignore", "/target\n/run.sh\n").write("run.sh", "#!/bin/sh\nexit 0\n");
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(project.root.join("run.sh"), mode).unwrap();
    project.edit("repro.toml", "bin = \"steady\"", "command = [\"./run.sh\"]").commit("none");
    refused(&project, &["record"], 6, &["there is no program `./run.sh`", "checkout of what is committed"]);
}

#[test]
fn missing_data_is_named_with_its_path() {
    let project = Project::fixture("steady");
    project.remove("data/numbers.csv").commit("no data");
    let says = [
        "the data `numbers` is not there: data/numbers.csv",
        "hint: paths in [data] start at",
    ];
    refused(&project, &["record"], 1, &says);
}

#[test]
fn a_glob_that_matches_nothing_is_missing_data() {
    let project = Project::fixture("steady");
    project.edit("repro.toml", "data/numbers.csv", "data/*.parquet").commit("glob");
    refused(&project, &["record"], 1, &["the data `numbers` is not there: data/*.parquet"]);
}

#[test]
fn a_directory_where_a_file_was_recorded_is_drift_and_not_a_crash() {
    let project = Project::fixture("steady");
    project.record();
    project.git(&["rm", "--quiet", "data/numbers.csv"]);
    project.write("data/numbers.csv/part-1", "1\n2\n3.5\n").commit("a directory");
    for command in ["status", "verify"] {
        let answer = project.json(&[command]);
        answer.code(3);
        let kinds = answer.kinds("drift");
        assert!(kinds.iter().any(|kind| kind.starts_with("data-changed data.numbers")), "{kinds:?}");
        assert!(answer.stdout.contains("a directory"), "{}", answer.stdout);
    }
}

#[test]
fn a_program_that_cannot_read_the_directory_it_got_for_a_file_fails_as_training() {
    let project = Project::fixture("steady");
    project.git(&["rm", "--quiet", "data/numbers.csv"]);
    project.write("data/numbers.csv/part-1", "1\n").commit("a directory");
    refused(&project, &["record"], 6, &["stage `train` failed", "Is a directory"]);
}

#[test]
fn data_that_is_a_pipe_is_refused_and_does_not_hang() {
    let project = Project::fixture("steady");
    project.git(&["rm", "--quiet", "data/numbers.csv"]);
    std::fs::create_dir_all(project.root.join("data")).unwrap();
    let pipe = Command::new("mkfifo").arg(project.root.join("data/numbers.csv")).status().unwrap();
    assert!(pipe.success());
    project.commit("a pipe");
    refused(&project, &["record"], 1, &["numbers.csv is neither a file nor a directory", "hint: "]);
}

#[test]
fn an_uncommitted_edit_is_named_and_allow_dirty_writes_that_into_the_lock() {
    let project = Project::fixture("steady");
    project.edit("src/main.rs", "training with", "training dirtily with");
    let says = [
        "1 file that can reach",
        "src/main.rs (modified)",
        "hint: commit",
        "--allow-dirty",
    ];
    refused(&project, &["record"], 1, &says);
    let answer = project.repro(&["record", "--allow-dirty"]);
    answer.code(0);
    assert!(answer.stderr.contains("training dirtily"), "the committed text was built:\n{}", answer.stderr);
    assert!(project.read("repro.lock").contains("dirty = true"));
}

#[test]
fn every_uncommitted_file_is_named_with_what_was_done_to_it() {
    let project = Project::fixture("steady");
    project.write("src/gone.rs", "").commit("one more");
    project.remove("src/gone.rs").write("src/new.rs", "").edit("data/numbers.csv", "3.5", "4");
    let says = [
        "src/gone.rs (deleted)",
        "src/new.rs (not committed)",
        "data/numbers.csv (modified)",
    ];
    refused(&project, &["record"], 1, &says);
}

#[test]
fn assume_unchanged_and_skip_worktree_hide_nothing() {
    for flag in ["--assume-unchanged", "--skip-worktree"] {
        let project = Project::fixture("steady");
        project.git(&["update-index", flag, "src/main.rs"]);
        project.edit("src/main.rs", "training with", "training quietly with");
        assert_eq!(project.git(&["status", "--porcelain"]), "", "git itself does not see it");
        refused(&project, &["record"], 1, &["src/main.rs (modified)"]);
    }
}

#[test]
fn a_build_that_fails_shows_what_rustc_says() {
    let project = Project::fixture("steady");
    project.edit("src/main.rs", "let data", "let data: u32").commit("broken");
    refused(
        &project,
        &["record"],
        5,
        &[
            "mismatched types",
            "src/main.rs",
            "the build failed in a clean checkout",
            "hint: ",
        ],
    );
}

#[test]
fn a_build_that_fails_says_why_in_json_too() {
    let project = Project::fixture("steady");
    project.edit("src/main.rs", "let data", "let data: u32").commit("broken");
    let answer = project.json(&["record"]);
    answer.code(5);
    let verdict = answer.verdict();
    assert_eq!(verdict["verdict"], "failed");
    assert_eq!(verdict["error"]["phase"], "build");
    assert!(verdict["error"]["context"].as_str().unwrap().contains("mismatched types"), "{verdict}");
}

#[test]
fn a_source_that_git_ignores_is_missing_in_the_clean_checkout_and_the_hint_says_so() {
    let project = Project::fixture("steady");
    project.write(".gitignore", "/target\n/secret.txt\n").write("secret.txt", "7");
    project.edit("src/main.rs", "fn main() {", "fn main() {\n    let _ = include_str!(\"../secret.txt\");");
    project.commit("ignored");
    let says = [
        "secret.txt, which is in the work tree and not in the commit",
        "hint: `git add --force :/secret.txt`",
    ];
    refused(&project, &["record"], 5, &says);
}

#[test]
fn a_program_that_fails_is_shown_with_its_exit_code_and_its_words() {
    let project = script(&format!("{GOOD}echo 'no convergence' >&2; exit 7\n"));
    refused(&project, &["record"], 6, &["no convergence", "stage `train` failed with exit code 7", "hint: "]);
    // Nobody saw its words pass by; so the error carries their end.
    refused(&project, &["record", "--quiet"], 6, &["no convergence"]);
    let verdict = project.json(&["record"]).verdict();
    assert_eq!(verdict["error"]["phase"], "train");
    assert!(verdict["error"]["context"].as_str().unwrap().contains("no convergence"), "{verdict}");
}

#[test]
fn a_panic_in_the_program_is_a_failed_training() {
    let project = Project::fixture("steady");
    project.edit("data/numbers.csv", "2\n", "two\n").commit("not a number");
    let answer = project.repro(&["record"]);
    answer.code(6);
    assert!(answer.stderr.contains("a number"), "{}", answer.stderr);
    assert!(answer.stderr.contains("stage `train` failed with exit code 101"), "{}", answer.stderr);
}

#[test]
fn a_program_that_hangs_is_ended_with_all_its_children_at_its_timeout() {
    // One child in the same group, one that fled into a session of its own.
    let project = script("sleep 543.21 & setsid sleep 543.21 & sleep 543.21\n");
    project.edit("repro.toml", "artifacts", "timeout = \"1s\"\nartifacts").commit("timeout");
    let began = Instant::now();
    refused(&project, &["record"], 6, &["still running after its timeout of 1s", "hint: raise `timeout`"]);
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    assert_eq!(alive(&mark(&project)), Vec::<String>::new());
}

#[test]
fn what_a_program_leaves_running_ends_with_it() {
    let project = script(&format!("{GOOD}sleep 543.22 & setsid sleep 543.22 &\n"));
    let began = Instant::now();
    project.repro(&["record"]).code(0);
    assert!(began.elapsed() < Duration::from_secs(20), "it waited for a process that holds the pipe");
    assert_eq!(alive(&mark(&project)), Vec::<String>::new());
}

#[test]
fn a_program_that_is_killed_is_said_to_be_killed() {
    let project = script("kill -KILL $$\n");
    refused(&project, &["record"], 6, &["stage `train` was killed by SIGKILL (9)", "hint: ", "memory"]);
    let project = script("kill -SEGV $$\n");
    refused(&project, &["record"], 6, &["stage `train` was killed by SIGSEGV (11)"]);
}

#[test]
fn a_declared_artifact_that_the_program_did_not_write_is_named() {
    let project = script("echo '{\"accuracy\":1}' > metrics.json\n");
    refused(
        &project,
        &["record"],
        6,
        &[
            "stage `train` ended well but did not write model.json",
            "hint: outputs go to",
        ],
    );
    let project = script("echo '{}' > model.json\n");
    refused(&project, &["record"], 6, &["did not write metrics.json"]);
}

#[test]
fn a_committed_artifact_does_not_stand_in_for_one_that_was_not_written() {
    let project = script("test -e model.json && exit 9; echo '{\"accuracy\":1}' > metrics.json\n");
    project.write("model.json", "{\"stale\":true}\n").commit("stale");
    refused(&project, &["record"], 6, &["did not write model.json"]);
}

#[test]
fn an_artifact_of_the_last_recording_does_not_stand_in_either() {
    let project = script(GOOD);
    project.record();
    project.write("train.sh", "echo '{\"accuracy\":1}' > metrics.json\n").commit("lazy");
    refused(&project, &["record"], 6, &["did not write model.json"]);
}

#[test]
fn an_artifact_that_is_a_link_or_a_directory_or_a_pipe_is_refused() {
    let cases = [
        ("echo '{}' > real; ln -s real model.json", "the output model.json is a symbolic link"),
        ("ln -s /etc/hostname model.json", "the output model.json is a symbolic link"),
        ("ln -s nowhere model.json", "the output model.json is a symbolic link"),
        ("mkdir model.json", "the output model.json is a directory"),
        ("mkfifo model.json", "the output model.json is neither a file nor a directory"),
    ];
    for (body, says) in cases {
        let project = script(&format!("{body}\necho '{{\"accuracy\":1}}' > metrics.json\n"));
        refused(&project, &["record"], 6, &[says, "hint: "]);
        // What it left in the kept work directory must not spoil the next recording.
        project.write("train.sh", GOOD).commit("better");
        project.repro(&["record"]).code(0);
    }
}

#[test]
fn a_directory_in_the_work_tree_where_an_artifact_belongs_is_not_removed() {
    let project = script(GOOD);
    project.write(".gitignore", "/target\n/model.json/\n").commit("ignored");
    project.write("model.json/notes", "mine");
    refused(&project, &["record"], 1, &["cannot be written: it is a directory in the work tree", "model.json"]);
    assert_eq!(project.read("model.json/notes"), "mine");
}

#[test]
fn a_metric_that_is_not_a_number_or_infinite_is_exact_as_text() {
    let text = r#"{"a": "NaN", "b": "inf", "c": "-inf", "d": -0.0}"#;
    let project = script(&format!("echo '{{}}' > model.json; echo '{text}' > metrics.json\n"));
    project.record();
    let lock = project.read("repro.lock");
    for bits in [
        "7ff8000000000000",
        "7ff0000000000000",
        "fff0000000000000",
        "8000000000000000",
    ] {
        assert!(lock.contains(bits), "{bits} is not in\n{lock}");
    }
    project.repro(&["verify"]).code(0);
}

#[test]
fn a_ledger_that_is_not_of_the_protocol_is_a_failed_training_and_not_a_crash() {
    let lines = [
        "nonsense",
        r#"{"event":"open","protocol":99,"runtime":"x"}"#,
        r#"{"event":"metric","name":"a","value":"1","bits":"0"}"#,
        r#"{"event":"checkpoint","name":"a","digest":"sha256:zz"}"#,
        // More words than a lock can hold, at once and by adding up.
        r#"{"event":"stream","name":"a","words":18446744073709551615}"#,
        "{\"event\":\"stream\",\"name\":\"a\",\"words\":9223372036854775807}\n{\"event\":\"stream\",\"name\":\"a\",\"words\":9223372036854775807}\n{\"event\":\"stream\",\"name\":\"a\",\"words\":9223372036854775807}",
    ];
    let project = script(&format!("{GOOD}cat lines > $REPRO_LEDGER\n"));
    for line in lines {
        project.write("lines", &format!("{line}\n")).commit("lines");
        refused(&project, &["record"], 6, &["of the ledger that the program wrote is not of the protocol", "hint: "]);
    }
}

#[test]
fn data_is_not_the_programs_to_write_to() {
    if !has_namespaces("data_is_not_the_programs_to_write_to") {
        return;
    }
    // Committed data is a copy in the checkout; data that git does not keep is the user's own file.
    for committed in [true, false] {
        for attempt in [
            "echo 9 >> data/numbers.csv",
            "rm -f data/numbers.csv",
            "mv data/numbers.csv data/others.csv",
        ] {
            let project = script(&format!("{attempt} || exit 9\n{GOOD}"));
            if !committed {
                project.git(&["rm", "--quiet", "--cached", "data/numbers.csv"]);
                project.write(".gitignore", "/target\n/data\n").commit("not kept");
            }
            refused(&project, &["record"], 6, &["failed with exit code 9"]);
            assert_eq!(project.read("data/numbers.csv"), "1\n2\n3.5\n", "the work tree's data was touched");
            // A program that takes no for an answer has read what is locked.
            project.edit("train.sh", "|| exit 9", "|| true").commit("as it pleases");
            project.record().repro(&["verify"]).code(0);
            assert_eq!(project.read("data/numbers.csv"), "1\n2\n3.5\n", "the work tree's data was touched");
        }
    }
}

#[test]
fn data_that_somebody_else_changes_during_the_training_gives_no_lock() {
    // It sees the change, since it reads the user's own file.
    let project = script(&format!("while grep -q 3.5 data/numbers.csv; do sleep 0.05; done\n{GOOD}"));
    project.git(&["rm", "--quiet", "--cached", "data/numbers.csv"]);
    project.write(".gitignore", "/target\n/data\n").commit("not kept");
    let mut command = project.command(&["record"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_until("the program runs", || alive(&mark(&project)).iter().any(|line| line.contains("sleep")));
    project.write("data/numbers.csv", "1\n2\n");
    assert_eq!(child.wait().unwrap().code(), Some(3));
    assert!(!project.root.join("repro.lock").exists());
}

#[track_caller]
fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(60), "never: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_gigabyte_of_output_costs_neither_memory_nor_disk() {
    let project = script(&format!("head -c 1073741824 /dev/zero | tr '\\0' x\n{GOOD}"));
    // With colours nothing is taken out of what passes; that costs a debug build a hundred times as much.
    let mut command = project.command(&["record", "--color", "always"]);
    let began = Instant::now();
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let mut peak = 0;
    let status = loop {
        // The high-water mark, in KiB; the file is gone once the process is.
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
        peak = peak.max(kib.unwrap_or(0));
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    assert_eq!(status.code(), Some(0));
    assert!((1..100 * 1024).contains(&peak), "{peak} KiB at the peak");
    // Generous: without optimisation and on a busy machine it is about four seconds.
    assert!(began.elapsed() < Duration::from_secs(60), "{:?}", began.elapsed());
    assert!(size(&project.work()) < 20 << 20, "{} bytes were kept", size(&project.work()));
}

#[test]
fn the_error_after_a_gigabyte_of_output_has_its_last_lines_only() {
    let project = script("head -c 104857600 /dev/zero | tr '\\0' x\nprintf '\\n\\033[31mthe end\\033[0m\\n'; exit 1\n");
    let answer = refused(&project, &["record", "--quiet"], 6, &["the end"]);
    assert!(answer.stderr.len() < 20_000, "{} bytes", answer.stderr.len());
    assert!(!answer.stderr.contains('\u{1b}'), "it plays with the terminal");
}

fn size(directory: &Path) -> u64 {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let of = |entry: std::fs::DirEntry| {
        let meta = entry.path().symlink_metadata().unwrap();
        if meta.is_dir() { size(&entry.path()) } else { meta.len() }
    };
    entries.map(of).sum()
}

#[test]
fn the_environment_of_the_caller_reaches_neither_program_nor_build_script_nor_any_output() {
    const SECRET: &str = "hunter2-0f8a77";
    let project = Project::fixture("steady");
    // Both write all that they see: the build script into the binary, the program into the artifact.
    project.write(
        "build.rs",
        "fn main() {\n    let seen: Vec<String> = std::env::vars().map(|(name, value)| format!(\"{name}={value}\")).collect();\n    std::fs::write(format!(\"{}/seen\", std::env::var(\"OUT_DIR\").unwrap()), seen.join(\"\\n\")).unwrap();\n}\n",
    );
    project.edit(
        "src/main.rs",
        "std::fs::write(\"model.json\", format!(\"{{\\\"sum\\\":{sum:?}}}\\n\"))",
        "let mut seen: Vec<String> = std::env::vars().map(|(name, _)| name).collect();\n    seen.sort();\n    let build = include_str!(concat!(env!(\"OUT_DIR\"), \"/seen\"));\n    eprintln!(\"{seen:?}\");\n    let secrets = std::env::vars().filter(|(_, value)| value.contains(\"hunter2\")).count();\n    assert!(secrets == 0 && !build.contains(\"hunter2\"), \"leaked into the run\");\n    std::fs::write(\"model.json\", format!(\"{sum} {}\", seen.join(\" \")))",
    );
    project.commit("curious");
    for args in [
        &["record", "-v"][..],
        &["verify", "-v"],
        &["status", "-v"],
        &["show", "-v"],
    ] {
        let mut command = project.command(args);
        let answer = project.answer(
            command
                .env("API_TOKEN", SECRET)
                .env("CARGO_REGISTRY_TOKEN", SECRET)
                .env("RUST_LOG", SECRET),
        );
        answer.code(0);
        for text in [&answer.stdout, &answer.stderr, &project.read("repro.lock")] {
            assert!(!text.contains("hunter2"), "{args:?} shows it:\n{text}");
        }
        project.commit("record");
    }
    let seen = project.read("model.json");
    assert!(seen.contains("REPRO_SEED") && seen.contains("TZ"), "{seen}");
    assert!(!seen.contains("API_TOKEN") && !seen.contains("USER") && !seen.contains("CARGO"), "{seen}");
}

#[test]
fn settings_that_would_change_a_build_are_named_without_their_values() {
    let project = Project::fixture("steady");
    project.record();
    let mut command = project.command(&["status", "-v"]);
    let answer = project.answer(command.env("RUSTFLAGS", "--cfg hunter2"));
    assert!(answer.stdout.contains("RUSTFLAGS"), "{}", answer.stdout);
    assert!(!(answer.stdout + &answer.stderr).contains("hunter2"));
}

#[test]
fn a_passed_variable_that_is_not_utf8_is_said_and_not_taken_for_unset() {
    use std::os::unix::ffi::OsStrExt as _;
    let project = script(&format!("echo \"got:$ODD\"\n{GOOD}"));
    project
        .edit("repro.toml", "[environment]", "[environment]\npass = [\"ODD\"]")
        .commit("pass");
    let mut command = project.command(&["record"]);
    let answer = project.answer(command.env("ODD", std::ffi::OsStr::from_bytes(b"\xff")));
    answer.code(1);
    assert!(answer.stderr.contains("ODD") && answer.stderr.contains("UTF-8"), "{}", answer.stderr);
}

#[test]
fn a_line_end_in_an_environment_value_does_not_make_the_lock_look_edited() {
    // The lock's end is found by a line; a value must not be able to play it.
    let project = script(GOOD);
    project.edit("repro.toml", "[environment]", "[environment]\nset.ODD = \"a\\n[facts]\\nid = 1\\n\"");
    project.commit("odd");
    project.record();
    project.repro(&["verify"]).code(0);
}

#[test]
fn a_work_directory_of_another_mode_is_refused() {
    let project = script(GOOD);
    let base = project.work().join(format!("cargo-repro-{}", rustix::process::getuid().as_raw()));
    std::fs::create_dir(&base).unwrap();
    std::fs::set_permissions(&base, std::fs::Permissions::from_mode(0o777)).unwrap();
    refused(
        &project,
        &["record"],
        1,
        &[
            "is not a directory of this user alone",
            "hint: remove it, or set TMPDIR",
        ],
    );
}

#[test]
fn a_work_directory_below_cargo_configuration_is_refused() {
    let project = script(GOOD);
    std::fs::create_dir(project.work().join(".cargo")).unwrap();
    std::fs::write(project.work().join(".cargo/config.toml"), "").unwrap();
    refused(&project, &["record"], 1, &[".cargo/config.toml would change every build", "hint: set TMPDIR"]);
}

#[test]
fn a_work_directory_that_cannot_be_made_is_named() {
    let project = script(GOOD);
    let mut command = project.command(&["record"]);
    let answer = project.answer(command.env("TMPDIR", "/proc/nowhere"));
    answer.code(1);
    assert!(answer.stderr.contains("could not make a directory in /proc/nowhere"), "{}", answer.stderr);
}

#[test]
fn trainings_that_disagree_give_no_lock() {
    let project = script("date +%N > model.json; echo '{\"accuracy\":1}' > metrics.json\n");
    let answer = project.json(&["record", "--confirm", "2"]);
    answer.code(4);
    assert_eq!(answer.verdict()["verdict"], "diverged");
    assert_eq!(answer.kinds("divergence"), ["artifact-changed model.json"]);
    assert!(!project.root.join("repro.lock").exists());
    assert!(!project.root.join("model.json").exists());
}

#[test]
fn a_stdout_that_nobody_reads_any_more_is_no_crash() {
    let project = script(GOOD);
    project.record();
    for format in ["human", "json"] {
        let mut command = project.command(&["show", "--message-format", format]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    }
}

#[test]
fn a_full_stdout_is_an_error_and_not_a_crash() {
    let project = script(GOOD);
    project.record();
    let mut command = project.command(&["show"]);
    let output = command
        .stdout(std::fs::File::options().write(true).open("/dev/full").unwrap())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("could not write to standard output"), "{said}");
}

#[test]
fn init_overwrites_no_manifest_that_came_while_it_asked_cargo() {
    let project = Project::fixture("steady");
    project.remove("repro.toml");
    let programs = project.around().join("programs");
    std::fs::create_dir(&programs).unwrap();
    let rustc = programs.join("rustc");
    std::fs::write(&rustc, "#!/bin/sh\necho theirs > repro.toml\nPATH=${PATH#*:} exec rustc \"$@\"\n").unwrap();
    std::fs::set_permissions(&rustc, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let answer = project.answer(project.command(&["init"]).env("PATH", path));
    answer.code(1);
    assert!(answer.stderr.contains("repro.toml is there already, and stays as it is"), "{}", answer.stderr);
    assert_eq!(project.read("repro.toml"), "theirs\n");
    assert!(project.leftovers().is_empty());
}
