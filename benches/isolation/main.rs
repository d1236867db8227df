//! What isolation and audit cost: the same work bare, within the sandbox, and under strace, in turn.
//!
//! ```sh
//! cargo bench --bench isolation                       # opens, compute
//! cargo bench --bench isolation -- --slow             # a cargo build too: minutes
//! cargo bench --bench isolation -- opens --runs 20    # one of them
//! ```
//!
//! The bench is its own workload and its own supervisor: it starts itself again.
#![allow(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    reason = "a bench prints, and starts programs as a shell does"
)]

#[allow(dead_code, reason = "each bench uses its part")]
#[path = "../commands/pair.rs"]
mod pair;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use cargo_repro::sandbox::{Conditions, Mount, Namespaces, Plan, Report, start, supervisor};
use pair::{Reach, Side, compare};

const OPEN: &str = "__open";
const COMPUTE: &str = "__compute";
const WITHIN: &str = "__within";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().collect();
    match args.get(1).map(String::as_str) {
        Some(supervisor::WORD) => {
            supervisor::serve().expect("a plan comes from this bench");
            ExitCode::SUCCESS
        }
        Some(OPEN) => {
            open();
            ExitCode::SUCCESS
        }
        Some(COMPUTE) => {
            compute();
            ExitCode::SUCCESS
        }
        Some(WITHIN) => within(&args[2], &args[3..]),
        _ => benches(&args[1..]),
    }
}

fn benches(args: &[String]) -> ExitCode {
    let names: Vec<&str> = args
        .iter()
        .map(String::as_str)
        .filter(|arg| ["opens", "compute", "build"].contains(arg))
        .collect();
    let runs = args.iter().position(|arg| arg == "--runs").and_then(|at| args.get(at + 1)?.parse().ok());
    let slow = args.iter().any(|arg| arg == "--slow");
    let wanted = |name: &str| names.is_empty() && (name != "build" || slow) || names.contains(&name);
    println!(
        "{:<28} {:>4} {:>10} {:>10} {:>10}    times: min   median      cpu",
        "", "runs", "min", "median", "min cpu"
    );
    if wanted("opens") {
        work("100,000 opens and nothing else", OPEN, runs.unwrap_or(10), 4.0);
    }
    if wanted("compute") {
        work("computing on two threads", COMPUTE, runs.unwrap_or(10), 1.02);
    }
    if wanted("build") {
        build(runs.unwrap_or(2));
    }
    ExitCode::SUCCESS
}

fn this_bench() -> PathBuf {
    std::env::current_exe().expect("this bench is a file")
}

fn work(title: &str, word: &str, runs: u32, reach: f64) {
    let bare = || {
        let mut command = Command::new(this_bench());
        command.arg(word);
        command
    };
    let inside = |conditions: &str| {
        let mut command = Command::new(this_bench());
        command.args([WITHIN, conditions]).arg(this_bench()).arg(word);
        command
    };
    let mut peers = vec![
        Side::new("bare", bare()),
        Side::new("sandbox, seeded and frozen", inside("seeded")),
    ];
    peers.extend(straced("strace -f", &["-f", "-e", "trace=openat,connect"], &bare()));
    peers.extend(straced("strace -f --seccomp-bpf", &["-f", "--seccomp-bpf", "-e", "trace=openat,connect"], &bare()));
    compare(title, runs, Side::new("sandbox and audit", inside("plain")), peers, Reach::Ratio(reach));
}

/// A clean build of this repository's runtime library, with its three dependencies.
fn build(runs: u32) {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let target = scratch.path().join("target");
    let bare = || {
        let mut command = Command::new("sh");
        command.arg("-c").arg(format!("rm -rf '{0}'; exec {1}", target.display(), cargo(&target)));
        command
    };
    let mut inside = Command::new("sh");
    let bench = this_bench();
    inside.arg("-c").arg(format!(
        "rm -rf '{0}'; mkdir '{0}'; exec '{1}' {WITHIN} plain /bin/sh -c \"{2}\"",
        target.display(),
        bench.display(),
        cargo(&target)
    ));
    let mut peers = vec![Side::new("bare", bare())];
    let trace = ["-f", "--seccomp-bpf", "-e", "trace=openat,connect"];
    peers.extend(straced("strace -f --seccomp-bpf", &trace, &bare()));
    compare("a clean cargo build", runs, Side::new("sandbox and audit", inside), peers, Reach::Ratio(1.02));
}

fn cargo(target: &Path) -> String {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let root = env!("CARGO_MANIFEST_DIR");
    let path = std::env::var("PATH").unwrap_or_default();
    let home = std::env::var("HOME").unwrap_or_default();
    // Without it rustup's proxy would look for a newer toolchain, and write.
    let toolchain = std::env::var("RUSTUP_TOOLCHAIN").unwrap_or_else(|_| "stable".to_owned());
    format!(
        "env PATH='{path}' HOME='{home}' RUSTUP_TOOLCHAIN='{toolchain}' '{cargo}' build --quiet --release --locked --offline --manifest-path '{root}/runtime/Cargo.toml' --target-dir '{}'",
        target.display()
    )
}

fn straced(name: &'static str, args: &[&str], bare: &Command) -> Option<Side> {
    let found = Command::new("strace").arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !found.is_ok_and(|status| status.success()) {
        println!("  {name} is not on this machine, and not beside the others");
        return None;
    }
    let mut command = Command::new("strace");
    command.args(args).args(["-o", "/dev/null"]).arg(bare.get_program()).args(bare.get_args());
    Some(Side::new(name, command))
}

/// Runs a program within the sandbox, as a build or a stage is run.
fn within(conditions: &str, program: &[String]) -> ExitCode {
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let mount_point = scratch.path().join("root");
    std::fs::create_dir(&mount_point).expect("a directory in it");
    let report = scratch.path().join("report.json");
    let conditions = match conditions {
        "seeded" => Conditions {
            entropy: Some("bench".to_owned()),
            clock: Some(0),
            ..Conditions::default()
        },
        _ => Conditions::default(),
    };
    let temp = std::env::temp_dir();
    let plan = Plan {
        program: (&program[0]).into(),
        args: program[1..].iter().map(Into::into).collect(),
        namespaces: Some(Namespaces {
            mount_point,
            open: true,
            hidden: Vec::new(),
            shown: Vec::new(),
            mounts: vec![Mount {
                from: temp.clone(),
                to: temp,
                writable: true,
            }],
            network: false,
        }),
        audit: true,
        conditions,
        report: report.clone().into(),
        ..Plan::empty()
    };
    let (mut child, mut line) = start::supervisor(Stdio::inherit(), Stdio::inherit()).expect("a supervisor");
    start::hand(&mut line, &plan).expect("a plan");
    child.wait().expect("its end");
    let report = Report::take(&report).expect("its report");
    assert!(
        report.held.namespaces && report.held.listener,
        "this machine allows no namespaces: {:?}",
        report.failure
    );
    if report.status == Some(0) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn open() {
    for _ in 0..100_000 {
        std::fs::File::open("/usr/lib/os-release").expect("every system has it");
    }
}

/// About half a second of floating point on two threads.
fn compute() {
    let work = |start: f64| (0..200_000_000u32).fold(start, |sum, _| std::hint::black_box(sum * 0.999_999 + 1.0));
    std::thread::scope(|scope| {
        let other = scope.spawn(move || work(1.0));
        let sum = work(2.0) + other.join().expect("arithmetic does not panic");
        assert!(sum.is_finite());
    });
}
