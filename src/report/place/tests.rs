//! What is looked for is found on its line, and in a file of the repository.

use super::*;

fn texts() -> Texts {
    Texts {
        prefix: "models/wine".to_owned(),
        workspace: String::new(),
        manifest: Keys::of(
            "version = 1\nseed = 7\n\n[params]\ndepth = 3\n\n[environment]\nset = { A = \"1\" }\n\n[stage.fit]\nbin = \"x\"\n",
        ),
        lock: Keys::of(
            "id = \"sha256:0\"\nseed = 7\n\n[platform]\nlibc = \"glibc 2.36\"\n\n[toolchain]\nrustc = \"1.95.0\"\n",
        ),
        workspace_package: Keys::of("[workspace]\n\n[profile.release]\nlto = true\n"),
        packages: "[[package]]\nname = \"rand\"\nversion = \"0.8.5\"\n".to_owned(),
        ..Texts::default()
    }
}

fn change<Name>(name: Name) -> Change<Name> {
    let (locked, found) = (None, None);
    Change { name, locked, found }
}

#[test]
fn an_input_is_looked_for_where_it_is_declared() {
    let package = crate::snapshot::dependencies::Package {
        name: "rand".to_owned(),
        version: "0.8.5".to_owned(),
        source: None,
        checksum: None,
    };
    let seed = |number| crate::snapshot::Seed::new(number).unwrap();
    let environment = |name: &str| Drift::Environment {
        name: name.to_owned(),
        locked: None,
        found: None,
    };
    let cases = [
        (
            Drift::Seed {
                locked: seed(1),
                found: seed(7),
            },
            "models/wine/repro.toml",
            Some(2),
        ),
        (environment("A"), "models/wine/repro.toml", Some(8)),
        (environment("B"), "models/wine/repro.toml", Some(7)),
        (
            Drift::Dependency {
                locked: None,
                found: Some(package),
            },
            "Cargo.lock",
            Some(2),
        ),
        (Drift::Source(change("shared/src/lib.rs".to_owned())), "shared/src/lib.rs", None),
        (Drift::Toolchain(change("rustc")), "models/wine/repro.lock", Some(7)),
        (Drift::Platform(change("libc")), "models/wine/repro.lock", Some(4)),
        (Drift::Manifest(change("params.depth".to_owned())), "models/wine/repro.toml", Some(5)),
        (Drift::Build(change("profile.release.lto".to_owned())), "Cargo.toml", Some(4)),
        (Drift::Build(change("profile.release.debug".to_owned())), "Cargo.toml", Some(3)),
        (Drift::Build(change(".cargo/config.toml: build.rustflags".to_owned())), ".cargo/config.toml", None),
        (Drift::Build(change("features".to_owned())), "models/wine/Cargo.toml", None),
    ];
    for (drift, path, line) in cases {
        let place = texts().of_drift(&drift).unwrap();
        assert_eq!((place.path.as_str(), place.line), (path, line), "{drift:?}");
    }
    assert_eq!(texts().of_drift(&Drift::Source(change("../other/src/lib.rs".to_owned()))), None);
}

#[test]
fn a_source_is_looked_for_where_it_changed() {
    let texts = Texts {
        changed: [("src/main.rs".to_owned(), 7)].into(),
        ..texts()
    };
    let line = |path: &str| texts.of_drift(&Drift::Source(change(path.to_owned()))).unwrap().line;
    assert_eq!([line("src/main.rs"), line("src/lib.rs")], [Some(7), None]);
}

#[test]
fn a_failure_is_where_its_message_points() {
    let of = |error: Error| texts().of_failure(&error).map(|place| (place.path, place.line));
    let at = |path: &str, line| Some((path.to_owned(), line));
    assert_eq!(of(Error::new("repro.toml:5: no such key")), at("models/wine/repro.toml", Some(5)));
    assert_eq!(of(Error::new("there is no /a/b/repro.lock")), at("models/wine/repro.lock", None));
    assert_eq!(of(Error::new("/a/repro.lock:12 is broken")), at("models/wine/repro.lock", Some(12)));
    assert_eq!(of(Error::new("Cargo.lock is stale")), at("Cargo.lock", None));
    assert_eq!(of(Error::training("it ended with 3").of_stage("fit")), at("models/wine/repro.toml", Some(10)));
    assert_eq!(of(Error::new("the disk is full")), None);
}

#[test]
fn a_toolchain_file_is_where_a_compiler_is_declared() {
    let pin = (
        "rust-toolchain.toml".to_owned(),
        Keys::of("[toolchain]\nprofile = \"minimal\"\nchannel = \"1.95.0\"\n"),
    );
    let texts = Texts {
        toolchain: Some(pin),
        ..texts()
    };
    let place = texts.of_drift(&Drift::Toolchain(change("rustc"))).unwrap();
    assert_eq!((place.path.as_str(), place.line), ("rust-toolchain.toml", Some(3)));
}

#[test]
fn a_path_that_leads_out_of_the_repository_is_no_place() {
    assert_eq!(joined("models/wine", "data/a.csv").as_deref(), Some("models/wine/data/a.csv"));
    assert_eq!(joined("models/wine", "../data/a.csv").as_deref(), Some("models/data/a.csv"));
    assert_eq!(joined("", "../a.csv"), None);
    assert_eq!(joined("wine", "/data/a.csv"), None);
}
