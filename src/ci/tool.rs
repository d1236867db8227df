//! Where a pipeline gets the tool from: what `cargo install` is told, or an action of a repository.

use crate::error::{Error, Result};
use crate::exit_code::ExitCode;

/// What `cargo install --locked` is told: words, which shells split at blanks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source(String);

impl Source {
    /// This version, as it is published.
    #[must_use]
    pub fn published() -> Self {
        Self(concat!(env!("CARGO_PKG_NAME"), " --version ", env!("CARGO_PKG_VERSION")).to_owned())
    }

    /// Reads what was typed.
    ///
    /// # Errors
    /// A usage error when a shell would make something else of it.
    pub fn read(text: &str) -> Result<Self> {
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        let is_plain = |letter: char| letter.is_ascii_graphic() && !"\"'\\`$*?[".contains(letter);
        if words.is_empty() || !words.iter().all(|word| word.chars().all(is_plain)) {
            return Err(Error::new(format!("`--install {text}` is nothing that a pipeline can tell `cargo install`"))
                .code(ExitCode::Usage)
                .hint("write words without quotes, such as `--install '--git URL --rev COMMIT cargo-repro-ml'`"));
        }
        Ok(Self(words.join(" ")))
    }

    /// The words.
    #[must_use]
    pub fn words(&self) -> &str {
        &self.0
    }
}

/// An action of another repository, as `uses` names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action(String);

impl Action {
    /// Reads `OWNER/REPO@REF`, which may name a directory too.
    ///
    /// # Errors
    /// A usage error when it is something else.
    pub fn read(text: &str) -> Result<Self> {
        let is_word = |word: &str| {
            let known = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
            !word.is_empty() && word.chars().all(known) && word.chars().any(|letter| letter != '.')
        };
        let parts = text.split_once('@').map(|(path, name)| (path.split('/'), name.split('/')));
        let holds = parts
            .is_some_and(|(mut path, mut name)| path.clone().count() >= 2 && path.all(is_word) && name.all(is_word));
        holds.then(|| Self(text.to_owned())).ok_or_else(|| {
            Error::new(format!("`--action {text}` names no action"))
                .code(ExitCode::Usage)
                .hint("write it as `OWNER/REPO@REF`; a full commit as REF stays what it is")
        })
    }

    /// As `uses` has it.
    #[must_use]
    pub fn uses(&self) -> &str {
        &self.0
    }
}

/// The one or the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tool {
    /// Steps that install it.
    Source(Source),
    /// An action that brings it.
    Action(Action),
}

impl Tool {
    /// The flag that asks for it; nothing where none is needed.
    #[must_use]
    pub fn flag(&self) -> String {
        match self {
            Self::Source(source) if *source == Source::published() => String::new(),
            Self::Source(source) => format!(" --install '{}'", source.words()),
            Self::Action(action) => format!(" --action {}", action.uses()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_is_owner_repo_and_reference() {
        for good in ["o/r@v1", "o/r/sub.dir@0123abc", "a-b/c_d@release/1"] {
            assert!(Action::read(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "o/r",
            "o@v1",
            "o/r@",
            "o/r@v 1",
            "o/../r@v1",
            "o/r@v1@v2",
            "o/r@v1\nx: y",
            "./r@v1",
            "${{ x }}/r@v",
        ] {
            assert!(Action::read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_source_is_words_that_no_shell_changes() {
        let source = Source::read("  --git https://h/r --rev 0a \n cargo-repro-ml").unwrap();
        assert_eq!(source.words(), "--git https://h/r --rev 0a cargo-repro-ml");
        assert_eq!(Tool::Source(source).flag(), " --install '--git https://h/r --rev 0a cargo-repro-ml'");
        assert_eq!(Tool::Source(Source::published()).flag(), "");
        for bad in ["", " ", "--path 'my dir'", "x$(y)", "x${{ y }}", "*", "ü", "a\u{7}"] {
            assert!(Source::read(bad).is_err(), "{bad:?}");
        }
    }
}
