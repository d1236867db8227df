//! The command line: what was typed, what it means, and one file a command.

pub mod args;
pub mod commands;
pub mod settings;
