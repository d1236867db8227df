//! A lock that was recorded with values of the command line is one that verifies; and two locks side by side.

use super::figures::scripted;
use super::support::Project;

/// The model is the parameter and the seed; so are the metrics.
fn project() -> Project {
    let script = "echo \"$REPRO_PARAM_LR $REPRO_SEED\" >model.txt\necho \"{\\\"acc\\\": $REPRO_PARAM_LR, \\\"tokens\\\": $REPRO_SEED}\" >metrics.json\n";
    scripted("artifacts = [\"model.txt\"]\nmetrics = \"metrics.json\"", script)
}

#[test]
fn a_recorded_override_is_verified_until_the_manifest_says_something_else() {
    let project = project();
    project
        .write("repro.toml", &format!("{}\n[gate]\ntags = \"v*\"\n", project.read("repro.toml")))
        .commit("policy");
    let noted = ["params-overridden params.lr"];
    let answer = project.json(&["record", "-P", "lr=0.25"]);
    assert_eq!(answer.code(0).kinds("notes"), noted);
    project.commit("lock");
    assert_eq!(project.json(&["verify"]).code(0).kinds("notes"), noted);
    assert_eq!(project.json(&["status"]).code(0).kinds("notes"), noted);
    assert_eq!(project.json(&["verify", "--rev", "HEAD"]).code(0).kinds("notes"), noted);
    project.json(&["status", "-P", "lr=0.25"]).code(0);
    assert_eq!(project.json(&["status", "-P", "lr=0.5"]).code(3).kinds("drift"), ["params-changed params.lr"]);
    let shown = &project.json(&["show"]).lines()[0];
    assert_eq!((&shown["params"]["lr"], &shown["overridden"]["params"]["lr"]), (&0.25.into(), &0.5.into()));
    // The gate takes it, too.
    project.tag("v1");
    assert_eq!(project.json(&["gate", "v1", "--offline"]).code(0).kinds("notes"), noted);
    // What the manifest says by now is what counts.
    project.edit("repro.toml", "lr = 0.5", "lr = 0.75").commit("another rate");
    assert_eq!(project.json(&["verify"]).code(3).kinds("drift"), ["params-changed params.lr"]);
    project.tag("v2");
    assert_eq!(project.json(&["gate", "v2", "--offline"]).code(8).kinds("refusals"), ["params-changed params.lr"]);
    project.edit("repro.toml", "lr = 0.75", "lr = 0.25").commit("what was recorded");
    assert!(project.json(&["verify"]).code(0).kinds("notes").is_empty());
    // A plain recording is of the manifest.
    project.repro(&["record"]).code(0);
    assert!(!project.read("repro.lock").contains("overridden"));
}

#[test]
fn the_gate_sees_every_key_of_the_manifest_that_reaches_a_run() {
    let project = project();
    let policy = "\n[gate]\ntags = \"v*\"\n[environment]\nset = { FOO = \"1\" }\npass = [\"NO_SUCH_VARIABLE\"]\n";
    project
        .write("repro.toml", &format!("{}{policy}", project.read("repro.toml")))
        .commit("policy")
        .record();
    let refused = |tag: &str| {
        project.tag(tag);
        project.json(&["gate", tag, "--offline"]).kinds("refusals")
    };
    assert!(refused("v0").is_empty());
    for (at, (from, to, kind)) in [
        ("FOO = \"1\"", "FOO = \"2\"", "environment-changed FOO"),
        ("FOO = \"1\"", "", "environment-changed FOO"),
        ("[\"NO_SUCH_VARIABLE\"]", "[\"NO_SUCH_VARIABLE\", \"OTHER\"]", "manifest-changed environment.pass"),
        // What had its value from repro.toml would have it from whoever runs; and the other way round.
        (
            "{ FOO = \"1\" }\npass = [\"NO_SUCH_VARIABLE\"]",
            "{}\npass = [\"FOO\", \"NO_SUCH_VARIABLE\"]",
            "manifest-changed environment.pass",
        ),
        ("[\"NO_SUCH_VARIABLE\"]", "[]", "manifest-changed environment.pass"),
        ("[gate]", "[build]\nprofile = \"dev\"\n[gate]", "build-changed profile"),
        ("[gate]", "[build]\nfeatures = [\"x\"]\n[gate]", "build-changed features"),
        ("[gate]", "[build]\ndefault-features = false\n[gate]", "build-changed default-features"),
        ("[gate]", "[determinism]\nclock = \"frozen\"\n[gate]", "manifest-changed determinism.clock"),
        ("[gate]", "[isolation]\nreads = \"warn\"\n[gate]", "manifest-changed isolation.reads"),
        ("lr = 0.5", "lr = 0.5\nnew = 1", "params-changed params.new"),
    ]
    .into_iter()
    .enumerate()
    {
        project.edit("repro.toml", from, to).commit("another");
        assert_eq!(refused(&format!("v{}", at + 1)), [kind], "{to}");
        project.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    }
}

#[test]
fn a_seed_of_the_command_line_is_recorded_as_a_parameter_is() {
    let project = project();
    project.repro(&["record", "--seed", "7"]).code(0);
    project.commit("lock");
    assert_eq!(project.json(&["verify"]).code(0).kinds("notes"), ["params-overridden seed"]);
    project.edit("repro.toml", "seed = 42", "seed = 43").commit("another seed");
    assert_eq!(project.json(&["status"]).code(3).kinds("drift"), ["seed-changed seed"]);
}

#[test]
fn one_revision_is_compared_with_the_lock_that_is_here_and_metrics_have_their_difference() {
    let project = project();
    project.record();
    let first = project.git(&["rev-parse", "HEAD~1"]);
    let answer = project.json(&["status"]);
    assert!(
        project.repro(&["status"]).stdout.contains(&format!("commit {}", &first[..12])),
        "the lock's own commit"
    );
    answer.code(0);
    project.repro(&["record", "-P", "lr=0.75", "--seed", "9007199254740993"]).code(0);
    let text = project.repro(&["diff", "HEAD"]).code(0).stdout.clone();
    assert!(text.contains("- HEAD\n+ repro.lock\n"), "{text}");
    assert!(text.contains("    Δ +2.500e-1\n") && text.contains("    Δ +9007199254740951\n"), "{text}");
    let differences = project.json(&["diff", "HEAD"]).lines();
    let deltas: Vec<&serde_json::Value> = differences
        .iter()
        .map(|line| &line["finding"]["delta"])
        .filter(|delta| delta.is_string())
        .collect();
    assert_eq!(deltas, ["+2.500e-1", "+9007199254740951"]);
    project.commit("second");
    let log = project.json(&["log"]).code(0).lines();
    assert_eq!((&log[0]["seed"], &log[0]["params"]["lr"]), (&9_007_199_254_740_993_u64.into(), &0.75.into()));
    assert_eq!((&log[1]["seed"], &log[1]["params"]["lr"]), (&42.into(), &0.5.into()));
    assert!(
        project
            .repro(&["diff", "HEAD"])
            .code(0)
            .stdout
            .contains("pin the same inputs and the same outcome")
    );
}
