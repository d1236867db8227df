//! Why a tag is no release, in words.

use super::{Words, inputs};
use crate::release::gate::refusal::{CommitFault, Place, Refusal, TagFault};

/// The word for a refusal and what is said of it.
pub(super) fn refusal_words(refusal: &Refusal) -> Words {
    match refusal {
        Refusal::Drift(drift) => inputs::drift_words(drift),
        Refusal::Attestation { origin, flaw } => Words::new("attestation-invalid", origin, flaw.words())
            .hint("attest anew with `cargo repro attest` on a machine that has an allowed key"),
        Refusal::AttestationsLacking(lacking) => {
            let classes = if lacking.distinct_classes {
                ", each of another platform class"
            } else {
                ""
            };
            let detail = "too few allowed keys vouch that the model was reproduced from this lock";
            Words::new("attestations-lacking", "attestations", format!("{detail}{classes}"))
                .values(Some(lacking.wanted), Some(lacking.found))
                .hint("`cargo repro attest` signs one; `git fetch origin refs/notes/cargo-repro:refs/notes/cargo-repro` brings those of others")
        }
        Refusal::Tag(fault) => of_tag(fault),
        Refusal::Commit(fault) => of_commit(fault),
    }
}

const MAKE: &str = "`cargo repro tag NAME`, with a name that no tag has, makes one after it has reproduced the model";
const DEEPEN: &str = "this clone is shallow; `git fetch --unshallow --tags` brings the rest";

fn of_tag(fault: &TagFault) -> Words {
    match fault {
        TagFault::Missing { shallow } => {
            let words = Words::new("tag-missing", "tag", "there is no such tag in this clone");
            words.hint(if *shallow {
                DEEPEN
            } else {
                "`git fetch --tags` brings those of the remote"
            })
        }
        TagFault::Deleted => {
            Words::new("tag-deleted", "tag", "the push would delete a release, and another could take its name")
                .hint("whoever must, does it where the repository lies")
        }
        TagFault::Lightweight => {
            let detail =
                "the tag is lightweight: a mere name of a commit, which says nothing of a lock and which nobody signed";
            Words::new("tag-lightweight", "tag", detail).hint(MAKE)
        }
        TagFault::Renamed { made_as, tag } => {
            let detail = "the tag was made under another name, and put under this one afterwards";
            Words::new("tag-renamed", "tag", detail).values(Some(made_as), Some(tag)).hint(MAKE)
        }
        TagFault::Target { kind } => {
            let detail = format!("the tag points to a {kind} and not to a commit");
            Words::new("tag-target", "tag", detail).hint(MAKE)
        }
        TagFault::Moved { place, first, found } => {
            let detail = match place {
                Place::Earlier => "the tag is another object than when it was first seen here".to_owned(),
                Place::Remote(remote) => format!("{remote} has another object under this tag"),
            };
            Words::new("tag-moved", "tag", detail)
                .values(Some(first), Some(found))
                .hint("a release keeps its tag; give the new one a name of its own")
        }
        TagFault::Unsigned => {
            Words::new("tag-unsigned", "tag", "the tag is not signed, and the policy names who must sign")
                .hint("`git config user.signingkey KEY` says which key you sign with, for one of ssh beside `git config gpg.format ssh`; `cargo repro tag NAME` then signs a new tag")
        }
        TagFault::Signature { why } => {
            let lines: Vec<&str> = why.lines().filter(|line| !line.starts_with("[GNUPG:]")).collect();
            let said = lines.join("; ");
            let detail = if said.is_empty() {
                "the tag's signature is not a valid one of an allowed signer".to_owned()
            } else {
                format!("the tag's signature is not a valid one of an allowed signer: {said}")
            };
            Words::new("tag-signature", "tag", detail).hint("`signers` under [gate] names who may sign")
        }
        TagFault::VersionOther { expected, tag } => {
            let detail = "the tag is not called as the version of the package would have it";
            Words::new("version-other", "package", detail)
                .values(Some(expected), Some(tag))
                .hint("raise `version` in Cargo.toml and record again, or name the tag after it")
        }
        TagFault::VersionUnknown { why } => {
            Words::new("version-other", "package", format!("the package's version cannot be told: {why}"))
        }
    }
}

fn of_commit(fault: &CommitFault) -> Words {
    match fault {
        CommitFault::Missing { commit, role, shallow } => {
            let words = Words::new("commit-missing", "commit", format!("{commit}, {role}, is not in this clone"));
            words.hint(if *shallow {
                DEEPEN
            } else {
                "fetch it; or record again, if it went with a squashed or rebased branch"
            })
        }
        CommitFault::PolicyUnreadable { origin, why } => Words::new(
            "policy-unreadable",
            origin,
            format!("the policy cannot be read, so nothing is a release: {why}"),
        ),
        CommitFault::LockMissing { path } => Words::new("lock-missing", path, "the tagged commit has no lock")
            .hint("`cargo repro record`, then commit the lock and tag that commit"),
        CommitFault::Unreadable { path, why } => {
            Words::new("lock-unreadable", path, format!("it cannot be read: {why}"))
        }
        CommitFault::LockUncommitted => {
            let detail = "the lock in the work tree is not the committed one";
            Words::new("lock-uncommitted", "repro.lock", detail).hint("commit it, then tag that commit")
        }
        CommitFault::LockUnnamed => {
            Words::new("lock-unnamed", "tag", "its message names no lock, so it does not say what was reproduced")
                .hint(MAKE)
        }
        CommitFault::LockOther { named, found } => {
            let named: Vec<String> = named.iter().map(ToString::to_string).collect();
            let detail = "the tag's message names another lock than the tagged commit has";
            Words::new("lock-other", "tag", detail)
                .values(Some(named.join(", ")), Some(found))
                .hint(MAKE)
        }
        CommitFault::Copied(copied) => super::outputs::copied_words(copied)
            .hint(format!("train it; or, if it is meant, `allow_copied = [\"{}\"]` under [gate]", copied.artifact)),
        CommitFault::LockDirty => {
            let detail = "the lock was recorded with uncommitted changes, so no commit has what it pins";
            Words::new("lock-dirty", "repro.lock", detail).hint("commit them, then `cargo repro record` again")
        }
        CommitFault::LockUnconfirmed { runs, wanted } => {
            let detail = "the lock stands on fewer trainings than the policy asks for";
            Words::new("lock-unconfirmed", "repro.lock", detail)
                .values(Some(wanted), Some(runs))
                .hint(format!("`cargo repro record --confirm {wanted}` trains so often before it writes the lock"))
        }
        CommitFault::Other { commit, path } => {
            let detail = format!(
                "the lock says that it was recorded at {}, which has another {path} than the lock pins",
                commit.short()
            );
            Words::new("commit-other", "repro.lock", detail).hint("`cargo repro record` again")
        }
    }
}
