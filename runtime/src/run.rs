//! [`Run`]: what a training program holds from its first line to its last.
//!
//! It ties the parts together; how each works is in the part's own file.

use std::{
    collections::BTreeSet,
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rand_chacha::rand_core::RngCore;
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    artifact, canonical,
    digest::digest_bytes,
    environment::Environment,
    error::{Error, Result},
    json,
    ledger::Ledger,
    params,
    protocol::{self, Event, Figure, variable},
    setup::Setup,
    stream::{self, Stream},
    tally::Tally,
};

/// One execution of a training program, as `cargo repro` sees it.
///
/// Open it once, at the start, and clone it freely: clones are one run, and every method may be
/// called from any thread. When the last clone and the last [`Stream`] are dropped, the ledger is
/// closed; so do not keep one in a `static`, and do not leave by [`std::process::exit`] while one
/// is held.
#[derive(Clone)]
pub struct Run {
    shared: Arc<Shared>,
}

struct Shared {
    setup: Setup,
    tally: Arc<Tally>,
    told: Mutex<Told>,
}

/// What the ledger was told already and is not to be told twice.
#[derive(Default)]
struct Told {
    params: BTreeSet<String>,
    data: BTreeSet<String>,
    metrics: BTreeSet<String>,
}

impl Run {
    /// Opens the run of this process.
    ///
    /// Inside `cargo repro`, the environment says everything. Outside, `repro.toml` is looked for
    /// (feature `manifest`) in the package's directory if `cargo run` started the program, then in
    /// the current one, each with those above it; `REPRO_SEED`, `REPRO_STAGE`, `REPRO_OUT_DIR`,
    /// `REPRO_PARAM_…` and `REPRO_DATA_…` override what it says, and nothing is reported anywhere.
    ///
    /// # Errors
    ///
    /// When `cargo repro` speaks another protocol version, a variable or the manifest makes no
    /// sense, the ledger cannot be opened, or nothing says what the seed is.
    pub fn open() -> Result<Self> {
        Self::start(Setup::new(&Environment::read()?)?)
    }

    fn start(setup: Setup) -> Result<Self> {
        let ledger = setup
            .ledger
            .as_deref()
            .map_or_else(|| Ok(Ledger::nowhere()), Ledger::open)?;
        ledger.append(&Event::Open {
            protocol: protocol::VERSION,
            runtime: concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION")).into(),
        })?;
        Ok(Self {
            shared: Arc::new(Shared {
                setup,
                tally: Arc::new(Tally::new(ledger)),
                told: Mutex::default(),
            }),
        })
    }

    /// The seed that every stream comes from.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.shared.setup.seed
    }

    /// The stage's name; `train` outside `cargo repro`.
    #[must_use]
    pub fn stage(&self) -> &str {
        &self.shared.setup.stage
    }

    /// The directory that artifact paths are relative to.
    #[must_use]
    pub fn out_dir(&self) -> &Path {
        &self.shared.setup.out_dir
    }

    /// A name for this run that says what it was: the stage, the seed, then the parameters sorted
    /// by name.
    ///
    /// Such as `train-seed42-max_depth10-n_estimators100`. Names of parameters are in lower case
    /// with `_` for what is no ASCII letter or digit; in stage and values, whatever is not an ASCII
    /// letter, a digit, `.`, `-` or `+` becomes `_`, so the name does for a file. It holds every
    /// parameter that the run was given, whether the program asks for it or not.
    #[must_use]
    pub fn name(&self) -> String {
        let setup = &self.shared.setup;
        let mut name = format!("{}-seed{}", file_name(&setup.stage), setup.seed);
        for (param, value) in &setup.params {
            name.extend(["-", &param.to_ascii_lowercase(), &file_name(value)]);
        }
        name
    }

    /// The parameters, as a struct of the program's own.
    ///
    /// A field finds its parameter by name, with `-` and `_` alike and in any case. Numbers,
    /// `bool`, `char`, `String`, `Option`, newtypes and enums of unit variants are read from the
    /// parameter's text. A field that is an `Option` or has a serde default may be missing. The
    /// ledger is told the parameters that the struct asks for; one that it does not is no error,
    /// unless it says `deny_unknown_fields`.
    ///
    /// # Errors
    ///
    /// When a parameter is missing or its text is not of the field's type, and when the ledger
    /// cannot be written.
    pub fn params<T: DeserializeOwned>(&self) -> Result<T> {
        let params::Read { value, used } = params::read(&self.shared.setup.params)?;
        for (name, text) in used {
            if self.told().params.insert(variable("", &name)) {
                self.tell(&Event::Param { name, value: text })?;
            }
        }
        Ok(value)
    }

    /// The path of a data set that is one file or one directory.
    ///
    /// # Errors
    ///
    /// When it is not declared, is several files, or is not there; and when the ledger cannot be
    /// written.
    pub fn data(&self, name: &str) -> Result<PathBuf> {
        let mut paths = self.data_files(name)?;
        match (paths.pop(), paths.len()) {
            (Some(path), 0) => Ok(path),
            (_, more) => Err(Error::Data {
                name: name.into(),
                problem: format!("is {} files: use `data_files` in place of `data`", more + 1),
            }),
        }
    }

    /// The paths of a data set that is a glob or a list; of any other, its one path. A directory is
    /// not looked into.
    ///
    /// # Errors
    ///
    /// When it is not declared, is empty, or a path is not there; and when the ledger cannot be
    /// written.
    pub fn data_files(&self, name: &str) -> Result<Vec<PathBuf>> {
        let refuse = |problem| {
            Err(Error::Data {
                name: name.into(),
                problem,
            })
        };
        let key = variable("", name);
        let Some(paths) = self.shared.setup.data.get(&key) else {
            return refuse("is not declared: add it to [data] in repro.toml".into());
        };
        if paths.is_empty() {
            return refuse("has no files: see what [data] in repro.toml says of it".into());
        }
        if let Some(missing) = paths.iter().find(|path| !path.exists()) {
            return refuse(format!("{} is not there", missing.display()));
        }
        if self.told().data.insert(key) {
            self.tell(&Event::Data { name: name.into() })?;
        }
        Ok(paths.clone())
    }

    /// The random stream of this name, from its beginning.
    ///
    /// Streams of different names are independent, so adding one never shifts another. The same
    /// name gives the same numbers again: where they should go on, keep the stream.
    #[must_use]
    pub fn rng(&self, name: &str) -> Stream {
        Stream::new(self.seed(), name, Arc::clone(&self.shared.tally))
    }

    /// The key of a stream, as a seed for a generator of another kind. The ledger names the stream,
    /// with no words of its own.
    #[must_use]
    pub fn key(&self, name: &str) -> [u8; 32] {
        self.shared.tally.add(name, 0);
        stream::key(self.seed(), name)
    }

    /// A number from a stream, for libraries that take an integer as seed: the stream's first
    /// `u64`, noted as its two words.
    #[must_use]
    pub fn seed_for(&self, name: &str) -> u64 {
        self.rng(name).next_u64()
    }

    /// Tells the ledger the digest of an intermediate value, so that a divergence can be dated.
    ///
    /// The digest is of the value's [canonical bytes](crate::canonical). A name may come again, as
    /// in a loop. The order of lines is the order of calls: make them from one thread, or under
    /// names that differ.
    ///
    /// # Errors
    ///
    /// When a map in the value has a key twice, when its own `Serialize` fails, and when the ledger
    /// cannot be written.
    pub fn checkpoint<T: Serialize + ?Sized>(&self, name: &str, value: &T) -> Result<()> {
        let digest = canonical::digest(value).map_err(|error| error.about("checkpoint", name))?;
        self.tell(&Event::Checkpoint {
            name: name.into(),
            digest,
        })
    }

    /// Tells the ledger a figure that the training came to: a number, text, or `true` or `false`.
    ///
    /// # Errors
    ///
    /// When the name was used before, and when the ledger cannot be written.
    pub fn metric(&self, name: &str, value: impl Into<Figure>) -> Result<()> {
        if !self.told().metrics.insert(name.into()) {
            return Err(Error::MetricTwice { name: name.into() });
        }
        self.tell(&Event::metric(name, value))
    }

    /// Writes a value as [canonical JSON](crate::json) to a path in the output directory.
    ///
    /// The file is replaced whole or not at all. Written again, the last one counts.
    ///
    /// # Errors
    ///
    /// When the path is absolute or has `..`, when the value holds a number that JSON has not (NaN,
    /// infinities) or cannot be JSON otherwise, and when file or ledger cannot be written.
    pub fn artifact<T: Serialize + ?Sized>(&self, path: impl AsRef<Path>, value: &T) -> Result<()> {
        let path = path.as_ref();
        let bytes = json::to_vec(value)
            .map_err(|error| error.about("artifact", &path.to_string_lossy()))?;
        self.artifact_bytes(path, &bytes)
    }

    /// Writes bytes to a path in the output directory, as [`Run::artifact`] does.
    ///
    /// # Errors
    ///
    /// When the path is absolute or has `..`, and when file or ledger cannot be written.
    pub fn artifact_bytes(&self, path: impl AsRef<Path>, bytes: &[u8]) -> Result<()> {
        let path = artifact::ledger_path(path.as_ref())?;
        artifact::write(&self.out_dir().join(&path), bytes)?;
        self.tell(&Event::Artifact {
            path,
            digest: digest_bytes(bytes),
        })
    }

    fn tell(&self, event: &Event) -> Result<()> {
        self.shared.tally.tell(event)
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        // The sets are whole between any two statements, so a panic elsewhere does not spoil them.
        self.shared
            .told
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Run")
            .field("setup", &self.shared.setup)
            .finish_non_exhaustive()
    }
}

/// The text with `_` for whatever could be trouble in a file name.
fn file_name(text: &str) -> String {
    let harmless = |character: char| {
        character.is_ascii_alphanumeric() || matches!(character, '.' | '-' | '+' | '_')
    };
    text.chars()
        .map(|character| if harmless(character) { character } else { '_' })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(params: &[(&str, &str)]) -> Run {
        Run::start(Setup {
            stage: "train".into(),
            seed: 42,
            params: params
                .iter()
                .map(|&(name, text)| (name.into(), text.into()))
                .collect(),
            data: [
                ("TWO".into(), vec!["Cargo.toml".into(), "src".into()]),
                ("GONE".into(), vec!["gone.csv".into()]),
            ]
            .into(),
            out_dir: ".".into(),
            ledger: None,
        })
        .unwrap()
    }

    #[test]
    fn the_name_says_stage_seed_and_params() {
        let run = run(&[
            ("MAX_DEPTH", "10"),
            ("N_ESTIMATORS", "100"),
            ("KIND", "a/b c"),
        ]);
        assert_eq!(
            run.name(),
            "train-seed42-kinda_b_c-max_depth10-n_estimators100"
        );
    }

    #[test]
    fn a_seed_for_a_library_is_the_streams_first_u64() {
        let run = run(&[]);
        assert_eq!(run.seed_for("split"), run.rng("split").next_u64());
        assert_eq!(run.seed_for("split"), 0xa8e3_7032_2f13_927b);
        assert_eq!(run.key("split")[..2], [0xec, 0x64]);
    }

    #[test]
    fn data_says_what_is_wrong() {
        let run = run(&[]);
        let problem = |name| run.data(name).unwrap_err().to_string();
        assert!(problem("two").contains("data_files"));
        assert!(problem("gone").contains("gone.csv is not there"));
        assert!(problem("none").contains("[data]"));
        assert_eq!(run.data_files("two").unwrap().len(), 2);
    }

    #[test]
    fn a_run_can_be_shared() {
        fn shareable<T: Send + Sync + Clone>() {}
        shareable::<Run>();
        shareable::<Stream>();
    }
}
