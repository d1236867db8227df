//! Each exit code, once, by the real program.

use std::process::Stdio;
use std::time::{Duration, Instant};

use cargo_repro::exit_code::ExitCode;
use rustix::process::{Pid, Signal, kill_process};

use crate::support::Project;

#[test]
fn exit_code_0_is_reproduced_or_done() {
    let project = Project::recorded("steady");
    project.repro(&["verify"]).code(0);
    project.repro(&["show"]).code(0);
}

#[test]
fn exit_code_1_is_what_could_not_be_judged() {
    let project = Project::fixture("steady");
    let answer = project.json(&["verify"]);
    answer.code(1);
    assert_eq!(answer.verdict()["verdict"], "failed");
    project.remove("repro.toml");
    project.repro(&["status"]).code(1);
}

#[test]
fn exit_code_2_is_usage() {
    let project = Project::recorded("steady");
    project.repro(&["verify", "--no-such-flag"]).code(2);
    project.repro(&["no-such-command"]).code(2);
    project.repro(&["verify", "-P", "depth=deep"]).code(2);
    project.repro(&["verify", "-P", "width=1"]).code(2);
    project.repro(&["record", "--confirm", "0"]).code(2);
    project.repro(&["status", "-p", "nobody"]).code(2);
    project.repro(&["--help"]).code(0);
}

#[test]
fn exit_code_3_is_drift() {
    let project = Project::recorded("steady");
    project.edit("data/numbers.csv", "3.5", "3.6");
    project.repro(&["verify"]).code(3);
    project.repro(&["status"]).code(3);
}

#[test]
fn exit_code_4_is_divergence() {
    let project = Project::recorded("switch");
    project.write("../switch.txt", "other-accuracy");
    project.repro(&["verify"]).code(4);
}

#[test]
fn exit_code_5_is_a_build_that_failed() {
    let project = Project::fixture("steady");
    project
        .edit("src/main.rs", "fn main() {", "compile_error!(\"not today\");\nfn main() {")
        .commit("break it");
    let answer = project.json(&["record"]);
    answer.code(5);
    assert_eq!(answer.verdict()["error"]["phase"], "build");
    assert!(!project.root.join("repro.lock").exists());
}

#[test]
fn exit_code_5_is_a_verification_whose_build_failed_though_no_input_changed() {
    let project = Project::recorded("steady");
    // Such as a linker that is not there.
    let broken = "*'--crate-name steady'*) echo 'error: linker `cc` not found' >&2; exit 1 ;;";
    let answer = project.with_compiler(broken, &["verify", "--message-format", "json"]);
    answer.code(5);
    assert!(answer.verdict()["error"]["context"].as_str().unwrap().contains("linker `cc` not found"));
    assert!(project.leftovers().is_empty());
}

#[test]
fn exit_code_6_is_a_training_that_failed_was_killed_or_hung() {
    let project = Project::fixture("switch");
    project.record();
    for (words, what) in [
        ("fail", "stage `train` failed with exit code 3"),
        ("abort", "stage `train` was killed by SIGABRT (6)"),
        ("hang", "stage `train` was still running after its timeout of 500ms, and was ended"),
    ] {
        project.write("../switch.txt", words);
        if words == "hang" {
            project.edit("repro.toml", "\"5m\"", "\"500ms\"").commit("less time");
        }
        let answer = project.json(&["verify"]);
        answer.code(6);
        assert_eq!(answer.verdict()["error"]["message"], what);
        assert_eq!(answer.verdict()["error"]["phase"], "train");
        assert!(project.leftovers().is_empty());
    }
}

#[test]
fn exit_code_6_is_a_recording_whose_program_did_not_write_what_it_declares() {
    let project = Project::recorded("switch");
    project.write("../switch.txt", "no-model");
    let answer = project.json(&["record"]);
    answer.code(6);
    assert_eq!(answer.verdict()["error"]["phase"], "collect");
}

#[test]
fn exit_code_7_is_inconclusive() {
    let project = Project::recorded("switch");
    crate::drift::elsewhere(&project);
    project.write("../switch.txt", "other-accuracy");
    project.repro(&["verify"]).code(7);
}

#[test]
fn exit_code_8_is_a_gate_that_refuses() {
    let project = Project::recorded("steady");
    project.git(&["tag", "v1"]);
    project.repro(&["gate", "v1"]).code(8);
    project.repro(&["tag", "v1"]).code(8);
}

#[test]
fn exit_code_9_is_an_attestation_that_is_not_valid() {
    let project = Project::recorded("steady");
    project.write("../claim.jsonl", "believe me\n");
    project.repro(&["attest", "--check", "../claim.jsonl"]).code(9);
    project.named().repro(&["tag", "v1", "--from", "../claim.jsonl"]).code(9);
    assert!(project.git(&["tag"]).is_empty());
}

/// Starts a command, interrupts it while the program trains, and gives its exit code.
fn interrupted(project: &Project, args: &[&str], signal: Signal) -> Option<i32> {
    project.write("../switch.txt", "hang");
    let child = project.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let began = project.around().join("switch.began");
    let deadline = Instant::now() + Duration::from_secs(120);
    while !began.exists() {
        assert!(Instant::now() < deadline, "the training did not begin");
        std::thread::sleep(Duration::from_millis(5));
    }
    kill_process(Pid::from_child(&child), signal).unwrap();
    // The program would sleep for ten minutes.
    let code = child.wait_with_output().unwrap().status.code();
    std::fs::remove_file(began).unwrap();
    std::fs::remove_file(project.around().join("switch.txt")).unwrap();
    code
}

#[test]
fn exit_code_130_is_an_interruption_which_leaves_nothing_behind() {
    let project = Project::recorded("switch");
    let before = (project.read("repro.lock"), project.read("model.json"));
    assert_eq!(interrupted(&project, &["verify"], Signal::INT), Some(130));
    assert!(project.leftovers().is_empty());
    assert_eq!(interrupted(&project, &["record"], Signal::TERM), Some(130));
    assert!(project.leftovers().is_empty());
    assert_eq!((project.read("repro.lock"), project.read("model.json")), before);
    assert_eq!(project.git(&["status", "--porcelain"]), "");
    // What was interrupted can be done again at once.
    project.repro(&["record"]).code(0);
    project.repro(&["verify"]).code(0);
}

#[test]
fn the_help_names_every_exit_code_that_a_command_can_end_with() {
    let answer = Project::bare("steady", "project").repro(&["--help"]);
    let (_, codes) = answer.stdout.split_once("Exit codes:").unwrap();
    let reserved = [ExitCode::GateRefused, ExitCode::SignatureInvalid];
    for code in ExitCode::ALL.iter().filter(|code| !reserved.contains(code)) {
        let number = code.number().to_string();
        assert!(codes.split_whitespace().any(|word| word == number), "{number} is not in the help");
    }
}
