//! What of the machine a run sees beside its own: the system's base, the toolchain, what was declared; and what stays
//! out of its sight wherever it lies, be it below a directory of the system's.

use std::path::{Path, PathBuf};

use super::workdir::Workdir;
use crate::os::env;
use crate::project::Project;
use crate::project::manifest::Policy;
use crate::project::package::Package;
use crate::sandbox::namespaces;
use crate::snapshot::Environment;

/// What a build or a stage sees of the machine.
#[derive(Clone, Debug)]
pub struct Outlook {
    /// Whether it is all of it, read-only, as the manifest may have it.
    pub open: bool,
    /// Beside the system's directories, what is seen at its own place.
    pub shown: Vec<PathBuf>,
    /// What is not seen, if not shown by itself.
    pub hidden: Vec<PathBuf>,
}

/// Where distributions put compilers and libraries beside the usual directories.
const BASE: [&str; 6] = [
    "/opt",
    "/nix",
    "/gnu",
    "/snap",
    "/run/current-system",
    "/run/opengl-driver",
];

/// Where sockets of agents and daemons lie.
const RUNTIME: [&str; 2] = ["/run", "/var/run"];

impl Outlook {
    /// For a build: compilers and libraries, the toolchain, the packages that it is made of, and what variables
    /// declare.
    #[must_use]
    pub fn of_build(project: &Project, workdir: &Workdir, environment: &Environment) -> Self {
        let open = is_open(project);
        let hidden = hidden(project, workdir, open);
        let mut shown = needed_by_build(project.toolchain.root(), &project.package);
        // A toolchain that somebody put together may be links to another.
        let programs = [&project.toolchain.rustc, &project.toolchain.cargo];
        shown.extend(programs.into_iter().filter_map(|program| installation(program, &hidden)));
        shown.extend(BASE.iter().map(PathBuf::from));
        shown.extend(declared(environment, &hidden));
        shown.retain(|path| path.exists());
        shown.dedup();
        Self { open, shown, hidden }
    }

    /// For a stage's program.
    #[must_use]
    pub fn of_stage(project: &Project, workdir: &Workdir, program: &Path) -> Self {
        let open = is_open(project);
        let hidden = hidden(project, workdir, open);
        let mut shown = vec![project.toolchain.root().to_path_buf()];
        if !program.starts_with(workdir.root()) {
            shown.extend(installation(program, &hidden));
        }
        Self { open, shown, hidden }
    }
}

fn is_open(project: &Project) -> bool {
    project.manifest.isolation.reads == Policy::Warn
}

/// The work tree and its history, where recorded outcomes lie, and earlier runs; if not all of the machine is to be
/// seen, also the home, and cargo's with what it keeps to sign in.
fn hidden(project: &Project, workdir: &Workdir, open: bool) -> Vec<PathBuf> {
    let repository = &project.repository;
    let mut hidden = vec![repository.root().to_path_buf()];
    hidden.extend(repository.private_directory().parent().map(Path::to_path_buf));
    hidden.extend(repository.shared_directory().parent().map(Path::to_path_buf));
    hidden.extend(workdir.root().parent().map(Path::to_path_buf));
    if !open {
        hidden.extend([env::home(), env::cargo_home()]);
    }
    // By the names that lead there without links.
    let real = hidden.iter().filter_map(|path| path.canonicalize().ok());
    real.filter(|path| !namespaces::is_above_system(path)).collect()
}

/// What a build reads at its own place on the machine, wherever that is: the toolchain, cargo's index and
/// git databases, and packages in directories of their own.
fn needed_by_build(toolchain: &Path, package: &Package) -> Vec<PathBuf> {
    let cargo_home = env::cargo_home();
    let mut needed = vec![toolchain.to_path_buf()];
    needed.extend(["registry/index", "git/db"].map(|inner| cargo_home.join(inner)));
    let apart = package.remote.iter().map(|remote| &remote.directory);
    needed.extend(apart.filter(|directory| !directory.starts_with(&cargo_home)).cloned());
    needed
}

/// What the variables of the manifest name of the machine: a directory of programs with what is installed beside
/// it, and any other path as it is.
fn declared(environment: &Environment, hidden: &[PathBuf]) -> Vec<PathBuf> {
    let mut declared = Vec::new();
    for value in environment.variables.values() {
        for path in std::env::split_paths(value).filter(|path| path.is_absolute()) {
            if RUNTIME.iter().any(|own| path.starts_with(own)) {
                continue;
            }
            let is_of_programs = path.file_name().is_some_and(|name| name == "bin" || name == "sbin");
            let above = path.parent().filter(|_| is_of_programs);
            declared.extend(
                above
                    .into_iter()
                    .chain([&*path])
                    .find(|path| may_be_shown(path, hidden))
                    .map(Path::to_path_buf),
            );
        }
    }
    declared.retain(|path| !namespaces::is_of_system(path) || is_hidden(path, hidden));
    declared
}

/// Where the directory lies that holds an executable's installation: what is beside it, for a program
/// that is not one of the system's.
fn installation(program: &Path, hidden: &[PathBuf]) -> Option<PathBuf> {
    let real = program.canonicalize().ok()?;
    if namespaces::is_of_system(&real) && !is_hidden(&real, hidden) {
        return None;
    }
    let beside = real.parent().and_then(Path::parent);
    let places = beside.into_iter().chain(real.parent()).chain([&*real]);
    places.into_iter().find(|place| may_be_shown(place, hidden)).map(Path::to_path_buf)
}

fn is_hidden(path: &Path, hidden: &[PathBuf]) -> bool {
    hidden.iter().any(|hidden| path.starts_with(hidden))
}

/// Whether it would show nothing that is to be hidden.
fn may_be_shown(path: &Path, hidden: &[PathBuf]) -> bool {
    !hidden.iter().any(|hidden| hidden.starts_with(path)) && !namespaces::is_above_system(path)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn what_a_variable_names_is_shown_and_never_a_home_or_a_socket() {
        let variables = [
            ("PATH", "/usr/bin:/home/me/conda/bin:/home/me/bin:/usr/local/cargo/bin"),
            ("LIBTORCH", "/srv/libtorch"),
            ("HOME", "/home/me"),
            ("ALL", "/"),
            ("SSH_AUTH_SOCK", "/run/user/1000/agent"),
            ("LANG", "C.UTF-8"),
        ];
        let environment = Environment {
            variables: BTreeMap::from(variables.map(|(name, value)| (name.to_owned(), value.to_owned()))),
            unset: Vec::new(),
        };
        let hidden = ["/home/me", "/usr/local/cargo"].map(PathBuf::from);
        let shown = [
            "/srv/libtorch",
            "/home/me/conda",
            "/home/me/bin",
            "/usr/local/cargo/bin",
        ];
        assert_eq!(declared(&environment, &hidden), shown.map(PathBuf::from));
    }

    #[test]
    fn a_program_shows_what_is_beside_it_unless_that_is_a_home() {
        let home = tempfile::tempdir_in("/var/tmp").unwrap();
        let home = home.path().canonicalize().unwrap();
        let program = |path: &str| {
            let path = home.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, "").unwrap();
            installation(&path, std::slice::from_ref(&home))
        };
        assert_eq!(program("python/bin/python3"), Some(home.join("python")));
        assert_eq!(program("bin/tool"), Some(home.join("bin")));
        assert_eq!(program("tool"), Some(home.join("tool")));
        assert_eq!(installation(Path::new("/bin/sh"), &[home]), None);
    }
}
