//! Why a tag is no release, each case with its values. The words for them are
//! [`crate::report::finding`]'s.

use crate::compare::Drift;
use crate::digest::Digest;
use crate::project::repository::{Commit, ObjectId};
use crate::release::attestation::{Flaw, Lacking};
use crate::run::copies::Copied;

/// A reason to say no.
#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    /// Something is wrong with the tag itself.
    Tag(TagFault),
    /// Something is wrong with what it points to, or with the lock and the policy there.
    Commit(CommitFault),
    /// Something in the tagged commit is not as locked.
    Drift(Box<Drift>),
    /// Too few valid attestations.
    AttestationsLacking(Lacking),
    /// An attestation that would have been needed is not valid.
    Attestation {
        /// Where it is.
        origin: String,
        /// What is wrong with it.
        flaw: Flaw,
    },
}

/// What is wrong with a tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TagFault {
    /// There is none of that name here.
    Missing {
        /// Whether the clone is shallow.
        shallow: bool,
    },
    /// A push would take it away.
    Deleted,
    /// It is a mere name of a commit.
    Lightweight,
    /// It was made under another name.
    Renamed {
        /// That name.
        made_as: String,
        /// The one that it has.
        tag: String,
    },
    /// It points to something that is no commit.
    Target {
        /// What it is: `tree`, `blob` or `tag`.
        kind: &'static str,
    },
    /// It is another object than it was.
    Moved {
        /// Where it is, or was, that other object.
        place: Place,
        /// As it was seen first.
        first: ObjectId,
        /// As it is now.
        found: ObjectId,
    },
    /// It is not signed, and must be.
    Unsigned,
    /// Its signature is not valid, or of somebody who may not sign.
    Signature {
        /// What git says.
        why: String,
    },
    /// It and the package's version do not agree.
    VersionOther {
        /// What it would be called.
        expected: String,
        /// What it is called.
        tag: String,
    },
    /// The package's version cannot be told.
    VersionUnknown {
        /// Why.
        why: String,
    },
}

/// What is wrong with a commit, or with the lock and the policy in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommitFault {
    /// It is not in this clone.
    Missing {
        /// Which.
        commit: String,
        /// What it is: what the tag points to, or what the lock was recorded at.
        role: &'static str,
        /// Whether the clone is shallow.
        shallow: bool,
    },
    /// The commit that the lock names has other files than it pins.
    Other {
        /// That commit.
        commit: Commit,
        /// The first file that is not as locked.
        path: String,
    },
    /// The policy cannot be read.
    PolicyUnreadable {
        /// Where it was looked for.
        origin: String,
        /// Why.
        why: String,
    },
    /// There is no lock.
    LockMissing {
        /// Where it would be.
        path: String,
    },
    /// The lock, or the manifest, cannot be read.
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        why: String,
    },
    /// The lock in the work tree is not the committed one.
    LockUncommitted,
    /// The tag's message names no lock.
    LockUnnamed,
    /// The tag's message names another lock than that in the commit.
    LockOther {
        /// Those that it names.
        named: Vec<Digest>,
        /// The one that is there.
        found: Digest,
    },
    /// An artifact has the very bytes of an input, and the policy does not let it.
    Copied(Copied),
    /// The lock was recorded with uncommitted changes.
    LockDirty,
    /// The lock stands on too few trainings.
    LockUnconfirmed {
        /// On so many.
        runs: u32,
        /// So many must be.
        wanted: u32,
    },
}

/// Where a tag was seen as another object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Here, earlier.
    Earlier,
    /// On this remote, now.
    Remote(String),
}

impl Refusal {
    /// Whether it is a signature or an attestation that is not valid.
    #[must_use]
    pub fn is_invalidity(&self) -> bool {
        matches!(self, Self::Tag(TagFault::Signature { .. }) | Self::Attestation { .. })
    }
}
