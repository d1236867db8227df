//! A toolchain that is the installed one, save for what a test makes of its compiler.

use std::ffi::OsString;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Answer, Project, executable};

impl Project {
    /// Runs the binary with a compiler that does `case` first: the branches of a shell's `case "$*"`,
    /// where `$real` is the installed compiler.
    pub fn with_compiler(&self, case: &str, args: &[&str]) -> Answer {
        let bin = self.around().join("toolchain/bin");
        std::fs::create_dir_all(&bin).unwrap();
        let installed = self.installed();
        let cargo = bin.join("cargo");
        if !cargo.exists() {
            symlink(installed.join("cargo"), &cargo).unwrap();
        }
        let sysroot = bin.parent().unwrap().display();
        let real = installed.join("rustc");
        let script = format!(
            "#!/bin/sh\nreal={}\ncase \"$*\" in\n'--print sysroot') echo {sysroot} ;;\n{case}\n*) exec $real \"$@\" ;;\nesac\n",
            real.display()
        );
        executable(&bin.join("rustc"), &script);
        self.answer(self.command(args).env("PATH", self.path_with_compiler()))
    }

    /// The search path on which that compiler comes first.
    pub fn path_with_compiler(&self) -> OsString {
        let mut path = self.around().join("toolchain/bin").into_os_string();
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap());
        path
    }

    /// The directory of the programs of the toolchain that cargo uses in the package.
    fn installed(&self) -> PathBuf {
        let output = Command::new("rustc")
            .args(["--print", "sysroot"])
            .current_dir(&self.root)
            .env_remove("RUSTUP_TOOLCHAIN")
            .output()
            .unwrap();
        Path::new(String::from_utf8(output.stdout).unwrap().trim()).join("bin")
    }
}
