//! The gate wherever a repository may be: shallow, bare, with packages below its top.

use std::path::Path;

use super::{GATE, V};
use crate::support::release::PLAIN;
use crate::support::{Answer, Both, Project, git};

/// A clone of the last commit alone.
fn shallow(project: &Project) -> Project {
    let clone = Project::empty();
    let url = format!("file://{}", project.root.display());
    git(clone.around(), &["clone", "--quiet", "--depth=1", "--no-tags", &url, "project"]);
    clone
}

#[test]
fn a_shallow_clone_without_the_tag_or_its_commit_says_that_it_is_shallow() {
    let project = Project::gated(PLAIN);
    project.tag(V).write("README.md", "later\n").commit("later");
    let clone = shallow(&project);
    let both = clone.refuses(&["gate", V, "--offline"], 8, &["tag-missing tag"]);
    assert!(both.human.stdout.contains("git fetch --unshallow"), "{}", both.human.stdout);
    // The tag's object alone, without what it points to.
    let text = project.git(&["cat-file", "tag", V]) + "\n";
    let file = clone.file("object", &text);
    let object = clone.git(&["hash-object", "-w", "-t", "tag", "--literally", &file]);
    clone.git(&["update-ref", "refs/tags/v0.1.0", &object]);
    let both = clone.refuses(&["gate", V, "--offline"], 8, &["commit-missing commit"]);
    assert!(both.human.stdout.contains("what the tag points to"), "{}", both.human.stdout);
    insta::assert_snapshot!(both.snapshot);
}

#[test]
fn a_shallow_clone_without_the_lock_s_commit_cannot_vouch_for_it() {
    let project = Project::gated(PLAIN);
    project.tag(V);
    let clone = shallow(&project);
    clone.git(&["fetch", "--quiet", "--depth=1", "origin", "tag", V]);
    let both = clone.refuses(&GATE, 8, &["commit-missing commit"]);
    assert!(both.human.stdout.contains("what the lock was recorded at"), "{}", both.human.stdout);
    clone.git(&["fetch", "--quiet", "--unshallow", "--tags"]);
    clone.passes(&GATE);
}

/// The binary in another directory.
fn within(project: &Project, directory: &Path, args: &[&str]) -> Answer {
    project.answer(project.command(args).current_dir(directory))
}

#[test]
fn a_bare_repository_is_asked_as_any_other() {
    let project = Project::gated("tags = \"v*\"\nversion = \"v{version}\"\n");
    project.tag(V).tag("v0.2.0").tag("nightly");
    let bare = project.around().join("bare.git");
    git(project.around(), &["clone", "--quiet", "--bare", "project", "bare.git"]);
    within(&project, &bare, &GATE).code(0);
    within(&project, &bare, &["gate", V, "--policy-ref", "main"]).code(0);
    within(&project, &bare, &["gate", V, "-p", "steady"]).code(0);
    within(&project, &bare, &["gate", V, "-p", "nobody"]).code(2);
    let json = within(&project, &bare, &["gate", "v0.2.0", "--message-format", "json"]);
    json.code(8);
    assert_eq!(json.kinds("refusals"), ["version-other package"]);
    // Of a tag that nobody's policy names there is nothing to say, and that is no yes.
    let answer = within(&project, &bare, &["gate", "nightly"]);
    answer.code(1);
    assert!(answer.stderr.contains("no package here has a policy for the tag nightly"), "{}", answer.stderr);
    assert!(!answer.stdout.contains("passed"));
}

/// `steady` in a directory of a repository, recorded.
fn below() -> Project {
    let project = Project::bare("steady", "top/model");
    git(project.root.parent().unwrap(), &["init", "--quiet", "--initial-branch=main"]);
    // Else nothing above it could rule it.
    project.edit("Cargo.toml", "[workspace]", "");
    project.named().commit("start").record().policy("repro.toml", PLAIN);
    project
}

#[test]
fn a_package_in_a_directory_of_its_own_is_asked_from_there_and_from_the_top() {
    let project = below();
    let top = project.root.parent().unwrap();
    project.write("../README.md", "words\n").commit("words").tag(V);
    project.passes(&GATE);
    within(&project, top, &GATE).code(0);
    within(&project, top, &["gate", V, "--manifest-path", "model/Cargo.toml"]).code(0);
    for (path, text) in [
        (".cargo/config.toml", "[build]\nrustflags = []\n"),
        ("rust-toolchain.toml", "[toolchain]\nchannel = \"1.0.0\"\n"),
        ("Cargo.toml", "[workspace]\nmembers = [\"model\"]\n[profile.release]\nopt-level = 1\n"),
    ] {
        project.write(&format!("../{path}"), text).commit("rules from above");
        let tag = format!("v{}", path.replace('.', ""));
        project.tag(&tag);
        let mut reasons = vec![format!("source-changed {path}")];
        // A workspace has its Cargo.lock at its top, where there is none.
        reasons.extend((path == "Cargo.toml").then(|| "source-changed Cargo.lock".to_owned()));
        let reasons: Vec<&str> = reasons.iter().map(String::as_str).collect();
        let both: Both = project.refuses(&["gate", &tag], 8, &reasons);
        assert!(!both.human.stdout.contains("passed"));
        project.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    }
    // One that leaves the package out, or is no workspace's, rules nothing.
    let apart = "[workspace]\nmembers = []\nexclude = [\"model\"]\n[profile.release]\nopt-level = 1\n";
    project.write("../Cargo.toml", apart).commit("apart").tag("v8");
    project.passes(&["gate", "v8"]);
    project.repro(&["status"]).code(0);
    project
        .write("../Cargo.toml", "[package]\nname = \"top\"\nversion = \"1.0.0\"\n")
        .commit("a package");
    project.tag("v9");
    project.passes(&["gate", "v9"]);
}

/// How a report of the gate says that it can be repeated.
fn repeat(project: &Project, directory: &Path, args: &[&str]) -> String {
    let path = project.around().join("reports/gate.json");
    let path = path.to_string_lossy().into_owned();
    within(project, directory, &[&["gate", V, "--report", &path], args].concat()).code(0);
    let text = std::fs::read_to_string(&path).unwrap();
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    report["repeat"].as_str().unwrap().to_owned()
}

#[test]
fn how_to_repeat_it_names_all_that_decides_but_no_path_of_this_machine() {
    let project = below();
    let top = project.root.parent().unwrap();
    project.tag(V).write("a b.jsonl", "").write("../c.jsonl", "");
    let outside = project.file("d.jsonl", "");
    let inside = project.root.join("a b.jsonl").to_string_lossy().into_owned();
    for (directory, args, told) in [
        (&*project.root, &["--from", "a b.jsonl"][..], "--from 'a b.jsonl'"),
        (&project.root, &["--from", &inside], "--from 'a b.jsonl'"),
        (top, &["--manifest-path", "model/Cargo.toml", "--from", "c.jsonl"], "--from ../c.jsonl"),
        (
            top,
            &["-p", "steady", "--offline", "--from", "c.jsonl", &outside],
            "--offline --from ../c.jsonl d.jsonl",
        ),
        (top, &["--remote", "elsewhere", "--policy-ref", "main"], "--policy-ref main --remote elsewhere"),
    ] {
        let expected = match args[0] {
            // Whoever asks at the top asks of every package.
            "--remote" => format!("cargo repro gate {V} {told}"),
            _ => format!("cd model && cargo repro gate {V} {told}"),
        };
        assert_eq!(repeat(&project, directory, args), expected);
    }
}

fn workspace() -> Project {
    let project = Project::bare("workspace", "project");
    project.git(&["init", "--quiet", "--initial-branch=main"]);
    project.edit("Cargo.toml", "resolver = \"3\"\n", "resolver = \"3\"\n[workspace.package]\nversion = \"0.1.0\"\n");
    project.edit("trainer/Cargo.toml", "version = \"0.1.0\"", "version.workspace = true");
    project.named().commit("start");
    project.repro(&["record", "-p", "trainer"]).code(0);
    project.commit("record");
    project.policy("trainer/repro.toml", "tags = \"trainer-*\"\nversion = \"trainer-{version}\"\n");
    project
}

#[test]
fn a_package_of_a_workspace_has_the_workspace_s_version() {
    let project = workspace();
    let id = cargo_repro::lockfile::Lockfile::read(&project.root.join("trainer/repro.lock"))
        .unwrap()
        .id;
    let message = format!("trainer\n\nRepro-Lock: {id}\n");
    project.tag_saying("trainer-0.1.0", "HEAD", &message, &[]);
    project.tag_saying("trainer-0.2.0", "HEAD", &message, &[]);
    // From the top it is found by its policy, which names the tag.
    for args in [
        &["gate", "trainer-0.1.0"][..],
        &["gate", "trainer-0.1.0", "-p", "trainer"],
    ] {
        project.passes(args);
    }
    project.refuses(&["gate", "trainer-0.2.0", "-p", "trainer"], 8, &["version-other package"]);
    project.refuses(&["gate", "trainer-0.2.0"], 8, &["version-other package"]);
    within(&project, &project.root.join("trainer/src"), &["gate", "trainer-0.1.0"]).code(0);
    project.repro(&["gate", "trainer-0.1.0", "-p", "nobody"]).code(2);
    // Every package that the tag would be a release of is asked.
    project.write("shared/repro.toml", "version = 1\nseed = 1\n[stage.train]\nbin = \"x\"\n[ gate ]\n");
    project.commit("another policy");
    project.tag_saying("trainer-0.1.0-rc", "HEAD", &message, &[]);
    let both = project.both(&["gate", "trainer-0.1.0-rc"]);
    both.human.code(8);
    assert!(both.json.kinds("refusals").contains(&"lock-missing shared/repro.lock".to_owned()));
    assert!(both.json.kinds("refusals").contains(&"version-other package".to_owned()));
    // What the others do is their affair.
    project.write("shared/src/lib.rs", "broken\n").commit("broken");
    project.tag_saying("trainer-0.1.0-rc2", "HEAD", &message, &[]);
    let both = project.both(&["gate", "trainer-0.1.0-rc2", "-p", "trainer"]);
    assert!(both.json.kinds("refusals").contains(&"source-changed shared/src/lib.rs".to_owned()));
}

#[test]
fn a_workspace_has_one_cargo_lock_and_no_other_stands_in_for_it() {
    let project = workspace();
    let id = cargo_repro::lockfile::Lockfile::read(&project.root.join("trainer/repro.lock"))
        .unwrap()
        .id;
    let message = format!("trainer\n\nRepro-Lock: {id}\n");
    let lock = project.read("Cargo.lock");
    project
        .write("trainer/Cargo.lock", &lock)
        .write("Cargo.lock", &format!("{lock}# a word\n"));
    project.commit("a lock that cargo does not read");
    project.tag_saying("trainer-0.1.0", "HEAD", &message, &[]);
    project.refuses(&["gate", "trainer-0.1.0"], 8, &["dependency-changed Cargo.lock"]);
    // A package may say itself where its workspace is.
    project.write("Cargo.lock", &lock).remove("trainer/Cargo.lock");
    project
        .edit("trainer/Cargo.toml", "[package]\n", "[package]\nworkspace = \"./..\"\n")
        .commit("where");
    project.tag_saying("trainer-0.1.0-rc", "HEAD", &message, &[]);
    let both = project.both(&["gate", "trainer-0.1.0-rc"]);
    both.human.code(8);
    assert_eq!(both.json.kinds("refusals"), ["source-changed trainer/Cargo.toml", "version-other package"]);
}

#[test]
fn where_there_is_no_repository_nothing_is_judged() {
    let project = Project::empty();
    let answer = project.repro(&GATE);
    answer.code(1);
    assert!(!answer.stdout.contains("passed"), "{}", answer.stdout);
}
