//! What a supervisor saw of a stopped thread: two registers, the top of the stack and what was mapped
//! where. It is taken in microseconds while the thread waits, and understood later, when the process
//! may be gone.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The most of a stack that is worth copying: the nearest user of a source is seldom deeper.
pub const STACK_LIMIT: usize = 64 * 1024;

/// A thread at the moment when it drew on a source of nondeterminism.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackSample {
    /// What it did, for instance `getrandom(16)`.
    pub what: String,
    /// Its program counter.
    pub pc: u64,
    /// Its stack pointer.
    pub sp: u64,
    /// Its frame pointer, which `/proc/TID/syscall` does not tell.
    pub bp: Option<u64>,
    /// The bytes from `sp` upwards, [`STACK_LIMIT`] at most.
    #[serde(serialize_with = "to_hex", deserialize_with = "from_hex")]
    pub stack: Vec<u8>,
    /// What was mapped where.
    pub maps: Vec<Mapping>,
    /// The thread, by a name that it has in every run.
    #[serde(default)]
    pub by: String,
}

/// A line of `/proc/PID/maps`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mapping {
    /// The first address.
    pub start: u64,
    /// The address after the last.
    pub end: u64,
    /// Where in the file it begins.
    pub offset: u64,
    /// Whether code may run here.
    pub executable: bool,
    /// The file, as the process names it, or a word in brackets for what the kernel put there.
    pub path: Option<String>,
}

impl StackSample {
    /// Takes a sample of a thread that waits in the kernel, by its directory `/proc/PID/task/TID`.
    ///
    /// # Errors
    /// When the thread runs, or is gone, or this process may not look at it.
    pub fn take(thread: &Path, what: String) -> io::Result<Self> {
        let text = |name| std::fs::read_to_string(thread.join(name));
        let (sp, pc) = registers(&text("syscall")?).ok_or_else(|| io::Error::other("the thread does not wait"))?;
        let maps = Mapping::parse_all(&text("maps")?);
        let limit = sp.saturating_add(STACK_LIMIT as u64);
        let end = maps
            .iter()
            .find(|mapping| mapping.contains(sp))
            .map_or(sp, |mapping| mapping.end.min(limit));
        let mut stack = vec![0; usize::try_from(end - sp).unwrap_or_default()];
        File::open(thread.join("mem"))?.read_exact_at(&mut stack, sp)?;
        Ok(Self {
            what,
            pc,
            sp,
            bp: None,
            stack,
            maps,
            by: String::new(),
        })
    }
}

impl Mapping {
    /// Reads the text of `/proc/PID/maps`. A line that is not one is left out.
    #[must_use]
    pub fn parse_all(text: &str) -> Vec<Self> {
        text.lines().filter_map(Self::parse).collect()
    }

    fn parse(line: &str) -> Option<Self> {
        // The path comes last, after blanks that align it, and may have blanks itself.
        let mut rest = line;
        let mut word = || {
            let (word, after) = rest.split_once(' ').unwrap_or((rest, ""));
            rest = after;
            word
        };
        let (range, rights, offset, _device, _inode) = (word(), word(), word(), word(), word());
        let (start, end) = range.split_once('-')?;
        let (start, end) = (hex(start)?, hex(end)?);
        let path = rest.trim_start_matches(' ');
        (start < end && rights.len() >= 4).then_some(())?;
        Some(Self {
            start,
            end,
            offset: hex(offset)?,
            executable: rights.as_bytes()[2] == b'x',
            path: (!path.is_empty()).then(|| path.replace("\\012", "\n")),
        })
    }

    /// Whether the address lies in it.
    #[must_use]
    pub const fn contains(&self, address: u64) -> bool {
        self.start <= address && address < self.end
    }

    /// The path, if it is that of a file.
    #[must_use]
    pub fn file(&self) -> Option<&str> {
        self.path.as_deref().filter(|path| path.starts_with('/'))
    }
}

/// Stack pointer and program counter from the text of `/proc/TID/syscall`; none while the thread runs.
#[must_use]
pub fn registers(text: &str) -> Option<(u64, u64)> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let number = |word: &str| hex(word.strip_prefix("0x")?);
    match words.as_slice() {
        [_, .., sp, pc] => Some((number(sp)?, number(pc)?)),
        _ => None,
    }
}

fn hex(digits: &str) -> Option<u64> {
    // `from_str_radix` would take a sign.
    digits.bytes().all(|digit| digit.is_ascii_hexdigit()).then_some(())?;
    u64::from_str_radix(digits, 16).ok()
}

fn to_hex<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| char::from(DIGITS[usize::from(value)]);
    let text: String = bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect();
    serializer.serialize_str(&text)
}

fn from_hex<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let value = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let byte = |pair: &[u8]| match pair {
        [high, low] => Some(value(*high)? << 4 | value(*low)?),
        _ => None,
    };
    let bytes: Option<Vec<u8>> = text.as_bytes().chunks(2).map(byte).collect();
    bytes.ok_or_else(|| de::Error::custom("a stack is written in pairs of hex digits"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MAPS: &str = "\
55f0c8a5b000-55f0c8a90000 r--p 00000000 fe:00 1234                       /repro/target/release/a program
55f0c8a90000-55f0c8b53000 r-xp 00034000 fe:00 1234                       /repro/target/release/a program
7f3f00000000-7f3f00021000 rw-p 00000000 00:00 0 
7ffd3a5e6000-7ffd3a607000 rw-p 00000000 00:00 0                          [stack]
ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]
";

    #[test]
    fn maps_are_read() {
        let maps = Mapping::parse_all(MAPS);
        assert_eq!(maps.len(), 5);
        assert_eq!(maps[1].file(), Some("/repro/target/release/a program"));
        assert_eq!((maps[1].offset, maps[1].executable, maps[0].executable), (0x34000, true, false));
        assert_eq!((&maps[2].path, maps[3].path.as_deref()), (&None, Some("[stack]")));
        assert_eq!(maps[3].file(), None);
        assert!(maps[4].executable && maps[4].contains(0xffff_ffff_ff60_0000));
    }

    #[test]
    fn registers_are_the_last_two_words() {
        let text = "318 0x7ffc 0x10 0x1 0x0 0x0 0x0 0x7ffc3bd8 0x7f5a6b1e\n";
        assert_eq!(registers(text), Some((0x7ffc_3bd8, 0x7f5a_6b1e)));
        assert_eq!(registers("running\n"), None);
        assert_eq!(registers(""), None);
        assert_eq!(registers("-1 0x7ffc3bd8 0x7f5a6b1e"), Some((0x7ffc_3bd8, 0x7f5a_6b1e)));
    }

    #[test]
    fn broken_hex_is_an_error() {
        for stack in ["0", "0g", "é"] {
            let text = format!(r#"{{"what":"","pc":0,"sp":0,"bp":null,"stack":"{stack}","maps":[]}}"#);
            assert!(serde_json::from_str::<StackSample>(&text).is_err(), "{stack}");
        }
    }

    proptest! {
        #[test]
        fn a_sighting_survives_being_written(stack: Vec<u8>, pc: u64, sp: u64, bp: Option<u64>) {
            let sample = StackSample { what: "getrandom(16)".to_owned(), pc, sp, bp, stack, maps: Mapping::parse_all(MAPS), by: String::new() };
            let text = serde_json::to_string(&sample).unwrap();
            prop_assert_eq!(serde_json::from_str::<StackSample>(&text).unwrap(), sample);
        }

        #[test]
        fn no_text_breaks_the_parsers(text in "[0-9a-fx -/\\n\\[\\]rwp]{0,120}|.{0,80}") {
            for mapping in Mapping::parse_all(&text) {
                prop_assert!(mapping.start < mapping.end);
            }
            let _ = registers(&text);
        }
    }
}
