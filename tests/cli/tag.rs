//! `tag`: what a release's tag says, who signs it, and that nothing is tagged where anything falls short.

use insta::assert_snapshot;

use crate::schema::holds;
use crate::support::release::{PLAIN, SshKey, has_program, keys, reads_as_refused, timeless};
use crate::support::{Answer, Project, git};

const V: &str = "v0.1.0";

fn message(project: &Project) -> String {
    project.git(&["for-each-ref", "--format=%(contents)", "refs/tags/v0.1.0"])
}

/// The command ends like this in both forms, without a tag and without a word that sounds like one.
#[track_caller]
fn tags_nothing(project: &Project, args: &[&str], code: i32) -> (Answer, Answer) {
    let before = project.tags();
    let human = project.repro(args);
    human.code(code);
    let json = project.json(args);
    json.code(code);
    holds(&json);
    for answer in [&human, &json] {
        reads_as_refused(answer);
    }
    assert_eq!(project.tags(), before, "nothing is tagged");
    assert!(project.leftovers().is_empty());
    (human, json)
}

#[track_caller]
fn refused(project: &Project, args: &[&str], code: i32, kinds: &[&str]) -> Answer {
    let (human, json) = tags_nothing(project, args, code);
    assert_eq!(json.kinds("refusals"), kinds);
    assert!(!human.stderr.contains("Training"), "it is asked before hours of training: {}", human.stderr);
    human
}

#[test]
fn a_reproduced_commit_is_tagged_with_the_lock_the_verdict_and_the_class() {
    let project = Project::gated("version = \"v{version}\"\n");
    let answer = project.repro(&["tag", V]);
    answer.code(0);
    assert!(answer.stderr.contains("Tagged v0.1.0 at "), "{}", answer.stderr);
    assert_snapshot!(answer.text());
    let platform = project.lock().lock.snapshot.platform.to_string();
    let wanted = format!(
        "steady v0.1.0\n\n{}Repro-Verdict: reproduced, 1 training\nRepro-Class: {platform}",
        project.lock_line()
    );
    assert_eq!(message(&project), wanted);
    assert_eq!(project.git(&["cat-file", "-t", V]), "tag");
    assert_eq!(project.git(&["rev-parse", "v0.1.0^{commit}"]), project.git(&["rev-parse", "HEAD"]));
    project.passes(&["gate", V]);
    // For programs, and with words of one's own, after several trainings.
    project.git(&["tag", "--delete", V]);
    let answer = project.json(&["tag", V, "-m", "The first.\n\nA good one.\n\n", "--times", "2"]);
    answer.code(0);
    holds(&answer);
    let verdict = answer.verdict();
    assert_eq!((&verdict["verdict"], &verdict["runs"]), (&"reproduced".into(), &2.into()));
    assert_eq!(verdict["tag"]["object"], project.git(&["rev-parse", V]));
    let text = message(&project);
    assert!(text.starts_with("The first.\n\nA good one.\n\nRepro-Lock: "), "{text}");
    assert!(text.contains("\nRepro-Verdict: reproduced, 2 trainings\n"), "{text}");
    assert!(project.leftovers().is_empty());
}

#[test]
fn a_tag_can_be_made_without_any_policy() {
    let project = Project::recorded("steady");
    project.named();
    let answer = project.json(&["tag", "nightly"]);
    answer.code(0);
    assert_eq!(answer.kinds("notes"), ["tag-ungated nightly"]);
    project.passes(&["gate", "nightly"]);
}

#[test]
fn a_message_of_one_s_own_cannot_name_another_lock_or_hide_this_one() {
    let project = Project::gated(PLAIN);
    let other = format!("Repro-Lock: sha256:{}", "0".repeat(64));
    for (words, kind) in [
        (other.as_str(), "lock-other tag"),
        ("x\n-----BEGIN NOTHING-----", "lock-unnamed tag"),
    ] {
        let (_, json) = tags_nothing(&project, &["tag", V, "-m", words], 8);
        assert_eq!(json.kinds("refusals"), [kind]);
    }
    project.repro(&["tag", V, "-m", ""]).code(0);
    assert!(message(&project).starts_with("steady v0.1.0\n"), "{}", message(&project));
}

#[test]
fn a_tag_is_signed_where_git_is_configured_so() {
    if !has_program("ssh-keygen", "a_tag_is_signed_where_git_is_configured_so") {
        return;
    }
    let project = Project::gated(PLAIN);
    let key = SshKey::new(&project, "alice");
    key.configure(&project);
    project.repro(&["tag", V]).code(0);
    assert!(!message(&project).contains("SSH SIGNATURE"));
    project.git(&["tag", "--delete", V]);
    project.git(&["config", "tag.gpgSign", "true"]);
    project.repro(&["tag", V]).code(0);
    assert!(message(&project).ends_with("-----END SSH SIGNATURE-----"), "{}", message(&project));
}

#[test]
fn a_tag_is_signed_where_the_policy_has_signers_and_only_by_them() {
    if !has_program("ssh-keygen", "a_tag_is_signed_where_the_policy_has_signers_and_only_by_them") {
        return;
    }
    let project = Project::gated(PLAIN);
    let (alice, mallory) = (SshKey::new(&project, "alice"), SshKey::new(&project, "mallory"));
    project.policy("repro.toml", &format!("signers = [\"{}\"]\n", alice.line));
    // Nobody has told git with what.
    project.git(&["config", "gpg.format", "ssh"]);
    let (human, _) = tags_nothing(&project, &["tag", V], 1);
    assert!(human.stderr.contains("error: git did not make the tag v0.1.0"), "{}", human.stderr);
    mallory.configure(&project);
    let (human, json) = tags_nothing(&project, &["tag", V], 9);
    assert_eq!(json.kinds("refusals"), ["tag-signature tag"]);
    assert!(human.stderr.contains("Removed the tag v0.1.0, which did not pass"), "{}", human.stderr);
    alice.configure(&project);
    project.repro(&["tag", V]).code(0);
    project.passes(&["gate", V]);
}

#[test]
fn nothing_is_tagged_on_drift() {
    let project = Project::gated(PLAIN);
    // What is not committed, only a verification sees.
    project.edit("src/main.rs", "/ 100.0", "/ 99.0");
    let (_, json) = tags_nothing(&project, &["tag", V], 3);
    assert_eq!(json.kinds("drift"), ["source-dirty src/main.rs"]);
    project.commit("another program");
    refused(&project, &["tag", V], 8, &["source-changed src/main.rs"]);
}

#[test]
fn nothing_is_tagged_on_divergence() {
    let project = Project::recorded("switch");
    project.named().policy("repro.toml", PLAIN).write("../switch.txt", "last-digits");
    let (_, json) = tags_nothing(&project, &["tag", V], 4);
    assert_eq!(json.kinds("divergence"), ["artifact-changed model.json"]);
    // The second of two trainings, too.
    for _ in 0..2 {
        project.write("../switch.txt", "nothing\nlast-digits");
        let answer = project.json(&["tag", V, "--times", "2"]);
        answer.code(4);
        assert_eq!(project.tags(), "");
    }
}

#[test]
fn nothing_is_tagged_by_a_lock_that_no_release_may_have() {
    let project = Project::gated("confirmed = 2\n");
    refused(&project, &["tag", V], 8, &["lock-unconfirmed repro.lock"]);
    let whole = project.read("repro.lock");
    project.edit("repro.lock", "runs = 1", "runs = 2").reseal();
    let kinds = ["lock-unconfirmed repro.lock", "lock-uncommitted repro.lock"];
    let answer = refused(&project, &["tag", V], 8, &kinds);
    assert_snapshot!(answer.text());
    project.commit("confirmed");
    project.edit("repro.lock", "dirty = false", "dirty = true").reseal().commit("dirty");
    refused(&project, &["tag", V], 8, &["lock-dirty repro.lock"]);
    project.remove("repro.lock");
    refused(&project, &["tag", V], 8, &["lock-dirty repro.lock", "lock-uncommitted repro.lock"]);
    project.commit("no lock").write("repro.lock", &whole);
    refused(&project, &["tag", V], 8, &["lock-missing repro.lock"]);
}

#[test]
fn nothing_is_tagged_under_a_bad_name_or_one_that_is_taken() {
    let project = Project::gated("version = \"v{version}\"\n");
    for name in ["v 1", "v..1", "v1.lock", "", "-v1", "v1~", "a//b", "v\u{1}"] {
        let answer = project.repro(&["tag", "--message-format", "json", "--", name]);
        answer.code(2);
        let message = answer.verdict()["error"]["message"].as_str().unwrap().to_owned();
        assert!(message.ends_with("cannot be the name of a tag"), "{message}");
    }
    assert_eq!(project.tags(), "");
    refused(&project, &["tag", "v0.2.0"], 8, &["version-other package"]);
    project.git(&["tag", V]);
    let (human, _) = tags_nothing(&project, &["tag", V], 8);
    assert!(human.stderr.starts_with("error: there is a tag v0.1.0 already\n"), "{}", human.stderr);
}

#[test]
fn nothing_is_tagged_against_the_policy_of_a_protected_branch() {
    let project = Project::gated("version = \"v{version}\"\n");
    project.git(&["branch", "protected"]);
    project.policy("repro.toml", PLAIN);
    refused(&project, &["tag", "v7", "--policy-ref", "protected"], 8, &["version-other package"]);
    let (human, _) = tags_nothing(&project, &["tag", "v7", "--policy-ref", "nowhere"], 8);
    assert!(human.stderr.contains("error: `nowhere` names no branch of this repository"), "{}", human.stderr);
    project.repro(&["tag", "v7"]).code(0);
}

#[test]
fn nothing_is_tagged_by_nobody() {
    let project = Project::recorded("steady");
    let home = project.around().join("home");
    let mut command = project.command(&["tag", V]);
    command.env("HOME", &home).env_remove("EMAIL").env("GIT_CONFIG_COUNT", "1");
    command.env("GIT_CONFIG_KEY_0", "user.useConfigOnly").env("GIT_CONFIG_VALUE_0", "true");
    let answer = project.answer(&mut command);
    answer.code(1);
    reads_as_refused_tag(&answer);
    assert_eq!(project.tags(), "");
}

/// A verification that came before may say what it was, but nothing may say that there is a tag.
fn reads_as_refused_tag(answer: &Answer) {
    assert!(answer.stdout.is_empty(), "{}", answer.stdout);
    assert!(answer.stderr.contains("error: git did not make the tag v0.1.0"), "{}", answer.stderr);
    assert!(!answer.stderr.contains("Tagged"), "{}", answer.stderr);
}

#[test]
fn signed_verdicts_take_the_place_of_a_training() {
    let project = Project::gated(PLAIN);
    let (alice, bob, mallory) = (project.key("alice"), project.key("bob"), project.key("mallory"));
    let policy = |require: u32| {
        let table = keys(&[("alice", &alice), ("bob", &bob)]);
        project.policy("repro.toml", &format!("{PLAIN}require = {require}\n{table}"));
    };
    policy(2);
    let [by_alice, by_bob, by_mallory] = [(&alice, "a"), (&bob, "b"), (&mallory, "m")].map(|(key, name)| {
        let line = project.attestation(key, |_, _| {});
        project.file(name, &line)
    });
    // Too few, and one of nobody.
    let lacking = "attestations-lacking attestations";
    let answer = refused(&project, &["tag", V, "--from", &by_alice], 8, &[lacking]);
    assert_snapshot!(timeless(&answer.text()));
    refused(&project, &["tag", V, "--from", &by_alice, &by_alice], 8, &[lacking]);
    let invalid = format!("attestation-invalid {by_mallory}, line 1");
    let (human, json) = tags_nothing(&project, &["tag", V, "--from", &by_alice, &by_mallory], 9);
    assert_eq!(json.kinds("refusals"), [lacking, &invalid]);
    assert!(!human.stderr.contains("Training"));

    let answer = project.repro(&["tag", V, "--from", &by_alice, &by_bob]);
    answer.code(0);
    assert!(!answer.stderr.contains("Training") && !answer.stderr.contains("Compiling"), "{}", answer.stderr);
    assert_snapshot!(timeless(&answer.text()));
    assert!(
        message(&project).contains("\nRepro-Verdict: reproduced, attested by alice, bob\n"),
        "{}",
        message(&project)
    );
    // Kept where whoever has the repository finds them, without the files.
    std::fs::remove_file(&by_alice).unwrap();
    std::fs::remove_file(&by_bob).unwrap();
    assert_eq!(project.noted().len(), 2);
    project.passes(&["gate", V]);
    let clone = Project::clone_of(&project.root);
    clone.refuses(&["gate", V], 8, &[lacking]);
    clone.git(&[
        "fetch",
        "--quiet",
        "origin",
        "refs/notes/cargo-repro:refs/notes/cargo-repro",
    ]);
    clone.passes(&["gate", V]);
}

#[test]
fn no_tag_stands_without_the_verdicts_that_it_was_made_by() {
    let project = Project::gated(PLAIN);
    let alice = project.key("alice");
    project.policy("repro.toml", &format!("{PLAIN}require = 1\n{}", keys(&[("alice", &alice)])));
    let by_alice = project.file("a", &project.attestation(&alice, |_, _| {}));
    let lock = project.root.join(".git/refs/notes/cargo-repro.lock");
    std::fs::create_dir_all(lock.parent().unwrap()).unwrap();
    std::fs::write(&lock, "").unwrap();
    let answer = project.repro(&["tag", V, "--from", &by_alice]);
    answer.code(1);
    assert!(answer.stderr.contains("error: could not write the git note"), "{}", answer.stderr);
    assert!(!answer.stderr.contains("Tagged") && answer.stdout.is_empty(), "{}", answer.stderr);
    assert_eq!(project.tags(), "");
    std::fs::remove_file(&lock).unwrap();
    project.repro(&["tag", V, "--from", &by_alice]).code(0);
    assert_eq!(project.noted().len(), 1);
}

#[test]
fn without_a_training_somebody_must_vouch_whatever_the_policy_asks_for() {
    let project = Project::gated(PLAIN);
    let (alice, mallory) = (project.key("alice"), project.key("mallory"));
    project.policy("repro.toml", &format!("{PLAIN}{}", keys(&[("alice", &alice)])));
    let lacking = "attestations-lacking attestations";
    let of = |name: &str, text: &str| project.file(name, text);
    let garbage = of("garbage", "garbage\n");
    let by_mallory = of("m", &project.attestation(&mallory, |_, _| {}));
    let empty = of("empty", "");
    refused(&project, &["tag", V, "--from", &empty], 8, &[lacking]);
    for file in [&garbage, &by_mallory] {
        let invalid = format!("attestation-invalid {file}, line 1");
        refused(&project, &["tag", V, "--from", file], 9, &[lacking, &invalid]);
    }
    // Nor does a key of which the policy says that it adds nothing.
    let counts = format!("[gate.keys]\nalice = {{ key = \"{}\", counts = false }}\n", alice.public().line());
    let by_alice = of("a", &project.attestation(&alice, |_, _| {}));
    project.policy("repro.toml", &format!("{PLAIN}{counts}"));
    refused(&project, &["tag", V, "--from", &by_alice], 8, &[lacking]);
    project.policy("repro.toml", &format!("{PLAIN}{}", keys(&[("alice", &alice)])));
    project.repro(&["tag", V, "--from", &by_alice]).code(0);
    project.repro(&["tag", "v1", "--from", &by_alice, "--times", "2"]).code(2);
    project.repro(&["tag", "v1", "--from", "no-such-file"]).code(1);
}

#[test]
fn a_package_of_a_workspace_is_tagged_by_its_name() {
    let project = Project::bare("workspace", "project");
    git(&project.root, &["init", "--quiet", "--initial-branch=main"]);
    project.named().commit("start");
    project.repro(&["record", "-p", "trainer"]).code(0);
    project.commit("record").policy("trainer/repro.toml", "version = \"trainer-{version}\"\n");
    project.repro(&["tag", "trainer-0.1.0", "-p", "trainer"]).code(0);
    project.passes(&["gate", "trainer-0.1.0", "-p", "trainer"]);
    project.passes(&["gate", "trainer-0.1.0"]);
}
