//! The checks of `[stage.*]`: one program each, outputs that are files of the package and of one stage
//! only, and no circle among what they need.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use toml::Spanned;

use super::names::{Variables, plain, sorted};
use super::origin::Origin;
use super::outputs::{check_output, refuse_overlap};
use super::parse::StageText;
use super::placeholder::{Placeholder, fill};
use super::written::Outputs;
use super::{Declared, Program, Stage};
use crate::error::Result;
use crate::snapshot::params::Param;

/// Checks all stages.
pub(super) fn stages(
    origin: &Origin<'_>,
    declared: BTreeMap<Spanned<String>, Spanned<StageText>>,
    params: &BTreeMap<String, Param>,
    data: &BTreeMap<String, Declared>,
) -> Result<BTreeMap<String, Stage>> {
    if declared.is_empty() {
        return Err(origin
            .error(0..0, "the manifest has no stage", "")
            .hint("add `[stage.train]` with `bin = \"…\"` and `artifacts = [\"…\"]`"));
    }
    let names: BTreeSet<String> = declared.keys().map(|name| name.get_ref().clone()).collect();
    let mut written = BTreeMap::new();
    let mut files = Vec::new();
    let mut stages = BTreeMap::new();
    for (name, text) in &declared {
        Variables::new("").add(origin, name)?;
        let outputs = Outputs::of(origin, name.get_ref(), text.get_ref())?;
        for path in outputs.files() {
            check_output(origin, path)?;
        }
        outputs.refuse_scratch_outputs(origin)?;
        for need in &text.get_ref().needs {
            if !names.contains(need.get_ref()) {
                let what = format!("`needs` names `{}`, which is no stage", need.get_ref());
                return Err(origin.at(need, what, "no such stage"));
            }
        }
        files.extend(outputs.files().cloned());
        refuse_double_output(origin, name.get_ref(), &outputs, &mut written)?;
        let stage = stage(origin, text, outputs, params, data)?;
        stages.insert(name.get_ref().clone(), stage);
    }
    let paths = data
        .iter()
        .flat_map(|(name, data)| data.paths.iter().map(move |path| (name.as_str(), path.as_str())));
    refuse_overlap(origin, files.iter(), &paths.collect::<Vec<_>>())?;
    refuse_cycle(origin, &declared)?;
    Ok(stages)
}

fn stage(
    origin: &Origin<'_>,
    spanned: &Spanned<StageText>,
    outputs: Outputs,
    params: &BTreeMap<String, Param>,
    data: &BTreeMap<String, Declared>,
) -> Result<Stage> {
    let text = spanned.get_ref();
    let program = match (&text.bin, &text.command) {
        (Some(bin), None) => Program::Bin(bin.get_ref().clone()),
        (None, Some(command)) if command.get_ref().first().is_some_and(|name| !name.is_empty()) => {
            for part in command.get_ref() {
                check_placeholders(origin, command.span(), part, params)?;
            }
            Program::Command(command.get_ref().clone())
        }
        (None, Some(command)) => {
            return Err(origin.at(command, "a command needs a program to run", "names none"));
        }
        (Some(_), Some(command)) => {
            return Err(origin.at(command, "a stage has `bin` or `command`, not both", "take one out"));
        }
        (None, None) => {
            let what = "a stage needs `bin` (a binary of this package) or `command` (any program)";
            return Err(origin.at(spanned, what, "has neither"));
        }
    };
    for arg in &text.args {
        check_placeholders(origin, arg.span(), arg.get_ref(), params)?;
    }
    let timeout = match &text.timeout {
        None => None,
        Some(text) => match humantime::parse_duration(text.get_ref()) {
            Ok(limit) if !limit.is_zero() => Some(limit),
            _ => {
                return Err(origin.at(
                    text,
                    "a timeout is a time such as \"90s\", \"30m\" or \"1h 30m\"",
                    "not a time",
                ));
            }
        },
    };
    let paths: Vec<String> = outputs.artifacts.iter().map(|(path, _)| path.get_ref().clone()).collect();
    let ignored = outputs.artifacts.into_iter().map(|(path, ignore)| (path.into_inner(), ignore));
    Ok(Stage {
        program,
        args: plain(&text.args),
        data: read_data(origin, text, data)?,
        needs: sorted(plain(&text.needs)),
        artifacts: sorted(paths),
        metrics: outputs.metrics.map(Spanned::into_inner),
        stdout: outputs.stdout.map(Spanned::into_inner),
        ignore: ignored.filter(|(_, ignore)| !ignore.is_empty()).collect(),
        ignore_metrics: outputs.ignored_metrics,
        scratch: sorted(outputs.scratch),
        timeout,
    })
}

/// A stage that does not say which data it reads may read all of it.
fn read_data(origin: &Origin<'_>, text: &StageText, data: &BTreeMap<String, Declared>) -> Result<Vec<String>> {
    let Some(names) = &text.data else {
        return Ok(data.keys().cloned().collect());
    };
    for name in names {
        if !data.contains_key(name.get_ref()) {
            let what = format!("`data` names `{}`, which [data] does not declare", name.get_ref());
            return Err(origin.at(name, what, "not declared"));
        }
    }
    Ok(sorted(plain(names)))
}

/// `{seed}` and `{param}` are filled in; `{{` and `}}` are braces.
fn check_placeholders(
    origin: &Origin<'_>,
    span: Range<usize>,
    text: &str,
    params: &BTreeMap<String, Param>,
) -> Result<()> {
    match fill(text, |name| (name == "seed" || params.contains_key(name)).then(String::new)) {
        Ok(_) => Ok(()),
        Err(Placeholder::Unknown(name)) => {
            let what = format!("`{{{name}}}` is neither `{{seed}}` nor a parameter of [params]");
            Err(origin
                .error(span, what, "nothing to fill in")
                .hint("write `{{` and `}}` for plain braces"))
        }
        Err(Placeholder::Unclosed) => Err(origin
            .error(span, "a `{` or `}` stands alone", "not a placeholder")
            .hint("write `{{` and `}}` for plain braces")),
    }
}

fn refuse_double_output(
    origin: &Origin<'_>,
    stage: &str,
    outputs: &Outputs,
    written: &mut BTreeMap<String, String>,
) -> Result<()> {
    for path in outputs.files() {
        if let Some(other) = written.insert(path.get_ref().clone(), stage.to_owned()) {
            let what = if other == stage {
                format!("{} is declared twice", path.get_ref())
            } else {
                format!("{} is an output of stage `{other}` already", path.get_ref())
            };
            return Err(origin.at(path, what, "declared again"));
        }
    }
    Ok(())
}

fn refuse_cycle(origin: &Origin<'_>, declared: &BTreeMap<Spanned<String>, Spanned<StageText>>) -> Result<()> {
    let mut left: BTreeMap<&str, &Spanned<StageText>> =
        declared.iter().map(|(name, stage)| (name.get_ref().as_str(), stage)).collect();
    loop {
        let ready: Vec<&str> = left
            .iter()
            .filter(|(_, stage)| {
                let needs = &stage.get_ref().needs;
                needs.iter().all(|need| !left.contains_key(need.get_ref().as_str()))
            })
            .map(|(name, _)| *name)
            .collect();
        if ready.is_empty() {
            break;
        }
        left.retain(|name, _| !ready.contains(name));
    }
    match left.iter().next() {
        None => Ok(()),
        Some((_, stage)) => {
            let names: Vec<&str> = left.keys().copied().collect();
            let what = format!("these stages need each other in a circle: {}", names.join(", "));
            let place = stage.get_ref().needs.first().map_or(stage.span(), Spanned::span);
            Err(origin.error(place, what, "part of the circle"))
        }
    }
}
