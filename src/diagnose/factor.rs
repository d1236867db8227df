//! The factors that can be changed around a program, each with the settings that are tried: as values, so
//! that what was varied can be told exactly.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use super::builds;
use crate::cause::Kind;
use crate::project::manifest::{Clock, Entropy, Manifest};
use crate::run::circumstances::Circumstances;
use crate::sandbox::Order;
use crate::snapshot::Environment;

/// A factor is named as the cause that it would be.
pub type Factor = Kind;

/// The factors in the order in which they are tried: those that most often matter first.
pub const FACTORS: [Factor; 19] = [
    Kind::ProcessEntropy,
    Kind::Clock,
    Kind::ThreadCount,
    Kind::Scheduling,
    Kind::AddressLayout,
    Kind::DirectoryOrder,
    Kind::FileTimes,
    Kind::CpuFeatures,
    Kind::WorkingDirectory,
    Kind::Home,
    Kind::Environment,
    Kind::Locale,
    Kind::Timezone,
    Kind::User,
    Kind::Hostname,
    Kind::Umask,
    Kind::ProcessId,
    Kind::UndeclaredRead,
    Kind::Build,
];

/// Those that differ between two runs of one program on one machine, where nothing else is changed.
pub const RESTLESS: [Factor; 7] = [
    Kind::ProcessEntropy,
    Kind::Clock,
    Kind::Scheduling,
    Kind::AddressLayout,
    Kind::DirectoryOrder,
    Kind::FileTimes,
    Kind::UndeclaredRead,
];

/// Those that differ from one machine to another.
pub const OF_MACHINE: [Factor; 4] = [
    Kind::CpuFeatures,
    Kind::ThreadCount,
    Kind::DirectoryOrder,
    Kind::AddressLayout,
];

/// One setting of a factor that is tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// In words.
    pub what: String,
    /// The circumstances with it.
    pub circumstances: Circumstances,
    /// How often it is tried: more than once where it is not the same each time.
    pub times: u32,
    /// Circumstances that differ from these in nothing but the meaning: what changes an outcome against
    /// them too is neither a variable's being there nor its length.
    pub placebo: Option<Circumstances>,
}

impl Setting {
    /// Whether it changes nothing for a program that does one thing at a time.
    #[must_use]
    pub fn is_for_threads(&self) -> bool {
        let conditions = &self.circumstances.conditions;
        conditions.delays.is_some() || conditions.niceness != 0
    }
}

/// Variables by which libraries are told how many threads to use.
const THREAD_VARIABLES: [&str; 6] = [
    "RAYON_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "CANDLE_NUM_THREADS",
    "MATMUL_NUM_THREADS",
];

/// Variables by which libraries are told to do without some of the CPU's instructions.
const CPU_VARIABLES: [(&str, &str); 5] = [
    ("GLIBC_TUNABLES", "glibc.cpu.hwcaps=-AVX512F,-AVX2,-FMA,-FMA4,-AVX2_Usable,-FMA_Usable"),
    ("OPENBLAS_CORETYPE", "Prescott"),
    ("MKL_ENABLE_INSTRUCTIONS", "SSE4_2"),
    ("DNNL_MAX_CPU_ISA", "SSE41"),
    ("ATEN_CPU_CAPABILITY", "default"),
];

/// The total size to which environment and arguments are filled up.
const PADDED: usize = 16 * 1024;

/// Dates: the last second of a year, and one far from it.
const DATES: [i64; 2] = [1_830_297_599, 2_000_000_000];
const FROZEN_DATE: i64 = 1_000_000_000;

/// How much time passes by asking for it.
const TICK: u64 = 100_000;

/// What is frozen, for whom.
#[derive(Clone, Debug)]
pub struct Frozen<'a> {
    /// What the user pinned already.
    pub manifest: &'a Manifest,
    /// Variables that the user pinned.
    pub environment: &'a Environment,
    /// Where copies of changing files of the kernel go.
    pub canned: PathBuf,
    /// How many times a random factor is drawn.
    pub draws: u32,
    /// The date that the program sees if the user froze it.
    pub date: Option<i64>,
    /// The numbers of the processors that this process may use; at least one.
    pub processors: Vec<usize>,
    /// Whether there are namespaces, within which names and numbers can be others.
    pub namespaces: bool,
    /// Whether threads and processes take turns, and for how long one waits at most.
    pub turns: Option<Duration>,
    /// Whether it does not count which thread draws random numbers.
    pub alike: bool,
}

impl Frozen<'_> {
    /// The circumstances in which nothing differs between two runs that can be helped.
    #[must_use]
    pub fn circumstances(&self) -> Circumstances {
        let mut frozen = Circumstances::of(self.manifest, self.date);
        let conditions = &mut frozen.conditions;
        conditions.entropy.get_or_insert_with(|| "diagnosis 0".to_owned());
        conditions.clock.get_or_insert(FROZEN_DATE);
        conditions.tick = Some(TICK);
        conditions.fixed_addresses = true;
        conditions.directories = Some(Order::Sorted);
        conditions.processors = Some(self.processors.iter().take(1).copied().collect());
        conditions.told_processors = Some(1);
        conditions.canned = Some(self.canned.clone());
        conditions.padding = Some(PADDED);
        conditions.written = self.namespaces.then_some(FROZEN_DATE);
        conditions.turns = self.turns.map(|longest| u64::try_from(longest.as_millis()).unwrap_or(u64::MAX));
        conditions.drawn_alike = self.alike;
        frozen.file_time = Some(FROZEN_DATE);
        self.threads(&mut frozen, 1);
        frozen
    }

    /// Whether the user has left a variable open.
    fn is_open(&self, variable: &str) -> bool {
        !self.environment.variables.contains_key(variable)
            || ["LANG", "LC_ALL", "TZ"].contains(&variable) && !self.manifest.environment.set.contains_key(variable)
    }

    fn set(&self, circumstances: &mut Circumstances, variable: &str, value: &str) {
        if self.is_open(variable) {
            circumstances.variables.insert(variable.to_owned(), value.to_owned());
        }
    }

    fn threads(&self, circumstances: &mut Circumstances, count: usize) {
        for variable in THREAD_VARIABLES {
            self.set(circumstances, variable, &count.to_string());
        }
    }

    /// The settings of a factor, or why it cannot be changed.
    ///
    /// # Errors
    /// A sentence.
    pub fn settings(&self, factor: Factor) -> Result<Vec<Setting>, String> {
        match factor {
            Kind::ProcessEntropy if self.manifest.determinism.entropy == Entropy::Seeded => {
                Err("repro.toml seeds it".to_owned())
            }
            Kind::ProcessEntropy => Ok((1..=self.draws)
                .map(|draw| {
                    self.one(format!("entropy {draw}"), |to| to.conditions.entropy = Some(format!("diagnosis {draw}")))
                })
                .collect()),
            Kind::Clock => Ok(self.clocks()),
            Kind::ThreadCount => Ok([2, 3, 8].map(|count| self.thread_count(count)).into()),
            Kind::Scheduling => Ok(self.schedules()),
            Kind::AddressLayout => Ok(vec![
                Setting {
                    times: self.draws.min(6),
                    ..self.one("addresses at random", |to| to.conditions.fixed_addresses = false)
                },
                Setting {
                    placebo: Some(self.variable("MALLOC_PERTURB_", "00").circumstances),
                    ..self.variable("MALLOC_PERTURB_", "85")
                },
            ]),
            Kind::DirectoryOrder => {
                Ok(vec![self.one("names in reverse", |to| to.conditions.directories = Some(Order::Reversed))])
            }
            Kind::FileTimes => Ok(self.file_times()),
            Kind::CpuFeatures => self.cpu(),
            Kind::UndeclaredRead => Ok(vec![self.one("the kernel's own files", |to| to.conditions.canned = None)]),
            Kind::WorkingDirectory | Kind::User | Kind::Hostname | Kind::ProcessId if !self.namespaces => {
                Err("this machine allows no namespaces".to_owned())
            }
            Kind::Build => Ok(self.builds()),
            Kind::Network => Err("there is none within the sandbox".to_owned()),
            other => Ok(self.surroundings(other)),
        }
    }

    fn one(&self, what: impl Into<String>, change: impl FnOnce(&mut Circumstances)) -> Setting {
        let mut circumstances = self.circumstances();
        change(&mut circumstances);
        Setting {
            what: what.into(),
            circumstances,
            times: 1,
            placebo: None,
        }
    }

    fn variable(&self, name: &str, value: &str) -> Setting {
        self.one(format!("{name}={value}"), |to| self.set(to, name, value))
    }

    /// Dates only where the user left the date open; and timers that pass otherwise, or as the kernel's.
    fn clocks(&self) -> Vec<Setting> {
        let is_open = self.manifest.determinism.clock == Clock::System;
        let mut settings: Vec<Setting> = DATES
            .into_iter()
            .filter(|_| is_open)
            .map(|date| self.one(format!("the date {date}"), |to| to.conditions.clock = Some(date)))
            .collect();
        settings.push(self.one("timers seven times as fast", |to| to.conditions.tick = Some(7 * TICK)));
        settings.push(Setting {
            times: 2,
            ..self.one("the kernel's timers", |to| to.conditions.tick = None)
        });
        settings
    }

    fn thread_count(&self, count: usize) -> Setting {
        self.one(format!("{count} threads"), |to| {
            self.threads(to, count);
            to.conditions.told_processors = Some(count);
        })
    }

    /// Threads on all processors, held up now and then; another processor; a lower priority.
    fn schedules(&self) -> Vec<Setting> {
        let all = &self.processors;
        let mut settings: Vec<Setting> = (1..=self.draws.clamp(3, 6))
            .map(|seed| {
                self.one(format!("threads held up, {seed}"), |to| {
                    to.conditions.processors = Some(all.clone());
                    to.conditions.delays = Some(u64::from(seed));
                })
            })
            .collect();
        settings.push(Setting {
            times: 3,
            ..self.one("a lower priority on all processors", |to| {
                to.conditions.processors = Some(all.clone());
                to.conditions.niceness = 10;
            })
        });
        if let Some(second) = self.processors.get(1) {
            settings.push(self.one("another processor", |to| to.conditions.processors = Some(vec![*second])));
        }
        settings
    }

    fn cpu(&self) -> Result<Vec<Setting>, String> {
        let open: BTreeSet<&str> =
            CPU_VARIABLES.iter().map(|(name, _)| *name).filter(|name| self.is_open(name)).collect();
        if open.is_empty() {
            return Err("repro.toml sets every variable by which libraries could be told".to_owned());
        }
        let told = |spoken: &dyn Fn(&str) -> String| {
            self.one("libraries told to do without AVX and FMA", |to| {
                CPU_VARIABLES.iter().for_each(|(name, value)| self.set(to, name, &spoken(value)));
            })
        };
        Ok(vec![Setting {
            placebo: Some(told(&|value| "x".repeat(value.len())).circumstances),
            ..told(&str::to_owned)
        }])
    }

    /// Builds at another date, and with other random numbers; trained in the frozen circumstances.
    fn builds(&self) -> Vec<Setting> {
        let (_, settings) = builds::settings(&Circumstances::of(self.manifest, self.date));
        let setting = |setting: builds::Setting| Setting {
            what: setting.what.to_owned(),
            circumstances: setting.circumstances,
            times: 1,
            placebo: None,
        };
        settings.into_iter().map(setting).collect()
    }

    /// Sources and data; and what the program writes itself, whose time is the kernel's.
    fn file_times(&self) -> Vec<Setting> {
        let later = FROZEN_DATE + 86_400;
        let mut settings = vec![self.one("files changed a day later", |to| {
            to.file_time = Some(later);
            to.conditions.written = to.conditions.written.map(|_| later);
        })];
        if self.namespaces {
            settings.push(self.one("the kernel's times of files", |to| to.conditions.written = None));
            settings.push(self.one("copies of the data", |to| to.copies = true));
        }
        settings
    }

    /// Four threads, held up now and then, with all else frozen.
    #[must_use]
    pub fn race(&self, seed: u64) -> Circumstances {
        let mut circumstances = self.circumstances();
        self.threads(&mut circumstances, 4);
        circumstances.conditions.told_processors = Some(4);
        circumstances.conditions.processors = Some(self.processors.clone());
        circumstances.conditions.delays = Some(seed);
        circumstances
    }

    fn surroundings(&self, factor: Factor) -> Vec<Setting> {
        let pair = |one: &str, two: &str, value: &str| {
            self.one(value.to_owned(), |to| {
                self.set(to, one, value);
                self.set(to, two, value);
            })
        };
        match factor {
            Kind::WorkingDirectory => ["/r", "/another/place/of/a/different/length/repro"]
                .map(|place| self.one(place, |to| to.place = PathBuf::from(place)))
                .into(),
            Kind::Home => vec![self.one("another home", |to| to.home = "home-of-somebody-else".to_owned())],
            Kind::Environment => vec![
                self.variable("REPRO_NOISE", "something that nobody declared"),
                self.one("a terminal's variables", |to| {
                    let terminal = [
                        ("TERM", "xterm-256color"),
                        ("COLUMNS", "200"),
                        ("NO_COLOR", "1"),
                        ("CI", "true"),
                    ];
                    terminal.iter().for_each(|(name, value)| self.set(to, name, value));
                }),
            ],
            Kind::Locale => ["de_DE.UTF-8", "C", "tr_TR.UTF-8"].map(|value| pair("LANG", "LC_ALL", value)).into(),
            Kind::Timezone => ["Asia/Tokyo", "America/St_Johns"].map(|value| self.variable("TZ", value)).into(),
            Kind::User => vec![self.one("user 4242", |to| {
                to.conditions.user = 4242;
                self.set(to, "USER", "somebody");
                self.set(to, "LOGNAME", "somebody");
            })],
            Kind::Hostname => vec![self.one("another-host", |to| to.conditions.hostname = "another-host".to_owned())],
            Kind::Umask => vec![self.one("umask 077", |to| to.conditions.umask = 0o077)],
            Kind::ProcessId => vec![self.one("1000 numbers later", |to| to.conditions.skipped_pids = 1000)],
            _ => Vec::new(),
        }
    }
}

/// The factor of that word.
///
/// # Errors
/// A sentence that lists the words.
pub fn parse(word: &str) -> Result<Factor, String> {
    FACTORS.into_iter().find(|factor| factor.word() == word).ok_or_else(|| {
        let words: Vec<&str> = FACTORS.iter().map(|factor| factor.word()).collect();
        format!("there is no factor `{word}`; there are: {}", words.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(text: &str, check: impl FnOnce(&Frozen<'_>)) {
        let manifest = Manifest::from_text(
            &format!("version = 1\nseed = 1\n[stage.a]\nbin = \"a\"\nartifacts = [\"m\"]\n{text}"),
            "repro.toml",
        )
        .unwrap();
        let environment = Environment::observe(&manifest.environment).unwrap();
        check(&Frozen {
            manifest: &manifest,
            environment: &environment,
            canned: PathBuf::from("/canned"),
            draws: 4,
            date: None,
            processors: vec![2, 5],
            namespaces: true,
            turns: None,
            alike: false,
        });
    }

    #[test]
    fn every_factor_changes_something_and_every_setting_only_one_thing() {
        with("", |frozen| {
            let base = frozen.circumstances();
            for factor in FACTORS {
                let settings = frozen.settings(factor).unwrap();
                assert!(!settings.is_empty(), "{}", factor.word());
                assert!(settings.iter().all(|setting| setting.circumstances != base), "{}", factor.word());
            }
        });
    }

    #[test]
    fn what_the_user_pinned_is_not_varied() {
        with("[determinism]\nentropy = \"seeded\"\n", |frozen| {
            assert!(frozen.settings(Kind::ProcessEntropy).unwrap_err().contains("seeds"));
        });
        with("[environment]\nset = { RAYON_NUM_THREADS = \"4\" }\n", |frozen| {
            assert!(!frozen.circumstances().variables.contains_key("RAYON_NUM_THREADS"));
        });
    }

    #[test]
    fn words_are_read_back() {
        assert!(FACTORS.iter().all(|factor| parse(factor.word()) == Ok(*factor)));
        assert!(parse("moon-phase").unwrap_err().contains("process-entropy"));
    }
}
