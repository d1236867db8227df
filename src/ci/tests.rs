//! What holds for every pipeline, whatever a project calls its files, packages and tags.

use proptest::prelude::*;
use serde_json::Value;

use super::github::{self, workflow};
use super::gitlab;
use super::inputs::{from_top, inputs};
use super::*;
use crate::project::manifest::Manifest;

const HOSTILE: [&str; 12] = [
    "it's \"quoted\"",
    "a b ",
    " led by a blank",
    "${{ github.token }}",
    "$(touch x)`touch y`",
    "line\nbreak\r\ttab",
    "# no comment: {a: 1}",
    "!not",
    "*star?[a-b]+",
    "back\\slash",
    "- list",
    "\u{2028}\u{feff}\u{7f}é",
];

fn pipeline(text: &str) -> Pipeline {
    Pipeline {
        package: text.to_owned(),
        directory: format!("{text}/inner"),
        workspace: text.to_owned(),
        inputs: vec![
            Input::File(text.to_owned()),
            Input::Beginning(text.to_owned()),
            Input::Below(text.to_owned()),
            Input::Glob(text.to_owned(), text.to_owned()),
        ],
        compiler: Compiler::Unnamed(text.to_owned()),
        machine: Some(Platform {
            target: "x86_64-unknown-linux-gnu".to_owned(),
            libc: text.to_owned(),
            cpu: text.to_owned(),
        }),
        lfs: true,
        submodules: true,
        absent: vec![Place {
            path: text.to_owned(),
            shape: inputs::Shape::File,
            dvc: true,
            target: None,
        }],
        minutes: Some(90),
        tags: vec![text.to_owned()],
        gated: true,
        locked: true,
    }
}

fn published() -> Tool {
    Tool::Source(Source::published())
}

fn jobs(pipeline: &Pipeline, place: &str) -> String {
    gitlab::jobs(pipeline, &Source::published(), place)
}

fn parsed(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// What GitHub makes of a text in which it finds expressions.
fn evaluated(value: &Value) -> String {
    let text = value.as_str().unwrap().replace("${{ '${{' }}", "\u{0}");
    assert!(!text.contains("${{"), "{text}");
    text.replace('\u{0}', "${{")
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

fn holds_for_github(text: &str) {
    let workflow = parsed(&workflow(&pipeline(text), &published()));
    assert_eq!(keys(&workflow), ["concurrency", "jobs", "name", "on", "permissions"]);
    assert_eq!(workflow["permissions"], serde_json::json!({"contents": "read"}));
    assert_eq!(keys(&workflow["on"]), ["pull_request", "push", "schedule", "workflow_dispatch"]);
    assert_eq!(keys(&workflow["jobs"]), ["gate", "verify"]);
    assert_eq!(workflow["on"]["pull_request"]["paths"].as_array().unwrap().len(), 5);
    for filter in [
        &workflow["on"]["pull_request"]["paths"],
        &workflow["on"]["push"]["tags"],
    ] {
        let filters = filter.as_array().unwrap().iter().map(|filter| filter.as_str().unwrap());
        for filter in filters {
            assert!(!filter.contains("${{") && !filter.starts_with(['!', ' ']), "{filter:?}");
            assert!(!filter.contains(['\n', '\r']) && !filter.ends_with(' '), "{filter:?}");
        }
    }
    for job in ["verify", "gate"] {
        let job = &workflow["jobs"][job];
        assert_eq!(evaluated(&job["env"]["PACKAGE"]), text);
        assert_eq!(evaluated(&job["defaults"]["run"]["working-directory"]), format!("{text}/inner"));
        for step in job["steps"].as_array().unwrap() {
            let run = step["run"].as_str().unwrap_or_default();
            assert!(!run.contains("${{"), "{run}");
        }
    }
    assert_eq!(workflow["jobs"]["verify"]["steps"][0]["with"]["lfs"], true);
}

fn holds_for_gitlab(text: &str) {
    let jobs = parsed(&jobs(&pipeline(text), gitlab::PLACE));
    let names = keys(&jobs);
    assert_eq!(names, [format!("repro gate {text}"), format!("repro verify {text}")]);
    for name in names {
        let script = jobs[name]["script"].as_array().unwrap();
        let enter = format!("cd -- '{}/inner'", text.replace('\'', r"'\''"));
        let plain = format!("cd -- {text}/inner");
        assert!(script.iter().any(|line| *line == enter || *line == plain), "{script:#?}");
        let (quoted, plain) = (enter[6..].replace("/inner'", "'"), text);
        let package = [format!("package={quoted}"), format!("package={plain}")];
        assert!(script.iter().any(|line| package.iter().any(|package| line == package)), "{script:#?}");
    }
    let changes = jobs[keys(&jobs)[1]]["rules"][2]["changes"]["paths"].as_array().unwrap();
    assert_eq!(changes.len(), 5);
    assert!(changes.iter().all(|path| !path.as_str().unwrap().contains('$')), "{changes:#?}");
}

#[test]
fn whatever_a_project_calls_its_things_a_pipeline_takes_it_for_text() {
    for text in HOSTILE {
        holds_for_github(text);
        holds_for_gitlab(text);
    }
}

proptest! {
    #[test]
    fn no_name_breaks_out_of_a_pipeline(text in "[^/\u{0}]{1,12}") {
        holds_for_github(&text);
        holds_for_gitlab(&text);
    }
}

#[test]
fn filters_mean_the_files_and_nothing_else_where_a_forge_can_say_it() {
    let filters = |input: Input| {
        let mut pipeline = pipeline("x");
        pipeline.inputs = vec![input];
        let github = parsed(&workflow(&pipeline, &published()))["on"]["pull_request"]["paths"][0].clone();
        let gitlab =
            parsed(&jobs(&pipeline, gitlab::PLACE))["repro verify x"]["rules"][2]["changes"]["paths"][0].clone();
        [github, gitlab].map(|filter| filter.as_str().unwrap().to_owned())
    };
    let file = |path: &str| Input::File(path.to_owned());
    let glob = |pattern: &str| Input::Glob("in [x]".to_owned(), pattern.to_owned());
    assert_eq!(filters(file("src/main.rs")), ["src/main.rs", "src/main.rs"]);
    assert_eq!(filters(file("a*b?c[d]+e\\f{g}")), [r"a\*b\?c\[d]\+e\\f{g}", r"a\*b\?c\[d\]+e\\f\{g\}"]);
    assert_eq!(filters(file("!a")), [r"\!a", "!a"]);
    assert_eq!(filters(file("a$b")), ["a$b", "a?b"]);
    assert_eq!(filters(file("a\nb")), ["a*b", "a?b"]);
    assert_eq!(filters(Input::Below("data".to_owned())), ["data/**", "data/**/*"]);
    assert_eq!(filters(Input::Below(String::new())), ["**", "**/*"]);
    assert_eq!(filters(glob("*.png")), [r"in \[x]/*.png", r"in \[x\]/*.png"]);
    assert_eq!(filters(glob("**/p?t[0-9].csv")), [r"in \[x]/**/p*t[0-9].csv", r"in \[x\]/**/p?t[0-9].csv"]);
    assert_eq!(filters(glob("[é]b[!!]/x")), [r"in \[x]/*b*/x", r"in \[x\]/?b?/x"]);
    assert_eq!(filters(glob("[!a]b[]c]d")), [r"in \[x]/*b*d", r"in \[x\]/?b?d"]);
}

#[test]
fn patterns_of_tags_are_said_in_each_language() {
    let patterns = |tag: &str| {
        let mut pipeline = pipeline("x");
        pipeline.tags = vec![tag.to_owned()];
        let github = parsed(&workflow(&pipeline, &published()))["on"]["push"]["tags"][0].clone();
        let gitlab = parsed(&jobs(&pipeline, gitlab::PLACE))["repro gate x"]["rules"][0]["if"].clone();
        let gitlab = gitlab.as_str().unwrap().strip_prefix("$CI_COMMIT_TAG =~ ").unwrap().to_owned();
        [github.as_str().unwrap().to_owned(), gitlab]
    };
    assert_eq!(patterns("v*"), ["v**", "/^v.*$/"]);
    assert_eq!(patterns("*"), ["**", "/^.*$/"]);
    assert_eq!(patterns("release/v?.[0-9]+"), [r"release/v**.[0-9]\+", r"/^release\/v.\.[0-9]\+$/"]);
    assert_eq!(patterns("[!a]\"$x"), ["**\"$x", "/^.\\\"\\$x$/"]);
}

#[test]
fn a_workflow_with_an_action_has_no_steps_of_its_own_for_it() {
    let action = Tool::Action(Action::read("o/r@v1").unwrap());
    let workflow = parsed(&workflow(&pipeline("it's"), &action));
    for job in ["verify", "gate"] {
        let steps = workflow["jobs"][job]["steps"].as_array().unwrap();
        let used = steps.iter().find(|step| step["uses"] == "o/r@v1").unwrap();
        assert_eq!(used["with"]["command"], job);
        assert_eq!(used["with"]["package"], "it's");
        assert!(steps.iter().all(|step| step["run"].is_null()), "{steps:#?}");
    }
}

const MANIFEST: &str = "version = 1\nseed = 1\n[stage.train]\nbin = \"x\"\n";

#[test]
fn without_a_lock_the_packages_of_the_workspace_are_the_inputs() {
    let manifest = Manifest::from_text(MANIFEST, "repro.toml").unwrap();
    let local = |directory: &str, root: &str| Local {
        directory: directory.to_owned(),
        roots: vec![root.to_owned()],
    };
    let locals = [local("a", "a/src/main.rs"), local("b", "b/lib.rs")];
    let found = inputs("a", "", &manifest, None, (&locals, &[]));
    for expected in [
        Input::Below("a/src".to_owned()),
        Input::File("a/build.rs".to_owned()),
        Input::File("b/lib.rs".to_owned()),
        Input::File("b/build.rs".to_owned()),
    ] {
        assert!(found.contains(&expected), "{found:#?}");
    }
    let manifest = Manifest::from_text(&MANIFEST.replace("bin = \"x\"", "command = [\"sh\"]"), "repro.toml").unwrap();
    let found = inputs("a", "", &manifest, None, (&locals, &[]));
    assert!(
        found.contains(&Input::Below("a".to_owned()))
            && !found.iter().any(|input| matches!(input, Input::File(path) if path.starts_with("a/"))),
        "{found:#?}"
    );
}

#[test]
fn a_great_many_inputs_are_said_more_coarsely() {
    let manifest = Manifest::from_text(MANIFEST, "repro.toml").unwrap();
    let local = |number: usize| Local {
        directory: format!("crates/p{number}"),
        roots: vec![format!("crates/p{number}/src/lib.rs")],
    };
    let locals: Vec<Local> = (0..40).map(local).collect();
    let found = inputs("crates/p0", "", &manifest, None, (&locals, &[]));
    assert!(found.contains(&Input::Below("crates".to_owned())) && found.len() < 10, "{found:#?}");
    let apart = |number: usize| Local {
        directory: format!("p{number}"),
        roots: vec![format!("p{number}/lib.rs")],
    };
    let locals: Vec<Local> = (0..60).map(apart).collect();
    assert_eq!(inputs("p0", "", &manifest, None, (&locals, &[])), [Input::Below(String::new())]);
}

#[test]
fn paths_that_lead_out_of_the_repository_are_none_of_it() {
    assert_eq!(from_top("a/b", "../data/./x").as_deref(), Some("a/data/x"));
    assert_eq!(from_top("a", "../../x"), None);
    assert_eq!(from_top("", "/etc/passwd"), None);
}

#[test]
fn patterns_have_no_steps_back_and_a_directory_is_no_pattern() {
    let straight = |directory, pattern| inputs::straight(directory, pattern);
    let both = |directory: &str, pattern: &str| Some((directory.to_owned(), pattern.to_owned()));
    assert_eq!(straight("a/b", "../shared/*.csv"), both("a", "shared/*.csv"));
    assert_eq!(straight("a", "./data/./*.csv"), both("a", "data/*.csv"));
    assert_eq!(straight("a", "x/../*.csv"), both("a", "*.csv"));
    assert_eq!(straight("a", "../../*.csv"), None);
    let manifest = Manifest::from_text(MANIFEST, "repro.toml").unwrap();
    let place = |path: &str, target: Option<&str>| Place {
        path: path.to_owned(),
        shape: if path.contains('*') {
            inputs::Shape::Glob
        } else {
            inputs::Shape::File
        },
        dvc: false,
        target: target.map(str::to_owned),
    };
    let places = [
        place("../shared/*.csv", None),
        place("link.csv", Some("store/real.csv")),
    ];
    let found = inputs("pkg", "", &manifest, None, (&[], &places));
    for expected in [
        Input::Glob(String::new(), "shared/*.csv".to_owned()),
        Input::File("pkg/link.csv".to_owned()),
        Input::File("store/real.csv".to_owned()),
        Input::File("pkg/.gitattributes".to_owned()),
        Input::File(".gitattributes".to_owned()),
    ] {
        assert!(found.contains(&expected), "{expected:?} in {found:#?}");
    }
}

#[test]
fn nights_differ_and_none_begins_on_the_hour() {
    let night = |name: &str| pipeline(name).night();
    for name in ["wine", "iris", "trainer", "a", "b"] {
        let (minute, hour) = night(name);
        assert!(minute % 2 == 1 && minute < 60 && (1..=5).contains(&hour));
        assert_eq!(night(name), (minute, hour));
    }
    assert_ne!(night("wine"), night("iris"));
}

#[test]
fn the_places_are_those_that_forges_read_and_packages_beside_each_other_have_their_own() {
    let mut pipeline = pipeline("x");
    assert_eq!(github::place(&pipeline), ".github/workflows/repro-x.yml");
    assert_eq!(gitlab::included(&pipeline), ".gitlab/repro-x.yml");
    pipeline.directory.clone_from(&pipeline.workspace);
    assert_eq!(github::place(&pipeline), ".github/workflows/repro.yml");
    assert_eq!(gitlab::included(&pipeline), ".gitlab/repro.yml");
    let files = [workflow(&pipeline, &published()), jobs(&pipeline, ".gitlab/repro.yml")];
    assert!(files.iter().all(|file| file.starts_with(MARK)));
}

#[test]
fn a_machine_that_a_forge_does_not_have_is_said_not_to_be_had() {
    let mut pipeline = pipeline("x");
    for (libc, github, gitlab) in [
        ("glibc 2.35", "ubuntu-22.04", ""),
        ("glibc 2.36", "", "rust:1-bookworm"),
        ("glibc 2.39", "ubuntu-24.04", ""),
        ("glibc 2.99", "", ""),
    ] {
        pipeline.machine.as_mut().unwrap().libc = libc.to_owned();
        let files = [workflow(&pipeline, &published()), jobs(&pipeline, gitlab::PLACE)];
        for (text, image) in files.iter().zip([github, gitlab]) {
            let said = text.contains(&format!("The lock is of \"{libc}\", and no image"));
            assert_eq!(said, image.is_empty(), "{libc}: {text}");
            assert!(text.contains(image), "{libc}: {text}");
        }
    }
    pipeline.machine.as_mut().unwrap().target = "aarch64-unknown-linux-gnu".to_owned();
    let workflow = parsed(&workflow(&pipeline, &published()));
    assert_eq!(workflow["jobs"]["verify"]["runs-on"], "ubuntu-24.04-arm");
    assert_eq!(workflow["jobs"]["gate"]["runs-on"], "ubuntu-24.04");
}

#[test]
fn timeouts_beyond_what_a_forge_allows_are_cut_and_said_to_be() {
    let mut pipeline = pipeline("x");
    pipeline.minutes = Some(1000);
    let text = workflow(&pipeline, &published());
    assert_eq!(parsed(&text)["jobs"]["verify"]["timeout-minutes"], 360);
    assert!(text.contains("come to more than GitHub's own machines let a job run"), "{text}");
    pipeline.minutes = None;
    assert!(jobs(&pipeline, gitlab::PLACE).contains("has no timeout, so this job has the project's"));
}
