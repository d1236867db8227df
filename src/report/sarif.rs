//! Soon.
use super::dossier::Dossier;
/// The report.
#[must_use]
pub fn report(dossier: &Dossier<'_>) -> String {
    dossier.sentence()
}
