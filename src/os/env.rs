//! The only file that reads the environment, the current directory and the clock: what the caller's
//! shell happens to be like. Nothing read here reaches a lock or a report unless the manifest
//! declares it.
#![allow(clippy::disallowed_methods, reason = "this is the one room for them")]

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use zeroize::Zeroizing;

use crate::error::{Error, IoContext, Result};
use crate::exit_code::ExitCode;

/// Search path of builds and of programs, the same everywhere; the toolchain's own directory is put
/// before it for builds.
pub const STANDARD_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The variable with the passphrase of a signing key: where CI keeps its secrets. It reaches no child
/// process (builds and programs get an environment of their own, and it is taken from that of cargo and
/// rustc), no log and no report.
pub const PASSPHRASE: &str = "CARGO_REPRO_PASSPHRASE";

/// The passphrase in the environment, if there is one.
///
/// # Errors
/// When it is not UTF-8.
pub fn passphrase() -> Result<Option<Zeroizing<String>>> {
    let Some(value) = std::env::var_os(PASSPHRASE).filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let not_text = |_| Error::new(format!("the value of {PASSPHRASE} is not UTF-8")).code(ExitCode::Usage);
    value.into_string().map(|text| Some(Zeroizing::new(text))).map_err(not_text)
}

/// Where the user's signing key is unless another is named.
#[must_use]
pub fn default_key() -> PathBuf {
    // The XDG specification has a relative path ignored.
    let configuration = path_variable("XDG_CONFIG_HOME").filter(|path| path.is_absolute());
    configuration.unwrap_or_else(|| home().join(".config")).join("cargo-repro/key.pem")
}

/// Where the user's programs keep what they can do without.
#[must_use]
pub fn cache_home() -> PathBuf {
    // The XDG specification has a relative path ignored.
    let cache = path_variable("XDG_CACHE_HOME").filter(|path| path.is_absolute());
    cache.unwrap_or_else(|| home().join(".cache"))
}

/// The numbers of the processors that this process may use: a container may have the third and the fourth alone.
#[must_use]
pub fn processors() -> Vec<usize> {
    let allowed = rustix::thread::sched_getaffinity(None);
    let numbers =
        allowed.map(|set| (0..rustix::thread::CpuSet::MAX_CPU).filter(|number| set.is_set(*number)).collect());
    // Of more than a set can name, one is known to be there: the one this runs on.
    numbers.unwrap_or_else(|_| vec![rustix::thread::sched_getcpu()])
}

/// The caller's value of a variable that the manifest lets pass, if it is set.
#[must_use]
pub fn declared_variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// Whether the caller set a variable; its value stays unread.
#[must_use]
pub fn is_set(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| !value.is_empty())
}

/// The names of the variables that cargo takes for settings of a build, as far as the caller set any. Their values stay
/// unread.
#[must_use]
pub fn cargo_settings() -> Vec<String> {
    const ALONE: [&str; 7] = [
        "RUSTFLAGS",
        "CARGO_ENCODED_RUSTFLAGS",
        "RUSTC",
        "RUSTC_WRAPPER",
        "RUSTC_WORKSPACE_WRAPPER",
        "RUSTC_BOOTSTRAP",
        "CARGO_INCREMENTAL",
    ];
    const BELOW: [&str; 5] = [
        "CARGO_BUILD_",
        "CARGO_TARGET_",
        "CARGO_PROFILE_",
        "CARGO_HOST_",
        "CARGO_UNSTABLE_",
    ];
    let is_setting = |name: &str| ALONE.contains(&name) || BELOW.iter().any(|prefix| name.starts_with(prefix));
    let set = std::env::vars_os().filter(|(_, value)| !value.is_empty());
    let mut names: Vec<String> = set
        .filter_map(|(name, _)| name.into_string().ok())
        .filter(|name| is_setting(name))
        .collect();
    names.sort();
    names
}

/// How many compilers the caller lets cargo start at a time, if that is said.
#[must_use]
pub fn cargo_jobs() -> Option<String> {
    std::env::var("CARGO_BUILD_JOBS").ok().filter(|jobs| !jobs.is_empty())
}

/// What a GitHub runner tells the steps of its jobs.
#[derive(Clone, Debug)]
pub struct GithubRunner {
    /// The file that the job's summary is added to.
    pub summary: Option<PathBuf>,
}

/// The runner that this is a step of, if it is one of GitHub's.
#[must_use]
pub fn github_runner() -> Option<GithubRunner> {
    let is_one = std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true");
    is_one.then(|| GithubRunner {
        summary: path_variable("GITHUB_STEP_SUMMARY"),
    })
}

/// Whether the terminal, if there is one, can only write on: it calls itself `dumb`, or nothing at all.
#[must_use]
pub fn has_plain_terminal() -> bool {
    std::env::var_os("TERM").is_none_or(|name| name.is_empty() || name == "dumb")
}

/// The directory that relative paths on the command line are relative to.
///
/// # Errors
/// When it was removed.
pub fn current_dir() -> Result<PathBuf> {
    std::env::current_dir().at("find the current directory", Path::new("."))
}

/// `CARGO_HOME`, as cargo finds it.
#[must_use]
pub fn cargo_home() -> PathBuf {
    path_variable("CARGO_HOME").unwrap_or_else(|| home().join(".cargo"))
}

/// `RUSTUP_HOME`, as rustup finds it.
#[must_use]
pub fn rustup_home() -> PathBuf {
    path_variable("RUSTUP_HOME").unwrap_or_else(|| home().join(".rustup"))
}

/// The variable by which rustup is told which toolchain to use.
pub const RUSTUP_TOOLCHAIN: &str = "RUSTUP_TOOLCHAIN";

/// The toolchain that the caller chose by `cargo +NAME` or by hand, or that rustup chose for the current directory.
#[must_use]
pub fn rustup_toolchain() -> Option<OsString> {
    std::env::var_os(RUSTUP_TOOLCHAIN).filter(|name| !name.is_empty())
}

/// Where work directories go: `TMPDIR` where it is set, else `/var/tmp`, which unlike `/tmp` is for
/// large files and on disk.
#[must_use]
pub fn scratch_root() -> PathBuf {
    path_variable("TMPDIR").unwrap_or_else(|| {
        let large = Path::new("/var/tmp");
        if large.is_dir() {
            large.to_path_buf()
        } else {
            std::env::temp_dir()
        }
    })
}

/// Where git keeps the objects of a push that a hook has yet to decide on.
#[must_use]
pub fn git_quarantine() -> Option<String> {
    std::env::var("GIT_QUARANTINE_PATH").ok().filter(|path| !path.is_empty())
}

/// The first executable of that name in the caller's `PATH`. Relative directories of it are left out: in a
/// repository they lead to whatever that brings.
#[must_use]
pub fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .filter(|directory| directory.is_absolute())
        .map(|directory| directory.join(name))
        .find(|candidate| is_executable(candidate))
}

/// Whether `path` is a file that somebody may execute.
#[must_use]
pub fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

/// Nanoseconds since 1970, to tell whether a file is too young for its stat to be believed.
#[must_use]
pub fn now_ns() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

/// This very program, for hooks that find no other.
///
/// # Errors
/// When the system does not say where it is.
pub fn this_program() -> Result<PathBuf> {
    std::env::current_exe().at("find this program", Path::new("/proc/self/exe"))
}

/// Seconds since 1970, for what is signed today and read later.
#[must_use]
pub fn now() -> i64 {
    now_ns() / 1_000_000_000
}

/// The user's home directory.
#[must_use]
pub fn home() -> PathBuf {
    std::env::home_dir().unwrap_or_else(|| PathBuf::from("/"))
}

fn path_variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}
