//! The page that an auditor gets.

use super::dossier::Dossier;

/// The whole page.
#[must_use]
pub fn page(dossier: &Dossier<'_>) -> String {
    dossier.sentence()
}
