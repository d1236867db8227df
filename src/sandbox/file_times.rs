//! The times of files that a program has written itself: the kernel puts its own clock there, and no answer of
//! ours is asked for. So they are set to a given date whenever the program is about to look at them.

use std::io;
use std::path::Path;

use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags, Timespec, Timestamps, fstat, open, openat2, utimensat,
};

use super::process_memory::Thread;

/// Sets the times of what a thread looks at: a path as it sees it, or without one what a descriptor is open on.
/// Within the namespaces it could do so itself; what it may not write to stays as it is.
///
/// # Errors
/// When there is no such file, or it is not the thread's to change.
pub fn hold(thread: Thread, path: Option<&Path>, descriptor: i32, date: i64) -> io::Result<()> {
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let file = match path {
        Some(path) => {
            let root = open(thread.proc("root"), flags, Mode::empty())?;
            openat2(root, path, flags, Mode::empty(), ResolveFlags::IN_ROOT)?
        }
        None => open(thread.proc(&format!("fd/{descriptor}")), flags, Mode::empty())?,
    };
    // Devices are the machine's.
    if !matches!(FileType::from_raw_mode(fstat(&file)?.st_mode), FileType::RegularFile | FileType::Directory) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let time = Timespec {
        tv_sec: date,
        tv_nsec: 0,
    };
    let times = Timestamps {
        last_access: time,
        last_modification: time,
    };
    let own = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&file));
    Ok(utimensat(CWD, own, &times, AtFlags::empty())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_as_old_as_it_is_told_to_be() {
        use std::os::fd::AsRawFd as _;
        use std::os::unix::fs::MetadataExt as _;
        let file = tempfile::NamedTempFile::new().unwrap();
        let this = Thread(std::process::id().cast_signed());
        hold(this, Some(file.path()), 0, 1_000_000_000).unwrap();
        assert_eq!(file.path().metadata().unwrap().mtime(), 1_000_000_000);
        hold(this, None, file.as_raw_fd(), 7).unwrap();
        assert_eq!(file.path().metadata().unwrap().mtime(), 7);
        assert!(hold(this, Some(Path::new("/dev/null")), 0, 7).is_err());
    }
}
