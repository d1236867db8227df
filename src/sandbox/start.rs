//! Starts a supervisor, from the tool's side.

use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::getpid;

use super::{Conditions, Namespaces, Plan, Report, supervisor};

/// What a supervisor is called.
const NAME: &str = "cargo-repro";

/// Starts a supervisor, which waits for its plan on the line that is given too. What the program prints comes from the
/// supervisor's own outputs.
///
/// # Errors
/// When it cannot be started.
pub fn supervisor(stdout: Stdio, stderr: Stdio) -> io::Result<(Child, UnixStream)> {
    let (ours, theirs) = UnixStream::pair()?;
    let child = Command::new(std::env::current_exe()?)
        // The first process within has this line too, for the program to see: no path of the machine.
        .arg0(NAME)
        .arg(supervisor::WORD)
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .stdout(stdout)
        .stderr(stderr)
        .spawn()?;
    Ok((child, ours))
}

/// Gives a supervisor its plan: before that nothing is started that could be left behind.
///
/// # Errors
/// When the plan cannot be written down.
pub fn hand(line: &mut UnixStream, plan: &Plan) -> io::Result<()> {
    let mut plan = serde_json::to_vec(plan).map_err(io::Error::other)?;
    plan.push(b'\n'); // there is none in it
    // One that ended at once did not read, and says why by its end.
    let _ = line.write_all(&plan);
    Ok(())
}

/// Starts to find out whether namespaces can be made on this machine: they can if the report says so.
///
/// # Errors
/// When no process can be started.
pub fn probe(mount_point: &Path, report: &Path) -> io::Result<Child> {
    let plan = Plan {
        program: supervisor::PROBE.into(),
        namespaces: Some(Namespaces {
            mount_point: mount_point.to_path_buf(),
            ..Namespaces::default()
        }),
        report: report.into(),
        ..Plan::empty()
    };
    let (child, mut line) = supervisor(Stdio::null(), Stdio::null())?;
    hand(&mut line, &plan)?;
    Ok(child)
}

impl Plan {
    /// A plan that holds nothing and asks for nothing.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            parent: getpid().as_raw_nonzero().get(),
            program: "/".into(),
            args: Vec::new(),
            directory: "/".into(),
            environment: Vec::new(),
            namespaces: None,
            landlock: None,
            audit: false,
            drives: false,
            conditions: Conditions::default(),
            gives: Vec::new(),
            report: "/dev/null".into(),
        }
    }
}

impl Report {
    /// Reads what a supervisor left, and removes it; none if it was ended before it could.
    #[must_use]
    pub fn take(path: &Path) -> Option<Self> {
        let bytes = std::fs::read(path).ok()?;
        // It is written anew each time; an old one that stays is overwritten.
        let _ = std::fs::remove_file(path);
        serde_json::from_slice(&bytes).ok()
    }
}
