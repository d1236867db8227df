//! Releases: a recorded package with a policy, tags made by hand, keys, and attestations that say whatever a
//! test wants them to.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cargo_repro::digest::Digest;
use cargo_repro::lockfile::{Lockfile, Read};
use cargo_repro::release::attestation::reproduction::{TOOL, subjects};
use cargo_repro::release::attestation::{Envelope, Reproduction, SigningKey, Subject};

use super::messages::holds;
use super::{Answer, Both, Project};

/// A policy that names the tags `v…` and asks for nothing more than every gate does.
pub const PLAIN: &str = "tags = \"v*\"\n";

/// What every refused answer must not say.
const SUCCESS: [&str; 5] = [
    "passed",
    "may be a release",
    "byte for byte",
    "nothing stands against it",
    "Tagged",
];

impl Project {
    /// `steady`, recorded and committed, with this text under `[gate]` in a commit of its own.
    pub fn gated(policy: &str) -> Self {
        let project = Self::recorded("steady");
        project.named().policy("repro.toml", policy);
        project
    }

    /// Puts another text under `[gate]` of a manifest, and commits that.
    pub fn policy(&self, manifest: &str, policy: &str) -> &Self {
        let text = self.read(manifest);
        let before = text.split("\n[gate]\n").next().unwrap();
        self.write(manifest, &format!("{before}\n[gate]\n{policy}")).commit("policy")
    }

    /// The lock in the work tree.
    pub fn lock(&self) -> Read {
        Lockfile::read(&self.root.join("repro.lock")).unwrap()
    }

    /// The line by which a tag's message names the lock in the work tree.
    pub fn lock_line(&self) -> String {
        format!("Repro-Lock: {}\n", self.lock().id)
    }

    /// Tags HEAD as `cargo repro tag` would, without a training.
    pub fn tag(&self, name: &str) -> &Self {
        self.tag_saying(name, "HEAD", &format!("steady {name}\n\n{}", self.lock_line()), &[])
    }

    /// Makes an annotated tag of anything, with this message.
    pub fn tag_saying(&self, name: &str, target: &str, message: &str, more: &[&str]) -> &Self {
        let file = self.around().join("message");
        std::fs::write(&file, message).unwrap();
        let file = file.to_string_lossy();
        let mut args = vec!["tag", "--annotate", "--cleanup=verbatim", "--file", &*file];
        args.extend(more);
        args.extend([name, target]);
        self.git(&args);
        self
    }

    /// A new key, whose private half is in the file NAME.pem beside the project.
    pub fn key(&self, name: &str) -> SigningKey {
        let key = SigningKey::generate();
        key.write(&self.key_file(name), None).unwrap();
        key
    }

    /// Where [`Project::key`] wrote it.
    pub fn key_file(&self, name: &str) -> PathBuf {
        self.around().join(format!("{name}.pem"))
    }

    /// A file beside the project, by its absolute path.
    pub fn file(&self, name: &str, text: &str) -> String {
        let path = self.around().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_string_lossy().into_owned()
    }

    /// Signs that the lock in the work tree was reproduced a minute ago, after `edit` had its way with what is
    /// said.
    pub fn attestation(&self, key: &SigningKey, edit: impl FnOnce(&mut Reproduction, &mut Vec<Subject>)) -> String {
        let Read { lock, id, .. } = self.lock();
        let mut about = Reproduction {
            verdict: "reproduced".to_owned(),
            lock: id,
            commit: self.git(&["rev-parse", "HEAD"]),
            platform: lock.snapshot.platform.clone(),
            runs: 1,
            confirmed: lock.record.runs,
            not_checked: Vec::new(),
            tool: TOOL.to_owned(),
            started: now() - 90,
            finished: now() - 60,
        };
        let mut files = subjects(&lock, &lock.outcome, Digest::of(self.read("repro.lock")));
        edit(&mut about, &mut files);
        Envelope::sign(about.statement(files).to_payload(), key).to_line() + "\n"
    }

    /// Makes this the whole git note of the committed lock, byte for byte.
    pub fn note(&self, text: &str) -> &Self {
        let file = self.file("note", text);
        let blob = self.git(&["hash-object", "-w", &file]);
        self.git(&[
            "notes",
            "--ref=cargo-repro",
            "add",
            "--force",
            "-C",
            &blob,
            "HEAD:repro.lock",
        ]);
        self
    }

    /// The lines of that note.
    pub fn noted(&self) -> Vec<String> {
        let text = self.git(&["notes", "--ref=cargo-repro", "show", "HEAD:repro.lock"]);
        text.lines().map(str::to_owned).collect()
    }

    /// Every tag with its object.
    pub fn tags(&self) -> String {
        self.git(&["for-each-ref", "refs/tags"])
    }

    /// Asks the gate; it must refuse for exactly these reasons, in words that nobody takes for a yes.
    #[track_caller]
    pub fn refuses(&self, args: &[&str], code: i32, kinds: &[&str]) -> Both {
        let both = self.both(args);
        both.human.code(code);
        assert_eq!(both.json.kinds("refusals"), kinds);
        reads_as_refused(&both.human);
        reads_as_refused(&both.json);
        holds(&both.json);
        let word = if code == 9 { "invalid" } else { "refused" };
        assert_eq!(both.json.verdict()["verdict"], word);
        both
    }

    /// Asks the gate, which must say yes.
    #[track_caller]
    pub fn passes(&self, args: &[&str]) -> Both {
        let both = self.both(args);
        both.human.code(0);
        assert!(both.human.stdout.starts_with("passed: "), "{}", both.human.stdout);
        holds(&both.json);
        assert_eq!(both.json.verdict()["verdict"], "passed");
        assert_eq!(both.json.kinds("refusals"), [""; 0]);
        both
    }
}

/// Nothing in it could be taken for a yes.
#[track_caller]
pub fn reads_as_refused(answer: &Answer) {
    for word in SUCCESS {
        let said = [&answer.stdout, &answer.stderr].iter().any(|text| text.contains(word));
        assert!(!said, "{word}: {}\n{}", answer.stdout, answer.stderr);
    }
}

/// The table `[gate.keys]`.
pub fn keys(keys: &[(&str, &SigningKey)]) -> String {
    let lines: String = keys.iter().map(|(name, key)| format!("{name} = \"{}\"\n", key.public().line())).collect();
    format!("[gate.keys]\n{lines}")
}

/// A text for a snapshot, without the times at which trainings ended.
pub fn timeless(text: &str) -> String {
    let time = regex::Regex::new(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ").unwrap();
    time.replace_all(text, "[time]").into_owned()
}

/// Seconds since 1970.
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(since.as_secs()).unwrap()
}

/// Whether there is a program of that name; if not, says that the test was skipped.
#[allow(clippy::disallowed_macros, reason = "a test that was skipped must say so loudly")]
pub fn has_program(program: &str, test: &str) -> bool {
    let has = Command::new("sh")
        .args(["-c", &format!("command -v {program}")])
        .output()
        .is_ok_and(|output| output.status.success());
    if !has {
        eprintln!("SKIPPED {test}: there is no {program}");
    }
    has
}

/// A key of ssh, and what a policy says to let it sign.
pub struct SshKey {
    pub path: String,
    pub line: String,
}

impl SshKey {
    /// A new one beside the project.
    pub fn new(project: &Project, name: &str) -> Self {
        let path = project.around().join(name);
        let mut make = Command::new("ssh-keygen");
        make.args(["-q", "-t", "ed25519", "-N", "", "-C", "", "-f"]).arg(&path);
        assert!(make.status().unwrap().success());
        let public = std::fs::read_to_string(path.with_extension("pub")).unwrap();
        Self {
            path: path.to_string_lossy().into_owned(),
            line: format!("{name}@localhost {}", public.trim()),
        }
    }

    /// Tells the project's git to sign with it.
    pub fn configure(&self, project: &Project) -> &Self {
        project.git(&["config", "gpg.format", "ssh"]);
        project.git(&["config", "user.signingkey", &self.path]);
        self
    }
}
