//! Calls that are about paths, by their numbers and arguments.

use libc::c_long;

use super::audit::{self, has};
use super::process_memory::Thread;

/// fchmodat2(2)
pub const FCHMODAT2: c_long = 452;

/// What a call asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Whether there is something, and what the kernel says of it: what takes it away or changes it tells as well.
    Stat,
    /// To put something there that was not.
    Make,
    /// Where a link leads.
    Link,
    /// To become this program.
    Execute,
    /// To open it, with these flags.
    Open(u64),
}

/// A call that is about a path, by its arguments.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// The directory from which it counts.
    pub directory: i32,
    /// Where the path is in memory.
    pub at: u64,
    /// What for.
    pub wish: Wish,
    /// Whether its last name is followed where it is a link.
    pub follows: bool,
    /// Whether the directory is the root for this call.
    pub rooted: bool,
}

impl Call {
    fn new(directory: i32, at: u64, wish: Wish) -> Self {
        let follows = match wish {
            Wish::Link | Wish::Make => false,
            Wish::Open(flags) => {
                !(has(flags, libc::O_NOFOLLOW) || has(flags, libc::O_CREAT) && has(flags, libc::O_EXCL))
            }
            _ => true,
        };
        Self {
            directory,
            at,
            wish,
            follows,
            rooted: false,
        }
    }

    fn stat(directory: i32, at: u64, flags: u64) -> Self {
        Self {
            follows: !has(flags, libc::AT_SYMLINK_NOFOLLOW),
            ..Self::new(directory, at, Wish::Stat)
        }
    }

    /// One about the name itself, be it a link.
    fn of_itself(directory: i32, at: u64) -> Self {
        Self {
            follows: false,
            ..Self::new(directory, at, Wish::Stat)
        }
    }

    /// The call of that number, if it is about one path.
    #[must_use]
    pub fn of(thread: Thread, number: c_long, args: [u64; 6]) -> Option<Self> {
        let here = libc::AT_FDCWD;
        let at = args[0] as i32;
        #[cfg(target_arch = "x86_64")]
        match number {
            libc::SYS_open => return Some(Self::new(here, args[0], Wish::Open(args[1]))),
            libc::SYS_creat => {
                let flags = libc::O_CREAT | libc::O_TRUNC | libc::O_WRONLY;
                return Some(Self::new(here, args[0], Wish::Open(u64::from(flags.cast_unsigned()))));
            }
            libc::SYS_lstat | libc::SYS_unlink | libc::SYS_rmdir | libc::SYS_lchown => {
                return Some(Self::of_itself(here, args[0]));
            }
            libc::SYS_stat
            | libc::SYS_access
            | libc::SYS_chmod
            | libc::SYS_chown
            | libc::SYS_utime
            | libc::SYS_utimes => return Some(Self::new(here, args[0], Wish::Stat)),
            libc::SYS_futimesat => return Some(Self::new(at, args[1], Wish::Stat)),
            libc::SYS_mkdir | libc::SYS_mknod => return Some(Self::new(here, args[0], Wish::Make)),
            libc::SYS_symlink => return Some(Self::new(here, args[1], Wish::Make)),
            libc::SYS_readlink => return Some(Self::new(here, args[0], Wish::Link)),
            _ => {}
        }
        Some(match number {
            libc::SYS_openat => Self::new(at, args[1], Wish::Open(args[2])),
            libc::SYS_openat2 => {
                // struct open_how: flags, mode, resolve
                let flags = thread.word(args[2]).unwrap_or(0);
                let resolve = thread.word(args[2] + 16).unwrap_or(0);
                Self {
                    rooted: resolve & libc::RESOLVE_IN_ROOT != 0,
                    ..Self::new(at, args[1], Wish::Open(flags))
                }
            }
            libc::SYS_execve => Self::new(here, args[0], Wish::Execute),
            libc::SYS_execveat => Self::new(at, args[1], Wish::Execute),
            libc::SYS_newfstatat | libc::SYS_faccessat2 => Self::stat(at, args[1], args[3]),
            libc::SYS_statx => Self::stat(at, args[1], args[2]),
            libc::SYS_utimensat | FCHMODAT2 => Self::stat(at, args[1], args[3]),
            libc::SYS_fchownat => Self::stat(at, args[1], args[4]),
            libc::SYS_faccessat | libc::SYS_fchmodat => Self::new(at, args[1], Wish::Stat),
            libc::SYS_unlinkat => Self::of_itself(at, args[1]),
            libc::SYS_mkdirat | libc::SYS_mknodat => Self::new(at, args[1], Wish::Make),
            libc::SYS_symlinkat => Self::new(args[1] as i32, args[2], Wish::Make),
            libc::SYS_readlinkat => Self::new(at, args[1], Wish::Link),
            libc::SYS_statfs
            | libc::SYS_chdir
            | libc::SYS_truncate
            | libc::SYS_getxattr
            | libc::SYS_listxattr
            | libc::SYS_setxattr
            | libc::SYS_removexattr => Self::new(here, args[0], Wish::Stat),
            libc::SYS_lgetxattr | libc::SYS_llistxattr | libc::SYS_lsetxattr | libc::SYS_lremovexattr => {
                Self::of_itself(here, args[0])
            }
            libc::SYS_inotify_add_watch => Self::new(here, args[1], Wish::Stat),
            _ => return None,
        })
    }

    /// Whether it reads what it opens.
    #[must_use]
    pub fn reads(&self) -> bool {
        matches!(self.wish, Wish::Open(flags) if audit::reads(flags))
    }
}

/// One of the two names that a call is about which gives another.
#[derive(Clone, Copy, Debug)]
pub struct Name {
    /// The directory from which it counts.
    pub directory: i32,
    /// Where it is in memory.
    pub at: u64,
    /// Whether it is followed where it is a link.
    pub follows: bool,
}

/// The old name and the new one of each thing to which a call gives another.
#[must_use]
pub fn renamings(number: c_long, args: [u64; 6]) -> Vec<(Name, Name)> {
    let name = |directory: u64, at: u64, follows: bool| Name {
        directory: directory as i32,
        at,
        follows,
    };
    #[cfg(target_arch = "x86_64")]
    if matches!(number, libc::SYS_rename | libc::SYS_link) {
        let here = u64::from(libc::AT_FDCWD.cast_unsigned());
        return vec![(name(here, args[0], false), name(here, args[1], false))];
    }
    match number {
        libc::SYS_renameat | libc::SYS_renameat2 => {
            let (from, to) = (name(args[0], args[1], false), name(args[2], args[3], false));
            if number == libc::SYS_renameat2 && has(args[4], libc::RENAME_EXCHANGE.cast_signed()) {
                vec![(to, from), (from, to)]
            } else {
                vec![(from, to)]
            }
        }
        libc::SYS_linkat => {
            vec![(name(args[0], args[1], has(args[4], libc::AT_SYMLINK_FOLLOW)), name(args[2], args[3], false))]
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_told_by_what_they_follow() {
        let call = |number, args| Call::of(Thread(0), number, args).unwrap();
        let flags = |flags: i32| u64::from(flags.cast_unsigned());
        let open = |flags_of: i32| call(libc::SYS_openat, [0, 0, flags(flags_of), 0, 0, 0]);
        assert!(open(libc::O_RDONLY).follows && open(libc::O_RDONLY).reads());
        assert!(!open(libc::O_NOFOLLOW).follows && !open(libc::O_CREAT | libc::O_EXCL).follows);
        assert!(!open(libc::O_WRONLY).reads() && !open(libc::O_PATH).reads());
        assert!(!call(libc::SYS_readlinkat, [0; 6]).follows && !call(libc::SYS_lgetxattr, [0; 6]).follows);
        assert!(!call(libc::SYS_statx, [0, 0, flags(libc::AT_SYMLINK_NOFOLLOW), 0, 0, 0]).follows);
        assert!(!call(libc::SYS_unlinkat, [0; 6]).follows && call(libc::SYS_truncate, [0; 6]).follows);
        assert!(!call(libc::SYS_utimensat, [0, 0, 0, flags(libc::AT_SYMLINK_NOFOLLOW), 0, 0]).follows);
        assert!(Call::of(Thread(0), libc::SYS_read, [0; 6]).is_none());
    }

    #[test]
    fn what_makes_something_makes_it_at_its_last_argument() {
        for (number, at) in [(libc::SYS_mkdirat, 2), (libc::SYS_mknodat, 2), (libc::SYS_symlinkat, 3)] {
            let call = Call::of(Thread(0), number, [1, 2, 3, 4, 5, 6]).unwrap();
            assert_eq!((call.wish, call.at, call.follows), (Wish::Make, at, false), "{number}");
        }
    }

    #[test]
    fn an_exchange_gives_both_another_name() {
        let exchange = u64::from(libc::RENAME_EXCHANGE);
        assert_eq!(renamings(libc::SYS_renameat2, [1, 2, 3, 4, exchange, 0]).len(), 2);
        assert_eq!(renamings(libc::SYS_renameat2, [1, 2, 3, 4, 0, 0]).len(), 1);
        assert_eq!(renamings(libc::SYS_linkat, [1, 2, 3, 4, 0, 0])[0].1.at, 4);
        assert!(renamings(libc::SYS_openat, [0; 6]).is_empty());
    }
}
