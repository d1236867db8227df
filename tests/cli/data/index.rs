//! The index of files spares time and decides nothing: whatever happens to it, the verdict is the same.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use cargo_repro::cache::seal::Seal;
use cargo_repro::cache::stat::StatData;
use cargo_repro::cache::stat_cache::StatCache;
use cargo_repro::digest::Digest;

use super::{age, declaring, edit_unseen};
use crate::support::{Answer, Project};

fn place(project: &Project) -> PathBuf {
    project.root.join(".git/cargo-repro")
}

/// A recorded package with a file that is no table, and an index of it that is believed.
fn blob() -> Project {
    let project = Project::recorded_as("command-with-a-blob", || {
        let project = declaring("blob = \"blob.bin\"\n");
        project.write("blob.bin", "before").commit("a blob");
        project
    });
    age();
    project.repro(&["status"]).code(0);
    project
}

#[track_caller]
fn is_found(answer: &Answer) {
    answer.code(3);
    assert_eq!(answer.kinds("drift"), ["data-changed data.blob"]);
}

#[test]
fn an_edit_that_leaves_size_and_time_as_they_were_is_found() {
    let project = blob();
    edit_unseen(&project.root.join("blob.bin"), b"behind");
    is_found(&project.json(&["status"]));
    // Not only the first time.
    age();
    is_found(&project.json(&["status"]));
    is_found(&project.json(&["status"]));
    edit_unseen(&project.root.join("blob.bin"), b"before");
    project.repro(&["status"]).code(0);
}

#[test]
fn a_file_that_another_one_replaced_under_its_name_is_found() {
    let project = blob();
    let path = project.root.join("blob.bin");
    let other = project.root.join("target");
    std::fs::write(&other, "behind").unwrap();
    let then = std::fs::metadata(&path).unwrap().modified().unwrap();
    std::fs::File::options().append(true).open(&other).unwrap().set_modified(then).unwrap();
    std::fs::rename(&other, &path).unwrap();
    is_found(&project.json(&["status"]));
}

#[test]
fn a_damaged_index_or_memory_costs_nothing_but_time() {
    let project = blob();
    let files = ["files.index", "memory.json"].map(|name| place(&project).join(name));
    let good = files.each_ref().map(|file| std::fs::read(file).unwrap());
    type Damage = fn(&[u8]) -> Vec<u8>;
    let damages: [Damage; 5] = [
        |_| Vec::new(),
        |bytes| bytes[..bytes.len() / 2].to_vec(),
        |bytes| bytes.iter().map(|byte| byte ^ 0x55).collect(),
        |bytes| [bytes, b"and more"].concat(),
        |_| vec![b'9'; 4096],
    ];
    for (number, damage) in damages.into_iter().enumerate() {
        for hurt in 0..2 {
            for text in ["before", "behind"] {
                project.write("blob.bin", text);
                for (file, bytes) in files.iter().zip(&good) {
                    std::fs::write(file, bytes).unwrap();
                }
                std::fs::write(&files[hurt], damage(&good[hurt])).unwrap();
                let answer = project.json(&["status"]);
                let expected = if text == "before" { 0 } else { 3 };
                assert_eq!(answer.code, Some(expected), "damage {number} of {:?}\n{}", files[hurt], answer.text());
            }
        }
    }
}

#[test]
fn several_at_the_same_time_are_all_right() {
    let project = blob();
    for (text, code) in [("before", 0), ("behind", 3), ("before", 0)] {
        project.write("blob.bin", text);
        let _ = std::fs::remove_file(place(&project).join("files.index"));
        let start = |_| project.command(&["status"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let running: Vec<_> = (0..4).map(start).collect();
        for mut child in running {
            assert_eq!(child.wait().unwrap().code(), Some(code));
        }
        project.repro(&["status"]).code(code);
    }
}

#[test]
fn one_that_is_killed_leaves_a_good_index() {
    let project = blob();
    for delay in [1, 3, 6, 10, 15, 20, 30, 50] {
        let _ = std::fs::remove_file(place(&project).join("files.index"));
        project.write("blob.bin", "before");
        let mut child = project.command(&["status"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(delay));
        child.kill().unwrap();
        child.wait().unwrap();
        project.repro(&["status"]).code(0);
        project.write("blob.bin", "behind");
        is_found(&project.json(&["status"]));
    }
}

#[test]
fn what_the_index_hides_from_status_verify_finds() {
    let project = blob();
    // As if the kernel's clock had been set back between two edits: the index has the stat data that the file
    // has now, with the digest that it had before.
    let path = project.root.join("blob.bin");
    std::fs::write(&path, "behind").unwrap();
    age();
    let file = place(&project).join("files.index");
    let seal = Seal::of_user().expect("the user of the tests has a cache");
    let mut index = StatCache::load(&file, &seal);
    assert!(index.directory(&project.root).is_some(), "the index knows the package's directory");
    index.keep(&path, Some((StatData::of(&path).unwrap(), Digest::of("before"))));
    index.save(&file, &seal);

    let status = project.json(&["status"]);
    status.code(0);
    let cached = project.json(&["verify", "--cached"]);
    assert_eq!(status.kinds("drift"), [""; 0]);
    cached.code(0);
    let kinds: Vec<_> = cached.verdict()["not_checked"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["kind"].clone())
        .collect();
    assert!(kinds.contains(&"content".into()), "{kinds:?}");

    is_found(&project.json(&["verify"]));
    is_found(&project.json(&["status", "--fresh"]));
}

#[test]
fn a_memory_that_came_with_the_repository_hides_nothing_from_status() {
    let project = blob();
    project.repro(&["status"]).code(0);
    let path = project.root.join("blob.bin");
    std::fs::write(&path, "behind").unwrap();
    age();
    // Whoever forges it knows every stat data, and not the key.
    let file = place(&project).join("files.index");
    let mut index = StatCache::default();
    index.keep(&path, Some((StatData::of(&path).unwrap(), Digest::of("before"))));
    index.save(&file, &Seal::new([0; 32]));
    is_found(&project.json(&["status"]));
    is_found(&project.json(&["status"]));
}

#[test]
fn a_verification_by_the_index_says_that_content_was_not_read() {
    let project = blob();
    let answer = project.both(&["verify", "--cached"]);
    answer.human.code(0);
    insta::assert_snapshot!(answer.human.text());
    let verify = project.json(&["verify"]);
    verify.code(0);
    let list = verify.verdict()["not_checked"].as_array().unwrap().clone();
    assert!(list.iter().all(|entry| entry["kind"] != "content"), "{list:?}");
    project.write("blob.bin", "behind");
    is_found(&project.json(&["verify", "--cached"]));
}

#[test]
fn without_room_for_the_index_everything_works() {
    let project = blob();
    std::fs::remove_dir_all(place(&project)).unwrap();
    std::fs::write(place(&project), "in the way").unwrap();
    project.repro(&["status"]).code(0);
    project.repro(&["record"]).code(0);
    project.repro(&["verify", "--cached"]).code(0);
    project.write("blob.bin", "behind");
    is_found(&project.json(&["status"]));
    assert_eq!(std::fs::read_to_string(place(&project)).unwrap(), "in the way");
}

#[test]
fn edits_in_quick_succession_are_all_found() {
    let project = blob();
    let path = project.root.join("blob.bin");
    for _ in 0..8 {
        // No time passes between the look and the edit.
        edit_unseen(&path, b"behind");
        is_found(&project.json(&["status"]));
        edit_unseen(&path, b"before");
        project.repro(&["status"]).code(0);
    }
}

#[test]
fn a_directory_that_seems_as_old_as_it_was_is_read_all_the_same() {
    let project = Project::recorded_as("command-with-a-tree", || {
        let project = declaring("tree = \"tree\"\n");
        project.write("tree/a", "one").write("tree/b", "two").commit("a tree");
        project
    });
    age();
    project.repro(&["status"]).code(0);
    let tree = project.root.join("tree");
    let then = std::fs::metadata(&tree).unwrap().modified().unwrap();
    let restore = || std::fs::File::open(&tree).unwrap().set_modified(then).unwrap();

    project.write("tree/c", "three");
    restore();
    assert_eq!(project.json(&["status"]).code(3).kinds("drift"), ["data-added data.tree"]);
    project.remove("tree/c");
    restore();
    age();
    project.repro(&["status"]).code(0);

    // Two files that swap their names: the directory has the same names.
    for (from, to) in [("a", "x"), ("b", "a"), ("x", "b")] {
        std::fs::rename(tree.join(from), tree.join(to)).unwrap();
    }
    restore();
    let swapped = ["data-changed data.tree", "data-changed data.tree"];
    assert_eq!(project.json(&["status"]).code(3).kinds("drift"), swapped);
    age();
    assert_eq!(project.json(&["status"]).code(3).kinds("drift"), swapped);
}

#[test]
#[allow(clippy::disallowed_macros, reason = "a test that was skipped must say so loudly")]
fn a_full_disk_under_the_index_costs_only_time() {
    let project = Project::recorded_as("command-with-many", || {
        let project = declaring("tree = \"tree\"\n");
        for number in 0..300 {
            project.write(&format!("tree/{number}"), "one");
        }
        project.commit("a tree");
        project
    });
    // One page of disk, in a mount namespace of its own.
    let script =
        "mount -t tmpfs -o size=4k none \"$1\" && head -c 4096 /dev/zero > \"$1/full\" && shift && exec \"$@\"";
    let mut command = std::process::Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"]);
    command
        .arg(place(&project))
        .arg(env!("CARGO_BIN_EXE_cargo-repro"))
        .arg("status")
        .current_dir(&project.root);
    let answer = command.output().unwrap();
    let said = String::from_utf8_lossy(&answer.stderr);
    if said.contains("unshare:") || said.contains("mount:") {
        eprintln!("skipped: a full disk under the index: no mount namespace here: {said}");
        return;
    }
    assert_eq!(answer.status.code(), Some(0), "{said}");
    assert!(String::from_utf8_lossy(&answer.stdout).starts_with("unchanged"), "{said}");
}
