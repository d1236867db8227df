//! Why a program failed, as far as a run is to blame for it: what it asked for and was denied, which program asked,
//! and which line of `repro.toml` allows it. Said on the first lines, before what the program printed itself.

mod lacking;
mod words;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

pub use words::{file_hint, network_hint};

use crate::error::Error;
use crate::os::env;
use crate::sandbox::{PLACE, Report};

/// A program that failed, and where.
pub struct Scene<'a> {
    /// Whether it is a stage; else it is the build.
    pub is_stage: bool,
    /// What was seen of it.
    pub report: &'a Report,
    /// The end of what it printed.
    pub tail: &'a str,
    /// Where it writes, on this machine.
    pub scratch: &'a Path,
    /// Whether it has no network.
    pub without_network: bool,
    /// The top of the work tree.
    pub root: &'a Path,
    /// The package's directory from there.
    pub prefix: &'a str,
    /// The checkout's root, as the program sees it.
    pub repository: PathBuf,
    /// The work directory, as the program sees it.
    pub place: PathBuf,
    /// Its home, as it sees it.
    pub home: PathBuf,
    /// Directories of the machine that it is shown.
    pub shown: Vec<PathBuf>,
    /// Its search path.
    pub path: &'a str,
    /// The program that the stage names, and the one that was run.
    pub program: Option<(&'a str, &'a Path)>,
    /// Whether it has a variable.
    pub has_variable: &'a dyn Fn(&str) -> bool,
    /// Outputs of the stages, from the package's directory: that these are not there is as it should be.
    pub outputs: BTreeSet<&'a str>,
}

/// One thing that it did without.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Denied {
    /// An address of the network.
    Network { by: String, address: String },
    /// A file of the machine that a run does not show.
    Hidden { by: String, path: String },
    /// A file of the work tree that the commit does not have; from the top.
    Uncommitted { by: String, path: String },
    /// The history.
    History { by: String },
    /// A variable that is set for the caller.
    Variable(String),
    /// A variable that the compiler wants.
    CompileTime(String),
    /// A program that the caller's search path has and the run's has not.
    Missing { program: String, here: PathBuf },
    /// A program that neither search path has.
    Absent { by: String, program: String },
    /// A library, or what else of the system a build is made with.
    Part(lacking::Part),
    /// Space on the disk.
    Space,
    /// Something in the user's home, from there.
    Home { by: String, inner: String },
    /// Another program of that name than the caller's.
    Other {
        program: String,
        run: PathBuf,
        here: PathBuf,
    },
}

/// The error, with what was denied first.
#[must_use]
pub fn tell(error: Error, scene: &Scene<'_>) -> Error {
    const SHOWN: usize = 4;
    let found = scene.denied();
    let Some(first) = found.first() else {
        return error;
    };
    // That another program was run is no denial, and need not be why.
    let is_denial = !matches!(first, Denied::Other { .. });
    let mut lines: Vec<String> = found[1..]
        .iter()
        .take(SHOWN)
        .map(|denied| format!("{}; {}", denied.sentence(), denied.hint(scene)))
        .collect();
    if found.len() > SHOWN + 1 {
        lines.push(format!("and {} more", found.len() - SHOWN - 1));
    }
    if is_denial {
        error.denied(Some(&first.sentence()), lines).hint(first.hint(scene))
    } else {
        lines.insert(0, first.sentence());
        error.denied(None, lines).hint(first.hint(scene))
    }
}

impl Scene<'_> {
    /// Everything, the most telling first.
    fn denied(&self) -> Vec<Denied> {
        let mut found: BTreeSet<Denied> = BTreeSet::new();
        if self.without_network {
            let asked = self.report.network.iter();
            found.extend(asked.map(|(address, by)| Denied::Network {
                by: by.clone(),
                address: address.clone(),
            }));
        }
        let looks = self.report.reads.iter().filter(|(_, look)| !look.existed && !look.written);
        found.extend(looks.filter_map(|(path, look)| self.absent(Path::new(path), &look.by)));
        found.extend(self.said());
        if is_full(self.scratch) {
            found.insert(Denied::Space);
        }
        if let Some((name, run)) = self.program {
            found.extend(self.other(name, run));
        }
        found.into_iter().collect()
    }

    /// What a path that was not there means.
    fn absent(&self, path: &Path, by: &str) -> Option<Denied> {
        // These look everywhere, and say for themselves what they miss.
        let is_searching = ["cargo", "rustc", "rustup"].contains(&by);
        let by = by.to_owned();
        if let Ok(inner) = path.strip_prefix(&self.repository) {
            return self.in_repository(inner, by);
        }
        if path.starts_with(&self.place) && path.ends_with(".git") && !is_searching {
            return Some(Denied::History { by });
        }
        if let Ok(inner) = path.strip_prefix(&self.home) {
            let is_there = !inner.as_os_str().is_empty() && env::home().join(inner).exists();
            let inner = inner.to_string_lossy().into_owned();
            return (is_there && !is_searching).then_some(Denied::Home { by, inner });
        }
        let is_own = [self.place.as_path(), Path::new(PLACE)]
            .into_iter()
            .chain(self.shown.iter().map(PathBuf::as_path))
            .any(|own| path.starts_with(own));
        let is_of_machine = path.is_absolute() && !is_own && path.exists();
        let path = path.to_string_lossy().into_owned();
        (is_of_machine && !is_searching).then_some(Denied::Hidden { by, path })
    }

    fn in_repository(&self, inner: &Path, by: String) -> Option<Denied> {
        // Cargo looks for configuration and for manifests; the compiler for what the sources name.
        if ["cargo", "rustup"].contains(&by.as_str()) {
            return None;
        }
        if inner.components().any(|part| part.as_os_str() == ".git") {
            return Some(Denied::History { by });
        }
        let path = inner.to_str()?.to_owned();
        let of_package = Path::new(&path).strip_prefix(self.prefix).ok()?.to_str()?;
        let is_output = |output: &&str| Path::new(output).starts_with(of_package);
        let is_expected = self.outputs.iter().any(is_output) || of_package == crate::lockfile::FILE;
        (!is_expected && self.root.join(inner).exists()).then_some(Denied::Uncommitted { by, path })
    }

    /// What the end of the output says.
    fn said(&self) -> BTreeSet<Denied> {
        let mut found = BTreeSet::new();
        let said_missing: Vec<&str> = self
            .tail
            .lines()
            .filter(|line| MISSING.iter().any(|phrase| line.contains(phrase)))
            .collect();
        found.extend(said_missing.iter().flat_map(|line| words_of(line)).filter_map(|word| self.program(word)));
        found.extend(self.sought(&said_missing));
        for line in self.tail.lines() {
            found.extend(lacking::part(line).map(Denied::Part));
            if line.contains("not a git repository") {
                found.insert(Denied::History { by: "git".to_owned() });
            }
            if line.contains("No space left on device") || line.contains("os error 28") {
                found.insert(Denied::Space);
            }
            if let Some((_, rest)) = line.split_once("environment variable `")
                && let Some((name, rest)) = rest.split_once('`')
                && rest.contains("not defined at compile time")
            {
                found.insert(Denied::CompileTime(name.to_owned()));
            }
            found.extend(variables_of(line).filter_map(|name| {
                let is_lacked = env::is_set(name) && !(self.has_variable)(name);
                is_lacked.then(|| Denied::Variable(name.to_owned()))
            }));
        }
        found
    }

    /// A word as a program that the run's search path has not, or has another of.
    fn program(&self, word: &str) -> Option<Denied> {
        let here = env::find_program(word)?;
        let program = word.to_owned();
        let mut search = self.path.split(':').map(|directory| Path::new(directory).join(word));
        match search.find(|path| env::is_executable(path)) {
            None => Some(Denied::Missing { program, here }),
            Some(run) => self.other(word, &run),
        }
    }

    /// Whether the caller would have run another one.
    fn other(&self, name: &str, run: &Path) -> Option<Denied> {
        if name.contains('/') {
            return None;
        }
        let here = env::find_program(name)?;
        let is_same = here.canonicalize().ok() == run.canonicalize().ok();
        (!is_same).then(|| Denied::Other {
            program: name.to_owned(),
            run: run.to_path_buf(),
            here,
        })
    }
}

/// Variables that every run has, or that mean nothing to it: of these none is passed on.
pub const EVERYWHERE: [&str; 10] = [
    "HOME",
    "PATH",
    "TMPDIR",
    "TERM",
    "SHELL",
    "CARGO",
    "RUSTC",
    "CARGO_HOME",
    "RUST_BACKTRACE",
    "RUST_LIB_BACKTRACE",
];

/// Whether so little space is left that programs die of it, in whatever way: a linker by SIGBUS.
fn is_full(directory: &Path) -> bool {
    const LITTLE: u64 = 1 << 20;
    rustix::fs::statvfs(directory).is_ok_and(|on| on.f_bavail.saturating_mul(on.f_frsize) < LITTLE)
}

/// What programs say that miss another one, or a part of it.
const MISSING: [&str; 10] = [
    "not found",
    "No such file",
    "not installed",
    "NotFound",
    "No module named",
    "could not find",
    "Could not find",
    "failed to execute",
    "failed to run",
    "nable to find",
];

/// The words of a line that can be names of programs or of variables.
fn words_of(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !(c.is_ascii_alphanumeric() || "-_.+".contains(c)))
        .map(|word| word.trim_matches('.'))
        .filter(|word| (2..64).contains(&word.len()))
}

/// The names of variables in a line; those to which it gives a value, as in `run with NAME=1`, are advice and no want.
fn variables_of(line: &str) -> impl Iterator<Item = &str> {
    let is_name =
        |word: &&str| word.len() > 3 && word.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    words_of(line).filter(is_name).filter(move |word| !line.contains(&format!("{word}=")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_that_a_line_gives_a_value_is_not_wanted_by_it() {
        let names = |line: &'static str| variables_of(line).collect::<Vec<_>>();
        assert_eq!(names("KeyError: 'HUB_TOKEN'"), ["HUB_TOKEN"]);
        assert_eq!(names("sh: HUB_TOKEN: unbound variable"), ["HUB_TOKEN"]);
        assert!(names("note: run with `RUST_LOG=debug` to see more").is_empty());
    }
}
