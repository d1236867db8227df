//! `ci`: writes the pipeline that verifies this very project. It never overwrites one unless it is told to.

use std::path::Path;

use super::done;
use crate::args::{self, Forge, Writing};
use crate::ci::{self, Action, github, gitlab};
use crate::error::{Error, IoContext as _, Result};
use crate::exit_code::ExitCode;
use crate::lockfile;
use crate::settings::Settings;

/// Runs the command.
///
/// # Errors
/// When the project cannot be read, or the file is there already.
pub fn run(settings: &Settings, args: &args::Ci) -> Result<ExitCode> {
    match &args.forge {
        Forge::Github(args) => {
            let action = args.action.as_deref().map(Action::read).transpose()?;
            let (pipeline, repository) = ci::gather(settings)?;
            let text = github::workflow(&pipeline, action.as_ref());
            let file = File {
                root: repository.root(),
                place: github::PLACE,
                text,
                locked: pipeline.locked,
            };
            file.write(settings, args.writing, "commit it; it runs from then on")
        }
        Forge::Gitlab(args) => {
            let (pipeline, repository) = ci::gather(settings)?;
            let place = gitlab_place(repository.root());
            let file = File {
                root: repository.root(),
                place,
                text: gitlab::jobs(&pipeline, place),
                locked: pipeline.locked,
            };
            let next = match place {
                gitlab::INCLUDED => "include it in .gitlab-ci.yml as its first lines say, and commit both",
                _ => "commit it, and make a nightly schedule as its first lines say",
            };
            file.write(settings, args.writing, next)
        }
    }
}

/// GitLab reads one file; where somebody else wrote that, ours is one to include.
fn gitlab_place(root: &Path) -> &'static str {
    match std::fs::read_to_string(root.join(gitlab::PLACE)) {
        Ok(text) if !text.starts_with(ci::MARK) => gitlab::INCLUDED,
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => gitlab::INCLUDED,
        _ => gitlab::PLACE,
    }
}

/// A pipeline, and where it belongs.
struct File<'a> {
    root: &'a Path,
    place: &'static str,
    text: String,
    locked: bool,
}

impl File<'_> {
    fn write(&self, settings: &Settings, writing: Writing, next: &str) -> Result<ExitCode> {
        if writing.print {
            settings.shell.raw(&self.text)?;
            return Ok(ExitCode::Ok);
        }
        let path = self.root.join(self.place);
        let is_there = path.symlink_metadata().is_ok();
        if is_there && !writing.force {
            return Err(Error::new(format!("{} is there already, and stays as it is", path.display()))
                .hint("`--force` replaces it, and `--print` shows what would be written"));
        }
        let directory = path.parent().unwrap_or(self.root);
        std::fs::create_dir_all(directory).at("make the directory", directory)?;
        lockfile::replace(&path, self.text.as_bytes())?;
        if !self.locked {
            let what = "there is no repro.lock yet: `cargo repro verify` needs one, and with it `--force` writes the inputs as they were seen";
            settings.shell.warn(what);
        }
        settings.shell.status(if is_there { "Replaced" } else { "Created" }, self.place);
        settings.shell.result(&format!("Next: {next}.\n"))?;
        Ok(done(settings))
    }
}
