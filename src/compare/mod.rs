//! Two values in, their differences out, each as an enum case with old and new. Pure: nothing here
//! reads a file or prints; naming the differences is [`crate::report::finding`]'s.

pub mod bytes;
pub mod classes;
mod data;
pub mod divergence;
pub mod drift;
pub mod locks;
pub mod snapshots;
mod sources;
pub mod table;
#[cfg(test)]
mod tests;

pub use divergence::{Divergence, divergence};
pub use drift::Drift;
pub use snapshots::drift;

use std::collections::{BTreeMap, BTreeSet};

/// Every key of either map with both its values, for the keys whose values differ.
fn changes<'a, K: Ord, V: PartialEq>(
    locked: &'a BTreeMap<K, V>,
    found: &'a BTreeMap<K, V>,
) -> impl Iterator<Item = (&'a K, Option<&'a V>, Option<&'a V>)> {
    let keys: BTreeSet<&K> = locked.keys().chain(found.keys()).collect();
    keys.into_iter()
        .map(|key| (key, locked.get(key), found.get(key)))
        .filter(|(_, locked, found)| locked != found)
}

/// A list for people, as TOML writes it: no other list has this text.
#[must_use]
pub fn listed(items: &[String]) -> String {
    let items: Vec<String> = items.iter().map(|item| crate::document::quoted(item)).collect();
    format!("[{}]", items.join(", "))
}
