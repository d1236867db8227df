//! Very large data by a sample: what was not read may have changed, and every report says so.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use insta::assert_snapshot;
use serde_json::Value;

use super::{declaring, lock};
use crate::support::{Answer, Project};

const SIZE: u64 = 64 << 20;
const HEAD: u64 = 1 << 20;
const BLOCK: u64 = 1 << 16;

/// A file of zeros that takes no room.
pub fn sparse(path: &Path, size: u64) {
    File::create(path).unwrap().set_len(size).unwrap();
}

fn large() -> Project {
    Project::recorded_as("command-with-a-sample", || {
        let project = declaring("[data.large]\npath = \"large.bin\"\ndigest = \"sample\"\n");
        project.write(".gitignore", "/target\n/large.bin\n");
        sparse(&project.root.join("large.bin"), SIZE);
        project.commit("large data");
        project
    })
}

fn put(project: &Project, byte: u64) {
    let file = File::options().write(true).open(project.root.join("large.bin")).unwrap();
    file.write_all_at(b"x", byte).unwrap();
}

/// Whether the rules of version 1 read this byte.
fn is_read(byte: u64) -> bool {
    let starts = (0..256).map(|number| (SIZE - BLOCK) * number / 255);
    byte < HEAD || starts.into_iter().any(|start| (start..start + BLOCK).contains(&byte))
}

/// That the data was not read whole is said.
#[track_caller]
fn says_so(answer: &Answer) {
    let list = answer.verdict()["not_checked"].as_array().unwrap().clone();
    let why = |entry: &&Value| entry["kind"] == "data" && entry["why"].as_str().unwrap().contains("data.large");
    assert_eq!(list.iter().filter(why).count(), 1, "{list:?}");
}

#[test]
fn a_sample_is_in_the_lock_and_every_report_says_what_it_leaves_out() {
    let project = large();
    let data = lock(&project)["data"]["large"].clone();
    assert_eq!(data["sample"], serde_json::json!({ "rules": 1, "files": 1, "read": HEAD + 256 * BLOCK }));
    assert_eq!(data["files"]["large.bin"]["sampled"], true);
    assert_eq!(data["bytes"], SIZE);
    assert!(project.read("repro.lock").contains("[data.large.sample]"));
    for command in ["record", "verify", "status"] {
        let answer = project.json(&[command]);
        answer.code(0);
        says_so(&answer);
    }
    assert_snapshot!(project.repro(&["status"]).text());
}

#[test]
fn a_change_in_what_was_read_is_found_and_one_elsewhere_is_not() {
    let project = large();
    // The last byte of all is in the last block.
    for byte in [0, HEAD - 1, SIZE - 1] {
        assert!(is_read(byte));
        put(&project, byte);
        let answer = project.json(&["status"]);
        answer.code(3);
        assert_eq!(answer.kinds("drift"), ["data-changed data.large"], "byte {byte}");
        sparse(&project.root.join("large.bin"), SIZE);
    }
    let unread = (HEAD..SIZE).find(|byte| !is_read(*byte)).unwrap();
    put(&project, unread);
    for command in ["status", "verify"] {
        let answer = project.json(&[command]);
        answer.code(0);
        assert_eq!(answer.kinds("drift"), [""; 0]);
        says_so(&answer);
    }
    // The size is always read.
    sparse(&project.root.join("large.bin"), SIZE + 1);
    assert_eq!(project.json(&["status"]).code(3).kinds("drift"), ["data-changed data.large"]);
}

#[test]
fn a_sample_says_nothing_about_the_whole() {
    let project = large();
    project.edit("repro.toml", "digest = \"sample\"\n", "");
    let both = project.both(&["status"]);
    both.human.code(3);
    assert_eq!(both.json.kinds("drift"), ["data-changed data.large", "source-dirty repro.toml"]);
    assert_snapshot!(both.human.text());
    project.commit("the whole").record();
    assert!(lock(&project)["data"]["large"]["sample"].is_null());
    project.edit("repro.toml", "path = \"large.bin\"\n", "path = \"large.bin\"\ndigest = \"sample\"\n");
    project.commit("a sample again");
    let back = project.json(&["status"]);
    back.code(3);
    assert_eq!(back.kinds("drift"), ["data-changed data.large"]);
    let drift = back.verdict()["drift"][0].clone();
    assert_eq!((&drift["locked"], &drift["found"]), (&"every byte".into(), &"a sample, by rules 1".into()));
}

#[test]
fn a_small_file_is_read_whole_even_where_a_sample_would_do() {
    let project = declaring("[data.small]\npath = \"small.bin\"\ndigest = \"sample\"\n");
    project.write("small.bin", "few bytes").commit("small").record();
    let data = lock(&project)["data"]["small"].clone();
    assert!(data["sample"].is_null(), "{data}");
    assert_eq!(data["digest"], super::sha256(b"few bytes"));
    let status = project.json(&["status"]);
    assert!(
        status.verdict()["not_checked"]
            .as_array()
            .unwrap()
            .iter()
            .all(|entry| entry["kind"] != "data")
    );
}

#[test]
fn of_a_large_table_the_first_rows_are_looked_at() {
    let project = declaring("[data.large]\npath = \"large.csv\"\ndigest = \"sample\"\n");
    project.write(".gitignore", "/target\n/large.csv\n").commit("large data");
    // 1,100 rows of 32 KiB each are more than 32 MiB.
    let text: String = (0..1100).map(|row| format!("{row},{}\n", "x".repeat(32 << 10))).collect();
    let text = format!("row,text\n{text}");
    project.write("large.csv", &text).record();
    let file = lock(&project)["data"]["large"]["files"]["large.csv"].clone();
    assert_eq!((&file["sampled"], &file["table"]["first"]), (&true.into(), &1000.into()));
    assert_eq!(file["table"]["rows"], 1000);
    project.write("large.csv", &text.replace("\n7,x", "\n7,y"));
    let answer = project.json(&["status"]);
    answer.code(3);
    let detail = answer.verdict()["drift"][0]["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("column \"text\" changed"), "{detail}");
    project.write("large.csv", &(text + "1100,y\n"));
    let answer = project.json(&["status"]);
    answer.code(3);
    let detail = answer.verdict()["drift"][0]["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("the first 1,000 rows are as locked; what follows was not looked at"), "{detail}");
}

#[test]
fn a_sampled_file_that_changes_while_the_program_trains_is_found() {
    let project = Project::fixture("switch");
    project
        .edit(
            "repro.toml",
            "\n[stage.train]",
            "[data.large]\npath = \"large.bin\"\ndigest = \"sample\"\n\n[stage.train]",
        )
        .write(".gitignore", "/target\n/numbers.csv\n/large.bin\n");
    sparse(&project.root.join("large.bin"), SIZE);
    project.commit("large data").record();
    project.write("../switch.txt", "write=large.bin");
    let answer = project.json(&["verify"]);
    answer.code(3);
    assert_eq!(answer.kinds("drift"), ["data-changed data.large"]);
    assert_eq!(answer.verdict()["runs"], 1);
}
