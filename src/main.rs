//! `cargo repro`: the program. Everything is in the library beside it.

use std::process::ExitCode;

fn main() -> ExitCode {
    cargo_repro::run(std::env::args_os()).into()
}
