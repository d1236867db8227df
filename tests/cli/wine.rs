//! The seed pipeline through the tool: linfa's forest, which does not reproduce as it stands, until its
//! cause is named and the manifest cures it; and smartcore's, which does. Each compiles its dependencies
//! more than once, so these are the slow ones.

use std::process::Command;

use crate::support::{Answer, Project, cargo_home, copy};

/// A fixture, with the runtime where its Cargo.toml looks for it: outside the repository.
fn wine(name: &str) -> Project {
    let project = Project::bare(name, &format!("fixtures/programs/{name}"));
    let runtime = project.around().join("runtime");
    copy(&crate::support::fixtures().join("../runtime"), &runtime);
    project.git(&["init", "--quiet"]);
    project.commit("start");
    project
}

fn with_registry(mut command: Command) -> Command {
    command.env("CARGO_HOME", cargo_home());
    command
}

fn answer(project: &Project, args: &[&str]) -> Answer {
    let mut all = args.to_vec();
    all.extend(["--message-format", "json"]);
    project.answer(&mut with_registry(project.command(&all)))
}

#[test]
fn the_forest_of_linfa_diverges_its_cause_is_named_and_the_manifest_cures_it() {
    let project = wine("wine-forest");
    answer(&project, &["record"]).code(0);
    project.commit("record");

    let lock = project.read("repro.lock");
    assert!(
        lock.contains("\"../../../runtime/src/stream.rs\""),
        "the sources of a path dependency outside the repository are part of the closure"
    );
    let explained = answer(&project, &["explain"]);
    explained.code(4);
    let verdict = explained.verdict();
    assert_eq!(verdict["verdict"], "diverged");
    let first = &verdict["divergence"][0];
    assert_eq!(first["kind"], "checkpoint-diverged");
    assert_eq!(first["subject"], "trained");
    // Whether what comes after it differs too is chance: another forest may classify as well.
    let detail = first["detail"].as_str().unwrap();
    assert!(detail.starts_with("the first that differs; `scaled` before it is equal"), "{detail}");
    let kinds = explained.kinds("divergence");
    assert!(kinds.contains(&"artifact-changed model.json".to_owned()), "{kinds:?}");
    let changed = explained.kinds("notes").iter().any(|note| note.starts_with("binary-changed"));
    assert!(!changed, "the binary does not depend on where it was built: {verdict}");

    let causes = verdict["causes"].as_array().unwrap();
    assert_eq!(causes.len(), 1, "{causes:?}");
    assert_eq!(
        (causes[0]["kind"].as_str(), causes[0]["first"].as_str()),
        (Some("process-entropy"), Some("trained"))
    );
    let site = &causes[0]["sites"][0];
    assert!(site["package"].as_str().unwrap().starts_with("linfa"), "{site}");
    assert!(site["line"].is_u64(), "{site}");
    assert_eq!(site["called_from"]["file"], "src/model.rs");

    project.write("repro.toml", &format!("{}\n[determinism]\nentropy = \"seeded\"\n", project.read("repro.toml")));
    project.commit("answer from the seed");
    // From two builds; that such a package is then verified is what the demo shows.
    answer(&project, &["record", "--confirm", "10"]).code(0);
    assert!(project.leftovers().is_empty());
}

#[test]
fn the_forest_of_smartcore_reproduces_as_it_stands() {
    let project = wine("wine-smartcore");
    // It is built twice and trains twice: optimizing takes longer than it saves.
    project
        .edit("Cargo.toml", "codegen-units = 1", "codegen-units = 1\nopt-level = 0")
        .commit("build fast");
    answer(&project, &["record"]).code(0);
    project.commit("record");
    assert_eq!(answer(&project, &["verify"]).code(0).verdict()["verdict"], "reproduced");
}

/// `demo` is `new`, `record --confirm 2`, `verify`, and `verify` after one byte of the data changed; it
/// fails unless each ends as it should.
#[test]
fn the_demo_tells_the_whole_story() {
    let project = Project::bare("steady", "elsewhere");
    let answer = project.answer(&mut with_registry(project.command(&["demo"])));
    answer.code(0);
    for sentence in [
        "recorded: 2 trainings gave the same, byte for byte",
        "reproduced: 1 training gave what repro.lock",
        "drifted: 1 input is not as in repro.lock",
        "data-changed data.wine",
        "data/winequality-red.csv: 1 cell of column \"alcohol\" changed",
    ] {
        assert!(answer.stdout.contains(sentence), "{sentence}:\n{}", answer.stdout);
    }
    let left: Vec<_> = std::fs::read_dir(project.work())
        .unwrap()
        .flat_map(|base| std::fs::read_dir(base.unwrap().path()).unwrap())
        .collect();
    // The lock of a moment, which is nobody's.
    let lock = |entry: &std::io::Result<std::fs::DirEntry>| entry.as_ref().unwrap().file_name() == "lock";
    assert!(left.iter().all(lock), "{left:?}");
}
