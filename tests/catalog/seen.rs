//! What the tool answered, as lists of findings, and whether it is what a row asks for.

use serde_json::Value;

use crate::row::Row;
use crate::support::Answer;

/// The lists that blame: whatever stands in one of them is named as wrong.
const BLAMING: [&str; 2] = ["drift", "causes"];

/// The other lists, which only a word with its list in front means.
const OTHERS: [&str; 3] = ["divergence", "notes", "not_checked"];

/// The answer to one command.
pub struct Seen {
    /// The command.
    pub command: String,
    /// Its exit code.
    pub code: Option<i32>,
    /// What it named.
    pub findings: Vec<Finding>,
    /// Factors that `vary` says change the outcome.
    pub changing: Vec<String>,
    /// The verdict and what was said on stderr, for whoever has to look.
    pub text: String,
}

/// One entry of a list.
pub struct Finding {
    list: &'static str,
    kind: String,
    subject: String,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let subject = if self.subject.is_empty() {
            String::new()
        } else {
            format!(" {}", self.subject)
        };
        write!(f, "{}/{}{subject}", self.list, self.kind)
    }
}

impl Seen {
    /// Reads the last JSON line; whatever else stands on stdout, as under a terminal, does not matter.
    pub fn new(args: &[&str], answer: &Answer) -> Self {
        let last = answer.stdout.lines().rev().find(|line| line.starts_with('{')).unwrap_or("{}").trim();
        let verdict: Value = serde_json::from_str(last).unwrap_or(Value::Null);
        let text_of = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let entries = |list: &str| verdict[list].as_array().cloned().unwrap_or_default();
        let findings = BLAMING.into_iter().chain(OTHERS).flat_map(|list| {
            entries(list).into_iter().map(move |entry| Finding {
                list,
                kind: text_of(&entry["kind"]),
                subject: text_of(&entry["subject"]),
            })
        });
        let changing = entries("factors").into_iter().filter(|factor| factor["changes"] == true);
        Self {
            command: args.join(" "),
            code: answer.code,
            findings: findings.collect(),
            changing: changing.map(|factor| text_of(&factor["factor"])).collect(),
            text: format!("{last}\n{}", answer.stderr),
        }
    }

    /// Whether something is named as a row's `must` writes it: one of the alternatives.
    pub fn has(&self, word: &str) -> bool {
        word.split(" | ").any(|word| self.findings.iter().any(|finding| finding.is(word)))
    }

    /// Which of these words are not named.
    pub fn lacking(&self, words: &[&str]) -> Vec<String> {
        words.iter().filter(|word| !self.has(word)).map(|word| (*word).to_owned()).collect()
    }

    /// What is blamed though none of these words means it.
    pub fn blamed_beside(&self, words: &[&[&str]]) -> Vec<String> {
        let is_meant = |finding: &Finding| {
            let mut all = words.iter().flat_map(|words| words.iter()).flat_map(|word| word.split(" | "));
            all.any(|word| finding.is_of_kind(word))
        };
        let blamed = self
            .findings
            .iter()
            .filter(|finding| BLAMING.contains(&finding.list) && !is_meant(finding));
        blamed.map(ToString::to_string).collect()
    }

    /// What a row forbids and this has.
    pub fn forbidden(&self, row: &Row) -> Vec<String> {
        row.never.iter().filter(|word| self.has(word)).map(|word| (*word).to_owned()).collect()
    }

    /// The command and what came of it, in one line.
    pub fn summary(&self) -> String {
        let named = self.findings.iter().filter(|finding| finding.list != "not_checked");
        let named: Vec<String> = named.map(ToString::to_string).collect();
        let named = if named.is_empty() {
            "names nothing".to_owned()
        } else {
            named.join(", ")
        };
        format!("{} → {}: {named}", self.command, self.code_text())
    }

    /// An error with the whole answer, unless the exit code is one of these.
    pub fn ended_with(&self, codes: &[i32]) -> Result<(), String> {
        if self.code.is_some_and(|code| codes.contains(&code)) {
            return Ok(());
        }
        Err(format!("`{}` ended with {} and not with {codes:?}:\n{}", self.command, self.code_text(), self.text))
    }

    fn code_text(&self) -> String {
        self.code.map_or_else(|| "a signal".to_owned(), |code| code.to_string())
    }
}

impl Finding {
    fn is(&self, word: &str) -> bool {
        let subject = word.split_once(' ').map_or("", |(_, subject)| subject);
        self.is_of_kind(word) && self.subject.contains(subject)
    }

    fn is_of_kind(&self, word: &str) -> bool {
        let kind = word.split(' ').next().unwrap_or(word);
        match kind.split_once('/') {
            Some((list, kind)) => self.list == list && self.kind == kind,
            None => BLAMING.contains(&self.list) && self.kind == kind,
        }
    }
}
