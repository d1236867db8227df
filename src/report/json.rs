//! One JSON object a line, for programs. The schema is `docs/messages.schema.json`, and a test holds
//! every message against it.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use super::finding::Finding;
use super::gate;
use super::place::Place;
use super::report_data::ReportData;
use crate::cause::Cause;
use crate::diagnose::Tested;
use crate::diagnose::vary::TestResult;
use crate::error::Error;
use crate::lockfile::Read;
use crate::release::attestation::PublicKey;
use crate::snapshot::Param;
use crate::timing::Timing;
use crate::trace::Site;
use crate::verdict::{NotChecked, Verdict};

/// The version of every message.
pub const SCHEMA: u32 = 1;

/// A phase that begins.
#[must_use]
pub fn phase(name: &str, detail: &str) -> Value {
    json!({"reason": "phase", "schema": SCHEMA, "phase": name, "detail": detail})
}

/// Something that stops nothing.
#[must_use]
pub fn warning(message: &str) -> Value {
    json!({"reason": "warning", "schema": SCHEMA, "message": message})
}

/// The last line of a command that came to an end.
#[must_use]
pub fn verdict(verdict: &Verdict) -> Value {
    let drift: Vec<Finding> = verdict.drift.iter().map(Finding::from).collect();
    let divergence: Vec<Finding> = verdict.divergence.iter().map(Finding::from).collect();
    let notes: Vec<Finding> = verdict.notes.iter().map(Finding::from).collect();
    let not_checked: Vec<Value> = verdict.not_checked.iter().map(not_checked).collect();
    let mut value = json!({
        "reason": "verdict",
        "schema": SCHEMA,
        "verdict": verdict.word.text(),
        "exit_code": verdict.word.exit_code().number(),
        "lock": verdict.lock,
        "commit": (!verdict.commit.is_empty()).then_some(&verdict.commit),
        "runs": verdict.runs,
        "drift": drift,
        "divergence": divergence,
        "causes": verdict.causes.iter().map(cause).collect::<Vec<_>>(),
        "notes": notes,
        "not_checked": not_checked,
        "factors": verdict.factors.iter().map(factor).collect::<Vec<_>>(),
        "outcome": verdict.outcome,
        "outputs": verdict.outputs,
        "artifacts": verdict.artifacts,
    });
    gate::json(verdict, &mut value);
    value
}

/// A cause, with the places in the program where it draws on it.
fn cause(cause: &Cause) -> Value {
    json!({
        "kind": cause.kind.word(),
        "stage": cause.stage,
        "subject": cause.subject,
        "detail": cause.detail,
        "first": cause.first,
        "sites": cause.sites.iter().map(site).collect::<Vec<_>>(),
        "hint": cause.hint,
    })
}

/// A factor that was varied, or was not.
fn factor(tested: &Tested) -> Value {
    let (varied, changes) = match &tested.result {
        TestResult::Steady(_) => (true, false),
        TestResult::Changes { .. } => (true, true),
        TestResult::NotVaried(_) => (false, false),
    };
    let mut value = json!({"factor": tested.factor.word(), "varied": varied, "changes": changes});
    match &tested.result {
        TestResult::Steady(settings) => value["settings"] = json!(settings),
        TestResult::Changes { setting, effect } => {
            value["setting"] = json!(setting);
            value["stage"] = json!(effect.stage);
            value["checkpoint"] = json!(effect.checkpoint);
            value["output"] = json!(effect.output);
        }
        TestResult::NotVaried(why) => value["why"] = json!(why),
    }
    value
}

fn site(site: &Site) -> Value {
    json!({
        "function": site.function,
        "package": site.package,
        "file": site.file,
        "line": site.line,
        "via": site.via,
        "guessed": site.guessed,
        "called_from": site.called_from.as_deref().map(self::site),
    })
}

fn not_checked(not_checked: &NotChecked) -> Value {
    json!({"kind": not_checked.kind, "why": not_checked.why})
}

/// The last line of a command that could not come to its end.
#[must_use]
pub fn failed(error: &Error) -> Value {
    json!({
        "reason": "verdict",
        "schema": SCHEMA,
        "verdict": "failed",
        "exit_code": error.exit_code().number(),
        "drift": [],
        "divergence": [],
        "causes": error.known_causes().iter().map(cause).collect::<Vec<_>>(),
        "notes": [],
        "not_checked": [],
        "error": {
            "phase": error.failed_phase().word(),
            "message": error.what(),
            "context": error.context_lines(),
            "hint": error.next(),
        },
    })
}

/// A report in a file: the last line of the command, and what it is about.
#[must_use]
pub fn report(facts: &ReportData<'_>) -> String {
    let places = facts.items.iter().filter_map(|item| Some((&item.finding, item.place.as_ref()?)));
    let mut verdict = facts.judged.map_or_else(failed, verdict);
    // A directory of this machine, which is gone or another one where the report is read.
    for directory in ["outputs", "artifacts"] {
        if let Some(place) = verdict.get_mut(directory) {
            *place = Value::Null;
        }
    }
    if let Err(error) = facts.judged {
        verdict["lock"] = json!(facts.lock_id());
        verdict["error"]["output"] = json!(error.output());
    }
    let value = json!({
        "reason": "report",
        "schema": SCHEMA,
        "command": facts.command,
        "repeat": facts.repeat,
        "package": facts.package,
        "commit": facts.commit(),
        "platform": facts.platform,
        "timings": facts.timings.iter().map(timing).collect::<Vec<_>>(),
        "places": places.map(|(finding, place)| self::place(finding, place)).collect::<Vec<_>>(),
        "verdict": verdict,
    });
    serde_json::to_string_pretty(&value).expect("messages have string keys only") + "\n"
}

fn timing(timing: &Timing) -> Value {
    json!({
        "step": timing.step.word(),
        "stage": timing.step.stage(),
        "run": timing.step.run(),
        "seconds": timing.took.as_secs_f64(),
    })
}

fn place(finding: &Finding, place: &Place) -> Value {
    json!({
        "kind": finding.kind,
        "stage": finding.stage,
        "subject": finding.subject,
        "path": place.path,
        "line": place.line,
    })
}

/// The last line of a command that judges nothing.
#[must_use]
pub fn done(exit_code: u8) -> Value {
    json!({
        "reason": "verdict",
        "schema": SCHEMA,
        "verdict": "done",
        "exit_code": exit_code,
        "drift": [],
        "divergence": [],
        "causes": [],
        "notes": [],
        "not_checked": [],
    })
}

/// A pipeline, and where the forge looks for it.
#[must_use]
pub fn pipeline(path: &str, text: &str) -> Value {
    json!({"reason": "pipeline", "schema": SCHEMA, "path": path, "text": text})
}

/// What a shell needs to complete the command.
#[must_use]
pub fn completions(shell: &str, text: &str) -> Value {
    json!({"reason": "completions", "schema": SCHEMA, "shell": shell, "text": text})
}

/// The public half of a key.
#[must_use]
pub fn key(path: &Path, key: &PublicKey) -> Value {
    json!({"reason": "key", "schema": SCHEMA, "path": path.to_string_lossy(), "id": key.id(), "line": key.line()})
}

/// What two locks differ in.
#[must_use]
pub fn difference(side: &str, finding: &Finding) -> Value {
    json!({"reason": "difference", "schema": SCHEMA, "side": side, "finding": finding})
}

/// Parameters by name. JSON has no NaN and no infinities: of these it is their names.
pub(super) fn params(params: &BTreeMap<String, Param>) -> Value {
    let value = |param: &Param| match param {
        Param::Float(number) if !number.is_finite() => json!(param.to_string()),
        Param::Bool(_) | Param::Integer(_) | Param::Float(_) | Param::Text(_) => json!(param),
    };
    params.iter().map(|(name, param)| (name.clone(), value(param))).collect()
}

/// A whole lock.
#[must_use]
pub fn lock(read: &Read) -> Value {
    let lock = &read.lock;
    let snapshot = &lock.snapshot;
    let mut value = json!({
        "reason": "lock",
        "schema": SCHEMA,
        "id": read.id,
        "intact": read.id == read.actual_id,
        "record": lock.record,
        "seed": snapshot.seed,
        "params": params(&snapshot.params),
        "determinism": snapshot.determinism,
        "isolation": snapshot.isolation,
        "data": snapshot.data,
        "stages": snapshot.stages,
        "environment": snapshot.environment,
        "platform": snapshot.platform,
        "toolchain": snapshot.toolchain,
        "build": snapshot.build,
        "source": snapshot.source,
        "dependencies": snapshot.dependencies,
        "outcome": lock.outcome,
        "classes": lock.classes,
        "facts": lock.facts,
    });
    if !lock.overridden.is_empty() {
        value["overridden"] = json!({"seed": lock.overridden.seed, "params": params(&lock.overridden.params)});
    }
    value
}
