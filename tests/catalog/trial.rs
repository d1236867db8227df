//! How each kind of trial goes, step by step, and what it comes to.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use crate::bench::Bench;
use crate::row::{Row, Trial};
use crate::seen::Seen;
use crate::tally::Done;

/// A program that is not deterministic may happen to give the same; then it is verified again.
const TRIES: usize = 5;

/// Programs in which threads race, of which builds are varied too: one alone, and one with a library.
const RACES_WITH_BUILDS: [&str; 2] = ["mutex-push", "float-sum"];

/// Carries a row out. Whatever goes wrong is part of what it comes to.
pub fn carry_out(row: Row) -> Done {
    let start = Instant::now();
    let mut done = Done::new(row);
    if let Some(what) = (row.lacks)() {
        done.lacks = Some(what);
        return done;
    }
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let mut trial = Running {
            bench: Bench::new(&row),
            row,
            done: &mut done,
        };
        trial.go()
    }));
    let failed = outcome.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(text.unwrap_or_else(|| "a panic".to_owned()))
    });
    done.wrong.extend(failed.err());
    done.took = start.elapsed();
    done
}

struct Running<'a> {
    bench: Bench,
    row: Row,
    done: &'a mut Done,
}

impl Running<'_> {
    /// An error is a step that the trial cannot go on without.
    fn go(&mut self) -> Result<(), String> {
        match self.row.trial {
            Trial::LeftOut(_) => {}
            Trial::Drift => {
                self.record_and_plant()?;
                self.look(&["verify"], &[3]);
                self.then()?;
            }
            Trial::Warning | Trial::Contained => {
                self.record_and_plant()?;
                self.look(&["verify"], &[0]);
            }
            Trial::Refused => {
                self.look(&["record"], &[6]);
                if self.bench.root().join("repro.lock").exists() {
                    return Err("a lock was written all the same".to_owned());
                }
            }
            Trial::Noted => {
                self.look(&["record"], &[0]);
            }
            Trial::Fails(args, code) => {
                if args[0] != "record" {
                    self.record_and_plant()?;
                }
                self.look(args, &[code]);
            }
            Trial::Forged => {
                self.record_and_plant()?;
                self.look(&["verify", "--explain"], &[4]);
            }
            Trial::Varies => {
                self.record_and_plant()?;
                self.look(self.vary(), &[4]);
            }
            Trial::Held => {
                self.record_and_plant()?;
                self.reproduces(&["verify"]);
                self.look(self.vary(), &[4]);
            }
            Trial::Explained => {
                self.record_and_plant()?;
                self.explain(&["verify", "--explain"]);
            }
            Trial::Named => {
                self.record_and_plant()?;
                self.look(self.vary(), &[4]);
                self.explain(&["explain"]);
            }
            Trial::Steady => {
                self.must_end(&["record", "--confirm", "2"], &[0])?;
                self.bench.commit("record");
                (self.row.plant)(&mut self.bench);
                self.reproduces(&["verify"]);
                let seen = self.look(&["vary"], &[0]);
                self.done
                    .blamed
                    .extend(seen.changing.into_iter().map(|factor| format!("factor {factor}")));
            }
            Trial::Cured => {
                self.record_and_plant()?;
                self.reproduces(&["verify", "--times", "3"]);
                self.done.found = true;
            }
        }
        Ok(())
    }

    fn record_and_plant(&mut self) -> Result<(), String> {
        let seen = self.must_end(&["record"], &[0])?;
        self.done.unnamed.extend(seen.lacking(self.row.recorded));
        self.bench.commit("record");
        (self.row.plant)(&mut self.bench);
        Ok(())
    }

    fn must_end(&mut self, args: &[&str], codes: &[i32]) -> Result<Seen, String> {
        let seen = self.bench.run(args);
        self.done.log.push(seen.summary());
        seen.ended_with(codes)?;
        Ok(seen)
    }

    /// Runs the command that is to find the fault, or to find nothing.
    fn look(&mut self, args: &[&str], codes: &[i32]) -> Seen {
        let seen = self.bench.run(args);
        self.judge(&seen, codes, self.row.must);
        seen
    }

    fn judge(&mut self, seen: &Seen, codes: &[i32], must: &[&str]) {
        let (done, row) = (&mut *self.done, &self.row);
        done.log.push(seen.summary());
        done.wrong.extend(seen.ended_with(codes).err());
        done.found |= seen.code != Some(0) || must.iter().any(|word| seen.has(word));
        // Only a verification compares with what was recorded.
        let has_record = !seen.command.starts_with("vary");
        let needs_record = |word: &str| ["drift/", "divergence/", "notes/"].iter().any(|list| word.starts_with(list));
        let asked: Vec<&str> = must.iter().copied().filter(|word| has_record || !needs_record(word)).collect();
        done.unnamed.extend(seen.lacking(&asked));
        done.blamed.extend(seen.blamed_beside(&[must, row.may]));
        done.wrong
            .extend(seen.forbidden(row).into_iter().map(|word| format!("{word}, which must not be")));
        let unsaid = row.says.iter().filter(|text| has_record && !seen.text.contains(**text));
        done.wrong.extend(unsaid.map(|text| format!("it does not say “{text}”:\n{}", seen.text)));
    }

    /// What a fault is looked for with. Where no code of the package runs in a build, builds are varied in the rows that
    /// are steady and in some of those that race: that they are blamed for nothing shows there.
    fn vary(&self) -> &'static [&'static str] {
        let has_code = ["build.rs", "macros"].iter().any(|name| self.bench.root().join(name).exists());
        if has_code || RACES_WITH_BUILDS.contains(&self.row.program) {
            &["vary"]
        } else {
            &["vary", "--skip", "build"]
        }
    }

    /// A verification that must find nothing.
    fn reproduces(&mut self, command: &[&str]) {
        let seen = self.bench.run(command);
        self.done.log.push(seen.summary());
        self.done.blamed.extend(seen.blamed_beside(&[self.row.may]));
        self.done.wrong.extend(seen.ended_with(&[0]).err());
    }

    /// Verifies until it diverges. On another platform class that is called inconclusive.
    fn explain(&mut self, command: &[&str]) {
        for number in 1..=TRIES {
            let seen = self.bench.run(command);
            if seen.code != Some(0) || number == TRIES {
                return self.judge(&seen, &[4, 7], self.row.must);
            }
            self.done.log.push(format!("{}: reproduced by chance", seen.command));
        }
    }

    /// Where a row goes on: the package as planted, recorded anew, is not deterministic either.
    fn then(&mut self) -> Result<(), String> {
        if self.row.then.is_empty() {
            return Ok(());
        }
        self.bench.commit("as planted");
        self.must_end(&["record"], &[0])?;
        self.bench.commit("record");
        let seen = self.bench.run(&["vary"]);
        self.judge(&seen, &[4], self.row.then);
        Ok(())
    }
}
