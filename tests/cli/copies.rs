//! Artifacts that are copies of inputs are named by `record`, `verify` and `gate`, and no release without leave.

use crate::support::{Answer, Project};

const V: &str = "v1.0.0";

fn script(body: &str) -> Project {
    let project = Project::fixture("command");
    project.named();
    project.edit("repro.toml", "metrics = \"metrics.json\"\n", "metrics = \"metrics.json\"\n[gate]\ntags = \"v*\"\n");
    project
        .write("known.txt", "a model from somewhere\n")
        .write("empty.txt", "")
        .write("blank.json", "{}\n");
    project.write(
        "scripts/train.sh",
        &format!("{body}\ntest -e metrics.json || echo '{{\"sum\": 1}}' > metrics.json\n"),
    );
    project.commit("a script");
    project
}

/// The notes about copies; others may stand beside them.
fn copies(answer: &Answer) -> Vec<String> {
    let mut notes = answer.kinds("notes");
    notes.retain(|note| note.starts_with("artifact-copied"));
    notes
}

fn tag(project: &Project) {
    project.tag_saying(V, "HEAD", &format!("one\n\n{}", project.lock_line()), &["--force"]);
}

#[test]
fn a_copy_of_data_or_of_a_committed_file_is_named_and_no_release_without_leave() {
    for (body, input) in [
        ("cp numbers.csv model.txt", "numbers.csv"),
        ("cat known.txt > model.txt", "known.txt"),
        ("cp known.txt $TMPDIR/x; mv $TMPDIR/x model.txt", "known.txt"),
    ] {
        let project = script(body);
        let recorded = project.json(&["record"]);
        recorded.code(0);
        assert_eq!(copies(&recorded), ["artifact-copied model.txt"], "{body}");
        assert!(project.read("repro.lock").contains("copied = [\"model.txt\"]"), "{body}");
        project.commit("record");
        let verified = project.json(&["verify"]);
        verified.code(0);
        assert_eq!(copies(&verified), ["artifact-copied model.txt"], "{body}");
        assert!(verified.stdout.contains(&format!("the same bytes as {input}, which stage `train` read")));
        tag(&project);
        let refused = project.json(&["gate", V, "--offline"]);
        refused.code(8);
        assert_eq!(refused.kinds("refusals"), ["artifact-copied model.txt"], "{body}");
        assert!(refused.stdout.contains(&format!("the same bytes as {input}")), "{}", refused.stdout);
        project.edit("repro.toml", "tags = \"v*\"", "tags = \"v*\"\nallow_copied = [\"model.txt\"]");
        project.commit("meant");
        tag(&project);
        let passed = project.json(&["gate", V, "--offline"]);
        passed.code(0);
        assert_eq!(copies(&passed), ["artifact-copied model.txt"], "it is named all the same");
    }
}

#[test]
fn equal_bytes_that_say_nothing_or_that_nobody_read_are_no_copy() {
    for body in [
        "cp empty.txt model.txt",
        "cp blank.json model.txt",
        "echo 'a model from somewhere' > model.txt",
        "cat numbers.csv known.txt > model.txt",
    ] {
        let project = script(body);
        let recorded = project.json(&["record"]);
        recorded.code(0);
        assert!(copies(&recorded).is_empty(), "{body}");
        assert!(!project.read("repro.lock").contains("copied"), "{body}");
        project.commit("record");
        tag(&project);
        project.repro(&["gate", V, "--offline"]).code(0);
    }
}

#[test]
fn what_the_build_read_counts_as_what_a_stage_read() {
    let project = Project::fixture("steady");
    project.write("known.txt", "a model from somewhere\n");
    project.write(
        "src/main.rs",
        "fn main() { std::fs::write(\"model.json\", include_bytes!(\"../known.txt\")).unwrap();\n\
         std::fs::write(\"metrics.json\", \"{\\\"a\\\": 1}\").unwrap(); }\n",
    );
    project.commit("a copy");
    for _ in 0..2 {
        // The second time nothing is compiled.
        let recorded = project.json(&["record"]);
        recorded.code(0);
        assert_eq!(copies(&recorded), ["artifact-copied model.json"]);
        assert!(recorded.stdout.contains("the same bytes as known.txt, which the build read"), "{}", recorded.stdout);
    }
    project.commit("record");
    let verified = project.json(&["verify"]);
    verified.code(0);
    assert_eq!(copies(&verified), ["artifact-copied model.json"]);
}

#[test]
fn nobody_vouches_for_a_lock_that_does_not_tell_of_a_copy() {
    let project = script("cp known.txt model.txt");
    project.record();
    let lock = project.read("repro.lock");
    let start = lock.find("copied = [").unwrap();
    let end = start + lock[start..].find("]\n").unwrap() + 2;
    project.write("repro.lock", &format!("{}{}", &lock[..start], &lock[end..])).reseal();
    project.commit("a lock from before");
    let verified = project.json(&["verify"]);
    verified.code(0);
    assert_eq!(copies(&verified), ["artifact-copied model.txt"]);
    let answer = project.repro(&["tag", V]);
    answer.code(8);
    assert!(
        answer.stderr.contains("the lock does not say that model.txt is a copy of known.txt"),
        "{}",
        answer.stderr
    );
}
