//! What a training program links so that `cargo repro` knows its parameters, seed streams,
//! checkpoints, metrics and artifacts.
//!
//! `cargo repro` records a training and verifies it again later. A program that holds a [`Run`]
//! tells it what it used and what it came to; the same program runs as it is outside `cargo repro`,
//! with seed, parameters and data from `repro.toml` or the environment.
//!
//! ```no_run
//! use repro::rand_core::RngCore;
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Deserialize)]
//! struct Params {
//!     rounds: u32,
//!     learning_rate: f64,
//! }
//!
//! #[derive(Serialize)]
//! struct Model {
//!     weights: Vec<f64>,
//! }
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let run = repro::Run::open()?;
//!     let params: Params = run.params()?;
//!     let text = std::fs::read_to_string(run.data("wine")?)?;
//!     let mut rows: Vec<&str> = text.lines().skip(1).collect();
//!
//!     let mut rng = run.rng("shuffle");
//!     for last in (1..rows.len()).rev() {
//!         rows.swap(last, rng.next_u32() as usize % (last + 1));
//!     }
//!     run.checkpoint("shuffled", &rows)?;
//!
//!     let mut model = Model { weights: vec![0.0; 11] };
//!     for _ in 0..params.rounds {
//!         for weight in &mut model.weights {
//!             *weight += params.learning_rate;
//!         }
//!     }
//!     run.checkpoint("trained", &model)?;
//!     run.metric("accuracy", 0.94)?;
//!     run.artifact("model.json", &model)?;
//!     Ok(())
//! }
//! ```
//!
//! It is not the command, and it starts, isolates and judges nothing. What the two say to each
//! other stands in [`protocol`].
//!
//! # Features
//!
//! - `manifest` (default): outside `cargo repro`, read `repro.toml`.
//! - `source`: this crate's source as text, in `repro::source`.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod artifact;
pub mod canonical;
pub mod digest;
mod environment;
mod error;
#[cfg(feature = "manifest")]
mod glob;
pub mod json;
mod ledger;
#[cfg(feature = "manifest")]
mod manifest;
mod params;
pub mod protocol;
mod run;
mod setup;
#[cfg(feature = "source")]
pub mod source;
mod stream;
mod tally;

pub use rand_chacha::rand_core;

pub use crate::{
    digest::{digest_bytes, digest_file},
    error::{Error, Result},
    run::Run,
    stream::Stream,
};

/// The README's examples, compiled with the tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
