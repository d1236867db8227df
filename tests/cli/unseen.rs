//! What a run is judged by is nowhere in its sight: neither locks, nor attestations, nor outputs of earlier runs.

use crate::support::Project;

/// Lists all that the stage and a build script can find, as the model.
fn looking() -> Project {
    let project = Project::fixture("steady");
    project.edit(
        "repro.toml",
        "[stage.train]\nbin = \"steady\"\n",
        "[stage.look]\ncommand = [\"sh\", \"look.sh\"]\nartifacts = [\"found.txt\"]\n[stage.train]\nbin = \"steady\"\n",
    );
    let look = "cd /repro\nfind . -name repro.lock -o -path '*attestations/*' -o -name 'found.txt' -o -name 'model.json' \
                -o -name 'ledger-*' | grep -v ledger-look | sort > /tmp/list\ncd - > /dev/null\nmv /tmp/list found.txt\n";
    project.write("look.sh", look);
    // Another package of the repository, and one within this one, have locks and attestations of their own.
    for place in ["../other", "inner"] {
        project.write(&format!("{place}/repro.toml"), "version = 1\n");
        project.write(&format!("{place}/repro.lock"), "version = 1\n");
        project.write(&format!("{place}/attestations/a.json"), "{}");
    }
    project.write("attestations/a.json", "{}");
    project.commit("looks");
    project
}

#[test]
fn a_stage_finds_no_lock_and_no_earlier_run() {
    let project = looking();
    project.record();
    assert_eq!(project.read("found.txt"), "", "the first time");
    project.record();
    assert_eq!(project.read("found.txt"), "", "with a lock and its outputs in the commit");
    project.repro(&["verify"]).code(0);
}

#[test]
fn a_build_finds_no_lock() {
    let project = looking();
    project.write(
        "build.rs",
        "fn main() { for name in [\"repro.lock\", \"inner/repro.lock\", \"model.json\", \"attestations/a.json\"] {\n\
         assert!(!std::path::Path::new(name).exists(), \"{name}\"); } }\n",
    );
    project.commit("a build that looks");
    project.record();
    project.repro(&["verify"]).code(0);
    project.repro(&["record"]).code(0);
}

#[test]
fn a_lock_is_no_data_by_whatever_name() {
    let project = Project::fixture("command");
    project.record();
    std::os::unix::fs::symlink("repro.lock", project.root.join("known.csv")).unwrap();
    project.write("attestations/a.json", "{}");
    for path in [
        "repro.lock",
        "known.csv",
        "./repro.lock",
        "attestations",
        "attestations/a.json",
    ] {
        project.edit(
            "repro.toml",
            "numbers = \"numbers.csv\"",
            &format!("numbers = \"numbers.csv\"\nknown = \"{path}\""),
        );
        project.commit("data");
        let answer = project.repro(&["record"]);
        answer.code(1);
        assert!(answer.stderr.contains("a run must not see what it is judged by"), "{}", answer.stderr);
        project.edit("repro.toml", &format!("\nknown = \"{path}\""), "");
    }
    // A pattern or a directory leaves it out.
    project.edit(
        "repro.toml",
        "numbers = \"numbers.csv\"",
        "numbers = \"numbers.csv\"\nknown = [\"*.lock\", \"*.csv\"]",
    );
    project.commit("a pattern").record();
    project.repro(&["verify"]).code(0);
    assert!(!project.read("repro.lock").contains("\"repro.lock\" ="));
}
