//! `key new` and `key show`: who can read what they write, and what they refuse to read.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::foreign::{has_openssl, openssl};
use crate::support::{Answer, Project, executable};

const VARIABLE: &str = "CARGO_REPRO_PASSPHRASE";

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// Runs it with a passphrase in the environment.
fn with_variable(project: &Project, passphrase: &str, args: &[&str]) -> Answer {
    project.answer(project.command(args).env(VARIABLE, passphrase))
}

/// The id in what was said.
fn id(answer: &Answer) -> String {
    let line = answer.stdout.lines().find(|line| line.starts_with("id ")).unwrap();
    line.split_whitespace().nth(1).unwrap().to_owned()
}

#[test]
fn a_new_key_is_for_its_owner_alone_and_the_public_half_for_everybody() {
    let project = Project::empty();
    let answer = project.repro(&["key", "new", "--output", "key.pem", "--no-passphrase"]);
    answer.code(0);
    assert_eq!(mode(&project.root.join("key.pem")), 0o600);
    assert_eq!(mode(&project.root.join("key.pem.pub")), 0o644);
    assert!(project.read("key.pem").starts_with("-----BEGIN PRIVATE KEY-----\n"));
    assert!(project.read("key.pem.pub").starts_with("-----BEGIN PUBLIC KEY-----\n"));
    let line: String = project.read("key.pem.pub").lines().filter(|line| !line.starts_with('-')).collect();
    assert!(answer.stdout.ends_with(&format!("\n[gate.keys]\nNAME = \"{line}\"\n")), "{}", answer.stdout);
    assert_eq!(id(&project.repro(&["key", "show", "key.pem"])), id(&answer));
    assert_eq!(id(&project.repro(&["key", "show", "key.pem.pub"])), id(&answer));
}

#[test]
fn without_a_place_it_goes_to_the_users_configuration() {
    let project = Project::empty();
    let configuration = project.around().join("configuration");
    let run = |args: &[&str]| project.answer(project.command(args).env("XDG_CONFIG_HOME", &configuration));
    run(&["key", "new", "--no-passphrase"]).code(0);
    assert_eq!(mode(&configuration.join("cargo-repro")), 0o700);
    assert_eq!(mode(&configuration.join("cargo-repro/key.pem")), 0o600);
    run(&["key", "show"]).code(0);
    let home = project.around().join("home");
    let mut command = project.command(&["key", "new", "--no-passphrase"]);
    project.answer(command.env("XDG_CONFIG_HOME", "relative").env("HOME", &home)).code(0);
    assert_eq!(mode(&home.join(".config/cargo-repro/key.pem")), 0o600);
}

#[test]
fn no_key_is_ever_written_over() {
    let project = Project::empty();
    let new = |path: &str| project.repro(&["key", "new", "--no-passphrase", "--output", path]);
    project.write("key.pem", "mine").write("other.pem.pub", "mine");
    std::os::unix::fs::symlink("nowhere", project.root.join("link.pem")).unwrap();
    for path in ["key.pem", "other.pem", "link.pem"] {
        let answer = new(path);
        answer.code(1);
        assert!(answer.stderr.contains("already, and no key is written over"), "{}", answer.stderr);
    }
    assert_eq!((project.read("key.pem"), project.read("other.pem.pub")), ("mine".to_owned(), "mine".to_owned()));
    assert!(!project.root.join("other.pem").exists() && !project.root.join("nowhere").exists());
    new("no/such/directory/key.pem").code(1);
}

#[test]
fn a_passphrase_comes_from_a_file_or_the_environment() {
    let project = Project::empty();
    project
        .write("pass", "correct horse\nsecond line\n")
        .write("wrong", "battery staple")
        .write("empty", "\n");
    project.repro(&["key", "new", "--output", "a.pem", "--passphrase-file", "pass"]).code(0);
    with_variable(&project, "correct horse", &["key", "new", "--output", "b.pem"]).code(0);
    for name in ["a.pem", "b.pem"] {
        assert!(project.read(name).starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"));
        // The public half beside it is shown without a passphrase; alone, it takes one.
        project.repro(&["key", "show", name]).code(0);
        project.remove(&format!("{name}.pub"));
        project.repro(&["key", "show", name, "--passphrase-file", "pass"]).code(0);
        with_variable(&project, "correct horse", &["key", "show", name]).code(0);
        let wrong = [
            project.repro(&["key", "show", name, "--passphrase-file", "wrong"]),
            with_variable(&project, "Correct horse", &["key", "show", name]),
        ];
        for answer in wrong {
            answer.code(1);
            assert!(answer.stderr.contains("this is not the passphrase of "), "{}", answer.stderr);
            assert!(!answer.stderr.contains("orse") && !answer.stderr.contains("staple"));
        }
        project.repro(&["key", "show", name, "--passphrase-file", "empty"]).code(2);
    }
    project.repro(&["key", "new", "--no-passphrase", "--passphrase-file", "pass"]).code(2);
}

#[test]
fn where_nobody_can_be_asked_the_three_ways_are_named() {
    let project = Project::empty();
    let answer = project.repro(&["key", "new", "--output", "key.pem"]);
    answer.code(2);
    for way in ["--passphrase-file", VARIABLE, "terminal", "--no-passphrase"] {
        assert!(answer.stderr.contains(way), "{}", answer.stderr);
    }
    assert!(!project.root.join("key.pem").exists());
    with_variable(&project, "abc", &["key", "new", "--output", "key.pem"]).code(0);
    project.remove("key.pem.pub");
    let answer = project.repro(&["key", "show", "key.pem"]);
    answer.code(2);
    assert!(answer.stderr.contains("has a passphrase, and there is no terminal"), "{}", answer.stderr);
}

#[test]
fn a_private_key_that_others_can_read_is_refused() {
    let project = Project::empty();
    project.repro(&["key", "new", "--output", "key.pem", "--no-passphrase"]).code(0);
    for open in [0o644, 0o640, 0o602, 0o610] {
        set_mode(&project.root.join("key.pem"), open);
        let answer = project.repro(&["key", "show", "key.pem"]);
        answer.code(1);
        let expected = format!("the permissions {open:04o} of the private key");
        assert!(answer.stderr.contains(&expected), "{}", answer.stderr);
        assert!(answer.stderr.contains("hint: `chmod 600 "), "{}", answer.stderr);
    }
    set_mode(&project.root.join("key.pem"), 0o400);
    project.repro(&["key", "show", "key.pem"]).code(0);
}

/// Shows a file that is no usable key; gives what was said of it.
fn refused(project: &Project, name: &str) -> String {
    set_mode(&project.root.join(name), 0o600);
    let answer = project.repro(&["key", "show", name, "--passphrase-file", "pass"]);
    answer.code(1);
    answer.stderr
}

#[test]
fn what_is_no_key_says_so() {
    let project = Project::empty();
    project.write("pass", "abc").write("empty.pem", "").write("words.pem", "not a key");
    project.write("half.pem", "-----BEGIN PRIVATE KEY-----\nMIGH");
    project.write("broken.pem", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
    project.write("certificate.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    std::fs::write(project.root.join("binary.pem"), [0xff; 200]).unwrap();
    for name in ["empty.pem", "words.pem", "half.pem", "binary.pem"] {
        assert!(refused(&project, name).contains("holds no key in PEM"), "{name}");
    }
    assert!(refused(&project, "broken.pem").contains("is broken"));
    assert!(refused(&project, "certificate.pem").contains("holds no key but a CERTIFICATE"));
    let answer = project.repro(&["key", "show", "nowhere.pem"]);
    answer.code(1);
    assert!(answer.stderr.contains("hint: `cargo repro key new --output "), "{}", answer.stderr);
}

#[test]
fn a_key_of_another_kind_is_named() {
    if !has_openssl("a_key_of_another_kind_is_named") {
        return;
    }
    let project = Project::empty();
    project.write("pass", "abc");
    let run = |args: &[&str]| drop(openssl(&project.root, args));
    run(&[
        "genpkey",
        "-algorithm",
        "RSA",
        "-pkeyopt",
        "rsa_keygen_bits:2048",
        "-out",
        "rsa.pem",
    ]);
    run(&["rsa", "-in", "rsa.pem", "-traditional", "-out", "old-rsa.pem"]);
    run(&["genpkey", "-algorithm", "ED25519", "-out", "ed25519.pem"]);
    run(&[
        "genpkey",
        "-algorithm",
        "EC",
        "-pkeyopt",
        "ec_paramgen_curve:P-384",
        "-out",
        "p384.pem",
    ]);
    run(&[
        "ecparam",
        "-genkey",
        "-name",
        "secp384r1",
        "-noout",
        "-out",
        "sec1-p384.pem",
    ]);
    run(&["pkey", "-in", "rsa.pem", "-pubout", "-out", "public-rsa.pem"]);
    run(&[
        "pkcs8",
        "-topk8",
        "-in",
        "rsa.pem",
        "-passout",
        "pass:abc",
        "-out",
        "locked-rsa.pem",
    ]);
    for (name, kind) in [
        ("rsa.pem", "(RSA)"),
        ("old-rsa.pem", "(RSA)"),
        ("ed25519.pem", "(Ed25519)"),
        ("p384.pem", "(P-384)"),
        ("sec1-p384.pem", "(P-384)"),
        ("public-rsa.pem", "(RSA)"),
        ("locked-rsa.pem", "(RSA)"),
    ] {
        let said = refused(&project, name);
        assert!(said.contains("is of another kind") && said.contains(kind), "{name}: {said}");
    }
    run(&[
        "ecparam",
        "-genkey",
        "-name",
        "prime256v1",
        "-noout",
        "-out",
        "plain.pem",
    ]);
    run(&[
        "ec",
        "-in",
        "plain.pem",
        "-aes256",
        "-passout",
        "pass:abc",
        "-out",
        "old.pem",
    ]);
    assert!(refused(&project, "old.pem").contains("openssl pkcs8 -topk8"));
}

#[test]
fn no_manifest_lets_the_passphrase_pass() {
    let project = Project::fixture("steady");
    let manifest = project.read("repro.toml");
    assert!(!manifest.contains("[environment]"));
    project.write("repro.toml", &format!("{manifest}\n[environment]\npass = [\"{VARIABLE}\"]\n"));
    let answer = with_variable(&project, "correct horse", &["status"]);
    answer.code(1);
    assert!(answer.stderr.contains("no program gets the passphrase of a key"), "{}", answer.stderr);
    assert!(!answer.stderr.contains("correct horse"));
}

#[test]
fn the_passphrase_reaches_neither_compiler_nor_cargo() {
    let project = Project::fixture("steady");
    let seen = project.around().join("seen");
    let tools = project.around().join("tools");
    std::fs::create_dir(&tools).unwrap();
    let path = std::env::var("PATH").unwrap();
    let real = std::env::split_paths(&path)
        .map(|directory| directory.join("rustc"))
        .find(|path| path.exists());
    for (name, command) in [
        ("rustc", format!("{} \"$@\"", real.unwrap().display())),
        ("wrapper", "\"$@\"".to_owned()),
    ] {
        let script = format!("#!/bin/sh\n{{ echo {name}; env; }} >> {}\nexec {command}\n", seen.display());
        executable(&tools.join(name), &script);
    }
    let mut command = project.command(&["record"]);
    command.env(VARIABLE, "correct horse").env("PATH", format!("{}:{path}", tools.display()));
    command.env("RUSTC_WRAPPER", tools.join("wrapper"));
    project.answer(&mut command).code(0);
    let seen = std::fs::read_to_string(seen).unwrap();
    assert!(seen.lines().any(|line| line == "rustc"), "{seen}");
    assert!(
        seen.lines().all(|line| line != "wrapper"),
        "nothing that is set for builds by hand runs outside: {seen}"
    );
    assert!(!seen.contains(VARIABLE) && !seen.contains("correct horse"), "{seen}");
    assert!(!project.read("repro.lock").contains("correct horse"));
}

#[test]
fn programs_are_told_the_same() {
    let project = Project::empty();
    let answer = project.json(&["key", "new", "--output", "key.pem", "--no-passphrase"]);
    answer.code(0);
    assert_eq!(crate::schema::holds(&answer), ["key", "verdict done"]);
    let (new, shown) = (&answer.lines()[0], &project.json(&["key", "show", "key.pem.pub"]).lines()[0]);
    assert_eq!((&new["id"], &new["line"]), (&shown["id"], &shown["line"]));
    assert_eq!(new["path"].as_str().unwrap(), project.root.join("key.pem").to_str().unwrap());
}
