//! `ci`: the pipelines that it writes, before the forges' own schemas and other people's checkers.

mod action;
mod linters;
mod runner;

use serde_json::Value;

use self::runner::Runner;
use crate::support::{Answer, Project, git};

/// The text without what the machine and the version decide.
fn stable(text: &str) -> String {
    let filters = [
        (r#"RUSTUP_TOOLCHAIN: "\d+\.\d+\.\d+""#, r#"RUSTUP_TOOLCHAIN: "[rustc]""#),
        (
            r"(?m)^( *)# (?:The lock is of|By number|The image's C library) .*\n(?: *# .*\n)?",
            "$1# [why this image]\n",
        ),
        (r"runs-on: ubuntu-[0-9.a-z-]+", "runs-on: [runner]"),
        (r"image: rust:1-\w+", "image: [image]"),
        (r"cargo-repro-ml --version \d+\.\d+\.\d+", "cargo-repro-ml --version [version]"),
    ];
    filters.iter().fold(text.to_owned(), |text, (pattern, replacement)| {
        regex::Regex::new(pattern).unwrap().replace_all(&text, *replacement).into_owned()
    })
}

fn parsed(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// Both pipelines, linted.
#[track_caller]
fn both(project: &Project, args: &[&str], test: &str) -> (String, String) {
    let print = |forge: &str| {
        let mut all = vec!["ci", forge, "--print"];
        all.extend(args);
        project.repro(&all).code(0).stdout.clone()
    };
    let (github, gitlab) = (print("github"), print("gitlab"));
    linters::workflow(&github, test);
    linters::jobs(&gitlab, test);
    (github, gitlab)
}

/// The workspace in a directory of its repository, with the trainer recorded.
fn in_a_directory() -> Project {
    let project = Project::bare("workspace", "project/ml");
    let top = project.root.parent().unwrap();
    git(top, &["init", "--quiet", "--initial-branch=main"]);
    project.commit("start");
    project.repro(&["record", "-p", "trainer"]).code(0);
    project.commit("record");
    project
}

#[test]
fn a_package_gets_pipelines_of_its_own_inputs() {
    let project = Project::recorded("steady");
    let (github, gitlab) = both(&project, &[], "a_package_gets_pipelines_of_its_own_inputs");
    insta::assert_snapshot!("github_plain", stable(&github));
    insta::assert_snapshot!("gitlab_plain", stable(&gitlab));
    let workflow = parsed(&github);
    assert_eq!(workflow["permissions"], serde_json::json!({"contents": "read"}));
    let triggers: Vec<&String> = workflow["on"].as_object().unwrap().keys().collect();
    assert_eq!(triggers, ["pull_request", "push", "schedule", "workflow_dispatch"]);
    assert_eq!(workflow["on"]["push"]["tags"], serde_json::json!(["v**"]));
    for job in workflow["jobs"].as_object().unwrap().values() {
        assert!(job["permissions"].is_null(), "no job has more than the workflow");
    }
    let used = github.lines().filter(|line| line.contains("uses:"));
    for line in used {
        assert!(line.contains("uses: actions/"), "no repository is made up: {line}");
    }
}

#[test]
fn a_build_script_that_is_new_runs_the_pipeline_since_it_is_drift() {
    let project = Project::recorded("steady");
    let (github, gitlab) = both(&project, &[], "a_build_script_that_is_new_runs_the_pipeline_since_it_is_drift");
    let has = |paths: &Value| paths.as_array().unwrap().contains(&"build.rs".into());
    assert!(has(&parsed(&github)["on"]["pull_request"]["paths"]), "{github}");
    assert!(has(&parsed(&gitlab)["repro verify"]["rules"][2]["changes"]["paths"]), "{gitlab}");
    project.write("build.rs", "fn main() {}\n").commit("a build script");
    project.repro(&["status"]).code(3);
}

#[test]
fn a_member_of_a_workspace_in_a_directory_is_named() {
    let project = in_a_directory();
    let args = ["-p", "trainer"];
    let (github, gitlab) = both(&project, &args, "a_member_of_a_workspace_in_a_directory_is_named");
    insta::assert_snapshot!("github_member", stable(&github));
    insta::assert_snapshot!("gitlab_member", stable(&gitlab));
    // Both are the repository's, wherever the package is; and leave room for those of other packages.
    project.repro(&["ci", "github", "-p", "trainer"]).code(0);
    project.repro(&["ci", "gitlab", "-p", "trainer"]).code(0);
    let top = project.root.parent().unwrap();
    let written = std::fs::read_to_string(top.join(".github/workflows/repro-trainer.yml")).unwrap();
    assert_eq!(written, github);
    assert!(written.contains("\".github/workflows/repro-trainer.yml\""), "the file itself is an input");
    assert_eq!(std::fs::read_to_string(top.join(".gitlab/repro-trainer.yml")).unwrap(), gitlab);
}

#[test]
fn what_a_manifest_says_of_releases_data_and_time_comes_into_the_pipelines() {
    let project = Project::fixture("stages");
    let manifest = project.read("repro.toml");
    let timed = manifest
        .replace("[stage.fit]", "[stage.fit]\ntimeout = \"1h 30m\"")
        .replace("[stage.prepare]", "[stage.prepare]\ntimeout = \"10m\"");
    project
        .write("repro.toml", &(timed + "\n[gate]\ntags = [\"model-v*\", \"r[0-9]\"]\n"))
        .write("rust-toolchain.toml", "[toolchain]\nchannel = \"stable\"\n")
        .write(".gitattributes", "*.csv filter=lfs diff=lfs merge=lfs -text\n")
        .write("data/numbers.csv.dvc", "outs:\n- md5: 0\n  path: numbers.csv\n");
    let (github, gitlab) =
        both(&project, &[], "what_a_manifest_says_of_releases_data_and_time_comes_into_the_pipelines");
    insta::assert_snapshot!("github_gate_lfs", stable(&github));
    insta::assert_snapshot!("gitlab_gate_lfs", stable(&gitlab));
    let workflow = parsed(&github);
    assert_eq!(workflow["on"]["push"]["tags"], serde_json::json!(["model-v**", "r[0-9]"]));
    assert_eq!(workflow["jobs"]["verify"]["timeout-minutes"], 130);
    assert_eq!(workflow["jobs"]["verify"]["steps"][0]["with"]["lfs"], true);
    assert_eq!(workflow["jobs"]["gate"]["steps"][0]["with"]["fetch-depth"], 0);
}

#[test]
fn an_action_that_is_named_takes_the_place_of_steps() {
    let project = in_a_directory();
    let args = ["ci", "github", "-p", "trainer", "--print", "--action"];
    let ask = |action: &str| project.repro(&[&args[..], &[action]].concat());
    let text = ask("owner/cargo-repro@v1").code(0).stdout.clone();
    linters::workflow(&text, "an_action_that_is_named_takes_the_place_of_steps");
    insta::assert_snapshot!("github_action", stable(&text));
    let answer = ask("owner/cargo-repro");
    answer.code(2);
    assert!(answer.stderr.contains("hint: write it as `OWNER/REPO@REF`"), "{}", answer.stderr);
}

#[test]
fn a_source_of_the_tool_stands_where_it_was_asked_for() {
    let project = Project::recorded("steady");
    let source = "--git https://example.org/repro --rev 0123abc cargo-repro-ml";
    let test = "a_source_of_the_tool_stands_where_it_was_asked_for";
    let (github, gitlab) = both(&project, &["--install", source], test);
    for text in [github, gitlab] {
        let installs = text.lines().filter(|line| line.trim_start().starts_with("CARGO_REPRO_INSTALL:"));
        assert!(installs.clone().count() == 2 && installs.clone().all(|line| line.ends_with(&format!("\"{source}\""))));
        assert!(text.lines().next().unwrap().contains(&format!(" --install '{source}'`")), "{text}");
    }
    let answer = project.repro(&["ci", "github", "--print", "--install", "x; $(y)"]);
    answer.code(2);
    assert!(answer.stderr.contains("hint: write words without quotes"), "{}", answer.stderr);
    project.repro(&["ci", "github", "--install", "x", "--action", "o/r@v"]).code(2);
    // What must be there first is said.
    let answer = project.repro(&["ci", "github"]);
    assert!(
        answer.stdout.contains("from crates.io. Where that is not to be had, `--install`"),
        "{}",
        answer.stdout
    );
    let answer = project.repro(&["ci", "github", "--force", "--install", source]);
    assert!(!answer.code(0).stdout.contains("crates.io"), "{}", answer.stdout);
}

#[test]
fn data_that_a_clone_would_lack_has_a_line_to_fetch_it() {
    let project = Project::fixture("steady");
    let data = "[data]\nkept = \"data/kept\"\nlarge = \"data/large\"\ntables = \"data/tables/*.csv\"\nmine = \"mine.csv\"\nlink = \"link.csv\"\n";
    project
        .edit("repro.toml", "[data]\n", data)
        .write("data/kept/a.csv", "1\n")
        .write("data/large/a.bin", "1\n")
        .write("data/tables/a.csv", "1\n")
        .write("data/tables/b.txt", "1\n")
        .write("data/tables/cache/c.csv", "1\n")
        .write("store/real.csv", "1\n")
        .write(".gitignore", "target/\n/data/large/*\n/data/tables/*.txt\n/data/tables/cache\n/store\n");
    std::os::unix::fs::symlink("store/real.csv", project.root.join("link.csv")).unwrap();
    project.commit("data");
    project.write("mine.csv", "1\n");
    let absent = |project: &Project| {
        let text = project.repro(&["ci", "github", "--print"]).code(0).stdout.clone();
        let said = text
            .lines()
            .filter_map(|line| line.trim().strip_prefix("# repro.toml declares the data \""));
        said.map(|rest| rest.split('"').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(absent(&project), ["data/large", "link.csv"], "what git does not ignore may yet come into a commit");
    project.repro(&["record"]).code(0);
    assert_eq!(absent(&project), ["data/large", "link.csv", "mine.csv"]);
    project.write("data/tables/c.csv", "1\n");
    assert_eq!(absent(&project), ["data/large", "link.csv", "mine.csv", "data/tables/*.csv"]);
}

#[test]
fn hostile_names_of_directories_data_and_tags_stay_text() {
    let test = "hostile_names_of_directories_data_and_tags_stay_text";
    let evil = "we're ${{ github.token }} \"$(touch x)\" #1* !y";
    let project = Project::bare("steady", &format!("project/{evil}"));
    git(project.root.parent().unwrap(), &["init", "--quiet", "--initial-branch=main"]);
    let data =
        "[gate]\ntags = [\"${{ x }}*\", \"it's\\\"[!a]\"]\n\n[data]\nevil = \"a\\n: b ${{ github.token }}.csv\"\n";
    project.edit("repro.toml", "[data]\n", data).commit("start");
    let (github, gitlab) = both(&project, &[], test);
    let workflow = parsed(&github);
    let directory = workflow["jobs"]["verify"]["defaults"]["run"]["working-directory"].as_str().unwrap();
    assert_eq!(directory.replace("${{ '${{' }}", "${{"), evil);
    let expressions = regex::Regex::new(r"\$\{\{ ?(.*?) ?\}\}").unwrap();
    for found in expressions.captures_iter(&github.replace("${{ '${{' }}", "")) {
        let known = [
            "github.workflow",
            "github.ref",
            "github.event",
            "github.ref_name",
            "runner.",
            "steps.name.outputs.key",
            "hashFiles",
        ];
        assert!(known.iter().any(|start| found[1].starts_with(start)), "{}", &found[0]);
    }
    let jobs = parsed(&gitlab);
    let script = jobs["repro verify"]["script"].as_array().unwrap();
    assert!(script.iter().any(|line| *line == format!("cd -- '{}'", evil.replace('\'', r"'\''"))), "{script:#?}");
    let rules = jobs["repro gate"]["rules"].as_array().unwrap();
    assert_eq!(rules[0]["if"], r"$CI_COMMIT_TAG =~ /^\$\{\{.x.\}\}.*$/");
}

#[test]
fn a_pipeline_that_is_there_stays_unless_it_is_to_be_replaced() {
    let project = Project::recorded("steady");
    let answer = project.repro(&["ci", "github"]);
    answer.code(0);
    assert!(answer.stderr.contains("Created .github/workflows/repro.yml"), "{}", answer.stderr);
    assert!(!answer.stderr.contains("warning"), "{}", answer.stderr);
    let written = project.read(".github/workflows/repro.yml");
    project.write(".github/workflows/repro.yml", "# mine\n");
    let answer = project.repro(&["ci", "github"]);
    answer.code(1);
    assert!(
        answer
            .stderr
            .contains("is there already, and stays as it is\nhint: `--force` replaces it"),
        "{}",
        answer.stderr
    );
    assert_eq!(project.read(".github/workflows/repro.yml"), "# mine\n");
    let shown = project.repro(&["ci", "github", "--print"]).code(0).stdout.clone();
    assert_eq!(project.read(".github/workflows/repro.yml"), "# mine\n");
    project.repro(&["ci", "github", "--force"]).code(0);
    assert_eq!(project.read(".github/workflows/repro.yml"), written);
    assert_eq!(shown, written);
    assert!(project.leftovers().is_empty());
    project.repro(&["ci", "github", "--force", "--print"]).code(2);
}

#[test]
fn gitlabs_own_file_is_written_only_where_there_is_none_of_somebody_elses() {
    let said = |answer: &Answer| answer.code(0).stderr.clone();
    let project = Project::recorded("steady");
    assert!(said(&project.repro(&["ci", "gitlab"])).contains("Created .gitlab-ci.yml"));
    // It is known again.
    project.repro(&["ci", "gitlab"]).code(1);
    assert!(said(&project.repro(&["ci", "gitlab", "--force"])).contains("Replaced .gitlab-ci.yml"));
    project.write(".gitlab-ci.yml", "test:\n  script: [make]\n");
    let answer = project.repro(&["ci", "gitlab", "--force"]);
    assert!(said(&answer).contains("Created .gitlab/repro.yml"));
    assert!(answer.stdout.contains("include it in .gitlab-ci.yml"), "{}", answer.stdout);
    assert_eq!(project.read(".gitlab-ci.yml"), "test:\n  script: [make]\n");
    assert!(project.read(".gitlab/repro.yml").contains("- local: .gitlab/repro.yml"));
}

#[test]
fn a_pipeline_without_a_lock_comes_with_a_warning_and_programs_are_told_as_of_init() {
    let project = Project::fixture("steady");
    let answer = project.json(&["ci", "github"]);
    answer.code(0);
    assert_eq!(crate::schema::holds(&answer), ["warning", "verdict done"]);
    project.remove("repro.toml");
    let answer = project.repro(&["ci", "gitlab"]);
    answer.code(1);
    assert!(answer.stderr.contains("`cargo repro init` writes one"), "{}", answer.stderr);
}

#[test]
fn a_package_without_a_repository_has_no_pipeline() {
    let answer = Project::bare("steady", "project").repro(&["ci", "github"]);
    answer.code(1);
    assert!(answer.stderr.contains("is not in a git repository"), "{}", answer.stderr);
}

#[test]
fn the_jobs_in_the_document_are_jobs() {
    let document = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/ci.md");
    let document = std::fs::read_to_string(document).unwrap();
    let blocks = document.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let (jobs, others): (Vec<&str>, Vec<&str>) = blocks.partition(|block| block.contains("artifacts:"));
    assert_eq!(jobs.len(), 1);
    linters::jobs(jobs[0], "the_jobs_in_the_document_are_jobs");
    let steps: Vec<&str> = others.into_iter().filter(|block| block.contains("steps:")).collect();
    assert_eq!(steps.len(), 2);
    for block in steps {
        let triggers =
            "on: workflow_dispatch\njobs:\n  verify:\n    runs-on: ubuntu-24.04\n    timeout-minutes: 60\n    ";
        let job = block.trim_end().replace("# checkout, then:", "").replace('\n', "\n    ");
        linters::workflow(&(triggers.to_owned() + &job + "\n"), "the_jobs_in_the_document_are_jobs");
    }
}

/// The script of a step of a job.
fn run_of(workflow: &Value, job: &str, name: &str) -> String {
    let steps = workflow["jobs"][job]["steps"].as_array().unwrap();
    steps.iter().find(|step| step["name"] == name).unwrap()["run"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn the_steps_that_are_written_verify_and_end_as_the_command_does() {
    let project = in_a_directory();
    let trainer = project.root.join("trainer");
    let workflow = parsed(&project.repro(&["ci", "github", "-p", "trainer", "--print"]).code(0).stdout);
    let jobs = parsed(&project.repro(&["ci", "gitlab", "-p", "trainer", "--print"]).code(0).stdout);
    let runner = Runner::of(&project);
    runner.program("rustup", "exit 0");
    let place = runner.place.to_string_lossy();
    let top = project.root.parent().unwrap().to_path_buf();
    let top_name = top.to_string_lossy();
    let verify = run_of(&workflow, "verify", "Verify");
    let pack = run_of(&workflow, "verify", "Pack the outputs that differ");
    let lines = jobs["repro verify trainer"]["script"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line.as_str().unwrap());
    // Nothing is installed here.
    let script: Vec<&str> = lines.filter(|line| !line.starts_with("cargo +stable")).collect();
    let script = script.join("\n");
    let by_github = || runner.script(&verify, &trainer, &[("PACKAGE", "trainer"), ("RUNNER_TEMP", &place)]);
    let by_gitlab = || runner.script(&script, &top, &[("CI_PROJECT_DIR", &top_name), ("RUSTUP_TOOLCHAIN", "")]);
    for (code, said) in [by_github(), by_gitlab()] {
        assert_eq!(code, 0, "{said}");
        assert!(said.contains("reproduced:"), "{said}");
    }
    project.edit("trainer/numbers.csv", "1", "2");
    for (code, said) in [by_github(), by_gitlab()] {
        assert_eq!(code, 3, "{said}");
    }
    // Nothing was trained, so nothing is packed; whatever outputs are called, they are packed.
    let packed = runner.place.join("repro-report/outputs.tar.gz");
    let (code, said) = runner.script(&pack, &trainer, &[("RUNNER_TEMP", &place)]);
    assert!(code == 0 && !packed.exists(), "{said}");
    std::fs::create_dir_all(runner.place.join("repro-outputs")).unwrap();
    std::fs::write(runner.place.join("repro-outputs/a:b?.json"), "1").unwrap();
    let (code, said) = runner.script(&pack, &trainer, &[("RUNNER_TEMP", &place)]);
    assert!(code == 0 && packed.is_file(), "{said}");
}

#[test]
fn the_steps_that_are_written_gate_a_tag_by_the_protected_branch() {
    let project = Project::recorded("steady");
    project.named().repro(&["tag", "v0.1.0"]).code(0);
    git(project.around(), &["clone", "--quiet", "--bare", "project", "remote.git"]);
    let remote = project.around().join("remote.git");
    project.git(&["remote", "add", "origin", &remote.to_string_lossy()]);
    project.git(&["fetch", "--quiet", "origin"]);
    let workflow = parsed(&project.repro(&["ci", "github", "--print"]).code(0).stdout);
    let jobs = parsed(&project.repro(&["ci", "gitlab", "--print"]).code(0).stdout);
    let runner = Runner::of(&project);
    runner.program("rustup", "exit 0");
    let place = runner.place.to_string_lossy();
    let steps = ["Fetch the tag and what was signed", "Gate"]
        .map(|name| run_of(&workflow, "gate", name))
        .join("\n");
    let lines = jobs["repro gate"]["script"].as_array().unwrap().iter().map(|line| line.as_str().unwrap());
    let script: Vec<&str> = lines.filter(|line| !line.starts_with("cargo +stable")).collect();
    let script = script.join("\n");
    for tag in ["v0.1.0", "v9"] {
        // As a checkout leaves it.
        project.git(&["tag", "--force", tag, "HEAD"]);
        let github = [("TAG", tag), ("POLICY", "origin/main"), ("RUNNER_TEMP", &*place)];
        let gitlab = [
            ("CI_COMMIT_TAG", tag),
            ("CI_DEFAULT_BRANCH", "main"),
            ("CI_PROJECT_DIR", &*place),
        ];
        for (script, variables) in [(&steps, github), (&script, gitlab)] {
            let (code, said) = runner.script(script, &project.root, &variables);
            match tag {
                "v0.1.0" => assert!(code == 0 && said.contains("passed: v0.1.0 may be a release"), "{said}"),
                _ => assert!(code != 0 && !said.contains("passed:"), "{said}"),
            }
        }
    }
}
