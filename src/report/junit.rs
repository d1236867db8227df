//! JUnit's XML, which every CI draws: each input, the build, each stage, artifact, metric and checkpoint a test
//! case. What was not done is skipped, never passed.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::report_data::{Group, Item, ReportData};
use crate::error::{Error, Phase};
use crate::outcome::StageOutcome;
use crate::text::visible;
use crate::timing::Step;
use crate::verdict::Word;

/// The kinds of drift that belong to one input, by how they begin.
const INPUTS: [(&str, &str); 12] = [
    ("lock", "lock-"),
    ("manifest", "manifest-"),
    ("seed", "seed-"),
    ("params", "params-"),
    ("data", "data-"),
    ("source", "source-"),
    ("dependencies", "dependency-"),
    ("toolchain", "toolchain-"),
    ("build", "build-"),
    ("environment", "environment-"),
    ("platform", "platform-"),
    ("tag", "tag-"),
];

/// The whole file.
#[must_use]
pub fn report(facts: &ReportData<'_>) -> String {
    let mut report = Report::new(format!("cargo repro {} {}", facts.command, visible(&facts.package)));
    report.set_time(facts.timings.iter().map(|timing| timing.took).sum());
    if facts.command == "gate" {
        report.add_test_suite(gate(facts));
    } else {
        report.add_test_suites([inputs(facts), build(facts)]);
        report.add_test_suites(stages(facts));
        report.add_test_suites(unclaimed(facts));
    }
    report.add_test_suites(not_checked(facts));
    report.to_string().expect("what is written to memory is written")
}

/// How far the command came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reached {
    Nothing,
    Inputs,
    Build,
    /// The stages ran, and nothing of them was compared.
    Trained,
    Compared,
}

fn reached(facts: &ReportData<'_>) -> Reached {
    match facts.judged {
        Ok(verdict) if verdict.runs > 0 && verdict.word == Word::Drifted => Reached::Trained,
        Ok(verdict) if verdict.runs > 0 => Reached::Compared,
        Ok(_) => Reached::Inputs,
        Err(error) => match error.failed_phase() {
            Phase::Project | Phase::Snapshot => Reached::Nothing,
            Phase::Build => Reached::Inputs,
            Phase::Train | Phase::Collect => Reached::Build,
        },
    }
}

fn inputs(facts: &ReportData<'_>) -> TestSuite {
    let mut suite = TestSuite::new("inputs");
    let data = facts.lock.iter().flat_map(|read| read.lock.snapshot.data.keys());
    let params = facts.lock.iter().flat_map(|read| read.lock.snapshot.params.keys());
    let mut names: Vec<(String, &str)> = Vec::new();
    for (name, kind) in INPUTS {
        match name {
            "data" => names.extend(data.clone().map(|data| (format!("data.{data}"), kind))),
            "params" => names.extend(params.clone().map(|param| (format!("params.{param}"), kind))),
            _ => names.push((name.to_owned(), kind)),
        }
    }
    names.push(("recorded artifacts".to_owned(), "artifact-tampered"));
    if let Some(error) = facts.judged.err().filter(|_| reached(facts) == Reached::Nothing) {
        suite.add_test_case(case("inputs", "project", errored(error, facts)));
    }
    let mut drift: Vec<&Item> = facts.of(&[Group::Drift]).collect();
    for (name, kind) in names {
        let is_of_it =
            |item: &Item| item.finding.kind.starts_with(kind) && (!name.contains('.') || item.finding.subject == name);
        let its: Vec<&Item> = drift.iter().copied().filter(|item| is_of_it(item)).collect();
        drift.retain(|item| !is_of_it(item));
        let status = match reached(facts) {
            Reached::Nothing => skipped("the command failed before it looked"),
            _ if its.is_empty() && is_unseen(facts) => {
                skipped("cargo refuses the package, so nothing else was looked at")
            }
            _ if its.is_empty() => unseen(facts, &name).map_or_else(TestCaseStatus::success, |why| skipped(&why)),
            _ => failing(&its),
        };
        let mut case = case("inputs", &name, status);
        let warnings: Vec<String> = facts.of(&[Group::Warning]).filter(|item| is_of_it(item)).map(text).collect();
        if !warnings.is_empty() {
            case.set_system_out(warnings.join("\n\n"));
        }
        suite.add_test_case(case);
    }
    // Such as a parameter that the lock does not know.
    for item in drift {
        suite.add_test_case(case("inputs", &item.finding.subject, failing(&[item])));
    }
    time(&mut suite, facts, |step| *step == Step::Inputs);
    suite
}

/// Why an input was not looked at, if it was not.
fn unseen(facts: &ReportData<'_>, name: &str) -> Option<String> {
    let kind = match name {
        "tag" => "tag",
        "recorded artifacts" => "artifact",
        _ => return None,
    };
    let verdict = facts.judged.ok()?;
    let item = verdict.not_checked.iter().find(|item| item.kind == kind)?;
    Some(visible(&item.why))
}

/// Whether only the packages could be looked at.
fn is_unseen(facts: &ReportData<'_>) -> bool {
    facts
        .judged
        .is_ok_and(|verdict| verdict.not_checked.iter().any(|item| item.kind == "inputs"))
}

fn build(facts: &ReportData<'_>) -> TestSuite {
    let mut suite = TestSuite::new("build");
    let status = match (facts.judged, reached(facts)) {
        (Err(error), _) if error.failed_phase() == Phase::Build => errored(error, facts),
        (_, Reached::Build | Reached::Trained | Reached::Compared) => TestCaseStatus::success(),
        _ => skipped("nothing was built"),
    };
    let mut case = case("build", "build", status);
    case.set_time(took(facts, |step| matches!(step, Step::Checkout | Step::Packages | Step::Build)));
    suite.add_test_case(case);
    suite
}

fn stages(facts: &ReportData<'_>) -> Vec<TestSuite> {
    let mut suites: Vec<TestSuite> = Vec::new();
    for (name, outcome) in locked(facts) {
        let mut suite = TestSuite::new(format!("stage {name}"));
        let class = format!("stage.{name}");
        let failed = facts.judged.err().filter(|error| error.failed_stage() == Some(name));
        let has_run = facts.timings.iter().any(|timing| timing.step.stage() == Some(name));
        let status = match failed {
            Some(error) => errored(error, facts),
            None if has_run => TestCaseStatus::success(),
            None => skipped("it was not run"),
        };
        let mut stage = case(&class, name, status);
        stage.set_time(took(facts, |step| step.stage() == Some(name)));
        suite.add_test_case(stage);
        outputs(&mut suite, facts, name, &class, outcome);
        suites.push(suite);
    }
    suites
}

/// The outcome that this machine is held to; none without a lock.
fn locked<'a>(facts: &'a ReportData<'_>) -> impl Iterator<Item = (&'a String, &'a StageOutcome)> {
    let locked = facts.lock.map(|read| {
        let expected = facts.platform.and_then(|platform| read.lock.expected(platform));
        expected.unwrap_or(&read.lock.outcome)
    });
    locked.into_iter().flatten()
}

/// A failure that no other case stands for: of no stage, or of one that the lock does not know.
fn unclaimed(facts: &ReportData<'_>) -> Option<TestSuite> {
    let error = facts.judged.err()?;
    let has_case = match error.failed_phase() {
        Phase::Project | Phase::Snapshot | Phase::Build => true,
        Phase::Train | Phase::Collect => locked(facts).any(|(name, _)| Some(name.as_str()) == error.failed_stage()),
    };
    if has_case {
        return None;
    }
    let mut suite = TestSuite::new("run");
    suite.add_test_case(case("run", error.failed_stage().unwrap_or("run"), errored(error, facts)));
    Some(suite)
}

fn outputs(suite: &mut TestSuite, facts: &ReportData<'_>, stage: &str, class: &str, outcome: &StageOutcome) {
    let mut differing: Vec<&Item> = facts
        .of(&[Group::Divergence])
        .filter(|item| item.finding.stage.as_deref() == Some(stage))
        .collect();
    let artifacts = outcome.artifacts.keys().map(|name| ("artifact", name));
    let metrics = outcome.metrics.keys().map(|name| ("metric", name));
    let checkpoints = outcome.checkpoints.iter().map(|checkpoint| ("checkpoint", &checkpoint.name));
    for (kind, name) in artifacts.chain(metrics).chain(checkpoints) {
        let is_it = |item: &Item| item.finding.kind.starts_with(kind) && item.finding.subject == *name;
        let its: Vec<&Item> = differing.iter().copied().filter(|item| is_it(item)).collect();
        differing.retain(|item| !is_it(item));
        let status = match reached(facts) {
            Reached::Compared => failing(&its),
            Reached::Trained => skipped("an input changed while a training read it, so its outputs were not compared"),
            _ => skipped("nothing was compared"),
        };
        suite.add_test_case(case(class, &format!("{kind} {name}"), status));
    }
    // Outputs that the lock does not know, and seed streams.
    for item in differing {
        let name = format!("{} {}", item.finding.kind, item.finding.subject);
        suite.add_test_case(case(class, &name, failing(&[item])));
    }
}

fn gate(facts: &ReportData<'_>) -> TestSuite {
    let mut suite = TestSuite::new("gate");
    if let Err(error) = facts.judged {
        suite.add_test_case(case("gate", "release", errored(error, facts)));
        return suite;
    }
    let refusals: Vec<&Item> = facts.of(&[Group::Refusal]).collect();
    suite.add_test_case(case("gate", "release", failing(&refusals)));
    for item in &refusals {
        let name = format!("{} {}", item.finding.kind, item.finding.subject);
        suite.add_test_case(case("gate", &name, failing(&[item])));
    }
    suite
}

fn not_checked(facts: &ReportData<'_>) -> Option<TestSuite> {
    let verdict = facts.judged.ok().filter(|verdict| !verdict.not_checked.is_empty())?;
    let mut suite = TestSuite::new("not checked");
    for item in &verdict.not_checked {
        suite.add_test_case(case("not checked", item.kind, skipped(&visible(&item.why))));
    }
    Some(suite)
}

fn case(class: &str, name: &str, status: TestCaseStatus) -> TestCase {
    let mut case = TestCase::new(visible(name), status);
    case.set_classname(visible(class));
    case
}

fn skipped(why: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message(why);
    status
}

/// Success where there is nothing against it.
fn failing(items: &[&Item]) -> TestCaseStatus {
    let Some(first) = items.first() else {
        return TestCaseStatus::success();
    };
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    let texts: Vec<String> = items.iter().copied().map(text).collect();
    status
        .set_type(first.finding.kind)
        .set_message(visible(&first.finding.detail))
        .set_description(texts.join("\n\n"));
    status
}

fn text(item: &Item) -> String {
    let finding = &item.finding;
    let mut lines = vec![format!("{} {}", finding.kind, finding.subject), finding.detail.clone()];
    lines.extend(finding.locked.iter().map(|value| format!("locked  {value}")));
    lines.extend(finding.found.iter().map(|value| format!("found   {value}")));
    if let Some(place) = &item.place {
        let line = place.line.map_or_else(String::new, |line| format!(":{line}"));
        lines.push(format!("at {}{line}", place.path));
    }
    lines.extend(finding.hint.iter().map(|hint| format!("hint: {hint}")));
    lines.iter().map(|line| visible(line)).collect::<Vec<_>>().join("\n")
}

fn errored(error: &Error, facts: &ReportData<'_>) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    let said: Vec<String> = error.output().unwrap_or_default().lines().map(visible).collect();
    let said = said.join("\n");
    let hint = error.next().map_or_else(String::new, |hint| format!("\nhint: {hint}"));
    let causes: String = facts.of(&[Group::Cause]).map(|item| format!("\n\n{}", text(item))).collect();
    status
        .set_type(super::report_data::failure_kind(error.exit_code()))
        .set_message(visible(error.what()))
        .set_description(format!("{}\n{said}{hint}{causes}", visible(error.what())));
    status
}

fn took(facts: &ReportData<'_>, is_of_it: impl Fn(&Step) -> bool) -> Duration {
    let its = facts.timings.iter().filter(|timing| is_of_it(&timing.step));
    its.map(|timing| timing.took).sum()
}

fn time(suite: &mut TestSuite, facts: &ReportData<'_>, is_of_it: impl Fn(&Step) -> bool) {
    suite.set_time(took(facts, is_of_it));
}
