//! The seed pipeline through the tool: the forest that reproduces as it stands, and linfa's, which does
//! not: the first real divergence that the tool must catch. Each compiles its dependencies twice, so
//! these are the slow ones.

use std::process::Command;

use crate::support::{Project, cargo_home, copy};

/// The fixture, with the runtime where its Cargo.toml looks for it: outside the repository.
fn wine_forest() -> Project {
    let project = Project::bare("wine-forest", "fixtures/programs/wine-forest");
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

#[test]
fn the_forest_of_linfa_diverges_and_the_training_is_named_as_the_first_step_that_differs() {
    let project = wine_forest();
    let recorded = project.answer(&mut with_registry(project.command(&["record"])));
    recorded.code(0);
    project.commit("record");

    let lock = project.read("repro.lock");
    assert!(
        lock.contains("\"../../../runtime/src/stream.rs\""),
        "the sources of a path dependency outside the repository are part of the closure"
    );
    let verify = project.command(&["verify", "--message-format", "json"]);
    let answer = project.answer(&mut with_registry(verify));
    answer.code(4);
    let verdict = answer.verdict();
    assert_eq!(verdict["verdict"], "diverged");
    let first = &verdict["divergence"][0];
    assert_eq!(first["kind"], "checkpoint-diverged");
    assert_eq!(first["subject"], "trained");
    assert_eq!(first["detail"], "the first that differs; `scaled` before it is equal; one later differs too");
    let kinds = answer.kinds("divergence");
    assert!(kinds.contains(&"artifact-changed model.json".to_owned()), "{kinds:?}");
    let notes = verdict["notes"].as_array().unwrap();
    assert!(notes.is_empty(), "the binary does not depend on where it was built: {notes:?}");
    assert!(project.leftovers().is_empty());
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
        "data/winequality-red.csv has another content, the same 84199 bytes long",
    ] {
        assert!(answer.stdout.contains(sentence), "{sentence}:\n{}", answer.stdout);
    }
    let left: Vec<_> = std::fs::read_dir(project.work())
        .unwrap()
        .flat_map(|base| std::fs::read_dir(base.unwrap().path()).unwrap())
        .collect();
    assert!(left.is_empty(), "{left:?}");
}
