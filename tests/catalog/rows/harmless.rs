//! Programs that have in them what others fail by, and use it as it should be used. Nothing may be blamed.

use crate::row::{Row, steady};

pub fn rows() -> Vec<Row> {
    let shards = |row: Row| row.prepare(|it| it.data("shards = \"data/shards\""));
    vec![
        steady("H01", "maps that are sorted before they are written").program("harmless-maps"),
        steady("H02", "threads that are joined in their order").program("harmless-threads"),
        steady("H03", "clocks that only say how long it took").program("harmless-clock"),
        steady("H04", "generators that the seed seeds").program("harmless-generators"),
        steady("H05", "surroundings that are looked at").program("harmless-surroundings"),
        shards(steady("H06", "files in the order of their names").program("harmless-files")),
        steady("H07", "every source, and none of them used").program("mix"),
        steady("H08", "the seed and the data alone"),
        steady("H09", "rayon's threads, joined in their order").library("steady"),
        steady("H10", "touched files").plant(|it| {
            for path in ["data/train.csv", "src/bin/sum.rs", "model.json"] {
                it.write(path, &it.read(path));
            }
        }),
    ]
}
