//! The one line below all others on a watched terminal. It says what is going on, of several things the newest; it
//! is there once that has taken a second, and is gone without a trace afterwards. What it says is composed elsewhere.

use std::io::{self, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anstyle::{AnsiColor, Style};
use unicode_width::UnicodeWidthChar as _;

/// Nothing that is done by then needs a line.
const PATIENCE: Duration = Duration::from_secs(1);

const INTERVAL: Duration = Duration::from_millis(100);

const VERB: Style = AnsiColor::Cyan.on_default().bold();

/// Erases the line, and what a narrowed terminal made of it: the cursor always stands at its first column, and
/// stays there when a terminal breaks the line anew.
const ERASE: &[u8] = b"\r\x1b[J";

/// What is going on. Whoever writes to the terminal holds this.
static GOING_ON: Mutex<GoingOn> = Mutex::new(GoingOn(Vec::new()));

/// How many lines there have been, for numbers.
static STARTED: AtomicU64 = AtomicU64::new(0);

/// What the line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// What is done, as in a status line.
    pub(super) verb: &'static str,
    /// To what, how long, and how far it has come.
    pub(super) rest: String,
    /// Whether the verb is coloured.
    pub(super) colors: bool,
}

/// The lines of all that is going on at once, each with its number, the oldest first. The newest is drawn.
#[derive(Debug, Default)]
struct GoingOn(Vec<(u64, Line)>);

/// Keeps the line up to date until dropped.
#[derive(Debug)]
pub(super) struct Live {
    done: Option<Sender<()>>,
    ticker: Option<JoinHandle<()>>,
}

impl Live {
    /// Shows what `compose` makes of the time that has passed.
    pub(super) fn start(compose: impl Fn(Duration) -> Line + Send + 'static) -> Self {
        let (done, is_done) = channel::<()>();
        let began = Instant::now();
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let ticker = std::thread::spawn(move || {
            let mut wait = PATIENCE;
            let mut last = None;
            while is_done.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                wait = INTERVAL;
                let now = Some((compose(began.elapsed()), columns()));
                if now != last {
                    tell(number, now.as_ref().map(|(line, _)| line.clone()));
                    last = now;
                }
            }
            tell(number, None);
        });
        Self {
            done: Some(done),
            ticker: Some(ticker),
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        drop(self.done.take());
        // It ends at once, and what is written next must find the line gone.
        let _ = self.ticker.take().map(JoinHandle::join);
    }
}

impl GoingOn {
    /// The line that is to be drawn.
    fn newest(&self) -> Option<&Line> {
        self.0.last().map(|(_, line)| line)
    }

    /// Takes what a line says now, nothing when it is over; gives whether that changes what is drawn.
    fn tell(&mut self, number: u64, line: Option<Line>) -> bool {
        let is_newest = |lines: &[(u64, Line)]| lines.last().is_some_and(|(newest, _)| *newest == number);
        let was_drawn = is_newest(&self.0);
        self.0.retain(|(known, _)| *known != number);
        if let Some(line) = line {
            let older = self.0.iter().filter(|(known, _)| *known < number).count();
            self.0.insert(older, (number, line));
        }
        was_drawn || is_newest(&self.0)
    }
}

/// Says what a line says now; nothing when it is over.
fn tell(number: u64, line: Option<Line>) {
    let mut going_on = going_on();
    let is_up = going_on.newest().is_some();
    if going_on.tell(number, line) {
        draw(is_up, going_on.newest());
    }
}

/// Writes whole lines while the live one is out of their way.
pub(super) fn aside<T>(write: impl FnOnce() -> T) -> T {
    let going_on = going_on();
    draw(going_on.newest().is_some(), None);
    let written = write();
    draw(false, going_on.newest());
    written
}

/// Removes what a terminal itself put at the beginning of a line: `^C`.
pub(super) fn sweep() {
    let _held = going_on();
    let _ = io::stderr().write_all(ERASE);
}

fn going_on() -> MutexGuard<'static, GoingOn> {
    GOING_ON.lock().unwrap_or_else(|broken| broken.into_inner())
}

/// Draws this in place of what is drawn.
fn draw(is_up: bool, line: Option<&Line>) {
    let mut bytes = Vec::new();
    if is_up {
        bytes.extend(ERASE);
    }
    if let Some(line) = line {
        bytes.extend(line.text(columns().unwrap_or(80)).as_bytes());
        bytes.push(b'\r');
    }
    if !bytes.is_empty() {
        // At once, so that it does not flicker. The terminal may have gone; the work goes on.
        let _ = io::stderr().write_all(&bytes);
    }
}

fn columns() -> Option<usize> {
    super::columns(io::stderr())
}

impl Line {
    /// The line in fewer than so many columns: in the last one, some terminals go on to the next row.
    fn text(&self, columns: usize) -> String {
        let free = columns.saturating_sub(1);
        let whole = format!("{:>12} {}", self.verb, self.rest);
        let text = cut(&whole, free);
        let verb = format!("{:>12}", self.verb);
        match text.strip_prefix(&verb) {
            Some(rest) if self.colors => format!("{VERB}{verb}{VERB:#}{rest}"),
            _ => text,
        }
    }
}

/// The beginning of a text that fits into so many columns, with a sign that there is more.
fn cut(text: &str, columns: usize) -> String {
    let width = |letter: char| letter.width().unwrap_or(0);
    if text.chars().map(width).sum::<usize>() <= columns {
        return text.to_owned();
    }
    let mut used = 1; // the sign
    let fits = |letter: &char| {
        used += width(*letter);
        used <= columns
    };
    let mut cut: String = text.chars().take_while(fits).collect();
    if columns > 0 {
        cut.push('…');
    }
    cut
}

/// How long something has taken: `[7s]`, `[1m 03s]`, `[2h 05m]`.
pub(super) fn clock(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("[{seconds}s]"),
        (0, minutes, seconds) => format!("[{minutes}m {seconds:02}s]"),
        (hours, minutes, _) => format!("[{hours}h {minutes:02}m]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_never_reaches_the_last_column() {
        for rest in [
            "wine [2s]",
            "x [1m 03s] epoch 12: loss 0.31",
            "日本語 [2s] 学習中学習中学習中",
            "",
        ] {
            let line = Line {
                verb: "Training",
                rest: rest.to_owned(),
                colors: false,
            };
            for columns in 0..60 {
                let text = line.text(columns);
                let width: usize = text.chars().filter_map(|letter| letter.width()).sum();
                assert!(width <= columns.saturating_sub(1), "{columns}: {text}");
            }
            assert_eq!(line.text(200), format!("    Training {rest}"));
        }
    }

    #[test]
    fn of_two_things_at_once_the_newer_is_drawn_and_the_older_when_it_is_over() {
        let line = |rest: &str| Line {
            verb: "Doing",
            rest: rest.to_owned(),
            colors: false,
        };
        let mut going_on = GoingOn::default();
        assert!(going_on.tell(2, Some(line("new"))));
        assert!(!going_on.tell(1, Some(line("old"))));
        assert_eq!(going_on.newest(), Some(&line("new")));
        assert!(going_on.tell(2, Some(line("newer"))));
        assert!(!going_on.tell(1, Some(line("older"))));
        assert!(going_on.tell(2, None));
        assert_eq!(going_on.newest(), Some(&line("older")));
        assert!(going_on.tell(1, None));
        assert!(going_on.newest().is_none() && !going_on.tell(1, None));
    }

    #[test]
    fn a_text_is_cut_where_a_wide_letter_would_not_fit() {
        assert_eq!(cut("abcdef", 6), "abcdef");
        assert_eq!(cut("abcdef", 5), "abcd…");
        assert_eq!(cut("学習中", 5), "学習…");
        assert_eq!(cut("学習中", 4), "学…");
    }

    #[test]
    fn elapsed_time_has_its_two_largest_units() {
        assert_eq!(clock(Duration::from_millis(12_900)), "[12s]");
        assert_eq!(clock(Duration::from_secs(63)), "[1m 03s]");
        assert_eq!(clock(Duration::from_secs(7503)), "[2h 05m]");
    }
}
