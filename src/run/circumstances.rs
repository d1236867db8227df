//! The circumstances of a training: everything around a program that is not its input. A normal run has the
//! normal ones; to find what an outcome depends on, one of them is changed at a time.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::lockfile::Record;
use crate::project::manifest::{Clock, Entropy, Manifest};
use crate::sandbox::entropy::Numbering;
use crate::sandbox::{Conditions, PLACE};

/// What a program finds around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Circumstances {
    /// What is answered in the system's place.
    pub conditions: Conditions,
    /// Where the work directory seems to lie.
    pub place: PathBuf,
    /// The name of its home in the work directory.
    pub home: String,
    /// Variables in place of the pinned ones; an empty one takes it away.
    pub variables: BTreeMap<String, String>,
    /// The time of its sources' and data's last change, in seconds since 1970, or that of their staging.
    pub file_time: Option<i64>,
    /// Whether it finds copies of its data, which are other files with the same bytes.
    pub copies: bool,
}

impl Default for Circumstances {
    fn default() -> Self {
        Self {
            conditions: Conditions::default(),
            place: PathBuf::from(PLACE),
            home: "home".to_owned(),
            variables: BTreeMap::new(),
            file_time: None,
            copies: false,
        }
    }
}

impl Circumstances {
    /// These with all that another has changed of the base.
    #[must_use]
    pub fn with(&self, base: &Self, other: &Self) -> Self {
        fn pick<T: PartialEq + Clone>(this: &T, base: &T, other: &T) -> T {
            if other == base { this.clone() } else { other.clone() }
        }
        let (this, base_conditions, others) = (&self.conditions, &base.conditions, &other.conditions);
        let mut variables = self.variables.clone();
        let changed = other.variables.iter().filter(|(name, value)| base.variables.get(*name) != Some(value));
        variables.extend(changed.map(|(name, value)| (name.clone(), value.clone())));
        macro_rules! picked {
            ($($field:ident),*) => {
                Conditions { $($field: pick(&this.$field, &base_conditions.$field, &others.$field)),* }
            };
        }
        Self {
            conditions: picked!(
                entropy,
                numbering,
                clock,
                tick,
                fixed_addresses,
                directories,
                processors,
                told_processors,
                delays,
                turns,
                drawn_alike,
                niceness,
                canned,
                hostname,
                user,
                umask,
                skipped_pids,
                padding,
                variables,
                written,
                sight
            ),
            place: pick(&self.place, &base.place, &other.place),
            home: pick(&self.home, &base.home, &other.home),
            variables,
            file_time: pick(&self.file_time, &base.file_time, &other.file_time),
            copies: pick(&self.copies, &base.copies, &other.copies),
        }
    }

    /// The normal ones: as the manifest says of entropy and the clock, whose date is `date`.
    #[must_use]
    pub fn of(manifest: &Manifest, date: Option<i64>) -> Self {
        let mut circumstances = Self::default();
        if manifest.determinism.entropy == Entropy::Seeded {
            circumstances.conditions.entropy = Some(format!("repro entropy v1 {}", manifest.seed));
        }
        if manifest.determinism.clock == Clock::Frozen {
            circumstances.conditions.clock = date;
        }
        circumstances
    }

    /// Those under which a lock was recorded.
    #[must_use]
    pub fn as_recorded(manifest: &Manifest, record: Record) -> Self {
        let mut circumstances = Self::of(manifest, record.date);
        if circumstances.conditions.entropy.is_some() {
            circumstances.conditions.numbering = record.draws.unwrap_or(Numbering::First);
        }
        circumstances
    }

    /// By what answers to requests for entropy are counted, where they are not the system's.
    #[must_use]
    pub fn numbering(&self) -> Option<Numbering> {
        self.conditions.entropy.as_ref().map(|_| self.conditions.numbering)
    }
}
