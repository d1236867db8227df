//! Of all functions on a stack, the one that a person wants to hear of: the nearest that *uses* the
//! source. Who fetches for it, the standard library and the packages made for this, only says by what
//! way. Pure: frames in, a sentence out.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::origin::Origin;
use super::symbols::Frame;

/// Packages through which others draw (generators, hash maps, clocks, bindings to the system), and such
/// as only run what they are handed.
const GLUE: [&str; 40] = [
    "ahash",
    "chacha20",
    "chrono",
    "crossbeam-utils",
    "dashmap",
    "fastrand",
    "foldhash",
    "fxhash",
    "getrandom",
    "hashbrown",
    "indexmap",
    "itertools",
    "jiff",
    "lazy_static",
    "libc",
    "linux-raw-sys",
    "nanorand",
    "ndarray",
    "ndarray-rand",
    "nix",
    "once_cell",
    "oorandom",
    "ppv-lite86",
    "rand",
    "rand_chacha",
    "rand_core",
    "rand_distr",
    "rand_hc",
    "rand_pcg",
    "rand_xorshift",
    "rand_xoshiro",
    "rayon",
    "rayon-core",
    "rustc-hash",
    "rustix",
    "serde",
    "serde_core",
    "tempfile",
    "time",
    "uuid",
];

/// Shared libraries of the system.
const SYSTEM: [&str; 11] = [
    "ld-linux",
    "ld-musl",
    "libc.",
    "libc-",
    "libdl.",
    "libgcc_s.",
    "libm.",
    "libpthread.",
    "librt.",
    "libstdc++.",
    "linux-vdso",
];

/// Functions of a C library that is linked into the program, and what leads to its `main`. The names that
/// are reserved to it begin with an underscore.
const C_LIBRARY: [&str; 18] = [
    "calloc",
    "clock_gettime",
    "clone",
    "getentropy",
    "getpid",
    "getrandom",
    "gettimeofday",
    "main",
    "nanosleep",
    "open",
    "open64",
    "openat",
    "read",
    "start",
    "start_c",
    "start_thread",
    "syscall",
    "time",
];

/// What a function says of the way, if its name ends so or has this in it.
const WAYS: [(&str, &str); 12] = [
    ("hashmap_random_keys", "HashMap keys"),
    ("random::RandomState", "HashMap keys"),
    ("SystemTime::now", "SystemTime::now"),
    ("Instant::now", "Instant::now"),
    ("rngs::thread", "ThreadRng"),
    ("ThreadRng", "ThreadRng"),
    ("thread_rng", "ThreadRng"),
    ("OsRng", "OsRng"),
    ("SysRng", "OsRng"),
    ("from_entropy", "from_entropy"),
    ("from_os_rng", "from_os_rng"),
    ("available_parallelism", "available_parallelism"),
];

/// Where a program drew on a source of nondeterminism.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// The function; of the project's own without the crate.
    pub function: String,
    /// Its package with the version, or the shared library; none for the project itself.
    pub package: Option<String>,
    /// The file, in the package or in the project.
    pub file: Option<String>,
    /// The line.
    pub line: Option<u32>,
    /// By what it drew, the nearest to the source first: `HashMap keys`, `SystemTime::now`.
    pub via: Vec<String>,
    /// Whether this is a guess, since the stack could not be followed all the way.
    pub guessed: bool,
    /// If a package drew: where the project had called.
    pub called_from: Option<Box<Site>>,
}

impl Site {
    /// The nearest user of the source among the frames, the innermost first. None where nobody but the
    /// system and the language's runtime is there, or nothing has a name.
    #[must_use]
    pub fn find(what: &str, frames: &[Frame]) -> Option<Self> {
        let known = frames.iter().position(|frame| frame.origin != Origin::Unknown && is_user(frame));
        // What C code without debug information belongs to is better said by the package that called it.
        let user = known.or_else(|| frames.iter().position(is_user))?;
        let (glue, rest) = frames.split_at(user);
        let mut site = Self::of(rest.first()?)?;
        site.via = via(what, glue);
        if site.package.is_some() {
            let own = rest.iter().find(|frame| frame.origin == Origin::Own && is_user(frame));
            site.called_from = own.and_then(Self::of).map(Box::new);
        }
        Some(site)
    }

    /// A function that has a name.
    #[must_use]
    pub fn of(frame: &Frame) -> Option<Self> {
        Some(Self {
            function: frame.function.clone()?,
            package: match &frame.origin {
                Origin::Package(name) | Origin::Library(name) => Some(name.clone()),
                Origin::Own | Origin::Standard | Origin::Unknown => None,
            },
            file: frame.file.clone(),
            line: frame.line,
            via: Vec::new(),
            guessed: frame.guessed,
            called_from: None,
        })
    }

    /// A place in a file without symbols.
    #[must_use]
    pub fn unnamed(address: u64) -> Self {
        Self {
            function: format!("{address:#x}"),
            package: None,
            file: None,
            line: None,
            via: Vec::new(),
            guessed: false,
            called_from: None,
        }
    }

    /// File and line, as far as they are known.
    #[must_use]
    pub fn place(&self) -> Option<String> {
        let file = self.file.as_ref()?;
        Some(self.line.map_or_else(|| file.clone(), |line| format!("{file}:{line}")))
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.function)?;
        match (&self.package, self.place()) {
            (Some(package), Some(place)) => write!(f, ", {package} ({place})"),
            (Some(package), None) => write!(f, ", {package}"),
            (None, Some(place)) => write!(f, " at {place}"),
            (None, None) => Ok(()),
        }
    }
}

fn is_user(frame: &Frame) -> bool {
    let Some(function) = &frame.function else {
        return false;
    };
    match &frame.origin {
        Origin::Own => true,
        Origin::Standard => false,
        Origin::Package(name) => {
            // With the version, or as code names the crate where no version is known.
            let name = name.split(' ').next().unwrap_or_default();
            !GLUE.contains(&name) && !GLUE.contains(&name.replace('_', "-").as_str())
        }
        Origin::Library(name) => !SYSTEM.iter().any(|system| name.starts_with(system)),
        Origin::Unknown => {
            !C_LIBRARY.contains(&function.as_str()) && !function.starts_with('_') && !function.contains("malloc")
        }
    }
}

/// By what way the user drew: what is known by name, and else the outermost function that fetched for it.
fn via(what: &str, glue: &[Frame]) -> Vec<String> {
    let named = |frame: &Frame| frame.function.as_deref().and_then(way);
    let devices = ["/dev/urandom", "/dev/random"].into_iter().filter(|device| what.contains(device));
    let mut ways: Vec<String> = Vec::new();
    for way in devices.chain(glue.iter().filter_map(named)) {
        if !ways.iter().any(|known| known == way) {
            ways.push(way.to_owned());
        }
    }
    // A package that was made for drawing is worth its name, even where the source's is known.
    let entry = glue.iter().rfind(|frame| fetches(frame));
    if let Some(frame) = entry.filter(|frame| named(frame).is_none())
        && (ways.is_empty() || frame.origin != Origin::Standard)
    {
        ways.extend(frame.function.as_deref().map(short));
    }
    ways
}

/// Whether a function fetched, and not only ran what does.
fn fetches(frame: &Frame) -> bool {
    let told = matches!(frame.origin, Origin::Package(_) | Origin::Standard);
    told && frame.function.as_deref().is_some_and(|function| !is_plumbing(function))
}

fn way(function: &str) -> Option<&'static str> {
    WAYS.iter().find(|(part, _)| function.contains(part)).map(|(_, way)| *way)
}

/// Functions of the language's own machinery, which are between any two others.
fn is_plumbing(function: &str) -> bool {
    [
        "core::",
        "alloc::",
        "hashbrown::",
        "rayon",
        "ndarray::",
        "std::thread::local",
        "std::sync::",
    ]
    .iter()
    .any(|start| function.starts_with(start))
}

/// `std::fs::File::open` is `File::open`, and `rand::random` remains.
fn short(function: &str) -> String {
    let mut words = function.rsplit("::");
    match (words.next(), words.next()) {
        (Some(name), Some(owner)) if owner.starts_with(char::is_uppercase) => format!("{owner}::{name}"),
        _ => function.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frame(function: &str, origin: Origin, place: Option<(&str, u32)>) -> Frame {
        Frame {
            function: Some(function.to_owned()),
            origin,
            file: place.map(|(file, _)| file.to_owned()),
            line: place.map(|(_, line)| line),
            guessed: false,
        }
    }

    fn package(name: &str) -> Origin {
        Origin::Package(name.to_owned())
    }

    fn libc() -> Frame {
        frame("getrandom", Origin::Library("libc.so.6".to_owned()), None)
    }

    fn start() -> Vec<Frame> {
        let standard = |function| frame(function, Origin::Standard, None);
        vec![
            standard("std::rt::lang_start"),
            frame("main", Origin::Unknown, None),
            libc(),
            frame("_start", Origin::Unknown, None),
        ]
    }

    #[test]
    fn the_package_that_makes_the_map_is_named_and_who_called_it() {
        let mut frames = vec![
            libc(),
            frame("std::sys::random::linux::hashmap_random_keys", Origin::Standard, None),
            frame("std::collections::hash::map::HashMap::new", Origin::Standard, None),
            frame(
                "linfa_trees::algorithm::find_modal_class",
                package("linfa-trees 0.8.1"),
                Some(("src/algorithm.rs", 652)),
            ),
            frame("linfa_ensemble::fit", package("linfa-ensemble 0.8.1"), None),
            frame("train", Origin::Own, Some(("src/main.rs", 88))),
        ];
        frames.extend(start());
        let site = Site::find("getrandom(16)", &frames).unwrap();
        assert_eq!(
            site.to_string(),
            "linfa_trees::algorithm::find_modal_class, linfa-trees 0.8.1 (src/algorithm.rs:652)"
        );
        assert_eq!(site.via, ["HashMap keys"]);
        assert_eq!(site.called_from.unwrap().to_string(), "train at src/main.rs:88");
    }

    #[test]
    fn glue_says_the_way_and_the_project_is_named() {
        let mut frames = vec![
            frame("syscall", Origin::Unknown, None),
            frame("getrandom::imp::getrandom_inner", package("getrandom 0.2.17"), None),
            frame("rand_core::os::OsRng::try_fill_bytes", package("rand_core 0.6.4"), None),
            frame("std::thread::local::LocalKey::with", Origin::Standard, None),
            frame("rand::rngs::thread::thread_rng", package("rand 0.8.5"), None),
            frame("shuffle", Origin::Own, None),
        ];
        frames.extend(start());
        let site = Site::find("getrandom(32)", &frames).unwrap();
        assert_eq!((site.to_string().as_str(), site.called_from), ("shuffle", None));
        assert_eq!(site.via, ["OsRng", "ThreadRng"]);
    }

    #[test]
    fn a_clock_and_a_device_are_named() {
        let clock = [
            frame("clock_gettime", Origin::Library("libc.so.6".to_owned()), None),
            frame("std::time::SystemTime::now", Origin::Standard, None),
            frame("train", Origin::Own, Some(("src/main.rs", 88))),
        ];
        assert_eq!(Site::find("clock_gettime", &clock).unwrap().via, ["SystemTime::now"]);
        let device = [
            frame("std::fs::File::open", Origin::Standard, None),
            frame("train", Origin::Own, None),
        ];
        assert_eq!(Site::find("open /dev/urandom", &device).unwrap().via, ["/dev/urandom"]);
        assert_eq!(Site::find("open /etc/hostname", &device).unwrap().via, ["File::open"]);
    }

    #[test]
    fn crates_are_known_by_either_name() {
        let glue = frame("ndarray_rand::RandomExt::random", package("ndarray_rand"), None);
        assert!(!is_user(&glue));
        assert!(is_user(&frame("sqlite3_randomness", Origin::Unknown, None)));
        assert!(is_user(&frame("blas_init", Origin::Library("libopenblas.so.0".to_owned()), None)));
    }

    #[test]
    fn a_package_is_preferred_to_code_that_nothing_is_known_of() {
        let frames = [
            frame("sqlite3_randomness", Origin::Unknown, None),
            frame("rusqlite::Connection::open", package("rusqlite 0.30.0"), None),
        ];
        let site = Site::find("getrandom(8)", &frames).unwrap();
        assert_eq!(site.to_string(), "rusqlite::Connection::open, rusqlite 0.30.0");
    }

    #[test]
    fn nobody_is_blamed_for_what_the_runtime_does() {
        assert_eq!(Site::find("getrandom(8)", &start()), None);
        assert_eq!(Site::find("getrandom(8)", &[]), None);
    }

    proptest! {
        #[test]
        fn a_site_survives_being_written(function in ".{0,20}", line: Option<u32>, guessed: bool) {
            let site = Site { line, guessed, ..Site::of(&frame(&function, package("a 1.0.0"), Some(("a.rs", 1)))).unwrap() };
            let text = serde_json::to_string(&site).unwrap();
            prop_assert_eq!(serde_json::from_str::<Site>(&text).unwrap(), site);
        }
    }
}
