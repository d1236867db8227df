//! The compiler and cargo: which they are, and where. `stable` and `1.95.0` can be one compiler under
//! two names, so rustc is told apart by its commit.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::ambient;
use crate::bounded;
use crate::error::{Error, Result};
use crate::memory::{Memory, Witnesses};

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
    /// When there is none, or it does not say what it is.
    pub fn find(directory: &Path, memory: &mut Memory) -> Result<Self> {
        let proxy = ambient::find_program("rustc").ok_or_else(|| {
            Error::new("there is no rustc in PATH").hint("install Rust with rustup: https://rustup.rs")
        })?;
        let chosen = ambient::rustup_toolchain();
        let name = format!(
            "toolchain of {} by {} as {}",
            directory.display(),
            proxy.display(),
            chosen.as_deref().unwrap_or_default().display()
        );
        memory.fact(&name, || {
            let installed = Self::ask(&proxy, directory)?;
            let mut read = vec![
                proxy.clone(),
                installed.rustc.clone(),
                installed.cargo.clone(),
                ambient::rustup_home().join("settings.toml"),
            ];
            read.extend(pin_files(directory));
            let present = Vec::new();
            Ok((installed, Witnesses { read, present }))
        })
    }

    fn ask(proxy: &Path, directory: &Path) -> Result<Self> {
        let sysroot = ask(proxy, &["--print", "sysroot"], directory)?;
        let inside = |name: &str| {
            let path = Path::new(sysroot.trim()).join("bin").join(name);
            ambient::is_executable(&path).then_some(path)
        };
        let rustc = inside("rustc").unwrap_or_else(|| proxy.to_path_buf());
        let cargo = inside("cargo")
            .or_else(|| ambient::find_program("cargo"))
            .ok_or_else(|| Error::new("there is no cargo beside rustc, nor in PATH"))?;
        let (version, cargo_version) = std::thread::scope(|scope| {
            let version = scope.spawn(|| ask(&rustc, &["-vV"], directory));
            let cargo_version = ask(&cargo, &["-V"], directory);
            (version.join().expect("asking does not panic"), cargo_version)
        });
        let version = version?;
        let field = |name: &str| {
            let line = version.lines().find_map(|line| line.strip_prefix(name));
            line.map(|rest| rest.trim_start_matches(':').trim().to_owned())
                .ok_or_else(|| Error::new(format!("`{} -vV` does not say its {name}", rustc.display())))
        };
        Ok(Self {
            identity: Toolchain {
                rustc: field("release")?,
                commit: field("commit-hash")?,
                host: field("host")?,
                llvm: field("LLVM version")?,
                cargo: cargo_version?.trim().trim_start_matches("cargo ").to_owned(),
                pin: pin(directory),
            },
            rustc,
            cargo,
        })
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

fn ask(program: &Path, args: &[&str], directory: &Path) -> Result<String> {
    let asked = || format!("`{} {}`", program.display(), args.join(" "));
    let output = Command::new(program)
        .args(args)
        .env_remove(ambient::PASSPHRASE)
        .current_dir(directory)
        .output()
        .map_err(|error| Error::new(format!("could not run {}: {error}", asked())))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(Error::new(format!("{} failed", asked()))
            .context(said)
            .hint("check the toolchain with `rustup show`"));
    }
    String::from_utf8(output.stdout).map_err(|_| Error::new(format!("{} did not print UTF-8", asked())))
}

/// Where rustup looks for a pin, whether there is one or not.
fn pin_files(directory: &Path) -> impl Iterator<Item = PathBuf> {
    directory
        .ancestors()
        .flat_map(|above| ["rust-toolchain.toml", "rust-toolchain"].map(|name| above.join(name)))
}

/// The channel that the nearest pin asks for.
fn pin(directory: &Path) -> Option<String> {
    let text = pin_files(directory).find_map(|path| bounded::text(&path, bounded::WRITTEN).ok())?;
    match text.parse::<toml::Table>() {
        Ok(table) => Some(table.get("toolchain")?.get("channel")?.as_str()?.to_owned()),
        Err(_) => Some(text.trim().to_owned()), // the old form is the channel alone
    }
}
