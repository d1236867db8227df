//! What happens within the sandbox: the first process there, which starts the program and ends with it, and
//! the program's own last preparations. Both are forked copies of the supervisor, with one thread.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::Mode;
use rustix::process::{
    DumpableBehavior, Resource, Rlimit, Signal, chdir, nice, set_dumpable_behavior, set_parent_process_death_signal,
    setrlimit, umask,
};
use rustix::thread::{
    CapabilitySet, CpuSet, capability_is_in_bounding_set, remove_capability_from_bounding_set, sched_setaffinity,
    set_no_new_privs,
};

use super::sys::Fork;
use super::{Conditions, Namespaces, Plan, landlock, namespaces, seccomp, sys};

/// How many processes a program may have at a time: enough for every pool, and an end to a bomb.
const MOST_PROCESSES: u64 = 4096;

/// Who the supervisor is, outside.
#[derive(Clone, Copy, Debug)]
pub struct Owner {
    /// Its user.
    pub user: u32,
    /// Its group.
    pub group: u32,
}

/// Is the first process within: makes the namespaces, starts the program, waits for it, and ends; then the
/// kernel ends all that it left behind.
pub fn init(plan: &Plan, namespaces: &Namespaces, mut supervisor: UnixStream, owner: Owner) -> ! {
    end_with_warden(&supervisor);
    let program = prepare_within(plan, namespaces, owner).and_then(|()| sys::fork(0));
    match program {
        Ok(Fork::Child) => program_itself(plan, supervisor),
        Ok(Fork::Parent(program)) => {
            let status = reap_until(program.as_raw_nonzero().get());
            let _ = writeln!(supervisor, "status {status}");
            sys::exit(0)
        }
        Err(error) => {
            let _ = writeln!(supervisor, "failed could not make the namespaces: {error}");
            sys::exit(1)
        }
    }
}

/// Has the kernel end this process when the supervisor ends. One that had ended before it was asked shows by the line,
/// which the kernel closes first; its number does not, since from within it cannot be seen.
pub fn end_with_warden(supervisor: &UnixStream) {
    let asked = set_parent_process_death_signal(Some(Signal::KILL));
    let mut line = [PollFd::new(supervisor, PollFlags::RDHUP)];
    let is_cut = poll(&mut line, Some(&Timespec::default()))
        .map(|_| line[0].revents().intersects(PollFlags::RDHUP | PollFlags::HUP | PollFlags::ERR));
    if asked.is_err() || is_cut != Ok(false) {
        sys::exit(1);
    }
}

fn prepare_within(plan: &Plan, namespaces: &Namespaces, owner: Owner) -> io::Result<()> {
    let conditions = &plan.conditions;
    // The kernel wants the first before it allows the third (user_namespaces(7)).
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/uid_map", format!("{} {} 1", conditions.user, owner.user))?;
    fs::write("/proc/self/gid_map", format!("{} {} 1", conditions.user, owner.group))?;
    rustix::system::sethostname(conditions.hostname.as_bytes())?;
    if !namespaces.network {
        // Where it stays down a program cannot talk to itself; nothing else hangs on it.
        let _ = sys::raise_loopback();
    }
    namespaces::enter(namespaces, Path::new(&plan.directory))?;
    // The limit below holds for no superuser. Without this one a bomb is his to answer for.
    let _ = limit_numbers(conditions.skipped_pids);
    skip_numbers(conditions.skipped_pids)?;
    // In a namespace of its own a program could change its root, and with that the meaning of every path.
    let _ = fs::write("/proc/sys/user/max_user_namespaces", "0");
    namespaces::seal()?;
    // What this process tells the supervisor is not the program's to say, nor is this binary's path its to see.
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    let limit = Rlimit {
        current: Some(MOST_PROCESSES),
        maximum: Some(MOST_PROCESSES),
    };
    setrlimit(Resource::Nproc, limit).map_err(io::Error::from)
}

/// Limits how many processes there can be within, whoever they belong to: since Linux 6.14 the greatest number
/// is each namespace's own. Before, it was the machine's, which is not ours to change.
fn limit_numbers(skipped: u32) -> io::Result<()> {
    let release = rustix::system::uname().release().to_string_lossy().into_owned();
    let mut numbers = release
        .split(|sign: char| !sign.is_ascii_digit())
        .map(|text| text.parse::<u32>().unwrap_or(0));
    if (numbers.next(), numbers.next()) < (Some(6), Some(14)) {
        return Err(io::ErrorKind::Unsupported.into());
    }
    fs::write("/proc/sys/kernel/pid_max", (MOST_PROCESSES + u64::from(skipped)).to_string())
}

fn skip_numbers(count: u32) -> io::Result<()> {
    if count == 0 {
        Ok(())
    } else {
        fs::write("/proc/sys/kernel/ns_last_pid", count.to_string())
    }
}

/// Waits for whatever ends, as the first process must, until the program has.
fn reap_until(program: i32) -> i32 {
    loop {
        match sys::wait_any() {
            Ok((process, status)) if process == program => return status,
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return 0,
            _ => {}
        }
    }
}

/// Becomes the program.
pub fn program_itself(plan: &Plan, mut supervisor: UnixStream) -> ! {
    if plan.program == super::supervisor::PROBE {
        sys::exit(0);
    }
    let failure = match become_program(plan, &mut supervisor) {
        Ok(never) => match never {},
        Err(failure) => failure,
    };
    let _ = writeln!(supervisor, "failed {failure}");
    sys::exit(127)
}

fn become_program(plan: &Plan, supervisor: &mut UnixStream) -> Result<std::convert::Infallible, String> {
    let could_not = |what: &str| {
        let what = what.to_owned();
        move |error: io::Error| format!("could not {what}: {error}")
    };
    chdir(Path::new(&plan.directory))
        .map_err(io::Error::from)
        .map_err(could_not("enter the package's directory"))?;
    apply(&plan.conditions).map_err(could_not("prepare the process"))?;
    if plan.namespaces.is_some() {
        give_up_capabilities().map_err(could_not("give up capabilities"))?;
    }
    // Where there are no keyrings there is nothing to leave in them.
    let _ = sys::join_new_session_keyring();
    set_no_new_privs(true).map_err(io::Error::from).map_err(could_not("give up privileges"))?;
    if let Some(landlock) = &plan.landlock {
        let holds = landlock::raise(landlock).unwrap_or(false);
        writeln!(supervisor, "landlock {holds}").map_err(could_not("speak to the supervisor"))?;
    }
    sys::keep_standard_descriptors_only();
    let listener = install_filter(plan);
    let number = listener.as_ref().map_or(-1, |listener| listener.as_raw_fd());
    writeln!(supervisor, "listener {number}").map_err(could_not("speak to the supervisor"))?;
    // The supervisor takes its copy of the listener, and follows this process if it is to.
    supervisor.read_exact(&mut [0]).map_err(could_not("hear from the supervisor"))?;
    drop(listener);
    let error = Command::new(&plan.program).args(&plan.args).env_clear().envs(environment(plan)).exec();
    Err(format!("could not start {}: {error}", Path::new(&plan.program).display()))
}

/// Whoever it is within, the program can do nothing there that others cannot.
fn give_up_capabilities() -> io::Result<()> {
    set_dumpable_behavior(DumpableBehavior::Dumpable)?;
    for capability in (0..u64::BITS).map(|number| CapabilitySet::from_bits_retain(1 << number)) {
        if capability_is_in_bounding_set(capability) == Ok(true) {
            remove_capability_from_bounding_set(capability)?;
        }
    }
    Ok(())
}

/// The listener of a filter that asks; where the kernel has none, what no program gets is refused all the same.
fn install_filter(plan: &Plan) -> Option<OwnedFd> {
    let asking = plan.audit || plan.conditions != Conditions::default();
    let listener = asking
        .then(|| sys::install_filter(&seccomp::program(plan.audit, &plan.conditions)).ok())
        .flatten();
    if listener.is_none() {
        let _ = sys::install_plain_filter(&seccomp::refusals());
    }
    listener
}

fn apply(conditions: &Conditions) -> io::Result<()> {
    umask(Mode::from_raw_mode(conditions.umask));
    if let Some(processors) = &conditions.processors {
        let mut set = CpuSet::new();
        processors.iter().for_each(|number| set.set(*number));
        sched_setaffinity(None, &set)?;
    }
    if conditions.niceness != 0 {
        nice(conditions.niceness)?;
    }
    if conditions.fixed_addresses {
        use nix::sys::personality::{self, Persona};
        personality::set(personality::get()? | Persona::ADDR_NO_RANDOMIZE)?;
    }
    if conditions.tick.is_some() {
        // Where there is no such switch there is no such counter either.
        let _ = sys::trap_time_stamp_counter();
    }
    Ok(())
}

/// The variable that fills up.
const PADDING: &str = "REPRO_PADDING";

/// All variables; filled up where a plan wants the stack to begin at the same place whatever they are.
fn environment(plan: &Plan) -> BTreeMap<OsString, OsString> {
    let mut variables: BTreeMap<OsString, OsString> = plan.environment.iter().cloned().collect();
    let wanted = plan.conditions.variables.unwrap_or(0);
    for number in variables.len() + 1..wanted {
        variables.insert(format!("{PADDING}_{number}").into(), OsString::new());
    }
    if let Some(total) = plan.conditions.padding {
        let texts = variables.iter().map(|(name, value)| name.len() + value.len() + 2);
        // The kernel puts the program's name there twice, and the arguments.
        let name = |text: &OsStr| text.len() + 1;
        let size: usize =
            texts.sum::<usize>() + 2 * name(&plan.program) + plan.args.iter().map(|arg| name(arg)).sum::<usize>();
        let missing = total.saturating_sub(size + PADDING.len() + 2);
        variables.insert(PADDING.into(), "x".repeat(missing).into());
    }
    variables
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(program: &str, variable: &str) -> usize {
        let plan = Plan {
            program: program.into(),
            args: vec!["argument".into()],
            environment: vec![("HOME".into(), variable.into())],
            conditions: Conditions {
                padding: Some(4096),
                ..Conditions::default()
            },
            ..Plan::empty()
        };
        let strings: usize = environment(&plan).iter().map(|(name, value)| name.len() + value.len() + 2).sum();
        strings + 2 * (program.len() + 1) + "argument".len() + 1
    }

    #[test]
    fn as_many_variables_as_are_wanted() {
        for own in [1, 4] {
            let plan = Plan {
                environment: (0..own).map(|number| (format!("V{number}").into(), "x".into())).collect(),
                conditions: Conditions {
                    padding: Some(4096),
                    variables: Some(9),
                    ..Conditions::default()
                },
                ..Plan::empty()
            };
            assert_eq!(environment(&plan).len(), 9);
        }
    }

    #[test]
    fn padding_makes_up_for_other_lengths() {
        assert_eq!(size("/repro/a", "/home"), 4096);
        assert_eq!(size("/another/place/a", "/longer/home"), 4096);
    }
}
