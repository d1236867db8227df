//! What a word means, for a person and for a program.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::human::{FAINT, NAME};
use super::json::SCHEMA;
use super::layout::Layout;
use crate::explanation::Explanation;

/// One section, as the document has it, unless that is too wide.
#[must_use]
pub fn whole(explanation: &Explanation, layout: Layout) -> String {
    let Explanation { title, group, text, .. } = explanation;
    let heading = format!("{NAME}{title}{NAME:#} {FAINT}({group}){FAINT:#}\n\n");
    if layout == Layout::default() {
        return format!("{heading}{text}\n");
    }
    let paragraphs = text.split("\n\n").map(|paragraph| layout.wrapped("", "", &paragraph.replace('\n', " ")));
    heading + &paragraphs.collect::<Vec<_>>().join("\n")
}

/// Every word with its first sentence.
#[must_use]
pub fn list(explanations: &[Explanation], layout: Layout) -> String {
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
        let lines = textwrap::wrap(&summary, layout.columns().saturating_sub(widest + 4).max(20));
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
