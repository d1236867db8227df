//! From the text of `repro.toml` to a checked [`Manifest`]. Every mistake is shown at its place, as
//! rustc shows one. Whether the things named exist on disk is not asked here.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Component, Path};

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use serde::Deserialize;
use toml::Spanned;

use super::{Build, Determinism, Environment, Manifest, Param, Program, Stage, VERSION};
use crate::error::{Error, Result};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    #[serde(rename = "version")]
    _version: i64,
    seed: Spanned<i64>,
    #[serde(default)]
    params: BTreeMap<Spanned<String>, Spanned<toml::Value>>,
    #[serde(default)]
    data: BTreeMap<Spanned<String>, Spanned<Paths>>,
    #[serde(default)]
    stage: BTreeMap<Spanned<String>, Spanned<StageText>>,
    #[serde(default)]
    build: BuildText,
    #[serde(default)]
    environment: EnvironmentText,
    #[serde(default)]
    determinism: DeterminismText,
    #[serde(default)]
    #[expect(dead_code, reason = "its keys are checked; the policy itself is the gate's")]
    gate: GateText,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a path, or a list of paths")]
enum Paths {
    One(String),
    Many(Vec<String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StageText {
    bin: Option<Spanned<String>>,
    command: Option<Spanned<Vec<String>>>,
    #[serde(default)]
    args: Vec<Spanned<String>>,
    data: Option<Vec<Spanned<String>>>,
    #[serde(default)]
    needs: Vec<Spanned<String>>,
    #[serde(default)]
    artifacts: Vec<Spanned<String>>,
    metrics: Option<Spanned<String>>,
    timeout: Option<Spanned<String>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct BuildText {
    profile: Option<String>,
    #[serde(default)]
    features: Vec<String>,
    default_features: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct EnvironmentText {
    #[serde(default)]
    set: BTreeMap<Spanned<String>, String>,
    #[serde(default)]
    pass: Vec<Spanned<String>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct DeterminismText {
    entropy: Option<Spanned<String>>,
    clock: Option<Spanned<String>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct GateText {
    #[serde(rename = "tags")]
    _tags: Option<String>,
}

/// The text being read, to show a place in it.
struct Origin<'a> {
    text: &'a str,
    name: &'a str,
}

impl Origin<'_> {
    /// An error at a place: the message, the line with the place underlined, and what to do.
    fn error(&self, span: Range<usize>, what: impl Into<String>, label: &str) -> Error {
        let what = what.into();
        let span = span.start.min(self.text.len())..span.end.min(self.text.len());
        let line = self.text[..span.start].matches('\n').count() + 1;
        let group = Level::ERROR.primary_title(&what).element(
            Snippet::source(self.text)
                .path(self.name)
                .annotation(AnnotationKind::Primary.span(span).label(label)),
        );
        let rendered = Renderer::plain().render(&[group]);
        // The title is the error's own line; what follows is the place.
        let place = rendered.split_once('\n').map_or("", |(_, rest)| rest);
        Error::new(format!("{}:{line}: {what}", self.name)).context(place)
    }

    fn at<T>(&self, value: &Spanned<T>, what: impl Into<String>, label: &str) -> Error {
        self.error(value.span(), what, label)
    }
}

/// Reads and checks.
pub(super) fn manifest(text: &str, name: &str) -> Result<Manifest> {
    let origin = Origin { text, name };
    refuse_newer_version(&origin)?;
    let parsed: Text = toml::from_str(text).map_err(|error| {
        let message = error.message().to_owned();
        origin
            .error(error.span().unwrap_or(0..0), message, "")
            .hint("the keys that a manifest may have are in the README under “The manifest”")
    })?;
    let seed = u64::try_from(*parsed.seed.get_ref())
        .map_err(|_| origin.at(&parsed.seed, "a seed is not negative", "must be 0 or more"))?;
    let params = params(&origin, parsed.params)?;
    let data = data(&origin, parsed.data)?;
    let stages = stages(&origin, parsed.stage, &params, &data)?;
    Ok(Manifest {
        seed,
        params,
        data,
        stages,
        build: Build {
            profile: parsed.build.profile.unwrap_or_else(|| "release".to_owned()),
            features: sorted(parsed.build.features),
            default_features: parsed.build.default_features.unwrap_or(true),
        },
        environment: environment(&origin, parsed.environment)?,
        determinism: determinism(&origin, &parsed.determinism)?,
    })
}

/// A newer manifest may have keys that this tool does not know; its version says why, so it is looked
/// at before anything else.
fn refuse_newer_version(origin: &Origin<'_>) -> Result<()> {
    #[derive(Deserialize)]
    struct Version {
        version: Spanned<i64>,
    }
    let Ok(Version { version }) = toml::from_str(origin.text) else {
        return Ok(()); // the whole reading that follows says what is wrong
    };
    let number = *version.get_ref();
    if number == VERSION {
        return Ok(());
    }
    let what = format!("this manifest is of version {number}; this cargo repro reads version {VERSION}");
    let error = origin.at(&version, what, "not known here");
    Err(if number > VERSION {
        error.hint("update it: `cargo install cargo-repro-ml`")
    } else {
        error.hint(format!("write `version = {VERSION}`"))
    })
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names.dedup();
    names
}

fn params(
    origin: &Origin<'_>,
    declared: BTreeMap<Spanned<String>, Spanned<toml::Value>>,
) -> Result<BTreeMap<String, Param>> {
    let mut variables = Variables::new(repro::protocol::PARAM_PREFIX);
    let mut params = BTreeMap::new();
    for (name, value) in declared {
        variables.add(origin, &name)?;
        let param = match value.get_ref() {
            toml::Value::Boolean(value) => Param::Bool(*value),
            toml::Value::Integer(value) => Param::Integer(*value),
            toml::Value::Float(value) => Param::Float(*value),
            toml::Value::String(text) if text.contains(['\0', '\n']) => {
                return Err(origin.at(&value, "a parameter's text is one line", "has a line end or a NUL"));
            }
            toml::Value::String(text) => Param::Text(text.clone()),
            other => {
                let what = format!("a parameter is a number, text, true or false, not {}", a(other.type_str()));
                return Err(origin.at(&value, what, "not a plain value"));
            }
        };
        params.insert(name.into_inner(), param);
    }
    Ok(params)
}

fn a(type_name: &str) -> String {
    let article = if type_name.starts_with(['a', 'i']) { "an" } else { "a" };
    format!("{article} {type_name}")
}

fn data(
    origin: &Origin<'_>,
    declared: BTreeMap<Spanned<String>, Spanned<Paths>>,
) -> Result<BTreeMap<String, Vec<String>>> {
    let mut variables = Variables::new(repro::protocol::DATA_PREFIX);
    let mut data = BTreeMap::new();
    for (name, value) in declared {
        variables.add(origin, &name)?;
        let paths = match value.get_ref() {
            Paths::One(path) => vec![path.clone()],
            Paths::Many(paths) => paths.clone(),
        };
        if paths.is_empty() || paths.iter().any(String::is_empty) {
            return Err(origin.at(&value, "declared data needs a path", "names no file"));
        }
        data.insert(name.into_inner(), paths);
    }
    Ok(data)
}

/// Names become environment variables; two that become the same one would hide each other.
struct Variables {
    prefix: &'static str,
    seen: BTreeMap<String, String>,
}

impl Variables {
    fn new(prefix: &'static str) -> Self {
        Self {
            prefix,
            seen: BTreeMap::new(),
        }
    }

    fn add(&mut self, origin: &Origin<'_>, name: &Spanned<String>) -> Result<()> {
        let text = name.get_ref();
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        if text.is_empty() || !text.chars().all(plain) {
            let what = "a name is made of letters, digits, `_`, `-` and `.`";
            return Err(origin.at(name, what, "not such a name"));
        }
        let variable = repro::protocol::variable(self.prefix, text);
        if let Some(other) = self.seen.insert(variable.clone(), text.clone()) {
            let what = format!("`{other}` and `{text}` would both be the variable {variable}");
            return Err(origin.at(name, what, "rename one of them"));
        }
        Ok(())
    }
}

fn stages(
    origin: &Origin<'_>,
    declared: BTreeMap<Spanned<String>, Spanned<StageText>>,
    params: &BTreeMap<String, Param>,
    data: &BTreeMap<String, Vec<String>>,
) -> Result<BTreeMap<String, Stage>> {
    if declared.is_empty() {
        return Err(origin
            .error(0..0, "the manifest has no stage", "")
            .hint("add `[stage.train]` with `bin = \"…\"` and `artifacts = [\"…\"]`"));
    }
    let names: BTreeSet<String> = declared.keys().map(|name| name.get_ref().clone()).collect();
    let mut written = BTreeMap::new();
    let mut stages = BTreeMap::new();
    for (name, text) in &declared {
        Variables::new("").add(origin, name)?;
        let stage = stage(origin, text, params, data)?;
        for need in &text.get_ref().needs {
            if !names.contains(need.get_ref()) {
                let what = format!("`needs` names `{}`, which is no stage", need.get_ref());
                return Err(origin.at(need, what, "no such stage"));
            }
        }
        refuse_double_output(origin, name.get_ref(), text.get_ref(), &mut written)?;
        stages.insert(name.get_ref().clone(), stage);
    }
    refuse_cycle(origin, &declared)?;
    Ok(stages)
}

fn stage(
    origin: &Origin<'_>,
    spanned: &Spanned<StageText>,
    params: &BTreeMap<String, Param>,
    data: &BTreeMap<String, Vec<String>>,
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
    for path in text.artifacts.iter().chain(&text.metrics) {
        check_output(origin, path)?;
    }
    let timeout = match &text.timeout {
        None => None,
        Some(text) => match humantime::parse_duration(text.get_ref()) {
            Ok(limit) if !limit.is_zero() => Some(limit),
            _ => return Err(origin.at(text, "a timeout is a time such as \"90s\", \"30m\" or \"1h 30m\"", "not a time")),
        },
    };
    Ok(Stage {
        program,
        args: plain(&text.args),
        data: read_data(origin, text, data)?,
        needs: sorted(plain(&text.needs)),
        artifacts: sorted(plain(&text.artifacts)),
        metrics: text.metrics.as_ref().map(|path| path.get_ref().clone()),
        timeout,
    })
}

fn plain(texts: &[Spanned<String>]) -> Vec<String> {
    texts.iter().map(|text| text.get_ref().clone()).collect()
}

/// A stage that does not say which data it reads may read all of it.
fn read_data(
    origin: &Origin<'_>,
    text: &StageText,
    data: &BTreeMap<String, Vec<String>>,
) -> Result<Vec<String>> {
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

/// What is wrong with a placeholder.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Placeholder {
    /// A name that has no value.
    Unknown(String),
    /// A brace without its other half.
    Unclosed,
}

/// Fills `{name}` by `value`, and turns doubled braces into single ones.
pub(crate) fn fill(
    text: &str,
    value: impl Fn(&str) -> Option<String>,
) -> Result<String, Placeholder> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        filled.push_str(&rest[..at]);
        let brace = &rest[at..=at];
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix(brace) {
            filled.push_str(brace);
            rest = after;
        } else {
            let close = rest.find('}').filter(|_| brace == "{");
            let name = &rest[..close.ok_or(Placeholder::Unclosed)?];
            filled.push_str(&value(name).ok_or_else(|| Placeholder::Unknown(name.to_owned()))?);
            rest = &rest[name.len() + 1..];
        }
    }
    filled.push_str(rest);
    Ok(filled)
}

/// Outputs are files in the package, and none that is an input of its own.
fn check_output(origin: &Origin<'_>, path: &Spanned<String>) -> Result<()> {
    let text = path.get_ref();
    let inside = !text.is_empty()
        && Path::new(text)
            .components()
            .all(|part| matches!(part, Component::Normal(_)))
        && !text.ends_with('/');
    if !inside {
        let what = "an output is a file in the package: a relative path without `.` and `..`";
        return Err(origin.at(path, what, "not such a path"));
    }
    let inputs = [super::FILE, crate::lockfile::FILE, "Cargo.toml", "Cargo.lock"];
    if inputs.contains(&text.as_str()) {
        return Err(origin.at(path, format!("{text} cannot be an output"), "an input of every run"));
    }
    Ok(())
}

fn refuse_double_output(
    origin: &Origin<'_>,
    stage: &str,
    text: &StageText,
    written: &mut BTreeMap<String, String>,
) -> Result<()> {
    for path in text.artifacts.iter().chain(&text.metrics) {
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

fn refuse_cycle(
    origin: &Origin<'_>,
    declared: &BTreeMap<Spanned<String>, Spanned<StageText>>,
) -> Result<()> {
    let mut left: BTreeMap<&str, &Spanned<StageText>> = declared
        .iter()
        .map(|(name, stage)| (name.get_ref().as_str(), stage))
        .collect();
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

fn environment(origin: &Origin<'_>, text: EnvironmentText) -> Result<Environment> {
    let check = |name: &Spanned<String>| {
        let variable = name.get_ref();
        if variable.is_empty() || variable.contains(['=', '\0']) {
            return Err(origin.at(name, "this cannot name a variable", "has `=`, or is empty"));
        }
        if variable.starts_with("REPRO_") {
            let what = "variables that begin with REPRO_ are cargo repro's own";
            return Err(origin.at(name, what, "reserved"));
        }
        Ok(())
    };
    text.set.keys().chain(&text.pass).try_for_each(check)?;
    let set: BTreeMap<String, String> = text
        .set
        .into_iter()
        .map(|(name, value)| (name.into_inner(), value))
        .collect();
    if let Some(twice) = text.pass.iter().find(|name| set.contains_key(name.get_ref())) {
        let what = format!("{} is both set and passed", twice.get_ref());
        return Err(origin.at(twice, what, "take it out of one"));
    }
    Ok(Environment {
        set,
        pass: sorted(plain(&text.pass)),
    })
}

fn determinism(origin: &Origin<'_>, text: &DeterminismText) -> Result<Determinism> {
    let system = |value: &Option<Spanned<String>>, other: &str| match value {
        Some(given) if given.get_ref() == other => Err(origin
            .at(given, format!("\"{other}\" is not in this version of cargo repro"), "only \"system\" is")
            .hint("write \"system\", or leave the key out")),
        Some(given) if given.get_ref() != "system" => {
            let what = format!("\"{}\" is no source that can be had", given.get_ref());
            Err(origin.at(given, what, "expected \"system\""))
        }
        _ => Ok(super::Source::System),
    };
    Ok(Determinism {
        entropy: system(&text.entropy, "seeded")?,
        clock: system(&text.clock, "frozen")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_and_doubled_braces_are_braces() {
        let value = |name: &str| (name == "seed").then(|| "7".to_owned());
        assert_eq!(fill("--seed={seed}", value).as_deref(), Ok("--seed=7"));
        assert_eq!(fill("{{seed}}", value).as_deref(), Ok("{seed}"));
        assert_eq!(fill("{depth}", value), Err(Placeholder::Unknown("depth".to_owned())));
        assert_eq!(fill("}", value), Err(Placeholder::Unclosed));
        assert_eq!(fill("{seed", value), Err(Placeholder::Unclosed));
    }
}
