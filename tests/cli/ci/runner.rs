//! A machine as CI has it, on which the scripts of pipelines are run with the real program.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Project, executable};

/// A directory of the runner's with the programs that a step finds.
pub struct Runner<'a> {
    pub project: &'a Project,
    pub place: PathBuf,
}

impl<'a> Runner<'a> {
    pub fn of(project: &'a Project) -> Self {
        let place = project.around().join("runner");
        std::fs::create_dir_all(place.join("bin")).unwrap();
        let runner = Self { project, place };
        runner.program("cargo-repro", &format!("exec '{}' \"$@\"", env!("CARGO_BIN_EXE_cargo-repro")));
        runner
    }

    /// A program of that name which does that.
    pub fn program(&self, name: &str, does: &str) {
        executable(&self.place.join("bin").join(name), &format!("#!/bin/sh\n{does}\n"));
    }

    /// Runs a script as GitHub runs those of bash, in a directory; gives its exit code and what it printed.
    pub fn script(&self, script: &str, directory: &Path, variables: &[(&str, &str)]) -> (i32, String) {
        let file = self.place.join("step.sh");
        std::fs::write(&file, script).unwrap();
        let mut command = Command::new("bash");
        command
            .args(["--noprofile", "--norc", "-eo", "pipefail"])
            .arg(&file)
            .current_dir(directory);
        for (name, value) in self.project.command(&[]).get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        let path = std::env::var_os("PATH").unwrap();
        let path = std::iter::once(self.place.join("bin")).chain(std::env::split_paths(&path));
        let output = command
            .env("PATH", std::env::join_paths(path).unwrap())
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        (output.status.code().unwrap(), said)
    }
}
