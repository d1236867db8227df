//! `vary`: factors by their words, no longer than there is time; and `explain` where there is nothing to
//! explain.

use insta::assert_snapshot;
use serde_json::Value;

use crate::support::{Project, has_namespaces, under};

fn factors(verdict: &Value) -> Vec<(String, bool)> {
    let factors = verdict["factors"].as_array().unwrap();
    let one = |factor: &Value| (factor["factor"].as_str().unwrap().to_owned(), factor["varied"].as_bool().unwrap());
    factors.iter().map(one).collect()
}

#[test]
fn a_steady_program_follows_none_of_the_factors_that_are_asked_for() {
    if !has_namespaces("a_steady_program_follows_none_of_the_factors_that_are_asked_for") {
        return;
    }
    let project = Project::fixture("command");
    let both = project.both(&["vary", "--only", "locale,hostname,umask", "--skip", "umask"]);
    both.human.code(0);
    let verdict = both.json.verdict();
    assert_eq!(verdict["verdict"], "steady");
    assert_eq!(factors(&verdict), [("locale".to_owned(), true), ("hostname".to_owned(), true)]);
    assert_snapshot!(both.human.text());
    // It needs no lock, and writes none.
    assert!(!project.root.join("repro.lock").exists());
    assert_eq!(project.git(&["status", "--porcelain"]), "");
    // What was not asked for is said.
    let list = verdict["not_checked"].as_array().unwrap();
    let left_out = list.iter().find(|entry| entry["kind"] == "factors").unwrap();
    let why = left_out["why"].as_str().unwrap();
    assert!(why.contains("umask") && why.contains("clock") && !why.contains("locale"), "{why}");
}

#[test]
fn a_word_that_is_no_factor_is_a_usage_error_that_lists_them() {
    let project = Project::fixture("command");
    for option in ["--only", "--skip"] {
        let answer = project.repro(&["vary", option, "weather"]);
        answer.code(2);
        for word in ["weather", "locale", "process-entropy"] {
            assert!(answer.stderr.contains(word), "{}", answer.stderr);
        }
    }
}

#[test]
fn no_factor_at_all_is_a_usage_error() {
    let project = Project::fixture("command");
    let answer = project.repro(&["vary", "--only", "locale", "--skip", "locale"]);
    answer.code(2);
    assert!(answer.stderr.contains("no factor is left to vary"), "{}", answer.stderr);
    assert!(answer.stderr.contains("hint: "), "{}", answer.stderr);
    project.repro(&["vary", "--budget", "soon"]).code(2);
}

#[test]
fn without_time_every_factor_is_said_not_to_have_been_varied() {
    let project = Project::fixture("command");
    let answer = project.json(&["vary", "--budget", "0s"]);
    answer.code(0);
    let verdict = answer.verdict();
    let all = factors(&verdict);
    assert_eq!(all.len(), cargo_repro::diagnose::factor::FACTORS.len());
    let list = verdict["not_checked"].as_array().unwrap();
    for (word, varied) in all {
        assert!(!varied, "{word}");
        assert!(list.iter().any(|entry| entry["kind"] == word.as_str()), "{word} is not among {list:?}");
    }
    assert!(list.iter().any(|entry| entry["why"].as_str().unwrap().contains("the time was up")), "{list:?}");
}

#[test]
fn explain_takes_up_the_build_that_record_kept_where_that_diverges() {
    let project = Project::fixture("entropy");
    project.record();
    let explained = project.repro(&["explain"]);
    explained.code(4);
    assert!(!explained.stderr.contains("Compiling"), "{}", explained.stderr);
    assert!(explained.stdout.contains("process-entropy"), "{}", explained.stdout);
    assert!(explained.stdout.contains("rebuild: "), "{}", explained.stdout);
    // A verification has a build of its own, whatever is kept.
    let verified = project.repro(&["verify"]);
    assert!(verified.code(4).stderr.contains("Compiling"), "{}", verified.stderr);
    assert!(!verified.stdout.contains("rebuild: "), "{}", verified.stdout);
}

#[test]
fn explain_believes_a_reproduction_only_of_a_build_of_its_own() {
    let project = Project::fixture("steady");
    project.record();
    let explained = project.repro(&["explain"]);
    explained.code(0);
    assert!(explained.stderr.contains("Compiling"), "{}", explained.stderr);
    assert!(!explained.stdout.contains("rebuild: "), "{}", explained.stdout);
}

#[test]
fn explain_believes_a_failure_only_of_a_build_of_its_own() {
    // A limit of whoever calls: no input, and no circumstance that anything holds.
    const LIMIT: &str = "7777";
    let project = Project::fixture("steady");
    let refusing = format!(
        "fn main() {{\n    let limits = std::fs::read_to_string(\"/proc/self/limits\").unwrap_or_default();\n    assert!(!limits.contains(\"{LIMIT}\"), \"too little time\");"
    );
    project.edit("src/main.rs", "fn main() {", &refusing).commit("refuse");
    project.record();
    let limit = format!("ulimit -S -t {LIMIT} && exec \"$@\"");
    let mut limited = under(&["sh", "-c", &limit, "sh"], &project.command(&["explain"]));
    let explained = project.answer(&mut limited);
    assert!(explained.code(6).stderr.contains("Compiling"), "{}", explained.stderr);
    assert!(explained.stderr.contains("too little time"), "{}", explained.stderr);
}

#[test]
fn where_nothing_diverges_there_is_nothing_to_explain() {
    let project = Project::recorded("steady");
    let answer = project.json(&["explain"]);
    answer.code(0);
    let verdict = answer.verdict();
    assert_eq!(verdict["verdict"], "reproduced");
    assert_eq!(verdict["causes"], serde_json::json!([]));
    assert_eq!(verdict["runs"], 1);
    project.edit("data/numbers.csv", "3.5", "3.6");
    assert_eq!(project.json(&["explain"]).code(3).kinds("drift"), ["data-changed data.numbers"]);
}
