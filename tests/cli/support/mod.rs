//! What the tests share: a project in a scratch directory, the binary's answer, and the one place
//! where what differs from machine to machine is taken out of it.
#![allow(dead_code, reason = "each test file uses its part")]

pub mod hints;
pub mod messages;
mod recorded;
pub mod release;
mod switch;
pub mod terminal;
pub mod toolchain;
mod under;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;
use tempfile::TempDir;

pub use recorded::Both;
pub use under::{in_place_of, under};

/// How the name of a scratch directory begins.
const SCRATCH: &str = "repro-test-";

/// A package in a git repository of its own, with work directories of its own.
pub struct Project {
    scratch: TempDir,
    /// The package's directory.
    pub root: PathBuf,
}

impl Project {
    /// A copy of `fixtures/programs/NAME`, committed.
    pub fn fixture(name: &str) -> Self {
        Self::fixture_in(name, "project")
    }

    /// The same in a directory of that name.
    pub fn fixture_in(name: &str, directory: &str) -> Self {
        let project = Self::bare(name, directory);
        project.git(&["init", "--quiet", "--initial-branch=main"]);
        project.commit("start");
        project
    }

    /// A copy without a repository.
    pub fn bare(name: &str, directory: &str) -> Self {
        let scratch = tempfile::Builder::new().prefix(SCRATCH).tempdir().unwrap();
        let root = scratch.path().join(directory);
        copy(&fixtures().join("programs").join(name), &root);
        // What only the copy's git is to ignore.
        let _ = std::fs::rename(root.join("gitignore"), root.join(".gitignore"));
        std::fs::create_dir(scratch.path().join("runs")).unwrap();
        let project = Self { scratch, root };
        if name == "switch" {
            project.edit("repro.toml", switch::NOWHERE, switch::address());
        }
        project
    }

    /// A directory with nothing in it, not even a package.
    pub fn empty() -> Self {
        let scratch = tempfile::Builder::new().prefix(SCRATCH).tempdir().unwrap();
        let root = scratch.path().join("project");
        std::fs::create_dir(&root).unwrap();
        std::fs::create_dir(scratch.path().join("runs")).unwrap();
        Self { scratch, root }
    }

    /// A copy of a package with its repository.
    pub fn copy_of(original: &Path) -> Self {
        let scratch = tempfile::Builder::new().prefix(SCRATCH).tempdir().unwrap();
        let root = scratch.path().join("project");
        copy(original, &root);
        std::fs::create_dir(scratch.path().join("runs")).unwrap();
        Self { scratch, root }
    }

    /// A clone of a repository, by somebody who has a name.
    pub fn clone_of(repository: &Path) -> Self {
        let scratch = tempfile::Builder::new().prefix(SCRATCH).tempdir().unwrap();
        let root = scratch.path().join("project");
        git(scratch.path(), &["clone", "--quiet", &repository.to_string_lossy(), "project"]);
        std::fs::create_dir(scratch.path().join("runs")).unwrap();
        let project = Self { scratch, root };
        project.named();
        project
    }

    /// Tells git who works here: what the binary has git do needs to know.
    pub fn named(&self) -> &Self {
        self.git(&["config", "user.name", "Test"]);
        self.git(&["config", "user.email", "test@localhost"]);
        self
    }

    /// The scratch directory around the package.
    pub fn around(&self) -> &Path {
        self.scratch.path()
    }

    /// Where work directories go: what a run leaves behind is under here.
    pub fn work(&self) -> PathBuf {
        self.scratch.path().join("runs")
    }

    /// The cargo home of this project alone: empty, since most fixtures have no dependencies. A test
    /// of one that has some sets `CARGO_HOME` to [`cargo_home`].
    pub fn cargo_home(&self) -> PathBuf {
        self.scratch.path().join("cargo-home")
    }

    /// The binary in the package's directory, not yet started.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-repro"));
        command
            .arg("repro")
            .args(args)
            .current_dir(&self.root)
            .env("TMPDIR", self.work())
            .stdin(Stdio::null());
        // What cargo sets for its tests must not reach the packages under test, and neither must what
        // whoever runs the tests has configured: the program would speak of it.
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            // Nor may a runner that the tests run on take them for steps of its own.
            let others = [
                "CARGO_",
                "RUSTC",
                "RUSTDOC",
                "RUSTFLAGS",
                "RUSTUP_TOOLCHAIN",
                "GITHUB_",
                "NO_COLOR",
                "CLICOLOR",
                "GIT_",
            ];
            if others.iter().any(|start| text.starts_with(start)) {
                command.env_remove(&name);
            }
        }
        command
            .env("CARGO_HOME", self.cargo_home())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1");
        command
    }

    /// Runs the binary to its end.
    pub fn repro(&self, args: &[&str]) -> Answer {
        self.answer(&mut self.command(args))
    }

    /// Runs it with `--message-format json`.
    pub fn json(&self, args: &[&str]) -> Answer {
        let mut all = args.to_vec();
        all.extend(["--message-format", "json"]);
        self.repro(&all)
    }

    /// Runs a prepared command to its end.
    pub fn answer(&self, command: &mut Command) -> Answer {
        let output = command.output().unwrap();
        Answer {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
            around: self.scratch.path().to_path_buf(),
        }
    }

    /// Records, asserts that it worked, and commits the lock.
    pub fn record(&self) -> &Self {
        self.repro(&["record"]).code(0);
        self.commit("record");
        self
    }

    /// A file of the package.
    pub fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.root.join(path)).unwrap()
    }

    /// Writes a file of the package.
    pub fn write(&self, path: &str, text: &str) -> &Self {
        let path = self.root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    /// Replaces a text that must be there.
    pub fn edit(&self, path: &str, from: &str, to: &str) -> &Self {
        let text = self.read(path);
        assert!(text.contains(from), "{path} has no {from:?}:\n{text}");
        self.write(path, &text.replace(from, to))
    }

    /// Removes a file.
    pub fn remove(&self, path: &str) -> &Self {
        std::fs::remove_file(self.root.join(path)).unwrap();
        self
    }

    /// Runs git in the package's directory; it must succeed.
    pub fn git(&self, args: &[&str]) -> String {
        git(&self.root, args)
    }

    /// Commits everything.
    pub fn commit(&self, message: &str) -> &Self {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message]);
        self
    }

    /// Recomputes the id of an edited lock, as its format says and by another way than the program's:
    /// the edit then looks like a lock that was recorded so.
    pub fn reseal(&self) -> &Self {
        use sha2::Digest as _;
        let text = self.read("repro.lock");
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let id = lines.iter().position(|line| line.starts_with("id = ")).unwrap();
        let facts = lines.iter().position(|line| *line == "[facts]\n").unwrap();
        let body = lines[id + 1..facts].concat();
        // The line end before `[facts]` is the separator's.
        let body = body.strip_suffix('\n').unwrap();
        let digest: String = sha2::Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect();
        let sealed = format!("id = \"sha256:{digest}\"\n");
        let text: String = [&lines[..id], &[sealed.as_str()], &lines[id + 1..]].concat().concat();
        self.write("repro.lock", &text)
    }

    /// Work directories that a run should have removed, and children that it should have ended.
    pub fn leftovers(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for base in list(&self.work()) {
            // All but the work directories' own place, which is called by the user's number.
            let name = base.file_name().unwrap().to_string_lossy().into_owned();
            if name.strip_prefix("cargo-repro-").is_some_and(|user| user.parse::<u32>().is_err()) {
                found.push(base.clone());
            }
            found.extend(list(&base).into_iter().filter(|path| path.to_string_lossy().contains("/run-")));
        }
        found.extend(
            list(&self.root)
                .into_iter()
                .filter(|path| path.to_string_lossy().contains("/.cargo-repro-")),
        );
        found
    }
}

/// What the binary answered.
pub struct Answer {
    /// The exit code; none if a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    around: PathBuf,
}

impl Answer {
    /// Asserts the exit code.
    #[track_caller]
    pub fn code(&self, expected: i32) -> &Self {
        assert_eq!(self.code, Some(expected), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// Every JSON line of stdout.
    pub fn lines(&self) -> Vec<Value> {
        let parse = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        self.stdout.lines().map(parse).collect()
    }

    /// The last of them, which is the verdict.
    pub fn verdict(&self) -> Value {
        let last = self.lines().pop().unwrap_or_else(|| panic!("no JSON; stderr:\n{}", self.stderr));
        assert_eq!(last["reason"], "verdict");
        last
    }

    /// The `kind` words of `drift` or `divergence`, each with its subject.
    pub fn kinds(&self, list: &str) -> Vec<String> {
        let findings = self.verdict()[list].as_array().unwrap().clone();
        let text =
            |finding: &Value| format!("{} {}", finding["kind"].as_str().unwrap(), finding["subject"].as_str().unwrap());
        findings.iter().map(text).collect()
    }

    /// Both streams for a snapshot, without what differs from machine to machine or run to run.
    pub fn text(&self) -> String {
        let code = self.code.map_or_else(|| "killed".to_owned(), |code| code.to_string());
        let mut text = format!("exit code: {code}\n");
        let stdout = if namespaces() {
            self.stdout.clone()
        } else {
            without_missing_namespaces(&self.stdout)
        };
        for (name, stream) in [("stdout", &stdout), ("stderr", &self.stderr)] {
            if !stream.is_empty() {
                text += &format!("--- {name}\n{stream}");
            }
        }
        self.redact(&text)
    }

    /// Every JSON line of stdout for a snapshot, laid out for people.
    pub fn messages(&self) -> String {
        let mut lines = self.lines();
        let lists = lines.iter_mut().filter_map(|line| line.get_mut("not_checked")?.as_array_mut());
        lists.for_each(|list| list.retain(|entry| namespaces() || !is_of_namespaces(entry["kind"].as_str().unwrap())));
        let lines: Vec<String> = lines.iter().map(|line| format!("{line:#}\n")).collect();
        self.redact(&lines.concat())
    }

    /// The one place where redaction is done.
    pub fn redact(&self, text: &str) -> String {
        let text = text.replace(&*self.around.to_string_lossy(), "[around]");
        let filters = [
            (r"sha256:[0-9a-f]{64}", "[sha256]"),
            (r"sha256:[0-9a-f]{12}\b", "[sha256]"),
            (r"\b[0-9a-f]{40}\b", "[commit]"),
            (r"\b[0-9a-f]{12}\b", "[commit]"),
            (r"cargo-repro-\d+/run-[A-Za-z0-9]+", "[run]"),
            (r"cargo-repro-\d+/[0-9a-f]{16}", "[project]"),
            // Where a run seems to be, and where it is where that cannot be hidden.
            (r"(/repro|\[around\]/runs/(\[run\]|\[project\]/record))/(tree|target)", "[run]/$3"),
            (r"target\(s\) in [0-9.]+s", "target(s) in [time]"),
            (r"\d+\.\d+\.\d+(-[a-z.0-9]+)? \([0-9a-f]{9}\)", "[rustc]"),
            (r"127\.0\.0\.1:\d+", "127.0.0.1:[port]"),
            // What only the machine decides, where a lock is shown.
            (r#""(host|target|llvm|cargo|rustc|libc|cpu|kernel|tool|pin)": "[^"]+""#, r#""$1": "[$1]""#),
            (r#""processors": \d+"#, r#""processors": "[processors]""#),
            (r"(?m)^  platform   .*$", "  platform   [platform]"),
            (r"\w+-\w+-linux-\w+, (glibc [0-9.]+|musl [0-9.]+|unknown), [a-z0-9_-]+", "[class]"),
            (r"glibc \d+\.\d+|musl \d+\.\d+\.\d+", "[libc]"),
        ];
        let mut text = text;
        for (pattern, replacement) in filters {
            text = regex::Regex::new(pattern).unwrap().replace_all(&text, replacement).into_owned();
        }
        text
    }
}

/// What is not checked only because this machine allows no namespaces.
fn is_of_namespaces(kind: &str) -> bool {
    ["isolation", "network"].contains(&kind)
}

/// The list of what is not checked as it is where there are namespaces.
fn without_missing_namespaces(text: &str) -> String {
    const TITLE: &str = "\nnot checked:\n";
    let Some((before, list)) = text.split_once(TITLE) else {
        return text.to_owned();
    };
    let mut keep = true;
    let kept = list.split_inclusive('\n').filter(|line| {
        if !line.starts_with("    ") {
            keep = !is_of_namespaces(line.trim_start().split(':').next().unwrap());
        }
        keep
    });
    let kept: String = kept.collect();
    match kept.trim_start_matches('\n') {
        "" => before.to_owned(),
        rest if rest.len() < kept.len() => format!("{before}\n{rest}"),
        _ => format!("{before}{TITLE}{kept}"),
    }
}

/// Whether this machine allows the namespaces of which a program's namespaces are made; if not, says that the test
/// was skipped.
#[allow(clippy::disallowed_macros, reason = "a test that was skipped must say so loudly")]
pub fn has_namespaces(test: &str) -> bool {
    if !namespaces() {
        eprintln!("SKIPPED {test}: this machine allows no namespaces without privilege");
    }
    namespaces()
}

fn namespaces() -> bool {
    static HAS: OnceLock<bool> = OnceLock::new();
    *HAS.get_or_init(|| {
        let namespaces = [
            "--user",
            "--map-root-user",
            "--mount",
            "--pid",
            "--net",
            "--uts",
            "--ipc",
        ];
        let mut command = Command::new("unshare");
        command.args(namespaces).args(["--fork", "--mount-proc", "true"]);
        command.output().is_ok_and(|output| output.status.success())
    })
}

/// The folder of fixtures.
pub fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// The cargo home of whoever runs the tests.
pub fn cargo_home() -> PathBuf {
    std::env::var_os("CARGO_HOME").map_or_else(|| std::env::home_dir().unwrap().join(".cargo"), PathBuf::from)
}

/// Runs git anywhere; it must succeed.
pub fn git(directory: &Path, args: &[&str]) -> String {
    let output = git_command(directory, args).output().unwrap();
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Git, independent of the configuration of whoever runs the tests, not yet started.
pub fn git_command(directory: &Path, args: &[&str]) -> Command {
    let mut command = Command::new("git");
    command
        .args(["-c", "user.name=Test", "-c", "user.email=test@localhost"])
        .args([
            "-c",
            "commit.gpgsign=false",
            "-c",
            "tag.gpgsign=false",
            "-c",
            "core.autocrlf=false",
        ])
        .args(["-c", "protocol.file.allow=always", "-c", "init.defaultBranch=main"])
        // What git tidies up after the command has ended may be gone while a repository is copied.
        .args(["-c", "maintenance.auto=false", "-c", "gc.auto=0"])
        .args(args)
        .current_dir(directory)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env_remove("GIT_DIR")
        .env_remove("GIT_WORK_TREE")
        .env_remove("GIT_INDEX_FILE")
        .env("GIT_AUTHOR_DATE", "2026-01-01T00:00:00Z")
        .env("GIT_COMMITTER_DATE", "2026-01-01T00:00:00Z");
    command
}

/// Writes a program. Another process does: what this one forks meanwhile would have the file open until it starts
/// a program of its own, and the kernel runs none that somebody may write to (ETXTBSY).
pub fn executable(path: &Path, text: &str) {
    use std::io::Write as _;
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut child = Command::new("sh")
        .args(["-c", "rm -f \"$1\" && cat > \"$1\" && chmod 755 \"$1\"", "sh"])
        .arg(path)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
}

/// Copies a tree, without what building it in place may have left.
pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for path in list(from) {
        let name = path.file_name().unwrap();
        if name == "target" {
            continue;
        }
        if path.is_symlink() {
            std::os::unix::fs::symlink(std::fs::read_link(&path).unwrap(), to.join(name)).unwrap();
        } else if path.is_dir() {
            copy(&path, &to.join(name));
        } else {
            std::fs::copy(&path, to.join(name)).unwrap();
        }
    }
}

fn list(directory: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(directory)
        .map(|entries| entries.map(|entry| entry.unwrap().path()).collect())
        .unwrap_or_default();
    paths.sort();
    paths
}
