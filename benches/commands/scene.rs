//! A package in a repository of its own, a second copy of it for the bare runs, and commands with an
//! environment in which nothing of this bench's own build is left.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::pair::children_cpu;

/// Two copies of a package and where both are built.
pub struct Scene {
    scratch: TempDir,
    /// The package's directory below either copy's top.
    package: PathBuf,
}

const MANIFEST: &str = r#"[package]
name = "computing"
version = "0.1.0"
edition = "2024"

[profile.release]
codegen-units = 1

[workspace]
"#;

const LOCK: &str = r#"version = 4

[[package]]
name = "computing"
version = "0.1.0"
"#;

const PROGRAM: &str = r#"//! Computes for as long as it is told to.

fn main() {
    let rounds: u64 = std::env::var("REPRO_PARAM_ROUNDS").expect("rounds").parse().expect("a number");
    let mut sum = 0.0_f64;
    let mut state = 1_u64;
    for _ in 0..rounds * 1000 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        sum += ((state >> 11) as f64).sqrt();
    }
    std::fs::write("model.json", format!("{sum:?}\n")).expect("the model");
}
"#;

const INTENT: &str = r#"version = 1
seed = 42
[params]
rounds = 1
[stage.train]
bin = "computing"
artifacts = ["model.json"]
"#;

impl Scene {
    /// A copy of `fixtures/programs/NAME`.
    pub fn fixture(name: &str) -> Self {
        Self::of(&[(&format!("fixtures/programs/{name}"), "")], "")
    }

    /// A copy of `fixtures/programs/NAME` among so many other files.
    pub fn wide(name: &str, files: u32) -> Self {
        const IN_ONE: u32 = 50;
        let scene = Self::of(&[(&format!("fixtures/programs/{name}"), "packages/it")], "packages/it");
        for number in 0..files {
            let place = scene.top().join(format!("others/{}/{number}.txt", number / IN_ONE));
            write(&place, &format!("file {number}\n"));
        }
        scene.commit();
        scene
    }

    /// The real trainer, with the runtime at the place where it looks for it.
    pub fn wine_forest() -> Self {
        let package = "fixtures/programs/wine-forest";
        Self::of(&[("runtime", "runtime"), (package, package)], package)
    }

    /// A program that computes for so many rounds.
    pub fn computing() -> Self {
        let scene = Self::of(&[], "");
        for top in [scene.top(), scene.bare_top()] {
            write(&top.join("Cargo.toml"), MANIFEST);
            write(&top.join("Cargo.lock"), LOCK);
            write(&top.join("src/main.rs"), PROGRAM);
            write(&top.join("repro.toml"), INTENT);
            write(&top.join(".gitignore"), "/target\n");
        }
        scene.commit();
        scene
    }

    /// Copies of folders of this repository, committed.
    fn of(folders: &[(&str, &str)], package: &str) -> Self {
        let scratch = tempfile::Builder::new().prefix("repro-bench-").tempdir().expect("a directory");
        let scene = Self {
            scratch,
            package: PathBuf::from(package),
        };
        for top in [scene.top(), scene.bare_top(), scene.work()] {
            std::fs::create_dir_all(&top).expect("a directory");
        }
        for (from, to) in folders {
            let from = Path::new(env!("CARGO_MANIFEST_DIR")).join(from);
            copy(&from, &scene.top().join(to));
            copy(&from, &scene.bare_top().join(to));
        }
        scene.git(&["init", "--quiet", "--initial-branch=main"]);
        scene.commit();
        scene
    }

    fn top(&self) -> PathBuf {
        self.scratch.path().join("project")
    }

    fn bare_top(&self) -> PathBuf {
        self.scratch.path().join("bare")
    }

    fn work(&self) -> PathBuf {
        self.scratch.path().join("work")
    }

    /// Records, and commits what came of it.
    pub fn record(&self) {
        self.succeed(self.repro(&["record", "--quiet"]));
        self.commit();
        // Files younger than a moment are not believed by their stat.
        std::thread::sleep(Duration::from_millis(100));
        self.succeed(self.repro(&["status", "--quiet"]));
    }

    /// Puts so many locks on the branch `many`, which differ in the seed, and behind HEAD.
    pub fn many_locks(&self, number: u32) {
        let lock = std::fs::read_to_string(self.top().join("repro.lock")).expect("it was recorded");
        let mut stream = String::from("reset refs/heads/many\n");
        for seed in 0..number {
            let lock = lock.replace("seed = 42", &format!("seed = {seed}"));
            let (time, length) = (1_767_225_600 + seed, lock.len());
            stream +=
                &format!("commit refs/heads/many\ncommitter Bench <bench@localhost> {time} +0000\ndata 4\nlock\n");
            stream += &format!("M 100644 inline repro.lock\ndata {length}\n{lock}\n");
        }
        let file = self.work().join("stream");
        write(&file, &stream);
        // What is checked out then has these locks behind it.
        let script = format!(
            "git fast-import --quiet < '{}' && git reset --soft many
            git -c user.name=Bench -c user.email=bench@localhost commit --quiet --message 'the lock at hand'",
            file.display()
        );
        self.succeed(self.program("sh", &["-ec", &script]));
        self.succeed(self.repro(&["status", "--quiet"]));
    }

    /// How many rounds take so long here, by the processor's time: a busy machine would give too few.
    pub fn calibrate(&self, seconds: f64) -> u64 {
        const FEW: u64 = 200_000;
        let run = |rounds: u64| {
            let mut command = self.bare(self.cargo(&["run", "--quiet", "--release"]));
            command.env("REPRO_PARAM_ROUNDS", rounds.to_string());
            let before = children_cpu();
            self.succeed(command);
            children_cpu() - before
        };
        run(1);
        let (none, few) = (run(1), run(FEW));
        ((seconds / (few - none).max(0.01)) * FEW as f64) as u64
    }

    /// Says in the manifest how many rounds to compute.
    pub fn set_rounds(&self, rounds: u64) {
        write(&self.top().join("repro.toml"), &INTENT.replace("rounds = 1", &format!("rounds = {rounds}")));
        self.commit();
    }

    /// The tool, in the package.
    pub fn repro(&self, args: &[&str]) -> Command {
        let mut command = self.program(env!("CARGO_BIN_EXE_cargo-repro"), &["repro"]);
        command.args(args);
        command
    }

    /// The tool, in the package, with nothing kept of earlier runs.
    pub fn anew(&self, args: &[&str]) -> Command {
        let mut command = self.program("sh", &["-ec", "rm -rf \"$TMPDIR\"/* && exec \"$@\"", "sh"]);
        command.arg(env!("CARGO_BIN_EXE_cargo-repro")).arg("repro").args(args);
        command
    }

    /// Cargo, in the package.
    pub fn cargo(&self, args: &[&str]) -> Command {
        self.program("cargo", args)
    }

    /// Any program, in the package.
    pub fn program(&self, name: &str, args: &[&str]) -> Command {
        let mut command = Command::new(name);
        command.args(args).current_dir(self.top().join(&self.package)).env("TMPDIR", self.work());
        // What cargo sets for its benches must not reach the packages under them.
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            let is_cargos = text.starts_with("CARGO_") && text != "CARGO_HOME";
            if is_cargos || matches!(&*text, "LD_LIBRARY_PATH" | "RUSTFLAGS" | "CARGO") {
                command.env_remove(&name);
            }
        }
        command
    }

    /// The same command in the other copy, with what a plain run needs of the variables.
    pub fn bare(&self, mut command: Command) -> Command {
        command
            .current_dir(self.bare_top().join(&self.package))
            .env("CARGO_TARGET_DIR", self.scratch.path().join("bare-target"))
            .env("REPRO_SEED", "42")
            .env("REPRO_DATA_NUMBERS", "data/numbers.csv")
            .env("RAYON_NUM_THREADS", "1");
        command
    }

    /// Runs a command that must succeed.
    pub fn succeed(&self, mut command: Command) {
        let output = command.output().expect("the program is there");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command:?}: {}\n{said}", output.status);
    }

    fn commit(&self) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", "bench"]);
    }

    fn git(&self, args: &[&str]) {
        let mut command = Command::new("git");
        command
            .args([
                "-c",
                "user.name=Bench",
                "-c",
                "user.email=bench@localhost",
                "-c",
                "commit.gpgsign=false",
            ])
            .args(args)
            .current_dir(self.top());
        self.succeed(command);
    }
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().expect("it is in a directory")).expect("a directory");
    std::fs::write(path, text).expect("a file");
}

/// A tree without what building it in place may have left.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a directory");
    for entry in std::fs::read_dir(from).expect("a directory") {
        let entry = entry.expect("an entry");
        let (path, name) = (entry.path(), entry.file_name());
        if path.is_dir() && name != "target" {
            copy(&path, &to.join(name));
        } else if path.is_file() {
            std::fs::copy(&path, to.join(name)).expect("a copy");
        }
    }
}
