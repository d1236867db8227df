//! `[data]`: what is declared of each entry, from a path alone to a table with `path`, `digest` and
//! `table`.

use std::collections::BTreeMap;

use serde::Deserialize;
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

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "expected a path, a list of paths, or a table with `path`, `digest` and `table`"
)]
pub(super) enum EntryText {
    One(String),
    Many(Vec<String>),
    Whole(Detailed),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Detailed {
    path: Paths,
    digest: Option<String>,
    table: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a path, or a list of paths")]
enum Paths {
    One(String),
    Many(Vec<String>),
}

/// Checks every entry.
pub(super) fn data(
    origin: &Origin<'_>,
    declared: BTreeMap<Spanned<String>, Spanned<EntryText>>,
) -> Result<BTreeMap<String, Declared>> {
    let mut variables = Variables::new(repro::protocol::DATA_PREFIX);
    let mut data = BTreeMap::new();
    for (name, value) in declared {
        variables.add(origin, &name)?;
        let span = value.span();
        let entry = entry(value.into_inner()).map_err(|(what, label)| origin.error(span, what, label))?;
        data.insert(name.into_inner(), entry);
    }
    Ok(data)
}

/// A mistake: what is wrong, and what belongs there. Within a choice of forms its own place is not known.
type Mistake = (String, &'static str);

fn entry(text: EntryText) -> Result<Declared, Mistake> {
    let detailed = match text {
        EntryText::One(path) => Detailed::plain(Paths::One(path)),
        EntryText::Many(paths) => Detailed::plain(Paths::Many(paths)),
        EntryText::Whole(detailed) => detailed,
    };
    let paths = match detailed.path {
        Paths::One(path) => vec![path],
        Paths::Many(paths) => paths,
    };
    if paths.is_empty() || paths.iter().any(String::is_empty) {
        return Err(("declared data needs a path".to_owned(), "names no file"));
    }
    let extent = match detailed.digest.as_deref() {
        None | Some("whole") => Extent::Whole,
        Some("sample") => Extent::Sample,
        Some(other) => return Err((format!("`digest` cannot be \"{other}\""), "expected \"whole\" or \"sample\"")),
    };
    let tables = match detailed.table.as_deref() {
        None | Some("auto") => Tables::ByExtension,
        Some("none") => Tables::Off,
        Some("csv") => Tables::As(Format::Csv),
        Some("tsv") => Tables::As(Format::Tsv),
        Some("parquet") => Tables::As(Format::Parquet),
        Some(other) => {
            let label = "expected \"auto\", \"none\", \"csv\", \"tsv\" or \"parquet\"";
            return Err((format!("`table` cannot be \"{other}\""), label));
        }
    };
    Ok(Declared { paths, extent, tables })
}

impl Detailed {
    fn plain(path: Paths) -> Self {
        Self {
            path,
            digest: None,
            table: None,
        }
    }
}
