//! What a GitHub runner is told: the job's summary and annotations; and that nothing of it is said elsewhere.

use std::path::PathBuf;

use crate::filed::{HOSTILE, broken, hostile, panicking};
use crate::support::{Answer, Project};

/// A step of a job, with the runner's files.
struct Step {
    summary: PathBuf,
}

impl Step {
    fn of(project: &Project) -> Self {
        let summary = project.around().join("summary.md");
        std::fs::write(&summary, "").unwrap();
        Self { summary }
    }

    fn run(&self, project: &Project, args: &[&str]) -> Answer {
        let mut command = project.command(args);
        command
            .env("CI", "true")
            .env("GITHUB_ACTIONS", "true")
            .env("GITHUB_STEP_SUMMARY", &self.summary);
        project.answer(&mut command)
    }

    fn summary(&self) -> String {
        std::fs::read_to_string(&self.summary).unwrap()
    }
}

/// The commands that a runner would carry out, as it finds them: those whose line begins so, and none between a
/// `stop-commands` and its token.
fn commands(answer: &Answer) -> Vec<String> {
    let mut stopped: Option<String> = None;
    let mut commands = Vec::new();
    for line in answer.stderr.lines().chain(answer.stdout.lines()) {
        let line = line.trim_start();
        match &stopped {
            Some(token) if line == format!("::{token}::") => stopped = None,
            Some(_) => {}
            None if line.starts_with("::") => match line.strip_prefix("::stop-commands::") {
                Some(token) => stopped = Some(token.to_owned()),
                None => commands.push(line.to_owned()),
            },
            None if line.contains("##[") => commands.push(line.to_owned()),
            None => {}
        }
    }
    assert_eq!(stopped, None, "later steps may give commands again");
    commands
}

#[test]
fn a_runner_is_told_the_lines_and_a_summary_that_begins_with_a_table() {
    let project = Project::recorded("steady");
    project
        .edit("data/numbers.csv", "3.5", "3.6")
        .edit("repro.toml", "depth = 3", "depth = 4")
        .commit("other");
    for command in ["verify", "status"] {
        let step = Step::of(&project);
        let answer = step.run(&project, &[command]);
        answer.code(3);
        let commands = commands(&answer);
        assert_eq!(commands.len(), 2, "{commands:?}");
        assert!(commands[0].starts_with("::error file=repro.toml,line="), "{commands:?}");
        assert!(
            commands[0].contains(
                ",title=params-changed params.depth::the parameter depth has another value%0Alocked 3, found 4"
            ),
            "{commands:?}"
        );
        assert!(commands[1].starts_with("::error file=data/numbers.csv,line="), "{commands:?}");
        let summary = step.summary();
        assert!(summary.starts_with("\n## ❌ drifted: 2 inputs are not as in repro.lock"), "{summary}");
        let (table, differences) = (summary.find("| package |").unwrap(), summary.find("| params-changed |").unwrap());
        assert!(table < differences && differences < summary.find("### Not checked").unwrap());
    }
}

#[test]
fn a_source_that_changed_is_annotated_on_the_first_line_that_did() {
    let project = Project::recorded("steady");
    let text = project.read("src/main.rs");
    let (begin, end) = text.split_at(text.find("\nfn main").unwrap() + 1);
    project.write("src/main.rs", &format!("{begin}// A remark.\n{end}")).commit("a remark");
    let line = begin.lines().count() + 1;
    let answer = Step::of(&project).run(&project, &["status"]);
    answer.code(3);
    let expected = format!("::error file=src/main.rs,line={line},title=source-changed src/main.rs::");
    let commands = commands(&answer);
    assert!(commands[0].starts_with(&expected), "{commands:?}");
}

#[test]
fn a_gate_tells_the_runner_too() {
    let project = Project::gated("tags = \"v*\"\nversion = \"v{version}\"\n");
    project.tag("v9.9.9");
    let step = Step::of(&project);
    let answer = step.run(&project, &["gate", "v9.9.9"]);
    answer.code(8);
    assert!(
        commands(&answer)
            .iter()
            .any(|command| command.starts_with("::error file=Cargo.toml,line=")),
        "{}",
        answer.stderr
    );
    assert!(step.summary().contains("version-other"), "{}", step.summary());
}

#[test]
fn a_report_that_has_no_place_is_told_to_the_runner_too() {
    let project = Project::recorded("steady");
    for (path, code) in [("/proc/x.html", 1), ("x.pdf", 2), ("model.json", 2)] {
        for command in [&["status"][..], &["verify"], &["explain"], &["gate", "v1"]] {
            let step = Step::of(&project);
            let answer = step.run(&project, &[command, &["--report", path]].concat());
            answer.code(code);
            let commands = commands(&answer);
            assert_eq!(commands.len(), 1, "{commands:?}");
            assert!(commands[0].starts_with("::error ") && commands[0].contains(path), "{commands:?}");
            assert!(step.summary().contains("## ❌ failed: "), "{}", step.summary());
            assert!(step.summary().contains("| package | `steady` |"), "{}", step.summary());
        }
    }
}

#[test]
fn a_success_has_a_summary_and_no_annotation() {
    let project = Project::recorded("steady");
    let step = Step::of(&project);
    std::fs::write(&step.summary, "what the step wrote before").unwrap();
    let answer = step.run(&project, &["verify"]);
    answer.code(0);
    assert_eq!(commands(&answer), [""; 0]);
    assert!(step.summary().starts_with("what the step wrote before\n## ✅ reproduced"), "{}", step.summary());
}

#[test]
fn nothing_of_it_is_said_elsewhere() {
    let project = Project::recorded("steady");
    project.edit("repro.toml", "depth = 3", "depth = 4").commit("other");
    let step = Step::of(&project);
    for variables in [&[][..], &[("GITHUB_ACTIONS", "false")], &[("CI", "true")]] {
        let mut command = project.command(&["status"]);
        command.env("GITHUB_STEP_SUMMARY", &step.summary).envs(variables.iter().copied());
        let answer = project.answer(&mut command);
        answer.code(3);
        assert_eq!(commands(&answer), [""; 0]);
        assert!(!answer.stderr.contains("::"), "{}", answer.stderr);
        assert_eq!(step.summary(), "");
    }
    // Commands that judge nothing have nothing to annotate.
    let answer = step.run(&project, &["show"]);
    answer.code(0);
    assert_eq!((commands(&answer).len(), step.summary().len()), (0, 0));
}

#[test]
fn programs_read_json_on_a_runner_as_elsewhere() {
    let project = Project::recorded("steady");
    project.edit("repro.toml", "depth = 3", "depth = 4").commit("other");
    let step = Step::of(&project);
    let answer = step.run(&project, &["status", "--message-format", "json"]);
    answer.code(3);
    assert_eq!(answer.verdict()["verdict"], "drifted");
    assert_eq!(commands(&answer).len(), 1, "annotations are on stderr");
}

#[test]
fn a_summary_file_that_vanished_is_a_warning_and_changes_no_verdict() {
    let project = Project::recorded("steady");
    let step = Step::of(&project);
    std::fs::remove_file(&step.summary).unwrap();
    let answer = step.run(&project, &["verify"]);
    answer.code(0);
    assert!(answer.stderr.contains("warning: no job summary was written: could not open"), "{}", answer.stderr);
    let answer = step.run(&project, &["status", "--message-format", "json"]);
    answer.code(0);
    assert_eq!(answer.lines()[0]["reason"], "warning");
    assert!(!step.summary.exists(), "a file that the runner does not read is not made");
}

#[test]
fn many_findings_make_ten_annotations_one_of_each_kind_first_and_a_summary_within_its_limit() {
    let many = || {
        let project = Project::fixture("command");
        for number in 0..3000 {
            project.write(&format!("many/{number:04}-{}.txt", "x".repeat(150)), "text\n");
        }
        project.edit("repro.toml", "[data]\n", "[data]\nmany = \"many\"\n").commit("many");
        project
    };
    let project = Project::recorded_as("three-thousand", many);
    for number in 0..3000 {
        project.write(&format!("many/{number:04}-{}.txt", "x".repeat(150)), "other\n");
    }
    project
        .edit("repro.toml", "seed = 42", "seed = 43")
        .edit("repro.toml", "depth = 3", "depth = 4")
        .commit("other");
    let step = Step::of(&project);
    let answer = step.run(&project, &["verify"]);
    answer.code(3);
    let commands = commands(&answer);
    assert_eq!(commands.len(), 10);
    let titles: Vec<&str> = commands
        .iter()
        .map(|command| command.split("title=").nth(1).unwrap().split(' ').next().unwrap())
        .collect();
    assert_eq!(titles[..4], ["seed-changed", "params-changed", "data-changed", "data-changed"]);
    let summary = step.summary();
    assert!(summary.len() <= 1024 * 1024 && summary.len() > 100_000, "{}", summary.len());
    assert!(summary.contains("more.") && summary.contains("### How to repeat it"), "it is whole");

    let room = 1024 * 1024 - 6000;
    std::fs::write(&step.summary, "x".repeat(room)).unwrap();
    step.run(&project, &["status"]).code(3);
    let summary = step.summary();
    assert!(summary.len() <= 1024 * 1024 && summary.contains("seed-changed"), "{}", summary.len());

    std::fs::write(&step.summary, "x".repeat(1024 * 1024 - 10)).unwrap();
    let answer = step.run(&project, &["status"]);
    answer.code(3);
    assert!(answer.stderr.contains("has no room left"), "{}", answer.stderr);
    assert_eq!(step.summary().len(), 1024 * 1024 - 10);
}

#[test]
fn names_give_a_runner_no_commands() {
    let project = hostile();
    project.write(&format!("many/{HOSTILE}.csv"), "a,b\n1,2\n3,5\n");
    project
        .write("many/\u{202e}gpj.\u{1b}[31m\r\n::error::x.csv", "a,b\n1,2\n3,5\n")
        .commit("other data");
    let step = Step::of(&project);
    for args in [&["verify"][..], &["status", "--message-format", "json"]] {
        let answer = step.run(&project, args);
        answer.code(3);
        let commands = commands(&answer);
        assert_eq!(commands.len(), 2, "{commands:#?}");
        for command in commands {
            assert!(command.starts_with("::error file=many/"), "{command}");
            let (properties, _) = command["::error ".len()..].split_once("::").unwrap();
            let names: Vec<&str> = properties.split(',').map(|part| part.split('=').next().unwrap()).collect();
            assert!(names == ["file", "line", "title"] || names == ["file", "title"], "{command}");
        }
    }
}

#[test]
fn what_the_program_prints_gives_a_runner_no_commands() {
    let loud = || {
        let project = Project::fixture("command");
        let lines = "printf '::error::from the program\\n  ::add-mask::x\\n##[set-output name=a]b\\n::stop-commands::mine\\n'; printf '::notice::at the end'\n";
        project.edit("scripts/train.sh", "set -eu\n", &format!("set -eu\n{lines}")).commit("loud");
        project
    };
    let project = Project::recorded_as("loud", loud);
    let step = Step::of(&project);
    for args in [&["verify"][..], &["record"], &["verify", "--times", "2"]] {
        let answer = step.run(&project, args);
        answer.code(0);
        assert!(answer.stderr.contains("from the program"), "what it prints is shown");
        assert_eq!(commands(&answer), [""; 0], "{}", answer.stderr);
    }
    // An error shows the end of what it printed.
    project
        .edit("scripts/train.sh", "set -eu\n", "set -eu\necho '::error::last'; exit 3\n")
        .commit("fails");
    let answer = step.run(&project, &["record", "--quiet"]);
    answer.code(6);
    assert_eq!(commands(&answer), [""; 0], "{}", answer.stderr);
}

#[test]
fn a_failed_build_is_annotated_where_the_compiler_points() {
    let project = Project::recorded("steady");
    broken(&project);
    let step = Step::of(&project);
    let answer = step.run(&project, &["verify"]);
    answer.code(5);
    let commands = commands(&answer);
    assert!(
        commands[0].starts_with("::error file=src/main.rs,line=2,title=build-failed build::"),
        "{commands:?}"
    );
    assert!(commands[0].contains("%0Aerror[E0308]: mismatched types%0Ahint: "), "{commands:?}");
    assert!(step.summary().contains("mismatched types"), "{}", step.summary());
}

#[test]
fn a_build_script_that_panics_is_annotated_where_it_does_and_with_what_it_says() {
    let project = panicking();
    let answer = Step::of(&project).run(&project, &["verify"]);
    answer.code(5);
    let commands = commands(&answer);
    assert!(commands[0].starts_with("::error file=build.rs,line=2,title=build-failed build::"), "{commands:?}");
    assert!(commands[0].contains("%0Ano kernels for this machine%0Ahint: "), "{commands:?}");
}
