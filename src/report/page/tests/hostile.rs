//! Names that would be markup, style, script or an attribute, wherever a name can stand.

use std::path::PathBuf;

use super::*;
use crate::cause::{Cause, Kind};
use crate::compare::divergence::{Divergence, Output};
use crate::compare::drift::{Change, Drift};
use crate::outcome::{self, Artifact, Checkpoint, Metric, StageOutcome};
use crate::snapshot::Param;
use crate::snapshot::source::{Dirty, Edit};
use crate::trace::Site;
use crate::verdict::NotChecked;

const HOSTILE: &str =
    r#""><script>alert(1)</script></style></title><img src=x onerror='alert(1)'><!-- ]]> &amp; &#60; {{x}} `y`"#;
/// What turns lines around, and what terminals obey.
const TURNED: &str = "a\u{202e}b\u{2066}c\u{1b}[31md\u{0}e\r\u{200f}f";

fn hostile_lock(name: &str) -> Read {
    edited(|lock| {
        let snapshot = &mut lock.snapshot;
        let name = name.to_owned();
        snapshot.params.insert(name.clone(), Param::Text(name.clone()));
        let data = snapshot.data["wine"].clone();
        snapshot.data.insert(
            name.clone(),
            crate::snapshot::Data {
                paths: vec![name.clone()],
                ..data
            },
        );
        snapshot.source.commit.clone_from(&name);
        snapshot.source.tag = Some(name.clone());
        snapshot.toolchain.rustc.clone_from(&name);
        snapshot.toolchain.pin = Some(name.clone());
        snapshot.build.features.push(name.clone());
        snapshot.build.rustflags.push(name.clone());
        snapshot.build.settings.insert(name.clone(), name.clone());
        snapshot.build.config.insert(name.clone(), [(name.clone(), name.clone())].into());
        snapshot.environment.variables.insert(name.clone(), name.clone());
        snapshot.platform.libc.clone_from(&name);
        let mut stage = snapshot.stages["train"].clone();
        stage.command = vec![name.clone()];
        stage.metrics = Some(name.clone());
        snapshot.stages.insert(name.clone(), stage);
        lock.facts.cpu.clone_from(&name);
        lock.outcome.insert(name.clone(), outcome(&name));
    })
}

fn outcome(name: &str) -> StageOutcome {
    let digest = sample().id;
    StageOutcome {
        undeclared: vec![name.to_owned()],
        streams: [(name.to_owned(), 3)].into(),
        artifacts: [(name.to_owned(), Artifact { digest, bytes: 3 })].into(),
        metrics: [(
            name.to_owned(),
            Metric {
                kind: outcome::Kind::Number,
                value: name.to_owned(),
                bits: name.to_owned(),
            },
        )]
        .into(),
        checkpoints: vec![Checkpoint {
            name: name.to_owned(),
            digest,
        }],
        ..StageOutcome::default()
    }
}

fn hostile(name: &str) -> Case {
    let text = || name.to_owned();
    let lock = hostile_lock(name);
    let site = Site {
        function: text(),
        package: Some(text()),
        file: Some(text()),
        line: Some(1),
        via: vec![text()],
        guessed: true,
        called_from: None,
    };
    let mut case = Case::of(Word::Diverged);
    case.package = text();
    case.history = (0..4)
        .rev()
        .map(|at| Entry {
            tags: vec![text()],
            ..entry(at, Ok(lock.clone()))
        })
        .collect();
    case.history.insert(0, entry(4, Err(text())));
    case.timings.push(Timing {
        step: Step::Train { stage: text(), run: 1 },
        took: Duration::from_secs(3),
    });
    let id = lock.id;
    case.lock = Some(lock);
    let verdict = case.verdict();
    verdict.lock = Some(id);
    verdict.runs = 1;
    verdict.outcome = [(
        text(),
        StageOutcome {
            metrics: [(text(), Metric::new(0.5))].into(),
            ..outcome(name)
        },
    )]
    .into();
    verdict.outputs = Some(PathBuf::from("/home/somebody/outputs"));
    let change = |known: &str| Change {
        name: known.to_owned(),
        locked: Some(text()),
        found: Some(text()),
    };
    verdict.drift = vec![
        Drift::Param {
            name: text(),
            locked: None,
            found: Some(Param::Text(text())),
        },
        Drift::Source(change(name)),
        Drift::Build(change(name)),
        Drift::SourceDirty(Dirty {
            path: text(),
            how: Edit::Modified,
        }),
        Drift::DataMissing {
            name: text(),
            path: text(),
            locked: None,
        },
        Drift::Environment {
            name: format!("{name}2"),
            locked: None,
            found: Some(text()),
        },
    ];
    verdict.divergence = vec![Divergence {
        stage: text(),
        output: Output::ArtifactUnexpected { path: text() },
    }];
    verdict.causes = vec![Cause {
        kind: Kind::ProcessEntropy,
        stage: Some(text()),
        subject: text(),
        detail: "the outcome follows it".to_owned(),
        first: Some(text()),
        sites: vec![site],
        hint: Some(text()),
    }];
    verdict.not_checked = vec![NotChecked::new("data", text())];
    verdict.tag = None;
    case
}

#[test]
fn names_that_would_be_markup_are_text() {
    let page = hostile(HOSTILE).page();
    holds(&page);
    assert!(texts(&page, "h1").contains(&HOSTILE.to_owned()));
    for place in [
        ".inputs th",
        ".inputs td",
        ".outcome td",
        ".outcome th",
        ".findings td",
        ".findings th",
        "dd",
        "figure",
        ".times th",
        "pre",
    ] {
        let found = texts(&page, place).iter().any(|text| text.contains(&HOSTILE[..20]));
        assert!(found || place == "pre", "none in {place}");
    }
    assert!(!page.contains("/home/somebody"), "a path of the machine");
}

#[test]
fn characters_that_turn_lines_around_are_visible() {
    let page = hostile(TURNED).page();
    holds(&page);
    let hidden = |c: char| {
        c.is_control() && c != '\n' || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200f}')
    };
    assert_eq!(page.find(hidden), None);
    assert!(page.contains("a\u{fffd}b\u{fffd}c\u{fffd}[31md"));
}

#[test]
fn what_a_compiler_said_is_text_too() {
    let mut case = Case::of(Word::Done);
    let error = Error::build(format!("the build failed: {HOSTILE}"))
        .context(format!("first\n{HOSTILE}\n{TURNED}"))
        .hint(HOSTILE);
    case.judged = Err(error);
    let page = case.page();
    holds(&page);
    assert!(texts(&page, "#failure pre")[0].contains(HOSTILE));
    assert!(texts(&page, "#failure pre")[0].starts_with("first\n"));
    assert!(!page.contains('\u{202e}'));
}
