//! From values to text, one file a format. Pure: nothing here reads a file or prints.

pub mod data;
pub mod diagnosis;
pub mod explanation;
pub mod finding;
mod gate;
pub mod github;
pub mod human;
pub mod json;
pub mod junit;
pub mod lock;
pub mod log;
pub mod markdown;
pub mod page;
pub mod place;
pub mod report_data;
pub mod sarif;

use std::path::Path;

use report_data::ReportData;

/// The forms of a written report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One self-contained HTML page.
    Page,
    /// Markdown, as GitHub and GitLab show it.
    Markdown,
    /// The verdict's message, with what it is about.
    Json,
    /// SARIF 2.1.0 (OASIS).
    Sarif,
    /// JUnit's XML.
    Junit,
}

impl Format {
    /// By the ending of a file's name.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "html" | "htm" => Some(Self::Page),
            "md" | "markdown" => Some(Self::Markdown),
            "json" => Some(Self::Json),
            "sarif" => Some(Self::Sarif),
            "xml" => Some(Self::Junit),
            _ => None,
        }
    }
}

/// A report in its form.
#[must_use]
pub fn written(format: Format, facts: &ReportData<'_>) -> String {
    match format {
        Format::Page => page::page(facts),
        Format::Markdown => markdown::report(facts),
        Format::Json => json::report(facts),
        Format::Sarif => sarif::report(facts),
        Format::Junit => junit::report(facts),
    }
}
