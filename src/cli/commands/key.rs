//! `key`: makes the key that attestations are signed with, and shows the public half of one. Needs no
//! project.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use zeroize::Zeroizing;

use super::done;
use crate::cli::args;
use crate::cli::settings::Settings;
use crate::error::{Error, IoContext as _, Result};
use crate::exit_code::ExitCode;
use crate::os::env;
use crate::release::attestation::key_file::{public_path, read_public};
use crate::release::attestation::passphrase::{Purpose, passphrase};
use crate::release::attestation::{PublicKey, SigningKey};
use crate::report;

/// Runs the command.
///
/// # Errors
/// When a key cannot be written or read, or its passphrase is not to be had.
pub fn run(settings: &Settings, args: &args::Key) -> Result<ExitCode> {
    match &args.command {
        args::KeyCommand::New(args) => new(settings, args),
        args::KeyCommand::Show(args) => show(settings, args),
    }
}

fn new(settings: &Settings, args: &args::KeyNew) -> Result<ExitCode> {
    let path = match &args.output {
        Some(path) => settings.current_directory.join(path),
        None => env::default_key(),
    };
    // Before anybody thinks of a passphrase.
    if path.symlink_metadata().is_ok() {
        let what = format!("there is a file at {} already, and no key is written over", path.display());
        return Err(Error::new(what).hint("`cargo repro key show` shows it; `--output PATH` makes another"));
    }
    let passphrase = if args.no_passphrase {
        Zeroizing::default()
    } else {
        passphrase(settings, Purpose::New(&path), args.passphrase_file.as_deref())?
    };
    if args.output.is_none() {
        make_private_directory(&path)?;
    }
    let key = SigningKey::generate();
    key.write(&path, Some(passphrase.as_str()).filter(|passphrase| !passphrase.is_empty()))?;
    let beside = public_path(&path);
    let places = format!("private key  {}\npublic key   {}\n", path.display(), beside.display());
    settings.console.result(&(places + &for_people(&key.public())))?;
    settings.console.json(&report::json::key(&path, &key.public()))?;
    done(settings)
}

fn show(settings: &Settings, args: &args::KeyShow) -> Result<ExitCode> {
    let path = match &args.path {
        Some(path) => settings.current_directory.join(path),
        None => env::default_key(),
    };
    let mut ask = || passphrase(settings, Purpose::Open(&path), args.passphrase_file.as_deref()).map(Some);
    let key = read_public(&path, &mut ask)?;
    settings
        .console
        .result(&format!("key          {}\n{}", path.display(), for_people(&key)))?;
    settings.console.json(&report::json::key(&path, &key))?;
    done(settings)
}

/// The id, and what to paste.
fn for_people(key: &PublicKey) -> String {
    format!(
        "id           {}\n\nFor the repro.toml of a project that is to believe it (NAME is yours to choose):\n\n[gate.keys]\nNAME = \"{}\"\n",
        key.id(),
        key.line()
    )
}

/// The directory of the default place; it may be the first thing in it.
fn make_private_directory(path: &Path) -> Result<()> {
    let Some(directory) = path.parent() else {
        return Ok(());
    };
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .at("make the directory", directory)
}
