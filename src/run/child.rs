//! One child process: started by a [supervisor](crate::sandbox::supervisor), watched, and ended with all its
//! descendants when it is done, hangs, or the user interrupts. What it prints is passed on and its end
//! kept, so that a gigabyte of output costs neither memory nor disk.

use std::collections::{BTreeMap, VecDeque};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{BufReader, Read, Write as _};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use rustix::fs::{MemfdFlags, memfd_create};
use rustix::io::retry_on_intr;
use rustix::process::{
    Pid, Signal, WaitId, WaitIdOptions, WaitOptions, getpid, kill_process, set_child_subreaper, waitid, waitpid,
};

use super::watchdog::{self, Minded};
use crate::console::{ChildOutput, Console, Stream};
use crate::error::{Error, Result};
use crate::os::descendants;
use crate::os::interrupt;
use crate::sandbox::giving::{self, Asked};
use crate::sandbox::{Conditions, Landlock, Namespaces, Plan, Report, start};

/// How much of the end of the output is kept.
const TAIL: usize = 16 * 1024;

/// How long a pipe may stay open after its writer ended; only a process that fled could keep it.
const DRAIN: Duration = Duration::from_secs(2);

/// How long after its end what a program printed may take to be told.
const LATEST: Duration = Duration::from_secs(60);

/// What to run.
#[derive(Debug)]
pub struct Task<'a> {
    /// The program's path.
    pub program: &'a OsStr,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Its working directory, as it sees it.
    pub directory: PathBuf,
    /// What it finds itself in.
    pub enclosure: Enclosure,
    /// All of its environment.
    pub environment: BTreeMap<OsString, OsString>,
    /// When it counts as hanging.
    pub timeout: Option<Duration>,
    /// Whether stdout is an answer to keep rather than talk to pass on.
    pub keep_stdout: bool,
    /// Where stdout goes beside, every byte of it.
    pub copy_stdout: Option<File>,
    /// What is done by it, and to what: for whoever watches.
    pub doing: (&'static str, &'a str),
    /// What is put in its place once it looks for it.
    pub gives: Option<Gives<'a>>,
}

/// Puts what a child looks for in its place.
pub struct Gives<'a> {
    /// The directories in which that may be, as the child sees them.
    pub trees: Vec<PathBuf>,
    /// Does it, and says whether there was anything to do.
    pub give: &'a dyn Fn(&Asked) -> Result<bool>,
}

impl std::fmt::Debug for Gives<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gives").field("trees", &self.trees).finish_non_exhaustive()
    }
}

/// What holds a child, and what is told to it.
#[derive(Clone, Debug)]
pub struct Enclosure {
    /// The namespaces, where they can be had.
    pub namespaces: Option<Namespaces>,
    /// Landlock, where they cannot.
    pub landlock: Option<Landlock>,
    /// What is answered in the system's place.
    pub conditions: Conditions,
    /// Whether the program only starts others, as cargo does.
    pub drives: bool,
}

/// How it ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit status; after a timeout, that of being killed.
    pub status: ExitStatus,
    /// Whether the time was up.
    pub timed_out: bool,
    /// All of stdout, if it was to be kept.
    pub stdout: Vec<u8>,
    /// Why the copy of stdout is not whole, if it is not.
    pub copied: std::io::Result<()>,
    /// The end of what it printed otherwise.
    pub tail: String,
    /// What the supervisor saw.
    pub report: Report,
}

enum Event {
    Stdout(Vec<u8>),
    Stderr(Vec<u8>),
    /// It waits for an answer.
    Asked(Asked),
    Closed,
    /// When it ended. It is not waited for yet, so that its number is nobody else's.
    Exited(Instant),
}

impl Task<'_> {
    /// Runs it to its end.
    ///
    /// # Errors
    /// When it cannot be started, or the user interrupts.
    pub fn run(self, console: Console) -> Result<Ended> {
        let name = Path::new(self.program).display().to_string();
        let could_not = |error: &dyn std::fmt::Display| Error::new(format!("could not run {name}: {error}"));
        set_child_subreaper(Some(getpid())).map_err(|error| could_not(&error))?;
        let this_binary = std::env::current_exe().map_err(|error| could_not(&error))?;
        let report = room_for_report().map_err(|error| could_not(&error))?;
        let plan = self.plan(&report);
        let (mut child, mut line) =
            start::supervisor(Stdio::piped(), Stdio::piped()).map_err(|error| could_not(&error))?;
        let group = Pid::from_child(&child);
        let guarded = interrupt::Guarded::group(group);
        let minded = Minded::group(group, &this_binary);
        // Only now that its group is minded does it start anything.
        start::hand(&mut line, &plan).map_err(|error| could_not(&error))?;
        // Bounded, so that a child that prints faster than the terminal takes it has to wait.
        let (sender, events) = sync_channel(64);
        forward(child.stdout.take(), sender.clone(), Event::Stdout);
        forward(child.stderr.take(), sender.clone(), Event::Stderr);
        if self.gives.is_some() {
            let asking = line.try_clone().map_err(|error| could_not(&error))?;
            hear_questions(asking, sender.clone());
        }
        std::thread::spawn(move || {
            let end = || waitid(WaitId::Pid(group), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT);
            // It fails only where there is nothing to wait for.
            let _ = retry_on_intr(end);
            let _ = sender.send(Event::Exited(Instant::now()));
        });
        let watch = Watch {
            said: console.listen(self.doing.0, self.doing.1),
            guarded,
            keep_stdout: self.keep_stdout,
            time_is_up: self.timeout.map(|limit| Instant::now() + limit),
            stdout: Vec::new(),
            copy: self.copy_stdout.map(Ok),
            tail: VecDeque::new(),
            gives: self.gives.map(|gives| (gives, line)),
            failed: None,
        };
        let (mut ended, failed) = watch.follow(&events, group);
        drop(minded);
        let status = child.wait();
        end_orphans(None);
        interrupt::check()?;
        failed.map_or(Ok(()), Err)?;
        ended.status = status.map_err(|error| could_not(&error))?;
        match Report::take(Path::new(&plan.report)) {
            Some(Report { failure: Some(why), .. }) => return Err(could_not(&why)),
            Some(report) => {
                ended.status = report.status.map_or(ended.status, ExitStatus::from_raw);
                ended.report = report;
            }
            // Ended by force, it leaves none.
            None if ended.timed_out || ended.status.signal().is_some() => {}
            None => return Err(could_not(&ended.tail)),
        }
        Ok(ended)
    }

    fn plan(&self, report: &OwnedFd) -> Plan {
        Plan {
            program: self.program.to_owned(),
            args: self.args.clone(),
            directory: self.directory.clone().into(),
            environment: self.environment.clone().into_iter().collect(),
            namespaces: self.enclosure.namespaces.clone(),
            landlock: self.enclosure.landlock.clone(),
            audit: true,
            drives: self.enclosure.drives,
            conditions: self.enclosure.conditions.clone(),
            gives: self.gives.iter().flat_map(|gives| &gives.trees).map(Into::into).collect(),
            report: format!("/proc/{}/fd/{}", getpid(), report.as_raw_fd()).into(),
            ..Plan::empty()
        }
    }
}

/// Where the supervisor leaves its report: in memory, since a program may have filled the disk.
fn room_for_report() -> std::io::Result<OwnedFd> {
    Ok(memfd_create("report", MemfdFlags::CLOEXEC)?)
}

fn forward<R: Read + Send + 'static>(pipe: Option<R>, sender: SyncSender<Event>, event: fn(Vec<u8>) -> Event) {
    std::thread::spawn(move || {
        let mut buffer = vec![0; 64 * 1024];
        let mut pipe = pipe.expect("both pipes were asked for");
        while let Ok(read) = pipe.read(&mut buffer) {
            if read == 0 || sender.send(event(buffer[..read].to_vec())).is_err() {
                break;
            }
        }
        let _ = sender.send(Event::Closed);
    });
}

/// Passes on what a supervisor asks for.
fn hear_questions(line: UnixStream, sender: SyncSender<Event>) {
    std::thread::spawn(move || {
        let mut line = BufReader::new(line);
        while let Ok(Some(asked)) = Asked::read(&mut line) {
            if sender.send(Event::Asked(asked)).is_err() {
                break;
            }
        }
    });
}

struct Watch<'a> {
    said: ChildOutput,
    guarded: interrupt::Guarded,
    keep_stdout: bool,
    time_is_up: Option<Instant>,
    stdout: Vec<u8>,
    /// Where stdout goes beside, or why that came to an end.
    copy: Option<std::io::Result<File>>,
    tail: VecDeque<u8>,
    /// What gives, and the line by which that is answered.
    gives: Option<(Gives<'a>, UnixStream)>,
    /// Why something could not be given.
    failed: Option<Error>,
}

impl Watch<'_> {
    /// Follows it until it has ended and told everything; its status is whoever waits for it to say.
    fn follow(mut self, events: &Receiver<Event>, leader: Pid) -> (Ended, Option<Error>) {
        let mut exited = None;
        let mut timed_out = false;
        let mut open = 2;
        let mut deadline = self.time_is_up;
        while exited.is_none() || open > 0 {
            match next(events, deadline, exited) {
                Ok(Event::Stdout(bytes)) if self.keep_stdout => self.stdout.extend(bytes),
                Ok(Event::Stdout(bytes)) => {
                    self.copy(&bytes);
                    self.hear(Stream::Out, &bytes);
                }
                Ok(Event::Stderr(bytes)) => self.hear(Stream::Err, &bytes),
                Ok(Event::Asked(asked)) => {
                    let took = self.give(&asked);
                    // The time that it takes is not the program's.
                    if exited.is_none() && !timed_out {
                        self.time_is_up = self.time_is_up.map(|limit| limit + took);
                        deadline = self.time_is_up;
                    }
                }
                Ok(Event::Closed) => open -= 1,
                Ok(Event::Exited(at)) => {
                    exited = Some(at);
                    // It may have ended in time, while what it had printed was still on its way.
                    timed_out &= self.time_is_up.is_some_and(|limit| at > limit);
                    self.guarded.kill(); // what it left behind in its group
                    end_orphans(Some(leader)); // and what fled from that
                    deadline = Some(Instant::now() + DRAIN);
                }
                Err(RecvTimeoutError::Timeout) if exited.is_none() && !timed_out => {
                    timed_out = true;
                    self.guarded.ask_to_end();
                    deadline = Some(Instant::now() + DRAIN);
                }
                Err(RecvTimeoutError::Timeout) if exited.is_none() => {
                    self.guarded.end();
                    deadline = None;
                }
                Err(_) => break,
            }
        }
        let ended = Ended {
            status: ExitStatus::default(),
            timed_out,
            stdout: self.stdout,
            copied: self.copy.map_or(Ok(()), |copy| copy.map(drop)),
            tail: last_lines(self.tail),
            report: Report::default(),
        };
        (ended, self.failed)
    }

    /// Gives what is asked for, and says for how long the program waited. Where that fails, what it does without it is
    /// nothing to go by.
    fn give(&mut self, asked: &Asked) -> Duration {
        let began = Instant::now();
        let Some((gives, line)) = &mut self.gives else {
            return Duration::ZERO;
        };
        let given = (gives.give)(asked).unwrap_or_else(|error| {
            self.failed.get_or_insert(error);
            self.guarded.ask_to_end();
            false
        });
        // One that has ended needs no answer.
        let _ = giving::answer(line, given);
        began.elapsed()
    }

    /// The program goes on where the copy cannot be written; whoever reads it is told.
    fn copy(&mut self, bytes: &[u8]) {
        if let Some(Ok(file)) = &mut self.copy
            && let Err(error) = file.write_all(bytes)
        {
            self.copy = Some(Err(error));
        }
    }

    fn hear(&mut self, stream: Stream, bytes: &[u8]) {
        self.said.hear(stream, bytes);
        self.tail.extend(bytes);
        let too_much = self.tail.len().saturating_sub(TAIL);
        self.tail.drain(..too_much);
    }
}

/// What happens next. While the program runs, time counts before what is waiting: one that prints without end would
/// outrun it. What it printed before its end is told all the same, on a slow terminal too.
fn next(
    events: &Receiver<Event>,
    deadline: Option<Instant>,
    exited: Option<Instant>,
) -> std::result::Result<Event, RecvTimeoutError> {
    if exited.is_some_and(|at| at.elapsed() < LATEST)
        && let Ok(event) = events.try_recv()
    {
        return Ok(event);
    }
    let Some(deadline) = deadline else {
        return events.recv().map_err(|_| RecvTimeoutError::Disconnected);
    };
    match deadline.saturating_duration_since(Instant::now()) {
        Duration::ZERO => Err(RecvTimeoutError::Timeout),
        left => events.recv_timeout(left),
    }
}

/// The last lines, without control characters that could play with a terminal.
fn last_lines(tail: VecDeque<u8>) -> String {
    const LINES: usize = 40;
    let text = String::from_utf8_lossy(&Vec::from(tail)).into_owned();
    let clean = anstream::adapter::strip_str(&text).to_string();
    let lines: Vec<&str> = clean.lines().map(last_form).collect();
    let last = &lines[lines.len().saturating_sub(LINES)..];
    let shorten = |line: &&str| line.chars().filter(|c| !c.is_control()).take(400).collect::<String>();
    last.iter().map(shorten).collect::<Vec<_>>().join("\n")
}

/// A line that was written anew, such as a bar, as it was seen last.
fn last_form(line: &str) -> &str {
    line.rsplit('\r').find(|form| !form.trim().is_empty()).unwrap_or_default()
}

/// Ends descendants that left the group: as subreaper this process inherits them. One may be spared.
fn end_orphans(spared: Option<Pid>) {
    let own = watchdog::process();
    for _ in 0..1000 {
        let mut orphans = descendants::children(getpid());
        orphans.retain(|pid| Some(*pid) != own && Some(*pid) != spared);
        if orphans.is_empty() {
            return;
        }
        for pid in orphans {
            let _ = kill_process(pid, Signal::KILL);
            let _ = waitpid(Some(pid), WaitOptions::empty());
        }
    }
}
