//! What a program reached for beside its inputs: files that nobody declared, names that were not there, the
//! network. The warden saw it; here it is judged against what is declared.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::cause::{Cause, Kind};
use crate::digest::Digest;
use crate::isolation::{PLACE, Report, audit};

/// One thing that was reached for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Access {
    /// The stage; none if it was the build.
    pub stage: Option<String>,
    /// The program's file name.
    pub by: String,
    /// What.
    pub what: Reached,
}

/// The cases.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reached {
    /// An address of the network.
    Network(String),
    /// A file of the machine, which is there.
    Outside(String),
    /// A file of the commit that neither the build nor `[data]` knows; by its path in the repository.
    Committed(String),
    /// A name where there is nothing.
    Absent(String),
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
    /// Whether a path in the repository is a file of the commit.
    pub is_committed: &'a dyn Fn(&str) -> bool,
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
            if look.written {
                continue;
            }
            if let Some(what) = self.reached(Path::new(path), path, look.existed, look.opened) {
                accesses.push(self.access(&look.by, what));
            }
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

    fn reached(&self, path: &Path, text: &str, existed: bool, opened: bool) -> Option<Reached> {
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
        if let Ok(inner) = path.strip_prefix(&self.repository) {
            return self.in_repository(path, &inner.to_string_lossy(), existed, opened);
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
        // What the walls hid would be read by hand. Only asking about a directory shows nothing.
        match (existed || !self.open && (self.is_on_machine)(path), opened) {
            (true, true) => Some(Reached::Outside(text.to_owned())),
            (true, false) => None,
            (false, _) => Some(Reached::Absent(text.to_owned())),
        }
    }

    fn in_repository(&self, path: &Path, inner: &str, existed: bool, opened: bool) -> Option<Reached> {
        if self.sources.contains(inner) {
            return None;
        }
        if (self.is_committed)(inner) {
            return opened.then(|| Reached::Committed(inner.to_owned()));
        }
        // What exists by the end was made by the run itself, or is a directory on the way.
        let made = existed || (self.is_there)(path);
        (!made && self.stage.is_some()).then(|| Reached::Absent(inner.to_owned()))
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
        self.stage.is_some() || !matches!(self.what, Reached::Committed(_))
    }

    /// Whether it may be why a program failed.
    #[must_use]
    pub fn is_telling(&self) -> bool {
        self.is_grave() || matches!(self.what, Reached::Absent(_) | Reached::Home(_))
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
                format!("{by} read it; it is not declared under [data], so it is pinned with the sources")
            }
            Reached::Absent(_) => {
                format!("{by} looked for it; there is none here, and where there is one, it would be read")
            }
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
            hint: self.hint().map(str::to_owned),
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match &self.what {
            Reached::Network(_) => Some("fetch it beforehand and declare the file under [data]"),
            Reached::Outside(_) => {
                Some("declare it under [data], or, if it cannot matter, `[isolation] reads = \"warn\"`")
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isolation::Look;

    fn judge(path: &str, existed: bool, opened: bool) -> Option<Reached> {
        judge_in(false, path, existed, opened)
    }

    fn judge_in(open: bool, path: &str, existed: bool, opened: bool) -> Option<Reached> {
        let sources = BTreeSet::from(["src/main.rs".to_owned()]);
        let grounds = Grounds {
            stage: Some("train"),
            place: PathBuf::from("/repro"),
            repository: PathBuf::from("/repro/tree/repository"),
            home: PathBuf::from("/repro/home"),
            shown: vec![PathBuf::from("/opt/python")],
            open,
            data: BTreeSet::from([PathBuf::from("/repro/tree/repository/data/wine.csv")]),
            outputs: BTreeSet::from([PathBuf::from("/repro/tree/repository/model.json")]),
            sources: &sources,
            is_there: &|_| false,
            is_on_machine: &|path| path == Path::new("/srv/extra.csv") || path == Path::new("/tmp/extra.csv"),
            is_committed: &|inner| inner == "extra.csv",
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
        assert_eq!(judge("/repro/tree/repository/no.csv", false, true), Some(Reached::Absent("no.csv".into())));
        assert_eq!(judge("/repro/home/.trainrc", false, true), Some(Reached::Home("/repro/home/.trainrc".into())));
        assert_eq!(judge("/proc/77/stat", true, true), Some(Reached::Kernel("/proc/self/stat".into())));
    }
}
