//! `new`: a training package that works at once, in a directory of its own.

use std::path::Path;

use super::done;
use crate::cache::Cache;
use crate::cli::args;
use crate::cli::settings::Settings;
use crate::error::{Error, IoContext as _, Result};
use crate::exit_code::ExitCode;
use crate::project::repository::{self, FirstCommit};
use crate::snapshot::toolchain::{Installed, write_pin};
use crate::template;

/// Runs the command.
///
/// # Errors
/// When the directory is in use, or the name is no package's.
pub fn run(settings: &Settings, args: &args::New) -> Result<ExitCode> {
    let directory = settings.current_directory.join(&args.directory);
    let name = name(&directory, args.name.as_deref())?;
    let commit = create(&directory, &name)?;
    settings.console.status("Created", format!("{name} in {}", args.directory.display()));
    let commit = match commit {
        FirstCommit::Made => "",
        FirstCommit::InAnother => "\n  git add . && git commit        # it lies in a repository already",
        FirstCommit::NoIdentity => "\n  git add . && git commit        # git does not know your name yet",
    };
    let place = args.directory.display();
    settings.console.result(&format!(
        "Next:\n  cd {place}{commit}\n  cargo repro record             # train, and write repro.lock\n  cargo repro verify             # train again from a clean checkout, and compare\n"
    ))?;
    done(settings)
}

/// Writes the package, and commits it if nobody else's repository is around it.
///
/// # Errors
/// When the directory is in use or cannot be written.
pub fn create(directory: &Path, name: &str) -> Result<FirstCommit> {
    let in_use = std::fs::read_dir(directory).is_ok_and(|mut entries| entries.next().is_some());
    if in_use || directory.is_file() {
        return Err(Error::new(format!("{} is there already, and not empty", directory.display()))
            .hint("choose a new directory; for an existing package there is `cargo repro init`"));
    }
    for (path, text) in template::files(name) {
        let path = directory.join(path);
        let parent = path.parent().unwrap_or(directory);
        std::fs::create_dir_all(parent).at("make the directory", parent)?;
        std::fs::write(&path, text).at("write", &path)?;
    }
    // Without a compiler there is nothing to pin, and no reason not to write the package.
    if let Ok(toolchain) = Installed::find(directory, &mut Cache::none()) {
        write_pin(directory, &toolchain)?;
    }
    repository::start(directory, "Start from the template of cargo repro")
}

/// The package's name, by cargo's rules for one.
fn name(directory: &Path, given: Option<&str>) -> Result<String> {
    let from_directory = directory.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = given.map(str::to_owned).or(from_directory).unwrap_or_default();
    let letters = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let hint = "choose one with `--name`: letters, digits, `-` and `_`, a letter first";
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) || !name.chars().all(letters) {
        return Err(Error::new(format!("`{name}` cannot be the name of a package"))
            .code(ExitCode::Usage)
            .hint(hint));
    }
    if template::TAKEN.contains(&name.as_str()) {
        return Err(Error::new(format!("`{name}` is the name of a package that the new one depends on"))
            .code(ExitCode::Usage)
            .hint(hint));
    }
    Ok(name)
}
