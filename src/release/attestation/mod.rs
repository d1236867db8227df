//! What is signed of a reproduction, and what a signature is worth: keys, envelopes, statements, and the
//! rules by which attestations count. Values in, values out; only the key's own file is read and written
//! here. Where attestations are kept, and what is made of too few of them, is for others.

pub mod check;
pub mod envelope;
pub mod flaw;
pub mod json;
pub mod key;
pub mod key_file;
pub mod passphrase;
pub mod pem;
pub mod provenance;
pub mod quorum;
pub mod reproduction;
pub mod statement;
pub mod summary;
#[cfg(test)]
mod tests;
pub mod time;

pub use check::{AllowedKey, Expectation, Vouched, check, expected_outcome};
pub use envelope::{Envelope, Signature};
pub use flaw::Flaw;
pub use key::{PublicKey, SigningKey};
pub use quorum::{Lacking, quorum};
pub use reproduction::Reproduction;
pub use statement::{Statement, Subject};
