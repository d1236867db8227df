//! Where a row is carried out: a copy of a fixture with the row's program alone, in a repository of its own, and the
//! circumstances under which commands are run there.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use sha2::Digest as _;

use crate::row::Row;
use crate::seen::Seen;
use crate::support::{Project, cargo_home, copy, fixtures, git, under};

/// The package and what is around it.
pub struct Bench {
    project: Project,
    /// The cargo home, if not the project's own empty one.
    pub cargo_home: Option<PathBuf>,
    variables: BTreeMap<String, String>,
    /// A program that runs the command.
    under: Vec<String>,
    directory: Option<PathBuf>,
    stdin: Option<PathBuf>,
    compiler: Option<&'static str>,
    outside: Option<tempfile::TempDir>,
}

impl Bench {
    /// Sets a row up, up to its first commit and what must be done after it.
    pub fn new(row: &Row) -> Self {
        let project = Project::bare(row.fixture, "one/project");
        let mut bench = Self {
            project,
            cargo_home: None,
            variables: BTreeMap::new(),
            under: Vec::new(),
            directory: None,
            stdin: None,
            compiler: None,
            outside: None,
        };
        bench.only(row);
        bench.git(&["init", "--quiet"]);
        (row.prepare)(&mut bench);
        let _ = std::fs::remove_dir_all(bench.root().join("extras"));
        bench.commit("start");
        (row.ready)(&mut bench);
        bench
    }

    /// Leaves the row's program and makes the manifest name it.
    fn only(&mut self, row: &Row) {
        let programs = self.root().join("src/bin");
        let program = format!("{}.rs", row.program);
        for entry in std::fs::read_dir(&programs).unwrap() {
            let path = entry.unwrap().path();
            if path.file_name().unwrap() != program.as_str() {
                std::fs::remove_file(path).unwrap();
            }
        }
        let extra = self.root().join("extras/bin").join(&program);
        if extra.exists() {
            std::fs::rename(extra, programs.join(&program)).unwrap();
        }
        let text = std::fs::read_to_string(programs.join(&program)).unwrap();
        let manifest = self.read("repro.toml");
        let lines = manifest
            .lines()
            .filter(|line| !line.starts_with("metrics") || text.contains("metrics.json"));
        let line = |line: &str| match line {
            line if line.starts_with("bin = ") => format!("bin = \"{}\"\n", row.program),
            line => format!("{line}\n"),
        };
        self.write("repro.toml", &lines.map(line).collect::<String>());
        if row.fixture == "catalog-rayon" {
            self.cargo_home = Some(cargo_home());
            self.only_library(row.program);
        }
    }

    /// Cargo.toml would name programs that are not there any more; and the feature is the one of this program.
    fn only_library(&self, program: &str) {
        let text = self.read("Cargo.toml");
        let (before, rest) = text.split_once("[[bin]]").unwrap();
        let (programs, after) = rest.split_once("[profile").unwrap();
        let own = programs.split("[[bin]]").find(|part| part.contains(&format!("\"{program}\""))).unwrap();
        let feature = own.split("features = [\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
        self.edit("repro.toml", "features = [\"rayon\"]", &format!("features = [\"{feature}\"]"));
        self.write("Cargo.toml", &format!("{before}[[bin]]{own}[profile{after}"));
    }

    /// The package's directory.
    pub fn root(&self) -> &Path {
        &self.project.root
    }

    /// A path beside the package's directory, outside the repository.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.root().with_file_name(name)
    }

    /// A path that a program is shown where the manifest lets it read: a temporary directory is its own.
    pub fn outside(&mut self, name: &str) -> PathBuf {
        let directory = self.outside.get_or_insert_with(|| {
            let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("target");
            let is_temporary = ["/tmp", "/var/tmp"].iter().any(|temporary| target.starts_with(temporary));
            let place = if is_temporary {
                std::env::home_dir().unwrap()
            } else {
                target
            };
            std::fs::create_dir_all(&place).unwrap();
            tempfile::Builder::new().prefix(".repro-test-").tempdir_in(place).unwrap()
        });
        directory.path().join(name)
    }

    /// Runs the binary under the circumstances as they are now.
    pub fn run(&self, args: &[&str]) -> Seen {
        let mut all = args.to_vec();
        all.extend(["--message-format", "json"]);
        if let Some(case) = self.compiler {
            return Seen::new(args, &self.project.with_compiler(case, &all));
        }
        let mut command = under(&self.under, &self.project.command(&all));
        command.stdin(self.stdin.as_ref().map_or_else(Stdio::null, |path| File::open(path).unwrap().into()));
        if let Some(directory) = &self.directory {
            command.current_dir(directory);
        }
        if let Some(home) = &self.cargo_home {
            command.env("CARGO_HOME", home);
        }
        command.envs(&self.variables);
        Seen::new(args, &self.project.answer(&mut command))
    }

    // The package.

    pub fn read(&self, path: &str) -> String {
        self.project.read(path)
    }

    pub fn write(&self, path: &str, text: &str) {
        self.project.write(path, text);
    }

    /// Replaces a text that must be there.
    pub fn edit(&self, path: &str, from: &str, to: &str) {
        self.project.edit(path, from, to);
    }

    pub fn append(&self, path: &str, text: &str) {
        self.write(path, &(self.read(path) + text));
    }

    pub fn remove(&self, path: &str) {
        self.project.remove(path);
    }

    pub fn git(&self, args: &[&str]) -> String {
        self.project.git(args)
    }

    pub fn commit(&self, message: &str) {
        self.project.commit(message);
    }

    /// A link in the package.
    pub fn link(&self, path: &str, target: &str) {
        let path = self.root().join(path);
        let _ = std::fs::remove_file(&path);
        std::os::unix::fs::symlink(target, path).unwrap();
    }

    /// Bytes, packed as gzip does at that level.
    pub fn pack(&self, path: &str, text: &str, level: u32) {
        let file = File::create(self.root().join(path)).unwrap();
        let mut packed = flate2::write::GzEncoder::new(file, flate2::Compression::new(level));
        packed.write_all(text.as_bytes()).unwrap();
        packed.finish().unwrap();
    }

    /// The arguments of the stage.
    pub fn args(&self, args: &[&str]) {
        let line = self
            .read("repro.toml")
            .lines()
            .find(|line| line.starts_with("bin = "))
            .unwrap()
            .to_owned();
        self.edit("repro.toml", &line, &format!("{line}\nargs = {args:?}"));
    }

    /// More tables of the manifest.
    pub fn manifest(&self, text: &str) {
        self.append("repro.toml", &format!("\n{text}\n"));
    }

    /// One more set of declared data.
    pub fn data(&self, line: &str) {
        self.edit("repro.toml", "[data]", &format!("[data]\n{line}"));
    }

    /// A build script of the fixture's.
    pub fn build_script(&self, name: &str) {
        let script = self.root().join("extras").join(format!("build-{name}.rs"));
        std::fs::copy(script, self.root().join("build.rs")).unwrap();
    }

    /// The fixture's macros as a path dependency in the repository.
    pub fn macros(&self) {
        copy(&fixtures().join("programs/catalog/extras/macros"), &self.root().join("macros"));
        self.edit("Cargo.toml", "[dependencies]\n", "[dependencies]\nmacros = { path = \"macros\" }\n");
        self.edit("Cargo.lock", "version = \"0.1.0\"\n", "version = \"0.1.0\"\ndependencies = [\n \"macros\",\n]\n");
        self.append("Cargo.lock", "\n[[package]]\nname = \"macros\"\nversion = \"0.1.0\"\n");
    }

    // What a forger does.

    /// Computes the lock's id anew.
    pub fn reseal(&self) {
        self.project.reseal();
        self.commit("a forgery");
    }

    /// Another text as an artifact, and the lock as if that had been recorded.
    pub fn forge(&self, path: &str, text: &str) {
        let facts = |text: &str| {
            let digest: String = sha2::Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect();
            format!("digest = \"sha256:{digest}\"\nbytes = {}\n", text.len())
        };
        self.edit("repro.lock", &facts(&self.read(path)), &facts(text));
        self.write(path, text);
        self.reseal();
    }

    /// The line of the lock that begins so, with another value.
    pub fn forge_line(&self, start: &str, value: &str) {
        let lock = self.read("repro.lock");
        let line = lock.lines().find(|line| line.starts_with(start)).unwrap();
        let at = lock.find(line).unwrap();
        self.write("repro.lock", &format!("{}{start}{value}{}", &lock[..at], &lock[at + line.len()..]));
        self.reseal();
    }

    // The circumstances of the commands that follow.

    /// A variable of the caller.
    pub fn with(&mut self, name: &str, value: &str) {
        self.variables.insert(name.to_owned(), value.to_owned());
    }

    /// A program that starts the tool.
    pub fn under(&mut self, words: &[&str]) {
        self.under = words.iter().map(|word| (*word).to_owned()).collect();
    }

    /// Another directory.
    pub fn inside(&mut self, directory: PathBuf) {
        self.directory = Some(directory);
    }

    /// A text on stdin.
    pub fn stdin(&mut self, text: &str) {
        let path = self.beside("stdin.txt");
        std::fs::write(&path, text).unwrap();
        self.stdin = Some(path);
    }

    /// A compiler that answers otherwise; see [`Project::with_compiler`].
    pub fn compiler(&mut self, case: &'static str) {
        self.compiler = Some(case);
    }

    /// A clone beside the package, from which commands are run from now on.
    pub fn clone_to(&mut self, name: &str, more: &[&str]) {
        let (from, to) = (format!("file://{}", self.root().display()), self.beside(name));
        let mut args = vec!["clone", "--quiet"];
        args.extend(more);
        args.extend([from.as_str(), to.to_str().unwrap()]);
        git(self.project.around(), &args);
        self.inside(to);
    }

    /// A terminal around everything that follows.
    pub fn terminal(&mut self) {
        // `script` wants one text for a shell; the words reach it as the shell's own arguments.
        let quoted =
            r#"for word do line="$line '$word'"; done; exec script --quiet --return --command "$line" /dev/null"#;
        self.under(&["sh", "-c", quoted, "sh"]);
    }

    /// A server that gives every caller another number; its address.
    pub fn server(&self) -> String {
        static ANSWER: AtomicU32 = AtomicU32::new(1);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let _ = write!(&stream, "{}", ANSWER.fetch_add(1, Ordering::Relaxed));
            }
        });
        address
    }
}

// What a machine may lack.

/// A flag of the CPU.
pub fn cpu_flag(flag: &str) -> Option<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let flags = text.lines().find(|line| line.starts_with("flags")).unwrap_or_default();
    (!flags.split_whitespace().any(|has| has == flag)).then(|| format!("this CPU has no {flag}"))
}

/// A second processor.
pub fn two_processors() -> Option<String> {
    let has = std::thread::available_parallelism().is_ok_and(|count| count.get() > 1);
    (!has).then(|| "this machine has one processor".to_owned())
}

/// A program that does as it is told.
pub fn program(words: &[&str]) -> Option<String> {
    let ended = Command::new(words[0])
        .args(&words[1..])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    (!ended.is_ok_and(|status| status.success())).then(|| format!("`{}` does not work here", words.join(" ")))
}
