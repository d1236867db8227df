//! What may be released: the gate, and signed statements of what was reproduced.

pub mod attestation;
pub mod gate;
