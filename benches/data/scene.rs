//! Data to measure with: the same bytes every time, in a directory that goes away.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A scratch directory; `TMPDIR` says where.
pub struct Scene(TempDir);

const PROJECT: [(&str, &str); 4] = [
    ("Cargo.toml", "[package]\nname = \"many\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n"),
    ("Cargo.lock", "version = 4\n\n[[package]]\nname = \"many\"\nversion = \"0.1.0\"\n"),
    (
        "repro.toml",
        "version = 1\nseed = 1\n[data]\nmany = \"data\"\n[stage.train]\nbin = \"many\"\nartifacts = [\"model.json\"]\n",
    ),
    (".gitignore", "/target\n/data\n"),
];

const PROGRAM: &str = "fn main() {\n    std::fs::write(\"model.json\", \"1\\n\").expect(\"the model\");\n}\n";

/// Plain pseudo-random numbers (a 64-bit linear congruential generator, Knuth's multiplier).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    fn block(&mut self, length: usize) -> Vec<u8> {
        (0..length.div_ceil(4))
            .flat_map(|_| (self.next() as u32).to_le_bytes())
            .take(length)
            .collect()
    }
}

impl Scene {
    pub fn empty() -> Self {
        Self(tempfile::Builder::new().prefix("repro-bench-").tempdir().expect("a directory"))
    }

    /// One large file.
    pub fn file(&self, bytes: u64) -> PathBuf {
        let path = self.0.path().join("large.bin");
        let block = Numbers(1).block(1 << 20);
        let mut file = std::fs::File::create(&path).expect("the file");
        for number in 0..bytes >> 20 {
            file.write_all(&number.to_le_bytes()).expect("room for it");
            file.write_all(&block[8..]).expect("room for it");
        }
        path
    }

    /// Files of 4 KiB, a thousand in a directory.
    pub fn files(&self, count: u32) -> PathBuf {
        let top = self.0.path().join("data");
        let mut block = Numbers(2).block(4096);
        for number in 0..count {
            let directory = top.join(format!("{:04}", number / 1000));
            if number % 1000 == 0 {
                std::fs::create_dir_all(&directory).expect("a directory");
            }
            block[..4].copy_from_slice(&number.to_le_bytes());
            std::fs::write(directory.join(format!("image_{number:07}.bin")), &block).expect("room for it");
        }
        top
    }

    /// A table of twelve columns of numbers with up to four decimals.
    pub fn table(&self, bytes: u64) -> PathBuf {
        let path = self.0.path().join("numbers.csv");
        let mut file = std::io::BufWriter::new(std::fs::File::create(&path).expect("the file"));
        let names: Vec<String> = (0..12).map(|column| format!("c{column}")).collect();
        writeln!(file, "{}", names.join(",")).expect("room for it");
        let (mut numbers, mut written, mut row) = (Numbers(3), 0, String::new());
        while written < bytes {
            row.clear();
            for column in 0..12 {
                let number = numbers.next();
                let end = if column == 11 { '\n' } else { ',' };
                let _ = match column {
                    0..4 => write!(row, "{}{end}", number % 100_000),
                    _ => write!(row, "{}.{:04}{end}", number % 1000, (number >> 12) % 10_000),
                };
            }
            file.write_all(row.as_bytes()).expect("room for it");
            written += row.len() as u64;
        }
        file.flush().expect("room for it");
        path
    }

    /// A recorded project with so many files of data, of which git and the index know.
    pub fn project(count: u32) -> Self {
        let scene = Self::empty();
        for (name, text) in PROJECT {
            std::fs::write(scene.0.path().join(name), text).expect("the file");
        }
        std::fs::create_dir(scene.0.path().join("src")).expect("a directory");
        std::fs::write(scene.0.path().join("src/main.rs"), PROGRAM).expect("the file");
        scene.files(count);
        scene.run("git", &["init", "--quiet"]);
        scene.commit();
        let tool = env!("CARGO_BIN_EXE_cargo-repro");
        scene.run(tool, &["repro", "record", "--quiet"]);
        scene.commit();
        scene.run(tool, &["repro", "status", "--quiet"]);
        scene
    }

    pub fn project_directory(&self) -> &Path {
        self.0.path()
    }

    /// Whether DVC is here, and knows the data now too.
    pub fn with_dvc(&self) -> bool {
        let run = |args: &[&str]| {
            let mut command = Command::new(dvc());
            let output = command.args(args).current_dir(self.0.path()).env("DVC_NO_ANALYTICS", "1").output();
            output.is_ok_and(|output| output.status.success())
        };
        // It keeps a copy of all: as links, or the disk fills up.
        run(&["init", "--quiet"]) && run(&["config", "cache.type", "hardlink"]) && run(&["add", "--quiet", "data"])
    }

    /// `dvc add` of something in here as if for the first time; what it remembers is thrown away before.
    /// It has links of its own to the data, since a `.dvc` file beside the data would give the tool more
    /// to do; and it links to its cache, since a copy of all would measure the disk.
    pub fn dvc_add(&self, path: &Path) -> Command {
        let place = self.0.path().join("dvc");
        std::fs::create_dir_all(&place).expect("a directory");
        let name = path.file_name().expect("data has a name").to_string_lossy();
        self.run("cp", &["-rl", &path.to_string_lossy(), &place.join(&*name).to_string_lossy()]);
        let settings = "config cache.type hardlink && DVC config core.site_cache_dir site";
        let script = format!(
            "cd '{}' && rm -rf .dvc *.dvc site && DVC init --quiet --no-scm && DVC {settings} && DVC add --quiet '{name}'",
            place.display()
        );
        let mut command = Command::new("sh");
        command
            .args(["-c", &script.replace("DVC", &dvc().to_string_lossy())])
            .env("DVC_NO_ANALYTICS", "1");
        command
    }

    fn commit(&self) {
        self.run("git", &["add", "--all"]);
        let who = ["-c", "user.name=bench", "-c", "user.email=bench@example.org"];
        let commit = ["commit", "--quiet", "--allow-empty", "--message", "bench"];
        self.run("git", &[&who[..], &commit[..]].concat());
    }

    fn run(&self, program: &str, args: &[&str]) {
        let mut command = Command::new(program);
        command.args(args).current_dir(self.0.path());
        // What cargo sets for its benches must not reach the package under them.
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("CARGO_") && text != "CARGO_HOME" || text == "LD_LIBRARY_PATH" || text == "CARGO" {
                command.env_remove(&name);
            }
        }
        let output = command.output().expect("the program is there");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program} {args:?}: {}\n{said}", output.status);
    }
}

/// Where DVC is: beside the Python of the other peers, or in the `PATH`.
pub fn dvc() -> PathBuf {
    let beside = std::env::var_os("PYTHON").map(|python| Path::new(&python).with_file_name("dvc"));
    beside.filter(|path| path.is_file()).unwrap_or_else(|| PathBuf::from("dvc"))
}
