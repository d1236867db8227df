//! Names of the manifest: which may be, and lists of them in their one order.

use std::collections::BTreeMap;

use toml::Spanned;

use super::origin::Origin;
use crate::error::Result;

/// Names become environment variables; two that become the same one would hide each other.
pub(super) struct Variables {
    prefix: &'static str,
    seen: BTreeMap<String, String>,
}

impl Variables {
    pub(super) fn new(prefix: &'static str) -> Self {
        Self {
            prefix,
            seen: BTreeMap::new(),
        }
    }

    pub(super) fn add(&mut self, origin: &Origin<'_>, name: &Spanned<String>) -> Result<()> {
        let text = name.get_ref();
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        if text.is_empty() || !text.chars().all(plain) {
            let what = "a name is made of letters, digits, `_`, `-` and `.`";
            return Err(origin.at(name, what, "not such a name"));
        }
        let variable = repro::protocol::variable(self.prefix, text);
        if let Some(other) = self.seen.insert(variable.clone(), text.clone()) {
            let what = format!("`{other}` and `{text}` would both be the variable {variable}");
            return Err(origin.at(name, what, "rename one of them"));
        }
        Ok(())
    }
}

/// In the order of the lock, each once.
pub(super) fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names.dedup();
    names
}

/// Without their places.
pub(super) fn plain(texts: &[Spanned<String>]) -> Vec<String> {
    texts.iter().map(|text| text.get_ref().clone()).collect()
}
