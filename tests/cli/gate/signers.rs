//! Signed tags: by whom they may be signed, and that the signature is of these very words.

use std::process::Command;

use insta::assert_snapshot;

use super::{GATE, V};
use crate::support::Project;
use crate::support::release::{PLAIN, SshKey, has_program, reads_as_refused};

fn signers(lines: &[&str]) -> String {
    let lines: Vec<String> = lines.iter().map(|line| format!("\"{line}\"")).collect();
    format!("{PLAIN}signers = [{}]\n", lines.join(", "))
}

/// A project whose policy lets this key sign, which git is told to sign with.
fn signed_by(name: &str) -> (Project, SshKey) {
    let project = Project::gated(PLAIN);
    let key = SshKey::new(&project, name);
    key.configure(&project);
    project.policy("repro.toml", &signers(&[&key.line]));
    (project, key)
}

fn sign(project: &Project, name: &str) {
    project.tag_saying(name, "HEAD", &format!("steady\n\n{}", project.lock_line()), &["--sign"]);
}

/// A tag's text with a part replaced, under the same signature.
fn forged(project: &Project, from: &str, to: &str) -> String {
    let text = project.git(&["cat-file", "tag", V]);
    assert!(text.contains(from), "{text}");
    let file = project.file("object", &(text.replacen(from, to, 1) + "\n"));
    project.git(&["hash-object", "-w", "-t", "tag", &file])
}

#[test]
fn a_tag_that_an_allowed_signer_signed_may_be_a_release() {
    if !has_program("ssh-keygen", "a_tag_that_an_allowed_signer_signed_may_be_a_release") {
        return;
    }
    let (project, alice) = signed_by("alice");
    sign(&project, V);
    let both = project.passes(&GATE);
    assert!(!both.human.stdout.contains("signature:"), "{}", both.human.stdout);
    // One of several, with another name in the policy, and a comment behind the key.
    let bob = SshKey::new(&project, "bob");
    let line = alice.line.replace("alice@localhost", "somebody");
    project.policy(
        "repro.toml",
        &signers(&[
            &bob.line,
            &format!("{line} a comment"),
            &format!("gpg:{}", "A".repeat(40)),
        ]),
    );
    sign(&project, "v1");
    project.passes(&["gate", "v1"]);
}

#[test]
fn a_tag_that_nobody_signed_is_unsigned() {
    if !has_program("ssh-keygen", "a_tag_that_nobody_signed_is_unsigned") {
        return;
    }
    let (project, _) = signed_by("alice");
    project.tag(V);
    assert_snapshot!(project.refuses(&GATE, 8, &["tag-unsigned tag"]).snapshot);
    // A word that looks like one is not one.
    let begin = "-----BEGIN SSH SIGNATURE-----\nnone\n-----END SSH SIGNATURE-----\n";
    project.tag_saying("v1", "HEAD", &format!("v1\n\n{}{begin}", project.lock_line()), &[]);
    project.refuses(&["gate", "v1"], 9, &["tag-signature tag"]);
}

#[test]
fn a_tag_that_somebody_else_signed_is_invalid() {
    if !has_program("ssh-keygen", "a_tag_that_somebody_else_signed_is_invalid") {
        return;
    }
    let (project, alice) = signed_by("alice");
    let mallory = SshKey::new(&project, "mallory");
    mallory.configure(&project);
    sign(&project, V);
    let both = project.refuses(&GATE, 9, &["tag-signature tag"]);
    let text = both.human.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("the tag's signature is not a valid one of an allowed signer"), "{text}");
    // However the repository is configured.
    let file = project.file("allowed", &format!("{}\n", mallory.line));
    project.git(&["config", "gpg.ssh.allowedSignersFile", &file]);
    project.git(&["config", "gpg.ssh.program", "true"]);
    project.refuses(&GATE, 9, &["tag-signature tag"]);
    let _ = alice;
}

#[test]
fn a_signature_is_of_these_words_and_no_others() {
    if !has_program("ssh-keygen", "a_signature_is_of_these_words_and_no_others") {
        return;
    }
    let (project, _) = signed_by("alice");
    sign(&project, V);
    let honest = project.git(&["rev-parse", "refs/tags/v0.1.0"]);
    let object = forged(&project, "steady\n", "steadier\n");
    project.git(&["update-ref", "refs/tags/v0.1.0", &object]);
    project.refuses(&GATE, 9, &["tag-signature tag"]);
    // Git can be told to show one object in the place of another.
    project.git(&["replace", &object, &honest]);
    project.refuses(&GATE, 9, &["tag-signature tag"]);
    // A signature of another commit's tag.
    project.write("README.md", "later\n").commit("later");
    let (before, after) = (project.git(&["rev-parse", "HEAD~1"]), project.git(&["rev-parse", "HEAD"]));
    project.git(&["update-ref", "refs/tags/v0.1.0", &honest]);
    let object = forged(&project, &before, &after);
    project.git(&["update-ref", "refs/tags/v0.1.0", &object]);
    project.refuses(&GATE, 9, &["tag-signature tag"]);
}

/// GnuPG with a home of its own, which must not be deep: its agent listens there.
struct Gpg {
    home: tempfile::TempDir,
}

impl Gpg {
    fn new() -> Self {
        let home = tempfile::Builder::new().prefix("repro-gpg-").tempdir().unwrap();
        Self { home }
    }

    fn run(&self, args: &[&str]) -> String {
        let mut command = Command::new("gpg");
        command.args(["--batch", "--quiet"]).args(args).env("GNUPGHOME", self.home.path());
        let output = command.output().unwrap();
        assert!(output.status.success(), "gpg {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// A new key's fingerprint.
    fn key(&self, name: &str) -> String {
        let id = format!("{name} <{name}@localhost>");
        self.run(&[
            "--passphrase",
            "",
            "--quick-generate-key",
            &id,
            "ed25519",
            "sign",
            "never",
        ]);
        let listed = self.run(&["--with-colons", "--list-keys", name]);
        let line = listed.lines().find(|line| line.starts_with("fpr:")).unwrap();
        line.split(':').nth(9).unwrap().to_owned()
    }

    /// Signs the tag with this key, by the project's own git.
    fn sign(&self, project: &Project, name: &str, key: &str) {
        let file = project.file("message", &format!("steady\n\n{}", project.lock_line()));
        let args = ["tag", "--local-user", key, "--cleanup=verbatim", "--file", &file, name];
        let mut command = crate::support::git_command(&project.root, &args);
        let output = command.env("GNUPGHOME", self.home.path()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

impl Drop for Gpg {
    fn drop(&mut self) {
        let mut command = Command::new("gpgconf");
        let _ = command.args(["--kill", "all"]).env("GNUPGHOME", self.home.path()).output();
    }
}

#[test]
fn an_openpgp_key_signs_by_its_fingerprint() {
    if !has_program("gpg", "an_openpgp_key_signs_by_its_fingerprint") {
        return;
    }
    let project = Project::gated(PLAIN);
    let gpg = Gpg::new();
    let (alice, mallory) = (gpg.key("alice"), gpg.key("mallory"));
    project.policy("repro.toml", &signers(&[&format!("gpg:{}", alice.to_lowercase())]));
    gpg.sign(&project, V, &alice);
    gpg.sign(&project, "v1", &mallory);
    let ask = |args: &[&str]| project.answer(project.command(args).env("GNUPGHOME", gpg.home.path()));
    ask(&GATE).code(0);
    let answer = ask(&["gate", "v1"]);
    answer.code(9);
    reads_as_refused(&answer);
    let text = answer.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("of a key that is not among the allowed signers"), "{text}");
    // Changed words, and a machine that does not have the key.
    let object = forged(&project, "steady\n", "steadier\n");
    project.git(&["update-ref", "refs/tags/v2", &object]);
    let answer = ask(&["gate", "v2"]);
    answer.code(9);
    reads_as_refused(&answer);
    let elsewhere = Gpg::new();
    let answer = project.answer(project.command(&GATE).env("GNUPGHOME", elsewhere.home.path()));
    answer.code(9);
    reads_as_refused(&answer);
    assert!(!answer.stdout.contains("[GNUPG:]"), "{}", answer.stdout);
}
