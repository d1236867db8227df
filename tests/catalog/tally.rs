//! What rows came to, counted, and said.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Display, Formatter, Result};
use std::io::Write as _;
use std::time::Duration;

use crate::row::{Row, Trial};

/// A row that was carried out.
pub struct Done {
    pub row: Row,
    /// What the machine lacks for it.
    pub lacks: Option<String>,
    /// Whether anything was found.
    pub found: bool,
    /// What should have been named and was not.
    pub unnamed: Vec<String>,
    /// What was blamed and is not to blame.
    pub blamed: Vec<String>,
    /// What else was not as it should be.
    pub wrong: Vec<String>,
    /// Each command with what it said.
    pub log: Vec<String>,
    pub took: Duration,
}

impl Done {
    pub fn new(row: Row) -> Self {
        Self {
            row,
            lacks: None,
            found: false,
            unnamed: Vec::new(),
            blamed: Vec::new(),
            wrong: Vec::new(),
            log: Vec::new(),
            took: Duration::ZERO,
        }
    }

    pub fn is_right(&self) -> bool {
        self.unnamed.is_empty() && self.blamed.is_empty() && self.wrong.is_empty()
    }

    /// Whether there is anything to be found: a fault, and one that isolation does not keep out.
    fn is_fault(&self) -> bool {
        !matches!(self.row.trial, Trial::Contained | Trial::Steady) || !self.row.must.is_empty()
    }
}

impl Display for Done {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let word = match (&self.lacks, self.is_right()) {
            (Some(_), _) => "left out",
            (None, true) => "right",
            (None, false) => "WRONG",
        };
        let (row, seconds) = (&self.row, self.took.as_secs_f64());
        writeln!(f, "{word:>9}  {} {} ({}, {seconds:.1} s)", row.id, row.name, row.program)?;
        for (what, lines) in [
            ("", &self.log),
            ("not named: ", &self.unnamed),
            ("blamed without cause: ", &self.blamed),
            ("", &self.wrong),
        ] {
            for line in lines.iter().flat_map(|text| text.lines()) {
                writeln!(f, "{:11}{what}{line}", "")?;
            }
        }
        Ok(())
    }
}

/// All of it.
pub struct Tally<'a> {
    done: &'a [Done],
    left_out: &'a [Row],
    took: Duration,
}

impl<'a> Tally<'a> {
    pub fn new(done: &'a [Done], left_out: &'a [Row], took: Duration) -> Self {
        Self { done, left_out, took }
    }

    /// How many ids with that letter have rows, all of them right; rows with two ids apart.
    pub fn ids_named_rightly(&self, letter: char) -> usize {
        let mut ids: BTreeMap<&str, bool> = BTreeMap::new();
        let single = self.done.iter().filter(|one| one.lacks.is_none() && !one.row.id.contains('+'));
        for one in single.filter(|one| one.row.id.starts_with(letter)) {
            *ids.entry(one.row.id).or_insert(true) &= one.is_right();
        }
        ids.into_values().filter(|right| *right).count()
    }

    fn line(&self, f: &mut Formatter<'_>, title: &str, is_it: impl Fn(&Row) -> bool) -> Result {
        let rows: Vec<&Done> = self.done.iter().filter(|one| is_it(&one.row)).collect();
        let count = |holds: &dyn Fn(&Done) -> bool| rows.iter().filter(|one| holds(one)).count();
        let counts = [
            rows.len(),
            count(&|one| one.lacks.is_none() && one.is_fault()),
            count(&|one| one.is_fault() && one.found),
            count(&|one| one.lacks.is_none() && one.is_fault() && one.is_right()),
            count(&|one| one.is_fault() && one.found && !(one.unnamed.is_empty() && one.wrong.is_empty())),
            count(&|one| one.lacks.is_none() && !one.is_fault() && one.is_right()),
            count(&|one| !one.blamed.is_empty()),
            count(&|one| one.lacks.is_some()) + self.left_out.iter().filter(|row| is_it(row)).count(),
        ];
        write!(f, "  {title:<28}")?;
        for count in counts {
            write!(f, "{count:>10}")?;
        }
        writeln!(f)
    }
}

impl Display for Tally<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let with_rows: BTreeSet<&str> = self.done.iter().flat_map(|one| one.row.ids()).collect();
        writeln!(f, "the catalog: {} rows in {:.0} s", self.done.len(), self.took.as_secs_f64())?;
        write!(f, "  {:28}", "")?;
        for title in [
            "rows", "planted", "detected", "rightly", "wrongly", "kept out", "blamed", "left out",
        ] {
            write!(f, "{title:>10}")?;
        }
        writeln!(f)?;
        let single = |letter: char| move |row: &Row| row.id.starts_with(letter) && !row.id.contains('+');
        self.line(f, "D, an input changed", single('D'))?;
        self.line(f, "N, the same inputs", single('N'))?;
        self.line(f, "two at once", |row| row.id.contains('+'))?;
        self.line(f, "H, harmless", single('H'))?;
        self.line(f, "all", |_| true)?;
        let [drift, random] = ['D', 'N'].map(|letter| self.ids_named_rightly(letter));
        writeln!(f, "  by ids: {drift} of 80 D and {random} of 52 N have all their rows right")?;
        let missing = self.done.iter().filter_map(|one| Some((&one.row, one.lacks.as_deref()?)));
        let reasons = self.left_out.iter().filter_map(|row| match row.trial {
            Trial::LeftOut(why) => Some((row, why)),
            _ => None,
        });
        for (row, why) in reasons.chain(missing) {
            let partly = if with_rows.contains(row.id) { " in part" } else { "" };
            writeln!(f, "  left out{partly}: {} {why}", row.id)?;
        }
        Ok(())
    }
}

/// Says it now, whether or not the test harness keeps what tests print to itself.
pub fn tell(text: &str) {
    let mut stderr = std::io::stderr().lock();
    writeln!(stderr, "{}", text.trim_end()).unwrap();
}
