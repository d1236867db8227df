//! The command line as resolved: every later step reads this and never the arguments.

use std::path::PathBuf;

use crate::cli::args;
use crate::console::Console;
use crate::error::{Error, Result};
use crate::exit_code::ExitCode;
use crate::os::env;
use crate::project::manifest::{FILE, Manifest};
use crate::snapshot::Seed;

/// What every command works with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where to print.
    pub console: Console,
    /// Where relative paths start.
    pub current_directory: PathBuf,
    /// `--manifest-path`
    pub manifest_path: Option<PathBuf>,
    /// `-p`
    pub package: Option<String>,
    /// `--offline`
    pub offline: bool,
}

impl Settings {
    /// Resolves the flags that every command takes.
    ///
    /// # Errors
    /// When there is no current directory.
    pub fn resolve(common: &args::Common) -> Result<Self> {
        Ok(Self {
            console: Console::of(common),
            current_directory: env::current_dir()?,
            manifest_path: common.manifest_path.clone(),
            package: common.package.clone(),
            offline: common.offline,
        })
    }
}

/// Values of the command line that replace the manifest's.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// `--seed`
    pub seed: Option<Seed>,
    /// `-P`, as name and text.
    pub params: Vec<(String, String)>,
}

impl Overrides {
    /// Splits `NAME=VALUE`.
    ///
    /// # Errors
    /// A usage error when there is no `=`.
    pub fn resolve(typed: &args::Overrides) -> Result<Self> {
        let split = |text: &String| {
            text.split_once('=')
                .map(|(name, value)| (name.trim().to_owned(), value.to_owned()))
                .ok_or_else(|| {
                    Error::new(format!("`-P {text}` has no value"))
                        .code(ExitCode::Usage)
                        .hint("write it as `-P max_depth=12`")
                })
        };
        Ok(Self {
            seed: typed.seed.and_then(Seed::new),
            params: typed.params.iter().map(split).collect::<Result<_>>()?,
        })
    }

    /// The manifest with these values in place of its own.
    ///
    /// # Errors
    /// A usage error when a name is not the manifest's, or a value is not of its type.
    pub fn apply(&self, mut manifest: Manifest) -> Result<Manifest> {
        if let Some(seed) = self.seed.filter(|seed| *seed != manifest.seed) {
            manifest.overridden.seed = Some(manifest.seed);
            manifest.seed = seed;
        }
        for (name, text) in &self.params {
            let known: Vec<&str> = manifest.params.keys().map(String::as_str).collect();
            let known = if known.is_empty() {
                "it has none".to_owned()
            } else {
                format!("its parameters are: {}", known.join(", "))
            };
            let param = manifest.params.get_mut(name).ok_or_else(|| {
                Error::new(format!("`-P {name}=…` names no parameter of {FILE}"))
                    .code(ExitCode::Usage)
                    .hint(known)
            })?;
            let given = param.with_text(text).ok_or_else(|| {
                let wanted = param.type_name();
                Error::new(format!("`-P {name}={text}`: {FILE} gives {name} as {wanted}, and this is none"))
                    .code(ExitCode::Usage)
            })?;
            let declared = std::mem::replace(param, given);
            manifest.overridden.params.entry(name.clone()).or_insert(declared);
        }
        let Manifest { params, overridden, .. } = &mut manifest;
        overridden.params.retain(|name, declared| params.get(name) != Some(declared));
        Ok(manifest)
    }

    /// What the command line names, whatever its value: `seed`, `params.NAME`.
    #[must_use]
    pub fn named(&self) -> Vec<String> {
        let seed = self.seed.iter().map(|_| "seed".to_owned());
        seed.chain(self.params.iter().map(|(name, _)| format!("params.{name}"))).collect()
    }
}
