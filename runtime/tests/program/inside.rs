//! Inside `cargo repro`.

use repro::{
    digest_bytes,
    protocol::{self, Event},
};

use crate::child::inside;

#[test]
fn the_ledger_is_told_everything_once_and_in_order() {
    let ended = inside("does_everything")
        .file("wine.csv", "a,b\n1,2\n")
        .env("REPRO_PARAM_MAX_DEPTH", "10")
        .env("REPRO_PARAM_UNUSED", "x")
        .env("REPRO_DATA_WINE", "wine.csv")
        .run()
        .well();
    let model = ended.read("out/model.json");
    assert_eq!(model, "{\"bias\":{},\"weights\":[10.0,-0.0]}\n");
    let loaded = repro::canonical::digest(b"a,b\n1,2\n".as_slice()).unwrap();
    let expected = [
        Event::Open {
            protocol: protocol::VERSION,
            runtime: format!("repro-ml {}", env!("CARGO_PKG_VERSION")),
        },
        Event::Param {
            name: "max_depth".into(),
            value: "10".into(),
        },
        Event::Data {
            name: "wine".into(),
        },
        Event::Checkpoint {
            name: "loaded".into(),
            digest: loaded,
        },
        Event::metric("accuracy", 0.94),
        Event::metric("loss", f64::NAN),
        Event::Artifact {
            path: "out/model.json".into(),
            digest: digest_bytes(model.as_bytes()),
        },
        Event::Stream {
            name: "other".into(),
            words: 0,
        },
        Event::Stream {
            name: "split".into(),
            words: 2,
        },
        Event::Close,
    ];
    assert_eq!(ended.ledger, expected);
    let first = ended.read("ledger").lines().next().unwrap().to_owned();
    assert_eq!(
        first,
        format!(
            r#"{{"event":"open","protocol":1,"runtime":"repro-ml {}"}}"#,
            env!("CARGO_PKG_VERSION")
        )
    );
}

#[test]
fn a_stream_does_not_shift_another() {
    let one = inside("draws_one").run().well();
    let more = inside("draws_more").run().well();
    assert_eq!(one.checkpoint("wanted"), more.checkpoint("wanted"));
    assert_eq!(
        more.words(),
        [("earlier", 100), ("idle", 0), ("wanted", 100)]
    );
    let reseeded = inside("draws_one").env(protocol::SEED, "43").run().well();
    assert_ne!(one.checkpoint("wanted"), reseeded.checkpoint("wanted"));
}

#[test]
fn words_are_summed_over_clones_and_threads() {
    let ended = inside("draws_from_threads").run().well();
    assert_eq!(ended.words(), [("own", 8), ("shared", 40)]);
}

#[test]
fn a_stream_that_outlives_the_run_is_counted() {
    let ended = inside("drops_its_run_first").run().well();
    assert_eq!(ended.words(), [("late", 1)]);
    assert_eq!(ended.ledger.last(), Some(&Event::Close));
}

#[test]
fn lines_of_threads_do_not_mix() {
    let ended = inside("tells_from_threads").run().well();
    assert_eq!(ended.ledger.len(), 1 + 8 * 50 + 1);
}

#[test]
fn a_ledger_is_appended_to() {
    let earlier = "{\"event\":\"close\"}\n";
    let ended = inside("draws_one").file("ledger", earlier).run().well();
    assert!(ended.read("ledger").starts_with(earlier));
    assert_eq!(ended.ledger.len(), 5);
}

#[test]
fn a_metric_twice_is_an_error() {
    let ended = inside("reports_a_metric_twice").run();
    assert!(
        ended
            .problem()
            .contains("metric `accuracy` was reported twice")
    );
}

#[test]
fn a_value_that_json_has_not_is_named_and_nothing_is_written() {
    let ended = inside("writes_what_json_has_not").run();
    assert!(
        ended
            .problem()
            .contains("artifact `model.json`: at /bias/b: NaN is no number in JSON")
    );
    assert!(!ended.directory.path().join("model.json").exists());
}

#[test]
fn an_artifact_stays_in_the_output_directory() {
    let ended = inside("writes_outside").run();
    assert!(
        ended
            .problem()
            .contains("artifact path `../model.json` has `..` in it")
    );
}

#[test]
fn an_artifact_is_replaced_whole() {
    let ended = inside("writes_twice")
        .file("model.json", "older still, and longer than both")
        .run()
        .well();
    assert_eq!(ended.read("model.json"), "\"last\"\n");
    let mut names: Vec<_> = ended
        .directory
        .path()
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["ledger", "model.json"]);
}

#[test]
fn a_missing_parameter_is_named() {
    let ended = inside("needs_depth").run();
    assert!(
        ended
            .problem()
            .contains("parameter `max_depth` is missing: add it to [params]")
    );
}

#[test]
fn another_protocol_is_refused() {
    let ended = inside("draws_one").env(protocol::PROTOCOL, "2").run();
    assert!(ended.problem().contains("update repro-ml"));
}

#[test]
fn the_manifest_is_not_looked_at() {
    let ended = inside("needs_depth")
        .file("repro.toml", "seed = 1\n[params]\nmax_depth = 1\n")
        .run();
    assert!(ended.problem().contains("`max_depth` is missing"));
}
