//! N35 to N38: another program from each build.

use crate::row::{Row, contained, explained, steady};

pub fn rows() -> Vec<Row> {
    vec![
        explained("N35", "the time of the build")
            .program("stamp")
            .prepare(|it| it.build_script("clock"))
            .must(&["clock", "notes/binary-changed"]),
        contained("N36", "a number for each build, unless a variable says which")
            .program("stamp")
            .prepare(|it| it.build_script("const-random")),
        explained("N36", "a number for each build")
            .program("stamp")
            .prepare(|it| it.build_script("entropy"))
            .must(&["process-entropy", "notes/binary-changed"]),
        explained("N37", "a macro that iterates over a map")
            .program("macro-order")
            .prepare(|it| it.macros())
            .must(&["process-entropy", "notes/binary-changed"]),
        steady("N38", "a type's id").program("type-id"),
    ]
}
