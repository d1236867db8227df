//! The one place that reads the process's environment: variables and the current directory.
//!
//! What they mean is decided in [`setup`](crate::setup).

use std::{collections::BTreeMap, env, path::PathBuf};

use crate::{
    error::{Error, Result},
    protocol::variable,
};

/// What every variable of the protocol begins with.
const OURS: &str = "REPRO_";

/// The environment as it was when the run was opened.
#[derive(Default)]
pub(crate) struct Environment {
    variables: BTreeMap<String, String>,
    /// Where to look for a manifest, the likeliest place first.
    #[cfg_attr(
        not(feature = "manifest"),
        expect(dead_code, reason = "only a manifest is looked for")
    )]
    pub(crate) places: Vec<PathBuf>,
    /// Where artifacts go when nothing says otherwise.
    pub(crate) current_dir: PathBuf,
}

impl Environment {
    /// Reads it.
    #[allow(clippy::disallowed_methods, reason = "this is the room for it")]
    pub(crate) fn read() -> Result<Self> {
        let mut variables = BTreeMap::new();
        for (name, value) in env::vars_os() {
            let Ok(name) = name.into_string() else {
                continue;
            };
            if name.starts_with(OURS) {
                let value = value.into_string().map_err(|_| {
                    Error::environment(&name, "is not UTF-8; give it a value that is")
                })?;
                variables.insert(name, value);
            }
        }
        let current_dir =
            env::current_dir().map_err(Error::io("find the current directory", "."))?;
        // `cargo run` sets it; a program started by hand has only its current directory.
        let package = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        Ok(Self {
            variables,
            places: package.into_iter().chain([current_dir.clone()]).collect(),
            current_dir,
        })
    }

    /// A variable's value.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// A variable's value, or an error that names it.
    pub(crate) fn require(&self, name: &str) -> Result<&str> {
        self.get(name).ok_or_else(|| {
            Error::environment(
                name,
                format!(
                    "is not set although {} is; `cargo repro` sets both",
                    crate::protocol::PROTOCOL
                ),
            )
        })
    }

    /// The variables that begin with `prefix`, by the rest of their names as [`variable`] spells
    /// it.
    pub(crate) fn with_prefix(&self, prefix: &str) -> Result<BTreeMap<String, &str>> {
        let mut found = BTreeMap::new();
        for (name, value) in &self.variables {
            let Some(rest) = name.strip_prefix(prefix) else {
                continue;
            };
            if found.insert(variable("", rest), value.as_str()).is_some() {
                return Err(Error::environment(
                    name,
                    "is set twice, in upper and in lower case; unset one",
                ));
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
impl Environment {
    /// An environment of these variables and nothing else.
    pub(crate) fn of(variables: &[(&str, &str)]) -> Self {
        Self {
            variables: variables
                .iter()
                .map(|&(name, value)| (name.into(), value.into()))
                .collect(),
            ..Self::default()
        }
    }
}
