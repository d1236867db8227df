//! What the commands say, to people and to programs; and how it is asked for.

use insta::assert_snapshot;

use crate::interruption::{GOOD, script};
use crate::support::{Answer, Project};

#[test]
fn a_recording_says_what_came_out_and_what_it_did_not_check() {
    let project = Project::fixture("switch");
    let both = project.both_after(&["record"], || {
        // Each of the two must be the first; what cargo built for the one would be kept for the other.
        let _ = std::fs::remove_file(project.root.join("repro.lock"));
        let _ = std::fs::remove_dir_all(project.work());
        std::fs::create_dir(project.work()).unwrap();
    });
    both.human.code(0);
    assert_snapshot!(both.snapshot);
}

#[test]
fn a_recording_of_the_same_leaves_the_lock_as_it_is() {
    let project = Project::recorded("steady");
    let before = project.read("repro.lock");
    let answer = project.repro(&["record"]);
    answer.code(0);
    assert!(answer.stderr.contains("Unchanged repro.lock"), "{}", answer.stderr);
    assert_eq!(project.read("repro.lock"), before);
    assert_eq!(project.git(&["status", "--porcelain"]), "");
}

#[test]
fn a_confirmed_recording_says_how_often() {
    let project = Project::fixture("steady");
    let answer = project.repro(&["record", "--confirm", "2"]);
    answer.code(0);
    assert_snapshot!(answer.text());
    project.commit("record");
    assert!(project.repro(&["show"]).stdout.contains("computed 2 times, every outcome the same"));
}

#[test]
fn a_reproduced_verification_shows_what_it_reproduced() {
    let project = Project::recorded("stages");
    assert_snapshot!(project.both(&["verify"]).snapshot);
}

#[test]
fn repeated_trainings_are_counted() {
    let project = Project::recorded("steady");
    let answer = project.repro(&["verify", "--times", "2"]);
    answer.code(0);
    assert_snapshot!(answer.text());
}

#[test]
fn what_a_program_prints_is_passed_on_byte_for_byte_and_what_we_say_begins_a_line() {
    let words = "printf '\\033['; sleep 0.2; printf '31mred\\033[0m \\303'; sleep 0.2; printf '\\251 no end'";
    let project = script(&format!("{words}\n{GOOD}"));
    let said = project.repro(&["record"]).code(0).stderr.clone();
    assert!(said.contains("\nred é no end\n       Wrote repro.lock"), "{said:?}");
    let project = script("printf 'load 10%%\\rload 20%%\\rload 30%%'; exit 3\n");
    let answer = project.repro(&["record", "--quiet"]);
    answer.code(6);
    assert!(answer.stderr.contains("\n  load 30%\n") && !answer.stderr.contains("10%"), "{:?}", answer.stderr);
}

#[test]
fn names_in_an_error_act_on_no_terminal_and_are_no_line_of_ours() {
    let project = Project::fixture("command");
    project
        .edit("repro.toml", "\"numbers.csv\"", "\"no\\u001b[2J\\nerror: forged*.csv\"")
        .commit("a name");
    let answer = project.repro(&["record", "--color", "always"]);
    assert_ne!(answer.code, Some(0));
    assert!(!answer.stderr.contains("\u{1b}[2J"), "{:?}", answer.stderr);
    assert!(answer.stderr.contains("forged") && !answer.stderr.contains("\nerror: forged"), "{}", answer.stderr);
}

#[test]
fn a_verdict_that_cannot_be_written_is_no_success() {
    let project = Project::recorded("steady");
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    for args in [
        &["status"][..],
        &["status", "--message-format", "json"],
        &["log", "--message-format", "json"],
        &["show", "--message-format", "json"],
    ] {
        let answer = project.answer(project.command(args).stdout(full()));
        assert_eq!(answer.code, Some(1), "{args:?}: {}", answer.stderr);
    }
}

#[test]
fn a_directory_that_was_removed_is_an_error_for_programs_too() {
    let project = Project::empty();
    let binary = env!("CARGO_BIN_EXE_cargo-repro");
    let script =
        format!("mkdir gone && cd gone && rmdir ../gone && exec '{binary}' repro status --message-format json");
    let mut command = std::process::Command::new("sh");
    let answer = project.answer(command.args(["-c", &script]).current_dir(&project.root));
    answer.code(1);
    assert_eq!(answer.verdict()["verdict"], "failed");
}

#[test]
fn a_failed_build_says_what_cargo_said() {
    let project = Project::fixture("steady");
    project
        .edit("src/main.rs", "fn main() {", "compile_error!(\"not today\");\nfn main() {")
        .commit("break it");
    assert_snapshot!(project.both(&["record"]).snapshot);
}

#[test]
fn a_failed_training_says_what_the_program_said() {
    let project = Project::recorded("switch");
    project.write("../switch.txt", "fail");
    assert_snapshot!(project.both(&["verify"]).snapshot);
}

#[test]
fn what_cannot_be_judged_says_why_and_what_to_do() {
    let project = Project::fixture("steady");
    assert_snapshot!(project.both(&["verify"]).snapshot);
}

#[test]
fn a_status_without_drift_says_what_it_did_not_look_at() {
    let project = Project::recorded("steady");
    assert_snapshot!(project.both(&["status"]).snapshot);
}

#[test]
fn a_lock_is_shown_for_a_person_and_for_a_program() {
    let project = Project::fixture("switch");
    project.git(&["tag", "v1.0"]);
    project.record();
    assert_snapshot!(project.both(&["show"]).snapshot);
    // By revision and by path it is the same one.
    let shown = project.repro(&["show"]).stdout;
    assert_eq!(project.repro(&["show", "HEAD"]).stdout, shown);
    assert_eq!(project.repro(&["show", "repro.lock"]).stdout, shown);
    let none = project.repro(&["show", "v1.0"]);
    none.code(1);
    assert!(none.stderr.contains("v1.0 has no repro.lock"), "{}", none.stderr);
}

#[test]
fn a_lock_that_was_recorded_dirty_says_so() {
    let project = Project::fixture("steady");
    project.edit("src/main.rs", "/ 100.0", "/ 99.0");
    let refused = project.repro(&["record"]);
    refused.code(1);
    assert!(refused.stderr.contains("src/main.rs (modified)"), "{}", refused.stderr);
    project.repro(&["record", "--allow-dirty"]).code(0);
    assert!(project.repro(&["show"]).stdout.contains("recorded dirty"));
    // Once that is committed, the lock holds for the commit; that it was dirty remains a note.
    project.commit("record, with what was edited");
    let answer = project.both(&["verify"]);
    answer.human.code(0);
    assert_eq!(answer.json.kinds("notes"), ["recorded-dirty repro.lock"]);
    assert_snapshot!(answer.snapshot);
}

/// Two tags, each with the lock of its own data and parameter.
fn two_versions() -> Project {
    let project = Project::recorded("steady");
    project.git(&["tag", "v1.0"]);
    project
        .edit("repro.toml", "depth = 3", "depth = 4")
        .edit("data/numbers.csv", "3.5", "4.5")
        .commit("the next");
    project.record();
    project.git(&["tag", "v1.1"]);
    project
}

#[test]
fn the_difference_of_two_revisions_has_inputs_above_outputs() {
    let project = two_versions();
    let both = project.both(&["diff", "v1.0", "v1.1"]);
    both.human.code(0);
    assert_snapshot!(both.snapshot);
    project.repro(&["diff", "v1.0", "v1.1", "--exit-code"]).code(3);
    project.repro(&["diff", "v1.0", "v1.0", "--exit-code"]).code(0);
}

#[test]
fn the_difference_of_two_files_is_that_of_their_locks() {
    let project = Project::recorded("steady");
    project.write("old.lock", &project.read("repro.lock"));
    let same = project.repro(&["diff", "old.lock", "repro.lock"]);
    same.code(0);
    assert_snapshot!(same.text());
    project.edit("repro.lock", "value = \"0.065\"", "value = \"0.066\"").edit(
        "repro.lock",
        "3fb0a3d70a3d70a4",
        "3fb0e5604189374c",
    );
    project.reseal();
    let other = project.repro(&["diff", "old.lock", "repro.lock", "--exit-code"]);
    other.code(4);
    assert_snapshot!(other.text());
    let none = project.repro(&["diff", "nothing.lock", "repro.lock"]);
    none.code(1);
    assert_snapshot!(none.text());
}

#[test]
fn a_tag_is_verified_with_the_lock_that_it_carries_whatever_the_work_tree_is_like() {
    let project = two_versions();
    project
        .write("src/main.rs", "fn main() { this is no program }\n")
        .write("data/numbers.csv", "nor are these numbers\n");
    let old = project.repro(&["verify", "--rev", "v1.0"]);
    old.code(0);
    assert_snapshot!(old.text());
    assert!(old.stdout.contains("0.065"));
    assert!(project.repro(&["verify", "--rev", "v1.1"]).code(0).stdout.contains("0.075"));
    let unknown = project.repro(&["verify", "--rev", "v9.9"]);
    unknown.code(1);
    assert_snapshot!(unknown.text());
    assert!(project.leftovers().is_empty());
}

#[test]
fn quiet_says_the_result_alone() {
    let project = Project::recorded("steady");
    let answer = project.repro(&["verify", "-q"]);
    answer.code(0);
    assert_eq!(answer.stderr, "");
    assert!(answer.stdout.starts_with("reproduced: "));
    // A failure must not be silent.
    let failed = project.repro(&["verify", "-q", "--rev", "nothing"]);
    failed.code(1);
    assert!(failed.stderr.starts_with("error: "), "{}", failed.stderr);
}

#[test]
fn verbose_says_what_is_done_too() {
    let project = Project::recorded("steady");
    let answer = project.repro(&["verify", "-v"]);
    answer.code(0);
    assert_snapshot!(answer.text());
}

#[test]
fn colour_comes_where_it_is_asked_for_and_changes_no_letter() {
    let project = Project::recorded("steady");
    project.edit("data/numbers.csv", "3.5", "3.6");
    let plain = project.repro(&["verify", "--color", "never"]);
    let piped = project.repro(&["verify"]);
    let coloured = project.repro(&["verify", "--color", "always"]);
    assert!(!plain.text().contains('\u{1b}'));
    assert_eq!(plain.text(), piped.text(), "a pipe is no terminal");
    assert!(coloured.stdout.contains("\u{1b}[") && coloured.stderr.contains("\u{1b}["));
    assert_eq!(without_colour(&coloured), plain.text());
    // Programs never get colour.
    let json = project.json(&["verify", "--color", "always"]);
    assert!(!json.stdout.contains('\u{1b}'));
    json.code(3);
    // Nor does who says that none is wanted, unless it is asked for all the same.
    let mut command = project.command(&["verify"]);
    assert!(!project.answer(command.env("NO_COLOR", "1")).text().contains('\u{1b}'));
}

fn without_colour(answer: &Answer) -> String {
    anstream::adapter::strip_str(&answer.text()).to_string()
}

#[test]
fn a_reader_that_went_away_changes_no_exit_code_and_makes_no_panic() {
    let project = Project::recorded("steady");
    let commands: [(&[&str], i32); 7] = [
        (&["--help"], 0),
        (&["show"], 0),
        (&["diff", "HEAD", "HEAD"], 0),
        (&["status"], 0),
        (&["status", "--message-format", "json"], 0),
        (&["verify"], 3),
        (&["verify", "--message-format", "json"], 3),
    ];
    for (args, code) in commands {
        if code == 3 {
            project.write("data/numbers.csv", "4\n");
        }
        // As `| head -c 0`, without the race: nobody reads from the first byte on.
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = project.command(args).stdout(writer).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {stderr}");
        assert!(!stderr.contains("panicked"), "{args:?}: {stderr}");
    }
}

#[test]
fn a_closed_standard_error_changes_no_exit_code() {
    let project = Project::recorded("steady");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = project.command(&["verify", "-v"]).stderr(writer).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
}
