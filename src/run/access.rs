//! What a program reached for beside its inputs: files that nobody declared, names that were not there, the
//! network. The supervisor saw it; here it is judged against what is declared.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::denied;
use crate::cause::{Cause, Kind};
use crate::digest::Digest;
use crate::sandbox::{Look, PLACE, Report, audit};
use crate::snapshot::source::looks::TOP;
use crate::snapshot::source::{Closure, relative};

/// One thing that was reached for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// The stage; none if it was the build.
    pub stage: Option<String>,
    /// The program's file name.
    pub by: String,
    /// What.
    pub what: Reached,
}

/// The cases.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Reached {
    /// An address of the network.
    Network(String),
    /// A file of the machine, which is there.
    Outside(String),
    /// A file of the commit that neither the build nor `[data]` knows; by its path in the repository.
    Committed(String),
    /// A name where there is nothing.
    Absent(String),
    /// The same in the repository, by its path there, so that it can be pinned that there is nothing; and whether the
    /// run then made something there itself.
    Lacking {
        /// The path.
        path: String,
        /// Whether something is there by the end.
        made: bool,
    },
    /// A directory of the repository whose names were read, by its path there.
    Listed(String),
    /// A name in the home directory, which is empty in every run.
    Home(String),
    /// A file of the kernel that is another one at every look.
    Kernel(String),
}

/// What belongs to a run, as its program sees it.
pub struct Grounds<'a> {
    /// The stage; none for the build.
    pub stage: Option<&'a str>,
    /// Where the work directory seems to lie.
    pub place: PathBuf,
    /// The repository's root in it.
    pub repository: PathBuf,
    /// All that was checked out, which may begin above that.
    pub tree: PathBuf,
    /// The home directory.
    pub home: PathBuf,
    /// Directories of the machine that the program is shown.
    pub shown: Vec<PathBuf>,
    /// Whether it is shown all of the machine but for the temporary directories, which are its own.
    pub open: bool,
    /// Declared data.
    pub data: BTreeSet<PathBuf>,
    /// Files that the stages declare as theirs.
    pub outputs: BTreeSet<PathBuf>,
    /// Files that the snapshot pins, by their path in the repository.
    pub sources: &'a BTreeSet<String>,
    /// Whether a path of the program's is there now that it has ended.
    pub is_there: &'a dyn Fn(&Path) -> bool,
    /// Whether a path of the machine is there, seen or not.
    pub is_on_machine: &'a dyn Fn(&Path) -> bool,
    /// What a path in the repository is in the commit.
    pub committed: &'a dyn Fn(&str) -> Committed,
    /// Whether it says nothing that this program looked at that path in the repository.
    pub is_idle: &'a dyn Fn(&str, &str) -> bool,
    /// Whether it says nothing that this program read the names in that directory of the repository.
    pub lists_idly: &'a dyn Fn(&str, &str) -> bool,
}

/// What a path in the repository is in the commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Committed {
    /// A file, or a link, or something behind a link.
    File,
    /// A directory.
    Directory,
    /// Nothing.
    No,
}

impl Grounds<'_> {
    /// What of a report reaches beyond the grounds.
    #[must_use]
    pub fn judge(&self, report: &Report) -> Vec<Access> {
        let mut accesses: Vec<Access> = report
            .network
            .iter()
            .map(|(address, by)| self.access(by, Reached::Network(address.clone())))
            .collect();
        for (path, look) in &report.reads {
            // What the run made itself is no input; that there was nothing before is, if it looked.
            let path_there = Path::new(path);
            let was_looked_for = look.missed && !look.existed && path_there.starts_with(&self.tree);
            if look.written && !was_looked_for {
                continue;
            }
            if let Some(what) = self.reached(path_there, path, look) {
                accesses.push(self.access(&look.by, what));
            }
        }
        for (path, by) in &report.listed {
            let listed = by.iter().find_map(|by| Some((by, self.listed(Path::new(path), by)?)));
            accesses.extend(listed.map(|(by, what)| self.access(by, what)));
        }
        accesses.sort_by(|one, other| one.what.cmp(&other.what));
        accesses.dedup_by(|one, other| one.what == other.what);
        accesses
    }

    fn access(&self, by: &str, what: Reached) -> Access {
        Access {
            stage: self.stage.map(str::to_owned),
            by: by.to_owned(),
            what,
        }
    }

    fn reached(&self, path: &Path, text: &str, look: &Look) -> Option<Reached> {
        let (existed, opened) = (look.existed, look.opened);
        if let Some(name) = audit::changing(text) {
            return Some(Reached::Kernel(name));
        }
        let own = |paths: &BTreeSet<PathBuf>| {
            paths.contains(path) || paths.iter().any(|other| other.starts_with(path) || path.starts_with(other))
        };
        if own(&self.data) || own(&self.outputs) {
            return None;
        }
        if path.starts_with(&self.home) {
            return (!existed && !(self.is_there)(path)).then(|| Reached::Home(text.to_owned()));
        }
        if path.starts_with(&self.tree) {
            return self.in_tree(path, look);
        }
        if path.starts_with(&self.place)
            || path.starts_with(PLACE)
            || self.shown.iter().any(|shown| path.starts_with(shown))
        {
            return None;
        }
        let private = ["/tmp", "/var/tmp", "/dev/shm"].iter().any(|own| path.starts_with(own));
        if private && !(self.is_on_machine)(path) {
            return None;
        }
        // What the namespaces hid would be read by hand. Only asking about a directory shows nothing.
        match (existed || !self.open && (self.is_on_machine)(path), opened) {
            (true, true) => Some(Reached::Outside(text.to_owned())),
            (true, false) => None,
            (false, _) => Some(Reached::Absent(text.to_owned())),
        }
    }

    fn in_tree(&self, path: &Path, look: &Look) -> Option<Reached> {
        let inner = relative(&self.repository, path).ok()?;
        if self.sources.contains(&inner) || (self.is_idle)(&look.by, &inner) {
            return None;
        }
        match (self.committed)(&inner) {
            Committed::File if look.existed => Some(Reached::Committed(inner)),
            // What is there now and was not committed was made by the run itself.
            _ if look.existed => None,
            Committed::File | Committed::No => self.lacking(path, inner),
            Committed::Directory => None,
        }
    }

    /// A name of which it is pinned that nothing is there. Below what the run makes itself it is enough that the
    /// commit has nothing of that: the names in it may be random.
    fn lacking(&self, path: &Path, inner: String) -> Option<Reached> {
        // No commit can have it; and what lies above the repository is no part of it.
        if inner.split('/').any(|part| part == ".git") || inner.split('/').all(|part| part == "..") {
            return None;
        }
        let is_made = |path: &Path| (self.is_there)(path) || path.ends_with("__pycache__");
        let above = path.ancestors().skip(1).take_while(|above| {
            relative(&self.repository, above).is_ok_and(|inner| (self.committed)(&inner) == Committed::No)
        });
        let made = above.filter(|above| is_made(above)).last().or(Some(path).filter(|path| is_made(path)));
        match made {
            Some(made) => Some(Reached::Lacking {
                path: relative(&self.repository, made).ok()?,
                made: true,
            }),
            None => Some(Reached::Lacking {
                path: inner,
                made: false,
            }),
        }
    }

    fn listed(&self, path: &Path, by: &str) -> Option<Reached> {
        let belongs = |paths: &BTreeSet<PathBuf>| paths.iter().any(|own| path.starts_with(own));
        if !path.starts_with(&self.tree) || belongs(&self.data) || belongs(&self.outputs) {
            return None;
        }
        let inner = relative(&self.repository, path).ok()?;
        if (self.lists_idly)(by, &inner) {
            return None;
        }
        match (self.committed)(&inner) {
            Committed::Directory if inner.is_empty() => Some(Reached::Listed(TOP.to_owned())),
            Committed::Directory => Some(Reached::Listed(inner)),
            Committed::File => None,
            Committed::No => self.lacking(path, inner),
        }
    }
}

impl Access {
    /// Whether nothing is to be recorded of a run that reached for it, unless the manifest lets it.
    #[must_use]
    pub fn is_grave(&self) -> bool {
        matches!(self.what, Reached::Network(_) | Reached::Outside(_))
    }

    /// Whether a person wants to hear of it: what a build reads of the commit is source like any other.
    #[must_use]
    pub fn is_worth_a_note(&self) -> bool {
        match self.what {
            Reached::Listed(_) | Reached::Lacking { made: true, .. } => false,
            Reached::Committed(_) | Reached::Lacking { .. } => self.stage.is_some(),
            _ => true,
        }
    }

    /// What of the repository reached the program by these, so that it is pinned with the sources.
    #[must_use]
    pub fn sources<'a>(accesses: impl IntoIterator<Item = &'a Self>) -> Closure {
        let mut closure = Closure::default();
        for access in accesses {
            match &access.what {
                Reached::Committed(path) => drop(closure.files.insert(path.clone())),
                Reached::Lacking { path, made: false } => drop(closure.absent.insert(path.clone())),
                Reached::Lacking { path, made: true } => drop(closure.made.insert(path.clone())),
                Reached::Listed(path) => drop(closure.listed.insert(path.clone())),
                _ => {}
            }
        }
        closure
    }

    /// Whether it may be why a program failed.
    #[must_use]
    pub fn is_telling(&self) -> bool {
        self.is_grave()
            || matches!(self.what, Reached::Absent(_) | Reached::Lacking { made: false, .. } | Reached::Home(_))
    }

    /// The name under which a lock keeps a file of the machine: its path is nobody's business.
    #[must_use]
    pub fn name_in_lock(path: &str) -> String {
        Digest::of(path).hex()[..16].to_owned()
    }

    /// The path or address.
    #[must_use]
    pub fn subject(&self) -> &str {
        match &self.what {
            Reached::Network(text)
            | Reached::Outside(text)
            | Reached::Committed(text)
            | Reached::Absent(text)
            | Reached::Lacking { path: text, .. }
            | Reached::Listed(text)
            | Reached::Home(text)
            | Reached::Kernel(text) => text,
        }
    }

    /// One sentence.
    #[must_use]
    pub fn detail(&self) -> String {
        let by = &self.by;
        match &self.what {
            Reached::Network(_) => format!("{by} tried to reach it; what answers there is no part of the lock"),
            Reached::Outside(_) => format!("{by} read it; it is not declared under [data]"),
            Reached::Committed(_) => {
                format!("{by} read it; it is not declared under [data], so `record` pins it with the sources")
            }
            Reached::Absent(_) => {
                format!("{by} looked for it; there is none here, and where there is one, it would be read")
            }
            Reached::Lacking { .. } => {
                format!("{by} looked for it; there is none here, and `record` pins that with the sources")
            }
            Reached::Listed(_) => format!("{by} read the names in it, so `record` pins them with the sources"),
            Reached::Home(_) => {
                format!(
                    "{by} looked for it in the home directory, which is empty here; by hand it would find the user's"
                )
            }
            Reached::Kernel(_) => format!("{by} read it; the kernel changes it all the time"),
        }
    }

    /// As a cause.
    #[must_use]
    pub fn cause(&self) -> Cause {
        let kind = if matches!(self.what, Reached::Network(_)) {
            Kind::Network
        } else {
            Kind::UndeclaredRead
        };
        Cause {
            kind,
            stage: self.stage.clone(),
            subject: self.subject().to_owned(),
            detail: self.detail(),
            first: None,
            sites: Vec::new(),
            hint: self.hint(),
        }
    }

    /// What to do about it where it is forbidden, with the line that allows it.
    #[must_use]
    pub fn leave(&self) -> Option<String> {
        match &self.what {
            Reached::Network(_) => Some(denied::network_hint(self.stage.is_some())),
            _ => self.hint(),
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let is_stage = self.stage.is_some();
        match &self.what {
            Reached::Network(_) => Some("fetch it beforehand and declare the file under [data]".to_owned()),
            Reached::Outside(path) => Some(denied::file_hint(path, is_stage)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::Look;

    fn judge(path: &str, existed: bool, opened: bool) -> Option<Reached> {
        judge_in(false, path, existed, opened)
    }

    fn judge_in(open: bool, path: &str, existed: bool, opened: bool) -> Option<Reached> {
        let sources = BTreeSet::from(["src/main.rs".to_owned()]);
        let grounds = Grounds {
            stage: Some("train"),
            place: PathBuf::from("/repro"),
            repository: PathBuf::from("/repro/tree/repository"),
            tree: PathBuf::from("/repro/tree"),
            home: PathBuf::from("/repro/home"),
            shown: vec![PathBuf::from("/opt/python")],
            open,
            data: BTreeSet::from([PathBuf::from("/repro/tree/repository/data/wine.csv")]),
            outputs: BTreeSet::from([PathBuf::from("/repro/tree/repository/model.json")]),
            sources: &sources,
            is_there: &|_| false,
            is_on_machine: &|path| path == Path::new("/srv/extra.csv") || path == Path::new("/tmp/extra.csv"),
            committed: &|inner| match inner {
                "extra.csv" => Committed::File,
                "" | "configs" => Committed::Directory,
                _ => Committed::No,
            },
            is_idle: &|by, _| by == "cargo",
            lists_idly: &|by, _| by == "cargo",
        };
        let mut report = Report::default();
        let look = Look {
            by: "train".to_owned(),
            existed,
            opened,
            ..Look::default()
        };
        report.reads.insert(path.to_owned(), look);
        grounds.judge(&report).pop().map(|access| access.what)
    }

    fn lacking(path: &str, made: bool) -> Reached {
        let path = path.to_owned();
        Reached::Lacking { path, made }
    }

    #[test]
    fn inputs_and_outputs_are_nobodys_concern() {
        for path in ["data/wine.csv", "data", "src/main.rs", "model.json"] {
            assert_eq!(judge(&format!("/repro/tree/repository/{path}"), true, true), None, "{path}");
        }
        assert_eq!(judge("/opt/python/lib/os.py", true, true), None);
        assert_eq!(judge("/repro/tmp/x", false, true), None);
    }

    #[test]
    fn what_its_own_temporary_directory_hides_was_not_read_where_all_else_is_shown() {
        let path = "/tmp/extra.csv".to_owned();
        assert_eq!(judge_in(false, &path, false, true), Some(Reached::Outside(path.clone())));
        assert_eq!(judge_in(true, &path, false, true), Some(Reached::Absent(path)));
        assert_eq!(judge_in(true, "/srv/extra.csv", true, true), Some(Reached::Outside("/srv/extra.csv".into())));
    }

    #[test]
    fn what_is_not_declared_is_told_apart() {
        assert_eq!(judge("/srv/extra.csv", false, true), Some(Reached::Outside("/srv/extra.csv".into())));
        assert_eq!(judge("/srv/none.csv", false, false), Some(Reached::Absent("/srv/none.csv".into())));
        assert_eq!(judge("/repro/tree/repository/extra.csv", true, true), Some(Reached::Committed("extra.csv".into())));
        assert_eq!(judge("/repro/tree/repository/no.csv", false, true), Some(lacking("no.csv", false)));
        assert_eq!(judge("/repro/home/.trainrc", false, true), Some(Reached::Home("/repro/home/.trainrc".into())));
        assert_eq!(judge("/proc/77/stat", true, true), Some(Reached::Kernel("/proc/self/stat".into())));
    }
}
