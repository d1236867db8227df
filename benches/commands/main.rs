//! Whole commands, each paired with the bare runs that a user would do without it: A B A B, several
//! times, minimum and median of each, and their ratio. No test: nothing fails when a machine is slow.
//!
//! ```sh
//! cargo bench --bench commands                        # status, gate, history, record, wide, long
//! cargo bench --bench commands -- --slow              # verify too: minutes
//! cargo bench --bench commands -- status --runs 50    # one of them
//! cargo bench --bench commands -- long --seconds 60   # another length of training
//! ```
#![allow(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    reason = "a bench prints, and starts programs as a shell does"
)]

mod pair;
mod scene;

use std::process::{Command, ExitCode};

use pair::{Reach, Side, compare};
use scene::Scene;

/// What was asked for on the command line.
struct Options {
    names: Vec<String>,
    runs: Option<u32>,
    seconds: f64,
    slow: bool,
}

fn main() -> ExitCode {
    let options = match options(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(why) => {
            eprintln!(
                "{why}\nusage: cargo bench --bench commands -- [status|gate|history|record|wide|long|verify]… [--runs N] [--seconds S] [--slow]"
            );
            return ExitCode::FAILURE;
        }
    };
    let wanted = |name: &str| options.names.is_empty() || options.names.iter().any(|given| given == name);
    println!(
        "{:<28} {:>4} {:>10} {:>10} {:>10}    times: min   median      cpu",
        "", "runs", "min", "median", "min cpu"
    );
    if wanted("status") {
        status(options.runs.unwrap_or(30));
    }
    if wanted("gate") {
        gate(options.runs.unwrap_or(30));
    }
    if wanted("history") {
        history(options.runs.unwrap_or(5));
    }
    if wanted("record") {
        record(options.runs.unwrap_or(20));
    }
    if wanted("wide") {
        wide(options.runs.unwrap_or(10));
    }
    if wanted("long") {
        long(options.runs.unwrap_or(3), options.seconds);
    }
    if options.names.iter().any(|name| name == "verify") || options.slow && options.names.is_empty() {
        verify(options.runs.unwrap_or(2));
    }
    ExitCode::SUCCESS
}

fn options(mut args: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options {
        names: Vec::new(),
        runs: None,
        seconds: 10.0,
        slow: false,
    };
    while let Some(arg) = args.next() {
        let mut number = || args.next().and_then(|text| text.parse::<f64>().ok()).filter(|number| *number > 0.0);
        match arg.as_str() {
            "--bench" => {} // cargo says so to every bench
            "--slow" => options.slow = true,
            "--runs" => options.runs = Some(number().ok_or("--runs needs a number")?.max(1.0) as u32),
            "--seconds" => options.seconds = number().ok_or("--seconds needs a number")?,
            "status" | "gate" | "history" | "record" | "wide" | "long" | "verify" => options.names.push(arg),
            other => return Err(format!("there is no bench `{other}`")),
        }
    }
    Ok(options)
}

/// `status` when nothing changed since the last look, beside what it does without.
fn status(runs: u32) {
    let scene = Scene::fixture("steady");
    scene.record();
    let tool = scene.repro(&["status", "--quiet"]);
    let peers = vec![
        Side::new("cargo metadata", scene.cargo(&["metadata", "--format-version=1", "--offline", "--locked"])),
        Side::new("rustc -vV", scene.program("rustc", &["-vV"])),
        Side::new("git status", scene.program("git", &["status", "--porcelain"])),
    ];
    compare("status, nothing changed", runs, Side::new("cargo repro status", tool), peers, Reach::Millis(15));
}

/// `gate` of a tag that passes, beside what git itself says of the tag and its commit.
fn gate(runs: u32) {
    let scene = Scene::fixture("steady");
    scene.record();
    let tag = r#"id=$(sed -n 's/^id = "\(.*\)"$/\1/p' repro.lock)
git -c user.name=Bench -c user.email=bench@localhost tag --annotate --message "Repro-Lock: $id" v1"#;
    scene.succeed(scene.program("sh", &["-ec", tag]));
    let tool = scene.repro(&["gate", "v1", "--quiet", "--offline"]);
    let peers = vec![
        Side::new("git cat-file tag", scene.program("git", &["cat-file", "tag", "v1"])),
        Side::new("git show", scene.program("git", &["show", "--stat", "v1"])),
    ];
    compare("gate, a tag that passes", runs, Side::new("cargo repro gate", tool), peers, Reach::Millis(15));
}

/// `log` of ten thousand locks, and a page with charts of them, beside git that prints what changed from one to
/// the next.
fn history(runs: u32) {
    const LOCKS: u32 = 10_000;
    let scene = Scene::fixture("steady");
    scene.record();
    scene.many_locks(LOCKS);
    let peer = || Side::new("git log --patch", scene.program("git", &["log", "--patch", "many", "--", "repro.lock"]));
    let log = Side::new("cargo repro log", scene.repro(&["log", "many"]));
    compare("log, 10,000 locks", runs, log, vec![peer()], Reach::Millis(1000));
    let page = Side::new("cargo repro status", scene.repro(&["status", "--quiet", "--report", "page.html"]));
    compare("a page, 10,000 locks", runs, page, vec![peer()], Reach::Millis(1000));
}

/// `record` beside a plain run, when neither has anything to build.
fn record(runs: u32) {
    let scene = Scene::fixture("steady");
    scene.record();
    let bare = bare_run(&scene, &[]);
    let tool = scene.repro(&["record", "--quiet"]);
    compare(
        "record, nothing to build",
        runs,
        Side::new("cargo repro record", tool),
        vec![bare],
        Reach::Ratio(1.2),
    );
}

/// `record` of a package in a repository of 15,000 files, beside that of the same package alone; when nothing is to be
/// built, and from nothing.
fn wide(runs: u32) {
    let (wide, alone) = (Scene::wide("steady", 15_000), Scene::fixture("steady"));
    wide.record();
    alone.record();
    let side = |name: &'static str, scene: &Scene, args: &[&str]| Side::new(name, scene.repro(args));
    let record = ["record", "--quiet"];
    compare(
        "record, 15,000 files",
        runs,
        side("among 15,000 files", &wide, &record),
        vec![side("alone", &alone, &record)],
        Reach::Ratio(1.5),
    );
    let anew = |name: &'static str, scene: &Scene| Side::new(name, scene.anew(&record));
    compare(
        "record, 15,000 files, anew",
        runs,
        anew("among 15,000 files", &wide),
        vec![anew("alone", &alone)],
        Reach::Ratio(1.5),
    );
    let status = ["status", "--quiet"];
    compare(
        "status, 15,000 files",
        runs,
        side("among 15,000 files", &wide, &status),
        vec![side("alone", &alone, &status)],
        Reach::Ratio(1.5),
    );
}

/// `record` beside a plain run of a program that computes for so long.
fn long(runs: u32, seconds: f64) {
    let scene = Scene::computing();
    let rounds = scene.calibrate(seconds);
    scene.set_rounds(rounds);
    scene.record();
    let bare = bare_run(&scene, &[("REPRO_PARAM_ROUNDS", &rounds.to_string())]);
    let tool = scene.repro(&["record", "--quiet"]);
    let title = format!("record, {seconds} s of computing");
    compare(&title, runs, Side::new("cargo repro record", tool), vec![bare], Reach::Ratio(1.02));
}

/// `verify` beside a clean build and a run of the real trainer. The trainer is not deterministic as it
/// stands, so the verdict is a divergence as a rule, which takes as long.
fn verify(runs: u32) {
    let scene = Scene::wine_forest();
    scene.record();
    let script = "rm -rf \"$CARGO_TARGET_DIR\" && cargo build --quiet --release --locked --offline && cargo run --quiet --release --locked --offline";
    let bare = Side::new("clean build and run", scene.bare(scene.program("sh", &["-c", script])));
    let tool = scene.repro(&["verify", "--quiet"]);
    compare("verify", runs, Side::new("cargo repro verify", tool).or_exit(4), vec![bare], Reach::Ratio(1.03));
}

/// `cargo run --release` with what `record` would give the program, built once already.
fn bare_run(scene: &Scene, variables: &[(&str, &str)]) -> Side {
    let with = |mut command: Command| {
        command.envs(variables.iter().copied());
        scene.bare(command)
    };
    scene.succeed(with(scene.cargo(&["build", "--quiet", "--release", "--locked", "--offline"])));
    Side::new("cargo run --release", with(scene.cargo(&["run", "--quiet", "--release", "--locked", "--offline"])))
}
