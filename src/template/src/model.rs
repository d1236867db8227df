//! Step 4: the random forest, here linfa's. To try another kind of model, this is the file to change.
//!
//! linfa sums and breaks ties in the order of a `HashMap`, which std seeds anew in each process. So it
//! grows one forest for a seed where repro.toml says `entropy = "seeded"`, and another one each time
//! where it does not, though it is given its generator.

use linfa::{
    Dataset,
    traits::{Fit, Predict},
};
use linfa_ensemble::{RandomForest, RandomForestParams};
use linfa_trees::{DecisionTree, TreeNode};
use ndarray::{Array1, Array2};
use repro::rand_core::RngCore;
use serde::{Serialize, Serializer};

use crate::{
    Params, Result,
    load::{FEATURES, Features, Table},
};

pub struct Forest(RandomForest<f64, usize>);

impl Forest {
    pub fn train(table: &Table, params: &Params, rng: impl RngCore + Clone) -> Result<Forest> {
        let tree = DecisionTree::params().max_depth(Some(params.max_depth.get().into()));
        // Not `new`, which takes its generator from the system.
        let forest = RandomForestParams::new_fixed_rng(tree, rng)
            .ensemble_size(params.n_estimators.get().into())
            .feature_proportion(0.5); // of the eleven columns, drawn anew for each tree
        let labels = Array1::from_vec(table.labels.clone());
        Ok(Forest(
            forest.fit(&Dataset::new(matrix(&table.features)?, labels))?,
        ))
    }

    pub fn predict(&self, features: &[Features]) -> Result<Vec<usize>> {
        let labels: Array1<usize> = self.0.predict(&matrix(features)?);
        Ok(labels.to_vec())
    }
}

fn matrix(rows: &[Features]) -> Result<Array2<f64>> {
    Ok(Array2::from_shape_vec(
        (rows.len(), FEATURES.len()),
        rows.concat(),
    )?)
}

/// linfa does not serialise its forest, so what predicting takes is written out here.
impl Serialize for Forest {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let trees = self.0.models.iter().zip(&self.0.model_features);
        serializer.collect_seq(trees.map(|(tree, columns)| node(tree.root_node(), columns)))
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum Node {
    /// `Some` in every tree that was grown.
    Leaf(Option<usize>),
    Split {
        column: usize,
        value: f64,
        below: Box<Node>,
        above: Box<Node>,
    },
}

/// `columns`: which column of the table each of the tree's own columns is.
fn node(tree: &TreeNode<f64, usize>, columns: &[usize]) -> Node {
    match tree.children()[..] {
        [Some(below), Some(above)] => {
            let (column, value, _) = tree.split();
            Node::Split {
                column: columns[column],
                value,
                below: Box::new(node(below, columns)),
                above: Box::new(node(above, columns)),
            }
        }
        _ => Node::Leaf(tree.prediction()),
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU16;

    use super::*;
    use crate::split::tests::SplitMix;

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

    fn train() -> Forest {
        let small = NonZeroU16::new(5).unwrap();
        let params = Params {
            n_estimators: small,
            max_depth: small,
        };
        Forest::train(&two_kinds(), &params, SplitMix(1)).unwrap()
    }

    #[test]
    fn learns_what_is_easy_to_learn() {
        assert_eq!(train().predict(&[[-9.5; 11], [9.5; 11]]).unwrap(), [4, 7]);
    }

    #[test]
    fn a_tree_is_serialised_as_nested_splits() {
        let json = String::from_utf8(repro::json::to_vec(&train()).unwrap()).unwrap();
        assert_eq!(json.matches("\"column\":").count(), 5, "{json}");
        assert_eq!(json.matches("\"below\":4").count(), 5, "{json}");
        assert_eq!(json.matches("\"above\":7").count(), 5, "{json}");
    }
}
