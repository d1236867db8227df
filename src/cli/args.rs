//! The command line as typed. What it comes to is [`crate::cli::settings`].

mod ci;
mod help;
mod release;

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args as ClapArgs, ColorChoice, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

pub use ci::{Ci, CiGithub, CiGitlab, Forge, Writing};
pub use help::{Completions, ExplainCode};
pub use release::{
    Attest, Gate, Hook, HookAction, HookInstall, HookRun, HookUninstall, Key, KeyCommand, KeyNew, KeyShow, Tag,
};

use crate::console::MessageFormat;

const STYLES: clap::builder::Styles = clap::builder::Styles::styled()
    .header(anstyle::AnsiColor::Green.on_default().bold())
    .usage(anstyle::AnsiColor::Green.on_default().bold())
    .literal(anstyle::AnsiColor::Cyan.on_default().bold())
    .placeholder(anstyle::AnsiColor::Cyan.on_default())
    .error(anstyle::AnsiColor::Red.on_default().bold());

const EXIT_CODES: &str = "\
Exit codes:
  0    reproduced, or done
  1    could not be judged      2    usage
  3    drift                    4    divergence
  5    build failed             6    training failed
  7    inconclusive (another platform class, and the outputs differ)
  8    gate refused             9    signature or attestation invalid
  130  interrupted

See `cargo repro COMMAND --help` for what each command does.";

/// Pin seeds, dependencies, data and code of a training, and prove that it reproduces.
#[derive(Debug, Parser)]
#[command(
    name = "cargo repro",
    bin_name = "cargo repro",
    version,
    styles = STYLES,
    after_help = EXIT_CODES,
    disable_help_subcommand = false,
    arg_required_else_help = true
)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Cargo's usual flags.
    #[command(flatten)]
    pub common: Common,
}

impl Args {
    /// The command line, or why it is refused: in the colours that it asks for itself.
    ///
    /// # Errors
    /// What to print: the refusal, or the help that was asked for.
    pub fn read(arguments: &[OsString]) -> Result<Self, clap::Error> {
        let command = Self::command().color(color_wanted(arguments));
        let matches = command.try_get_matches_from(arguments)?;
        Self::from_arg_matches(&matches)
    }
}

/// What `--color` says, before anything is known of the rest: the rest may be refused in colour.
fn color_wanted(arguments: &[OsString]) -> ColorChoice {
    let words = arguments.iter().take_while(|word| *word != "--").filter_map(|word| word.to_str());
    let mut is_next = false;
    let mut wanted = ColorChoice::Auto;
    for word in words {
        let value = if is_next {
            Some(word)
        } else {
            word.strip_prefix("--color=")
        };
        wanted = value.and_then(|value| value.parse().ok()).unwrap_or(wanted);
        is_next = word == "--color";
    }
    wanted
}

/// Flags that every command takes, as cargo's commands do.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Common options")]
pub struct Common {
    /// Path to the package's Cargo.toml
    #[arg(long, global = true, value_name = "PATH")]
    pub manifest_path: Option<PathBuf>,
    /// The package of the workspace whose repro.toml is meant
    #[arg(short, long, global = true, value_name = "SPEC")]
    pub package: Option<String>,
    /// Colour: auto, always, never
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_default_value = true,
        hide_possible_values = true
    )]
    pub color: ColorChoice,
    /// Only results, warnings and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Everything that is done
    #[arg(short, long, global = true)]
    pub verbose: bool,
    /// Do not use the network
    #[arg(long, global = true)]
    pub offline: bool,
    /// For whom to print: human, json (one object a line, the last is the verdict)
    #[arg(
        long,
        global = true,
        value_name = "FMT",
        default_value = "human",
        hide_default_value = true,
        hide_possible_values = true
    )]
    pub message_format: MessageFormat,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a training package that records and verifies at once
    New(New),
    /// Write a commented repro.toml into this package
    #[command(
        after_help = "Example:\n  cargo repro init                       # say in it what is read and written\n  git add . && git commit -m 'what the training intends'\n  cargo repro record"
    )]
    Init,
    /// Tell the whole story in a scratch directory: new, record, verify, one changed byte
    Demo(Demo),
    /// Snapshot every input, build and train, write repro.lock
    Record(Record),
    /// Rebuild and retrain from a clean checkout, and say whether all is as locked
    Verify(Verify),
    /// Retrain and, where it diverges, find the cause and the line
    Explain(Explain),
    /// Change one thing around the program at a time, and say which ones change the outcome
    Vary(Vary),
    /// Drift only, in a moment: no build and no training
    Status(Status),
    /// What differs between two locks, or two revisions of the lock
    Diff(Diff),
    /// The lock, for a person to read
    Show(Show),
    /// Every lock in the history, and what changed since the one before it
    Log(Log),
    /// The digests of files and directories, and what tables they hold
    Hash(Hash),
    /// Make the key that attestations are signed with, or show its public half
    Key(Key),
    /// Verify, then make a tag that says which lock was reproduced
    Tag(Tag),
    /// Whether a tag may be a release, with every reason why not
    Gate(Gate),
    /// Git hooks that gate every pushed release tag
    Hook(Hook),
    /// Verify, then sign the verdict
    Attest(Attest),
    /// Write the pipeline by which CI verifies this project
    Ci(Ci),
    /// What an exit code or a `kind` means, why it arises, and what to do
    ExplainCode(ExplainCode),
    /// What a shell needs to complete this command
    Completions(Completions),
}

/// `cargo repro new`
#[derive(Debug, ClapArgs)]
#[command(after_help = "Example:\n  cargo repro new wine && cd wine\n  cargo repro record")]
pub struct New {
    /// The directory to create
    #[arg(value_name = "DIR")]
    pub directory: PathBuf,
    /// The package's name; the directory's name by default
    #[arg(long)]
    pub name: Option<String>,
}

/// `cargo repro demo`
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  cargo repro demo                       # in a directory that goes at the end\n  cargo repro demo --keep                # leaves it for you to look around in"
)]
pub struct Demo {
    /// Keep the scratch directory, and say where it is
    #[arg(long)]
    pub keep: bool,
}

/// Values given on the command line in place of the manifest's.
#[derive(Clone, Debug, Default, ClapArgs)]
pub struct Overrides {
    /// A parameter's value in place of the manifest's, as `max_depth=12`
    #[arg(short = 'P', long = "param", value_name = "NAME=VALUE")]
    pub params: Vec<String>,
    /// The seed in place of the manifest's
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(0..))]
    pub seed: Option<i64>,
}

/// `cargo repro record`
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  cargo repro record                     # train once, write repro.lock\n  cargo repro record --confirm 3         # three times, and all must agree\n  cargo repro record -P max_depth=12     # with another value for one parameter\n  cargo repro record --add-class         # this machine too, in the same lock"
)]
pub struct Record {
    /// Train N times, in two builds if N > 1, and write no lock unless all outcomes are equal
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u32).range(1..))]
    pub confirm: u32,
    /// Record uncommitted changes too, and mark the lock as dirty
    #[arg(long)]
    pub allow_dirty: bool,
    /// Add what the same inputs give on this machine's platform class to the lock of another class
    #[arg(long, conflicts_with_all = ["allow_dirty", "params", "seed"])]
    pub add_class: bool,
    /// Overrides of the manifest.
    #[command(flatten)]
    pub overrides: Overrides,
}

/// Files that a report is written to.
#[derive(Clone, Debug, Default, ClapArgs)]
pub struct Reports {
    /// Write a report, in the form of its ending: .html .md .json .sarif .xml (JUnit); may be repeated
    #[arg(long = "report", value_name = "PATH")]
    pub paths: Vec<PathBuf>,
}

/// `cargo repro verify`
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  cargo repro verify                     # this checkout against its repro.lock\n  cargo repro verify --rev v1.2          # a tag, by the lock that it carries\n  cargo repro verify --report audit.html # a page for whoever has to file it\n  cargo repro verify --artifacts proved  # keep the model that was proved\n  cargo repro verify --message-format json"
)]
pub struct Verify {
    /// The tag, branch or commit to verify, with the lock that it carries
    #[arg(long, value_name = "REV")]
    pub rev: Option<String>,
    /// Train N times; every outcome must be the locked one
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u32).range(1..))]
    pub times: u32,
    /// Where it diverges, go on until it is known why
    #[arg(long)]
    pub explain: bool,
    /// Whether the build that `record` kept may show a divergence: of `explain` alone
    #[arg(skip)]
    pub kept_first: bool,
    /// Do not read files again that seem untouched since the last look; the verdict says so
    #[arg(long)]
    pub cached: bool,
    /// Where to leave outputs that are not as locked
    #[arg(long, value_name = "DIR")]
    pub outputs: Option<PathBuf>,
    /// Where to keep the artifacts if they reproduce; overwrites nothing
    #[arg(long, value_name = "DIR")]
    pub artifacts: Option<PathBuf>,
    /// Overrides of the manifest.
    #[command(flatten)]
    pub overrides: Overrides,
    /// Reports.
    #[command(flatten)]
    pub reports: Reports,
}

/// `cargo repro explain`
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  cargo repro explain                    # why this checkout gives another model\n  cargo repro explain --rev v1.2         # the same of a tag"
)]
pub struct Explain {
    /// The tag, branch or commit to explain, with the lock that it carries
    #[arg(long, value_name = "REV")]
    pub rev: Option<String>,
    /// Overrides of the manifest.
    #[command(flatten)]
    pub overrides: Overrides,
    /// Reports.
    #[command(flatten)]
    pub reports: Reports,
}

/// `cargo repro vary`
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  cargo repro vary                       # each factor alone, then all of them\n  cargo repro vary --only clock,locale   # these two\n  cargo repro vary --budget 10m          # as many as ten minutes allow"
)]
pub struct Vary {
    /// Only these factors, separated by commas
    #[arg(long, value_name = "FACTOR", value_delimiter = ',')]
    pub only: Vec<String>,
    /// All but these factors
    #[arg(long, value_name = "FACTOR", value_delimiter = ',')]
    pub skip: Vec<String>,
    /// Begin no further factor after this time, such as `90s` or `10m`
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub budget: Option<std::time::Duration>,
    /// Vary uncommitted changes too
    #[arg(long)]
    pub allow_dirty: bool,
    /// Overrides of the manifest.
    #[command(flatten)]
    pub overrides: Overrides,
}

/// `cargo repro status`
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  cargo repro status                     # what has drifted since the recording\n  cargo repro status --fresh             # the same, reading every file again\n  cargo repro status -P max_depth=12     # what would drift with that value"
)]
pub struct Status {
    /// Read every file again, whatever was remembered from the last look
    #[arg(long)]
    pub fresh: bool,
    /// Overrides of the manifest.
    #[command(flatten)]
    pub overrides: Overrides,
    /// Reports.
    #[command(flatten)]
    pub reports: Reports,
}

/// `cargo repro diff`
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  cargo repro diff v1.1                  # from a tag's lock to this package's\n  cargo repro diff v1.1 v1.2             # the locks that two tags carry\n  cargo repro diff old.lock repro.lock   # two lock files"
)]
pub struct Diff {
    /// A lock file or a git revision
    pub a: String,
    /// Another; this package's repro.lock by default
    pub b: Option<String>,
    /// Exit with 3 when inputs differ, with 4 when only outputs do
    #[arg(long)]
    pub exit_code: bool,
}

/// `cargo repro show`
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  cargo repro show                       # this package's repro.lock\n  cargo repro show v1.2                  # the lock that a tag carries\n  cargo repro show old.lock              # a lock file"
)]
pub struct Show {
    /// A lock file or a git revision; this package's repro.lock by default
    pub lock: Option<String>,
}

/// `cargo repro log`
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  cargo repro log                        # every lock, the newest first\n  cargo repro log --metric accuracy      # how a metric went, the oldest first"
)]
pub struct Log {
    /// The tag, branch or commit whose history is meant
    #[arg(default_value = "HEAD", hide_default_value = true)]
    pub rev: String,
    /// Draw one metric: `NAME`, or `STAGE.NAME`
    #[arg(long, value_name = "NAME")]
    pub metric: Option<String>,
    /// Only the newest N
    #[arg(short = 'n', long, value_name = "N")]
    pub limit: Option<NonZeroUsize>,
}

/// `cargo repro hash`
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  cargo repro hash data/wine.csv         # its digest, rows, columns and types\n  cargo repro hash --files images        # each file, for `sha256sum --check`"
)]
pub struct Hash {
    /// Files, directories and globs
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<String>,
    /// Read only a sample of large files, as `digest = "sample"` does
    #[arg(long)]
    pub sample: bool,
    /// Read the files as tables of this format: auto, csv, tsv, parquet, none
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "auto",
        hide_default_value = true,
        hide_possible_values = true
    )]
    pub table: TableFormat,
    /// Print each file's digest and path, as `sha256sum` does, and nothing else
    #[arg(long, conflicts_with_all = ["sample", "table"])]
    pub files: bool,
}

/// `--table`
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum TableFormat {
    /// By the extension.
    Auto,
    /// Separated by commas, or what the header shows.
    Csv,
    /// Separated by tabs.
    Tsv,
    /// Apache Parquet.
    Parquet,
    /// No tables.
    None,
}
