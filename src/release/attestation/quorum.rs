//! Whether enough people vouch for something: how many keys there are, and on how many platform classes,
//! with each key and each class counted once.

use std::collections::BTreeMap;

use super::check::Vouched;
use crate::snapshot::Platform;

/// Too few.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lacking {
    /// How many there are.
    pub found: u32,
    /// How many are asked for.
    pub wanted: u32,
    /// Whether each was to be of another platform class.
    pub distinct_classes: bool,
}

/// All that counts, one a key, in the order of the keys' ids: each key's latest, or with
/// `distinct_classes` as many as can be found such that no two are of one class.
///
/// # Errors
/// When these are less than `require`.
pub fn quorum(vouched: &[Vouched], require: u32, distinct_classes: bool) -> Result<Vec<&Vouched>, Lacking> {
    let keys = by_key(vouched);
    let counted: Vec<&Vouched> = if distinct_classes {
        matched(&keys)
    } else {
        keys.iter().filter_map(|key| latest(key)).collect()
    };
    let found = u32::try_from(counted.len()).unwrap_or(u32::MAX);
    if found >= require {
        Ok(counted)
    } else {
        Err(Lacking {
            found,
            wanted: require,
            distinct_classes,
        })
    }
}

/// What counts of what each key vouches for.
fn by_key(vouched: &[Vouched]) -> Vec<Vec<&Vouched>> {
    let mut keys: BTreeMap<&str, Vec<&Vouched>> = BTreeMap::new();
    for one in vouched.iter().filter(|one| one.counts) {
        keys.entry(&one.key_id).or_default().push(one);
    }
    keys.into_values().collect()
}

fn latest<'a>(of_a_key: &[&'a Vouched]) -> Option<&'a Vouched> {
    of_a_key.iter().copied().max_by_key(|one| one.reproduction.finished)
}

/// A largest matching of keys with classes, by augmenting paths.
fn matched<'a>(keys: &[Vec<&'a Vouched>]) -> Vec<&'a Vouched> {
    let mut classes: Vec<&Platform> = Vec::new();
    let mut wishes: Vec<Vec<usize>> = Vec::new();
    for key in keys {
        let of_key = key.iter().map(|one| &one.reproduction.platform).map(|class| {
            classes.iter().position(|known| *known == class).unwrap_or_else(|| {
                classes.push(class);
                classes.len() - 1
            })
        });
        wishes.push(of_key.collect());
    }
    let mut taken: Vec<Option<usize>> = vec![None; classes.len()];
    for key in 0..keys.len() {
        place(key, &wishes, &mut taken, &mut vec![false; classes.len()]);
    }
    let mut pairs: Vec<(usize, usize)> =
        taken.iter().enumerate().filter_map(|(class, key)| key.map(|key| (key, class))).collect();
    pairs.sort_unstable();
    let of_pair = |(key, class): (usize, usize)| {
        let of_class: Vec<&Vouched> = keys[key]
            .iter()
            .copied()
            .filter(|one| one.reproduction.platform == *classes[class])
            .collect();
        latest(&of_class)
    };
    pairs.into_iter().filter_map(of_pair).collect()
}

/// Finds a class for the key, if need be by moving other keys to other classes.
fn place(key: usize, wishes: &[Vec<usize>], taken: &mut [Option<usize>], seen: &mut [bool]) -> bool {
    for &class in &wishes[key] {
        if std::mem::replace(&mut seen[class], true) {
            continue;
        }
        let is_free = taken[class].is_none_or(|other| place(other, wishes, taken, seen));
        if is_free {
            taken[class] = Some(key);
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::digest::Digest;
    use crate::release::attestation::Reproduction;

    fn vouched(key: u8, class: u8, finished: i64, counts: bool) -> Vouched {
        Vouched {
            names: vec![format!("name-{key}")],
            key_id: format!("key-{key}"),
            counts,
            reproduction: Reproduction {
                verdict: "reproduced".to_owned(),
                lock: Digest::of("lock"),
                commit: "c".repeat(40),
                platform: Platform {
                    target: "x86_64-unknown-linux-gnu".to_owned(),
                    libc: format!("glibc 2.{class}"),
                    cpu: "x86-64-v3".to_owned(),
                },
                runs: 1,
                confirmed: 1,
                not_checked: Vec::new(),
                tool: "cargo-repro 0.1.0".to_owned(),
                started: finished - 1,
                finished,
            },
        }
    }

    #[test]
    fn a_key_counts_once_however_often_it_vouches_and_then_by_its_latest() {
        let all = [
            vouched(1, 1, 10, true),
            vouched(1, 2, 30, true),
            vouched(1, 3, 20, true),
        ];
        assert_eq!(quorum(&all, 1, false), Ok(vec![&all[1]]));
        let lacking = Lacking {
            found: 1,
            wanted: 2,
            distinct_classes: false,
        };
        assert_eq!(quorum(&all, 2, false), Err(lacking));
        assert_eq!(quorum(&all, 2, true).unwrap_err().found, 1, "nor by being on several classes");
    }

    #[test]
    fn a_key_that_does_not_count_adds_nothing() {
        let all = [vouched(1, 1, 10, true), vouched(2, 2, 10, false)];
        assert_eq!(quorum(&all, 2, false).unwrap_err().found, 1);
        assert_eq!(quorum(&[], 1, false).unwrap_err().found, 0);
        assert_eq!(quorum(&[], 0, true), Ok(Vec::new()));
    }

    #[test]
    fn a_key_gives_up_its_class_for_one_that_has_no_other() {
        let all = [
            vouched(1, 1, 10, true),
            vouched(1, 2, 10, true),
            vouched(2, 1, 10, true),
        ];
        assert_eq!(quorum(&all, 2, true), Ok(vec![&all[1], &all[2]]));
        assert_eq!(quorum(&[vouched(1, 1, 9, true), vouched(2, 1, 9, true)], 2, true).unwrap_err().found, 1);
    }

    /// The most keys that can have a class each, by trying everything.
    fn most(wishes: &[Vec<u8>], used: &mut Vec<u8>) -> u32 {
        let Some((first, rest)) = wishes.split_first() else {
            return 0;
        };
        let mut best = most(rest, used);
        for class in first {
            if !used.contains(class) {
                used.push(*class);
                best = best.max(1 + most(rest, used));
                used.pop();
            }
        }
        best
    }

    proptest! {
        #[test]
        fn as_many_keys_and_classes_are_matched_as_can_be(
            edges in proptest::collection::vec((0..5_u8, 0..5_u8, 0..9_i64, any::<bool>()), 0..14)
        ) {
            let all: Vec<Vouched> =
                edges.iter().map(|(key, class, time, counts)| vouched(*key, *class, *time, *counts)).collect();
            let of_key = |key: u8| {
                edges.iter().filter(|edge| edge.0 == key && edge.3).map(|edge| edge.1).collect::<Vec<u8>>()
            };
            let wishes: Vec<Vec<u8>> = (0..5).map(of_key).collect();
            let expected = most(&wishes, &mut Vec::new());
            let found = quorum(&all, expected, true).unwrap();
            prop_assert_eq!(found.len(), usize::try_from(expected).unwrap());
            for (at, one) in found.iter().enumerate() {
                prop_assert!(one.counts);
                for other in &found[..at] {
                    prop_assert_ne!(&one.key_id, &other.key_id);
                    prop_assert_ne!(&one.reproduction.platform, &other.reproduction.platform);
                }
            }
            prop_assert_eq!(quorum(&all, expected + 1, true).unwrap_err().found, expected);
        }
    }
}
