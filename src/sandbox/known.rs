//! Looks after which the same one says nothing new: most are at what was looked at before. That holds of a name only
//! while nobody can put something else there, and of a call only as long as it asks for the same.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::audit;
use super::calls::{Call, Wish};
use super::paths::Place;
use super::{Namespaces, Plan};

/// How many are remembered.
const MOST: usize = 1 << 20;

/// What a call asks for, as far as one may say less than another.
type Manner = (u8, bool);

/// What is remembered of a program's looks.
#[derive(Debug, Default)]
pub struct Known {
    looks: BTreeSet<(Vec<u8>, Manner)>,
    /// Where names come and go; none where that can be anywhere but in the system's own directories.
    moving: Option<Vec<PathBuf>>,
}

impl Known {
    /// For the program of a plan.
    #[must_use]
    pub fn within(plan: &Plan) -> Self {
        // What is given comes while it runs. And that cargo asked says nothing of who asks after it.
        let namespaces = plan.namespaces.as_ref().filter(|_| plan.gives.is_empty() && !plan.drives);
        Self {
            looks: BTreeSet::new(),
            moving: namespaces.map(moving),
        }
    }

    /// Whether everything was said of a look at that path.
    #[must_use]
    pub fn has(&self, call: &Call, full: &Path) -> bool {
        let may_be = audit::is_program_or_library(full) || self.moving.is_some() && call.wish == Wish::Stat;
        may_be && manner(call).is_some_and(|manner| self.looks.contains(&(bytes(full), manner)))
    }

    /// Remembers a look, if it may be.
    pub fn note(&mut self, call: &Call, place: &Place) {
        // The system's own is read-only, so no link in it leads elsewhere by now.
        let stays = audit::is_program_or_library(&place.full) || call.wish == Wish::Stat && self.stays(place);
        if let Some(manner) = manner(call).filter(|_| stays && self.looks.len() < MOST) {
            self.looks.insert((bytes(&place.full), manner));
        }
    }

    /// Whether a path leads through no link and nothing on it is the program's to change.
    fn stays(&self, place: &Place) -> bool {
        let moves = |moving: &Vec<PathBuf>| moving.iter().any(|moving| place.full.starts_with(moving));
        place.full == place.walked.real && self.moving.as_ref().is_some_and(|moving| !moves(moving))
    }
}

fn bytes(path: &Path) -> Vec<u8> {
    path.as_os_str().as_encoded_bytes().to_vec()
}

/// None for what may do something.
fn manner(call: &Call) -> Option<Manner> {
    let asks = match call.wish {
        Wish::Stat => 0,
        Wish::Link => 1,
        Wish::Execute => 2,
        Wish::Open(_) if call.reads() => 3,
        Wish::Open(_) | Wish::Make => return None,
    };
    Some((asks, call.follows))
}

/// Where names come and go: what may be written to, by each name that it has, and what the kernel shows.
fn moving(namespaces: &Namespaces) -> Vec<PathBuf> {
    let writable = namespaces.mounts.iter().filter(|mount| mount.writable).map(|mount| &mount.from);
    let shared = namespaces.mounts.iter().filter(|mount| {
        let mut writable = writable.clone();
        writable.any(|from| from.starts_with(&mount.from) || mount.from.starts_with(from))
    });
    let kernels = ["/proc", "/dev"].map(PathBuf::from);
    shared.map(|mount| mount.to.clone()).chain(kernels).collect()
}

#[cfg(test)]
mod tests {
    use super::super::Mount;
    use super::super::links::Walked;
    use super::*;

    fn call(wish: Wish, follows: bool) -> Call {
        Call {
            directory: libc::AT_FDCWD,
            at: 0,
            wish,
            follows,
            rooted: false,
        }
    }

    /// A program that may write to `/repro/tree/a`, which is also seen at `/machine`.
    fn plan() -> Plan {
        let mount = |from: &str, to: &str, writable: bool| Mount {
            from: from.into(),
            to: to.into(),
            writable,
        };
        let mounts = vec![
            mount("/checkout/a", "/repro/tree/a", true),
            mount("/checkout", "/machine", false),
            mount("/data", "/data", false),
        ];
        Plan {
            namespaces: Some(Namespaces {
                mounts,
                ..Namespaces::default()
            }),
            ..Plan::empty()
        }
    }

    /// Whether a second look at a path says nothing new after a first one, which led there.
    fn is_known(plan: &Plan, first: &Call, second: &Call, full: &str, real: &str) -> bool {
        let mut known = Known::within(plan);
        let walked = Walked {
            real: real.into(),
            links: Vec::new(),
        };
        assert!(!known.has(first, Path::new(full)));
        known.note(
            first,
            &Place {
                full: full.into(),
                walked,
            },
        );
        known.has(second, Path::new(full))
    }

    #[test]
    fn a_look_stands_for_another_that_asks_for_the_same() {
        let (plan, stat, lstat) = (plan(), call(Wish::Stat, true), call(Wish::Stat, false));
        let same = |first, second, full| is_known(&plan, first, second, full, full);
        assert!(same(&stat, &stat, "/data/x") && same(&lstat, &lstat, "/data/x"));
        assert!(!same(&lstat, &stat, "/data/x") && !same(&stat, &lstat, "/data/x"));
        let (open, execute) = (call(Wish::Open(0), true), call(Wish::Execute, true));
        assert!(same(&open, &open, "/usr/bin/x") && !same(&open, &open, "/data/x"));
        assert!(!same(&stat, &open, "/usr/bin/x") && !same(&open, &execute, "/usr/bin/x"));
        let make = call(Wish::Make, false);
        assert!(!same(&make, &make, "/usr/bin/x"));
    }

    #[test]
    fn what_may_become_something_else_is_asked_about_again() {
        let stat = call(Wish::Stat, true);
        let stays = |plan: &Plan, full, real| is_known(plan, &stat, &stat, full, real);
        for own in ["/repro/tree/a/x", "/machine/a/x", "/proc/7", "/dev/shm/x"] {
            assert!(!stays(&plan(), own, own), "{own}");
        }
        assert!(!stays(&plan(), "/data/link", "/data/x") && !stays(&plan(), "/data/a/../x", "/data/x"));
        let giving = Plan {
            gives: vec!["/repro/tree".into()],
            ..plan()
        };
        let driving = Plan { drives: true, ..plan() };
        let open = Plan {
            namespaces: None,
            ..plan()
        };
        for plan in [giving, driving, open] {
            assert!(!stays(&plan, "/data/x", "/data/x") && stays(&plan, "/usr/bin/x", "/usr/bin/x"));
        }
    }
}
