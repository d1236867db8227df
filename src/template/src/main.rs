//! Trains a random forest that guesses a red wine's quality from eleven measurements.
//!
//! The whole story is `train`, top to bottom; each step of it is a file of its own. After each step
//! a *checkpoint* leaves a digest of what the step produced: should two runs ever differ, the first
//! checkpoint that differs names the step.

mod evaluate;
mod load;
mod model;
mod report;
mod scale;
mod split;

use std::{error::Error, num::NonZeroU16, process::ExitCode};

use serde::{Deserialize, Serialize};

use crate::{model::Forest, scale::Scaler};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The `[params]` of `repro.toml`. A key that is missing or misspelt there is an error, never a
/// silent default.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Params {
    n_estimators: NonZeroU16,
    max_depth: NonZeroU16,
}

/// `model.json`: the forest, and what has to be done to a wine's measurements before the forest may
/// see them.
#[derive(Serialize)]
struct Model<'a> {
    features: [&'a str; load::FEATURES.len()],
    scaler: &'a Scaler,
    forest: &'a Forest,
}

fn main() -> ExitCode {
    match train() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn train() -> Result<()> {
    let run = repro::Run::open()?;
    let params: Params = run.params()?;
    let data = run.data("wine")?;

    let table = load::load(&data)?;
    run.checkpoint("loaded", &table)?;

    let mut parts = split::split(&table, &mut run.rng("split"))?;
    run.checkpoint("split", &parts)?;

    let scaler = Scaler::fit(&parts.train.features);
    scaler.transform(&mut parts.train.features);
    scaler.transform(&mut parts.test.features);
    run.checkpoint("scaled", &parts)?;

    let forest = Forest::train(&parts.train, &params, run.rng("forest"))?;
    run.checkpoint("trained", &forest)?;

    let predicted = forest.predict(&parts.test.features)?;
    run.checkpoint("predicted", &predicted)?;

    let evaluation = evaluate::evaluate(&parts.test.labels, &predicted)?;
    let model = Model {
        features: load::FEATURES,
        scaler: &scaler,
        forest: &forest,
    };
    run.artifact("model.json", &model)?;
    report::write(&run, &data, &table, &params, &evaluation)
}
