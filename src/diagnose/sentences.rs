//! What is said of a cause, and what to do about it.

use super::factor::Factor;
use super::trial::Effect;
use crate::cause::Kind;

/// What is said of a cause where threads race for a draw.
pub const RACED: &str = "; several threads race to draw random numbers that all of them use: where it does not count which one draws, trainings agree";

/// What to do about it.
pub const DRAW_EARLIER: &str = "draw what the whole process keeps before threads begin, or make it from the run's seed";

/// The sentence on a factor that the outcome follows.
#[must_use]
pub fn detail(factor: Factor, effect: &Effect, together: bool) -> String {
    let what = match factor {
        Kind::ProcessEntropy => "random numbers of the system: hash maps and unseeded generators draw on them",
        Kind::Clock => "the date, or how much time has passed",
        Kind::Scheduling => "the order in which threads come to run",
        Kind::ThreadCount => "the number of threads or processors",
        Kind::AddressLayout => "where things lie in memory",
        Kind::DirectoryOrder => "the order in which a directory's names are read",
        Kind::FileTimes => {
            "what the file system says of files beside their content: when they were changed, or their numbers"
        }
        Kind::CpuFeatures => "the instructions that libraries choose by the CPU",
        Kind::WorkingDirectory => "the path of the working directory",
        Kind::Home => "the path of the home directory",
        Kind::Environment => "variables that nobody declared",
        Kind::Locale => "the locale",
        Kind::Timezone => "the time zone",
        Kind::User => "who runs it",
        Kind::Hostname => "the host's name",
        Kind::Umask => "the mode creation mask",
        Kind::ProcessId => "the process's number",
        Kind::UndeclaredRead => "a file of the kernel that changes by itself",
        Kind::Network => "the network",
        Kind::Build => "what a build makes of the same sources",
    };
    let first = effect.first();
    let verb = if together {
        "changes, together with the others,"
    } else {
        "changes"
    };
    format!("the outcome follows {what}; it {verb} `{first}` first")
}

/// What to do about it.
#[must_use]
pub fn hint(factor: Factor) -> &'static str {
    match factor {
        Kind::ProcessEntropy => {
            "`entropy = \"seeded\"` under [determinism] makes it follow the seed; or use a BTreeMap, and a generator from the run's seed"
        }
        Kind::Clock => {
            "`clock = \"frozen\"` under [determinism] pins the date; what depends on how long something takes must be mended in the program"
        }
        Kind::Scheduling => "collect results by index instead of by arrival, and add numbers in a fixed order",
        Kind::ThreadCount => {
            "`set = { RAYON_NUM_THREADS = \"1\" }` under [environment] sets the number of threads, or the variable that the library asks"
        }
        Kind::AddressLayout => "something is ordered or hashed by its address, or read before it is written",
        Kind::DirectoryOrder => "sort the names that read_dir gives",
        Kind::CpuFeatures => {
            "`cargo repro record --add-class` gives each platform class an outcome of its own; or set GLIBC_TUNABLES, or the library's own variable, to one level"
        }
        Kind::FileTimes | Kind::UndeclaredRead => "take it from declared data or from a parameter",
        Kind::Network => "fetch it beforehand and declare the file under [data]",
        _ => "take it from a parameter, or from a variable that `set` under [environment] gives",
    }
}
