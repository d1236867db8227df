//! Commands that another program starts.

use std::ffi::OsStr;
use std::process::Command;

/// A program in the directory and the environment of a command.
pub fn in_place_of(command: &Command, program: impl AsRef<OsStr>) -> Command {
    let mut other = Command::new(program);
    other.current_dir(command.get_current_dir().unwrap());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => other.env(name, value),
            None => other.env_remove(name),
        };
    }
    other
}

/// The same command, started by the program that these words call.
pub fn under(words: &[impl AsRef<OsStr>], command: &Command) -> Command {
    let mut other = match words {
        [] => in_place_of(command, command.get_program()),
        [program, arguments @ ..] => {
            let mut other = in_place_of(command, program);
            other.args(arguments).arg(command.get_program());
            other
        }
    };
    other.args(command.get_args());
    other
}
