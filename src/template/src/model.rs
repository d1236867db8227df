//! Step 4: the random forest, here smartcore's. To try another kind of model, this is the file to
//! change.
//!
//! smartcore grows its trees one after the other on one thread, from the given seed alone. Keep its
//! feature `std_rand` off: with it, the generator behind the same seed is another one.

use repro::rand_core::RngCore;
use serde::Serialize;
use smartcore::{
    ensemble::random_forest_classifier::{
        RandomForestClassifier, RandomForestClassifierParameters,
    },
    linalg::basic::matrix::DenseMatrix,
};

use crate::{
    Params, Result,
    load::{FEATURES, Features, Table},
};

#[derive(Serialize)]
#[serde(transparent)]
pub struct Forest(RandomForestClassifier<f64, usize, DenseMatrix<f64>, Vec<usize>>);

impl Forest {
    pub fn train(table: &Table, params: &Params, mut rng: impl RngCore) -> Result<Forest> {
        let settings = RandomForestClassifierParameters::default()
            .with_n_trees(params.n_estimators.get())
            .with_max_depth(params.max_depth.get())
            // Not left to the default, which is 0: every run would then get the same forest
            // whatever the seed.
            .with_seed(rng.next_u64());
        let features = matrix(&table.features)?;
        Ok(Forest(RandomForestClassifier::fit(
            &features,
            &table.labels,
            settings,
        )?))
    }

    pub fn predict(&self, features: &[Features]) -> Result<Vec<usize>> {
        Ok(self.0.predict(&matrix(features)?)?)
    }
}

fn matrix(rows: &[Features]) -> Result<DenseMatrix<f64>> {
    let column_major = false;
    Ok(DenseMatrix::new(
        rows.len(),
        FEATURES.len(),
        rows.concat(),
        column_major,
    )?)
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU16;

    use super::*;
    use crate::split::tests::SplitMix;

    fn params() -> Params {
        let small = NonZeroU16::new(5).unwrap();
        Params {
            n_estimators: small,
            max_depth: small,
        }
    }

    /// Wines of quality 4 below zero and of quality 7 above it, in every column.
    fn two_kinds() -> Table {
        let values = (-20..20).map(|step| f64::from(step) + 0.5);
        Table {
            features: values.clone().map(|value| [value; 11]).collect(),
            labels: values
                .map(|value| if value < 0.0 { 4 } else { 7 })
                .collect(),
        }
    }

    #[test]
    fn learns_what_is_easy_to_learn() {
        let forest = Forest::train(&two_kinds(), &params(), SplitMix(1)).unwrap();
        assert_eq!(forest.predict(&[[-9.5; 11], [9.5; 11]]).unwrap(), [4, 7]);
    }

    #[test]
    fn the_generator_alone_decides() {
        let train = |seed| {
            let forest = Forest::train(&two_kinds(), &params(), SplitMix(seed)).unwrap();
            repro::json::to_vec(&forest).unwrap()
        };
        assert_eq!(train(1), train(1));
        assert_ne!(train(1), train(2));
    }
}
