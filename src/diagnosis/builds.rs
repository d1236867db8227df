//! Whether the build itself is not deterministic: the same sources give another program each time, by a
//! build script that asks the clock, or a macro that walks a hash map.

use std::collections::BTreeMap;

use crate::cause::{Cause, Kind};
use crate::digest::Digest;
use crate::error::Result;
use crate::run::circumstances::Circumstances;

/// The digests of the built programs, by name.
pub type Programs = BTreeMap<String, Digest>;

/// Holds one source fast.
type Hold = fn(&mut Circumstances);

/// Finds what a build depends on, by building again: as it is, and with one source held fast.
///
/// # Errors
/// When a build fails.
pub fn explain(
    normal: &Circumstances,
    mut build: impl FnMut(&Circumstances) -> Result<Programs>,
) -> Result<Option<Cause>> {
    let first = build(normal)?;
    if build(normal)? == first {
        return Ok(None);
    }
    let held: [(Kind, Hold); 2] = [
        (Kind::ProcessEntropy, |to| to.conditions.entropy = Some("diagnosis 0".to_owned())),
        (Kind::Clock, |to| to.conditions.clock = Some(1_000_000_000)),
    ];
    for (kind, hold) in held {
        let mut circumstances = normal.clone();
        hold(&mut circumstances);
        if build(&circumstances)? == build(&circumstances)? {
            return Ok(Some(cause(kind)));
        }
    }
    Ok(Some(cause(Kind::Environment)))
}

fn cause(kind: Kind) -> Cause {
    let (detail, hint) = match kind {
        Kind::ProcessEntropy => (
            "two builds of the same sources differ, and agree when random numbers are held fast: a macro or build script walks a hash map, or draws",
            "`[determinism] entropy = \"seeded\"` holds for builds too",
        ),
        Kind::Clock => (
            "two builds of the same sources differ, and agree when the date is held fast: a build script or macro writes the time into the program",
            "use SOURCE_DATE_EPOCH in the build script, or `[determinism] clock = \"frozen\"`",
        ),
        _ => (
            "two builds of the same sources differ, with random numbers or the date held fast too",
            "what does a build script read?",
        ),
    };
    Cause {
        kind,
        stage: None,
        subject: "build".to_owned(),
        detail: detail.to_owned(),
        first: None,
        sites: Vec::new(),
        hint: Some(hint.to_owned()),
    }
}
