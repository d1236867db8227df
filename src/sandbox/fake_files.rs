//! Files that are opened in place of others: a copy of a file of the kernel that changes by itself, what the kernel
//! would tell of the machine beyond the namespaces, and bytes that lie nowhere.

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use super::process_memory::Thread;

/// Files of the kernel that are other ones at every look.
const CHANGING: [&str; 12] = [
    "/proc/loadavg",
    "/proc/uptime",
    "/proc/stat",
    "/proc/meminfo",
    "/proc/vmstat",
    "/proc/diskstats",
    "/proc/interrupts",
    "/proc/softirqs",
    "/proc/cpuinfo",
    "/proc/sched_debug",
    "/proc/schedstat",
    "/proc/zoneinfo",
];

/// Those that each process has.
const CHANGING_OF_PROCESS: [&str; 8] = [
    "stat",
    "status",
    "statm",
    "sched",
    "schedstat",
    "io",
    "smaps",
    "smaps_rollup",
];

/// The mounts within the sandbox, as far as they are anybody's business (proc_pid_mountinfo(5)).
const MOUNTINFO: &str = "\
1 0 0:1 / / ro,nosuid,nodev - tmpfs repro ro
2 1 0:2 / /proc rw,nosuid,nodev,noexec - proc proc rw
3 1 0:3 / /sys ro,nosuid,nodev,noexec - sysfs sysfs ro
4 3 0:4 / /sys/fs/cgroup ro,nosuid,nodev,noexec - cgroup2 cgroup ro
5 1 0:5 / /dev/shm rw,nosuid,nodev - tmpfs repro rw
6 1 0:6 / /tmp rw,nosuid,nodev - tmpfs repro rw
7 1 0:7 / /var/tmp rw,nosuid,nodev - tmpfs repro rw
8 1 0:8 / /repro rw,nosuid,nodev - tmpfs repro rw
";

/// The same in the older form (fstab(5)).
const MOUNTS: &str = "\
repro / tmpfs ro,nosuid,nodev 0 0
proc /proc proc rw,nosuid,nodev,noexec 0 0
sysfs /sys sysfs ro,nosuid,nodev,noexec 0 0
cgroup /sys/fs/cgroup cgroup2 ro,nosuid,nodev,noexec 0 0
repro /dev/shm tmpfs rw,nosuid,nodev 0 0
repro /tmp tmpfs rw,nosuid,nodev 0 0
repro /var/tmp tmpfs rw,nosuid,nodev 0 0
repro /repro tmpfs rw,nosuid,nodev 0 0
";

/// And with their figures, of which these kinds have none.
const MOUNTSTATS: &str = "\
device repro mounted on / with fstype tmpfs
device proc mounted on /proc with fstype proc
device sysfs mounted on /sys with fstype sysfs
device cgroup mounted on /sys/fs/cgroup with fstype cgroup2
device repro mounted on /dev/shm with fstype tmpfs
device repro mounted on /tmp with fstype tmpfs
device repro mounted on /var/tmp with fstype tmpfs
device repro mounted on /repro with fstype tmpfs
";

/// What a file of the kernel says within the sandbox that would tell of the machine: where its directories lie, what it
/// was started with, who uses it. It is the same in every run; none for other paths.
#[must_use]
pub fn of_namespaces(path: &str) -> Option<&'static str> {
    let inner = path.strip_prefix("/proc/")?;
    match inner {
        "mounts" => return Some(MOUNTS),
        "keys" | "key-users" | "locks" | "partitions" => return Some(""),
        "cmdline" => return Some("\n"),
        "swaps" => return Some("Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"),
        "sys/kernel/random/boot_id" => return Some("00000000-0000-0000-0000-000000000000\n"),
        _ => {}
    }
    let (process, name) = inner.split_once('/')?;
    let of_thread = name.strip_prefix("task/").and_then(|rest| rest.split_once('/'));
    match of_thread.map_or(name, |(_, name)| name) {
        _ if !is_process(process) => None,
        "mountinfo" => Some(MOUNTINFO),
        "mounts" => Some(MOUNTS),
        "mountstats" => Some(MOUNTSTATS),
        "cgroup" => Some("0::/\n"),
        "cpuset" => Some("/\n"),
        _ => None,
    }
}

/// Whether a directory of `/proc` is that of a process.
fn is_process(name: &str) -> bool {
    name == "self" || name == "thread-self" || name.bytes().all(|byte| byte.is_ascii_digit())
}

/// A file of these bytes that lies nowhere.
///
/// # Errors
/// When there are no more descriptors.
pub fn in_memory(bytes: &[u8]) -> io::Result<OwnedFd> {
    use std::io::{Seek as _, Write as _};
    let file = rustix::fs::memfd_create("repro", rustix::fs::MemfdFlags::CLOEXEC)?;
    let mut file = std::fs::File::from(file);
    file.write_all(bytes)?;
    file.rewind()?;
    Ok(file.into())
}

/// A copy of a changing file of the kernel, made when it is first read.
///
/// # Errors
/// When it cannot be read, or copied.
pub fn copy(thread: Thread, directory: &Path, path: &str, shared: &str) -> io::Result<OwnedFd> {
    let copy = directory.join(shared.trim_start_matches('/').replace('/', "-"));
    if !copy.exists() {
        let process = thread.process();
        let path = path
            .strip_prefix("/proc/self/")
            .map_or_else(|| PathBuf::from(path), |name| process.proc(name));
        std::fs::write(&copy, std::fs::read(path)?)?;
    }
    Ok(std::fs::File::open(copy)?.into())
}

/// The name by which a changing file of the kernel is the same for every process; none for other paths.
#[must_use]
pub fn changing(path: &str) -> Option<String> {
    if CHANGING.contains(&path) || path.starts_with("/proc/net/") {
        return Some(path.to_owned());
    }
    let inner = path.strip_prefix("/proc/")?;
    let (process, name) = inner.split_once('/')?;
    let last = name.rsplit('/').next().unwrap_or(name);
    (is_process(process) && CHANGING_OF_PROCESS.contains(&last)).then(|| format!("/proc/self/{last}"))
}

/// `struct sysinfo` (sysinfo(2)) with round numbers.
#[must_use]
pub fn sysinfo() -> Vec<u8> {
    const WORDS: usize = 14;
    const MEMORY: [u64; 4] = [16 << 30, 8 << 30, 0, 1 << 30];
    let mut words = [0u64; WORDS];
    words[0] = 1000;
    words[4..8].copy_from_slice(&MEMORY);
    words[10] = 100;
    words[13] = 1;
    words.iter().flat_map(|word| word.to_ne_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_each_process_has_one_name() {
        assert_eq!(changing("/proc/31/stat").as_deref(), Some("/proc/self/stat"));
        assert_eq!(changing("/proc/self/task/31/stat").as_deref(), Some("/proc/self/stat"));
        assert_eq!(changing("/proc/self/maps"), None);
    }

    #[test]
    fn what_tells_of_the_machine_says_the_same_of_whichever_process() {
        for name in ["mountinfo", "mounts", "mountstats", "cgroup", "cpuset"] {
            let text = of_namespaces(&format!("/proc/self/{name}"));
            assert!(text.is_some(), "{name}");
            for process in ["1", "thread-self", "self/task/7", "7/task/8"] {
                assert_eq!(of_namespaces(&format!("/proc/{process}/{name}")), text);
            }
        }
        assert_eq!(of_namespaces("/proc/mounts"), of_namespaces("/proc/self/mounts"));
        for path in [
            "/proc/self/maps",
            "/proc/x/mountinfo",
            "/proc/self/fd/mountinfo",
            "/repro/mounts",
            "/proc/cpuinfo",
        ] {
            assert_eq!(of_namespaces(path), None, "{path}");
        }
    }
}
