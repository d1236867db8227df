//! A cause: the source of nondeterminism, or the undeclared input, that an outcome depends on. How one is
//! found is in [`crate::diagnose`].

use crate::trace::Site;

/// The kinds, whose words are a contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// What the kernel gives as random: keys of hash maps, generators seeded from it.
    ProcessEntropy,
    /// The date, timers, the processor's counter.
    Clock,
    /// Which thread comes first.
    Scheduling,
    /// How many threads or processors there are.
    ThreadCount,
    /// Where things lie in memory.
    AddressLayout,
    /// In which order a directory's names come.
    DirectoryOrder,
    /// The path of the working directory.
    WorkingDirectory,
    /// The path of the home directory.
    Home,
    /// Language and number formats.
    Locale,
    /// The time zone.
    Timezone,
    /// The host's name.
    Hostname,
    /// Who runs it.
    User,
    /// The mode creation mask.
    Umask,
    /// Variables that nobody declared.
    Environment,
    /// The process's number.
    ProcessId,
    /// Instructions that a library chooses by the CPU.
    CpuFeatures,
    /// When files were last changed.
    FileTimes,
    /// A file that is not declared.
    UndeclaredRead,
    /// The network.
    Network,
    /// What a build makes of the same sources.
    Build,
}

/// Every kind, with its word.
pub const KINDS: [(Kind, &str); 20] = [
    (Kind::ProcessEntropy, "process-entropy"),
    (Kind::Clock, "clock"),
    (Kind::Scheduling, "scheduling"),
    (Kind::ThreadCount, "thread-count"),
    (Kind::AddressLayout, "address-layout"),
    (Kind::DirectoryOrder, "directory-order"),
    (Kind::WorkingDirectory, "working-directory"),
    (Kind::Home, "home"),
    (Kind::Locale, "locale"),
    (Kind::Timezone, "timezone"),
    (Kind::Hostname, "hostname"),
    (Kind::User, "user"),
    (Kind::Umask, "umask"),
    (Kind::Environment, "environment"),
    (Kind::ProcessId, "process-id"),
    (Kind::CpuFeatures, "cpu-features"),
    (Kind::FileTimes, "file-times"),
    (Kind::UndeclaredRead, "undeclared-read"),
    (Kind::Network, "network"),
    (Kind::Build, "build"),
];

impl Kind {
    /// As in reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        let (_, word) = KINDS.iter().find(|(kind, _)| *kind == self).expect("every kind has a word");
        word
    }
}

/// One cause.
#[derive(Clone, Debug, PartialEq)]
pub struct Cause {
    /// What kind of source it is.
    pub kind: Kind,
    /// The stage that draws on it; none if that is the build.
    pub stage: Option<String>,
    /// What exactly: a path, an address, a function.
    pub subject: String,
    /// One sentence.
    pub detail: String,
    /// What it changes first: a checkpoint, or else an artifact or a metric.
    pub first: Option<String>,
    /// Where the program draws on it.
    pub sites: Vec<Site>,
    /// What to do about it.
    pub hint: Option<String>,
}
