//! Follows every thread of the program (ptrace(2)) for what a listener cannot do: knows whose child a
//! thread is; hides the page by which the kernel tells the time without being asked (vdso(7)), so that the
//! listener is asked; and answers for the processor's counter. A thread stops only when it is made, becomes
//! another program, or gets a signal.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use super::entropy::Entropy;
use super::process_memory::Thread;
use super::thread_ids::ThreadIds;
use super::{Conditions, sys};

/// What was seen of processes and threads.
#[derive(Clone, Copy, Debug, Default)]
pub struct Followed {
    /// The status with which the first process ended.
    pub status: i32,
    /// How many threads were begun beside the first of each process.
    pub threads: u64,
    /// How many processes there were at a time, at most.
    pub processes: u64,
}

/// Follows until the process `init` has ended.
///
/// # Errors
/// When there is nothing to wait for.
pub fn follow(init: i32, conditions: &Conditions, lineage: &Arc<ThreadIds>) -> io::Result<Followed> {
    let mut tracer = Tracer {
        conditions,
        lineage,
        entropy: conditions.entropy.as_deref().map(|key| Entropy::new(key, conditions.numbering)),
        early: BTreeSet::new(),
        children: BTreeSet::new(),
        followed: Followed::default(),
    };
    loop {
        match sys::wait_any() {
            Ok((process, status)) if libc::WIFSTOPPED(status) => {
                // One that was killed in between cannot be told to go on, and need not.
                let _ = tracer.stopped(process, status);
            }
            Ok((process, status)) => {
                lineage.ended(process);
                tracer.children.remove(&process);
                if process == init {
                    return Ok(Followed {
                        status,
                        ..tracer.followed
                    });
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

struct Tracer<'a> {
    conditions: &'a Conditions,
    lineage: &'a ThreadIds,
    entropy: Option<Entropy>,
    /// Threads that stopped at their beginning before their parent said that it made them.
    early: BTreeSet<i32>,
    /// Processes that the program began and that have not ended.
    children: BTreeSet<i32>,
    followed: Followed,
}

impl Tracer<'_> {
    fn stopped(&mut self, thread: i32, status: i32) -> io::Result<()> {
        let signal = libc::WSTOPSIG(status);
        match status >> 16 {
            libc::PTRACE_EVENT_CLONE | libc::PTRACE_EVENT_FORK | libc::PTRACE_EVENT_VFORK => {
                let child = sys::event_message(thread)?;
                self.count(child, status >> 16 == libc::PTRACE_EVENT_CLONE);
                self.lineage.born(thread, child);
                if self.early.remove(&child) {
                    let _ = sys::resume(child, 0);
                }
                sys::resume(thread, 0)
            }
            libc::PTRACE_EVENT_EXEC => {
                let former = sys::event_message(thread).unwrap_or(thread);
                self.lineage.became_another(former, thread);
                // A program that could not be prepared sees the kernel's own clock.
                let _ = self.prepare(thread);
                sys::resume(thread, 0)
            }
            libc::PTRACE_EVENT_STOP if signal == libc::SIGTRAP => {
                if self.lineage.knows(thread) {
                    sys::resume(thread, 0)
                } else {
                    self.early.insert(thread);
                    Ok(())
                }
            }
            libc::PTRACE_EVENT_STOP => sys::leave_stopped(thread),
            _ if signal == libc::SIGSEGV && self.answers_counter(thread) => sys::resume(thread, 0),
            _ => sys::resume(thread, signal),
        }
    }

    fn count(&mut self, child: i32, is_thread: bool) {
        if is_thread {
            self.followed.threads += 1;
        } else {
            self.children.insert(child);
            self.followed.processes = self.followed.processes.max(1 + self.children.len() as u64);
        }
    }

    /// Changes what the kernel put on the stack of a new program, before its first instruction.
    #[cfg(target_arch = "x86_64")]
    fn prepare(&self, thread: i32) -> io::Result<()> {
        // getauxval(3)
        const IGNORE: u64 = 1;
        const RANDOM: u64 = 25;
        const KERNEL_PAGE: u64 = 33;
        let memory = Thread(thread);
        let mut at = sys::registers(thread)?.rsp;
        at += 8 * (memory.word(at)? + 2); // the arguments' number, they, and a zero
        while memory.word(at)? != 0 {
            at += 8; // the environment
        }
        at += 8;
        loop {
            match memory.word(at)? {
                0 => return Ok(()),
                KERNEL_PAGE => memory.write(at, &IGNORE.to_ne_bytes())?,
                RANDOM => {
                    if let Some(entropy) = &self.entropy {
                        memory.write(memory.word(at + 8)?, &entropy.at_start())?;
                    }
                }
                _ => {}
            }
            at += 16;
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn prepare(&self, _: i32) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Answers `rdtsc` and `rdtscp`, which were made to fail.
    #[cfg(target_arch = "x86_64")]
    fn answers_counter(&self, thread: i32) -> bool {
        const READ: [u8; 2] = [0x0f, 0x31];
        const READ_WITH_PROCESSOR: [u8; 3] = [0x0f, 0x01, 0xf9];
        let (Some(tick), Ok(mut registers)) = (self.conditions.tick, sys::registers(thread)) else {
            return false;
        };
        let mut instruction = [0; 3];
        if !Thread(thread).read(registers.rip, &mut instruction).is_ok_and(|read| read == 3) {
            return false;
        }
        let length = if instruction.starts_with(&READ) {
            2
        } else if instruction == READ_WITH_PROCESSOR {
            registers.rcx = 0;
            3
        } else {
            return false;
        };
        let counter = self.lineage.with(thread, |line| super::time::counter(line, tick));
        registers.rax = counter & 0xffff_ffff;
        registers.rdx = counter >> 32;
        registers.rip += length;
        sys::set_registers(thread, registers).is_ok()
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn answers_counter(&self, _: i32) -> bool {
        false
    }
}
