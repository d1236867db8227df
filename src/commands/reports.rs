//! Reports: checked before any compute that they can be written, and written when all is known. What they say
//! is [`crate::report`]'s.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::log::Detail;
use super::subject::Subject;
use super::{conclude, log};
use crate::ambient::{self, GithubRunner};
use crate::args;
use crate::error::{Error, IoContext as _, Result};
use crate::exit_code::ExitCode;
use crate::history::History;
use crate::lockfile;
use crate::manifest::{self, Manifest};
use crate::report::dossier::{Dossier, items};
use crate::report::{self, Format};
use crate::repository::Repository;
use crate::settings::Settings;
use crate::snapshot::source::relative;
use crate::verdict::Verdict;

/// The reports that were asked for.
#[derive(Debug)]
pub(super) struct Reports {
    files: Vec<(PathBuf, Format)>,
    /// The runner to tell, if there is one.
    runner: Option<GithubRunner>,
}

impl Reports {
    /// What the command line asks for.
    ///
    /// # Errors
    /// When a format has no such ending (usage), or a file could not be written: better now than after hours.
    pub(super) fn asked(settings: &Settings, args: &args::Reports) -> Result<Self> {
        let file = |path: &PathBuf| {
            let format = Format::of(path).ok_or_else(|| unknown(path))?;
            let path = settings.current_directory.join(path);
            check_writable(&path)?;
            check_apart(&path)?;
            Ok((path, format))
        };
        let files = args.paths.iter().map(file).collect::<Result<_>>()?;
        let runner = ambient::github_runner();
        Ok(Self { files, runner })
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
        let dossier = self.dossier(subject, judged.as_ref());
        let written = self.write(&dossier);
        self.tell(settings, &dossier);
        match (judged, written) {
            // The command fails anyway, and for a reason that comes first.
            (Err(error), Err(unwritten)) => {
                settings.shell.warn(unwritten.what());
                Err(error)
            }
            (Err(error), Ok(())) => Err(error),
            // A pipeline that files reports must not take this for a success.
            (Ok(verdict), Err(unwritten)) if verdict.word.exit_code() == ExitCode::Ok => {
                Err(unwritten.context(format!("the verdict itself: {}", verdict.word.text())))
            }
            (Ok(verdict), unwritten) => {
                unwritten.unwrap_or_else(|error| settings.shell.warn(error.what()));
                conclude(settings, &verdict)
            }
        }
    }

    /// All that there is to report.
    fn dossier<'a>(&self, subject: &'a Subject, judged: Result<&'a Verdict, &'a Error>) -> Dossier<'a> {
        let is_page = self.files.iter().any(|(_, format)| *format == Format::Page);
        let texts = subject.texts(judged.ok());
        Dossier {
            command: subject.command,
            repeat: subject.repeat.clone(),
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

    fn write(&self, dossier: &Dossier<'_>) -> Result<()> {
        // Each for itself: that one cannot be written is no reason to keep back the others.
        let written: Vec<Result<()>> = self
            .files
            .iter()
            .map(|(path, format)| lockfile::replace(path, report::written(*format, dossier).as_bytes()))
            .collect();
        written.into_iter().collect()
    }

    /// Tells a runner, in its own ways. That it cannot be told changes no verdict.
    fn tell(&self, settings: &Settings, dossier: &Dossier<'_>) {
        let Some(runner) = &self.runner else {
            return;
        };
        if let Some(path) = &runner.summary {
            add_summary(path, dossier)
                .unwrap_or_else(|error| settings.shell.warn(format!("no job summary was written: {}", error.what())));
        }
        settings.shell.tell_runner(&report::github::annotations(dossier));
    }
}

fn add_summary(path: &Path, dossier: &Dossier<'_>) -> Result<()> {
    let mut file = std::fs::OpenOptions::new().append(true).open(path).at("open", path)?;
    let already = file.metadata().at("look at", path)?.len();
    let full = || Error::new(format!("{} has no room left", path.display()));
    let text = report::github::summary(dossier, already).ok_or_else(full)?;
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

fn unknown(path: &Path) -> Error {
    Error::new(format!("no report has the ending of {}", path.display()))
        .code(ExitCode::Usage)
        .hint("a page for people ends in .html, Markdown in .md, JSON in .json, SARIF in .sarif, JUnit in .xml")
}

fn check_writable(path: &Path) -> Result<()> {
    let refused = |why: &str| {
        Error::new(format!("could not write {}: {why}", path.display()))
            .hint("nothing was done yet; name a file in a directory that is there and that you may write to")
    };
    if path.is_dir() {
        return Err(refused("it is a directory"));
    }
    let directory = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(directory).at("make the directory", directory)?;
    tempfile::tempfile_in(directory).map_err(|error| refused(&error.to_string()))?;
    Ok(())
}

/// What a verdict is about is never written over by a report of it.
fn check_apart(path: &Path) -> Result<()> {
    let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
        return Ok(());
    };
    let directory = directory.canonicalize().at("find", directory)?;
    let Some(package) = directory.ancestors().find(|above| above.join(manifest::FILE).is_file()) else {
        return Ok(());
    };
    let path = relative(package, &directory.join(name))?;
    // A manifest that cannot be read is an error of whoever judges by it.
    if Manifest::read(package).is_ok_and(|manifest| manifest.is_apart(&path)) {
        return Err(Error::new(format!("{path} is no place for a report: {} declares it", manifest::FILE))
            .code(ExitCode::Usage)
            .hint("name a file that is no artifact and not among the data"));
    }
    Ok(())
}
