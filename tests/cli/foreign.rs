//! Keys and attestations between this tool and tools that nobody here wrote: `openssl`, and the Python
//! packages of in-toto and of secure-systems-lab. Without one of them its tests are skipped, loudly.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use cargo_repro::digest::Digest;
use cargo_repro::lockfile::Lockfile;
use cargo_repro::release::attestation::key_file::read_public;
use cargo_repro::release::attestation::reproduction::{self, TOOL, subjects};
use cargo_repro::release::attestation::{
    Envelope, PublicKey, Reproduction, Signature, SigningKey, Statement, provenance, summary,
};
use tempfile::TempDir;

use crate::support::{Project, fixtures};

/// Whether there is an `openssl`; if not, says that the test was skipped.
#[allow(clippy::disallowed_macros, reason = "a test that was skipped must say so loudly")]
pub fn has_openssl(test: &str) -> bool {
    let has = Command::new("openssl")
        .arg("version")
        .output()
        .is_ok_and(|output| output.status.success());
    if !has {
        eprintln!("SKIPPED {test}: there is no openssl");
    }
    has
}

/// Runs openssl in a directory; it must succeed.
pub fn openssl(directory: &Path, args: &[&str]) -> Output {
    let output = Command::new("openssl").args(args).current_dir(directory).output().unwrap();
    assert!(output.status.success(), "openssl {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

/// A Python with the packages that read attestations; if there is none, says that the test was skipped.
#[allow(clippy::disallowed_macros, reason = "a test that was skipped must say so loudly")]
fn python(test: &str) -> Option<PathBuf> {
    let given = std::env::var_os("PYTHON_INTOTO").map(PathBuf::from);
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let candidates = [given, Some(target.join("intoto/bin/python"))];
    let works = |python: &PathBuf| {
        let imports = ["-c", "import in_toto_attestation, securesystemslib, cryptography"];
        Command::new(python).args(imports).output().is_ok_and(|output| output.status.success())
    };
    let found = candidates.into_iter().flatten().find(works);
    if found.is_none() {
        eprintln!("SKIPPED {test}: no Python with in-toto-attestation and securesystemslib; see .ci/run");
    }
    found
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The three statements of a lock.
fn statements() -> [Statement; 3] {
    let text = std::fs::read_to_string(fixtures().join("lockfiles/v1.lock")).unwrap();
    let (mut read, lock_file) = (Lockfile::from_text(&text, "v1.lock").unwrap(), Digest::of(&text));
    // One whose digest is not of the whole file.
    let (stage, outcome) = read.lock.outcome.iter().next().unwrap();
    let path = outcome.artifacts.keys().next().unwrap().clone();
    let declared = read.lock.snapshot.stages.get_mut(stage).unwrap();
    declared.metrics = None;
    declared.ignore.insert(path, vec!["/trained_at".to_owned()]);
    let said = Reproduction {
        verdict: "reproduced".to_owned(),
        lock: read.id,
        commit: read.lock.snapshot.source.commit.clone(),
        platform: read.lock.snapshot.platform.clone(),
        runs: 1,
        confirmed: read.lock.record.runs,
        not_checked: vec![("network".to_owned(), "it says \"why\" – größe".to_owned())],
        tool: TOOL.to_owned(),
        started: 1_795_478_000,
        finished: 1_795_478_400,
    };
    let subject = subjects(&read.lock, &read.lock.outcome, lock_file);
    let repository = Some("https://host.example/repo.git");
    [
        said.statement(subject.clone()),
        provenance::statement(&read.lock, &read.lock.outcome, lock_file, &said, repository),
        summary::statement(subject, lock_file, &said, None),
    ]
}

#[test]
fn in_totos_own_code_takes_our_statements_and_our_signatures() {
    let Some(python) = python("in_totos_own_code_takes_our_statements_and_our_signatures") else {
        return;
    };
    let scratch = TempDir::new().unwrap();
    let key = SigningKey::generate();
    let public = scratch.path().join("key.pub");
    std::fs::write(&public, key.public().to_pem()).unwrap();
    let mut command = Command::new(python);
    command.arg(root().join("tests/cli/intoto.py")).arg(public);
    for (at, statement) in statements().iter().enumerate() {
        let path = scratch.path().join(format!("{at}.json"));
        std::fs::write(&path, Envelope::sign(statement.to_payload(), &key).to_line()).unwrap();
        command.arg(path);
    }
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let types = [reproduction::TYPE, provenance::TYPE, summary::TYPE];
    assert_eq!(said, types.map(|predicate_type| format!("valid {predicate_type}\n")).concat());
}

#[test]
fn openssl_verifies_what_we_sign_and_we_what_it_signs() {
    if !has_openssl("openssl_verifies_what_we_sign_and_we_what_it_signs") {
        return;
    }
    let scratch = TempDir::new().unwrap();
    let at = |name: &str| scratch.path().join(name);
    let key = SigningKey::generate();
    key.write(&at("ours.pem"), None).unwrap();
    let mut envelope = Envelope::sign(statements()[0].to_payload(), &key);
    std::fs::write(at("pae.bin"), envelope.signed_bytes()).unwrap();
    std::fs::write(at("sig.der"), &envelope.signatures[0].sig).unwrap();
    let verify = [
        "dgst",
        "-sha256",
        "-verify",
        "ours.pem.pub",
        "-signature",
        "sig.der",
        "pae.bin",
    ];
    assert_eq!(openssl(scratch.path(), &verify).stdout, b"Verified OK\n");

    openssl(
        scratch.path(),
        &[
            "ecparam",
            "-genkey",
            "-name",
            "prime256v1",
            "-noout",
            "-out",
            "theirs.pem",
        ],
    );
    openssl(scratch.path(), &["pkey", "-in", "theirs.pem", "-pubout", "-out", "theirs.pub"]);
    let theirs = PublicKey::from_text(&std::fs::read_to_string(at("theirs.pub")).unwrap()).unwrap();
    // Half of its signatures have a high `s`, so one is not enough.
    for round in 0..8 {
        openssl(scratch.path(), &["dgst", "-sha256", "-sign", "theirs.pem", "-out", "sig.der", "pae.bin"]);
        envelope.signatures = vec![Signature {
            keyid: None,
            sig: std::fs::read(at("sig.der")).unwrap(),
        }];
        assert_eq!(envelope.signers([&key.public(), &theirs]), [&theirs], "round {round}");
    }
}

#[test]
fn openssl_reads_the_keys_that_we_write() {
    if !has_openssl("openssl_reads_the_keys_that_we_write") {
        return;
    }
    let project = Project::empty();
    project.write("pass", "correct horse\n");
    project
        .repro(&["key", "new", "--output", "locked.pem", "--passphrase-file", "pass"])
        .code(0);
    project.repro(&["key", "new", "--output", "open.pem", "--no-passphrase"]).code(0);
    for (name, more) in [("locked.pem", &["-passin", "file:pass"][..]), ("open.pem", &[])] {
        let args = [&["pkey", "-in", name, "-pubout"][..], more].concat();
        let public = String::from_utf8(openssl(&project.root, &args).stdout).unwrap();
        assert_eq!(public, project.read(&format!("{name}.pub")), "{name}");
    }
}

#[test]
fn we_read_the_keys_that_openssl_writes() {
    if !has_openssl("we_read_the_keys_that_openssl_writes") {
        return;
    }
    let scratch = TempDir::new().unwrap();
    let run = |args: &[&str]| openssl(scratch.path(), args);
    run(&[
        "ecparam",
        "-genkey",
        "-name",
        "prime256v1",
        "-noout",
        "-out",
        "sec1.pem",
    ]);
    run(&[
        "ecparam",
        "-genkey",
        "-name",
        "prime256v1",
        "-out",
        "with-parameters.pem",
    ]);
    run(&[
        "genpkey",
        "-algorithm",
        "EC",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-out",
        "pkcs8.pem",
    ]);
    run(&[
        "pkcs8",
        "-topk8",
        "-in",
        "sec1.pem",
        "-passout",
        "pass:abc",
        "-out",
        "encrypted.pem",
    ]);
    run(&[
        "pkcs8",
        "-topk8",
        "-in",
        "sec1.pem",
        "-passout",
        "pass:abc",
        "-scrypt",
        "-out",
        "scrypt.pem",
    ]);
    for name in [
        "sec1.pem",
        "with-parameters.pem",
        "pkcs8.pem",
        "encrypted.pem",
        "scrypt.pem",
    ] {
        let path = scratch.path().join(name);
        run(&[
            "pkey",
            "-in",
            name,
            "-passin",
            "pass:abc",
            "-pubout",
            "-out",
            "public.pem",
        ]);
        run(&[
            "pkey",
            "-in",
            name,
            "-passin",
            "pass:abc",
            "-pubout",
            "-outform",
            "DER",
            "-out",
            "public.der",
        ]);
        let key = SigningKey::read(&path, &mut || Ok(Some("abc".to_owned().into()))).unwrap();
        let expected = std::fs::read_to_string(scratch.path().join("public.pem")).unwrap();
        assert_eq!(key.public().to_pem(), expected, "{name}");
        let der = std::fs::read(scratch.path().join("public.der")).unwrap();
        assert_eq!(key.public().id(), Digest::of(der).hex(), "{name}");
        assert_eq!(PublicKey::from_text(&key.public().line()), Some(key.public()), "{name}");
        let public = read_public(&scratch.path().join("public.pem"), &mut || Ok(None)).unwrap();
        assert_eq!(public, key.public(), "{name}");
    }
}
