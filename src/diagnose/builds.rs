//! Whether a build makes the same of the same sources each time, or another program by a build script that asks the
//! clock, or a macro that walks a hash map. Seen by building again: with the date and random numbers held fast, then
//! with one of them changed.

use crate::cause::{Cause, Kind};
use crate::error::Result;
use crate::os::env;
use crate::run::circumstances::Circumstances;

/// How many draws of random numbers are tried: a map of two keys has but two orders.
const DRAWS: u32 = 3;

/// A build that differs from another one in nothing that is pinned.
#[must_use]
pub fn another(normal: &Circumstances) -> Circumstances {
    let mut other = normal.clone();
    if normal.conditions.clock.is_none() {
        other.conditions.clock = Some(later());
    }
    if normal.conditions.entropy.is_none() {
        other.conditions.entropy = Some("another build".to_owned());
    }
    other
}

/// A time at which every part of a date is another one than now: its year, month, day and hour too.
fn later() -> i64 {
    const HOUR: i64 = 3600;
    const DAY: i64 = 24 * HOUR;
    env::now() + 396 * DAY + HOUR + 61
}

/// The fewest builds that show whether there is anything to find: each differs from a given one, and from the others, in
/// everything at once.
#[must_use]
pub fn others(normal: &Circumstances) -> Vec<Circumstances> {
    let draws = if normal.conditions.entropy.is_none() { DRAWS } else { 1 };
    let other = |draw| {
        let mut other = another(normal);
        if normal.conditions.entropy.is_none() {
            other.conditions.entropy = Some(format!("another build {draw}"));
        }
        other
    };
    (1..=draws).map(other).collect()
}

/// One thing that can differ between two builds, and circumstances with it changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// What it is.
    pub kind: Kind,
    /// In words.
    pub what: &'static str,
    /// The circumstances of the build.
    pub circumstances: Circumstances,
}

/// Everything that can differ held fast, and what is then changed, one at a time.
#[must_use]
pub fn settings(normal: &Circumstances) -> (Circumstances, Vec<Setting>) {
    let (clock, entropy) = (normal.conditions.clock.is_none(), normal.conditions.entropy.is_none());
    let mut held = normal.clone();
    if clock {
        held.conditions.clock = Some(env::now());
    }
    if entropy {
        held.conditions.entropy = Some("build 0".to_owned());
    }
    let mut settings = Vec::new();
    if clock {
        let mut circumstances = held.clone();
        circumstances.conditions.clock = Some(later());
        settings.push(Setting {
            kind: Kind::Clock,
            what: "a build at another date",
            circumstances,
        });
    }
    settings.extend((1..=DRAWS).filter(|_| entropy).map(|draw| {
        let mut circumstances = held.clone();
        circumstances.conditions.entropy = Some(format!("build {draw}"));
        Setting {
            kind: Kind::ProcessEntropy,
            what: "a build with other random numbers",
            circumstances,
        }
    }));
    (held, settings)
}

/// What builds came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found<Effect> {
    /// Builds agree in whatever was changed; so many were made.
    Same(u32),
    /// Builds differ though all that can be held was.
    Unheld(Effect),
    /// Builds in which all was changed at once differ, and none in which one thing was.
    Unseen(Effect),
    /// These differ, each with what it changes.
    Follows(Vec<(Setting, Effect)>),
}

/// Finds what a build depends on. `build` makes what is compared, and `differ` says how two of these differ.
///
/// # Errors
/// When a build fails.
pub fn find<Made, Effect>(
    normal: &Circumstances,
    mut build: impl FnMut(&Circumstances) -> Result<Made>,
    differ: impl Fn(&Made, &Made) -> Option<Effect>,
) -> Result<Found<Effect>> {
    let (held, settings) = settings(normal);
    let first = build(&held)?;
    if let Some(effect) = differ(&first, &build(&held)?) {
        return Ok(Found::Unheld(effect));
    }
    let mut follows: Vec<(Setting, Effect)> = Vec::new();
    let mut builds = 2;
    for setting in settings {
        if follows.iter().any(|(known, _)| known.kind == setting.kind) {
            continue;
        }
        builds += 1;
        if let Some(effect) = differ(&first, &build(&setting.circumstances)?) {
            follows.push((setting, effect));
        }
    }
    Ok(if follows.is_empty() {
        Found::Same(builds)
    } else {
        Found::Follows(follows)
    })
}

/// The causes, with what each changes first. `what` follows the build: the program, or the outcome.
#[must_use]
pub fn causes<Effect>(found: &Found<Effect>, what: &str, first: impl Fn(&Effect) -> Option<String>) -> Vec<Cause> {
    match found {
        Found::Same(_) => Vec::new(),
        Found::Unheld(effect) => vec![cause(Kind::Build, what, first(effect))],
        Found::Unseen(effect) => vec![Cause {
            first: first(effect),
            ..unknown(what)
        }],
        Found::Follows(all) => all.iter().map(|(setting, effect)| cause(setting.kind, what, first(effect))).collect(),
    }
}

/// What is left where builds disagree and nothing that was changed alone shows it.
#[must_use]
pub fn unknown(what: &str) -> Cause {
    Cause {
        detail: format!(
            "{what} is another with a build at another date and with other random numbers; builds agree with both held fast, and neither alone was seen to change anything"
        ),
        hint: Some(
            "run it again, which draws anew; or see what build scripts and macros do with the date and with hash maps"
                .to_owned(),
        ),
        ..cause(Kind::Build, what, None)
    }
}

fn cause(kind: Kind, what: &str, first: Option<String>) -> Cause {
    let (detail, hint) = match kind {
        Kind::ProcessEntropy => (
            format!(
                "{what} follows the build's random numbers: a macro or build script walks a hash map, or draws, and another build makes another program"
            ),
            "`entropy = \"seeded\"` under [determinism] holds for builds too; or use a BTreeMap there",
        ),
        Kind::Clock => (
            format!(
                "{what} follows the build's clock: a build script or macro writes the time into the program, and a build at another time makes another"
            ),
            "use SOURCE_DATE_EPOCH in the build script, which is the same in every build; or `clock = \"frozen\"` under [determinism], which holds for builds too",
        ),
        _ => (
            format!(
                "two builds of the same sources disagree, with the date and random numbers held fast too: {what} follows something else of the build"
            ),
            "see what build scripts and macros read, and whether they run things at the same time; `codegen-units = 1` in the profile makes the compiler itself agree",
        ),
    };
    Cause {
        kind,
        stage: None,
        subject: "build".to_owned(),
        detail,
        first,
        sites: Vec::new(),
        hint: Some(hint.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Conditions<'a> = (Option<i64>, Option<&'a str>);

    /// What is found of a build that makes this of the date and the entropy that it sees.
    fn found(normal: &Circumstances, make: impl Fn(Conditions<'_>, u32) -> String) -> Vec<Kind> {
        let mut number = 0;
        let build = |at: &Circumstances| {
            number += 1;
            Ok(make((at.conditions.clock, at.conditions.entropy.as_deref()), number))
        };
        let differ = |one: &String, other: &String| (one != other).then_some(());
        let found = find(normal, build, differ).unwrap();
        causes(&found, "the program", |()| None).iter().map(|cause| cause.kind).collect()
    }

    #[test]
    fn what_a_build_draws_on_is_told_apart() {
        let normal = Circumstances::default();
        assert_eq!(found(&normal, |_, _| "same".to_owned()), []);
        assert_eq!(found(&normal, |(clock, _), _| format!("{clock:?}")), [Kind::Clock]);
        // A day is enough of a date, and two orders of a map enough of one.
        assert_eq!(found(&normal, |(clock, _), _| format!("{:?}", clock.map(|at| at / 86_400))), [Kind::Clock]);
        let parity = |entropy: Option<&str>| entropy.map(|key| key.ends_with('3'));
        assert_eq!(found(&normal, |(_, entropy), _| format!("{:?}", parity(entropy))), [Kind::ProcessEntropy]);
        assert_eq!(found(&normal, |both, _| format!("{both:?}")), [Kind::Clock, Kind::ProcessEntropy]);
        assert_eq!(found(&normal, |_, number| number.to_string()), [Kind::Build]);
    }

    #[test]
    fn what_the_user_pinned_is_not_changed() {
        let mut pinned = Circumstances::default();
        pinned.conditions.clock = Some(1);
        assert_eq!(another(&pinned).conditions.clock, Some(1));
        assert_eq!(found(&pinned, |(clock, _), _| format!("{clock:?}")), []);
        assert_ne!(another(&pinned).conditions.entropy, None);
        pinned.conditions.entropy = Some("seed".to_owned());
        assert_eq!(another(&pinned), pinned);
        assert!(settings(&pinned).1.is_empty());
        assert_eq!(others(&pinned), vec![pinned.clone()]);
    }

    #[test]
    fn of_builds_that_differ_by_all_at_once_is_said_just_that() {
        let of = |found: &Found<&str>| causes(found, "the outcome", |first| Some((*first).to_owned())).remove(0);
        let (unseen, unheld) = (of(&Found::Unseen("model")), of(&Found::Unheld("model")));
        assert_eq!((unseen.kind, unseen.first.as_deref()), (Kind::Build, Some("model")));
        assert!(unseen.detail.contains("builds agree with both held fast"), "{}", unseen.detail);
        assert!(unheld.detail.contains("disagree, with the date and random numbers held fast"), "{}", unheld.detail);
    }

    #[test]
    fn builds_that_are_to_show_anything_differ_in_all_that_is_not_pinned() {
        let normal = Circumstances::default();
        let others = others(&normal);
        let numbers: std::collections::BTreeSet<_> = others.iter().map(|other| &other.conditions.entropy).collect();
        assert_eq!(numbers.len(), DRAWS as usize);
        assert!(
            others
                .iter()
                .all(|other| other.conditions.clock.is_some() && other.conditions.entropy.is_some())
        );
    }
}
