//! The supervisor: the small process between this tool and a program. It is this very binary, started again
//! with [`WORD`]; it makes the namespaces, starts the program within, answers for the kernel, and ends when the
//! program does, or when the tool does: the program never outlives it.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rustix::io::fcntl_dupfd_cloexec;
use rustix::process::{
    Pid, PidfdFlags, PidfdGetfdFlags, Signal, getgid, getpid, getppid, getuid, pidfd_getfd, pidfd_open,
    set_child_subreaper, set_parent_process_death_signal, setsid,
};

use super::audit::Audit;
use super::giving::Giving;
use super::inside::{self, Owner};
use super::listener::{Listener, Log};
use super::sys::{self, Fork};
use super::thread_ids::ThreadIds;
use super::{Conditions, Plan, Report, tracer};
use crate::os::descendants;

/// The first argument that means this file.
pub const WORD: &str = "__supervisor";

/// In place of a program: only show that the namespaces can be made.
pub const PROBE: &str = "__probe";

/// Serves the plan on standard input. Gives why that was not to be, if so.
///
/// # Errors
/// A sentence.
pub fn serve() -> Result<(), String> {
    let line = fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3).map_err(|error| error.to_string())?;
    let mut line = BufReader::new(File::from(line));
    let mut plan = Vec::new();
    line.read_until(b'\n', &mut plan).map_err(|error| error.to_string())?;
    let plan: Plan = serde_json::from_slice(&plan).map_err(|_| "the supervisor is not for people".to_owned())?;
    // The session leader's number is the process group that the tool kills.
    setsid().map_err(|error| format!("could not make a session: {error}"))?;
    set_parent_process_death_signal(Some(Signal::KILL))
        .map_err(|error| format!("could not ask to end with the parent: {error}"))?;
    // The parent may have died before it was asked about.
    is_parent(plan.parent)?;
    let nothing = std::fs::File::open("/dev/null").map_err(|error| error.to_string())?;
    rustix::stdio::dup2_stdin(nothing).map_err(|error| error.to_string())?;
    let report = run(&plan, line.into_inner())?;
    write(&plan, &report)
}

fn write(plan: &Plan, report: &Report) -> Result<(), String> {
    let bytes = serde_json::to_vec(report).map_err(|error| error.to_string())?;
    std::fs::write(Path::new(&plan.report), bytes).map_err(|error| format!("could not write the report: {error}"))
}

fn run(plan: &Plan, line: File) -> Result<Report, String> {
    let (ours, theirs) = UnixStream::pair().map_err(|error| error.to_string())?;
    let (init, ours, line) = start(plan, (ours, line), theirs)?;
    let giving = match plan.gives.as_slice() {
        [] => Giving::default(),
        trees => Giving::new(line, trees.iter().map(Into::into).collect()),
    };
    Supervisor {
        plan,
        init,
        giving,
        report: Report::default(),
    }
    .attend(ours)
}

/// Forks the first process within the sandbox or, without namespaces, the program itself. Our ends of the lines must be
/// nobody else's, so that their end is ours.
fn start(plan: &Plan, ours: (UnixStream, File), theirs: UnixStream) -> Result<(Pid, UnixStream, File), String> {
    let Some(namespaces) = &plan.namespaces else {
        return match sys::fork(0).map_err(|error| error.to_string())? {
            Fork::Child => {
                drop(ours);
                inside::end_with_warden(&theirs);
                inside::program_itself(plan, theirs)
            }
            Fork::Parent(pid) => Ok((pid, ours.0, ours.1)),
        };
    };
    let owner = Owner {
        user: getuid().as_raw(),
        group: getgid().as_raw(),
    };
    let mut flags = sys::NEW_MOUNTS | sys::NEW_PIDS | sys::NEW_HOSTNAME | sys::NEW_QUEUES | sys::NEW_CONTROL_GROUPS;
    if !namespaces.network {
        flags |= sys::NEW_NETWORK;
    }
    match sys::fork(flags | sys::NEW_USER) {
        Ok(Fork::Child) => {
            drop(ours);
            inside::init(plan, namespaces, theirs, owner)
        }
        Ok(Fork::Parent(pid)) => Ok((pid, ours.0, ours.1)),
        Err(error) => Err(format!("could not enter namespaces: {error}")),
    }
}

struct Supervisor<'a> {
    plan: &'a Plan,
    init: Pid,
    giving: Giving,
    report: Report,
}

impl Supervisor<'_> {
    fn attend(mut self, ours: UnixStream) -> Result<Report, String> {
        let lineage = Arc::new(ThreadIds::default());
        let driver = self.plan.drives.then(|| Path::new(&self.plan.program).canonicalize().ok()).flatten();
        let log = Arc::new(Mutex::new(Log {
            audit: Audit::driven_by(driver),
            ..Log::default()
        }));
        let mut answer = ours.try_clone().map_err(|error| error.to_string())?;
        let mut lines = BufReader::new(ours).lines().map_while(Result::ok);
        self.report.held.namespaces = self.plan.namespaces.is_some();
        if self.plan.namespaces.is_none() {
            // Before the program is let go on.
            end_all_with_tool(self.plan.parent)?;
        }
        for line in lines.by_ref() {
            match line.split_once(' ') {
                Some(("landlock", holds)) => self.report.held.landlock = holds == "true",
                Some(("listener", number)) => {
                    self.meet(number, &lineage, &log)?;
                    answer.write_all(&[1]).map_err(|error| error.to_string())?;
                    break;
                }
                Some(("failed", why)) => {
                    self.report.failure = Some(why.to_owned());
                    break;
                }
                Some(("status", number)) => {
                    self.report.status = number.parse().ok(); // a probe has no program
                    break;
                }
                _ => return Err("the program's beginning was not understood".to_owned()),
            }
        }
        drop(answer);
        end_when_asked(self.init);
        let followed = tracer::follow(self.init.as_raw_nonzero().get(), &self.plan.conditions, &lineage).ok();
        if self.plan.namespaces.is_none() {
            // The program's end is not that of all it began; and this process must not be gone before they are.
            descendants::end(getpid());
        }
        (self.report.threads, self.report.processes) =
            followed.map_or((0, 0), |followed| (followed.threads, followed.processes));
        // What was said last: within the sandbox, the program's status comes from the first process there.
        let status = followed.map(|followed| followed.status);
        let mut status = status.filter(|_| self.plan.namespaces.is_none()).or(self.report.status);
        for line in lines {
            match line.split_once(' ') {
                Some(("status", number)) => status = number.parse().ok(),
                Some(("failed", why)) => self.report.failure = Some(why.to_owned()),
                _ => {}
            }
        }
        self.report.status = status;
        let log = std::mem::take(&mut *log.lock().unwrap_or_else(PoisonError::into_inner));
        self.report.reads = log.audit.looks().clone();
        self.report.listed = log.audit.listed().clone();
        self.report.sought = log.audit.sought().clone();
        self.report.network = log.network;
        self.report.samples = log.samples;
        self.report.draws = log.draws;
        Ok(self.report)
    }

    /// Takes the listener from the program that is about to be, and follows it where that is needed.
    fn meet(&mut self, listener: &str, lineage: &Arc<ThreadIds>, log: &Arc<Mutex<Log>>) -> Result<(), String> {
        let program = self.program()?;
        if needs_tracer(&self.plan.conditions) {
            // Elsewhere the kernel's page cannot be hidden.
            self.report.held.tracer = cfg!(target_arch = "x86_64") && sys::trace(program).is_ok();
        }
        let Some(number) = listener.parse().ok().filter(|number: &i32| *number >= 0) else {
            self.giving.all();
            return Ok(());
        };
        let take = || -> std::io::Result<OwnedFd> {
            let process = pidfd_open(program, PidfdFlags::empty())?;
            Ok(pidfd_getfd(process, number, PidfdGetfdFlags::empty())?)
        };
        let descriptor = take().map_err(|error| format!("could not take the listener: {error}"))?;
        self.report.held.listener = true;
        let mut listener = Listener::new(descriptor, self.plan, Arc::clone(lineage), Arc::clone(log));
        listener.giving = std::mem::take(&mut self.giving);
        std::thread::spawn(move || listener.listen());
        Ok(())
    }

    /// The program's number, as it is outside the namespaces.
    fn program(&self) -> Result<Pid, String> {
        if self.plan.namespaces.is_none() {
            return Ok(self.init);
        }
        let init = self.init.as_raw_nonzero();
        let children = std::fs::read_to_string(format!("/proc/{init}/task/{init}/children"));
        let child = children.ok().and_then(|list| list.split_whitespace().next()?.parse().ok());
        child
            .and_then(Pid::from_raw)
            .ok_or_else(|| "the program was not found within the sandbox".to_owned())
    }
}

/// Ends the program when the tool asks for it, so that the report is still written.
fn end_when_asked(init: Pid) {
    let Ok(mut signals) = signal_hook::iterator::Signals::new([signal_hook::consts::SIGTERM]) else {
        return; // then the tool ends all of it by force
    };
    std::thread::spawn(move || {
        for _ in signals.forever() {
            let _ = rustix::process::kill_process(init, Signal::KILL);
        }
    });
}

/// Where no namespace ends with its first process, what the program began could go on in a session of its own. Then this
/// process inherits it, and outlives the tool for as long as it takes to end all of it.
fn end_all_with_tool(tool: i32) -> Result<(), String> {
    let could_not = |error: &dyn std::fmt::Display| format!("could not ask to end with the parent: {error}");
    set_child_subreaper(Some(getpid())).map_err(|error| could_not(&error))?;
    let signals = signal_hook::iterator::Signals::new([signal_hook::consts::SIGUSR1]);
    let mut signals = signals.map_err(|error| could_not(&error))?;
    std::thread::spawn(move || {
        signals.forever().next();
        descendants::end(getpid());
        sys::exit(1);
    });
    set_parent_process_death_signal(Some(Signal::USR1)).map_err(|error| could_not(&error))?;
    is_parent(tool)
}

fn is_parent(tool: i32) -> Result<(), String> {
    let found = getppid().map(|parent| parent.as_raw_nonzero().get());
    (found == Some(tool)).then_some(()).ok_or_else(|| "the parent is gone".to_owned())
}

/// Whether threads must be followed: where the kernel's page would tell the time, or entropy, unasked, and
/// where answers depend on which thread asks.
fn needs_tracer(conditions: &Conditions) -> bool {
    conditions.entropy.is_some()
        || conditions.clock.is_some()
        || conditions.tick.is_some()
        || !conditions.sight.is_empty()
}
