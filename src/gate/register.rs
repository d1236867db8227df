//! Which object each release tag was when this repository first knew it to be on a remote (or, for a server,
//! to be here). A tag that is another one later was moved, whatever else holds. Kept beside git's own files,
//! for all work trees; losing it loses that knowledge and nothing else.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::lockfile;
use crate::repository::{ObjectId, Repository};

const FILE: &str = "tags.json";
const VERSION: u32 = 1;

/// The tags that were seen.
#[derive(Debug)]
pub struct Register {
    path: PathBuf,
    kept: Kept,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Kept {
    version: u32,
    tags: BTreeMap<String, String>,
}

impl Register {
    /// What was kept; nothing where that cannot be read.
    #[must_use]
    pub fn load(repository: &Repository) -> Self {
        let path = repository.shared_directory().join(FILE);
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let kept = serde_json::from_str(&text).ok().filter(|kept: &Kept| kept.version == VERSION);
        Self {
            path,
            kept: kept.unwrap_or_default(),
        }
    }

    /// The object that a tag was first.
    #[must_use]
    pub fn first(&self, tag: &str) -> Option<ObjectId> {
        self.kept.tags.get(tag).and_then(|id| ObjectId::from_hex(id))
    }

    /// Keeps what a tag is, unless it is known already.
    pub fn enter(&mut self, tag: &str, object: ObjectId) {
        if self.first(tag).is_some() {
            return;
        }
        self.kept.version = VERSION;
        self.kept.tags.insert(tag.to_owned(), object.to_string());
        let text = serde_json::to_string_pretty(&self.kept).expect("names and ids are text");
        // Where it cannot be written (a read-only clone), the next look is a first one again.
        let directory = self.path.parent().map(std::fs::create_dir_all);
        if matches!(directory, Some(Ok(()))) {
            let _ = lockfile::replace(&self.path, text.as_bytes());
        }
    }
}
