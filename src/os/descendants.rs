//! Everything that a process began, whatever session or group it went to since, and the end of it: by the kernel's lists
//! of children, where no namespace ends with its first process.

use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::os::bounded;

/// One that begins new processes as fast as they are ended is given up on.
const PATIENCE: Duration = Duration::from_secs(30);

/// Ends all that descends from `root`, which inherits what its descendants leave (`PR_SET_CHILD_SUBREAPER`): so what
/// began meanwhile is found in the next round.
pub fn end(root: Pid) {
    let began = Instant::now();
    loop {
        let living = living(root);
        if living.is_empty() || began.elapsed() > PATIENCE {
            return;
        }
        for process in living {
            let _ = kill_process(process, Signal::KILL);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// All that descends from `root` and has not ended.
#[must_use]
pub fn living(root: Pid) -> Vec<Pid> {
    let mut found = Vec::new();
    let mut next = children(root);
    while let Some(process) = next.pop() {
        next.extend(children(process));
        if has_not_ended(process) {
            found.push(process);
        }
    }
    found
}

/// The children of a process, by any of its threads.
#[must_use]
pub fn children(process: Pid) -> Vec<Pid> {
    let Ok(threads) = std::fs::read_dir(format!("/proc/{}/task", process.as_raw_nonzero())) else {
        return Vec::new();
    };
    let lists: Vec<Vec<u8>> = threads
        .flatten()
        .filter_map(|thread| bounded::kernels(&thread.path().join("children")).ok())
        .collect();
    let ids = lists.iter().flat_map(|list| list.split(u8::is_ascii_whitespace));
    let number = |id: &[u8]| std::str::from_utf8(id).ok()?.parse().ok();
    ids.filter_map(number).filter_map(Pid::from_raw).collect()
}

/// One that has ended stays in the lists until somebody waits for it.
fn has_not_ended(process: Pid) -> bool {
    let place = format!("/proc/{}/stat", process.as_raw_nonzero());
    let stat = bounded::kernels(Path::new(&place)).unwrap_or_default();
    // The name before it may have any bytes.
    let state = stat.rsplit(|byte| *byte == b')').next().and_then(|rest| rest.trim_ascii_start().first());
    !matches!(state, None | Some(b'Z' | b'X'))
}
