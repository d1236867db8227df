//! Files below a directory, reached from its handle one name at a time, and through no symbolic link: whatever a
//! program or a commit put in the way, nothing is read or written elsewhere.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, mkdirat, openat, renameat, statat, unlinkat};
use rustix::io::Errno;

/// A directory by its handle.
#[derive(Debug)]
pub struct Beneath {
    handle: OwnedFd,
}

/// What stands at a path below it.
#[derive(Debug)]
pub enum There {
    /// Nothing.
    Nothing,
    /// A regular file, open for reading.
    File(File),
    /// Something else, with a word for it.
    Other(&'static str),
    /// The path leads through this, which is no directory.
    Blocked(PathBuf, &'static str),
}

/// A name in a directory that is held open.
#[derive(Debug)]
pub struct Place {
    directory: OwnedFd,
    name: OsString,
}

const DIRECTORY: OFlags = OFlags::DIRECTORY.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

impl Beneath {
    /// The directory at a path of our own choice.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::DIRECTORY.union(OFlags::CLOEXEC);
        Ok(Self {
            handle: openat(CWD, path, flags, Mode::empty())?,
        })
    }

    /// What stands at `inner`.
    ///
    /// # Errors
    /// When it cannot be looked at, or `inner` leads out.
    pub fn look(&self, inner: &Path) -> io::Result<There> {
        let place = match self.walk(inner, false)? {
            Walked::At(place) => place,
            Walked::Blocked(at, Some(what)) => return Ok(There::Blocked(at, what)),
            Walked::Blocked(_, None) => return Ok(There::Nothing),
        };
        match word(&place)? {
            None => return Ok(There::Nothing),
            Some("a file") => {}
            Some(what) => return Ok(There::Other(what)),
        }
        // A pipe that somebody puts there now is not waited for.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = File::from(openat(&place.directory, &place.name, flags, Mode::empty())?);
        if file.metadata()?.is_file() {
            Ok(There::File(file))
        } else {
            Ok(There::Other("no file"))
        }
    }

    /// The place of `inner`, to write to; directories on the way are made.
    ///
    /// # Errors
    /// When one cannot be made, something else is in its place, or `inner` leads out.
    pub fn place(&self, inner: &Path) -> io::Result<Place> {
        match self.walk(inner, true)? {
            Walked::At(place) => Ok(place),
            Walked::Blocked(at, what) => {
                let what = what.unwrap_or("not there");
                Err(io::Error::other(format!("{} is {what}, and is not followed", at.display())))
            }
        }
    }

    /// Removes what stands at `inner`, unless it is a directory; that there is nothing is fine.
    ///
    /// # Errors
    /// When it cannot be removed, or `inner` leads out.
    pub fn remove(&self, inner: &Path) -> io::Result<()> {
        let Walked::At(place) = self.walk(inner, false)? else {
            return Ok(());
        };
        match unlinkat(&place.directory, &place.name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT | Errno::ISDIR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn walk(&self, inner: &Path, make: bool) -> io::Result<Walked> {
        let (mut directory, mut so_far) = (self.handle.try_clone()?, PathBuf::new());
        let mut parts = inner.components().peekable();
        while let Some(part) = parts.next() {
            let Component::Normal(name) = part else {
                return Err(io::Error::other(format!("{} leads out of its directory", inner.display())));
            };
            if parts.peek().is_none() {
                let name = name.to_owned();
                return Ok(Walked::At(Place { directory, name }));
            }
            so_far.push(name);
            if make {
                match mkdirat(&directory, name, Mode::from_raw_mode(0o777)) {
                    Ok(()) | Err(Errno::EXIST) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            directory = match openat(&directory, name, DIRECTORY, Mode::empty()) {
                Ok(next) => next,
                Err(Errno::NOTDIR | Errno::LOOP | Errno::NOENT) => {
                    let name = name.to_owned();
                    let what = word(&Place { directory, name })?;
                    return Ok(Walked::Blocked(so_far, what));
                }
                Err(error) => return Err(error.into()),
            };
        }
        Err(io::Error::other("an empty path names no file"))
    }
}

enum Walked {
    At(Place),
    /// By this, or by nothing.
    Blocked(PathBuf, Option<&'static str>),
}

/// What a name stands for; none where there is nothing.
fn word(place: &Place) -> io::Result<Option<&'static str>> {
    let stat = match statat(&place.directory, &place.name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => stat,
        Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    Ok(Some(match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => "a file",
        FileType::Symlink => "a symbolic link",
        FileType::Directory => "a directory",
        _ => "neither a file nor a directory",
    }))
}

impl Place {
    /// A path of it that holds whatever becomes of the names that led to it.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        Path::new("/proc/self/fd").join(self.directory.as_raw_fd().to_string()).join(&self.name)
    }

    /// Puts what stands at a path of our own choice here, in place of anything but a directory.
    ///
    /// # Errors
    /// When it cannot be moved.
    pub fn receive(&self, from: &Path) -> io::Result<()> {
        renameat(CWD, from, &self.directory, &self.name).map_err(io::Error::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_link_is_followed_to_read_or_to_write() {
        let (inside, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::write(outside.path().join("key"), "secret").unwrap();
        std::os::unix::fs::symlink(outside.path(), inside.path().join("out")).unwrap();
        std::os::unix::fs::symlink(outside.path().join("key"), inside.path().join("key")).unwrap();
        std::fs::write(inside.path().join("plain"), "x").unwrap();
        let here = Beneath::open(inside.path()).unwrap();
        let look = |inner: &str| here.look(Path::new(inner)).unwrap();
        assert!(matches!(look("out/key"), There::Blocked(at, "a symbolic link") if at == Path::new("out")));
        assert!(matches!(look("key"), There::Other("a symbolic link")));
        assert!(matches!(look("plain/x"), There::Blocked(_, "a file")));
        assert!(matches!(look("none/x"), There::Nothing));
        assert!(matches!(look("none"), There::Nothing));
        assert!(matches!(look("plain"), There::File(_)));
        assert!(here.look(Path::new("../x")).is_err());
        assert!(here.look(Path::new("/etc/passwd")).is_err());
        assert!(here.place(Path::new("out/new")).is_err());
        let place = here.place(Path::new("a/b/new")).unwrap();
        std::fs::write(place.path(), "y").unwrap();
        assert_eq!(std::fs::read(inside.path().join("a/b/new")).unwrap(), b"y");
        assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 1);
    }
}
