//! Whatever there is to say, and however much: the page stays short, and counts what it leaves out.

use super::*;
use crate::compare::drift::{Change, Drift};
use crate::outcome::{Artifact, Checkpoint, Metric};
use crate::verdict::NotChecked;

/// A lock with so many metrics, of a course of their own.
fn with_metrics(at: usize, metrics: usize) -> Read {
    edited(|lock| {
        let outcome = lock.outcome.get_mut("train").unwrap();
        outcome.metrics = (0..metrics)
            .map(|number| (format!("metric{number:02}"), Metric::new(((at * (number + 7)) % 101) as f64 / 101.0)))
            .collect();
    })
}

#[test]
fn ten_thousand_locks_are_thinned_out_and_the_ends_kept() {
    let mut case = Case::of(Word::Unchanged);
    let kept: Vec<Read> = (0..16).map(|at| with_metrics(at * 13, 30)).collect();
    case.history = (0..10_000).rev().map(|at| entry(at, Ok(kept[at % 16].clone()))).collect();
    let page = case.page();
    holds(&page);
    let tables = texts(&page, "figure table");
    assert!(
        !tables.is_empty() && texts(&page, "#metrics > table").len() == 1,
        "some are drawn, and some in a table"
    );
    for table in tables {
        assert!(table.contains("000000000000") && table.contains("2023-11-14"), "the first: {table}");
        // The last of them, by its date: 9,999 days later.
        assert!(table.contains("2051-03-31"), "the last: {table}");
    }
    let captions = texts(&page, "figcaption > p");
    assert!(captions[0].starts_with("Of 10000 values "), "{}", captions[0]);
}

#[test]
fn five_thousand_differences_are_counted() {
    let mut case = Case::of(Word::Drifted);
    let change = |at: usize| Change {
        name: format!("src/{at}.rs"),
        locked: Some("a".repeat(71)),
        found: Some("b".repeat(71)),
    };
    case.verdict().drift = (0..5000).map(|at| Drift::Source(change(at))).collect();
    let page = case.page();
    holds(&page);
    let shown = texts(&page, ".findings tbody tr").len();
    let left_out = texts(&page, "#findings .left-out").concat();
    assert!(shown >= 8 && left_out.contains(&format!("{} more source-changed", 5000 - shown)), "{left_out}");
}

#[test]
fn names_of_ten_thousand_characters_and_lists_of_thousands_fit() {
    let long = |at: usize| format!("{at:05}{}end", "\"<ä".repeat(3333));
    let mut case = Case::of(Word::Drifted);
    case.package = long(0);
    case.lock = Some(edited(|lock| {
        let digest = lock.snapshot.source.closure;
        for at in 0..2000 {
            lock.snapshot.environment.variables.insert(long(at), long(at));
        }
        let outcome = lock.outcome.get_mut("train").unwrap();
        for at in 0..2000 {
            outcome.metrics.insert(long(at), Metric::new(0.5));
            outcome.artifacts.insert(long(at), Artifact { digest, bytes: 1 });
            outcome.checkpoints.push(Checkpoint { name: long(at), digest });
        }
        let stage = lock.snapshot.stages["train"].clone();
        let outcome = lock.outcome["prepare"].clone();
        for at in 0..500 {
            lock.snapshot.stages.insert(long(at), stage.clone());
            lock.outcome.insert(long(at), outcome.clone());
        }
    }));
    case.history = (0..3).rev().map(|at| entry(at, Ok(case.lock.clone().unwrap()))).collect();
    case.timings = (0..3000)
        .map(|at| Timing {
            step: Step::Train {
                stage: long(at),
                run: 1,
            },
            took: Duration::from_secs(1),
        })
        .collect();
    let verdict = case.verdict();
    verdict.drift = (0..500)
        .map(|at| Drift::Environment {
            name: long(at),
            locked: Some(long(at)),
            found: Some(long(at)),
        })
        .collect();
    verdict.not_checked = (0..500).map(|at| NotChecked::new("data", long(at))).collect();
    let page = case.page();
    holds(&page);
    let name = &texts(&page, "h1")[0];
    assert!(name.starts_with("00000\"<ä") && name.contains('…') && name.ends_with("end"), "{name}");
    assert!(texts(&page, ".left-out").len() > 4);
}

#[test]
fn an_output_without_end_is_cut_to_its_end() {
    let mut case = Case::of(Word::Done);
    let lines: String = (0..50_000).map(|at| format!("line {at} \"quoted\"\n")).collect();
    case.judged = Err(Error::training("the program failed").context(lines));
    let page = case.page();
    holds(&page);
    let output = &texts(&page, "#failure pre")[0];
    assert!(
        output.starts_with("(49800 lines before this left out)") && output.ends_with("line 49999 \"quoted\""),
        "{output}"
    );
}

/// A lock with this metric alone.
fn with_loss(value: f64) -> Read {
    edited(|lock| {
        let metrics = &mut lock.outcome.get_mut("train").unwrap().metrics;
        metrics.clear();
        metrics.insert("loss".to_owned(), Metric::new(value));
    })
}

#[test]
fn values_that_are_no_numbers_are_listed_and_not_drawn() {
    let mut case = Case::of(Word::Unchanged);
    let values = [0.5, f64::NAN, f64::INFINITY, -f64::MAX, f64::MAX, f64::NEG_INFINITY];
    case.history = values
        .iter()
        .enumerate()
        .rev()
        .map(|(at, value)| entry(at, Ok(with_loss(*value))))
        .collect();
    let page = case.page();
    holds(&page);
    assert_eq!(texts(&page, "figure svg use").len(), 3);
    assert_eq!(texts(&page, "figure .curve line").len(), 1, "none leads over a gap");
    let caption = texts(&page, "figcaption > p").concat();
    assert!(caption.contains("3 values are no finite number and not drawn: -inf at"), "{caption}");
    assert!(caption.contains("inf at") && caption.contains("NaN at"), "{caption}");
    let drawing = page.split("<svg class=\"plot\"").nth(1).unwrap().split("</svg>").next().unwrap();
    let places: Vec<&str> = drawing.match_indices("y=\"").map(|(at, _)| &drawing[at + 3..at + 6]).collect();
    assert!(!places.iter().any(|place| place.contains("NaN") || place.contains("inf")), "{places:?}");
}

/// A trunk of even locks and a branch of odd ones, each with a loss of its own height, which is drawn as a line.
fn two_branches(locks: usize) -> Case {
    let mut case = Case::of(Word::Unchanged);
    let lock = |at: usize| with_loss(if at.is_multiple_of(2) { 1.0 } else { 2.0 });
    case.history = (0..locks).rev().map(|at| entry(at, Ok(lock(at)))).collect();
    for (at, entry) in case.history.iter_mut().rev().enumerate().skip(1) {
        entry.before = Some(format!("{:040x}", at.saturating_sub(2)));
    }
    case
}

/// The lines that lead from one height to another.
fn sloping(page: &str) -> Vec<[String; 2]> {
    let document = Html::parse_document(page);
    let lines = Selector::parse("figure .curve line").unwrap();
    let end = |line: ElementRef<'_>, name: &str| line.attr(name).unwrap().to_owned();
    let ends = document.select(&lines).map(|line| [end(line, "y1"), end(line, "y2")]);
    ends.filter(|[old, new]| old != new).collect()
}

#[test]
fn each_branch_is_a_line_of_its_own() {
    for locks in [9, 301] {
        let page = two_branches(locks).page();
        holds(&page);
        let drawn = texts(&page, "figure .curve line").len();
        assert!(drawn == texts(&page, "figure tbody tr").len() - 1, "every lock but the first has one: {drawn}");
        assert_eq!(sloping(&page).len(), 1, "where the branch begins");
        assert!(texts(&page, "#metrics > p")[0].contains("The history has branches"));
    }
}

#[test]
fn a_history_in_one_line_is_not_said_to_have_branches() {
    let mut case = two_branches(0);
    case.history = (0..4).rev().map(|at| entry(at, Ok(with_loss(1.0)))).collect();
    assert!(!texts(&case.page(), "#metrics > p")[0].contains("branches"));
}

#[test]
fn a_metric_that_was_never_a_number_has_a_caption_alone() {
    let mut case = Case::of(Word::Unchanged);
    // The sample's `worst` is NaN.
    case.history = vec![entry(0, Ok(sample()))];
    let page = case.page();
    holds(&page);
    assert_eq!(texts(&page, "figure").len(), 2);
    assert!(texts(&page, "figcaption > p").concat().contains("Nothing can be drawn."));
}
