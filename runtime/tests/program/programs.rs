//! The programs. Each is a test that does nothing, unless another test starts it.

use std::{collections::BTreeMap, fs, thread};

use repro::{Run, rand_core::RngCore};
use serde::{Deserialize, Serialize};

use crate::child::MARK;

macro_rules! programs {
    ($($name:ident($run:ident) $body:block)*) => {$(
        #[test]
        fn $name() {
            #[allow(clippy::disallowed_methods, reason = "the only way for a test to know that it was started")]
            if std::env::var_os(MARK).is_none() {
                return;
            }
            let program = || -> repro::Result<()> {
                let $run = Run::open()?;
                $body
                Ok(())
            };
            program().unwrap_or_else(|error| panic!("{error}"));
        }
    )*};
}

#[derive(Deserialize)]
struct Params {
    max_depth: u32,
    #[serde(default)]
    verbose: bool,
}

#[derive(Serialize)]
struct Model {
    weights: Vec<f64>,
    bias: BTreeMap<String, f64>,
}

fn words(run: &Run, stream: &str) -> Vec<u32> {
    let mut stream = run.rng(stream);
    (0..100).map(|_| stream.next_u32()).collect()
}

programs! {
    does_everything(run) {
        let params: Params = run.params()?;
        assert!(!params.verbose);
        let _again: Params = run.params()?;
        let wine = fs::read(run.data("wine")?).expect("the data is there");
        run.data("wine")?;
        run.checkpoint("loaded", &wine)?;
        let _ = run.seed_for("split");
        let _ = run.key("other");
        run.metric("accuracy", 0.94)?;
        run.metric("loss", f64::NAN)?;
        let weights = vec![f64::from(params.max_depth), -0.0];
        run.artifact("out/model.json", &Model { weights, bias: BTreeMap::new() })?;
    }

    draws_one(run) {
        run.checkpoint("wanted", &words(&run, "wanted"))?;
    }

    draws_more(run) {
        words(&run, "earlier");
        let _idle = run.rng("idle");
        run.checkpoint("wanted", &words(&run, "wanted"))?;
    }

    draws_from_threads(run) {
        let stream = run.rng("shared");
        thread::scope(|scope| {
            for _ in 0..4 {
                let mut stream = stream.clone();
                let run = run.clone();
                scope.spawn(move || {
                    stream.fill_bytes(&mut [0; 40]);
                    run.rng("own").next_u64();
                });
            }
        });
    }

    drops_its_run_first(run) {
        let mut stream = run.rng("late");
        drop(run);
        stream.next_u32();
    }

    tells_from_threads(run) {
        thread::scope(|scope| {
            for thread in 0..8 {
                let run = &run;
                scope.spawn(move || {
                    for round in 0..50 {
                        let name = format!("{thread}-{round}");
                        run.metric(&name, 1.0).expect("the ledger takes it");
                    }
                });
            }
        });
    }

    reports_a_metric_twice(run) {
        run.metric("accuracy", 0.1)?;
        run.metric("accuracy", 0.1)?;
    }

    writes_what_json_has_not(run) {
        let bias = BTreeMap::from([("a".to_owned(), 0.0), ("b".to_owned(), f64::NAN)]);
        run.artifact("model.json", &Model { weights: vec![], bias })?;
    }

    writes_outside(run) {
        run.artifact_bytes("../model.json", b"")?;
    }

    writes_twice(run) {
        run.artifact("model.json", "a longer first one")?;
        run.artifact("model.json", "last")?;
    }

    needs_depth(run) {
        let params: Params = run.params()?;
        run.artifact("said.json", &(run.name(), run.stage(), run.seed(), params.max_depth))?;
    }

    reads_files(run) {
        let mut texts = Vec::new();
        for path in run.data_files("parts")? {
            texts.push(fs::read_to_string(path).expect("the data is there"));
        }
        run.artifact("said.json", &texts)?;
    }
}
