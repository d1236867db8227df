//! Reads files of others within bounds: what lies in a repository may be a link to `/dev/zero`, a pipe that nobody
//! writes to, or larger than memory. Whatever is no regular file is refused without waiting, and so is what is larger
//! than a file of its kind has reason to be. What has no such size, such as data, is read from [`open`] piece by piece.

use std::fs::{File, Metadata};
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::Path;

use rustix::fs::OFlags;

use crate::os::interrupt;

/// The most of what people write by hand: manifests, cargo's configuration, `.dvc` files, keys, attestations.
pub const WRITTEN: u64 = 4 << 20;

/// The most of what tools write: locks, metrics, lists of what a compiler read.
pub const GENERATED: u64 = 64 << 20;

/// The most of any file that is held in memory as a whole: a package's archive, a source.
pub const HELD: u64 = 1 << 30;

/// So much is read between two looks at whether the user has interrupted.
const PIECE: u64 = 1 << 20;

/// Opens a regular file, or what a link to one leads to.
///
/// # Errors
/// When it is anything else, or cannot be opened.
pub fn open(path: &Path) -> io::Result<File> {
    opened(path).map(|(file, _)| file)
}

fn opened(path: &Path) -> io::Result<(File, Metadata)> {
    // Looked at first: to open a device, or the end of a pipe, may already do something.
    refuse_special(&std::fs::metadata(path)?)?;
    let file = unblocked(path)?;
    // And again, since it may have been replaced.
    let found = file.metadata()?;
    refuse_special(&found)?;
    Ok((file, found))
}

fn unblocked(path: &Path) -> io::Result<File> {
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    File::options().read(true).custom_flags(flags.bits().cast_signed()).open(path)
}

/// The bytes of a regular file, of which there are at most so many.
///
/// # Errors
/// When it is no regular file, has more bytes, or cannot be read.
pub fn bytes(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let (file, found) = opened(path)?;
    if found.len() > most {
        return Err(too_large(most));
    }
    rest(file, most, found.len())
}

/// The same, as text.
///
/// # Errors
/// As [`bytes`], and when it is not UTF-8.
pub fn text(path: &Path, most: u64) -> io::Result<String> {
    let bytes = bytes(path, most)?;
    String::from_utf8(bytes).map_err(|_| io::Error::new(ErrorKind::InvalidData, "it is not UTF-8"))
}

/// The bytes of a short file of the kernel's own. The user's interrupt stops every other reading, and not this one: what
/// has to be ended then is found in such files.
///
/// # Errors
/// When it cannot be read.
pub fn kernels(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.take(WRITTEN).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Whether a file is as it must be to be read by somebody else, such as cargo, who looks at nothing before. That
/// there is none is for them to say.
///
/// # Errors
/// When something else than a regular file is there, or it has more bytes.
pub fn check(path: &Path, most: u64) -> io::Result<()> {
    match std::fs::metadata(path) {
        Ok(found) => refuse_special(&found).and_then(|()| {
            let fits = found.len() <= most;
            fits.then_some(()).ok_or_else(|| too_large(most))
        }),
        Err(_) => Ok(()),
    }
}

/// What is left of a stream, of which there are at most so many bytes; `expected` of them, as it seems.
///
/// # Errors
/// When there are more, or it cannot be read.
pub fn rest(stream: impl io::Read, most: u64, expected: u64) -> io::Result<Vec<u8>> {
    let room = expected.min(most).min(PIECE);
    let mut bytes = Vec::with_capacity(usize::try_from(room).unwrap_or(0));
    let mut stream = stream.take(most.saturating_add(1));
    loop {
        interrupt::check().map_err(|_| io::Error::from(ErrorKind::Interrupted))?;
        if stream.by_ref().take(PIECE).read_to_end(&mut bytes)? == 0 {
            break;
        }
    }
    if bytes.len() as u64 > most {
        return Err(too_large(most));
    }
    Ok(bytes)
}

fn refuse_special(found: &Metadata) -> io::Result<()> {
    let kind = found.file_type();
    let (error, word) = match () {
        () if kind.is_file() => return Ok(()),
        () if kind.is_dir() => (ErrorKind::IsADirectory, "a directory"),
        () if kind.is_fifo() => (ErrorKind::InvalidInput, "a FIFO"),
        () if kind.is_socket() => (ErrorKind::InvalidInput, "a socket"),
        () => (ErrorKind::InvalidInput, "a device"),
    };
    Err(io::Error::new(error, format!("it is {word}, not a regular file")))
}

fn too_large(most: u64) -> io::Error {
    let what = format!("it is larger than {} MiB, the most that is read of such a file", most >> 20);
    io::Error::new(ErrorKind::FileTooLarge, what)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn what_is_no_regular_file_is_refused_at_once_also_behind_a_link() {
        let scratch = tempfile::tempdir().unwrap();
        let fifo = scratch.path().join("fifo");
        rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        let socket = scratch.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let ways = [
            (fifo.as_path(), "it is a FIFO, not a regular file"),
            (&socket, "it is a socket, not a regular file"),
            (Path::new("/dev/zero"), "it is a device, not a regular file"),
            (scratch.path(), "it is a directory, not a regular file"),
        ];
        for (place, why) in ways {
            let link = scratch.path().join("link");
            symlink(place, &link).unwrap();
            for path in [place, &link] {
                assert_eq!(bytes(path, WRITTEN).unwrap_err().to_string(), why);
                assert_eq!(open(path).unwrap_err().to_string(), why);
                assert_eq!(check(path, WRITTEN).unwrap_err().to_string(), why);
            }
            std::fs::remove_file(&link).unwrap();
        }
    }

    #[test]
    fn a_file_may_have_so_many_bytes_and_no_more() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("file");
        for size in [0, 1, 3 * PIECE, 3 * PIECE + 1] {
            std::fs::write(&path, vec![b'x'; size as usize]).unwrap();
            let most = 3 * PIECE;
            assert_eq!(bytes(&path, most).ok().map(|bytes| bytes.len() as u64), (size <= most).then_some(size));
            assert_eq!(check(&path, most).is_ok(), size <= most);
            // Also of a stream that does not say how long it is.
            assert_eq!(rest(io::repeat(0).take(size), most, 0).is_ok(), size <= most);
        }
        assert_eq!(bytes(&path, PIECE).unwrap_err().kind(), ErrorKind::FileTooLarge);
    }

    #[test]
    fn a_file_that_is_larger_than_it_says_has_its_bounds_too() {
        // A file of the kernel's, which says that it is empty.
        let maps = Path::new("/proc/self/maps");
        assert_eq!(std::fs::metadata(maps).unwrap().len(), 0);
        assert!(bytes(maps, WRITTEN).unwrap().len() > 10);
        assert!(bytes(maps, 10).is_err());
    }

    #[test]
    fn nothing_is_not_found_and_other_bytes_are_no_text() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("file");
        assert_eq!(bytes(&path, WRITTEN).unwrap_err().kind(), ErrorKind::NotFound);
        assert!(check(&path, WRITTEN).is_ok());
        std::fs::write(&path, b"\xff").unwrap();
        assert_eq!(text(&path, WRITTEN).unwrap_err().to_string(), "it is not UTF-8");
    }
}
