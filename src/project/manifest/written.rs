//! What `[stage.*]` says of its outputs: which files, what of them is not compared, and which files are no outcome.

use toml::Spanned;

use super::origin::Origin;
use super::parse::StageText;
use crate::document::pointer::Pointer;
use crate::error::Result;

/// The outputs of a stage, with where each stands in the text.
pub(super) struct Outputs {
    /// Files, with what of each is left out.
    pub(super) artifacts: Vec<(Spanned<String>, Vec<String>)>,
    /// The metrics file, if there is one.
    pub(super) metrics: Option<Spanned<String>>,
    /// Figures that are left out.
    pub(super) ignored_metrics: Vec<String>,
    /// Where standard output goes.
    pub(super) stdout: Option<Spanned<String>>,
    /// Globs of what is no outcome.
    pub(super) scratch: Vec<String>,
}

impl Outputs {
    /// Reads them from the text of a stage.
    pub(super) fn of(origin: &Origin<'_>, stage: &str, text: &StageText) -> Result<Self> {
        let artifacts = text.artifacts.iter().map(|value| artifact(origin, value));
        let (metrics, ignored_metrics) = metrics(origin, stage, text.metrics.as_ref())?;
        Ok(Self {
            artifacts: artifacts.collect::<Result<_>>()?,
            metrics,
            ignored_metrics,
            stdout: text.stdout.clone(),
            scratch: text.scratch.iter().map(|glob| scratch(origin, glob)).collect::<Result<_>>()?,
        })
    }

    /// Every file that is an output.
    pub(super) fn files(&self) -> impl Iterator<Item = &Spanned<String>> {
        self.artifacts.iter().map(|(path, _)| path).chain(&self.metrics).chain(&self.stdout)
    }

    /// Refuses a glob that would take an output for something else.
    pub(super) fn refuse_scratch_outputs(&self, origin: &Origin<'_>) -> Result<()> {
        for path in self.files() {
            if let Some(glob) = self.scratch.iter().find(|glob| is_scratch(glob, path.get_ref())) {
                let what = format!("{} is an output, and `scratch` leaves it out by \"{glob}\"", path.get_ref());
                return Err(origin.at(path, what, "one or the other"));
            }
        }
        Ok(())
    }
}

/// Whether a path of the package is meant by a glob under `scratch`, or lies in a directory that is.
#[must_use]
pub fn is_scratch(glob: &str, path: &str) -> bool {
    let options = glob::MatchOptions {
        require_literal_separator: true,
        ..glob::MatchOptions::default()
    };
    let Ok(pattern) = glob::Pattern::new(glob.trim_end_matches('/')) else {
        return false;
    };
    let mut above = std::path::Path::new(path).ancestors().filter(|above| !above.as_os_str().is_empty());
    above.any(|above| pattern.matches_path_with(above, options))
}

/// A list of texts, or what is wrong.
fn texts(value: &toml::Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|text| text.as_str().map(str::to_owned)).collect()
}

fn artifact(origin: &Origin<'_>, value: &Spanned<toml::Value>) -> Result<(Spanned<String>, Vec<String>)> {
    let refuse = |what: String, label| Err(origin.at(value, what, label));
    let table = match value.get_ref() {
        toml::Value::String(path) => return Ok((Spanned::new(value.span(), path.clone()), Vec::new())),
        toml::Value::Table(table) => table,
        _ => {
            let what = "an artifact is a path, or a table with `path` and `ignore`".to_owned();
            return refuse(what, "expected a path");
        }
    };
    if let Some(unknown) = table.keys().find(|key| !["path", "ignore"].contains(&key.as_str())) {
        let what = format!("unknown key `{unknown}`; an artifact has `path` and `ignore`");
        return refuse(what, "has a key that means nothing");
    }
    let Some(path) = table.get("path").and_then(toml::Value::as_str) else {
        return refuse("an artifact needs a `path`".to_owned(), "names no file");
    };
    let Some(ignore) = table.get("ignore").map_or(Some(Vec::new()), texts) else {
        return refuse("`ignore` is a list of JSON pointers, such as [\"/trained_at\"]".to_owned(), "is no such list");
    };
    for pointer in &ignore {
        match Pointer::new(pointer) {
            None => {
                let what = format!(
                    "\"{pointer}\" is no JSON pointer: one begins with `/`, and `~` and `/` in a name are `~0` and `~1`"
                );
                return refuse(what, "see RFC 6901");
            }
            Some(whole) if whole.is_whole() => {
                let what = "\"\" is all of the file, so nothing would be left to compare".to_owned();
                return refuse(what, "declare it as `scratch` instead");
            }
            Some(_) => {}
        }
    }
    Ok((Spanned::new(value.span(), path.to_owned()), super::names::sorted(ignore)))
}

fn metrics(
    origin: &Origin<'_>,
    stage: &str,
    value: Option<&Spanned<toml::Value>>,
) -> Result<(Option<Spanned<String>>, Vec<String>)> {
    let Some(value) = value else {
        return Ok((None, Vec::new()));
    };
    let refuse = |what: String, label| Err(origin.at(value, what, label));
    let table = match value.get_ref() {
        toml::Value::String(path) => return Ok((Some(Spanned::new(value.span(), path.clone())), Vec::new())),
        toml::Value::Table(table) => table,
        _ => {
            let what = "`metrics` is a path, or a table with `file` and `ignore`".to_owned();
            return refuse(what, "expected a path");
        }
    };
    if let Some(unknown) = table.keys().find(|key| !["file", "ignore"].contains(&key.as_str())) {
        let what = format!("unknown key `{unknown}`; `metrics` has `file` and `ignore`");
        return refuse(what, "has a key that means nothing");
    }
    let span = |key| origin.span_of(&["stage", stage, "metrics", key]).unwrap_or(value.span());
    let file = match table.get("file") {
        None => None,
        Some(toml::Value::String(path)) => Some(Spanned::new(span("file"), path.clone())),
        Some(_) => return refuse("`file` is the path of the metrics file".to_owned(), "expected a path"),
    };
    let ignore = table.get("ignore").map_or(Some(Vec::new()), texts);
    match ignore {
        Some(ignore) if !ignore.iter().any(String::is_empty) => Ok((file, super::names::sorted(ignore))),
        _ => {
            let what = "`ignore` is a list of names of metrics, such as [\"train_seconds\"]".to_owned();
            Err(origin.error(span("ignore"), what, "is no such list"))
        }
    }
}

fn scratch(origin: &Origin<'_>, glob: &Spanned<String>) -> Result<String> {
    let text = glob.get_ref();
    let is_inside = std::path::Path::new(text)
        .components()
        .all(|part| matches!(part, std::path::Component::Normal(_)));
    if text.is_empty() || !is_inside {
        let what = "`scratch` names files in the package: a relative path or glob without `.` and `..`";
        return Err(origin.at(glob, what, "not such a path"));
    }
    if let Err(error) = glob::Pattern::new(text.trim_end_matches('/')) {
        return Err(origin.at(glob, format!("this is no glob: {}", error.msg), "cannot be read"));
    }
    if text.trim_end_matches('/').chars().all(|c| matches!(c, '*' | '/')) {
        let what = "this would leave out every file, so that nothing could be unexpected any more";
        return Err(origin.at(glob, what, "name a directory, or an ending"));
    }
    Ok(text.clone())
}

#[cfg(test)]
mod tests {
    use super::is_scratch;

    #[test]
    fn a_glob_means_whole_directories_and_nothing_beside_them() {
        for (glob, path, is) in [
            ("mlruns/**", "mlruns/0/ab/meta.yaml", true),
            ("mlruns", "mlruns/0/meta.yaml", true),
            ("mlruns/", "mlruns/x", true),
            ("mlruns/**", "mlruns2/x", false),
            ("*.tmp", "a.tmp", true),
            ("*.tmp", "out/a.tmp", false),
            ("**/*.tmp", "out/b/a.tmp", true),
            ("logs/*", "logs/a/b", true),
            ("a?", "model.json", false),
        ] {
            assert_eq!(is_scratch(glob, path), is, "{glob} {path}");
        }
    }
}
