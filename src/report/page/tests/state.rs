//! A tick stands only where somebody looked.

use super::*;
use crate::compare::divergence::{Divergence, Output};
use crate::compare::drift::Drift;
use crate::outcome::Metric;
use crate::release::gate::refusal::{CommitFault, Refusal};
use crate::snapshot::Param;
use crate::verdict::NotChecked;

/// The rows of a table as name and last cell.
fn rows(page: &str, table: &str) -> Vec<(String, String)> {
    let cell = |row: ElementRef<'_>, selector: &str| -> String {
        let selector = Selector::parse(selector).unwrap();
        row.select(&selector).flat_map(|cell| cell.text()).collect()
    };
    let document = Html::parse_document(page);
    let all = Selector::parse(&format!("{table} tbody tr")).unwrap();
    document
        .select(&all)
        .map(|row| (cell(row, "th[scope=row]"), cell(row, "td:last-child")))
        .collect()
}

#[track_caller]
fn says(page: &str, table: &str, name: &str, state: &str) {
    let rows = rows(page, table);
    let (_, found) = rows
        .iter()
        .find(|(found, _)| found == name)
        .unwrap_or_else(|| panic!("no {name} in {rows:?}"));
    assert_eq!(found, state);
}

#[test]
fn an_input_that_drifted_has_the_found_value_beside_it() {
    let mut case = Case::of(Word::Drifted);
    let text = |text: &str| Some(Param::Text(text.to_owned()));
    case.verdict().drift = vec![
        Drift::Param {
            name: "depth".to_owned(),
            locked: text("10"),
            found: text("12"),
        },
        Drift::Param {
            name: "new".to_owned(),
            locked: None,
            found: text("1"),
        },
        Drift::AmbientBuild {
            setting: "RUSTFLAGS".to_owned(),
        },
    ];
    case.verdict().not_checked = vec![NotChecked::new("dependency-sources", "not looked into")];
    let page = case.page();
    holds(&page);
    says(&page, ".inputs", "rate", "✓ as locked");
    says(&page, ".inputs", "depth", "✗ differsparams.depth: 12");
    says(&page, ".inputs", "params.new", "✗ differs 1");
    says(&page, ".inputs", "packages", "✓ Cargo.lock as locked; not all files");
    assert!(
        rows(&page, ".inputs")
            .iter()
            .any(|(name, state)| name == "build" && state.starts_with("! differs, which stops nothing"))
    );
    says(&page, ".outcome", "metric accuracy", "– not computed again");
    assert!(texts(&page, "#outcome p")[0].contains("Nothing was trained for this page."));
}

#[test]
fn nothing_has_a_tick_where_the_command_failed_before_it_looked() {
    let mut case = Case::of(Word::Done);
    case.judged = Err(Error::new("repro.toml:3: no such key"));
    case.platform = None;
    let page = case.page();
    holds(&page);
    let ticked: Vec<_> = rows(&page, ".inputs").into_iter().filter(|(_, state)| state.contains('✓')).collect();
    assert_eq!(ticked, [("repro.lock".to_owned(), "✓ intact".to_owned())]);
    assert!(texts(&page, "#not-checked")[0].contains("Everything that a verdict would vouch for."));
}

#[test]
fn the_gate_ticks_what_the_tagged_commit_has_and_no_machine() {
    let mut case = Case::of(Word::Passed);
    case.platform = None;
    case.verdict().tag = Some(("v1".to_owned(), None));
    let page = case.page();
    holds(&page);
    says(&page, ".inputs", "seed", "✓ as in the tagged commit");
    says(&page, ".inputs", "compiler", "– not checked");
    says(&page, ".inputs", "LANG", "– not checked");

    let mut case = Case::of(Word::Passed);
    case.platform = None;
    case.verdict().tag = Some(("v1".to_owned(), None));
    case.verdict().refuse(vec![Refusal::Commit(CommitFault::LockDirty)]);
    let page = case.page();
    holds(&page);
    says(&page, ".inputs", "seed", "– not checked");
    assert!(texts(&page, "h2").contains(&"What stands against it".to_owned()));
}

#[test]
fn an_output_that_diverged_has_both_values() {
    let mut case = Case::of(Word::Diverged);
    let mut outcome = sample().lock.outcome;
    let found = Metric::new(0.25);
    let metrics = &mut outcome.get_mut("train").unwrap().metrics;
    let locked = metrics.insert("accuracy".to_owned(), found.clone());
    let verdict = case.verdict();
    verdict.runs = 1;
    verdict.outcome = outcome;
    let output = Output::MetricChanged {
        name: "accuracy".to_owned(),
        locked,
        found,
    };
    verdict.divergence = vec![Divergence {
        stage: "train".to_owned(),
        output,
    }];
    case.history = vec![entry(0, Ok(sample()))];
    let page = case.page();
    holds(&page);
    says(&page, ".outcome", "metric accuracy", "✗ differs0.25 bits 3fd0000000000000");
    says(&page, ".outcome", "checkpoint split", "✓ the same");
    assert!(texts(&page, "figcaption").concat().contains("Found instead of the locked value: 0.25"));
}

#[test]
fn a_lock_that_was_edited_says_so() {
    let mut case = Case::of(Word::Unchanged);
    case.lock.as_mut().unwrap().actual_id = crate::digest::Digest::of("another body");
    let page = case.page();
    holds(&page);
    says(&page, ".inputs", "repro.lock", "✗ edited by hand");
    assert!(texts(&page, ".facts")[0].contains("edited by hand: its content gives sha256:"));
}

#[test]
fn a_page_without_a_lock_is_whole() {
    for error in [true, false] {
        let mut case = Case::of(Word::Diverged);
        (case.lock, case.platform, case.timings) = (None, None, Vec::new());
        case.package = String::new();
        if error {
            case.judged = Err(Error::new("there is no repro.lock"));
        }
        holds(&case.page());
    }
}

#[test]
fn the_same_dossier_gives_the_same_bytes() {
    let page = || {
        let mut case = Case::of(Word::Reproduced);
        case.history = (0..8).rev().map(|at| entry(at, Ok(sample()))).collect();
        case.page()
    };
    assert_eq!(page(), page());
    let body = page().split_once("</style>").unwrap().1.replace("><", ">\n<");
    insta::with_settings!({snapshot_path => "../../../../tests/snapshots", prepend_module_to_snapshot => false}, {
        insta::assert_snapshot!("page", body);
    });
}
