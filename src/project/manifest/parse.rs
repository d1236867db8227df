//! From the text of `repro.toml` to a checked [`Manifest`]. Every mistake is shown at its place, as
//! rustc shows one. Whether the things named exist on disk is not asked here.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::data::data;
use super::gate::{GateText, gate};
use super::merge;
use super::names::{Variables, plain, sorted};
use super::origin::{Origin, in_words_of_toml};
use super::stages::stages;
use super::{Build, Clock, Determinism, Entropy, Environment, Isolation, Manifest, Overridden, Policy, VERSION};
use crate::error::{self, Result};
use crate::os::env;
use crate::snapshot::params::Param;
use crate::snapshot::seed::Seed;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    #[serde(rename = "version")]
    _version: i64,
    seed: Spanned<i64>,
    #[serde(default)]
    params: BTreeMap<Spanned<String>, Spanned<toml::Value>>,
    #[serde(default)]
    data: BTreeMap<Spanned<String>, Spanned<toml::Value>>,
    #[serde(default)]
    stage: BTreeMap<Spanned<String>, Spanned<StageText>>,
    #[serde(default)]
    build: BuildText,
    #[serde(default)]
    environment: EnvironmentText,
    #[serde(default)]
    determinism: DeterminismText,
    #[serde(default)]
    isolation: IsolationText,
    gate: Option<GateText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StageText {
    pub(super) bin: Option<Spanned<String>>,
    pub(super) command: Option<Spanned<Vec<String>>>,
    #[serde(default)]
    pub(super) args: Vec<Spanned<String>>,
    pub(super) data: Option<Vec<Spanned<String>>>,
    #[serde(default)]
    pub(super) needs: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) artifacts: Vec<Spanned<toml::Value>>,
    pub(super) metrics: Option<Spanned<toml::Value>>,
    pub(super) stdout: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) scratch: Vec<Spanned<String>>,
    pub(super) timeout: Option<Spanned<String>>,
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
struct IsolationText {
    reads: Option<Spanned<String>>,
    network: Option<Spanned<String>>,
}

/// The key that is likely meant where one is not known: the parser names all that could stand there.
fn meant(said: &str) -> Option<&str> {
    const LIKE_ENOUGH: f64 = 0.85;
    let mut words = said.strip_prefix("unknown field `")?.split('`').step_by(2);
    let unknown = words.next()?;
    let likeness = |key: &&str| strsim::jaro_winkler(unknown, key);
    let nearest = words.max_by(|one, other| likeness(one).total_cmp(&likeness(other)))?;
    (likeness(&nearest) >= LIKE_ENOUGH).then_some(nearest)
}

/// Reads and checks.
pub(super) fn manifest(text: &str, name: &str) -> Result<Manifest> {
    let origin = Origin { text, name };
    refuse_newer_version(&origin)?;
    let parsed: Text = toml::from_str(text).map_err(|error| {
        let shown = origin.error(error.span().unwrap_or(0..0), in_words_of_toml(error.message()), "");
        if merge::has_marks(text) {
            return shown.hint(merge::HINT);
        }
        if text.parse::<toml::Table>().is_err() {
            return shown; // no manifest's keys make TOML of it
        }
        shown.hint(meant(error.message()).map_or_else(
            || "the keys that a manifest may have are in docs/manifest.md of cargo repro".to_owned(),
            |key| format!("did you mean `{key}`? All keys are in docs/manifest.md of cargo repro"),
        ))
    })?;
    let seed = Seed::new(*parsed.seed.get_ref())
        .ok_or_else(|| origin.at(&parsed.seed, "a seed is not negative", "must be 0 or more"))?;
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
        determinism: Determinism {
            entropy: choice(
                &origin,
                parsed.determinism.entropy,
                [("system", Entropy::System), ("seeded", Entropy::Seeded)],
            )?,
            clock: choice(&origin, parsed.determinism.clock, [("system", Clock::System), ("frozen", Clock::Frozen)])?,
        },
        isolation: Isolation {
            reads: choice(&origin, parsed.isolation.reads, POLICIES)?,
            network: choice(&origin, parsed.isolation.network, POLICIES)?,
        },
        gate: gate(&origin, parsed.gate)?,
        overridden: Overridden::default(),
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
        error.hint(error::NEWER)
    } else {
        error.hint(format!("write `version = {VERSION}`"))
    })
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
        if variable == env::PASSPHRASE {
            let what = "no program gets the passphrase of a key, and no lock records it";
            return Err(origin.at(name, what, "a secret"));
        }
        Ok(())
    };
    text.set.keys().chain(&text.pass).try_for_each(check)?;
    let set: BTreeMap<String, String> = text.set.into_iter().map(|(name, value)| (name.into_inner(), value)).collect();
    if let Some(twice) = text.pass.iter().find(|name| set.contains_key(name.get_ref())) {
        let what = format!("{} is both set and passed", twice.get_ref());
        return Err(origin.at(twice, what, "take it out of one"));
    }
    Ok(Environment {
        set,
        pass: sorted(plain(&text.pass)),
    })
}

const POLICIES: [(&str, Policy); 2] = [("deny", Policy::Deny), ("warn", Policy::Warn)];

/// One of a few words; the default where there is none.
fn choice<T: Default>(origin: &Origin<'_>, given: Option<Spanned<String>>, words: [(&str, T); 2]) -> Result<T> {
    let Some(given) = given else {
        return Ok(T::default());
    };
    let expected = format!("expected \"{}\" or \"{}\"", words[0].0, words[1].0);
    let chosen = words.into_iter().find(|(word, _)| word == given.get_ref());
    chosen.map(|(_, value)| value).ok_or_else(|| {
        origin.at(&given, format!("\"{}\" is not one of the words for this", given.get_ref()), &expected)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_nearly_right_is_known_again() {
        let said = |key: &str| format!("unknown field `{key}`, expected one of `bin`, `artifacts`, `metrics`");
        assert_eq!(meant(&said("artefacts")), Some("artifacts"));
        assert_eq!(meant(&said("metric")), Some("metrics"));
        assert_eq!(meant(&said("foo")), None);
        assert_eq!(meant("missing field `version`"), None);
    }
}
