//! D68 to D80: outputs and records that are not what they should be.

use crate::row::{Row, contained, drift, fails, forged};

const MODEL: &str = "model.json";

pub fn rows() -> Vec<Row> {
    vec![
        drift("D68", "an edited model")
            .plant(|it| {
                it.edit(MODEL, "42", "43");
                it.commit("a better model");
            })
            .must(&["artifact-tampered model.json"]),
        drift("D69", "edited metrics")
            .plant(|it| {
                it.edit("metrics.json", "\"bias\":0.0", "\"bias\":0.9");
                it.commit("better metrics");
            })
            .must(&["artifact-tampered metrics.json"]),
        drift("D69", "edited metrics in the lock")
            .plant(|it| it.edit("repro.lock", "value = \"0.0\"", "value = \"0.9\""))
            .must(&["lock-edited repro.lock"]),
        contained("D70", "a model that is gone")
            .plant(|it| {
                it.remove(MODEL);
                it.commit("too large to keep");
            })
            .must(&["not_checked/artifact"]),
        contained("D71", "a file beside the recorded outputs").plant(|it| it.write("other-model.json", "{}\n")),
        forged("D71", "an output that was not recorded")
            .program("stray")
            .plant(|it| {
                it.edit("repro.lock", "undeclared = [\"stray.txt\"]\n", "");
                it.reseal();
            })
            .must(&["divergence/artifact-unexpected stray.txt"]),
        fails("D72", "a model that stays from before", &["record"], 6)
            .program("mute")
            .prepare(|it| it.write(MODEL, "{\"stale\":true}\n"))
            .says(&["did not write model.json"]),
        contained("D72", "a program that leaves an older model alone").program("lazy"),
        drift("D73", "an edited lock")
            .plant(|it| {
                it.edit("repro.lock", "seed = 42", "seed = 43");
                it.commit("a better seed");
            })
            .must(&["lock-edited repro.lock"])
            .may(&["seed-changed"]),
        forged("D74", "a model and a lock that agree")
            .plant(|it| it.forge(MODEL, "{\"depth\":3,\"rate\":0.1,\"seed\":42,\"sum\":9.5}\n"))
            .must(&["divergence/artifact-changed model.json"])
            .never(&["divergence/metric-changed"]),
        forged("D75", "a metric that was text and is null")
            .program("null-metric")
            .plant(|it| {
                it.edit("repro.lock", "kind = \"null\"\nvalue = \"null\"", "kind = \"text\"\nvalue = \"null\"");
                it.reseal();
            })
            .must(&["divergence/metric-changed loss"])
            .never(&["divergence/artifact-changed"]),
        forged("D75", "a metric that was infinite and is no number")
            .plant(|it| {
                it.edit("repro.lock", "\"7ff8000000000000\"", "\"7ff0000000000000\"");
                it.edit("repro.lock", "value = \"NaN\"", "value = \"inf\"");
                it.reseal();
            })
            .must(&["divergence/metric-changed loss"])
            .never(&["divergence/artifact-changed"])
            .says(&["one of the two is not a finite number"]),
        forged("D76", "a zero that has lost its sign")
            .plant(|it| {
                it.edit("repro.lock", "\"0000000000000000\"", "\"8000000000000000\"");
                it.edit("repro.lock", "value = \"0.0\"", "value = \"-0.0\"");
                it.reseal();
            })
            .must(&["divergence/metric-changed bias"])
            .says(&["equal in value, not in bits"]),
        forged("D77", "the same number, written otherwise")
            .plant(|it| it.forge(MODEL, &it.read(MODEL).replace("0.1", "0.10")))
            .must(&["divergence/artifact-changed model.json"])
            .says(&["the same numbers, written otherwise"]),
        fails("D78", "a failure after everything is written", &["record"], 6)
            .program("fails-late")
            .says(&["failed with exit code 3"]),
        fails("D79", "a model that is a link", &["record"], 6)
            .program("links")
            .says(&["is a symbolic link"]),
        drift("D79", "a link in the model's place")
            .plant(|it| {
                std::fs::rename(it.root().join(MODEL), it.root().join("real.json")).unwrap();
                it.link(MODEL, "real.json");
                it.commit("a link");
            })
            .must(&["artifact-tampered model.json"]),
        drift("D80", "files that have changed places")
            .program("roles")
            .prepare(|it| {
                it.write("data/test.csv", "f1,f2\n0,2.5\n");
                it.data("test = \"data/test.csv\"");
            })
            .plant(|it| {
                let (train, test) = (it.read("data/train.csv"), it.read("data/test.csv"));
                it.write("data/train.csv", &test);
                it.write("data/test.csv", &train);
            })
            .must(&["data-changed data.train", "data-changed data.test"]),
        drift("D80", "roles that have changed files")
            .program("roles")
            .prepare(|it| {
                it.write("data/test.csv", "f1,f2\n0,2.5\n");
                it.data("test = \"data/test.csv\"");
            })
            .plant(|it| {
                it.edit("repro.toml", "test = \"data/test.csv\"", "test = \"data/train.csv\"");
                it.edit("repro.toml", "train = \"data/train.csv\"", "train = \"data/test.csv\"");
                it.commit("the other way round");
            })
            .must(&["data-changed data.train", "data-changed data.test"])
            .may(&["data-missing", "data-added"]),
    ]
}
