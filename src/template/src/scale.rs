//! Step 3: shifts and stretches every column to mean 0 and standard deviation 1.
//!
//! The scaler learns from the training part only: what it knew of the test part would leak into the
//! model. (A forest would do without scaling; a model that needs it can take the forest's place
//! without touching this step.)

use std::array;

use serde::Serialize;

use crate::load::Features;

#[derive(Clone, Debug, Serialize)]
pub struct Scaler {
    mean: Features,
    scale: Features,
}

impl Scaler {
    /// Like scikit-learn's `StandardScaler`: the deviation is the population's (divided by n, not
    /// by n - 1), and a column whose values are all equal keeps scale 1.
    pub fn fit(rows: &[Features]) -> Scaler {
        let mean: Features = array::from_fn(|column| average(rows, |row| row[column]));
        let scale = array::from_fn(|column| {
            if rows
                .windows(2)
                .all(|pair| pair[0][column] == pair[1][column])
            {
                return 1.0;
            }
            average(rows, |row| (row[column] - mean[column]).powi(2)).sqrt()
        });
        Scaler { mean, scale }
    }

    pub fn transform(&self, rows: &mut [Features]) {
        for row in rows {
            for (column, value) in row.iter_mut().enumerate() {
                *value = (*value - self.mean[column]) / self.scale[column];
            }
        }
    }
}

/// Adds from the first row to the last on one thread: in another order the last digits of a sum
/// come out differently.
fn average(rows: &[Features], value: impl Fn(&Features) -> f64) -> f64 {
    rows.iter().map(value).sum::<f64>() / rows.len() as f64
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::load::load;

    fn assert_close(found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            assert!(
                (found - expected).abs() <= 1e-12 * expected.abs().max(1.0),
                "{found} {expected}"
            );
        }
    }

    /// ```python
    /// X = [[1., 10., .1], [2., 10., .1], [4., 10., .1], [8., 10., .1]]
    /// s = StandardScaler().fit(X); s.mean_, s.scale_, s.transform(X)
    /// ```
    #[test]
    fn a_small_table_as_in_scikit_learn() {
        let row = |first| array::from_fn(|column| [first, 10.0, 0.1][column.min(2)]);
        let mut rows = [row(1.0), row(2.0), row(4.0), row(8.0)];
        let scaler = Scaler::fit(&rows);
        assert_close(&scaler.mean[..3], &[3.75, 10.0, 0.1]);
        assert_close(&scaler.scale[..3], &[2.680951323690902, 1.0, 1.0]);
        scaler.transform(&mut rows);
        let expected = [
            -1.025755289064345,
            -0.6527533657682196,
            0.09325048082403138,
            1.5852581740085334,
        ];
        assert_close(&rows.map(|row| row[0]), &expected);
        assert_close(&rows.map(|row| row[1]), &[0.0; 4]);
        assert_close(&rows.map(|row| row[2]), &[0.0; 4]);
    }

    /// `StandardScaler().fit(X)` of scikit-learn 1.9.1 over the eleven columns of all 1,599 wines.
    #[test]
    #[rustfmt::skip]
    fn the_wines_as_in_scikit_learn() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/winequality-red.csv");
        let scaler = Scaler::fit(&load(&path).unwrap().features);
        assert_close(&scaler.mean, &[
            8.319637273295838, 0.5278205128205131, 0.2709756097560964, 2.5388055034396517,
            0.08746654158849257, 15.874921826141339, 46.46779237023139, 0.9967466791744831,
            3.311113195747343, 0.6581488430268921, 10.422983114446502,
        ]);
        assert_close(&scaler.scale, &[
            1.7405518001102782, 0.17900370424468975, 0.1947402144523329, 1.4094871124880504,
            0.04705058260331576, 10.456885614930723, 32.88503665178367, 0.001886743700832392,
            0.15433818141060152, 0.16945396724179526, 1.0653343003437463,
        ]);
    }
}
