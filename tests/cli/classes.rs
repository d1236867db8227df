//! Platform classes: a lock from a machine of another class, and what `record --add-class` makes of it. A lock
//! is given to this machine as another one would have written it; the machine itself is made another one by a
//! C library that says another version of itself, and by one that is told to do without some instructions.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use cargo_repro::lockfile::{Lockfile, Read};
use insta::assert_snapshot;
use rustix::process::{Pid, Signal, kill_process};

use crate::interruption::{GOOD, WAIT, go_on, script, wait_for_processes};
use crate::schema::holds;
use crate::support::{Answer, Project};

const OLD_LIBC: (&str, &str) = ("libc", "glibc 2.17");
const OLD_CPU: (&str, &str) = ("cpu", "x86-64-v0");
const ADD: [&str; 2] = ["record", "--add-class"];

/// Makes the lock one that was recorded on a machine which differs from this one in that field of its class.
fn recorded_on(project: &Project, (field, value): (&str, &str)) {
    let lock = project.read("repro.lock");
    let start = lock.find("\n[platform]\n").unwrap();
    let (before, platform) = lock.split_at(start);
    let line = platform.lines().find(|line| line.starts_with(&format!("{field} = "))).unwrap();
    let platform = platform.replacen(line, &format!("{field} = \"{value}\""), 1);
    project.write("repro.lock", &format!("{before}{platform}"));
    project.reseal().commit("recorded elsewhere");
}

fn lock(project: &Project) -> Lockfile {
    let Read { lock, id, actual_id } = Lockfile::read(&project.root.join("repro.lock")).unwrap();
    assert_eq!(id, actual_id);
    lock
}

/// The lock's text and the artifact's.
fn recorded(project: &Project, artifact: &str) -> [String; 2] {
    [project.read("repro.lock"), project.read(artifact)]
}

/// Adds this machine's class to `switch`, whose program does as `words` say.
fn added(words: &str) -> Project {
    let project = Project::recorded("switch");
    recorded_on(&project, OLD_LIBC);
    project.write("../switch.txt", words);
    project.repro(&ADD).code(0);
    project.commit("add a class");
    project
}

#[test]
fn a_class_that_the_lock_does_not_know_is_reproduced_by_equal_outputs_and_inconclusive_by_others() {
    for class in [OLD_LIBC, OLD_CPU] {
        let project = Project::recorded("switch");
        recorded_on(&project, class);
        let equal = project.json(&["verify"]);
        equal.code(0);
        assert_eq!(equal.verdict()["verdict"], "reproduced");
        assert_eq!(equal.kinds("drift"), [format!("platform-changed {}", class.0)]);
        project.write("../switch.txt", "last-digits");
        let other = project.json(&["verify"]);
        other.code(7);
        for answer in [equal, other] {
            holds(&answer);
            assert_eq!(answer.kinds("notes")[0], "class-unknown platform");
            let hint = answer.verdict()["notes"][0]["hint"].as_str().unwrap().to_owned();
            assert!(hint.contains("cargo repro record --add-class"), "{hint}");
        }
    }
}

#[test]
fn an_added_class_is_judged_by_its_own_outcome_and_the_first_one_stays() {
    for class in [OLD_LIBC, OLD_CPU] {
        let project = Project::recorded("switch");
        recorded_on(&project, class);
        let [before, model] = recorded(&project, "model.json");
        let main = lock(&project);
        project.write("../switch.txt", "last-digits");
        let added = project.json(&ADD);
        added.code(0);
        holds(&added);
        assert_eq!(added.verdict()["verdict"], "recorded");
        assert_eq!(added.kinds("drift"), [""; 0]);
        let [after, artifact] = recorded(&project, "model.json");
        assert!(before != after && model == artifact, "the artifacts are those of the first class");
        let both = lock(&project);
        assert_eq!(both.classes.len(), 1);
        assert_ne!(both.classes[0].outcome, main.outcome);
        let others = Lockfile {
            classes: Vec::new(),
            ..both.clone()
        };
        assert_eq!(others, main, "everything else stays");
        assert_eq!(project.git(&["status", "--porcelain"]), "M repro.lock");

        project.commit("add a class");
        let verified = project.json(&["verify"]);
        verified.code(0);
        assert_eq!(verified.kinds("drift"), [""; 0]);
        project.repro(&["explain"]).code(0);
        project.write("../switch.txt", "layout");
        let verified = project.json(&["verify"]);
        verified.code(4);
        assert_eq!(verified.kinds("divergence"), ["artifact-changed model.json"]);
        // What the first class gives is a divergence here, too.
        project.remove("../switch.txt");
        project.repro(&["verify"]).code(4);
        assert!(project.leftovers().is_empty());
    }
}

#[test]
fn what_adding_a_class_says() {
    let project = Project::recorded("steady");
    recorded_on(&project, OLD_LIBC);
    let before = project.read("repro.lock");
    let both = project.both_after(&ADD, || {
        project.write("repro.lock", &before);
    });
    assert_snapshot!(both.snapshot);
    let row = class_row(&project.repro(&["show"]));
    assert!(row.ends_with(": the same outcome, computed once"), "{row}");
}

/// The row of the further class, on one line however it was wrapped.
fn class_row(shown: &Answer) -> String {
    let mut lines = shown.stdout.lines().skip_while(|line| !line.starts_with("  class "));
    let first = lines.next().unwrap();
    let rest = lines.take_while(|line| line.starts_with("     "));
    rest.fold(first.to_owned(), |row, line| format!("{row} {}", line.trim()))
}

#[test]
fn a_class_that_is_known_is_confirmed_by_its_outcome_and_never_replaced_by_another() {
    let project = added("last-digits");
    let [before, model] = recorded(&project, "model.json");
    project.repro(&ADD).code(0);
    assert_eq!(recorded(&project, "model.json"), [before.clone(), model.clone()], "it says nothing new");

    project.write("../switch.txt", "layout");
    let other = project.json(&ADD);
    other.code(4);
    assert_eq!(other.kinds("divergence"), ["artifact-changed model.json"]);
    assert_eq!(recorded(&project, "model.json"), [before, model]);

    project.write("../switch.txt", "last-digits");
    project.repro(&["record", "--add-class", "--confirm", "2"]).code(0);
    assert_eq!(lock(&project).classes[0].runs, 2);
    project.commit("confirm");
    project.repro(&ADD).code(0);
    assert_eq!(lock(&project).classes[0].runs, 2, "fewer trainings take nothing back");
}

#[test]
fn a_lock_of_several_classes_shows_them_and_its_difference_from_others_names_them() {
    let project = added("last-digits");
    let row = class_row(&project.repro(&["show"]));
    assert!(row.ends_with(": another outcome, computed once"), "{row}");
    let json = project.json(&["show"]);
    holds(&json);
    assert_eq!(json.lines()[0]["classes"].as_array().unwrap().len(), 1);

    let differences = |a: &str, b: &str, code: i32| -> Vec<String> {
        let answer = project.json(&["diff", a, b, "--exit-code"]);
        answer.code(code);
        holds(&answer);
        let lines = answer.lines();
        let findings = lines.iter().filter(|line| line["reason"] == "difference");
        findings.map(|line| line["finding"]["kind"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(differences("HEAD~1", "HEAD", 4), ["class-added"]);
    assert_eq!(differences("HEAD", "HEAD~1", 4), ["class-removed"]);
    assert_eq!(differences("HEAD", "HEAD", 0), [""; 0]);
    project.git(&["checkout", "--quiet", "HEAD~1", "--", "repro.lock"]);
    project.write("../switch.txt", "layout");
    project.repro(&ADD).code(0);
    project.commit("another outcome");
    assert_eq!(differences("HEAD~1", "HEAD", 4), ["class-changed"]);
}

/// Adding a class ends like this, and changes neither the lock nor the artifact.
#[track_caller]
fn refused(project: &Project, args: &[&str], code: i32) -> Answer {
    let before = recorded(project, "model.json");
    let answer = project.json(args);
    answer.code(code);
    assert_eq!(recorded(project, "model.json"), before);
    assert!(project.leftovers().is_empty());
    answer
}

fn message(answer: &Answer) -> String {
    answer.verdict()["error"]["message"].as_str().unwrap().to_owned()
}

#[test]
fn no_class_is_added_where_an_input_drifted() {
    let project = Project::recorded("steady");
    recorded_on(&project, OLD_LIBC);
    project.edit("data/numbers.csv", "3.5", "3.6");
    let drifted = refused(&project, &ADD, 3);
    assert_eq!(drifted.kinds("drift"), ["data-changed data.numbers", "platform-changed libc"]);
    project.git(&["checkout", "--quiet", "."]);
    project.edit("src/main.rs", "/ 100.0", "/ 99.0");
    assert_eq!(refused(&project, &ADD, 3).kinds("drift"), ["platform-changed libc", "source-dirty src/main.rs"]);
    project.git(&["checkout", "--quiet", "."]);
    project.edit("repro.lock", "value = \"0.065\"", "value = \"0.066\"");
    assert_eq!(refused(&project, &ADD, 3).kinds("drift")[0], "lock-edited repro.lock");
}

#[test]
fn no_class_is_added_where_trainings_disagree() {
    let project = Project::recorded("switch");
    recorded_on(&project, OLD_LIBC);
    project.write("../switch.txt", &format!("steady\nlast-digits\n{}", "steady\nlast-digits\n".repeat(20)));
    let answer = refused(&project, &["record", "--add-class", "--confirm", "2"], 4);
    assert_eq!(answer.kinds("divergence"), ["artifact-changed model.json"]);
}

#[test]
fn a_class_is_added_only_to_a_clean_lock_of_another_class() {
    let project = Project::recorded("steady");
    let here = refused(&project, &ADD, 1);
    assert!(message(&here).starts_with("this machine is of the class that repro.lock was recorded on"));
    recorded_on(&project, OLD_LIBC);
    for conflicting in [["--allow-dirty"].as_slice(), &["--seed", "7"], &["-P", "depth=4"]] {
        refused(&project, &[ADD.as_slice(), conflicting].concat(), 2);
    }
    project.edit("repro.lock", "dirty = false", "dirty = true").reseal().commit("dirty");
    assert!(message(&refused(&project, &ADD, 1)).contains("uncommitted changes"));
    project.remove("repro.lock");
    let answer = project.json(&ADD);
    answer.code(1);
    assert!(message(&answer).starts_with("there is no "));
    assert!(!project.root.join("repro.lock").exists());
}

#[test]
fn recording_again_keeps_other_classes_only_while_inputs_and_outcome_are_the_same() {
    let project = added("last-digits");
    // As the first machine has it: its own class first, and the other one added to it.
    let mut swapped = lock(&project);
    let further = &mut swapped.classes[0];
    std::mem::swap(&mut swapped.snapshot.platform, &mut further.platform);
    swapped.write(&project.root.join("repro.lock")).unwrap();
    project.commit("the first machine").remove("../switch.txt");
    project.repro(&["verify"]).code(0);
    let classes = swapped.classes.clone();

    let again = project.json(&["record"]);
    again.code(0);
    assert!(!again.kinds("notes").contains(&"classes-dropped repro.lock".to_owned()));
    assert_eq!(lock(&project), swapped, "nothing is new");
    project.repro(&["record", "--confirm", "2"]).code(0);
    assert_eq!((lock(&project).record.runs, lock(&project).classes), (2, classes));

    project.edit("numbers.csv", "1", "5").commit("other data");
    let other = project.json(&["record"]);
    other.code(0);
    assert!(
        other.kinds("notes").contains(&"classes-dropped repro.lock".to_owned()),
        "{:?}",
        other.kinds("notes")
    );
    holds(&other);
    let said = other.lines().pop().unwrap()["notes"].to_string();
    assert!(said.contains("glibc 2.17") && said.contains("on a machine of each"), "{said}");
    assert!(lock(&project).classes.is_empty());
}

#[test]
fn a_plain_recording_on_another_class_is_a_new_lock_and_says_what_would_have_kept_the_old_one() {
    let project = Project::recorded("steady");
    recorded_on(&project, OLD_LIBC);
    let answer = project.json(&["record"]);
    answer.code(0);
    assert_eq!(answer.kinds("notes"), ["classes-dropped repro.lock"]);
    let said = answer.verdict()["notes"][0].to_string();
    assert!(said.contains("glibc 2.17") && said.contains("--add-class"), "{said}");
    assert!(lock(&project).classes.is_empty());
    project.commit("recorded here");
    project.repro(&["verify"]).code(0);
}

#[test]
fn a_committed_artifact_may_be_that_of_any_class_that_the_lock_knows() {
    let project = added("last-digits");
    let own = project.read("model.json").replace("[0.1,", "[0.10000000000000002,");
    project.write("model.json", &own);
    let status = project.json(&["status"]);
    assert_eq!(status.code(0).kinds("drift"), [""; 0]);
    assert_eq!(status.kinds("notes"), [""; 0]);
    project.commit("the model of the other class");
    assert_eq!(project.json(&["status"]).code(0).kinds("drift"), [""; 0]);
    project.write("model.json", &own.replace("0.3", "0.4")).commit("a model of none");
    assert_eq!(project.json(&["status"]).code(3).kinds("drift"), ["artifact-tampered model.json"]);
}

#[test]
fn a_known_class_of_another_target_is_no_drift_and_an_unknown_one_is_no_more_than_that() {
    let project = Project::recorded("steady");
    let mut there = lock(&project);
    let here = there.snapshot.platform.clone();
    let target = "riscv64gc-unknown-linux-gnu";
    for text in [
        &mut there.snapshot.platform.target,
        &mut there.snapshot.build.target,
        &mut there.snapshot.toolchain.host,
    ] {
        target.clone_into(text);
    }
    there.write(&project.root.join("repro.lock")).unwrap();
    project.commit("recorded on another architecture");
    let status = project.json(&["status"]);
    assert_eq!(status.code(0).kinds("drift"), ["platform-changed target"]);
    project.repro(&ADD).code(0);
    assert_eq!(lock(&project).classes[0].platform, here);
    assert_eq!(project.json(&["verify"]).code(0).kinds("drift"), [""; 0]);
    // A compiler that is another one is a drift on every class.
    project
        .edit("repro.lock", "rustc = \"", "rustc = \"0.")
        .edit("repro.lock", "\ncommit = \"", "\ncommit = \"f");
    let drifted = project.reseal().json(&["status"]);
    assert!(drifted.code(3).kinds("drift").contains(&"toolchain-changed rustc".to_owned()));
}

#[test]
fn a_file_that_reaches_the_program_only_on_the_added_class_is_said_to_be_unpinned() {
    let project = Project::recorded("steady");
    let mut there = lock(&project);
    assert!(there.snapshot.source.files.remove("src/main.rs").is_some());
    "glibc 2.17".clone_into(&mut there.snapshot.platform.libc);
    there.write(&project.root.join("repro.lock")).unwrap();
    project.commit("recorded where it is another file");
    let verdict = project.json(&ADD).code(0).verdict();
    let sources = verdict["not_checked"]
        .as_array()
        .unwrap()
        .iter()
        .find(|entry| entry["kind"] == "source")
        .unwrap();
    assert!(sources["why"].as_str().unwrap().ends_with(": src/main.rs"), "{sources}");
}

#[test]
fn an_interrupted_addition_leaves_the_lock_as_it_was() {
    let project = Project::recorded("switch");
    recorded_on(&project, OLD_LIBC);
    let before = recorded(&project, "model.json");
    project.write("../switch.txt", "hang");
    let child = project.command(&ADD).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let began = project.around().join("switch.began");
    let deadline = Instant::now() + Duration::from_secs(120);
    while !began.exists() {
        assert!(Instant::now() < deadline, "the training did not begin");
        std::thread::sleep(Duration::from_millis(5));
    }
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(130));
    assert_eq!(recorded(&project, "model.json"), before);
    assert!(project.leftovers().is_empty());
    assert_eq!(project.git(&["status", "--porcelain"]), "");
    project.write("../switch.txt", "");
    project.repro(&ADD).code(0);
}

#[test]
fn a_lock_that_came_in_place_of_the_old_one_during_the_training_stays() {
    let project = script(&format!("{WAIT}{GOOD}"));
    let first = project.command(&["record"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    go_on(&project);
    assert_eq!(first.wait_with_output().unwrap().status.code(), Some(0));
    project.commit("record");
    recorded_on(&project, OLD_LIBC);
    let mine = project.read("repro.lock");
    let theirs = project
        .write("repro.lock", &mine.replace("glibc 2.17", "glibc 2.16"))
        .reseal()
        .read("repro.lock");
    project.write("repro.lock", &mine);
    let child = project.command(&ADD).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    wait_for_processes(&project, "sleep", 1);
    project.write("repro.lock", &theirs);
    go_on(&project);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("error: repro.lock changed while the model was trained"), "{said}");
    assert!(!said.contains("Wrote"), "{said}");
    assert_eq!(project.read("repro.lock"), theirs);
}

/// What a machine whose processor has neither AVX2 nor FMA looks like to the C library.
const HIDDEN: &str = "glibc.cpu.hwcaps=-AVX2,-FMA,-AVX2_Usable,-FMA_Usable";

#[test]
#[allow(clippy::disallowed_macros, reason = "a test that was skipped must say so loudly")]
fn a_program_that_gives_other_bytes_without_avx2_and_fma_has_an_outcome_of_each_class() {
    let project = Project::fixture("libm");
    let plain = project.read("repro.toml");
    let hidden = format!("{plain}\n[environment]\nset = {{ GLIBC_TUNABLES = \"{HIDDEN}\" }}\n");
    project.write("repro.toml", &hidden).commit("as an old machine computes").record();
    // The old machine needs no variable for what it does.
    project.write("repro.toml", &plain);
    let mut there = lock(&project);
    assert!(there.snapshot.environment.variables.remove("GLIBC_TUNABLES").is_some());
    "x86-64-v2".clone_into(&mut there.snapshot.platform.cpu);
    there.write(&project.root.join("repro.lock")).unwrap();
    project.commit("recorded on an old machine");

    let unknown = project.json(&["verify"]);
    if unknown.code == Some(0) {
        eprintln!("SKIPPED: this machine's C library computes alike without AVX2 and FMA");
        return;
    }
    unknown.code(7);
    assert_eq!(unknown.kinds("drift"), ["platform-changed cpu"]);
    assert_eq!(unknown.kinds("divergence"), ["artifact-changed model.txt"]);
    let model = project.read("model.txt");
    project.repro(&["record", "--add-class", "--confirm", "2"]).code(0);
    assert_eq!(project.read("model.txt"), model);
    project.commit("add a new machine's class");
    assert_eq!(project.json(&["verify"]).code(0).kinds("drift"), [""; 0]);
    let both = lock(&project);
    let digest = |outcome: &cargo_repro::outcome::Outcome| outcome["train"].artifacts["model.txt"].digest;
    assert_ne!(digest(&both.outcome), digest(&both.classes[0].outcome));
    assert_eq!(digest(&both.outcome), cargo_repro::digest::Digest::of(&model));
}

/// The C library of this process, saying another version of itself, in a directory of its own.
fn another_libc(project: &Project) -> Option<PathBuf> {
    const SAYS: &[u8] = b"stable release version 2.";
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let path = maps
        .lines()
        .filter_map(|line| line.split_whitespace().nth(5))
        .find(|path| path.ends_with("/libc.so.6"))?;
    let mut bytes = std::fs::read(path).unwrap();
    let said = bytes.windows(SAYS.len()).position(|bytes| bytes == SAYS)?;
    let said = said + SAYS.len();
    let length = bytes[said..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let version = [b"2.".as_slice(), &bytes[said..said + length]].concat();
    let other = if version[2] == b'1' { b'2' } else { b'1' };
    // Wherever it says it, but for the names of symbols' versions, such as GLIBC_2.36.
    for at in 1..bytes.len() - version.len() {
        if bytes[at..].starts_with(&version) && bytes[at - 1] != b'_' {
            bytes[at + 2] = other;
        }
    }
    let directory = project.around().join("another-libc");
    std::fs::create_dir(&directory).unwrap();
    std::fs::write(directory.join("libc.so.6"), bytes).unwrap();
    Some(directory)
}

fn with_libraries(project: &Project, libraries: &Path, args: &[&str]) -> Answer {
    let mut all = args.to_vec();
    all.extend(["--message-format", "json"]);
    project.answer(project.command(&all).env("LD_LIBRARY_PATH", OsString::from(libraries)))
}

#[test]
#[allow(clippy::disallowed_macros, reason = "a test that was skipped must say so loudly")]
fn the_same_machine_with_another_version_of_the_c_library_is_another_class() {
    let project = Project::recorded("steady");
    let Some(libraries) = another_libc(&project) else {
        eprintln!("SKIPPED: this process has no glibc that could say another version of itself");
        return;
    };
    let there = |args: &[&str]| with_libraries(&project, &libraries, args);
    let verified = there(&["verify"]);
    verified.code(0);
    assert_eq!(verified.kinds("drift"), ["platform-changed libc"]);
    there(&ADD).code(0);
    project.commit("add the other library's class");
    assert_eq!(lock(&project).classes.len(), 1);
    assert_ne!(lock(&project).classes[0].platform.libc, lock(&project).snapshot.platform.libc);
    assert_eq!(there(&["verify"]).code(0).kinds("drift"), [""; 0]);
    assert_eq!(project.json(&["verify"]).code(0).kinds("drift"), [""; 0], "the first class is as it was");
}
