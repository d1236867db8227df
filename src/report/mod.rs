//! From values to text, one file a format. Pure: nothing here reads a file or prints.

pub mod data;
pub mod diagnosis;
pub mod explanation;
pub mod finding;
mod gate;
pub mod human;
pub mod json;
pub mod lock;
pub mod log;
