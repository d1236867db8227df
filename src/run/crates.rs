//! The packages of a build, checked. Cargo does not look again at what it once downloaded: an edited
//! file under `registry/src`, a repacked `.crate` or an edited git checkout all build without a word
//! (rust-lang/cargo#9691). So each archive is held against Cargo.lock's checksum and each unpacked
//! file against its archive, and a build gets a `CARGO_HOME` of its own, with copies of the archives
//! that passed, and unpacks them itself.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::workdir::Workdir;
use crate::compare::drift::{Kept, Tampered};
use crate::digest::Digest;
use crate::error::{Error, IoContext as _, Result};
use crate::os::bounded;
use crate::os::env;
use crate::os::interrupt;
use crate::project::line_ends;
use crate::project::package::local_registry::LocalRegistry;
use crate::project::package::{Package, RemotePackage};
use crate::project::repository::Repository;
use crate::snapshot::Dependencies;

/// Where a package's sources come from on this machine.
enum Origin {
    /// A registry's archive.
    Archive(PathBuf),
    /// The archive in a registry that is a directory, by its number among these.
    Local(usize, PathBuf),
    /// A git checkout of cargo's.
    Git,
    /// A vendored directory, which is judged as source where it lies in the repository.
    Directory,
}

fn origin(package: &RemotePackage, registries: &[LocalRegistry], cargo_home: &Path) -> Origin {
    let registry = cargo_home.join("registry/src");
    if let Ok(inner) = package.directory.strip_prefix(&registry)
        && let Some(name) = inner.components().next()
    {
        let file = format!("{}-{}.crate", package.name, package.version);
        let archive = cargo_home.join("registry/cache").join(name).join(file);
        // Cargo keeps those that it downloaded, and no other.
        let here = registries.iter().map(|registry| registry.archive(&package.name, &package.version));
        return match here.enumerate().find(|(_, path)| path.is_file()) {
            Some((number, path)) if !archive.is_file() => Origin::Local(number, path),
            _ => Origin::Archive(archive),
        };
    }
    if package.directory.starts_with(cargo_home.join("git/checkouts")) {
        return Origin::Git;
    }
    Origin::Directory
}

/// Packages whose sources on this machine are not what Cargo.lock pins, and those that could not be
/// checked, by name; `root` is the repository's, whose vendored packages are source. Both processors share
/// the work.
///
/// # Errors
/// When an archive or a source file cannot be read.
pub fn check(root: &Path, package: &Package, dependencies: &Dependencies) -> Result<(Vec<Tampered>, Vec<String>)> {
    let cargo_home = env::cargo_home();
    let checksums = checksums(dependencies);
    let middle = package.remote.len().div_ceil(2);
    let (left, right) = package.remote.split_at(middle);
    let part = |packages: &[RemotePackage]| -> Result<(Vec<Tampered>, Vec<String>)> {
        let (mut tampered, mut unchecked) = (Vec::new(), Vec::new());
        for remote in packages {
            interrupt::check()?;
            match origin(remote, &package.registries, &cargo_home) {
                Origin::Archive(archive) => {
                    tampered.extend(check_archive(remote, (&archive, Kept::Downloaded), &checksums)?)
                }
                Origin::Local(_, archive) => {
                    tampered.extend(check_archive(remote, (&archive, Kept::Local), &checksums)?)
                }
                Origin::Git => tampered.extend(check_checkout(remote)?),
                Origin::Directory if remote.directory.starts_with(root) => {} // source, and judged as that
                Origin::Directory => unchecked.push(title(remote)),
            }
        }
        Ok((tampered, unchecked))
    };
    let (left, right) = std::thread::scope(|scope| {
        let left = scope.spawn(|| part(left));
        let right = part(right);
        (left.join().expect("checking does not panic"), right)
    });
    let (mut tampered, mut unchecked) = left?;
    let (more_tampered, more_unchecked) = right?;
    tampered.extend(more_tampered);
    unchecked.extend(more_unchecked);
    tampered.sort();
    Ok((tampered, unchecked))
}

type Checksums<'a> = BTreeMap<(&'a str, &'a str), BTreeSet<&'a str>>;

fn checksums(dependencies: &Dependencies) -> Checksums<'_> {
    let mut checksums: Checksums<'_> = BTreeMap::new();
    for package in &dependencies.packages {
        if let Some(checksum) = &package.checksum {
            let key = (package.name.as_str(), package.version.as_str());
            checksums.entry(key).or_default().insert(checksum);
        }
    }
    checksums
}

fn title(package: &RemotePackage) -> String {
    format!("{} {}", package.name, package.version)
}

fn check_archive(
    package: &RemotePackage,
    (archive, kept): (&Path, Kept),
    checksums: &Checksums<'_>,
) -> Result<Vec<Tampered>> {
    let name = archive.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let tampered = |what: String, expected: String, found: String| Tampered {
        package: title(package),
        kept,
        what,
        expected,
        found,
    };
    let expected = checksums.get(&(package.name.as_str(), package.version.as_str()));
    let Some(expected) = expected else {
        return Ok(Vec::new());
    };
    let bytes = bounded::bytes(archive, bounded::HELD)
        .map_err(|error| Error::io("read", archive, &error).hint("`cargo fetch --locked` downloads it"))?;
    let digest = Digest::of(&bytes);
    if !expected.contains(digest.hex().as_str()) {
        let expected: Vec<String> = expected.iter().map(|hex| format!("sha256:{hex}")).collect();
        return Ok(vec![tampered(name, expected.join(" or "), digest.to_string())]);
    }
    let differing = differing_files(&bytes, package).at("unpack", archive)?;
    Ok(differing
        .into_iter()
        .map(|(file, expected, found)| tampered(file, expected, found))
        .collect())
}

/// Cargo unpacks no more of an archive, however little is in it.
const MOST_UNPACKED: u64 = 512 << 20;

/// The files of the unpacked sources that are not those of the archive: name, digest there, digest here.
fn differing_files(archive: &[u8], package: &RemotePackage) -> std::io::Result<Vec<(String, String, String)>> {
    let mut published = BTreeSet::new();
    let mut differing = Vec::new();
    let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(archive).take(MOST_UNPACKED));
    for entry in tar.entries()? {
        let mut entry = entry?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let path = entry.path()?.into_owned();
        let inner: PathBuf = path.components().skip(1).collect();
        let content = Digest::of_stream(&mut entry)?;
        let found = Digest::of_file(&package.directory.join(&inner)).ok().map(|(digest, _)| digest);
        if found != Some(content) {
            let found = found.map_or_else(|| "missing".to_owned(), |digest| digest.to_string());
            differing.push((inner.display().to_string(), content.to_string(), found));
        }
        published.insert(inner);
    }
    let mut here = Vec::new();
    list(&package.directory, &package.directory, &mut here)?;
    let own = |path: &Path| path == Path::new(".cargo-ok");
    for path in here.into_iter().filter(|path| !published.contains(path) && !own(path)) {
        let found = Digest::of_file(&package.directory.join(&path))
            .map_err(std::io::Error::other)?
            .0
            .to_string();
        differing.push((path.display().to_string(), "no such file".to_owned(), found));
    }
    Ok(differing)
}

fn list(directory: &Path, root: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            list(&entry.path(), root, files)?;
        } else {
            files.push(entry.path().strip_prefix(root).unwrap_or(&entry.path()).to_path_buf());
        }
    }
    files.sort();
    Ok(())
}

/// Files of a git dependency's checkout that are not those of the commit that Cargo.lock pins.
fn check_checkout(package: &RemotePackage) -> Result<Vec<Tampered>> {
    let tampered = |what: String, expected: String, found: String| Tampered {
        package: title(package),
        kept: Kept::Git,
        what,
        expected,
        found,
    };
    let checkout = Repository::discover(&package.directory)?;
    let pinned = package.source.rsplit_once('#').map_or("", |(_, commit)| commit);
    let head = checkout.head()?;
    if head.to_string() != pinned {
        return Ok(vec![tampered(
            "the checked out commit".to_owned(),
            pinned.to_owned(),
            head.to_string(),
        )]);
    }
    let mut differing = Vec::new();
    for (path, &entry) in checkout.entries(head)?.iter() {
        use crate::project::repository::Kind;
        if matches!(entry.kind, Kind::Submodule | Kind::Link) {
            continue;
        }
        let found = bounded::bytes(&checkout.root().join(path), bounded::HELD).ok();
        // Cargo checks it out anew for the build, where no setting of the user's turns line ends.
        let is_content = |bytes: &Vec<u8>| {
            checkout.is_content(entry, bytes) || checkout.is_content(entry, &line_ends::with_lf(bytes))
        };
        if !found.as_ref().is_some_and(is_content) {
            let found = found.map_or_else(|| "missing".to_owned(), |bytes| Digest::of(bytes).to_string());
            differing.push(tampered(path.clone(), Digest::of(checkout.content(entry)?).to_string(), found));
        }
    }
    Ok(differing)
}

/// Makes the work directory's `CARGO_HOME` one from which the package can be built without the network: the archives,
/// each copied only if its bytes are the pinned ones, cargo's index, and its git databases, whose
/// objects are named by their content.
///
/// # Errors
/// When an archive is not the pinned one, or something cannot be copied.
pub fn provide(workdir: &Workdir, package: &Package, dependencies: &Dependencies) -> Result<()> {
    let home = &workdir.cargo_home();
    let cargo_home = env::cargo_home();
    let checksums = checksums(dependencies);
    link(&cargo_home.join("registry/index"), &home.join("registry/index"))?;
    link(&cargo_home.join("git/db"), &home.join("git/db"))?;
    write_sources(home, &cargo_home)?;
    provide_registries(workdir, package, dependencies)?;
    for remote in &package.remote {
        interrupt::check()?;
        let (archive, copy, hint) = match origin(remote, &package.registries, &cargo_home) {
            Origin::Archive(archive) => {
                let inner = archive.strip_prefix(&cargo_home).unwrap_or(&archive);
                let copy = home.join(inner);
                (archive, copy, "remove it, and let `cargo fetch --locked` download it again")
            }
            Origin::Local(number, archive) => {
                let copy = copy_of(number, home).archive(&remote.name, &remote.version);
                (archive, copy, "put the published archive back, or update Cargo.lock and commit it")
            }
            Origin::Git | Origin::Directory => continue,
        };
        let bytes = bounded::bytes(&archive, bounded::HELD).at("read", &archive)?;
        let digest = Digest::of(&bytes);
        let expected = checksums.get(&(remote.name.as_str(), remote.version.as_str()));
        if expected.is_some_and(|expected| !expected.contains(digest.hex().as_str())) {
            return Err(Error::new(format!("{} is not what Cargo.lock pins", archive.display()))
                .code(crate::exit_code::ExitCode::Drift)
                .hint(hint));
        }
        let parent = copy.parent().unwrap_or(home);
        std::fs::create_dir_all(parent).at("make the directory", parent)?;
        crate::os::atomic::replace(&copy, &bytes)?;
    }
    Ok(())
}

/// Where a build has its part of a local registry: at a place that is the same wherever the registry lies, as the paths
/// of unpacked sources follow from it.
fn copy_of(number: usize, home: &Path) -> LocalRegistry {
    LocalRegistry {
        name: String::new(),
        directory: home.join("local").join(number.to_string()),
    }
}

/// The configuration that leads a build to its local registries, in its `CARGO_HOME`.
#[must_use]
pub fn registries_file(workdir: &Workdir) -> PathBuf {
    workdir.cargo_home().join("local/config.toml")
}

/// Copies what local registries say of the packages in Cargo.lock, and writes where a build finds that.
fn provide_registries(workdir: &Workdir, package: &Package, dependencies: &Dependencies) -> Result<()> {
    let mut sources = toml::Table::new();
    for (number, registry) in package.registries.iter().enumerate() {
        let copy = copy_of(number, &workdir.cargo_home());
        let index = copy.directory.join("index");
        std::fs::create_dir_all(&index).at("make the directory", &index)?;
        let names: BTreeSet<&str> = dependencies.packages.iter().map(|package| package.name.as_str()).collect();
        for name in names {
            interrupt::check()?;
            let (from, to) = (registry.entry(name), copy.entry(name));
            if from.is_file() {
                let bytes = bounded::bytes(&from, bounded::GENERATED).at("read", &from)?;
                let parent = to.parent().unwrap_or(&index);
                std::fs::create_dir_all(parent).at("make the directory", parent)?;
                std::fs::write(&to, bytes).at("write", &to)?;
            }
        }
        let seen = workdir.seen(&copy.directory).to_string_lossy().into_owned();
        let source = toml::Table::from_iter([("local-registry".to_owned(), toml::Value::String(seen))]);
        sources.insert(registry.name.clone(), toml::Value::Table(source));
    }
    if sources.is_empty() {
        return Ok(());
    }
    let configuration = toml::Table::from_iter([("source".to_owned(), toml::Value::Table(sources))]);
    let path = registries_file(workdir);
    std::fs::write(&path, configuration.to_string()).at("write", &path)
}

fn link(target: &Path, link: &Path) -> Result<()> {
    if link.symlink_metadata().is_ok() || !target.exists() {
        return Ok(());
    }
    let parent = link.parent().unwrap_or(Path::new("/"));
    std::fs::create_dir_all(parent).at("make the directory", parent)?;
    std::os::unix::fs::symlink(target, link).at("make the link", link)
}

/// Where packages come from (mirrors, registries by name) is the machine's affair and passes; flags,
/// wrappers, linkers and everything else of the user's configuration stay outside.
fn write_sources(home: &Path, cargo_home: &Path) -> Result<()> {
    let files = [cargo_home.join("config.toml"), cargo_home.join("config")];
    let table: toml::Table = files
        .iter()
        .find_map(|path| bounded::text(path, bounded::WRITTEN).ok()?.parse().ok())
        .unwrap_or_default();
    let mut passing: toml::Table =
        table.into_iter().filter(|(key, _)| key == "source" || key == "registries").collect();
    if let Some(registries) = passing.get_mut("registries").and_then(toml::Value::as_table_mut) {
        for registry in registries.iter_mut().filter_map(|(_, registry)| registry.as_table_mut()) {
            registry.retain(|key, _| key == "index");
        }
    }
    let path = home.join("config.toml");
    std::fs::write(&path, passing.to_string()).at("write", &path)
}
