//! N22 to N30, N40 to N43 and N50: how many threads there are, and who comes first.

use crate::bench::two_processors;
use crate::row::{Row, held, named};

pub fn rows() -> Vec<Row> {
    // On one processor threads take turns, so that how many there are decides who comes first, too.
    let race = |id, name, program| {
        named(id, name)
            .program(program)
            .lacks(two_processors)
            .must(&["scheduling"])
            .may(&["thread-count"])
    };
    let either = |id, name, program| race(id, name, program).must(&["scheduling | thread-count"]).may(&["scheduling"]);
    let count = |id, name, program| held(id, name).program(program).must(&["thread-count"]);
    vec![
        count("N22", "a sum in as many shares as processors", "float-sum"),
        either("N22", "rayon's sum", "float-sum").library("float-sum"),
        either("N23", "a seed for each piece of work", "worker-seeds"),
        either("N23", "rayon's map_init", "worker-seeds").library("worker-seeds"),
        race("N24", "one iterator for all", "bridge"),
        either("N24", "rayon's par_bridge", "bridge").library("bridge"),
        race("N25", "floats added to an atomic", "atomic-float"),
        race("N26", "a channel", "arrival"),
        race("N27", "a list behind a lock", "mutex-push"),
        race("N28", "the first that is found", "find-any"),
        count("N29", "chunks by processors", "thread-count"),
        count("N30", "chunks by a variable", "thread-variable").may(&["environment"]),
        count("N30", "chunks by rayon's threads", "chunks").library("chunks"),
        either("N40", "the processor's number", "cpu-number"),
        race("N41", "processes that write to one file", "children"),
        count("N42", "a library's threads", "blas-threads").may(&["environment"]),
        race("N43", "floats added by turns", "accumulate"),
        race("N50", "the first initialises", "first-wins"),
        // The function that draws, and that threads race for it.
        race("N50", "the first draws the seed of all", "lazy-seed")
            .prepare(|it| it.manifest("[determinism]\nentropy = \"seeded\""))
            .must(&["scheduling seed_of_all"])
            .says(&["it was drawn once, by "]),
        // The system's numbers are as good in any thread; which one draws them is no cause beside them.
        race("N06", "a seed that several threads race to draw", "lazy-seed")
            .must(&["process-entropy seed_of_all"])
            .says(&["it was drawn once, by "]),
    ]
}
