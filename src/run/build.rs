//! The build phase: cargo, offline and locked, in the clean checkout, with an environment of its own
//! and paths remapped, so that the binary does not depend on where it was built. What cargo says of
//! its products is believed; nothing is guessed from the layout of the target directory.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use cargo_metadata::Message;
use serde::{Deserialize, Serialize};

use super::access::{Access, Grounds, Reached};
use super::checkout::{Checkout, normal};
use super::child::{Ended, Gives, Task};
use super::copies;
use super::crates;
use super::denied;
use super::enclosure;
use super::outlook::Outlook;
use super::session::Pinned;
use super::variables;
use super::workdir::Workdir;
use crate::console::Console;
use crate::error::{Error, IoContext as _, Result};
use crate::os::bounded;
use crate::os::env;
use crate::project::Project;
use crate::project::line_ends;
use crate::project::package::Program;
use crate::sandbox::Report;
use crate::sandbox::giving::Asked;
use crate::snapshot::source::looks::TOP;
use crate::snapshot::source::relative;
use crate::snapshot::{self, Build, Closure};

/// What a build gives.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Built {
    /// The programs by the name of their binary or example.
    pub programs: BTreeMap<String, PathBuf>,
    /// What of the repository, and of path dependencies, the compiler read and build scripts asked to be rerun for.
    pub sources: Closure,
    /// The variables of the environment that the compiler and build scripts asked for.
    pub variables: BTreeSet<String>,
    /// What compilers and build scripts reached for beside these.
    pub accesses: Vec<Access>,
    /// Every file that was read, as the build called it; none if it could not be watched.
    pub read: Option<BTreeSet<String>>,
}

/// The time that builds see in place of now: 1980-01-01, the oldest that every archive format can
/// hold (<https://reproducible-builds.org/specs/source-date-epoch/>).
const SOURCE_DATE_EPOCH: &str = "315532800";

/// Builds the programs of all stages, in a target directory in which nothing of another build is.
///
/// # Errors
/// When cargo fails, with the end of what it said.
pub fn build(
    project: &Project,
    workdir: &Workdir,
    checkout: &Checkout,
    pinned: &Pinned<'_>,
    console: Console,
) -> Result<Built> {
    let root = checkout.root();
    let names = project.manifest.binaries();
    if names.is_empty() {
        return Ok(Built {
            read: Some(BTreeSet::new()), // there was nothing to watch
            ..Built::default()
        });
    }
    let programs = names.iter().map(|name| project.package.program(name)).collect::<Result<Vec<_>>>()?;
    let outlook = Outlook::of_build(project, workdir, pinned.environment);
    let ended = cargo(project, workdir, checkout, pinned, &outlook, console)?;
    if !ended.status.success() {
        let error = Error::build("the build failed in a clean checkout")
            .said(ended.tail.clone(), console.is_human() && !console.is_quiet())
            .hint("a checkout holds what is committed and nothing else; `git status --ignored` lists what of the work tree it has not");
        let turned = line_ends::turned_since_vendored(&ended.tail, &workdir.seen(root), root);
        let error = turned.iter().fold(error, |error, path| error.hint(turned_hint(path)));
        return Err(explained(error, &ended, project, workdir, checkout, pinned, &outlook)?);
    }
    let mut built = Built { ..Built::default() };
    let mut asked = variables::Asked::default();
    for message in Message::parse_stream(ended.stdout.as_slice()) {
        let message = message.map_err(|error| Error::build(format!("cargo's messages cannot be read: {error}")))?;
        asked.note(&message, |path| workdir.unseen(path));
        if let Message::CompilerArtifact(artifact) = message
            && let Some(executable) = artifact.executable
            && programs.iter().any(|program| program.name == artifact.target.name)
        {
            let executable = workdir.unseen(executable.as_std_path());
            built.sources.extend(sources(&executable.with_extension("d"), workdir, checkout)?);
            built.programs.insert(artifact.target.name, executable);
        }
    }
    built.variables = asked.variables();
    built.read = ended.report.held.listener.then(|| copies::read_files(&ended.report));
    built.accesses = accesses(workdir, checkout, &built.sources.files, &ended.report, &outlook);
    match names.iter().find(|name| !built.programs.contains_key(**name)) {
        None => Ok(built),
        Some(name) => Err(Error::build(format!("cargo built no `{name}`"))
            .hint("does it need a feature? `features = [\"NAME\"]` under [build] in repro.toml enables it")),
    }
}

/// Runs cargo in a checkout.
///
/// # Errors
/// When it cannot be started, or the user interrupts.
pub fn cargo(
    project: &Project,
    workdir: &Workdir,
    checkout: &Checkout,
    pinned: &Pinned<'_>,
    outlook: &Outlook,
    console: Console,
) -> Result<Ended> {
    let names = project.manifest.binaries();
    let programs = names.iter().map(|name| project.package.program(name)).collect::<Result<Vec<_>>>()?;
    let directory = checkout.root().join(project.prefix()?);
    let give = |asked: &Asked| checkout.answer(asked, |path| workdir.unseen(path), |_| false);
    let mut ended = Task {
        program: project.toolchain.cargo.as_os_str(),
        args: arguments(project, workdir, &programs),
        directory: workdir.seen(&directory),
        enclosure: enclosure::of_build(workdir, checkout, outlook, pinned.circumstances.conditions.clone()),
        environment: environment(project, workdir, pinned, console),
        timeout: None,
        keep_stdout: true,
        copy_stdout: None,
        doing: ("Building", &project.package.name),
        gives: checkout.withholds().then(|| Gives {
            trees: checkout.trees(workdir.seen(&workdir.tree())),
            give: &give,
        }),
    }
    .run(console)?;
    checkout.tell_of_it(&mut ended.report, |path| workdir.seen(path));
    checkout.must_have_given(&ended.report, |path| workdir.unseen(path), |_| false)?;
    Ok(ended)
}

/// Why a build failed, where it asked for what builds do not have.
fn explained(
    error: Error,
    ended: &Ended,
    project: &Project,
    workdir: &Workdir,
    checkout: &Checkout,
    pinned: &Pinned<'_>,
    outlook: &Outlook,
) -> Result<Error> {
    let variables = &pinned.environment.variables;
    Ok(denied::tell(
        error,
        &denied::Scene {
            is_stage: false,
            report: &ended.report,
            tail: &ended.tail,
            scratch: workdir.root(),
            without_network: true,
            root: project.repository.root(),
            prefix: &project.prefix()?,
            repository: workdir.seen(checkout.root()),
            place: workdir.seen(workdir.root()),
            home: workdir.seen(&workdir.home()),
            shown: outlook.shown.clone(),
            path: variables.get("PATH").map_or(env::STANDARD_PATH, String::as_str),
            program: None,
            has_variable: &|name| variables.contains_key(name) || denied::EVERYWHERE.contains(&name),
            outputs: project.manifest.outputs().map(String::as_str).collect(),
        },
    ))
}

/// What was read beside the sources, the toolchain, the packages and the system's own.
pub(super) fn accesses(
    workdir: &Workdir,
    checkout: &Checkout,
    sources: &BTreeSet<String>,
    report: &Report,
    outlook: &Outlook,
) -> Vec<Access> {
    let grounds = Grounds {
        stage: None,
        place: workdir.seen(workdir.root()),
        repository: workdir.seen(checkout.root()),
        home: workdir.seen(&workdir.home()),
        tree: workdir.seen(&workdir.tree()),
        shown: outlook.shown.clone(),
        open: outlook.open,
        data: BTreeSet::new(),
        outputs: BTreeSet::new(),
        sources,
        is_there: &|path| workdir.unseen(path).symlink_metadata().is_ok(),
        is_on_machine: &|path| path.symlink_metadata().is_ok_and(|meta| !meta.is_dir()),
        committed: &|inner| checkout.committed(inner),
        // Cargo reads every manifest, and looks for more of them; what rules it is pinned in any case.
        is_idle: &|by, _| by == "cargo",
        lists_idly: &|by, _| by == "cargo",
    };
    // Compilers look for much on the machine that need not be there.
    let tells = |access: &Access| match access.what {
        Reached::Network(_) | Reached::Committed(_) | Reached::Lacking { .. } | Reached::Listed(_) => true,
        Reached::Outside(ref path) => access.by != "cargo" && !path.starts_with("/usr/"),
        _ => false,
    };
    let mut accesses = grounds.judge(report);
    accesses.retain(tells);
    accesses
}

/// What helps where git has normalised what cargo vendored.
fn turned_hint(path: &Path) -> String {
    let vendor = path
        .iter()
        .next()
        .map_or_else(|| "vendor".to_owned(), |top| top.to_string_lossy().into_owned());
    format!(
        "git turned the line ends of {} when it was committed; `echo '/{vendor}/** -text' >>.gitattributes` keeps it from \
         that, then `cargo vendor` and commit both anew",
        path.display()
    )
}

fn arguments(project: &Project, workdir: &Workdir, programs: &[&Program]) -> Vec<OsString> {
    let build = &project.manifest.build;
    let mut args: Vec<String> = [
        "build",
        "--locked",
        "--offline",
        "--message-format=json-render-diagnostics",
    ]
    .map(str::to_owned)
    .to_vec();
    args.push(format!("--profile={}", build.profile));
    if !build.default_features {
        args.push("--no-default-features".to_owned());
    }
    if !build.features.is_empty() {
        args.push(format!("--features={}", build.features.join(",")));
    }
    for program in programs {
        let kind = if program.is_example { "--example" } else { "--bin" };
        args.push(format!("{kind}={}", program.name));
    }
    let mut args: Vec<OsString> = args.into_iter().map(OsString::from).collect();
    if !project.package.registries.is_empty() {
        args.extend([
            "--config".into(),
            workdir.seen(&crates::registries_file(workdir)).into(),
        ]);
    }
    args
}

fn environment(
    project: &Project,
    workdir: &Workdir,
    pinned: &Pinned<'_>,
    console: Console,
) -> BTreeMap<OsString, OsString> {
    let environment = pinned.environment;
    let mut variables: BTreeMap<OsString, OsString> =
        environment.variables.iter().map(|(name, value)| (name.into(), value.into())).collect();
    let path = environment.variables.get("PATH").map_or(env::STANDARD_PATH, String::as_str);
    let mut search = project.toolchain.bin().as_os_str().to_owned();
    search.push(":");
    search.push(path);
    let own: [(&str, OsString); 15] = [
        ("PATH", search),
        ("HOME", workdir.seen(&workdir.home()).into()),
        ("TMPDIR", workdir.seen(&workdir.temp()).into()),
        ("CARGO_HOME", workdir.seen(&workdir.cargo_home()).into()),
        ("CARGO_TARGET_DIR", workdir.seen(&workdir.target()).into()),
        // Intermediate files too, wherever the configuration would have them: the sources cannot be written to.
        ("CARGO_BUILD_BUILD_DIR", workdir.seen(&workdir.target()).into()),
        ("CARGO_INCREMENTAL", "0".into()),
        ("CARGO_ENCODED_RUSTFLAGS", rustflags(workdir, pinned.build)),
        ("CARGO_TERM_COLOR", if console.colors() { "always" } else { "never" }.into()),
        ("CARGO_TERM_QUIET", if console.is_quiet() { "true" } else { "false" }.into()),
        ("RUSTC", project.toolchain.rustc.clone().into()),
        // Empty, they have precedence over the configuration: no program stands in the compiler's place.
        ("RUSTC_WRAPPER", OsString::new()),
        ("RUSTC_WORKSPACE_WRAPPER", OsString::new()),
        ("SOURCE_DATE_EPOCH", SOURCE_DATE_EPOCH.into()),
        // Crates that draw a random number for each build (ahash's compile-time-rng) use this instead.
        ("CONST_RANDOM_SEED", "cargo-repro".into()),
    ];
    variables.extend(own.map(|(name, value)| (name.into(), value)));
    let jobs = snapshot::build::ambient::jobs(&project.package, project.repository.root());
    variables.extend(jobs.map(|jobs| ("CARGO_BUILD_JOBS".into(), jobs.into())));
    if pinned.line_tables {
        let profile = project.manifest.build.profile.to_uppercase().replace('-', "_");
        variables.insert(format!("CARGO_PROFILE_{profile}_DEBUG").into(), "line-tables-only".into());
        variables.insert(format!("CARGO_PROFILE_{profile}_STRIP").into(), "none".into());
    }
    variables
}

/// The repository's own flags; and, where the work directory has no canonical path, what makes the
/// compiler write as if it had.
fn rustflags(workdir: &Workdir, settings: &Build) -> OsString {
    let mut flags: Vec<OsString> = settings.rustflags.iter().map(OsString::from).collect();
    if !workdir.has_namespaces() {
        for directory in [workdir.tree(), workdir.target(), workdir.cargo_home()] {
            let mut flag = OsString::from("--remap-path-prefix=");
            flag.push(&directory);
            flag.push("=");
            flag.push(workdir.seeming(&directory));
            flags.push(flag);
        }
    }
    flags.join(std::ffi::OsStr::new("\u{1f}"))
}

/// What of the checkout a dep-info file of cargo's names. Cargo writes one beside each
/// product: `product: file file …`, with blanks in names escaped.
fn sources(dep_info: &Path, workdir: &Workdir, checkout: &Checkout) -> Result<Closure> {
    let root = checkout.root();
    let text = bounded::text(dep_info, bounded::GENERATED).at("read", dep_info)?;
    let tree = workdir.tree();
    let mut sources = Closure::default();
    for file in named(&text) {
        let path = checkout.by_its_place(&normal(&workdir.unseen(Path::new(&file))));
        if !path.starts_with(&tree) {
            continue;
        }
        // Nothing need have looked for what it would be built again for.
        checkout.reach(&path)?;
        let inner = relative(root, &path)?;
        if path.is_file() {
            sources.files.insert(inner);
        } else if path.is_dir() {
            below(&path, root, &mut sources)?; // a build script asked to be rerun for a directory
        } else {
            sources.absent.insert(inner); // or for a file that is not there
        }
    }
    Ok(sources)
}

/// Every file that a dep-info text names.
fn named(text: &str) -> impl Iterator<Item = String> {
    let files = text.lines().filter_map(|line| Some(line.split_once(": ")?.1));
    files.flat_map(split_escaped)
}

fn below(directory: &Path, root: &Path, sources: &mut Closure) -> Result<()> {
    let inner = relative(root, directory)?;
    sources.listed.insert(if inner.is_empty() { TOP.to_owned() } else { inner });
    for entry in std::fs::read_dir(directory).at("read", directory)? {
        let entry = entry.at("read", directory)?;
        if entry.file_type().at("look at", &entry.path())?.is_dir() {
            below(&entry.path(), root, sources)?;
        } else {
            sources.files.insert(relative(root, &entry.path())?);
        }
    }
    Ok(())
}

fn split_escaped(files: &str) -> Vec<String> {
    let mut names = vec![String::new()];
    let mut letters = files.chars();
    while let Some(letter) = letters.next() {
        let last = names.last_mut().expect("there is always one");
        match letter {
            '\\' => last.extend(letters.next()),
            ' ' if last.is_empty() => {}
            ' ' => names.push(String::new()),
            other => last.push(other),
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaped_blanks_in_dep_info_belong_to_the_name() {
        assert_eq!(split_escaped(r"/a/src/main.rs /with\ blank/x.rs"), ["/a/src/main.rs", "/with blank/x.rs"]);
        assert!(split_escaped("").is_empty());
    }

    proptest::proptest! {
        #[test]
        fn no_dep_info_makes_the_reading_panic_and_its_names_are_taken_from_it(text in "[ab /:\\\\\n\u{e9}]{0,60}") {
            let letters = |text: &str| text.chars().filter(|c| c.is_alphabetic()).count();
            let found: Vec<String> = named(&text).collect();
            proptest::prop_assert!(found.iter().all(|name| !name.is_empty()));
            proptest::prop_assert!(found.iter().map(|name| letters(name)).sum::<usize>() <= letters(&text));
        }
    }
}
