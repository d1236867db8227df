//! `repro.toml`, as far as a program needs it outside `cargo repro`: seed, parameters and data.
//!
//! Not the manifest's grammar: unknown keys and everything about stages are the command's to judge.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use toml::Value;

use crate::{
    error::{Error, Result},
    glob,
    protocol::{shortest, variable},
    setup::Defaults,
};

/// The manifest's name.
const NAME: &str = "repro.toml";

/// The manifest's version that this library reads.
const VERSION: i64 = 1;

/// What is read of it.
#[derive(Deserialize)]
struct Manifest {
    version: Option<i64>,
    seed: Option<u64>,
    #[serde(default)]
    params: BTreeMap<String, Value>,
    #[serde(default)]
    data: BTreeMap<String, Data>,
}

/// A data set, in any of its spellings.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "expected a path, a list of paths, or a table with `path`"
)]
enum Data {
    Paths(Paths),
    Table { path: Paths },
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Paths {
    One(String),
    Many(Vec<String>),
}

/// The manifest in one of these directories or above it.
pub(crate) fn find(places: &[PathBuf]) -> Option<PathBuf> {
    places
        .iter()
        .flat_map(|place| place.ancestors())
        .map(|directory| directory.join(NAME))
        .find(|path| path.is_file())
}

/// Reads the manifest at `path`.
pub(crate) fn read(path: &Path) -> Result<Defaults> {
    let text = fs::read_to_string(path).map_err(Error::io("read", path))?;
    let directory = path.parent().unwrap_or(Path::new(""));
    interpret(&text, directory).map_err(|problem| Error::Manifest {
        path: path.to_owned(),
        problem,
    })
}

fn interpret(text: &str, directory: &Path) -> Result<Defaults, String> {
    let manifest: Manifest = toml::from_str(text).map_err(|error| error.to_string())?;
    if let Some(version) = manifest.version.filter(|version| *version != VERSION) {
        return Err(format!(
            "its version is {version}, this program knows {VERSION}: update repro-ml"
        ));
    }
    Ok(Defaults {
        seed: manifest.seed,
        params: by_variable(manifest.params, |value| param(&value))?,
        data: by_variable(manifest.data, |data| files(directory, &data))?,
        directory: Some(directory.to_owned()),
    })
}

/// The same entries under the names that variables have, which no two may share.
fn by_variable<T, U>(
    entries: BTreeMap<String, T>,
    convert: impl Fn(T) -> Result<U, String>,
) -> Result<BTreeMap<String, U>, String> {
    let mut converted = BTreeMap::new();
    for (name, entry) in entries {
        let value = convert(entry).map_err(|problem| format!("`{name}` {problem}"))?;
        if converted.insert(variable("", &name), value).is_some() {
            return Err(format!(
                "`{name}` differs from another name only in its case or punctuation: rename one"
            ));
        }
    }
    Ok(converted)
}

/// A parameter's text, as the command passes it.
fn param(value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Integer(number) => Ok(number.to_string()),
        Value::Float(number) => Ok(shortest(*number)),
        Value::Boolean(answer) => Ok(answer.to_string()),
        Value::Datetime(moment) => Ok(moment.to_string()),
        Value::Array(_) | Value::Table(_) => {
            Err("is a list or a table, but a parameter is a single value".into())
        }
    }
}

/// The paths of a data set; none where nothing matches, which matters only to a program that asks.
fn files(directory: &Path, data: &Data) -> Result<Vec<PathBuf>, String> {
    let patterns = match data {
        Data::Paths(Paths::One(path))
        | Data::Table {
            path: Paths::One(path),
        } => std::slice::from_ref(path),
        Data::Paths(Paths::Many(paths))
        | Data::Table {
            path: Paths::Many(paths),
        } => paths,
    };
    let mut files = Vec::new();
    for pattern in patterns {
        files.extend(
            glob::expand(directory, pattern).map_err(|error| format!("{pattern}: {error}"))?,
        );
    }
    files.sort_unstable();
    files.dedup();
    Ok(files.into_iter().map(|file| directory.join(file)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> String {
        interpret(text, Path::new("/p")).map(|_| ()).unwrap_err()
    }

    #[test]
    fn params_become_text() {
        let text = "seed = 3\n[params]\nmax-depth = 10\nrate = 1e-3\nwhole = 2.0\non = true\nkind = \"a b\"\n[stage.train]\nbin = \"x\"";
        let defaults = interpret(text, Path::new("/p")).unwrap();
        assert_eq!(defaults.seed, Some(3));
        let expected = [
            ("KIND", "a b"),
            ("MAX_DEPTH", "10"),
            ("ON", "true"),
            ("RATE", "0.001"),
            ("WHOLE", "2.0"),
        ];
        let params: Vec<_> = defaults
            .params
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_str()))
            .collect();
        assert_eq!(params, expected);
    }

    #[test]
    fn data_has_three_spellings() {
        let text = "[data]\na = \"x.csv\"\nb = [\"z\", \"y\"]\nc = { path = \"d\" }\ne = { path = [\"f\"] }";
        let data = interpret(text, Path::new("/p")).unwrap().data;
        let paths = |name| {
            data[name]
                .iter()
                .map(|path| path.to_str().unwrap())
                .collect::<Vec<_>>()
        };
        assert_eq!(paths("A"), ["/p/x.csv"]);
        assert_eq!(paths("B"), ["/p/y", "/p/z"]);
        assert_eq!(paths("C"), ["/p/d"]);
        assert_eq!(paths("E"), ["/p/f"]);
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert!(problem("seed = -1").contains("line 1"));
        assert!(problem("version = 2").contains("version is 2"));
        assert!(problem("[params]\na = [1]").contains("`a` is a list"));
        assert!(problem("[params]\na-b = 1\na_b = 2").contains("rename"));
        assert!(problem("[data]\na = 1").contains("a table with `path`"));
    }
}
