//! What one stage hands to the next: the declared outputs of what it needs, and nothing else.

use crate::support::{Answer, Project};

/// Two stages, `a` before `b`, as scripts; `b` runs a committed one, and looks at what it finds.
fn stages(a: &str, b: &str, needs: &str) -> Project {
    let project = Project::fixture("command");
    project.write(
        "repro.toml",
        &format!(
            "version = 1\nseed = 42\n[data]\nnumbers = \"numbers.csv\"\n\
             [stage.a]\ncommand = [\"sh\", \"a.sh\"]\nartifacts = [\"a.out\", \"out/deep.out\"]\n\
             [stage.b]\ncommand = [\"sh\", \"scripts/b.sh\"]\nartifacts = [\"model.txt\"]\n{needs}"
        ),
    );
    project.write("a.sh", &format!("mkdir -p out; echo a > a.out; echo deep > out/deep.out\n{a}\n"));
    project.write("scripts/b.sh", &format!("{b}\n")).write("scripts/other.txt", "x\n");
    std::os::unix::fs::symlink("other.txt", project.root.join("scripts/link")).unwrap();
    project.commit("two stages");
    project
}

const NEEDS: &str = "needs = [\"a\"]\n";

#[track_caller]
fn refused(project: &Project, says: &[&str]) -> Answer {
    let answer = project.repro(&["record"]);
    answer.code(6);
    for text in says {
        assert!(answer.stderr.contains(text), "no {text:?} in:\n{}", answer.stderr);
    }
    answer
}

#[test]
fn a_stage_finds_what_it_needs_and_may_only_read_it() {
    let b = "cat a.out out/deep.out > model.txt; echo more >> a.out && exit 9; rm -f out/deep.out && exit 9; true";
    let project = stages("true", b, NEEDS);
    project.record();
    assert_eq!(project.read("model.txt"), "a\ndeep\n");
    assert_eq!(project.read("a.out"), "a\n");
    project.repro(&["verify", "--times", "2"]).code(0);
}

#[test]
fn a_stage_finds_nothing_of_one_that_it_does_not_need() {
    let project = stages("true", "ls > model.txt; cat a.out >> model.txt", "");
    refused(&project, &["a.out is written by stage `a`: add `needs = [\"a\"]` to [stage.b]"]);
    project.edit("scripts/b.sh", "cat a.out >> model.txt", "").commit("no longer");
    project.record();
    assert!(!project.read("model.txt").contains("out"), "{}", project.read("model.txt"));
}

#[test]
fn nothing_that_a_stage_did_not_declare_reaches_the_next() {
    // Beside the sources and elsewhere, in the open and hidden, as files, links, directories, attributes and modes.
    let a = "echo import > scripts/random.py; mkdir -p __pycache__ scripts/__pycache__; echo x > __pycache__/x.pyc
             echo x > scripts/__pycache__/b.pyc; mkdir -p empty .hidden; echo x > .hidden/x; ln -s a.sh alias; ln a.out hard
             mkfifo pipe; echo x > $HOME/.profile; echo x > $TMPDIR/x; echo x > /tmp/y; echo x > /var/tmp/z; echo x > /dev/shm/w
             mkdir deep; mkdir deep/er; echo x > deep/er/f; chmod 500 deep; chmod 0700 . scripts; touch -d 1999-01-01 . scripts";
    let b = "find . -newermt 1998-01-01 ! -newermt 2000-01-01 > model.txt
             find /repro /tmp /var/tmp /dev/shm \\( -name '*.py*' -o -name '__py*' -o -name alias -o -name hard -o -name pipe \
             -o -name .profile -o -name x -o -name y -o -name z -o -name w -o -name empty -o -name deep -o -name 'ledger-a*' \\) >> model.txt
             stat -c '%a %n' . scripts | grep -v 755 >> model.txt; true";
    let project = stages(a, b, NEEDS);
    let answer = project.repro(&["record"]);
    answer.code(0);
    assert_eq!(project.read("model.txt"), "");
    let lock = project.read("repro.lock");
    for stray in [
        "\"hard\"",
        "\"pipe\"",
        "\"alias\"",
        "\"deep/er/f\"",
        "\"scripts/random.py\"",
    ] {
        assert!(lock.contains(stray), "an undeclared file is named: {stray} in\n{lock}");
    }
    project.commit("record");
    project.repro(&["verify"]).code(0);
}

#[test]
fn a_stage_that_moves_replaces_or_removes_sources_is_refused_by_name() {
    let cases = [
        (
            "mv scripts old; mkdir scripts; echo 'echo evil > model.txt' > scripts/b.sh",
            "scripts/b.sh is another",
        ),
        ("mv scripts old; true", "scripts/b.sh is gone"),
        ("mv scripts old; ln -s old scripts", "scripts is another"),
        ("mv scripts old; cp -r old scripts; rm scripts/other.txt", "scripts/other.txt is gone"),
        ("rm scripts/link; echo y > scripts/link", "scripts/link is another"),
        ("rm scripts/link; ln -s b.sh scripts/link", "scripts/link is another"),
        ("rm scripts/link", "scripts/link is gone"),
    ];
    let project = stages("true", "echo honest > model.txt", NEEDS);
    for (a, says) in cases {
        project.write("a.sh", &format!("mkdir -p out; echo a > a.out; echo deep > out/deep.out\n{a}\n"));
        project.commit("another a");
        refused(&project, &["stage `a` changed sources, which later stages run too", says]);
        assert!(!project.root.join("repro.lock").exists());
    }
    // Overwriting them fails by itself.
    project.write(
        "a.sh",
        "mkdir -p out; echo a > a.out; echo deep > out/deep.out; echo evil > scripts/b.sh && exit 9; true\n",
    );
    project.commit("overwrites").record();
    assert_eq!(project.read("model.txt"), "honest\n");
}

#[test]
fn a_stage_that_writes_what_another_declares_is_refused() {
    let project = stages("echo forged > model.txt", "true", NEEDS);
    refused(
        &project,
        &[
            "stage `a` wrote what another stage declares as its output",
            "model.txt, of stage `b`",
        ],
    );
    let project = stages("true", "echo 7 > model.txt; echo forged > a.out", "");
    refused(&project, &["stage `b` wrote what another stage declares", "a.out, of stage `a`"]);
}

#[test]
fn what_a_stage_left_undeclared_and_another_looks_for_is_named_with_the_remedy() {
    let project = stages("echo x > middle.csv", "cat middle.csv > model.txt", NEEDS);
    refused(&project, &["stage `a` left middle.csv without declaring it: add it to its `artifacts`"]);
}

#[test]
fn a_link_in_the_place_of_a_given_output_leads_to_no_file_of_the_machine() {
    let outside = tempfile::tempdir_in("/var/tmp").unwrap();
    std::fs::write(outside.path().join("deep.out"), "mine").unwrap();
    let b = format!("echo 7 > model.txt; mv out gone; ln -s {} out", outside.path().display());
    let project = stages("true", &b, NEEDS);
    project.repro(&["record"]);
    assert_eq!(std::fs::read_to_string(outside.path().join("deep.out")).unwrap(), "mine");
}
