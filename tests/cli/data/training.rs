//! Data that is not the same before and after the training: no verdict, and nothing is recorded.

use std::os::unix::fs::symlink;

use super::declaring;
use crate::support::Project;

/// The fixture `switch`, whose data is a link to one of two files.
fn linked() -> Project {
    Project::recorded_as("switch-with-a-link", || {
        let project = Project::fixture("switch");
        project
            .write("store/a.csv", "1\n2\n3.5\n")
            .write("store/b.csv", "1\n2\n3.6\n")
            .remove("numbers.csv");
        symlink("store/a.csv", project.root.join("numbers.csv")).unwrap();
        project.write(".gitignore", "/target\n/numbers.csv\n/store\n").commit("a link");
        project
    })
}

#[track_caller]
fn is_found(project: &Project, word: &str) {
    project.write("../switch.txt", word);
    let answer = project.json(&["verify"]);
    answer.code(3);
    assert_eq!(answer.kinds("drift"), ["data-changed data.numbers"]);
    let verdict = answer.verdict();
    assert_eq!(verdict["drift"][0]["detail"], "numbers.csv changed while the training read it");
    assert_eq!(verdict["runs"], 1);
}

#[test]
fn a_link_that_is_led_elsewhere_while_the_program_trains_is_found() {
    let project = linked();
    is_found(&project, "link=numbers.csv->store/b.csv");
    // So is one that leads nowhere then.
    std::fs::remove_file(project.root.join("numbers.csv")).unwrap();
    symlink("store/a.csv", project.root.join("numbers.csv")).unwrap();
    is_found(&project, "link=numbers.csv->nowhere");
}

#[test]
fn a_file_that_is_swapped_behind_a_link_while_the_program_trains_is_found() {
    let project = linked();
    is_found(&project, "write=store/a.csv");
    let lock = project.read("repro.lock");
    project.write("store/a.csv", "1\n2\n3.5\n").write("../switch.txt", "write=store/a.csv");
    project.repro(&["record"]).code(3);
    assert_eq!(project.read("repro.lock"), lock);
}

#[test]
fn a_program_that_writes_into_its_own_data_is_not_recorded() {
    for ignored in [false, true] {
        let project = declaring("own = \"own.csv\"\n");
        project.write("own.csv", "1\n");
        if ignored {
            project.write(".gitignore", "/target\n/own.csv\n");
        }
        project.edit("scripts/train.sh", "sum=0\n", "sum=0\necho 2 >> \"$REPRO_DATA_OWN\"\n");
        project.commit("writes into its data");
        let answer = project.repro(&["record"]);
        assert!(matches!(answer.code, Some(3 | 6)), "{}", answer.text());
        assert!(!project.root.join("repro.lock").exists());
        assert_eq!(project.read("own.csv"), "1\n", "the data itself is as it was");
    }
}
