//! Packages to depend on, from a registry and from git, in a cargo home of the row's own in which harm can be done.
//! `tests/cli/dependencies.rs` has the same for its own tests.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use sha2::Digest as _;

use crate::bench::Bench;
use crate::support::{cargo_home, copy, git};

/// The registry's package: the one that this project's own Cargo.lock pins, so that its archive is on every machine
/// that has built these tests.
pub struct Itoa {
    pub version: String,
    source: String,
    pub checksum: String,
    registry: String,
}

impl Itoa {
    pub fn find() -> Self {
        let lock = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock")).unwrap();
        let lock: toml::Table = lock.parse().unwrap();
        let packages = lock["package"].as_array().unwrap();
        let itoa = packages.iter().find(|package| package["name"].as_str() == Some("itoa")).unwrap();
        let text = |key: &str| itoa[key].as_str().unwrap().to_owned();
        let archive = format!("itoa-{}.crate", text("version"));
        let registries = std::fs::read_dir(cargo_home().join("registry/cache")).unwrap().flatten();
        let registry = registries.map(|entry| entry.path()).find(|path| path.join(&archive).is_file());
        let registry = registry.unwrap_or_else(|| panic!("{archive} is not there; `cargo fetch` brings it"));
        Self {
            version: text("version"),
            source: text("source"),
            checksum: text("checksum"),
            registry: registry.file_name().unwrap().to_str().unwrap().to_owned(),
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
}

impl Bench {
    /// The cargo home for packages.
    fn home(&self) -> PathBuf {
        self.beside("cargo-home")
    }

    /// Makes the package depend on another.
    fn depend(&self, dependency: &str, name: &str, locked: &str) {
        self.edit("Cargo.toml", "[dependencies]\n", &format!("[dependencies]\n{dependency}\n"));
        let own = "[[package]]\nname = \"catalog\"\nversion = \"0.1.0\"\n";
        let mut packages = [locked.to_owned(), format!("{own}dependencies = [\n \"{name}\",\n]\n")];
        packages.sort();
        self.edit("Cargo.lock", own, &packages.join("\n"));
    }

    /// Depends on itoa, with a cargo home that has nothing else.
    pub fn depend_on_itoa(&mut self) {
        let (itoa, home) = (Itoa::find(), self.home());
        let index = Path::new("registry/index").join(&itoa.registry);
        let pairs = [index.join("config.json"), index.join(".cache/it/oa/itoa")];
        let pairs = pairs.map(|file| (cargo_home().join(&file), home.join(file)));
        for (from, to) in pairs.into_iter().chain([(itoa.archive(&cargo_home()), itoa.archive(&home))]) {
            std::fs::create_dir_all(to.parent().unwrap()).unwrap();
            std::fs::copy(from, to).unwrap();
        }
        let Itoa {
            version,
            source,
            checksum,
            ..
        } = &itoa;
        let locked = format!(
            "[[package]]\nname = \"itoa\"\nversion = \"{version}\"\nsource = \"{source}\"\nchecksum = \"{checksum}\"\n"
        );
        self.depend(&format!("itoa = \"{version}\""), "itoa", &locked);
        self.cargo_home = Some(home);
    }

    /// The same package among the package's own files.
    pub fn vendor_itoa(&mut self) {
        self.depend_on_itoa();
        let itoa = Itoa::find();
        let archive = std::fs::File::open(itoa.archive(&self.home())).unwrap();
        let unpacked = self.beside("unpacked");
        tar::Archive::new(flate2::read::GzDecoder::new(archive)).unpack(&unpacked).unwrap();
        let (from, to) = (unpacked.join(format!("itoa-{}", itoa.version)), self.root().join("vendor/itoa"));
        copy(&from.join("src"), &to.join("src"));
        std::fs::copy(from.join("Cargo.toml"), to.join("Cargo.toml")).unwrap();
        self.correct_checksums();
        let config = "[source.crates-io]\nreplace-with = \"vendored\"\n[source.vendored]\ndirectory = \"vendor\"\n";
        self.write(".cargo/config.toml", config);
        std::fs::remove_dir_all(self.home()).unwrap();
    }

    /// Makes cargo content with what lies in the vendored directory.
    pub fn correct_checksums(&self) {
        let root = self.root().join("vendor/itoa");
        let files = glob::glob(&format!("{}/**/*", root.display())).unwrap().flatten();
        let digests: serde_json::Map<String, serde_json::Value> = files
            .filter(|path| path.is_file() && !path.ends_with(".cargo-checksum.json"))
            .map(|path| {
                let digest = sha2::Sha256::digest(std::fs::read(&path).unwrap());
                let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
                (path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned(), hex.into())
            })
            .collect();
        let text = serde_json::json!({"files": digests, "package": Itoa::find().checksum}).to_string();
        self.write("vendor/itoa/.cargo-checksum.json", &text);
    }

    /// One more line in what cargo has unpacked of itoa.
    pub fn edit_unpacked_itoa(&self) {
        let lib = Itoa::find().sources(&self.home()).join("src/lib.rs");
        let text = std::fs::read_to_string(&lib).unwrap();
        std::fs::write(lib, text + "\n// and a little more\n").unwrap();
    }

    /// The same files in an archive of other bytes.
    pub fn repack_itoa(&self) {
        let archive = Itoa::find().archive(&self.home());
        let mut tar = Vec::new();
        flate2::read::GzDecoder::new(std::fs::File::open(&archive).unwrap())
            .read_to_end(&mut tar)
            .unwrap();
        let file = std::fs::File::create(&archive).unwrap();
        let mut packed = flate2::write::GzEncoder::new(file, flate2::Compression::none());
        packed.write_all(&tar).unwrap();
        packed.finish().unwrap();
    }

    /// Another package of that name and version, beside the package.
    pub fn patched_itoa(&self) -> PathBuf {
        let (itoa, patched) = (Itoa::find(), self.beside("patched"));
        std::fs::create_dir_all(patched.join("src")).unwrap();
        let manifest = format!("[package]\nname = \"itoa\"\nversion = \"{}\"\nedition = \"2024\"\n", itoa.version);
        std::fs::write(patched.join("Cargo.toml"), manifest).unwrap();
        std::fs::write(patched.join("src/lib.rs"), "").unwrap();
        patched
    }

    /// Nothing is left of what was downloaded.
    pub fn forget_itoa(&self) {
        let (itoa, home) = (Itoa::find(), self.home());
        std::fs::remove_file(itoa.archive(&home)).unwrap();
        std::fs::remove_dir_all(itoa.sources(&home)).unwrap();
    }

    /// Depends on a package `tiny` in a bare repository beside this one.
    pub fn depend_on_tiny(&mut self) {
        let work = self.beside("tiny");
        std::fs::create_dir_all(work.join("src")).unwrap();
        let manifest = "[package]\nname = \"tiny\"\nversion = \"0.1.0\"\nedition = \"2024\"\n";
        std::fs::write(work.join("Cargo.toml"), manifest).unwrap();
        std::fs::write(work.join("src/lib.rs"), "pub fn one() -> u32 {\n    1\n}\n").unwrap();
        git(&work, &["init", "--quiet"]);
        let commit = self.publish_tiny();
        git(&self.beside(""), &["clone", "--quiet", "--bare", "tiny", "tiny.git"]);
        git(&work, &["remote", "add", "origin", "../tiny.git"]);
        let url = format!("file://{}", self.beside("tiny.git").display());
        let locked = format!("[[package]]\nname = \"tiny\"\nversion = \"0.1.0\"\nsource = \"git+{url}#{commit}\"\n");
        self.depend(&format!("tiny = {{ git = \"{url}\" }}"), "tiny", &locked);
        self.cargo_home = Some(self.home());
    }

    fn publish_tiny(&self) -> String {
        let work = self.beside("tiny");
        git(&work, &["add", "--all"]);
        git(&work, &["commit", "--quiet", "--allow-empty", "--message", "a version"]);
        git(&work, &["rev-parse", "HEAD"])
    }

    /// The next commit of `tiny`, with that version, pinned as cargo would pin it.
    pub fn bump_tiny(&self, version: &str) {
        let work = self.beside("tiny");
        let manifest = std::fs::read_to_string(work.join("Cargo.toml")).unwrap();
        std::fs::write(work.join("Cargo.toml"), manifest.replace("0.1.0", version)).unwrap();
        let before = git(&work, &["rev-parse", "HEAD"]);
        let after = self.publish_tiny();
        git(&work, &["push", "--quiet", "origin", "HEAD"]);
        let (old, new) = ("name = \"tiny\"\nversion = \"0.1.0\"", format!("name = \"tiny\"\nversion = \"{version}\""));
        self.edit("Cargo.lock", old, &new);
        self.edit("Cargo.lock", &before, &after);
        self.commit("update tiny");
    }

    /// Another number in what cargo has checked out of `tiny`.
    pub fn edit_checked_out_tiny(&self) {
        let pattern = format!("{}/git/checkouts/*/*/src/lib.rs", self.home().display());
        let lib = glob::glob(&pattern).unwrap().next().unwrap().unwrap();
        std::fs::write(&lib, std::fs::read_to_string(&lib).unwrap().replace('1', "2")).unwrap();
    }

    /// A library `mylib` at a path, as a path dependency; it is for the caller to write more around it.
    pub fn depend_on_path(&self, directory: &Path, path: &str, more: &str) {
        std::fs::create_dir_all(directory.join("src")).unwrap();
        let manifest = format!("[package]\nname = \"mylib\"\nversion = \"0.1.0\"\nedition = \"2024\"\n{more}");
        std::fs::write(directory.join("Cargo.toml"), manifest).unwrap();
        std::fs::write(directory.join("src/lib.rs"), "pub fn part() -> f64 {\n    100.0\n}\n").unwrap();
        let locked = "[[package]]\nname = \"mylib\"\nversion = \"0.1.0\"\n";
        self.depend(&format!("mylib = {{ path = \"{path}\" }}"), "mylib", locked);
    }

    /// The same in a submodule of two commits.
    pub fn depend_on_submodule(&self) {
        let source = self.beside("mylib-source");
        self.depend_on_path(&source, "vendored/mylib", "");
        git(&source, &["init", "--quiet"]);
        for text in [
            "pub fn part() -> f64 {\n    10.0\n}\n",
            "pub fn part() -> f64 {\n    100.0\n}\n",
        ] {
            std::fs::write(source.join("src/lib.rs"), text).unwrap();
            git(&source, &["add", "--all"]);
            git(&source, &["commit", "--quiet", "--message", "a version"]);
        }
        self.git(&[
            "submodule",
            "--quiet",
            "add",
            source.to_str().unwrap(),
            "vendored/mylib",
        ]);
    }
}
