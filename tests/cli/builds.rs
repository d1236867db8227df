//! What only a build draws on: the model is another one with each build, though trainings of one build agree.

use crate::support::{Answer, Project, has_namespaces};

/// A copy of `steady` whose model has what this expression gave when it was built.
fn stamped(expression: &str) -> Project {
    let project = Project::fixture("steady");
    let script = format!(
        "fn main() {{ let stamp = {expression}; println!(\"cargo:rustc-env=STAMP={{stamp}}\"); \
         println!(\"cargo:rerun-if-changed=build.rs\"); }}"
    );
    project.write("build.rs", &script);
    project.edit(
        "src/main.rs",
        "fn main() {",
        "fn main() {\n    std::fs::write(\"stamp.txt\", env!(\"STAMP\")).unwrap();",
    );
    project
        .edit("repro.toml", "artifacts = [", "artifacts = [\"stamp.txt\", ")
        .commit("stamp");
    project
}

const DAY: &str = "std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() / 86_400";
const DRAWN: &str = "{ use std::hash::{BuildHasher, Hasher}; \
                     std::collections::hash_map::RandomState::new().build_hasher().finish() }";

#[track_caller]
fn follows(answer: &Answer, kind: &str) {
    let verdict = answer.code(4).verdict();
    let causes = verdict["causes"].as_array().unwrap();
    let words: Vec<(&str, &str)> = causes
        .iter()
        .map(|cause| (cause["kind"].as_str().unwrap(), cause["subject"].as_str().unwrap()))
        .collect();
    assert_eq!(words, [(kind, "build")]);
    assert!(causes[0]["detail"].as_str().unwrap().contains("the build's"), "{}", causes[0]);
}

#[test]
fn a_day_that_a_build_writes_into_the_program_is_named_by_record_and_by_vary() {
    if !has_namespaces("a_day_that_a_build_writes_into_the_program_is_named_by_record_and_by_vary") {
        return;
    }
    let project = stamped(DAY);
    let answer = project.json(&["record", "--confirm", "2"]);
    follows(&answer, "clock");
    assert_eq!(answer.kinds("divergence"), ["artifact-changed stamp.txt"]);
    assert!(!project.root.join("repro.lock").exists());
    let varied = project.json(&["vary", "--only", "build"]);
    follows(&varied, "clock");
    let factor = &varied.verdict()["factors"][0];
    assert_eq!((factor["factor"].as_str(), factor["varied"].as_bool()), (Some("build"), Some(true)));
    // The hint does as it says.
    let text = project.read("repro.toml");
    project
        .write("repro.toml", &format!("{text}\n[determinism]\nclock = \"frozen\"\n"))
        .commit("freeze it");
    project.repro(&["record", "--confirm", "2"]).code(0);
}

#[test]
fn what_a_build_draws_is_named_and_seeded() {
    if !has_namespaces("what_a_build_draws_is_named_and_seeded") {
        return;
    }
    let project = stamped(DRAWN);
    follows(&project.json(&["record", "--confirm", "2"]), "process-entropy");
    let text = project.read("repro.toml");
    project
        .write("repro.toml", &format!("{text}\n[determinism]\nentropy = \"seeded\"\n"))
        .commit("seed it");
    project.repro(&["record", "--confirm", "3"]).code(0);
    project.commit("record").repro(&["verify"]).code(0);
}

#[test]
fn a_program_that_does_not_follow_its_build_is_recorded() {
    // Another program each time, and the same model.
    let project = Project::fixture("steady");
    project.write("build.rs", "fn main() { println!(\"cargo:rustc-env=BUILT={:?}\", std::time::SystemTime::now()); }");
    project
        .edit("src/main.rs", "fn main() {", "fn main() {\n    eprintln!(\"{}\", env!(\"BUILT\"));")
        .commit("a date");
    let recorded = project.repro(&["record", "--confirm", "2"]);
    recorded.code(0);
    assert!(recorded.stderr.contains("Building again"), "{}", recorded.stderr);
    project.commit("record");
    if has_namespaces("a_program_that_does_not_follow_its_build_is_recorded") {
        assert_eq!(project.json(&["vary", "--only", "build"]).code(0).verdict()["verdict"], "steady");
    }
    // Where nothing is built, there is nothing to build again.
    let project = Project::fixture("command");
    let recorded = project.repro(&["record", "--confirm", "2"]);
    assert!(!recorded.code(0).stderr.contains("Building"), "{}", recorded.stderr);
    let verdict = project.json(&["vary", "--only", "build"]).code(0).verdict();
    assert!(verdict["not_checked"].to_string().contains("nothing is built"), "{verdict}");
}

#[test]
fn a_training_that_disagrees_with_itself_is_not_blamed_on_its_build() {
    let project = Project::fixture("steady");
    project.edit(
        "src/main.rs",
        "fn main() {",
        &format!("fn main() {{\n    std::fs::write(\"stamp.txt\", ({DRAWN}).to_string()).unwrap();"),
    );
    project
        .edit("repro.toml", "artifacts = [", "artifacts = [\"stamp.txt\", ")
        .commit("stamp");
    let verdict = project.json(&["record", "--confirm", "2"]).code(4).verdict();
    assert!(!verdict["causes"].to_string().contains("build"), "{verdict}");
}
