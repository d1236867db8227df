//! N10, N12 to N16 and N47: clocks of every kind.

use crate::row::{Row, cured, explained, named};

const CLOCK: &[&str] = &["clock"];

pub fn rows() -> Vec<Row> {
    let clock = |id, name, program| named(id, name).program(program).must(CLOCK);
    let frozen = |id, program| {
        cured(id, "frozen")
            .program(program)
            .prepare(|it| it.manifest("[determinism]\nclock = \"frozen\""))
    };
    vec![
        clock("N10", "a generator seeded by the monotonic clock", "instant-seed"),
        clock("N10", "fastrand", "fast-generator").library("fast-generator"),
        clock("N12", "the time stamp counter", "rdtsc"),
        clock("N13", "the time as a seed", "clock-seed"),
        clock("N14", "the time in one field", "clock-field")
            .must(&["clock", "divergence/metric-changed created_at"])
            .never(&["divergence/artifact-changed model.json"]),
        clock("N15", "the time in an archive's header", "archive"),
        // The kernel writes this time, so that no clock the program is given reaches it.
        explained("N15", "the time of a file that was just written")
            .program("archive-times")
            .must(&["clock | file-times"])
            .may(&["clock", "file-times"]),
        clock("N16", "as much as fits into a time", "early-stop").may(&["scheduling", "thread-count"]),
        clock("N47", "what does not come in time", "timeout").must(&["clock | scheduling"]).may(&[
            "clock",
            "scheduling",
            "thread-count",
        ]),
        frozen("N13", "clock-seed"),
        frozen("N14", "clock-field"),
        frozen("N15", "archive"),
    ]
}
