//! The locks of a history.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::{Answer, Project, git};

/// Three locks, two of them tagged.
fn three() -> Project {
    Project::recorded_as("three-locks", || {
        let project = Project::fixture("steady");
        project.repro(&["record"]).code(0);
        project.commit("first").git(&["tag", "v1"]);
        project.edit("repro.toml", "depth = 3", "depth = 4").commit("deeper");
        project.repro(&["record", "--confirm", "2"]).code(0);
        project.commit("second");
        project.write("NOTES.txt", "no lock changed here").commit("a note");
        project.edit("data/numbers.csv", "3.5", "4.5").commit("other data");
        project.repro(&["record"]).code(0);
        project.commit("third").git(&["tag", "v2"]);
        project
    })
}

fn locks(lines: &[Value]) -> Vec<&Value> {
    lines.iter().filter(|line| line["reason"] == "recorded-lock").collect()
}

/// The same lock with another text in it, committed as if it had been recorded so.
fn relocked<'a>(project: &'a Project, from: &str, to: &str) -> &'a Project {
    project.edit("repro.lock", from, to).reseal().commit(to)
}

/// What each lock changed, and since which other one of them.
fn changed(project: &Project) -> Vec<(Vec<String>, Option<usize>)> {
    let answer = project.json(&["log"]);
    answer.code(0);
    crate::schema::holds(&answer);
    let lines = answer.lines();
    let found = locks(&lines);
    let subjects = |lock: &Value| {
        let changes = lock["changes"].as_array().into_iter().flatten();
        changes.map(|change| change["finding"]["subject"].as_str().unwrap().to_owned()).collect()
    };
    let since = |lock: &Value| found.iter().position(|other| other["commit"] == lock["since"]);
    found.iter().map(|lock| (subjects(lock), since(lock))).collect()
}

#[test]
fn every_lock_is_listed_with_what_changed() {
    let project = three();
    let both = project.both(&["log"]);
    both.human.code(0);
    insta::assert_snapshot!(both.snapshot);
    crate::schema::holds(&both.json);
    let lines = both.json.lines();
    let found = locks(&lines);
    let runs: Vec<u64> = found.iter().map(|lock| lock["runs"].as_u64().unwrap()).collect();
    assert_eq!(runs, [1, 2, 1]);
    assert_eq!(found[0]["tags"], serde_json::json!(["v2"]));
    assert!(found[2].get("changes").is_none(), "before the first there is none");
}

#[test]
fn a_metric_is_drawn_oldest_first() {
    let project = three();
    let answer = project.repro(&["log", "--metric", "accuracy"]);
    answer.code(0);
    insta::assert_snapshot!(answer.text());
    assert_eq!(project.repro(&["log", "--metric", "train.accuracy"]).code(0).stdout, answer.stdout);
    let answer = project.repro(&["log", "--metric", "f1"]);
    answer.code(2);
    assert!(answer.stderr.contains("no lock has a metric `f1`") && answer.stderr.contains("they have: train.accuracy"));
}

#[test]
fn only_the_newest_are_listed_where_only_these_are_wanted_and_an_older_revision_ends_earlier() {
    let project = three();
    assert_eq!(locks(&project.json(&["log", "--limit", "1"]).lines()).len(), 1);
    assert_eq!(locks(&project.json(&["log", "v1"]).lines()).len(), 1);
    project.repro(&["log", "nowhere"]).code(1);
}

#[test]
fn the_last_that_is_listed_still_says_what_it_changed() {
    let project = three();
    let human = project.repro(&["log", "-n", "1"]).code(0).stdout.clone();
    assert!(human.contains("data-changed") && !human.contains("the first"), "{human}");
    let json = project.json(&["log", "-n", "1"]).lines();
    assert_eq!(locks(&json)[0]["changes"][0]["finding"]["kind"], "data-changed");
    assert!(project.repro(&["log", "-n", "3"]).code(0).stdout.contains("  the first\n"));
    let answer = project.repro(&["log", "-n", "0"]);
    answer.code(2);
    let answer = project.repro(&["log", "-n", "2", "--metric", "f1"]);
    answer.code(2);
    assert!(answer.stderr.contains("none of the newest 2 has a metric `f1`"), "{}", answer.stderr);
}

#[test]
fn a_tag_names_the_lock_that_its_commit_has() {
    let project = three();
    project.write("CHANGELOG.md", "released\n").commit("ready").git(&["tag", "v3"]);
    // A side that has another lock, and one that never gets here.
    project.git(&["checkout", "--quiet", "-b", "side", "v1"]);
    project.write("NOTES.txt", "beside").commit("beside").git(&["tag", "aside"]);
    project.git(&["checkout", "--quiet", "main"]);
    let lines = project.json(&["log"]).lines();
    let tags: Vec<Value> = locks(&lines).iter().map(|lock| lock["tags"].clone()).collect();
    assert_eq!(Value::from(tags), serde_json::json!([["v2", "v3"], [], ["v1"]]));
}

#[test]
fn a_stage_may_have_a_dot_in_its_name() {
    let project = Project::fixture("command");
    project.edit("repro.toml", "[stage.train]", "[stage.\"train.v2\"]").commit("a dot");
    project.record();
    for name in ["sum", "train.v2.sum"] {
        let chart = project.repro(&["log", "--metric", name]).code(0).stdout.clone();
        assert!(chart.starts_with("sum (stage train.v2)") && chart.contains('●'), "{chart}");
    }
    project.repro(&["log", "--metric", "v2.sum"]).code(2);
}

#[test]
fn a_lock_that_cannot_be_read_is_listed_as_such() {
    let project = three();
    project.write("repro.lock", "<<<<<<< ours\n").commit("a broken merge");
    let lock = project.git(&["show", "v2:repro.lock"]);
    project.write("repro.lock", &lock.replace("runs = 1", "runs = 7")).commit("by hand");
    let answer = project.json(&["log"]);
    answer.code(0);
    crate::schema::holds(&answer);
    let lines = answer.lines();
    let found = locks(&lines);
    assert_eq!((found.len(), &found[0]["edited"]), (5, &Value::from(true)));
    assert!(found[1]["error"].as_str().unwrap().contains("cannot be read"));
    let human = project.repro(&["log"]).stdout;
    assert!(human.contains("edited by hand") && human.contains("not compared with the one below"), "{human}");
}

#[test]
fn a_history_without_a_lock_says_what_to_do() {
    let project = Project::fixture("steady");
    let answer = project.repro(&["log"]);
    answer.code(1);
    assert!(answer.stderr.contains("hint: `cargo repro record` writes it"), "{}", answer.stderr);
}

#[test]
fn a_history_that_has_not_begun_has_nothing_to_be_fetched() {
    let project = Project::bare("steady", "project");
    project.git(&["init", "--quiet"]);
    let answer = project.repro(&["log"]);
    answer.code(1);
    assert!(answer.stderr.contains("the git repository has no commit yet"), "{}", answer.stderr);
    assert!(!answer.stderr.contains("fetch"), "{}", answer.stderr);
}

#[test]
fn what_is_no_number_has_no_place_in_the_chart() {
    let project = Project::recorded("steady");
    project.edit(
        "repro.lock",
        "value = \"0.065\"\nbits = \"3fb0a3d70a3d70a4\"",
        "value = \"NaN\"\nbits = \"7ff8000000000000\"",
    );
    project.reseal().commit("not a number");
    let answer = project.repro(&["log", "--metric", "accuracy"]);
    answer.code(0);
    let line = answer.stdout.lines().find(|line| line.contains("NaN")).unwrap();
    assert!(!line.contains('●') && answer.stdout.contains('●'), "{}", answer.stdout);
}

/// A commit of a stream for `git fast-import`, whose lock has this seed.
fn streamed(branch: &str, number: i64, parents: &str, lock: &str) -> String {
    let text = lock.replace("seed = 42", &format!("seed = {number}"));
    format!(
        "commit refs/heads/{branch}\ncommitter Test <test@localhost> {} +0000\ndata 4\nmany\n{parents}M 100644 inline repro.lock\ndata {}\n{text}\n",
        1_767_225_600 + number,
        text.len(),
    )
}

fn import(project: &Project, stream: &str) {
    let file = project.around().join("stream");
    std::fs::write(&file, stream).unwrap();
    let import = std::process::Command::new("git")
        .args(["fast-import", "--quiet"])
        .current_dir(&project.root)
        .stdin(std::fs::File::open(file).unwrap())
        .status()
        .unwrap();
    assert!(import.success());
}

#[test]
fn ten_thousand_locks_are_listed() {
    let project = Project::recorded("steady");
    let lock = project.read("repro.lock");
    let commits = (0..10_000).map(|number| streamed("many", number, "", &lock));
    import(&project, &format!("reset refs/heads/many\n{}", commits.collect::<String>()));
    let answer = project.json(&["log", "many"]);
    answer.code(0);
    let lines = answer.lines();
    let found = locks(&lines);
    assert_eq!(found.len(), 10_000);
    assert!(
        found
            .iter()
            .take(9_999)
            .all(|lock| lock["changes"][0]["finding"]["kind"] == "seed-changed")
    );
}

#[test]
fn branches_that_stay_apart_for_long_are_each_compared_with_their_own() {
    let project = Project::recorded("steady");
    let lock = project.read("repro.lock");
    let deeper = lock.replace("depth = 3", "depth = 4");
    let mut stream = String::from("reset refs/heads/many\n") + &streamed("many", 0, "", &lock);
    // A branch whose second lock comes so late that its first is another group's, and two side by side.
    stream += &streamed("late", 1, "from refs/heads/many\n", &deeper);
    stream += &streamed("side", 2, "from refs/heads/many\n", &deeper);
    stream += &(3..700)
        .map(|number| match number % 2 {
            0 => streamed("side", number, "", &deeper),
            _ => streamed("many", number, "", &lock),
        })
        .collect::<String>();
    stream += &streamed("late", 700, "", &deeper);
    stream += &streamed("many", 701, "merge refs/heads/side\nmerge refs/heads/late\n", &lock);
    import(&project, &stream);
    let answer = project.json(&["log", "many"]);
    answer.code(0);
    let lines = answer.lines();
    let found = locks(&lines);
    assert_eq!(found.len(), 702);
    let changes = |lock: &Value| lock["changes"].as_array().map_or(0, Vec::len);
    let count = |wanted: usize| found.iter().filter(|lock| changes(lock) == wanted).count();
    assert_eq!(
        [count(0), count(1), count(2)],
        [1, 699, 2],
        "two branches began with another depth, and another seed"
    );
}

#[test]
fn a_shallow_clone_says_that_older_locks_are_missing() {
    let project = three();
    let clone = project.around().join("shallow");
    let from = format!("file://{}", project.root.display());
    git(project.around(), &["clone", "--quiet", "--depth", "1", &from, "shallow"]);
    let mut log = project.command(&["log"]);
    let answer = project.answer(log.current_dir(clone));
    answer.code(0);
    assert!(answer.stderr.contains("this clone is shallow, so older locks are missing"), "{}", answer.stderr);
    assert!(
        answer.stdout.contains("  what came before, if anything did, is not in this clone\n"),
        "{}",
        answer.stdout
    );
}

/// A lock with another seed, and on a branch one with another depth; then both merged.
fn branched() -> Project {
    let project = Project::recorded("steady");
    project.git(&["checkout", "--quiet", "-b", "side"]);
    relocked(&project, "depth = 3", "depth = 4");
    project.git(&["checkout", "--quiet", "main"]);
    relocked(&project, "seed = 42", "seed = 43");
    project.git(&["merge", "--quiet", "--strategy", "ours", "--no-commit", "side"]);
    relocked(&project, "depth = 3", "depth = 4");
    project
}

#[test]
fn a_lock_is_compared_with_the_one_that_its_own_branch_had() {
    let project = branched();
    let found = changed(&project);
    let entry = |subject: &str, since| (vec![subject.to_owned()], Some(since));
    assert_eq!((found.len(), &found[3]), (4, &(Vec::new(), None)), "{found:?}");
    assert!(
        found[1..3].contains(&entry("seed", 3)) && found[1..3].contains(&entry("params.depth", 3)),
        "{found:?}"
    );
    let trunk = found.iter().position(|(subjects, _)| subjects == &["seed"]);
    assert_eq!((&found[0].0, found[0].1), (&vec!["params.depth".to_owned()], trunk));
    let human = project.repro(&["log"]).code(0).stdout.clone();
    let recorded = project.git(&["log", "--format=%h", "--abbrev=12", "--grep", "record"]);
    assert!(human.contains(&format!("  since {}:\n", recorded.trim())), "{human}");
}

#[test]
fn a_chart_says_where_the_history_has_branches() {
    let said = |project: &Project| {
        let chart = project.repro(&["log", "--metric", "accuracy"]).code(0).stdout.clone();
        chart
            .matches("\n  The history has branches: the values are in the order of their commits.\n")
            .count()
    };
    assert_eq!((said(&branched()), said(&three())), (1, 0));
}

#[test]
fn a_lock_without_another_before_it_is_the_first_of_its_branch_alone() {
    let project = Project::fixture("steady");
    project.git(&["checkout", "--quiet", "-b", "side"]);
    project.write("NOTES.txt", "beside").record();
    project.git(&["checkout", "--quiet", "main"]);
    project.record();
    relocked(&project, "seed = 42", "seed = 43");
    project.git(&["merge", "--quiet", "--strategy", "ours", "side"]);
    let human = project.repro(&["log"]).code(0).stdout.clone();
    assert_eq!(human.matches("  the first\n").count(), 1, "{human}");
    assert_eq!(human.matches("  the first of its branch\n").count(), 1, "{human}");
}

/// Moves the package of a recorded project into a directory.
fn moved(project: &Project, directory: &str) {
    let inner = project.root.join(directory);
    std::fs::create_dir(&inner).unwrap();
    let paths = project.git(&["ls-files"]);
    let names: BTreeSet<&str> = paths.lines().filter_map(|path| path.split('/').next()).collect();
    for name in names.into_iter().filter(|name| project.root.join(name).exists()) {
        std::fs::rename(project.root.join(name), inner.join(name)).unwrap();
    }
}

fn log_in(project: &Project, directory: &str, args: &[&str]) -> Answer {
    let mut log = project.command(&[&["log"], args].concat());
    project.answer(log.current_dir(project.root.join(directory)))
}

#[test]
fn the_locks_from_before_the_package_moved_are_listed_too() {
    let project = Project::recorded("steady");
    relocked(&project, "seed = 42", "seed = 43").git(&["tag", "v1"]);
    project.write("another/repro.lock", "another\n").commit("beside");
    // The lock of another package goes in the same commit.
    project.remove("another/repro.lock");
    std::fs::remove_dir(project.root.join("another")).unwrap();
    moved(&project, "ml");
    project.commit("moved").git(&["tag", "v2"]);
    let human = log_in(&project, "ml", &[]).code(0).stdout.clone();
    assert_eq!((human.matches("computed once").count(), human.matches("  the first\n").count()), (2, 1), "{human}");
    assert!(
        human.contains("v1 v2 2026-01-01 repro.lock\n") && human.contains("  seed-changed seed: 42 → 43"),
        "{human}"
    );
    let answer = log_in(&project, "ml", &["--message-format", "json"]);
    crate::schema::holds(&answer);
    let lines = answer.lines();
    assert_eq!(locks(&lines).iter().map(|lock| &lock["path"]).collect::<Vec<_>>(), ["repro.lock", "repro.lock"]);
}

#[test]
fn a_revision_from_before_the_package_moved_has_its_locks() {
    let project = Project::recorded("steady");
    project.git(&["tag", "none", "HEAD~1"]);
    relocked(&project, "seed = 42", "seed = 43").git(&["tag", "old"]);
    moved(&project, "ml");
    project.commit("moved").git(&["tag", "between"]);
    std::fs::rename(project.root.join("ml"), project.root.join("model")).unwrap();
    project.commit("moved again");
    let lock = project.read("model/repro.lock");
    project
        .write("model/repro.lock", &lock.replace("seed = 43", "seed = 44"))
        .commit("another seed");
    let listed = |rev: &str| {
        let human = log_in(&project, "model", &[rev]).code(0).stdout.clone();
        (human.matches("computed once").count(), human.matches("2026-01-01 repro.lock\n").count())
    };
    assert_eq!([listed("old"), listed("between"), listed("HEAD")], [(2, 2), (2, 2), (3, 2)]);
    let answer = log_in(&project, "model", &["none"]);
    answer.code(1);
    let what = "no commit that none goes back to has a model/repro.lock";
    assert!(answer.stderr.contains(what), "{}", answer.stderr);
}

#[test]
fn a_lock_that_moved_and_changed_at_once_is_compared_with_the_one_that_went() {
    let project = Project::recorded("steady");
    moved(&project, "ml");
    let lock = project.read("ml/repro.lock");
    project.write("ml/repro.lock", &lock.replace("seed = 42", "seed = 43")).commit("moved");
    std::fs::rename(project.root.join("ml"), project.root.join("model")).unwrap();
    project.commit("moved again");
    let human = log_in(&project, "model", &[]).code(0).stdout.clone();
    assert!(human.contains("  seed-changed seed: 42 → 43") && human.contains("  the first\n"), "{human}");
    assert!(human.contains("2026-01-01 ml/repro.lock\n") && human.contains("2026-01-01 repro.lock\n"), "{human}");
}

#[test]
fn a_package_that_went_in_the_same_commit_is_no_past_of_another_that_came() {
    let project = Project::recorded("steady");
    moved(&project, "alpha");
    project.commit("alpha alone");
    std::fs::rename(project.root.join("alpha"), project.root.join("beta")).unwrap();
    project.edit("beta/Cargo.toml", "name = \"steady\"", "name = \"beta\"");
    let lock = project.read("beta/repro.lock");
    project
        .write("beta/repro.lock", &lock.replace("seed = 42", "seed = 43"))
        .commit("beta for alpha");
    let human = log_in(&project, "beta", &[]).code(0).stdout.clone();
    assert!(human.matches("computed once").count() == 1 && human.contains("  the first\n"), "{human}");
}

#[test]
fn of_two_locks_that_went_the_one_of_the_same_package_is_the_past() {
    let project = Project::recorded("steady");
    project.write("another/Cargo.toml", "[package]\nname = \"another\"\n");
    project.write("another/repro.lock", "another\n").commit("beside");
    std::fs::remove_dir_all(project.root.join("another")).unwrap();
    moved(&project, "ml");
    let lock = project.read("ml/repro.lock");
    project.write("ml/repro.lock", &lock.replace("seed = 42", "seed = 43")).commit("moved");
    let human = log_in(&project, "ml", &[]).code(0).stdout.clone();
    assert!(
        human.contains("  seed-changed seed: 42 → 43") && human.contains("2026-01-01 repro.lock\n"),
        "{human}"
    );
}

#[test]
fn a_copy_of_a_package_has_no_locks_from_before() {
    let project = Project::recorded("steady");
    let lock = project.read("repro.lock");
    project.write("ml/repro.lock", &lock).commit("copied");
    let human = log_in(&project, "ml", &[]).code(0).stdout.clone();
    assert!(human.matches("computed once").count() == 1 && human.contains("  the first\n"), "{human}");
}

#[test]
fn a_lock_that_was_taken_away_is_still_before_the_next() {
    let project = Project::recorded("steady");
    let lock = project.read("repro.lock");
    project.remove("repro.lock").commit("none");
    project.write("repro.lock", &lock);
    relocked(&project, "seed = 42", "seed = 43");
    assert_eq!(changed(&project), [(vec!["seed".to_owned()], Some(1)), (vec![], None)]);
}
