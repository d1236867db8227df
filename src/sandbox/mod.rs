//! Isolation: a program is started where nothing undeclared reaches it, what it reaches for is written
//! down, and where asked for, what the system would answer is answered in its place. The tool starts
//! a *supervisor*, which is this very binary; the supervisor makes the namespaces, starts the program within, answers
//! for the kernel, and leaves a report. What the report means is judged elsewhere.
//!
//! ```text
//! tool ── Plan ─→ supervisor ─┬─→ init (process 1 within the sandbox) ─→ program
//!   ↑               │     └── listener, tracer: answer the program's system calls
//!   └─── Report ────┘
//! ```

pub mod audit;
pub mod calls;
mod delays;
pub mod directories;
pub mod entropy;
pub mod fake_files;
pub mod file_times;
pub mod giving;
pub mod inside;
mod known;
pub mod landlock;
pub mod links;
pub mod listener;
pub mod namespaces;
pub mod network;
pub mod paths;
pub mod process_memory;
pub mod seccomp;
pub mod start;
pub mod supervisor;
pub mod sys;
pub mod thread_ids;
pub mod time;
pub mod tracer;
mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use self::entropy::Numbering;
use crate::trace::StackSample;

/// Where a work directory seems to lie.
pub const PLACE: &str = "/repro";

/// What a program is to find.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Plan {
    /// The process that asked; the supervisor ends with it.
    pub parent: i32,
    /// The program's path, as it is seen within.
    pub program: OsString,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Where it starts, as it is seen within.
    pub directory: OsString,
    /// All of its environment.
    pub environment: Vec<(OsString, OsString)>,
    /// The namespaces; none where this machine allows none.
    pub namespaces: Option<Namespaces>,
    /// What it may write to, and what may be shown to it: for landlock, where there are no namespaces.
    pub landlock: Option<Landlock>,
    /// Whether to write down what it reaches for.
    pub audit: bool,
    /// Whether the program only starts others, whose looks say more than its own.
    pub drives: bool,
    /// What is answered in the system's place.
    pub conditions: Conditions,
    /// Directories within, of which some files are put in place once they are looked for; they are asked for by the
    /// line that this plan came by.
    pub gives: Vec<OsString>,
    /// Where the supervisor leaves its report.
    pub report: OsString,
}

/// What lies within the sandbox.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Namespaces {
    /// An empty directory of ours on which the new root is built.
    #[serde(with = "wire::path")]
    pub mount_point: PathBuf,
    /// Whether the whole file system of the machine is shown, read-only, and not its programs and libraries alone.
    pub open: bool,
    /// Directories of the machine in whose place there is an empty one, where they would be seen.
    #[serde(with = "wire::paths")]
    pub hidden: Vec<PathBuf>,
    /// Directories and files of the machine that are shown, read-only, at their own place.
    #[serde(with = "wire::paths")]
    pub shown: Vec<PathBuf>,
    /// What is put where, in this order.
    pub mounts: Vec<Mount>,
    /// Whether the machine's network is within reach.
    pub network: bool,
}

/// A file or directory that is seen at another place.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Mount {
    /// On the machine.
    #[serde(with = "wire::path")]
    pub from: PathBuf,
    /// Within.
    #[serde(with = "wire::path")]
    pub to: PathBuf,
    /// Whether it may be written to.
    pub writable: bool,
}

/// What landlock lets through where there are no namespaces.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Landlock {
    /// Directories that may be written to.
    #[serde(with = "wire::paths")]
    pub writable: Vec<PathBuf>,
    /// What may be read, beside the system's own; everything if empty.
    #[serde(with = "wire::paths")]
    pub readable: Vec<PathBuf>,
    /// Whether TCP is within reach.
    pub network: bool,
}

/// What the system would answer, answered in its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Conditions {
    /// Entropy from this key (hex of any length), or the system's.
    pub entropy: Option<String>,
    /// Which requests for it a thread's answers are counted by.
    pub numbering: Numbering,
    /// The wall clock in seconds since 1970 where it stands still, or the system's.
    pub clock: Option<i64>,
    /// Time that only passes by being asked for, in nanoseconds an answer: timers and the processor's
    /// counter too. For diagnosis alone.
    pub tick: Option<u64>,
    /// Whether addresses are the same in every process.
    pub fixed_addresses: bool,
    /// The order of names in a directory, or the file system's.
    pub directories: Option<Order>,
    /// The processors that it may use, or all.
    pub processors: Option<Vec<usize>>,
    /// How many processors it is told that there are, or the truth.
    pub told_processors: Option<usize>,
    /// Threads are held up now and then by up to two milliseconds, from this seed.
    pub delays: Option<u64>,
    /// Threads and processes take turns: each goes on when those before it have ended or sleep, or after so many
    /// milliseconds. For diagnosis alone, as the next one is.
    pub turns: Option<u64>,
    /// Whether entropy is answered alike whichever thread draws it first.
    pub drawn_alike: bool,
    /// By how much its priority is lowered.
    pub niceness: i32,
    /// Files of the kernel that change by themselves: answered from copies in this directory, which the first to
    /// read one makes.
    pub canned: Option<PathBuf>,
    /// The host's name.
    pub hostname: String,
    /// Its user number.
    pub user: u32,
    /// Its mode creation mask.
    pub umask: u32,
    /// How many process numbers are used up before it.
    pub skipped_pids: u32,
    /// The total size of environment and arguments is filled up to this, so that the stack begins at the same place.
    pub padding: Option<usize>,
    /// And the number of variables to this, for the same reason.
    pub variables: Option<usize>,
    /// When the files were last changed that the program writes, where it has a place of its own to write to.
    pub written: Option<i64>,
    /// The sources whose use is to be shown by call stacks.
    pub sight: Vec<Source>,
}

impl Default for Conditions {
    fn default() -> Self {
        Self {
            entropy: None,
            numbering: Numbering::Second,
            clock: None,
            tick: None,
            fixed_addresses: false,
            directories: None,
            processors: None,
            told_processors: None,
            delays: None,
            turns: None,
            drawn_alike: false,
            niceness: 0,
            canned: None,
            hostname: "repro".to_owned(),
            user: 1000,
            umask: 0o022,
            skipped_pids: 0,
            padding: None,
            variables: None,
            written: None,
            sight: Vec::new(),
        }
    }
}

/// Names in a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Order {
    /// By bytes.
    Sorted,
    /// The other way round.
    Reversed,
}

/// A source of nondeterminism that a system call draws on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Source {
    /// getrandom and the entropy devices.
    Entropy,
    /// The wall clock, timers and the processor's counter.
    Clock,
    /// Reading a directory.
    Directories,
    /// Asking for the process's number, the host's name, the user.
    Identity,
}

/// What a supervisor leaves behind.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Report {
    /// What was there to hold the program.
    pub held: Held,
    /// How the program ended, as wait(2) says it; none if it was not started.
    pub status: Option<i32>,
    /// Why it was not.
    pub failure: Option<String>,
    /// What it read or looked for, by the path within.
    pub reads: BTreeMap<String, Look>,
    /// Directories whose names it read, by the path within, and the programs that did.
    #[serde(default)]
    pub listed: BTreeMap<String, BTreeSet<String>>,
    /// Programs of the system that it looked for and that are not there, by the path within, and who looked.
    #[serde(default)]
    pub sought: BTreeMap<String, String>,
    /// Addresses that it tried to reach.
    pub network: BTreeMap<String, String>,
    /// Where it drew on a source.
    pub samples: Vec<StackSample>,
    /// How many threads it began, beside the first of each process; known where they are followed.
    pub threads: u64,
    /// How many processes there were at a time, at most; known where they are followed.
    pub processes: u64,
    /// How often it drew on entropy, and that for more than hash keys.
    pub draws: u64,
}

/// Which of the means there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Namespaces of its own: mounts, processes, network, host's name, user.
    pub namespaces: bool,
    /// Landlock, in place of these.
    pub landlock: bool,
    /// System calls are seen.
    pub listener: bool,
    /// Threads are followed, and the kernel's shared page with its clock is hidden.
    pub tracer: bool,
}

impl Held {
    /// Whether entropy and clocks could be answered for, whoever asks and by whatever way.
    #[must_use]
    pub fn answers(&self) -> bool {
        self.listener && self.tracer
    }
}

/// How a path was looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// The program that did, by its file name.
    pub by: String,
    /// Whether there was something, at the first look.
    pub existed: bool,
    /// Whether it was opened, and not only asked about, while its content was not the run's own.
    pub opened: bool,
    /// Whether the run made its content before reading it. What it asked for does not count: it may have failed.
    pub written: bool,
    /// Whether it was looked for while nothing was there; what is only made is not.
    pub missed: bool,
}

/// The path of something in the work directory `root`, as it is seen at `place`.
#[must_use]
pub fn seen(root: &Path, place: &Path, path: &Path) -> PathBuf {
    path.strip_prefix(root).map_or_else(|_| path.to_path_buf(), |inner| place.join(inner))
}

/// The path outside of something that is seen at `place`.
#[must_use]
pub fn unseen(root: &Path, place: &Path, path: &Path) -> PathBuf {
    path.strip_prefix(place).map_or_else(|_| path.to_path_buf(), |inner| root.join(inner))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_go_in_and_out() {
        let (root, place) = (Path::new("/var/tmp/x"), Path::new(PLACE));
        assert_eq!(seen(root, place, Path::new("/var/tmp/x/tree/a")), Path::new("/repro/tree/a"));
        assert_eq!(unseen(root, place, Path::new("/repro/tree/a")), Path::new("/var/tmp/x/tree/a"));
        assert_eq!(seen(root, place, Path::new("/data/a")), Path::new("/data/a"));
    }

    #[test]
    fn a_plan_has_names_that_are_no_text() {
        use std::os::unix::ffi::OsStrExt as _;
        let odd = Path::new(std::ffi::OsStr::from_bytes(b"/odd-\xff")).to_path_buf();
        let namespaces = Namespaces {
            shown: vec![odd.clone()],
            mounts: vec![Mount {
                from: odd.clone(),
                to: odd.clone(),
                writable: false,
            }],
            ..Namespaces::default()
        };
        let read: Namespaces = serde_json::from_slice(&serde_json::to_vec(&namespaces).unwrap()).unwrap();
        assert_eq!((&read.shown[0], &read.mounts[0].to), (&odd, &odd));
    }
}
