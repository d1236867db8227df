//! The compiler and cargo: which they are, and where. `stable` and `1.95.0` can be one compiler under
//! two names, so rustc is told apart by its commit.

mod choice;
mod pin;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

use pin::Pin;
use serde::{Deserialize, Serialize};

use crate::ambient;
use crate::error::{Error, Result};
use crate::memory::{Memory, Witnesses};
use crate::subprocess;

/// What identifies a toolchain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Toolchain {
    /// rustc's release, such as `1.95.0`.
    pub rustc: String,
    /// The commit that rustc was built from; `unknown` for some distributions' builds.
    pub commit: String,
    /// The host triple.
    pub host: String,
    /// The LLVM version.
    pub llvm: String,
    /// `cargo -V` without the word cargo: release, commit and date.
    pub cargo: String,
    /// The channel that `rust-toolchain.toml` asks for. Never compared: its file is part of the source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pin: Option<String>,
}

/// A toolchain on this machine.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Installed {
    /// What it is.
    pub identity: Toolchain,
    /// The compiler itself, not rustup's proxy, which costs as much again at every start.
    pub rustc: PathBuf,
    /// Cargo itself.
    pub cargo: PathBuf,
}

impl Installed {
    /// The toolchain that cargo would use in `directory`.
    ///
    /// # Errors
    /// When there is none, it does not say what it is, or the repository would bring it itself.
    pub fn find(directory: &Path, memory: &mut Memory) -> Result<Self> {
        let proxy = ambient::find_program("rustc").ok_or_else(|| {
            Error::new("there is no rustc in PATH").hint("install Rust with rustup: https://rustup.rs")
        })?;
        let chosen = choice::of_caller(directory)?;
        let of_repository = repositories(directory);
        let pin = Pin::nearest(directory)?;
        match &chosen {
            Some(name) => pin::name_must_be_of_the_machine(Path::new(name), &of_repository)?,
            None => pin.iter().try_for_each(|pin| pin.must_be_of_the_machine(&of_repository))?,
        }
        let name = format!(
            "toolchain of {} by {} as {}",
            directory.display(),
            proxy.display(),
            chosen.as_deref().unwrap_or_default().display()
        );
        let observe = || {
            let installed = Self::ask(&proxy, chosen.as_ref(), directory)?;
            let mut read = vec![
                proxy.clone(),
                installed.rustc.clone(),
                installed.cargo.clone(),
                ambient::rustup_home().join("settings.toml"),
            ];
            read.extend(directory.ancestors().flat_map(pin::files));
            let present = Vec::new();
            Ok((installed, Witnesses { read, present }))
        };
        let mut installed = memory.fact(&name, observe)?;
        // A repository that came with a memory of its own names whatever program it likes.
        let is_of_the_machine = |program: &PathBuf| pin::is_of_the_machine(program, &of_repository);
        if ![&installed.rustc, &installed.cargo].into_iter().all(is_of_the_machine) {
            installed = Self::ask(&proxy, chosen.as_ref(), directory)?;
        }
        installed.identity.pin = pin.and_then(|pin| pin.channel().map(str::to_owned));
        Ok(installed)
    }

    /// The toolchain of rustup's on this machine that is the recorded one, whatever it is called.
    #[must_use]
    pub fn recorded(locked: &Toolchain) -> Option<Self> {
        let toolchains = ambient::rustup_home().join("toolchains");
        let entries = std::fs::read_dir(&toolchains).ok()?;
        let mut directories: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        // The one that has its release for a name is likely it.
        let is_named = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with(&format!("{}-", locked.rustc))
        };
        directories.sort_by_key(|path| (!is_named(path), path.clone()));
        directories.into_iter().find_map(|directory| {
            let programs = ["rustc", "cargo"].map(|name| directory.join("bin").join(name));
            let [rustc, cargo] = programs;
            let there = [&rustc, &cargo].into_iter().all(|program| ambient::is_executable(program));
            let identity = there.then(|| Toolchain::of(&rustc, &cargo, Path::new("/"), None).ok()).flatten()?;
            let found = Self { identity, rustc, cargo };
            found.identity.is(locked).then_some(found)
        })
    }

    fn ask(proxy: &Path, chosen: Option<&OsString>, directory: &Path) -> Result<Self> {
        let sysroot = ask(proxy, &["--print", "sysroot"], directory, chosen.map(OsString::as_os_str))?;
        let inside = |name: &str| {
            let path = Path::new(sysroot.trim()).join("bin").join(name);
            ambient::is_executable(&path).then_some(path)
        };
        let rustc = inside("rustc").unwrap_or_else(|| proxy.to_path_buf());
        let cargo = inside("cargo")
            .or_else(|| ambient::find_program("cargo"))
            .ok_or_else(|| Error::new("there is no cargo beside rustc, nor in PATH"))?;
        let identity = Toolchain::of(&rustc, &cargo, directory, chosen.map(OsString::as_os_str))?;
        Ok(Self { identity, rustc, cargo })
    }

    /// The directory of the whole toolchain.
    #[must_use]
    pub fn root(&self) -> &Path {
        self.bin().parent().unwrap_or(Path::new("/"))
    }

    /// The directory of the toolchain's programs.
    #[must_use]
    pub fn bin(&self) -> &Path {
        self.rustc.parent().unwrap_or(Path::new("/"))
    }
}

impl Toolchain {
    /// What a compiler and a cargo say of themselves.
    fn of(rustc: &Path, cargo: &Path, directory: &Path, chosen: Option<&OsStr>) -> Result<Self> {
        let (version, cargo_version) = std::thread::scope(|scope| {
            let version = scope.spawn(|| ask(rustc, &["-vV"], directory, chosen));
            let cargo_version = ask(cargo, &["-V"], directory, chosen);
            (version.join().expect("asking does not panic"), cargo_version)
        });
        let version = version?;
        let field = |name: &str| {
            let line = version.lines().find_map(|line| line.strip_prefix(name));
            line.map(|rest| rest.trim_start_matches(':').trim().to_owned())
                .ok_or_else(|| Error::new(format!("`{} -vV` does not say its {name}", rustc.display())))
        };
        Ok(Self {
            rustc: field("release")?,
            commit: field("commit-hash")?,
            host: field("host")?,
            llvm: field("LLVM version")?,
            cargo: cargo_version?.trim().trim_start_matches("cargo ").to_owned(),
            pin: None,
        })
    }

    /// Whether it is the same, whatever file asked for it.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        let Self {
            rustc,
            commit,
            host,
            llvm,
            cargo,
            pin: _,
        } = self;
        (rustc, commit, host, llvm, cargo) == (&other.rustc, &other.commit, &other.host, &other.llvm, &other.cargo)
    }

    /// The name by which rustup installs it.
    #[must_use]
    pub fn channel(&self) -> String {
        match self.rustc.split_once('-') {
            None => self.rustc.clone(),
            // Nightlies have their day for a name, and rustc says only that of its last commit.
            Some((_, kind)) if kind.starts_with("nightly") => "nightly-YYYY-MM-DD".to_owned(),
            Some((release, kind)) => format!("{release}-{kind}"),
        }
    }
}

/// The work trees that a directory is in: its own repository, and those around that.
fn repositories(directory: &Path) -> Vec<PathBuf> {
    let above = directory.ancestors().filter(|above| above.join(".git").symlink_metadata().is_ok());
    above.chain([directory]).map(Path::to_path_buf).collect()
}

/// Asks a program what it is; where rustup starts it, `chosen` names the toolchain, or else the directory decides.
fn ask(program: &Path, args: &[&str], directory: &Path, chosen: Option<&OsStr>) -> Result<String> {
    let asked = || format!("`{} {}`", program.display(), args.join(" "));
    let mut command = Command::new(program);
    command
        .args(args)
        .env_remove(ambient::PASSPHRASE)
        .env_remove(ambient::RUSTUP_TOOLCHAIN)
        .current_dir(directory);
    if let Some(name) = chosen {
        command.env(ambient::RUSTUP_TOOLCHAIN, name);
    }
    let output = subprocess::output(&mut command, None).map_err(|error| Error::io("run", program, &error))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(Error::new(format!("{} failed", asked()))
            .context(said)
            .hint("check the toolchain with `rustup show`"));
    }
    String::from_utf8(output.stdout).map_err(|_| Error::new(format!("{} did not print UTF-8", asked())))
}
