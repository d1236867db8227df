//! The action at the top of this repository: its steps as a runner would take them, and the table of its inputs.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::linters;
use super::runner::Runner;
use crate::support::{Project, git};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn action() -> Value {
    serde_saphyr::from_str(&std::fs::read_to_string(root().join("action.yml")).unwrap()).unwrap()
}

/// Runs a step of the action; gives its exit code, its outputs and what it printed.
fn step(runner: &Runner<'_>, name: &str, inputs: &[(&str, &str)]) -> (i32, BTreeMap<String, String>, String) {
    let action = action();
    let steps = action["runs"]["steps"].as_array().unwrap();
    let step = steps.iter().find(|step| step["name"] == name).unwrap();
    let outputs = runner.place.join("outputs");
    std::fs::write(&outputs, "").unwrap();
    let (place, outputs_path) = (runner.place.to_string_lossy(), outputs.to_string_lossy());
    let summary = runner.place.join("summary");
    let summary = summary.to_string_lossy();
    let mut variables = vec![
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_ACTION_PATH", env!("CARGO_MANIFEST_DIR")),
        ("GITHUB_OUTPUT", &*outputs_path),
        ("GITHUB_STEP_SUMMARY", &*summary),
        ("GITHUB_REF_TYPE", "branch"),
        ("GITHUB_REF_NAME", "main"),
        ("RUNNER_TEMP", &*place),
    ];
    for (name, value) in step["env"].as_object().into_iter().flatten() {
        let input = value.as_str().unwrap().trim_start_matches("${{ inputs.").trim_end_matches(" }}");
        let given = inputs.iter().find(|(name, _)| *name == input).map(|(_, value)| *value);
        variables.push((name, given.unwrap_or(action["inputs"][input]["default"].as_str().unwrap())));
    }
    let (code, said) = runner.script(step["run"].as_str().unwrap(), &runner.project.root, &variables);
    let written = std::fs::read_to_string(&outputs).unwrap();
    let lines = written.lines().filter_map(|line| line.split_once('='));
    let outputs = lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    (code, outputs, said)
}

/// Runs the command and asserts the outputs; the real program takes the arguments.
#[track_caller]
fn ends(runner: &Runner<'_>, inputs: &[(&str, &str)], code: i32, verdict: &str) {
    let (ended, outputs, said) = step(runner, "Run", inputs);
    assert_eq!(ended, code, "{said}");
    assert_eq!(outputs["exit-code"], code.to_string(), "{said}");
    assert_eq!(outputs["verdict"], verdict, "{said}");
    assert!(Path::new(&outputs["report-directory"]).is_dir());
}

#[test]
fn the_action_is_one_by_githubs_schema_and_its_scripts_are_clean() {
    linters::action(&root().join("action.yml"), "the_action_is_one_by_githubs_schema_and_its_scripts_are_clean");
}

#[test]
fn the_action_ends_as_the_command_does_and_says_its_verdict() {
    let project = Project::recorded("steady");
    let runner = Runner::of(&project);
    ends(&runner, &[], 0, "reproduced");
    ends(&runner, &[("command", "status")], 0, "unchanged");
    project.edit("data/numbers.csv", "3.5", "3.6");
    ends(&runner, &[("command", "status"), ("package", "steady")], 3, "drifted");
    ends(&runner, &[("args", "--no-such-flag")], 2, "failed");
    let reports = project.around().join("my reports").to_string_lossy().into_owned();
    ends(&runner, &[("report-directory", &reports), ("args", "  --times\n 2 ")], 3, "drifted");
    assert!(Path::new(&reports).is_dir());
    project.remove("repro.lock");
    ends(&runner, &[], 1, "failed");
}

#[test]
fn the_action_leaves_outputs_that_differ_among_the_reports() {
    let project = Project::recorded("switch");
    project.write("../switch.txt", "last-digits");
    let runner = Runner::of(&project);
    let (code, outputs, said) = step(&runner, "Run", &[]);
    assert_eq!(code, 4, "{said}");
    assert_eq!(outputs["verdict"], "diverged");
    let packed = Path::new(&outputs["report-directory"]).join("outputs.tar.gz");
    let listed = std::process::Command::new("tar").arg("-tzf").arg(&packed).output().unwrap();
    assert!(String::from_utf8_lossy(&listed.stdout).contains("/model.json\n"), "{said}");
}

#[test]
fn text_in_an_input_of_the_action_is_text() {
    let project = Project::recorded("steady");
    let runner = Runner::of(&project);
    let touched = project.around().join("touched");
    let evil = format!("$(touch '{0}')`touch '{0}'`;touch '{0}' \"", touched.display());
    ends(&runner, &[("package", &evil)], 2, "failed");
    ends(&runner, &[("args", &evil)], 2, "failed");
    let (code, ..) = step(&runner, "Prepare", &[("command", &evil)]);
    assert_eq!(code, 2);
    let (code, ..) = step(&runner, "Fetch the tag and what was signed", &[("tag", &evil)]);
    assert_ne!(code, 0);
    assert!(!touched.exists());
}

#[test]
fn the_action_gates_a_tag_with_what_the_remote_has_of_it() {
    let project = Project::recorded("steady");
    project.named().repro(&["tag", "v0.1.0"]).code(0);
    let remote = project.around().join("remote.git");
    git(project.around(), &["clone", "--quiet", "--bare", "project", "remote.git"]);
    project.git(&["remote", "add", "origin", &remote.to_string_lossy()]);
    project.git(&["fetch", "--quiet", "origin"]);
    // As a checkout leaves it: the tag is a name of its commit.
    project.git(&["tag", "--force", "v0.1.0", "v0.1.0^{commit}"]);
    let runner = Runner::of(&project);
    let gate = [
        ("command", "gate"),
        ("tag", "v0.1.0"),
        ("args", "--policy-ref origin/main"),
    ];
    ends(&runner, &gate, 8, "refused");
    let (code, _, said) = step(&runner, "Fetch the tag and what was signed", &gate);
    assert_eq!(code, 0, "{said}");
    ends(&runner, &gate, 0, "passed");
    git(&remote, &["notes", "--ref", "cargo-repro", "add", "-m", "a note", "HEAD"]);
    let (code, _, said) = step(&runner, "Fetch the tag and what was signed", &gate);
    assert_eq!(code, 0, "{said}");
    assert!(!project.git(&["rev-parse", "refs/notes/cargo-repro"]).is_empty());
    let (code, _, said) = step(&runner, "Fetch the tag and what was signed", &[("command", "gate")]);
    assert_eq!(code, 2, "{said}");
}

#[test]
fn the_tool_is_cached_by_its_sources_and_its_compiler() {
    let project = Project::empty();
    let runner = Runner::of(&project);
    runner.program("rustup", "exit 0");
    runner.program("rustc", "echo one compiler");
    let (code, outputs, said) = step(&runner, "Prepare", &[]);
    assert_eq!(code, 0, "{said}");
    let one = outputs["tool"].clone();
    assert!(one.len() == 33 && one.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-'), "{one}");
    runner.program("rustc", "echo another compiler");
    let (_, outputs, _) = step(&runner, "Prepare", &[]);
    assert_eq!(outputs["tool"].split('-').next(), one.split('-').next());
    assert_ne!(outputs["tool"], one);
    for (input, value) in [("command", "record"), ("upload", "sometimes")] {
        let (code, _, said) = step(&runner, "Prepare", &[(input, value)]);
        assert!(code == 2 && said.contains("::error::the input"), "{said}");
    }
}

#[test]
fn the_actions_inputs_and_outputs_stand_in_the_document_with_their_defaults() {
    let document = std::fs::read_to_string(root().join("docs/ci.md")).unwrap();
    let action = action();
    for (name, input) in action["inputs"].as_object().unwrap() {
        let default = match input["default"].as_str().unwrap() {
            "" => "| |".to_owned(),
            default => format!("| `{default}` |"),
        };
        assert!(document.contains(&format!("| `{name}` {default}")), "docs/ci.md has no row of {name} {default}");
    }
    for name in action["outputs"].as_object().unwrap().keys() {
        assert!(document.contains(&format!("`{name}`")), "docs/ci.md does not name {name}");
    }
}

#[test]
fn no_build_is_cached_that_verify_could_use() {
    let text = std::fs::read_to_string(root().join("action.yml")).unwrap();
    let action = action();
    let cached = |step: &&Value| step["uses"].as_str().is_some_and(|uses| uses.starts_with("actions/cache@"));
    let steps = action["runs"]["steps"].as_array().unwrap();
    let paths: String = steps.iter().filter(cached).map(|step| step["with"]["path"].as_str().unwrap()).collect();
    assert!(!paths.contains("target") && !paths.contains("registry/src"), "{text}");
}
