//! Opens repositories: none that git itself would not read because somebody else owns it, and none of which a file
//! would be waited for.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use git2::ConfigLevel;

use super::unreadable;
use crate::error::{Error, Result};
use crate::os::bounded;
use crate::os::env;
use crate::project::git;
use crate::sandbox::sys;
use crate::text::quote;

/// What is read of a repository's own files.
const FILES: [&str; 9] = [
    "HEAD",
    "config",
    "config.worktree",
    "index",
    "info/attributes",
    "info/exclude",
    "objects/info/alternates",
    "packed-refs",
    "shallow",
];

/// The repository that `directory` is in; none if it is in none.
///
/// # Errors
/// When git would not read it, or it cannot be read.
pub(super) fn discover(directory: &Path) -> Result<Option<git2::Repository>> {
    let none: [&Path; 0] = [];
    match git2::Repository::discover_path(directory, none) {
        Ok(found) => open_at(directory, &found).map(Some),
        Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
        Err(error) => Err(unreadable(directory, &error)),
    }
}

/// The repository whose work tree has its top in `directory`; none if there is none.
///
/// # Errors
/// As [`discover`].
pub(super) fn at_top(directory: &Path) -> Result<Option<git2::Repository>> {
    let is_top = directory.join(".git").symlink_metadata().is_ok();
    if is_top { discover(directory) } else { Ok(None) }
}

fn open_at(directory: &Path, found: &Path) -> Result<git2::Repository> {
    check_files(found)?;
    let opened = opened(directory, found)?;
    check_named(&opened)?;
    Ok(opened)
}

fn opened(directory: &Path, found: &Path) -> Result<git2::Repository> {
    let open = || git2::Repository::open(found).map_err(|error| (error.code() == git2::ErrorCode::Owner, error));
    if is_own(directory, found) {
        match open() {
            // It names a work tree of somebody else's.
            Err((true, _)) => {}
            opened => return opened.map_err(|(_, error)| unreadable(directory, &error)),
        }
    }
    match git::reads(directory)? {
        git::Reads::Yes(read) if read.canonicalize().ok() == found.canonicalize().ok() => {
            sys::without_owner_check(open).map_err(|(_, error)| unreadable(directory, &error))
        }
        git::Reads::Yes(_) => Err(refused(directory, None)),
        git::Reads::No(hint) => Err(refused(directory, hint)),
        git::Reads::Unknown => open().map_err(|(is_owner, error)| {
            if is_owner {
                refused(directory, None)
            } else {
                unreadable(directory, &error)
            }
        }),
    }
}

fn refused(directory: &Path, hint: Option<String>) -> Error {
    let hint = hint.unwrap_or_else(|| {
        format!("git config --global --add safe.directory {}", quote::shell(&directory.to_string_lossy()))
    });
    Error::new(format!("the git repository of {} belongs to another user", directory.display()))
        .hint(format!("`{hint}`, if you trust it, or change its owner"))
}

/// Whether this user owns all that git asks about: the work tree, its `.git`, and the directory that this stands for.
fn is_own(directory: &Path, found: &Path) -> bool {
    let user = rustix::process::geteuid().as_raw();
    let own = |path: &Path| path.symlink_metadata().is_ok_and(|meta| meta.uid() == user);
    let top = directory.ancestors().find(|above| above.join(".git").symlink_metadata().is_ok());
    own(found) && top.is_none_or(|top| own(top) && own(&top.join(".git")))
}

/// The reference that a `HEAD` stands for, which may be a file of its own.
fn branch(head: &Path) -> Option<String> {
    let text = bounded::text(head, bounded::WRITTEN).ok()?;
    let name = text.strip_prefix("ref:")?.trim();
    let is_plain = Path::new(name).components().all(|part| matches!(part, std::path::Component::Normal(_)));
    is_plain.then(|| name.to_owned())
}

fn check_files(found: &Path) -> Result<()> {
    // Of a linked work tree most lie in the repository that it belongs to.
    let common = bounded::text(&found.join("commondir"), bounded::WRITTEN).ok();
    let common: Option<PathBuf> = common.map(|text| found.join(text.trim_end()));
    let head = branch(&found.join("HEAD"));
    let mut included = 0;
    for directory in [Some(found), common.as_deref()].into_iter().flatten() {
        for name in FILES.into_iter().chain(head.as_deref()) {
            check(&directory.join(name), bounded::HELD)?;
        }
        for name in ["config", "config.worktree"] {
            check_included(&directory.join(name), 0, &mut included)?;
        }
    }
    Ok(())
}

fn check(path: &Path, most: u64) -> Result<()> {
    if is_nothing(path) {
        return Ok(());
    }
    bounded::check(path, most).map_err(|error| unfit(path, &error))
}

/// The one device that is empty whoever reads it, and is named where no file is meant.
fn is_nothing(path: &Path) -> bool {
    path.canonicalize().is_ok_and(|place| place == Path::new("/dev/null"))
}

fn unfit(path: &Path, error: &std::io::Error) -> Error {
    Error::io("read", path, error).hint("git would wait for it, or read it without end; a new clone has none of that")
}

/// So deep git reads configurations that include one another.
const DEEPEST: usize = 10;

/// So many are read for one repository, each as often as it is included: that is how often git reads it.
const MOST_INCLUDED: usize = 100;

/// What a configuration includes is read with it, at whatever condition: so it is looked at before. To ask for the names
/// takes a process, for the few that have any.
fn check_included(file: &Path, depth: usize, included: &mut usize) -> Result<()> {
    if is_nothing(file) {
        return Ok(());
    }
    let bytes = match bounded::bytes(file, bounded::WRITTEN) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        read => read.map_err(|error| unfit(file, &error))?,
    };
    // Git takes no blank before the name of a section.
    const SECTION: &[u8] = b"[include";
    if !bytes.windows(SECTION.len()).any(|word| word.eq_ignore_ascii_case(SECTION)) {
        return Ok(());
    }
    for path in git::included(file)? {
        *included += 1;
        let excess = match () {
            () if depth == DEEPEST => format!("configurations include one another more than {DEEPEST} deep"),
            () if *included > MOST_INCLUDED => format!("more than {MOST_INCLUDED} configurations are included"),
            () => String::new(),
        };
        if !excess.is_empty() {
            return Err(Error::new(format!("cannot read {}: {excess}", file.display()))
                .hint("take its `[include]` and `[includeIf]` out; a new clone has none"));
        }
        check_included(&place(file, &path)?, depth + 1, included)?;
    }
    Ok(())
}

/// Where a path leads that stands in a file of git's configuration.
fn place(file: &Path, path: &Path) -> Result<PathBuf> {
    if let Ok(inner) = path.strip_prefix("~/") {
        return Ok(env::home().join(inner));
    }
    // These git replaces by what it alone knows, and its library does not.
    let bytes = path.as_os_str().as_encoded_bytes();
    if bytes.starts_with(b"~") || bytes.starts_with(b"%(prefix)/") {
        return Err(Error::new(format!("{} includes {}, which only git can find", file.display(), path.display()))
            .hint("write the path in full, or from `~/`"));
    }
    Ok(file.parent().unwrap_or(Path::new("/")).join(path))
}

/// The files that the repository's own configuration names and that are read for what is ignored, and how. What its
/// user has named is theirs.
fn check_named(opened: &git2::Repository) -> Result<()> {
    let broken = |error: git2::Error| unreadable(opened.path(), &error);
    let configuration = opened.config().map_err(broken)?;
    for level in [ConfigLevel::Local, ConfigLevel::Worktree] {
        let own = match configuration.open_level(level) {
            Err(error) if error.code() == git2::ErrorCode::NotFound => continue,
            own => own.map_err(broken)?,
        };
        for key in ["core.excludesFile", "core.attributesFile"] {
            if let Ok(path) = own.get_path(key) {
                check(&path, bounded::WRITTEN)?;
            }
        }
    }
    Ok(())
}
