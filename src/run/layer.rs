//! Packages of registries and of git, built once where no code of the repository runs: in a checkout that has its
//! manifests, and an empty program in place of every source. Kept apart from all that a build can see, under the digest
//! of everything that went in, and copied into the target directory of a build that would compile the same.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::access::{Access, Reached};
use super::build::{self, Built};
use super::checkout::Checkout;
use super::crates;
use super::handover::Keeps;
use super::outlook::Outlook;
use super::session::Pinned;
use super::workdir::{self, Workdir};
use crate::console::Console;
use crate::digest::Digest;
use crate::error::{IoContext as _, Result};
use crate::os::bounded;
use crate::project::Project;
use crate::sandbox::Report;

/// How many are kept of a project.
const KEPT: usize = 3;

/// What is noted of one.
#[derive(Debug, Serialize, Deserialize)]
pub struct Layer {
    /// Whether it can be used: not if the packages looked at sources, which were not the real ones.
    usable: bool,
    accesses: Vec<Access>,
    read: BTreeSet<String>,
}

/// Puts into the empty target directory what can be there before the build, having made it where it is new. `made` is
/// how, by what and from which packages it is built.
///
/// # Errors
/// When a directory cannot be read or written, or the user interrupts.
pub fn provide(
    project: &Project,
    workdir: &Workdir,
    checkout: &Checkout,
    pinned: &Pinned<'_>,
    made: Digest,
    console: Console,
) -> Result<Option<Layer>> {
    if !workdir.is_kept() || project.package.remote.is_empty() || project.manifest.binaries().is_empty() {
        return Ok(None);
    }
    let Some(stub) = checkout.without_sources(&vendored(project, checkout)) else {
        return Ok(None);
    };
    let key = Digest::of_tree([&stub.content(), &made, &Digest::of(env!("CARGO_PKG_VERSION"))]);
    let place = workdir.layers().join(&key.hex()[..32]);
    let layer = match read(&place) {
        Some(layer) => layer,
        None => make(project, workdir, (checkout, &stub), pinned, &place, console)?,
    };
    if !layer.usable {
        return Ok(None);
    }
    copy(&place.join("target"), &workdir.target())?;
    Ok(Some(layer))
}

/// Where vendored packages lie in the checkout: these are built, and are of the repository.
fn vendored(project: &Project, checkout: &Checkout) -> Vec<PathBuf> {
    let root = project.repository.root();
    let inner = project
        .package
        .remote
        .iter()
        .filter_map(|remote| remote.directory.strip_prefix(root).ok());
    inner.map(|inner| checkout.root().join(inner)).collect()
}

fn read(place: &Path) -> Option<Layer> {
    serde_json::from_slice(&bounded::bytes(&place.join("note.json"), bounded::GENERATED).ok()?).ok()
}

fn make(
    project: &Project,
    workdir: &Workdir,
    (checkout, stub): (&Checkout, &Checkout),
    pinned: &Pinned<'_>,
    place: &Path,
    console: Console,
) -> Result<Layer> {
    prune(&workdir.layers());
    stub.apply()?;
    crates::provide(workdir, &project.package, pinned.dependencies)?;
    let outlook = Outlook::of_build(project, workdir, pinned.environment);
    let ended = build::cargo(project, workdir, stub, pinned, &outlook, console.silenced())?;
    let layer = Layer {
        usable: ended.status.success()
            && ended.report.held.listener
            && saw_no_sources(&ended.report, workdir, checkout, stub),
        accesses: build::accesses(workdir, stub, &BTreeSet::new(), &ended.report, &outlook),
        read: super::copies::read_files(&ended.report),
    };
    workdir::emptied(place.to_path_buf())?;
    if layer.usable {
        let names: Vec<&str> = project.package.local.iter().map(|local| local.name.as_str()).collect();
        forget_local(&workdir.target(), &names)?;
        let target = place.join("target");
        std::fs::rename(workdir.target(), &target).at("keep the packages at", &target)?;
    }
    let note = place.join("note.json");
    std::fs::write(&note, serde_json::to_vec(&layer).expect("it is text")).at("write", &note)?;
    // What the packages' own build scripts left beside is nothing to the program's build.
    workdir.forget_build()?;
    workdir.forget_leftovers(&pinned.circumstances.home)?;
    Ok(layer)
}

/// Whether nothing but cargo and the compiler looked at what is another in the real checkout.
fn saw_no_sources(report: &Report, workdir: &Workdir, checkout: &Checkout, stub: &Checkout) -> bool {
    // Macros run in the compiler, which has no reason to read any but Rust's own files.
    let is_tool = |by: &str, path: &str| by == "cargo" || by == "rustc" && path.ends_with(".rs");
    let is_other = |path: &str| {
        let place = workdir.unseen(Path::new(path));
        match (checkout.keeps(&place), stub.keeps(&place)) {
            (Keeps::Itself, Keeps::Itself) => checkout.digest_at(&place) != stub.digest_at(&place),
            (real, empty) => place.starts_with(stub.root()) && real != empty,
        }
    };
    let mut looked = report.reads.iter().filter(|(path, look)| !is_tool(&look.by, path));
    let mut listed = report.listed.iter().filter(|(_, by)| by.iter().any(|by| by != "cargo"));
    !looked.any(|(path, _)| is_other(path))
        && !listed.any(|(path, _)| workdir.unseen(Path::new(path)).starts_with(stub.root()))
}

/// Removes what cargo knows of the empty programs, so that it builds the real ones.
fn forget_local(directory: &Path, names: &[&str]) -> Result<()> {
    let is_local = |entry: &str| {
        names.iter().any(|name| {
            let hash = entry.strip_prefix(*name).and_then(|rest| rest.strip_prefix('-'));
            hash.is_some_and(|hash| hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()))
        })
    };
    for entry in std::fs::read_dir(directory).at("read", directory)? {
        let entry = entry.at("read", directory)?;
        let path = entry.path();
        if !entry.file_type().at("look at", &path)?.is_dir() {
            continue;
        }
        if is_local(&entry.file_name().to_string_lossy()) {
            std::fs::remove_dir_all(&path).at("remove", &path)?;
        } else {
            forget_local(&path, names)?;
        }
    }
    Ok(())
}

/// Copies a tree with its times, by which cargo judges what is newer.
fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to).at("make the directory", to)?;
    for entry in std::fs::read_dir(from).at("read", from)? {
        crate::os::interrupt::check()?;
        let entry = entry.at("read", from)?;
        let (path, place) = (entry.path(), to.join(entry.file_name()));
        let meta = path.symlink_metadata().at("look at", &path)?;
        if meta.is_dir() {
            copy(&path, &place)?;
        } else if meta.is_symlink() {
            let target = std::fs::read_link(&path).at("read", &path)?;
            std::os::unix::fs::symlink(target, &place).at("make the link", &place)?;
        } else if meta.is_file() {
            std::fs::copy(&path, &place).at("copy to", &place)?;
            let time = meta.modified().at("look at", &path)?;
            let times = std::fs::FileTimes::new().set_modified(time);
            let file = std::fs::File::options().write(true).open(&place).at("open", &place)?;
            file.set_times(times).at("set the time of", &place)?;
        }
    }
    Ok(())
}

/// Makes room for one more; what cannot be removed costs space and nothing else.
fn prune(layers: &Path) {
    let entries = std::fs::read_dir(layers).into_iter().flatten().flatten();
    let mut known: Vec<_> = entries
        .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
        .collect();
    known.sort();
    let many = (known.len() + 1).saturating_sub(KEPT);
    for (_, path) in known.into_iter().take(many) {
        let _ = std::fs::remove_dir_all(path);
    }
}

impl Layer {
    /// Adds what its packages read and reached for to what the build did.
    pub fn unite(self, built: &mut Built) {
        // What the compiler saw of the checkout was the empty one.
        let outside = |access: &Access| matches!(access.what, Reached::Outside(_) | Reached::Network(_));
        for access in self.accesses.into_iter().filter(outside) {
            if built.accesses.iter().all(|known| known.what != access.what) {
                built.accesses.push(access);
            }
        }
        if let Some(read) = &mut built.read {
            read.extend(self.read);
        }
    }
}

impl Checkout {
    /// The manifests, cargo's configuration and the packages in these directories as they are, with an empty program in
    /// place of every other source, and without all else. None where that could not be built.
    fn without_sources(&self, vendored: &[PathBuf]) -> Option<Self> {
        let is_vendored = |path: &Path| vendored.iter().any(|directory| path.starts_with(directory));
        let stub = self.only(|path| {
            let ends = |names: &[&str]| names.iter().any(|name| path.ends_with(name));
            if is_vendored(path) || ends(&RULING) {
                Keeps::Itself
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                Keeps::Below
            } else {
                Keeps::Nothing
            }
        });
        // Variables of the repository's could lead a package's build script to its files.
        (!stub.has_text(&[".cargo/config.toml", ".cargo/config"], "env")).then_some(stub)
    }
}

const RULING: [&str; 6] = [
    "Cargo.toml",
    "Cargo.lock",
    ".cargo/config.toml",
    ".cargo/config",
    "rust-toolchain.toml",
    "rust-toolchain",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_the_empty_programs_nothing_stays_that_cargo_would_take_up() {
        let target = tempfile::tempdir().unwrap();
        let make = |inner: &str| std::fs::create_dir_all(target.path().join(inner)).unwrap();
        let (own, other) = ("release/.fingerprint/m-0123456789abcdef", "release/.fingerprint/m-dep-0123456789abcdef");
        make(own);
        make(other);
        make("release/build/m-0123456789abcdef/out");
        forget_local(target.path(), &["m"]).unwrap();
        assert!(!target.path().join(own).exists());
        assert!(!target.path().join("release/build/m-0123456789abcdef").exists());
        assert!(target.path().join(other).exists());
    }

    #[test]
    fn a_copy_has_the_times_of_what_it_is_a_copy_of() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::create_dir(from.path().join("deps")).unwrap();
        let file = from.path().join("deps/lib.rlib");
        std::fs::write(&file, "compiled").unwrap();
        let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_007);
        let times = std::fs::FileTimes::new().set_modified(time);
        std::fs::File::options().write(true).open(&file).unwrap().set_times(times).unwrap();
        copy(from.path(), &to.path().join("target")).unwrap();
        let copied = to.path().join("target/deps/lib.rlib");
        assert_eq!(copied.metadata().unwrap().modified().unwrap(), time);
        std::fs::write(&copied, "spoilt").unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "compiled", "no link to what is kept");
    }
}
