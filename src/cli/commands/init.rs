//! `init`: a commented manifest for an existing package. It never overwrites one.

use super::done;
use crate::cache::Cache;
use crate::cli::settings::Settings;
use crate::error::{Error, IoContext as _, Result};
use crate::exit_code::ExitCode;
use crate::os::atomic;
use crate::project;
use crate::project::manifest;
use crate::project::package::{binaries, find, members};
use crate::snapshot::toolchain::{Installed, write_pin};

/// Runs the command.
///
/// # Errors
/// When there is a manifest already, or no package.
pub fn run(settings: &Settings) -> Result<ExitCode> {
    let directory = if settings.package.is_some() {
        project::directory(settings)?
    } else {
        find(settings.manifest_path.as_deref(), &settings.current_directory)?
    };
    let path = directory.join(manifest::FILE);
    let is_there = || Error::new(format!("{} is there already, and stays as it is", path.display()));
    if path.exists() {
        return Err(is_there());
    }
    let toolchain = Installed::find(&directory, &mut Cache::none())?;
    let bins = binaries(&directory, &toolchain)?;
    let text = text(bins.first().map_or("trainer", String::as_str));
    manifest::Manifest::from_text(&text, manifest::FILE).expect("the manifest that init writes is one");
    // While cargo was asked, somebody else may have written one.
    match atomic::create(&path, text.as_bytes()) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => return Err(is_there()),
        created => created.at("write", &path)?,
    }
    settings.console.status("Created", manifest::FILE);
    let workspace = members(&directory, &toolchain)?.workspace;
    if let Some(channel) = write_pin(&workspace, &toolchain)? {
        settings.console.status("Created", format!("rust-toolchain.toml, which pins {channel}"));
    }
    if bins.len() != 1 {
        let count = bins.len();
        settings
            .console
            .warn(format!("the package has {count} binaries; see that `bin` in [stage.train] names the trainer"));
    }
    settings
        .console
        .result("Next: say in repro.toml what the program reads and writes, commit it, then `cargo repro record`.\n")?;
    done(settings)
}

fn text(bin: &str) -> String {
    include_str!("init.toml").replace("{{bin}}", bin)
}
