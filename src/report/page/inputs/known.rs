//! What a command knows of the inputs: whether it looked at them, and which are not as locked.

use super::rows::{Group, Input};
use crate::compare::Drift;
use crate::compare::drift::DataChange;
use crate::release::gate::refusal::Refusal;
use crate::report::finding::Finding;
use crate::report::page::View;
use crate::report::page::state::State;
use crate::report::report_data::ReportData;
use crate::verdict::{Word, stops};

/// How far the command looked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Looked {
    /// At every input, on this machine.
    Here,
    /// As far as to go on: what stops nothing was not kept.
    Enough,
    /// The gate: at what the tagged commit has.
    Commit,
    /// At none.
    No,
}

/// What is known.
pub(super) struct Known {
    looked: Looked,
    changes: Vec<(Option<Input<'static>>, Finding, bool)>,
    /// Whether the lock's id is not the digest of its body.
    is_edited: bool,
    /// Kinds of what was not checked.
    not_checked: Vec<&'static str>,
}

impl Known {
    pub(super) fn of(view: View<'_>) -> Self {
        let facts = view.facts;
        let verdict = facts.judged.ok();
        let refused = verdict
            .into_iter()
            .flat_map(|verdict| &verdict.refusals)
            .filter_map(|refusal| match refusal {
                Refusal::Drift(drift) => Some(drift.as_ref()),
                _ => None,
            });
        let drift = verdict.into_iter().flat_map(|verdict| &verdict.drift).chain(refused);
        Self {
            looked: looked(facts),
            changes: drift.map(|drift| (input(drift), Finding::from(drift), stops(drift))).collect(),
            is_edited: facts.lock.is_some_and(|read| read.id != read.actual_id),
            not_checked: verdict
                .into_iter()
                .flat_map(|verdict| &verdict.not_checked)
                .map(|entry| entry.kind)
                .collect(),
        }
    }

    /// What the marks of the table rest on.
    pub(super) fn sentence(&self) -> String {
        match self.looked {
            Looked::Here => "Each was looked at on this machine, and compared with the lock.",
            Looked::Enough => {
                "Each was looked at on this machine before the failure, and none that would stop a verification differed."
            }
            Looked::Commit => {
                "The gate compares what the tagged commit has with what the lock pins. It looks at no machine, so \
                 the compiler, the environment and files outside the commit were not looked at."
            }
            Looked::No => {
                "These are the lock's. The command did not come to compare all of them with anything; where it did, \
                 and found a difference, the row says so."
            }
        }
        .to_owned()
    }

    /// What was found of one input that is not as locked.
    pub(super) fn changes(&self, input: &Input<'_>) -> Vec<&Finding> {
        let of_it = self.changes.iter().filter(|(of, ..)| of.as_ref().is_some_and(|of| of.is_of(input)));
        of_it.map(|(_, finding, _)| finding).collect()
    }

    /// Differences of inputs that no row is about: the lock does not have these.
    pub(super) fn beside(&self, groups: &[Group<'_>]) -> Vec<&Finding> {
        let rows = || groups.iter().flat_map(|group| &group.rows);
        let has_row = |of: &Input<'static>| rows().any(|row| of.is_of(&row.input));
        let strange = self.changes.iter().filter(|(of, ..)| of.as_ref().is_some_and(|of| !has_row(of)));
        strange.map(|(_, finding, _)| finding).collect()
    }

    /// The mark of an input.
    pub(super) fn state(&self, input: &Input<'_>) -> State {
        let mut of_it = self.changes.iter().filter(|(of, ..)| of.as_ref().is_some_and(|of| of.is_of(input)));
        if let Some((_, _, first)) = of_it.next() {
            return if *first || of_it.any(|(_, _, stops)| *stops) {
                State::Differs("differs")
            } else {
                State::Aside("differs, which stops nothing")
            };
        }
        // Who reads a lock computes its id.
        if matches!(input, Input::Lock) {
            return if self.is_edited {
                State::Differs("edited by hand")
            } else {
                State::Partly("intact")
            };
        }
        match self.looked {
            Looked::No => State::NotChecked("not checked"),
            Looked::Here => self.here(input),
            Looked::Enough if matches!(input, Input::Build) => State::Partly("as locked, as far as builds follow it"),
            Looked::Enough => State::Same,
            Looked::Commit => self.in_commit(input),
        }
    }

    fn here(&self, input: &Input<'_>) -> State {
        let is_open = |kind| self.not_checked.contains(&kind);
        match input {
            Input::Dependencies if is_open("dependency-sources") => {
                State::Partly("Cargo.lock as locked; not all files")
            }
            Input::Data(_) if is_open("data") => State::Partly("as locked; see Not checked"),
            Input::Data(_) | Input::Source if is_open("content") => State::Partly("as at the last look"),
            Input::Source if is_open("source") => State::Partly("as locked; see Not checked"),
            Input::Tag if is_open("tag") => State::NotChecked("not checked"),
            _ => State::Same,
        }
    }

    fn in_commit(&self, input: &Input<'_>) -> State {
        let is_open = |kind| self.not_checked.contains(&kind);
        let open = match input {
            Input::Data(_) => is_open("data"),
            Input::Source => is_open("source"),
            Input::Seed | Input::Param(_) | Input::Manifest(_) | Input::Dependencies => false,
            _ => true,
        };
        if open {
            State::NotChecked("not checked")
        } else {
            State::Partly("as in the tagged commit")
        }
    }
}

fn looked(facts: &ReportData<'_>) -> Looked {
    let looked_here = facts.platform.is_some();
    match facts.judged {
        Ok(verdict) if verdict.tag.is_some() => {
            let differs = |refusal: &Refusal| matches!(refusal, Refusal::Drift(drift) if !matches!(**drift, Drift::LockEdited { .. }));
            // Other reasons may have kept it from comparing anything.
            if verdict.word == Word::Passed || verdict.refusals.iter().any(differs) {
                Looked::Commit
            } else {
                Looked::No
            }
        }
        Ok(_) if looked_here => Looked::Here,
        Err(_) if looked_here => Looked::Enough,
        _ => Looked::No,
    }
}

/// What a drift is about; none if that has no row among the inputs.
fn input(drift: &Drift) -> Option<Input<'static>> {
    let own = |name: &str| std::borrow::Cow::Owned(name.to_owned());
    Some(match drift {
        Drift::Platform(_) | Drift::ArtifactTampered { .. } => return None,
        Drift::LockEdited { .. } => Input::Lock,
        Drift::Manifest(change) => Input::Manifest(own(&change.name)),
        Drift::Toolchain(_) => Input::Toolchain,
        Drift::Dependency { .. } | Drift::DependencyGraph { .. } | Drift::DependencyTampered(_) => Input::Dependencies,
        Drift::Source(_) | Drift::SourceName(_) | Drift::SourceDirty(_) => Input::Source,
        Drift::Build(_) | Drift::AmbientBuild { .. } => Input::Build,
        Drift::Seed { .. } => Input::Seed,
        Drift::Param { name, .. } => Input::Param(own(name)),
        Drift::DataChanged(change) => Input::Data(own(match change {
            DataChange::File(change) => &change.name,
            DataChange::Extent { name, .. }
            | DataChange::Link { name, .. }
            | DataChange::Form { name, .. }
            | DataChange::Paths { name, .. }
            | DataChange::Tree { name, .. }
            | DataChange::Meanwhile { name, .. } => name,
        })),
        Drift::DataMissing { name, .. } | Drift::DataAdded { name, .. } => Input::Data(own(name)),
        Drift::Environment { name, .. } => Input::Environment(own(name)),
        Drift::TagMoved { .. } => Input::Tag,
    })
}
