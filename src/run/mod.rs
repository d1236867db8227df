//! A run: one execution of the stages in a work directory of its own, from a clean checkout and
//! verified sources to an outcome. Phases: build, train, collect.

pub mod access;
pub mod build;
pub mod building;
pub mod checkout;
pub mod child;
pub mod circumstances;
pub mod collect;
pub mod copies;
pub mod crates;
pub mod denied;
pub mod enclosure;
pub mod evidence;
pub mod handover;
pub mod kept_build;
pub mod layer;
pub mod ledger;
pub mod outlook;
pub mod places;
pub mod proved;
pub mod session;
pub mod staging;
pub mod train;
pub mod variables;
pub mod watchdog;
pub mod workdir;

use std::path::{Path, PathBuf};

use crate::os::env;

/// The program that a command stage names: a path in the package, or a name found in the standard
/// search path or, failing that, in the caller's.
#[must_use]
pub fn find_command(name: &str, directory: &Path) -> Option<PathBuf> {
    if name.contains('/') {
        let path = directory.join(name);
        return env::is_executable(&path).then_some(path);
    }
    env::STANDARD_PATH
        .split(':')
        .map(|directory| Path::new(directory).join(name))
        .find(|path| env::is_executable(path))
        .or_else(|| env::find_program(name))
}
