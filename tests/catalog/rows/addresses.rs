//! N17 to N21, N31 to N34, N39, N44, N46 and N49: ids, addresses, files and the machine.

use crate::bench::{cpu_flag, program};
use crate::row::{Row, contained, explained, held, named, steady, varies};

pub fn rows() -> Vec<Row> {
    [inside(), around()].concat()
}

fn inside() -> Vec<Row> {
    let address = |id, name, program| named(id, name).program(program).must(&["address-layout"]);
    vec![
        held("N17", "the process id").program("process-id").must(&["process-id"]),
        held("N18", "the id of a thread").program("thread-id").must(&["process-id"]),
        address("N19", "pointers as keys", "pointer-order"),
        address("N20", "a hasher seeded by an address", "address-hasher"),
        address("N20", "hashbrown's hasher", "fold-hash").library("fold-hash"),
        // `MALLOC_PERTURB_` may be among what is varied of the environment.
        address("N21", "memory that was used before", "uninitialised").may(&["environment"]),
    ]
}

fn around() -> Vec<Row> {
    vec![
        varies("N31", "the order of a directory")
            .program("directory-order")
            .prepare(|it| it.data("shards = \"data/shards\""))
            .must(&["directory-order"]),
        explained("N32", "the load of the machine")
            .program("load-average")
            .recorded(&[
                "notes/undeclared-read /proc/loadavg",
                "notes/undeclared-read /proc/uptime",
            ])
            .must(&["causes/undeclared-read /proc/"]),
        varies("N33", "the age of the data").program("file-time").must(&["file-times"]),
        // Nobody can choose the number that a file system gives; what names it comes close at best.
        explained("N33", "the number of a file")
            .program("inode")
            .must(&["file-times | directory-order | undeclared-read"])
            .may(&["file-times", "directory-order", "undeclared-read"]),
        held("N34", "machine and directory")
            .program("place")
            .must(&["hostname", "working-directory"]),
        explained("N39", "as many rows as there is memory")
            .program("free-memory")
            .recorded(&["notes/undeclared-read /proc/meminfo"])
            .must(&["causes/undeclared-read /proc/meminfo"]),
        held("N44", "a kernel chosen by what the C library says of the CPU")
            .program("cpu-dispatch")
            .lacks(|| cpu_flag("fma"))
            .must(&["cpu-features"]),
        steady("N46", "what an earlier run left").program("cache"),
        contained("N49", "a terminal")
            .program("terminal")
            .lacks(|| program(&["script", "--quiet", "--return", "--command", "true", "/dev/null"]))
            .plant(|it| {
                it.terminal();
                it.with("COLUMNS", "132");
            }),
    ]
}
