//! The action at the top of this repository: its steps as a runner would take them, and the table of its inputs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::linters;
use crate::support::{Project, git};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn action() -> Value {
    serde_saphyr::from_str(&std::fs::read_to_string(root().join("action.yml")).unwrap()).unwrap()
}

/// Takes `--report PATH` from the arguments of a program that does not write reports yet.
const UNREPORTED: &str = r#"count=$#
while [ "$count" -gt 0 ]; do
    word=$1; shift; count=$((count - 1))
    if [ "$word" = --report ]; then shift; count=$((count - 1)); else set -- "$@" "$word"; fi
done"#;

/// A directory of the runner's with the programs that a step finds.
struct Runner<'a> {
    project: &'a Project,
    place: PathBuf,
}

impl<'a> Runner<'a> {
    fn of(project: &'a Project) -> Self {
        let place = project.around().join("runner");
        std::fs::create_dir_all(place.join("bin")).unwrap();
        let runner = Self { project, place };
        let before = if project.repro(&["verify", "--help"]).stdout.contains("--report") {
            ""
        } else {
            UNREPORTED
        };
        runner.program("cargo-repro", &format!("{before}\nexec '{}' \"$@\"", env!("CARGO_BIN_EXE_cargo-repro")));
        runner
    }

    fn program(&self, name: &str, does: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.place.join("bin").join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{does}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Runs a step of the action; gives its exit code, its outputs and what it printed.
    fn step(&self, name: &str, inputs: &[(&str, &str)]) -> (i32, BTreeMap<String, String>, String) {
        let action = action();
        let steps = action["runs"]["steps"].as_array().unwrap();
        let step = steps.iter().find(|step| step["name"] == name).unwrap();
        let (script, outputs) = (self.place.join("step.sh"), self.place.join("outputs"));
        std::fs::write(&script, step["run"].as_str().unwrap()).unwrap();
        std::fs::write(&outputs, "").unwrap();
        let mut command = Command::new("bash");
        // As GitHub calls it.
        command
            .args(["--noprofile", "--norc", "-eo", "pipefail"])
            .arg(&script)
            .current_dir(&self.project.root);
        for (name, value) in self.project.command(&[]).get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        for (name, value) in step["env"].as_object().into_iter().flatten() {
            let input = value.as_str().unwrap().trim_start_matches("${{ inputs.").trim_end_matches(" }}");
            let given = inputs.iter().find(|(name, _)| *name == input).map(|(_, value)| *value);
            let default = action["inputs"][input]["default"].as_str().unwrap();
            command.env(name, given.unwrap_or(default));
        }
        let path = std::env::var_os("PATH").unwrap();
        let path = std::iter::once(self.place.join("bin")).chain(std::env::split_paths(&path));
        let output = command
            .env("PATH", std::env::join_paths(path).unwrap())
            .env("GITHUB_ACTIONS", "true")
            .env("GITHUB_ACTION_PATH", root())
            .env("GITHUB_OUTPUT", &outputs)
            .env("GITHUB_STEP_SUMMARY", self.place.join("summary"))
            .env("GITHUB_REF_TYPE", "branch")
            .env("GITHUB_REF_NAME", "main")
            .env("RUNNER_TEMP", &self.place)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        let written = std::fs::read_to_string(&outputs).unwrap();
        let lines = written.lines().filter_map(|line| line.split_once('='));
        let outputs = lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        (output.status.code().unwrap(), outputs, said)
    }

    /// Runs the command and asserts the outputs; the real program takes the arguments.
    #[track_caller]
    fn ends(&self, inputs: &[(&str, &str)], code: i32, verdict: &str) -> String {
        let (ended, outputs, said) = self.step("Run", inputs);
        assert_eq!(ended, code, "{said}");
        assert_eq!(outputs["exit-code"], code.to_string(), "{said}");
        assert_eq!(outputs["verdict"], verdict, "{said}");
        assert!(Path::new(&outputs["report-directory"]).is_dir());
        said
    }
}

#[test]
fn the_action_is_one_by_githubs_schema_and_its_scripts_are_clean() {
    linters::action(&root().join("action.yml"), "the_action_is_one_by_githubs_schema_and_its_scripts_are_clean");
}

#[test]
fn the_action_ends_as_the_command_does_and_says_its_verdict() {
    let project = Project::recorded("steady");
    let runner = Runner::of(&project);
    runner.ends(&[], 0, "reproduced");
    runner.ends(&[("command", "status")], 0, "unchanged");
    project.edit("data/numbers.csv", "3.5", "3.6");
    runner.ends(&[("command", "status"), ("package", "steady")], 3, "drifted");
    runner.ends(&[("args", "--no-such-flag")], 2, "failed");
    let reports = project.around().join("my reports").to_string_lossy().into_owned();
    runner.ends(&[("report-directory", &reports), ("args", "  --times\n 2 ")], 3, "drifted");
    assert!(Path::new(&reports).is_dir());
    project.remove("repro.lock");
    runner.ends(&[], 1, "failed");
}

#[test]
fn the_action_leaves_outputs_that_differ_among_the_reports() {
    let project = Project::recorded("switch");
    project.write("../switch.txt", "last-digits");
    let runner = Runner::of(&project);
    let (code, outputs, said) = runner.step("Run", &[]);
    assert_eq!(code, 4, "{said}");
    assert_eq!(outputs["verdict"], "diverged");
    let left = Path::new(&outputs["report-directory"]).join("outputs");
    assert!(std::fs::read_dir(left).unwrap().next().is_some(), "{said}");
}

#[test]
fn text_in_an_input_of_the_action_is_text() {
    let project = Project::recorded("steady");
    let runner = Runner::of(&project);
    let touched = project.around().join("touched");
    let evil = format!("$(touch '{0}')`touch '{0}'`;touch '{0}' \"", touched.display());
    runner.ends(&[("package", &evil)], 2, "failed");
    runner.ends(&[("args", &evil)], 2, "failed");
    let (code, ..) = runner.step("Prepare", &[("command", &evil)]);
    assert_eq!(code, 2);
    let (code, ..) = runner.step("Fetch the tag and what was signed", &[("tag", &evil)]);
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
    runner.ends(&gate, 8, "refused");
    let (code, _, said) = runner.step("Fetch the tag and what was signed", &gate);
    assert_eq!(code, 0, "{said}");
    runner.ends(&gate, 0, "passed");
    git(&remote, &["notes", "--ref", "cargo-repro", "add", "-m", "a note", "HEAD"]);
    let (code, _, said) = runner.step("Fetch the tag and what was signed", &gate);
    assert_eq!(code, 0, "{said}");
    assert!(!project.git(&["rev-parse", "refs/notes/cargo-repro"]).is_empty());
    let (code, _, said) = runner.step("Fetch the tag and what was signed", &[("command", "gate")]);
    assert_eq!(code, 2, "{said}");
}

#[test]
fn the_tool_is_cached_by_its_sources_and_its_compiler() {
    let project = Project::empty();
    let runner = Runner::of(&project);
    runner.program("rustup", "exit 0");
    runner.program("rustc", "echo one compiler");
    let (code, outputs, said) = runner.step("Prepare", &[]);
    assert_eq!(code, 0, "{said}");
    let one = outputs["tool"].clone();
    assert!(one.len() == 33 && one.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-'), "{one}");
    runner.program("rustc", "echo another compiler");
    let (_, outputs, _) = runner.step("Prepare", &[]);
    assert_eq!(outputs["tool"].split('-').next(), one.split('-').next());
    assert_ne!(outputs["tool"], one);
    for (input, value) in [("command", "record"), ("upload", "sometimes")] {
        let (code, _, said) = runner.step("Prepare", &[(input, value)]);
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
