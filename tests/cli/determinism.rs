//! What a program draws from the system: from the seed and at the commit's date where the manifest says so, whoever
//! asks and in which way; and otherwise another thing each time, which is what a divergence comes from.

use crate::support::{Answer, Project, has_namespaces};

const SEEDED: &str = "entropy = \"seeded\"";
const FROZEN: &str = "clock = \"frozen\"";

/// The date of every commit of the tests.
const COMMITTED: &str = "1767225600.000000000";

/// A copy of `draws` that draws on this, under this line of `[determinism]`.
fn draws(on: &str, line: &str) -> Project {
    let project = Project::fixture("draws");
    project.edit("repro.toml", "\"entropy\"", &format!("{on:?}"));
    let text = project.read("repro.toml");
    project.write("repro.toml", &format!("{text}\n[determinism]\n{line}\n")).commit("how");
    project
}

/// What is drawn under this name.
#[track_caller]
fn drawn(project: &Project, name: &str) -> String {
    let text = project.read("model.txt");
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
    line.unwrap_or_else(|| panic!("no {name} in\n{text}")).to_owned()
}

fn diverges(answer: &Answer) {
    answer.code(4);
    assert_eq!(answer.kinds("divergence"), ["artifact-changed model.txt"]);
}

#[test]
fn seeded_entropy_is_the_same_for_whoever_draws_on_it_in_whichever_way() {
    if !has_namespaces("seeded_entropy_is_the_same_for_whoever_draws_on_it_in_whichever_way") {
        return;
    }
    let project = draws("entropy", SEEDED);
    project.repro(&["record", "--confirm", "10"]).code(0);
    project.commit("record").repro(&["verify", "--times", "3"]).code(0);
    assert!(project.read("repro.lock").contains("entropy = \"seeded\""));

    // It is entropy all the same: no two of them are alike.
    let names = [
        "getrandom",
        "urandom",
        "random",
        "uuid",
        "start",
        "thread-0",
        "thread-1",
        "child",
    ];
    let before = names.map(|name| drawn(&project, name));
    let different: std::collections::BTreeSet<&String> = before.iter().collect();
    assert_eq!(different.len(), names.len(), "{before:#?}");
    let uuid = &before[3];
    assert!(uuid.len() == 36 && uuid.as_bytes()[14] == b'4', "{uuid}");

    // Another seed gives another one.
    let order = drawn(&project, "map");
    project.edit("repro.toml", "seed = 42", "seed = 43").commit("another seed");
    assert_eq!(project.json(&["verify"]).code(3).kinds("drift"), ["seed-changed seed"]);
    project.repro(&["record", "--confirm", "2"]).code(0);
    for (name, before) in names.iter().zip(before) {
        assert_ne!(drawn(&project, name), before, "{name}");
    }
    assert_ne!(drawn(&project, "map"), order);
}

#[test]
fn without_it_the_system_is_drawn_on_and_nothing_is_the_same_twice() {
    let project = draws("entropy", "entropy = \"system\"");
    diverges(&project.json(&["record", "--confirm", "2"]));
    assert!(!project.root.join("repro.lock").exists());
    project.record();
    let names = [
        "map",
        "getrandom",
        "urandom",
        "random",
        "uuid",
        "start",
        "thread-0",
        "thread-1",
        "child",
    ];
    let before = names.map(|name| drawn(&project, name));
    diverges(&project.json(&["verify"]));
    project.repro(&["record"]).code(0);
    for (name, before) in names.iter().zip(before) {
        assert_ne!(drawn(&project, name), before, "{name}");
    }
}

#[test]
fn a_static_program_draws_on_the_seed_like_any_other() {
    if !has_namespaces("a_static_program_draws_on_the_seed_like_any_other") {
        return;
    }
    let project = draws("entropy", SEEDED);
    project.write(".cargo/config.toml", "[build]\nrustflags = [\"-C\", \"target-feature=+crt-static\"]\n");
    project.commit("static").repro(&["record", "--confirm", "3"]).code(0);
}

#[test]
fn a_frozen_clock_stands_at_the_commit_and_time_passes_all_the_same() {
    if !has_namespaces("a_frozen_clock_stands_at_the_commit_and_time_passes_all_the_same") {
        return;
    }
    let project = draws("clock", FROZEN);
    project.repro(&["record", "--confirm", "2"]).code(0);
    assert_eq!(project.read("model.txt"), format!("date {COMMITTED}\nlater {COMMITTED}\ninstant advances true\n"));
    // The date is the recorded one, whenever the lock itself was committed, and whatever was since.
    project.commit("record");
    later(&project, "2027-06-05T04:03:02Z");
    project.repro(&["verify"]).code(0);
    // A new recording is of a new date.
    project.repro(&["record"]).code(0);
    assert_eq!(drawn(&project, "date"), "1812168182.000000000");
}

/// A commit of that date, which changes nothing that counts.
fn later(project: &Project, date: &str) {
    project.write("notes.md", date).git(&["add", "--all"]);
    let commit = [
        "-c",
        "user.name=Test",
        "-c",
        "user.email=test@localhost",
        "commit",
        "--quiet",
        "--message",
        "later",
    ];
    let mut command = std::process::Command::new("git");
    command.args(commit).current_dir(&project.root);
    command.env("GIT_AUTHOR_DATE", date).env("GIT_COMMITTER_DATE", date);
    assert!(command.status().unwrap().success());
}

#[test]
fn the_systems_clock_does_not_stand() {
    let project = draws("clock", "clock = \"system\"");
    diverges(&project.json(&["record", "--confirm", "2"]));
    project.record();
    let (date, later) = (drawn(&project, "date"), drawn(&project, "later"));
    assert!(date < later && date != COMMITTED, "{date} {later}");
    diverges(&project.json(&["verify"]));
}

#[test]
fn either_is_part_of_the_lock_so_another_choice_is_a_drift() {
    let project = draws("entropy", SEEDED);
    project.record();
    project.edit("repro.toml", SEEDED, "entropy = \"system\"").commit("another choice");
    assert_eq!(project.json(&["status"]).code(3).kinds("drift"), ["manifest-changed determinism.entropy"]);
    project
        .edit("repro.toml", "entropy = \"system\"", &format!("{SEEDED}\n{FROZEN}"))
        .commit("both");
    assert_eq!(project.json(&["status"]).code(3).kinds("drift"), ["manifest-changed determinism.clock"]);
}

#[test]
#[allow(clippy::disallowed_macros, reason = "a test that was skipped must say so loudly")]
fn another_language_sees_the_same() {
    let name = "another_language_sees_the_same";
    if !has_namespaces(name) {
        return;
    }
    if !["/usr/bin/python3", "/usr/local/bin/python3", "/bin/python3"]
        .iter()
        .any(|path| std::path::Path::new(path).exists())
    {
        eprintln!("SKIPPED {name}: this machine has no python3 in the standard search path");
        return;
    }
    let project = Project::fixture("draws");
    let script = "import os, random, time, uuid; file = open('model.txt', 'w'); say = lambda *words: print(*words, file=file); \
                  say('urandom', os.urandom(16).hex()); say('random', random.random()); say('uuid', uuid.uuid4()); \
                  say('set', *set(map(str, range(20)))); say('time', time.time(), time.time_ns()); \
                  say('advances', time.monotonic() > 0)";
    project.edit(
        "repro.toml",
        "bin = \"draws\"\nargs = [\"entropy\"]",
        &format!("command = [\"python3\", \"-c\", {script:?}]"),
    );
    let text = project.read("repro.toml");
    project
        .write("repro.toml", &format!("{text}\n[determinism]\n{SEEDED}\n{FROZEN}\n"))
        .commit("python");
    project.repro(&["record", "--confirm", "5"]).code(0);
    project.commit("record").repro(&["verify"]).code(0);
    assert_eq!(drawn(&project, "time"), "1767225600.0 1767225600000000000");
    let before = drawn(&project, "urandom");
    project
        .edit("repro.toml", "seed = 42", "seed = 43")
        .commit("another seed")
        .repro(&["record"])
        .code(0);
    assert_ne!(drawn(&project, "urandom"), before);

    project.edit("repro.toml", SEEDED, "entropy = \"system\"").commit("as it is");
    diverges(&project.json(&["record", "--confirm", "2"]));
}
