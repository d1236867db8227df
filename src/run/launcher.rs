//! The small program between this tool and a child: it is this very binary, started again with
//! [`WORD`], and it makes itself leader of a session of its own, asks to die with its parent, enters
//! the namespace, sets the umask, and becomes the child. So a child never outlives the tool, not even one killed outright, and
//! no code of ours runs between fork and exec.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::fs::Mode;
use rustix::process::{Signal, getpid, getppid, set_parent_process_death_signal, setsid, umask};

use super::namespace;

/// The first argument that means this file.
pub const WORD: &str = "__launch";

/// In place of a program: only show that the namespace can be entered.
pub const PROBE: &str = "__probe";

/// Starts to find out whether a work directory can be given its seeming place on this machine; it can
/// if the process ends well.
///
/// # Errors
/// When no process can be started.
pub fn probe(root: &Path) -> std::io::Result<Child> {
    Command::new(std::env::current_exe()?)
        .arg(WORD)
        .arg(getpid().as_raw_nonzero().to_string())
        .arg(root)
        .arg(PROBE)
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
}

/// Becomes the program. Returns only if it could not, with the reason; with
/// none after a probe.
#[must_use]
pub fn become_child(mut args: impl Iterator<Item = OsString>) -> String {
    let (Some(parent), Some(root), Some(program)) = (args.next(), args.next(), args.next()) else {
        return "the launcher is not for people".to_owned();
    };
    // The session leader's id is the process group that the tool kills.
    if let Err(error) = setsid() {
        return format!("could not make a session: {error}");
    }
    if let Err(error) = set_parent_process_death_signal(Some(Signal::KILL)) {
        return format!("could not ask to end with the parent: {error}");
    }
    // The parent may have died before it was asked about.
    let parent_is_there = getppid().is_some_and(|pid| OsString::from(pid.as_raw_nonzero().to_string()) == parent);
    if !parent_is_there {
        return "the parent is gone".to_owned();
    }
    if !root.is_empty()
        && let Err(error) = namespace::enter(Path::new(&root))
    {
        return format!("could not enter a namespace: {error}");
    }
    if program == PROBE {
        return String::new();
    }
    umask(Mode::WGRP | Mode::WOTH);
    let error = Command::new(&program).args(args).exec();
    format!("could not start {}: {error}", program.display())
}
