//! `record`: snapshot, build, train, and only if all of that held, the lock.

mod class;
mod confirm;
mod pointers;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use confirm::{Agreed, Confirmed, confirm};

use super::conclude;
use crate::cache::Cache;
use crate::cli::args;
use crate::cli::settings::{Overrides, Settings};
use crate::diagnose::trial::Laboratory;
use crate::diagnose::workshop::Workshop;
use crate::digest::Digest;
use crate::error::{Error, IoContext as _, Phase, Result};
use crate::exit_code::ExitCode;
use crate::lockfile::{self, Lockfile, Record};
use crate::os::atomic;
use crate::os::beneath::{Beneath, There};
use crate::os::bounded;
use crate::progress::Progress;
use crate::project::repository::pathspec;
use crate::project::{self, Project};
use crate::run::access::Access;
use crate::run::circumstances::Circumstances;
use crate::run::places;
use crate::run::session::{Pinned, Session};
use crate::run::workdir::Workdir;
use crate::snapshot::platform::Facts;
use crate::snapshot::source::{self, Dirty};
use crate::snapshot::{self, Build, Closure, Data, Dependencies, Environment, Snapshot, Source};
use crate::verdict::{self, NotChecked, Note, Verdict, Word};

/// Runs the command.
///
/// # Errors
/// When anything keeps a lock from being written; the old one is intact then.
pub fn run(settings: &Settings, args: &args::Record) -> Result<ExitCode> {
    if args.add_class {
        return class::run(settings, args);
    }
    let overrides = Overrides::resolve(&args.overrides)?;
    let directory = project::directory(settings)?;
    let remember = |repository: &crate::project::repository::Repository| Cache::load(&repository.private_directory());
    let (project, mut cache) = Project::open(directory, &overrides, settings.offline, remember)?;
    project.check_commands()?;
    old_lock(&project)?;
    refuse_absent(&project)?;
    pointers::refuse_pointers(&project)?;
    places::refuse_blocked(&project)?;
    let dirty = refuse_dirty(&project, &candidates(&project)?, args.allow_dirty, &mut cache)?;
    settings
        .console
        .status("Recording", format!("{} at {}", project.package.name, project.commit.short()));

    let workdir = Workdir::kept(&project.directory, settings.console)?;
    let mut recorded = record(&project, &workdir, settings, args, dirty, &mut cache);
    if let Ok(Recorded::Uncommitted) = recorded {
        recorded = record(&project, &workdir, settings, args, true, &mut cache);
    }
    cache.save();
    match recorded? {
        Recorded::Lock(mut recording) => {
            let standing = write(&project, &mut recording, settings)?;
            let mut not_checked = super::not_isolated(&workdir);
            not_checked.extend(recording.not_covered);
            let mut notes = recording.notes;
            notes.extend(build_notes(&project, &standing)?);
            conclude(settings, &verdict_of(&standing, &project, notes, not_checked))
        }
        Recorded::Refused(verdict) => conclude(settings, &verdict),
        Recorded::Uncommitted => unreachable!("the work tree itself was built"),
    }
}

/// A lock with what belongs to it.
struct Recording {
    lock: Lockfile,
    /// Where the outputs lie.
    outputs: Vec<(String, PathBuf)>,
    notes: Vec<Note>,
    not_covered: Vec<NotChecked>,
}

/// What came of it.
enum Recorded {
    /// A lock to write.
    Lock(Box<Recording>),
    /// None, and why.
    Refused(Box<Verdict>),
    /// None: something that reached the program is not as committed, as only the build or the training showed, and
    /// the commit was what was built.
    Uncommitted,
}

/// An unreadable lock is no reason not to record a new one, but a newer version is: this tool would
/// take something away.
fn old_lock(project: &Project) -> Result<Option<Lockfile>> {
    let path = project.lock_path();
    match Lockfile::read(&path) {
        Ok(read) if read.id == read.actual_id => Ok(Some(read.lock)),
        Err(error) if path.exists() && error.what().contains("of version") => Err(error),
        _ => Ok(None),
    }
}

/// The files that must be committed: what may reach the program, the manifest, and committed data.
pub(super) fn candidates(project: &Project) -> Result<Closure> {
    let (repository, commit) = (&project.repository, project.commit);
    let mut files = source::candidates(repository, commit, &project.package)?;
    files.insert(project.in_repository(crate::project::manifest::FILE)?);
    if project.manifest.runs_commands() {
        files.extend(command_closure(project)?);
    }
    let paths = project.manifest.data_paths();
    let prefixes: Vec<String> = paths
        .map(|path| project.in_repository(path.trim_end_matches('/')))
        .collect::<Result<_>>()?;
    let patterns: Vec<glob::Pattern> = prefixes.iter().filter_map(|path| glob::Pattern::new(path).ok()).collect();
    let is_data = |path: &String| {
        prefixes.iter().any(|prefix| Path::new(path).starts_with(prefix))
            || patterns.iter().any(|pattern| pattern.matches(path))
    };
    let is_data = |path: &&String| is_data(path);
    files.extend(repository.entries(commit)?.keys().filter(is_data).cloned());
    Ok(Closure::of(files).behind_links(project.tree()))
}

fn command_closure(project: &Project) -> Result<BTreeSet<String>> {
    let apart = |path: &str| project.manifest.is_apart(path);
    source::whole_package(&project.repository, project.commit, &project.prefix()?, apart)
}

/// Whether some of the files are not as committed; an error unless that is allowed.
pub(super) fn refuse_dirty(project: &Project, closure: &Closure, allow: bool, cache: &mut Cache) -> Result<bool> {
    let dirty = source::dirty(project.tree(), closure, &|path| project.is_apart(path), cache)?;
    if dirty.is_empty() || allow {
        return Ok(!dirty.is_empty());
    }
    let line = |dirty: &Dirty| format!("{} ({})", dirty.path, dirty.how.word());
    let lines: Vec<String> = dirty.iter().map(line).collect();
    let count = if lines.len() == 1 {
        "1 file that can reach the program or its data is".to_owned()
    } else {
        format!("{} files that can reach the program or its data are", lines.len())
    };
    let paths: Vec<String> = dirty.iter().take(ADDED).map(|dirty| pathspec(&dirty.path)).collect();
    let paths = if dirty.len() > ADDED {
        ":/".to_owned()
    } else {
        paths.join(" ")
    };
    Err(Error::new(format!("{count} not as committed"))
        .phase(Phase::Snapshot)
        .context(lines.join("\n"))
        .hint(format!(
            "commit, by `git add {paths}` and `git commit`, so that the lock can name a commit that has it all; or `--allow-dirty`, and the lock will say so"
        )))
}

/// How many files a hint names.
const ADDED: usize = 4;

/// What is pinned before anything is built.
struct Pins {
    environment: Environment,
    dependencies: Dependencies,
    circumstances: Circumstances,
    build: Build,
}

impl Pins {
    fn observe(project: &Project) -> Result<Self> {
        let (package, repository) = (&project.package, &project.repository);
        Ok(Self {
            environment: Environment::observe(&project.manifest.environment)?,
            dependencies: Dependencies::read(&package.workspace.join("Cargo.lock"))?,
            circumstances: Circumstances::of(&project.manifest, Some(repository.time(project.commit)?)),
            build: Build::observe(&project.manifest.build, package, repository, &project.toolchain)?,
        })
    }

    fn pinned(&self) -> Pinned<'_> {
        Pinned {
            build: &self.build,
            environment: &self.environment,
            dependencies: &self.dependencies,
            source: None,
            circumstances: &self.circumstances,
            line_tables: false,
        }
    }
}

fn record(
    project: &Project,
    workdir: &Workdir,
    settings: &Settings,
    args: &args::Record,
    dirty: bool,
    cache: &mut Cache,
) -> Result<Recorded> {
    let pins = Pins::observe(project)?;
    let (session, data) = build(project, workdir, settings, &pins, dirty, cache)?;
    let closure = closure(project, &session)?;
    let is_uncommitted = |closure: &Closure| {
        refuse_dirty(project, closure, args.allow_dirty, &mut Cache::none()).map(|found| found && !dirty)
    };
    if is_uncommitted(&closure)? {
        return Ok(Recorded::Uncommitted);
    }
    let laboratory = Laboratory {
        project,
        session: &session,
        data: &data,
        environment: &pins.environment,
        console: settings.console,
    };
    let workshop = Workshop {
        laboratory,
        pinned: pins.pinned(),
        dirty,
    };
    let confirmed = confirm(&workshop, &pins.circumstances, args.confirm);
    session.forget_kept();
    let agreed = match confirmed? {
        Confirmed::Same(agreed) => agreed,
        Confirmed::Refused(verdict) => return Ok(Recorded::Refused(verdict)),
    };
    // What the stages read of the commit reaches the model as surely as a source file.
    let closure = with_read(project, closure, &agreed.accesses)?;
    if is_uncommitted(&closure)? {
        return Ok(Recorded::Uncommitted);
    }
    let mut source = sources(project, &session, &closure, dirty)?;
    source.looks = source.looks.filter(|_| agreed.watched);
    let record = Record {
        runs: args.confirm,
        dirty,
        date: pins.circumstances.conditions.clock,
        draws: pins.circumstances.numbering(),
    };
    Ok(Recorded::Lock(Box::new(recording(project, &session, record, pins, source, data, agreed))))
}

/// Builds, and digests the data meanwhile: neither needs the other.
fn build<'a>(
    project: &'a Project,
    workdir: &'a Workdir,
    settings: &Settings,
    pins: &Pins,
    dirty: bool,
    cache: &mut Cache,
) -> Result<(Session<'a>, BTreeMap<String, Data>)> {
    let (directory, declared) = (&project.directory, &project.manifest.data);
    let (session, data) = std::thread::scope(|scope| {
        let data = scope.spawn(|| {
            let observe = |progress: &Progress| snapshot::observe_data(directory, declared, cache, progress);
            settings.console.watching("Hashing", observe)
        });
        let session = Session::build(project, workdir, dirty, pins.pinned(), settings.console);
        (session, data.join().expect("digesting does not panic"))
    });
    let data = data.map_err(|error| error.phase(Phase::Snapshot))?;
    refuse_missing(&data)?;
    Ok((session?, data))
}

/// The closure as it was built.
fn sources(project: &Project, session: &Session<'_>, closure: &Closure, dirty: bool) -> Result<Source> {
    let mut source = if dirty {
        source::observe_work_tree(&project.repository, project.commit, &closure.files)?
    } else {
        Source::observe(project.tree(), closure, &|path| project.is_apart(path))?
    };
    session.must_be_of(&closure.files, &source)?;
    source.variables = session.built.variables.iter().cloned().collect();
    Ok(source)
}

fn recording(
    project: &Project,
    session: &Session<'_>,
    record: Record,
    pins: Pins,
    source: Source,
    data: BTreeMap<String, Data>,
    agreed: Agreed,
) -> Recording {
    let mut notes = verdict::data_notes(&data);
    notes.extend(project.manifest.given().into_iter().map(Note::Overridden));
    notes.extend(agreed.remarks.into_iter().map(Note::Output));
    notes.extend(verdict::undeclared(&agreed.outcome));
    notes.extend(agreed.accesses.into_iter().filter(Access::is_worth_a_note).map(Note::Reached));
    notes.extend(agreed.copied.into_iter().map(Note::Copied));
    let artifacts = agreed.outcome.values().flat_map(|stage| stage.artifacts.keys());
    let outputs = artifacts.map(|path| (path.clone(), session.output(path))).collect();
    let snapshot = Snapshot::assemble(project, source, pins.dependencies, pins.build, pins.environment, data);
    Recording {
        lock: Lockfile {
            record,
            snapshot,
            overridden: project.manifest.overridden.clone(),
            outcome: agreed.outcome,
            classes: Vec::new(),
            facts: Facts::observe(),
        },
        outputs,
        notes,
        not_covered: agreed.not_covered,
    }
}

fn with_read(project: &Project, mut closure: Closure, accesses: &[Access]) -> Result<Closure> {
    let read = Access::sources(accesses);
    // So the audit writes what is not UTF-8; by that name nothing is found.
    let mut names = read.files.iter().chain(&read.absent).chain(&read.made).chain(&read.listed);
    if let Some(odd) = names.find(|path| path.contains(char::REPLACEMENT_CHARACTER)) {
        return Err(Error::not_text(Path::new(odd)));
    }
    closure.extend(read);
    Ok(settled(project, closure))
}

/// As a lock keeps it: where links lead, and without what no run is shown, which is not absent for all that.
fn settled(project: &Project, closure: Closure) -> Closure {
    let mut closure = closure.behind_links(project.tree());
    closure.absent.retain(|path| !project.is_apart(path));
    closure.made.retain(|path| !project.is_apart(path));
    closure
}

/// Before the compiler is started for nothing.
fn refuse_absent(project: &Project) -> Result<()> {
    for (name, declared) in &project.manifest.data {
        let is_pattern = |path: &str| path.contains(['*', '?', '[']);
        let absent = |path: &&String| !is_pattern(path) && !project.directory.join(path.as_str()).exists();
        if let Some(path) = declared.paths.iter().find(absent) {
            return Err(data_missing(name, path));
        }
    }
    Ok(())
}

pub(super) fn refuse_missing(data: &BTreeMap<String, Data>) -> Result<()> {
    let mut missing = data.iter().flat_map(|(name, data)| data.missing.iter().map(move |path| (name, path)));
    missing.next().map_or(Ok(()), |(name, path)| Err(data_missing(name, path)))
}

fn data_missing(name: &str, path: &str) -> Error {
    Error::new(format!("the data `{name}` is not there: {path}"))
        .phase(Phase::Snapshot)
        .hint("paths in [data] start at the package's directory; fetch the file, or mend the path in repro.toml")
}

/// What reached the program, as the build tells, and the files that rule it.
fn closure(project: &Project, session: &Session<'_>) -> Result<Closure> {
    let mut closure = session.built.sources.clone();
    let files = &mut closure.files;
    files.extend(source::ruling_files(&project.repository, &project.package)?);
    files.extend(source::vendored_files(&project.repository, project.commit, &project.package)?);
    if project.manifest.runs_commands() {
        files.extend(command_closure(project)?);
    }
    Ok(settled(project, closure))
}

/// The outputs to their places first and the lock last, so that a lock never speaks of outputs that
/// are not there yet. Once this has begun it goes through: an interrupt in the middle would part them.
/// Gives the lock that stands in the file then.
fn write(project: &Project, recording: &mut Recording, settings: &Settings) -> Result<Lockfile> {
    crate::os::interrupt::check()?;
    let _whole = crate::os::interrupt::Whole::begin();
    atomic::sweep(&project.directory);
    let here = Beneath::open(&project.directory).at("open", &project.directory)?;
    for (path, from) in &recording.outputs {
        put(project, &here, path, from, settings)?;
    }
    let lock = &mut recording.lock;
    if let Some(old) = old_lock(project)? {
        if lock.says_nothing_new_to(&old) {
            settings.console.status("Unchanged", lockfile::FILE);
            return Ok(old);
        }
        recording.notes.extend(class::inherit(lock, &old, &project.manifest.stage_order()));
    }
    lock.write(&project.lock_path())?;
    settings.console.status("Wrote", lockfile::FILE);
    Ok(lock.clone())
}

/// Puts an output at its place, unless it is there. Whatever leads to that place is no link.
fn put(project: &Project, here: &Beneath, path: &str, from: &Path, settings: &Settings) -> Result<()> {
    let to = project.directory.join(path);
    let digest = |file: std::fs::File| Digest::of_reader(file);
    let wanted = bounded::open(from).and_then(digest).at("read", from)?;
    if let There::File(there) = here.look(Path::new(path)).at("look at", &to)?
        && digest(there).is_ok_and(|there| there == wanted)
    {
        return Ok(());
    }
    let place = here.place(Path::new(path)).at("write", &to)?;
    place.path().parent().map(atomic::sweep);
    let mut from = bounded::open(from).at("read", from)?;
    atomic::replace_recorded_from(&place.path(), &mut from).at("write", &to)?;
    settings.console.detail("Wrote", path);
    Ok(())
}

fn verdict_of(lock: &Lockfile, project: &Project, notes: Vec<Note>, mut not_checked: Vec<NotChecked>) -> Verdict {
    not_checked.splice(0..0, not_repeated(lock.record.runs));
    not_checked.extend(verdict::sampled(&lock.snapshot.data));
    not_checked.extend(verdict::left_out(&lock.snapshot.stages));
    Verdict {
        notes,
        not_checked,
        runs: lock.record.runs,
        outcome: lock.outcome.clone(),
        lock: Some(lock.id()),
        lock_commit: Some(lock.snapshot.source.commit.clone()),
        ..Verdict::new(Word::Recorded, project.commit)
    }
}

/// What is worth saying of how the program is built.
fn build_notes(project: &Project, lock: &Lockfile) -> Result<Vec<Note>> {
    let mut notes: Vec<Note> = project.settings_set_aside()?.into_iter().map(Note::SetAside).collect();
    notes.extend(verdict::native_note(&lock.snapshot.build, &lock.snapshot.environment));
    Ok(notes)
}

/// One training does not show whether there is anything to reproduce.
fn not_repeated(runs: u32) -> Option<NotChecked> {
    let why = "the program was trained once; `--confirm 3` would show whether it gives the same twice";
    (runs == 1).then(|| NotChecked::new("repetition", why))
}
