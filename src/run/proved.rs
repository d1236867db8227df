//! The artifacts of a verification that reproduced, kept for whoever wants the model that was proved. They are written
//! below the handle of a directory that was opened before the training, through no link, and over nothing.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::session::Session;
use crate::digest::Digest;
use crate::error::{Error, IoContext as _, Result};
use crate::exit_code::ExitCode;
use crate::os::beneath::{Beneath, There};
use crate::outcome::{Artifact, Outcome};

/// The directory that they go to.
#[derive(Debug)]
pub struct Proved {
    directory: PathBuf,
    handle: Beneath,
}

impl Proved {
    /// Opens the directory, which is made if there is none, and refuses one that has other files in the artifacts'
    /// places: before hours of training, and not after.
    ///
    /// # Errors
    /// A usage error where something is in the way.
    pub fn open(directory: PathBuf, locked: &Outcome) -> Result<Self> {
        std::fs::create_dir_all(&directory).at("make the directory", &directory)?;
        let handle = Beneath::open(&directory).at("open", &directory)?;
        let proved = Self { directory, handle };
        for (_, path, artifact) in artifacts(locked) {
            proved.is_there(path, artifact)?;
        }
        Ok(proved)
    }

    /// Writes the artifacts of the last training of `session`.
    ///
    /// # Errors
    /// When one cannot be written, or something is in its place by now.
    pub fn keep(&self, session: &Session<'_>, outcome: &Outcome) -> Result<PathBuf> {
        for (stage, path, artifact) in artifacts(outcome) {
            if self.is_there(path, artifact)? {
                continue;
            }
            let from = session.left_by(stage);
            let outputs = Beneath::open(&from).at("open", &from)?;
            let There::File(mut file) = outputs.look(Path::new(path)).at("read", &from.join(path))? else {
                return Err(Error::new(format!("{path} is no file any more")));
            };
            self.write(path, &mut file).at("write", &self.directory.join(path))?;
        }
        Ok(self.directory.clone())
    }

    fn write(&self, path: &str, from: &mut File) -> std::io::Result<()> {
        let place = self.handle.place(Path::new(path))?;
        let mut to = File::options().write(true).create_new(true).open(place.path())?;
        let written = std::io::copy(from, &mut to).and_then(|_| to.flush()).and_then(|()| to.sync_all());
        if written.is_err() {
            // Half an artifact would be taken for a whole one.
            let _ = std::fs::remove_file(place.path());
        }
        written
    }

    /// Whether the very file is there; an error where another one is.
    fn is_there(&self, path: &str, artifact: &Artifact) -> Result<bool> {
        let place = self.directory.join(path);
        let is_same = match self.handle.look(Path::new(path)).at("look at", &place)? {
            There::Nothing => return Ok(false),
            There::File(file) => Digest::of_reader(file).at("read", &place)?.0 == artifact.digest,
            There::Other(_) | There::Blocked(..) => false,
        };
        if is_same {
            return Ok(true);
        }
        Err(Error::new(format!("{} is there already, and is not the recorded artifact", place.display()))
            .code(ExitCode::Usage)
            .hint("name another directory for `--artifacts`, or move that file away; nothing is overwritten"))
    }
}

/// Each with its stage and its path.
fn artifacts(outcome: &Outcome) -> impl Iterator<Item = (&str, &str, &Artifact)> {
    outcome.iter().flat_map(|(name, stage)| {
        let artifacts = stage.artifacts.iter();
        artifacts.map(|(path, artifact)| (name.as_str(), path.as_str(), artifact))
    })
}
