//! A terminal with somebody before it: the binary runs in a pseudo-terminal of its own, what it writes goes to an
//! emulator, and tests look at the emulator's screen.

use std::io::{Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use super::{Answer, Project, under};

/// More than any test fills, so that nothing scrolls away.
const ROWS: u16 = 400;

/// Nothing that a test waits for takes longer.
const LONG: Duration = Duration::from_secs(60);

/// What decides how a terminal is written to, and may be set where the tests run.
const VARIABLES: [&str; 6] = ["TERM", "CI", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLORTERM"];

/// The binary at work in a terminal.
pub struct Terminal {
    child: Child,
    master: std::fs::File,
    screen: vt100::Parser,
    raw: Vec<u8>,
    around: std::path::PathBuf,
}

/// What the terminal shows when the binary has ended.
pub struct Ended {
    /// The exit code.
    pub code: Option<i32>,
    /// The screen's rows without blank ends.
    pub text: String,
    /// Every byte that was written.
    pub raw: Vec<u8>,
    /// The screen redacted, for a snapshot.
    pub redacted: String,
    /// Whether the cursor was left hidden.
    pub hides_cursor: bool,
    /// The column in which the cursor was left.
    pub column: u16,
}

impl Terminal {
    /// Starts the binary in a terminal of so many columns, with these variables besides.
    pub fn start(project: &Project, columns: u16, args: &[&str], variables: &[(&str, &str)]) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        tcsetwinsize(&master, size(columns)).unwrap();
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let stream = || Stdio::from(ioctl_tiocgptpeer(&master, flags).unwrap());
        let inner = project.command(args);
        // It gives the terminal to the binary, so that Ctrl-C is a signal.
        let mut command = under(&["setsid", "--ctty"], &inner);
        for name in VARIABLES {
            command.env_remove(name);
        }
        command.env("TERM", "xterm-256color").envs(variables.iter().copied());
        let child = command.stdin(stream()).stdout(stream()).stderr(stream()).spawn().unwrap();
        drop(command); // its ends of the terminal with it
        Self {
            child,
            master: std::fs::File::from(master),
            screen: vt100::Parser::new(ROWS, columns, 0),
            raw: Vec::new(),
            around: project.around().to_path_buf(),
        }
    }

    /// Waits until a row holds this text, and gives the row.
    #[track_caller]
    pub fn wait_for(&mut self, text: &str) -> String {
        let began = Instant::now();
        loop {
            if let Some(row) = self.rows().into_iter().find(|row| row.contains(text)) {
                return row;
            }
            let goes_on = self.read();
            assert!(goes_on && began.elapsed() < LONG, "no {text:?} on\n{}", self.screen.screen().contents());
        }
    }

    /// The screen's rows without blank ends.
    pub fn rows(&self) -> Vec<String> {
        let screen = self.screen.screen();
        screen.rows(0, screen.size().1).map(|row| row.trim_end().to_owned()).collect()
    }

    /// Types.
    pub fn press(&mut self, bytes: &[u8]) {
        self.master.write_all(bytes).unwrap();
    }

    /// Makes the terminal so wide.
    pub fn resize(&mut self, columns: u16) {
        tcsetwinsize(&self.master, size(columns)).unwrap();
        self.screen.screen_mut().set_size(ROWS, columns);
    }

    /// Waits for the end.
    #[track_caller]
    pub fn end(mut self) -> Ended {
        let began = Instant::now();
        while self.read() {
            assert!(began.elapsed() < LONG, "it does not end:\n{}", self.screen.screen().contents());
        }
        let code = self.child.wait().unwrap().code();
        let rows = self.rows().join("\n");
        let text = rows.trim_end().to_owned() + "\n";
        let answer = Answer {
            code,
            stdout: text.clone(),
            stderr: String::new(),
            around: self.around,
        };
        let screen = self.screen.screen();
        Ended {
            code,
            redacted: answer.text(),
            text,
            hides_cursor: screen.hide_cursor(),
            column: screen.cursor_position().1,
            raw: self.raw,
        }
    }

    /// Reads what comes next; false at the end.
    fn read(&mut self) -> bool {
        let mut wanted = [PollFd::from_borrowed_fd(self.master.as_fd(), PollFlags::IN)];
        let soon = Timespec {
            tv_sec: 0,
            tv_nsec: 50_000_000,
        };
        if poll(&mut wanted, Some(&soon)).unwrap() == 0 {
            return true;
        }
        let mut buffer = [0; 4096];
        // Linux answers with an error when nobody has the terminal any more.
        let read = self.master.read(&mut buffer).unwrap_or(0);
        self.raw.extend(&buffer[..read]);
        self.screen.process(&buffer[..read]);
        read > 0
    }
}

fn size(columns: u16) -> Winsize {
    Winsize {
        ws_row: ROWS,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    }
}
