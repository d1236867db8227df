//! Declared data in the work directory: at the place where the program looks for it, with the bytes
//! that the snapshot pins, and still with them afterwards. A file that the checkout has already stays;
//! any other is shown there, read-only, from where it lies, since data may be too large to copy; where there are
//! no namespaces it is a link.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};

use super::checkout::{Checkout, normal};
use super::handover::Keeps;
use super::workdir::Workdir;
use crate::compare::Drift;
use crate::compare::drift::DataChange;
use crate::digest::Digest;
use crate::error::{Error, IoContext as _, Result};
use crate::os::beneath::Beneath;
use crate::os::bounded;
use crate::progress::Progress;
use crate::project::Project;
use crate::sandbox::Mount;
use crate::snapshot::Data;
use crate::snapshot::data::{self, DataFile, Files, Form};

/// A directory of more files than this is shown as a whole: a mount a file would take longer than to train.
const MOST_MOUNTS: usize = 256;

/// The data of a run.
#[derive(Debug)]
pub struct Staged {
    /// The variable's text for each entry of `[data]`.
    pub variables: BTreeMap<String, String>,
    /// Where everything is read from, with what it must be.
    items: Vec<Item>,
    /// The places of all of it.
    all: BTreeMap<PathBuf, usize>,
    /// And of what something was put for.
    put: BTreeSet<PathBuf>,
}

/// A file, or a whole directory, that is put in place.
#[derive(Debug)]
struct Item {
    name: String,
    /// Where the program finds it, by the path outside.
    place: PathBuf,
    /// Where its bytes are.
    source: PathBuf,
    /// Whether that is outside the checkout, where it is read as it lies.
    outside: bool,
    /// Whether something was put at its place, for it to be mounted upon, or a link to it.
    put: bool,
    content: Content,
}

#[derive(Debug)]
enum Content {
    /// By its declared path.
    File(String, DataFile),
    /// By the declared path of the directory; its files by theirs.
    Directory(String, Files),
}

/// Puts all data in place; `directory` is the package's in the checkout.
///
/// # Errors
/// When a link cannot be made or a file cannot be read.
pub fn stage(
    project: &Project,
    data: &BTreeMap<String, Data>,
    directory: &Path,
    workdir: &Workdir,
    checkout: &Checkout,
    seems: &Path,
) -> Result<Staged> {
    let seen = workdir.seen_at(seems, directory);
    let mut staged = Staged {
        variables: BTreeMap::new(),
        items: Vec::new(),
        all: BTreeMap::new(),
        put: BTreeSet::new(),
    };
    for (name, data) in data {
        let before = staged.items.len();
        if is_one_mount(project, data) {
            let content = Content::Directory(data.paths[0].clone(), data.files.clone());
            staged.items.push(item(project, name, content, directory, (workdir, checkout))?);
        } else {
            for (path, file) in data.files.all().iter() {
                let content = Content::File(path.clone(), file.clone());
                staged.items.push(item(project, name, content, directory, (workdir, checkout))?);
            }
        }
        let outside = staged.items[before..].iter().any(|item| leaves(directory, item.content.path(), workdir));
        let seen_from = if outside { &project.directory } else { &seen };
        staged.variables.insert(name.clone(), data.as_variable(seen_from));
    }
    let numbered = staged.items.iter().enumerate();
    staged.all = numbered.map(|(number, item)| (item.place.clone(), number)).collect();
    staged.put = staged.items.iter().filter(|item| item.put).map(|item| item.place.clone()).collect();
    Ok(staged)
}

/// Whether it is shown as a whole. Not where a stage writes into it: its files would be in the way; nor where a
/// link in it names a place of this machine, which the program does not see.
fn is_one_mount(project: &Project, data: &Data) -> bool {
    let holds = |output: &String| Path::new(output).starts_with(&data.paths[0]);
    let is_absolute = |link: &String| {
        let target = std::fs::read_link(project.directory.join(link));
        target.is_ok_and(|target| target.is_absolute())
    };
    data.form == Form::Directory
        && data.files.len() > MOST_MOUNTS
        && !project.manifest.outputs().any(holds)
        && !data.links.keys().any(is_absolute)
}

fn item(
    project: &Project,
    name: &str,
    content: Content,
    directory: &Path,
    (workdir, checkout): (&Workdir, &Checkout),
) -> Result<Item> {
    let path = content.path();
    let source = project.directory.join(path);
    // Data outside the repository has no place in the checkout; it is read where it lies.
    let leaves = leaves(directory, path, workdir);
    let place = if leaves {
        normal(&source)
    } else {
        match &content {
            Content::File(..) => checkout.reach(&directory.join(path))?,
            Content::Directory(..) => checkout.reach_links(&directory.join(path))?,
        }
        led(&directory.join(path))
    };
    let outside = leaves || !place.starts_with(workdir.tree());
    let (place, source, put) = if outside {
        (place, source, false)
    } else if content.is_there(&place)? {
        (place.clone(), place, false)
    } else {
        put(&source, &workdir.tree(), &place, &content, workdir.has_namespaces())?;
        (place, source, true)
    };
    Ok(Item {
        name: name.to_owned(),
        place,
        source,
        outside,
        put,
        content,
    })
}

/// Whether a declared path leads out of the repository by itself.
fn leaves(directory: &Path, path: &str, workdir: &Workdir) -> bool {
    !normal(&directory.join(path)).starts_with(workdir.tree())
}

/// Where committed links on the way lead a program, in the checkout or out of it.
fn led(place: &Path) -> PathBuf {
    let real = place.parent().and_then(|parent| parent.canonicalize().ok()).zip(place.file_name());
    real.map_or_else(|| normal(place), |(parent, name)| parent.join(name))
}

impl Content {
    fn path(&self) -> &str {
        match self {
            Self::File(path, _) | Self::Directory(path, _) => path,
        }
    }

    /// Whether the checkout has it already, with these bytes.
    fn is_there(&self, place: &Path) -> Result<bool> {
        match self {
            Self::Directory(..) => Ok(false),
            Self::File(_, file) => {
                let is_file = place.symlink_metadata().is_ok_and(|meta| meta.is_file());
                Ok(is_file && data::digest_again(place, file, &Progress::default())? == file.digest)
            }
        }
    }
}

impl Item {
    /// What of it is not as it was.
    fn changed(&self, progress: &Progress) -> Result<Vec<Drift>> {
        match &self.content {
            Content::File(path, file) => {
                Ok(self.changed_file(path, &self.source, file, progress)?.into_iter().collect())
            }
            Content::Directory(path, files) => self.changed_directory(path, &files.all(), progress),
        }
    }

    fn changed_file(&self, path: &str, place: &Path, file: &DataFile, progress: &Progress) -> Result<Option<Drift>> {
        crate::os::interrupt::check()?;
        let after = data::digest_again(place, file, progress).ok();
        progress.finish_file();
        let changed = DataChange::Meanwhile {
            name: self.name.clone(),
            path: path.to_owned(),
            before: file.digest,
            after,
        };
        Ok((after != Some(file.digest)).then_some(Drift::DataChanged(changed)))
    }

    fn changed_directory(&self, root: &str, files: &[(String, DataFile)], progress: &Progress) -> Result<Vec<Drift>> {
        let place =
            |path: &str| path.strip_prefix(root).map_or(self.source.clone(), |inner| below(&self.source, inner));
        let changed = files
            .par_iter()
            .map(|(path, file)| self.changed_file(path, &place(path), file, progress))
            .collect::<Result<Vec<_>>>()?;
        let mut drift: Vec<Drift> = changed.into_iter().flatten().collect();
        let known: BTreeSet<&str> = files.iter().map(|(path, _)| path.as_str()).collect();
        for path in data::names(&self.source, root)? {
            if !known.contains(path.as_str()) {
                let found = Digest::of_file(&place(&path))?.0;
                let name = self.name.clone();
                drift.push(Drift::DataAdded { name, path, found });
            }
        }
        Ok(drift)
    }
}

fn below(directory: &Path, inner: &str) -> PathBuf {
    directory.join(inner.trim_start_matches('/'))
}

impl Staged {
    /// Puts copies into `directory` in the place of the files themselves, as old as they are; what is too large
    /// for that stays, and so do directories that are shown as a whole.
    ///
    /// # Errors
    /// When one cannot be made.
    pub fn copy_to(&mut self, directory: &Path) -> Result<()> {
        const LARGEST: u64 = 1 << 26;
        for (number, item) in self.items.iter_mut().enumerate() {
            let meta = item.source.metadata().at("look at", &item.source)?;
            if meta.is_dir() || meta.len() > LARGEST {
                continue;
            }
            let copy = directory.join(number.to_string());
            std::fs::copy(&item.source, &copy).at("copy to", &copy)?;
            let times = meta
                .modified()
                .map(|time| std::fs::FileTimes::new().set_modified(time).set_accessed(time));
            let set = times.and_then(|times| bounded::open(&copy)?.set_times(times));
            set.at("set the time of", &copy)?;
            item.source = copy;
        }
        Ok(())
    }

    /// Reads all of it again: what changed while the program ran.
    ///
    /// # Errors
    /// When the user interrupts.
    pub fn changed(&self, progress: &Progress) -> Result<Vec<Drift>> {
        let expect = |file: &DataFile| {
            progress.expect(1);
            progress.meet(data::bytes_read(file));
        };
        for item in &self.items {
            match &item.content {
                Content::File(_, file) => expect(file),
                Content::Directory(_, files) => files.all().iter().for_each(|(_, file)| expect(file)),
            }
        }
        let mut changed = Vec::new();
        for item in &self.items {
            changed.extend(item.changed(progress)?);
        }
        Ok(changed)
    }

    /// What must be mounted for the program to find it; `seen` gives the path of something as it sees it.
    pub fn mounts(&self, seen: impl Fn(&Path) -> PathBuf) -> Vec<Mount> {
        let mount = |item: &Item| Mount {
            from: item.source.clone(),
            to: seen(&item.place),
            writable: false,
        };
        self.items
            .iter()
            .filter(|item| item.outside || item.source != item.place)
            .map(mount)
            .collect()
    }

    /// Where all bytes are.
    pub fn sources(&self) -> impl Iterator<Item = &Path> {
        self.items.iter().map(|item| item.source.as_path())
    }

    /// Where the program finds each file or directory, by the path outside.
    pub fn places(&self) -> impl Iterator<Item = &Path> {
        self.items.iter().map(|item| item.place.as_path())
    }

    /// Whether a file of the checkout made way for a directory that is shown as a whole.
    #[must_use]
    pub fn replaces(&self, path: &Path) -> bool {
        let is_whole = |item: &&Item| matches!(item.content, Content::Directory(..));
        self.items
            .iter()
            .filter(is_whole)
            .any(|item| path != item.place && path.starts_with(&item.place))
    }

    /// Whether something was put there in place of what the checkout plans.
    #[must_use]
    pub fn holds(&self, path: &Path) -> bool {
        path.ancestors().any(|above| self.put.contains(above))
    }

    /// Whether a path is a place of data, or holds some.
    #[must_use]
    pub fn keeps(&self, path: &Path) -> Keeps {
        if path.ancestors().any(|above| self.all.contains_key(above)) {
            return Keeps::Itself;
        }
        match self.all.range(path.to_path_buf()..).next() {
            Some((next, _)) if next.starts_with(path) => Keeps::Below,
            _ => Keeps::Nothing,
        }
    }

    /// The declared path of what lies at a place of data, and where its bytes are.
    #[must_use]
    pub fn source_of(&self, path: &Path) -> Option<(String, PathBuf)> {
        let item = path
            .ancestors()
            .find_map(|above| self.all.get(above))
            .map(|number| &self.items[*number])?;
        let inner = path.strip_prefix(&item.place).ok()?;
        if inner.as_os_str().is_empty() {
            return Some((item.content.path().to_owned(), item.source.clone()));
        }
        let declared = Path::new(item.content.path()).join(inner);
        Some((declared.to_str()?.to_owned(), item.source.join(inner)))
    }

    /// Places of data where no longer is what was put there.
    #[must_use]
    pub fn moved(&self) -> Vec<PathBuf> {
        let is_put = |item: &Item| {
            let meta = item.place.symlink_metadata();
            meta.is_ok_and(|meta| match &item.content {
                _ if meta.is_symlink() => std::fs::read_link(&item.place).is_ok_and(|to| to == item.source),
                Content::File(..) => meta.is_file() && meta.len() == 0,
                Content::Directory(..) => meta.is_dir(),
            })
        };
        let moved = self.items.iter().filter(|item| item.put && !is_put(item));
        moved.map(|item| item.place.clone()).collect()
    }
}

/// Something empty to mount the data upon, or a link to it; through no link, which could lead to the data itself.
fn put(source: &Path, tree: &Path, place: &Path, content: &Content, mounted: bool) -> Result<()> {
    let here = Beneath::open(tree).at("open", tree)?;
    let handle = here.place(place.strip_prefix(tree).unwrap_or(place)).map_err(|error| {
        Error::io("make a place for the data at", place, &error)
            .hint("declare the data by a path that leads through no symbolic link")
    })?;
    let there = handle.path();
    match there.symlink_metadata() {
        Ok(meta) if meta.is_dir() => std::fs::remove_dir_all(&there).at("remove", place)?,
        Ok(_) => std::fs::remove_file(&there).at("remove", place)?,
        Err(_) => {}
    }
    match content {
        Content::Directory(..) if mounted => std::fs::create_dir(&there).at("make a place for the data at", place),
        Content::File(..) if mounted => {
            std::fs::File::create_new(&there).map(drop).at("make a place for the data at", place)
        }
        _ => std::os::unix::fs::symlink(source, &there).at("make the link", place),
    }
}
