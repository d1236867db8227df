//! What a program reads or looks for, written down once for each path. What of it matters is judged by
//! [`crate::compare`]; here only the system's own programs and libraries are left out, since they are
//! looked at thousands of times.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use super::Look;
pub use super::fake_files::changing;
use super::process_memory::Thread;

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

/// Files by which the C library and interpreters find their way; within the sandbox, those that name a user
/// or a host are the same everywhere.
const SYSTEM_FILES: [&str; 22] = [
    "/proc",
    // Where the kernel showed SELinux once: libselinux asks for it in every `cp`, `ls` and `mv`.
    "/selinux",
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

/// What a call does with a path, as far as it can be told before the kernel has answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Act {
    /// Asks about it.
    Stat,
    /// Reads it, or executes it, or gives it another name.
    Read,
    /// Writes to it and leaves what is there, or replaces it, or fails.
    Write,
    /// Empties it, if that is allowed.
    Empty,
    /// Makes it where nothing is.
    Make,
}

/// What is at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// Whether it is a directory.
    pub directory: bool,
    /// Whether it is a link.
    pub link: bool,
    /// By which the kernel tells it from others.
    pub identity: (u64, u64),
    /// When its content was last changed.
    pub changed: (i64, i64),
}

/// The looks so far.
#[derive(Debug, Default)]
pub struct Audit {
    /// The program that only starts others, as a path.
    driver: Option<PathBuf>,
    looks: BTreeMap<String, Look>,
    listed: BTreeMap<String, BTreeSet<String>>,
    /// Programs of the system that are not there, by their paths, and who looked for them.
    sought: BTreeMap<String, String>,
    /// What was at these paths at the first look.
    first: BTreeMap<String, Past>,
    /// What was decided already: most looks are at what was looked at before.
    known: BTreeMap<Vec<u8>, BTreeSet<Act>>,
}

/// What a path that held something has been through since.
#[derive(Clone, Copy, Debug)]
struct Past {
    found: Found,
    /// Its last change, at the time of a call that would empty it.
    emptied: Option<(i64, i64)>,
}

impl Past {
    /// Whether the run has made what is there now: it is another file, or one that was emptied. That a call asked
    /// for it proves nothing: it may have failed.
    fn is_over(&self, now: Option<&Found>) -> bool {
        now.is_none_or(|now| {
            now.identity != self.found.identity || self.emptied.is_some_and(|then| then != now.changed)
        })
    }
}

impl Audit {
    /// With the program that only starts others, if there is one: where another one looks as well, it is that one's
    /// look.
    #[must_use]
    pub fn driven_by(driver: Option<PathBuf>) -> Self {
        Self {
            driver,
            ..Self::default()
        }
    }

    /// Whether this was written down, or left out, before.
    #[must_use]
    pub fn knows(&self, path: &[u8], act: Act) -> bool {
        self.known.get(path).is_some_and(|acts| acts.contains(&act))
    }

    /// Writes down a look at a path without links, where that was found. Gives whether the same look would add
    /// nothing, whatever comes between.
    pub fn look(&mut self, thread: Thread, path: &Path, act: Act, found: Option<Found>) -> bool {
        let text = path.to_string_lossy().into_owned();
        if is_system(&text) {
            if found.is_none() && matches!(act, Act::Stat | Act::Read) {
                self.seek(thread, text);
            }
            return true;
        }
        // Walking through a directory is no look at what is in it.
        if act == Act::Stat && found.is_some_and(|found| found.directory) {
            return false;
        }
        let driver = self.driver.as_deref();
        let look = self.looks.entry(text.clone()).or_insert_with(|| Look {
            by: name(thread, driver),
            existed: found.is_some(),
            ..Look::default()
        });
        let is_the_drivers = driver.is_some_and(|driver| driver.file_name().is_some_and(|name| name == &*look.by));
        if is_the_drivers {
            look.by = name(thread, driver);
        }
        if look.existed && !look.opened && !look.written {
            let past = self.first.entry(text).or_insert_with(|| Past {
                found: found.expect("it exists"),
                emptied: None,
            });
            look.written = past.is_over(found.as_ref());
            if act == Act::Empty {
                past.emptied = found.map(|found| found.changed);
            }
        }
        match act {
            Act::Stat | Act::Read if found.is_none() => look.missed |= !look.written,
            Act::Make => look.written |= !(look.existed && look.opened),
            _ => {}
        }
        look.opened |= act == Act::Read && !look.written;
        (look.opened || look.written) && !is_the_drivers
    }

    /// Writes down a name in a directory of programs that is not there: a run that dies of it says which.
    fn seek(&mut self, thread: Thread, path: String) {
        const MOST: usize = 1 << 12;
        let directory = Path::new(&path).parent().and_then(Path::file_name);
        if self.sought.len() < MOST && directory.is_some_and(|name| name == "bin" || name == "sbin") {
            let by = name(thread, self.driver.as_deref());
            self.sought.entry(path).or_insert(by);
        }
    }

    /// Writes down that the thread reads the names in a directory.
    pub fn list(&mut self, thread: Thread, directory: &Path) {
        let text = normal(directory).to_string_lossy().into_owned();
        if !is_system(&text) {
            self.listed.entry(text).or_default().insert(name(thread, self.driver.as_deref()));
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

    /// All programs of the system that are not there.
    #[must_use]
    pub fn sought(&self) -> &BTreeMap<String, String> {
        &self.sought
    }

    /// All looks.
    #[must_use]
    pub fn looks(&self) -> &BTreeMap<String, Look> {
        &self.looks
    }
}

/// The program that a thread executes, by its file name; by its path where that is the driver's name and it is another.
fn name(thread: Thread, driver: Option<&Path>) -> String {
    let Some(path) = thread.executable() else {
        return String::new();
    };
    let poses = driver.is_some_and(|driver| driver.file_name() == path.file_name() && driver != path);
    let name = if poses {
        Some(path.as_os_str())
    } else {
        path.file_name()
    };
    name.unwrap_or_default().to_string_lossy().into_owned()
}

/// Whether flags of a call have one.
#[must_use]
pub fn has(flags: u64, flag: i32) -> bool {
    flags & u64::from(flag.cast_unsigned()) != 0
}

/// Whether an open gives what reads: without it nothing of the content is seen.
#[must_use]
pub fn reads(flags: u64) -> bool {
    !has(flags, libc::O_PATH) && flags & 3 != libc::O_WRONLY as u64
}

/// What an open does where there is, or is not, something, by its flags (open(2)). Whether it may is not known yet.
#[must_use]
pub fn act_of_open(flags: u64, is_there: bool) -> Act {
    const TEMPORARY: i32 = libc::O_TMPFILE & !libc::O_DIRECTORY; // a file without a name
    let creates = has(flags, libc::O_CREAT);
    if has(flags, libc::O_PATH | TEMPORARY) {
        return Act::Stat;
    }
    match (is_there, reads(flags)) {
        // This one fails.
        (true, _) if creates && has(flags, libc::O_EXCL) => Act::Stat,
        (true, _) if has(flags, libc::O_TRUNC) => Act::Empty,
        (true, false) => Act::Write,
        // What is made to be empty was not to be read.
        (false, _) if creates && has(flags, libc::O_TRUNC | libc::O_EXCL) => Act::Make,
        (false, false) if creates => Act::Make,
        (false, false) => Act::Stat,
        (_, true) => Act::Read,
    }
}

/// Whether a path is below the directories of the system's programs and libraries.
#[must_use]
pub fn is_program_or_library(path: &Path) -> bool {
    SYSTEM.iter().any(|directory| path.starts_with(directory))
        && !path.components().any(|part| part == Component::ParentDir)
}

fn is_system(path: &str) -> bool {
    SYSTEM.iter().any(|directory| Path::new(path).starts_with(directory))
        || SYSTEM_FILES.contains(&path)
        || path.starts_with("/etc/python")
        || (path.starts_with("/dev/") && !path.starts_with("/dev/shm/"))
        || path.starts_with("/sys/")
        || path == "/"
        || (path.starts_with("/proc/") && changing(path).is_none())
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

    const THERE: Found = Found {
        directory: false,
        link: false,
        identity: (1, 2),
        changed: (3, 4),
    };

    fn flags(flags: i32, is_there: bool) -> Act {
        act_of_open(u64::from(flags.cast_unsigned()), is_there)
    }

    #[test]
    fn flags_say_what_an_open_asks_for() {
        use libc::{O_CREAT, O_EXCL, O_PATH, O_RDONLY, O_RDWR, O_TMPFILE, O_TRUNC, O_WRONLY};
        let reads = [
            O_RDONLY,
            O_RDWR,
            O_RDONLY | O_EXCL,
            O_RDONLY | O_CREAT,
            O_RDWR | O_CREAT,
            3,
        ];
        for open in reads {
            assert_eq!((flags(open, true), flags(open, false)), (Act::Read, Act::Read), "{open:o}");
        }
        for open in [
            O_CREAT | O_EXCL,
            O_RDWR | O_CREAT | O_EXCL,
            O_WRONLY | O_CREAT | O_EXCL | O_TRUNC,
        ] {
            assert_eq!((flags(open, true), flags(open, false)), (Act::Stat, Act::Make), "{open:o}");
        }
        for open in [O_TRUNC, O_RDWR | O_TRUNC, O_WRONLY | O_TRUNC] {
            assert_eq!(flags(open, true), Act::Empty, "{open:o}");
            assert_eq!(flags(open | O_CREAT, false), Act::Make, "{open:o}");
        }
        assert_eq!((flags(O_WRONLY, true), flags(O_WRONLY, false)), (Act::Write, Act::Stat));
        assert_eq!((flags(O_WRONLY | O_CREAT, true), flags(O_WRONLY | O_CREAT, false)), (Act::Write, Act::Make));
        assert_eq!(flags(O_PATH | O_TRUNC, true), Act::Stat);
        assert_eq!(flags(O_TMPFILE | O_RDWR, true), Act::Stat);
    }

    /// What is said in the end of a file that was there, or not, and was then looked at so.
    fn told(looks: &[(Act, Option<Found>)]) -> Look {
        let mut audit = Audit::default();
        let thread = Thread(rustix::thread::gettid().as_raw_nonzero().get());
        for (act, found) in looks {
            audit.look(thread, Path::new("/repro/x"), *act, *found);
        }
        audit.looks().values().next().unwrap().clone()
    }

    #[test]
    fn what_was_there_is_read_whatever_was_asked_for_before() {
        for act in [Act::Stat, Act::Write, Act::Empty] {
            let look = told(&[(act, Some(THERE)), (Act::Read, Some(THERE)), (Act::Make, Some(THERE))]);
            assert_eq!((look.opened, look.written), (true, false), "{act:?}");
        }
    }

    #[test]
    fn what_the_run_made_is_its_own() {
        let changed = Found {
            changed: (5, 0),
            ..THERE
        };
        let another = Found {
            identity: (1, 9),
            ..THERE
        };
        let own: [&[(Act, Option<Found>)]; 5] = [
            &[(Act::Make, None), (Act::Read, Some(THERE))],
            &[(Act::Empty, Some(THERE)), (Act::Read, Some(changed))],
            &[
                (Act::Empty, Some(THERE)),
                (Act::Empty, Some(changed)),
                (Act::Read, Some(changed)),
            ],
            &[(Act::Write, Some(THERE)), (Act::Read, Some(another))],
            &[(Act::Stat, Some(THERE)), (Act::Stat, None), (Act::Read, Some(THERE))],
        ];
        for looks in own {
            let look = told(looks);
            assert_eq!((look.opened, look.written), (false, true), "{looks:?}");
        }
        // To be added to is not to be made.
        let look = told(&[(Act::Write, Some(THERE)), (Act::Read, Some(changed))]);
        assert_eq!((look.opened, look.written), (true, false));
    }

    #[test]
    fn what_was_looked_for_in_vain_is_told_apart_from_what_was_only_made() {
        assert!(told(&[(Act::Stat, None), (Act::Make, None)]).missed);
        assert!(told(&[(Act::Read, None)]).missed);
        assert!(!told(&[(Act::Make, None), (Act::Stat, None)]).missed);
    }
}
