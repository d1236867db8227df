//! The only file that prints. Status lines go to stderr as cargo prints them, results to stdout; with
//! `--message-format json` stdout carries one object a line instead and stderr stays silent but for
//! the program's own words. What is said is decided elsewhere.
#![allow(clippy::disallowed_macros, reason = "this is the one room for them")]

mod bar;
mod child_output;
mod lines;
mod live;
mod runner;

use std::io::{self, IsTerminal as _, Write as _};
use std::os::fd::AsFd;
use std::sync::Arc;

use anstyle::{AnsiColor, Style};
use clap::ColorChoice;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::cli::args::Common;
use crate::error::{Error, Result};
use crate::exit_code::ExitCode;
use crate::os::env;
use crate::os::interrupt;
use crate::progress::Progress;
use crate::report;
use crate::text::layout::Layout;
use crate::text::visible;

pub use child_output::{ChildOutput, Stream};

/// Where and how to print.
#[derive(Clone, Copy, Debug)]
pub struct Console {
    verbosity: Verbosity,
    format: MessageFormat,
    color: bool,
    /// Whether a person sits before a terminal that can draw a line anew.
    watched: bool,
    /// Whether programs are told the steps.
    phases: bool,
}

/// How much to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Results, warnings and errors.
    Quiet,
    /// The steps too, and what the program prints.
    Normal,
    /// Everything that was done.
    Verbose,
}

/// For whom to print.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum MessageFormat {
    /// A person.
    #[default]
    Human,
    /// A program: one JSON object a line, the last with `"reason": "verdict"`.
    Json,
}

/// Cargo's colours.
const STATUS: Style = AnsiColor::Green.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const ERROR: Style = AnsiColor::Red.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default().bold();

impl Console {
    /// Sets the colour choice for the process, and gives the shell.
    fn new(verbosity: Verbosity, format: MessageFormat, color: ColorChoice) -> Self {
        match color {
            ColorChoice::Always => anstream::ColorChoice::Always,
            ColorChoice::Never => anstream::ColorChoice::Never,
            // anstream would colour it in CI.
            ColorChoice::Auto if env::has_plain_terminal() && !env::is_set("CLICOLOR_FORCE") => {
                anstream::ColorChoice::Never
            }
            ColorChoice::Auto => anstream::ColorChoice::Auto,
        }
        .write_global();
        let color = anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never;
        let watched = format == MessageFormat::Human
            && verbosity >= Verbosity::Normal
            && io::stderr().is_terminal()
            && !env::has_plain_terminal()
            && !env::is_set("CI");
        Self {
            verbosity,
            format,
            color,
            watched,
            phases: true,
        }
    }

    /// The shell that the flags ask for.
    #[must_use]
    pub fn of(flags: &Common) -> Self {
        let verbosity = match (flags.quiet, flags.verbose) {
            (true, _) => Verbosity::Quiet,
            (_, true) => Verbosity::Verbose,
            _ => Verbosity::Normal,
        };
        Self::new(verbosity, flags.message_format, flags.color)
    }

    /// The same, saying nothing of what happens but in the live line.
    #[must_use]
    pub fn silenced(self) -> Self {
        Self {
            verbosity: Verbosity::Quiet,
            phases: false,
            ..self
        }
    }

    /// Whether people read the output.
    #[must_use]
    pub fn is_human(self) -> bool {
        self.format == MessageFormat::Human
    }

    /// Whether only results are to be told.
    #[must_use]
    pub fn is_quiet(self) -> bool {
        self.verbosity == Verbosity::Quiet
    }

    /// Whether everything that is done is to be told.
    #[must_use]
    pub fn is_verbose(self) -> bool {
        self.verbosity == Verbosity::Verbose
    }

    /// Whether cargo, whose output is passed on, should use colour.
    #[must_use]
    pub fn colors(self) -> bool {
        self.color
    }

    /// A step, as cargo names one: `   Compiling …`.
    pub fn status(self, verb: &str, message: impl AsRef<str>) {
        if self.is_human() && self.verbosity >= Verbosity::Normal {
            say(format_args!("{STATUS}{verb:>12}{STATUS:#} {}", plain(message.as_ref())));
        }
    }

    /// A step that only `-v` shows.
    pub fn detail(self, verb: &str, message: impl AsRef<str>) {
        if self.is_verbose() {
            self.status(verb, message);
        }
    }

    /// Does something that may take long, with a bar where somebody watches: on a terminal, and not in CI.
    pub fn watching<T>(self, verb: &'static str, work: impl FnOnce(&Progress) -> T) -> T {
        let progress = Arc::new(Progress::default());
        let counted = Arc::clone(&progress);
        let _live = self
            .watched
            .then(|| live::Live::start(move |elapsed| bar::line(verb, self.color, &counted, elapsed)));
        work(&progress)
    }

    /// Listens to a child that does this, for passing on what it prints.
    #[must_use]
    pub fn listen(self, verb: &'static str, subject: &str) -> ChildOutput {
        ChildOutput::new(self, verb, subject)
    }

    /// How wide results are laid out.
    #[must_use]
    pub fn layout(self) -> Layout {
        Layout::on(columns(io::stdout()))
    }

    /// Something that the user should know though it stops nothing.
    pub fn warn(self, message: impl AsRef<str>) {
        if self.is_human() {
            say(format_args!("{WARNING}warning{WARNING:#}: {}", plain(message.as_ref())));
        } else {
            // Where this cannot be written the verdict cannot either, and that fails.
            let _ = self.json(&report::json::warning(message.as_ref()));
        }
    }

    /// Asks for something that is not shown while it is typed; none if nobody sits at a terminal.
    ///
    /// # Errors
    /// When the user interrupts, or the terminal fails.
    pub fn secret(self, question: &str) -> Result<Option<Zeroizing<String>>> {
        // A terminal that only stands behind a pipe or a service is not asked: nobody might answer.
        if !io::stdin().is_terminal() {
            return Ok(None);
        }
        let answer = rpassword::prompt_password(format!("{question}: "));
        interrupt::check()?;
        let failed = |error| Error::new(format!("could not read from the terminal: {error}"));
        answer.map(|answer| Some(Zeroizing::new(answer))).map_err(failed)
    }

    /// A result for people.
    ///
    /// # Errors
    /// When stdout cannot be written, save for a reader that closed it early.
    pub fn result(self, text: &str) -> Result<()> {
        if !self.is_human() {
            return Ok(());
        }
        let mut stdout = anstream::stdout().lock();
        finish(stdout.write_all(runner::tame(text).as_bytes()).and_then(|()| stdout.flush()))
    }

    /// Text that is the whole point of the command, to be kept in a file: as it is, wherever it is printed.
    ///
    /// # Errors
    /// As [`Console::result`].
    pub fn raw(self, text: &str) -> Result<()> {
        if !self.is_human() {
            return Ok(());
        }
        let mut stdout = io::stdout().lock();
        finish(stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()))
    }

    /// One JSON object on a line of stdout, when programs read it.
    ///
    /// # Errors
    /// As [`Console::result`].
    pub fn json(self, value: &impl Serialize) -> Result<()> {
        if self.is_human() || !self.phases {
            return Ok(());
        }
        let mut line = serde_json::to_string(value).expect("messages have string keys only");
        line.push('\n');
        line = runner::tame_json(line);
        let mut stdout = io::stdout().lock();
        finish(stdout.write_all(line.as_bytes()).and_then(|()| stdout.flush()))
    }

    /// Workflow commands for a runner, which reads stderr too.
    pub fn tell_runner(self, commands: &str) {
        end();
        let _ = live::aside(|| io::stderr().lock().write_all(commands.as_bytes()));
    }

    /// An error: what, where, and what next on a line of its own.
    pub fn error(self, error: &Error) {
        if !self.is_human() {
            return;
        }
        if self.watched && error.exit_code() == ExitCode::Interrupted {
            live::sweep();
        }
        say(format_args!("{ERROR}error{ERROR:#}: {}", plain(error.what())));
        if let Some(context) = error.context_lines() {
            for line in context.lines() {
                say(format_args!("  {}", plain(line)));
            }
        }
        if let Some(hint) = error.next() {
            say(format_args!("{HINT}hint{HINT:#}: {}", plain(hint)));
        }
    }
}

/// Lets the steps behind this one give a runner commands again.
pub fn end() {
    if let Some(line) = runner::resume() {
        let _ = live::aside(|| io::stderr().lock().write_all(line.as_bytes()));
    }
}

/// Says why the command line was refused, or shows the help that it asked for.
#[must_use]
pub fn refuse(refusal: &clap::Error) -> ExitCode {
    // Nobody listening is no reason to fail otherwise than the command line did.
    let _ = refusal.print();
    if refusal.use_stderr() {
        ExitCode::Usage
    } else {
        ExitCode::Ok
    }
}

/// Says, in the supervisor's place, why it could not serve.
#[must_use]
pub fn supervisor_failed(why: &str) -> ExitCode {
    say(format_args!("cargo-repro: {why}"));
    ExitCode::NotJudged
}

/// A sentence with names in it that may be anybody's: nothing in them acts on a terminal, and a further line is seen
/// to be one, so that none looks like a line of ours.
fn plain(text: &str) -> String {
    let lines: Vec<String> = text.trim_end().split('\n').map(|line| visible(&line.replace('\t', "    "))).collect();
    lines.join("\n  ")
}

fn say(line: std::fmt::Arguments<'_>) {
    // stderr may be closed; then nobody listens, and the exit code has to do.
    let _ = live::aside(|| writeln!(anstream::stderr().lock(), "{}", runner::tame(&line.to_string())));
}

/// The columns of a terminal; none if it is none, or does not say.
fn columns(stream: impl AsFd) -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(stream).ok()?;
    Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
}

/// A reader that went away has decided not to hear the rest; the exit code still tells it.
fn finish(written: io::Result<()>) -> Result<()> {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::new(format!("could not write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}
