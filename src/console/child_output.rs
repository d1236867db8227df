//! What a child process prints, passed on while it runs: byte for byte, or above a live line that shows the last of
//! it where somebody watches.

use std::io::Write as _;
use std::sync::{Arc, Mutex};

use anstream::adapter::{StripBytes, strip_str};

use super::lines::{self, Lines};
use super::live::{self, Line, Live};
use super::{Console, Verbosity, runner};

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
pub struct ChildOutput {
    console: Console,
    way: Way,
}

#[derive(Debug)]
enum Way {
    /// Somebody watches: whole lines, above a live one.
    Watched(Watched),
    /// Nobody does: byte for byte.
    Passed(Passed),
}

#[derive(Debug)]
struct Watched {
    out: Lines,
    err: Lines,
    /// The end of what was printed, for the live line.
    last: Arc<Mutex<String>>,
    live: Option<Live>,
}

#[derive(Debug, Default)]
struct Passed {
    /// What a stream stands in, where colours are taken out: an escape sequence may come in parts, and so may a letter.
    out: StripBytes,
    err: StripBytes,
    /// Whether the last line has no end yet.
    is_open: bool,
}

impl ChildOutput {
    pub(super) fn new(console: Console, verb: &'static str, subject: &str) -> Self {
        let way = match console.watched {
            true => Way::Watched(Watched::new(console, verb, subject)),
            false => Way::Passed(Passed::default()),
        };
        Self { console, way }
    }

    /// Passes on what the child printed.
    pub fn hear(&mut self, stream: Stream, bytes: &[u8]) {
        match &mut self.way {
            Way::Watched(watched) => watched.hear(self.console, stream, bytes),
            Way::Passed(passed) => passed.hear(self.console, stream, bytes),
        }
    }
}

impl Drop for ChildOutput {
    fn drop(&mut self) {
        match &mut self.way {
            Way::Watched(watched) => {
                drop(watched.live.take());
                let rest = watched.out.finish() + &watched.err.finish();
                watched.write(self.console, &rest);
            }
            // What we say next begins a line.
            Way::Passed(passed) if passed.is_open => write(self.console, b"\n"),
            Way::Passed(_) => {}
        }
    }
}

impl Watched {
    fn new(console: Console, verb: &'static str, subject: &str) -> Self {
        let last = Arc::new(Mutex::new(String::new()));
        let (told, subject, colors) = (Arc::clone(&last), subject.to_owned(), console.color);
        let live = Live::start(move |elapsed| {
            let told = told.lock().map(|told| told.clone()).unwrap_or_default();
            let rest = format!("{subject} {} {told}", live::clock(elapsed));
            let rest = rest.trim_end().to_owned();
            Line { verb, rest, colors }
        });
        Self {
            out: Lines::default(),
            err: Lines::default(),
            last,
            live: Some(live),
        }
    }

    fn hear(&mut self, console: Console, stream: Stream, bytes: &[u8]) {
        let lines = match stream {
            Stream::Out => &mut self.out,
            Stream::Err => &mut self.err,
        };
        let whole = lines.take(bytes);
        if let (Some(now), Ok(mut last)) = (lines.open().or_else(|| lines::last(&whole)), self.last.lock()) {
            *last = now;
        }
        self.write(console, &whole);
    }

    fn write(&self, console: Console, lines: &str) {
        if console.color {
            write(console, lines.as_bytes());
        } else {
            write(console, strip_str(lines).to_string().as_bytes());
        }
    }
}

impl Passed {
    fn hear(&mut self, console: Console, stream: Stream, bytes: &[u8]) {
        let state = match stream {
            Stream::Out => &mut self.out,
            Stream::Err => &mut self.err,
        };
        if console.color {
            self.write(console, bytes);
        } else {
            let plain: Vec<u8> = state.strip_next(bytes).flatten().copied().collect();
            self.write(console, &plain);
        }
    }

    fn write(&mut self, console: Console, bytes: &[u8]) {
        self.is_open = bytes.last().map_or(self.is_open, |last| *last != b'\n');
        write(console, bytes);
    }
}

fn write(console: Console, bytes: &[u8]) {
    if console.is_human() && console.verbosity >= Verbosity::Normal && !bytes.is_empty() {
        let fence = runner::stop(bytes);
        // The user's terminal may have gone; the training goes on.
        let _ = live::aside(|| {
            let mut stderr = std::io::stderr().lock();
            stderr.write_all(fence.unwrap_or_default().as_bytes())?;
            stderr.write_all(bytes)
        });
    }
}
