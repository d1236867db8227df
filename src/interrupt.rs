//! Ctrl-C, SIGTERM and SIGHUP: they end the running child's process group at once, and everything
//! else at its next [`check`], so that destructors remove what is temporary and no half-written file
//! stays. A second signal changes nothing: cleaning up is short, and must not be cut.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::{Pid, Signal, kill_process_group};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::error::{Error, Result};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);
static CHILD: Mutex<Option<Pid>> = Mutex::new(None);

/// Starts listening. To be called once, before the first child.
///
/// # Errors
/// When the signal handlers cannot be installed.
pub fn listen() -> Result<()> {
    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM, SIGHUP])
        .map_err(|error| Error::new(format!("could not listen for signals: {error}")))?;
    std::thread::spawn(move || {
        for _ in signals.forever() {
            INTERRUPTED.store(true, Ordering::SeqCst);
            let child = CHILD.lock().unwrap_or_else(|broken| broken.into_inner());
            if let Some(group) = *child {
                // It may have ended in the meantime; then there is nothing to kill.
                let _ = kill_process_group(group, Signal::KILL);
            }
        }
    });
    Ok(())
}

/// Fails once the user has interrupted.
///
/// # Errors
/// [`Error::interrupted`].
pub fn check() -> Result<()> {
    if INTERRUPTED.load(Ordering::SeqCst) {
        Err(Error::interrupted())
    } else {
        Ok(())
    }
}

/// Names the process group to kill on a signal, until dropped.
#[derive(Debug)]
pub struct Guarded(Pid);

impl Guarded {
    /// Guards the group that `leader` leads. A signal that came just before ends it here.
    #[must_use]
    pub fn group(leader: Pid) -> Self {
        *CHILD.lock().unwrap_or_else(|broken| broken.into_inner()) = Some(leader);
        if INTERRUPTED.load(Ordering::SeqCst) {
            let _ = kill_process_group(leader, Signal::KILL);
        }
        Self(leader)
    }

    /// Kills what is left of the group.
    pub fn kill(&self) {
        let _ = kill_process_group(self.0, Signal::KILL);
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        *CHILD.lock().unwrap_or_else(|broken| broken.into_inner()) = None;
    }
}
