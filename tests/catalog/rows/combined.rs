//! Two things at once: both must be named where both are causes, and only the cause where the other is merely there.

use crate::bench::program;
use crate::row::{Row, drift, explained, held, named, varies};

pub fn rows() -> Vec<Row> {
    [causes(), bystanders(), drifts()].concat()
}

/// Two causes.
fn causes() -> Vec<Row> {
    vec![
        named("N01+N13", "entropy and clock")
            .program("mix")
            .prepare(|it| it.args(&["entropy", "clock"]))
            .must(&["process-entropy", "clock"]),
        held("N17+D58", "process and machine")
            .program("mix")
            .prepare(|it| it.args(&["process", "machine"]))
            .must(&["process-id", "hostname"]),
        named("N19+N13", "addresses and clock")
            .program("mix")
            .prepare(|it| it.args(&["address", "clock"]))
            .must(&["address-layout", "clock"]),
        named("N26+N01", "a race and entropy")
            .program("mix")
            .prepare(|it| it.args(&["race", "entropy"]))
            .must(&["scheduling", "process-entropy"])
            .may(&["thread-count"]),
        held("D59+D60", "language and zone")
            .program("mix")
            .prepare(|it| it.args(&["locale", "zone"]))
            .must(&["locale", "timezone"]),
        varies("N31+N33", "the order and the age of files")
            .program("mix")
            .prepare(|it| {
                it.data("shards = \"data/shards\"");
                it.args(&["directory", "times"]);
            })
            .must(&["directory-order", "file-times"]),
        held("N29+D63", "processors and home")
            .program("mix")
            .prepare(|it| it.args(&["threads", "home"]))
            .must(&["thread-count", "home"]),
        varies("N10+N34", "monotonic clock and directory")
            .program("mix")
            .prepare(|it| it.args(&["monotonic", "place"]))
            .must(&["clock", "working-directory"]),
    ]
}

/// One cause, beside a change that does nothing.
fn bystanders() -> Vec<Row> {
    vec![
        explained("D44+N01", "flags that builds do not follow, and a map")
            .program("hash-order")
            .plant(|it| it.with("RUSTFLAGS", "-Ctarget-cpu=native"))
            .must(&["drift/build-changed RUSTFLAGS", "causes/process-entropy"]),
        explained("D09+N01", "touched files, and a map")
            .program("hash-order")
            .plant(|it| {
                for path in ["data/train.csv", "src/bin/hash-order.rs", "Cargo.toml"] {
                    it.write(path, &it.read(path));
                }
            })
            .must(&["process-entropy"]),
        explained("D58+N08", "a machine of another name, and the device")
            .program("urandom")
            .lacks(|| program(&["unshare", "-ru", "true"]))
            .plant(|it| it.under(&["unshare", "-ru", "sh", "-c", "hostname elsewhere; exec \"$0\" \"$@\""]))
            .must(&["process-entropy"]),
        explained("D60+N19", "another zone, and pointers")
            .program("pointer-order")
            .plant(|it| it.with("TZ", "Asia/Tokyo"))
            .must(&["address-layout"]),
        explained("D61+N05", "a number of threads for others, and a map")
            .program("hash-sum")
            .plant(|it| it.with("RAYON_NUM_THREADS", "3"))
            .must(&["process-entropy"]),
        explained("D55+N13", "recorded with another C library, and the time")
            .program("clock-seed")
            .plant(|it| it.forge_line("libc = ", "\"glibc 2.17\""))
            .must(&["drift/platform-changed libc", "causes/clock"]),
    ]
}

/// Changed inputs: two at once, and one beside a program that is not deterministic anyway.
fn drifts() -> Vec<Row> {
    vec![
        drift("D16+D01", "seed and data")
            .plant(|it| {
                it.edit("repro.toml", "seed = 42", "seed = 43");
                it.append("data/train.csv", "6,1.5\n");
                it.commit("both");
            })
            .must(&["seed-changed seed", "data-changed data.train"]),
        drift("D44+D01", "flags that builds do not follow, and data")
            .plant(|it| {
                it.with("RUSTFLAGS", "-Ctarget-cpu=native");
                it.append("data/train.csv", "6,1.5\n");
            })
            .must(&["data-changed data.train", "build-changed RUSTFLAGS"]),
        drift("D31+N06", "a harmless bump, and entropy")
            .program("raw-entropy")
            .prepare(|it| it.depend_on_tiny())
            .plant(|it| it.bump_tiny("0.1.0"))
            .must(&["dependency-changed tiny"])
            .then(&["process-entropy"]),
        drift("D46+N13", "a harmless setting, and the time")
            .program("clock-seed")
            .plant(|it| {
                it.edit("Cargo.toml", "codegen-units = 1", "codegen-units = 1\nopt-level = 1");
                it.commit("optimise less");
            })
            .must(&["drift/build-changed profile.release.opt-level"])
            .may(&["drift/source-changed"])
            .then(&["clock"]),
        drift("D40+N07", "a feature that takes the seed away")
            .program("feature-seed")
            .plant(|it| {
                it.manifest("[build]\nfeatures = [\"os-seed\"]");
                it.commit("a feature");
            })
            .must(&["drift/build-changed features"])
            .then(&["process-entropy"]),
    ]
}
