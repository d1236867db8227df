//! Step 2: deals the wines into a training part and a test part, at random but from the seed.
//!
//! The shuffle is written out here, because a library may change its own from one release to the
//! next (rand's did from 0.8 to 0.9), and every result after it would change too.

use repro::rand_core::RngCore;
use serde::Serialize;

use crate::{Result, load::Table};

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Parts {
    pub train: Table,
    pub test: Table,
}

/// 80 % to train on, 20 % to test with. The test part is rounded up, as in scikit-learn: of 1,599
/// wines it gets 320.
pub fn split(table: &Table, rng: &mut impl RngCore) -> Result<Parts> {
    let rows = table.rows();
    if rows < 2 {
        return Err("a split needs two rows or more".into());
    }
    let mut order: Vec<usize> = (0..rows).collect();
    shuffle(&mut order, rng);
    let (test, train) = order.split_at(rows.div_ceil(5));
    Ok(Parts {
        train: table.select(train),
        test: table.select(test),
    })
}

/// Fisher–Yates: from the last place to the second, swap with a place at or before it. Every order
/// is equally likely.
fn shuffle(order: &mut [usize], rng: &mut impl RngCore) {
    for last in (1..order.len()).rev() {
        let other = below(last as u64 + 1, rng) as usize;
        order.swap(last, other);
    }
}

/// A number in `0..bound`, each equally likely.
///
/// The 2^64 values of `next_u64` seldom divide into whole stretches of `bound`, so a bare `%` would
/// favour small numbers. Values beyond the last whole stretch are therefore drawn again.
fn below(bound: u64, rng: &mut impl RngCore) -> u64 {
    let whole_stretches = u64::MAX - u64::MAX % bound;
    loop {
        let value = rng.next_u64();
        if value < whole_stretches {
            return value % bound;
        }
    }
}

#[cfg(test)]
pub mod tests {
    use repro::rand_core::Error;

    use super::*;

    /// SplitMix64: a generator small enough for a test.
    #[derive(Clone)]
    pub struct SplitMix(pub u64);

    impl RngCore for SplitMix {
        fn next_u64(&mut self) -> u64 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        }
        fn next_u32(&mut self) -> u32 {
            self.next_u64() as u32
        }
        fn fill_bytes(&mut self, bytes: &mut [u8]) {
            bytes.fill_with(|| self.next_u64() as u8);
        }
        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> std::result::Result<(), Error> {
            self.fill_bytes(bytes);
            Ok(())
        }
    }

    /// A table whose labels are its row numbers, so that a row can be followed.
    fn numbered(rows: usize) -> Table {
        Table {
            features: (0..rows).map(|row| [row as f64; 11]).collect(),
            labels: (0..rows).collect(),
        }
    }

    #[test]
    fn every_row_lands_in_exactly_one_part_with_its_label() {
        let parts = split(&numbered(1599), &mut SplitMix(1)).unwrap();
        let mut rows = [parts.train.labels.clone(), parts.test.labels.clone()].concat();
        rows.sort_unstable();
        assert_eq!(rows, (0..1599).collect::<Vec<_>>());
        for part in [parts.train, parts.test] {
            for (features, label) in part.features.iter().zip(part.labels) {
                assert_eq!(features[0], label as f64);
            }
        }
    }

    /// The sizes are those of scikit-learn's `train_test_split(range(rows), test_size=0.2)`.
    #[test]
    fn the_test_part_is_a_fifth_rounded_up() {
        for (rows, test) in [
            (2, 1),
            (3, 1),
            (5, 1),
            (6, 2),
            (10, 2),
            (11, 3),
            (1599, 320),
        ] {
            let parts = split(&numbered(rows), &mut SplitMix(1)).unwrap();
            assert_eq!((parts.train.rows(), parts.test.rows()), (rows - test, test));
        }
        assert!(split(&numbered(1), &mut SplitMix(1)).is_err());
    }

    #[test]
    fn the_generator_alone_decides() {
        let deal = |seed| split(&numbered(100), &mut SplitMix(seed)).unwrap();
        assert_eq!(deal(1), deal(1));
        assert_ne!(deal(1), deal(2));
    }

    #[test]
    fn all_orders_are_about_equally_frequent() {
        let mut counts = std::collections::BTreeMap::new();
        let mut rng = SplitMix(1);
        for _ in 0..24_000 {
            let mut order = vec![0, 1, 2, 3];
            shuffle(&mut order, &mut rng);
            *counts.entry(order).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), 24);
        assert!(
            counts.values().all(|count| (850..1150).contains(count)),
            "{counts:?}"
        );
    }

    #[test]
    fn below_redraws_what_lies_beyond_the_last_whole_stretch() {
        struct Scripted(Vec<u64>);
        impl RngCore for Scripted {
            fn next_u64(&mut self) -> u64 {
                self.0.remove(0)
            }
            fn next_u32(&mut self) -> u32 {
                unreachable!()
            }
            fn fill_bytes(&mut self, _: &mut [u8]) {
                unreachable!()
            }
            fn try_fill_bytes(&mut self, _: &mut [u8]) -> std::result::Result<(), Error> {
                unreachable!()
            }
        }
        let mut rng = Scripted(vec![u64::MAX, u64::MAX - 1, 7]);
        assert_eq!(below(10, &mut rng), 7);
        assert!(rng.0.is_empty());
    }
}
