//! The collect phase: what the stages left, digested. An output that is missing is for the caller to
//! judge: an error when recording, a divergence when verifying.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::Path;

use super::build::Built;
use super::handover::Handover;
use super::ledger::Ledger;
use super::workdir::Workdir;
use crate::digest::Digest;
use crate::document::{figures, pointer};
use crate::error::{Error, IoContext as _, Phase, Result};
use crate::os::beneath::{Beneath, There};
use crate::os::bounded;
use crate::outcome::{Artifact, Cut, Metric, Outcome, Remark, RemarkOf, StageOutcome};
use crate::progress::Progress;
use crate::project::manifest::{Manifest, Program, Stage};
use crate::snapshot;

/// The outcome of a finished run, from what its stages left aside; `directory` is the package's in the checkout.
///
/// # Errors
/// When an output is no plain file, or the metrics or the ledger cannot be read.
pub fn collect(
    manifest: &Manifest,
    workdir: &Workdir,
    directory: &Path,
    left: &Handover<'_>,
    built: &Built,
) -> Result<(Outcome, Vec<Remark>)> {
    let mut remarks = Vec::new();
    let mut outcome = Outcome::new();
    for (name, stage) in &manifest.stages {
        let collected = stage_outcome(name, stage, workdir, &left.left_by(name, ""), built, &mut remarks);
        outcome.insert(name.clone(), collected.map_err(|error| error.phase(Phase::Collect).of_stage(name))?);
    }
    // Which stage wrote a stray file could once not be seen; in every lock the last one answers for all.
    let strays = left.strays()?.into_iter();
    let names = strays.map(|path| crate::snapshot::source::relative(directory, &path));
    let mut undeclared: Vec<String> = names.collect::<Result<_>>()?;
    undeclared.retain(|name| !manifest.is_scratch(name));
    undeclared.sort_unstable();
    if let Some(last) = manifest.stage_order().last().and_then(|name| outcome.get_mut(*name)) {
        last.undeclared = undeclared;
    }
    Ok((outcome, remarks))
}

fn stage_outcome(
    name: &str,
    stage: &Stage,
    workdir: &Workdir,
    directory: &Path,
    built: &Built,
    remarks: &mut Vec<Remark>,
) -> Result<StageOutcome> {
    let ledger = Ledger::read(&workdir.ledger(name))?;
    let compared = snapshot::Stage::from(stage);
    let mut remark = |path: &str, what| {
        remarks.push(Remark {
            stage: name.to_owned(),
            path: path.to_owned(),
            what,
        });
    };
    let mut artifacts = BTreeMap::new();
    std::fs::create_dir_all(directory).at("make the directory", directory)?; // a stage may have written nothing
    let here = Beneath::open(directory).at("open", directory)?;
    for path in stage.outputs() {
        let Some((artifact, said)) = artifact(&here, directory, path, compared.cut(path))? else {
            continue;
        };
        artifacts.insert(path.clone(), artifact);
        said.into_iter().for_each(|what| remark(path, what));
    }
    let mut metrics = ledger.metrics;
    metrics.retain(|name, _| !figures::is_ignored(name, &stage.ignore_metrics));
    // It is a plain file then, and no link led to it.
    if let Some(path) = stage.metrics.as_ref().filter(|path| artifacts.contains_key(*path)) {
        match metrics_file(&directory.join(path), &stage.ignore_metrics)? {
            Err(why) => remark(path, RemarkOf::NoFigures(why)),
            Ok(figures) => {
                for (name, metric) in figures {
                    match metrics.get(&name) {
                        Some(reported) if *reported != metric => remark(path, RemarkOf::Twice(name)),
                        _ => drop(metrics.insert(name, metric)),
                    }
                }
            }
        }
    }
    let binary = match &stage.program {
        Program::Bin(bin) => Some(Digest::of_file(&built.programs[bin])?.0),
        Program::Command(_) => None,
    };
    Ok(StageOutcome {
        binary,
        undeclared: Vec::new(),
        reads: BTreeMap::new(),
        copied: BTreeSet::new(),
        streams: ledger.streams,
        artifacts,
        metrics,
        checkpoints: ledger.checkpoints,
    })
}

/// An output below the directory; none where there is nothing.
fn artifact(
    here: &Beneath,
    directory: &Path,
    name: &str,
    cut: Option<Cut<'_>>,
) -> Result<Option<(Artifact, Vec<RemarkOf>)>> {
    let place = directory.join(name);
    let refuse = |what: String| {
        Err(Error::training(format!("the output {name} {what}; an output is a plain file"))
            .hint("declare the files themselves in `artifacts`"))
    };
    match here.look(Path::new(name)).at("look at", &place)? {
        There::Nothing => Ok(None),
        There::File(mut file) => {
            if let Some(cut) = cut {
                return cut_artifact(file, &place, cut).map(Some);
            }
            let (digest, bytes) = Digest::of_open(&mut file, &place, &Progress::default())?;
            Ok(Some((Artifact { digest, bytes }, Vec::new())))
        }
        There::Other(what) => refuse(format!("is {what}")),
        There::Blocked(at, what) => refuse(format!("lies behind {}, which is {what}", at.display())),
    }
}

/// A file of which a part is left out. One that is too large, or is no JSON, counts whole.
fn cut_artifact(mut file: File, place: &Path, cut: Cut<'_>) -> Result<(Artifact, Vec<RemarkOf>)> {
    let size = file.metadata().at("look at", place)?.len();
    if size <= pointer::LARGEST {
        let bytes = bounded::rest(&file, pointer::LARGEST, size).at("read", place)?;
        if let Some((rest, absent)) = cut.rest(&bytes) {
            return Ok((Artifact::of(&rest), absent.into_iter().map(RemarkOf::NotThere).collect()));
        }
        return Ok((Artifact::of(&bytes), vec![RemarkOf::CountsWhole]));
    }
    let (digest, bytes) = Digest::of_open(&mut file, place, &Progress::default())?;
    Ok((Artifact { digest, bytes }, vec![RemarkOf::CountsWhole]))
}

/// The figures of a metrics file, or why it has none: it is compared by its bytes then, and no training is in vain.
fn metrics_file(place: &Path, ignore: &[String]) -> Result<Result<BTreeMap<String, Metric>, String>> {
    let meta = place.metadata().at("look at", place)?;
    if meta.len() > figures::LARGEST {
        return Ok(Err(format!("it is larger than {} MiB", figures::LARGEST >> 20)));
    }
    let bytes = bounded::bytes(place, figures::LARGEST).at("read", place)?;
    Ok(figures::figures(&bytes, ignore).map(|found| found.metrics))
}
