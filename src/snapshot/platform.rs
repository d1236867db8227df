//! The machine: its class, within which byte identity is promised, and facts that nothing compares.
//! The model does change with the libc (its mathematics) and with the CPU's features (the kernels that
//! libraries choose at run time), so these two and the target make the class.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::os::bounded;
use crate::sandbox::sys;

/// Within one class, equal inputs must give equal bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Platform {
    /// The target triple.
    pub target: String,
    /// The C library and its version, such as `glibc 2.36`.
    pub libc: String,
    /// The CPU's feature level: `x86-64-v1` to `x86-64-v4` (x86-64 psABI), else the architecture.
    pub cpu: String,
}

/// What a person may want to know of the machine. No user name, no host name, no path.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The version of this tool.
    pub tool: String,
    /// The kernel's name and release.
    pub kernel: String,
    /// The CPU's name.
    pub cpu: String,
    /// The number of processors that the run could use.
    pub processors: usize,
}

impl Platform {
    /// The class of this machine for programs of `target`.
    #[must_use]
    pub fn observe(target: &str) -> Self {
        Self {
            target: target.to_owned(),
            libc: libc().unwrap_or_else(|| "unknown".to_owned()),
            cpu: cpu_level().to_owned(),
        }
    }
}

impl std::fmt::Display for Platform {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, {}, {}", self.target, self.libc, self.cpu)
    }
}

impl Facts {
    /// Of this machine.
    #[must_use]
    pub fn observe() -> Self {
        let system = rustix::system::uname();
        let cpu = bounded::text(Path::new("/proc/cpuinfo"), bounded::GENERATED).unwrap_or_default();
        let model = cpu.lines().find_map(|line| line.strip_prefix("model name"));
        Self {
            tool: format!("cargo-repro {}", env!("CARGO_PKG_VERSION")),
            kernel: format!("{} {}", system.sysname().to_string_lossy(), system.release().to_string_lossy()),
            cpu: model.map_or_else(String::new, |name| name.trim_start_matches([' ', '\t', ':']).to_owned()),
            processors: std::thread::available_parallelism().map_or(1, usize::from),
        }
    }
}

/// The C library that this process runs on, which is the one that programs built here will run on. That of GNU says
/// its version when asked; musl only carries it as text.
fn libc() -> Option<String> {
    if let Some(version) = sys::gnu_libc_version() {
        return Some(format!("glibc {version}"));
    }
    let maps = bounded::text(Path::new("/proc/self/maps"), bounded::GENERATED).ok()?;
    let path = maps.lines().find_map(|line| {
        let path = line.split_whitespace().nth(5)?;
        let name = Path::new(path).file_name()?.to_str()?;
        (name.starts_with("libc.so") || name.starts_with("libc-") || name.starts_with("ld-musl")).then_some(path)
    })?;
    version_in(&bounded::bytes(Path::new(path), bounded::HELD).ok()?)
}

fn version_in(library: &[u8]) -> Option<String> {
    let mark = b"musl libc\0";
    let at = memchr::memmem::find(library, mark)? + mark.len();
    let digits = library[at..].iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.');
    let text: String = digits.map(|byte| char::from(*byte)).collect();
    let text = text.trim_end_matches('.');
    (!text.is_empty()).then(|| format!("musl {text}"))
}

#[cfg(target_arch = "x86_64")]
fn cpu_level() -> &'static str {
    use std::arch::is_x86_feature_detected as has;
    let v2 = has!("sse3") && has!("ssse3") && has!("sse4.1") && has!("sse4.2") && has!("popcnt") && has!("cmpxchg16b");
    let v3 = v2
        && has!("avx")
        && has!("avx2")
        && has!("bmi1")
        && has!("bmi2")
        && has!("f16c")
        && has!("fma")
        && has!("lzcnt")
        && has!("movbe");
    let v4 = v3 && has!("avx512f") && has!("avx512bw") && has!("avx512cd") && has!("avx512dq") && has!("avx512vl");
    match (v2, v3, v4) {
        (_, _, true) => "x86-64-v4",
        (_, true, _) => "x86-64-v3",
        (true, ..) => "x86-64-v2",
        _ => "x86-64-v1",
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn cpu_level() -> &'static str {
    std::env::consts::ARCH
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_from_what_the_library_says_of_itself() {
        assert_eq!(version_in(b"\0musl libc\x001.2.5\0Version").as_deref(), Some("musl 1.2.5"));
        assert_eq!(version_in(b"nothing of the kind"), None);
    }

    #[test]
    fn this_machine_has_a_class() {
        let class = Platform::observe("x86_64-unknown-linux-gnu");
        assert!(class.libc.starts_with("glibc 2.") || class.libc == "unknown", "{class}");
    }
}
