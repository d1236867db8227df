//! Reports: checked before any compute that they can be written, and written when all is known. What they say
//! is [`crate::report`]'s.

use std::io::Write as _;
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::OFlags;
use rustix::io::Errno;

use super::log::Detail;
use super::subject::Subject;
use super::{conclude, filing, log};
use crate::cli::args;
use crate::cli::settings::Settings;
use crate::error::{Error, IoContext as _, Result};
use crate::exit_code::ExitCode;
use crate::history::History;
use crate::os::atomic;
use crate::os::env::{self, GithubRunner};
use crate::os::interrupt;
use crate::os::redact::Redaction;
use crate::project;
use crate::project::repository::Repository;
use crate::report::report_data::{ReportData, items};
use crate::report::{self, Format};
use crate::verdict::Verdict;

/// The reports that were asked for.
#[derive(Debug)]
pub(super) struct Reports {
    files: Vec<(PathBuf, Format)>,
    /// The runner to tell, if there is one.
    runner: Option<GithubRunner>,
}

impl Reports {
    /// What the command line asks for. A runner is told of what cannot be had, as it is of any failure.
    ///
    /// # Errors
    /// When a format has no such ending (usage), or a file could not be written: better now than after hours.
    pub(super) fn asked(settings: &Settings, args: &args::Reports, subject: &mut Subject) -> Result<Self> {
        let runner = env::github_runner();
        match filing::files(settings, &args.paths) {
            Ok(files) => Ok(Self { files, runner }),
            Err(error) => {
                if let Ok(directory) = project::directory(settings) {
                    subject.look_in(&directory);
                }
                let files = Vec::new();
                let unfiled = Self { files, runner };
                unfiled.conclude(settings, subject, Err(error)).map(|_| unfiled)
            }
        }
    }

    /// Whether anybody wants more than the verdict.
    pub(super) fn are_wanted(&self) -> bool {
        !self.files.is_empty() || self.runner.is_some()
    }

    /// Ends a command: writes the reports, then says the verdict.
    ///
    /// # Errors
    /// Why there is no verdict; or that a report could not be written, where nothing worse is to be said.
    pub(super) fn conclude(&self, settings: &Settings, subject: &Subject, judged: Result<Verdict>) -> Result<ExitCode> {
        // Whoever interrupts wants an end, and what was found so far is no verdict.
        let is_interrupted = judged.as_ref().is_err_and(|error| error.exit_code() == ExitCode::Interrupted);
        if is_interrupted || !self.are_wanted() {
            return judged.and_then(|verdict| conclude(settings, &verdict));
        }
        let redaction = redaction(settings, subject);
        let retold = judged.as_ref().map_err(|error| error.retold(|text| redaction.apply(text)));
        let facts = self.facts(settings, subject, retold.as_ref().map(|verdict| *verdict));
        let written = self.write(&facts);
        self.tell(settings, &facts);
        match (judged, written) {
            // The command fails anyway, and for a reason that comes first.
            (Err(error), Err(unwritten)) => {
                settings.console.warn(unwritten.what());
                Err(error)
            }
            (Err(error), Ok(())) => Err(error),
            // A pipeline that files reports must not take this for a success.
            (Ok(verdict), Err(unwritten)) if verdict.word.exit_code() == ExitCode::Ok => {
                Err(unwritten.context(format!("the verdict itself: {}", verdict.word.text())))
            }
            (Ok(verdict), unwritten) => {
                unwritten.unwrap_or_else(|error| settings.console.warn(error.what()));
                conclude(settings, &verdict)
            }
        }
    }

    /// All that there is to report.
    fn facts<'a>(
        &self,
        settings: &Settings,
        subject: &'a Subject,
        judged: Result<&'a Verdict, &'a Error>,
    ) -> ReportData<'a> {
        let is_page = self.files.iter().any(|(_, format)| *format == Format::Page);
        let texts = subject.texts(judged.ok());
        ReportData {
            command: subject.command,
            repeat: subject.repeat(&settings.current_directory),
            package: subject.package.clone(),
            commit: subject.commit.as_deref(),
            judged,
            lock: subject.lock.as_ref(),
            platform: subject.platform.as_ref(),
            timings: &subject.timings,
            history: if is_page {
                history(subject, judged.ok())
            } else {
                History::default()
            },
            items: items(judged, subject.lock.as_ref(), texts.as_ref()),
        }
    }

    fn write(&self, facts: &ReportData<'_>) -> Result<()> {
        // Each for itself: that one cannot be written is no reason to keep back the others.
        let written: Vec<Result<()>> = self
            .files
            .iter()
            .map(|(path, format)| put(path, &report::written(*format, facts)))
            .collect();
        written.into_iter().collect()
    }

    /// Tells a runner, in its own ways. That it cannot be told changes no verdict.
    fn tell(&self, settings: &Settings, facts: &ReportData<'_>) {
        let Some(runner) = &self.runner else {
            return;
        };
        if let Some(path) = &runner.summary {
            add_summary(path, facts)
                .unwrap_or_else(|error| settings.console.warn(format!("no job summary was written: {}", error.what())));
        }
        settings.console.tell_runner(&report::github::annotations(facts));
    }
}

/// Writes a report whole; or in place, where a container has mounted that very file and no other can take its place,
/// and where there is no file but a pipe or a terminal.
fn put(path: &Path, report: &str) -> Result<()> {
    if path.metadata().is_ok_and(|meta| !meta.is_file()) {
        return through(path, report);
    }
    match atomic::try_replace(path, report.as_bytes()) {
        Err(error) if error.kind() == std::io::ErrorKind::ResourceBusy => std::fs::write(path, report),
        written => written,
    }
    .at("write", path)
}

/// Nothing is made, since whatever stands there is no file. A pipe may be without a reader yet; to wait for one is to
/// be interruptible, which opening it would not be.
fn through(path: &Path, report: &str) -> Result<()> {
    let is_pipe = path.metadata().is_ok_and(|meta| meta.file_type().is_fifo());
    let mut options = std::fs::OpenOptions::new();
    options.write(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed());
    let mut file = loop {
        match options.open(path) {
            Err(error) if is_pipe && error.raw_os_error() == Some(Errno::NXIO.raw_os_error()) => {
                interrupt::check()?;
                std::thread::sleep(Duration::from_millis(50));
            }
            opened => break opened.at("open", path)?,
        }
    };
    let flags =
        rustix::fs::fcntl_getfl(&file).and_then(|flags| rustix::fs::fcntl_setfl(&file, flags - OFlags::NONBLOCK));
    flags
        .map_err(std::io::Error::from)
        .and_then(|()| file.write_all(report.as_bytes()))
        .at("write", path)
}

/// What this machine's paths are called in a report.
fn redaction(settings: &Settings, subject: &Subject) -> Redaction {
    let here = subject.directory.as_deref().unwrap_or(&settings.current_directory);
    let root = Repository::discover(here).map_or_else(|_| here.to_path_buf(), |found| found.root().to_path_buf());
    let whole = root.canonicalize().unwrap_or_else(|_| root.clone());
    let paths = [
        (root, ""),
        (whole, ""),
        (env::cargo_home(), "$CARGO_HOME"),
        (env::rustup_home(), "$RUSTUP_HOME"),
        (env::scratch_root(), "$TMPDIR"),
        (env::home(), "~"),
    ];
    Redaction::of(paths.map(|(path, name)| (path.to_string_lossy().into_owned(), name)))
}

fn add_summary(path: &Path, facts: &ReportData<'_>) -> Result<()> {
    let mut file = std::fs::OpenOptions::new().append(true).open(path).at("open", path)?;
    let already = file.metadata().at("look at", path)?.len();
    let full = || Error::new(format!("{} has no room left", path.display()));
    let text = report::github::summary(facts, already).ok_or_else(full)?;
    // In one piece, so that a step beside this one does not write into it.
    file.write_all(text.as_bytes()).at("write", path)
}

/// The locks in the history of what was looked at; a report can do without them.
fn history(subject: &Subject, verdict: Option<&Verdict>) -> History {
    let entries = || -> Result<History> {
        let Some(directory) = &subject.directory else {
            return Ok(History::default());
        };
        let repository = Repository::discover(directory)?;
        let stated = verdict.map(|verdict| verdict.commit.as_str()).filter(|commit| !commit.is_empty());
        let commit = stated.or(subject.commit.as_deref()).unwrap_or("HEAD");
        Ok(History {
            entries: log::entries(&repository, directory, commit, usize::MAX, Detail::Words)?,
            is_shallow: repository.is_shallow(),
        })
    };
    entries().unwrap_or_default()
}
