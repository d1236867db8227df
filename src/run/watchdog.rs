//! The small process that ends what a program started, should this tool be killed outright. The
//! program itself then dies with its parent (the [supervisor](crate::sandbox::supervisor) asks for that), but its
//! own children would live on. It is this very binary, started once with [`WORD`]: it reads from a
//! pipe that only the tool holds which process group to mind, and the pipe's end is the tool's. What left the group
//! descends from the group's leader still, the supervisor.

use std::io::{BufRead as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::{Pid, Signal, kill_process_group, setsid};

use crate::os::descendants;

/// The first argument that means this file.
pub const WORD: &str = "__watch";

/// It serves every child of this process, one after the other.
static WATCHDOG: Mutex<Option<Child>> = Mutex::new(None);

/// Has a process group minded until dropped.
#[derive(Debug)]
pub struct Minded;

impl Minded {
    /// Has `group` minded. Without a watchdog a run is as good; only its end by force is less tidy.
    #[must_use]
    pub fn group(group: Pid, this_binary: &Path) -> Self {
        let mut watchdog = lock();
        if watchdog.is_none() {
            *watchdog = start(this_binary).ok();
        }
        drop(watchdog);
        tell(group.as_raw_nonzero().get());
        Self
    }
}

impl Drop for Minded {
    fn drop(&mut self) {
        tell(0);
    }
}

/// The watchdog's own process, which is no orphan of a program's.
#[must_use]
pub fn process() -> Option<Pid> {
    lock().as_ref().map(Pid::from_child)
}

fn lock() -> MutexGuard<'static, Option<Child>> {
    WATCHDOG.lock().unwrap_or_else(PoisonError::into_inner)
}

fn start(this_binary: &Path) -> std::io::Result<Child> {
    Command::new(this_binary)
        .arg(WORD)
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
}

/// Names the group to mind; 0 is none.
fn tell(group: i32) {
    if let Some(pipe) = lock().as_mut().and_then(|child| child.stdin.as_mut()) {
        // One that has gone cannot be told, and minds nothing.
        let _ = pipe.write_all(format!("{group}\n").as_bytes());
    }
}

/// Reads until the tool's end, and ends the group that was named last.
pub fn watch() {
    // Ctrl-C in the terminal is for the tool, which then ends everything itself.
    let _ = setsid();
    let mut group = None;
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        group = line.parse().ok().and_then(Pid::from_raw);
    }
    if let Some(group) = group {
        // While its leader lives, which inherits them.
        descendants::end(group);
        let _ = kill_process_group(group, Signal::KILL);
    }
}
