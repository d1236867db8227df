//! `cargo repro hash`: the digests that a lock would have, without any project.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use insta::assert_snapshot;

use super::{sample, sha256};
use crate::schema::holds;
use crate::support::{Answer, Project};

/// A directory that is no project, with some data.
fn plain() -> Project {
    let project = Project::empty();
    project
        .write("wine.csv", "sugar,quality\n1.9,5\n2.6,\n")
        .write("images/a.bin", "one")
        .write("images/sub/b.bin", "two")
        .write("broken.csv", "a,b\n1\n");
    symlink("a.bin", project.root.join("images/link.bin")).unwrap();
    project
}

#[test]
fn a_file_a_directory_and_a_glob_are_hashed_without_a_project() {
    let project = plain();
    let paths = ["hash", "wine.csv", "images", "*.csv"];
    let (human, json) = (project.repro(&paths), project.json(&paths));
    human.code(0);
    json.code(0);
    assert_eq!(holds(&json), ["data", "data", "data", "verdict done"]);
    let lines = json.lines();
    assert_eq!(lines[0]["digest"], sha256(&std::fs::read(project.root.join("wine.csv")).unwrap()));
    assert_eq!(lines[0]["files"]["wine.csv"]["table"]["columns"][1]["nulls"], 1);
    assert_eq!(lines[1]["files"]["images/a.bin"]["digest"], sha256(b"one"));
    assert_eq!(lines[1]["links"]["images/link.bin"], "a.bin");
    assert_eq!(
        (&lines[0]["form"], &lines[1]["form"], &lines[2]["form"]),
        (&"file".into(), &"directory".into(), &"several".into())
    );
    // These few bytes are the same everywhere, so their digests are shown.
    assert_snapshot!(format!("{}\n{}", human.stdout, human.stderr));
    // Nothing was left behind.
    let left: Vec<_> = std::fs::read_dir(&project.root)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left.len(), 3, "{left:?}");
}

#[test]
fn what_is_hashed_is_what_a_lock_has() {
    let project = Project::recorded("command");
    let hashed = project.json(&["hash", "numbers.csv"]).code(0).lines().remove(0);
    let locked = super::lock(&project)["data"]["numbers"].clone();
    assert_eq!(hashed["files"], locked["files"]);
    assert_eq!(hashed["digest"], locked["digest"]);
}

#[test]
fn the_sums_of_files_are_checked_by_sha256sum() {
    let project = plain();
    project
        .write("images/a b", "three")
        .write("images/back\\slash", "four")
        .write("images/two\nlines", "five");
    let sums = project.repro(&["hash", "--files", "images", "wine.csv"]);
    sums.code(0);
    assert_eq!(sums.stdout.lines().count(), 7, "{}", sums.stdout);
    let check = |text: &str| {
        let mut child = Command::new("sha256sum")
            .args(["--check", "--strict", "--quiet"])
            .current_dir(&project.root)
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        (output.status.success(), String::from_utf8(output.stderr).unwrap())
    };
    assert_eq!(check(&sums.stdout), (true, String::new()));
    project.write("images/a.bin", "other");
    assert!(!check(&sums.stdout).0);
}

#[test]
fn tables_can_be_left_alone_or_asked_for() {
    let project = plain();
    let alone = project.json(&["hash", "--table", "none", "wine.csv", "broken.csv"]);
    alone.code(0);
    let text = format!("{:?}", alone.lines());
    assert!(!text.contains("table"), "{text}");
    project.write("wine.txt", "sugar\tquality\n1.9\t5\n");
    let asked = project.json(&["hash", "--table", "tsv", "wine.txt"]);
    assert_eq!(asked.code(0).lines()[0]["files"]["wine.txt"]["table"]["rows"], 1);
    let unknown = project.repro(&["hash", "--table", "xls", "wine.txt"]);
    unknown.code(2);
}

#[test]
fn a_sample_says_that_it_is_one() {
    let project = Project::empty();
    sample::sparse(&project.root.join("large.bin"), 64 << 20);
    let human = project.repro(&["hash", "--sample", "large.bin"]);
    human.code(0);
    assert!(human.stdout.contains("partial"), "{}", human.stdout);
    let (sampled, whole) = (project.json(&["hash", "--sample", "large.bin"]), project.json(&["hash", "large.bin"]));
    holds(&sampled);
    holds(&whole);
    assert_eq!(sampled.lines()[0]["files"]["large.bin"]["sampled"], true);
    assert_ne!(sampled.lines()[0]["digest"], whole.lines()[0]["digest"]);
}

#[test]
fn what_is_not_there_is_named_and_what_stands_before_it_is_hashed() {
    let project = plain();
    for missing in ["nothing.csv", "*.parquet"] {
        let paths = ["hash", "wine.csv", missing];
        let human = project.repro(&paths);
        human.code(1);
        assert!(human.stdout.contains("wine.csv"), "{}", human.stdout);
        assert!(human.stderr.contains(&format!("there is nothing at {missing}")), "{}", human.stderr);
        assert!(human.stderr.contains("hint: "), "{}", human.stderr);
        let json = project.json(&paths);
        json.code(1);
        assert_eq!(holds(&json), ["data", "verdict failed"]);
    }
    project.repro(&["hash"]).code(2);
}

/// Hashes a large file, and does something to it as soon as its reading has begun.
fn meanwhile(act: impl FnOnce(&Project)) -> Answer {
    let project = Project::empty();
    let path = project.root.join("large.bin");
    sample::sparse(&path, 1 << 30);
    let mut child = project
        .command(&["hash", "large.bin"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let process = format!("/proc/{}", child.id());
    // By then its stat data was taken; between its opening and that it would just be another file.
    let is_begun = |number: &std::ffi::OsStr| {
        let info = std::fs::read_to_string(format!("{process}/fdinfo/{}", number.display()));
        info.is_ok_and(|text| text.lines().any(|line| line.starts_with("pos:") && !line.ends_with("\t0")))
    };
    let is_read = || {
        let files = std::fs::read_dir(format!("{process}/fd")).into_iter().flatten().flatten();
        let mut open = files.filter(|entry| std::fs::read_link(entry.path()).is_ok_and(|leads| leads == path));
        open.any(|entry| is_begun(&entry.file_name()))
    };
    let began = Instant::now();
    while !is_read() {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it was seen to read");
        assert!(began.elapsed() < Duration::from_secs(60), "it never began to read");
    }
    act(&project);
    let output = child.wait_with_output().unwrap();
    let mut shown = Command::new("cat");
    let mut answer = project.answer(shown.stdin(Stdio::null()));
    answer.code = output.status.code();
    answer.stdout = String::from_utf8(output.stdout).unwrap();
    answer.stderr = String::from_utf8(output.stderr).unwrap();
    answer
}

#[test]
fn a_file_that_grows_or_goes_while_it_is_read_has_no_digest() {
    let grew = meanwhile(|project| {
        let mut file = File::options().append(true).open(project.root.join("large.bin")).unwrap();
        file.write_all(b"more").unwrap();
    });
    grew.code(1);
    assert_eq!(grew.stdout, "");
    let says = "large.bin changed while it was read: it grew from 1073741824 to 1073741828 bytes";
    assert!(grew.stderr.contains(says) && grew.stderr.contains("hint: "), "{}", grew.stderr);
    let shrank = meanwhile(|project| {
        File::options()
            .write(true)
            .open(project.root.join("large.bin"))
            .unwrap()
            .set_len(1 << 20)
            .unwrap();
    });
    shrank.code(1);
    assert!(
        shrank
            .stderr
            .contains("changed while it was read: it shrank from 1073741824 to 1048576 bytes"),
        "{}",
        shrank.stderr
    );
    let gone = meanwhile(|project| {
        project.remove("large.bin");
    });
    gone.code(1);
    assert!(gone.stderr.contains("changed while it was read: it was written to, or replaced"), "{}", gone.stderr);
}
