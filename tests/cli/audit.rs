//! What `docs/audit.md` tells the auditor to type is typed here: it says yes of what was recorded, and no of what was
//! changed afterwards.

use std::path::Path;
use std::process::{Command, Output};

use crate::figures::scripted;
use crate::support::Project;

/// The blocks of shell in the page, in their order.
fn recipes() -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/audit.md");
    let page = std::fs::read_to_string(path).unwrap();
    let blocks = page.split("```sh\n").skip(1);
    blocks.map(|block| block.split("```").next().unwrap().to_owned()).collect()
}

/// Types one of them; none where this machine has no Python that reads TOML.
#[allow(clippy::disallowed_macros, reason = "a test that was skipped must say so loudly")]
fn type_in(project: &Project, recipe: &str) -> Option<Output> {
    let python = Command::new("python3").args(["-c", "import tomllib"]).output();
    if !python.is_ok_and(|output| output.status.success()) {
        eprintln!("SKIPPED audit: no Python 3.11 here, so a recipe of docs/audit.md is not typed");
        return None;
    }
    let mut shell = Command::new("bash");
    shell
        .args(["-euo", "pipefail", "-c", recipe])
        .current_dir(&project.root)
        .env("TMPDIR", project.work());
    Some(shell.output().unwrap())
}

#[test]
fn every_recipe_says_yes_of_what_was_recorded() {
    let project = Project::recorded("steady");
    let recipes = recipes();
    assert_eq!(recipes.len(), 5);
    for recipe in recipes {
        let Some(output) = type_in(&project, &recipe) else {
            return;
        };
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && !said.is_empty(), "{recipe}\n{said}\n{complaint}");
        if recipe.starts_with("grep") {
            let lines: Vec<&str> = said.lines().collect();
            assert!(lines.len() == 2 && lines[0] == lines[1], "{said}");
        }
    }
}

#[test]
fn the_recipes_know_what_is_left_out_and_figures_that_are_no_numbers() {
    let stage = "artifacts = [\"plain.txt\", { path = \"model.json\", ignore = [\"/at\"] }]\n\
        metrics = { file = \"metrics.json\", ignore = [\"seconds\"] }";
    let script = "echo 7 >plain.txt; echo '{\"at\": 1, \"w\": 2}' >model.json\n\
        echo '{\"acc\": 0.5, \"name\": \"x\", \"ok\": true, \"none\": null, \"n\": 9007199254740993, \"seconds\": 3}' >metrics.json\n";
    let project = scripted(stage, script);
    project.record();
    let recipes: Vec<String> = recipes().into_iter().filter(|recipe| recipe.contains("lock[\"outcome\"]")).collect();
    assert_eq!(recipes.len(), 2);
    for recipe in recipes {
        let Some(output) = type_in(&project, &recipe) else {
            return;
        };
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{recipe}\n{said}\n{}", String::from_utf8_lossy(&output.stderr));
        assert!(said == "plain.txt: OK\n" || said.contains("n 9007199254740993\n"), "{said}");
    }
}

#[test]
fn a_source_that_is_a_link_is_where_it_leads() {
    let project = Project::fixture("steady");
    std::os::unix::fs::symlink("../data/numbers.csv", project.root.join("src/link.csv")).unwrap();
    project
        .edit("src/main.rs", "fn main() {", "const _: &str = include_str!(\"link.csv\");\nfn main() {")
        .commit("a link");
    project.record();
    let recipe = recipes().into_iter().find(|recipe| recipe.contains("archive HEAD")).unwrap();
    let Some(output) = type_in(&project, &recipe) else {
        return;
    };
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && said.contains("sources as locked"), "{said}");
    std::fs::remove_file(project.root.join("src/link.csv")).unwrap();
    project.write("src/link.csv", "1\n").commit("no link");
    let output = type_in(&project, &recipe).unwrap();
    assert!(!output.status.success());
}

#[test]
fn every_recipe_says_no_of_what_was_changed() {
    let edits: [fn(&Project) -> &Project; 5] = [
        |project| project.edit("repro.lock", "seed = 42", "seed = 43"),
        |project| project.write("model.json", "{}\n"),
        |project| project.write("src/main.rs", "fn main() {}\n").commit("other"),
        |project| project.edit("data/numbers.csv", "3.5", "3.6"),
        |project| project.edit("repro.lock", "3fb0a3d70a3d70a4", "3fb0a3d70a3d70a5"),
    ];
    for (recipe, edit) in recipes().into_iter().zip(edits) {
        let project = Project::recorded("steady");
        edit(&project);
        let Some(output) = type_in(&project, &recipe) else {
            return;
        };
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let lines: Vec<&str> = said.lines().collect();
        let is_no = !output.status.success() || (recipe.starts_with("grep") && lines[0] != lines[1]);
        assert!(is_no, "{recipe}\n{said}");
    }
}
