//! What is left to say where nothing that can be held fast makes trainings agree: what was held, what still moves, the
//! narrowest place that is known of it, and what to do next. Never nothing.

use std::collections::BTreeSet;

use super::parts::Part;
use super::trial::Effect;
use super::variation::{TestResult, Tested};

/// How many parts of an outcome are named.
const PARTS: usize = 3;

/// Everything that was held fast in every training of a diagnosis.
const HELD: &str = "random numbers, the date, timers, addresses, the order of directories, one processor, one thread where libraries can be told, and the times of files";

/// In sentences, for trainings that differ though all of it was held.
#[must_use]
pub fn unstable(
    effect: &Effect,
    restless: Option<(&BTreeSet<Part>, usize)>,
    took_turns: bool,
    trainings: u32,
) -> Vec<String> {
    let turns = if took_turns {
        "; threads and processes were also made to take turns, and that does not make them agree"
    } else {
        ""
    };
    let mut said = vec![
        format!("tried: {HELD} were held fast, and trainings still differ ({trainings} were made){turns}"),
        moves(effect),
    ];
    said.extend(restless.and_then(|(parts, of)| narrowest(parts, of)));
    said.push(
        "left are what the processor answers by itself (its counter, its random numbers), memory that is read before it is written, a race between threads or processes, and a GPU"
            .to_owned(),
    );
    said.push(next(effect));
    said
}

/// In sentences, for trainings that agree with everything held, and differ with nothing held, though no single source
/// that was let loose made them differ.
#[must_use]
pub fn unnamed(effect: &Effect, tested: &[Tested], trainings: u32) -> Vec<String> {
    let words: Vec<&str> = tested
        .iter()
        .filter(|tested| !matches!(tested.result, TestResult::NotVaried(_)))
        .map(|tested| tested.factor.word())
        .collect();
    vec![
        format!(
            "tried: {HELD} were held fast, and trainings agree; then each of {} was let loose, alone and together, and none changed the outcome ({trainings} trainings)",
            words.join(", ")
        ),
        moves(effect),
        "next: `cargo repro vary` tries every factor, also those of the machine; run it again if that names none, since what happens seldom may not have happened".to_owned(),
    ]
}

/// In sentences, for trainings that no line of the manifest makes agree.
#[must_use]
pub fn uncured(effect: &Effect, tried: &[String]) -> Vec<String> {
    let tried = if tried.is_empty() {
        "tried: nothing, since repro.toml pins entropy and the clock already".to_owned()
    } else {
        format!("tried: {}; with none of them do trainings agree", tried.join("; "))
    };
    vec![
        tried,
        moves(effect),
        "next: `cargo repro vary` changes one thing around the program at a time and says which the outcome follows"
            .to_owned(),
    ]
}

fn moves(effect: &Effect) -> String {
    let stage = if effect.stage.is_empty() {
        String::new()
    } else {
        format!(" of stage `{}`", effect.stage)
    };
    match &effect.checkpoint {
        Some(checkpoint) => {
            format!("what moves first is the checkpoint `{checkpoint}`{stage}: what comes before it agrees")
        }
        None => {
            format!("what moves first is `{}`{stage}, as a whole: no checkpoint of it differs before", effect.output)
        }
    }
}

/// The parts that move, where others do not.
fn narrowest(parts: &BTreeSet<Part>, of: usize) -> Option<String> {
    if parts.is_empty() || parts.len() >= of {
        return None;
    }
    let mut names: Vec<String> = parts.iter().take(PARTS).map(ToString::to_string).collect();
    if parts.len() > PARTS {
        names.push(format!("{} more", parts.len() - PARTS));
    }
    Some(format!("of {of} parts of the outcome {} move: {}", parts.len(), names.join(", ")))
}

fn next(effect: &Effect) -> String {
    let place = match (&effect.checkpoint, effect.stage.as_str()) {
        (Some(checkpoint), _) => format!("between the checkpoint before `{checkpoint}` and it"),
        (None, "") => "in the program".to_owned(),
        (None, stage) => format!("in stage `{stage}`"),
    };
    format!(
        "next: report intermediate values {place} (`run.checkpoint(\"name\", &value)` of the runtime, or a metric), and `cargo repro explain` says which moves first; then look there for threads, unsafe code and GPU kernels"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn effect(checkpoint: Option<&str>) -> Effect {
        Effect {
            stage: "train".to_owned(),
            checkpoint: checkpoint.map(str::to_owned),
            output: "model.json".to_owned(),
        }
    }

    #[test]
    fn every_answer_says_what_was_tried_what_moves_and_what_to_do() {
        for said in [
            unstable(&effect(None), None, false, 6),
            unstable(&effect(Some("fit")), None, true, 6),
            uncured(&effect(None), &[]),
            uncured(&effect(Some("fit")), &["entropy = \"seeded\"".to_owned()]),
        ] {
            let starts = |start: &str| said.iter().any(|sentence| sentence.starts_with(start));
            assert!(starts("tried: ") && starts("what moves first is ") && starts("next: "), "{said:#?}");
        }
        assert!(moves(&effect(Some("fit"))).contains("checkpoint `fit` of stage `train`"));
        assert!(next(&effect(Some("fit"))).contains("before `fit`"));
    }
}
