//! Why an outcome is not what it was: freeze everything that could differ between two runs, change one
//! factor at a time, and see which one the outcome follows. A factor is blamed only for what it was seen
//! to do, never because it changed.

pub mod builds;
pub mod cure;
pub mod explain;
pub mod factor;
pub mod locate;
pub mod parts;
pub mod race;
pub mod remains;
pub mod search;
pub mod sentences;
pub mod trial;
pub mod variation;
pub mod vary;
pub mod workshop;

pub use factor::Factor;
pub use vary::Tested;
