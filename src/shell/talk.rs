//! What a child process prints, passed on while it runs: byte for byte, or above a live line that shows the last of
//! it where somebody watches.

use std::io::Write as _;
use std::sync::{Arc, Mutex};

use super::lines::{self, Lines};
use super::live::{self, Line, Live};
use super::{Shell, Verbosity, runner};

/// Where a child wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// stdout
    Out,
    /// stderr
    Err,
}

/// Listens to one child. Dropped, it has told everything, and its line is gone.
#[derive(Debug)]
pub struct Talk {
    shell: Shell,
    watched: Option<Watched>,
}

#[derive(Debug)]
struct Watched {
    out: Lines,
    err: Lines,
    /// The end of what was printed, for the live line.
    last: Arc<Mutex<String>>,
    live: Option<Live>,
}

impl Talk {
    pub(super) fn new(shell: Shell, verb: &'static str, subject: &str) -> Self {
        let watched = shell.watched.then(|| {
            let last = Arc::new(Mutex::new(String::new()));
            let (told, subject, colors) = (Arc::clone(&last), subject.to_owned(), shell.color);
            let live = Live::start(move |elapsed| {
                let told = told.lock().map(|told| told.clone()).unwrap_or_default();
                let rest = format!("{subject} {} {told}", live::clock(elapsed));
                let rest = rest.trim_end().to_owned();
                Line { verb, rest, colors }
            });
            Watched {
                out: Lines::default(),
                err: Lines::default(),
                last,
                live: Some(live),
            }
        });
        Self { shell, watched }
    }

    /// Passes on what the child printed.
    pub fn hear(&mut self, stream: Stream, bytes: &[u8]) {
        let Some(watched) = &mut self.watched else {
            return write(self.shell, bytes);
        };
        let lines = match stream {
            Stream::Out => &mut watched.out,
            Stream::Err => &mut watched.err,
        };
        let whole = lines.take(bytes);
        if let (Some(now), Ok(mut last)) = (lines.open().or_else(|| lines::last(&whole)), watched.last.lock()) {
            *last = now;
        }
        write(self.shell, whole.as_bytes());
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        if let Some(watched) = &mut self.watched {
            drop(watched.live.take());
            let rest = watched.out.finish() + &watched.err.finish();
            write(self.shell, rest.as_bytes());
        }
    }
}

fn write(shell: Shell, bytes: &[u8]) {
    if shell.is_human() && shell.verbosity >= Verbosity::Normal && !bytes.is_empty() {
        let fence = runner::stop(bytes);
        // The user's terminal may have gone; the training goes on.
        let _ = live::aside(|| {
            let mut stderr = anstream::stderr().lock();
            stderr.write_all(fence.unwrap_or_default().as_bytes())?;
            stderr.write_all(bytes)
        });
    }
}
