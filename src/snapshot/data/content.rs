//! The bytes of one file of data, and what keeps them from being pinned: a file that changes while it is
//! read, one that is no file, one that only points to where its bytes are.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, fstat, openat, statat};
use rustix::io::Errno;

use crate::cache::stat::StatData;
use crate::digest::{Digest, Hasher};
use crate::error::{Error, Result};
use crate::os::env;
use crate::os::interrupt;
use crate::progress::Progress;
use crate::project::lfs;

/// Files from this size on are read by a thread of their own.
const LARGE: u64 = 8 << 20;

/// How many pieces may wait to be digested.
const PIECES: usize = 4;

const BUFFER: usize = 256 * 1024;

/// A file in a directory that is open.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// The directory.
    pub directory: BorrowedFd<'a>,
    /// Its path.
    pub parent: &'a Path,
    /// The file's name in there.
    pub name: &'a str,
}

/// A file that is open, with its stat data from before its reading.
pub struct Opened<'a> {
    place: Place<'a>,
    file: File,
    /// The stat data.
    pub stat: StatData,
}

impl<'a> Place<'a> {
    /// The whole path.
    #[must_use]
    pub fn path(self) -> PathBuf {
        self.parent.join(self.name)
    }

    /// The stat data of what is there, links followed.
    ///
    /// # Errors
    /// When there is nothing, or no file.
    pub fn stat(self) -> Result<StatData> {
        let stat = statat(self.directory, self.name, AtFlags::empty());
        self.stat_data_of(stat)
    }

    fn stat_data_of(self, stat: rustix::io::Result<Stat>) -> Result<StatData> {
        let stat = stat.map_err(|error| self.failed("look at", &error.into()))?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(not_a_file(&self.path()));
        }
        Ok(StatData::of_stat(&stat))
    }

    /// Opens it.
    ///
    /// # Errors
    /// When there is nothing, or no file.
    pub fn open(self) -> Result<Opened<'a>> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOCTTY | OFlags::NONBLOCK;
        let file = openat(self.directory, self.name, flags, Mode::empty()).map(File::from).map_err(|error| {
            // A socket cannot even be opened; that it is one says more.
            let named = self.failed("open", &error.into());
            self.stat().err().filter(|_| error == Errno::NXIO).unwrap_or(named)
        })?;
        let stat = self.stat_data_of(fstat(&file))?;
        Ok(Opened {
            place: self,
            file,
            stat,
        })
    }

    /// A file that was listed and is gone says more than that it is not there.
    fn failed(self, doing: &str, error: &std::io::Error) -> Error {
        let named = Error::io(&format!("{doing} the data"), &self.path(), error);
        match error.kind() {
            ErrorKind::NotFound => {
                named.hint("it was there a moment ago; see that nothing writes to the data, then run again")
            }
            _ => named,
        }
    }
}

impl Opened<'_> {
    /// The digest of all its bytes, and whether the stat data is to be believed later on.
    ///
    /// # Errors
    /// When it cannot be read, changes meanwhile, or is a pointer.
    pub fn digest(mut self, buffer: &mut Vec<u8>, progress: &Progress) -> Result<(Digest, bool)> {
        let read_at = env::now_ns();
        buffer.resize(BUFFER, 0);
        let read = self.read(buffer)?;
        self.refuse_pointer(&buffer[..read])?;
        progress.read(read as u64);
        let digest = if read < BUFFER && read as u64 == self.stat.size {
            // All of it, in one go. Had it changed since its stat data was taken, that would not be
            // believed the next time.
            Digest::of(&buffer[..read])
        } else {
            self.digest_the_rest(buffer, read, progress)?
        };
        Ok((digest, !self.stat.is_racy(read_at)))
    }

    fn digest_the_rest(&mut self, buffer: &mut [u8], read: usize, progress: &Progress) -> Result<Digest> {
        let (digest, read) = if self.stat.size < LARGE {
            self.digest_in_turn(buffer, read, progress)?
        } else {
            self.digest_while_reading(&buffer[..read], progress)?
        };
        let after = self.place.stat_data_of(fstat(&self.file))?;
        if after != self.stat || read != self.stat.size {
            return Err(changed(&self.place.path(), self.stat, after));
        }
        Ok(digest)
    }

    fn digest_in_turn(&mut self, buffer: &mut [u8], mut read: usize, progress: &Progress) -> Result<(Digest, u64)> {
        let mut hasher = Hasher::default();
        let mut bytes = 0;
        while read > 0 {
            interrupt::check()?;
            hasher.update(&buffer[..read]);
            bytes += read as u64;
            read = self.read(buffer)?;
            progress.read(read as u64);
        }
        Ok((hasher.finish(), bytes))
    }

    /// One thread reads while another digests: of a large file the copying is a tenth of the work.
    fn digest_while_reading(&mut self, first: &[u8], progress: &Progress) -> Result<(Digest, u64)> {
        let (full, filled) = sync_channel::<Vec<u8>>(PIECES);
        let (empty, emptied) = channel::<Vec<u8>>();
        std::thread::scope(|scope| {
            let digest = scope.spawn(move || {
                let mut hasher = Hasher::default();
                for piece in filled {
                    hasher.update(&piece);
                    // The reader may have ended already.
                    let _ = empty.send(piece);
                }
                hasher.finish()
            });
            let read = self.read_pieces(first.to_vec(), &full, &emptied, progress);
            drop(full);
            let digest = digest.join().expect("digesting does not panic");
            read.map(|read| (digest, read))
        })
    }

    /// Reads to the end, piece by piece, and gives how many bytes that were.
    fn read_pieces(
        &mut self,
        first: Vec<u8>,
        full: &SyncSender<Vec<u8>>,
        emptied: &Receiver<Vec<u8>>,
        progress: &Progress,
    ) -> Result<u64> {
        let mut piece = first;
        let mut bytes = 0;
        while !piece.is_empty() {
            interrupt::check()?;
            bytes += piece.len() as u64;
            full.send(piece).expect("the other thread takes all pieces");
            piece = emptied.try_recv().unwrap_or_default();
            piece.resize(BUFFER, 0);
            let read = self.read(&mut piece)?;
            piece.truncate(read);
            progress.read(read as u64);
        }
        Ok(bytes)
    }

    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        loop {
            match self.file.read(buffer) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => return read.map_err(|error| self.place.failed("read", &error)),
            }
        }
    }

    /// Refuses a file that only says where its bytes are, before somebody else reads it.
    ///
    /// # Errors
    /// When it is a pointer, or cannot be read.
    pub fn refuse_small_pointer(mut self) -> Result<()> {
        if self.stat.size >= lfs::LARGEST {
            return Ok(());
        }
        let mut beginning = vec![0; BUFFER];
        let read = self.read(&mut beginning)?;
        self.refuse_pointer(&beginning[..read])
    }

    fn refuse_pointer(&self, beginning: &[u8]) -> Result<()> {
        if lfs::is_pointer(beginning) {
            let path = self.place.path();
            return Err(Error::new(format!("the data {} is a Git LFS pointer, not the data itself", path.display()))
                .hint("`git lfs pull` fetches what it points to"));
        }
        Ok(())
    }
}

/// That something has no content to pin.
pub fn not_a_file(path: &Path) -> Error {
    Error::new(format!("the data {} is neither a file nor a directory", path.display()))
        .hint("sockets, pipes and devices have no content that could be pinned")
}

/// That a file is no longer what it was when its reading began.
pub fn changed(path: &Path, before: StatData, after: StatData) -> Error {
    let how = match after.size.cmp(&before.size) {
        std::cmp::Ordering::Less => format!("it shrank from {} to {} bytes", before.size, after.size),
        std::cmp::Ordering::Greater => format!("it grew from {} to {} bytes", before.size, after.size),
        std::cmp::Ordering::Equal => "it was written to, or replaced".to_owned(),
    };
    Error::new(format!("the data {} changed while it was read: {how}", path.display()))
        .hint("see that nothing writes to the data, then run again")
}
