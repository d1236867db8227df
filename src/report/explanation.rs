//! What a word means, for a person and for a program.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::human::{FAINT, NAME};
use super::json::SCHEMA;
use crate::explanation::Explanation;

/// The columns of a plain terminal.
const WIDTH: usize = 80;

/// One section, as the page has it.
#[must_use]
pub fn whole(explanation: &Explanation) -> String {
    let Explanation { title, group, text, .. } = explanation;
    format!("{NAME}{title}{NAME:#} {FAINT}({group}){FAINT:#}\n\n{text}\n")
}

/// Every word with its first sentence.
#[must_use]
pub fn list(explanations: &[Explanation]) -> String {
    let widest = explanations.iter().map(|explanation| explanation.word.len()).max().unwrap_or(0);
    let mut text = String::new();
    let mut group = "";
    for explanation in explanations {
        if explanation.group != group {
            let gap = if group.is_empty() { "" } else { "\n" };
            group = explanation.group;
            let _ = writeln!(text, "{gap}{NAME}{group}{NAME:#}");
        }
        let summary = explanation.summary();
        let lines = textwrap::wrap(&summary, WIDTH - widest - 4);
        let mut word = explanation.word;
        for line in lines {
            let _ = writeln!(text, "  {word:<widest$}  {line}");
            word = "";
        }
    }
    text
}

/// For a program.
#[must_use]
pub fn json(explanation: &Explanation) -> Value {
    json!({"reason": "explanation", "schema": SCHEMA, "word": explanation.word, "text": explanation.text})
}
