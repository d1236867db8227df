//! Every message that programs read is of the schema that ships, and the schema says what the code says.

use std::collections::BTreeSet;

use cargo_repro::cause::KINDS;
use cargo_repro::exit_code::ExitCode;
use cargo_repro::report::finding::{DIVERGENCE_KINDS, DRIFT_KINDS, REFUSAL_KINDS};
use serde_json::Value;

pub use crate::support::messages::holds;

use crate::support::Project;
use crate::support::messages::schema;

#[test]
fn the_schema_is_a_schema() {
    assert!(jsonschema::meta::is_valid(&schema()));
}

#[test]
fn the_words_of_the_schema_are_those_of_the_code() {
    let schema = schema();
    let words = |name: &str| -> BTreeSet<String> {
        let words = schema["$defs"][name]["enum"].as_array().unwrap();
        words.iter().map(|word| word.as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(words("drift-kind"), DRIFT_KINDS.map(str::to_owned).into());
    assert_eq!(words("divergence-kind"), DIVERGENCE_KINDS.map(str::to_owned).into());
    assert_eq!(words("refusal-kind"), REFUSAL_KINDS.map(str::to_owned).into());
    assert_eq!(words("cause-kind"), KINDS.map(|(_, word)| word.to_owned()).into());
    let numbers: Vec<Value> = ExitCode::ALL.iter().map(|code| code.number().into()).collect();
    assert_eq!(schema["$defs"]["exit-code"]["enum"], Value::from(numbers));
}

#[test]
fn a_line_with_an_unknown_word_or_key_is_not_of_the_schema() {
    let validator = jsonschema::draft202012::new(&schema()).unwrap();
    let project = Project::recorded("steady");
    project.edit("data/numbers.csv", "3.5", "3.6");
    let verdict = project.json(&["status"]).verdict();
    assert!(validator.is_valid(&verdict));
    let broken = |edit: fn(&mut Value)| {
        let mut verdict = verdict.clone();
        edit(&mut verdict);
        !validator.is_valid(&verdict)
    };
    assert!(broken(|verdict| verdict["drift"][0]["kind"] = "data-changes".into()));
    assert!(broken(|verdict| verdict["surprise"] = true.into()));
    assert!(broken(|verdict| verdict["exit_code"] = 77.into()));
    assert!(broken(|verdict| drop(verdict.as_object_mut().unwrap().remove("runs"))));
}

#[test]
fn a_text_that_is_the_whole_answer_is_the_same_for_programs() {
    let project = Project::recorded("steady");
    for (args, reason) in [
        (&["ci", "github", "--print"][..], "pipeline"),
        (&["ci", "gitlab", "--print"], "pipeline"),
        (&["completions", "zsh"], "completions"),
    ] {
        let text = project.repro(args).code(0).stdout.clone();
        let lines = project.json(args).code(0).lines();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0]["reason"], reason);
        assert_eq!(lines[0]["text"], text);
        assert_eq!(lines[1]["verdict"], "done");
    }
}

#[test]
fn every_message_of_every_command_is_of_the_schema() {
    let mut seen = BTreeSet::new();
    let mut run = |project: &Project, args: &[&str], code: i32| {
        let answer = project.json(args);
        answer.code(code);
        seen.extend(holds(&answer));
    };

    let project = Project::recorded("switch");
    run(&project, &["record"], 0);
    run(&project, &["verify"], 0);
    run(&project, &["status"], 0);
    run(&project, &["show"], 0);
    run(&project, &["diff", "HEAD", "repro.lock"], 0);
    run(&project, &["explain"], 0);
    run(&project, &["vary", "--only", "locale,user"], 0);
    run(&project, &["hash", "numbers.csv", "src"], 0);
    project.write("../switch.txt", "more-words other-split no-model stray no-accuracy new-metric");
    run(&project, &["verify"], 4);
    run(&project, &["record"], 6);
    crate::drift::elsewhere(&project);
    run(&project, &["verify"], 7);
    run(&project, &["diff", "HEAD~1", "HEAD", "--exit-code"], 3);
    project.edit("repro.toml", "seed = 42", "seed = 43").remove("numbers.csv");
    run(&project, &["verify"], 3);
    run(&project, &["verify", "-P", "unknown=1"], 2);
    project.remove("repro.lock");
    run(&project, &["status"], 1);

    let project = Project::bare("workspace", "project");
    project.git(&["init", "--quiet"]);
    project.commit("start");
    run(&project, &["record", "-p", "trainer"], 0);
    run(&project, &["show", "-p", "trainer"], 0);
    project.write("trainer/src/main.rs", "fn main() { broken }\n").commit("break it");
    run(&project, &["record", "-p", "trainer"], 5);
    // A package with two binaries has no obvious trainer, of which `init` warns.
    let project = Project::fixture("stages");
    project.remove("repro.toml").commit("start anew");
    run(&project, &["init"], 0);
    run(&project, &["new", "../another"], 0);
    // Data in every form that a lock has for it.
    let project = crate::data::every_form();
    run(&project, &["record"], 0);
    run(&project, &["show"], 0);
    run(&project, &["status"], 0);
    run(&project, &["hash", "--sample", "large.bin", "many", "tables/*"], 0);
    run(&project, &["key", "new", "--no-passphrase", "--output", "../key.pem"], 0);
    run(&project, &["key", "show", "../key.pem"], 0);
    run(&project, &["key", "new"], 2);
    run(&project, &["ci", "github", "--print"], 0);
    run(&project, &["ci", "gitlab", "--print"], 0);
    run(&project, &["completions", "fish"], 0);

    let everything = [
        "completions",
        "data",
        "difference",
        "key",
        "lock",
        "phase",
        "pipeline",
        "warning",
        "verdict diverged",
        "verdict done",
        "verdict drifted",
        "verdict failed",
        "verdict inconclusive",
        "verdict recorded",
        "verdict reproduced",
        "verdict steady",
        "verdict unchanged",
    ];
    assert_eq!(seen, everything.map(str::to_owned).into(), "each form of message must be among these");
}
