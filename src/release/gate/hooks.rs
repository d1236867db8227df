//! Git hooks that ask the gate: written beside git's own, in front of whatever hook is there already, and taken
//! away again without a trace. What they ask is [`super::push`]'s and the gate's.

use std::path::{Path, PathBuf};

use super::push::Hook;
use crate::error::{Error, IoContext as _, Result};
use crate::os::atomic;
use crate::os::bounded;
use crate::os::file_lock;
use crate::text::quote::shell;

/// By this line a hook of ours is known.
const MARK: &str = "# Made by `cargo repro hook install`; `cargo repro hook uninstall` takes it away again.";

/// How the hook is called that was there before.
const BEFORE: &str = "before-cargo-repro";

/// What installing a hook did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Installed {
    /// There was none.
    New,
    /// There was one of somebody else's, which is asked first from now on.
    InFront,
    /// There was one of ours, which said something else.
    Anew,
    /// It is as it was.
    Unchanged,
}

/// Writes a hook that runs this very program with `arguments`, should it not be found by its name.
///
/// # Errors
/// When something cannot be written; what was there is intact then, and in place.
pub fn install(directory: &Path, hook: Hook, program: &Path, arguments: &[&str]) -> Result<Installed> {
    std::fs::create_dir_all(directory).at("make the directory", directory)?;
    let _held = file_lock::directory(directory)?;
    let place = directory.join(hook.file());
    let text = script(hook, program, arguments);
    let found = match bounded::bytes(&place, bounded::WRITTEN) {
        Ok(found) => Some(String::from_utf8_lossy(&found).into_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(Error::io("read", &place, &error)),
    };
    let installed = match found {
        Some(found) if found == text => return Ok(Installed::Unchanged),
        Some(found) if is_ours(&found) => Installed::Anew,
        Some(_) => return install_in_front(&place, &before(directory, hook), &text),
        None => Installed::New,
    };
    write(&place, &text)?;
    Ok(installed)
}

/// At any moment one of the two hooks is in place: the one that is there gets a second name, then ours takes the
/// first.
fn install_in_front(place: &Path, aside: &Path, text: &str) -> Result<Installed> {
    match std::fs::hard_link(place, aside) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            // Unless an installation was killed at just that.
            if !is_same_file(place, aside)
                && bounded::bytes(place, bounded::WRITTEN).ok() != bounded::bytes(aside, bounded::WRITTEN).ok()
            {
                let what = format!("{} is in the way", aside.display());
                return Err(Error::new(what).hint("an earlier hook was kept there; move it away, then install again"));
            }
        }
        // Not every file system has links, nor may everybody make them of a file that is another user's.
        Err(_) => copy(place, aside).at("write", aside)?,
    }
    let written = write(place, text);
    if written.is_err() && is_same_file(place, aside) {
        let _ = std::fs::remove_file(aside);
    }
    written.map(|()| Installed::InFront)
}

/// Whether two names are those of one file.
fn is_same_file(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let identity = |path: &Path| path.symlink_metadata().map(|meta| (meta.dev(), meta.ino())).ok();
    identity(one).is_some_and(|one| identity(other) == Some(one))
}

/// Takes a hook of ours away, and puts the one back that was there before. Gives whether there was one.
///
/// # Errors
/// When the hook is not ours, or cannot be removed.
pub fn uninstall(directory: &Path, hook: Hook) -> Result<bool> {
    if !directory.is_dir() {
        return Ok(false);
    }
    let _held = file_lock::directory(directory)?;
    let place = directory.join(hook.file());
    let found = match bounded::bytes(&place, bounded::WRITTEN) {
        Ok(found) => String::from_utf8_lossy(&found).into_owned(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(Error::io("read", &place, &error)),
    };
    if !is_ours(&found) {
        return Ok(false);
    }
    let aside = before(directory, hook);
    if aside.exists() {
        std::fs::rename(&aside, &place).at("rename", &aside)?;
    } else {
        std::fs::remove_file(&place).at("remove", &place)?;
    }
    Ok(true)
}

fn is_ours(text: &str) -> bool {
    text.lines().nth(1) == Some(MARK)
}

fn before(directory: &Path, hook: Hook) -> PathBuf {
    directory.join(format!("{}.{BEFORE}", hook.file()))
}

fn write(place: &Path, text: &str) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = place.parent().unwrap_or(Path::new("."));
    let write = || -> std::io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(directory)?;
        std::io::Write::write_all(&mut file, text.as_bytes())?;
        file.as_file().set_permissions(std::fs::Permissions::from_mode(0o755))?;
        file.persist(place)?;
        Ok(())
    };
    write().at("write", place)
}

/// Nobody runs the copy before ours is in place, so it may get its mode after its name.
fn copy(place: &Path, aside: &Path) -> std::io::Result<()> {
    atomic::create(aside, &bounded::bytes(place, bounded::WRITTEN)?)?;
    std::fs::set_permissions(aside, place.metadata()?.permissions())
}

/// A hook for any shell. It needs the tool for tags alone, and without it refuses these: a gate that is open
/// while nobody watches it is none.
fn script(hook: Hook, program: &Path, arguments: &[&str]) -> String {
    let file = hook.file();
    let program = shell(&program.to_string_lossy());
    let arguments: String = arguments.iter().map(|argument| format!(" {}", shell(argument))).collect();
    format!(
        r#"#!/bin/sh
{MARK}
# What git tells of the push; the dot keeps its last line end.
updates=$(cat; printf .)
updates=${{updates%.}}
before=$(dirname "$0")/{file}.{BEFORE}
if [ -x "$before" ]; then
    printf '%s' "$updates" | "$before" "$@" || exit $?
fi
repro=$(command -v cargo-repro) || repro={program}
if [ ! -x "$repro" ]; then
    case $updates in
        *refs/tags/*) ;;
        *) exit 0 ;;
    esac
    echo 'error: cargo-repro is not in PATH, so no tag can be gated, and none is pushed' >&2
    echo 'hint: `cargo install --path .` in a checkout of cargo repro puts it there; or push without tags' >&2
    exit 1
fi
printf '%s' "$updates" | "$repro" repro hook run {file}{arguments} -- "$@"
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_with_quotes_stays_one_word_of_the_shell() {
        for word in ["/a b/c", "it's", "$(rm)", "`x`", "\\"] {
            let output = std::process::Command::new("sh")
                .args(["-c", &format!("printf %s {}", shell(word))])
                .output()
                .unwrap();
            assert_eq!(String::from_utf8_lossy(&output.stdout), word);
        }
    }

    #[test]
    fn installing_and_uninstalling_leaves_what_was_there() {
        let directory = tempfile::tempdir().unwrap();
        let install = |arguments: &[&str]| {
            install(directory.path(), Hook::PrePush, Path::new("/usr/bin/cargo-repro"), arguments).unwrap()
        };
        assert_eq!(install(&[]), Installed::New);
        assert_eq!(install(&[]), Installed::Unchanged);
        assert_eq!(install(&["--policy-ref", "main"]), Installed::Anew);
        assert!(uninstall(directory.path(), Hook::PrePush).unwrap());
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
        let place = directory.path().join("pre-push");
        std::fs::write(&place, "#!/bin/sh\nexit 0\n").unwrap();
        assert!(!uninstall(directory.path(), Hook::PrePush).unwrap(), "somebody else's stays");
        assert_eq!(install(&[]), Installed::InFront);
        assert_eq!(install(&[]), Installed::Unchanged);
        assert!(uninstall(directory.path(), Hook::PrePush).unwrap());
        assert_eq!(std::fs::read_to_string(&place).unwrap(), "#!/bin/sh\nexit 0\n");
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn of_many_that_install_or_uninstall_at_once_none_loses_the_hook_that_was_there() {
        const THEIRS: &str = "#!/bin/sh\nexit 0\n";
        for _ in 0..50 {
            let directory = tempfile::tempdir().unwrap();
            std::fs::write(directory.path().join("pre-push"), THEIRS).unwrap();
            let four = |act: &(dyn Fn() + Sync)| {
                let start = std::sync::Barrier::new(4);
                std::thread::scope(|scope| {
                    for _ in 0..4 {
                        scope.spawn(|| {
                            start.wait();
                            act();
                        });
                    }
                });
            };
            let read = |path: PathBuf| std::fs::read_to_string(path).unwrap();
            four(&|| {
                install(directory.path(), Hook::PrePush, Path::new("/usr/bin/cargo-repro"), &[]).unwrap();
            });
            assert_eq!(read(before(directory.path(), Hook::PrePush)), THEIRS);
            assert!(is_ours(&read(directory.path().join("pre-push"))));
            four(&|| {
                uninstall(directory.path(), Hook::PrePush).unwrap();
            });
            assert_eq!(read(directory.path().join("pre-push")), THEIRS);
        }
    }

    #[test]
    fn where_there_are_no_links_a_copy_is_as_good_and_takes_no_other_place() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        let [place, aside] = ["pre-push", "aside"].map(|name| directory.path().join(name));
        std::fs::write(&place, "#!/bin/sh\n").unwrap();
        std::fs::set_permissions(&place, std::fs::Permissions::from_mode(0o750)).unwrap();
        copy(&place, &aside).unwrap();
        assert_eq!(std::fs::read_to_string(&aside).unwrap(), "#!/bin/sh\n");
        assert_eq!(aside.metadata().unwrap().permissions().mode() & 0o777, 0o750);
        std::fs::write(&place, "another").unwrap();
        assert_eq!(copy(&place, &aside).unwrap_err().kind(), std::io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read_to_string(&aside).unwrap(), "#!/bin/sh\n");
    }
}
