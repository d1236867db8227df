//! Every kind of divergence, provoked by a program that reads what nobody declared; how the report says
//! what the bytes tell; and several trainings of one command.

use cargo_repro::report::finding::DIVERGENCE_KINDS;
use insta::assert_snapshot;

use crate::support::{Both, Project, has_namespaces};

/// Verifies with the program doing as `words` say; exactly these divergences must be found.
#[track_caller]
fn diverges(words: &str, kinds: &[&str]) -> (Project, Both) {
    let project = Project::recorded("switch");
    project.write("../switch.txt", words);
    let before = (project.read("repro.lock"), project.read("model.json"));
    let both = project.both(&["verify"]);
    both.human.code(4);
    let verdict = both.json.verdict();
    assert_eq!(both.json.kinds("divergence"), kinds);
    assert_eq!(both.json.kinds("drift"), [""; 0]);
    assert_eq!(verdict["verdict"], "diverged");
    assert!(verdict["divergence"].as_array().unwrap().iter().all(|found| found["stage"] == "train"));
    assert_eq!(
        (project.read("repro.lock"), project.read("model.json")),
        before,
        "a verification writes nothing recorded"
    );
    assert_eq!(project.git(&["status", "--porcelain"]), "");
    assert!(project.leftovers().is_empty());
    (project, both)
}

/// The sentence on the only divergence. Where the artifact comes from is the same as above.
#[track_caller]
fn detail(words: &str, kind: &str) -> String {
    let project = Project::recorded("switch");
    project.write("../switch.txt", words);
    let answer = project.json(&["verify"]);
    assert_eq!(answer.code(4).kinds("divergence"), [kind]);
    answer.verdict()["divergence"][0]["detail"].as_str().unwrap().to_owned()
}

#[test]
fn other_bytes_are_artifact_changed_and_are_left_to_be_looked_at() {
    let (_project, both) = diverges("last-digits", &["artifact-changed model.json"]);
    let left = std::path::PathBuf::from(both.json.verdict()["outputs"].as_str().unwrap());
    assert!(std::fs::read_to_string(left.join("model.json")).unwrap().contains("0.10000000000000002"));
    assert_snapshot!(both.snapshot);
}

#[test]
fn an_artifact_that_was_not_written_is_artifact_missing() {
    let (_, both) = diverges("no-model", &["artifact-missing model.json"]);
    assert_snapshot!(both.snapshot);
}

#[test]
fn a_file_that_nobody_declared_is_artifact_unexpected() {
    let (_project, both) = diverges("stray", &["artifact-unexpected stray.txt"]);
    let left = std::path::PathBuf::from(both.json.verdict()["outputs"].as_str().unwrap());
    assert!(left.join("stray.txt").exists());
    assert_snapshot!(both.snapshot);
}

#[test]
fn an_unexpected_link_to_nowhere_is_named_and_not_followed() {
    diverges("stray-link", &["artifact-unexpected stray.txt"]);
}

#[test]
fn a_file_above_the_package_cannot_be_written() {
    if !has_namespaces("a_file_above_the_package_cannot_be_written") {
        return;
    }
    let mut project = Project::bare("workspace", "project");
    project.git(&["init", "--quiet"]);
    project.root = project.root.join("trainer");
    let main = "std::fs::write(\"../notes.txt\", \"of the program\").unwrap();";
    project
        .edit("src/main.rs", "fn main() {", &format!("fn main() {{\n    {main}"))
        .commit("start");
    project.write("../notes.txt", "of the user");
    let answer = project.repro(&["record"]);
    answer.code(6);
    assert!(answer.stderr.contains("ReadOnlyFilesystem"), "{}", answer.stderr);
    assert_eq!(project.read("../notes.txt"), "of the user");
    assert!(!project.root.join("repro.lock").exists());
}

#[test]
fn outputs_go_where_they_are_asked_to_but_never_over_what_was_recorded() {
    let project = Project::recorded("switch");
    project.write("../switch.txt", "last-digits");
    project.repro(&["verify", "--outputs", "../looked-at"]).code(4);
    assert!(project.read("../looked-at/model.json").contains("0.10000000000000002"));
    let recorded = project.read("model.json");
    for directory in [".", "src/.."] {
        project.repro(&["verify", "--outputs", directory]).code(2);
        assert_eq!(project.read("model.json"), recorded);
    }
}

#[test]
fn another_figure_is_metric_changed() {
    let (_, both) = diverges("other-accuracy", &["metric-changed accuracy"]);
    assert_snapshot!(both.snapshot);
}

#[test]
fn a_figure_that_the_lock_does_not_know_is_metric_changed() {
    let (_, both) = diverges("new-metric", &["metric-changed recall"]);
    assert_snapshot!(both.snapshot);
}

#[test]
fn metrics_are_compared_by_their_bits() {
    let zero = detail("negative-bias", "metric-changed bias");
    assert_eq!(zero, "equal in value, not in bits (0000000000000000 → 8000000000000000)");
    assert_eq!(detail("nan-loss", "metric-changed loss"), "one of the two is not a finite number");
}

#[test]
fn a_figure_that_was_not_reported_is_metric_missing() {
    let (_, both) = diverges("no-accuracy", &["metric-missing accuracy"]);
    assert_snapshot!(both.snapshot);
}

#[test]
fn the_first_checkpoint_that_differs_is_checkpoint_diverged_and_later_ones_are_counted() {
    let (_, both) = diverges("other-split", &["checkpoint-diverged split"]);
    assert_snapshot!(both.snapshot);
}

#[test]
fn a_checkpoint_that_came_or_went_is_checkpoint_diverged() {
    let gone = detail("no-fit", "checkpoint-diverged fit");
    assert_eq!(gone, "the first that differs, which was not reported; `split` before it is equal");
    let new = detail("new-checkpoint", "checkpoint-diverged prune");
    assert_eq!(new, "the first that differs, which the lock does not have; `fit` before it is equal");
}

#[test]
fn a_stream_that_was_drawn_from_otherwise_is_stream_changed() {
    let (_, both) = diverges("more-words", &["stream-changed split"]);
    assert_snapshot!(both.snapshot);
}

#[test]
fn a_stream_that_came_or_went_is_stream_changed() {
    assert_eq!(detail("no-stream", "stream-changed split"), "nothing was drawn from this stream");
    assert_eq!(detail("new-stream", "stream-changed bootstrap"), "the lock does not know this stream");
}

#[test]
fn what_the_bytes_of_a_json_artifact_tell_is_told() {
    let artifact = |words| detail(words, "artifact-changed model.json");
    assert_snapshot!(artifact("last-digits"), @"first differing byte at offset 50 (line 1); 1 of 4 numbers differ, by up to 1.4e-16 of their size, first at /weights/0");
    assert_snapshot!(artifact("key-order"), @"first differing byte at offset 2 (line 1); the same values under another order of keys: a map was written in its iteration order");
    assert_snapshot!(artifact("layout"), @"first differing byte at offset 8 (line 1); the same JSON, laid out otherwise");
    assert_snapshot!(artifact("negative-zero"), @"first differing byte at offset 8 (line 1); the same numbers, written otherwise, first at /bias");
    assert_snapshot!(artifact("another-label"), @"first differing byte at offset 29 (line 1); the structure differs, first at /labels");
    assert_snapshot!(artifact("no-json"), @"first differing byte at offset 0 (line 1)");
}

#[test]
fn an_artifact_that_was_not_kept_is_compared_by_its_digest() {
    let project = Project::recorded("switch");
    project.remove("model.json").write("../switch.txt", "last-digits");
    let answer = project.json(&["verify"]);
    assert_eq!(answer.code(4).kinds("divergence"), ["artifact-changed model.json"]);
    assert_snapshot!(answer.verdict()["divergence"][0]["detail"].as_str().unwrap(), @"other bytes; where they begin cannot be told, since the recorded file is not at hand");
}

#[test]
fn every_divergence_is_reported_cause_above_effect() {
    let words = "more-words other-split last-digits stray other-accuracy";
    let kinds = [
        "stream-changed split",
        "checkpoint-diverged split",
        "artifact-changed model.json",
        "artifact-unexpected stray.txt",
        "metric-changed accuracy",
    ];
    let (_, both) = diverges(words, &kinds);
    assert_snapshot!(both.snapshot);
}

#[test]
fn trainings_that_disagree_are_not_recorded_and_what_differed_is_named() {
    let project = Project::fixture("switch");
    let prepare = || {
        // Nothing that is tried afterwards makes it agree: who answers is no source that can be pinned.
        let tried = "steady\nlast-digits\n".repeat(20);
        project.write("../switch.txt", &format!("steady\nsteady\nlast-digits other-accuracy\n{tried}"));
    };
    let both = project.both_after(&["record", "--confirm", "3"], prepare);
    both.human.code(4);
    assert_eq!(both.json.kinds("divergence"), ["artifact-changed model.json", "metric-changed accuracy"]);
    let detail = both.json.verdict()["divergence"][0]["detail"].as_str().unwrap().to_owned();
    assert!(detail.starts_with("first differing byte at offset 50"), "{detail}");
    assert!(!project.root.join("repro.lock").exists());
    assert!(!project.root.join("model.json").exists());
    assert_snapshot!(both.snapshot);
}

#[test]
fn a_training_that_disagrees_later_is_found_by_repeating() {
    let project = Project::recorded("switch");
    let prepare = || {
        project.write("../switch.txt", "steady\nsteady\nother-accuracy\n");
    };
    let both = project.both_after(&["verify", "--times", "3"], prepare);
    both.human.code(4);
    assert_eq!(both.json.verdict()["runs"], 3);
    assert_eq!(both.json.kinds("divergence"), ["metric-changed accuracy"]);
    let network = both.json.redact(&both.json.kinds("notes").join("\n"));
    assert_eq!(network, "network 127.0.0.1:[port]\nruns-disagree trainings");
    assert_snapshot!(both.snapshot);
}

#[test]
fn a_program_that_iterates_over_a_std_map_never_gives_the_same_twice() {
    let project = Project::recorded("entropy");
    let answer = project.json(&["verify"]);
    assert_eq!(answer.code(4).kinds("divergence"), ["artifact-changed model.json"]);
    let refused = project.json(&["record", "--confirm", "2"]);
    assert_eq!(refused.code(4).kinds("divergence"), ["artifact-changed model.json"]);
}

#[test]
fn a_program_of_other_bytes_with_the_same_outcome_is_a_note_and_no_divergence() {
    let project = Project::recorded("steady");
    // A compiler that does something else under the same name, which no snapshot can see.
    let other = "*'--crate-name steady'*) exec $real \"$@\" -Copt-level=1 ;;";
    let human = project.with_compiler(other, &["verify"]);
    human.code(0);
    let json = project.with_compiler(other, &["verify", "--message-format", "json"]);
    assert_eq!(json.kinds("notes"), ["binary-changed program"]);
    assert_eq!(json.verdict()["verdict"], "reproduced");
    assert_snapshot!(format!("{}\n{}", human.text(), json.messages()));
}

#[test]
fn another_platform_class_makes_a_divergence_inconclusive() {
    let project = Project::recorded("switch");
    crate::drift::elsewhere(&project);
    project.write("../switch.txt", "last-digits");
    let both = project.both(&["verify"]);
    both.human.code(7);
    assert_eq!(both.json.verdict()["verdict"], "inconclusive");
    assert_eq!(both.json.kinds("drift"), ["platform-changed libc"]);
    assert_eq!(both.json.kinds("divergence"), ["artifact-changed model.json"]);
    assert_snapshot!(both.snapshot);
}

#[test]
fn the_stage_that_an_output_belongs_to_is_named() {
    let project = Project::recorded("stages");
    project.repro(&["verify"]).code(0);
    // A lock that says something else of each stage's output, as if it had been recorded so.
    let lock = project.read("repro.lock");
    let edited = lock
        .replace("value = \"13.0\"", "value = \"12.0\"")
        .replace("402a000000000000", "4028000000000000");
    assert_ne!(edited, lock);
    project.write("repro.lock", &edited).reseal().commit("another sum");
    let both = project.both(&["verify"]);
    both.human.code(4);
    assert_eq!(both.json.kinds("divergence"), ["metric-changed sum"]);
    assert_eq!(both.json.verdict()["divergence"][0]["stage"], "fit");
    assert_snapshot!(both.snapshot);
}

#[test]
fn this_file_provokes_every_kind_of_divergence() {
    for kind in DIVERGENCE_KINDS {
        assert!(include_str!("divergence.rs").contains(&format!("\"{kind} ")), "no test provokes {kind}");
    }
}
