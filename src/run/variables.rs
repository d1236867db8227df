//! Variables of the environment that a build asked for: `env!` and `option_env!`, which rustc names in its
//! dep-info (rust-lang/rust#71858), and what build scripts ask to be rerun for.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cargo_metadata::Message;

use crate::os::bounded;

/// Where the answers lie, gathered from cargo's messages.
#[derive(Debug, Default)]
pub struct Asked {
    /// Directories with dep-info files.
    directories: BTreeSet<PathBuf>,
    /// What build scripts printed.
    outputs: BTreeSet<PathBuf>,
}

impl Asked {
    /// Takes what a message tells of places; `outside` gives the real path of one.
    pub fn note(&mut self, message: &Message, outside: impl Fn(&Path) -> PathBuf) {
        match message {
            Message::CompilerArtifact(artifact) => {
                let files = artifact.filenames.iter().map(|file| outside(file.as_std_path()));
                let parents: Vec<PathBuf> = files.filter_map(|file| file.parent().map(Path::to_path_buf)).collect();
                // A program is a link beside the directory in which it was made.
                self.directories.extend(parents.iter().map(|parent| parent.join("deps")));
                self.directories.extend(parents);
            }
            Message::BuildScriptExecuted(script) => {
                let beside = script.out_dir.as_std_path().parent().map(|parent| outside(&parent.join("output")));
                self.outputs.extend(beside);
            }
            _ => {}
        }
    }

    /// The names; those that cargo itself sets for every package are not among them.
    #[must_use]
    pub fn variables(&self) -> BTreeSet<String> {
        let is_dep_info = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "d");
        let entries = self
            .directories
            .iter()
            .flat_map(|directory| std::fs::read_dir(directory).into_iter().flatten());
        let dep_infos = entries.flatten().map(|entry| entry.path()).filter(is_dep_info);
        let mut names = BTreeSet::new();
        for text in dep_infos.filter_map(|path| bounded::text(&path, bounded::GENERATED).ok()) {
            names.extend(text.lines().filter_map(in_dep_info).map(str::to_owned));
        }
        for text in self.outputs.iter().filter_map(|path| bounded::text(path, bounded::GENERATED).ok()) {
            names.extend(text.lines().filter_map(in_output).map(str::to_owned));
        }
        names.retain(|name| !is_cargos(name));
        names
    }
}

fn in_dep_info(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("# env-dep:")?;
    Some(rest.split_once('=').map_or(rest, |(name, _)| name))
}

fn in_output(line: &str) -> Option<&str> {
    let line = line.strip_prefix("cargo::").or_else(|| line.strip_prefix("cargo:"))?;
    line.strip_prefix("rerun-if-env-changed=").map(str::trim)
}

fn is_cargos(name: &str) -> bool {
    const OWN: [&str; 8] = [
        "OUT_DIR",
        "TARGET",
        "HOST",
        "PROFILE",
        "OPT_LEVEL",
        "DEBUG",
        "NUM_JOBS",
        "RUSTC",
    ];
    name.starts_with("CARGO") || name.starts_with("RUSTC_") || OWN.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_whether_set_or_not() {
        assert_eq!(in_dep_info("# env-dep:MMTEST_FEATURE"), Some("MMTEST_FEATURE"));
        assert_eq!(in_dep_info("# env-dep:LR=0.1=x"), Some("LR"));
        assert_eq!(in_dep_info("src/main.rs:"), None);
        assert_eq!(in_output("cargo::rerun-if-env-changed=CC"), Some("CC"));
        assert_eq!(in_output("cargo:rerun-if-env-changed=CC"), Some("CC"));
        assert_eq!(in_output("cargo:rustc-env=A=1"), None);
    }
}
