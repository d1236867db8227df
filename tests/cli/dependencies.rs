//! Packages that are not what Cargo.lock pins. Cargo itself builds every one of these without a word
//! (rust-lang/cargo#9691), so each test has a cargo home of its own in which it can do harm.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use insta::assert_snapshot;
use serde_json::json;
use sha2::Digest as _;

use crate::support::{Project, cargo_home, copy, git};

/// The package that the tests depend on: the one that this project's own Cargo.lock pins, so that its
/// archive is on every machine that has built these tests.
struct Itoa {
    version: String,
    source: String,
    checksum: String,
    /// The cargo home that has it, and the registry's folder name there.
    home: PathBuf,
    registry: String,
}

impl Itoa {
    fn find() -> Self {
        let lock = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock")).unwrap();
        let lock: toml::Table = lock.parse().unwrap();
        let packages = lock["package"].as_array().unwrap();
        let itoa = packages.iter().find(|package| package["name"].as_str() == Some("itoa")).unwrap();
        let version = itoa["version"].as_str().unwrap().to_owned();
        let home = cargo_home();
        let archive = format!("itoa-{version}.crate");
        let registries = std::fs::read_dir(home.join("registry/cache")).unwrap().flatten();
        let registry = registries.map(|entry| entry.path()).find(|path| path.join(&archive).is_file());
        let registry =
            registry.unwrap_or_else(|| panic!("{archive} is not in {}; `cargo fetch` brings it", home.display()));
        Self {
            source: itoa["source"].as_str().unwrap().to_owned(),
            checksum: itoa["checksum"].as_str().unwrap().to_owned(),
            registry: registry.file_name().unwrap().to_string_lossy().into_owned(),
            version,
            home,
        }
    }

    fn archive(&self, home: &Path) -> PathBuf {
        home.join("registry/cache")
            .join(&self.registry)
            .join(format!("itoa-{}.crate", self.version))
    }

    fn sources(&self, home: &Path) -> PathBuf {
        home.join("registry/src").join(&self.registry).join(format!("itoa-{}", self.version))
    }

    /// The same text on every machine, whatever version this project's Cargo.lock has.
    fn redact(&self, text: &str) -> String {
        text.replace(&self.version, "[version]")
    }
}

/// A package that depends on itoa, with a cargo home that has nothing else.
fn with_itoa() -> (Project, Itoa) {
    let (project, itoa) = (Project::bare("steady", "project"), Itoa::find());
    let home = project.cargo_home();
    let index = Path::new("registry/index").join(&itoa.registry);
    for file in ["config.json", ".cache/it/oa/itoa"] {
        let (from, to) = (itoa.home.join(&index).join(file), home.join(&index).join(file));
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(from, to).unwrap();
    }
    std::fs::create_dir_all(itoa.archive(&home).parent().unwrap()).unwrap();
    std::fs::copy(itoa.archive(&itoa.home), itoa.archive(&home)).unwrap();
    let (version, source, checksum) = (&itoa.version, &itoa.source, &itoa.checksum);
    let locked = format!(
        "[[package]]\nname = \"itoa\"\nversion = \"{version}\"\nsource = \"{source}\"\nchecksum = \"{checksum}\"\n"
    );
    depend(&project, &format!("itoa = \"{version}\""), "itoa", &locked);
    (project, itoa)
}

/// Makes the package depend on another, commits that, and makes the program use it.
fn depend(project: &Project, dependency: &str, name: &str, locked: &str) {
    project.edit("Cargo.toml", "[dependencies]\n", &format!("[dependencies]\n{dependency}\n"));
    let own = "[[package]]\nname = \"steady\"\nversion = \"0.1.0\"\n";
    let mut packages = [locked.to_owned(), format!("{own}dependencies = [\n \"{name}\",\n]\n")];
    packages.sort();
    project.edit("Cargo.lock", own, &packages.join("\n"));
    project.git(&["init", "--quiet"]);
    project.commit("start");
}

fn record(project: &Project) {
    project.record();
    project.repro(&["verify"]).code(0);
}

#[track_caller]
fn drifts(project: &Project, kind: &str) -> String {
    let human = project.repro(&["verify"]);
    human.code(3);
    let json = project.json(&["verify"]);
    assert_eq!(json.kinds("drift"), [kind]);
    assert_eq!(json.verdict()["runs"], 0);
    format!("{}\n{}", human.text(), json.messages())
}

fn append(path: &Path, text: &str) {
    let mut file = File::options().append(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

#[test]
fn an_edited_file_of_an_unpacked_package_is_dependency_tampered() {
    let (project, itoa) = with_itoa();
    record(&project);
    let kind = format!("dependency-tampered itoa {}", itoa.version);
    let lib = itoa.sources(&project.cargo_home()).join("src/lib.rs");
    let original = std::fs::read_to_string(&lib).unwrap();
    append(&lib, "\n// and a little more\n");
    let report = drifts(&project, &kind);
    // What is beside the published files is as bad as what is in them.
    std::fs::write(&lib, original).unwrap();
    project.repro(&["verify"]).code(0);
    let build = itoa.sources(&project.cargo_home()).join("build.rs");
    std::fs::write(&build, "fn main() {}\n").unwrap();
    drifts(&project, &kind);
    std::fs::remove_file(&build).unwrap();
    // And so is what is missing.
    std::fs::remove_file(itoa.sources(&project.cargo_home()).join("LICENSE-MIT")).unwrap();
    drifts(&project, &kind);
    assert_snapshot!(itoa.redact(&report));
}

#[test]
fn a_repacked_archive_is_dependency_tampered_and_never_built_from() {
    let (project, itoa) = with_itoa();
    record(&project);
    // The same files, packed anew: other bytes, which only the checksum tells.
    let archive = itoa.archive(&project.cargo_home());
    let mut tar = Vec::new();
    flate2::read::GzDecoder::new(File::open(&archive).unwrap()).read_to_end(&mut tar).unwrap();
    let mut packed = flate2::write::GzEncoder::new(File::create(&archive).unwrap(), flate2::Compression::none());
    packed.write_all(&tar).unwrap();
    packed.finish().unwrap();
    let report = drifts(&project, &format!("dependency-tampered itoa {}", itoa.version));
    assert_snapshot!(itoa.redact(&report));

    // A recording elsewhere, which has no copy of the archive yet, refuses it too.
    let lock = project.read("repro.lock");
    let moved = project.command(&["record"]).env("TMPDIR", project.around()).output();
    assert_eq!(moved.unwrap().status.code(), Some(3));
    assert_eq!(project.read("repro.lock"), lock);
}

/// A package in a bare repository; gives its URL and commit.
fn tiny(project: &Project) -> (String, String) {
    let work = project.around().join("tiny");
    std::fs::create_dir_all(work.join("src")).unwrap();
    std::fs::write(work.join("Cargo.toml"), "[package]\nname = \"tiny\"\nversion = \"0.1.0\"\nedition = \"2024\"\n")
        .unwrap();
    std::fs::write(work.join("src/lib.rs"), "pub fn one() -> u32 {\n    1\n}\n").unwrap();
    git(&work, &["init", "--quiet"]);
    let commit = publish(project);
    git(project.around(), &["clone", "--quiet", "--bare", "tiny", "tiny.git"]);
    git(&work, &["remote", "add", "origin", "../tiny.git"]);
    (format!("file://{}", project.around().join("tiny.git").display()), commit)
}

fn publish(project: &Project) -> String {
    let work = project.around().join("tiny");
    git(&work, &["add", "--all"]);
    git(&work, &["commit", "--quiet", "--message", "a version"]);
    git(&work, &["rev-parse", "HEAD"])
}

#[test]
fn an_edited_checkout_of_a_git_dependency_is_dependency_tampered() {
    let project = Project::bare("steady", "project");
    let (url, commit) = tiny(&project);
    let locked = format!("[[package]]\nname = \"tiny\"\nversion = \"0.1.0\"\nsource = \"git+{url}#{commit}\"\n");
    depend(&project, &format!("tiny = {{ git = \"{url}\" }}"), "tiny", &locked);
    record(&project);

    let checkouts = project.cargo_home().join("git/checkouts");
    let pattern = format!("{}/*/*/src/lib.rs", checkouts.display());
    let lib = glob::glob(&pattern).unwrap().next().unwrap().unwrap();
    let original = std::fs::read_to_string(&lib).unwrap();
    std::fs::write(&lib, original.replace('1', "2")).unwrap();
    assert_snapshot!(drifts(&project, "dependency-tampered tiny 0.1.0"));
    std::fs::write(&lib, original).unwrap();
    project.repro(&["verify"]).code(0);

    // The next commit of it, pinned in the right way, is a change like any other.
    append(&project.around().join("tiny/src/lib.rs"), "\npub fn two() -> u32 {\n    2\n}\n");
    let next = publish(&project);
    git(&project.around().join("tiny"), &["push", "--quiet", "origin", "HEAD"]);
    project.edit("Cargo.lock", &commit, &next).commit("update tiny");
    let answer = project.json(&["verify"]);
    answer.code(3);
    assert_eq!(answer.kinds("drift"), ["dependency-changed tiny"]);
}

#[test]
fn a_vendored_package_is_source_even_where_its_checksums_were_corrected() {
    let (project, itoa) = with_itoa();
    let vendored = "vendor/itoa";
    let archive = File::open(itoa.archive(&project.cargo_home())).unwrap();
    tar::Archive::new(flate2::read::GzDecoder::new(archive)).unpack(project.around()).unwrap();
    let unpacked = project.around().join(format!("itoa-{}", itoa.version));
    for name in ["Cargo.toml", "src"] {
        let (from, to) = (unpacked.join(name), project.root.join(vendored).join(name));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            std::fs::create_dir_all(to.parent().unwrap()).unwrap();
            std::fs::copy(from, to).unwrap();
        }
    }
    correct_checksum(&project, vendored, &itoa);
    let config = "[source.crates-io]\nreplace-with = \"vendored\"\n[source.vendored]\ndirectory = \"vendor\"\n";
    project.write(".cargo/config.toml", config).commit("vendor");
    // Nothing may come from a registry any more.
    std::fs::remove_dir_all(project.cargo_home()).unwrap();
    record(&project);
    let unchecked = project.json(&["verify"]).verdict()["not_checked"].to_string();
    assert!(!unchecked.contains("dependency-sources"), "what is committed was looked at: {unchecked}");

    project.edit("vendor/itoa/src/lib.rs", "#![no_std]", "#![no_std]\n// and a little more");
    correct_checksum(&project, vendored, &itoa);
    let both = ["vendor/itoa/.cargo-checksum.json", "vendor/itoa/src/lib.rs"];
    let verify = |kind: &str| {
        let answer = project.json(&["verify"]);
        answer.code(3);
        assert_eq!(answer.kinds("drift"), both.map(|path| format!("{kind} {path}")));
    };
    verify("source-dirty");
    project.commit("nobody will notice");
    verify("source-changed");
    project.git(&["reset", "--quiet", "--hard", "HEAD~1"]);

    // A file more, and one that cargo would take for a build script.
    for more in ["vendor/itoa/src/more.rs", "vendor/itoa/build.rs"] {
        project.json(&["status"]).code(0);
        project.write(more, "fn main() {}\n").commit("more");
        let answer = project.json(&["status"]);
        assert_eq!(answer.code(3).kinds("drift"), [format!("source-changed {more}")]);
        project.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    }
}

#[test]
fn packages_of_a_registry_are_compiled_once_for_all_edits_and_never_from_other_sources() {
    let (project, itoa) = with_itoa();
    project.edit("src/main.rs", "fn main() {", "fn main() {\n    print!(\"{}\", itoa::Buffer::new().format(7));");
    project.commit("use it");
    let apart = || glob::glob(&format!("{}/**/libitoa-*.rlib", project.work().display())).unwrap().count();
    let record = || {
        let answer = project.repro(&["record"]);
        answer.code(0);
        assert!(answer.stderr.contains("Compiling steady"), "{}", answer.stderr);
        assert!(!answer.stderr.contains("Compiling itoa"), "it was built apart: {}", answer.stderr);
    };
    record();
    let kept = apart();
    assert!(kept > 0, "nothing was kept");
    project.edit("src/main.rs", "format(7)", "format(8)").commit("an edit");
    record();
    assert_eq!(apart(), kept, "it was compiled again");
    project.commit("record");
    // What was kept is nothing to a verification, nor to a recording of tampered sources.
    let verified = project.repro(&["verify"]);
    assert!(verified.code(0).stderr.contains("Compiling itoa"), "{}", verified.stderr);
    append(&itoa.archive(&project.cargo_home()), "more");
    project.edit("src/main.rs", "format(8)", "format(9)").commit("another edit");
    project.repro(&["record"]).code(3);
}

/// Writes a vendored package's checksum file so that cargo is content with whatever lies there.
fn correct_checksum(project: &Project, directory: &str, itoa: &Itoa) {
    let root = project.root.join(directory);
    let files = glob::glob(&format!("{}/**/*", root.display()))
        .unwrap()
        .flatten()
        .filter(|path| path.is_file());
    let digests: serde_json::Map<String, serde_json::Value> = files
        .map(|path| {
            let digest = sha2::Sha256::digest(std::fs::read(&path).unwrap());
            let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            (path.strip_prefix(&root).unwrap().to_string_lossy().into_owned(), json!(hex))
        })
        .filter(|(name, _)| name != ".cargo-checksum.json")
        .collect();
    let text = json!({"files": digests, "package": itoa.checksum}).to_string();
    project.write(&format!("{directory}/.cargo-checksum.json"), &text);
}

/// Packs a package `tiny` into a registry that is a directory; gives the archive's checksum.
fn pack(registry: &Path, number: u32) -> String {
    let gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut tar = tar::Builder::new(gz);
    let lib = format!("pub fn one() -> u32 {{\n    {number}\n}}\n");
    let manifest = "[package]\nname = \"tiny\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
    for (name, text) in [("Cargo.toml", manifest), ("src/lib.rs", &lib)] {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, format!("tiny-0.1.0/{name}"), text.as_bytes()).unwrap();
    }
    let archive = tar.into_inner().unwrap().finish().unwrap();
    let checksum: String = sha2::Sha256::digest(&archive).iter().map(|byte| format!("{byte:02x}")).collect();
    std::fs::create_dir_all(registry.join("index/ti/ny")).unwrap();
    std::fs::write(registry.join("tiny-0.1.0.crate"), archive).unwrap();
    checksum
}

/// A package that depends on `tiny` from a local registry in `directory`, which the configuration calls `path`.
fn with_local_registry(
    directory: impl Fn(&Project) -> PathBuf,
    path: impl Fn(&Project) -> String,
) -> (Project, PathBuf) {
    let project = Project::bare("steady", "project");
    let registry = directory(&project);
    let checksum = pack(&registry, 1);
    let line = json!({"name": "tiny", "vers": "0.1.0", "deps": [], "cksum": checksum, "features": {}, "yanked": false});
    std::fs::write(registry.join("index/ti/ny/tiny"), format!("{line}\n")).unwrap();
    let config = format!(
        "[source.crates-io]\nreplace-with = \"near\"\n[source.near]\nlocal-registry = \"{}\"\n",
        path(&project)
    );
    project.write(".cargo/config.toml", &config);
    // As cargo calls the registry that the local one replaces.
    let mut lines = include_str!("../../Cargo.lock").lines();
    let source = lines.find(|line| line.starts_with("source = \"registry+")).unwrap();
    let locked = format!("[[package]]\nname = \"tiny\"\nversion = \"0.1.0\"\n{source}\nchecksum = \"{checksum}\"\n");
    depend(&project, "tiny = \"0.1\"", "tiny", &locked);
    (project, registry)
}

#[test]
fn packages_of_a_local_registry_are_built_wherever_it_lies_and_are_held_against_cargo_lock() {
    let inside = |project: &Project| project.root.join("near");
    let outside = |project: &Project| project.around().join("near");
    let absolute = |path: PathBuf| path.display().to_string();
    let cases = [
        with_local_registry(inside, |_| "near".to_owned()),
        with_local_registry(inside, |project| absolute(inside(project))),
        with_local_registry(outside, |_| "../near".to_owned()),
        with_local_registry(outside, |project| absolute(outside(project))),
    ];
    let binaries = cases.map(|(project, registry)| {
        record(&project);
        let lock = project.read("repro.lock");
        assert!(!lock.contains(&*project.around().to_string_lossy()), "{lock}");
        let is_source = lock.contains("\"near/index/ti/ny/tiny\"");
        assert_eq!(is_source, registry.starts_with(&project.root), "{lock}");
        let unchecked = project.json(&["verify"]).verdict()["not_checked"].to_string();
        assert!(!unchecked.contains("dependency-sources"), "{unchecked}");

        let archive = registry.join("tiny-0.1.0.crate");
        let published = std::fs::read(&archive).unwrap();
        pack(&registry, 2);
        let report = drifts(&project, "dependency-tampered tiny 0.1.0");
        assert!(report.contains("put the published archive back into the local registry"), "{report}");
        // A recording elsewhere, which has no copy of the archive yet, refuses it too.
        let moved = project.command(&["record"]).env("TMPDIR", project.around()).output();
        assert_eq!(moved.unwrap().status.code(), Some(3));
        assert_eq!(project.read("repro.lock"), lock);

        std::fs::write(&archive, published).unwrap();
        project.repro(&["verify"]).code(0);
        let pattern = format!("{}/registry/src/*/tiny-0.1.0/src/lib.rs", project.cargo_home().display());
        append(&glob::glob(&pattern).unwrap().next().unwrap().unwrap(), "\n// more\n");
        drifts(&project, "dependency-tampered tiny 0.1.0");
        let lock: toml::Table = lock.parse().unwrap();
        lock["outcome"]["train"]["binary"].as_str().unwrap().to_owned()
    });
    assert!(binaries.iter().all(|binary| *binary == binaries[0]), "{binaries:?}");
}
