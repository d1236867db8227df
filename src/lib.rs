//! `cargo repro` pins the seeds, dependencies, data and code of a training, and proves that it
//! reproduces. This is the command's own library; its only promise to others is the binary. What a
//! training program links is the crate `repro-ml`.
//!
//! Data flows one way:
//!
//! ```text
//! Args + Manifest → Settings → Project → Snapshot ─→ drift? (Snapshot × Lockfile)
//!                                           └→ Run: build → train → collect → Outcome ─→ divergence? (Outcome × Lockfile)
//!                                                                                   Verdict → Report → exit code
//! ```

pub mod cache;
pub mod cause;
pub mod ci;
pub mod cli;
pub mod compare;
pub mod console;
pub mod diagnose;
pub mod digest;
pub mod document;
pub mod error;
pub mod exit_code;
pub mod explanation;
pub mod history;
pub mod inspect;
pub mod lockfile;
pub mod os;
pub mod outcome;
pub mod progress;
pub mod project;
pub mod release;
pub mod report;
pub mod run;
pub mod sandbox;
pub mod snapshot;
pub mod table;
pub mod template;
pub mod text;
pub mod timing;
pub mod trace;
pub mod verdict;

use std::ffi::OsString;
use std::panic::AssertUnwindSafe;

use crate::cli::args::{Args, Command};
use crate::cli::commands;
use crate::cli::settings::Settings;
use crate::console::Console;
use crate::error::{Error, Result};
use crate::exit_code::ExitCode;
use crate::os::interrupt;
use crate::run::watchdog;
use crate::sandbox::supervisor;

/// The whole program: from its arguments to its exit code.
pub fn run(arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let mut arguments: Vec<OsString> = arguments.collect();
    if arguments.get(1).is_some_and(|word| word == supervisor::WORD) {
        return supervisor::serve().map_or_else(|why| console::supervisor_failed(&why), |()| ExitCode::Ok);
    }
    if arguments.get(1).is_some_and(|word| word == watchdog::WORD) {
        watchdog::watch();
        return ExitCode::Ok;
    }
    // `cargo repro …` runs `cargo-repro repro …`.
    if arguments.get(1).is_some_and(|word| word == "repro") {
        arguments.remove(1);
    }
    let args = match Args::read(&arguments) {
        Ok(args) => args,
        Err(refusal) => return console::refuse(&refusal),
    };
    let code = match Settings::resolve(&args.common) {
        Ok(settings) => guarded(|| dispatch(&settings, &args.command)).unwrap_or_else(|error| {
            // Ctrl-C goes to every process of the terminal's group; what a helper's death broke is no
            // reason of its own.
            let error = interrupt::check().err().unwrap_or(error);
            fail(settings.console, &error)
        }),
        Err(error) => fail(Console::of(&args.common), &error),
    };
    console::end();
    code
}

/// A mistake of the tool's own is no verdict, and ends in order: what is temporary goes, and the exit code is that of
/// whatever could not be judged.
fn guarded(work: impl FnOnce() -> Result<ExitCode>) -> Result<ExitCode> {
    std::panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        Err(Error::new("the tool itself failed; where, stands above")
            .hint("this is a mistake in cargo repro and not in the project: please report it"))
    })
}

/// Says why there is no verdict.
fn fail(console: Console, error: &Error) -> ExitCode {
    console.error(error);
    // Where not even this can be written, the exit code tells it.
    let _ = console.json(&report::json::failed(error));
    error.exit_code()
}

fn dispatch(settings: &Settings, command: &Command) -> Result<ExitCode> {
    let console = settings.console;
    interrupt::listen(move || {
        let code = fail(console, &Error::interrupted());
        console::end();
        code
    })?;
    match command {
        Command::New(args) => commands::new::run(settings, args),
        Command::Init => commands::init::run(settings),
        Command::Demo(args) => commands::demo::run(settings, args),
        Command::Record(args) => commands::record::run(settings, args),
        Command::Verify(args) => commands::verify::run(settings, args),
        Command::Explain(args) => commands::explain::run(settings, args),
        Command::Vary(args) => commands::vary::run(settings, args),
        Command::Status(args) => commands::status::run(settings, args),
        Command::Diff(args) => commands::diff::run(settings, args),
        Command::Show(args) => commands::show::run(settings, args),
        Command::Log(args) => commands::log::run(settings, args),
        Command::Hash(args) => commands::hash::run(settings, args),
        Command::Key(args) => commands::key::run(settings, args),
        Command::Tag(args) => commands::tag::run(settings, args),
        Command::Gate(args) => commands::gate::run(settings, args),
        Command::Hook(args) => commands::hook::run(settings, args),
        Command::Attest(args) => commands::attest::run(settings, args),
        Command::Ci(args) => commands::ci::run(settings, args),
        Command::ExplainCode(args) => commands::explain_code::run(settings, args),
        Command::Completions(args) => commands::completions::run(settings, args),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_of_the_tools_own_is_not_judged() {
        let error = guarded(|| panic!("on purpose")).unwrap_err();
        assert_eq!(error.exit_code(), ExitCode::NotJudged);
        assert!(guarded(|| Ok(ExitCode::Drift)).is_ok_and(|code| code == ExitCode::Drift));
    }
}
