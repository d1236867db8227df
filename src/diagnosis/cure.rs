//! Which line of `repro.toml` makes trainings agree that do not: tried, not guessed.

use super::trial::{Effect, Laboratory};
use crate::cause::{Cause, Kind};
use crate::error::Result;
use crate::manifest::{Clock, Entropy, Manifest};
use crate::run::circumstances::Circumstances;

/// How many trainings must agree with the line in place.
const TRIALS: u32 = 5;

/// The first of these settings, the smallest first, with which trainings agree.
///
/// # Errors
/// When the user interrupts, or a trial cannot be made.
pub fn propose(laboratory: &Laboratory<'_>, date: i64, effect: &Effect) -> Result<Option<Cause>> {
    let manifest = &laboratory.project.manifest;
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
            return Ok(Some(cause(&cured, manifest, effect)));
        }
    }
    Ok(None)
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

fn cause(cured: &Manifest, as_it_is: &Manifest, effect: &Effect) -> Cause {
    let entropy = cured.determinism.entropy != as_it_is.determinism.entropy;
    let clock = cured.determinism.clock != as_it_is.determinism.clock;
    let mut lines = Vec::new();
    if entropy {
        lines.push("entropy = \"seeded\"");
    }
    if clock {
        lines.push("clock = \"frozen\"");
    }
    let line = lines.join(" and ");
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
