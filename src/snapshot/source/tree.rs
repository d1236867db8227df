//! What a commit holds, its submodules with it, and where its links lead; path dependencies outside the
//! repository, which no commit of it holds, are read from where they lie.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::{Error, IoContext as _, Result};
use crate::os::bounded;
use crate::project::lfs::Pointer;
use crate::project::repository::{Commit, Entry, Kind, Repository};

/// What a path is, where it is no regular file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// A file that may be executed.
    Executable,
    /// A symbolic link.
    Link,
}

impl Form {
    /// That of an entry; none for a regular file, and for a submodule, whose files are asked about one by one.
    #[must_use]
    pub fn of(kind: Kind) -> Option<Self> {
        match kind {
            Kind::Executable => Some(Self::Executable),
            Kind::Link => Some(Self::Link),
            Kind::File | Kind::Submodule => None,
        }
    }

    /// The words for people.
    #[must_use]
    pub fn words(form: Option<Self>) -> &'static str {
        match form {
            None => "a regular file",
            Some(Self::Executable) => "an executable file",
            Some(Self::Link) => "a symbolic link",
        }
    }
}

/// The kernel follows no more links in one path either.
const MOST_LINKS: usize = 40;

/// A commit's files, with those of its submodules, and path dependencies outside the repository.
#[derive(Clone, Copy, Debug)]
pub struct Tree<'a> {
    /// The repository.
    pub repository: &'a Repository,
    /// The commit.
    pub commit: Commit,
}

impl<'a> Tree<'a> {
    /// Of a commit.
    #[must_use]
    pub fn new(repository: &'a Repository, commit: Commit) -> Self {
        Self { repository, commit }
    }

    /// A file's content, of a link where it leads; `None` where the commit has none of that name.
    ///
    /// # Errors
    /// When git's objects or a path dependency cannot be read.
    pub fn read(self, path: &str) -> Result<Option<Vec<u8>>> {
        if path.starts_with("../") {
            let outside = self.repository.root().join(path);
            return match bounded::bytes(&outside, bounded::HELD) {
                Ok(content) => Ok(Some(content)),
                Err(error) if is_nothing(&error) => Ok(None),
                Err(error) => Err(Error::io("read", &outside, &error)),
            };
        }
        if let Some(entry) = self.repository.entry(self.commit, Path::new(path)) {
            return match entry.kind {
                Kind::Submodule => Ok(None),
                _ => self.repository.content(entry).map(Some),
            };
        }
        match self.submodule(path) {
            Some((name, entry)) => {
                let (inner, commit) = self.repository.submodule(&name, entry)?;
                let rest = path[name.len() + 1..].to_owned();
                Tree::new(&inner, commit).read(&rest)
            }
            None => Ok(None),
        }
    }

    /// The file that a committed one stands for, if it is a Git LFS pointer where the commit's attributes say so.
    ///
    /// # Errors
    /// When git's objects cannot be read.
    pub fn stands_for(self, path: &str, content: &[u8]) -> Result<Option<Pointer>> {
        let Some(pointer) = Pointer::read(content).filter(|_| self.form(path) != Some(Form::Link)) else {
            return Ok(None);
        };
        let filter = self.repository.attribute(self.commit, path, "filter")?;
        Ok(filter.filter(|filter| filter == "lfs").map(|_| pointer))
    }

    /// What a file is, if it is no regular one.
    #[must_use]
    pub fn form(self, path: &str) -> Option<Form> {
        if path.starts_with("../") {
            return None; // of these the content counts
        }
        if let Some(entry) = self.repository.entry(self.commit, Path::new(path)) {
            return Form::of(entry.kind);
        }
        let (name, entry) = self.submodule(path)?;
        let (inner, commit) = self.repository.submodule(&name, entry).ok()?;
        Tree::new(&inner, commit).form(&path[name.len() + 1..])
    }

    /// Whether there is anything of that path.
    #[must_use]
    pub fn has(self, path: &str) -> bool {
        if path.starts_with("../") {
            return self.repository.root().join(path).symlink_metadata().is_ok();
        }
        if self.repository.has(self.commit, path) {
            return true;
        }
        let inner = self.submodule(path).and_then(|(name, entry)| {
            let (inner, commit) = self.repository.submodule(&name, entry).ok()?;
            Some(Tree::new(&inner, commit).has(&path[name.len() + 1..]))
        });
        inner.unwrap_or(false)
    }

    /// Whether there is anything of that path but what is set apart: a directory that only outputs lie in is none.
    ///
    /// # Errors
    /// When git's objects or a path dependency cannot be read.
    pub fn has_input(self, path: &str, is_apart: &dyn Fn(&str) -> bool) -> Result<bool> {
        if path.starts_with("../") || !self.has(path) {
            return Ok(self.has(path));
        }
        match self.names(path, is_apart)? {
            Some(names) => Ok(!names.is_empty()),
            None => Ok(!is_apart(path)),
        }
    }

    /// The names in a directory, those of directories with a `/` at the end, without what `is_apart` names by its
    /// path; `None` where there is no such directory. A submodule's names are pinned by its commit.
    ///
    /// # Errors
    /// When git's objects or a path dependency cannot be read.
    pub fn names(self, directory: &str, is_apart: &dyn Fn(&str) -> bool) -> Result<Option<BTreeSet<String>>> {
        if directory == ".." || directory.starts_with("../") {
            return names_outside(&self.repository.root().join(directory));
        }
        let directory = if directory == "." { "" } else { directory };
        let Some(entries) = self.repository.names(self.commit, directory)? else {
            return Ok(None);
        };
        let mut names = BTreeSet::new();
        for (name, entry) in entries {
            let path = join(directory, &name);
            match entry {
                Some(_) if is_apart(&path) => {}
                Some(_) => drop(names.insert(name)),
                None if self.holds_inputs(&path, is_apart)? => drop(names.insert(name + "/")),
                None => {}
            }
        }
        Ok(Some(names))
    }

    /// Every file below a directory.
    ///
    /// # Errors
    /// When git's objects cannot be read.
    pub fn below(self, directory: &str) -> Result<Vec<String>> {
        let mut files = Vec::new();
        for (name, entry) in self.repository.names(self.commit, directory)?.unwrap_or_default() {
            let path = join(directory, &name);
            match entry {
                Some(_) => files.push(path),
                None => files.extend(self.below(&path)?),
            }
        }
        Ok(files)
    }

    /// Whether a directory holds anything that is not set apart.
    fn holds_inputs(self, directory: &str, is_apart: &dyn Fn(&str) -> bool) -> Result<bool> {
        for (name, entry) in self.repository.names(self.commit, directory)?.unwrap_or_default() {
            let path = join(directory, &name);
            let counts = match entry {
                Some(_) => !is_apart(&path),
                None => self.holds_inputs(&path, is_apart)?,
            };
            if counts {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The submodule that a path lies in.
    #[must_use]
    pub fn submodule(self, path: &str) -> Option<(String, Entry)> {
        submodule_above(self.repository, self.commit, path)
    }

    pub(super) fn submodule_of(self, path: &str) -> Option<(String, String)> {
        if path.starts_with("../") || self.repository.entry(self.commit, Path::new(path)).is_some() {
            return None;
        }
        self.submodule(path).map(|(name, entry)| (name, entry.id()))
    }
}

/// Where paths of a commit lead by the links in it.
#[derive(Debug)]
pub struct Links<'a> {
    tree: Tree<'a>,
    /// Where each link leads, from the top; none for what is no link.
    known: BTreeMap<String, Option<String>>,
}

impl<'a> Links<'a> {
    /// Those of a commit.
    #[must_use]
    pub fn of(tree: Tree<'a>) -> Self {
        Self {
            tree,
            known: BTreeMap::new(),
        }
    }

    /// The links on the way of a path, itself among them, and where it leads; that is itself where there are none.
    /// A link that leads out of the repository is the end.
    pub fn follow(&mut self, path: &str) -> (Vec<String>, String) {
        let mut passed = Vec::new();
        let mut path = path.to_owned();
        while passed.len() < MOST_LINKS && !path.starts_with("../") {
            let Some((link, target)) = self.first_link(&path) else {
                break;
            };
            let rest = path[link.len()..].trim_start_matches('/').to_owned();
            passed.push(link);
            path = if rest.is_empty() { target } else { join(&target, &rest) };
        }
        (passed, path)
    }

    fn first_link(&mut self, path: &str) -> Option<(String, String)> {
        let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
        ends.filter(|end| *end > 0)
            .find_map(|end| Some((path[..end].to_owned(), self.target(&path[..end])?)))
    }

    fn target(&mut self, path: &str) -> Option<String> {
        if let Some(known) = self.known.get(path) {
            return known.clone();
        }
        let target = self.read(path);
        self.known.insert(path.to_owned(), target.clone());
        target
    }

    fn read(&self, path: &str) -> Option<String> {
        if self.tree.form(path) != Some(Form::Link) {
            return None;
        }
        let content = String::from_utf8(self.tree.read(path).ok()??).ok()?;
        if content.starts_with('/') {
            return None; // what is meant by that lies outside, wherever the repository is
        }
        let above = path.rsplit_once('/').map_or("", |(above, _)| above);
        Some(straight(&join(above, &content)))
    }
}

/// A path from the top without `.` and `..`, but for those at its beginning that lead out.
#[must_use]
pub fn straight(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// A name in a directory, which is empty for the top.
#[must_use]
pub fn join(directory: &str, name: &str) -> String {
    if directory.is_empty() {
        name.to_owned()
    } else {
        format!("{directory}/{name}")
    }
}

/// The submodule that a path of the commit lies in, by its own path.
#[must_use]
pub fn submodule_above(repository: &Repository, commit: Commit, path: &str) -> Option<(String, Entry)> {
    let above = Path::new(path).ancestors().skip(1).filter(|above| above.as_os_str() != "");
    above
        .filter_map(|above| Some((above.to_str()?.to_owned(), repository.entry(commit, above)?)))
        .find(|(_, entry)| entry.kind == Kind::Submodule)
}

/// A directory of a path dependency, without what cargo and git keep in it.
fn names_outside(directory: &Path) -> Result<Option<BTreeSet<String>>> {
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if is_nothing(&error) => return Ok(None),
        Err(error) => return Err(Error::io("read", directory, &error)),
    };
    let mut names = BTreeSet::new();
    for entry in entries {
        let entry = entry.at("read", directory)?;
        let name = entry.file_name().into_string().map_err(|_| Error::not_text(&entry.path()))?;
        let is_directory = entry.file_type().at("look at", &entry.path())?.is_dir();
        if name != "target" && name != ".git" {
            names.insert(if is_directory { name + "/" } else { name });
        }
    }
    Ok(Some(names))
}

fn is_nothing(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{IsADirectory, NotADirectory, NotFound};
    matches!(error.kind(), NotFound | NotADirectory | IsADirectory)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A repository with these files and links, committed.
    fn committed(files: &[(&str, &str)], links: &[(&str, &str)]) -> (tempfile::TempDir, Repository) {
        let directory = tempfile::tempdir().unwrap();
        let git = git2::Repository::init(directory.path()).unwrap();
        let place = |path: &str| {
            let place = directory.path().join(path);
            std::fs::create_dir_all(place.parent().unwrap()).unwrap();
            place
        };
        files.iter().for_each(|(path, text)| std::fs::write(place(path), text).unwrap());
        links.iter().for_each(|(path, to)| std::os::unix::fs::symlink(to, place(path)).unwrap());
        let mut index = git.index().unwrap();
        index.add_all(["*"], git2::IndexAddOption::FORCE, None).unwrap();
        let tree = git.find_tree(index.write_tree().unwrap()).unwrap();
        let author = git2::Signature::now("a", "a@b").unwrap();
        git.commit(Some("HEAD"), &author, &author, "start", &tree, &[]).unwrap();
        let repository = Repository::discover(directory.path()).unwrap();
        (directory, repository)
    }

    #[test]
    fn links_are_followed_to_where_they_lead() {
        let (_directory, repository) = committed(
            &[("shared/c.rs", ""), ("common/a.rs", "")],
            &[
                ("m/src/a.rs", "../../common/a.rs"),
                ("m/src/b", "../../shared"),
                ("m/src/again", "b"),
                ("m/round", "round"),
                ("m/out", "../../elsewhere"),
            ],
        );
        let mut links = Links::of(Tree::new(&repository, repository.head().unwrap()));
        let mut follow = |path: &str| {
            let (passed, end) = links.follow(path);
            (passed.join(" "), end)
        };
        assert_eq!(follow("common/a.rs"), (String::new(), "common/a.rs".into()));
        assert_eq!(follow("m/src/a.rs"), ("m/src/a.rs".into(), "common/a.rs".into()));
        assert_eq!(follow("m/src/again/none.rs"), ("m/src/again m/src/b".into(), "shared/none.rs".into()));
        assert_eq!(follow("m/out/x"), ("m/out".into(), "../elsewhere/x".into()));
        assert_eq!(follow("m/round").1, "m/round");
    }

    #[test]
    fn names_of_a_directory_are_those_that_are_inputs() {
        let (_directory, repository) =
            committed(&[("a/b.txt", ""), ("a/c/d", ""), ("out/model", ""), ("repro.lock", "")], &[]);
        let tree = Tree::new(&repository, repository.head().unwrap());
        let is_apart = |path: &str| path == "out/model" || path == "repro.lock";
        let names = |directory: &str| {
            let names = tree.names(directory, &is_apart).unwrap()?;
            Some(names.into_iter().collect::<Vec<_>>().join(" "))
        };
        assert_eq!(names(".").as_deref(), Some("a/"));
        assert_eq!(names("a").as_deref(), Some("b.txt c/"));
        assert_eq!((names("a/b.txt"), names("none")), (None, None));
        assert!(tree.has("a/c") && tree.has("a/c/d") && !tree.has("a/d"));
        let there = |path: &str| tree.has_input(path, &is_apart).unwrap();
        assert!(there("a") && there("a/b.txt") && !there("a/d"));
        assert!(tree.has("out") && !there("out") && !there("out/model"), "outputs are no inputs");
    }
}
