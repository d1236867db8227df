//! Further platform classes: the outcomes of the same inputs on machines of other classes than the one that
//! the lock was recorded on. Whether a machine is of a class is [`crate::snapshot::platform`]'s to say.

use serde::{Deserialize, Serialize};

use super::Lockfile;
use crate::outcome::Outcome;
use crate::snapshot::Platform;

/// What the inputs give on machines of another class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Class {
    /// How many trainings gave this outcome, byte for byte.
    pub runs: u32,
    /// The class.
    pub platform: Platform,
    /// The outputs expected there.
    pub outcome: Outcome,
}

impl Lockfile {
    /// The outcome that is promised on machines of a class; none if the lock does not know the class.
    #[must_use]
    pub fn expected(&self, platform: &Platform) -> Option<&Outcome> {
        let mut known = self.classes_known();
        known.find_map(|(class, _, outcome)| (class == platform).then_some(outcome))
    }

    /// Every class with how many trainings gave which outcome: first the one that the lock was recorded on.
    pub fn classes_known(&self) -> impl Iterator<Item = (&Platform, u32, &Outcome)> {
        let further = self.classes.iter().map(|class| (&class.platform, class.runs, &class.outcome));
        std::iter::once((&self.snapshot.platform, self.record.runs, &self.outcome)).chain(further)
    }

    /// Puts a further class in its place, instead of what was known of it.
    pub fn put_class(&mut self, class: Class) {
        self.classes.retain(|known| known.platform != class.platform);
        let after = |known: &Class| known.platform < class.platform;
        let at = self.classes.partition_point(after);
        self.classes.insert(at, class);
    }
}

/// A class has one outcome, so it stands in a lock once.
pub(super) fn check(main: &Platform, classes: &[Class]) -> Result<(), String> {
    for (at, class) in classes.iter().enumerate() {
        let platform = &class.platform;
        if platform == main || classes[..at].iter().any(|earlier| earlier.platform == *platform) {
            return Err(format!("it has two outcomes of one platform class: {platform}"));
        }
    }
    Ok(())
}
