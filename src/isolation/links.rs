//! Where a path leads by links: those of the file system, and those by which `/proc` shows a process's root,
//! directory and open files. What is read by another name is read all the same.

use std::ffi::OsString;
use std::io;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{Mode, OFlags, ResolveFlags, open, openat2};

use super::audit::normal;
use super::remote::Thread;

/// The kernel follows no more in one path either.
const MOST_LINKS: usize = 40;

/// The path as the thread would walk it, without `..` and without links; also where nothing is there.
#[must_use]
pub fn followed(thread: Thread, path: &Path) -> PathBuf {
    if has_links(thread, path).unwrap_or(false) {
        walk(thread, path)
    } else {
        normal(path)
    }
}

/// Past the links that lead out of `/proc`; any other path is left as it is.
#[must_use]
pub fn past_proc(thread: Thread, path: PathBuf) -> PathBuf {
    if !path.starts_with("/proc") && !path.starts_with("/dev/fd") {
        return path;
    }
    let followed = followed(thread, &path);
    if followed.starts_with("/proc") { path } else { followed }
}

/// Asks the kernel, which walks faster than we do.
fn has_links(thread: Thread, path: &Path) -> io::Result<bool> {
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let root = open(thread.proc("root"), flags, Mode::empty())?;
    let inner = path.strip_prefix("/").unwrap_or(path);
    let found = openat2(root, inner, flags, Mode::empty(), ResolveFlags::IN_ROOT | ResolveFlags::NO_SYMLINKS);
    Ok(found.is_err_and(|error| error == rustix::io::Errno::LOOP))
}

fn walk(thread: Thread, path: &Path) -> PathBuf {
    let parts = |path: &Path| -> Vec<OsString> {
        let names = path
            .components()
            .filter(|part| matches!(part, Component::Normal(_) | Component::ParentDir));
        names.map(|part| part.as_os_str().to_owned()).rev().collect()
    };
    let mut rest = parts(path);
    let mut real = PathBuf::from("/");
    let mut links = 0;
    while let Some(part) = rest.pop() {
        if part == ".." {
            real.pop();
            continue;
        }
        real.push(part);
        let Some(target) = link(thread, &real).filter(|_| links < MOST_LINKS) else {
            continue;
        };
        links += 1;
        if target.is_absolute() {
            real = PathBuf::from("/");
        } else {
            real.pop();
        }
        rest.extend(parts(&target));
    }
    real
}

/// Where a link leads; none for what is none, or leads to no file.
fn link(thread: Thread, path: &Path) -> Option<PathBuf> {
    let of = |process: Thread, inner: &Path| process.proc(&inner.to_string_lossy());
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
    is_file.then_some(target)
}

#[cfg(test)]
mod tests {
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
        let followed = |name: &str| followed(this(), &place.join(name));
        assert_eq!(followed("here"), Path::new("/nowhere/at/all"));
        assert_eq!(followed("here/../x"), Path::new("/nowhere/at/x"));
        assert_eq!(followed("none/../x"), place.join("x"));
        assert_eq!(followed("round"), place.join("round"));
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
