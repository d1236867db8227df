//! Programs that link this crate, started as `cargo repro` or a person starts them.

mod child;
mod inside;
mod outside;
mod programs;
