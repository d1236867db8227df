//! From a call's arguments to the path that it is about, and to looks of the audit. What a call did is judged by
//! what is there, before and after: that it asked to write proves nothing.

use std::ffi::OsString;
use std::io::{self, Read as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, StatVfsMountFlags, open, statat};

use super::audit::{self, Act, Audit, Found};
use super::calls::{Call, Name, Wish};
use super::links::{self, PLAIN, Walked, Way};
use super::process_memory::Thread;

/// Where a call's path leads.
#[derive(Clone, Debug, Default)]
pub struct Place {
    /// As it was given, made absolute.
    pub full: PathBuf,
    /// As it is.
    pub walked: Walked,
}

/// What is needed to find it.
#[derive(Debug)]
pub struct Paths {
    /// The root directory, which no program within the sandbox can change.
    root: Option<OwnedFd>,
    has_namespaces: bool,
}

impl Paths {
    /// For programs within the sandbox, or without any.
    #[must_use]
    pub fn new(has_namespaces: bool) -> Self {
        Self {
            root: None,
            has_namespaces,
        }
    }

    fn meet(&mut self, thread: Thread) -> io::Result<()> {
        if self.root.is_none() || !self.has_namespaces {
            let flags = OFlags::PATH | OFlags::CLOEXEC;
            self.root = Some(open(thread.proc("root"), flags, Mode::empty())?);
        }
        Ok(())
    }

    /// The path of a call, made absolute; none where the kernel itself finds it wrong.
    #[must_use]
    pub fn full(&self, thread: Thread, call: &Call) -> Option<PathBuf> {
        let text = thread.text(call.at).ok()?;
        self.absolute(thread, call.directory, text, call.rooted)
    }

    fn absolute(&self, thread: Thread, directory: i32, text: Vec<u8>, rooted: bool) -> Option<PathBuf> {
        let path = PathBuf::from(OsString::from_vec(text));
        if path.is_absolute() && !rooted {
            return Some(links::past_proc(thread, path));
        }
        let directory = thread.directory(directory).ok()?;
        // What lies nowhere, such as a file in memory, has no path.
        if !directory.is_absolute() || links::is_in_memory(&directory) {
            return None;
        }
        let inner = path.strip_prefix("/").unwrap_or(&path);
        Some(links::past_proc(thread, directory.join(inner)))
    }

    /// Where a call leads that is about `full`.
    pub fn place(&mut self, thread: Thread, call: &Call, full: PathBuf) -> Place {
        let base = if call.rooted {
            thread.directory(call.directory).ok()
        } else {
            None
        };
        let way = Way {
            base: base.as_deref(),
            to_the_end: call.follows,
        };
        let walked = self.walk(thread, &full, way);
        Place { full, walked }
    }

    fn walk(&mut self, thread: Thread, path: &Path, way: Way<'_>) -> Walked {
        match self.meet(thread) {
            Ok(()) => links::followed(thread, self.root.as_ref().expect("it was just met").as_fd(), path, way),
            Err(_) => Walked {
                real: audit::normal(path),
                links: Vec::new(),
            },
        }
    }

    /// What is at a path without links.
    fn found(&self, real: &Path) -> Option<Found> {
        let stat = statat(self.root.as_ref()?, inner(real), AtFlags::SYMLINK_NOFOLLOW).ok()?;
        let kind = FileType::from_raw_mode(stat.st_mode);
        Some(Found {
            directory: kind == FileType::Directory,
            link: kind == FileType::Symlink,
            identity: (stat.st_dev, stat.st_ino),
            changed: (stat.st_mtime, i64::try_from(stat.st_mtime_nsec).unwrap_or_default()),
        })
    }

    /// Whether anything is at a path without links.
    #[must_use]
    pub fn is_there(&self, real: &Path) -> bool {
        self.found(real).is_some()
    }

    /// Writes down what a call does.
    pub fn look(&mut self, audit: &mut Audit, thread: Thread, call: &Call, place: &Place) {
        if self.meet(thread).is_err() {
            return;
        }
        for link in &place.walked.links {
            let act = if call.wish == Wish::Stat { Act::Stat } else { Act::Read };
            self.look_at(audit, thread, link, act);
        }
        let real = &place.walked.real;
        let found = self.found(real);
        let act = match call.wish {
            Wish::Stat => Act::Stat,
            // Where there is something it fails, and says so.
            Wish::Make => self.act_of_open((libc::O_CREAT | libc::O_EXCL | libc::O_WRONLY) as u64, real, found),
            Wish::Link if found.is_some_and(|found| found.link) => Act::Read,
            Wish::Link => Act::Stat,
            Wish::Execute => Act::Read,
            Wish::Open(flags) => self.act_of_open(flags, real, found),
        };
        self.look_at_found(audit, thread, real, act, found);
        if call.wish == Wish::Execute {
            for path in self.interpreters(thread, real) {
                self.look_at(audit, thread, &path, Act::Read);
            }
        }
    }

    /// The programs that the kernel starts in a program's place, or beside it: that of its first line, or its loader.
    /// It asks nobody about them.
    pub fn interpreters(&mut self, thread: Thread, program: &Path) -> Vec<PathBuf> {
        const MOST: usize = 5;
        let (mut found, mut program) = (Vec::new(), program.to_path_buf());
        for _ in 0..MOST {
            let Some(next) = self.head(&program).and_then(|head| named_within(&head)) else {
                break;
            };
            let next = Path::new(std::ffi::OsStr::from_bytes(&next));
            let here = thread.directory(libc::AT_FDCWD).unwrap_or_default();
            let walked = self.walk(thread, &here.join(next), PLAIN);
            found.extend(walked.links);
            found.push(walked.real.clone());
            program = walked.real;
        }
        found
    }

    /// How a file begins.
    fn head(&self, real: &Path) -> Option<Vec<u8>> {
        const HEAD: u64 = 64 * 1024;
        // A pipe would be waited for.
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = rustix::fs::openat(self.root.as_ref()?, inner(real), flags, Mode::empty()).ok()?;
        let file = std::fs::File::from(file);
        file.metadata().ok().filter(std::fs::Metadata::is_file)?;
        let mut head = Vec::new();
        file.take(HEAD).read_to_end(&mut head).ok()?;
        Some(head)
    }

    fn act_of_open(&self, flags: u64, real: &Path, found: Option<Found>) -> Act {
        match audit::act_of_open(flags, found.is_some()) {
            Act::Make if !self.can_make(real) && audit::reads(flags) => Act::Read,
            Act::Make if !self.can_make(real) => Act::Stat,
            act => act,
        }
    }

    fn look_at(&self, audit: &mut Audit, thread: Thread, real: &Path, act: Act) {
        self.look_at_found(audit, thread, real, act, self.found(real));
    }

    fn look_at_found(&self, audit: &mut Audit, thread: Thread, real: &Path, act: Act, found: Option<Found>) {
        let bytes = real.as_os_str().as_bytes();
        if !audit.knows(bytes, act) && audit.look(thread, real, act, found) {
            audit.remember(bytes.to_vec(), act);
        }
    }

    /// Whether something new can be put where there is nothing yet.
    fn can_make(&self, real: &Path) -> bool {
        let Some((root, parent)) = self.root.as_ref().zip(real.parent()) else {
            return false;
        };
        let flags = OFlags::PATH | OFlags::CLOEXEC | OFlags::DIRECTORY;
        let Ok(directory) = rustix::fs::openat(root, inner(parent), flags, Mode::empty()) else {
            return false;
        };
        let is_open = Mode::from_raw_mode(rustix::fs::fstat(&directory).map_or(0, |stat| stat.st_mode));
        let on = rustix::fs::fstatvfs(&directory);
        is_open.intersects(Mode::WUSR | Mode::WGRP | Mode::WOTH)
            && on.is_ok_and(|on| !on.f_flag.contains(StatVfsMountFlags::RDONLY))
    }

    /// Something gets another name, or one more: by that it is read, if the run has not made it itself.
    pub fn rename(&mut self, audit: &mut Audit, thread: Thread, from: Name, to: Name) {
        let (Some(from), Some(to)) = (self.named(thread, from), self.named(thread, to)) else {
            return;
        };
        if self.found(&from).is_none() {
            self.look_at(audit, thread, &from, Act::Stat); // it fails, and says so
            return;
        }
        for path in self.files(&from) {
            self.look_at(audit, thread, &path, Act::Read);
        }
        let act = if self.found(&to).is_some() {
            Act::Write
        } else {
            Act::Make
        };
        self.look_at(audit, thread, &to, act);
    }

    /// Where something that gets another name is, or will be.
    pub fn named(&mut self, thread: Thread, name: Name) -> Option<PathBuf> {
        let text = thread.text(name.at).ok()?;
        let full = self.absolute(thread, name.directory, text, false)?;
        self.meet(thread).ok()?;
        let to_the_end = name.follows;
        Some(self.walk(thread, &full, Way { to_the_end, ..PLAIN }).real)
    }

    /// The file at a path, or the files below it.
    fn files(&self, path: &Path) -> Vec<PathBuf> {
        const MOST: usize = 4096;
        let (mut files, mut rest) = (Vec::new(), vec![path.to_path_buf()]);
        while let Some(path) = rest.pop()
            && files.len() < MOST
        {
            match self.found(&path) {
                Some(found) if found.directory => rest.extend(self.names(&path)),
                Some(_) => files.push(path),
                None => {}
            }
        }
        files
    }

    fn names(&self, directory: &Path) -> Vec<PathBuf> {
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let opened = self
            .root
            .as_ref()
            .and_then(|root| rustix::fs::openat(root, inner(directory), flags, Mode::empty()).ok());
        let entries = opened.and_then(|opened| rustix::fs::Dir::read_from(opened).ok());
        let names = entries.into_iter().flatten().flatten().map(|entry| entry.file_name().to_bytes().to_vec());
        let own = names.filter(|name| name != b"." && name != b"..");
        own.map(|name| directory.join(OsString::from_vec(name))).collect()
    }
}

/// A path from the root directory.
fn inner(path: &Path) -> &Path {
    path.strip_prefix("/")
        .ok()
        .filter(|inner| *inner != Path::new(""))
        .unwrap_or(Path::new("."))
}

/// What the head of a program names: after `#!` (execve(2)), or as its loader (elf(5)).
fn named_within(head: &[u8]) -> Option<Vec<u8>> {
    use object::read::elf::{FileHeader as _, ProgramHeader as _};
    if let Some(line) = head.strip_prefix(b"#!") {
        let line = line.split(|byte| *byte == b'\n').next()?;
        let words = line.split(|byte| matches!(byte, b' ' | b'\t' | 0));
        return words.filter(|word| !word.is_empty()).map(<[u8]>::to_vec).next();
    }
    let header = object::elf::FileHeader64::<object::Endianness>::parse(head).ok()?;
    let endian = header.endian().ok()?;
    let segments = header.program_headers(endian, head).ok()?;
    let loader = segments.iter().find_map(|segment| segment.interpreter(endian, head).ok().flatten())?;
    Some(loader.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_starts_beside_a_program_is_named_in_its_head() {
        assert_eq!(named_within(b"#! /bin/sh -e\nexit\n").as_deref(), Some(&b"/bin/sh"[..]));
        assert_eq!(named_within(b"#!tool").as_deref(), Some(&b"tool"[..]));
        assert_eq!(named_within(b"#!\n"), None);
        assert_eq!(named_within(b"\x7fELF"), None);
        let this = std::fs::read("/proc/self/exe").unwrap();
        assert!(named_within(&this).unwrap().starts_with(b"/lib"));
    }
}
