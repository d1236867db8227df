//! What the process says to its caller in one number. The table in docs/commands.md is held equal to this
//! enum by a test. Nothing here decides which code applies; [`crate::verdict`] and [`crate::error`] do.

/// The exit status of every command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum ExitCode {
    /// Reproduced, or done.
    Ok = 0,
    /// Nothing could be judged: no manifest, an unreadable lock, an I/O error, an internal error.
    NotJudged = 1,
    /// The command line was wrong.
    Usage = 2,
    /// Drift: an input is not as locked.
    Drift = 3,
    /// Divergence: an output is not as locked, though the inputs are.
    Divergence = 4,
    /// The build failed.
    BuildFailed = 5,
    /// The training failed, timed out, was killed, or did not write what it declares.
    TrainingFailed = 6,
    /// Inconclusive: another platform class, and the outputs differ.
    Inconclusive = 7,
    /// The gate refused.
    GateRefused = 8,
    /// A signature or an attestation is invalid.
    SignatureInvalid = 9,
    /// Interrupted by a signal.
    Interrupted = 130,
}

impl ExitCode {
    /// Every code, in the order of that table.
    pub const ALL: [Self; 11] = [
        Self::Ok,
        Self::NotJudged,
        Self::Usage,
        Self::Drift,
        Self::Divergence,
        Self::BuildFailed,
        Self::TrainingFailed,
        Self::Inconclusive,
        Self::GateRefused,
        Self::SignatureInvalid,
        Self::Interrupted,
    ];

    /// The number that the process exits with.
    #[must_use]
    pub fn number(self) -> u8 {
        self as u8
    }

    /// What that table says of it.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Ok => "reproduced, or done",
            Self::NotJudged => "could not be judged: no manifest, unreadable lock, I/O, internal",
            Self::Usage => "usage",
            Self::Drift => "drift: an input is not as locked",
            Self::Divergence => "divergence: an output is not as locked",
            Self::BuildFailed => "build failed",
            Self::TrainingFailed => "training failed, timed out, or was killed",
            Self::Inconclusive => "inconclusive: another platform class, and the outputs differ",
            Self::GateRefused => "gate refused",
            Self::SignatureInvalid => "signature or attestation invalid",
            Self::Interrupted => "interrupted",
        }
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code.number())
    }
}
