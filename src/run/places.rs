//! Whether the declared outputs have places of their own: no source lies there that reaches the program, no declared
//! data, and no link that leads elsewhere. Asked before anything is built; what the manifest's text alone shows was
//! refused when it was read.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::checkout::normal;
use crate::error::{Error, IoContext as _, Phase, Result};
use crate::os::beneath::{Beneath, There};
use crate::project::Project;
use crate::project::manifest::Program;
use crate::project::repository::{Entry, Kind};
use crate::snapshot::source;

/// Endings of files that are programs, or parts of them.
const CODE: [&str; 22] = [
    "rs", "py", "pyi", "ipynb", "sh", "bash", "r", "jl", "pl", "rb", "js", "mjs", "ts", "lua", "c", "h", "cc", "cpp",
    "hpp", "cu", "go", "java",
];

/// Refuses outputs whose place is that of something else.
///
/// # Errors
/// That names the first one and whose the place is.
pub fn refuse_taken(project: &Project) -> Result<()> {
    if project.manifest.outputs().next().is_none() {
        return Ok(());
    }
    let committed = project.repository.entries(project.commit)?;
    let sources = source::candidates(&project.repository, project.commit, &project.package)?;
    let taken = |output: &str, why: String| {
        Err(Error::new(format!("{output} cannot be an output: {why}"))
            .phase(Phase::Snapshot)
            .hint("name another path in repro.toml; `record` writes outputs into the work tree"))
    };
    for output in project.manifest.outputs() {
        let inner = project.in_repository(output)?;
        if let Some(why) = in_commit(&inner, &committed) {
            return taken(output, why);
        }
        if sources.contains(&inner) || is_beside_roots(project, output) {
            return taken(output, "it is a source of the program".to_owned());
        }
        if is_run(project, output, committed.get(&inner)) {
            return taken(output, "it is committed, and is a program".to_owned());
        }
        if let Some(name) = declared_as(project, output) {
            return taken(output, format!("it is declared data, `{name}`, and would be overwritten"));
        }
    }
    Ok(())
}

/// What of the commit is in the way.
fn in_commit(inner: &str, committed: &BTreeMap<String, Entry>) -> Option<String> {
    let above = Path::new(inner).ancestors().skip(1).filter_map(Path::to_str);
    let blocking = above.filter_map(|above| Some((above, committed.get(above)?.kind))).next();
    if let Some((above, kind)) = blocking {
        let what = match kind {
            Kind::Link => "a symbolic link, which is not followed",
            Kind::Submodule => "a submodule, a repository of its own",
            Kind::File | Kind::Executable => "a file",
        };
        return Some(format!("{above} is {what}"));
    }
    if committed.get(inner).is_some_and(|entry| entry.kind == Kind::Submodule) {
        return Some("it is a submodule".to_owned());
    }
    let below = format!("{inner}/");
    let next = committed.range(below.clone()..).next();
    next.is_some_and(|(path, _)| path.starts_with(&below))
        .then(|| "it is a directory with committed files".to_owned())
}

/// Whether cargo could take it for a part of a local package: a file in a directory of sources, committed or not.
fn is_beside_roots(project: &Project, output: &str) -> bool {
    let place = project.directory.join(output);
    let is_code = place.extension().is_some_and(|ending| ending == "rs");
    project.package.local.iter().any(|local| {
        let parents = local.roots.iter().filter_map(|root| root.parent());
        let mut holding = parents.filter(|parent| place.starts_with(parent));
        holding.any(|parent| is_code || parent != local.directory)
    }) || project.package.remote.iter().any(|remote| place.starts_with(&remote.directory))
}

/// Whether a stage's command names it, or it is a committed program.
fn is_run(project: &Project, output: &str, committed: Option<&Entry>) -> bool {
    let Some(entry) = committed else {
        return false;
    };
    let is_word = |word: &String| normal(Path::new(word)) == Path::new(output);
    let is_named = project.manifest.stages.values().any(|stage| match &stage.program {
        Program::Command(command) => command.iter().any(is_word),
        Program::Bin(_) => false,
    });
    let ending = Path::new(output).extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    is_named || entry.kind == Kind::Executable || CODE.contains(&ending.to_ascii_lowercase().as_str())
}

/// The declared data that lies there, by whatever path or link.
fn declared_as(project: &Project, output: &str) -> Option<String> {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| normal(path));
    let here = project.directory.join(output);
    let (parent, name) = (here.parent()?, here.file_name()?);
    let mut places = vec![real(parent).join(name), normal(&here)];
    places.extend(here.canonicalize());
    let is_it = |data: &Path| places.iter().any(|place| place.starts_with(data) || data.starts_with(place));
    let declared = project.manifest.data.iter();
    let mut found = declared
        .filter(|(_, data)| data.paths.iter().any(|path| means(project, path).iter().any(|path| is_it(&real(path)))));
    found.next().map(|(name, _)| name.clone())
}

/// The files and directories that a declared path or glob means now.
#[must_use]
pub fn means(project: &Project, declared: &str) -> Vec<PathBuf> {
    let plain = project.directory.join(declared);
    if plain.symlink_metadata().is_ok() || !declared.contains(['*', '?', '[']) {
        return vec![plain];
    }
    let escaped = glob::Pattern::escape(&project.directory.to_string_lossy());
    let matches = glob::glob(&format!("{escaped}/{declared}")).into_iter().flatten().flatten();
    matches.filter(|path| path.is_file()).collect()
}

/// Refuses outputs that could not be put at their place in the work tree: a link or something else is in the way.
///
/// # Errors
/// That names it.
pub fn refuse_blocked(project: &Project) -> Result<()> {
    let here = Beneath::open(&project.directory).at("open", &project.directory)?;
    for output in project.manifest.outputs() {
        let what = match here.look(Path::new(output)).at("look at", &project.directory.join(output))? {
            There::Blocked(at, what) => format!("{} is {what} in the work tree", at.display()),
            There::Other(what) if what != "a symbolic link" => format!("it is {what} in the work tree"),
            _ => continue,
        };
        return Err(Error::new(format!("{output} cannot be written: {what}")).phase(Phase::Snapshot).hint(
            "remove that, or name another path in repro.toml; outputs are files, and no link is followed to write them",
        ));
    }
    Ok(())
}
