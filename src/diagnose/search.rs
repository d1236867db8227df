//! The smallest set of things that together have an effect, by leaving out what is not needed
//! (Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input", IEEE TSE 28(2), 2002).

/// A set, a subset of `all`, that has the effect and none of whose elements can be left out. `has_effect`
/// holds for `all`.
///
/// # Errors
/// What the test fails with.
pub fn smallest<T: Clone, E>(all: &[T], mut has_effect: impl FnMut(&[T]) -> Result<bool, E>) -> Result<Vec<T>, E> {
    let mut set = all.to_vec();
    let mut parts = 2;
    while set.len() > 1 {
        let size = set.len().div_ceil(parts);
        let chunks: Vec<Vec<T>> = set.chunks(size).map(<[T]>::to_vec).collect();
        let mut smaller = None;
        for (number, chunk) in chunks.iter().enumerate() {
            if has_effect(chunk)? {
                smaller = Some((chunk.clone(), 2));
                break;
            }
            let rest: Vec<T> = chunks
                .iter()
                .enumerate()
                .filter(|(other, _)| *other != number)
                .flat_map(|(_, chunk)| chunk.clone())
                .collect();
            if chunks.len() > 2 && has_effect(&rest)? {
                smaller = Some((rest, parts.saturating_sub(1).max(2)));
                break;
            }
        }
        match smaller {
            Some((found, next)) => (set, parts) = (found, next),
            None if parts >= set.len() => break,
            None => parts = (2 * parts).min(set.len()),
        }
    }
    Ok(set)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(needed: &[u8]) -> Vec<u8> {
        let all: Vec<u8> = (0..18).collect();
        smallest(&all, |set| Ok::<_, ()>(needed.iter().all(|one| set.contains(one)))).unwrap()
    }

    proptest::proptest! {
        #[test]
        fn exactly_what_is_needed_is_found(needed in proptest::collection::btree_set(0u8..18, 1..5)) {
            let needed: Vec<u8> = needed.into_iter().collect();
            proptest::prop_assert_eq!(find(&needed), needed);
        }
    }
}
