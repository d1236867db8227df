//! The rows of the table of inputs: what the lock says, group by group.

use std::borrow::Cow;

use maud::{Markup, html};

use crate::compare::listed;
use crate::lockfile::{Lockfile, Read};
use crate::report::lock::shape;
use crate::report::page::View;
use crate::report::page::text::{code, count, digest};
use crate::snapshot::{Build, Data, Stage};
use crate::text::size;

/// Which input a row is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Input<'a> {
    Lock,
    Seed,
    Param(Cow<'a, str>),
    Data(Cow<'a, str>),
    Source,
    Tag,
    Manifest(Cow<'a, str>),
    Toolchain,
    Dependencies,
    Build,
    Environment(Cow<'a, str>),
}

impl Input<'_> {
    /// Whether a difference of this is one of that row: `stage.train.args` is of `stage.train`.
    pub(super) fn is_of(&self, row: &Input<'_>) -> bool {
        match (self, row) {
            (Self::Manifest(this), Input::Manifest(row)) => {
                this.strip_prefix(&**row).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            }
            _ => self == row,
        }
    }
}

/// One input.
pub(super) struct Row<'a> {
    pub(super) name: Cow<'a, str>,
    pub(super) locked: Markup,
    pub(super) input: Input<'a>,
}

/// Rows that belong together.
pub(super) struct Group<'a> {
    pub(super) title: &'static str,
    pub(super) rows: Vec<Row<'a>>,
}

fn row<'a>(name: impl Into<Cow<'a, str>>, input: Input<'a>, locked: Markup) -> Row<'a> {
    Row {
        name: name.into(),
        locked,
        input,
    }
}

/// All of them; one that has no rows is left out. Rows beyond what is shown are counted, and not worth words.
pub(super) fn groups<'a>(view: View<'_>, lock: &'a Lockfile) -> Vec<Group<'a>> {
    let snapshot = &lock.snapshot;
    let params = snapshot
        .params
        .iter()
        .map(|(name, value)| row(name, Input::Param(name.into()), view.code(&value.to_string())));
    let data = snapshot
        .data
        .iter()
        .map(|(name, data)| row(name, Input::Data(name.into()), data_words(view, data)));
    let stages = snapshot.stages.iter().map(|(name, stage)| {
        let input = Input::Manifest(format!("stage.{name}").into());
        row(format!("stage {name}"), input, stage_words(view, stage))
    });
    let variables = snapshot
        .environment
        .variables
        .iter()
        .map(|(name, value)| row(name, Input::Environment(name.into()), view.code(value)));
    let unset = snapshot
        .environment
        .unset
        .iter()
        .map(|name| row(name, Input::Environment(name.into()), html! { "let through, and not set" }));
    let groups = [
        Group {
            title: "The lock",
            rows: vec![intact(view)],
        },
        Group {
            title: "Seed and parameters",
            rows: std::iter::once(row("seed", Input::Seed, code(&snapshot.seed.to_string(), 24)))
                .chain(params)
                .collect(),
        },
        Group {
            title: "Data",
            rows: data.collect(),
        },
        Group {
            title: "Source",
            rows: source(view, lock),
        },
        Group {
            title: "Packages, compiler and build",
            rows: building(view, lock),
        },
        Group {
            title: "Stages, as repro.toml declares them",
            rows: stages.chain(settings(lock)).collect(),
        },
        Group {
            title: "Variables that the program sees",
            rows: variables.chain(unset).collect(),
        },
    ];
    groups.into_iter().filter(|group| !group.rows.is_empty()).collect()
}

fn intact<'a>(view: View<'_>) -> Row<'a> {
    let edited = view.facts.lock.filter(|read: &&Read| read.id != read.actual_id);
    let words = match edited {
        None => html! { "its id is the digest of what it says" },
        Some(read) => {
            html! { strong { "its id is not the digest of what it says" } ", which is " (digest(&read.actual_id)) }
        }
    };
    row("repro.lock", Input::Lock, words)
}

fn data_words(view: View<'_>, data: &Data) -> Markup {
    html! {
        (digest(&data.digest)) br;
        (size(data.bytes)) (shape(data))
        @if data.files.len() != 1 { ", " (count(data.files.len(), "file", "files")) }
        @if let Some(sample) = &data.sample { ", " strong { "a sample of " (size(sample.read)) " was read" } }
        div { (view.code(&listed(&data.paths))) }
    }
}

fn stage_words(view: View<'_>, stage: &Stage) -> Markup {
    let list = |title: &str, list: &[String]| html! { @if !list.is_empty() { div { (title) " " (view.code(&listed(list))) } } };
    let one = |title: &str, text: &Option<String>| html! { @if let Some(text) = text { div { (title) " " (view.code(text)) } } };
    html! {
        (one("program", &stage.bin)) (list("command", &stage.command)) (list("arguments", &stage.args))
        (list("data", &stage.data)) (list("after", &stage.needs)) (list("writes", &stage.artifacts))
        (one("metrics in", &stage.metrics)) (one("standard output to", &stage.stdout))
        (list("metrics not compared:", &stage.ignore_metrics))
        @for (path, places) in &stage.ignore { div { "of " (view.code(path)) " not compared: " (view.code(&listed(places))) } }
        (list("no outcome:", &stage.scratch))
    }
}

fn settings<'a>(lock: &Lockfile) -> [Row<'a>; 2] {
    let (determinism, isolation) = (&lock.snapshot.determinism, &lock.snapshot.isolation);
    let date = lock
        .record
        .date
        .map_or_else(String::new, |date| format!(", at {}", crate::release::attestation::time::text(date)));
    [
        row(
            "determinism",
            Input::Manifest("determinism".into()),
            html! {
                "entropy " code { (determinism.entropy.word()) } ", clock " code { (determinism.clock.word()) } (date)
            },
        ),
        row(
            "isolation",
            Input::Manifest("isolation".into()),
            html! {
                "undeclared reads " code { (isolation.reads.word()) } ", network " code { (isolation.network.word()) }
            },
        ),
    ]
}

fn source<'a>(view: View<'_>, lock: &'a Lockfile) -> Vec<Row<'a>> {
    let source = &lock.snapshot.source;
    let closure = html! {
        (digest(&source.closure)) br;
        (count(source.files.len(), "file", "files")) " that can reach the program, recorded at commit " (code(&source.commit, 64))
        @if lock.record.dirty { br; strong { "with changes that were in no commit" } }
        @if !source.submodules.is_empty() { br; (count(source.submodules.len(), "submodule", "submodules")) }
    };
    let mut rows = vec![row("source files", Input::Source, closure)];
    if let Some(tag) = &source.tag {
        rows.push(row("tag at the recording", Input::Tag, view.code(tag)));
    }
    rows
}

fn building<'a>(view: View<'_>, lock: &'a Lockfile) -> Vec<Row<'a>> {
    let snapshot = &lock.snapshot;
    let (toolchain, dependencies) = (&snapshot.toolchain, &snapshot.dependencies);
    let outside = dependencies.packages.iter().filter(|package| package.source.is_some()).count();
    vec![
        row(
            "packages",
            Input::Dependencies,
            html! {
                (count(outside, "package", "packages")) " beside the local ones; Cargo.lock is " (digest(&dependencies.lock))
            },
        ),
        row(
            "compiler",
            Input::Toolchain,
            html! {
                "rustc " (view.text(&toolchain.rustc)) " (" (code(&toolchain.commit, 64)) "), LLVM " (view.text(&toolchain.llvm))
                ", cargo " (view.text(&toolchain.cargo)) ", for " (view.text(&toolchain.host))
                @if let Some(pin) = &toolchain.pin { "; pinned as " (view.code(pin)) }
            },
        ),
        row("build", Input::Build, build_words(view, &snapshot.build)),
    ]
}

/// Settings of a build beyond these are counted.
const MOST_SETTINGS: usize = 12;

fn build_words(view: View<'_>, build: &Build) -> Markup {
    let configured = build
        .config
        .iter()
        .flat_map(|(file, keys)| keys.iter().map(move |(key, value)| (Some(file), key, value)));
    let settings = build.settings.iter().map(|(key, value)| (None, key, value)).chain(configured);
    let count = settings.clone().count();
    html! {
        "profile " (view.code(&build.profile)) " for " (view.code(&build.target))
        @if !build.features.is_empty() { div { "features " (view.code(&build.features.join(", "))) } }
        @if !build.rustflags.is_empty() { div { "flags " (view.code(&build.rustflags.join(" "))) } }
        @for (file, key, value) in settings.take(MOST_SETTINGS) {
            div { (view.code(&format!("{key} = {value}"))) @if let Some(file) = file { " in " (view.code(file)) } }
        }
        @if count > MOST_SETTINGS { div.left-out { "and " (count - MOST_SETTINGS) " more settings" } }
    }
}
