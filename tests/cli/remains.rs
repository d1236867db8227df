//! Where nothing that is pinned makes trainings agree, every command says what was tried, what moves, and what to do.

use crate::support::{Answer, Project, has_walls};

/// What the notes of a verdict say of the search.
fn said(answer: &Answer) -> String {
    answer.verdict()["notes"].to_string()
}

#[track_caller]
fn leads_on(answer: &Answer) {
    let said = said(answer.code(4));
    for part in ["tried: ", "what moves first is `model.txt` of stage `train`", "next: "] {
        assert!(said.contains(part), "no {part} in {said}");
    }
}

#[test]
fn an_outcome_that_nothing_holds_is_answered_all_the_same() {
    if !has_walls("an_outcome_that_nothing_holds_is_answered_all_the_same") {
        return;
    }
    // Counters of the kernel's that nobody answers for.
    let counters = "cat /proc/buddyinfo /proc/sys/fs/inode-nr /proc/sys/fs/dentry-state";
    let project = Project::fixture("command");
    let script = project.read("scripts/train.sh");
    let moving = format!("{script}\n{counters} >> model.txt 2>/dev/null || true\n");
    project.write("scripts/train.sh", &moving).commit("move");
    let recorded = project.json(&["record", "--confirm", "8"]);
    leads_on(&recorded);
    assert!(said(&recorded).contains("entropy = \\\"seeded\\\""), "{}", said(&recorded));
    let varied = project.json(&["vary", "--only", "locale,clock"]);
    leads_on(&varied);
    assert_eq!(varied.verdict()["causes"], serde_json::json!([]));
    project.record();
    leads_on(&project.json(&["explain"]));
    let human = project.repro(&["vary", "--only", "locale"]);
    assert!(
        human
            .code(4)
            .stdout
            .starts_with("diverged: trainings differ though everything that can be held"),
        "{}",
        human.stdout
    );
}
