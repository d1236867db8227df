//! Where the passphrase of a key comes from: a file, the environment, or whoever sits at the terminal.

use std::io::Read as _;
use std::path::Path;

use zeroize::Zeroizing;

use crate::cli::settings::Settings;
use crate::error::{Error, IoContext as _, Result};
use crate::exit_code::ExitCode;
use crate::os::env::{self, PASSPHRASE};

/// What a passphrase is asked for.
#[derive(Clone, Copy, Debug)]
pub enum Purpose<'a> {
    /// To open the key in this file.
    Open(&'a Path),
    /// To lock a new key away in this file.
    New(&'a Path),
}

/// A passphrase from `file`, else from the environment, else from the terminal. Empty only if somebody at
/// the terminal wants a new key to have none.
///
/// # Errors
/// A usage error when there is none to be had, or the two that were typed differ; and when the file cannot
/// be read.
pub fn passphrase(settings: &Settings, purpose: Purpose<'_>, file: Option<&Path>) -> Result<Zeroizing<String>> {
    if let Some(path) = file {
        return first_line(&settings.current_directory.join(path));
    }
    if let Some(passphrase) = env::passphrase()? {
        return Ok(passphrase);
    }
    let question = match purpose {
        Purpose::Open(path) => format!("Passphrase of {}", path.display()),
        Purpose::New(path) => format!("New passphrase for {} (empty for none)", path.display()),
    };
    let typed = settings.console.secret(&question)?.ok_or_else(|| nobody_to_ask(purpose))?;
    if matches!(purpose, Purpose::New(_)) && !typed.is_empty() {
        let again = settings.console.secret("The same again")?;
        if again.is_none_or(|again| *again != *typed) {
            return Err(Error::new("the two passphrases differ").code(ExitCode::Usage));
        }
    }
    Ok(typed)
}

/// As `openssl` reads a passphrase from a file.
fn first_line(path: &Path) -> Result<Zeroizing<String>> {
    const MOST: u64 = 4096;
    let file = std::fs::File::open(path).at("open", path)?;
    let mut text = Zeroizing::new(String::with_capacity(4097));
    file.take(MOST).read_to_string(&mut text).at("read", path)?;
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() {
        let what = format!("the first line of {} is empty, and should be a passphrase", path.display());
        return Err(Error::new(what).code(ExitCode::Usage));
    }
    Ok(Zeroizing::new(line.to_owned()))
}

fn nobody_to_ask(purpose: Purpose<'_>) -> Error {
    let (what, more) = match purpose {
        Purpose::Open(path) => {
            (format!("{} has a passphrase, and there is no terminal to ask for it", path.display()), "")
        }
        Purpose::New(_) => (
            "there is no terminal to ask for a passphrase".to_owned(),
            "; or give `--no-passphrase` for a key without",
        ),
    };
    let hint = format!("give `--passphrase-file FILE`, set {PASSPHRASE}, or run it on a terminal{more}");
    Error::new(what).code(ExitCode::Usage).hint(hint)
}
