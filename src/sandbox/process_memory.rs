//! The memory and the descriptors of a process that waits for an answer.

use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use nix::sys::uio::{RemoteIoVec, process_vm_readv, process_vm_writev};
use nix::unistd::Pid;

/// A thread of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Thread(pub i32);

/// The longest path that the kernel takes.
const LONGEST_PATH: usize = 4096;

impl Thread {
    /// Reads memory, as much as there is.
    ///
    /// # Errors
    /// When nothing can be read there.
    pub fn read(self, address: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let base = usize::try_from(address).map_err(io::Error::other)?;
        let len = buffer.len();
        let remote = [RemoteIoVec { base, len }];
        Ok(process_vm_readv(Pid::from_raw(self.0), &mut [IoSliceMut::new(buffer)], &remote)?)
    }

    /// Writes all of it.
    ///
    /// # Errors
    /// When it cannot be written there.
    pub fn write(self, address: u64, bytes: &[u8]) -> io::Result<()> {
        let base = usize::try_from(address).map_err(io::Error::other)?;
        let remote = [RemoteIoVec { base, len: bytes.len() }];
        let written = process_vm_writev(Pid::from_raw(self.0), &[IoSlice::new(bytes)], &remote)?;
        if written == bytes.len() {
            Ok(())
        } else {
            Err(io::ErrorKind::WriteZero.into())
        }
    }

    /// A number of eight bytes.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn word(self, address: u64) -> io::Result<u64> {
        let mut bytes = [0; 8];
        if self.read(address, &mut bytes)? < 8 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(u64::from_ne_bytes(bytes))
    }

    /// The text that ends with a zero, in one read where it does not cross into another page.
    ///
    /// # Errors
    /// When it cannot be read, or is longer than a path.
    pub fn text(self, address: u64) -> io::Result<Vec<u8>> {
        const PAGE: u64 = 4096;
        let mut text = Vec::new();
        while text.len() <= LONGEST_PATH {
            let at = address + text.len() as u64;
            let mut part = [0; 512];
            let to_page = usize::try_from(PAGE - at % PAGE).unwrap_or(part.len());
            let wanted = to_page.min(part.len());
            let read = self.read(at, &mut part[..wanted])?;
            if read == 0 {
                break;
            }
            if let Some(end) = part[..read].iter().position(|byte| *byte == 0) {
                text.extend_from_slice(&part[..end]);
                return Ok(text);
            }
            text.extend_from_slice(&part[..read]);
        }
        Err(io::ErrorKind::InvalidData.into())
    }

    /// A file of the kernel's about it.
    #[must_use]
    pub fn proc(self, name: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{name}", self.0))
    }

    /// Its current directory, or that which a descriptor is open on, as it sees it.
    ///
    /// # Errors
    /// When there is none.
    pub fn directory(self, descriptor: i32) -> io::Result<PathBuf> {
        if descriptor == libc::AT_FDCWD {
            std::fs::read_link(self.proc("cwd"))
        } else {
            std::fs::read_link(self.proc(&format!("fd/{descriptor}")))
        }
    }

    /// The process that it is a thread of.
    #[must_use]
    pub fn process(self) -> Self {
        let status = std::fs::read_to_string(self.proc("status")).unwrap_or_default();
        let group = status.lines().find_map(|line| line.strip_prefix("Tgid:"));
        group.and_then(|number| number.trim().parse().ok()).map_or(self, Self)
    }

    /// The file that it executes, as it sees it.
    #[must_use]
    pub fn executable(self) -> Option<PathBuf> {
        std::fs::read_link(self.proc("exe")).ok()
    }

    /// A descriptor of its, shared with its position.
    ///
    /// # Errors
    /// When there is none, or this machine does not give it.
    pub fn shared(self, descriptor: i32) -> io::Result<OwnedFd> {
        use rustix::process::{PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};
        let process = rustix::process::Pid::from_raw(self.process().0).ok_or(io::ErrorKind::NotFound)?;
        let process = pidfd_open(process, PidfdFlags::empty())?;
        Ok(pidfd_getfd(process, descriptor, PidfdGetfdFlags::empty())?)
    }

    /// The instruction and stack pointers with which it waits in a system call.
    #[must_use]
    pub fn pointers(self) -> Option<(u64, u64)> {
        let line = std::fs::read_to_string(self.proc("syscall")).ok()?;
        let mut last = line.split_whitespace().rev().map(|text| text.trim_start_matches("0x"));
        let mut hex = || last.next().and_then(|text| u64::from_str_radix(text, 16).ok());
        let (pc, sp) = (hex()?, hex()?);
        Some((pc, sp))
    }

    /// Opens a path as it sees it.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(self, path: &std::path::Path) -> io::Result<File> {
        let inner = path.strip_prefix("/").unwrap_or(path);
        File::open(self.proc("root").join(inner))
    }
}
