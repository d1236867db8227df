//! SARIF 2.1.0 (OASIS), for code scanning and editors: every drift and divergence a result with its rule, what
//! helps, and where. <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>

use std::collections::BTreeMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::place::Place;
use super::report_data::{Group, Item, ReportData};
use crate::digest::Digest;
use crate::explanation;
use crate::text::visible;

/// Where the tool is described.
const ABOUT: &str = "https://crates.io/crates/cargo-repro-ml";

/// What locations are relative to.
const ROOT: &str = "SRCROOT";

/// What a path may have unescaped (RFC 3986, segments with their slashes).
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// The whole log: one run with its rules and results.
#[must_use]
pub fn report(facts: &ReportData<'_>) -> String {
    let kinds: BTreeMap<&str, Group> = facts.items.iter().map(|item| (item.finding.kind, item.group)).collect();
    let index = |kind: &str| kinds.keys().position(|known| *known == kind);
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "cargo-repro",
                "version": env!("CARGO_PKG_VERSION"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "informationUri": ABOUT,
                "rules": kinds.iter().map(|(kind, group)| rule(kind, *group)).collect::<Vec<_>>(),
            }},
            "automationDetails": {"id": format!("cargo-repro/{}/{}/", facts.command, visible(&facts.package))},
            "columnKind": "utf16CodeUnits",
            "originalUriBaseIds": {ROOT: {"description": {"text": "the top of the repository"}}},
            "invocations": [invocation(facts)],
            "results": facts.items.iter().map(|item| result(item, index(item.finding.kind))).collect::<Vec<_>>(),
            "properties": {"verdict": facts.word(), "sentence": facts.sentence(), "commit": facts.commit()},
        }],
    });
    serde_json::to_string_pretty(&log).expect("the log has string keys only") + "\n"
}

fn level(group: Group) -> &'static str {
    match group {
        Group::Failure | Group::Cause | Group::Refusal | Group::Drift | Group::Divergence => "error",
        Group::Warning => "warning",
        Group::Note => "note",
    }
}

fn rule(kind: &str, group: Group) -> Value {
    let mut rule = json!({"id": kind, "name": kind, "defaultConfiguration": {"level": level(group)}});
    if let Ok(explanation) = explanation::find(kind) {
        let summary = explanation.summary();
        rule["shortDescription"] = json!({"text": summary});
        rule["fullDescription"] = json!({"text": summary});
        rule["help"] = json!({"text": explanation.text, "markdown": explanation.text});
    }
    rule
}

fn result(item: &Item, rule: Option<usize>) -> Value {
    let finding = &item.finding;
    let mut text = format!("{}: {}", finding.subject, finding.detail);
    if finding.locked.is_some() || finding.found.is_some() {
        let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "—".to_owned());
        text += &format!(" (locked {}, found {})", value(&finding.locked), value(&finding.found));
    }
    if let Some(hint) = &finding.hint {
        text += &format!(". Hint: {hint}");
    }
    let (stage, path) = (finding.stage.as_deref(), item.place.as_ref().map(|place| place.path.as_str()));
    let identity = [Some(finding.kind), stage, Some(&*finding.subject), path]
        .map(Option::unwrap_or_default)
        .join("\n");
    json!({
        "ruleId": finding.kind,
        "ruleIndex": rule,
        "level": level(item.group),
        "message": {"text": message(&visible(&text))},
        "locations": item.place.iter().map(location).collect::<Vec<_>>(),
        "partialFingerprints": {"finding/v1": Digest::of(identity).to_string()},
        "properties": {
            "stage": finding.stage,
            "subject": finding.subject,
            "locked": finding.locked,
            "found": finding.found,
            "hint": finding.hint,
        },
    })
}

/// A plain text message (3.11.5, 3.11.6): braces are doubled, since single ones hold placeholders, and an
/// invisible character keeps brackets from being a link.
fn message(text: &str) -> String {
    text.replace('{', "{{").replace('}', "}}").replace("](", "]\u{200b}(")
}

fn location(place: &Place) -> Value {
    let uri = utf8_percent_encode(&place.path, PATH).to_string();
    let mut location = json!({"artifactLocation": {"uri": uri, "uriBaseId": ROOT}});
    if let Some(line) = place.line {
        location["region"] = json!({"startLine": line});
    }
    json!({"physicalLocation": location})
}

/// How it ran; what was not checked, and why it could not go on, are notifications.
fn invocation(facts: &ReportData<'_>) -> Value {
    let not_checked = facts.judged.map_or(&[][..], |verdict| &verdict.not_checked);
    let mut notifications: Vec<Value> = not_checked
        .iter()
        .map(|item| {
            json!({
                "level": "note",
                "descriptor": {"id": "not-checked"},
                "message": {"text": message(&format!("not checked: {}: {}", item.kind, visible(&item.why)))},
            })
        })
        .collect();
    if let Err(error) = facts.judged {
        let mut text = visible(error.what());
        if let Some(said) = error.output() {
            text += &format!("\n{said}");
        }
        notifications.push(json!({"level": "error", "message": {"text": message(&text)}}));
    }
    json!({
        "executionSuccessful": facts.judged.is_ok(),
        "commandLine": visible(&facts.repeat),
        "exitCode": facts.exit_code().number(),
        "exitCodeDescription": facts.exit_code().meaning(),
        "toolExecutionNotifications": notifications,
    })
}
