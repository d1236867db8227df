//! What builds and programs see of the environment: a fixed minimum, and what the manifest sets or
//! lets pass. Everything else that the caller's shell has stays outside, unread.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::os::env;
use crate::project::manifest;

/// The variables that a run gets, beside the paths of its own directories.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Environment {
    /// Variables that were let through, but that the caller had not set.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unset: Vec<String>,
    /// Names and values.
    pub variables: BTreeMap<String, String>,
}

/// What every run sees, whatever the machine.
const MINIMUM: [(&str, &str); 4] = [
    ("LANG", "C.UTF-8"),
    ("LC_ALL", "C.UTF-8"),
    ("PATH", env::STANDARD_PATH),
    ("TZ", "UTC"),
];

impl Environment {
    /// What the manifest makes of the caller's environment.
    ///
    /// # Errors
    /// When a value is not UTF-8.
    pub fn observe(declared: &manifest::Environment) -> Result<Self> {
        Self::of(declared, value_of)
    }

    /// What the manifest makes of these values.
    ///
    /// # Errors
    /// When there is no telling one.
    pub fn of(declared: &manifest::Environment, value_of: impl Fn(&str) -> Result<Option<String>>) -> Result<Self> {
        let mut variables: BTreeMap<String, String> =
            MINIMUM.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        variables.extend(declared.set.clone());
        let mut unset = Vec::new();
        for name in &declared.pass {
            match value_of(name)? {
                Some(value) => {
                    variables.insert(name.clone(), value);
                }
                None => {
                    variables.remove(name);
                    unset.push(name.clone());
                }
            }
        }
        Ok(Self { variables, unset })
    }
}

fn value_of(name: &str) -> Result<Option<String>> {
    let value = env::declared_variable(name).map(std::ffi::OsString::into_string);
    value.transpose().map_err(|_| {
        Error::new(format!("the value of {name}, which {} lets pass, is not UTF-8", manifest::FILE))
            .hint("give it another value; a lock is text and could not record this one")
    })
}
