//! What a command judges, as far as it is known: filled in while the command goes on, so that a report of a
//! failure has what came before it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::cli::args::Overrides;
use crate::compare::Drift;
use crate::compare::drift::DataChange;
use crate::lockfile::{self, Read};
use crate::os::bounded;
use crate::project::manifest;
use crate::project::repository::Repository;
use crate::project::revision::Revision;
use crate::report::place::{Keys, Texts};
use crate::snapshot::Platform;
use crate::snapshot::source::relative;
use crate::text::quote::shell;
use crate::timing::Timing;
use crate::verdict::Verdict;

/// What is judged.
#[derive(Debug, Default)]
pub(super) struct Subject {
    /// The command's name.
    pub(super) command: &'static str,
    /// The command line in the package's directory, save for files that it names.
    line: String,
    /// The attestations that were named.
    pub(super) from: Vec<PathBuf>,
    /// The package's directory.
    pub(super) directory: Option<PathBuf>,
    /// The same from the top of the repository, where that alone is known.
    pub(super) place: Option<String>,
    /// The package's name.
    pub(super) package: String,
    /// The commit that is looked at.
    pub(super) commit: Option<String>,
    /// The lock that the inputs are held against.
    pub(super) lock: Option<Read>,
    /// The platform class of this machine.
    pub(super) platform: Option<Platform>,
    /// Where the time went.
    pub(super) timings: Vec<Timing>,
    /// Where the files are, if they were checked out for this: kept until the reports have looked at them.
    pub(super) revision: Option<Revision>,
}

/// Source files beyond these are not searched for the line of a checkpoint.
const MOST_SOURCES: usize = 1000;

/// Files beyond this size are not searched for a line.
const LARGEST: u64 = 16 << 20;

impl Subject {
    /// A command that has not begun, with its arguments for whoever wants to do the same.
    pub(super) fn of(command: &'static str, arguments: &[String]) -> Self {
        let mut line = format!("cargo repro {command}");
        for argument in arguments {
            line.push(' ');
            line += &shell(argument);
        }
        Self {
            command,
            line,
            ..Self::default()
        }
    }

    /// The command line that does the same from the top of the repository, without paths of this machine.
    pub(super) fn repeat(&self, current_directory: &Path) -> String {
        let here = self.directory.as_deref().unwrap_or(current_directory);
        let root = Repository::discover(here).ok().map(|found| found.root().to_path_buf());
        let inside = || relative(root.as_deref()?, self.directory.as_deref()?).ok();
        let place = self.place.clone().or_else(inside).filter(|place| !Path::new(place).starts_with(".."));
        let begin = root
            .as_ref()
            .zip(place.as_ref())
            .map_or_else(|| here.to_path_buf(), |(root, place)| root.join(place));
        let mut line = self.line.clone();
        for (at, file) in self.from.iter().enumerate() {
            line += if at == 0 { " --from " } else { " " };
            line += &shell(&called(file, current_directory, &begin, root.as_deref()));
        }
        match place.as_deref() {
            None | Some("") => line,
            // Else it would be taken for an option.
            Some(place) if place.starts_with('-') => format!("cd {} && {line}", shell(&format!("./{place}"))),
            Some(place) => format!("cd {} && {line}", shell(place)),
        }
    }

    /// Looks at the package in this directory, whose manifest tells its name before cargo does.
    pub(super) fn look_in(&mut self, directory: &Path) {
        self.directory = Some(directory.to_path_buf());
        let manifest: Option<toml::Table> = text(&directory.join("Cargo.toml")).parse().ok();
        let name = manifest.as_ref().and_then(|manifest| manifest.get("package")?.get("name")?.as_str());
        self.package = name.unwrap_or_default().to_owned();
    }

    /// The texts of the project's files, for the lines of what was found; none without a work tree.
    pub(super) fn texts(&self, verdict: Option<&Verdict>) -> Option<Texts> {
        let directory = self.directory.as_deref()?;
        let repository = Repository::discover(directory).ok()?;
        let root = repository.root();
        let workspace = directory.ancestors().find(|above| above.join("Cargo.lock").is_file());
        let workspace = workspace.filter(|workspace| workspace.starts_with(root)).unwrap_or(directory);
        let mut texts = Texts {
            prefix: relative(root, directory).ok()?,
            workspace: relative(root, workspace).ok()?,
            manifest: keys(&directory.join(manifest::FILE)),
            lock: keys(&directory.join(lockfile::FILE)),
            package: keys(&directory.join("Cargo.toml")),
            workspace_package: keys(&workspace.join("Cargo.toml")),
            packages: text(&workspace.join("Cargo.lock")),
            toolchain: toolchain(root, directory),
            ..Texts::default()
        };
        if verdict.is_some_and(|verdict| !verdict.divergence.is_empty() || !verdict.causes.is_empty()) {
            texts.sources = self.sources(root);
        }
        let changes = verdict.into_iter().flat_map(|verdict| &verdict.drift).filter_map(|drift| match drift {
            Drift::DataChanged(DataChange::File(change)) if change.table.is_some() => Some(&change.path),
            _ => None,
        });
        texts.data = changes.map(|path| (path.clone(), text(&directory.join(path)))).collect();
        if let (Some(read), Some(verdict)) = (&self.lock, verdict) {
            texts.changed = super::changed::lines(&repository, &read.lock, &verdict.drift);
        }
        Some(texts)
    }

    fn sources(&self, root: &Path) -> BTreeMap<String, String> {
        let files = self.lock.iter().flat_map(|read| read.lock.snapshot.source.files.keys());
        let files = files.filter(|path| path.ends_with(".rs") && !path.starts_with("../")).take(MOST_SOURCES);
        files.map(|path| (path.clone(), text(&root.join(path)))).collect()
    }
}

impl Overrides {
    /// As they would be typed.
    pub(super) fn typed(&self) -> Vec<String> {
        let params = self.params.iter().flat_map(|param| ["-P".to_owned(), param.clone()]);
        let seed = self.seed.iter().flat_map(|seed| ["--seed".to_owned(), seed.to_string()]);
        params.chain(seed).collect()
    }
}

/// What a file that was named in one directory is called in another of the same repository. One that lies elsewhere
/// is known by its name alone.
fn called(file: &Path, current_directory: &Path, here: &Path, root: Option<&Path>) -> String {
    let path = current_directory.join(file);
    let path = path.canonicalize().unwrap_or(path);
    let is_inside = root.is_none_or(|root| path.starts_with(root));
    if is_inside && file.is_relative() && current_directory == here {
        return file.display().to_string();
    }
    let inside = is_inside.then(|| relative(here, &path).ok()).flatten();
    inside.unwrap_or_else(|| file.file_name().unwrap_or_default().to_string_lossy().into_owned())
}

/// What cannot be read has no lines, nor has what is no file or very large.
pub(super) fn text(path: &Path) -> String {
    if path.metadata().is_ok_and(|meta| meta.is_file() && meta.len() <= LARGEST) {
        bounded::text(path, bounded::GENERATED).unwrap_or_default()
    } else {
        String::new()
    }
}

fn keys(path: &Path) -> Keys {
    Keys::of(&text(path))
}

fn toolchain(root: &Path, directory: &Path) -> Option<(String, Keys)> {
    let above = directory.ancestors().take_while(|above| above.starts_with(root));
    let mut files = above.flat_map(|above| [above.join("rust-toolchain.toml"), above.join("rust-toolchain")]);
    let file = files.find(|file| file.is_file())?;
    Some((relative(root, &file).ok()?, keys(&file)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_can_be_pasted_into_a_shell() {
        let subject = Subject::of(
            "verify",
            &[
                "--rev".to_owned(),
                "v1.2".to_owned(),
                "-P".to_owned(),
                "a=it's b".to_owned(),
            ],
        );
        assert_eq!(subject.repeat(Path::new("/")), r"cargo repro verify --rev v1.2 -P 'a=it'\''s b'");
    }
}
