//! Declared data: what of it is pinned, what is refused, and in which words a difference is told.

mod dvc;
mod files;
mod hashed;
mod index;
mod many;
mod sample;
mod tables;
mod training;

use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::support::{Answer, Project};

/// The fixture `command`, which needs no compiler, with more in its manifest, which begins within `[data]`.
fn declaring(entries: &str) -> Project {
    let project = Project::fixture("command");
    project.edit("repro.toml", "\n[stage.train]", &format!("{entries}\n[stage.train]"));
    project
}

/// Data in every form that a lock has for it.
pub fn every_form() -> Project {
    let entries = [
        "many = \"many\"",
        "tables = \"tables/*\"",
        "linked = \"linked/\"",
        "[data.large]\npath = \"large.bin\"\ndigest = \"sample\"\n",
    ];
    let project = declaring(&entries.join("\n"));
    project
        .write(".gitignore", "/target\n/large.bin\n/many\n")
        .write("tables/good.tsv", "a\tb\n1\t\n")
        .write("tables/bad.csv", "a,b\n1\n")
        .write("linked/file", "here");
    std::os::unix::fs::symlink("file", project.root.join("linked/link")).unwrap();
    many::fill(&project, 1001);
    sample::sparse(&project.root.join("large.bin"), 64 << 20);
    project.commit("data");
    project
}

/// Records, which must be refused: the answer has the path and what to do about it, and there is no lock.
#[track_caller]
fn refused(project: &Project, says: &[&str]) -> Answer {
    let answer = project.repro(&["record", "--allow-dirty"]);
    answer.code(1);
    for part in says {
        assert!(answer.stderr.contains(part), "not said: {part}\n{}", answer.stderr);
    }
    assert!(!project.root.join("repro.lock").exists());
    answer
}

/// The lock as programs see it.
fn lock(project: &Project) -> serde_json::Value {
    project.json(&["show"]).code(0).lines().remove(0)
}

/// SHA-256 as a lock writes it, by another way than the program's.
fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{}", hex(&Sha256::digest(bytes)))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes other bytes into the file and makes it as old as it was: only the kernel's own time of the change
/// is new.
fn edit_unseen(path: &Path, bytes: &[u8]) {
    let before = std::fs::metadata(path).unwrap();
    assert_eq!(before.len(), bytes.len() as u64);
    std::fs::write(path, bytes).unwrap();
    let file = std::fs::File::options().append(true).open(path).unwrap();
    file.set_modified(before.modified().unwrap()).unwrap();
}

/// Lets time pass until the files that were just written are old enough to be believed in the index.
fn age() {
    std::thread::sleep(std::time::Duration::from_millis(60));
}
