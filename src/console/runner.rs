//! On a GitHub runner every line of output may be a command. What a program prints is fenced off, so that it
//! gives none; what we print ourselves is made harmless line by line.

use std::sync::{Mutex, OnceLock};

use crate::os::env;
use crate::text::runner::harmless;

/// The fence around what programs print, while it stands.
static FENCE: Mutex<Option<Fence>> = Mutex::new(None);

struct Fence {
    /// What ends it. Nobody can guess it, least of all the program within.
    token: String,
    /// Whether the program's last line has its end.
    is_at_start: bool,
}

/// Whether this is a step on a runner.
fn is_one() -> bool {
    static IS_ONE: OnceLock<bool> = OnceLock::new();
    *IS_ONE.get_or_init(|| env::github_runner().is_some())
}

/// What must be printed before a program's words, if anything.
pub(super) fn stop(words: &[u8]) -> Option<String> {
    if !is_one() {
        return None;
    }
    let mut fence = FENCE.lock().ok()?;
    let is_at_start = words.last().is_none_or(|last| *last == b'\n');
    if let Some(fence) = fence.as_mut() {
        fence.is_at_start = is_at_start;
        return None;
    }
    let token = token()?;
    let line = format!("::stop-commands::{token}\n");
    *fence = Some(Fence { token, is_at_start });
    Some(line)
}

/// What must be printed before we speak to the runner again, if anything.
pub(super) fn resume() -> Option<String> {
    let fence = FENCE.lock().ok()?.take()?;
    let end = if fence.is_at_start { "" } else { "\n" };
    Some(format!("{end}::{}::\n", fence.token))
}

/// A text of ours, with names in it that may be anybody's.
pub(super) fn tame(text: &str) -> String {
    if is_one() { harmless(text) } else { text.to_owned() }
}

/// The same for JSON, which has a way to write a character otherwise.
pub(super) fn tame_json(line: String) -> String {
    if is_one() {
        line.replace("##[", "#\\u0023[")
    } else {
        line
    }
}

fn token() -> Option<String> {
    let mut bytes = [0; 16];
    let got = rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty()).ok()?;
    (got == bytes.len()).then(|| data_encoding::HEXLOWER.encode(&bytes))
}
