//! Ctrl-C, SIGTERM and SIGHUP: they end the running child's process group at once, and everything
//! else at its next [`check`], so that destructors remove what is temporary and no half-written file
//! stays. A second signal changes nothing: cleaning up is short, and must not be cut. Where nobody comes to a
//! check, as in a library or behind a file system that does not answer, the whole process ends all the same.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::error::{Error, Result};
use crate::exit_code::ExitCode;
use crate::os::bounded;
use crate::os::scratch;

static INTERRUPTED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);
/// Whether somebody came to a [`check`] since, and is on the way out.
static NOTICED: AtomicBool = AtomicBool::new(false);
/// How many things are under way that must not be cut.
static WHOLE: AtomicUsize = AtomicUsize::new(0);
static CHILD: Mutex<Option<Pid>> = Mutex::new(None);

/// How long it may take until somebody comes to a check.
const PATIENCE: Duration = Duration::from_millis(700);

/// The same while a child is waited for, which ends now and may have much to give back.
const PATIENCE_WITH_CHILD: Duration = Duration::from_secs(10);

/// How long the removing of what is temporary may take: it may lie on what does not answer.
const SWEEPING: Duration = Duration::from_secs(2);

/// How long what is said last may take: whoever reads it may have stopped.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// Starts listening. To be called once, before the first child. `last_words` are for the end of a process in which
/// nobody came to a check; they give its exit code.
///
/// # Errors
/// When the signal handlers cannot be installed.
pub fn listen(last_words: impl Fn() -> ExitCode + Send + 'static) -> Result<()> {
    let mut listened = vec![SIGINT, SIGTERM];
    // Under `nohup` nobody's leaving is to end anything.
    listened.extend(Some(SIGHUP).filter(|signal| !is_ignored(*signal)));
    let could_not = |error: std::io::Error| Error::new(format!("could not listen for signals: {error}"));
    // Set in the handler itself: a helper that the same Ctrl-C ended must not be seen to fail before.
    for signal in &listened {
        signal_hook::flag::register(*signal, Arc::clone(&INTERRUPTED)).map_err(could_not)?;
    }
    let mut signals = signal_hook::iterator::Signals::new(&listened).map_err(could_not)?;
    std::thread::spawn(move || {
        let mut last_words = Some(last_words);
        for _ in signals.forever() {
            let child = CHILD.lock().unwrap_or_else(|broken| broken.into_inner());
            let mut patience = PATIENCE;
            if let Some(group) = *child {
                end(group);
                patience = PATIENCE_WITH_CHILD;
            }
            drop(child);
            if let Some(last_words) = last_words.take() {
                std::thread::spawn(move || end_unnoticed(patience, last_words));
            }
        }
    });
    Ok(())
}

/// Ends the process unless somebody does.
fn end_unnoticed(patience: Duration, last_words: impl Fn() -> ExitCode + Send + 'static) {
    loop {
        std::thread::sleep(patience);
        if NOTICED.load(Ordering::SeqCst) {
            return;
        }
        if WHOLE.load(Ordering::SeqCst) == 0 {
            break;
        }
    }
    sweep();
    std::thread::spawn(move || leave(last_words()));
    std::thread::sleep(LAST_WORDS);
    leave(ExitCode::Interrupted);
}

/// Removes what destructors would have.
fn sweep() {
    let (swept, is_swept) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        scratch::sweep();
        // Nobody waits any longer if it took too long.
        let _ = swept.send(());
    });
    let _ = is_swept.recv_timeout(SWEEPING);
}

#[allow(
    clippy::disallowed_methods,
    reason = "destructors are skipped, since whoever holds their values does not answer"
)]
fn leave(code: ExitCode) -> ! {
    std::process::exit(i32::from(code.number()))
}

/// Something that must not be cut while this lives, such as the writing of several files that belong together.
#[derive(Debug)]
pub struct Whole(());

impl Whole {
    /// From here on.
    #[must_use]
    pub fn begin() -> Self {
        WHOLE.fetch_add(1, Ordering::SeqCst);
        Self(())
    }
}

impl Drop for Whole {
    fn drop(&mut self) {
        WHOLE.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Whether whoever started this program had it ignore a signal.
fn is_ignored(signal: i32) -> bool {
    let status = bounded::text(Path::new("/proc/self/status"), bounded::WRITTEN).unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap_or_default();
    // One bit a signal, the first for number 1 (proc_pid_status(5)).
    u64::from_str_radix(mask.trim(), 16).is_ok_and(|mask| mask >> (signal - 1) & 1 == 1)
}

/// Kills a group; or its leader, which may not have made it one yet. That both have ended in the meantime is no
/// failure.
fn end(leader: Pid) {
    if kill_process_group(leader, Signal::KILL).is_err() {
        let _ = kill_process(leader, Signal::KILL);
    }
}

/// Fails once the user has interrupted.
///
/// # Errors
/// [`Error::interrupted`].
pub fn check() -> Result<()> {
    if INTERRUPTED.load(Ordering::SeqCst) {
        NOTICED.store(true, Ordering::SeqCst);
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
            end(leader);
        }
        Self(leader)
    }

    /// Asks the group's leader, which is a supervisor, to end the program and to say what it saw.
    pub fn ask_to_end(&self) {
        let _ = kill_process(self.0, Signal::TERM);
    }

    /// Kills what is left of the group; while its leader is not waited for, its number is nobody else's.
    pub fn kill(&self) {
        let _ = kill_process_group(self.0, Signal::KILL);
    }

    /// Kills the group while it still runs.
    pub fn end(&self) {
        end(self.0);
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        *CHILD.lock().unwrap_or_else(|broken| broken.into_inner()) = None;
    }
}
