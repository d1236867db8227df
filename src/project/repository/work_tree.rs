//! What git says of the files of the work tree: whether it tracks them, whether it is told not to, and whether it has
//! turned their line ends. What is in them is the snapshot's matter, by digest.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use super::{Repository, unreadable};
use crate::error::{Error, IoContext as _, Result};
use crate::os::bounded;
use crate::os::interrupt;
use crate::project::line_ends;
use crate::text::quote::shell;

/// What git reads in every directory on the way to a file.
const RULES: [&str; 2] = [".gitignore", ".gitattributes"];

impl Repository {
    /// Whether git is told to ignore the path.
    #[must_use]
    pub fn is_ignored(&self, path: &Path) -> bool {
        self.check_rules(path).is_ok() && self.git.is_path_ignored(path).unwrap_or(false)
    }

    /// Whether git tracks the path, or anything below it.
    #[must_use]
    pub fn is_tracked(&self, path: &str) -> bool {
        let Ok(index) = self.git.index() else {
            return false;
        };
        Tracked(index).has(Path::new(path))
    }

    /// Whether a file of the work tree, by its path from the top, has the lines of its committed content, and git has
    /// turned their ends. A file that somebody else turned is another one to git, too.
    #[must_use]
    pub fn has_turned(&self, path: &str, committed: &[u8]) -> bool {
        let found = bounded::bytes(&self.root.join(path), bounded::HELD).unwrap_or_default();
        line_ends::differ_only(&found, committed)
            && self.check_rules(Path::new(path)).is_ok()
            && self.git.status_file(Path::new(path)).is_ok_and(|status| !status.is_wt_modified())
    }

    /// Files at or below a path that no clone would have: git ignores them, or, if that is wanted, does not track
    /// them. Relative to the root.
    ///
    /// # Errors
    /// When the work tree cannot be read.
    pub fn unkept(&self, path: &str, with_untracked: bool) -> Result<Vec<String>> {
        let mut found = Vec::new();
        self.walk(Path::new(path), true, &mut |file, is_ignored| {
            if is_ignored || with_untracked {
                found.extend(file.to_str().map(str::to_owned));
            }
        })?;
        Ok(found)
    }

    /// Files that git neither tracks nor ignores, relative to the root, sorted.
    ///
    /// # Errors
    /// When the work tree cannot be read.
    pub fn untracked(&self) -> Result<Vec<String>> {
        let mut found = Vec::new();
        self.walk(Path::new(""), false, &mut |file, is_ignored| {
            found.extend(file.to_str().filter(|_| !is_ignored).map(str::to_owned));
        })?;
        found.sort();
        Ok(found)
    }

    /// Shows every file at or below a path that git does not track, with whether it is ignored. Of repositories within
    /// the work tree nothing is shown.
    fn walk(&self, from: &Path, into_ignored: bool, show: &mut dyn FnMut(&Path, bool)) -> Result<()> {
        let tracked = Tracked(self.git.index().map_err(|error| unreadable(&self.root, &error))?);
        let mut waiting = vec![(from.to_path_buf(), self.is_ignored_at(from)?)];
        while let Some((path, is_ignored)) = waiting.pop() {
            interrupt::check()?;
            let place = self.root.join(&path);
            let Ok(meta) = place.symlink_metadata() else {
                continue;
            };
            if !meta.is_dir() {
                if !tracked.is_file(&path) {
                    show(&path, is_ignored);
                }
                continue;
            }
            let is_another = path != from && place.join(".git").symlink_metadata().is_ok();
            if is_another || is_ignored && !into_ignored && !tracked.has(&path) {
                continue;
            }
            self.check_rules(&path.join("any"))?;
            for entry in std::fs::read_dir(&place).at("read", &place)? {
                let name = entry.at("read", &place)?.file_name();
                if path.as_os_str().is_empty() && name == ".git" {
                    continue;
                }
                let inner = path.join(name);
                // Of a tracked file it does not matter, and what lies in an ignored directory is ignored with it.
                let is_ignored =
                    is_ignored || !tracked.is_file(&inner) && self.git.is_path_ignored(&inner).unwrap_or(false);
                waiting.push((inner, is_ignored));
            }
        }
        Ok(())
    }

    fn is_ignored_at(&self, path: &Path) -> Result<bool> {
        if path.as_os_str().is_empty() {
            return Ok(false);
        }
        self.check_rules(path)?;
        Ok(self.git.is_path_ignored(path).unwrap_or(false))
    }

    /// Refuses rules that git would wait for.
    fn check_rules(&self, path: &Path) -> Result<()> {
        for directory in path.ancestors().skip(1) {
            for name in RULES {
                let place: PathBuf = self.root.join(directory).join(name);
                match bounded::check(&place, bounded::WRITTEN) {
                    // Git passes over a directory.
                    Err(error) if error.kind() != std::io::ErrorKind::IsADirectory => {
                        return Err(
                            Error::io("read", &place, &error).hint("put a regular file in its place, or take it away")
                        );
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }
}

/// What git tracks.
struct Tracked(git2::Index);

impl Tracked {
    fn is_file(&self, path: &Path) -> bool {
        self.0.get_path(path, 0).is_some()
    }

    /// Whether it is a file, or has any below it.
    fn has(&self, path: &Path) -> bool {
        let mut below = path.as_os_str().as_bytes().to_vec();
        if !below.is_empty() {
            below.push(b'/');
        }
        self.is_file(path) || self.0.find_prefix(Path::new(OsStr::from_bytes(&below))).is_ok()
    }
}

/// A path from the top of the repository, as git takes it from wherever it is called within.
#[must_use]
pub fn pathspec(path: &str) -> String {
    // What follows `:/` is more magic, unless it is of these.
    let is_plain = path.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '.');
    let top = if is_plain { ":/" } else { ":(top)" };
    shell(&format!("{top}{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn git_takes_every_name_for_what_it_is() {
        let scratch = tempfile::tempdir().unwrap();
        let sh = |line: &str| {
            let output = std::process::Command::new("sh")
                .args(["-c", line])
                .current_dir(scratch.path())
                .output()
                .unwrap();
            assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).unwrap()
        };
        sh("git init --quiet .");
        for name in [
            "plain.rs", "_under", "-dash", "!not", "^not", "(top)", "it's", "a b", ":colon", ".dot",
        ] {
            std::fs::write(scratch.path().join(name), name).unwrap();
            sh(&format!("git add -- {}", pathspec(name)));
            assert_eq!(sh("git ls-files -z"), format!("{name}\0"), "{}", pathspec(name));
            sh("git rm --quiet --cached -r .");
        }
    }
}
