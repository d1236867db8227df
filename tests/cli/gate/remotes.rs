//! Tags that moved: against what this clone saw first, and against what a remote has.

use insta::assert_snapshot;

use super::{GATE, V};
use crate::support::release::PLAIN;
use crate::support::{Project, git};

/// A project with a tag, and a bare `origin` that has it too.
fn pushed() -> Project {
    let project = Project::gated(PLAIN);
    project.tag(V);
    git(project.around(), &["init", "--quiet", "--bare", "--initial-branch=main", "origin.git"]);
    let url = project.around().join("origin.git");
    project.git(&["remote", "add", "origin", &url.to_string_lossy()]);
    project.git(&["push", "--quiet", "origin", "main", V]);
    project
}

/// Makes the tag another object, which carries the same lock.
fn retag(project: &Project) {
    project.write("README.md", "later\n").commit("later");
    project.git(&["tag", "--delete", V]);
    project.tag(V);
}

#[test]
fn a_tag_that_was_moved_on_the_remote_and_fetched_is_known_to_have_moved() {
    let project = pushed();
    let both = project.passes(&GATE);
    let not_checked = both.json.verdict()["not_checked"].as_array().unwrap().clone();
    assert!(not_checked.iter().all(|item| item["kind"] != "remote"), "the remote was asked");
    let other = Project::clone_of(&project.around().join("origin.git"));
    retag(&other);
    other.git(&["push", "--quiet", "--force", "origin", "main", V]);
    // Before it is fetched, this clone and the remote differ; after it, only its memory tells.
    project.refuses(&GATE, 8, &["tag-moved tag"]);
    project.git(&["fetch", "--quiet", "--force", "origin", "main", "tag", V]);
    assert_snapshot!(project.refuses(&GATE, 8, &["tag-moved tag"]).snapshot);
    project.refuses(&["gate", V, "--offline"], 8, &["tag-moved tag"]);
}

#[test]
fn a_tag_that_only_this_clone_moved_is_another_one_than_the_remote_s() {
    let project = pushed();
    retag(&project);
    assert_snapshot!(project.refuses(&GATE, 8, &["tag-moved tag"]).snapshot);
    project.passes(&["gate", V, "--offline"]);
    // Having asked once, it is known without a remote.
    project.git(&["fetch", "--quiet", "--force", "origin", "tag", V]);
    project.passes(&GATE);
    retag(&project);
    project.refuses(&["gate", V, "--offline"], 8, &["tag-moved tag"]);
    project.refuses(&GATE, 8, &["tag-moved tag", "tag-moved tag"]);
}

#[test]
fn a_remote_that_does_not_have_the_tag_yet_has_nothing_against_it() {
    let project = pushed();
    project.tag("v1");
    project.passes(&["gate", "v1"]);
    // It was not seen anywhere, so it may still be made anew.
    project.git(&["tag", "--delete", "v1"]);
    project.write("README.md", "later\n").commit("later").tag("v1");
    project.passes(&["gate", "v1"]);
}

#[test]
fn a_remote_that_cannot_be_asked_is_said_not_to_be_checked() {
    let project = pushed();
    project.git(&["remote", "set-url", "origin", "/nowhere/at/all"]);
    let both = project.passes(&GATE);
    let not_checked = both.json.verdict()["not_checked"].as_array().unwrap().clone();
    let remote = not_checked.iter().find(|item| item["kind"] == "remote").unwrap();
    assert!(remote["why"].as_str().unwrap().starts_with("origin could not be asked for its tag: "), "{remote}");
    let both = project.passes(&["gate", V, "--remote", "nobody"]);
    assert!(both.human.stdout.contains("nobody could not be asked"), "{}", both.human.stdout);
}

#[test]
fn without_the_network_no_remote_is_asked() {
    let project = pushed();
    project.git(&["remote", "set-url", "origin", "ext::sh -c touch% asked"]);
    project.git(&["config", "protocol.ext.allow", "always"]);
    let both = project.passes(&["gate", V, "--offline"]);
    assert!(both.human.stdout.contains("no remote was asked"), "{}", both.human.stdout);
    assert!(!project.root.join("asked").exists());
}

#[test]
fn nobody_is_told_who_may_read_a_remote() {
    let project = pushed();
    let url = "http://ada:hunter2@127.0.0.1:1/wine?private_token=hunter3";
    for (set, args) in [("origin", vec!["gate", V]), (url, vec!["gate", V, "--remote", url])] {
        if set == "origin" {
            project.git(&["remote", "set-url", "origin", url]);
        }
        let reports = ["a.html", "a.md", "a.json", "a.xml", "a.sarif"].map(|name| format!("../{name}"));
        let mut all = args.clone();
        reports.iter().for_each(|report| all.extend(["--report", report]));
        let both = project.passes(&all);
        let filed = reports.iter().map(|report| project.read(report)).collect::<String>();
        let said = [
            both.human.stdout,
            both.human.stderr,
            both.json.stdout,
            both.json.stderr,
            filed,
        ]
        .concat();
        assert!(said.contains("could not be asked"), "{said}");
        assert!(!said.contains("hunter") && !said.contains("ada:"), "{said}");
    }
}
