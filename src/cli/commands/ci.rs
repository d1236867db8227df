//! `ci`: writes the pipeline that verifies this very project. It never overwrites one unless it is told to.

use std::path::{Path, PathBuf};

use super::done;
use crate::ci::{self, Action, Pipeline, Source, Tool, github, gitlab};
use crate::cli::args::{self, Forge, Writing};
use crate::cli::settings::Settings;
use crate::error::{Error, IoContext as _, Result};
use crate::exit_code::ExitCode;
use crate::os::atomic;
use crate::os::bounded;
use crate::project::repository::Repository;
use crate::report;

/// Runs the command.
///
/// # Errors
/// When the project cannot be read, or the file is there already.
pub fn run(settings: &Settings, args: &args::Ci) -> Result<ExitCode> {
    let typed = match &args.forge {
        Forge::Github(args) => &args.tool,
        Forge::Gitlab(args) => &args.tool,
    };
    let source = typed.install.as_deref().map_or_else(|| Ok(Source::published()), Source::read)?;
    let (file, next, writing) = match &args.forge {
        Forge::Github(args) => {
            let action = args.action.as_deref().map(Action::read).transpose()?;
            let (pipeline, repository) = ci::gather(settings)?;
            let place = github::place(&pipeline);
            let tool = action.map_or(Tool::Source(source), Tool::Action);
            let file = File::of(&repository, place, github::workflow(&pipeline, &tool), &pipeline);
            (file, format!("commit it; it runs from then on{}", where_from(&tool)), args.writing)
        }
        Forge::Gitlab(args) => {
            let (pipeline, repository) = ci::gather(settings)?;
            let place = gitlab_place(repository.root(), &pipeline);
            let next = match &*place {
                gitlab::PLACE => "commit it, and make a nightly schedule as its first lines say",
                _ => "include it in .gitlab-ci.yml as its first lines say, and commit both",
            };
            let text = gitlab::jobs(&pipeline, &source, &place);
            let next = format!("{next}{}", where_from(&Tool::Source(source)));
            (File::of(&repository, place, text, &pipeline), next, args.writing)
        }
    };
    file.write(settings, writing, &next)
}

/// What must be there before a pipeline can run.
fn where_from(tool: &Tool) -> String {
    match tool {
        Tool::Source(source) if *source == Source::published() => format!(
            ".\nIt installs `{}` from crates.io. Where that is not to be had, `--install` names another source, \
             and `--force` writes the file anew",
            source.words()
        ),
        _ => String::new(),
    }
}

/// GitLab reads one file; where somebody else wrote that, or several packages have jobs, ours is one to include.
fn gitlab_place(root: &Path, pipeline: &Pipeline) -> String {
    let is_free = match bounded::text(&root.join(gitlab::PLACE), bounded::WRITTEN) {
        Ok(text) => text.starts_with(ci::MARK),
        Err(error) => error.kind() == std::io::ErrorKind::NotFound,
    };
    if is_free && !pipeline.is_member() {
        gitlab::PLACE.to_owned()
    } else {
        gitlab::included(pipeline)
    }
}

/// A pipeline, and where it belongs.
struct File {
    root: PathBuf,
    place: String,
    text: String,
    locked: bool,
}

impl File {
    fn of(repository: &Repository, place: String, text: String, pipeline: &Pipeline) -> Self {
        Self {
            root: repository.root().to_path_buf(),
            place,
            text,
            locked: pipeline.locked,
        }
    }

    fn write(&self, settings: &Settings, writing: Writing, next: &str) -> Result<ExitCode> {
        if writing.print {
            settings.console.raw(&self.text)?;
            settings.console.json(&report::json::pipeline(&self.place, &self.text))?;
            return done(settings);
        }
        let path = self.root.join(&self.place);
        let is_there = path.symlink_metadata().is_ok();
        if is_there && !writing.force {
            return Err(Error::new(format!("{} is there already, and stays as it is", path.display()))
                .hint("`--force` replaces it, and `--print` shows what would be written"));
        }
        let directory = path.parent().unwrap_or(&self.root);
        std::fs::create_dir_all(directory).at("make the directory", directory)?;
        atomic::replace(&path, self.text.as_bytes())?;
        if !self.locked {
            let what = "there is no repro.lock yet: `cargo repro verify` needs one, and with it `--force` writes the inputs as they were seen";
            settings.console.warn(what);
        }
        settings.console.status(if is_there { "Replaced" } else { "Created" }, &self.place);
        settings.console.result(&format!("Next: {next}.\n"))?;
        done(settings)
    }
}
