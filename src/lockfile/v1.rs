//! The text of version 1. The tables are the snapshot's own types; when one of them changes its form,
//! a copy of the old one is frozen here and version 2 begins.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::class::{self, Class};
use super::long_lists::{self, LongLists};
use super::{Lockfile, Record};
use crate::digest::Digest;
use crate::outcome::Outcome;
use crate::project::manifest::{Determinism, Isolation, Overridden};
use crate::snapshot::platform::Facts;
use crate::snapshot::{
    Build, Data, Dependencies, Environment, Param, Platform, Seed, Snapshot, Source, Stage, Toolchain,
};

/// The body, in the order in which a reader asks: what came out, from what, under which conditions.
#[derive(Serialize)]
struct Body<'a> {
    seed: Seed,
    record: &'a Record,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    params: &'a BTreeMap<String, Param>,
    /// Left out where there is nothing, as in locks from before there could be.
    #[serde(skip_serializing_if = "Overridden::is_empty")]
    overridden: &'a Overridden,
    outcome: &'a Outcome,
    /// Left out where there are none, as in locks from before there could be any.
    #[serde(skip_serializing_if = "<[Class]>::is_empty")]
    classes: &'a [Class],
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    data: &'a BTreeMap<String, Data>,
    stages: &'a BTreeMap<String, Stage>,
    determinism: &'a Determinism,
    /// Left out where it is the usual one, as in locks from before there was another.
    #[serde(skip_serializing_if = "is_usual")]
    isolation: &'a Isolation,
    environment: &'a Environment,
    platform: &'a Platform,
    toolchain: &'a Toolchain,
    build: &'a Build,
    source: &'a Source,
    dependencies: &'a Dependencies,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Whole {
    #[serde(rename = "version")]
    _version: i64,
    id: Digest,
    seed: Seed,
    record: Record,
    #[serde(default)]
    params: BTreeMap<String, Param>,
    #[serde(default)]
    overridden: Overridden,
    outcome: Outcome,
    #[serde(default)]
    classes: Vec<Class>,
    #[serde(default)]
    data: BTreeMap<String, Data>,
    stages: BTreeMap<String, Stage>,
    determinism: Determinism,
    #[serde(default)]
    isolation: Isolation,
    environment: Environment,
    platform: Platform,
    toolchain: Toolchain,
    build: Build,
    source: Source,
    dependencies: Dependencies,
    facts: Facts,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands over what the field is")]
fn is_usual(isolation: &&Isolation) -> bool {
    **isolation == Isolation::default()
}

/// The canonical text of everything that the id covers.
pub(super) fn body(lock: &Lockfile) -> String {
    let snapshot = &lock.snapshot;
    let body = Body {
        seed: snapshot.seed,
        record: &lock.record,
        params: &snapshot.params,
        overridden: &lock.overridden,
        outcome: &lock.outcome,
        classes: &lock.classes,
        data: &snapshot.data,
        stages: &snapshot.stages,
        determinism: &snapshot.determinism,
        isolation: &snapshot.isolation,
        environment: &snapshot.environment,
        platform: &snapshot.platform,
        toolchain: &snapshot.toolchain,
        build: &snapshot.build,
        source: &snapshot.source,
        dependencies: &snapshot.dependencies,
    };
    toml::to_string(&body).expect("every key of a lock is text and every value has a form in TOML")
}

/// Reads a whole lock, whose text has this digest, and the id that it states.
pub(super) fn parse(text: &str, of_text: Digest) -> Result<(Lockfile, Digest), String> {
    let (rest, lists) = long_lists::taken_out(text, of_text);
    match read(&rest, &lists) {
        // A line of some other text may look like a list.
        Err(_) if !lists.is_empty() => read(text, &LongLists::default()),
        read => read,
    }
}

fn read(text: &str, lists: &LongLists<'_>) -> Result<(Lockfile, Digest), String> {
    let whole: Whole = toml::from_str(text).map_err(|error| error.to_string())?;
    class::check(&whole.platform, &whole.classes)?;
    let mut snapshot = Snapshot {
        seed: whole.seed,
        params: whole.params,
        determinism: whole.determinism,
        isolation: whole.isolation,
        source: whole.source,
        toolchain: whole.toolchain,
        dependencies: whole.dependencies,
        build: whole.build,
        platform: whole.platform,
        environment: whole.environment,
        data: whole.data,
        stages: whole.stages,
    };
    lists.put_back(&mut snapshot)?;
    let lock = Lockfile {
        record: whole.record,
        snapshot,
        overridden: whole.overridden,
        outcome: whole.outcome,
        classes: whole.classes,
        facts: whole.facts,
    };
    Ok((lock, whole.id))
}
