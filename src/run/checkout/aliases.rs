//! Path dependencies that manifests name by where they lie on the machine. A build looks for them there, so it finds
//! there what was checked out of them; what it says of that place is told as said of the checkout.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::Value;

use super::{Checkout, normal};
use crate::os::bounded;
use crate::project::Project;
use crate::sandbox::{Look, Mount, Report};

/// A directory of the checkout that has another name too.
#[derive(Clone, Debug)]
pub(super) struct Alias {
    /// Where it lies on the machine.
    machine: PathBuf,
    /// Its place in the checkout.
    place: PathBuf,
}

impl Alias {
    /// For the directories outside the repository, if a manifest or the configuration names any by an absolute path.
    /// From such a package, a relative path leads to places of the machine too, so it holds for all of them. For the
    /// repository itself, if one of these paths leads into it.
    pub(super) fn find(project: &Project, root: &Path, outside: &[(String, PathBuf)]) -> Vec<Self> {
        let package = &project.package;
        let members = package.local.iter().map(|local| local.directory.join("Cargo.toml"));
        let mut files: Vec<PathBuf> = members.chain([package.workspace.join("Cargo.toml")]).collect();
        files.extend(package.configuration.iter().cloned());
        let places = |file: &PathBuf| {
            let table = bounded::text(file, bounded::WRITTEN).ok().and_then(|text| text.parse().ok());
            table.map(|table| absolute(&Value::Table(table))).unwrap_or_default()
        };
        let places: Vec<PathBuf> = files.iter().flat_map(places).collect();
        if places.is_empty() {
            return Vec::new();
        }
        let alias = |(name, directory): &(String, PathBuf)| Self {
            machine: directory.clone(),
            place: normal(&root.join(name)),
        };
        let mut aliases: Vec<Self> = outside.iter().map(alias).collect();
        let own = project.repository.root();
        if places.iter().any(|place| normal(place).starts_with(own)) {
            aliases.push(Self {
                machine: own.to_path_buf(),
                place: root.to_path_buf(),
            });
        }
        aliases
    }
}

/// Every absolute path that a manifest or a configuration gives as one of a package.
fn absolute(value: &Value) -> Vec<PathBuf> {
    let path = |value: &Value| value.as_str().map(PathBuf::from).filter(|path| path.is_absolute());
    match value {
        Value::Table(table) => table
            .iter()
            .flat_map(|(key, value)| match value {
                Value::String(_) if key == "path" => path(value).into_iter().collect(),
                Value::Array(list) if key == "paths" => list.iter().filter_map(path).collect(),
                value => absolute(value),
            })
            .collect(),
        Value::Array(list) => list.iter().flat_map(absolute).collect(),
        _ => Vec::new(),
    }
}

impl Checkout {
    /// What is put at places of the machine, for programs that find it there.
    pub fn aliases(&self) -> impl Iterator<Item = Mount> {
        self.aliases.iter().map(|alias| Mount {
            from: alias.place.clone(),
            to: alias.machine.clone(),
            writable: false,
        })
    }

    /// The directories in which programs find the checkout, which is seen there.
    pub fn trees(&self, seen: PathBuf) -> Vec<PathBuf> {
        self.aliases().map(|alias| alias.to).chain([seen]).collect()
    }

    /// The place in the checkout of what a program calls by its place on the machine; any other path as it is.
    #[must_use]
    pub fn by_its_place(&self, path: &Path) -> PathBuf {
        let inner = |alias: &Alias| Some(alias.place.join(path.strip_prefix(&alias.machine).ok()?));
        // The innermost, where one lies in another.
        let by_depth = self.aliases.iter().max_by_key(|alias| match path.starts_with(&alias.machine) {
            true => alias.machine.components().count(),
            false => 0,
        });
        by_depth.and_then(inner).unwrap_or_else(|| path.to_path_buf())
    }

    /// Has a report speak of the checkout alone; `seen` is how its paths are called there.
    pub fn tell_of_it(&self, report: &mut Report, seen: impl Fn(&Path) -> PathBuf) {
        if self.aliases.is_empty() {
            return;
        }
        let renamed = |path: String| {
            let place = self.by_its_place(Path::new(&path));
            if place == Path::new(&path) {
                path
            } else {
                seen(&place).to_string_lossy().into_owned()
            }
        };
        let mut reads: BTreeMap<String, Look> = BTreeMap::new();
        for (path, look) in std::mem::take(&mut report.reads) {
            let path = renamed(path);
            let look = match reads.remove(&path) {
                Some(other) => both(other, &look),
                None => look,
            };
            reads.insert(path, look);
        }
        report.reads = reads;
        for (path, by) in std::mem::take(&mut report.listed) {
            report.listed.entry(renamed(path)).or_default().extend(by);
        }
    }
}

/// What two looks at one file come to. Who only drives others says less than they do.
fn both(one: Look, other: &Look) -> Look {
    Look {
        by: if one.by == "cargo" { other.by.clone() } else { one.by },
        existed: one.existed || other.existed,
        opened: one.opened || other.opened,
        written: one.written && other.written,
        missed: one.missed || other.missed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_the_machine_count() {
        let has = |text: &str| !absolute(&Value::Table(text.parse().unwrap())).is_empty();
        assert!(has("[dependencies]\na = { path = \"/a\" }\n"));
        assert!(has("[target.'cfg(unix)'.build-dependencies.a]\npath = \"/a\"\n"));
        assert!(has("[patch.crates-io]\na = { path = \"/a\" }\n"));
        assert!(has("paths = [\"b\", \"/a\"]\n"));
        assert!(!has("[package]\nname = \"/a\"\n[dependencies]\na = { path = \"../a\" }\n"));
    }
}
