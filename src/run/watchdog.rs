//! The small process that ends what a program started, should this tool be killed outright. The
//! program itself then dies with its parent (the [launcher](super::launcher) asks for that), but its
//! own children would live on. It is this very binary, started again with [`WORD`]: it reads a pipe
//! that only the tool holds, whose end is the tool's death.

use std::ffi::OsString;
use std::io::Read as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process_group, setsid};

/// The first argument that means this file.
pub const WORD: &str = "__watch";

/// Watches a process group until dropped.
#[derive(Debug)]
pub struct Watchdog(Option<Child>);

impl Watchdog {
    /// Starts it. Without one a run is as good; only its end by force is less tidy.
    #[must_use]
    pub fn over(group: Pid, this_binary: &Path) -> Self {
        let started = Command::new(this_binary)
            .arg(WORD)
            .arg(group.as_raw_nonzero().to_string())
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Self(started.ok())
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            // Killed while its pipe is still open: it must not take the closing for a death.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Waits for the tool's end, and ends the group.
pub fn watch(mut args: impl Iterator<Item = OsString>) {
    let group = args.next().and_then(|text| text.to_str()?.parse().ok()).and_then(Pid::from_raw);
    // Ctrl-C in the terminal is for the tool, which then ends everything itself.
    let _ = setsid();
    let ended = matches!(std::io::stdin().read(&mut [0]), Ok(0));
    if let Some(group) = group.filter(|_| ended) {
        let _ = kill_process_group(group, Signal::KILL);
    }
}
