//! SLSA Verification Summary v1: that the artifacts were held against the lock and passed, for tools that
//! want no more than that. It follows <https://slsa.dev/verification_summary/v1>, of SLSA 1.1; it decides
//! nothing here.

use data_encoding::BASE64URL_NOPAD;
use serde_json::json;

use super::provenance;
use super::reproduction::Reproduction;
use super::statement::{Statement, Subject};
use super::time;
use crate::digest::Digest;

/// Its type.
pub const TYPE: &str = "https://slsa.dev/verification_summary/v1";

/// What was verified. No level of SLSA's build track was: that is about who builds, and not about what.
pub const LEVELS: [&str; 2] = ["CARGO_REPRO_REPRODUCED", "SLSA_BUILD_LEVEL_UNEVALUATED"];

/// The first version of SLSA that knows a level which was not evaluated.
const SLSA: &str = "1.1";

/// The summary of a training that was reproduced. The lock is the policy. `repository` is where others
/// can get the commit.
#[must_use]
pub fn statement(
    subject: Vec<Subject>,
    lock_file: Digest,
    about: &Reproduction,
    repository: Option<&str>,
) -> Statement {
    let lock = named_by_digest(lock_file);
    let resource = repository.and_then(|repository| provenance::source_uri(repository, &about.commit));
    let (tool, version) = about.tool.split_once(' ').unwrap_or((&about.tool, ""));
    let predicate = json!({
        "verifier": {"id": provenance::BUILDER, "version": {tool: version}},
        "timeVerified": time::text(about.finished),
        "resourceUri": resource.as_ref().unwrap_or(&lock),
        "policy": {"uri": lock, "digest": {"sha256": lock_file.hex()}},
        "verificationResult": "PASSED",
        "verifiedLevels": LEVELS,
        "slsaVersion": SLSA,
    });
    Statement {
        subject,
        predicate_type: TYPE.to_owned(),
        predicate,
    }
}

/// A URI for bytes wherever they are kept (RFC 6920).
fn named_by_digest(digest: Digest) -> String {
    format!("ni:///sha-256;{}", BASE64URL_NOPAD.encode(digest.raw()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_is_named_as_rfc_6920_says() {
        // The RFC's own example.
        let name = named_by_digest(Digest::of("Hello World!"));
        assert_eq!(name, "ni:///sha-256;f4OxZX_x_FO5LcGBSKHWXfwtSx-j1ncoSt3SABJtkGk");
    }
}
