//! What a GitHub runner is told: the job's summary, and annotations on lines, as workflow commands.
//! <https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions>

use std::collections::BTreeMap;

use super::markdown;
use super::report_data::{Group, Item, ReportData};
use crate::error::Error;
use crate::text::visible;

/// A step's summary may have so many bytes; a longer one is refused whole.
const SUMMARY: u64 = 1024 * 1024;

/// GitHub shows ten annotations of a level and step.
const MOST: usize = 10;

/// An annotation is to be read at a glance.
const LONGEST: usize = 1000;

/// The summary, behind what the step has written of its own; none if there is no room left.
#[must_use]
pub fn summary(facts: &ReportData<'_>, already: u64) -> Option<String> {
    // A line of its own, whatever stands before it.
    let room = usize::try_from(SUMMARY.checked_sub(already + 1)?).ok()?;
    markdown::within(facts, room).map(|text| format!("\n{text}"))
}

/// The annotations, a line each, what helps most first: one of each kind before a second of any.
#[must_use]
pub fn annotations(facts: &ReportData<'_>) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let telling = facts.items.iter().filter(|item| item.group != Group::Note);
    let mut ranked: Vec<(usize, &Item)> = telling
        .map(|item| {
            let count = counts.entry(item.finding.kind).or_default();
            *count += 1;
            (*count, item)
        })
        .collect();
    ranked.sort_by_key(|(nth, _)| *nth);
    let output = facts.judged.err().and_then(Error::output);
    let said = |item: &Item| output.filter(|_| item.group == Group::Failure).and_then(said);
    ranked.into_iter().take(MOST).map(|(_, item)| annotation(item, said(item))).collect()
}

/// What a failure comes down to in the output's own words: the message of a panic, or else the first error.
fn said(output: &str) -> Option<&str> {
    let mut lines = output.lines().map(str::trim);
    let panic = lines.find(|line| line.contains("panicked at "));
    // The message stands below the place, or in front of it where the compiler is an old one.
    let message = panic.and_then(|line| if line.ends_with(':') { lines.next() } else { Some(line) });
    let error = || output.lines().find(|line| line.starts_with("error"));
    message.filter(|message| !message.is_empty()).or_else(error)
}

fn annotation(item: &Item, said: Option<&str>) -> String {
    let finding = &item.finding;
    let level = if item.group == Group::Warning {
        "warning"
    } else {
        "error"
    };
    let mut properties = Vec::new();
    if let Some(place) = &item.place {
        properties.push(format!("file={}", property(&place.path)));
        properties.extend(place.line.map(|line| format!("line={line}")));
    }
    properties.push(format!("title={}", property(&visible(&format!("{} {}", finding.kind, finding.subject)))));
    let mut message = visible(&finding.detail);
    if finding.locked.is_some() || finding.found.is_some() {
        let value = |value: &Option<String>| value.as_deref().map_or_else(|| "—".to_owned(), visible);
        message += &format!("\nlocked {}, found {}", value(&finding.locked), value(&finding.found));
    }
    if let Some(said) = said {
        message += &format!("\n{}", visible(said));
    }
    if let Some(hint) = &finding.hint {
        message += &format!("\nhint: {}", visible(hint));
    }
    let message: String = message.chars().take(LONGEST).collect();
    format!("::{level} {}::{}\n", properties.join(","), data(&message))
}

/// The part behind the second pair of colons, as the runner decodes it.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property's value, as the runner decodes it.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_the_runner_decodes_is_encoded() {
        assert_eq!(data("50%\r\nof"), "50%25%0D%0Aof");
        assert_eq!(property("a:b,c%"), "a%3Ab%2Cc%25");
    }

    #[test]
    fn a_panic_says_more_than_the_error_above_it() {
        let failed = "warning: old\nerror: failed to run custom build command\n\n  thread 'main' panicked at build.rs:2:5:\n  no kernels\n";
        assert_eq!(said(failed), Some("no kernels"));
        let old = "error: failed\n  thread 'main' panicked at 'no kernels', build.rs:2:5\nnote: x\n";
        assert_eq!(said(old), Some("thread 'main' panicked at 'no kernels', build.rs:2:5"));
        assert_eq!(
            said("warning: old\nerror[E0308]: mismatched types\nerror: aborting\n"),
            Some("error[E0308]: mismatched types")
        );
        assert_eq!(said("nothing of the kind"), None);
    }

    proptest! {
        #[test]
        fn a_runner_reads_back_what_was_said(text in any::<String>()) {
            let decoded = |text: &str| text.replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%");
            prop_assert_eq!(decoded(&data(&text)), text.clone());
            let encoded = property(&text);
            prop_assert!(!encoded.contains([':', ',', '\n', '\r']), "{}", encoded);
            prop_assert_eq!(decoded(&encoded.replace("%3A", ":").replace("%2C", ",")), text);
        }
    }
}
