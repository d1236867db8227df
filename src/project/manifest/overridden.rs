//! Values of the command line in place of the manifest's, and what the manifest says itself. A lock that was recorded so
//! holds both: whoever verifies it later takes the recorded value, unless the manifest says something else by then.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Manifest;
use crate::lockfile::Lockfile;
use crate::snapshot::{Param, Seed};

/// What the manifest says where another value was used.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overridden {
    /// The seed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<Seed>,
    /// Parameters by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub params: BTreeMap<String, Param>,
}

impl Overridden {
    /// Whether nothing is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.seed.is_none() && self.params.is_empty()
    }
}

/// A value that was given on the command line when the lock was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// `seed`, or `params.NAME`.
    pub name: String,
    /// What the manifest says.
    pub declared: String,
    /// What was recorded.
    pub recorded: String,
}

impl Manifest {
    /// Takes the values that a lock was recorded with in place of this manifest's, where it says what it said then, and
    /// where the command line names no value now. Gives them.
    pub fn follow(&mut self, lock: &Lockfile, named: &[&str]) -> Vec<Override> {
        let Overridden { seed, params } = &lock.overridden;
        let mut followed = Vec::new();
        if *seed == Some(self.seed) && !named.contains(&"seed") {
            followed.push(of("seed".to_owned(), &self.seed, &lock.snapshot.seed));
            self.seed = lock.snapshot.seed;
        }
        for (name, declared) in params {
            let title = format!("params.{name}");
            let (Some(own), Some(recorded)) = (self.params.get_mut(name), lock.snapshot.params.get(name)) else {
                continue;
            };
            if own == declared && !named.contains(&title.as_str()) {
                followed.push(of(title, own, recorded));
                *own = recorded.clone();
            }
        }
        followed
    }

    /// The values of the command line that this manifest was given.
    #[must_use]
    pub fn given(&self) -> Vec<Override> {
        let seed = self.overridden.seed.map(|seed| of("seed".to_owned(), &seed, &self.seed));
        let params = self.overridden.params.iter();
        let params = params.map(|(name, declared)| of(format!("params.{name}"), declared, &self.params[name]));
        seed.into_iter().chain(params).collect()
    }
}

fn of(name: String, declared: &impl ToString, recorded: &impl ToString) -> Override {
    Override {
        name,
        declared: declared.to_string(),
        recorded: recorded.to_string(),
    }
}
