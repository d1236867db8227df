//! Paths and tags as the filters of each forge. Where its language cannot say what is meant, the filter takes more,
//! and never less.

use super::inputs::{Input, join};
use crate::text::quote::is_plain;

/// A pattern of GitHub's for paths.
#[must_use]
pub fn github_path(input: &Input) -> String {
    let pattern = match input {
        Input::File(path) => github_literal(path),
        Input::Beginning(path) => github_literal(path) + "*",
        Input::Below(directory) => github_literal(&above(directory)) + "**",
        Input::Glob(directory, pattern) => github_literal(&above(directory)) + &github_glob(pattern, "*"),
    };
    negates_nothing(&pattern)
}

/// A pattern of GitHub's for tags; `*` of ours stops at nothing. Some letters are in no tag's name, and GitHub
/// refuses them.
#[must_use]
pub fn github_tag(pattern: &str) -> String {
    negates_nothing(&github_glob(&pattern.replace([' ', '~', '^', ':'], "*"), "**"))
}

/// A pattern of GitLab's for paths (Ruby's `fnmatch`, in which variables are filled in beforehand).
#[must_use]
pub fn gitlab_path(input: &Input) -> String {
    match input {
        Input::File(path) => gitlab_literal(path),
        Input::Beginning(path) => gitlab_literal(path) + "*",
        Input::Below(directory) => gitlab_literal(&above(directory)) + "**/*",
        Input::Glob(directory, pattern) => {
            gitlab_literal(&above(directory)) + &translated(pattern, "*", "?", gitlab_literal)
        }
    }
}

/// A pattern of tags as a regular expression that takes the same ones.
#[must_use]
pub fn gitlab_tag(pattern: &str) -> String {
    let escape = |text: &str| {
        let mut said = String::new();
        for letter in text.chars() {
            match letter {
                _ if letter.is_ascii_alphanumeric() => said.push(letter),
                _ if letter.is_ascii_graphic() => said.extend(['\\', letter]),
                _ if is_plain(letter) && !letter.is_ascii() => said.push(letter),
                _ => said.push('.'),
            }
        }
        said
    };
    translated(pattern, ".*", ".", escape)
}

/// A directory, ready for what stands in it.
fn above(directory: &str) -> String {
    match directory {
        "" => String::new(),
        directory => join(directory, "") + "/",
    }
}

/// GitHub has no sign for any one character: `any` takes more.
fn github_glob(pattern: &str, any: &str) -> String {
    let mut said = translated(pattern, any, any, github_literal);
    while said.contains("***") {
        said = said.replace("***", "**");
    }
    said.replace("${{", any)
}

/// A filter that begins with `!` takes away; and what begins or ends with a blank would be taken without it.
fn negates_nothing(pattern: &str) -> String {
    let edge = |blank: bool| if blank { "*" } else { "" };
    let inner = pattern.strip_prefix(' ').unwrap_or(pattern);
    let inner = inner.strip_suffix(' ').unwrap_or(inner);
    let (first, last) = (edge(pattern.starts_with(' ')), edge(pattern.len() > 1 && pattern.ends_with(' ')));
    let escape = if first.is_empty() && inner.starts_with('!') {
        "\\"
    } else {
        ""
    };
    format!("{first}{escape}{inner}{last}")
}

/// A text that means itself, and where it cannot be written, anything in its place.
fn github_literal(text: &str) -> String {
    let mut pattern = String::new();
    for letter in text.replace("${{", "\n").chars() {
        match letter {
            '*' | '?' | '+' | '[' | '\\' => pattern.extend(['\\', letter]),
            _ if is_plain(letter) => pattern.push(letter),
            _ => pattern.push('*'),
        }
    }
    pattern
}

fn gitlab_literal(text: &str) -> String {
    let mut pattern = String::new();
    for letter in text.chars() {
        match letter {
            '*' | '?' | '[' | ']' | '{' | '}' | '\\' => pattern.extend(['\\', letter]),
            '$' => pattern.push('?'),
            _ if is_plain(letter) => pattern.push(letter),
            _ => pattern.push('?'),
        }
    }
    pattern
}

/// A pattern of the manifest's in another language: its word for many characters, for one, and for a text.
fn translated(pattern: &str, many: &str, one: &str, literal: impl Fn(&str) -> String) -> String {
    let mut said = String::new();
    let mut rest = pattern;
    while let Some(letter) = rest.chars().next() {
        rest = &rest[letter.len_utf8()..];
        match letter {
            '*' => said += many,
            '?' => said += one,
            '[' => {
                let (inner, after) = class(rest);
                rest = after;
                match inner.filter(|inner| inner.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')) {
                    Some(inner) => said += &format!("[{inner}]"),
                    None => said += one,
                }
            }
            _ => said += &literal(&letter.to_string()),
        }
    }
    said
}

/// What stands in the brackets, and what after them.
fn class(rest: &str) -> (Option<&str>, &str) {
    // A bracket that comes first is one of the class.
    let negation = usize::from(rest.starts_with('!'));
    let first = rest[negation..].chars().next().map_or(0, char::len_utf8);
    match rest[negation + first..].find(']') {
        Some(end) => (Some(&rest[..negation + first + end]), &rest[negation + first + end + 1..]),
        None => (None, ""),
    }
}
