//! The small program between this tool and a child: it is this very binary, started again with
//! [`WORD`], and it makes itself leader of a session of its own, asks to die with its parent, sets the
//! umask, and becomes the child. So a child never outlives the tool, not even one killed outright, and
//! no code of ours runs between fork and exec.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use rustix::fs::Mode;
use rustix::process::{Signal, getppid, set_parent_process_death_signal, setsid, umask};

/// The first argument that means this file.
pub const WORD: &str = "__launch";

/// Becomes the program. Returns only if it could not, with the reason.
#[must_use]
pub fn become_child(mut args: impl Iterator<Item = OsString>) -> String {
    let (Some(parent), Some(program)) = (args.next(), args.next()) else {
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
    umask(Mode::WGRP | Mode::WOTH);
    let error = Command::new(&program).args(args).exec();
    format!("could not start {}: {error}", program.display())
}
