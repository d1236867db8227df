//! Reports in files: each form is what its standard says it is, says what the verdict says, and takes no name
//! for markup. Those of the page are in `page.rs`, what a runner is told in `runner.rs`.

use std::path::Path;

use insta::assert_snapshot;
use quick_junit::{Report, TestCaseStatus};
use serde_json::Value;

use crate::support::messages::schema;
use crate::support::{Answer, Project, git, in_place_of};

/// Runs a command with a report of every form but the page; gives the answer and what is in the files.
#[track_caller]
fn filed(project: &Project, args: &[&str], code: i32) -> (Answer, Filed) {
    let directory = project.around().join("reports");
    let path = |name: &str| directory.join(name).to_string_lossy().into_owned();
    let paths = [path("r.md"), path("r.json"), path("r.sarif"), path("r.xml")];
    let mut all = args.to_vec();
    for path in &paths {
        all.extend(["--report", path]);
    }
    let answer = project.repro(&all);
    answer.code(code);
    let [markdown, json, sarif, junit] = paths.map(|path| std::fs::read_to_string(path).unwrap());
    let around = project.around().to_string_lossy().into_owned();
    for text in [&markdown, &json, &sarif, &junit] {
        assert!(!text.contains(&around), "a path of this machine is in it: {text}");
    }
    // XML 1.0, 2.2.
    let is_xml =
        |c: char| matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    assert!(junit.chars().all(is_xml), "{junit:?}");
    let filed = Filed {
        markdown,
        json: serde_json::from_str(&json).unwrap(),
        sarif: serde_json::from_str(&sarif).unwrap(),
        junit: Report::deserialize_from_str(&junit).unwrap(),
    };
    filed.is_sound(i64::from(code));
    (answer, filed)
}

struct Filed {
    markdown: String,
    json: Value,
    sarif: Value,
    junit: Report,
}

impl Filed {
    /// Every form is what its schema says, and all say the same exit code.
    #[track_caller]
    fn is_sound(&self, code: i64) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/schemas/sarif-2.1.0.json");
        let sarif: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        for (name, schema, report) in [("sarif", &sarif, &self.sarif), ("json", &schema(), &self.json)] {
            let validator = jsonschema::validator_for(schema).unwrap();
            let errors: Vec<String> = validator
                .iter_errors(report)
                .map(|error| format!("{error} at {}", error.instance_path()))
                .collect();
            assert!(errors.is_empty(), "{name}: {errors:#?}\n{report:#}");
        }
        assert_eq!(self.json["verdict"]["exit_code"], code);
        assert_eq!(self.sarif["runs"][0]["invocations"][0]["exitCode"], code);
        assert!(self.markdown.contains(&format!("| exit code | {code} ")), "{}", self.markdown);
        let bad: usize = self.junit.test_suites.iter().map(|suite| suite.failures + suite.errors).sum();
        assert_eq!(bad > 0, code != 0, "{:?}", self.junit);
    }

    /// The results, each as its rule, its level and its place.
    fn results(&self) -> Vec<String> {
        let results = self.sarif["runs"][0]["results"].as_array().unwrap();
        let text = |result: &Value| {
            let place = &result["locations"][0]["physicalLocation"];
            format!(
                "{} {} {}:{}",
                result["level"].as_str().unwrap(),
                result["ruleId"].as_str().unwrap(),
                place["artifactLocation"]["uri"].as_str().unwrap_or("-"),
                place["region"]["startLine"],
            )
        };
        results.iter().map(text).collect()
    }

    /// The cases of a suite, each with how it ended.
    #[track_caller]
    fn cases(&self, suite: &str) -> Vec<String> {
        let suite = self.junit.test_suites.iter().find(|known| known.name.as_str() == suite);
        let suite = suite.unwrap_or_else(|| panic!("no such suite in {:?}", self.junit));
        let ended = |status: &TestCaseStatus| match status {
            TestCaseStatus::Success { .. } => "ok",
            TestCaseStatus::NonSuccess { .. } => "bad",
            TestCaseStatus::Skipped { .. } => "skipped",
        };
        suite
            .test_cases
            .iter()
            .map(|case| format!("{} {}", ended(&case.status), case.name.as_str()))
            .collect()
    }
}

/// Seconds differ from run to run.
fn untimed(answer: &Answer, text: &str) -> String {
    regex::Regex::new(r"\| \d+\.\d \|")
        .unwrap()
        .replace_all(&answer.redact(text), "| [time] |")
        .into_owned()
}

#[test]
fn a_reproduced_model_is_reported_as_passed_tests_and_no_results() {
    let project = Project::recorded("steady");
    let (answer, filed) = filed(&project, &["verify"], 0);
    assert!(filed.results().is_empty());
    assert_eq!(filed.cases("stage train")[0], "ok train");
    assert!(filed.cases("stage train").contains(&"ok metric accuracy".to_owned()));
    assert!(filed.cases("build").contains(&"ok build".to_owned()));
    assert!(filed.cases("inputs").contains(&"ok data.numbers".to_owned()));
    let steps: Vec<&str> = filed.json["timings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|timing| timing["step"].as_str().unwrap())
        .collect();
    assert_eq!(steps, ["inputs", "checkout", "packages", "build", "train", "collect"]);
    assert_snapshot!(untimed(&answer, &filed.markdown));
}

#[test]
fn a_drift_is_reported_at_its_line_and_what_was_not_trained_as_skipped() {
    let project = Project::recorded("steady");
    project
        .edit("data/numbers.csv", "3.5", "3.6")
        .edit("repro.toml", "depth = 3", "depth = 4")
        .commit("other");
    for command in ["status", "verify"] {
        let (answer, filed) = filed(&project, &[command], 3);
        answer.code(3);
        let line =
            |path: &str, text: &str| project.read(path).lines().position(|line| line.contains(text)).unwrap() + 1;
        assert_eq!(
            filed.results(),
            [
                format!("error params-changed repro.toml:{}", line("repro.toml", "depth = 4")),
                format!("error data-changed data/numbers.csv:{}", line("data/numbers.csv", "3.6")),
            ]
        );
        let inputs = filed.cases("inputs");
        assert!(inputs.contains(&"bad data.numbers".to_owned()) && inputs.contains(&"bad params.depth".to_owned()));
        assert!(inputs.contains(&"ok params.rate".to_owned()) && inputs.contains(&"ok toolchain".to_owned()));
        assert!(filed.cases("stage train").iter().all(|case| case.starts_with("skipped")));
        assert_eq!(filed.cases("build"), ["skipped build"]);
        assert!(filed.cases("not checked").contains(&"skipped outcome".to_owned()));
        let rules = filed.sarif["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap();
        assert!(
            rules
                .iter()
                .all(|rule| rule["help"]["text"].as_str().is_some_and(|text| text.len() > 100)),
            "{rules:#?}"
        );
    }
}

#[test]
fn a_divergence_is_reported_output_by_output() {
    let project = Project::recorded("switch");
    project.write("../switch.txt", "other-split last-digits nan-loss more-words");
    let (_, filed) = filed(&project, &["verify"], 4);
    let cases = filed.cases("stage train");
    for case in [
        "ok train",
        "bad artifact model.json",
        "bad metric loss",
        "bad checkpoint split",
        "ok metric accuracy",
    ] {
        assert!(cases.contains(&case.to_owned()), "{case} in {cases:?}");
    }
    let results = filed.results();
    let lock = project.read("repro.lock");
    let metric = lock.lines().position(|line| line.contains("train.metrics.loss")).unwrap() + 1;
    assert!(results.contains(&format!("error metric-changed repro.lock:{metric}")), "{results:?}");
    assert!(results.iter().any(|result| result.starts_with("error artifact-changed repro.toml:")), "{results:?}");
    assert!(
        filed.markdown.contains("| metric-changed | `loss` (stage `train`) | `0.25` | `NaN` |"),
        "{}",
        filed.markdown
    );
}

#[test]
fn a_failed_build_is_reported_where_the_compiler_points() {
    let project = Project::recorded("steady");
    // Whoever broke it recorded nothing, so the lock's sources are made to say that this is what was meant.
    broken(&project);
    let (answer, filed) = filed(&project, &["verify"], 5);
    assert!(answer.stderr.contains("the build failed"), "{}", answer.stderr);
    assert_eq!(filed.results(), ["error build-failed src/main.rs:2"]);
    assert_eq!(filed.cases("build"), ["bad build"]);
    assert!(filed.cases("stage train").iter().all(|case| case.starts_with("skipped")));
    assert!(filed.cases("inputs").iter().all(|case| case.starts_with("ok")));
    assert!(filed.markdown.contains("mismatched types"), "{}", filed.markdown);
    assert!(filed.markdown.starts_with("## ❌ failed: the build failed"), "{}", filed.markdown);
    assert_eq!(filed.json["verdict"]["error"]["phase"], "build");
    // There is no verdict, but what was looked at is known.
    let commit = project.git(&["rev-parse", "HEAD"]);
    assert_eq!(filed.json["commit"], commit);
    assert!(filed.markdown.contains(&format!("| commit | `{commit}` |")), "{}", filed.markdown);
    let lock = project.lock().id.to_string();
    assert!(filed.markdown.contains(&format!("| lock | `{lock}` |")), "{}", filed.markdown);
    assert_eq!(filed.json["verdict"]["lock"], lock);
    let said = filed.json["verdict"]["error"]["output"].as_str().unwrap();
    assert!(said.contains("mismatched types"), "{said}");
}

#[test]
fn a_command_with_a_bar_can_be_copied_from_markdown() {
    let project = Project::recorded("steady");
    let (_, filed) = filed(&project, &["status", "-P", "filter=x|y"], 2);
    assert!(filed.markdown.contains("\n`cargo repro status -P 'filter=x|y'`\n"), "{}", filed.markdown);
}

/// A lock of a program that does not compile.
pub fn broken(project: &Project) {
    let old = sha256(&project.read("src/main.rs"));
    project.write("src/main.rs", "fn main() {\n    let number: u8 = \"text\";\n}\n");
    relock_file(project, "src/main.rs", &old);
}

/// A lock of a program whose build script panics.
pub fn panicking() -> Project {
    let project = Project::recorded_as("scripted", || {
        let project = Project::fixture("steady");
        project.write("build.rs", "fn main() {}\n").commit("a build script");
        project
    });
    let old = sha256(&project.read("build.rs"));
    project.write("build.rs", "fn main() {\n    panic!(\"no kernels for this machine\");\n}\n");
    relock_file(&project, "build.rs", &old);
    project
}

/// Makes the lock say that a script is what it was recorded with.
fn relock(project: &Project, old: &str) {
    relock_file(project, "scripts/train.sh", old);
}

fn relock_file(project: &Project, path: &str, old: &str) {
    project.edit("repro.lock", old, &sha256(&project.read(path)));
    let closure = |project: &Project| -> (String, String) {
        let answer = project.json(&["status"]).verdict();
        let drift = answer["drift"].as_array().unwrap().iter().find(|drift| drift["subject"] == "closure");
        drift.map_or_else(Default::default, |drift| {
            (drift["locked"].as_str().unwrap().to_owned(), drift["found"].as_str().unwrap().to_owned())
        })
    };
    project.reseal().commit("broken");
    let (locked, found) = closure(project);
    if !locked.is_empty() {
        project.edit("repro.lock", &locked, &found).reseal().commit("broken");
    }
}

fn sha256(text: &str) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_failed_training_is_reported_with_what_the_program_said() {
    let project = Project::recorded("switch");
    project.write("../switch.txt", "fail");
    let (_, filed) = filed(&project, &["verify"], 6);
    assert!(filed.results()[0].starts_with("error training-failed repro.toml:"), "{:?}", filed.results());
    assert_eq!(filed.cases("build"), ["ok build"]);
    assert_eq!(filed.cases("stage train")[0], "bad train");
    assert!(filed.json["verdict"]["error"]["output"].is_string(), "{:#}", filed.json);
    assert!(filed.cases("stage train")[1..].iter().all(|case| case.starts_with("skipped")));
}

#[test]
fn a_failure_always_has_a_case_and_what_ran_before_has_its_time() {
    let project = Project::fixture("command");
    project.edit(
        "repro.toml",
        "[stage.train]",
        "[stage.prepare]\ncommand = [\"sh\", \"-c\", \"echo 1 > ready.txt\"]\nartifacts = [\"ready.txt\"]\n\n[stage.train]\nneeds = [\"prepare\"]",
    );
    project.commit("two stages").record();
    let old = sha256(&project.read("scripts/train.sh"));
    let steps = |filed: &Filed| {
        let timings = filed.json["timings"].as_array().unwrap().iter();
        timings
            .filter_map(|timing| timing["stage"].as_str().map(str::to_owned))
            .collect::<Vec<_>>()
    };
    for (end, case) in [("kill -TERM $$", "bad train"), ("exit 3", "bad train")] {
        let script = project.read("scripts/train.sh");
        project.write("scripts/train.sh", &format!("{script}{end}\n"));
        relock(&project, &old);
        let (_, filed) = filed(&project, &["verify"], 6);
        assert_eq!(filed.cases("stage train")[0], case, "{end}");
        assert_eq!(filed.cases("stage prepare")[0], "ok prepare", "it ran");
        assert!(filed.cases("stage prepare")[1..].iter().all(|case| case.starts_with("skipped")));
        assert_eq!(steps(&filed), ["prepare", "train"]);
        project.git(&["checkout", "--quiet", "HEAD~1", "--", "scripts", "repro.lock"]);
    }
}

#[test]
fn outputs_that_were_not_compared_do_not_pass() {
    let project = Project::recorded("switch");
    project.write("../switch.txt", "edit-data other-accuracy");
    let (_, filed) = filed(&project, &["verify"], 3);
    let cases = filed.cases("stage train");
    assert_eq!(cases[0], "ok train");
    assert!(cases[1..].iter().all(|case| case.starts_with("skipped")), "{cases:?}");
}

#[test]
fn a_warning_is_told_beside_what_passes() {
    let project = Project::recorded("steady");
    let path = project.around().join("r.xml");
    let mut command = project.command(&["status", "--report", &path.to_string_lossy()]);
    project.answer(command.env("RUSTFLAGS", "-Copt-level=0")).code(0);
    let report = Report::deserialize_from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let cases = report.test_suites.iter().flat_map(|suite| &suite.test_cases);
    let build = cases.into_iter().find(|case| case.name.as_str() == "build").unwrap();
    assert!(matches!(build.status, TestCaseStatus::Success { .. }));
    assert!(build.system_out.as_ref().unwrap().as_str().contains("build-changed RUSTFLAGS"), "{build:?}");
}

#[test]
fn a_lock_that_is_not_there_is_told_without_a_path_of_this_machine() {
    let project = Project::recorded("steady");
    project.remove("repro.lock").commit("gone");
    let (answer, filed) = filed(&project, &["verify"], 1);
    assert!(answer.stderr.contains(&*project.root.to_string_lossy()), "whoever is here is told where");
    assert!(filed.markdown.contains("there is no repro.lock"), "{}", filed.markdown);
    assert_eq!(filed.results(), ["error not-judged repro.lock:null"]);
}

#[test]
fn a_lock_that_cannot_be_read_is_reported_and_no_input_passes() {
    let project = Project::recorded("steady");
    project.write("repro.lock", "no lock\n");
    let (_, filed) = filed(&project, &["verify"], 1);
    assert_eq!(filed.results().len(), 1);
    assert!(filed.results()[0].starts_with("error not-judged"), "{:?}", filed.results());
    assert!(filed.cases("inputs").iter().all(|case| !case.starts_with("ok")), "{:?}", filed.cases("inputs"));
}

#[test]
fn a_mistake_in_the_manifest_is_reported_at_its_line() {
    let project = Project::recorded("steady");
    project.edit("repro.toml", "seed = 42", "seed = \"many\"");
    let line = project.read("repro.toml").lines().position(|line| line.contains("many")).unwrap() + 1;
    let (_, filed) = filed(&project, &["verify"], 1);
    assert_eq!(filed.results(), [format!("error not-judged repro.toml:{line}")]);
    assert_eq!(filed.cases("inputs")[0], "bad project");
}

#[test]
fn a_package_that_cargo_refuses_is_reported_at_its_line_in_cargo_lock_and_nothing_else_passes() {
    let project = Project::recorded("steady");
    project.edit("Cargo.lock", "version = \"0.1.0\"", "version = \"0.2.0\"");
    let line = project.read("Cargo.lock").lines().position(|line| line == "name = \"steady\"").unwrap() + 1;
    for command in ["verify", "status"] {
        let (_, filed) = filed(&project, &[command], 3);
        assert_eq!(filed.results(), [format!("error dependency-changed Cargo.lock:{line}")]);
        let inputs = filed.cases("inputs");
        assert!(inputs.contains(&"bad dependencies".to_owned()) && inputs.contains(&"skipped data.numbers".to_owned()));
        assert!(!inputs.iter().any(|case| case.starts_with("ok")), "{inputs:?}");
        assert!(filed.markdown.contains("| package | `steady` |"), "{}", filed.markdown);
    }
}

#[test]
fn a_refused_tag_is_reported_with_each_reason() {
    let project = Project::gated("tags = \"v*\"\nconfirmed = 3\nversion = \"v{version}\"\n");
    project.tag("v9.9.9");
    let (_, filed) = filed(&project, &["gate", "v9.9.9"], 8);
    let results = filed.results();
    assert!(results.iter().any(|result| result.starts_with("error version-other Cargo.toml:")), "{results:?}");
    assert!(results.iter().any(|result| result.starts_with("error lock-unconfirmed repro.lock:")), "{results:?}");
    let cases = filed.cases("gate");
    let reasons = results.iter().filter(|result| result.starts_with("error")).count();
    assert_eq!((cases[0].as_str(), cases.len()), ("bad release", 1 + reasons));
    assert!(filed.markdown.contains("| tag | `v9.9.9` |"), "{}", filed.markdown);
}

#[test]
fn a_cause_is_reported_before_what_it_causes() {
    let project = Project::recorded("entropy");
    let (_, filed) = filed(&project, &["explain"], 4);
    let results = filed.results();
    assert!(results[0].starts_with("error process-entropy src/main.rs:"), "{results:?}");
    assert_eq!(filed.json["command"], "explain");
}

/// Bytes that mean something to HTML, Markdown, XML, terminals and runners.
pub const HOSTILE: &str = "a|b`c<img src=x onerror=alert(1)>]]>&amp;\"' **d** [e](mailto:f@g.h) www.f.com ::error::g ##[set-output name=h]i 100% $j$ @k {0}";

/// A package whose data, metrics and parameters have such names.
pub fn hostile() -> Project {
    Project::recorded_as("hostile", || {
        let project = Project::fixture("command");
        project.write(&format!("many/{HOSTILE}.csv"), "a,b\n1,2\n3,4\n");
        project.write("many/\u{202e}gpj.\u{1b}[31m\r\n::error::x.csv", "a,b\n1,2\n3,4\n");
        project.edit("repro.toml", "[data]\n", "[data]\nmany = \"many\"\n");
        let metrics =
            serde_json::json!({HOSTILE: 1, "none \u{fffe}\u{fdd0}": 1, "nan": "NaN", "inf": "-inf", "sum": 2})
                .to_string();
        project.write("metrics.txt", &metrics);
        project.edit(
            "scripts/train.sh",
            "printf '{\"sum\": %s}\\n' \"$sum\" > metrics.json",
            "cat metrics.txt > metrics.json",
        );
        project.commit("hostile");
        project
    })
}

#[test]
fn names_are_no_markup_in_any_form() {
    let project = hostile();
    project.write(&format!("many/{HOSTILE}.csv"), "a,b\n1,2\n3,5\n");
    project
        .write("many/\u{202e}gpj.\u{1b}[31m\r\n::error::x.csv", "a,b\n1,2\n3,5\n")
        .commit("other data");
    let (_, drifted) = filed(&project, &["verify"], 3);
    let results = drifted.sarif["runs"][0]["results"].as_array().unwrap();
    let messages: Vec<&str> = results.iter().map(|result| result["message"]["text"].as_str().unwrap()).collect();
    // In a message braces are doubled, and an invisible character keeps brackets from being a link.
    let said = HOSTILE.replace("](", "]\u{200b}(").replace("{0}", "{{0}}");
    assert!(messages.iter().any(|text| text.contains(&said)), "{messages:?}");
    assert!(messages.iter().all(|text| !text.contains("](")), "{messages:?}");
    for result in results {
        let uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap();
        assert!(uri.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~/%".contains(&byte)), "{uri}");
    }
    is_plain(&drifted.markdown);

    let project = hostile();
    let one = "value = \"1\"\nbits = \"3ff0000000000000\"";
    project
        .edit("repro.lock", one, "value = \"NaN\"\nbits = \"7ff8000000000000\"")
        .reseal()
        .commit("other metrics");
    let (_, diverged) = filed(&project, &["verify"], 4);
    let name = format!("bad metric \"{}\"", HOSTILE.replace('\\', "\\\\").replace('"', "\\\""));
    assert!(diverged.cases("stage train").contains(&name), "{:?}", diverged.cases("stage train"));
    is_plain(&diverged.markdown);
}

/// Markdown that has nothing in it but what we write ourselves.
#[track_caller]
fn is_plain(markdown: &str) {
    use pulldown_cmark::{Event, Options, Parser, Tag};
    for event in Parser::new_ext(markdown, Options::all()) {
        match event {
            Event::Html(html) | Event::InlineHtml(html) => {
                assert!(["<br>", "<sub>", "</sub>"].contains(&html.trim()), "{html}\n{markdown}");
            }
            Event::Start(tag @ (Tag::Link { .. } | Tag::Image { .. } | Tag::Emphasis | Tag::Strikethrough)) => {
                panic!("{tag:?}\n{markdown}");
            }
            Event::InlineMath(text) | Event::DisplayMath(text) => panic!("{text}\n{markdown}"),
            _ => {}
        }
    }
    assert!(!markdown.contains('\u{1b}') && !markdown.contains('\r'), "{markdown:?}");
}

#[test]
fn a_report_of_no_known_form_is_refused_before_anything_is_done() {
    let project = Project::recorded("steady");
    let answer = project.repro(&["verify", "--report", "verdict.pdf"]);
    answer.code(2);
    assert!(!answer.stderr.contains("Verifying"), "{}", answer.stderr);
    assert_snapshot!(answer.text());
}

#[test]
fn a_report_that_cannot_be_written_is_refused_before_anything_is_done() {
    let project = Project::recorded("steady");
    let answer = project.repro(&["verify", "--report", &format!("{}.md", "x".repeat(300))]);
    answer.code(1);
    assert!(!answer.stderr.contains("Verifying"), "{}", answer.stderr);
    project.repro(&["verify", "--report", "new/r.md", "--report", "r.pdf"]).code(2);
    assert!(!project.root.join("new").exists(), "a refusal makes nothing");
    for path in ["src/main.rs/verdict.md", "src.md"] {
        std::fs::create_dir_all(project.root.join("src.md")).unwrap();
        let answer = project.repro(&["verify", "--report", path]);
        answer.code(1);
        assert!(answer.stderr.starts_with("error: could not "), "{}", answer.stderr);
        assert!(!answer.stderr.contains("Verifying"), "{}", answer.stderr);
    }
    let answer = project.repro(&["verify", "--report", "src.md"]);
    assert!(answer.stderr.contains("hint: nothing was done yet"), "{}", answer.stderr);
}

#[test]
fn a_report_never_takes_the_place_of_what_it_is_about() {
    let project = Project::recorded("steady");
    let model = project.read("model.json");
    for path in ["model.json", "src/../model.json", "data/numbers.csv/../../metrics.json"] {
        let answer = project.repro(&["verify", "--report", path]);
        assert!(matches!(answer.code, Some(1 | 2)), "{path}: {}", answer.stderr);
        assert!(answer.stdout.is_empty(), "{}", answer.stdout);
    }
    let answer = project.repro(&["verify", "--report", "model.json"]);
    answer.code(2);
    assert!(
        answer.stderr.contains("error: model.json is no place for a report: repro.toml names it"),
        "{}",
        answer.stderr
    );
    assert_eq!(project.read("model.json"), model);

    // What another package is made of.
    let other = Project::recorded("steady");
    let path = other.root.join("model.json").to_string_lossy().into_owned();
    let kept = other.read("model.json");
    project.repro(&["status", "--report", &path]).code(2);
    assert_eq!(other.read("model.json"), kept);

    // Data outside the package, asked of from elsewhere; and a source that the program takes in.
    let project = Project::fixture("steady");
    project
        .write("../shared/labels.json", "[1]\n")
        .write("src/k.json", "{}\n")
        .edit("repro.toml", "[data]\n", "[data]\nlabels = \"../shared/labels.json\"\n")
        .edit("src/main.rs", "fn main() {", "const _: &str = include_str!(\"k.json\");\nfn main() {")
        .commit("more");
    project.record();
    let manifest = project.root.join("Cargo.toml").to_string_lossy().into_owned();
    for (path, kept) in [("shared/labels.json", "[1]\n"), ("project/src/../src/k.json", "{}\n")] {
        let mut command = project.command(&["status", "--manifest-path", &manifest, "--report", path]);
        let answer = project.answer(command.current_dir(project.around()));
        answer.code(2);
        assert!(answer.stderr.contains("is no place for a report"), "{}", answer.stderr);
        assert_eq!(std::fs::read_to_string(project.around().join(path)).unwrap(), kept);
    }
}

#[test]
fn a_report_follows_links_and_leaves_them() {
    use std::os::unix::fs::symlink;
    let project = Project::recorded("steady");
    let around = project.around();
    std::fs::create_dir(around.join("kept")).unwrap();
    std::fs::write(around.join("kept/old.md"), "old").unwrap();
    for (link, target) in [
        ("old.md", "kept/old.md"),
        ("new.md", "kept/new.md"),
        ("twice.md", "new.md"),
    ] {
        symlink(target, around.join(link)).unwrap();
        project.repro(&["status", "--report", &format!("../{link}")]).code(0);
        assert_eq!(std::fs::read_link(around.join(link)).unwrap(), Path::new(target));
        let text = std::fs::read_to_string(around.join(link)).unwrap();
        assert!(text.starts_with("## ✅ unchanged"), "{text}");
    }
    assert_eq!(std::fs::read_dir(around.join("kept")).unwrap().count(), 2, "nothing else is left there");

    // Where a link leads counts, whether or not anything is there.
    project.edit("repro.toml", "[data]\n", "[data]\nmore = \"more/*.json\"\n");
    let project_name = project.root.file_name().unwrap().to_string_lossy().into_owned();
    for (link, target) in [("a.json", "model.json"), ("b.json", "more/new.json")] {
        symlink(format!("{project_name}/{target}"), around.join(link)).unwrap();
        let answer = project.repro(&["status", "--report", &format!("../{link}")]);
        answer.code(2);
        assert!(answer.stderr.contains(&format!("{target} is no place for a report")), "{}", answer.stderr);
    }
    symlink("round.md", around.join("round.md")).unwrap();
    symlink("kept", around.join("directory.md")).unwrap();
    for link in ["round.md", "directory.md"] {
        project.repro(&["status", "--report", &format!("../{link}")]).code(1);
        assert!(around.join(link).is_symlink());
    }
}

#[test]
fn a_report_goes_through_a_pipe() {
    use std::os::unix::fs::FileTypeExt as _;
    let project = Project::recorded("steady");
    let pipe = project.around().join("pipe.md");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let read = std::thread::spawn({
        let pipe = pipe.clone();
        move || {
            // Whoever reads may come late.
            std::thread::sleep(std::time::Duration::from_millis(1000));
            std::fs::read_to_string(pipe).unwrap()
        }
    });
    project.repro(&["status", "--report", "../pipe.md"]).code(0);
    assert!(std::fs::symlink_metadata(&pipe).unwrap().file_type().is_fifo());
    assert!(read.join().unwrap().starts_with("## ✅ unchanged"));

    // Or not at all.
    let mut child = project
        .command(&["status", "--report", "../pipe.md"])
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(std::time::Duration::from_millis(1500));
    std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));

    std::os::unix::fs::symlink("/dev/stdout", project.around().join("stdout.json")).unwrap();
    let answer = project.repro(&["status", "--quiet", "--report", "../stdout.json"]);
    answer.code(0);
    assert!(answer.stdout.starts_with("{\n  \"command\": \"status\""), "{}", answer.stdout);
}

#[test]
fn a_report_is_as_private_as_the_umask_has_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let project = Project::recorded("steady");
    let binary = env!("CARGO_BIN_EXE_cargo-repro");
    for (umask, mode) in [("077", 0o600), ("022", 0o644)] {
        let script = format!("umask {umask}; exec '{binary}' repro status --report ../r.md");
        let mut command = in_place_of(&project.command(&[]), "sh");
        project.answer(command.args(["-c", &script])).code(0);
        let meta = std::fs::metadata(project.around().join("r.md")).unwrap();
        assert_eq!(meta.permissions().mode() & 0o777, mode);
    }
}

#[test]
fn a_success_whose_report_cannot_be_written_after_all_is_no_success() {
    let project = Project::recorded("switch");
    let reports = project.around().join("reports");
    let path = reports.join("r.md").to_string_lossy().into_owned();
    let verify = |words: &str, code: i32| {
        project.write("../switch.txt", words);
        let answer = project.repro(&["verify", "--report", &path]);
        answer.code(code);
        std::fs::remove_file(&reports).unwrap();
        answer
    };
    let answer = verify("clear=reports", 1);
    let said = &answer.stderr;
    assert!(said.contains("error: could not write") && said.contains("the verdict itself: reproduced"), "{said}");
    assert!(answer.stdout.is_empty(), "what looks like success is not said: {}", answer.stdout);

    let answer = verify("clear=reports other-accuracy", 4);
    assert!(answer.stderr.contains("warning: could not write"), "{}", answer.stderr);
    assert!(answer.stdout.starts_with("diverged: "), "{}", answer.stdout);
}

#[test]
fn an_interrupted_command_writes_no_report() {
    let project = Project::recorded("switch");
    project.write("../switch.txt", "hang");
    let path = project.around().join("r.md");
    let mut command = project.command(&["verify", "--report", &path.to_string_lossy()]);
    let null = std::process::Stdio::null;
    let mut child = command.stderr(null()).stdout(null()).spawn().unwrap();
    while !project.around().join("switch.began").exists() {
        assert!(child.try_wait().unwrap().is_none(), "it does not train");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(!path.exists());
    assert_eq!(project.leftovers(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn places_are_from_the_top_of_the_repository_whatever_is_asked_of() {
    let project = Project::recorded("steady");
    // The whole package moves into a subdirectory, lock and all.
    let names = [
        "Cargo.toml",
        "Cargo.lock",
        "repro.toml",
        "repro.lock",
        "src",
        "data",
        "model.json",
        "metrics.json",
    ];
    std::fs::create_dir_all(project.root.join("models/one")).unwrap();
    for name in names {
        let from = project.root.join(name);
        if from.exists() {
            std::fs::rename(from, project.root.join("models/one").join(name)).unwrap();
        }
    }
    project.edit("models/one/repro.toml", "depth = 3", "depth = 4").commit("moved");
    let directory = project.around().join("reports");
    let path = directory.join("r.sarif");
    let mut command = project.command(&["status", "--report", &path.to_string_lossy()]);
    let answer = project.answer(command.current_dir(project.root.join("models/one")));
    answer.code(3);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("\"uri\": \"models/one/repro.toml\""), "{text}");

    // Of a revision, the lines are those of its files.
    let project = Project::recorded("steady");
    project.edit("repro.toml", "depth = 3", "depth = 4").commit("other");
    let before = project.read("repro.toml");
    project.write("repro.toml", &format!("# one more line\n{before}")).commit("later");
    let (_, filed) = filed(&project, &["verify", "--rev", "HEAD~1"], 3);
    let line = before.lines().position(|line| line.contains("depth = 4")).unwrap() + 1;
    assert_eq!(filed.results(), [format!("error params-changed repro.toml:{line}")]);
    assert_eq!(filed.json["repeat"], "cargo repro verify --rev HEAD~1");
}

#[test]
fn how_to_repeat_it_begins_at_the_top_of_the_repository() {
    let project = Project::bare("workspace", "top/it's ml");
    let top = project.root.parent().unwrap();
    git(top, &["init", "--quiet"]);
    project.commit("start");
    let page = project.around().join("reports/r.html").to_string_lossy().into_owned();
    let (_, filed) = filed(&project, &["status", "-p", "trainer", "--report", &page], 1);
    let repeat = r"cd 'it'\''s ml/trainer' && cargo repro status";
    assert_eq!(filed.json["repeat"], repeat);
    assert!(filed.markdown.contains(&format!("\n`{repeat}`\n")), "{}", filed.markdown);
    assert_eq!(filed.sarif["runs"][0]["invocations"][0]["commandLine"], repeat);
    let page = scraper::Html::parse_document(&std::fs::read_to_string(page).unwrap());
    let commands = scraper::Selector::parse("#repeat pre").unwrap();
    assert!(page.select(&commands).any(|command| command.text().collect::<String>() == repeat));
    // It does what was done.
    let binary = format!("'{}' repro", env!("CARGO_BIN_EXE_cargo-repro"));
    let line = repeat.replace("cargo repro", &binary) + " --message-format json";
    let again = project.answer(std::process::Command::new("sh").args(["-c", &line]).current_dir(top));
    let asked = project.json(&["status", "-p", "trainer"]);
    assert_eq!(again.verdict(), asked.verdict());
}

#[test]
fn a_source_that_is_no_file_any_more_holds_no_report_up() {
    let project = Project::recorded("steady");
    project.remove("src/main.rs");
    let made = std::process::Command::new("mkfifo").arg(project.root.join("src/main.rs")).status();
    assert!(made.unwrap().success());
    let answer = project.repro(&["status", "--report", "../r.sarif"]);
    answer.code(3);
    assert!(project.read("../r.sarif").contains("source-dirty"), "{}", answer.stdout);
}
