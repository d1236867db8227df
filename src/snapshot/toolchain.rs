//! The compiler and cargo: which they are, and where. `stable` and `1.95.0` can be one compiler under
//! two names, so rustc is told apart by its commit.

mod choice;
mod installed;
pub mod pin;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

use pin::Pin;
use serde::{Deserialize, Serialize};

use crate::cache::{Cache, Witnesses};
use crate::error::{Error, IoContext as _, Result};
use crate::os::atomic;
use crate::os::env;
use crate::os::subprocess;

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
    pub fn find(directory: &Path, cache: &mut Cache) -> Result<Self> {
        let proxy = env::find_program("rustc").ok_or_else(|| {
            Error::new("there is no rustc in PATH").hint("install Rust with rustup: https://rustup.rs")
        })?;
        crate::project::package::readable::check_by_name(directory)?;
        let chosen = choice::of_caller(directory)?;
        let of_repository = repositories(directory);
        let pin = Pin::nearest(directory)?;
        match &chosen {
            Some(name) => pin::name_must_be_of_the_machine(Path::new(name), &of_repository)?,
            None => pin.iter().try_for_each(|pin| pin.must_be_of_the_machine(&of_repository))?,
        }
        let by_name = |pin: &Pin| installed::by_another_name(pin.channel()?, cache);
        let chosen = match chosen {
            None if !choice::is_overridden(directory)? => pin.as_ref().and_then(by_name),
            chosen => chosen,
        };
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
                env::rustup_home().join("settings.toml"),
            ];
            read.extend(directory.ancestors().flat_map(pin::files));
            let present = Vec::new();
            Ok((installed, Witnesses { read, present }))
        };
        let mut installed = cache.fact(&name, observe)?;
        // A repository that came with a cache of its own names whatever program it likes.
        let is_of_the_machine = |program: &PathBuf| pin::is_of_the_machine(program, &of_repository);
        if ![&installed.rustc, &installed.cargo].into_iter().all(is_of_the_machine) {
            installed = Self::ask(&proxy, chosen.as_ref(), directory)?;
        }
        installed.identity.pin = pin.and_then(|pin| pin.channel().map(str::to_owned));
        Ok(installed)
    }

    /// For a revision in `directory`, of the repository of `here`: the recorded toolchain if it is on this machine, whatever
    /// is used today; none where it is not, or where the caller chose one by its name.
    ///
    /// # Errors
    /// When the repository would bring a toolchain itself.
    pub fn of_revision(directory: &Path, here: &Path, locked: Option<&Toolchain>) -> Result<Option<Self>> {
        if let Some(pin) = Pin::nearest(directory)? {
            pin.must_be_of_the_machine(&repositories(here))?;
        }
        let is_chosen = choice::is_of_caller_alone()?;
        Ok(locked.filter(|_| !is_chosen).and_then(installed::recorded))
    }

    /// The channel by which rustup installs just this toolchain, if there is one.
    #[must_use]
    pub fn channel(&self) -> Option<String> {
        installed::channel(self)
    }

    fn ask(proxy: &Path, chosen: Option<&OsString>, directory: &Path) -> Result<Self> {
        let sysroot = ask(proxy, &["--print", "sysroot"], directory, chosen.map(OsString::as_os_str))?;
        let inside = |name: &str| {
            let path = Path::new(sysroot.trim()).join("bin").join(name);
            env::is_executable(&path).then_some(path)
        };
        let rustc = inside("rustc").unwrap_or_else(|| proxy.to_path_buf());
        let cargo = inside("cargo")
            .or_else(|| env::find_program("cargo"))
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
}

/// Writes a pin of this toolchain into a directory, unless there is one there or above it. Gives its channel.
///
/// # Errors
/// When it cannot be written.
pub fn write_pin(directory: &Path, toolchain: &Installed) -> Result<Option<String>> {
    let Some(channel) = toolchain.channel().filter(|_| matches!(Pin::nearest(directory), Ok(None))) else {
        return Ok(None);
    };
    let path = directory.join(pin::NAME);
    let text = format!(
        "# The compiler that `cargo repro` records with; rustup installs it where it is not.\n[toolchain]\nchannel = \"{channel}\"\n"
    );
    match atomic::create(&path, text.as_bytes()) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(None),
        created => created.at("write", &path).map(|()| Some(channel)),
    }
}

/// The toolchain that rustup says is not installed.
fn absent(said: &str) -> Option<&str> {
    let line = said
        .lines()
        .find(|line| line.contains("is not installed") && !line.contains("custom toolchain"))?;
    line.split_once("toolchain '")?.1.split('\'').next()
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
        .env_remove(env::PASSPHRASE)
        .env_remove(env::RUSTUP_TOOLCHAIN)
        .env_remove("RUST_BACKTRACE")
        .current_dir(directory);
    if let Some(name) = chosen {
        command.env(env::RUSTUP_TOOLCHAIN, name);
    }
    let output = subprocess::output(&mut command, None).map_err(|error| Error::io("run", program, &error))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        let hint = absent(&said).map_or_else(
            || "check the toolchain with `rustup show`".to_owned(),
            |name| format!("`rustup toolchain install {name}` brings it"),
        );
        return Err(Error::new(format!("{} failed", asked())).context(said).hint(hint));
    }
    String::from_utf8(output.stdout).map_err(|_| Error::new(format!("{} did not print UTF-8", asked())))
}
