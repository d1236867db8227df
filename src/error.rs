//! An error as its reader needs it: what went wrong and where, what to do next, and which exit code
//! that is. Differences between two snapshots are not errors; they are [`crate::compare::Drift`] and
//! [`crate::compare::Divergence`].

use std::fmt;
use std::path::Path;

use crate::cause::Cause;
use crate::exit_code::ExitCode;
use crate::os::interrupt;

/// The result of everything that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What to do about a file that a newer version of this tool wrote.
pub const NEWER: &str = "install a cargo repro as new as the one that wrote it: its README says how, under “Install”";

/// Where in a run an error arose; the JSON verdict carries the word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Reading the manifest, the lock, the repository, the package.
    Project,
    /// Taking the snapshot.
    Snapshot,
    /// Checking the build out and compiling it.
    Build,
    /// Running the program.
    Train,
    /// Gathering what the program wrote.
    Collect,
}

impl Phase {
    /// The word in JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Project => "project",
            Self::Snapshot => "snapshot",
            Self::Build => "build",
            Self::Train => "train",
            Self::Collect => "collect",
        }
    }
}

/// What, where, and what next.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    code: ExitCode,
    phase: Phase,
    what: String,
    /// Indented lines under the message: the manifest's line, the end of a program's output.
    context: Option<String>,
    hint: Option<String>,
    /// The end of a program's output, where whoever ran it has seen it go by: for reports.
    seen: Option<String>,
    /// What may be why.
    causes: Vec<Cause>,
    /// Whether it is cargo that refuses the package.
    of_cargo: bool,
    /// The stage that failed.
    stage: Option<String>,
}

impl Error {
    /// An error that keeps anything from being judged (exit code 1) unless [`Error::code`] says otherwise.
    pub fn new(what: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            code: ExitCode::NotJudged,
            phase: Phase::Project,
            what: what.into(),
            context: None,
            hint: None,
            seen: None,
            causes: Vec::new(),
            of_cargo: false,
            stage: None,
        }))
    }

    /// An I/O error with what was being done to which path.
    pub fn io(doing: &str, path: &Path, error: &std::io::Error) -> Self {
        // Of a scratch file, tempfile adds a path that nobody knows, as Rust's `Debug` has it.
        let said = error.to_string();
        let said = said.split(" at path \"").next().unwrap_or_default();
        let plain = Self::new(format!("could not {doing} {}: {said}", path.display()));
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                plain.hint("free some space, then run the same command again; nothing was half written")
            }
            std::io::ErrorKind::Interrupted if interrupt::check().is_err() => Self::interrupted(),
            std::io::ErrorKind::PermissionDenied => plain.hint("check the owner and the permissions of that path"),
            _ => plain,
        }
    }

    /// Refuses an input that no lock could name.
    #[must_use]
    pub fn not_text(path: &Path) -> Self {
        Self::new(format!("the name of {} is not UTF-8", path.display()))
            .hint("rename it; a lock is text and could not name it")
    }

    /// The user, or the system, asked for an end.
    #[must_use]
    pub fn interrupted() -> Self {
        Self::new("interrupted").code(ExitCode::Interrupted)
    }

    /// A build that did not succeed.
    pub fn build(what: impl Into<String>) -> Self {
        Self::new(what).code(ExitCode::BuildFailed).phase(Phase::Build)
    }

    /// A training that did not succeed.
    pub fn training(what: impl Into<String>) -> Self {
        Self::new(what).code(ExitCode::TrainingFailed).phase(Phase::Train)
    }

    /// The same error with another exit code.
    #[must_use]
    pub fn code(mut self, code: ExitCode) -> Self {
        self.0.code = code;
        self
    }

    /// The same error, of another phase.
    #[must_use]
    pub fn phase(mut self, phase: Phase) -> Self {
        self.0.phase = phase;
        self
    }

    /// What to do next; printed on a line of its own.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// The end of a program's output: lines to show under the message, unless they went by already.
    #[must_use]
    pub fn said(mut self, output: String, has_gone_by: bool) -> Self {
        let place = if has_gone_by {
            &mut self.0.seen
        } else {
            &mut self.0.context
        };
        *place = Some(output);
        self
    }

    /// The same error, with what was denied to whoever failed behind what it says, and more of that beneath it,
    /// above all that was printed.
    #[must_use]
    pub fn denied(mut self, first: Option<&str>, more: Vec<String>) -> Self {
        if let Some(first) = first {
            self.0.what = format!("{}: {first}", self.0.what);
        }
        let lines: Vec<String> = more.into_iter().chain(self.0.context.take()).collect();
        self.0.context = (!lines.is_empty()).then(|| lines.join("\n"));
        self
    }

    /// What may be why.
    #[must_use]
    pub fn causes(mut self, causes: Vec<Cause>) -> Self {
        self.0.causes = causes;
        self
    }

    /// The same error, as cargo's refusal of the package.
    #[must_use]
    pub fn of_cargo(mut self) -> Self {
        self.0.of_cargo = true;
        self
    }

    /// The same error, of a stage.
    #[must_use]
    pub fn of_stage(mut self, stage: &str) -> Self {
        self.0.stage = Some(stage.to_owned());
        self
    }

    /// The same error with its texts told otherwise: for a reader on another machine.
    #[must_use]
    pub fn retold(&self, tell: impl Fn(&str) -> String) -> Self {
        let optional = |text: &Option<String>| text.as_deref().map(&tell);
        Self(Box::new(Inner {
            code: self.0.code,
            phase: self.0.phase,
            what: tell(&self.0.what),
            context: optional(&self.0.context),
            hint: optional(&self.0.hint),
            seen: optional(&self.0.seen),
            causes: self.0.causes.clone(),
            of_cargo: self.0.of_cargo,
            stage: self.0.stage.clone(),
        }))
    }

    /// Lines to show under the message.
    #[must_use]
    pub fn context(mut self, context: impl Into<String>) -> Self {
        self.0.context = Some(context.into());
        self
    }

    /// The exit code.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        self.0.code
    }

    /// Where it arose.
    #[must_use]
    pub fn failed_phase(&self) -> Phase {
        self.0.phase
    }

    /// The stage that failed, if one did.
    #[must_use]
    pub fn failed_stage(&self) -> Option<&str> {
        self.0.stage.as_deref()
    }

    /// Whether it is cargo that refuses the package.
    #[must_use]
    pub fn is_of_cargo(&self) -> bool {
        self.0.of_cargo
    }

    /// The message alone.
    #[must_use]
    pub fn what(&self) -> &str {
        &self.0.what
    }

    /// What may be why, if that is known.
    #[must_use]
    pub fn known_causes(&self) -> &[Cause] {
        &self.0.causes
    }

    /// The lines under it, if any.
    #[must_use]
    pub fn context_lines(&self) -> Option<&str> {
        self.0.context.as_deref()
    }

    /// The lines under it, also where they went by already: for whoever reads of it later.
    #[must_use]
    pub fn output(&self) -> Option<&str> {
        self.0.context.as_deref().or(self.0.seen.as_deref()).filter(|lines| !lines.is_empty())
    }

    /// What to do next, if that can be said.
    #[must_use]
    pub fn next(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.what)
    }
}

impl std::error::Error for Error {}

/// Names the path in an I/O error, which std leaves out.
pub trait IoContext<T> {
    /// `doing` completes the sentence "could not … PATH".
    ///
    /// # Errors
    /// The error itself, with the path and what was being done.
    fn at(self, doing: &str, path: &Path) -> Result<T>;
}

impl<T> IoContext<T> for std::io::Result<T> {
    fn at(self, doing: &str, path: &Path) -> Result<T> {
        self.map_err(|error| Error::io(doing, path, &error))
    }
}
