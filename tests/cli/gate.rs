//! `gate`: every reason to refuse a tag, provoked in a real repository, and what is none.

mod content;
mod places;
mod remotes;
mod signers;

use std::path::Path;

use insta::assert_snapshot;

use crate::support::Project;
use crate::support::release::{PLAIN, keys};

const V: &str = "v0.1.0";
const GATE: [&str; 2] = ["gate", V];

#[test]
fn a_tag_that_names_the_lock_of_its_commit_may_be_a_release() {
    let project = Project::gated(PLAIN);
    project.tag(V);
    let both = project.passes(&GATE);
    let not_checked = both.json.verdict()["not_checked"].as_array().unwrap().clone();
    let kinds: Vec<&str> = not_checked.iter().map(|item| item["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["retraining", "signature", "policy", "remote"], "a bare policy promises little, and says so");
    assert_snapshot!(both.snapshot);
}

#[test]
fn a_tag_that_is_not_here_is_missing() {
    let project = Project::gated(PLAIN);
    for name in ["v9", "refs/tags/v9", "", "v..9", "-", "HEAD", "heads/main"] {
        project.refuses(&["gate", name], 8, &["tag-missing tag"]);
    }
    assert_snapshot!(project.refuses(&["gate", "v9"], 8, &["tag-missing tag"]).snapshot);
}

#[test]
fn a_lightweight_tag_is_none_of_a_release() {
    let project = Project::gated(PLAIN);
    project.git(&["tag", V]);
    assert_snapshot!(project.refuses(&GATE, 8, &["tag-lightweight tag"]).snapshot);
}

#[test]
fn a_tag_under_another_name_is_renamed_however_it_came_there() {
    let project = Project::gated(PLAIN);
    project.tag("v0.0.1");
    project.git(&["update-ref", "refs/tags/v0.1.0", "refs/tags/v0.0.1"]);
    assert_snapshot!(project.refuses(&GATE, 8, &["tag-renamed tag"]).snapshot);
    project.git(&["update-ref", "-d", "refs/tags/v0.1.0"]);
    project.git(&["symbolic-ref", "refs/tags/v0.1.0", "refs/tags/v0.0.1"]);
    project.refuses(&GATE, 8, &["tag-renamed tag"]);
    project.passes(&["gate", "v0.0.1"]);
}

#[test]
fn a_tag_of_something_else_than_a_commit_is_no_release() {
    let project = Project::gated(PLAIN);
    project.tag("v0");
    let message = format!("v\n\n{}", project.lock_line());
    for (target, what) in [
        ("HEAD^{tree}", "a tree"),
        ("HEAD:repro.lock", "a blob"),
        ("v0", "a tag"),
    ] {
        project.tag_saying("v1", target, &message, &[]);
        let answer = project.refuses(&["gate", "v1"], 8, &["tag-target tag"]);
        let wanted = format!("the tag points to {what} and not to a commit");
        assert!(answer.human.stdout.contains(&wanted), "{}", answer.human.stdout);
        project.git(&["tag", "--delete", "v1"]);
        // The same without a tag's object between.
        let plain = if what == "a tag" { continue } else { target };
        let object = project.git(&["rev-parse", plain]);
        project.git(&["update-ref", "refs/tags/v1", &object]);
        project.refuses(&["gate", "v1"], 8, &["tag-target tag"]);
        project.git(&["tag", "--delete", "v1"]);
    }
}

#[test]
fn a_message_must_name_this_lock_and_no_other() {
    let project = Project::gated(PLAIN);
    let line = project.lock_line();
    let other = format!("Repro-Lock: sha256:{}\n", "0".repeat(64));
    for (message, kind) in [
        ("v0.1.0\n", "lock-unnamed"),
        ("", "lock-unnamed"),
        ("v0.1.0\n\nRepro-Lock: sha256:12\n", "lock-unnamed"),
        (&format!("v0.1.0\n\n-----BEGIN NOTHING-----\n{line}"), "lock-unnamed"),
        (&format!("v0.1.0\n\n{other}"), "lock-other"),
        (&format!("v0.1.0\n\n{line}{other}"), "lock-other"),
        (&format!("v0.1.0\n\n{other}{line}"), "lock-other"),
    ] {
        project.tag_saying(V, "HEAD", message, &[]);
        let both = project.refuses(&GATE, 8, &[&format!("{kind} tag")]);
        if message.is_empty() || message.ends_with(&format!("\n\n{other}")) {
            assert_snapshot!(kind, both.snapshot);
        }
        project.git(&["tag", "--delete", V]);
    }
}

#[test]
fn what_stands_in_a_message_beside_the_lock_is_harmless() {
    let project = Project::gated(PLAIN);
    let odd = "\u{1b}[2J\u{1b}[31mpassed\r\u{7}\u{202e} [gate] %s $(rm) `x` \u{0}";
    let message =
        format!("{}\n\nRepro-Verdict: {odd}\nRepro-Class: {odd}\n{}", odd.replace('\0', ""), { project.lock_line() });
    project.tag_saying(V, "HEAD", &message.replace('\0', ""), &[]);
    let both = project.passes(&GATE);
    let said = both.human.stdout + &both.human.stderr;
    assert!(!said.chars().any(|c| c.is_control() && c != '\n'), "{said:?}");
    // A tag can be made of any bytes; git itself would not.
    project.git(&["tag", "--delete", V]);
    let commit = project.git(&["rev-parse", "HEAD"]);
    let bytes = format!("object {commit}\ntype commit\ntag {V}\u{1b}[31m\ntagger T <t@localhost> 1 +0000\n\nx\n");
    let file = project.file("object", &bytes);
    let object = project.git(&["hash-object", "-w", "--literally", "-t", "tag", &file]);
    project.git(&["update-ref", "refs/tags/v0.1.0", &object]);
    let both = project.refuses(&GATE, 8, &["tag-renamed tag", "lock-unnamed tag"]);
    assert!(!both.human.stdout.contains('\u{1b}'), "{:?}", both.human.stdout);
}

#[test]
fn the_tag_is_called_after_the_version_where_the_policy_says_so() {
    let project = Project::gated("version = \"v{version}\"\n");
    project.tag(V).tag("v0.2.0");
    project.passes(&GATE);
    assert_snapshot!(project.refuses(&["gate", "v0.2.0"], 8, &["version-other package"]).snapshot);
    project.edit("Cargo.toml", "version = \"0.1.0\"\n", "").commit("no version");
    project.tag("v0.0.0");
    let both = project.refuses(&["gate", "v0.0.0"], 8, &["source-changed Cargo.toml", "version-other package"]);
    assert!(both.human.stdout.contains("the package's version cannot be told"), "{}", both.human.stdout);
}

#[test]
fn a_commit_without_a_whole_lock_is_no_release() {
    let project = Project::gated(PLAIN);
    let line = project.lock_line();
    let tag = |name: &str| project.tag_saying(name, "HEAD", &format!("{name}\n\n{line}"), &[]);
    let whole = project.read("repro.lock");
    project.remove("repro.lock").commit("no lock");
    tag("v1");
    assert_snapshot!(project.refuses(&["gate", "v1"], 8, &["lock-missing repro.lock"]).snapshot);
    let cut = &whole[..whole.len() / 2];
    let newer = whole.replacen("version = 1", "version = 2", 1);
    for (number, text) in ["", "garbage\n", cut, &newer].into_iter().enumerate() {
        project.write("repro.lock", text).commit("another lock");
        let name = format!("v2.{number}");
        tag(&name);
        let both = project.refuses(&["gate", &name], 8, &["lock-unreadable repro.lock"]);
        if number == 2 {
            assert_snapshot!("a_lock_that_was_cut_off", both.snapshot);
        }
        if number == 3 {
            assert!(both.human.stdout.contains("is of version 2"), "{}", both.human.stdout);
        }
    }
    std::fs::write(project.root.join("repro.lock"), b"\xff\xfe").unwrap();
    project.commit("no text");
    tag("v3");
    project.refuses(&["gate", "v3"], 8, &["lock-unreadable repro.lock"]);
}

#[test]
fn a_lock_must_be_clean_whole_and_confirmed() {
    let project = Project::gated("confirmed = 2\n");
    project.tag("v1");
    assert_snapshot!(project.refuses(&["gate", "v1"], 8, &["lock-unconfirmed repro.lock"]).snapshot);
    project.edit("repro.lock", "runs = 1", "runs = 2").commit("a lie");
    project.tag("v2");
    assert_snapshot!(project.refuses(&["gate", "v2"], 8, &["lock-edited repro.lock"]).snapshot);
    project.edit("repro.lock", "dirty = false", "dirty = true").reseal().commit("dirty");
    project.tag("v3");
    assert_snapshot!(project.refuses(&["gate", "v3"], 8, &["lock-dirty repro.lock"]).snapshot);
}

#[test]
fn the_commit_that_the_lock_was_recorded_at_has_what_the_lock_pins() {
    let project = Project::gated(PLAIN);
    let recorded = project.lock().lock.snapshot.source.commit;
    project.edit("src/main.rs", "/ 100.0", "/ 99.0").commit("another program");
    let other = project.git(&["rev-parse", "HEAD"]);
    project.edit("src/main.rs", "/ 99.0", "/ 100.0");
    project.edit("repro.lock", &recorded, &other).reseal().commit("back again");
    project.tag("v1");
    assert_snapshot!(project.refuses(&["gate", "v1"], 8, &["commit-other repro.lock"]).snapshot);
    for nowhere in ["0".repeat(40), "1".repeat(40), "main".to_owned(), String::new()] {
        let there = project.lock().lock.snapshot.source.commit;
        let from = format!("commit = \"{there}\"");
        project
            .edit("repro.lock", &from, &format!("commit = \"{nowhere}\""))
            .reseal()
            .commit("nowhere");
        let tag = format!("v2{nowhere}");
        project.tag(&tag);
        project.refuses(&["gate", &tag], 8, &["commit-missing commit"]);
    }
}

#[test]
fn every_reason_is_given_and_not_only_the_first() {
    let project = Project::gated(PLAIN);
    let alice = project.key("alice");
    let policy = format!("confirmed = 3\nversion = \"v{{version}}\"\nrequire = 1\n{}", keys(&[("alice", &alice)]));
    project.policy("repro.toml", &policy);
    project
        .edit("src/main.rs", "/ 100.0", "/ 99.0")
        .edit("repro.toml", "depth = 3", "depth = 4");
    project
        .edit("data/numbers.csv", "3.5", "3.6")
        .edit("repro.lock", "dirty = false", "dirty = true");
    project
        .write("model.json", "{}\n")
        .write("build.rs", "fn main() {}\n")
        .commit("everything at once");
    project.tag_saying("v7", "HEAD", "v7\n", &[]);
    project.git(&["update-ref", "refs/tags/v8", "refs/tags/v7"]);
    let reasons = [
        "tag-renamed tag",
        "lock-unnamed tag",
        "lock-edited repro.lock",
        "lock-dirty repro.lock",
        "lock-unconfirmed repro.lock",
        "params-changed params.depth",
        "data-changed data.numbers",
        "source-changed build.rs",
        "source-changed src/main.rs",
        "artifact-tampered model.json",
        "version-other package",
        "attestations-lacking attestations",
    ];
    let both = project.both(&["gate", "v8"]);
    both.human.code(8);
    let mut found = both.json.kinds("refusals");
    found.sort();
    let mut wanted = reasons.map(str::to_owned);
    wanted.sort();
    assert_eq!(found, wanted);
    assert!(
        both.human.stdout.starts_with("refused: v8 is no release, for 12 reasons\n"),
        "{}",
        both.human.stdout
    );
    assert_snapshot!(both.snapshot);
}

#[test]
fn a_policy_comes_from_the_reference_that_is_asked_for() {
    let project = Project::gated("version = \"v{version}\"\n");
    project.git(&["branch", "protected"]);
    // The tag brings a policy that asks for nothing.
    project.policy("repro.toml", PLAIN).tag("v7");
    project.passes(&["gate", "v7"]);
    let at = |reference| ["gate", "v7", "--policy-ref", reference];
    let both = project.refuses(&at("protected"), 8, &["version-other package"]);
    let not_checked = both.json.verdict()["not_checked"].as_array().unwrap().clone();
    assert!(not_checked.iter().all(|item| item["kind"] != "policy"));
    project.refuses(&at("refs/heads/protected"), 8, &["version-other package"]);
    assert_snapshot!(project.refuses(&at("origin/main"), 8, &["policy-unreadable origin/main"]).snapshot);
    project.git(&["branch", "broken"]);
    project.git(&["switch", "--quiet", "broken"]);
    project.policy("repro.toml", "require = 3\n");
    let kind = ["policy-unreadable broken"];
    assert_snapshot!("a_policy_with_a_mistake", project.refuses(&at("broken"), 8, &kind).snapshot);
    project.remove("repro.toml").commit("no manifest");
    project.git(&["switch", "--quiet", "main"]);
    project.refuses(&at("broken"), 8, &kind);
}

#[test]
fn no_tag_takes_the_place_of_the_branch_that_the_policy_is_read_from() {
    let project = Project::gated("version = \"v{version}\"\n");
    project.git(&["branch", "protected"]);
    project.git(&["update-ref", "refs/remotes/origin/main", "HEAD"]);
    project.policy("repro.toml", PLAIN).tag("v7");
    for shadow in ["protected", "origin/main"] {
        for before in ["", "refs/heads/", "refs/remotes/", "heads/", "refs/tags/"] {
            project.tag(&format!("{before}{shadow}"));
        }
        project.git(&["update-ref", &format!("refs/{shadow}"), "HEAD"]);
    }
    // Into a server, others push this, too.
    project.git(&["update-ref", "refs/remotes/protected", "HEAD"]);
    for reference in [
        "protected",
        "origin/main",
        "refs/heads/protected",
        "refs/remotes/origin/main",
    ] {
        project.refuses(&["gate", "v7", "--policy-ref", reference], 8, &["version-other package"]);
    }
    let id = project.git(&["rev-parse", "refs/heads/protected"]);
    project.refuses(&["gate", "v7", "--policy-ref", &id], 8, &["version-other package"]);
    project.passes(&["gate", "v7", "--policy-ref", "refs/tags/v7"]);
    project.tag("elsewhere");
    let only = ["gate", "v7", "--policy-ref", "elsewhere"];
    project.refuses(&only, 8, &["policy-unreadable elsewhere"]);
}

#[test]
fn a_tagged_manifest_that_cannot_be_read_is_no_release() {
    let project = Project::gated(PLAIN);
    project.git(&["branch", "protected"]);
    project.edit("repro.toml", "seed = 42", "seed = -1").commit("broken").tag("v1");
    project.refuses(&["gate", "v1"], 8, &["policy-unreadable the tagged commit"]);
    let at = ["gate", "v1", "--policy-ref", "protected"];
    let both = project.refuses(&at, 8, &["lock-unreadable repro.toml"]);
    assert!(both.human.stdout.contains("a seed is not negative"), "{}", both.human.stdout);
}

#[test]
fn a_tag_that_no_pattern_names_is_judged_by_hand_and_says_that_hooks_let_it_pass() {
    let project = Project::gated(PLAIN);
    project.tag("nightly");
    let both = project.passes(&["gate", "nightly"]);
    assert_eq!(both.json.kinds("notes"), ["tag-ungated nightly"]);
    project.git(&["tag", "weekly"]);
    project.refuses(&["gate", "weekly"], 8, &["tag-lightweight tag"]);
}

#[test]
fn names_that_a_lock_or_a_tree_brings_along_reach_no_terminal() {
    let project = Project::gated(PLAIN);
    let odd = "\\u001b[2J\\u001b[32mpassed\\u0007\\r.json";
    project.edit("repro.lock", "\"model.json\"", &format!("\"{odd}\"")).reseal();
    project.edit("repro.toml", "\"model.json\"", &format!("\"{odd}\"")).commit("odd").tag(V);
    let both = project.both(&GATE);
    let said = both.human.stdout + &both.human.stderr;
    assert!(said.contains("passed") && !said.chars().any(|c| c.is_control() && c != '\n'), "{said:?}");
}

#[test]
fn nothing_is_written_by_asking() {
    let project = Project::gated(PLAIN);
    project.tag(V);
    let state = || (project.git(&["for-each-ref"]), project.git(&["status", "--porcelain"]));
    let before = state();
    project.passes(&GATE);
    project.refuses(&["gate", "v9"], 8, &["tag-missing tag"]);
    assert_eq!(state(), before);
    assert!(project.leftovers().is_empty());
    assert!(!Path::new(&project.root).join(".git/cargo-repro/tags.json").exists());
}
