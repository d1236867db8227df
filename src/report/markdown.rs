//! Markdown, as GitHub and GitLab show it: a table first, then what differs and why. Everything that comes from
//! outside stands in code spans or is escaped, so that a name is never markup.

use std::fmt::Write as _;

use super::report_data::{Group, Item, ReportData};
use crate::digest::Digest;
use crate::error::Error;
use crate::text::{size, visible};
use crate::verdict::Word;

/// Items beyond these are counted, in a report that may be of any size.
const MOST: usize = 1000;

/// Characters of a name or a value beyond these are cut.
const LONGEST: usize = 400;

/// The whole report.
#[must_use]
pub fn report(facts: &ReportData<'_>) -> String {
    of_at_most(facts, MOST)
}

/// The report in so many bytes, with as many items as there is room for; none if not even the table fits.
#[must_use]
pub fn within(facts: &ReportData<'_>, bytes: usize) -> Option<String> {
    let mut most = facts.items.len().min(MOST);
    loop {
        let text = of_at_most(facts, most);
        if text.len() <= bytes {
            return Some(text);
        }
        if most == 0 {
            return None;
        }
        most /= 2;
    }
}

fn of_at_most(facts: &ReportData<'_>, most: usize) -> String {
    let mut text = head(facts);
    text += &items(facts, most);
    text += &failure(facts);
    text += &outcome(facts, most);
    text += &not_checked(facts, most);
    text += &timings(facts, most);
    let _ = write!(text, "\n### How to repeat it\n\n");
    if let Some(commit) = facts.commit() {
        let _ = writeln!(text, "At commit {}:\n", code(commit));
    }
    let _ = writeln!(text, "{}", code(&facts.repeat));
    let _ = writeln!(text, "\n<sub>cargo-repro {}</sub>", env!("CARGO_PKG_VERSION"));
    text
}

fn head(facts: &ReportData<'_>) -> String {
    let symbol = match facts.judged.map(|verdict| verdict.word) {
        Ok(Word::Reproduced | Word::Unchanged | Word::Passed | Word::Steady | Word::Recorded | Word::Done) => "✅",
        Ok(Word::Inconclusive) => "⚠️",
        Ok(Word::Drifted | Word::Diverged | Word::Refused | Word::Invalid) | Err(_) => "❌",
    };
    let mut text = format!("## {symbol} {}: {}\n\n", facts.word(), escaped(&facts.sentence()));
    let mut rows: Vec<(&str, String)> = Vec::new();
    if !facts.package.is_empty() {
        rows.push(("package", cell(&facts.package)));
    }
    rows.push(("command", cell(&format!("cargo repro {}", facts.command))));
    if let Some((tag, _)) = facts.judged.ok().and_then(|verdict| verdict.tag.as_ref()) {
        rows.push(("tag", cell(tag)));
    }
    rows.extend(facts.lock_id().map(|lock| ("lock", cell(&lock.to_string()))));
    if let Ok(verdict) = facts.judged {
        rows.extend((verdict.runs > 0).then(|| ("trainings", verdict.runs.to_string())));
    }
    rows.extend(facts.commit().map(|commit| ("commit", cell(commit))));
    rows.extend(facts.platform.map(|platform| ("platform", cell(&platform.to_string()))));
    let exit = facts.exit_code();
    rows.push(("exit code", format!("{} ({})", exit.number(), escaped(exit.meaning()))));
    text += "| | |\n|---|---|\n";
    for (name, value) in rows {
        let _ = writeln!(text, "| {name} | {value} |");
    }
    text
}

/// The table of everything that differs, then a paragraph each.
fn items(facts: &ReportData<'_>, most: usize) -> String {
    let mut text = String::new();
    let groups: [(&str, &[Group]); 2] = [
        (
            "What is wrong, and why",
            &[
                Group::Failure,
                Group::Cause,
                Group::Refusal,
                Group::Drift,
                Group::Divergence,
            ],
        ),
        ("Worth knowing", &[Group::Warning, Group::Note]),
    ];
    for (title, groups) in groups {
        let all: Vec<&Item> = facts.of(groups).collect();
        if all.is_empty() {
            continue;
        }
        let _ = write!(text, "\n### {title}\n\n");
        let shown = &all[..all.len().min(most)];
        if !shown.is_empty() {
            text += "| kind | what | locked | found | where |\n|---|---|---|---|---|\n";
        }
        for item in shown {
            text += &row(item);
        }
        if !shown.is_empty() {
            text.push('\n');
        }
        for item in shown {
            text += &paragraph(item);
        }
        if all.len() > shown.len() {
            let _ = writeln!(text, "\nand {} more.", all.len() - shown.len());
        }
    }
    text
}

fn row(item: &Item) -> String {
    let finding = &item.finding;
    let value = |value: &Option<String>| value.as_deref().map_or_else(|| "—".to_owned(), |text| cell(&short(text)));
    let stage = finding
        .stage
        .as_deref()
        .map_or_else(String::new, |stage| format!(" (stage {})", cell(stage)));
    let place = item.place.as_ref().map_or_else(String::new, |place| {
        let line = place.line.map_or_else(String::new, |line| format!(":{line}"));
        cell(&format!("{}{line}", place.path))
    });
    let (locked, found) = (value(&finding.locked), value(&finding.found));
    format!("| {} | {}{stage} | {locked} | {found} | {place} |\n", finding.kind, cell(&finding.subject))
}

fn paragraph(item: &Item) -> String {
    let finding = &item.finding;
    let mut text = format!("- **{}** {}: {}\n", finding.kind, code(&finding.subject), escaped(&finding.detail));
    if let Some(hint) = &finding.hint {
        let _ = writeln!(text, "  <br>hint: {}", escaped(hint));
    }
    text
}

/// The end of what the compiler or the program said.
fn failure(facts: &ReportData<'_>) -> String {
    const LINES: usize = 40;
    let Some(said) = facts.judged.err().and_then(Error::output) else {
        return String::new();
    };
    let lines: Vec<&str> = said.lines().collect();
    let mut text = "\n### What was said\n\n".to_owned();
    for line in &lines[lines.len().saturating_sub(LINES)..] {
        // Indented code needs no fence that a line could close.
        let _ = writeln!(text, "    {}", cut(&visible(line)));
    }
    text
}

fn outcome(facts: &ReportData<'_>, most: usize) -> String {
    let Some(verdict) = facts.judged.ok().filter(|verdict| !verdict.outcome.is_empty()) else {
        return String::new();
    };
    let mut text = "\n### What came out\n\n| stage | output | value |\n|---|---|---|\n".to_owned();
    for (stage, outcome) in &verdict.outcome {
        let metrics = outcome.metrics.iter().map(|(name, metric)| (name, metric.shown()));
        let artifacts = outcome
            .artifacts
            .iter()
            .map(|(path, artifact)| (path, format!("{} {}", artifact.digest.short(), size(artifact.bytes))));
        for (name, value) in metrics.chain(artifacts).take(most.max(20)) {
            let _ = writeln!(text, "| {} | {} | {} |", cell(stage), cell(name), cell(&value));
        }
    }
    text
}

fn not_checked(facts: &ReportData<'_>, most: usize) -> String {
    let Ok(verdict) = facts.judged else {
        return String::new();
    };
    let mut text = "\n### Not checked\n\n".to_owned();
    if verdict.not_checked.is_empty() {
        text += "Nothing that this command looks at was left out.\n";
    }
    let shown = verdict.not_checked.len().min(most.max(20));
    for item in &verdict.not_checked[..shown] {
        let _ = writeln!(text, "- **{}**: {}", item.kind, escaped(&item.why));
    }
    if shown < verdict.not_checked.len() {
        let _ = writeln!(text, "- and {} more", verdict.not_checked.len() - shown);
    }
    text
}

fn timings(facts: &ReportData<'_>, most: usize) -> String {
    if facts.timings.is_empty() {
        return String::new();
    }
    let mut text = "\n### Where the time went\n\n| step | seconds |\n|---|---:|\n".to_owned();
    for timing in facts.timings.iter().take(most.max(20)) {
        let stage = timing.step.stage().map_or_else(String::new, |stage| format!(" {}", cell(stage)));
        let run = timing
            .step
            .run()
            .filter(|run| *run > 1)
            .map_or_else(String::new, |run| format!(" ({run})"));
        let _ = writeln!(text, "| {}{stage}{run} | {:.1} |", timing.step.word(), timing.took.as_secs_f64());
    }
    text
}

/// A digest by its beginning, which tells two apart.
fn short(value: &str) -> String {
    value.parse::<Digest>().map_or_else(|_| value.to_owned(), |digest| digest.short())
}

fn cut(text: &str) -> String {
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    text.chars().take(LONGEST).chain(['…']).collect()
}

/// A code span (CommonMark 6.1): nothing in it is markup, no link, no mention. A fence longer than any within
/// keeps it together.
fn code(text: &str) -> String {
    let text = cut(&visible(text));
    if text.is_empty() {
        return String::new();
    }
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let pad = if text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) {
        " "
    } else {
        ""
    };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// A code span in a table, where a bar would end the cell (GFM 4.10). Elsewhere the backslash would be seen.
fn cell(text: &str) -> String {
    code(text).replace('|', "\\|")
}

/// A sentence with nothing in it that is markup but code spans, where it has words between backticks.
fn escaped(text: &str) -> String {
    let text = cut(&visible(text));
    let parts: Vec<&str> = text.split('`').collect();
    // The last backtick of an odd number opens nothing.
    let whole = parts.len() % 2 == 1;
    let mut escaped = String::new();
    for (at, part) in parts.iter().enumerate() {
        let is_last = at + 1 == parts.len();
        match (at % 2 == 1, part.is_empty()) {
            (true, false) if whole || !is_last => escaped += &code(part),
            (true, _) => escaped += &format!("\\`{}{}", plain(part), if is_last { "" } else { "\\`" }),
            (false, _) => escaped += &plain(part),
        }
    }
    escaped
}

/// No emphasis, HTML, link, mention, reference or formula.
fn plain(text: &str) -> String {
    let mut escaped = String::new();
    let mut characters = text.chars().peekable();
    let mut before = ' ';
    while let Some(c) = characters.next() {
        let next = characters.peek().copied().unwrap_or(' ');
        let written = escaped.trim_start();
        let is_markup = "\\`*_[]<>&|~#@$!{}^".contains(c)
            // `https:` and `:smile:`; and `www.` begins a link too.
            || (c == ':' && !next.is_whitespace())
            || (c == '.' && before.eq_ignore_ascii_case(&'w'))
            // Lists and rules begin so.
            || (written.is_empty() && "+-=.".contains(c))
            || (!written.is_empty() && written.bytes().all(|byte| byte.is_ascii_digit()) && ".)".contains(c));
        if is_markup {
            escaped.push('\\');
        }
        escaped.push(c);
        before = c;
    }
    escaped
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use pulldown_cmark::{Event, Options, Parser, Tag};

    use super::*;

    fn text_of(markdown: &str) -> (String, Vec<String>) {
        let (mut text, mut others) = (String::new(), Vec::new());
        for event in Parser::new_ext(markdown, Options::all()) {
            match event {
                Event::Text(part) | Event::Code(part) => text += &part,
                Event::Start(Tag::Paragraph) | Event::End(_) => {}
                other => others.push(format!("{other:?}")),
            }
        }
        (text, others)
    }

    proptest! {
        #[test]
        fn a_name_in_a_code_span_comes_back_as_it_is(name in "[ -~éß]{1,40}") {
            prop_assume!(!name.trim().is_empty());
            let (text, others) = text_of(&format!("x {} y", code(&name)));
            prop_assert!(others.is_empty(), "{others:?}");
            prop_assert_eq!(text, format!("x {name} y"));
        }

        #[test]
        fn a_name_in_a_table_comes_back_as_it_is(name in "[ -~éß]{1,40}") {
            prop_assume!(!name.trim().is_empty());
            let (text, _) = text_of(&format!("| a | b |\n|---|---|\n| {} | y |\n", cell(&name)));
            prop_assert_eq!(text, format!("ab{name}y"));
        }

        #[test]
        fn a_sentence_comes_back_as_it_is(sentence in "[a-zA-Z0-9.,;:!?<>&*_~#@$\\[\\](){}^|/\\\\=+'\"-]{1,60}") {
            let (text, others) = text_of(&format!("- {}", escaped(&sentence)));
            let others: Vec<_> = others.into_iter().filter(|other| !other.contains("List") && !other.contains("Item")).collect();
            prop_assert!(others.is_empty(), "{} {others:?}", escaped(&sentence));
            // Typographic quotes and dashes are the parser's own embellishment.
            let plain = |text: &str| text.replace(['“', '”'], "\"").replace(['‘', '’'], "'").replace('–', "--").replace('—', "---").replace('…', "...");
            prop_assert_eq!(plain(&text), plain(&sentence));
        }
    }

    #[test]
    fn what_begins_as_a_list_does_is_none() {
        for sentence in ["1.", "12)", "123456789. and more", " 1. x", " - x", "+", "1.5"] {
            let (text, others) = text_of(&escaped(sentence));
            assert_eq!((text.as_str(), others), (sentence.trim(), Vec::new()));
        }
    }

    #[test]
    fn words_between_backticks_are_code() {
        assert_eq!(escaped("run `git restore` on a*b"), "run `git restore` on a\\*b");
        assert_eq!(escaped("one ` alone"), "one \\` alone");
        assert_eq!(escaped("a `<b>` c ` <i>"), "a `<b>` c \\` \\<i\\>");
        assert_eq!(escaped("``"), "\\`\\`");
    }

    #[test]
    fn a_bar_does_not_end_a_cell() {
        let table = format!("| a | b |\n|---|---|\n| {} | {} |\n", cell("x|y"), escaped("x|y"));
        let cells =
            Parser::new_ext(&table, Options::all()).filter(|event| matches!(event, Event::Start(Tag::TableCell)));
        assert_eq!(cells.count(), 4);
    }
}
