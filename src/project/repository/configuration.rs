//! The repository's own configuration, as opposed to that of its user: whoever made the repository wrote it.

use std::path::PathBuf;

use git2::ConfigLevel;

use super::{Repository, unreadable};
use crate::error::Result;
use crate::os::env;

impl Repository {
    /// Every key and value of the repository's own configuration, with all that it includes, in git's order.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn own_configuration(&self) -> Result<Vec<(String, String)>> {
        let broken = |error: git2::Error| unreadable(&self.root, &error);
        let configuration = self.git.config().map_err(broken)?;
        let mut found = Vec::new();
        let mut entries = configuration.entries(None).map_err(broken)?;
        while let Some(entry) = entries.next() {
            let entry = entry.map_err(broken)?;
            let is_own = matches!(entry.level(), ConfigLevel::Local | ConfigLevel::Worktree | ConfigLevel::App);
            let name = String::from_utf8_lossy(entry.name_bytes()).into_owned();
            // A key without a value is a switch that is on.
            let value = if entry.has_value() {
                String::from_utf8_lossy(entry.value_bytes()).into_owned()
            } else {
                "true".to_owned()
            };
            if is_own {
                found.push((name, value));
            }
        }
        Ok(found)
    }

    /// Where its hooks are by its own configuration; none if that does not say.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn own_hooks_path(&self) -> Result<Option<PathBuf>> {
        let own = self.own_configuration()?.into_iter();
        let named = own.rev().find(|(key, _)| key.eq_ignore_ascii_case("core.hookspath"));
        Ok(named.map(|(_, path)| match path.strip_prefix("~/") {
            Some(inner) => env::home().join(inner),
            None => self.root.join(path),
        }))
    }

    /// The directory of its objects.
    #[must_use]
    pub fn objects(&self) -> PathBuf {
        self.git.commondir().join("objects")
    }

    /// The directory of its hooks, unless something else is configured.
    #[must_use]
    pub fn usual_hooks(&self) -> PathBuf {
        self.git.commondir().join("hooks")
    }
}
