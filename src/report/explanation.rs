//! What a word means, for a person and for a program.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::human::{FAINT, NAME};
use super::json::SCHEMA;
use crate::explanation::Explanation;
use crate::text::layout::Layout;

/// One section of the document, in the columns that there are.
#[must_use]
pub fn whole(explanation: &Explanation, layout: Layout) -> String {
    let Explanation { title, group, text, .. } = explanation;
    let heading = format!("{NAME}{title}{NAME:#} {FAINT}({group}){FAINT:#}\n\n");
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explanation;

    #[test]
    fn no_line_is_wider_than_the_columns() {
        for columns in [60, 80] {
            for explanation in explanation::all() {
                let text = anstream::adapter::strip_str(&whole(&explanation, Layout::on(Some(columns)))).to_string();
                // A command stays whole, for whoever copies it.
                let is_command = |line: &str| line.trim_start().starts_with('`') && line.trim_end().ends_with('`');
                let fits = |line: &str| line.chars().count() <= columns || is_command(line);
                assert!(text.lines().all(fits), "{text}");
            }
        }
    }
}
