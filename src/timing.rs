//! Where the time of a verification went: steps with their lengths, for reports alone. They decide nothing,
//! and no lock has them.

use std::time::{Duration, Instant};

/// What took the time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Looking at every input.
    Inputs,
    /// A clean checkout of the commit.
    Checkout,
    /// The packages' archives, checked and put in place.
    Packages,
    /// cargo.
    Build,
    /// One stage's program.
    Train {
        /// The stage.
        stage: String,
        /// Which training, counted from 1.
        run: u32,
    },
    /// Digests of what the stages left.
    Collect {
        /// Of which training, counted from 1.
        run: u32,
    },
    /// Looking for the cause of a divergence.
    Explain,
}

impl Step {
    /// The word in JSON.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Inputs => "inputs",
            Self::Checkout => "checkout",
            Self::Packages => "packages",
            Self::Build => "build",
            Self::Train { .. } => "train",
            Self::Collect { .. } => "collect",
            Self::Explain => "explain",
        }
    }

    /// The stage, where it is one's.
    #[must_use]
    pub fn stage(&self) -> Option<&str> {
        match self {
            Self::Train { stage, .. } => Some(stage),
            _ => None,
        }
    }

    /// Which training it belongs to, counted from 1.
    #[must_use]
    pub fn run(&self) -> Option<u32> {
        match self {
            Self::Train { run, .. } | Self::Collect { run } => Some(*run),
            _ => None,
        }
    }
}

/// A step, and how long it took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Which.
    pub step: Step,
    /// How long.
    pub took: Duration,
}

impl Timing {
    /// A step that ends now.
    #[must_use]
    pub fn since(step: Step, begin: Instant) -> Self {
        Self {
            step,
            took: begin.elapsed(),
        }
    }
}
