//! What the operating system is asked for, in one way each: files within bounds, locks, signals, processes, the environment.

pub mod atomic;
pub mod beneath;
pub mod bounded;
pub mod descendants;
pub mod env;
pub mod file_lock;
pub mod interrupt;
pub mod redact;
pub mod scratch;
pub mod subprocess;
