//! The train phase: every stage's program in the package's directory of the checkout, with the
//! environment that the snapshot pins and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;

use repro::protocol;

use super::access::{Access, Grounds};
use super::build::Built;
use super::checkout::Checkout;
use super::child::{Ended, Gives, Task};
use super::circumstances::Circumstances;
use super::denied;
use super::enclosure::StageRoom;
use super::handover::Before;
use super::outlook::Outlook;
use super::staging::Staged;
use super::workdir::Workdir;
use crate::console::Console;
use crate::error::{Error, IoContext as _, Phase, Result};
use crate::os::beneath::Beneath;
use crate::os::env;
use crate::project::Project;
use crate::project::manifest::{Policy, Program, Stage, fill};
use crate::sandbox::Report;
use crate::sandbox::giving::Asked;
use crate::snapshot::Environment;
use crate::snapshot::source::is_of_package;

/// What every stage of a run shares.
#[derive(Debug)]
pub struct Training<'a> {
    /// The project, with the parameters and the seed.
    pub project: &'a Project,
    /// Where it happens.
    pub workdir: &'a Workdir,
    /// The package's directory in the checkout.
    pub directory: &'a Path,
    /// The built programs.
    pub built: &'a Built,
    /// The data in place.
    pub staged: &'a Staged,
    /// The pinned environment.
    pub environment: &'a Environment,
    /// The checkout.
    pub checkout: &'a Checkout,
    /// What is around the programs.
    pub circumstances: &'a Circumstances,
    /// Where to pass on what the programs print.
    pub console: Console,
}

impl Training<'_> {
    /// Runs one stage to its end; gives what it reached for beside its inputs, and what was seen.
    ///
    /// # Errors
    /// When the program cannot be started, fails, hangs, or reaches for what it may not.
    pub fn stage(&self, name: &str, stage: &Stage, before: &Before) -> Result<(Vec<Access>, Report)> {
        let (program, args) = self.command(name, stage)?;
        let line: Vec<_> = std::iter::once(program.as_os_str()).chain(args.iter().map(OsString::as_os_str)).collect();
        self.console.detail("Running", format!("`{}`", line.join(OsStr::new(" ")).display()));
        let ledger = self.workdir.ledger(name);
        std::fs::write(&ledger, "").at("write", &ledger)?; // emptied, and there to be mounted
        let place = &self.circumstances.place;
        let seen_program = self.workdir.seen_at(place, &program);
        let outlook = Outlook::of_stage(self.project, self.workdir, &program);
        let room = StageRoom {
            workdir: self.workdir,
            checkout: self.checkout,
            directory: self.directory,
            staged: self.staged,
            before,
            ledger: &ledger,
            outlook: &outlook,
            policy: &self.project.manifest.isolation,
            circumstances: self.circumstances,
        };
        let printed = stage.stdout.as_ref().map(|_| self.workdir.printed(name));
        let copy = printed.as_ref().map(|path| File::create(path).at("create", path));
        let unseen = |path: &Path| self.workdir.unseen(&self.workdir.unseen_from(place, path));
        let give = |asked: &Asked| self.checkout.answer(asked, unseen, |path| self.staged.holds(path));
        let mut ended = Task {
            program: seen_program.as_os_str(),
            args,
            directory: self.workdir.seen_at(place, self.directory),
            enclosure: room.enclosure(),
            environment: self.variables(name, stage),
            timeout: stage.timeout,
            keep_stdout: false,
            copy_stdout: copy.transpose()?,
            doing: ("Training", name),
            gives: self.checkout.withholds().then(|| Gives {
                trees: self.checkout.trees(self.workdir.seen_at(place, &self.workdir.tree())),
                give: &give,
            }),
        }
        .run(self.console)
        .map_err(|error| error.phase(Phase::Train))?;
        self.checkout.tell_of_it(&mut ended.report, |path| self.workdir.seen_at(place, path));
        let fault = self.checkout.must_have_given(&ended.report, unseen, |path| self.staged.holds(path));
        fault.map_err(|error| error.phase(Phase::Train))?;
        let accesses = self.grounds(name, outlook.shown.clone(), before, |grounds| grounds.judge(&ended.report));
        judge(name, stage, &ended, self.console).map_err(|error| {
            let grave = accesses.iter().filter(|access| access.is_telling()).map(Access::cause).collect();
            self.explained(error.causes(grave), &ended, stage, &program, outlook.shown.clone())
        })?;
        if let (Some(printed), Some(path)) = (&printed, &stage.stdout) {
            ended.copied.at("write", printed)?;
            self.put(printed, path)?;
        }
        Ok((accesses, ended.report))
    }

    /// Why a stage failed, where it asked for what runs do not have.
    fn explained(
        &self,
        error: Error,
        ended: &Ended,
        stage: &Stage,
        program: &Path,
        shown: Vec<std::path::PathBuf>,
    ) -> Error {
        let (project, place) = (self.project, &self.circumstances.place);
        let Ok(prefix) = project.prefix() else {
            return error;
        };
        let variables = &self.environment.variables;
        let named = match &stage.program {
            Program::Command(command) => Some((command[0].as_str(), program)),
            Program::Bin(_) => None,
        };
        denied::tell(
            error,
            &denied::Scene {
                is_stage: true,
                report: &ended.report,
                tail: &ended.tail,
                scratch: self.workdir.root(),
                without_network: project.manifest.isolation.network == Policy::Deny,
                root: project.repository.root(),
                prefix: &prefix,
                repository: self.workdir.seen_at(place, self.checkout.root()),
                place: self.workdir.seen_at(place, self.workdir.root()),
                home: self.workdir.seen(&self.workdir.home_named(&self.circumstances.home)),
                shown,
                path: variables.get("PATH").map_or(env::STANDARD_PATH, String::as_str),
                program: named,
                has_variable: &|name| variables.contains_key(name) || denied::EVERYWHERE.contains(&name),
                outputs: project.manifest.outputs().map(String::as_str).collect(),
            },
        )
    }

    /// Puts what a stage printed to the place of the output that it is.
    fn put(&self, printed: &Path, output: &str) -> Result<()> {
        let place = Beneath::open(self.directory).and_then(|here| here.place(Path::new(output)));
        place.and_then(|place| place.receive(printed)).map_err(|error| {
            Error::training(format!("the output {output} cannot be put in its place: {error}")).phase(Phase::Collect)
        })
    }

    /// What belongs to a stage, for judging what it reached for.
    fn grounds<T>(
        &self,
        name: &str,
        shown: Vec<std::path::PathBuf>,
        before: &Before,
        judge: impl FnOnce(&Grounds<'_>) -> T,
    ) -> T {
        let place = &self.circumstances.place;
        let seen = |path: &Path| self.workdir.seen_at(place, path);
        let sources = self.sources();
        let is_module = |path: &String| path.ends_with(".py");
        let modules: BTreeSet<&Path> = sources
            .iter()
            .filter(|path| is_module(path))
            .filter_map(|path| Path::new(path).parent())
            .collect();
        judge(&Grounds {
            stage: Some(name),
            place: seen(self.workdir.root()),
            repository: seen(self.checkout.root()),
            tree: seen(&self.workdir.tree()),
            home: self.workdir.seen(&self.workdir.home_named(&self.circumstances.home)),
            shown,
            open: self.project.manifest.isolation.reads == Policy::Warn,
            // Where there are no namespaces, a link leads to where the data lies.
            data: (self.staged.places().map(&seen))
                .chain(self.staged.sources().filter(|_| !self.workdir.has_namespaces()).map(Path::to_path_buf))
                .collect(),
            outputs: (self.project.manifest.stages[name]
                .outputs()
                .map(|output| seen(&self.directory.join(output))))
            .chain(before.given().map(&seen))
            .collect(),
            sources: &sources,
            is_there: &|path| {
                let path = self.workdir.unseen_from(place, path);
                self.workdir.unseen(&path).symlink_metadata().is_ok()
            },
            is_on_machine: &|path| path.symlink_metadata().is_ok_and(|meta| !meta.is_dir()),
            committed: &|inner| self.checkout.committed(inner),
            is_idle: &|_, _| false,
            // Where Python looks for modules, the files of the package are pinned one by one, new ones too.
            lists_idly: &|by, inner| by.starts_with("python") && modules.contains(Path::new(inner)),
        })
    }

    /// The files that are pinned already; a command's program is all of the package.
    fn sources(&self) -> BTreeSet<String> {
        let mut sources = self.built.sources.files.clone();
        let manifest = &self.project.manifest;
        if manifest.runs_commands() {
            let prefix = self.project.prefix().unwrap_or_default();
            let apart = |path: &str| manifest.is_apart(path);
            let files = self.checkout.files_from_root(&prefix).into_iter();
            sources.extend(files.filter(|path| is_of_package(&prefix, path, &apart)));
        }
        sources
    }

    fn command(&self, name: &str, stage: &Stage) -> Result<(std::path::PathBuf, Vec<OsString>)> {
        let filled = |text: &String| OsString::from(self.fill(text));
        let mut args: Vec<OsString> = stage.args.iter().map(filled).collect();
        let program = match &stage.program {
            Program::Bin(bin) => self.built.programs[bin].clone(),
            Program::Command(command) => {
                args.splice(0..0, command[1..].iter().map(filled));
                let program = self.fill(&command[0]);
                if program.contains('/') {
                    self.checkout.reach(&self.directory.join(&program))?;
                }
                super::find_command(&program, self.directory).ok_or_else(|| {
                    Error::training(format!("stage `{name}`: there is no program `{program}`"))
                        .hint("a path is taken from the package's directory in a checkout of what is committed")
                })?
            }
        };
        Ok((program, args))
    }

    /// Fills in `{seed}` and parameters; the manifest's reading has refused every other name.
    fn fill(&self, text: &str) -> String {
        let manifest = &self.project.manifest;
        let value = |name: &str| match name {
            "seed" => Some(manifest.seed.to_string()),
            name => manifest.params.get(name).map(ToString::to_string),
        };
        fill(text, value).unwrap_or_else(|_| text.to_owned())
    }

    fn variables(&self, name: &str, stage: &Stage) -> BTreeMap<OsString, OsString> {
        let manifest = &self.project.manifest;
        let mut variables: BTreeMap<OsString, OsString> = self
            .environment
            .variables
            .iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        let place = &self.circumstances.place;
        let seen = |path: &Path| OsString::from(self.workdir.seen_at(place, path));
        let own: [(&str, OsString); 7] = [
            ("HOME", self.workdir.seen(&self.workdir.home_named(&self.circumstances.home)).into()),
            ("TMPDIR", self.workdir.seen(&self.workdir.temp()).into()),
            (protocol::PROTOCOL, protocol::VERSION.to_string().into()),
            (protocol::STAGE, name.into()),
            (protocol::SEED, manifest.seed.to_string().into()),
            (protocol::OUT_DIR, seen(self.directory)),
            (protocol::LEDGER, seen(&self.workdir.ledger(name))),
        ];
        variables.extend(own.map(|(name, value)| (name.into(), value)));
        for (name, value) in &manifest.params {
            let variable = protocol::variable(protocol::PARAM_PREFIX, name);
            variables.insert(variable.into(), value.to_string().into());
        }
        for name in &stage.data {
            let variable = protocol::variable(protocol::DATA_PREFIX, name);
            variables.insert(variable.into(), self.staged.variables[name].clone().into());
        }
        for (name, value) in &self.circumstances.variables {
            if value.is_empty() {
                variables.remove(OsStr::new(name));
            } else {
                variables.insert(name.into(), value.into());
            }
        }
        variables
    }
}

fn judge(name: &str, stage: &Stage, ended: &Ended, console: Console) -> Result<()> {
    if ended.status.success() && !ended.timed_out {
        return Ok(());
    }
    let what = match (ended.timed_out, ended.status.code(), ended.status.signal()) {
        (true, ..) => {
            let limit = humantime::format_duration(stage.timeout.unwrap_or_default());
            format!("stage `{name}` was still running after its timeout of {limit}, and was ended")
        }
        (_, Some(code), _) => format!("stage `{name}` failed with exit code {code}"),
        (_, _, Some(signal)) => {
            let signal_name = signal_hook::low_level::signal_name(signal).unwrap_or("a signal");
            format!("stage `{name}` was killed by {signal_name} ({signal})")
        }
        _ => format!("stage `{name}` ended in an unknown way"),
    };
    let error = Error::training(what).said(ended.tail.clone(), console.is_human() && !console.is_quiet());
    Err(if ended.timed_out {
        error.hint("raise `timeout` in repro.toml if it needs longer")
    } else if ended.status.signal() == Some(signal_hook::consts::SIGKILL) {
        error.hint("nobody here killed it; the kernel does when memory runs out")
    } else {
        error.hint("`-v` shows what was run; the program saw only the environment that repro.toml declares")
    })
}
