//! What declared data may be made of: files, directories, symbolic links; and what is refused.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::process::Command;

use insta::assert_snapshot;
use sha2::{Digest as _, Sha256};

use super::{declaring, hex, lock, refused, sha256};
use crate::support::{Answer, Project};

/// A package whose data is the directory `tree`, with two files that are alike.
fn tree() -> Project {
    let project = declaring("tree = \"tree\"\n");
    project
        .write("tree/a.bin", "same")
        .write("tree/b.bin", "same")
        .write("tree/sub/c.bin", "other");
    project
}

#[test]
fn sha256sum_gives_the_digest_in_the_lock() {
    let project = Project::recorded("command");
    let output = Command::new("sha256sum").arg("numbers.csv").current_dir(&project.root).output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let data = lock(&project)["data"]["numbers"].clone();
    assert_eq!(data["files"]["numbers.csv"]["digest"], format!("sha256:{}", &printed[..64]));
    // A file's digest is the entry's.
    assert_eq!(data["digest"], data["files"]["numbers.csv"]["digest"]);
    assert_eq!(data["bytes"], project.read("numbers.csv").len());
}

#[test]
fn the_digest_of_a_directory_is_that_of_its_files_digests_in_order_of_their_paths() {
    let project = declaring("tree = \"tree\"\nglob = \"tree/*.bin\"\nlist = [\"tree/z\", \"tree/a.bin\"]\n");
    // In order of bytes `tree/a.bin` < `tree/a/b` < `tree/z` < `tree/ä`.
    let files = [("tree/a.bin", "1"), ("tree/a/b", "2"), ("tree/z", "3"), ("tree/ä", "4")];
    for (path, text) in files {
        project.write(path, text);
    }
    project.commit("a tree").record();
    let of = |names: &[&str]| {
        let mut all = Sha256::new();
        for name in names {
            all.update(Sha256::digest(project.read(name)));
        }
        format!("sha256:{}", hex(&all.finalize()))
    };
    let data = lock(&project)["data"].clone();
    assert_eq!(data["tree"]["digest"], of(&["tree/a.bin", "tree/a/b", "tree/z", "tree/ä"]));
    assert_eq!(data["tree"]["form"], "directory");
    assert_eq!(data["list"]["digest"], of(&["tree/a.bin", "tree/z"]));
    assert_eq!(data["glob"]["digest"], of(&["tree/a.bin"]));
    assert_eq!(data["glob"]["form"], "several");
    assert_eq!(data["tree"]["bytes"], 4);
}

#[test]
fn links_within_the_data_are_recorded_with_what_they_lead_to_and_followed() {
    let project = tree();
    symlink("a.bin", project.root.join("tree/link.bin")).unwrap();
    symlink("sub", project.root.join("tree/way")).unwrap();
    symlink("../a.bin", project.root.join("tree/sub/up")).unwrap();
    project.commit("links").record();
    let data = lock(&project)["data"]["tree"].clone();
    let links = serde_json::json!({ "tree/link.bin": "a.bin", "tree/sub/up": "../a.bin", "tree/way": "sub", "tree/way/up": "../a.bin" });
    assert_eq!(data["links"], links);
    for (path, text) in [
        ("link.bin", "same"),
        ("way/c.bin", "other"),
        ("way/up", "same"),
        ("sub/up", "same"),
    ] {
        assert_eq!(data["files"][format!("tree/{path}")]["digest"], sha256(text.as_bytes()), "{path}");
    }
    project.repro(&["status"]).code(0);
    let verify = project.json(&["verify"]);
    verify.code(0);
    assert_eq!(verify.verdict()["verdict"], "reproduced");
    // What lies behind the link counts under both names.
    project.write("tree/sub/c.bin", "third");
    let answer = project.json(&["status"]);
    answer.code(3);
    assert_eq!(details(&answer).len(), 2);
}

fn details(answer: &Answer) -> Vec<String> {
    let drift = answer.verdict()["drift"].as_array().unwrap().clone();
    drift.iter().map(|drift| drift["detail"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_link_that_leads_to_another_file_with_the_same_bytes_leads_elsewhere() {
    let project = tree();
    symlink("a.bin", project.root.join("tree/link.bin")).unwrap();
    project.commit("a link").record();
    std::fs::remove_file(project.root.join("tree/link.bin")).unwrap();
    symlink("b.bin", project.root.join("tree/link.bin")).unwrap();
    let both = project.both(&["status"]);
    both.human.code(3);
    assert_eq!(both.json.kinds("drift"), ["data-changed data.tree"]);
    assert_snapshot!(both.snapshot);
    // A copy in its place has the same bytes too, and is no link.
    std::fs::remove_file(project.root.join("tree/link.bin")).unwrap();
    project.write("tree/link.bin", "same");
    let answer = project.json(&["status"]);
    answer.code(3);
    assert_eq!(details(&answer), ["the symbolic link tree/link.bin leads elsewhere"]);
}

#[test]
fn links_that_lead_out_or_round_or_nowhere_are_refused_by_name() {
    let project = tree();
    project.write("outside.bin", "outside");
    let mut shown = String::new();
    let cases = [
        ("a file beside the data", "../outside.bin", "leads out of the declared data"),
        ("a file of the machine", "/etc/passwd", "leads out of the declared data"),
        ("a directory around the data", "..", "leads out of the declared data"),
        ("the directory that it is in", ".", "leads back to a directory that it is in"),
        ("nothing", "nowhere", "hint: "),
        ("itself", "link", "hint: "),
    ];
    for (what, target, says) in cases {
        let link = project.root.join("tree/link");
        symlink(target, &link).unwrap();
        let answer = refused(&project, &["tree/link", says]);
        shown += &format!("## {what}\n{}\n", answer.text());
        std::fs::remove_file(&link).unwrap();
    }
    // Two links, each of which leads into the other's directory.
    project.write("tree/one/x", "1").write("tree/two/y", "2");
    symlink("../two", project.root.join("tree/one/to-two")).unwrap();
    symlink("../one", project.root.join("tree/two/to-one")).unwrap();
    let answer = refused(&project, &["leads back to a directory that it is in"]);
    shown += &format!("## each other\n{}", answer.text());
    assert_snapshot!(shown);
}

#[test]
fn what_has_no_content_is_refused_by_name() {
    let project = tree();
    let place = project.root.join("tree/odd");
    let mut shown = String::new();
    let mut refuse = |what: &str, says: &str| {
        shown += &format!("## {what}\n{}\n", refused(&project, &["tree/odd", says, "hint: "]).text());
        std::fs::remove_file(&place).unwrap();
    };
    drop(UnixListener::bind(&place).unwrap());
    refuse("a socket", "neither a file nor a directory");
    assert!(Command::new("mkfifo").arg(&place).status().unwrap().success());
    refuse("a pipe", "neither a file nor a directory");
    // The same behind a link, which would otherwise hide it.
    assert!(Command::new("mkfifo").arg(project.root.join("tree/pipe")).status().unwrap().success());
    symlink("pipe", &place).unwrap();
    refuse("a link to a pipe", "neither a file nor a directory");
    std::fs::remove_file(project.root.join("tree/pipe")).unwrap();
    assert_snapshot!(shown);
}

#[test]
fn a_name_that_is_not_utf8_is_refused_wherever_it_is() {
    for place in ["tree", "tree/sub"] {
        let project = tree();
        std::fs::write(project.root.join(place).join(OsStr::from_bytes(b"odd-\xff")), "").unwrap();
        refused(&project, &[&format!("{place}/odd-"), "is not UTF-8", "hint: rename it"]);
    }
}

#[test]
#[allow(clippy::disallowed_macros, reason = "a test that was skipped must say so loudly")]
fn a_file_that_may_not_be_read_is_refused_by_name() {
    let project = tree();
    let forbid = |path: &str, mode| {
        std::fs::set_permissions(project.root.join(path), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    project.commit("a tree");
    forbid("tree/b.bin", 0o000);
    if std::fs::read(project.root.join("tree/b.bin")).is_ok() {
        eprintln!("SKIPPED a_file_that_may_not_be_read_is_refused_by_name: this user may read everything");
        return;
    }
    refused(&project, &["tree/b.bin", "Permission denied"]);
    forbid("tree/b.bin", 0o644);
    forbid("tree/sub", 0o000);
    refused(&project, &["tree/sub", "Permission denied"]);
    forbid("tree/sub", 0o755);
}

#[test]
fn an_empty_directory_and_an_empty_file_are_data_like_any_other() {
    let project = declaring("tree = \"tree\"\nempty = \"empty.bin\"\n");
    std::fs::create_dir_all(project.root.join("tree/within")).unwrap();
    project.write("empty.bin", "").commit("nothing").record();
    let data = lock(&project)["data"].clone();
    assert_eq!(data["tree"]["digest"], sha256(b""));
    assert_eq!(data["empty"]["digest"], sha256(b""));
    project.repro(&["verify"]).code(0);
}

#[test]
fn a_pointer_of_git_lfs_is_not_the_data() {
    let project = tree();
    let pointer = "version https://git-lfs.github.com/spec/v1\n\
                   oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n";
    project.write("tree/b.bin", pointer).commit("as a clone without LFS has it");
    let answer = refused(&project, &["tree/b.bin is a Git LFS pointer", "hint: ", "git lfs pull"]);
    assert_snapshot!(answer.text());
    // A table is no less refused.
    project.write("tree/b.bin", "same").write("tree/t.csv", pointer);
    refused(&project, &["tree/t.csv is a Git LFS pointer", "git lfs pull"]);
    // In a lock that was recorded with the data, the pointer is no drift of it either: it is not there.
    project.write("tree/t.csv", "a\n1\n").commit("the data").record();
    project.write("tree/t.csv", pointer);
    let status = project.repro(&["status"]);
    status.code(1);
    assert!(status.stderr.contains("git lfs pull"), "{}", status.stderr);
}

#[test]
fn data_of_another_form_and_data_that_another_path_leads_to_are_data_changed() {
    let project = declaring("some = \"some\"\nglob = \"parts/*.bin\"\ntwice = [\"parts/a.bin\", \"parts/a.bin\"]\n");
    project.write("some", "a file").write("parts/a.bin", "1").commit("data").record();
    let data = lock(&project)["data"].clone();
    assert_eq!(data["twice"]["files"].as_object().unwrap().len(), 1, "a file that two paths lead to is one file");
    assert_eq!(data["twice"]["bytes"], 1);
    // What newly matches a pattern is new data.
    project.write("parts/b.bin", "2");
    assert_eq!(project.json(&["status"]).code(3).kinds("drift"), ["data-added data.glob"]);
    project.remove("parts/b.bin").remove("some").write("some/file", "a file");
    let answer = project.json(&["status"]);
    answer.code(3);
    assert_eq!(answer.kinds("drift"), ["data-changed data.some"]);
    assert_eq!(details(&answer), ["is a directory now, was a file"]);
    std::fs::remove_dir_all(project.root.join("some")).unwrap();
    project.write("some", "a file");
    project.edit("repro.toml", "parts/*.bin", "parts/?.bin").commit("another pattern");
    let answer = project.json(&["status"]);
    answer.code(3);
    assert_eq!(answer.kinds("drift"), ["data-changed data.glob"]);
    assert_eq!(details(&answer), ["repro.toml leads to other paths"]);
}

#[test]
fn several_patterns_and_paths_of_one_directory_are_all_there() {
    let project = declaring("some = [\"parts/a*\", \"parts/b*\", \"parts/c\", \"parts/?\"]\n");
    project
        .write("parts/a1", "1")
        .write("parts/b1", "2")
        .write("parts/c", "3")
        .commit("parts")
        .record();
    let data = lock(&project)["data"]["some"].clone();
    let files: Vec<&str> = data["files"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(files, ["parts/a1", "parts/b1", "parts/c"]);
    project.remove("parts/b1");
    assert_eq!(project.json(&["status"]).code(3).kinds("drift")[0], "data-missing data.some");
}
