//! What a build or a stage finds itself in: the sources, the toolchain and the data to read, its own
//! directories to write to, and of the machine nothing else that is not the system's.

use std::path::{Path, PathBuf};

use super::checkout::Checkout;
use super::child::Enclosure;
use super::circumstances::Circumstances;
use super::handover::Before;
use super::outlook::Outlook;
use super::staging::Staged;
use super::workdir::Workdir;
use crate::project::manifest::{Isolation, Policy};
use crate::sandbox::{Conditions, Landlock, Mount, Namespaces, PLACE};

/// For a build: it sees what a stage sees and the sources of its packages, and reaches no network; it writes to the
/// target directory, its `CARGO_HOME`, its home and its temporary directory.
#[must_use]
pub fn of_build(workdir: &Workdir, checkout: &Checkout, outlook: &Outlook, conditions: Conditions) -> Enclosure {
    let place = Path::new(PLACE);
    let writable = [workdir.target(), workdir.cargo_home(), workdir.home(), workdir.temp()];
    let namespaces = workdir.has_namespaces().then(|| {
        let mut mounts = vec![fixed(workdir, place, &workdir.tree())];
        mounts.extend(writable.iter().map(|path| free(workdir, place, path)));
        mounts.extend(temporary(workdir));
        mounts.extend(covered(&outlook.shown));
        mounts.extend(checkout.aliases());
        Namespaces {
            mount_point: workdir.mount_point(),
            open: outlook.open,
            hidden: outlook.hidden.clone(),
            shown: outlook.shown.clone(),
            mounts,
            network: false,
        }
    });
    let landlock = namespaces.is_none().then(|| Landlock {
        writable: writable.to_vec(),
        readable: readable(workdir, outlook, checkout.aliases().map(|alias| alias.to)),
        network: false,
    });
    Enclosure {
        drives: true,
        namespaces,
        landlock,
        conditions,
    }
}

/// What may be read where there are no namespaces; everything if there is nothing.
fn readable(workdir: &Workdir, outlook: &Outlook, more: impl IntoIterator<Item = PathBuf>) -> Vec<PathBuf> {
    if outlook.open {
        return Vec::new();
    }
    let own = [workdir.tree(), workdir.target(), workdir.cargo_home()];
    outlook.shown.iter().cloned().chain(own).chain(more).collect()
}

/// What a stage needs to be enclosed.
#[derive(Debug)]
pub struct StageRoom<'a> {
    /// Where it happens.
    pub workdir: &'a Workdir,
    /// The checkout.
    pub checkout: &'a Checkout,
    /// The package's directory in it.
    pub directory: &'a Path,
    /// The data.
    pub staged: &'a Staged,
    /// What it finds of other stages.
    pub before: &'a Before,
    /// Its ledger.
    pub ledger: &'a Path,
    /// What it sees of the machine.
    pub outlook: &'a Outlook,
    /// What the manifest lets through.
    pub policy: &'a Isolation,
    /// What is around it.
    pub circumstances: &'a Circumstances,
}

impl StageRoom<'_> {
    /// For a stage: it sees the system's programs and libraries, its checkout and its data, and writes
    /// to the package's directory, its home and its temporary directory.
    #[must_use]
    pub fn enclosure(&self) -> Enclosure {
        let workdir = self.workdir;
        let network = self.policy.network == Policy::Warn;
        let home = workdir.home_named(&self.circumstances.home);
        let namespaces = workdir.has_namespaces().then(|| Namespaces {
            mount_point: workdir.mount_point(),
            open: self.outlook.open,
            hidden: self.outlook.hidden.clone(),
            shown: self.outlook.shown.clone(),
            mounts: self.mounts(&home),
            network,
        });
        let landlock = namespaces.is_none().then(|| Landlock {
            writable: vec![
                self.directory.to_path_buf(),
                home,
                workdir.temp(),
                self.ledger.to_path_buf(),
            ],
            readable: readable(
                workdir,
                self.outlook,
                self.staged
                    .sources()
                    .map(Path::to_path_buf)
                    .chain(self.checkout.aliases().map(|alias| alias.to)),
            ),
            network,
        });
        Enclosure {
            drives: false,
            namespaces,
            landlock,
            conditions: self.circumstances.conditions.clone(),
        }
    }

    fn mounts(&self, home: &Path) -> Vec<Mount> {
        let (workdir, place) = (self.workdir, self.circumstances.place.as_path());
        let own = Path::new(PLACE);
        let mut mounts = vec![
            fixed(workdir, place, &workdir.tree()),
            fixed(workdir, place, &workdir.target()),
            fixed(workdir, place, &workdir.cargo_home()),
            // Wherever it works, its home is the same: which of the two matters is told apart.
            free(workdir, own, home),
            free(workdir, own, &workdir.temp()),
            free(workdir, place, self.ledger),
            free(workdir, place, self.directory),
        ];
        let protected = self.checkout.protected(self.directory);
        let protected = protected.iter().filter(|path| !self.staged.replaces(path));
        mounts.extend(protected.map(|path| fixed(workdir, place, path)));
        mounts.extend(temporary(workdir));
        mounts.extend(covered(&self.outlook.shown));
        mounts.extend(self.checkout.aliases());
        // After these: data may lie in the machine's own temporary directory.
        mounts.extend(self.staged.mounts(|path| workdir.seen_at(place, path)));
        mounts.extend(self.before.mounts(|path| workdir.seen_at(place, path)));
        mounts
    }
}

fn fixed(workdir: &Workdir, place: &Path, path: &Path) -> Mount {
    Mount {
        from: path.to_path_buf(),
        to: workdir.seen_at(place, path),
        writable: false,
    }
}

fn free(workdir: &Workdir, place: &Path, path: &Path) -> Mount {
    Mount {
        writable: true,
        ..fixed(workdir, place, path)
    }
}

/// The system's temporary directories, in whose place a program finds its own.
const TEMPORARY: [&str; 2] = ["/tmp", "/var/tmp"];

fn temporary(workdir: &Workdir) -> impl Iterator<Item = Mount> {
    let from = workdir.temp();
    TEMPORARY.into_iter().map(move |to| Mount {
        from: from.clone(),
        to: PathBuf::from(to),
        writable: true,
    })
}

/// What of these would not be seen for the temporary directories, at its own place.
fn covered(needed: &[PathBuf]) -> impl Iterator<Item = Mount> {
    let is_covered = |path: &&PathBuf| TEMPORARY.iter().any(|own| path.starts_with(own)) && path.exists();
    needed.iter().filter(is_covered).map(|path| Mount {
        from: path.clone(),
        to: path.clone(),
        writable: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_temporary_directories_hide_is_put_over_them() {
        let here = tempfile::tempdir_in("/var/tmp").unwrap();
        let needed = ["/usr".into(), here.path().to_path_buf(), here.path().join("none")];
        let mounted: Vec<PathBuf> = covered(&needed).map(|mount| mount.to).collect();
        assert_eq!(mounted, [here.path()]);
    }
}
