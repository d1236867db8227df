//! Where nothing that is pinned makes trainings agree, every command says what was tried, what moves, and what to do.

use crate::support::{Answer, Project, has_namespaces};

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
    if !has_namespaces("an_outcome_that_nothing_holds_is_answered_all_the_same") {
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

#[test]
fn a_pipeline_is_not_blamed_for_a_race_because_it_has_several_processes() {
    if !has_namespaces("a_pipeline_is_not_blamed_for_a_race_because_it_has_several_processes") {
        return;
    }
    // What moves are counters of the kernel's; the processes that pass them on do so in one order.
    let counters = "cat /proc/buddyinfo /proc/sys/fs/inode-nr /proc/sys/fs/dentry-state 2>/dev/null";
    let project = Project::fixture("command");
    let script = project.read("scripts/train.sh");
    let moving = format!("{script}\n{counters} | tr -s ' ' | cat | cat >> model.txt\n");
    project.write("scripts/train.sh", &moving).commit("move");
    let varied = project.json(&["vary", "--only", "locale"]);
    leads_on(&varied);
    assert_eq!(varied.verdict()["causes"], serde_json::json!([]));
    assert!(said(&varied).contains("made to take turns"), "{}", said(&varied));
}

#[test]
fn processes_that_race_are_named_by_what_their_taking_turns_shows() {
    if !has_namespaces("processes_that_race_are_named_by_what_their_taking_turns_shows") {
        return;
    }
    let project = Project::fixture("command");
    let script = project.read("scripts/train.sh");
    let line = |name: &str| format!("(for i in 1 2 3 4 5 6 7 8 9; do sleep 0.001; echo {name} >> model.txt; done) &\n");
    let racing = format!("{script}\n{}wait\n", ["a", "b", "c", "d"].map(line).concat());
    project.write("scripts/train.sh", &racing).commit("race");
    let varied = project.json(&["vary", "--only", "locale"]);
    let causes = varied.code(4).verdict()["causes"].clone();
    assert_eq!(causes.as_array().unwrap().len(), 1, "{causes}");
    assert_eq!((&causes[0]["kind"], &causes[0]["subject"]), (&"scheduling".into(), &"processes".into()));
    let detail = causes[0]["detail"].as_str().unwrap();
    assert!(detail.contains("made to take turns") && detail.contains("trainings agree"), "{detail}");
}

#[test]
fn an_instruction_that_asks_the_processor_is_not_blamed_where_the_order_of_threads_decides() {
    const TEST: &str = "an_instruction_that_asks_the_processor_is_not_blamed_where_the_order_of_threads_decides";
    if !has_namespaces(TEST) || !std::arch::is_x86_feature_detected!("rdrand") {
        return;
    }
    let project = Project::fixture("steady");
    let main = project.read("src/main.rs");
    let racing = r#"
/// What it gives is of no account.
#[target_feature(enable = "rdrand")]
fn ask() {
    let mut number = 0;
    std::arch::x86_64::_rdrand64_step(std::hint::black_box(&mut number));
}

fn race() {
    // SAFETY: the test has looked whether the processor can do it.
    unsafe { ask() };
    let order = std::sync::Mutex::new(String::new());
    std::thread::scope(|scope| {
        for name in ["a", "b", "c", "d"] {
            let order = &order;
            scope.spawn(move || {
                for _ in 0..9 {
                    std::thread::sleep(std::time::Duration::from_millis(1));
                    order.lock().unwrap().push_str(name);
                }
            });
        }
    });
    std::fs::write("order.txt", order.into_inner().unwrap()).unwrap();
}
"#;
    let (head, body) = main.split_once("fn main() {").unwrap();
    project.write("src/main.rs", &format!("{head}{racing}\nfn main() {{\n    race();{body}"));
    project.edit("repro.toml", "artifacts = [", "artifacts = [\"order.txt\", ");
    project.commit("race");
    let varied = project.json(&["vary", "--only", "locale"]);
    let causes = varied.code(4).verdict()["causes"].clone();
    assert_eq!(causes.as_array().unwrap().len(), 1, "{causes}");
    assert_eq!((&causes[0]["kind"], &causes[0]["subject"]), (&"scheduling".into(), &"threads".into()), "{causes}");
}
