//! The repository's cargo configuration: which files it is in, and what of it cargo is told when it is asked about a
//! package outside the sandbox. Much of a configuration names programs that cargo would start (wrappers, compilers,
//! credential providers) or libraries that these would load (`[env]`); such keys are for builds, within the sandbox.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use crate::error::{Error, Result};
use crate::os::bounded;

/// The names of a configuration in `.cargo`; cargo takes the old one where both are there.
pub const NAMES: [&str; 2] = ["config", "config.toml"];

/// Where cargo looks for one in a directory, whether there is one or not.
pub fn places(directory: &Path) -> impl Iterator<Item = PathBuf> {
    NAMES.into_iter().map(|name| directory.join(".cargo").join(name))
}

/// Includes may include more; cargo itself follows them for ever.
pub const DEEPEST: u32 = 16;

/// The configuration in a directory that has it without `.cargo` in between, such as a cargo home; none if it cannot
/// be read.
#[must_use]
pub fn of(directory: &Path) -> Option<Table> {
    NAMES.iter().find_map(|name| read(&directory.join(name)).ok())
}

/// The configuration files of the repository at `root` that cargo finds from `directory` upward, with all that they
/// include: a file's settings have precedence over those of the files behind it.
///
/// # Errors
/// When one cannot be read, or includes what does not belong to the repository.
pub fn files(directory: &Path, root: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for above in directory.ancestors().take_while(|above| above.starts_with(root)) {
        if let Some(file) = places(above).find(|path| path.is_file()) {
            with_included(file, root, DEEPEST, &mut found)?;
        }
    }
    Ok(found)
}

fn with_included(file: PathBuf, root: &Path, deeper: u32, found: &mut Vec<PathBuf>) -> Result<()> {
    let included = included(&read(&file)?).map_err(|why| Error::new(format!("{}: {why}", file.display())))?;
    let directory = file.parent().unwrap_or(root).to_path_buf();
    found.push(file.clone());
    // Of several, the last has precedence.
    for (path, is_optional) in included.into_iter().rev() {
        let inner = plain(&directory.join(&path));
        let refuse = |why: &str| {
            Err(Error::new(format!("{} includes {}, which {why}", file.display(), path.display()))
                .hint("include a file of the repository, or copy its settings; no lock could pin it otherwise"))
        };
        if is_optional && !inner.exists() {
            continue;
        }
        let is_inside = inner
            .canonicalize()
            .is_ok_and(|real| root.canonicalize().is_ok_and(|root| real.starts_with(root)));
        if !inner.starts_with(root) || inner.exists() && !is_inside {
            return refuse("is outside the repository");
        }
        if !inner.is_file() {
            return refuse("is not there");
        }
        if deeper == 0 {
            return refuse("includes too much");
        }
        with_included(inner, root, deeper - 1, found)?;
    }
    Ok(())
}

/// A path without its `..`, as far as names alone tell.
#[must_use]
pub fn plain(path: &Path) -> PathBuf {
    use std::path::Component;
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(plain.pop()),
            part => plain.push(part),
        }
    }
    plain
}

/// The files that a configuration includes, and whether each may be absent.
pub fn included(table: &Table) -> Result<Vec<(PathBuf, bool)>, String> {
    let one = |value: &Value| match value {
        Value::String(path) => Ok((PathBuf::from(path), false)),
        Value::Table(table) => {
            let path = table.get("path").and_then(Value::as_str).ok_or("`include` without a path")?;
            let is_optional = table.get("optional").and_then(Value::as_bool).unwrap_or(false);
            Ok((PathBuf::from(path), is_optional))
        }
        _ => Err("`include` is no list of files".to_owned()),
    };
    match table.get("include") {
        None => Ok(Vec::new()),
        Some(Value::Array(list)) => list.iter().map(one).collect(),
        Some(value) => one(value).map(|one| vec![one]),
    }
}

/// A configuration file as it is.
///
/// # Errors
/// When it cannot be read, or is no TOML.
pub fn read(path: &Path) -> Result<Table> {
    let text = bounded::text(path, bounded::WRITTEN).map_err(|error| Error::io("read", path, &error))?;
    text.parse().map_err(|error: toml::de::Error| {
        Error::new(format!("{} is not TOML", path.display())).context(error.to_string())
    })
}

/// What of a configuration file cargo may be told outside the sandbox: where packages come from and how they are
/// resolved. Paths in it are made absolute, as cargo takes them from the file's own place.
///
/// # Errors
/// When it cannot be read.
pub fn harmless(file: &Path) -> Result<Table> {
    let from = file.parent().and_then(Path::parent).unwrap_or(Path::new("/"));
    let mut harmless = Table::new();
    for (key, value) in read(file)? {
        let kept = match (key.as_str(), value) {
            ("source", value) => sources(value, from),
            ("patch", value) => each(value, |packages| each_in(packages, |package| absolute(package, &["path"], from))),
            ("paths", value) => absolute_list(value, from),
            ("registries", value) => each(value, |registry| only(registry, &["index", "protocol"])),
            ("registry", Value::Table(table)) => Value::Table(only(table, &["default"])),
            ("net", Value::Table(table)) => Value::Table(only(table, &["offline", "retry", "git-fetch-with-cli"])),
            ("resolver" | "unstable", value) => value,
            _ => continue,
        };
        harmless.insert(key, kept);
    }
    Ok(harmless)
}

/// A configuration's sources, with absolute paths for those that are relative to `from`.
#[must_use]
pub fn sources(value: Value, from: &Path) -> Value {
    each(value, |source| absolute(source, &["directory", "local-registry"], from))
}

fn each(value: Value, change: impl Fn(Table) -> Table) -> Value {
    match value {
        Value::Table(table) => Value::Table(each_in(table, change)),
        other => other,
    }
}

fn each_in(table: Table, change: impl Fn(Table) -> Table) -> Table {
    let changed = table.into_iter().map(|(name, value)| match value {
        Value::Table(inner) => (name, Value::Table(change(inner))),
        other => (name, other),
    });
    changed.collect()
}

fn only(mut table: Table, keys: &[&str]) -> Table {
    table.retain(|key, _| keys.contains(&key));
    table
}

fn absolute(mut table: Table, keys: &[&str], from: &Path) -> Table {
    for key in keys {
        if let Some(Value::String(path)) = table.get_mut(*key) {
            *path = from.join(&*path).to_string_lossy().into_owned();
        }
    }
    table
}

fn absolute_list(value: Value, from: &Path) -> Value {
    match value {
        Value::Array(paths) => {
            let absolute = |path: Value| match path {
                Value::String(path) => Value::String(from.join(path).to_string_lossy().into_owned()),
                other => other,
            };
            Value::Array(paths.into_iter().map(absolute).collect())
        }
        other => other,
    }
}

/// The programs that the repository's configuration would have cargo start in a compiler's place, by their keys. A
/// build has none of them.
///
/// # Errors
/// When a file cannot be read.
pub fn programs(files: &[PathBuf]) -> Result<Vec<String>> {
    const KEYS: [&str; 4] = ["rustc", "rustc-wrapper", "rustc-workspace-wrapper", "rustdoc"];
    let mut found = Vec::new();
    for file in files {
        let table = read(file)?;
        let build = table.get("build").and_then(Value::as_table);
        let named = KEYS.into_iter().filter(|key| build.is_some_and(|build| build.contains_key(*key)));
        found.extend(named.map(|key| format!("build.{key}")));
    }
    found.sort();
    found.dedup();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = root.path().join("root").join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        root
    }

    #[test]
    fn nothing_passes_that_names_a_program_or_a_library() {
        let text = "include = [\"x.toml\"]\n[build]\nrustc-wrapper = \"w\"\nrustc = \"r\"\nrustflags = [\"-Zcodegen-backend=x\"]\n\
            [env]\nLD_PRELOAD = \"x\"\n[target.x]\nlinker = \"l\"\nrunner = \"r\"\n[alias]\nmetadata = \"run\"\n\
            [registry]\ndefault = \"a\"\nglobal-credential-providers = [\"p\"]\n[credential-alias]\np = [\"p\"]\n\
            [registries.a]\nindex = \"i\"\ncredential-provider = \"p\"\ntoken = \"t\"\n\
            [http]\nproxy = \"p\"\n[net]\noffline = true\nssh.known-hosts = []\n[host]\nlinker = \"l\"\n\
            [source.a]\ndirectory = \"vendor\"\n[patch.crates-io]\nitoa = { path = \"../itoa\" }\n";
        let root = repository(&[(".cargo/config.toml", text)]);
        let table = harmless(&root.path().join("root/.cargo/config.toml")).unwrap();
        let place = root.path().join("root");
        let expected = format!(
            "[registry]\ndefault = \"a\"\n[registries.a]\nindex = \"i\"\n[net]\noffline = true\n\
             [source.a]\ndirectory = \"{0}/vendor\"\n[patch.crates-io]\nitoa = {{ path = \"{0}/../itoa\" }}\n",
            place.display()
        );
        assert_eq!(table, expected.parse::<Table>().unwrap());
    }

    #[test]
    fn included_files_are_found_behind_those_that_include_them() {
        let root = repository(&[
            (
                "a/.cargo/config.toml",
                "include = [\"one.toml\", { path = \"../two.toml\" }, { path = \"no.toml\", optional = true }]",
            ),
            ("a/.cargo/one.toml", "include = [\"deep/three.toml\"]"),
            ("a/.cargo/deep/three.toml", ""),
            ("a/two.toml", ""),
            (".cargo/config", ""),
        ]);
        let root = root.path().join("root");
        let found = files(&root.join("a"), &root).unwrap();
        let names: Vec<_> = found.iter().map(|path| path.strip_prefix(&root).unwrap().to_str().unwrap()).collect();
        let expected = [
            "a/.cargo/config.toml",
            "a/two.toml",
            "a/.cargo/one.toml",
            "a/.cargo/deep/three.toml",
            ".cargo/config",
        ];
        assert_eq!(names, expected);
    }

    #[test]
    fn what_no_commit_holds_is_not_included() {
        for include in [
            "../../outside.toml",
            "/etc/hosts",
            "link.toml",
            "none.toml",
            "config.toml",
        ] {
            let root = repository(&[(".cargo/config.toml", &format!("include = [\"{include}\"]"))]);
            std::fs::write(root.path().join("outside.toml"), "").unwrap();
            let root = root.path().join("root");
            std::os::unix::fs::symlink("../../outside.toml", root.join(".cargo/link.toml")).unwrap();
            let error = files(&root, &root).unwrap_err();
            assert!(error.what().contains(include), "{}", error.what());
        }
    }
}
