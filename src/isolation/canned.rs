//! Files that are opened in place of others: a copy of a file of the kernel that changes by itself, and
//! bytes that lie nowhere.

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use super::remote::Thread;

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
    let is_process = process == "self" || process == "thread-self" || process.bytes().all(|byte| byte.is_ascii_digit());
    let last = name.rsplit('/').next().unwrap_or(name);
    (is_process && CHANGING_OF_PROCESS.contains(&last)).then(|| format!("/proc/self/{last}"))
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
}
