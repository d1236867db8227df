//! The page that `--report PATH.html` writes, by the real commands: read as a parser reads it, tried as its reader
//! would try it, and laid out by a real browser where there is one.

mod browser;

use std::process::Command;

use cargo_repro::digest::Digest;
use cargo_repro::lockfile::Lockfile;
use scraper::{Html, Selector};

use crate::support::release::{PLAIN, keys};
use crate::support::{Project, git, has_namespaces};

/// The page that a command writes; it must end with that code.
#[track_caller]
fn page(project: &Project, args: &[&str], code: i32) -> String {
    let mut all = args.to_vec();
    all.extend(["--report", "../page.html"]);
    project.repro(&all).code(code);
    let page = project.read("../page.html");
    assert!(page.len() < 300_000, "{} bytes", page.len());
    let around = project.around().to_string_lossy().into_owned();
    assert!(!page.contains(&around), "a path of this machine is in it");
    page
}

/// The text of every element that a selector finds.
fn texts(page: &str, selector: &str) -> Vec<String> {
    let selector = Selector::parse(selector).unwrap();
    Html::parse_document(page)
        .select(&selector)
        .map(|element| element.text().collect())
        .collect()
}

#[track_caller]
fn word(page: &str, word: &str) {
    assert_eq!(texts(page, ".word"), [format!("Verdict: {word}")]);
}

/// Eight locks of three weeks, one of them tagged, one recorded dirty.
fn eight() -> Project {
    Project::recorded_as("eight-locks", || {
        let project = Project::fixture("steady");
        for (at, number) in ["3.5", "9.25", "1.5", "4", "4.25", "6", "5.5", "7.125"].iter().enumerate() {
            project.write("data/numbers.csv", &format!("1\n2\n{number}\n")).commit("other data");
            if at == 5 {
                project.edit("src/main.rs", "fn main() {", "// edited\nfn main() {");
                project.repro(&["record", "--allow-dirty"]).code(0);
            } else {
                project.repro(&["record"]).code(0);
            }
            project.commit("record");
            if at == 3 {
                project.git(&["tag", "v0.3.0-rc.1"]);
            }
        }
        project
    })
}

#[test]
fn a_reproduced_page_says_what_was_looked_at_and_how_to_do_it_again() {
    let project = eight();
    let page = page(&project, &["verify", "--times", "2"], 0);
    word(&page, "reproduced");
    assert!(texts(&page, ".inputs td:last-child").iter().all(|state| state.contains("✓")));
    assert!(texts(&page, ".outcome td:last-child").iter().all(|state| state == "✓ the same"));
    assert_eq!(texts(&page, "figure svg.plot use").len(), 8 + 1, "eight locks, and a ring around the current one");
    assert_eq!(texts(&page, "figure .name"), ["this lock", "v0.3.0-rc.1"].map(str::to_owned));
    let steps = texts(&page, ".times th[scope=row]");
    assert!(steps.contains(&"training 2, stage train".to_owned()), "{steps:?}");
    assert!(texts(&page, "#repeat pre").contains(&"cargo repro verify --times 2".to_owned()));
}

#[test]
fn the_recipe_that_checks_the_id_gives_the_id() {
    let project = Project::recorded("steady");
    let page = page(&project, &["status"], 0);
    let recipe = &texts(&page, "pre.recipe")[0];
    let output = Command::new("sh").args(["-c", recipe]).current_dir(&project.root).output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let id = project.lock().id.hex();
    assert!(printed.starts_with(&id), "{recipe} gives {printed}");
    assert!(
        texts(&page, "#repeat li")
            .iter()
            .any(|step| step.contains(&format!("It prints {id}, which is the id.")))
    );
}

#[test]
fn a_clone_at_the_commit_of_a_page_gives_the_same_page() {
    let project = Project::recorded("steady");
    let first = page(&project, &["verify"], 0);
    let steps = texts(&first, "#repeat pre");
    let commit = steps[0].lines().find_map(|line| line.strip_prefix("git checkout ")).unwrap();
    let clone = Project::clone_of(&project.root);
    git(&clone.root, &["checkout", "--quiet", commit]);
    let command: Vec<&str> = steps[2].strip_prefix("cargo repro ").unwrap().split(' ').collect();
    let again = page(&clone, &command, 0);
    assert_eq!(without_times(&first), without_times(&again));
}

/// All but where the time went.
fn without_times(page: &str) -> String {
    let (before, rest) = page.split_once("<section id=\"time\"").unwrap();
    before.to_owned() + rest.split_once("</section>").unwrap().1
}

#[test]
fn two_pages_of_the_same_differ_in_times_alone() {
    let project = eight();
    let pages = [(); 2].map(|()| without_times(&page(&project, &["status"], 0)));
    assert_eq!(pages[0], pages[1]);
    word(&pages[0], "unchanged");
    assert!(
        texts(&pages[0], ".outcome td:last-child")
            .iter()
            .all(|state| state == "– not computed again")
    );
    assert!(texts(&pages[0], ".not-checked dt").contains(&"outcome".to_owned()));
}

#[test]
fn a_drifted_page_has_the_found_values() {
    let project = Project::recorded("steady");
    project
        .edit("repro.toml", "depth = 3", "depth = 4")
        .edit("data/numbers.csv", "3.5", "3.6");
    let page = page(&project, &["verify"], 3);
    word(&page, "drifted");
    let kinds = texts(&page, ".findings th code");
    assert_eq!(kinds, ["params-changed", "data-changed", "source-dirty"].map(str::to_owned));
    assert!(texts(&page, ".place").contains(&"Look at repro.toml:4".to_owned()), "{:?}", texts(&page, ".place"));
    let states = texts(&page, ".inputs td:last-child");
    assert_eq!(states.iter().filter(|state| state.contains("✗ differs")).count(), 3, "{states:?}");
}

#[test]
fn a_diverged_page_has_both_values_and_the_found_one_in_the_chart() {
    let project = Project::recorded("switch");
    project.write("../switch.txt", "other-accuracy");
    let page = page(&project, &["verify"], 4);
    word(&page, "diverged");
    assert!(texts(&page, ".outcome td:last-child").iter().any(|state| state.starts_with("✗ differs")));
    assert!(
        texts(&page, "figcaption strong")
            .concat()
            .starts_with("Found instead of the locked value: ")
    );
}

#[test]
fn a_page_of_an_explanation_has_the_line_of_the_program() {
    if !has_namespaces("a_page_of_an_explanation_has_the_line_of_the_program") {
        return;
    }
    let project = Project::recorded("entropy");
    let page = page(&project, &["explain"], 4);
    assert!(texts(&page, ".findings th code").contains(&"process-entropy".to_owned()));
    assert!(texts(&page, ".sites li")[0].contains("src/main.rs:"), "{:?}", texts(&page, ".sites li"));
    assert!(texts(&page, ".times th").contains(&"looking for the cause".to_owned()));
}

/// A lock of sources that do not build: as if a compiler had taken them once.
fn broken() -> Project {
    let project = Project::recorded("steady");
    project.edit("src/main.rs", "fn main() {", "compile_error!(\"not <b>today</b> & never\");\nfn main() {");
    let mut lock = Lockfile::read(&project.root.join("repro.lock")).unwrap().lock;
    let source = &mut lock.snapshot.source;
    source.files.insert("src/main.rs".to_owned(), Digest::of(project.read("src/main.rs")));
    source.closure = Digest::of_tree(source.files.values());
    lock.write(&project.root.join("repro.lock")).unwrap();
    project.commit("break it");
    project
}

#[test]
fn a_page_of_a_failed_build_has_what_the_compiler_said() {
    let page = page(&broken(), &["verify"], 5);
    word(&page, "failed");
    let said = &texts(&page, "#failure pre")[0];
    assert!(said.contains("error: not <b>today</b> & never"), "{said}");
    assert_eq!(texts(&page, "#failure pre b"), [""; 0]);
    assert!(
        texts(&page, ".inputs td:last-child").iter().all(|state| state.contains("✓")),
        "all was looked at before"
    );
    assert!(texts(&page, "#not-checked")[0].contains("Everything that a verdict would vouch for."));
}

#[test]
fn a_page_of_a_failed_training_has_what_the_program_said() {
    let project = Project::recorded("switch");
    project.write("../switch.txt", "fail");
    let page = page(&project, &["verify"], 6);
    word(&page, "failed");
    assert!(texts(&page, "#failure")[0].contains("exit code 6"));
    assert!(!texts(&page, "#failure pre")[0].is_empty());
}

#[test]
fn a_page_of_a_refused_tag_has_every_reason_and_looks_at_no_machine() {
    let project = Project::gated(PLAIN);
    project.git(&["tag", "v0.1.0"]);
    let page = page(&project, &["gate", "v0.1.0"], 8);
    word(&page, "refused");
    assert_eq!(texts(&page, ".findings th code"), ["tag-lightweight".to_owned()]);
    assert!(texts(&page, "#environment td").contains(&"the gate reads the repository alone".to_owned()));
    assert!(texts(&page, "#repeat pre").contains(&"cargo repro gate v0.1.0".to_owned()));
}

#[test]
fn a_page_of_a_release_says_who_vouches_and_ticks_what_the_tagged_commit_has() {
    let project = Project::gated(PLAIN);
    let alice = project.key("alice");
    project.policy("repro.toml", &format!("tags = \"v*\"\nrequire = 1\n{}", keys(&[("alice", &alice)])));
    project.tag("v0.1.0").note(&project.attestation(&alice, |_, _| {}));
    let page = page(&project, &["gate", "v0.1.0"], 0);
    word(&page, "passed");
    assert_eq!(texts(&page, "#vouched th[scope=row]"), ["alice"]);
    assert!(
        texts(&page, "#vouched td")[1].starts_with("reproduced, 1 training on "),
        "{:?}",
        texts(&page, "#vouched td")
    );
    let states = texts(&page, ".inputs td:last-child");
    assert!(states.contains(&"✓ as in the tagged commit".to_owned()) && states.contains(&"– not checked".to_owned()));
}
