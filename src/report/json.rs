//! One JSON object a line, for programs. The schema is `docs/messages.schema.json`, and a test holds
//! every message against it.

use serde_json::{Value, json};

use super::finding::Finding;
use crate::error::Error;
use crate::lockfile::Read;
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
    json!({
        "reason": "verdict",
        "schema": SCHEMA,
        "verdict": verdict.word.text(),
        "exit_code": verdict.word.exit_code().number(),
        "lock": verdict.lock,
        "commit": verdict.commit,
        "runs": verdict.runs,
        "drift": drift,
        "divergence": divergence,
        "causes": [],
        "notes": notes,
        "not_checked": not_checked,
        "outcome": verdict.outcome,
        "outputs": verdict.outputs,
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
        "causes": [],
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

/// What two locks differ in.
#[must_use]
pub fn difference(side: &str, finding: &Finding) -> Value {
    json!({"reason": "difference", "schema": SCHEMA, "side": side, "finding": finding})
}

/// A whole lock.
#[must_use]
pub fn lock(read: &Read) -> Value {
    let lock = &read.lock;
    let snapshot = &lock.snapshot;
    json!({
        "reason": "lock",
        "schema": SCHEMA,
        "id": read.id,
        "intact": read.id == read.actual_id,
        "record": lock.record,
        "seed": snapshot.seed,
        "params": snapshot.params,
        "determinism": snapshot.determinism,
        "data": snapshot.data,
        "stages": snapshot.stages,
        "environment": snapshot.environment,
        "platform": snapshot.platform,
        "toolchain": snapshot.toolchain,
        "build": snapshot.build,
        "source": snapshot.source,
        "dependencies": snapshot.dependencies,
        "outcome": lock.outcome,
        "facts": lock.facts,
    })
}
