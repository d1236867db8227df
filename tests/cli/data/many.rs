//! Directories of a great many files: one text in the lock, one mount for the program, and still each
//! file by its name.

use super::{declaring, lock};
use crate::support::Project;

/// Files `many/0000` and so on, each with another content.
pub fn fill(project: &Project, count: usize) {
    std::fs::create_dir_all(project.root.join("many")).unwrap();
    for number in 0..count {
        std::fs::write(project.root.join(format!("many/{number:04}")), format!("{number}\n")).unwrap();
    }
}

fn details(project: &Project) -> Vec<(String, String)> {
    let answer = project.json(&["status"]);
    answer.code(3);
    let drift = answer.verdict()["drift"].as_array().unwrap().clone();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    drift.iter().map(|drift| (text(&drift["kind"]), text(&drift["detail"]))).collect()
}

#[test]
fn of_1500_files_in_one_text_each_is_told_by_its_name() {
    for ignored in [false, true] {
        let project = declaring("many = \"many/\"\n");
        fill(&project, 1500);
        if ignored {
            project.write(".gitignore", "/target\n/many\n");
        }
        // The program counts what it finds, its four arguments too, and adds that to its six.
        project.edit("scripts/train.sh", "sum=0\n", "set -- \"$@\" \"$REPRO_DATA_MANY\"/*\nsum=$#\n");
        project.commit("many files").record();
        let files = lock(&project)["data"]["many"]["files"].clone();
        assert_eq!(files["count"], 1500);
        assert!(files["packed"].is_string(), "{files}");
        assert!(project.read("repro.lock").len() < 1500 * 120, "it is packed");
        assert!(project.read("model.txt").starts_with("sum 1510,"), "{}", project.read("model.txt"));
        let verify = project.json(&["verify"]);
        verify.code(0);
        assert_eq!(verify.verdict()["verdict"], "reproduced");

        project.write("many/0100", "other\n").remove("many/0200").write("many/1499a", "new\n");
        let told = details(&project);
        assert_eq!(told.len(), 3, "{told:?}");
        for (kind, path) in [
            ("data-changed", "many/0100"),
            ("data-missing", "many/0200"),
            ("data-added", "many/1499a"),
        ] {
            assert!(
                told.iter().any(|(told, detail)| told == kind && detail.starts_with(path)),
                "{kind} {path}: {told:?}"
            );
        }
        // Two that swapped their contents are two changes, though the directory has the same digests.
        fill(&project, 1500);
        project.remove("many/1499a").write("many/0001", "2\n").write("many/0002", "1\n");
        assert_eq!(details(&project).len(), 2);
        // And one that is called otherwise is one that is gone and one that is new.
        fill(&project, 1500);
        std::fs::rename(project.root.join("many/0700"), project.root.join("many/0700b")).unwrap();
        let kinds: Vec<String> = details(&project).into_iter().map(|(kind, _)| kind).collect();
        assert_eq!(kinds, ["data-missing", "data-added"]);
    }
}

#[test]
fn a_file_of_many_that_changes_or_comes_while_the_program_trains_is_found() {
    let project = Project::recorded_as("switch-with-many", || {
        let project = Project::fixture("switch");
        project
            .edit("repro.toml", "numbers = \"numbers.csv\"", "numbers = \"numbers.csv\"\nmany = \"many\"")
            .write(".gitignore", "/target\n/numbers.csv\n/many\n");
        fill(&project, 300);
        project.commit("many files");
        project
    });
    let cases = [
        ("write=many/0123", "data-changed", "many/0123"),
        ("write=many/new", "data-added", "many/new"),
    ];
    for (word, kind, path) in cases {
        fill(&project, 300);
        project.write("../switch.txt", word);
        let answer = project.json(&["verify"]);
        answer.code(3);
        assert_eq!(answer.kinds("drift"), [format!("{kind} data.many")]);
        let verdict = answer.verdict();
        assert!(verdict["drift"][0]["detail"].as_str().unwrap().contains(path), "{verdict}");
        assert_eq!(verdict["runs"], 1);
    }
}

/// Trains with the first lines of the files behind two links, in a directory of many or of few files that
/// lies behind a link itself.
fn links(count: usize, one: &str, two: &str) {
    use std::os::unix::fs::symlink;
    let project = declaring("many = \"way\"\n");
    fill(&project, count);
    symlink("many", project.root.join("way")).unwrap();
    symlink(one, project.root.join("many/one")).unwrap();
    symlink(two.replace("ROOT", project.root.to_str().unwrap()), project.root.join("many/two")).unwrap();
    let read = "read -r one < \"$REPRO_DATA_MANY/one\"\nread -r two < \"$REPRO_DATA_MANY/two\"\nsum=$one$two\n";
    project
        .edit("scripts/train.sh", "sum=0\n", read)
        .write(".gitignore", "/target\n/many\n/way\n");
    project.commit("links").record();
    assert!(project.read("model.txt").starts_with("sum 18"), "{}", project.read("model.txt"));
    let links = serde_json::json!({ "way/one": "0001", "way/two": "0002" });
    assert_eq!(lock(&project)["data"]["many"]["links"], links);
    project.repro(&["verify"]).code(0);
}

#[test]
fn links_in_a_directory_of_many_files_lead_where_they_led() {
    links(300, "0001", "0002");
}

#[test]
fn absolute_links_in_a_directory_of_few_files_lead_where_they_led() {
    links(30, "0001", "ROOT/many/0002");
}

#[test]
fn absolute_links_in_a_directory_of_many_files_lead_where_they_led() {
    links(300, "0001", "ROOT/many/0002");
}

#[test]
fn many_files_outside_the_repository_are_data_like_any_other() {
    let project = declaring("many = \"../store\"\n");
    fill(&project, 300);
    std::fs::rename(project.root.join("many"), project.around().join("store")).unwrap();
    project.edit("scripts/train.sh", "sum=0\n", "set -- \"$@\" \"$REPRO_DATA_MANY\"/*\nsum=$#\n");
    project.commit("outside").record();
    assert!(project.read("model.txt").starts_with("sum 310,"), "{}", project.read("model.txt"));
    project.repro(&["verify"]).code(0);
    project.write("../store/0007", "other\n");
    assert_eq!(
        details(&project),
        [("data-changed".to_owned(), "../store/0007 has another content, 6 bytes long, was 2".to_owned())]
    );
}

#[test]
fn a_packed_text_that_is_none_is_refused() {
    let project = declaring("many = \"many/\"\n");
    fill(&project, 1001);
    project.write(".gitignore", "/target\n/many\n").commit("many files").record();
    let text = project.read("repro.lock");
    let packed = text.lines().find(|line| line.starts_with("packed = ")).unwrap();
    for broken in ["packed = \"\"", "packed = \"AAAA\"", "packed = \"no base 64!\""] {
        project.write("repro.lock", &text.replace(packed, broken)).reseal();
        for command in ["status", "show"] {
            let answer = project.repro(&[command]);
            assert_ne!(answer.code, Some(0), "{broken}: {}", answer.text());
        }
    }
}
