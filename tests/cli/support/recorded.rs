//! Packages that are recorded once and then copied: recording costs a second, a copy nothing, and a
//! lock has no path in it, so that the copy is as good as the original.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock};

use super::{Answer, Project, copy};

const PREFIX: &str = "repro-recorded-";

impl Project {
    /// A copy of `fixtures/programs/NAME`, committed, recorded, and committed again.
    pub fn recorded(name: &str) -> Self {
        Self::recorded_as(name, || Self::fixture(name))
    }

    /// A copy of what `make` gives, recorded and committed; it is made once for each name.
    pub fn recorded_as(name: &str, make: impl FnOnce() -> Self) -> Self {
        static PLACES: Mutex<BTreeMap<String, &'static OnceLock<PathBuf>>> = Mutex::new(BTreeMap::new());
        let place = *PLACES
            .lock()
            .unwrap()
            .entry(name.to_owned())
            .or_insert_with(|| Box::leak(Box::new(OnceLock::new())));
        let original = place.get_or_init(|| {
            let project = make();
            project.record();
            let kept = kept_for_this_process().join(name);
            copy(&project.root, &kept);
            kept
        });
        Self::copy_of(original)
    }

    /// The same command for people and for programs. Both must end alike; with that, one text of the
    /// two for a snapshot.
    #[track_caller]
    pub fn both(&self, args: &[&str]) -> Both {
        self.both_after(args, || {})
    }

    /// As [`Project::both`], with something to be done again before each of the two.
    #[track_caller]
    pub fn both_after(&self, args: &[&str], prepare: impl Fn()) -> Both {
        prepare();
        let human = self.repro(args);
        prepare();
        let json = self.json(args);
        assert_eq!(human.code, json.code, "{}\n{}", human.text(), json.text());
        assert_eq!(json.verdict()["exit_code"], json.code.unwrap());
        let snapshot = format!("$ cargo repro {}\n{}\n{}", args.join(" "), human.text(), json.messages());
        Both { human, json, snapshot }
    }
}

/// Two answers to the same question.
pub struct Both {
    pub human: Answer,
    pub json: Answer,
    /// Both as one text.
    pub snapshot: String,
}

/// A folder that later processes remove when this one has ended.
fn kept_for_this_process() -> PathBuf {
    let temp = std::env::temp_dir();
    for entry in std::fs::read_dir(&temp).unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let process = name.strip_prefix(PREFIX).filter(|id| id.parse::<u32>().is_ok());
        if process.is_some_and(|id| !Path::new("/proc").join(id).exists()) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
    temp.join(format!("{PREFIX}{}", std::process::id()))
}
