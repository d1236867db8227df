//! Outside `cargo repro`: with a manifest, with variables only, and with nothing.

use crate::child::outside;

#[test]
fn without_seed_or_manifest_it_says_what_to_do() {
    let ended = outside("draws_one").run();
    assert!(
        ended
            .problem()
            .contains("no seed: run the program with `cargo repro`")
    );
}

#[test]
fn the_environment_is_enough() {
    let ended = outside("needs_depth")
        .env("REPRO_SEED", "7")
        .env("REPRO_PARAM_MAX_DEPTH", "3")
        .run()
        .well();
    assert_eq!(
        ended.read("said.json"),
        "[\"train-seed7-max_depth3\",\"train\",7,3]\n"
    );
    assert!(ended.ledger.is_empty());
}

#[test]
fn an_output_directory_can_be_given() {
    let child = outside("needs_depth")
        .env("REPRO_SEED", "7")
        .env("REPRO_PARAM_MAX_DEPTH", "3");
    let elsewhere = child.path("deep/out");
    let ended = child.env("REPRO_OUT_DIR", elsewhere).run().well();
    assert!(ended.read("deep/out/said.json").contains("train-seed7"));
}

#[cfg(feature = "manifest")]
mod with_a_manifest {
    use super::*;

    const MANIFEST: &str = "version = 1\nseed = 42\n\n[params]\nmax-depth = 10\nrate = 0.5\n\n\
        [data]\nparts = [\"data/b.csv\", \"data/a*.csv\"]\n\n[stage.train]\nbin = \"x\"\n";

    #[test]
    fn it_is_found_above_the_current_directory() {
        let ended = outside("needs_depth")
            .file("repro.toml", MANIFEST)
            .current_dir("a/b")
            .run()
            .well();
        assert_eq!(
            ended.read("said.json"),
            "[\"train-seed42-max_depth10-rate0.5\",\"train\",42,10]\n"
        );
    }

    #[test]
    fn the_package_that_cargo_runs_comes_first() {
        let child = outside("needs_depth")
            .file("repro.toml", "seed = 1")
            .file("package/repro.toml", MANIFEST);
        let package = child.path("package");
        let ended = child.env("CARGO_MANIFEST_DIR", package).run().well();
        assert!(ended.read("package/said.json").contains("seed42"));
    }

    #[test]
    fn variables_override_it() {
        let ended = outside("needs_depth")
            .file("repro.toml", MANIFEST)
            .env("REPRO_SEED", "7")
            .env("REPRO_PARAM_MAX_DEPTH", "3")
            .env("REPRO_STAGE", "tune")
            .run()
            .well();
        assert_eq!(
            ended.read("said.json"),
            "[\"tune-seed7-max_depth3-rate0.5\",\"tune\",7,3]\n"
        );
    }

    #[test]
    fn data_is_found_beside_it() {
        let ended = outside("reads_files")
            .file("repro.toml", MANIFEST)
            .file("data/a2.csv", "two")
            .file("data/a1.csv", "one")
            .file("data/b.csv", "b")
            .file("data/a.txt", "none")
            .current_dir("elsewhere")
            .run()
            .well();
        assert_eq!(ended.read("said.json"), "[\"one\",\"two\",\"b\"]\n");
    }

    #[test]
    fn a_missing_file_is_named() {
        let ended = outside("reads_files").file("repro.toml", MANIFEST).run();
        assert!(ended.problem().contains("data `parts`: "));
        assert!(ended.problem().contains("b.csv is not there"));
    }

    #[test]
    fn a_broken_one_is_shown_with_the_line() {
        let ended = outside("draws_one")
            .file("repro.toml", "seed = 1\nseed 2\n")
            .run();
        assert!(ended.problem().contains("repro.toml") && ended.problem().contains("line 2"));
    }

    #[test]
    fn one_without_a_seed_is_no_seed() {
        let ended = outside("draws_one")
            .file("repro.toml", "version = 1\n")
            .run();
        assert!(ended.problem().contains("no seed"));
    }
}
