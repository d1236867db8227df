//! What a stage gives is kept as what it is, to the last digit and bit; what changes in every run can be left out, and that
//! is said. The stages are shell scripts, so nothing is built.

use serde_json::Value;

use super::support::Project;

/// A package whose one stage is a script, with these lines in its table.
pub fn scripted(stage: &str, script: &str) -> Project {
    let project = Project::empty();
    project
        .write("Cargo.toml", "[package]\nname = \"m\"\nversion = \"0.1.0\"\nedition = \"2021\"\n")
        .write("Cargo.lock", "version = 4\n\n[[package]]\nname = \"m\"\nversion = \"0.1.0\"\n")
        .write("src/main.rs", "fn main() {}\n")
        .write(".gitignore", "/target\n/mlruns\n")
        .write("train.sh", script)
        .write(
            "repro.toml",
            &format!(
                "version = 1\nseed = 42\n\n[params]\nlr = 0.5\n\n[stage.train]\ncommand = [\"sh\", \"train.sh\"]\n{stage}\n"
            ),
        );
    project.git(&["init", "--quiet", "--initial-branch=main"]);
    project.named().commit("start");
    project
}

const METRICS: &str = "artifacts = [\"model.txt\"]\nmetrics = \"metrics.json\"";
const COPY: &str = "cp figures.json metrics.json; echo 7 >model.txt\n";

/// The metrics that `show` has for programs.
fn shown(project: &Project) -> Value {
    let lines = project.json(&["show"]).code(0).lines();
    lines[0]["outcome"]["train"]["metrics"].clone()
}

#[test]
fn every_number_of_a_metrics_file_comes_back_with_its_bits_and_digits() {
    let project = scripted(METRICS, COPY);
    // As evenly spread over all bit patterns as over the usual figures between 0 and 1.
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state
    };
    let mut doubles: Vec<f64> = (0..200).map(|_| f64::from_bits(next())).filter(|number| number.is_finite()).collect();
    doubles.extend((0..200).map(|_| (next() >> 11) as f64 / (1_u64 << 53) as f64));
    doubles.extend([
        0.945_270_695_553_922_3,
        0.381_204_237_688_212_43,
        5e-324,
        f64::MAX,
        -0.0,
        1e23,
    ]);
    let whole = [
        "9007199254740993",
        "18446744073709551616",
        "-9223372036854775809",
        "170141183460469231731687303715884105728",
        "123456789012345678901234567890123456789012345678901234567890",
        "1",
        "-0",
    ];
    let entries = doubles.iter().enumerate().map(|(at, number)| {
        // As Rust writes it, as Python does (17 digits), and with an exponent.
        match at % 3 {
            0 => format!("\"d{at}\": {number:?}"),
            1 => format!("\"d{at}\": {number:.16e}"),
            _ => format!("\"d{at}\": {number:e}"),
        }
    });
    let integers = whole.iter().enumerate().map(|(at, digits)| format!("\"w{at}\": {digits}"));
    let all: Vec<String> = entries.chain(integers).collect();
    project.write("figures.json", &format!("{{{}}}", all.join(", "))).commit("figures");
    project.record();
    let found = shown(&project);
    let lock: toml::Table = project.read("repro.lock").parse().unwrap();
    let locked = &lock["outcome"]["train"]["metrics"];
    for (at, number) in doubles.iter().enumerate() {
        let bits = format!("{:016x}", number.to_bits());
        let name = format!("d{at}");
        assert_eq!(found[&name]["bits"], bits.as_str(), "{number:?}");
        assert_eq!(locked[&name]["bits"].as_str(), Some(bits.as_str()));
        let value: f64 = locked[&name]["value"].as_str().unwrap().parse().unwrap();
        assert_eq!(value.to_bits(), number.to_bits());
    }
    for (at, digits) in whole.iter().enumerate() {
        let name = format!("w{at}");
        assert_eq!(found[&name]["value"], *digits);
        assert_eq!(locked[&name]["value"].as_str(), Some(*digits));
    }
    let text = project.repro(&["show"]).code(0).stdout.clone();
    assert!(
        text.contains("170141183460469231731687303715884105728") && text.contains("0.9452706955539223"),
        "{text}"
    );
    project.repro(&["verify"]).code(0);
    // The neighbour of a number that no double has is another number.
    project
        .commit("lock")
        .edit("repro.lock", "\"9007199254740993\"", "\"9007199254740992\"")
        .reseal();
    let answer = project.commit("as if").json(&["verify"]);
    assert_eq!(answer.code(4).kinds("divergence"), ["metric-changed w0"]);
}

#[test]
fn what_is_nested_and_what_is_no_number_is_recorded_shown_and_verified() {
    let project = scripted(METRICS, COPY);
    let figures = r#"{"eval": {"acc": 0.5}, "per_class": [0.5, 0.25], "name": "0.5", "ok": true, "none": null,
        "acc": NaN, "loss": Infinity, "low": -Infinity, "a.b": 1, "a": {"b": 2}}"#;
    project.write("figures.json", figures).commit("figures").record();
    project.repro(&["verify"]).code(0);
    let found = shown(&project);
    for (name, kind, value) in [
        ("eval.acc", Value::Null, "0.5"),
        ("per_class.1", Value::Null, "0.25"),
        ("name", "text".into(), "0.5"),
        ("ok", "boolean".into(), "true"),
        ("none", "null".into(), "null"),
        ("acc", Value::Null, "NaN"),
        ("loss", Value::Null, "inf"),
        ("low", Value::Null, "-inf"),
        ("\"a.b\"", Value::Null, "1"),
        ("a.b", Value::Null, "2"),
    ] {
        assert_eq!((&found[name]["kind"], &found[name]["value"]), (&kind, &value.into()), "{name}");
    }
    let text = project.repro(&["show"]).code(0).stdout.clone();
    assert!(text.contains("name          \"0.5\"\n"), "text is not taken for a number: {text}");
}

#[test]
fn another_text_alone_is_a_divergence_that_names_it() {
    let script = "echo 7 >model.txt\necho \"{\\\"acc\\\": 0.5, \\\"id\\\": \\\"$(cat /proc/sys/kernel/random/uuid)\\\"}\" >metrics.json\n";
    let project = scripted(METRICS, script);
    project.record();
    let answer = project.json(&["verify"]);
    answer.code(4);
    assert_eq!(answer.kinds("divergence"), ["artifact-changed metrics.json", "metric-changed id"]);
}

#[test]
fn no_training_is_lost_for_its_metrics_file() {
    let project = scripted(METRICS, COPY);
    let deep = format!("{}1{}", "[".repeat(5000), "]".repeat(5000));
    for figures in [
        "acc: 0.5\n",
        "{\"a\": 1, \"a\": 2}",
        "",
        "{\"a\": 1",
        "3",
        deep.as_str(),
        "{\"a\": \"\\ud800\"}",
    ] {
        project.write("figures.json", figures).commit("figures");
        let answer = project.json(&["record"]);
        answer.code(0);
        assert!(answer.kinds("notes").contains(&"metrics-unread metrics.json".to_owned()), "{figures:.40}");
        assert_eq!(shown(&project), Value::Null);
    }
    project.commit("lock").repro(&["verify"]).code(0);
}

#[test]
fn what_changes_in_every_run_can_be_left_out_and_is_listed() {
    let stage = "artifacts = [{ path = \"model.json\", ignore = [\"/trained_at\", \"/epochs/0/s\"] }]\n\
        metrics = { file = \"metrics.json\", ignore = [\"time\", \"epochs.*.s\"] }\n\
        scratch = [\"mlruns/**\"]\nstdout = \"logs/train.log\"";
    let script = "t=$(cat /proc/sys/kernel/random/uuid)\nmkdir -p mlruns/$t && echo $t >mlruns/$t/meta.yaml\n\
        echo \"{\\\"trained_at\\\": \\\"$t\\\", \\\"w\\\": 1, \\\"epochs\\\": [{\\\"s\\\": \\\"$t\\\"}]}\" >model.json\n\
        echo \"{\\\"acc\\\": 0.5, \\\"time\\\": {\\\"all\\\": \\\"$t\\\"}, \\\"epochs\\\": [{\\\"s\\\": \\\"$t\\\"}]}\" >metrics.json\n\
        echo trained; echo noise >&2\n";
    let project = scripted(stage, script);
    project.record();
    assert_eq!(project.read("logs/train.log"), "trained\n");
    let answer = project.json(&["verify"]);
    answer.code(0);
    let verdict = answer.verdict();
    let left_out: Vec<&str> = verdict["not_checked"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["kind"] == "left-out")
        .map(|entry| entry["why"].as_str().unwrap())
        .collect();
    for word in ["/trained_at", "epochs.*.s", "time", "mlruns/**"] {
        assert!(left_out.iter().any(|why| why.contains(word)), "{word}: {left_out:?}");
    }
    let metrics = shown(&project);
    assert_eq!(metrics.as_object().unwrap().keys().collect::<Vec<_>>(), ["acc"]);
    // The committed model is judged by the same rest.
    project.edit("model.json", "\"w\": 1", "\"w\":   1").commit("laid out otherwise");
    project.json(&["status"]).code(0);
    project.edit("model.json", "\"w\":   1", "\"w\": 2").commit("another model");
    assert_eq!(project.json(&["status"]).code(3).kinds("drift"), ["artifact-tampered model.json"]);
    project.git(&["reset", "--quiet", "--hard", "HEAD~2"]);
    // What is compared is an input.
    for (from, to, kind) in [
        ("[\"/trained_at\", ", "[", "manifest-changed stage.train.artifacts.\"model.json\".ignore"),
        ("[\"time\", ", "[", "manifest-changed stage.train.metrics.ignore"),
        ("\"mlruns/**\"", "\"mlruns\"", "manifest-changed stage.train.scratch"),
        ("stdout = \"logs/train.log\"\n", "", "manifest-changed stage.train.stdout"),
    ] {
        project.edit("repro.toml", from, to);
        let answer = project.json(&["status"]);
        assert!(answer.code(3).kinds("drift").contains(&kind.to_owned()), "{kind}");
        project.git(&["checkout", "--quiet", "repro.toml"]);
    }
    project
        .edit("train.sh", "echo trained", "echo trained otherwise")
        .commit("another log")
        .repro(&["record"])
        .code(0);
    assert_eq!(project.read("logs/train.log"), "trained otherwise\n");
}

#[test]
fn files_that_nobody_declared_are_named_with_what_leaves_them_out() {
    let script = "echo 7 >model.txt; mkdir -p mlruns/0; echo a >mlruns/0/a; echo b >mlruns/0/b; echo c >stray\n";
    let project = scripted("artifacts = [\"model.txt\"]", script);
    let answer = project.json(&["record"]);
    assert_eq!(answer.code(0).kinds("notes")[..2], ["output-undeclared mlruns/", "output-undeclared stray"]);
    assert!(answer.stdout.contains("scratch = [\\\"mlruns/**\\\"]"), "{}", answer.stdout);
    // One that was recorded and is not written, and one that is written and was not recorded.
    let answer = project
        .edit("repro.lock", "\"mlruns/0/b\"", "\"mlruns/0/c\"")
        .reseal()
        .commit("as if")
        .json(&["verify"]);
    assert_eq!(
        answer.code(4).kinds("divergence"),
        ["artifact-unexpected mlruns/0/b", "artifact-missing mlruns/0/c"]
    );
}

#[test]
fn words_that_are_joined_otherwise_are_another_command() {
    let project = scripted("artifacts = [\"model.txt\"]\nargs = [\"a b\"]", "echo $# >model.txt\n");
    project.record();
    for other in ["[\"a\", \"b\"]", "[\"a\", \"\", \"b\"]", "[\"a b\", \"\"]", "[]"] {
        project.edit("repro.toml", "[\"a b\"]", other);
        let answer = project.json(&["status"]);
        assert!(answer.code(3).kinds("drift").contains(&"manifest-changed stage.train.args".to_owned()));
        let finding = &answer.verdict()["drift"][0];
        assert_eq!((&finding["locked"], &finding["found"]), (&"[\"a b\"]".into(), &other.into()));
        project.commit("another command").git(&["tag", "--annotate", "--message", "x", "v1"]);
        let answer = project.json(&["gate", "v1", "--offline", "--package", "m"]);
        assert!(answer.code(8).kinds("refusals").contains(&"manifest-changed stage.train.args".to_owned()));
        project.git(&["tag", "--delete", "v1"]);
        project.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    }
}
