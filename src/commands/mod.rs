//! One thin file a verb: from settings to an exit code, by way of the other rooms.

pub mod demo;
pub mod diff;
pub mod init;
pub mod new;
pub mod record;
pub mod show;
pub mod status;
pub mod verify;

use crate::error::Result;
use crate::exit_code::ExitCode;
use crate::report;
use crate::run::workdir::Workdir;
use crate::settings::Settings;
use crate::verdict::{NotChecked, Verdict};

/// Says a verdict in the form that was asked for.
fn conclude(settings: &Settings, verdict: &Verdict) -> Result<ExitCode> {
    settings.shell.result(&report::human::verdict(verdict))?;
    settings.shell.json(&report::json::verdict(verdict));
    Ok(verdict.word.exit_code())
}

/// Ends a command that judges nothing.
fn done(settings: &Settings) -> ExitCode {
    settings.shell.json(&report::json::done(ExitCode::Ok.number()));
    ExitCode::Ok
}

/// What no run of this version can vouch for.
fn not_isolated(workdir: &Workdir) -> Vec<NotChecked> {
    let mut not_checked = vec![
        NotChecked::new("undeclared-read", "files that the program read beside the declared data were not watched"),
        NotChecked::new("network", "the program was not kept from the network"),
    ];
    if workdir.namespace().is_none() {
        let why = "no user namespaces here, so builds and programs saw the real path of their work directory";
        not_checked.push(NotChecked::new("working-directory", why));
    }
    not_checked
}
