//! What of the tagged commit may differ from what the lock pins, and what may not.

use super::{GATE, V};
use crate::support::Project;
use crate::support::release::PLAIN;

#[test]
fn files_that_cannot_reach_the_model_may_differ() {
    let project = Project::gated(PLAIN);
    project.write("README.md", "other words\n").write("tests/smoke.rs", "// nothing\n");
    project.write("attestations/a.txt", "nothing\n").write("src/unused.rs", "broken!\n");
    project.commit("prose").tag(V);
    project.passes(&GATE);
    // Nor is it a release's affair whether the model itself is committed.
    project.remove("model.json").commit("no model").tag("v1");
    let both = project.passes(&["gate", "v1"]);
    assert!(both.human.stdout.contains("model.json is not in the tagged commit"), "{}", both.human.stdout);
}

/// Edits, commits, tags; the gate must refuse for these reasons, which `status` must find in a checkout, too.
#[track_caller]
fn refuses(edit: impl for<'a> Fn(&'a Project) -> &'a Project, kinds: &[&str]) {
    let project = Project::gated(PLAIN);
    edit(&project);
    project.commit("an edit").tag(V);
    project.refuses(&GATE, 8, kinds);
    let status = project.json(&["status"]);
    status.code(3);
    assert_eq!(status.kinds("drift"), kinds, "`status` and `gate` must agree");
}

#[test]
fn every_input_is_as_locked() {
    refuses(|project| project.edit("src/main.rs", "/ 100.0", "/ 99.0"), &["source-changed src/main.rs"]);
    refuses(|project| project.edit("repro.toml", "depth = 3", "depth = 4"), &["params-changed params.depth"]);
    refuses(|project| project.edit("repro.toml", "seed = 42", "seed = 43"), &["seed-changed seed"]);
    refuses(
        |project| project.edit("repro.toml", "artifacts =", "args = [\"x\"]\nartifacts ="),
        &["manifest-changed stage.train.args"],
    );
    refuses(
        |project| project.edit("repro.toml", "\n[gate]", "[environment]\nset = { A = \"1\" }\n\n[gate]"),
        &["environment-changed A"],
    );
    refuses(|project| project.edit("data/numbers.csv", "3.5", "3.6"), &["data-changed data.numbers"]);
    refuses(|project| project.write("model.json", "{}\n"), &["artifact-tampered model.json"]);
    refuses(
        |project| {
            project.edit("Cargo.toml", "version = \"0.1.0\"", "version = \"0.2.0\"");
            project.edit("Cargo.lock", "version = \"0.1.0\"", "version = \"0.2.0\"")
        },
        &["source-changed Cargo.toml", "dependency-changed steady"],
    );
}

#[test]
fn what_would_rule_the_build_is_not_new() {
    for (path, text) in [
        ("build.rs", "fn main() {}\n"),
        (".cargo/config.toml", "[term]\nquiet = true\n"),
    ] {
        refuses(|project| project.write(path, text), &[&format!("source-changed {path}")]);
    }
    // What only the compiler could tell of these, nobody asks it here.
    for (path, text) in [
        (".cargo/config", "[build]\nrustflags = [\"-Copt-level=1\"]\n"),
        ("rust-toolchain.toml", "[toolchain]\nchannel = \"1.0.0\"\n"),
        ("rust-toolchain", "1.0.0\n"),
    ] {
        let project = Project::gated(PLAIN);
        project.write(path, text).commit("rules").tag(V);
        project.refuses(&GATE, 8, &[&format!("source-changed {path}")]);
    }
}

#[test]
fn links_and_submodules_hide_nothing() {
    let project = Project::gated(PLAIN);
    project.write("elsewhere/config.toml", "[build]\nrustflags = [\"-Copt-level=1\"]\n");
    std::os::unix::fs::symlink("elsewhere", project.root.join(".cargo")).unwrap();
    project.commit("a link").tag("v1");
    project.refuses(&["gate", "v1"], 8, &["source-changed .cargo", "source-changed elsewhere/config.toml"]);
    project.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    std::os::unix::fs::symlink("elsewhere.rs", project.root.join("build.rs")).unwrap();
    project.write("elsewhere.rs", "fn main() {}\n").commit("a link").tag("v2");
    project.refuses(&["gate", "v2"], 8, &["source-changed build.rs", "source-changed elsewhere.rs"]);
    project.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    for (directory, kinds) in [
        ("src", "source-changed src (submodule)"),
        (".cargo", "source-changed .cargo (submodule)"),
    ] {
        let commit = project.git(&["rev-parse", "HEAD"]);
        project.git(&["rm", "-r", "--quiet", "--cached", "--ignore-unmatch", directory]);
        project.git(&[
            "update-index",
            "--add",
            "--cacheinfo",
            &format!("160000,{commit},{directory}"),
        ]);
        project.git(&["commit", "--quiet", "--message", "a submodule"]);
        let tag = format!("v3{directory}");
        project.tag(&tag);
        let found = project.both(&["gate", &tag]).json.code(8).kinds("refusals");
        assert!(found.contains(&kinds.to_owned()), "{found:?}");
        project.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    }
}

#[test]
fn a_cargo_lock_that_is_gone_or_is_none_is_source_changed() {
    let project = Project::gated(PLAIN);
    project.write("Cargo.lock", "garbage\n").commit("garbage").tag("v1");
    project.refuses(&["gate", "v1"], 8, &["source-changed Cargo.lock"]);
    project.remove("Cargo.lock").commit("gone").tag("v2");
    project.refuses(&["gate", "v2"], 8, &["source-changed Cargo.lock"]);
    // Text alone is a difference, too.
    project.git(&["checkout", "--quiet", "HEAD~2", "--", "Cargo.lock"]);
    let text = project.read("Cargo.lock");
    project.write("Cargo.lock", &format!("{text}# a word\n")).commit("a word").tag("v3");
    project.refuses(&["gate", "v3"], 8, &["dependency-changed Cargo.lock"]);
}

#[test]
fn the_lock_of_another_commit_is_not_the_lock_of_this_one() {
    let project = Project::gated(PLAIN);
    let old = project.read("repro.lock");
    project.edit("src/main.rs", "/ 100.0", "/ 99.0").commit("another program").record();
    project.tag("v1");
    project.passes(&["gate", "v1"]);
    project.write("repro.lock", &old).commit("the old lock").tag("v2");
    let reasons = ["source-changed src/main.rs"];
    let both = project.both(&["gate", "v2"]);
    both.human.code(8);
    let found = both.json.kinds("refusals");
    assert!(reasons.iter().all(|reason| found.contains(&(*reason).to_owned())), "{found:?}");
}

#[test]
fn data_that_came_into_a_declared_directory_is_data_added() {
    let project = Project::fixture("steady");
    project
        .edit("repro.toml", "[data]\n", "[data]\nmore = \"more\"\n")
        .write("more/a.csv", "1\n");
    project.named().commit("a directory").record().policy("repro.toml", PLAIN).tag("v1");
    project.passes(&["gate", "v1"]);
    project.write("more/b.csv", "1\n").commit("more").tag("v2");
    project.refuses(&["gate", "v2"], 8, &["data-added data.more"]);
    project.remove("more/b.csv").edit("repro.toml", "[data]\n", "[data]\nother = \"x.csv\"\n");
    project.commit("declared").tag("v3");
    let kinds = ["manifest-changed stage.train.data", "manifest-changed data.other"];
    project.refuses(&["gate", "v3"], 8, &kinds);
    project
        .edit("repro.toml", "other = \"x.csv\"\nmore = \"more\"\n", "")
        .commit("not declared any more")
        .tag("v4");
    let both = project.both(&["gate", "v4"]);
    both.human.code(8);
}

#[test]
fn data_that_is_not_committed_is_said_not_to_be_checked() {
    let project = Project::recorded("switch");
    project.named().policy("repro.toml", PLAIN).tag(V);
    let both = project.passes(&GATE);
    let text = both.human.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("data: data.numbers: not in the tagged commit"), "{text}");
}
