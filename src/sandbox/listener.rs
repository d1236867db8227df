//! Receives the system calls that the filter asks about, and answers: let the kernel go on, or an answer
//! of ours. One thread, one call at a time; the program's thread waits meanwhile, so what its arguments
//! point to is as it left it. (Another of its threads could change them: an audit is for programs that
//! forget to declare, and the namespaces are for those that lie.)

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use libc::{c_long, seccomp_data, seccomp_notif, seccomp_notif_resp};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::audit::{self, Act, Audit};
use super::calls::{self, Call, Name, Wish};
use super::delays::{self, Delays, Wait};
use super::directories::Directories;
use super::entropy::{self, Entropy};
use super::giving::Giving;
use super::known::Known;
use super::network::Network;
use super::paths::{Paths, Place};
use super::process_memory::Thread;
use super::thread_ids::{Line, ThreadIds};
use super::{Conditions, Plan, Source, fake_files, file_times, network, sys, time};
use crate::trace::{Mapping, StackSample};

/// What was seen, shared with the supervisor, which reports it at the end.
#[derive(Debug, Default)]
pub struct Log {
    /// Looks at paths.
    pub audit: Audit,
    /// Addresses, and who tried them.
    pub network: BTreeMap<String, String>,
    /// Where sources were drawn on.
    pub samples: Vec<StackSample>,
    /// How often entropy was drawn on.
    pub draws: u64,
}

/// An answer to one call.
enum Answer {
    /// The kernel does it.
    Go,
    /// This result, or this error if negative.
    Result(i64),
    /// A descriptor of ours.
    File(OwnedFd),
    /// The kernel does it, after a while.
    After(Wait),
}

/// The listener's side of a filter.
pub struct Listener {
    descriptor: Arc<OwnedFd>,
    conditions: Conditions,
    audits: bool,
    entropy: Option<Entropy>,
    directories: Directories,
    has_namespaces: bool,
    network: Network,
    paths: Paths,
    /// Asks for what is not in its place yet.
    pub giving: Giving,
    known: Known,
    lineage: Arc<ThreadIds>,
    log: Arc<Mutex<Log>>,
    delays: Delays,
    /// Who draws, where it does not count which thread does, by how much is drawn.
    anybody: BTreeMap<u64, Line>,
}

impl Listener {
    /// Listens on the descriptor of an installed filter.
    #[must_use]
    pub fn new(descriptor: OwnedFd, plan: &Plan, lineage: Arc<ThreadIds>, log: Arc<Mutex<Log>>) -> Self {
        let conditions = &plan.conditions;
        sys::wake_in_turn(descriptor.as_fd());
        Self {
            descriptor: Arc::new(descriptor),
            conditions: conditions.clone(),
            audits: plan.audit,
            entropy: conditions.entropy.as_deref().map(|key| Entropy::new(key, conditions.numbering)),
            directories: Directories::default(),
            has_namespaces: plan.namespaces.is_some(),
            network: Network::within(plan.namespaces.as_ref()),
            paths: Paths::new(plan.namespaces.is_some()),
            giving: Giving::default(),
            known: Known::within(plan),
            delays: Delays::of(conditions, &lineage),
            lineage,
            log,
            anybody: BTreeMap::new(),
        }
    }

    /// Answers until nobody is left to ask.
    pub fn listen(mut self) {
        loop {
            match sys::receive(self.descriptor.as_fd()) {
                Ok(call) => {
                    // A caller that was killed meanwhile has no use for an answer.
                    let _ = self.answer(&call);
                }
                // The caller was killed between asking and being heard, or a signal came to us.
                Err(error) if matches!(error.raw_os_error(), Some(libc::ENOENT | libc::EINTR)) => {
                    if self.is_deserted() {
                        return;
                    }
                }
                Err(_) => return,
            }
        }
    }

    /// Whether nobody is left who could ask, of which the kernel says no more than that nothing was asked.
    fn is_deserted(&self) -> bool {
        let mut state = [PollFd::new(&*self.descriptor, PollFlags::IN)];
        poll(&mut state, Some(&Timespec::default())).is_ok() && state[0].revents().contains(PollFlags::HUP)
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&mut self, call: &seccomp_notif) -> io::Result<()> {
        let thread = Thread(call.pid.cast_signed());
        let answer = self.decide(thread, &call.data);
        let mut response = seccomp_notif_resp {
            id: call.id,
            val: 0,
            error: 0,
            flags: libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE as u32,
        };
        match answer {
            Answer::Go => {}
            Answer::Result(value) => {
                response.flags = 0;
                if value < 0 {
                    response.error = i32::try_from(value).unwrap_or(-libc::EIO);
                } else {
                    response.val = value;
                }
            }
            Answer::File(file) => return sys::respond_with(self.descriptor.as_fd(), call.id, file.as_fd(), true),
            Answer::After(wait) => {
                self.respond_after(wait, response);
                return Ok(());
            }
        }
        sys::respond(self.descriptor.as_fd(), &response)
    }

    /// Holds one thread up without holding up the others.
    fn respond_after(&self, wait: Wait, response: seccomp_notif_resp) {
        let listener = Arc::clone(&self.descriptor);
        std::thread::spawn(move || {
            wait.pass();
            let _ = sys::respond(listener.as_fd(), &response);
        });
    }

    fn decide(&mut self, thread: Thread, call: &seccomp_data) -> Answer {
        let args = call.args;
        match c_long::from(call.nr) {
            libc::SYS_getrandom => self.random(thread, args),
            libc::SYS_clock_gettime => self.clock(thread, args[0], args[1], 1),
            libc::SYS_gettimeofday => self.clock(thread, 0, args[0], 1000),
            libc::SYS_getdents64 => self.entries(thread, args),
            libc::SYS_sched_getaffinity => self.processors(thread, args),
            libc::SYS_sysinfo => self.sysinfo(thread, args[0]),
            number @ (libc::SYS_set_robust_list | libc::SYS_rseq | libc::SYS_futex | libc::SYS_sched_yield) => {
                Answer::After(self.delays.next(thread.0, delays::sleeps_on(number, args)))
            }
            libc::SYS_connect => self.reach(thread, network::address(self.network, thread, args[1], args[2])),
            libc::SYS_sendto => self.reach(thread, network::address(self.network, thread, args[4], args[5])),
            libc::SYS_sendmsg => self.reach(thread, network::of_messages(self.network, thread, args[1], 1)),
            libc::SYS_sendmmsg => self.reach(thread, network::of_messages(self.network, thread, args[1], args[2])),
            number => self.legacy_or_path(thread, number, args),
        }
    }

    fn legacy_or_path(&mut self, thread: Thread, number: c_long, args: [u64; 6]) -> Answer {
        #[cfg(target_arch = "x86_64")]
        match number {
            libc::SYS_time => return self.time(thread, args[0]),
            libc::SYS_getdents => {
                self.list(thread, args[0] as i32);
                return Answer::Go;
            }
            _ => {}
        }
        match number {
            libc::SYS_fstat => self.look_at_open(thread, args[0] as i32),
            libc::SYS_statx | libc::SYS_newfstatat if thread.text(args[1]).is_ok_and(|text| text.is_empty()) => {
                self.look_at_open(thread, args[0] as i32)
            }
            calls::FCHMODAT2 | libc::SYS_fchownat if thread.text(args[1]).is_ok_and(|text| text.is_empty()) => {
                Answer::Go
            }
            libc::SYS_getpid | libc::SYS_gettid => self.identity(thread, "the process's number"),
            libc::SYS_uname => self.identity(thread, "the host's name"),
            libc::SYS_getuid => self.identity(thread, "the user's number"),
            libc::SYS_getcwd => self.identity(thread, "the working directory"),
            _ => match Call::of(thread, number, args) {
                Some(call) => self.path(thread, &call),
                None => self.rename(thread, &calls::renamings(number, args)),
            },
        }
    }

    fn identity(&mut self, thread: Thread, what: &str) -> Answer {
        self.sight(thread, Source::Identity, what);
        Answer::Go
    }

    fn look_at_open(&mut self, thread: Thread, descriptor: i32) -> Answer {
        if let Some(date) = self.conditions.written {
            let _ = file_times::hold(thread, None, descriptor, date);
        }
        Answer::Go
    }

    fn path(&mut self, thread: Thread, call: &Call) -> Answer {
        let Some(full) = self.paths.full(thread, call) else {
            return Answer::Go; // the kernel says what is wrong with it
        };
        if let Some(date) = self.conditions.written.filter(|_| call.wish == Wish::Stat) {
            // What is not there, or not the program's own, keeps its times.
            let _ = file_times::hold(thread, Some(&full), 0, date);
        }
        if self.known.has(call, &full) {
            return Answer::Go;
        }
        let place = self.giving.lead(&mut self.paths, thread, call, full);
        if call.reads()
            && let Some(file) = self.in_place_of(thread, &place)
        {
            return Answer::File(file);
        }
        if self.audits {
            let log = Arc::clone(&self.log);
            let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
            self.paths.look(&mut log.audit, thread, call, &place);
        }
        self.known.note(call, &place);
        Answer::Go
    }

    fn rename(&mut self, thread: Thread, renamings: &[(Name, Name)]) -> Answer {
        let log = Arc::clone(&self.log);
        let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
        for (from, to) in renamings {
            for name in [from, to] {
                self.giving.lead_to(&mut self.paths, thread, *name);
            }
            self.paths.rename(&mut log.audit, thread, *from, *to);
        }
        Answer::Go
    }

    /// What is opened in place of an entropy device, or of a file of the kernel's that changes.
    fn in_place_of(&mut self, thread: Thread, place: &Place) -> Option<OwnedFd> {
        [audit::normal(&place.full), place.walked.real.clone()]
            .into_iter()
            .find_map(|path| self.in_place_of_one(thread, &path))
    }

    fn in_place_of_one(&mut self, thread: Thread, path: &Path) -> Option<OwnedFd> {
        let name = path.to_str()?;
        if matches!(name, "/dev/urandom" | "/dev/random") {
            self.sight(thread, Source::Entropy, name);
            let entropy = self.entropy.clone()?;
            self.log().draws += 1;
            return self.drawer(thread, 0, |line| entropy.device(line)).ok();
        }
        if name == "/proc/sys/kernel/random/uuid" {
            let entropy = self.entropy.clone()?;
            self.log().draws += 1;
            return fake_files::in_memory(self.lineage.with(thread.0, |line| entropy.uuid(line)).as_bytes()).ok();
        }
        if let Some(text) = fake_files::of_namespaces(name).filter(|_| self.has_namespaces) {
            return fake_files::in_memory(text.as_bytes()).ok();
        }
        let shared = audit::changing(name)?;
        let directory = self.conditions.canned.clone()?;
        if self.audits {
            self.log().audit.look(thread, path, Act::Read, None);
        }
        fake_files::copy(thread, &directory, name, &shared).ok()
    }

    fn random(&mut self, thread: Thread, [buffer, length, flags, ..]: [u64; 6]) -> Answer {
        let is_for_keys = entropy::are_hash_keys(length, flags);
        let what = if is_for_keys {
            "HashMap keys".to_owned()
        } else {
            format!("getrandom({length})")
        };
        self.sight(thread, Source::Entropy, &what);
        let Some(entropy) = self.entropy.clone() else {
            return Answer::Go;
        };
        let bytes = self.drawer(thread, length, |line| entropy.answer(line, length, flags));
        if length > 8 {
            self.log().draws += 1;
        }
        match thread.write(buffer, &bytes) {
            Ok(()) => Answer::Result(i64::try_from(bytes.len()).unwrap_or(i64::MAX)),
            Err(_) => Answer::Result(-i64::from(libc::EFAULT)),
        }
    }

    /// The line of the thread that draws, or that of all threads together.
    fn drawer<T>(&mut self, thread: Thread, length: u64, draw: impl FnOnce(&mut Line) -> T) -> T {
        if self.conditions.drawn_alike {
            draw(self.anybody.entry(length).or_insert_with(|| Line::of_anybody(length)))
        } else {
            self.lineage.with(thread.0, draw)
        }
    }

    fn clock(&mut self, thread: Thread, number: u64, at: u64, divisor: i64) -> Answer {
        let what = if time::WALL_CLOCKS.contains(&u32::try_from(number).unwrap_or(u32::MAX)) {
            "SystemTime::now"
        } else {
            "Instant::now"
        };
        self.sight(thread, Source::Clock, what);
        let moment = self.lineage.with(thread.0, |line| time::clock(&self.conditions, line, number));
        let Some((seconds, nanoseconds)) = moment else {
            return Answer::Go;
        };
        match thread.write(at, &time::words((seconds, nanoseconds / divisor))) {
            Ok(()) => Answer::Result(0),
            Err(_) => Answer::Go,
        }
    }

    #[cfg(target_arch = "x86_64")]
    fn time(&mut self, thread: Thread, at: u64) -> Answer {
        self.sight(thread, Source::Clock, "time");
        let moment = self.lineage.with(thread.0, |line| time::clock(&self.conditions, line, 0));
        let Some((seconds, _)) = moment else {
            return Answer::Go;
        };
        if at != 0 && thread.write(at, &seconds.to_ne_bytes()).is_err() {
            return Answer::Go;
        }
        Answer::Result(seconds)
    }

    fn entries(&mut self, thread: Thread, [descriptor, buffer, room, ..]: [u64; 6]) -> Answer {
        self.sight(thread, Source::Directories, "read_dir");
        self.list(thread, descriptor as i32);
        let Some(order) = self.conditions.directories else {
            return Answer::Go;
        };
        let room = usize::try_from(room).unwrap_or(usize::MAX);
        match self.directories.next(thread, descriptor as i32, room, order) {
            Ok(bytes) if bytes.is_empty() => Answer::Result(0),
            Ok(bytes) if thread.write(buffer, &bytes).is_ok() => Answer::Result(bytes.len() as i64),
            _ => Answer::Go,
        }
    }

    /// Writes down that it reads the names in a directory: which there are, and which are not, it learns by that.
    fn list(&mut self, thread: Thread, descriptor: i32) {
        if self.audits
            && let Ok(directory) = thread.directory(descriptor)
        {
            self.giving.names(&directory);
            self.log().audit.list(thread, &directory);
        }
    }

    /// The mask of as many processors as it is told that there are.
    fn processors(&mut self, thread: Thread, [_, length, mask, ..]: [u64; 6]) -> Answer {
        const SIZE: usize = 128;
        let told = self.conditions.told_processors.unwrap_or(1);
        if length < SIZE as u64 {
            return Answer::Go;
        }
        let mut bytes = [0u8; SIZE];
        (0..told).for_each(|number| bytes[number / 8] |= 1 << (number % 8));
        match thread.write(mask, &bytes) {
            Ok(()) => Answer::Result(SIZE as i64),
            Err(_) => Answer::Go,
        }
    }

    /// Memory and load are other ones at every look.
    fn sysinfo(&mut self, thread: Thread, at: u64) -> Answer {
        if self.audits {
            self.log().audit.look(thread, Path::new("/proc/meminfo"), Act::Read, None);
        }
        match thread.write(at, &fake_files::sysinfo()) {
            Ok(()) => Answer::Result(0),
            Err(_) => Answer::Go,
        }
    }

    fn reach(&mut self, thread: Thread, addresses: impl IntoIterator<Item = String>) -> Answer {
        let by = thread
            .executable()
            .and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()));
        for address in addresses {
            self.log().network.entry(address).or_insert_with(|| by.clone().unwrap_or_default());
        }
        Answer::Go
    }

    /// Keeps what tells, later, where in the program this is.
    fn sight(&mut self, thread: Thread, source: Source, what: &str) {
        const MOST: usize = 256;
        const STACK: usize = 48 * 1024;
        if !self.conditions.sight.contains(&source) || self.log().samples.len() >= MOST {
            return;
        }
        let Some((pc, sp)) = thread.pointers() else {
            return;
        };
        let mut stack = vec![0; STACK];
        // The top of the stack is near: less than asked for may be there.
        let read = (0..4)
            .find_map(|shift| thread.read(sp, &mut stack[..STACK >> (2 * shift)]).ok())
            .unwrap_or(0);
        stack.truncate(read);
        let maps = std::fs::read_to_string(thread.proc("maps")).unwrap_or_default();
        let sample = StackSample {
            what: what.to_owned(),
            pc,
            sp,
            bp: None,
            stack,
            maps: Mapping::parse_all(&maps),
            by: self.lineage.with(thread.0, |line| line.name).short(),
        };
        self.log().samples.push(sample);
    }
}
