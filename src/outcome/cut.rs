//! Outputs of which a part is left out of comparison: what is left, and what is worth saying of it.

use crate::document::{figures, pointer};
use crate::outcome::Artifact;
use crate::snapshot::Stage;

/// What is left out of a file.
#[derive(Clone, Copy, Debug)]
pub enum Cut<'a> {
    /// These places (JSON pointers).
    Places(&'a [String]),
    /// These figures of a metrics file.
    Figures(&'a [String]),
}

impl<'a> Cut<'a> {
    /// These places or figures.
    #[must_use]
    pub fn left_out(&self) -> &'a [String] {
        match self {
            Self::Places(names) | Self::Figures(names) => names,
        }
    }

    /// The canonical text of what counts, and which places are not in the file. None if the file is no JSON: all of it
    /// counts then. No such file has the text of another one's rest, since that is JSON.
    #[must_use]
    pub fn rest(&self, bytes: &[u8]) -> Option<(String, Vec<String>)> {
        let fits = |limit: u64| bytes.len() as u64 <= limit;
        match self {
            Self::Places(places) if fits(pointer::LARGEST) => pointer::rest(bytes, places),
            Self::Figures(names) if fits(figures::LARGEST) => {
                figures::figures(bytes, names).ok().map(|found| (found.rest, Vec::new()))
            }
            Self::Places(_) | Self::Figures(_) => None,
        }
    }

    /// What such a file is compared by.
    #[must_use]
    pub fn artifact(&self, bytes: &[u8]) -> Artifact {
        self.rest(bytes).map_or_else(|| Artifact::of(bytes), |(rest, _)| Artifact::of(rest))
    }
}

impl Stage {
    /// What is left out of one of its outputs, if anything is.
    #[must_use]
    pub fn cut(&self, path: &str) -> Option<Cut<'_>> {
        if self.metrics.as_deref() == Some(path) {
            return (!self.ignore_metrics.is_empty()).then_some(Cut::Figures(&self.ignore_metrics));
        }
        self.ignore.get(path).map(|places| Cut::Places(places))
    }
}

/// Something worth saying of an output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// The stage.
    pub stage: String,
    /// The file.
    pub path: String,
    /// What.
    pub what: RemarkOf,
}

/// What it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RemarkOf {
    /// The metrics file has no figures, for this reason; it is compared by its bytes.
    NoFigures(String),
    /// The program reported another figure under a name that the metrics file has, too.
    Twice(String),
    /// A place that is to be left out is not there.
    NotThere(String),
    /// A part is to be left out, but the file is no JSON, or too large.
    CountsWhole,
}
