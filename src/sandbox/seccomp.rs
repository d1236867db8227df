//! The program of the system call filter (seccomp(2)), as a value: which calls the listener is asked
//! about, which are refused outright. Everything else costs nothing.

use libc::{c_long, sock_filter};

use super::{Conditions, Source};

/// Architecture of the calls that are let through (linux/audit.h).
#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: u32 = 0xC000_003E;
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: u32 = 0xC000_00B7;

// Offsets in struct seccomp_data.
const NUMBER: u32 = 0;
const ARCH: u32 = 4;
const fn argument(index: u32) -> u32 {
    16 + index * 8
}

/// When a call is of interest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    Always,
    /// An argument is not zero.
    Given(u32),
    /// The lower half of an argument is one of these.
    OneOf(u32, &'static [u32]),
}

/// What happens with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// The listener decides.
    Ask,
    /// It fails with this error.
    Refuse(i32),
}

struct Rule {
    call: c_long,
    when: When,
    fate: Fate,
}

/// The filter for what is to be seen and answered.
#[must_use]
pub fn program(audit: bool, conditions: &Conditions) -> Vec<sock_filter> {
    let mut rules = refused();
    if conditions.written.is_some() {
        // Looks at open files too; of two rules for a call the first holds.
        rules.extend([ask(libc::SYS_statx), ask(libc::SYS_newfstatat), ask(libc::SYS_fstat)]);
    }
    if audit {
        rules.extend(audited());
    }
    rules.extend(answered(conditions));
    assemble(&rules)
}

fn ask(call: c_long) -> Rule {
    ask_when(call, When::Always)
}

fn ask_when(call: c_long, when: When) -> Rule {
    Rule {
        call,
        when,
        fate: Fate::Ask,
    }
}

fn refuse(call: c_long, error: i32) -> Rule {
    Rule {
        call,
        when: When::Always,
        fate: Fate::Refuse(error),
    }
}

/// What no program gets, whoever listens.
#[must_use]
pub fn refusals() -> Vec<sock_filter> {
    assemble(&refused())
}

/// Ways round the listener, and out of the run: rings open files and sockets without a call; a handle opens a file
/// that has no name within; keyrings outlive a run, and are the machine's; the newer calls for mounts and attributes
/// tell what is mounted from where, and reach files by ways of their own. All of them fail as on a kernel that does
/// not know them. Watches of fanotify(7) are set on paths of which nobody would be told. What only the superuser may do
/// fails before the kernel looks whether the path is there.
fn refused() -> Vec<Rule> {
    const UNKNOWN: [c_long; 16] = [
        libc::SYS_io_uring_setup,
        libc::SYS_io_uring_enter,
        libc::SYS_io_uring_register,
        libc::SYS_add_key,
        libc::SYS_request_key,
        libc::SYS_keyctl,
        libc::SYS_open_tree,
        libc::SYS_move_mount,
        libc::SYS_fsopen,
        libc::SYS_fsconfig,
        libc::SYS_fsmount,
        libc::SYS_fspick,
        libc::SYS_mount_setattr,
        libc::SYS_fanotify_init,
        // statmount(2) and listmount(2)
        457,
        458,
    ];
    // setxattrat(2) to removexattrat(2), open_tree_attr(2), file_getattr(2), file_setattr(2), listns(2)
    const NEWER: std::ops::RangeInclusive<c_long> = 463..=470;
    let mut rules: Vec<Rule> = UNKNOWN.into_iter().chain(NEWER).map(|call| refuse(call, libc::ENOSYS)).collect();
    const PRIVILEGED: [c_long; 9] = [
        libc::SYS_open_by_handle_at,
        libc::SYS_mount,
        libc::SYS_umount2,
        libc::SYS_pivot_root,
        libc::SYS_chroot,
        libc::SYS_swapon,
        libc::SYS_swapoff,
        libc::SYS_acct,
        libc::SYS_quotactl,
    ];
    rules.extend(PRIVILEGED.map(|call| refuse(call, libc::EPERM)));
    rules.push(refuse(libc::SYS_name_to_handle_at, libc::EOPNOTSUPP));
    rules
}

/// Calls that look at a path or reach for an address.
fn audited() -> Vec<Rule> {
    let mut rules = vec![
        ask(libc::SYS_openat),
        ask(libc::SYS_openat2),
        ask(libc::SYS_execve),
        ask(libc::SYS_execveat),
        ask(libc::SYS_readlinkat),
        ask(libc::SYS_renameat),
        ask(libc::SYS_renameat2),
        ask(libc::SYS_linkat),
        ask(libc::SYS_mkdirat),
        ask(libc::SYS_mknodat),
        ask(libc::SYS_symlinkat),
        ask(libc::SYS_unlinkat),
        ask(libc::SYS_fchmodat),
        ask(super::calls::FCHMODAT2),
        ask(libc::SYS_fchownat),
        ask_when(libc::SYS_utimensat, When::Given(1)),
        ask(libc::SYS_truncate),
        ask(libc::SYS_setxattr),
        ask(libc::SYS_lsetxattr),
        ask(libc::SYS_removexattr),
        ask(libc::SYS_lremovexattr),
        ask(libc::SYS_statfs),
        ask(libc::SYS_chdir),
        ask(libc::SYS_getxattr),
        ask(libc::SYS_lgetxattr),
        ask(libc::SYS_listxattr),
        ask(libc::SYS_llistxattr),
        ask(libc::SYS_inotify_add_watch),
        // Whatever AT_EMPTY_PATH says: a path that is not empty is walked all the same.
        ask_when(libc::SYS_statx, When::Given(1)),
        ask_when(libc::SYS_newfstatat, When::Given(1)),
        ask(libc::SYS_faccessat),
        ask(libc::SYS_faccessat2),
        ask(libc::SYS_getdents64),
        ask(libc::SYS_connect),
        ask_when(libc::SYS_sendto, When::Given(4)),
        ask(libc::SYS_sendmsg),
        ask(libc::SYS_sendmmsg),
    ];
    #[cfg(target_arch = "x86_64")]
    rules.extend([
        ask(libc::SYS_open),
        ask(libc::SYS_creat),
        ask(libc::SYS_stat),
        ask(libc::SYS_lstat),
        ask(libc::SYS_access),
        ask(libc::SYS_getdents),
        ask(libc::SYS_readlink),
        ask(libc::SYS_rename),
        ask(libc::SYS_link),
        ask(libc::SYS_mkdir),
        ask(libc::SYS_mknod),
        ask(libc::SYS_symlink),
        ask(libc::SYS_unlink),
        ask(libc::SYS_rmdir),
        ask(libc::SYS_chmod),
        ask(libc::SYS_chown),
        ask(libc::SYS_lchown),
        ask(libc::SYS_utime),
        ask(libc::SYS_utimes),
        ask_when(libc::SYS_futimesat, When::Given(1)),
    ]);
    rules
}

/// Calls whose answer is ours.
fn answered(conditions: &Conditions) -> Vec<Rule> {
    let mut rules = Vec::new();
    let sights = |source| conditions.sight.contains(&source);
    if conditions.entropy.is_some() || sights(Source::Entropy) {
        rules.push(ask(libc::SYS_getrandom));
    }
    if conditions.tick.is_some() || sights(Source::Clock) {
        rules.extend([ask(libc::SYS_clock_gettime), ask(libc::SYS_gettimeofday)]);
        #[cfg(target_arch = "x86_64")]
        rules.push(ask(libc::SYS_time));
    } else if conditions.clock.is_some() {
        rules.push(ask_when(libc::SYS_clock_gettime, When::OneOf(0, super::time::WALL_CLOCKS)));
        rules.push(ask(libc::SYS_gettimeofday));
        #[cfg(target_arch = "x86_64")]
        rules.push(ask(libc::SYS_time));
    }
    if conditions.directories.is_some() || sights(Source::Directories) {
        rules.push(ask(libc::SYS_getdents64));
    }
    if conditions.told_processors.is_some() {
        rules.push(ask(libc::SYS_sched_getaffinity));
    }
    if conditions.canned.is_some() {
        rules.push(ask(libc::SYS_sysinfo));
    }
    if conditions.delays.is_some() || conditions.turns.is_some() {
        // What a thread does first, and what it does when another may come before it.
        rules.extend([ask(libc::SYS_set_robust_list), ask(libc::SYS_futex)]);
        rules.push(ask(libc::SYS_sched_yield));
    }
    if conditions.delays.is_some() {
        rules.push(ask(libc::SYS_rseq));
    }
    if sights(Source::Identity) {
        rules.extend([ask(libc::SYS_getpid), ask(libc::SYS_gettid), ask(libc::SYS_uname)]);
        rules.extend([ask(libc::SYS_getuid), ask(libc::SYS_getcwd)]);
    }
    rules
}

// Classic BPF, as far as it is needed (linux/filter.h).
const LOAD: u16 = 0x20;
const JUMP_EQUAL: u16 = 0x15;
const JUMP_AT_LEAST: u16 = 0x35;
const RETURN: u16 = 0x06;

fn step(code: u16, value: u32, then: u8, otherwise: u8) -> sock_filter {
    sock_filter {
        code,
        jt: then,
        jf: otherwise,
        k: value,
    }
}

fn give(value: u32) -> sock_filter {
    step(RETURN, value, 0, 0)
}

fn refusal(error: i32) -> sock_filter {
    give(libc::SECCOMP_RET_ERRNO | error.cast_unsigned())
}

fn assemble(rules: &[Rule]) -> Vec<sock_filter> {
    // Calls of another architecture, and of x32, have other numbers: a way round.
    const X32: u32 = 0x4000_0000;
    let mut program = vec![
        step(LOAD, ARCH, 0, 0),
        step(JUMP_EQUAL, ARCHITECTURE, 1, 0),
        refusal(libc::ENOSYS),
        step(LOAD, NUMBER, 0, 0),
        step(JUMP_AT_LEAST, X32, 0, 1),
        refusal(libc::ENOSYS),
    ];
    for rule in rules {
        let body = rule_body(rule);
        let number = u32::try_from(rule.call).expect("numbers of system calls are small");
        let length = u8::try_from(body.len()).expect("a rule is short");
        program.push(step(JUMP_EQUAL, number, 0, length));
        program.extend(body);
    }
    program.push(give(libc::SECCOMP_RET_ALLOW));
    program
}

/// What follows once the number is this rule's; it always comes to an end.
fn rule_body(rule: &Rule) -> Vec<sock_filter> {
    let fate = match rule.fate {
        Fate::Ask => give(libc::SECCOMP_RET_USER_NOTIF),
        Fate::Refuse(error) => refusal(error),
    };
    let allow = give(libc::SECCOMP_RET_ALLOW);
    match rule.when {
        When::Always => vec![fate],
        When::Given(index) => vec![
            step(LOAD, argument(index), 0, 0),
            step(JUMP_EQUAL, 0, 0, 3),
            step(LOAD, argument(index) + 4, 0, 0),
            step(JUMP_EQUAL, 0, 0, 1),
            allow,
            fate,
        ],
        When::OneOf(index, values) => {
            let mut body = vec![step(LOAD, argument(index), 0, 0)];
            for value in values {
                body.extend([step(JUMP_EQUAL, *value, 0, 1), fate]);
            }
            body.push(allow);
            body
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The machine that the kernel has for such programs, as far as ours go.
    fn fate(program: &[sock_filter], call: c_long, arch: u32, arguments: [u64; 6]) -> u32 {
        let mut data = Vec::new();
        data.extend(u32::try_from(call).unwrap().to_ne_bytes());
        data.extend(arch.to_ne_bytes());
        data.extend([0; 8]);
        arguments.iter().for_each(|argument| data.extend(argument.to_ne_bytes()));
        let (mut at, mut loaded) = (0, 0);
        loop {
            let step = program[at];
            let jump = |holds: bool| at + 1 + usize::from(if holds { step.jt } else { step.jf });
            at = match step.code {
                LOAD => {
                    let place = step.k as usize;
                    loaded = u32::from_ne_bytes(data[place..place + 4].try_into().unwrap());
                    at + 1
                }
                JUMP_EQUAL => jump(loaded == step.k),
                JUMP_AT_LEAST => jump(loaded >= step.k),
                _ => return step.k,
            };
        }
    }

    fn all() -> Vec<sock_filter> {
        let conditions = Conditions {
            entropy: Some("00".to_owned()),
            clock: Some(0),
            ..Conditions::default()
        };
        program(true, &conditions)
    }

    #[test]
    fn opens_are_asked_about_and_reads_are_not() {
        assert_eq!(fate(&all(), libc::SYS_openat, ARCHITECTURE, [0; 6]), libc::SECCOMP_RET_USER_NOTIF);
        assert_eq!(fate(&all(), libc::SYS_getdents64, ARCHITECTURE, [0; 6]), libc::SECCOMP_RET_USER_NOTIF);
        assert_eq!(fate(&all(), libc::SYS_read, ARCHITECTURE, [0; 6]), libc::SECCOMP_RET_ALLOW);
    }

    #[test]
    fn calls_of_another_architecture_and_rings_fail() {
        let missing = libc::SECCOMP_RET_ERRNO | libc::ENOSYS.cast_unsigned();
        assert_eq!(fate(&all(), libc::SYS_read, 0x4000_0003, [0; 6]), missing);
        assert_eq!(fate(&all(), libc::SYS_read | 0x4000_0000, ARCHITECTURE, [0; 6]), missing);
        assert_eq!(fate(&all(), libc::SYS_io_uring_setup, ARCHITECTURE, [0; 6]), missing);
        assert_eq!(fate(&all(), libc::SYS_fanotify_init, ARCHITECTURE, [0; 6]), missing);
    }

    #[test]
    fn what_has_neither_a_path_nor_an_address_costs_nothing() {
        assert_eq!(fate(&all(), libc::SYS_fstat, ARCHITECTURE, [3, 9, 0, 0, 0, 0]), libc::SECCOMP_RET_ALLOW);
        let stat = |path, flags| fate(&all(), libc::SYS_statx, ARCHITECTURE, [3, path, flags, 0, 0, 0]);
        assert_eq!(stat(0, 0x1000), libc::SECCOMP_RET_ALLOW);
        assert_eq!(stat(9, 0x1000), libc::SECCOMP_RET_USER_NOTIF, "who knows whether the path is empty");
        let send = |address| fate(&all(), libc::SYS_sendto, ARCHITECTURE, [3, 0, 0, 0, address, 0]);
        assert_eq!(send(0), libc::SECCOMP_RET_ALLOW);
        assert_eq!(send(1 << 32), libc::SECCOMP_RET_USER_NOTIF);
    }

    #[test]
    fn a_frozen_wall_clock_leaves_timers_alone() {
        let clock = |id| fate(&all(), libc::SYS_clock_gettime, ARCHITECTURE, [id, 0, 0, 0, 0, 0]);
        assert_eq!(clock(0), libc::SECCOMP_RET_USER_NOTIF);
        assert_eq!(clock(1), libc::SECCOMP_RET_ALLOW);
    }
}
