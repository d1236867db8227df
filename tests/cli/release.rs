//! The whole way of a release, with a bare repository as the remote, two maintainers with a key each, somebody
//! who has only the tag, and an attacker who can push. The attacker's pushes meet the server's hook first, and
//! then, without it, the gate of whoever fetches.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use cargo_repro::lockfile::Lockfile;
use cargo_repro::release::attestation::{Envelope, Reproduction, SigningKey, Statement, reproduction};
use tempfile::TempDir;

use crate::support::{Answer, Project, copy, git, git_command};

const NOTES: &str = "refs/notes/cargo-repro";
const ALL_NOTES: &str = "refs/notes/*:refs/notes/*";

/// What every test begins with: the release was made, and lies in the remote.
struct World {
    kept: TempDir,
}

/// A copy of the remote with everybody's keys.
struct Scene {
    scratch: TempDir,
}

impl World {
    fn get() -> &'static Self {
        static WORLD: OnceLock<World> = OnceLock::new();
        WORLD.get_or_init(|| {
            let world = Self {
                kept: tempfile::Builder::new().prefix("repro-test-").tempdir().unwrap(),
            };
            world.make();
            world
        })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.kept.path().join(name)
    }

    fn make(&self) {
        for name in ["alice", "bob", "ci", "mallory"] {
            SigningKey::generate().write(&self.path(&format!("{name}.pem")), None).unwrap();
            ssh_key(&self.path(name));
        }
        let key = |name: &str| key_of(self.kept.path(), name).public().line();
        let policy = format!(
            "\n[gate]\ntags = \"v*\"\nversion = \"v{{version}}\"\nconfirmed = 2\nsigners = [\"{}\"]\nrequire = 2\nmax-age = \"30d\"\n\n[gate.keys]\nalice = \"{}\"\nbob = \"{}\"\nci = {{ key = \"{}\", counts = false }}\n",
            ssh_signer(&self.path("alice")),
            key("alice"),
            key("bob"),
            key("ci"),
        );
        let remote = self.path("remote.git");
        git(self.kept.path(), &["init", "--quiet", "--bare", "--initial-branch=main", "remote.git"]);

        // Alice records, and vouches for it.
        let alice = Project::fixture("steady");
        alice.named();
        alice.git(&["remote", "add", "origin", &remote.to_string_lossy()]);
        let manifest = alice.read("repro.toml") + &policy;
        alice.write("repro.toml", &manifest).commit("a policy");
        alice.repro(&["record", "--confirm", "2"]).code(0);
        alice.commit("record");
        alice.git(&["push", "--quiet", "origin", "main"]);
        alice.repro(&["attest", "--key", &self.path("alice.pem").to_string_lossy()]).code(0);
        alice.git(&["push", "--quiet", "origin", NOTES]);

        // One is not enough.
        signs_with(&alice, &self.path("alice"));
        let answer = alice.json(&["tag", "v0.1.0", "--policy-ref", "origin/main"]);
        answer.code(8);
        assert_eq!(refusals(&answer), ["attestations-lacking attestations"]);
        assert!(alice.git(&["tag"]).is_empty());

        // Bob has his own machine, and vouches too.
        let bob = Project::clone_of(&remote);
        bob.git(&["fetch", "--quiet", "origin", ALL_NOTES]);
        bob.repro(&["attest", "--key", &self.path("bob.pem").to_string_lossy()]).code(0);
        bob.git(&["push", "--quiet", "origin", NOTES]);

        // The last act, past both hooks.
        alice.git(&["fetch", "--quiet", "--force", "origin", ALL_NOTES]);
        alice.repro(&["hook", "install", "--policy-ref", "origin/main"]).code(0);
        let mut install = alice.command(&["hook", "install", "--server"]);
        alice.answer(install.current_dir(&remote)).code(0);
        alice.repro(&["tag", "v0.1.0", "--policy-ref", "origin/main"]).code(0);
        alice.git(&["push", "--quiet", "origin", "v0.1.0"]);
    }

    fn scene() -> Scene {
        let scratch = tempfile::Builder::new().prefix("repro-test-").tempdir().unwrap();
        copy(Self::get().kept.path(), &scratch.path().join("world"));
        Scene { scratch }
    }
}

impl Scene {
    fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().join("world").join(name)
    }

    fn remote(&self) -> PathBuf {
        self.path("remote.git")
    }

    /// Somebody who has a clone, and nothing of whoever made the release.
    fn clone(&self) -> Project {
        let clone = Project::clone_of(&self.remote());
        clone.git(&["fetch", "--quiet", "origin", ALL_NOTES]);
        clone
    }

    /// An attacker signs tags with a key of their own.
    fn attacker(&self) -> Project {
        let attacker = self.clone();
        signs_with(&attacker, &self.path("mallory"));
        attacker
    }

    /// Pushes against the server's hook, which must refuse it; then without the hook.
    #[track_caller]
    fn push(&self, attacker: &Project, args: &[&str], reason: &str) {
        let mut all = vec!["push", "--force", "origin"];
        all.extend(args);
        let refused = git_command(&attacker.root, &all).output().unwrap();
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && said.contains(reason), "{said}");
        self.push_unguarded(attacker, args);
    }

    fn push_unguarded(&self, attacker: &Project, args: &[&str]) {
        let (hook, aside) = (self.remote().join("hooks/pre-receive"), self.remote().join("hooks/aside"));
        std::fs::rename(&hook, &aside).unwrap();
        let mut all = vec!["push", "--quiet", "--force", "origin"];
        all.extend(args);
        attacker.git(&all);
        std::fs::rename(&aside, &hook).unwrap();
    }

    /// What a newcomer's gate says, by the policy of the protected branch.
    #[track_caller]
    fn gate(&self, tag: &str) -> Answer {
        let answer = self.clone().json(&["gate", tag, "--policy-ref", "origin/main"]);
        crate::schema::holds(&answer);
        answer
    }

    #[track_caller]
    fn is_refused(&self, tag: &str, code: i32, reasons: &[&str]) {
        let answer = self.gate(tag);
        answer.code(code);
        let found = refusals(&answer);
        for reason in reasons {
            assert!(found.iter().any(|found| found.contains(reason)), "{reason} is not among {found:#?}");
        }
        let human = self.clone().repro(&["gate", tag, "--policy-ref", "origin/main"]);
        assert!(!human.stdout.contains("passed") && !human.stdout.contains("may be a release"), "{}", human.stdout);
    }

    fn key(&self, name: &str) -> SigningKey {
        key_of(&self.scratch.path().join("world"), name)
    }
}

fn key_of(directory: &Path, name: &str) -> SigningKey {
    SigningKey::read(&directory.join(format!("{name}.pem")), &mut || Ok(None)).unwrap()
}

fn ssh_key(path: &Path) {
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-C", "", "-f"])
        .arg(path)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

fn ssh_signer(path: &Path) -> String {
    let public = std::fs::read_to_string(path.with_extension("pub")).unwrap();
    format!("test@localhost {}", public.trim())
}

fn signs_with(project: &Project, key: &Path) {
    project.git(&["config", "gpg.format", "ssh"]);
    project.git(&["config", "user.signingkey", &key.to_string_lossy()]);
}

/// Each reason with its subject and its sentence.
fn refusals(answer: &Answer) -> Vec<String> {
    let verdict = answer.verdict();
    let reasons = verdict["refusals"].as_array().unwrap().iter();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    reasons
        .map(|reason| match text(&reason["kind"]) {
            kind if kind == "attestation-invalid" => format!("{kind}: {}", text(&reason["detail"])),
            kind => format!("{kind} {}", text(&reason["subject"])),
        })
        .collect()
}

/// Whether the story can be told here; if not, says so.
#[allow(clippy::disallowed_macros, reason = "a test that was skipped must say so loudly")]
fn has_ssh(test: &str) -> bool {
    let has = Command::new("ssh-keygen").arg("-?").output().is_ok();
    if !has {
        eprintln!("SKIPPED {test}: ssh-keygen, which makes and checks signatures of tags, is not here");
    }
    has
}

/// A lock that says something else, sealed as if it had been recorded so, with a model to it.
fn forge(attacker: &Project) {
    let model = attacker.read("model.json").replace('{', "{ ");
    attacker.write("model.json", &model);
    let digest = |text: &str| cargo_repro::digest::Digest::of(text).to_string();
    let lock = attacker.read("repro.lock");
    let read = Lockfile::from_text(&lock, "repro.lock").unwrap().lock;
    let recorded = read.outcome["train"].artifacts["model.json"];
    let forged = lock
        .replace(&recorded.digest.to_string(), &digest(&model))
        .replace(&format!("bytes = {}", recorded.bytes), &format!("bytes = {}", model.len()));
    assert!(lock != forged, "a forged lock is another");
    attacker.write("repro.lock", &forged).reseal().commit("a better model");
}

/// A tag that says what a tag of ours would, without any verification.
fn tag_by_hand(attacker: &Project, name: &str, sign: bool) {
    let lock = Lockfile::from_text(&attacker.read("repro.lock"), "repro.lock").unwrap();
    let message = format!("steady {name}\n\nRepro-Lock: {}\nRepro-Verdict: reproduced, 1 training\n", lock.id);
    let kind = if sign { "--sign" } else { "--annotate" };
    attacker.git(&["tag", "--force", kind, "--message", &message, name]);
}

/// A statement as `attest` would sign it.
fn statement(project: &Project) -> (Reproduction, Statement) {
    let text = project.read("repro.lock");
    let read = Lockfile::from_text(&text, "repro.lock").unwrap();
    let about = Reproduction {
        verdict: "reproduced".to_owned(),
        lock: read.id,
        commit: project.git(&["rev-parse", "HEAD"]),
        platform: read.lock.snapshot.platform.clone(),
        runs: 1,
        confirmed: 2,
        not_checked: Vec::new(),
        tool: "cargo-repro 0.1.0".to_owned(),
        started: now() - 60,
        finished: now() - 30,
    };
    let subject = reproduction::subjects(&read.lock, &read.lock.outcome, cargo_repro::digest::Digest::of(&text));
    let statement = about.statement(subject);
    (about, statement)
}

fn now() -> i64 {
    cargo_repro::os::env::now()
}

fn sign(statement: &Statement, key: &SigningKey) -> String {
    Envelope::sign(statement.to_payload(), key).to_line()
}

/// Puts a note about the committed lock.
fn note(project: &Project, text: &str) {
    let blob = project.git(&["rev-parse", "HEAD:repro.lock"]);
    project.git(&["notes", "--ref", NOTES, "add", "--force", "--message", text, &blob]);
}

fn honest_note(project: &Project) -> String {
    let blob = project.git(&["rev-parse", "v0.1.0^{}:repro.lock"]);
    project.git(&["notes", "--ref", NOTES, "show", &blob])
}

#[test]
fn an_honest_release_passes_for_whoever_has_only_the_tag() {
    if !has_ssh("an_honest_release_passes_for_whoever_has_only_the_tag") {
        return;
    }
    let scene = World::scene();
    let answer = scene.gate("v0.1.0");
    answer.code(0);
    let verdict = answer.verdict();
    assert_eq!(verdict["verdict"], "passed");
    assert_eq!(verdict["refusals"], serde_json::json!([]));
    let names: Vec<&str> = verdict["attestations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["names"][0].as_str().unwrap())
        .collect();
    assert_eq!(names, ["alice", "bob"]);
    // Checking needs no network, and not even a work tree.
    let clone = scene.clone();
    std::fs::rename(scene.remote(), scene.path("gone.git")).unwrap();
    clone.repro(&["gate", "v0.1.0", "--policy-ref", "origin/main", "--offline"]).code(0);
    let answer = clone.json(&["gate", "v0.1.0", "--policy-ref", "origin/main"]);
    answer.code(0);
    assert!(answer.stdout.contains("origin could not be asked"), "{}", answer.stdout);
    // The remote has no branch of a remote; its own is what it protects.
    let mut gate = clone.command(&["gate", "v0.1.0", "--policy-ref", "main"]);
    clone.answer(gate.current_dir(scene.path("gone.git"))).code(0);
    // And the tag verifies as anything else does.
    clone.repro(&["verify", "--rev", "v0.1.0"]).code(0);
}

#[test]
fn a_tag_on_an_old_commit_is_refused() {
    if !has_ssh("a_tag_on_an_old_commit_is_refused") {
        return;
    }
    let scene = World::scene();
    let attacker = scene.attacker();
    let first = attacker.git(&["rev-list", "--max-parents=0", "HEAD"]);
    attacker.git(&["tag", "--sign", "--message", "v0.0.9", "v0.0.9", &first]);
    scene.push(&attacker, &["v0.0.9"], "lock-missing");
    scene.is_refused("v0.0.9", 9, &["lock-missing", "tag-signature"]);
}

#[test]
fn a_moved_tag_is_refused() {
    if !has_ssh("a_moved_tag_is_refused") {
        return;
    }
    let scene = World::scene();
    let newcomer = scene.clone();
    let gate = ["gate", "v0.1.0", "--policy-ref", "origin/main"];
    newcomer.repro(&gate).code(0);
    let attacker = scene.attacker();
    attacker.write("README.md", "mine\n").commit("mine");
    tag_by_hand(&attacker, "v0.1.0", true);
    scene.push(&attacker, &["v0.1.0"], "tag-moved");
    scene.is_refused("v0.1.0", 9, &["tag-signature"]);
    // Whoever has the old one hears that the remote has another, and whoever fetches the new one, too.
    let answer = newcomer.json(&gate);
    answer.code(8);
    assert_eq!(refusals(&answer), ["tag-moved tag"]);
    newcomer.git(&["fetch", "--quiet", "--tags", "--force"]);
    let answer = newcomer.json(&["gate", "v0.1.0", "--policy-ref", "origin/main", "--offline"]);
    answer.code(9);
    assert!(refusals(&answer).contains(&"tag-moved tag".to_owned()), "{:?}", refusals(&answer));
    // Deleted and made anew is moved too.
    let attempt = git_command(&attacker.root, &["push", "origin", "--delete", "v0.1.0"]).output().unwrap();
    assert!(String::from_utf8_lossy(&attempt.stderr).contains("tag-deleted"));
}

#[test]
fn a_doctored_policy_is_refused() {
    if !has_ssh("a_doctored_policy_is_refused") {
        return;
    }
    let scene = World::scene();
    let attacker = scene.attacker();
    // Everything that is asked, the attacker can give by rules of their own.
    let manifest = attacker.read("repro.toml");
    let head = manifest.split("\n[gate]").next().unwrap();
    let signer = ssh_signer(&scene.path("mallory"));
    let key = scene.key("mallory").public().line();
    let policy =
        format!("\n[gate]\ntags = \"v*\"\nsigners = [\"{signer}\"]\nrequire = 1\n[gate.keys]\nalice = \"{key}\"\n");
    attacker.write("repro.toml", &format!("{head}{policy}"));
    forge(&attacker);
    note(&attacker, &sign(&statement(&attacker).1, &scene.key("mallory")));
    tag_by_hand(&attacker, "v0.1.1", true);
    attacker.repro(&["gate", "v0.1.1", "--offline"]).code(0);
    scene.push(&attacker, &["v0.1.1", "refs/notes/cargo-repro"], "tag-signature");
    scene.is_refused(
        "v0.1.1",
        9,
        &[
            "tag-signature",
            "attestations-lacking",
            "attestation-invalid",
            "version-other",
        ],
    );
    // A tag that is called as the protected branch does not take its place.
    attacker.git(&["tag", "origin/main", "HEAD"]);
    attacker.git(&["tag", "HEAD", "HEAD"]);
    scene.push_unguarded(&attacker, &["refs/tags/origin/main", "refs/tags/HEAD"]);
    scene.is_refused("v0.1.1", 9, &["tag-signature", "attestations-lacking"]);
    scene.push(&attacker, &["HEAD:refs/tags/v9"], "version-other");
}

#[test]
fn a_forged_lock_with_a_forged_model_is_refused() {
    if !has_ssh("a_forged_lock_with_a_forged_model_is_refused") {
        return;
    }
    let scene = World::scene();
    let attacker = scene.attacker();
    let replayed = honest_note(&attacker);
    forge(&attacker);
    tag_by_hand(&attacker, "v0.1.2", true);
    scene.push(&attacker, &["v0.1.2"], "attestations-lacking");
    scene.is_refused("v0.1.2", 9, &["tag-signature", "attestations-lacking"]);

    // Each under a name of its own: what is pushed already is not asked about again.
    let again = |name: &str, what: &str, reasons: &[&str]| {
        note(&attacker, what);
        tag_by_hand(&attacker, name, true);
        scene.push(&attacker, &[name, NOTES], "attestations-lacking");
        scene.is_refused(name, 9, reasons);
    };
    // The statements about the honest lock, told of this one: as a note, and as files.
    again("v0.1.3", &replayed, &["attestation-invalid: it is about the lock"]);
    attacker.write("attestations/all.intoto.jsonl", &replayed).commit("what they said");
    again("v0.1.4", "", &["attestation-invalid: it is about the lock"]);
    attacker.git(&["rm", "--quiet", "attestations/all.intoto.jsonl"]);
    attacker.commit("as it was");

    // The statement of the forged lock, under signatures that are not for it.
    let mut lines = String::new();
    for line in replayed.lines().filter(|line| !line.is_empty()) {
        let mut envelope = Envelope::from_text(line).unwrap();
        envelope.payload = statement(&attacker).1.to_payload();
        lines += &format!("{}\n", envelope.to_line());
    }
    again("v0.1.5", &lines, &["attestation-invalid"]);

    // Keys that are not allowed, or do not count.
    let own = sign(&statement(&attacker).1, &scene.key("mallory"));
    let ci = sign(&statement(&attacker).1, &scene.key("ci"));
    again("v0.1.6", &format!("{own}\n{ci}"), &["attestations-lacking", "attestation-invalid"]);
    // One stolen key is one, however often it signs.
    let (mut about, signed) = statement(&attacker);
    let mut stolen = Vec::new();
    for runs in 1..=3 {
        about.runs = runs;
        stolen.push(sign(&about.statement(signed.subject.clone()), &scene.key("bob")));
    }
    again("v0.1.7", &stolen.join("\n"), &["attestations-lacking"]);
}

#[test]
fn an_edited_lock_is_refused() {
    if !has_ssh("an_edited_lock_is_refused") {
        return;
    }
    let scene = World::scene();
    let attacker = scene.attacker();
    attacker.edit("repro.lock", "runs = 2", "runs = 200").commit("more sure");
    tag_by_hand(&attacker, "v0.1.1", true);
    scene.push(&attacker, &["v0.1.1"], "lock-edited");
    scene.is_refused("v0.1.1", 9, &["lock-edited", "attestation"]);
    // What no id covers is signed all the same.
    let attacker = scene.attacker();
    attacker
        .edit("repro.lock", "[facts]\n", "[facts]\nowner = \"mallory\"\n")
        .commit("a fact");
    tag_by_hand(&attacker, "v0.1.2", true);
    note(&attacker, &honest_note(&attacker));
    scene.push_unguarded(&attacker, &["v0.1.2", NOTES]);
    scene.is_refused("v0.1.2", 9, &["attestations-lacking"]);
}

#[test]
fn an_edited_note_is_refused_and_rubbish_in_it_does_not_matter() {
    if !has_ssh("an_edited_note_is_refused_and_rubbish_in_it_does_not_matter") {
        return;
    }
    let scene = World::scene();
    let attacker = scene.attacker();
    let honest = honest_note(&attacker);
    note(&attacker, &format!("{honest}\nthis is not JSON\n{{}}\n[1, 2]\n"));
    scene.push_unguarded(&attacker, &[NOTES]);
    let answer = scene.gate("v0.1.0");
    answer.code(0);
    assert_eq!(answer.verdict()["notes"].as_array().unwrap().len(), 3);

    // One byte of what bob signed.
    let mut lines = Vec::new();
    for line in honest.lines().filter(|line| !line.is_empty()) {
        let mut envelope = Envelope::from_text(line).unwrap();
        let text = String::from_utf8(envelope.payload.clone()).unwrap();
        envelope.payload = text.replace("\"runs\":1", "\"runs\":9").into_bytes();
        lines.push(envelope.to_line());
    }
    note(&attacker, &lines.join("\n"));
    scene.push_unguarded(&attacker, &[NOTES]);
    scene.is_refused("v0.1.0", 9, &["attestations-lacking", "attestation-invalid"]);
    note(&attacker, "nothing to see");
    scene.push_unguarded(&attacker, &[NOTES]);
    scene.is_refused("v0.1.0", 9, &["attestation-invalid"]);
    attacker.git(&["update-ref", "-d", NOTES]);
    scene.push_unguarded(&attacker, &["--delete", NOTES]);
    scene.is_refused("v0.1.0", 8, &["attestations-lacking"]);
}

#[test]
fn a_tag_that_nobody_signed_or_that_was_signed_as_another_is_refused() {
    if !has_ssh("a_tag_that_nobody_signed_or_that_was_signed_as_another_is_refused") {
        return;
    }
    let scene = World::scene();
    let attacker = scene.attacker();
    attacker.git(&["tag", "honest", "v0.1.0"]);
    tag_by_hand(&attacker, "v0.1.0", false);
    scene.push(&attacker, &["v0.1.0"], "tag-unsigned");
    scene.is_refused("v0.1.0", 8, &["tag-unsigned"]);

    // The signed object under another name.
    scene.push(&attacker, &["honest:refs/tags/v0.2.0"], "tag-renamed");
    scene.is_refused("v0.2.0", 8, &["tag-renamed", "version-other"]);

    // The signature of one object in another, which names another commit.
    attacker.write("README.md", "mine\n").commit("mine");
    let object = attacker.git(&["cat-file", "tag", "honest"]);
    let (old, new) = (attacker.git(&["rev-parse", "honest^{}"]), attacker.git(&["rev-parse", "HEAD"]));
    let file = attacker.around().join("object");
    std::fs::write(&file, object.replace(&old, &new) + "\n").unwrap();
    let forged = attacker.git(&["hash-object", "-t", "tag", "-w", &file.to_string_lossy()]);
    attacker.git(&["update-ref", "refs/tags/v0.1.0", &forged]);
    scene.push(&attacker, &["v0.1.0"], "tag-signature");
    scene.is_refused("v0.1.0", 9, &["tag-signature"]);

    // With a reference that has git read the honest object in place of it.
    let honest = attacker.git(&["rev-parse", "honest"]);
    attacker.git(&["update-ref", &format!("refs/replace/{forged}"), &honest]);
    scene.push_unguarded(&attacker, &[&format!("refs/replace/{forged}")]);
    let victim = scene.clone();
    victim.git(&["fetch", "--quiet", "origin", "refs/replace/*:refs/replace/*"]);
    victim.git(&[
        "-c",
        &format!("gpg.ssh.allowedSignersFile={}", allowed(&scene)),
        "verify-tag",
        "v0.1.0",
    ]);
    let answer = victim.json(&["gate", "v0.1.0", "--policy-ref", "origin/main"]);
    answer.code(9);
    assert!(refusals(&answer).contains(&"tag-signature tag".to_owned()), "{:?}", refusals(&answer));

    // A tag of the honest tag.
    attacker.git(&["tag", "--sign", "--message", "v0.3.0", "v0.3.0", "honest"]);
    scene.push(&attacker, &["v0.3.0"], "tag-target");
    scene.is_refused("v0.3.0", 9, &["tag-target"]);
}

fn allowed(scene: &Scene) -> String {
    let file = scene.path("allowed_signers");
    std::fs::write(&file, ssh_signer(&scene.path("alice"))).unwrap();
    file.to_string_lossy().into_owned()
}

#[test]
fn other_inputs_under_the_honest_lock_are_refused() {
    if !has_ssh("other_inputs_under_the_honest_lock_are_refused") {
        return;
    }
    let scene = World::scene();
    let attack = |name: &str, reason: &str, edit: &dyn Fn(&Project)| {
        let attacker = scene.attacker();
        edit(&attacker);
        attacker.commit(name);
        tag_by_hand(&attacker, name, true);
        scene.push(&attacker, &[name], reason);
        scene.is_refused(name, 9, &[reason]);
    };
    attack("v1-source", "source-changed", &|project| {
        project.edit("src/main.rs", "fn main() {", "fn main() { // mine");
    });
    attack("v1-data", "data-changed", &|project| {
        project.edit("data/numbers.csv", "3.5", "3.6");
    });
    attack("v1-params", "params-changed", &|project| {
        project.edit("repro.toml", "depth = 3", "depth = 4");
    });
    attack("v1-config", "source-changed .cargo/config.toml", &|project| {
        project.write(".cargo/config.toml", "[build]\nrustflags = [\"--cfg\", \"mine\"]\n");
    });
    attack("v1-build-script", "source-changed build.rs", &|project| {
        project.write("build.rs", "fn main() {}\n");
    });
    attack("v1-model", "artifact-tampered", &|project| {
        project.write("model.json", "{\"mine\": true}");
    });
}

#[test]
fn old_statements_and_those_from_the_future_are_refused() {
    if !has_ssh("old_statements_and_those_from_the_future_are_refused") {
        return;
    }
    let scene = World::scene();
    let project = scene.clone();
    let (about, signed) = statement(&project);
    for (finished, sentence) in [
        (now() - 31 * 24 * 3600, "days ago"),
        (now() + 3600, "one of the two clocks is wrong"),
    ] {
        let about = Reproduction {
            finished,
            started: finished - 5,
            ..about.clone()
        };
        let lines: Vec<String> = ["alice", "bob"]
            .iter()
            .map(|name| sign(&about.statement(signed.subject.clone()), &scene.key(name)))
            .collect();
        note(&project, &lines.join("\n"));
        scene.push_unguarded(&project, &[NOTES]);
        scene.is_refused("v0.1.0", 9, &["attestations-lacking", sentence]);
    }
}
