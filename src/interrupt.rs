//! Ctrl-C, SIGTERM and SIGHUP: they end the running child's process group at once, and everything
//! else at its next [`check`], so that destructors remove what is temporary and no half-written file
//! stays. A second signal changes nothing: cleaning up is short, and must not be cut.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

use rustix::process::{Pid, Signal, kill_process_group};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::error::{Error, Result};

static INTERRUPTED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);
static CHILD: Mutex<Option<Pid>> = Mutex::new(None);

/// Starts listening. To be called once, before the first child.
///
/// # Errors
/// When the signal handlers cannot be installed.
pub fn listen() -> Result<()> {
    const SIGNALS: [i32; 3] = [SIGINT, SIGTERM, SIGHUP];
    let could_not = |error: std::io::Error| Error::new(format!("could not listen for signals: {error}"));
    // Set in the handler itself: a helper that the same Ctrl-C ended must not be seen to fail before.
    for signal in SIGNALS {
        signal_hook::flag::register(signal, Arc::clone(&INTERRUPTED)).map_err(could_not)?;
    }
    let mut signals = signal_hook::iterator::Signals::new(SIGNALS).map_err(could_not)?;
    std::thread::spawn(move || {
        for _ in signals.forever() {
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

    /// Asks the group's leader, which is a warden, to end the program and to say what it saw.
    pub fn ask_to_end(&self) {
        let _ = rustix::process::kill_process(self.0, Signal::TERM);
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
