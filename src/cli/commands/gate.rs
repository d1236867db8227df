//! `gate`: whether a tag may be a release. It reads git's objects alone, so it needs neither cargo nor a work
//! tree.

use std::path::Path;

use super::reports::Reports;
use super::subject::Subject;
use crate::cli::args;
use crate::cli::settings::Settings;
use crate::error::{Error, Result};
use crate::exit_code::ExitCode;
use crate::lockfile::{self, Lockfile};
use crate::os::env;
use crate::os::redact;
use crate::project::manifest;
use crate::project::package;
use crate::project::repository::Repository;
use crate::release::gate::asked::{Asked, Rules, moved};
use crate::release::gate::content::Tree;
use crate::release::gate::evidence::Evidence;
use crate::release::gate::packages;
use crate::snapshot::source::relative;
use crate::verdict::Verdict;

/// The remote that git calls so by default.
const ORIGIN: &str = "origin";

/// Runs the command.
///
/// # Errors
/// When git cannot be read or asked.
pub fn run(settings: &Settings, args: &args::Gate) -> Result<ExitCode> {
    let mut subject = Subject::of("gate", &typed(settings, args));
    subject.from.clone_from(&args.from);
    let reports = Reports::asked(settings, &args.reports, &mut subject)?;
    let judged = gate(settings, args, reports.are_wanted().then_some(&mut subject));
    reports.conclude(settings, &subject, judged)
}

/// The arguments that the answer depends on, but for files.
fn typed(settings: &Settings, args: &args::Gate) -> Vec<String> {
    let policy = args
        .policy_ref
        .iter()
        .flat_map(|reference| ["--policy-ref".to_owned(), reference.clone()]);
    let remote = args.remote.iter().flat_map(|remote| ["--remote".to_owned(), redact::remote(remote)]);
    let offline = settings.offline.then(|| "--offline".to_owned());
    std::iter::once(args.name.clone()).chain(policy).chain(remote).chain(offline).collect()
}

/// The answer; of a subject it also finds out what a report says of it.
fn gate(settings: &Settings, args: &args::Gate, subject: Option<&mut Subject>) -> Result<Verdict> {
    let repository = Repository::history(&settings.current_directory)?;
    let mut evidence = Evidence::of(&repository);
    evidence.add_files(&settings.current_directory, &args.from)?;
    let rules = rules(args.policy_ref.as_deref());
    let object = repository.reference(&format!("refs/tags/{}", args.name));
    let package = chosen(settings, &repository)?;
    if let Some(subject) = subject {
        look_at(&repository, package.as_deref(), args, subject);
        if package.is_none() && !repository.is_bare() {
            // Which packages are asked is found from here.
            subject.place = relative(repository.root(), &settings.current_directory).ok();
        }
    }
    let asked = Asked {
        repository: &repository,
        rules: &rules,
        package: package.as_deref(),
        evidence: &evidence,
        now: env::now(),
    };
    let Some(mut verdict) = asked.answer(&args.name, object)? else {
        return Err(Error::new(format!("no package here has a policy for the tag {}", args.name))
            .hint("`tags` under [gate] of repro.toml names releases; `-p NAME` asks about one package whatever its policy names"));
    };
    if let Some(object) = object {
        let remote = remote(settings, args, &repository);
        let refusals = moved(&repository, &args.name, object, remote.as_deref(), &mut verdict.not_checked)?;
        verdict.refuse(refusals);
    }
    verdict.tag = Some((args.name.clone(), object));
    Ok(verdict)
}

/// What a report says of the package and its lock, as far as the tagged commit has them.
fn look_at(repository: &Repository, package: Option<&str>, args: &args::Gate, subject: &mut Subject) {
    let package = package.unwrap_or_default();
    subject.place = Some(package.to_owned());
    if !repository.is_bare() {
        subject.directory = Some(repository.root().join(package));
    }
    let Ok(commit) = repository.resolve(&args.name) else {
        return;
    };
    let tree = Tree {
        repository,
        commit,
        package,
    };
    subject.package = packages::name(tree).ok().flatten().unwrap_or_default();
    let lock = repository.entry(commit, &Path::new(package).join(lockfile::FILE));
    let text = lock.and_then(|entry| repository.content(entry).ok()).unwrap_or_default();
    subject.lock = Lockfile::from_text(&String::from_utf8_lossy(&text), lockfile::FILE).ok();
}

/// Where the policy is read.
pub(super) fn rules(policy_ref: Option<&str>) -> Rules {
    policy_ref.map_or(Rules::Tagged, |reference| Rules::At(reference.to_owned()))
}

fn remote(settings: &Settings, args: &args::Gate, repository: &Repository) -> Option<String> {
    if settings.offline {
        return None;
    }
    let origin = || repository.has_remote(ORIGIN).then(|| ORIGIN.to_owned());
    args.remote.clone().or_else(origin)
}

/// The package that the command line means, by its directory from the top; none: those that the tag is of.
fn chosen(settings: &Settings, repository: &Repository) -> Result<Option<String>> {
    if let Some(name) = &settings.package {
        return named(repository, name).map(Some);
    }
    if repository.is_bare() {
        return Ok(None);
    }
    match package::find(settings.manifest_path.as_deref(), &settings.current_directory) {
        // The root of a workspace may be a package that nobody trains.
        Ok(directory) if directory.join(manifest::FILE).is_file() || settings.manifest_path.is_some() => {
            relative(repository.root(), &directory).map(Some)
        }
        Ok(_) => Ok(None),
        Err(error) if settings.manifest_path.is_some() => Err(error),
        Err(_) => Ok(None),
    }
}

/// Found without cargo, since a server has none: by the manifests of the commit that is checked out.
fn named(repository: &Repository, name: &str) -> Result<String> {
    let commit = repository.head()?;
    for package in packages::with_manifest(repository, commit)? {
        let tree = Tree {
            repository,
            commit,
            package: &package,
        };
        if packages::name(tree)?.as_deref() == Some(name) {
            return Ok(package);
        }
    }
    Err(
        Error::new(format!("no package `{name}` with a repro.toml is in {}", Path::new(repository.root()).display()))
            .code(ExitCode::Usage)
            .hint("`-p` takes the name in the package's Cargo.toml"),
    )
}
