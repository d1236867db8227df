//! Files that are opened in place of others: a copy of a file of the kernel that changes by itself, and
//! bytes that lie nowhere.

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use super::remote::Thread;

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
