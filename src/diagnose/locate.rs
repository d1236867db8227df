//! Where in the program a source was drawn on: one more training, of a build that knows its lines, with
//! every draw caught in the act.

use std::collections::{BTreeMap, BTreeSet};

use super::factor::Frozen;
use super::trial::Laboratory;
use crate::cause::{Cause, Kind};
use crate::error::Result;
use crate::project::manifest::Program;
use crate::run::circumstances::Circumstances;
use crate::run::session::Session;
use crate::sandbox::Source;
use crate::trace::{Instruction, Scan, Site, Tracer};

/// How many places a cause names.
const PLACES: usize = 5;

/// How many together with those that could draw as well, by the program's code.
const MORE_PLACES: usize = 8;

/// What a sample says of the keys of hash maps, and the function that draws them: once for each thread, so
/// that the first map of a thread is the only one that is caught.
const KEYS: (&str, &str) = ("HashMap keys", "hashmap_random_keys");

/// The source whose draws show a cause.
#[must_use]
pub fn source_of(kind: Kind) -> Option<Source> {
    match kind {
        Kind::ProcessEntropy => Some(Source::Entropy),
        Kind::Clock => Some(Source::Clock),
        Kind::DirectoryOrder => Some(Source::Directories),
        Kind::ProcessId | Kind::Hostname | Kind::User | Kind::WorkingDirectory => Some(Source::Identity),
        _ => None,
    }
}

/// Adds to each cause the places where the program draws on it.
///
/// # Errors
/// When the program cannot be trained.
pub fn locate(laboratory: &Laboratory<'_>, frozen: &Circumstances, causes: &mut [Cause]) -> Result<()> {
    let mut circumstances = frozen.clone();
    circumstances.conditions.sight = causes.iter().filter_map(|cause| source_of(cause.kind)).collect();
    if circumstances.conditions.sight.is_empty() {
        return Ok(());
    }
    let observed = laboratory.observe(&circumstances)?;
    for cause in causes {
        let Some(source) = source_of(cause.kind) else { continue };
        let stages: BTreeMap<_, _> = observed
            .reports
            .iter()
            .filter(|(stage, _)| cause.stage.as_ref().is_none_or(|wanted| wanted == *stage))
            .collect();
        let mut tracer = tracer(laboratory.session);
        let mut keys = false;
        for report in stages.values() {
            for sample in report.samples.iter().filter(|sample| is_of(source, cause.kind, &sample.what)) {
                keys |= sample.what == KEYS.0;
                let Some(site) = tracer.site(sample) else { continue };
                if !cause.sites.contains(&site) && cause.sites.len() < PLACES {
                    cause.sites.push(site);
                }
            }
        }
        name_subject(cause);
        if keys {
            let users = users_of_keys(laboratory, cause.stage.as_deref(), &mut tracer);
            add(&mut cause.sites, users);
        }
    }
    Ok(())
}

/// Names the draw that several threads race for: the place that draws once in each training, now by one thread and now by
/// another.
///
/// # Errors
/// When the program cannot be trained.
pub fn raced_draw(laboratory: &Laboratory<'_>, frozen: &Frozen<'_>, causes: &mut [Cause]) -> Result<()> {
    let is_it = |cause: &&mut Cause| matches!(cause.kind, Kind::Scheduling | Kind::ProcessEntropy);
    let Some(cause) = causes.iter_mut().find(is_it) else {
        return Ok(());
    };
    let mut draws = Draws::default();
    for number in 0..RACES {
        let mut circumstances = frozen.race(number);
        circumstances.conditions.sight = vec![Source::Entropy];
        let observed = laboratory.observe(&circumstances)?;
        let mut tracer = tracer(laboratory.session);
        let of_stage = observed.reports.iter().filter(|(stage, _)| cause.stage.as_ref() == Some(*stage));
        let samples = of_stage.flat_map(|(_, report)| &report.samples);
        let samples = samples.filter(|sample| is_of(Source::Entropy, Kind::ProcessEntropy, &sample.what));
        let drawn = samples.filter(|sample| sample.what != KEYS.0);
        draws.add(drawn.filter_map(|sample| Some((tracer.site(sample)?, sample.by.clone()))).collect());
    }
    let raced = draws.raced();
    let Some(threads) = raced.iter().map(|(_, threads)| *threads).max() else {
        return Ok(());
    };
    cause.detail += &format!("; in each of {RACES} trainings it was drawn once, by {threads} different threads in all");
    let others = std::mem::take(&mut cause.sites);
    cause.sites = raced.into_iter().map(|(site, _)| site).take(PLACES).collect();
    add(&mut cause.sites, others);
    name_subject(cause);
    Ok(())
}

/// How many trainings are looked at for who draws.
const RACES: u64 = 8;

/// Who drew where, in several trainings.
#[derive(Default)]
struct Draws {
    trainings: usize,
    /// Of places that draw no more than once in a training: the thread of each time.
    once: Vec<(Site, Vec<String>)>,
    /// Places that draw more often.
    often: Vec<Site>,
}

impl Draws {
    /// The draws of one more training.
    fn add(&mut self, drawn: Vec<(Site, String)>) {
        self.trainings += 1;
        let mut here: Vec<Site> = Vec::new();
        for (site, thread) in drawn {
            if here.contains(&site) {
                self.often.push(site);
                continue;
            }
            here.push(site.clone());
            match self.once.iter_mut().find(|(known, _)| *known == site) {
                Some((_, threads)) => threads.push(thread),
                None => self.once.push((site, vec![thread])),
            }
        }
    }

    /// Places that drew once in each training and not always in one thread, with the number of threads.
    fn raced(self) -> Vec<(Site, usize)> {
        let is_once =
            |(site, threads): &(Site, Vec<String>)| threads.len() == self.trainings && !self.often.contains(site);
        let number = |threads: Vec<String>| threads.into_iter().collect::<BTreeSet<_>>().len();
        let once: Vec<_> = self.once.iter().filter(|one| is_once(one)).cloned().collect();
        let counted = once.into_iter().map(|(site, threads)| (site, number(threads)));
        counted.filter(|(_, number)| *number > 1).collect()
    }
}

/// The functions of a stage's program that make hash maps.
fn users_of_keys(laboratory: &Laboratory<'_>, stage: Option<&str>, tracer: &mut Tracer<'_>) -> Vec<Site> {
    let (session, stages) = (laboratory.session, &laboratory.project.manifest.stages);
    let of_stage = stage.and_then(|stage| match &stages.get(stage)?.program {
        Program::Bin(name) => session.built.programs.get(name),
        Program::Command(_) => None,
    });
    of_stage
        .and_then(|program| tracer.users(&session.called(program), KEYS.1))
        .unwrap_or_default()
}

/// Adds functions that are not named yet.
fn add(sites: &mut Vec<Site>, more: Vec<Site>) {
    for site in more {
        let is_new = sites
            .iter()
            .all(|known| (&known.function, &known.package) != (&site.function, &site.package));
        if is_new && sites.len() < MORE_PLACES {
            sites.push(site);
        }
    }
}

fn name_subject(cause: &mut Cause) {
    if let Some(Site { function, .. }) = cause.sites.first() {
        cause.subject.clone_from(function);
    }
}

/// Whether a sample is one of this source: what the loader and the allocator draw is harmless.
fn is_of(source: Source, kind: Kind, what: &str) -> bool {
    match source {
        Source::Entropy => {
            what == "HashMap keys"
                || what.starts_with("/dev/")
                || what.strip_prefix("getrandom(").is_some_and(|size| !matches!(size, "8)" | "0)"))
        }
        Source::Clock => matches!(what, "SystemTime::now" | "Instant::now" | "time"),
        Source::Directories => what == "read_dir",
        Source::Identity => match kind {
            Kind::ProcessId => what == "the process's number",
            Kind::Hostname => what == "the host's name",
            Kind::User => what == "the user's number",
            _ => what == "the working directory",
        },
    }
}

fn tracer<'a>(session: &'a Session<'a>) -> Tracer<'a> {
    Tracer::new(session.packages(), |path| session.readable(path))
}

/// Instructions of the built programs that ask the processor itself, with their functions. Libraries
/// that are made for drawing carry some which they do not run.
#[must_use]
pub fn asking_instructions(session: &Session<'_>, kinds: &[Instruction]) -> Vec<(String, String)> {
    let mut tracer = tracer(session);
    let mut found = Vec::new();
    for program in session.built.programs.values() {
        let Scan::Looked(holders) = tracer.instructions(&session.called(program)) else {
            continue;
        };
        let asking = holders.into_iter().filter(|holder| !holder.glue && kinds.contains(&holder.instruction));
        found.extend(asking.map(|holder| (holder.instruction.to_string(), holder.site.function)));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_is_raced_for_if_it_is_one_in_each_training_and_another_threads_each_time() {
        let drawn = |all: &[(&str, &str)]| {
            let one = |(function, thread): &(&str, &str)| {
                let function = (*function).to_owned();
                (
                    Site {
                        function,
                        ..Site::unnamed(0)
                    },
                    (*thread).to_owned(),
                )
            };
            all.iter().map(one).collect()
        };
        let mut draws = Draws::default();
        draws.add(drawn(&[
            ("lazy", "1"),
            ("first", "0"),
            ("each", "1"),
            ("each", "2"),
            ("seldom", "1"),
        ]));
        draws.add(drawn(&[("lazy", "2"), ("first", "0"), ("each", "2"), ("each", "1")]));
        draws.add(drawn(&[("lazy", "1"), ("first", "0"), ("each", "2"), ("seldom", "2")]));
        let raced: Vec<_> = draws.raced().into_iter().map(|(site, threads)| (site.function, threads)).collect();
        assert_eq!(raced, [("lazy".to_owned(), 2)]);
    }

    #[test]
    fn functions_that_make_maps_are_added_once_each_and_not_without_end() {
        let named = |name: &str| Site {
            function: name.to_owned(),
            ..Site::unnamed(0)
        };
        let mut sites = vec![Site {
            line: Some(7),
            ..named("fit")
        }];
        add(&mut sites, vec![named("fit"), named("predict"), named("predict")]);
        assert_eq!(sites.iter().map(|site| site.function.as_str()).collect::<Vec<_>>(), ["fit", "predict"]);
        add(&mut sites, (0..20).map(|number| named(&number.to_string())).collect());
        assert_eq!(sites.len(), MORE_PLACES);
    }
}
