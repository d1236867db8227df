//! What each exit code and each `kind` means, as `docs/kinds.md` has it: the page is carried in the binary
//! and cut into its sections here, so that the two cannot differ. Tests hold its words against the code.

use crate::verdict::Word;

/// The page.
const PAGE: &str = include_str!("../docs/kinds.md");

/// How the title of an exit code's section begins.
const EXIT_CODE: &str = "exit code ";

/// One section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The heading that it stands under.
    pub group: &'static str,
    /// As it is typed: a kind, or an exit code's number.
    pub word: &'static str,
    /// Its title: the kind, or `exit code 4`.
    pub title: &'static str,
    /// What the page says under it; the first paragraph is one sentence that can stand alone.
    pub text: &'static str,
}

impl Explanation {
    /// The first paragraph on one line.
    #[must_use]
    pub fn summary(&self) -> String {
        let first = self.text.split("\n\n").next().unwrap_or_default();
        first.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// Every section, in the order of the page.
#[must_use]
pub fn all() -> Vec<Explanation> {
    let groups = PAGE.split("\n## ").skip(1);
    groups
        .flat_map(|group| {
            let mut parts = group.split("\n### ");
            let heading = parts.next().and_then(|head| head.lines().next()).unwrap_or_default();
            parts.map(move |section| {
                let (title, text) = section.split_once('\n').unwrap_or((section, ""));
                Explanation {
                    group: heading,
                    word: title.strip_prefix(EXIT_CODE).unwrap_or(title),
                    title,
                    text: text.trim(),
                }
            })
        })
        .collect()
}

/// What reports call a command that could not come to its end, and the exit code that it is explained under.
pub const FAILURES: [(&str, &str); 3] = [("build-failed", "5"), ("training-failed", "6"), ("not-judged", "1")];

/// The section of that word; or else the words that are most like it, best first.
///
/// # Errors
/// At most three words; none where nothing is like it.
pub fn find(word: &str) -> Result<Explanation, Vec<&'static str>> {
    let all = all();
    let failure = FAILURES.iter().find(|(kind, _)| *kind == word).map(|(_, code)| (*code).to_owned());
    // The word of a verdict is explained by its exit code.
    let verdict = Word::ALL.iter().find(|known| known.text() == word);
    let code = failure.or_else(|| verdict.map(|verdict| verdict.exit_code().number().to_string()));
    let word = code.as_deref().unwrap_or(word);
    if let Some(found) = all.iter().find(|explanation| explanation.word == word) {
        return Ok(*found);
    }
    let likeness = |other: &str| strsim::jaro_winkler(word, other);
    let mut near: Vec<(f64, &str)> = all
        .iter()
        .map(|explanation| (likeness(explanation.word), explanation.word))
        .filter(|(likeness, _)| *likeness > 0.8)
        .collect();
    near.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    Err(near.into_iter().take(3).map(|(_, word)| word).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_goes_to_the_next_heading() {
        for explanation in all() {
            assert!(!explanation.text.is_empty(), "{} says something", explanation.title);
            assert!(!explanation.text.lines().any(|line| line.starts_with('#')), "{}", explanation.title);
        }
    }

    #[test]
    fn a_summary_fits_beside_its_word() {
        for explanation in all() {
            let summary = explanation.summary();
            assert!(summary.ends_with('.'), "{}: {summary}", explanation.title);
            assert!(summary.chars().count() <= 110, "{}: {summary}", explanation.title);
        }
    }

    #[test]
    fn a_word_that_is_not_there_is_answered_with_those_like_it() {
        assert_eq!(find("data-changed").unwrap().title, "data-changed");
        assert_eq!(find("4").unwrap().title, "exit code 4");
        assert_eq!(find("build-failed").unwrap().title, "exit code 5");
        assert_eq!(find("diverged").unwrap().title, "exit code 4");
        assert_eq!(find("data-change").unwrap_err()[0], "data-changed");
        assert!(find("moon").unwrap_err().is_empty());
    }
}
