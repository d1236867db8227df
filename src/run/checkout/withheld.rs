//! What of the commit is not written before something looks for it. In a repository of many packages most of it is
//! nothing to the one that is built; which part is something to it, only the build and the stages show. Directories are
//! made in any case.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use super::Checkout;
use crate::error::{Error, IoContext as _, Result};
use crate::os::bounded;
use crate::os::interrupt;
use crate::project::Project;
use crate::project::repository::{Entry, Kind, Repository};
use crate::sandbox::Report;
use crate::sandbox::giving::Asked;

/// What is in its place, and what is nearly there.
#[derive(Debug, Default)]
pub(super) struct Later {
    /// The files that are to be in their places by now.
    present: RefCell<BTreeSet<PathBuf>>,
    /// Directories of which the contents of all files are here.
    brought: RefCell<BTreeSet<PathBuf>>,
    /// The directories of which nothing was left for later; where there are none, nothing was anywhere.
    needed: RefCell<Option<Vec<PathBuf>>>,
}

impl Later {
    /// Of some of the files.
    pub(super) fn only(&self, is_kept: impl Fn(&Path) -> bool) -> Self {
        let present = self.present.borrow();
        Self {
            present: RefCell::new(present.iter().filter(|path| is_kept(path)).cloned().collect()),
            brought: RefCell::default(),
            needed: self.needed.clone(),
        }
    }
}

/// The kernel follows no more links in one path either.
const MOST_LINKS: usize = 40;

impl Checkout {
    /// Leaves everything of the commit for later but what is in these directories.
    pub(super) fn want(&self, needed: &[PathBuf]) -> Result<()> {
        self.later.needed.replace(Some(needed.to_vec()));
        let elsewhere = self.files.iter().filter(|(_, planned)| planned.object().is_none()).map(|(path, _)| path);
        let wanted = needed.iter().flat_map(|directory| self.below(directory)).chain(elsewhere);
        self.later.present.borrow_mut().extend(wanted.cloned());
        self.bring(&self.there())
    }

    /// Leaves nothing for later.
    pub(super) fn want_all(&self) -> Result<()> {
        self.later.present.borrow_mut().extend(self.files.keys().cloned());
        self.bring(&self.there())
    }

    /// Sees to it that the contents of these files are here.
    fn bring(&self, paths: &[&PathBuf]) -> Result<()> {
        let mut repositories: Vec<&Rc<Repository>> = Vec::new();
        for (repository, _) in paths.iter().filter_map(|path| self.files[*path].object()) {
            if !repositories.iter().any(|known| Rc::ptr_eq(known, repository)) {
                repositories.push(repository);
            }
        }
        for repository in repositories {
            repository.bring(self.objects(repository, paths.iter().copied()))?;
        }
        Ok(())
    }

    fn objects<'a>(
        &'a self,
        repository: &'a Rc<Repository>,
        paths: impl Iterator<Item = &'a PathBuf> + 'a,
    ) -> impl Iterator<Item = Entry> + 'a {
        let mine = |(other, entry): (&'a Rc<Repository>, Entry)| Rc::ptr_eq(repository, other).then_some(entry);
        paths.filter_map(move |path| self.files.get(path)?.object().and_then(mine))
    }

    /// Whether some of the commit is not written yet.
    #[must_use]
    pub fn withholds(&self) -> bool {
        self.later.present.borrow().len() < self.files.len()
    }

    /// How much of it is written, in words; nothing where that is all.
    #[must_use]
    pub fn part(&self) -> String {
        let (all, present) = (self.files.len(), self.later.present.borrow().len());
        if present == all {
            return String::new();
        }
        format!(", {present} of {all} files; others once they are looked for")
    }

    pub(super) fn is_withheld(&self, path: &Path) -> bool {
        self.files.contains_key(path) && !self.later.present.borrow().contains(path)
    }

    /// Every planned file that is in its place.
    #[must_use]
    pub fn there(&self) -> Vec<&PathBuf> {
        let present = self.later.present.borrow();
        present.iter().filter_map(|path| Some(self.files.get_key_value(path)?.0)).collect()
    }

    /// Every planned file below a directory, or at that path.
    pub(super) fn below(&self, directory: &Path) -> impl Iterator<Item = &PathBuf> + use<'_> {
        let directory = directory.to_path_buf();
        let rest = self.files.range(directory.clone()..).map(|(path, _)| path);
        rest.take_while(move |path| path.starts_with(&directory))
    }

    pub(super) fn make_directories(&self) -> Result<()> {
        let missing = self.directories().into_iter().filter(|directory| !directory.is_dir());
        missing
            .into_iter()
            .try_for_each(|directory| std::fs::create_dir_all(&directory).at("make the directory", &directory))
    }

    /// Writes what a program asks for, except where something else was put; `unseen` gives the place of what it calls by
    /// a path. Gives whether there was anything to write.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub fn answer(
        &self,
        asked: &Asked,
        unseen: impl Fn(&Path) -> PathBuf,
        is_put: impl Fn(&Path) -> bool,
    ) -> Result<bool> {
        let unseen = |path: &Path| self.by_its_place(&unseen(path));
        let wanted: Vec<PathBuf> = match asked {
            Asked::Path(path) => {
                let place = unseen(path);
                let mut on_the_way = place.ancestors().filter(|path| self.is_withheld(path));
                on_the_way.next().map(Path::to_path_buf).into_iter().collect()
            }
            Asked::Names(directory) => {
                let directory = unseen(directory);
                let inside = |path: &&PathBuf| path.parent() == Some(&directory) && self.is_withheld(path);
                self.below(&directory).filter(inside).cloned().collect()
            }
            Asked::All => self.files.keys().filter(|path| self.is_withheld(path)).cloned().collect(),
        };
        let wanted: Vec<PathBuf> = wanted.into_iter().filter(|path| !is_put(path)).collect();
        self.write(&wanted)?;
        Ok(!wanted.is_empty())
    }

    /// Refuses a report of a program that looked for a file of the commit while that was not in its place: what it did
    /// without it is nothing to go by.
    ///
    /// # Errors
    /// That names the file.
    pub fn must_have_given(
        &self,
        report: &Report,
        unseen: impl Fn(&Path) -> PathBuf,
        is_put: impl Fn(&Path) -> bool,
    ) -> Result<()> {
        let needed = self.later.needed.borrow();
        let Some(needed) = needed.as_ref() else {
            return Ok(());
        };
        // No program changes these, so they are not there only where they were not given.
        let was_left = |path: &PathBuf| {
            self.files.get(path).is_some_and(|planned| planned.object().is_some())
                && !needed.iter().any(|directory| path.starts_with(directory))
                && !is_put(path)
        };
        let missed = report.reads.iter().filter(|(_, look)| look.missed && !look.existed);
        let Some(path) = missed.map(|(path, _)| unseen(Path::new(path))).find(was_left) else {
            return Ok(());
        };
        let inner = path.strip_prefix(&self.root).unwrap_or(&path);
        let what = format!("{} is committed, and was not there when it was looked for", inner.display());
        Err(Error::new(what).hint("this is a fault of cargo repro, and not of the project; nothing was recorded"))
    }

    /// Writes what is planned at a path, through the links on its way, and, where it is a directory, all below it.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub fn reach(&self, path: &Path) -> Result<()> {
        let (on_the_way, end) = self.led(path)?;
        let below = self.below(&end).filter(|path| self.is_withheld(path)).cloned();
        self.write(&on_the_way.into_iter().chain(below).collect::<Vec<_>>())
    }

    /// Writes the links on the way of a path.
    ///
    /// # Errors
    /// When one cannot be read or written.
    pub fn reach_links(&self, path: &Path) -> Result<()> {
        self.write(&self.led(path)?.0)
    }

    /// The links on the way of a path that are not written yet, and where it leads.
    fn led(&self, path: &Path) -> Result<(Vec<PathBuf>, PathBuf)> {
        use std::os::unix::ffi::OsStrExt as _;
        let parts = |path: &Path| -> Vec<OsString> {
            let names = path
                .components()
                .filter(|part| matches!(part, Component::Normal(_) | Component::ParentDir));
            names.map(|part| part.as_os_str().to_owned()).rev().collect()
        };
        let (mut passed, mut links, mut real, mut rest) = (Vec::new(), 0, PathBuf::from("/"), parts(path));
        // `..` leads out of what a link leads to, and not out of the directory that the link is in.
        while let Some(part) = rest.pop() {
            if part == ".." {
                real.pop();
                continue;
            }
            real.push(part);
            let Some(link) = self.files.get(&real).filter(|planned| planned.kind == Kind::Link && links < MOST_LINKS)
            else {
                continue;
            };
            links += 1;
            passed.extend(Some(real.clone()).filter(|link| self.is_withheld(link)));
            let target = Path::new(std::ffi::OsStr::from_bytes(link.held()?));
            if target.is_absolute() {
                real = PathBuf::from("/");
            } else {
                real.pop();
            }
            rest.extend(parts(target));
        }
        Ok((passed, real))
    }

    /// In a partial clone, brings what is to be written with all that lies beside it: each fetch takes its time.
    fn bring_beside(&self, paths: &[PathBuf]) -> Result<()> {
        let mut parents: BTreeSet<&Path> = paths.iter().filter_map(|path| path.parent()).collect();
        parents.retain(|parent| !self.later.brought.borrow().contains(*parent));
        let mut beside = Vec::new();
        for &parent in &parents {
            beside.extend(self.below(parent).filter(|path| path.parent() == Some(parent)));
        }
        self.bring(&beside)?;
        self.later.brought.borrow_mut().extend(parents.into_iter().map(Path::to_path_buf));
        Ok(())
    }

    fn write(&self, paths: &[PathBuf]) -> Result<()> {
        self.bring_beside(paths)?;
        for path in paths {
            interrupt::check()?;
            let planned = &self.files[path];
            planned.write(path)?;
            if let Some(time) = self.time.get() {
                set_time(path, time)?;
            }
            self.later.present.borrow_mut().insert(path.clone());
        }
        Ok(())
    }
}

/// What is needed in any case: the package itself, in which programs may write, and what cargo looks at of packages
/// that are vendored. Of the others it says what it needs.
pub(super) fn needed(project: &Project, root: &Path, package: PathBuf) -> Vec<PathBuf> {
    let top = project.repository.root();
    let (local, remote) = (project.package.local.iter(), project.package.remote.iter());
    let sources = local.flat_map(|local| {
        let parents = local.roots.iter().filter_map(|source| source.parent());
        parents.filter(|parent| *parent != local.directory)
    });
    let inner = sources.chain(remote.map(|remote| remote.directory.as_path()));
    let inner = inner.filter_map(|directory| Some(root.join(directory.strip_prefix(top).ok()?)));
    inner.chain([package]).collect()
}

/// Gives a file the time of its last change; a link has none of its own that counts.
pub(super) fn set_time(path: &Path, seconds: i64) -> Result<()> {
    use std::time::{Duration, UNIX_EPOCH};
    if path.is_symlink() {
        return Ok(());
    }
    let time = UNIX_EPOCH + Duration::from_secs(seconds.unsigned_abs());
    let times = std::fs::FileTimes::new().set_modified(time).set_accessed(time);
    bounded::open(path).and_then(|file| file.set_times(times)).at("set the time of", path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    /// A checkout of nothing yet of a commit with these files and a link.
    fn nothing() -> (tempfile::TempDir, Checkout) {
        let around = tempfile::tempdir().unwrap();
        let from = around.path().join("from");
        let git = git2::Repository::init(&from).unwrap();
        for (path, text) in [
            ("a/one", "1"),
            ("a/two", "2"),
            ("a/b/three", "3"),
            ("c/four", "4"),
            ("top", "5"),
        ] {
            std::fs::create_dir_all(from.join(path).parent().unwrap()).unwrap();
            std::fs::write(from.join(path), text).unwrap();
        }
        std::os::unix::fs::symlink("a/b", from.join("link")).unwrap();
        let mut index = git.index().unwrap();
        index.add_all(["*"], git2::IndexAddOption::FORCE, None).unwrap();
        let tree = git.find_tree(index.write_tree().unwrap()).unwrap();
        let author = git2::Signature::now("a", "a@b").unwrap();
        git.commit(Some("HEAD"), &author, &author, "start", &tree, &[]).unwrap();
        let repository = Rc::new(Repository::discover(&from).unwrap());
        let top = around.path().join("to");
        std::fs::create_dir(&top).unwrap();
        let checkout = Checkout::plan_commit(&repository, repository.head().unwrap(), &top).unwrap();
        checkout.later.present.borrow_mut().clear();
        checkout.apply().unwrap();
        (around, checkout)
    }

    /// The files that are there, after this was asked for.
    fn after(checkout: &Checkout, asked: &Asked) -> (bool, String) {
        let unseen = |path: &Path| checkout.top.join(path);
        let given = checkout.answer(asked, unseen, |path| path.ends_with("two")).unwrap();
        let there = checkout.files.keys().filter(|path| path.symlink_metadata().is_ok());
        let there = there.map(|path| path.strip_prefix(&checkout.top).unwrap().display().to_string());
        (given, there.collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn what_is_asked_for_is_written_and_nothing_else() {
        let (_around, checkout) = nothing();
        let path = |path: &str| Asked::Path(path.into());
        assert_eq!(after(&checkout, &path("a/none")), (false, String::new()));
        assert!(checkout.top.join("a/b").is_dir() && checkout.withholds());
        assert_eq!(checkout.below(&checkout.top.join("")).count(), checkout.files.len());
        assert_eq!(after(&checkout, &path("link/three")), (true, "link".into()), "the way there first");
        assert_eq!(after(&checkout, &path("a/b/three")), (true, "a/b/three link".into()));
        assert_eq!(after(&checkout, &path("a/b/three")), (false, "a/b/three link".into()));
        assert_eq!(after(&checkout, &path("a/two")), (false, "a/b/three link".into()), "something else is put there");
        checkout.set_times(1_000_000_007).unwrap();
        assert_eq!(after(&checkout, &Asked::Names("a".into())), (true, "a/b/three a/one link".into()));
        assert_eq!(checkout.top.join("a/one").metadata().unwrap().mtime(), 1_000_000_007);
        assert_eq!(after(&checkout, &Asked::All).1, "a/b/three a/one c/four link top");
    }

    #[test]
    fn a_path_is_reached_through_links_and_as_a_whole() {
        let (_around, checkout) = nothing();
        checkout.reach(&checkout.top.join("link/../two")).unwrap();
        assert!(checkout.top.join("a/two").is_file(), "out of where the link leads");
        checkout.reach(&checkout.top.join("c/../link")).unwrap();
        assert!(checkout.top.join("link/three").is_file());
        assert!(checkout.is_withheld(&checkout.top.join("a/one")));
        checkout.reach(&checkout.top.join("a")).unwrap();
        assert!(checkout.top.join("a/two").is_file() && !checkout.top.join("c/four").exists());
    }

    #[test]
    fn what_was_looked_for_and_not_given_is_an_error() {
        let (_around, checkout) = nothing();
        let told = |path: &str, existed: bool| {
            let look = crate::sandbox::Look {
                existed,
                missed: !existed,
                ..Default::default()
            };
            let report = Report {
                reads: [(path.to_owned(), look)].into(),
                ..Report::default()
            };
            let unseen = |path: &Path| checkout.top.join(path);
            checkout.must_have_given(&report, unseen, |path| path.ends_with("two")).is_ok()
        };
        assert!(told("c/four", false), "all of it is written before");
        checkout.later.needed.replace(Some(vec![checkout.top.join("a/b")]));
        assert!(!told("c/four", false) && told("c/four", true));
        assert!(told("a/two", false) && told("a/b/three", false) && told("c/none", false) && told("c", false));
    }

    #[test]
    fn what_an_earlier_run_left_is_not_found_by_the_next() {
        let (_around, checkout) = nothing();
        std::fs::write(checkout.top.join("c/four"), "of another commit").unwrap();
        checkout.apply().unwrap();
        assert!(!checkout.top.join("c/four").exists());
        assert_eq!(checkout.keeps(&checkout.top.join("c/four")), crate::run::handover::Keeps::Itself);
        assert_eq!(checkout.digest("c/four"), Some(crate::digest::Digest::of("4")));
    }
}
