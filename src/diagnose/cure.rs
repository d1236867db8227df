//! Which line of `repro.toml` makes trainings agree that do not: tried, not guessed.

use super::trial::{Effect, Laboratory};
use crate::cause::{Cause, Kind};
use crate::error::Result;
use crate::project::manifest::{Clock, Entropy, Manifest};
use crate::run::circumstances::Circumstances;

/// How many trainings must agree with the line in place.
const TRIALS: u32 = 5;

/// What was tried, in the words of the manifest, and the cause if one of it is a cure.
#[derive(Debug, Default)]
pub struct Tried {
    /// The lines.
    pub lines: Vec<String>,
    /// The cause.
    pub cause: Option<Cause>,
}

/// The first of these settings, the smallest first, with which trainings agree.
///
/// # Errors
/// When the user interrupts, or a trial cannot be made.
pub fn propose(laboratory: &Laboratory<'_>, date: i64, effect: &Effect) -> Result<Tried> {
    let manifest = &laboratory.project.manifest;
    let mut tried = Tried::default();
    for (entropy, clock) in [(true, false), (false, true), (true, true)] {
        let mut cured = manifest.clone();
        if entropy {
            cured.determinism.entropy = Entropy::Seeded;
        }
        if clock {
            cured.determinism.clock = Clock::Frozen;
        }
        if cured == *manifest {
            continue;
        }
        // What disagreed once and agrees by now, whatever is held fast, is not cured by holding something fast.
        if agrees(laboratory, &Circumstances::of(&cured, Some(date)))?
            && !agrees(laboratory, &Circumstances::of(manifest, Some(date)))?
        {
            tried.cause = Some(cause(&cured, manifest, effect));
            return Ok(tried);
        }
        tried.lines.push(line_of(&cured, manifest));
    }
    Ok(tried)
}

fn agrees(laboratory: &Laboratory<'_>, circumstances: &Circumstances) -> Result<bool> {
    let first = laboratory.observe(circumstances)?;
    if first.failure.is_some() {
        return Ok(false);
    }
    for _ in 1..TRIALS {
        if laboratory.compare(&first, &laboratory.observe(circumstances)?).is_some() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether entropy and the clock are held otherwise.
fn changed(cured: &Manifest, as_it_is: &Manifest) -> (bool, bool) {
    let (cured, as_it_is) = (cured.determinism, as_it_is.determinism);
    (cured.entropy != as_it_is.entropy, cured.clock != as_it_is.clock)
}

fn line_of(cured: &Manifest, as_it_is: &Manifest) -> String {
    match changed(cured, as_it_is) {
        (true, true) => "entropy = \"seeded\" and clock = \"frozen\"",
        (true, false) => "entropy = \"seeded\"",
        _ => "clock = \"frozen\"",
    }
    .to_owned()
}

fn cause(cured: &Manifest, as_it_is: &Manifest, effect: &Effect) -> Cause {
    let (entropy, clock) = changed(cured, as_it_is);
    let line = line_of(cured, as_it_is);
    Cause {
        kind: if entropy { Kind::ProcessEntropy } else { Kind::Clock },
        stage: Some(effect.stage.clone()),
        subject: if entropy && clock {
            "process-entropy and clock"
        } else if entropy {
            "process-entropy"
        } else {
            "clock"
        }
        .to_owned(),
        detail: format!("with {line}, {TRIALS} trainings agree; it changes `{}` first", effect.first()),
        first: Some(effect.first().to_owned()),
        sites: Vec::new(),
        hint: Some(format!(
            "put {line} under [determinism] in repro.toml; `cargo repro vary` shows where the program draws on it"
        )),
    }
}
