//! Step 5: compares what the forest predicted with what the tasters said.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::Result;

#[derive(Clone, Debug, Serialize)]
pub struct Evaluation {
    pub accuracy: f64,
    pub precision: f64,
    pub recall: f64,
    /// How many wines of a quality (first key) were predicted to be of which quality (second key).
    /// Pairs that never occur are absent. A `BTreeMap`, since a `HashMap` has a new order in each
    /// process.
    pub confusion: BTreeMap<usize, BTreeMap<usize, usize>>,
}

/// Accuracy; precision and recall of each class, averaged with the class's share of `actual` as its
/// weight. This is scikit-learn's `average="weighted", zero_division=0`: the precision of a class
/// that was never predicted counts as 0.
///
/// The weighted recall is the accuracy by another road, so the two agree but for rounding.
pub fn evaluate(actual: &[usize], predicted: &[usize]) -> Result<Evaluation> {
    if actual.len() != predicted.len() || actual.is_empty() {
        let (actual, predicted) = (actual.len(), predicted.len());
        return Err(format!("cannot evaluate {predicted} predictions of {actual} wines").into());
    }

    let mut confusion: BTreeMap<usize, BTreeMap<usize, usize>> = BTreeMap::new();
    let mut times_predicted: BTreeMap<usize, usize> = BTreeMap::new();
    for (&actual, &predicted) in actual.iter().zip(predicted) {
        *confusion
            .entry(actual)
            .or_default()
            .entry(predicted)
            .or_default() += 1;
        *times_predicted.entry(predicted).or_default() += 1;
    }

    let (mut correct, mut precision, mut recall) = (0, 0.0, 0.0);
    for (class, row) in &confusion {
        let support: usize = row.values().sum();
        let hits = row.get(class).copied().unwrap_or(0);
        let predicted = times_predicted.get(class).copied().unwrap_or(0);
        correct += hits;
        precision += ratio(hits, predicted) * support as f64;
        recall += ratio(hits, support) * support as f64;
    }

    let total = actual.len();
    Ok(Evaluation {
        accuracy: ratio(correct, total),
        precision: precision / total as f64,
        recall: recall / total as f64,
        confusion,
    })
}

fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected values from scikit-learn 1.9.1:
    /// ```python
    /// accuracy_score(t, p)
    /// precision_score(t, p, average="weighted", zero_division=0)
    /// recall_score(t, p, average="weighted", zero_division=0)
    /// ```
    #[track_caller]
    fn check(actual: &[usize], predicted: &[usize], expected: [f64; 3]) {
        let found = evaluate(actual, predicted).unwrap();
        for (found, expected) in [found.accuracy, found.precision, found.recall]
            .iter()
            .zip(expected)
        {
            assert!(
                (found - expected).abs() < 1e-15,
                "{found} is not {expected}"
            );
        }
    }

    #[test]
    fn a_class_that_is_never_predicted_has_precision_0() {
        check(
            &[5, 5, 6, 6, 7],
            &[5, 6, 6, 6, 5],
            [0.6, 0.4666666666666666, 0.6],
        );
    }

    #[test]
    fn a_predicted_class_that_never_occurs_has_no_weight() {
        check(
            &[3, 5, 5, 6, 8, 8],
            &[5, 5, 5, 6, 6, 4],
            [0.5, 0.3055555555555555, 0.5],
        );
    }

    #[test]
    fn all_right_and_all_wrong() {
        check(&[5, 6, 7], &[5, 6, 7], [1.0, 1.0, 1.0]);
        check(&[4, 4, 4], &[5, 5, 6], [0.0, 0.0, 0.0]);
    }

    #[test]
    fn ten_wines_of_five_qualities() {
        check(
            &[5, 5, 6, 6, 6, 7, 7, 8, 3, 5],
            &[5, 6, 6, 6, 5, 7, 6, 7, 5, 5],
            [0.5, 0.4, 0.5],
        );
    }

    #[test]
    fn the_confusion_counts_every_pair() {
        let found = evaluate(&[5, 5, 6, 6, 7], &[5, 6, 6, 6, 5])
            .unwrap()
            .confusion;
        let expected = BTreeMap::from([
            (5, BTreeMap::from([(5, 1), (6, 1)])),
            (6, BTreeMap::from([(6, 2)])),
            (7, BTreeMap::from([(5, 1)])),
        ]);
        assert_eq!(found, expected);
    }

    #[test]
    fn nothing_to_compare_is_an_error() {
        assert!(evaluate(&[], &[]).is_err());
        assert!(evaluate(&[5], &[5, 6]).is_err());
    }
}
