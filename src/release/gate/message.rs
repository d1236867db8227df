//! What a release's tag says, as trailers at the end of its message: the lock, the verdict, and the platform
//! class on which it was given. Only the lock's id decides anything; the rest is for people, and signed with
//! it.

use std::collections::BTreeSet;

use crate::digest::Digest;

const LOCK: &str = "Repro-Lock";
const VERDICT: &str = "Repro-Verdict";
const CLASS: &str = "Repro-Class";

/// The message of a tag.
#[must_use]
pub fn message(words: &str, lock: Digest, verdict: &str, classes: &[String]) -> String {
    let words = words.trim_end();
    let mut text = format!("{words}\n\n{LOCK}: {lock}\n{VERDICT}: {verdict}\n");
    for class in classes {
        text += &format!("{CLASS}: {class}\n");
    }
    text
}

/// Every lock that a message names. The signature at its end is none of its words.
#[must_use]
pub fn locks(message: &str) -> BTreeSet<Digest> {
    let words = message.split("\n-----BEGIN ").next().unwrap_or_default();
    let lock = |line: &str| {
        let (key, value) = line.split_once(':')?;
        if key.eq_ignore_ascii_case(LOCK) {
            value.trim().parse().ok()
        } else {
            None
        }
    };
    words.lines().filter_map(lock).collect()
}

/// Whether a message ends with a signature, of whatever kind git knows.
#[must_use]
pub fn is_signed(message: &str) -> bool {
    let begins = ["PGP SIGNATURE", "PGP MESSAGE", "SSH SIGNATURE", "SIGNED MESSAGE"];
    message
        .lines()
        .any(|line| begins.iter().any(|kind| line == format!("-----BEGIN {kind}-----")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_that_is_written_is_the_lock_that_is_read() {
        let lock = Digest::of("lock");
        let text = message("wine 1.2.0", lock, "reproduced", &["x86_64, glibc 2.36".to_owned()]);
        assert_eq!(locks(&text), BTreeSet::from([lock]));
        let signed = format!("{text}-----BEGIN SSH SIGNATURE-----\nRepro-Lock: {}\n", Digest::of("other"));
        assert_eq!(locks(&signed), BTreeSet::from([lock]), "a signature is no word of the message");
        assert!(is_signed(&signed) && !is_signed(&text));
    }

    #[test]
    fn two_locks_in_one_message_are_two() {
        let text = format!("v1\n\nRepro-Lock: {}\nrepro-lock: {}\n", Digest::of("a"), Digest::of("b"));
        assert_eq!(locks(&text).len(), 2);
        assert!(locks("v1\n\nRepro-Lock: sha256:12\n").is_empty());
    }
}
