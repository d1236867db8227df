//! One row: what is planted where, how it is looked for, and what must be named.

use crate::bench::Bench;

/// A row of the catalog.
#[derive(Clone, Copy)]
pub struct Row {
    /// The catalog's id; several are joined by `+`.
    pub id: &'static str,
    /// What is planted, in a word or two.
    pub name: &'static str,
    /// The fixture that has the program.
    pub fixture: &'static str,
    /// The program.
    pub program: &'static str,
    /// Done before the first commit.
    pub prepare: fn(&mut Bench),
    /// Done after it, before anything is recorded.
    pub ready: fn(&mut Bench),
    /// The fault, after recording.
    pub plant: fn(&mut Bench),
    /// How it is looked for.
    pub trial: Trial,
    /// What `record` must say already, in the words of `must`.
    pub recorded: &'static [&'static str],
    /// What must be named: `kind`, `kind part-of-its-subject`, `list/kind`; several with ` | ` between them are
    /// alternatives. Without a list, drift or cause.
    pub must: &'static [&'static str],
    /// What may be named besides.
    pub may: &'static [&'static str],
    /// What must not be named, of the lists that blame nothing.
    pub never: &'static [&'static str],
    /// Texts that the answer must have in it.
    pub says: &'static [&'static str],
    /// What `vary` must name when the package as planted has been recorded anew.
    pub then: &'static [&'static str],
    /// What the machine lacks, if it lacks something that the row needs.
    pub lacks: fn() -> Option<String>,
}

/// How a fault is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trial {
    /// Recorded, planted, verified: the inputs differ, and nothing is trained.
    Drift,
    /// The same, but what is found keeps the training from nothing, and it reproduces.
    Warning,
    /// Recorded, planted, verified: the fault does not reach the training.
    Contained,
    /// Planted before recording, which is refused and says why.
    Refused,
    /// Planted before recording, which says so and goes on.
    Noted,
    /// A command cannot be carried out. What is planted for `record` is in `prepare`.
    Fails(&'static [&'static str], i32),
    /// Recorded, the record forged, verified: the outputs differ for no cause that a program has.
    Forged,
    /// `vary` names it.
    Varies,
    /// Isolation keeps it out of a verification, and `vary` names it.
    Held,
    /// A verification diverges and says why.
    Explained,
    /// Both: `vary` names it, and so does a verification.
    Named,
    /// Nothing is found, and nothing blamed: not by several trainings, not by `vary`.
    Steady,
    /// What would diverge reproduces under `[determinism]`.
    Cured,
    /// Not planted, and why.
    LeftOut(&'static str),
}

impl Row {
    fn new(id: &'static str, name: &'static str, trial: Trial) -> Self {
        Self {
            id,
            name,
            fixture: "catalog",
            program: "sum",
            prepare: |_| {},
            ready: |_| {},
            plant: |_| {},
            trial,
            recorded: &[],
            must: &[],
            may: &[],
            never: &[],
            says: &[],
            then: &[],
            lacks: || None,
        }
    }

    /// The ids apart.
    pub fn ids(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.id.split('+')
    }

    /// Whether a list such as `N06,D10` means this row.
    pub fn is_one_of(&self, wanted: &str) -> bool {
        wanted == "all" || wanted.split(',').any(|start| self.ids().any(|id| id.starts_with(start.trim())))
    }

    /// Whether some rows of its kind may fail to be named.
    pub fn has_budget(&self) -> bool {
        self.id.starts_with('N') && !self.id.contains('+')
    }

    pub fn program(self, program: &'static str) -> Self {
        Self { program, ..self }
    }

    /// A program of the fixture with libraries.
    pub fn library(self, program: &'static str) -> Self {
        Self {
            program,
            fixture: "catalog-rayon",
            ..self
        }
    }

    pub fn prepare(self, prepare: fn(&mut Bench)) -> Self {
        Self { prepare, ..self }
    }

    pub fn ready(self, ready: fn(&mut Bench)) -> Self {
        Self { ready, ..self }
    }

    pub fn plant(self, plant: fn(&mut Bench)) -> Self {
        Self { plant, ..self }
    }

    pub fn recorded(self, recorded: &'static [&'static str]) -> Self {
        Self { recorded, ..self }
    }

    pub fn must(self, must: &'static [&'static str]) -> Self {
        Self { must, ..self }
    }

    pub fn may(self, may: &'static [&'static str]) -> Self {
        Self { may, ..self }
    }

    pub fn never(self, never: &'static [&'static str]) -> Self {
        Self { never, ..self }
    }

    pub fn says(self, says: &'static [&'static str]) -> Self {
        Self { says, ..self }
    }

    pub fn then(self, then: &'static [&'static str]) -> Self {
        Self { then, ..self }
    }

    pub fn lacks(self, lacks: fn() -> Option<String>) -> Self {
        Self { lacks, ..self }
    }
}

pub fn drift(id: &'static str, name: &'static str) -> Row {
    Row::new(id, name, Trial::Drift)
}

pub fn warning(id: &'static str, name: &'static str) -> Row {
    Row::new(id, name, Trial::Warning)
}

pub fn contained(id: &'static str, name: &'static str) -> Row {
    Row::new(id, name, Trial::Contained)
}

pub fn refused(id: &'static str, name: &'static str) -> Row {
    Row::new(id, name, Trial::Refused)
}

pub fn noted(id: &'static str, name: &'static str) -> Row {
    Row::new(id, name, Trial::Noted)
}

pub fn fails(id: &'static str, name: &'static str, args: &'static [&'static str], code: i32) -> Row {
    Row::new(id, name, Trial::Fails(args, code))
}

pub fn forged(id: &'static str, name: &'static str) -> Row {
    Row::new(id, name, Trial::Forged)
}

pub fn varies(id: &'static str, name: &'static str) -> Row {
    Row::new(id, name, Trial::Varies)
}

pub fn held(id: &'static str, name: &'static str) -> Row {
    Row::new(id, name, Trial::Held)
}

pub fn explained(id: &'static str, name: &'static str) -> Row {
    Row::new(id, name, Trial::Explained)
}

pub fn named(id: &'static str, name: &'static str) -> Row {
    Row::new(id, name, Trial::Named)
}

pub fn steady(id: &'static str, name: &'static str) -> Row {
    Row::new(id, name, Trial::Steady)
}

pub fn cured(id: &'static str, name: &'static str) -> Row {
    Row::new(id, name, Trial::Cured)
}

pub fn left_out(id: &'static str, why: &'static str) -> Row {
    Row::new(id, "", Trial::LeftOut(why))
}
