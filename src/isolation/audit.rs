//! What a program reads or looks for, written down once for each path. What of it matters is judged by
//! [`crate::compare`]; here only the system's own programs and libraries are left out, since they are
//! looked at thousands of times.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use super::Look;
use super::remote::Thread;

/// Programs, libraries and what belongs to them. The C library's version is part of the platform class.
const SYSTEM: [&str; 35] = [
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/usr/bin",
    "/usr/sbin",
    "/usr/lib",
    "/usr/lib32",
    "/usr/lib64",
    "/usr/libx32",
    "/usr/libexec",
    "/usr/include",
    "/usr/local/bin",
    "/usr/local/sbin",
    "/usr/local/lib",
    "/usr/local/lib64",
    "/usr/local/include",
    "/usr/share/locale",
    "/usr/share/i18n",
    "/usr/share/zoneinfo",
    "/etc/alternatives",
    "/etc/ld.so.conf.d",
    "/etc/ssl",
    "/etc/systemd",
    "/etc/selinux",
    "/etc/perl",
    "/usr/share/ca-certificates",
    "/usr/share/java",
    "/usr/share/misc",
    "/usr/share/perl",
    "/usr/share/perl5",
    "/usr/share/python3",
    "/usr/share/terminfo",
];

/// Files by which the C library and interpreters find their way; within the walls, those that name a user
/// or a host are the same everywhere.
const SYSTEM_FILES: [&str; 21] = [
    "/proc",
    "/etc/selinux/config",
    "/etc/hostname",
    "/etc/machine-id",
    "/etc/ld.so.cache",
    "/etc/ld.so.preload",
    "/etc/ld.so.conf",
    "/etc/ld-nix.so.preload",
    "/etc/nsswitch.conf",
    "/etc/passwd",
    "/etc/group",
    "/etc/hosts",
    "/etc/host.conf",
    "/etc/resolv.conf",
    "/etc/gai.conf",
    "/etc/localtime",
    "/etc/locale.alias",
    "/etc/protocols",
    "/etc/services",
    "/usr/share/locale-langpack",
    "/dev/null",
];

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

/// What a call does with a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Act {
    /// Asks about it.
    Stat,
    /// Reads it, or executes it.
    Read,
    /// Makes it, or empties it, or only writes to it.
    Write,
}

/// The looks so far.
#[derive(Debug, Default)]
pub struct Audit {
    looks: BTreeMap<String, Look>,
    listed: BTreeMap<String, BTreeSet<String>>,
    /// What was decided already: most looks are at what was looked at before.
    known: BTreeMap<Vec<u8>, BTreeSet<Act>>,
}

impl Audit {
    /// Whether this was written down, or left out, before.
    #[must_use]
    pub fn knows(&self, path: &[u8], act: Act) -> bool {
        self.known.get(path).is_some_and(|acts| acts.contains(&act))
    }

    /// Writes down a look at a path as the thread sees it.
    pub fn look(&mut self, thread: Thread, path: &Path, act: Act) {
        let path = normal(path);
        let text = path.to_string_lossy().into_owned();
        if is_system(&text) {
            return;
        }
        let inner = path.strip_prefix("/").unwrap_or(&path);
        let meta = thread.proc("root").join(inner).symlink_metadata();
        // Walking through a directory is no look at what is in it.
        if act == Act::Stat && meta.as_ref().is_ok_and(std::fs::Metadata::is_dir) {
            return;
        }
        let look = self.looks.entry(text).or_insert_with(|| Look {
            by: name(thread),
            existed: meta.is_ok(),
            opened: false,
            written: false,
        });
        look.opened |= act == Act::Read;
        look.written |= act == Act::Write && !(look.existed && look.opened);
    }

    /// Writes down that the thread reads the names in a directory.
    pub fn list(&mut self, thread: Thread, directory: &Path) {
        let text = normal(directory).to_string_lossy().into_owned();
        if !is_system(&text) {
            self.listed.entry(text).or_default().insert(name(thread));
        }
    }

    /// Remembers that a path has been looked at so.
    pub fn remember(&mut self, path: Vec<u8>, act: Act) {
        const MOST: usize = 1 << 20;
        if self.known.len() < MOST {
            self.known.entry(path).or_default().insert(act);
        }
    }

    /// All directories that were listed, and by which programs.
    #[must_use]
    pub fn listed(&self) -> &BTreeMap<String, BTreeSet<String>> {
        &self.listed
    }

    /// All looks.
    #[must_use]
    pub fn looks(&self) -> &BTreeMap<String, Look> {
        &self.looks
    }
}

/// The program that a thread executes, by its file name.
fn name(thread: Thread) -> String {
    let executable = thread.executable();
    executable
        .and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
        .unwrap_or_default()
}

/// What an open is, by its flags (open(2)).
#[must_use]
pub fn act_of_open(flags: u64) -> Act {
    let has = |flag: i32| flags & u64::from(flag.cast_unsigned()) != 0;
    if has(libc::O_PATH) {
        return Act::Stat;
    }
    let writes_only = flags & 3 == libc::O_WRONLY as u64;
    if writes_only || has(libc::O_TRUNC) || has(libc::O_EXCL) {
        Act::Write
    } else {
        Act::Read
    }
}

fn is_system(path: &str) -> bool {
    let below =
        |directory: &str| path.strip_prefix(directory).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    SYSTEM.iter().any(|directory| below(directory))
        || SYSTEM_FILES.contains(&path)
        || path.starts_with("/etc/python")
        || (path.starts_with("/dev/") && !path.starts_with("/dev/shm/"))
        || path.starts_with("/sys/")
        || path == "/"
        || (path.starts_with("/proc/") && changing(path).is_none())
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

/// An absolute path without `.` and `..`; links are not followed.
#[must_use]
pub fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::from("/");
    for part in path.components() {
        match part {
            Component::ParentDir => {
                normal.pop();
            }
            Component::Normal(name) => normal.push(name),
            _ => {}
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_belongs_to_the_system_is_left_out() {
        assert!(is_system("/usr/lib/x86_64-linux-gnu/libm.so.6"));
        assert!(is_system("/lib64/ld-linux-x86-64.so.2"));
        assert!(is_system("/proc/self/maps"));
        assert!(!is_system("/usr/library"));
        assert!(!is_system("/usr/share/dict/words"));
        assert!(!is_system("/proc/loadavg"));
        assert!(!is_system("/etc/trainer.conf"));
    }

    #[test]
    fn a_file_of_each_process_has_one_name() {
        assert_eq!(changing("/proc/31/stat").as_deref(), Some("/proc/self/stat"));
        assert_eq!(changing("/proc/self/task/31/stat").as_deref(), Some("/proc/self/stat"));
        assert_eq!(changing("/proc/self/maps"), None);
    }

    #[test]
    fn flags_say_what_an_open_is_for() {
        let flags = |flags: i32| act_of_open(u64::from(flags.cast_unsigned()));
        assert_eq!(flags(libc::O_RDONLY), Act::Read);
        assert_eq!(flags(libc::O_RDWR), Act::Read);
        assert_eq!(flags(libc::O_WRONLY | libc::O_APPEND), Act::Write);
        assert_eq!(flags(libc::O_RDWR | libc::O_CREAT | libc::O_TRUNC), Act::Write);
    }
}
