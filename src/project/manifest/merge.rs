//! The marks of a merge that was not finished.

/// What to do about them in a manifest.
pub(super) const HINT: &str =
    "it has the marks of a merge that was not finished: edit it until it says what you mean, then `git add repro.toml`";

/// Whether a merge has left its marks in a text.
#[must_use]
pub fn has_marks(text: &str) -> bool {
    let starts = |mark: &str| text.lines().any(|line| line.starts_with(mark));
    starts("<<<<<<< ") && starts(">>>>>>> ")
}
