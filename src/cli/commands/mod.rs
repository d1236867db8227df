//! One thin file a verb: from settings to an exit code, by way of the other rooms.

pub mod attest;
mod changed;
pub mod ci;
pub mod completions;
pub mod demo;
pub mod diff;
pub mod explain;
pub mod explain_code;
mod filing;
pub mod gate;
pub mod hash;
pub mod hook;
pub mod init;
pub mod key;
pub mod log;
pub mod new;
pub mod record;
mod release;
mod reports;
pub mod show;
pub mod status;
mod subject;
pub mod tag;
pub mod vary;
pub mod verify;

use crate::cli::settings::Settings;
use crate::diagnose::locate;
use crate::error::Result;
use crate::exit_code::ExitCode;
use crate::project::Project;
use crate::project::manifest::{Clock, Determinism, Entropy};
use crate::report;
use crate::run::session::{Session, Trained};
use crate::run::workdir::Workdir;
use crate::sandbox::Held;
use crate::trace::Instruction;
use crate::verdict::{NotChecked, Verdict};

/// Says a verdict in the form that was asked for.
fn conclude(settings: &Settings, verdict: &Verdict) -> Result<ExitCode> {
    settings.console.result(&report::human::verdict(verdict, settings.console.layout()))?;
    settings.console.json(&report::json::verdict(verdict))?;
    Ok(verdict.word.exit_code())
}

/// Ends a command that judges nothing.
fn done(settings: &Settings) -> Result<ExitCode> {
    settings.console.json(&report::json::done(ExitCode::Ok.number()))?;
    Ok(ExitCode::Ok)
}

/// What a run could not be held from on this machine.
fn not_isolated(workdir: &Workdir) -> Vec<NotChecked> {
    if workdir.has_namespaces() {
        return Vec::new();
    }
    vec![
        NotChecked::new(
            "isolation",
            "no user namespaces here: programs saw the machine's processes, names and clock, and the real path of their work directory; shared memory and message queues are the machine's, so a run could find what another left there",
        ),
        NotChecked::new(
            "network",
            "without namespaces only TCP is kept from the program, by landlock where the kernel has it, and with it the program's own servers: there is no loopback of its own",
        ),
    ]
}

/// What was to be watched or answered in a training, and could not be.
fn not_covered(project: &Project, session: &Session<'_>, trained: &Trained) -> Vec<NotChecked> {
    let determinism = project.manifest.determinism;
    let lacks = |means: fn(&Held) -> bool| trained.reports.values().any(|report| !means(&report.held));
    let mut not_covered = Vec::new();
    if lacks(|held| held.namespaces || held.landlock) {
        let why = "landlock does not hold all of it here: the program could read, write and connect as this user can";
        not_covered.push(NotChecked::new("isolation", why));
    }
    if lacks(|held| held.listener) {
        let why = "this kernel lets no process answer for another's system calls, so nothing that it read was seen";
        not_covered.push(NotChecked::new("undeclared-read", why));
    }
    if determinism != Determinism::default() && lacks(Held::answers) {
        let why = "this machine lets no process follow another and answer for it, so what repro.toml pins of entropy and the clock came from the system at least in part";
        not_covered.push(NotChecked::new("determinism", why));
    }
    let instructions = |kinds: &[Instruction]| {
        let found = locate::asking_instructions(session, kinds);
        found
            .into_iter()
            .map(|(instruction, function)| format!("{instruction} in {function}"))
            .collect::<Vec<_>>()
    };
    let unseen = |kind, found: Vec<String>| {
        let why =
            format!("the program can ask the processor itself, which nobody can answer for: {}", found.join(", "));
        (!found.is_empty()).then(|| NotChecked::new(kind, why))
    };
    if determinism.entropy == Entropy::Seeded {
        not_covered.extend(unseen("process-entropy", instructions(&[Instruction::Rdrand, Instruction::Rdseed])));
    }
    if determinism.clock == Clock::Frozen {
        not_covered.extend(unseen("clock", instructions(&[Instruction::Rdtsc, Instruction::Rdtscp])));
    }
    not_covered
}
