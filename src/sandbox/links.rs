//! Where a path leads by links: those of the file system, and those by which `/proc` shows a process's root,
//! directory and open files. What is read by another name is read all the same.

use std::ffi::OsString;
use std::io;
use std::os::fd::BorrowedFd;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};
use rustix::io::Errno;

use super::audit::normal;
use super::process_memory::Thread;

/// The kernel follows no more in one path either.
const MOST_LINKS: usize = 40;

/// A path as the kernel walks it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Walked {
    /// Without `..` and without links; also where nothing is there. Of a path that `..` leads out of something that is
    /// not there, it is that: the kernel comes no further, and what it would be says where `..` leads.
    pub real: PathBuf,
    /// The links on the way.
    pub links: Vec<PathBuf>,
}

/// How a path is to be walked.
#[derive(Clone, Copy, Debug)]
pub struct Way<'a> {
    /// The directory that a call puts in the root's place: nothing leads out of it.
    pub base: Option<&'a Path>,
    /// Whether the last name is followed where it is a link.
    pub to_the_end: bool,
}

/// As most calls walk it.
pub const PLAIN: Way<'static> = Way {
    base: None,
    to_the_end: true,
};

/// The path as the thread would walk it; `root` is its root directory.
#[must_use]
pub fn followed(thread: Thread, root: BorrowedFd<'_>, path: &Path, way: Way<'_>) -> Walked {
    let climbs = || path.components().any(|part| part == Component::ParentDir);
    let must_walk = way.base.is_some()
        || match found(root, path, way) {
            Ok(()) => false,
            // Before it comes to a link it may have come to where nothing is, and from there `..` leads nowhere.
            Err(error) => error == Errno::LOOP || climbs(),
        };
    if must_walk {
        walk(thread, path, way)
    } else {
        Walked {
            real: normal(path),
            links: Vec::new(),
        }
    }
}

/// Past the links that lead out of `/proc`; any other path is left as it is.
#[must_use]
pub fn past_proc(thread: Thread, path: PathBuf) -> PathBuf {
    if !path.starts_with("/proc") && !path.starts_with("/dev/fd") {
        return path;
    }
    let followed = walk(thread, &path, PLAIN).real;
    if followed.starts_with("/proc") { path } else { followed }
}

/// Asks the kernel, which walks faster than we do, whether something is there and no link on the way.
fn found(root: BorrowedFd<'_>, path: &Path, way: Way<'_>) -> Result<(), Errno> {
    let mut flags = OFlags::PATH | OFlags::CLOEXEC;
    if !way.to_the_end {
        flags |= OFlags::NOFOLLOW;
    }
    let inner = path.strip_prefix("/").unwrap_or(path);
    openat2(root, inner, flags, Mode::empty(), ResolveFlags::IN_ROOT | ResolveFlags::NO_SYMLINKS).map(drop)
}

fn walk(thread: Thread, path: &Path, way: Way<'_>) -> Walked {
    let parts = |path: &Path| -> Vec<OsString> {
        let names = path
            .components()
            .filter(|part| matches!(part, Component::Normal(_) | Component::ParentDir));
        names.map(|part| part.as_os_str().to_owned()).rev().collect()
    };
    let base = way.base.unwrap_or(Path::new("/"));
    let mut rest = parts(path.strip_prefix(base).unwrap_or(path));
    let mut walked = Walked {
        real: base.to_path_buf(),
        links: Vec::new(),
    };
    while let Some(part) = rest.pop() {
        let real = &mut walked.real;
        if part == ".." {
            if is_missing(thread, real) {
                break;
            }
            if real != base {
                real.pop();
            }
            continue;
        }
        real.push(part);
        if rest.is_empty() && !way.to_the_end {
            break;
        }
        let Some(target) = link(thread, real).filter(|_| walked.links.len() < MOST_LINKS) else {
            continue;
        };
        walked.links.push(real.clone());
        if target.is_absolute() {
            *real = base.to_path_buf();
        } else {
            real.pop();
        }
        rest.extend(parts(&target));
    }
    walked
}

/// Whether this is how the kernel calls a file that lies nowhere (memfd_create(2)).
#[must_use]
pub fn is_in_memory(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().starts_with(b"/memfd:")
}

/// Whether nothing is at a path without links. What `/proc` has depends on who asks.
fn is_missing(thread: Thread, path: &Path) -> bool {
    let place = thread.proc("root").join(path.strip_prefix("/").unwrap_or(path));
    let missing = |error: io::Error| error.kind() == io::ErrorKind::NotFound;
    !path.starts_with("/proc") && place.symlink_metadata().is_err_and(missing)
}

/// Where a link leads; none for what is none, or leads to no file.
fn link(thread: Thread, path: &Path) -> Option<PathBuf> {
    let of = |process: Thread, inner: &Path| process.proc(&inner.to_string_lossy());
    // What the first process within has open is its own.
    if path.starts_with("/proc/1") {
        return None;
    }
    // These are whoever asks, and here we do.
    if path == Path::new("/proc/self") || path == Path::new("/proc/thread-self") {
        return None;
    }
    let place = if let Ok(inner) = path.strip_prefix("/proc/self") {
        of(thread.process(), inner)
    } else if let Ok(inner) = path.strip_prefix("/proc/thread-self") {
        of(thread, inner)
    } else {
        of(thread, &Path::new("root").join(path.strip_prefix("/").unwrap_or(path)))
    };
    let target = std::fs::read_link(place).ok()?;
    let is_file = !target.to_string_lossy().contains(":[") && !target.starts_with("anon_inode:");
    (is_file && !is_in_memory(&target)).then_some(target)
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd as _;

    use super::*;

    fn this() -> Thread {
        Thread(rustix::thread::gettid().as_raw_nonzero().get())
    }

    #[test]
    fn links_are_followed_to_where_nothing_is() {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().canonicalize().unwrap();
        std::os::unix::fs::symlink("there", place.join("here")).unwrap();
        std::os::unix::fs::symlink("/nowhere/at/all", place.join("there")).unwrap();
        std::os::unix::fs::symlink("round", place.join("round")).unwrap();
        let root = std::fs::File::open("/").unwrap();
        let followed = |name: &str| followed(this(), root.as_fd(), &place.join(name), PLAIN).real;
        assert_eq!(followed("here"), Path::new("/nowhere/at/all"));
        assert_eq!(followed("here/../x"), Path::new("/nowhere/at/all"));
        assert_eq!(followed("none/../x"), place.join("none"), "the kernel comes no further");
        std::fs::create_dir(place.join("some")).unwrap();
        assert_eq!(followed("some/../x"), place.join("x"));
        std::os::unix::fs::symlink("none/../x", place.join("on")).unwrap();
        assert_eq!(followed("some/../on"), place.join("none"));
        assert_eq!(followed("round"), place.join("round"));
    }

    #[test]
    fn a_way_may_end_at_its_last_link_and_may_have_a_root_of_its_own() {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().canonicalize().unwrap();
        std::fs::create_dir(place.join("inner")).unwrap();
        std::os::unix::fs::symlink("/inner", place.join("here")).unwrap();
        std::os::unix::fs::symlink("here", place.join("there")).unwrap();
        let root = std::fs::File::open("/").unwrap();
        let last = Way {
            to_the_end: false,
            ..PLAIN
        };
        let walked = followed(this(), root.as_fd(), &place.join("there"), last);
        assert_eq!((walked.real, walked.links), (place.join("there"), Vec::new()));
        let walked = followed(
            this(),
            root.as_fd(),
            &place.join("there/../../x"),
            Way {
                base: Some(&place),
                ..PLAIN
            },
        );
        assert_eq!((walked.real, walked.links), (place.join("x"), vec![place.join("there"), place.join("here")]));
    }

    #[test]
    fn what_proc_shows_of_a_process_is_where_it_is() {
        let past = |path: &str| past_proc(this(), PathBuf::from(path));
        assert_eq!(past("/proc/self/root/etc/../etc/none"), Path::new("/etc/none"));
        assert_eq!(past("/proc/thread-self/root/../etc/none"), Path::new("/etc/none"));
        assert_eq!(past("/proc/self/cwd/none"), std::fs::read_link("/proc/self/cwd").unwrap().join("none"));
        let file = std::fs::File::open("/etc/passwd").unwrap();
        let number = std::os::fd::AsRawFd::as_raw_fd(&file);
        assert_eq!(past(&format!("/dev/fd/{number}")), Path::new("/etc/passwd"));
        assert_eq!(past("/proc/self/stat"), Path::new("/proc/self/stat"));
        assert_eq!(past("/proc/net/dev"), Path::new("/proc/net/dev"));
    }
}
