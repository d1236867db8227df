//! What the kernel says of a path, enough to tell that its content was not changed since: what git's
//! index keeps too. One that is too young is never believed, since a file may change again within
//! the same timestamp.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rustix::fs::Stat;
use serde::{Deserialize, Serialize};

/// A file younger than this when it was read may change again within the same timestamp.
const RACY_NS: i64 = 20_000_000;

/// The same where timestamps are whole seconds, of which some file systems know every other one only.
const RACY_OF_SECONDS_NS: i64 = 2 * SECOND_NS;

const SECOND_NS: i64 = 1_000_000_000;

/// Device, inode, size and both times of a file or a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatData {
    device: u64,
    inode: u64,
    /// In bytes.
    pub size: u64,
    modified_ns: i64,
    changed_ns: i64,
}

impl StatData {
    /// The stat data of what `path` leads to; `None` where there is nothing.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        std::fs::metadata(path).ok().map(|meta| Self::of_metadata(&meta))
    }

    /// The stat data of `path` itself, be it a link; `None` where there is nothing.
    #[must_use]
    pub fn of_itself(path: &Path) -> Option<Self> {
        std::fs::symlink_metadata(path).ok().map(|meta| Self::of_metadata(&meta))
    }

    fn of_metadata(meta: &std::fs::Metadata) -> Self {
        Self {
            device: meta.dev(),
            inode: meta.ino(),
            size: meta.size(),
            modified_ns: ns(meta.mtime(), meta.mtime_nsec()),
            changed_ns: ns(meta.ctime(), meta.ctime_nsec()),
        }
    }

    /// The same, from what the kernel said already.
    #[must_use]
    #[allow(
        clippy::unnecessary_cast,
        clippy::cast_lossless,
        reason = "the fields' types are the platform's"
    )]
    pub fn of_stat(stat: &Stat) -> Self {
        Self {
            device: stat.st_dev as u64,
            inode: stat.st_ino as u64,
            size: u64::try_from(stat.st_size).unwrap_or(0),
            modified_ns: ns(stat.st_mtime as i64, stat.st_mtime_nsec as i64),
            changed_ns: ns(stat.st_ctime as i64, stat.st_ctime_nsec as i64),
        }
    }

    /// Whether it might not tell of a change after `read_at_ns`, in nanoseconds since 1970.
    #[must_use]
    pub fn is_racy(self, read_at_ns: i64) -> bool {
        let is_whole = self.modified_ns % SECOND_NS == 0 && self.changed_ns % SECOND_NS == 0;
        let window = if is_whole { RACY_OF_SECONDS_NS } else { RACY_NS };
        self.modified_ns.max(self.changed_ns) > read_at_ns - window
    }
}

fn ns(seconds: i64, rest: i64) -> i64 {
    seconds.saturating_mul(SECOND_NS).saturating_add(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stat_data_is_believed_once_its_clock_must_have_gone_on() {
        let stat = |changed_ns| StatData {
            device: 1,
            inode: 2,
            size: 3,
            modified_ns: 5 * SECOND_NS,
            changed_ns,
        };
        let fine = stat(7 * SECOND_NS + 1);
        assert!(fine.is_racy(7 * SECOND_NS + RACY_NS) && !fine.is_racy(7 * SECOND_NS + RACY_NS + 1));
        // What looks like a whole second may be the clock of a file system that counts in these.
        let coarse = stat(7 * SECOND_NS);
        assert!(coarse.is_racy(9 * SECOND_NS - 1) && !coarse.is_racy(9 * SECOND_NS));
    }
}
