//! Starts one of the [`programs`](crate::programs) in a process of its own, as an environment cannot be changed safely in this one.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use repro::protocol::{self, Event};
use tempfile::TempDir;

/// Tells a test of `programs` that it is to be a program now.
pub const MARK: &str = "PROGRAM_OF_A_TEST";

/// A program that is to be started in a directory of its own.
pub struct Child {
    pub directory: TempDir,
    command: Command,
}

/// What came of it.
pub struct Ended {
    pub directory: TempDir,
    /// What it said, if it failed.
    pub problem: Option<String>,
    pub ledger: Vec<Event>,
}

/// A program in an empty environment.
pub fn outside(program: &str) -> Child {
    let directory = tempfile::tempdir().unwrap();
    #[allow(clippy::disallowed_methods, reason = "the test starts itself")]
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "--nocapture", &format!("programs::{program}")])
        .env_clear()
        .env(MARK, "")
        .current_dir(&directory);
    Child { directory, command }
}

/// A program as `cargo repro` starts it.
pub fn inside(program: &str) -> Child {
    let child = outside(program);
    let ledger = child.path("ledger");
    let out_dir = child.directory.path().to_str().unwrap().to_owned();
    child
        .env(protocol::PROTOCOL, "1")
        .env(protocol::STAGE, "train")
        .env(protocol::SEED, "42")
        .env(protocol::LEDGER, ledger.to_str().unwrap())
        .env(protocol::OUT_DIR, &out_dir)
}

impl Child {
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn env(mut self, name: &str, value: impl AsRef<Path>) -> Self {
        self.command.env(name, value.as_ref());
        self
    }

    pub fn file(self, name: &str, text: &str) -> Self {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    #[cfg(feature = "manifest")]
    pub fn current_dir(mut self, name: &str) -> Self {
        let path = self.path(name);
        fs::create_dir_all(&path).unwrap();
        self.command.current_dir(path);
        self
    }

    pub fn run(mut self) -> Ended {
        let output = self.command.output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8(said).unwrap();
        assert!(said.contains("running 1 test"), "no such program: {said}");
        let ledger = fs::read_to_string(self.path("ledger")).unwrap_or_default();
        Ended {
            directory: self.directory,
            problem: (!output.status.success()).then_some(said),
            ledger: ledger
                .lines()
                .map(|line| serde_json::from_str(line).unwrap())
                .collect(),
        }
    }
}

impl Ended {
    /// The same, of a program that did well.
    pub fn well(self) -> Self {
        assert_eq!(self.problem, None);
        self
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.directory.path().join(name)).unwrap()
    }

    pub fn problem(&self) -> &str {
        self.problem
            .as_deref()
            .expect("the program should have failed")
    }

    /// Names and counts of the streams, as the ledger has them.
    pub fn words(&self) -> Vec<(&str, u64)> {
        let mut words = Vec::new();
        for event in &self.ledger {
            if let Event::Stream { name, words: drawn } = event {
                words.push((name.as_str(), *drawn));
            }
        }
        words
    }

    /// The digest of a checkpoint.
    pub fn checkpoint(&self, wanted: &str) -> &str {
        for event in &self.ledger {
            if let Event::Checkpoint { name, digest } = event
                && name == wanted
            {
                return digest;
            }
        }
        panic!("no checkpoint {wanted} in {:?}", self.ledger)
    }
}
