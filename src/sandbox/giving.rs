//! Files that are put in their place once they are looked for: of a large repository only what is needed is checked out.
//! The listener asks the tool, which knows the commit, by the line that the plan came by; the program's call waits
//! meanwhile, and so finds what it would have found anyway.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead, Read as _, Write as _};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use super::calls::{Call, Name, Wish};
use super::paths::{Paths, Place};
use super::process_memory::Thread;

/// What is to be put in its place, by its path within.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// What is on the way to a path, itself included.
    Path(PathBuf),
    /// The files in a directory.
    Names(PathBuf),
    /// All that there is: nobody could ask later.
    All,
}

/// The answer where something was put in its place, and the one where there was nothing to put.
const SOMETHING: u8 = b'+';
const NOTHING: u8 = b'-';

impl Asked {
    fn write(&self, line: &mut File) -> io::Result<()> {
        let (kind, path) = match self {
            Self::Path(path) => (b'p', path.as_path()),
            Self::Names(path) => (b'n', path.as_path()),
            Self::All => (b'a', Path::new("")),
        };
        // No path has a zero byte.
        line.write_all(&[&[kind], path.as_os_str().as_bytes(), &[0]].concat())
    }

    /// The next question; none when the line has ended.
    ///
    /// # Errors
    /// When it cannot be read, or is none.
    pub fn read(line: &mut impl BufRead) -> io::Result<Option<Self>> {
        let mut bytes = Vec::new();
        line.read_until(0, &mut bytes)?;
        let path = |bytes: &[u8]| PathBuf::from(OsString::from_vec(bytes.to_vec()));
        match bytes.as_slice() {
            [] => Ok(None),
            [b'p', inner @ .., 0] => Ok(Some(Self::Path(path(inner)))),
            [b'n', inner @ .., 0] => Ok(Some(Self::Names(path(inner)))),
            [b'a', 0] => Ok(Some(Self::All)),
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }
}

/// Answers a question: whether something was put in its place.
///
/// # Errors
/// When nobody listens any more.
pub fn answer(line: &mut impl io::Write, something: bool) -> io::Result<()> {
    line.write_all(&[if something { SOMETHING } else { NOTHING }])
}

/// The side that asks; without a line it has nothing to ask for.
#[derive(Debug, Default)]
pub struct Giving {
    line: Option<File>,
    /// The directories in which things are put, as they are seen within: one may have several names.
    trees: Vec<PathBuf>,
    /// Of what there is nothing to be had any more: paths, and the names in directories.
    nothing: BTreeSet<PathBuf>,
    listed: BTreeSet<PathBuf>,
}

impl Giving {
    /// Asks by this line for what belongs into these directories.
    #[must_use]
    pub fn new(line: File, trees: Vec<PathBuf>) -> Self {
        Self {
            line: Some(line),
            trees,
            ..Self::default()
        }
    }

    /// Asks; a tool that is gone gives nothing, and takes this process with it.
    fn ask(&mut self, asked: &Asked) -> bool {
        let Some(line) = &mut self.line else {
            return false;
        };
        let mut answer = [NOTHING];
        asked.write(line).and_then(|()| line.read_exact(&mut answer)).is_ok() && answer == [SOMETHING]
    }

    /// Asks for all that there is.
    pub fn all(&mut self) {
        self.ask(&Asked::All);
    }

    fn may_give(&self, path: &Path) -> bool {
        self.line.is_some() && self.trees.iter().any(|tree| path.starts_with(tree))
    }

    /// Whether something was put at a path without links, or on the way to it.
    fn gives(&mut self, paths: &Paths, real: &Path) -> bool {
        const MOST: usize = 1 << 16;
        if !self.may_give(real) || self.nothing.contains(real) || paths.is_there(real) {
            return false;
        }
        let given = self.ask(&Asked::Path(real.to_path_buf()));
        if !given && self.nothing.len() < MOST {
            self.nothing.insert(real.to_path_buf());
        }
        given
    }

    /// Where a call leads that is about `full`, once everything on its way is in place. What a program names in its
    /// head the kernel opens without asking, so that belongs to it.
    pub fn lead(&mut self, paths: &mut Paths, thread: Thread, call: &Call, full: PathBuf) -> Place {
        let mut place = paths.place(thread, call, full);
        while self.gives(paths, &place.walked.real) {
            place = paths.place(thread, call, place.full);
        }
        if self.line.is_some() && call.wish == Wish::Execute {
            let program = &place.walked.real;
            while paths.interpreters(thread, program).iter().any(|path| self.gives(paths, path)) {}
        }
        place
    }

    /// The same for something that is about to get another name, and for that name.
    pub fn lead_to(&mut self, paths: &mut Paths, thread: Thread, name: Name) {
        while paths.named(thread, name).is_some_and(|real| self.gives(paths, &real)) {}
    }

    /// Has the files in a directory put there, before its names are read.
    pub fn names(&mut self, directory: &Path) {
        if self.may_give(directory) && self.listed.insert(directory.to_path_buf()) {
            self.ask(&Asked::Names(directory.to_path_buf()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_read_as_they_were_written() {
        let odd = PathBuf::from(OsString::from_vec(b"/repro/a\n\xff".to_vec()));
        let asked = [Asked::Path(odd.clone()), Asked::Names(odd), Asked::All];
        let path = tempfile::NamedTempFile::new().unwrap();
        let mut line = path.reopen().unwrap();
        asked.iter().for_each(|asked| asked.write(&mut line).unwrap());
        let mut line = io::BufReader::new(path.reopen().unwrap());
        for asked in asked {
            assert_eq!(Asked::read(&mut line).unwrap(), Some(asked));
        }
        assert_eq!(Asked::read(&mut line).unwrap(), None);
        assert!(Asked::read(&mut &b"p/half"[..]).is_err());
    }
}
