//! The verdict: what a command came to, as a value. Deciding is pure; saying it is
//! [`crate::report`]'s.

pub mod edits;

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::cause::Cause;
use crate::compare::{Divergence, Drift};
use crate::diagnose::Tested;
use crate::digest::Digest;
use crate::exit_code::ExitCode;
use crate::outcome::{self, Outcome};
use crate::project::manifest::Override;
use crate::project::repository::ObjectId;
use crate::release::attestation::{Flaw, Vouched};
use crate::release::gate::refusal::Refusal;
use crate::run::access::Access;
use crate::run::copies::Copied;
use crate::snapshot::data::Remark;
use crate::snapshot::platform::Facts;
use crate::snapshot::{Build, Data, Environment, Platform, Source, Stage};

/// One word for it; in JSON in lower case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// Every output that was computed again is the locked one, byte for byte.
    Reproduced,
    /// An input is not as locked, so nothing was computed.
    Drifted,
    /// The inputs are as locked, an output is not.
    Diverged,
    /// Outputs differ, on a platform class for which nothing was promised.
    Inconclusive,
    /// No factor that was varied changes the outcome.
    Steady,
    /// No drift was found, and nothing was computed again: what `status` can say at best.
    Unchanged,
    /// A lock was written, or is as it was.
    Recorded,
    /// The gate says yes.
    Passed,
    /// The gate says no.
    Refused,
    /// The gate says no, and a signature or an attestation is not valid.
    Invalid,
    /// A command that judges nothing did what it was asked.
    Done,
}

impl Word {
    /// Every word.
    pub const ALL: [Self; 11] = [
        Self::Reproduced,
        Self::Drifted,
        Self::Diverged,
        Self::Inconclusive,
        Self::Steady,
        Self::Unchanged,
        Self::Recorded,
        Self::Passed,
        Self::Refused,
        Self::Invalid,
        Self::Done,
    ];

    /// As in JSON.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Reproduced => "reproduced",
            Self::Drifted => "drifted",
            Self::Diverged => "diverged",
            Self::Inconclusive => "inconclusive",
            Self::Steady => "steady",
            Self::Unchanged => "unchanged",
            Self::Recorded => "recorded",
            Self::Passed => "passed",
            Self::Refused => "refused",
            Self::Invalid => "invalid",
            Self::Done => "done",
        }
    }

    /// The exit code that says the same.
    #[must_use]
    pub fn exit_code(self) -> ExitCode {
        match self {
            Self::Reproduced | Self::Steady | Self::Unchanged | Self::Recorded | Self::Passed | Self::Done => {
                ExitCode::Ok
            }
            Self::Refused => ExitCode::GateRefused,
            Self::Invalid => ExitCode::SignatureInvalid,
            Self::Drifted => ExitCode::Drift,
            Self::Diverged => ExitCode::Divergence,
            Self::Inconclusive => ExitCode::Inconclusive,
        }
    }
}

/// What a command came to, with the evidence.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// In one word.
    pub word: Word,
    /// Inputs that are not as locked; with [`Word::Reproduced`], only such as stop nothing.
    pub drift: Vec<Drift>,
    /// Outputs that are not as locked.
    pub divergence: Vec<Divergence>,
    /// Why outputs are not as locked.
    pub causes: Vec<Cause>,
    /// Things beside these that are worth knowing.
    pub notes: Vec<Note>,
    /// What was not looked at, and so is not vouched for.
    pub not_checked: Vec<NotChecked>,
    /// How many trainings stand behind it.
    pub runs: u32,
    /// What came out, for the report's table.
    pub outcome: Outcome,
    /// The lock that it is about.
    pub lock: Option<Digest>,
    /// The commit that the lock was recorded at.
    pub lock_commit: Option<String>,
    /// The commit that was looked at.
    pub commit: String,
    /// Where outputs that are not as locked were left.
    pub outputs: Option<PathBuf>,
    /// Where the artifacts were put that were proved.
    pub artifacts: Option<PathBuf>,
    /// Whether it is a look of a moment, which says in a line what it did not look at.
    pub brief: bool,
    /// Factors that were varied, and what came of each.
    pub factors: Vec<Tested>,
    /// Why the gate says no.
    pub refusals: Vec<Refusal>,
    /// Who vouches for the lock.
    pub vouched: Vec<Vouched>,
    /// The tag that it is about, with its object if there is one.
    pub tag: Option<(String, Option<ObjectId>)>,
}

impl Verdict {
    /// A verdict about a commit, with nothing found yet.
    #[must_use]
    pub fn new(word: Word, commit: impl ToString) -> Self {
        Self {
            word,
            drift: Vec::new(),
            divergence: Vec::new(),
            causes: Vec::new(),
            notes: Vec::new(),
            not_checked: Vec::new(),
            runs: 0,
            outcome: Outcome::new(),
            lock: None,
            lock_commit: None,
            commit: commit.to_string(),
            outputs: None,
            artifacts: None,
            brief: false,
            factors: Vec::new(),
            refusals: Vec::new(),
            vouched: Vec::new(),
            tag: None,
        }
    }

    /// Adds reasons to say no; with any of them the verdict is no.
    pub fn refuse(&mut self, refusals: Vec<Refusal>) {
        self.refusals.extend(refusals);
        if self.refusals.iter().any(Refusal::is_invalidity) {
            self.word = Word::Invalid;
        } else if !self.refusals.is_empty() {
            self.word = Word::Refused;
        }
    }
}

/// Something worth knowing that is neither drift nor divergence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// The stage's program has other bytes than the recorded one.
    BinaryChanged {
        /// The stage.
        stage: String,
        /// As locked.
        locked: Digest,
        /// As built now.
        found: Digest,
    },
    /// The lock was recorded with uncommitted changes.
    RecordedDirty,
    /// An artifact in the work tree is neither the recorded one nor the commit's.
    Leftover(Leftover),
    /// A setting that plain cargo would follow, and the build did not.
    SetAside(String),
    /// Code is made for the processor of whichever machine builds; what asks for that.
    Native {
        /// The flag, or the key or variable that has it.
        what: String,
        /// The name of this machine's processor.
        cpu: String,
    },
    /// A stage, or the build, reached for something beside its inputs.
    Reached(Access),
    /// An artifact has the very bytes of an input.
    Copied(Copied),
    /// Something worth saying of declared data.
    Data {
        /// The data's name.
        name: String,
        /// What.
        remark: Remark,
    },
    /// A value that was given on the command line when the lock was recorded, and not in the manifest.
    Overridden(Override),
    /// Something worth saying of an output.
    Output(outcome::Remark),
    /// The run left files that nobody declared.
    Undeclared {
        /// The directory at the top of the package that has them, or the file itself.
        place: String,
        /// How many; none for a file.
        files: Option<usize>,
    },
    /// The lock has no outcome on this machine's platform class.
    ClassUnknown(Platform),
    /// A new lock has no outcomes on platform classes that the old one knew.
    ClassesDropped {
        /// These.
        classes: Vec<Platform>,
        /// Whether the inputs are the old ones, so that this machine's class could have been added to them.
        could_be_added: bool,
    },
    /// What looking for a cause showed.
    Found(String),
    /// The policy does not name this tag, so hooks would not ask about it.
    TagUngated {
        /// The tag.
        tag: String,
    },
    /// An attestation does not count; enough others do.
    AttestationSetAside {
        /// Where it is.
        origin: String,
        /// What is wrong with it.
        flaw: Flaw,
    },
    /// Trainings of this very run disagreed with each other.
    RunsDisagree {
        /// The first training, counted from 1, that differs from the first.
        run: u32,
    },
}

/// A file in an artifact's place that nobody recorded, such as what a run by hand leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leftover {
    /// The stage that writes the artifact.
    pub stage: String,
    /// Its path in the package.
    pub path: String,
    /// As recorded.
    pub locked: Digest,
    /// As it lies there.
    pub found: Digest,
    /// Its path from the top of the repository, if the commit has the recorded one.
    pub restorable: Option<String>,
}

/// Something that was not looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotChecked {
    /// What, in one word.
    pub kind: &'static str,
    /// Why not.
    pub why: String,
}

impl NotChecked {
    /// Names it.
    pub fn new(kind: &'static str, why: impl Into<String>) -> Self {
        Self { kind, why: why.into() }
    }
}

/// Where a build makes code for the processor at hand: that this is another one on each machine.
#[must_use]
pub fn native_note(build: &Build, environment: &Environment) -> Option<Note> {
    let what = build.native(environment)?;
    let cpu = Facts::observe().cpu;
    Some(Note::Native { what, cpu })
}

/// What is worth saying of declared data.
#[must_use]
pub fn data_notes(data: &BTreeMap<String, Data>) -> Vec<Note> {
    let remarks = data.iter().flat_map(|(name, data)| data.remarks.iter().map(move |remark| (name, remark)));
    let note = |(name, remark): (&String, &Remark)| Note::Data {
        name: name.clone(),
        remark: remark.clone(),
    };
    remarks.map(note).collect()
}

/// Files that a run left and nobody declared, by the directory at the top of the package.
#[must_use]
pub fn undeclared(outcome: &Outcome) -> Vec<Note> {
    let mut places: BTreeMap<String, Option<usize>> = BTreeMap::new();
    for path in outcome.values().flat_map(|stage| &stage.undeclared) {
        match path.split_once('/') {
            Some((directory, _)) => *places.entry(directory.to_owned()).or_default().get_or_insert(0) += 1,
            None => drop(places.insert(path.clone(), None)),
        }
    }
    places.into_iter().map(|(place, files)| Note::Undeclared { place, files }).collect()
}

/// What the manifest leaves out of comparison, by the stages that were recorded.
#[must_use]
pub fn left_out(stages: &BTreeMap<String, Stage>) -> Vec<NotChecked> {
    let mut out = Vec::new();
    let mut say = |why: String| out.push(NotChecked::new("left-out", why));
    for (name, stage) in stages {
        for (path, places) in &stage.ignore {
            say(format!(
                "{path} of stage `{name}` is compared without {}; its digest is of the rest",
                places.join(", ")
            ));
        }
        if !stage.ignore_metrics.is_empty() {
            let names = stage.ignore_metrics.join(", ");
            say(format!("metrics of stage `{name}` that are not compared: {names}"));
        }
        if !stage.scratch.is_empty() {
            say(format!("files that stage `{name}` may write and that are no outcome: {}", stage.scratch.join(", ")));
        }
    }
    out
}

/// What a lock does not hold of its sources, so that nothing could be held against it.
#[must_use]
pub fn lacking(locked: &Source) -> Vec<NotChecked> {
    let names = "the lock does not say which directories were listed and which names were looked for in vain, so a file \
                 that was added there is not seen; `cargo repro record` would write it down";
    let forms = "the lock does not say which files are executable or links, so a change of that alone is not seen; \
                 `cargo repro record` would write it down";
    let lacks = [(locked.looks.is_none(), names), (locked.forms.is_none(), forms)];
    lacks
        .into_iter()
        .filter(|(lacks, _)| *lacks)
        .map(|(_, why)| NotChecked::new("source", why))
        .collect()
}

/// Declared data of which only a sample was read.
#[must_use]
pub fn sampled(data: &BTreeMap<String, Data>) -> Vec<NotChecked> {
    let partial = data.iter().filter_map(|(name, data)| Some((name, data, data.sample?)));
    let partial = partial.map(|(name, data, sample)| {
        let why =
            format!("data.{name} is pinned in part: of its {} bytes a sample of {} was read", data.bytes, sample.read);
        NotChecked::new("data", why)
    });
    partial.collect()
}

/// Decides on a finished verification.
#[must_use]
pub fn decide(drift: &[Drift], divergence: &[Divergence]) -> Word {
    let other_class = drift.iter().any(|drift| matches!(drift, Drift::Platform(_)));
    if drift.iter().any(stops) {
        Word::Drifted
    } else if divergence.is_empty() {
        Word::Reproduced
    } else if other_class {
        Word::Inconclusive
    } else {
        Word::Diverged
    }
}

/// Whether a drift makes retraining pointless. Another platform class does not: outputs may be equal
/// all the same; and a setting that our builds do not follow changes nothing of them.
#[must_use]
pub fn stops(drift: &Drift) -> bool {
    !matches!(drift, Drift::Platform(_) | Drift::AmbientBuild { .. })
}
