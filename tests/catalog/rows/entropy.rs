//! N01 to N12, N45, N48, N51 and N52: the kernel's entropy, whoever asks for it.

use crate::bench::cpu_flag;
use crate::row::{Row, cured, explained, named, varies};

const ENTROPY: &[&str] = &["process-entropy"];

pub fn rows() -> Vec<Row> {
    [drawn(), seeded()].concat()
}

fn drawn() -> Vec<Row> {
    let entropy = |id, name, program| named(id, name).program(program).must(ENTROPY);
    vec![
        entropy("N01", "keys in the order of a map", "hash-order"),
        entropy("N02", "a map written as JSON", "hash-json"),
        entropy("N03", "classes in the order of a set", "hash-labels"),
        entropy("N04", "ties broken by a map", "hash-ties"),
        entropy("N05", "a sum in the order of a map", "hash-sum"),
        entropy("N06", "a generator seeded by the system call", "raw-entropy"),
        entropy("N06", "rand's generator of the thread", "thread-rng").library("thread-rng"),
        entropy("N07", "a constructor that seeds itself", "default-seed"),
        entropy("N08", "the device", "urandom"),
        entropy("N09", "a UUID", "uuid"),
        // No mechanism sees the instruction being carried out; that the program has it can be seen.
        explained("N11", "the CPU's generator")
            .program("rdrand")
            .lacks(|| cpu_flag("rdrand"))
            .must(ENTROPY),
        varies("N45", "one run in thirty").program("rare").must(ENTROPY),
        entropy("N48", "a branch taken at random", "select"),
        entropy("N51", "two draws in two places", "two-generators"),
        named("N52", "a difference that the metrics hide")
            .program("masked")
            .must(&["process-entropy", "divergence/artifact-changed model.json"])
            .never(&["divergence/metric-changed", "divergence/artifact-changed metrics.json"]),
    ]
}

/// With `entropy = "seeded"` the same programs reproduce.
fn seeded() -> Vec<Row> {
    let seeded = |id, program| {
        cured(id, "seeded")
            .program(program)
            .prepare(|it| it.manifest("[determinism]\nentropy = \"seeded\""))
    };
    vec![
        seeded("N01", "hash-order"),
        seeded("N05", "hash-sum"),
        seeded("N06", "raw-entropy"),
        seeded("N08", "urandom"),
        seeded("N09", "uuid"),
        seeded("N45", "rare"),
        seeded("N48", "select"),
        seeded("N51", "two-generators"),
    ]
}
