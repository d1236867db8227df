//! `[data]`: what is declared of each entry, from a path alone to a table with `path`, `digest` and
//! `table`.

use std::collections::BTreeMap;

use toml::Spanned;

use super::names::Variables;
use super::origin::Origin;
use crate::error::Result;
use crate::table::Format;

/// One entry of `[data]`, as declared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Declared {
    /// Files, directories and globs, relative to the package.
    pub paths: Vec<String>,
    /// How much of each file is digested.
    pub extent: Extent,
    /// Which files are looked at as tables.
    pub tables: Tables,
}

/// How much of each file is digested.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    #[default]
    Whole,
    /// Its size and some of its bytes, where the file is large.
    Sample,
}

/// Which files are looked at as tables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tables {
    /// Those whose extension says so.
    #[default]
    ByExtension,
    /// All of them, as this format.
    As(Format),
    /// None.
    Off,
}

/// A mistake in an entry: the key it is at, what is wrong, and what belongs there.
struct Mistake {
    key: Option<&'static str>,
    what: String,
    label: &'static str,
}

const PATHS: &str = "expected a path, or a list of paths";
const KEYS: [&str; 3] = ["path", "digest", "table"];

/// Checks every entry.
pub(super) fn data(
    origin: &Origin<'_>,
    declared: BTreeMap<Spanned<String>, Spanned<toml::Value>>,
) -> Result<BTreeMap<String, Declared>> {
    let mut variables = Variables::new(repro::protocol::DATA_PREFIX);
    let mut data = BTreeMap::new();
    for (name, value) in declared {
        variables.add(origin, &name)?;
        let entry = entry(value.get_ref()).map_err(|mistake| {
            let inner = mistake.key.and_then(|key| origin.span_of(&["data", name.get_ref(), key]));
            origin.error(inner.unwrap_or(value.span()), mistake.what, mistake.label)
        })?;
        data.insert(name.into_inner(), entry);
    }
    Ok(data)
}

fn entry(value: &toml::Value) -> Result<Declared, Mistake> {
    let toml::Value::Table(table) = value else {
        return Ok(Declared {
            paths: paths(None, value)?,
            ..Declared::default()
        });
    };
    if let Some(unknown) = table.keys().find(|key| !KEYS.contains(&key.as_str())) {
        return Err(Mistake {
            key: None,
            what: format!("unknown key `{unknown}`; an entry of [data] has `path`, `digest` and `table`"),
            label: "has a key that means nothing",
        });
    }
    let path = table.get("path").ok_or_else(|| Mistake {
        key: None,
        what: "declared data needs a `path`".to_owned(),
        label: "names no file",
    })?;
    let label = "expected \"auto\", \"none\", \"csv\", \"tsv\" or \"parquet\"";
    Ok(Declared {
        paths: paths(Some("path"), path)?,
        extent: match word(table, "digest", "expected \"whole\" or \"sample\"")? {
            ("" | "whole", _) => Extent::Whole,
            ("sample", _) => Extent::Sample,
            (_, mistake) => return Err(mistake),
        },
        tables: match word(table, "table", label)? {
            ("" | "auto", _) => Tables::ByExtension,
            ("none", _) => Tables::Off,
            ("csv", _) => Tables::As(Format::Csv),
            ("tsv", _) => Tables::As(Format::Tsv),
            ("parquet", _) => Tables::As(Format::Parquet),
            (_, mistake) => return Err(mistake),
        },
    })
}

fn paths(key: Option<&'static str>, value: &toml::Value) -> Result<Vec<String>, Mistake> {
    let mistake = |what: &str, label| Mistake {
        key,
        what: what.to_owned(),
        label,
    };
    let text = |value: &toml::Value| value.as_str().map(str::to_owned);
    let paths = match value {
        toml::Value::Array(values) => values.iter().map(text).collect(),
        one => text(one).map(|path| vec![path]),
    };
    let paths: Vec<String> = paths.ok_or_else(|| mistake("this is no path", PATHS))?;
    if paths.is_empty() || paths.iter().any(String::is_empty) {
        return Err(mistake("declared data needs a path", "names no file"));
    }
    Ok(paths)
}

/// The word of a key, empty if it is absent; and the mistake that it is if it means nothing.
fn word<'a>(table: &'a toml::Table, key: &'static str, label: &'static str) -> Result<(&'a str, Mistake), Mistake> {
    let mistake = |what: String| Mistake {
        key: Some(key),
        what,
        label,
    };
    match table.get(key) {
        None => Ok(("", mistake(String::new()))),
        Some(toml::Value::String(text)) if !text.is_empty() => {
            Ok((text, mistake(format!("`{key}` cannot be \"{text}\""))))
        }
        Some(other) => Err(mistake(format!("`{key}` cannot be {other}"))),
    }
}
