//! Outputs stay in their place: whatever a manifest names, a commit links or a program leaves, `record` writes the
//! package's own outputs and nothing else, and reads none of the machine's files for one.

use std::path::Path;

use crate::support::{Answer, Project};

const NUMBERS: &str = "1\n2\n3\n4\n5\n6\n";

/// A package whose one stage is this script.
fn script(stage: &str, body: &str) -> Project {
    let project = Project::fixture("command");
    project.write(
        "repro.toml",
        &format!("version = 1\nseed = 42\n[stage.train]\ncommand = [\"sh\", \"train.sh\"]\n{stage}"),
    );
    project.write("train.sh", body).write("numbers.csv", NUMBERS).commit("a script");
    project
}

#[track_caller]
fn refuses(project: &Project, code: i32, says: &[&str]) -> Answer {
    let answer = project.repro(&["record"]);
    answer.code(code);
    for text in says {
        assert!(answer.stderr.contains(text), "no {text:?} in:\n{}", answer.stderr);
    }
    assert!(!project.root.join("repro.lock").exists());
    answer
}

/// Every file of the work tree, git's own included, by its content.
fn everything(directory: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            // What the tool remembers of the files that it saw is its own.
            if entry.file_name() != "cargo-repro" {
                found.extend(everything(&entry.path()));
            }
        } else {
            let content = std::fs::read(entry.path()).unwrap_or_default();
            found.push((entry.path(), content));
        }
    }
    found.sort();
    found
}

#[test]
fn an_output_that_is_somebody_elses_file_is_refused_before_anything_is_built() {
    let project = script("", "true\n");
    std::os::unix::fs::symlink("numbers.csv", project.root.join("link.csv")).unwrap();
    let cases = [
        ("", ".git/config"),
        ("", ".GIT/hooks/post-commit"),
        ("", "sub/.git/config"),
        ("", ".gitattributes"),
        ("", "sub/.gitmodules"),
        ("", ".github/workflows/ci.yml"),
        ("", ".cargo/config.toml"),
        ("", "sub/Cargo.toml"),
        ("", "build.rs"),
        ("", "rust-toolchain.toml"),
        ("", "attestations/a.json"),
        ("", "target/release/m"),
        ("", "src/lib.rs"),
        ("", "src/new.rs"),
        ("", "src/new.txt"),
        ("", "train.sh"),
        ("", "scripts/add.sh"),
        ("", "scripts"),
        ("", "Cargo.toml/x"),
        ("\"numbers.csv\"", "numbers.csv"),
        ("\"./numbers.csv\"", "numbers.csv"),
        ("\"*.csv\"", "numbers.csv"),
        ("\".\"", "model.txt"),
        ("\"out\"", "out/model.txt"),
        ("[\"train.sh\", \"out/\"]", "out/deep/model.txt"),
        ("\"../project/numbers.csv\"", "numbers.csv"),
        ("\"link.csv\"", "numbers.csv"),
        ("\"link*\"", "numbers.csv"),
        ("\"model.txt/part\"", "model.txt"),
    ];
    project.write("out/kept.csv", NUMBERS);
    for (data, output) in cases {
        let data = if data.is_empty() {
            String::new()
        } else {
            format!("[data]\nd = {data}\n")
        };
        for key in [format!("artifacts = [\"{output}\"]"), format!("metrics = \"{output}\"")] {
            let text =
                format!("version = 1\nseed = 42\n{data}[stage.train]\ncommand = [\"sh\", \"train.sh\"]\n{key}\n");
            project.write("repro.toml", &text).commit("another output");
            let before = everything(&project.root);
            let answer = refuses(&project, 1, &[output]);
            assert!(!answer.stderr.contains("Training"), "{output}:\n{}", answer.stderr);
            assert!(everything(&project.root) == before, "{output}, and data {data}");
        }
    }
}

#[test]
fn no_link_that_a_program_leaves_leads_the_tool_to_files_of_the_machine() {
    let outside = tempfile::tempdir_in("/var/tmp").unwrap();
    std::fs::write(outside.path().join("key"), "planted").unwrap();
    std::fs::write(outside.path().join("metrics.json"), "{\"a\": 1}").unwrap();
    let away = outside.path().display();
    for body in [
        format!("ln -s {away} out"),
        format!("mkdir a; ln -s {away} a/b; ln -s a/b out"),
    ] {
        for stage in ["artifacts = [\"out/key\"]\n", "metrics = \"out/metrics.json\"\n"] {
            let project = script(stage, &body);
            refuses(&project, 6, &["lies behind out, which is a symbolic link"]);
            assert!(project.root.join("out").symlink_metadata().is_err());
        }
    }
    let project = script("artifacts = [\"a/out/key\"]\n", &format!("mkdir a; ln -s {away} a/out"));
    refuses(&project, 6, &["lies behind a/out, which is a symbolic link"]);
}

#[test]
fn no_link_in_the_work_tree_leads_record_out_of_it() {
    let outside = tempfile::tempdir_in("/var/tmp").unwrap();
    let body = "rm -f out; mkdir -p out; echo key > out/key\n";
    let project = script("artifacts = [\"out/key\"]\n", body);
    std::os::unix::fs::symlink(outside.path(), project.root.join("out")).unwrap();
    // Neither where git ignores it …
    project.write(".gitignore", "/target\n/out\n");
    refuses(&project, 1, &["out is a symbolic link in the work tree"]);
    // … nor where it is committed, …
    project.write(".gitignore", "/target\n").commit("a link");
    refuses(&project, 1, &["out/key", "out is a symbolic link"]);
    // … whatever it leads to.
    std::fs::remove_file(project.root.join("out")).unwrap();
    project.write("src/real/x", "x");
    std::os::unix::fs::symlink("src/real", project.root.join("out")).unwrap();
    project.commit("a link within");
    refuses(&project, 1, &["out/key", "out is a symbolic link"]);
    assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0);
}

#[test]
fn a_link_in_the_place_of_an_output_is_replaced_and_not_followed() {
    let project = script("artifacts = [\"model.txt\"]\n", "echo 7 > model.txt\n");
    let outside = tempfile::tempdir_in("/var/tmp").unwrap();
    let other = outside.path().join("other");
    std::fs::write(&other, "mine").unwrap();
    project.write(".gitignore", "/target\n/model.txt\n").commit("ignored");
    std::os::unix::fs::symlink(&other, project.root.join("model.txt")).unwrap();
    project.repro(&["record"]).code(0);
    assert_eq!(std::fs::read_to_string(&other).unwrap(), "mine");
    assert_eq!(project.read("model.txt"), "7\n");
    assert!(!project.root.join("model.txt").is_symlink());
}
