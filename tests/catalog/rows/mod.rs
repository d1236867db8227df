//! The table, one file a subject.

mod addresses;
mod builds;
mod clocks;
mod combined;
mod compiler;
mod data;
mod entropy;
mod harmless;
mod outputs;
mod source;
mod surroundings;
mod threads;

use crate::row::Row;

/// Every row, in the order of the subjects.
pub fn all() -> Vec<Row> {
    [
        data::rows(),
        source::rows(),
        compiler::rows(),
        surroundings::rows(),
        outputs::rows(),
        entropy::rows(),
        clocks::rows(),
        addresses::rows(),
        threads::rows(),
        builds::rows(),
        combined::rows(),
        harmless::rows(),
    ]
    .concat()
}
