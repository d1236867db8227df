//! The file that a run's events are appended to, one JSON object a line.
//!
//! It knows nothing of what the events mean; they are in [`protocol`](crate::protocol).

use std::{
    fs::{File, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
};

use crate::{
    error::{Error, Result},
    json,
    protocol::Event,
};

/// A ledger, or nowhere: outside `cargo repro` nobody reads one.
pub(crate) struct Ledger {
    file: Option<(PathBuf, File)>,
}

impl Ledger {
    /// A ledger that forgets.
    pub(crate) const fn nowhere() -> Self {
        Self { file: None }
    }

    /// Opens the file at `path`, creating it where it is missing.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .open(path)
            .map_err(Error::io("open ledger", path))?;
        Ok(Self {
            file: Some((path.to_owned(), file)),
        })
    }

    /// Appends one line. Lines of several threads or processes do not mix: the file is in append
    /// mode and each line is one write.
    pub(crate) fn append(&self, event: &Event) -> Result<()> {
        let Some((path, file)) = &self.file else {
            return Ok(());
        };
        let line = json::to_vec(event)?;
        let mut file: &File = file;
        file.write_all(&line)
            .map_err(Error::io("write ledger", path))
    }
}
