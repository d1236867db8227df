//! A `.dvc` file beside data is a second opinion on it.

use insta::assert_snapshot;
use md5::{Digest as _, Md5};

use super::{declaring, hex};
use crate::support::Project;

fn md5(text: &str) -> String {
    hex(&Md5::digest(text))
}

/// What `dvc add` of DVC 3 writes.
fn note(md5: &str, path: &str) -> String {
    format!("outs:\n- md5: {md5}\n  size: 6\n  hash: md5\n  path: {path}\n")
}

fn noted(note: &str) -> Project {
    let project = declaring("blob = \"data/blob.bin\"\n");
    project.write("data/blob.bin", "a blob").write("data/blob.bin.dvc", note).commit("noted");
    project
}

#[test]
fn a_note_that_agrees_is_not_mentioned() {
    let project = noted(&note(&md5("a blob"), "blob.bin"));
    for command in ["record", "verify", "status"] {
        let answer = project.json(&[command]);
        answer.code(0);
        assert_eq!(answer.kinds("notes"), [""; 0], "{command}");
        project.commit("record");
    }
    assert!(!project.repro(&["status"]).stdout.contains("dvc"));
}

#[test]
fn a_note_that_disagrees_is_mentioned_and_decides_nothing() {
    let project = noted(&note(&md5("another blob"), "blob.bin"));
    for command in ["record", "verify", "status"] {
        let answer = project.json(&[command]);
        answer.code(0);
        assert_eq!(answer.kinds("notes"), ["dvc-disagrees data.blob"], "{command}");
        project.commit("record");
    }
    assert_snapshot!(project.both(&["status"]).snapshot);
    // Remembered or not, a new file is looked at anew.
    project.write("data/blob.bin.dvc", &note(&md5("a blob"), "blob.bin")).commit("agree");
    assert_eq!(project.json(&["status"]).kinds("notes"), [""; 0]);
}

#[test]
fn a_note_that_cannot_be_used_says_so() {
    let mut shown = String::new();
    let notes = [
        ("of DVC 2", format!("outs:\n- md5: {}\n  size: 6\n  path: blob.bin\n", md5("a blob"))),
        ("of another file", note(&md5("a blob"), "other.bin")),
        ("without an md5", "outs:\n- size: 6\n  hash: md5\n  path: blob.bin\n".to_owned()),
        ("that is no YAML", "outs: [\n".to_owned()),
    ];
    for (what, text) in notes {
        let project = noted(&text);
        let answer = project.json(&["record"]);
        answer.code(0);
        assert_eq!(answer.kinds("notes"), ["dvc-unread data.blob"], "{what}");
        let detail = answer.verdict()["notes"][0]["detail"].as_str().unwrap().to_owned();
        assert!(!detail.contains('\n'), "it is one sentence: {detail}");
        shown += &format!("{what}: {detail}\n");
    }
    assert_snapshot!(shown);
}

#[test]
fn the_note_of_a_directory_is_that_of_the_list_of_its_files() {
    let project = declaring("tree = \"data/tree/\"\n");
    // DVC sorts by the parts of a path, so what is in `a/` comes before `a.b`; and it writes ASCII.
    let files = [("a/x", "1"), ("a.b", "2"), ("é", "3")];
    for (path, text) in files {
        project.write(&format!("data/tree/{path}"), text);
    }
    let list = format!(
        "[{{\"md5\": \"{}\", \"relpath\": \"a/x\"}}, {{\"md5\": \"{}\", \"relpath\": \"a.b\"}}, \
         {{\"md5\": \"{}\", \"relpath\": \"\\u00e9\"}}]",
        md5("1"),
        md5("2"),
        md5("3")
    );
    project
        .write("data/tree.dvc", &note(&format!("{}.dir", md5(&list)), "tree"))
        .commit("noted");
    let record = project.json(&["record"]);
    record.code(0);
    assert_eq!(record.kinds("notes"), [""; 0]);
    project.commit("record");
    project.write("data/tree/a/x", "9");
    let answer = project.json(&["status"]);
    answer.code(3);
    assert_eq!(answer.kinds("notes"), ["dvc-disagrees data.tree"]);
}
