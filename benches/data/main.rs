//! Data: digests of one large file, of many small ones, of a table, and `status` where nothing changed;
//! each beside what people use for that, in turn. A peer that is not installed is named and left out;
//! the Python peers are those of `PYTHON`, or of `python3`. No test: nothing fails when a machine is slow.
//!
//! ```sh
//! cargo bench --bench data                          # file, many, unchanged, table
//! cargo bench --bench data -- --million             # a million files too: 4 GB of disk
//! PYTHON=venv/bin/python cargo bench --bench data -- table
//! ```
#![allow(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    reason = "a bench prints, and starts programs as a shell does"
)]

#[path = "../commands/pair.rs"]
#[expect(dead_code, reason = "the bench of commands needs all of it")]
mod pair;
mod peak;
mod scene;

use std::io::Read as _;
use std::path::Path;
use std::process::{Command, ExitCode};

use pair::{Reach, Side, compare};
use scene::Scene;
use sha2::{Digest as _, Sha256};

/// Has this program read a file as plainly as SHA-256 can be had of it.
const BARE: &str = "--bare-sha2";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    if let [word, path] = args.as_slice()
        && word == BARE
    {
        return bare(Path::new(path));
    }
    let Some(options) = Options::of(&args) else {
        eprintln!("usage: cargo bench --bench data -- [file|many|unchanged|table]… [--million] [--runs N]");
        return ExitCode::FAILURE;
    };
    println!(
        "{:<28} {:>4} {:>10} {:>10} {:>10}    times: min   median      cpu",
        "", "runs", "min", "median", "min cpu"
    );
    if options.wants("file") {
        file(options.runs);
    }
    if options.wants("table") {
        table(options.runs);
    }
    if options.wants("many") {
        many(options.runs);
    }
    if options.wants("unchanged") {
        unchanged(options.runs, 100_000);
    }
    if options.million {
        unchanged(options.runs, 1_000_000);
    }
    ExitCode::SUCCESS
}

/// What was asked for on the command line.
struct Options {
    names: Vec<String>,
    runs: u32,
    million: bool,
}

impl Options {
    fn of(args: &[String]) -> Option<Self> {
        let mut options = Self {
            names: Vec::new(),
            runs: 5,
            million: false,
        };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--million" => options.million = true,
                "--runs" => options.runs = args.next()?.parse().ok().filter(|runs| *runs > 0)?,
                "file" | "many" | "unchanged" | "table" => options.names.push(arg.clone()),
                _ => return None,
            }
        }
        Some(options)
    }

    fn wants(&self, name: &str) -> bool {
        self.names.iter().any(|given| given == name) || self.names.is_empty() && !self.million
    }
}

/// The floor: read, hash, nothing else.
fn bare(path: &Path) -> ExitCode {
    let mut file = std::fs::File::open(path).expect("the file");
    let (mut hasher, mut buffer) = (Sha256::new(), vec![0; 256 * 1024]);
    loop {
        match file.read(&mut buffer).expect("it can be read") {
            0 => break,
            read => hasher.update(&buffer[..read]),
        }
    }
    println!("{:x?}", hasher.finalize());
    ExitCode::SUCCESS
}

fn repro() -> Command {
    Command::new(env!("CARGO_BIN_EXE_cargo-repro"))
}

fn python() -> String {
    std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned())
}

/// Those peers that are there; the others are named.
fn present(peers: Vec<(&'static str, Command)>) -> Vec<Side> {
    let mut sides = Vec::new();
    for (name, mut command) in peers {
        if command.output().is_ok_and(|output| output.status.success()) {
            sides.push(Side::new(name, command));
        } else {
            println!("  not here, or not able to: {name}");
        }
    }
    sides
}

fn arguments(program: &str, args: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(args);
    command
}

fn file(runs: u32) {
    let scene = Scene::empty();
    let path = scene.file(2 << 30);
    let mut tool = repro();
    tool.args(["repro", "hash", "--table", "none"]).arg(&path);
    println!("peak memory: {}", peak::of(&mut tool));
    let itself = std::env::current_exe().expect("this program");
    let mut bare = Command::new(itself);
    bare.arg(BARE).arg(&path);
    let path = path.to_string_lossy().into_owned();
    let peers = vec![
        ("the bare sha2 loop", bare),
        ("sha256sum", arguments("sha256sum", &[&path])),
        ("openssl dgst -sha256", arguments("openssl", &["dgst", "-sha256", &path])),
        ("dvc init and add", scene.dvc_add(Path::new(&path))),
    ];
    compare("one file of 2 GiB", runs, Side::new("cargo repro hash", tool), present(peers), Reach::Ratio(1.05));
}

fn many(runs: u32) {
    let scene = Scene::empty();
    let directory = scene.files(100_000);
    let mut tool = repro();
    tool.args(["repro", "hash", "--quiet"]).arg(&directory);
    println!("peak memory: {}", peak::of(&mut tool));
    let directory = directory.to_string_lossy().into_owned();
    let xargs = format!("find '{directory}' -type f -print0 | xargs -0 sha256sum");
    let peers = vec![
        ("find and xargs sha256sum", arguments("sh", &["-c", &xargs])),
        ("dvc init and add", scene.dvc_add(Path::new(&directory))),
    ];
    compare(
        "100,000 files of 4 KiB",
        runs,
        Side::new("cargo repro hash", tool),
        present(peers),
        Reach::Ratio(0.3),
    );
}

fn unchanged(runs: u32, count: u32) {
    let scene = Scene::project(count);
    let mut tool = repro();
    tool.args(["repro", "status", "--quiet"]).current_dir(scene.project_directory());
    println!("peak memory: {}", peak::of(&mut tool));
    let mut find = arguments("find", &["data", "-printf", "%s %T@ %p\n"]);
    find.current_dir(scene.project_directory());
    let mut again = repro();
    again.args(["repro", "status", "--quiet"]).current_dir(scene.project_directory());
    let title = format!("{count} files, nothing changed");
    let peers = present(vec![("find -printf", find)]);
    compare(&title, runs, Side::new("cargo repro status", tool), peers, Reach::Ratio(0.6));
    // A `.dvc` file is more to look at, for both.
    if scene.with_dvc() {
        let mut dvc = Command::new(scene::dvc());
        dvc.args(["status", "data.dvc"]).current_dir(scene.project_directory());
        let title = format!("{count} files, nothing changed, with a .dvc file");
        let peers = present(vec![("dvc status", dvc)]);
        compare(&title, runs, Side::new("cargo repro status", again), peers, Reach::Ratio(0.1));
    }
}

/// What the Python peers do: read all, and hash all rows.
const PANDAS: &str = "import sys, hashlib, pandas as pd
frame = pd.read_csv(sys.argv[1])
print(hashlib.sha256(pd.util.hash_pandas_object(frame).values).hexdigest())";
const POLARS: &str = "import sys, hashlib, polars as pl
frame = pl.read_csv(sys.argv[1])
print(hashlib.sha256(frame.hash_rows(seed=0).to_numpy()).hexdigest())";
const ARROW: &str = "import sys, hashlib, pyarrow.csv as csv
table = csv.read_csv(sys.argv[1]).combine_chunks()
digest = hashlib.sha256()
for column in table.columns:
    for chunk in column.chunks:
        for buffer in chunk.buffers():
            if buffer is not None:
                digest.update(buffer)
print(digest.hexdigest())";

fn table(runs: u32) {
    let scene = Scene::empty();
    let path = scene.table(1_000_000_000);
    let mut tool = repro();
    tool.args(["repro", "hash"]).arg(&path);
    println!("peak memory: {}", peak::of(&mut tool));
    let (python, path) = (python(), path.to_string_lossy().into_owned());
    let peers = vec![
        ("pandas", arguments(&python, &["-c", PANDAS, &path])),
        ("polars", arguments(&python, &["-c", POLARS, &path])),
        ("Arrow", arguments(&python, &["-c", ARROW, &path])),
    ];
    let title = "the content of a numeric CSV of 1 GB";
    compare(title, runs, Side::new("cargo repro hash", tool), present(peers), Reach::Ratio(0.33));
}
