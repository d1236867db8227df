//! Directory entries in an order of ours (getdents64(2)): the file system's own differs from one machine
//! to the next, and on some from one directory to its copy.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;

use rustix::fs::RawDir;

use super::Order;
use super::process_memory::Thread;

/// Directories that are being read, by process and descriptor.
#[derive(Debug, Default)]
pub struct Directories(BTreeMap<(i32, i32), VecDeque<Entry>>);

#[derive(Debug)]
struct Entry {
    name: Vec<u8>,
    inode: u64,
    kind: u8,
}

impl Directories {
    /// The next entries, as the kernel lays them out, as many as fit; nothing at the end.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn next(&mut self, thread: Thread, descriptor: i32, room: usize, order: Order) -> io::Result<Vec<u8>> {
        let key = (thread.process().0, descriptor);
        // Read whole at the first call, through a descriptor that shares its position: at the beginning
        // again means that it was rewound, or is another one by now.
        let shared = thread.shared(descriptor)?;
        if rustix::fs::tell(&shared)? == 0 {
            self.0.insert(key, read(&shared, order)?);
        }
        let entries = self.0.entry(key).or_default();
        let mut laid_out = Vec::new();
        while let Some(entry) = entries.front() {
            let bytes = entry.laid_out();
            if laid_out.len() + bytes.len() > room {
                if laid_out.is_empty() {
                    return Err(io::ErrorKind::InvalidInput.into());
                }
                break;
            }
            laid_out.extend(bytes);
            entries.pop_front();
        }
        Ok(laid_out)
    }
}

fn read(directory: &OwnedFd, order: Order) -> io::Result<VecDeque<Entry>> {
    let mut buffer = [MaybeUninit::uninit(); 32 * 1024];
    let mut raw = RawDir::new(directory, &mut buffer);
    let mut entries = Vec::new();
    while let Some(entry) = raw.next() {
        let entry = entry?;
        entries.push(Entry {
            name: entry.file_name().to_bytes().to_vec(),
            inode: entry.ino(),
            kind: kind(entry.file_type()),
        });
    }
    entries.sort_by(|one, other| one.name.cmp(&other.name));
    if order == Order::Reversed {
        entries.reverse();
    }
    Ok(entries.into())
}

fn kind(kind: rustix::fs::FileType) -> u8 {
    use rustix::fs::FileType;
    match kind {
        FileType::RegularFile => libc::DT_REG,
        FileType::Directory => libc::DT_DIR,
        FileType::Symlink => libc::DT_LNK,
        FileType::Fifo => libc::DT_FIFO,
        FileType::Socket => libc::DT_SOCK,
        FileType::CharacterDevice => libc::DT_CHR,
        FileType::BlockDevice => libc::DT_BLK,
        FileType::Unknown => libc::DT_UNKNOWN,
    }
}

impl Entry {
    /// `struct linux_dirent64`, filled up to eight bytes. No program may use its offset for anything but
    /// coming back, so one that is never zero does.
    fn laid_out(&self) -> Vec<u8> {
        const HEADER: usize = 19;
        let length = (HEADER + self.name.len() + 1).next_multiple_of(8);
        let mut bytes = Vec::with_capacity(length);
        bytes.extend(self.inode.to_ne_bytes());
        bytes.extend(1u64.to_ne_bytes());
        bytes.extend(u16::try_from(length).expect("names are short").to_ne_bytes());
        bytes.push(self.kind);
        bytes.extend(&self.name);
        bytes.resize(length, 0);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(order: Order) -> Vec<String> {
        let scratch = tempfile::tempdir().unwrap();
        for name in ["b", "a", "c"] {
            std::fs::write(scratch.path().join(name), "").unwrap();
        }
        let directory = OwnedFd::from(std::fs::File::open(scratch.path()).unwrap());
        let entries = read(&directory, order).unwrap();
        let names = entries.iter().map(|entry| String::from_utf8(entry.name.clone()).unwrap());
        names.filter(|name| !name.starts_with('.')).collect()
    }

    #[test]
    fn entries_come_in_the_order_asked_for() {
        assert_eq!(names(Order::Sorted), ["a", "b", "c"]);
        assert_eq!(names(Order::Reversed), ["c", "b", "a"]);
    }

    #[test]
    fn an_entry_is_laid_out_as_the_kernel_does() {
        let entry = Entry {
            name: b"name".to_vec(),
            inode: 7,
            kind: libc::DT_REG,
        };
        let bytes = entry.laid_out();
        assert_eq!((bytes.len(), bytes[16], bytes[18], &bytes[19..24]), (24, 24, libc::DT_REG, &b"name\0"[..]));
    }
}
