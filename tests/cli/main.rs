//! The program as its users meet it: every test runs the real binary on a copy of a real package in a
//! repository of its own. One file a theme; each test's name is the sentence that it asserts.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed, and the panic names the line"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "tests set the environment for the binary, so they read their own"
)]

mod attest;
mod audit;
mod bad_input;
mod basics;
mod bounds;
mod builds;
mod ci;
mod classes;
mod clones;
mod copies;
mod data;
mod denied;
mod dependencies;
mod determinism;
mod divergence;
mod drift;
mod exit_codes;
mod figures;
mod filed;
mod foreign;
mod gate;
mod handover;
mod help;
mod hints;
mod hooks;
mod interruption;
mod isolation;
mod keys;
mod lock_errors;
mod log;
mod looks;
mod machine;
mod manifest_errors;
mod outputs;
mod outside;
mod overridden;
mod page;
mod places;
mod proved;
mod rebuilding;
mod release;
mod remains;
mod reports;
mod runner;
mod schema;
mod support;
mod tag;
mod terminal;
mod unseen;
mod vary;
mod wide;
mod wine;
