//! Every kind of drift, provoked by an edit after recording, and the edits that are none. Tampered
//! packages are in `dependencies.rs`.

use std::collections::BTreeSet;
use std::fs::File;
use std::time::{Duration, SystemTime};

use cargo_repro::report::finding::DRIFT_KINDS;
use insta::assert_snapshot;

use crate::support::{Both, Project};

/// Verifies; both `verify` and `status` must find exactly these, and nothing may have been trained.
#[track_caller]
fn drifts(project: &Project, kinds: &[&str]) -> Both {
    let both = project.both(&["verify"]);
    both.human.code(3);
    assert_eq!(both.json.kinds("drift"), kinds);
    assert_eq!(both.json.verdict()["verdict"], "drifted");
    assert_eq!(both.json.verdict()["runs"], 0);
    assert!(both.json.kinds("divergence").is_empty());
    let status = project.json(&["status"]);
    status.code(3);
    assert_eq!(status.kinds("drift"), kinds, "`status` and `verify` must agree");
    both
}

/// Neither `status` (which remembers) nor a look at everything anew finds any drift.
#[track_caller]
fn does_not_drift(project: &Project) {
    for args in [&["status"][..], &["status", "--fresh"]] {
        let answer = project.json(args);
        answer.code(0);
        assert_eq!(answer.kinds("drift"), [""; 0]);
        assert_eq!(answer.verdict()["verdict"], "unchanged");
    }
}

#[test]
fn another_compiler_is_toolchain_changed() {
    let project = Project::recorded("steady");
    // Release, commit and LLVM of a compiler that nobody has.
    let other = "'-vV') $real -vV | sed -e 's/^release: .*/release: 9.99.0/' \
                 -e 's/^commit-hash: .*/commit-hash: 0123456789012345678901234567890123456789/' \
                 -e 's/^LLVM version: .*/LLVM version: 99.9/' ;;";
    let human = project.with_compiler(other, &["verify"]);
    human.code(3);
    let json = project.with_compiler(other, &["verify", "--message-format", "json"]);
    // That it brings another LLVM goes without saying.
    assert_eq!(json.kinds("drift"), ["toolchain-changed rustc"]);
    assert_eq!(json.verdict()["drift"][0]["found"], "9.99.0 (012345678)");
    assert_snapshot!(format!("{}\n{}", human.text(), json.messages()));
}

#[test]
fn the_same_compiler_with_another_llvm_is_toolchain_changed() {
    let project = Project::recorded("steady");
    let other = "'-vV') $real -vV | sed -e 's/^LLVM version: .*/LLVM version: 99.9/' ;;";
    let answer = project.with_compiler(other, &["status", "--message-format", "json"]);
    assert_eq!(answer.code(3).kinds("drift"), ["toolchain-changed llvm"]);
}

#[test]
fn the_same_compiler_under_another_name_is_no_drift() {
    let project = Project::recorded("steady");
    let renamed = "'-vV') $real -vV | sed -e 's/^release: .*/release: 1.95.0-of-a-distribution/' ;;";
    let answer = project.with_compiler(renamed, &["status", "--message-format", "json"]);
    answer.code(0);
    assert_eq!(answer.kinds("drift"), [""; 0]);
}

#[test]
fn a_package_of_another_version_is_dependency_changed() {
    let project = Project::recorded("steady");
    for file in ["Cargo.toml", "Cargo.lock"] {
        project.edit(file, "version = \"0.1.0\"", "version = \"0.2.0\"");
    }
    project.commit("the next version");
    assert_snapshot!(drifts(&project, &["source-changed Cargo.toml", "dependency-changed steady"]).snapshot);
}

#[test]
fn a_cargo_lock_that_differs_in_its_text_alone_is_dependency_changed() {
    let project = Project::recorded("steady");
    let text = project.read("Cargo.lock");
    project
        .write("Cargo.lock", &format!("{text}\n# nobody is to edit this\n"))
        .commit("edit Cargo.lock");
    assert_snapshot!(drifts(&project, &["dependency-changed Cargo.lock"]).snapshot);
}

#[test]
fn a_committed_edit_of_the_program_is_source_changed() {
    let project = Project::recorded("steady");
    project.edit("src/main.rs", "/ 100.0", "/ 99.0").commit("another accuracy");
    assert_snapshot!(drifts(&project, &["source-changed src/main.rs"]).snapshot);
}

#[test]
fn an_uncommitted_edit_of_the_program_is_source_dirty() {
    let project = Project::recorded("steady");
    project.edit("src/main.rs", "/ 100.0", "/ 99.0");
    assert_snapshot!(drifts(&project, &["source-dirty src/main.rs"]).snapshot);
    // Git can be told not to look; then git says that nothing changed, and the drift is there all the same.
    project.git(&["update-index", "--assume-unchanged", "src/main.rs"]);
    assert_eq!(project.git(&["status", "--porcelain"]), "");
    drifts(&project, &["source-dirty src/main.rs"]);
}

#[test]
fn a_cargo_configuration_that_nobody_committed_is_source_dirty_and_build_changed() {
    let project = Project::recorded("steady");
    project.write(".cargo/config.toml", "[build]\nrustflags = [\"-Copt-level=1\"]\n");
    let kinds = [
        "source-dirty .cargo/config.toml",
        "build-changed rustflags",
        "build-changed .cargo/config.toml: build.rustflags",
    ];
    let found: BTreeSet<String> = project.json(&["status"]).kinds("drift").into_iter().collect();
    assert_eq!(found, kinds.map(str::to_owned).into());
}

#[test]
fn another_profile_setting_is_build_changed() {
    let project = Project::recorded("steady");
    project
        .edit("Cargo.toml", "codegen-units = 1", "codegen-units = 1\nopt-level = 1")
        .commit("optimise less");
    let kinds = ["source-changed Cargo.toml", "build-changed profile.release.opt-level"];
    assert_snapshot!(drifts(&project, &kinds).snapshot);
}

#[test]
fn another_profile_in_the_manifest_is_build_changed() {
    let project = Project::recorded("steady");
    let text = project.read("repro.toml");
    project
        .write("repro.toml", &format!("{text}[build]\nprofile = \"dev\"\n"))
        .commit("build for debugging");
    drifts(&project, &["build-changed profile", "build-changed profile.release.codegen-units"]);
}

#[test]
fn flags_of_the_callers_shell_are_a_warning_since_builds_do_not_follow_them() {
    let project = Project::recorded("steady");
    let run = |format: &str| {
        let mut command = project.command(&["status", "--message-format", format]);
        // A value may be a secret; the name has to do.
        project.answer(command.env("RUSTFLAGS", "--cfg=secret"))
    };
    let (human, json) = (run("human"), run("json"));
    human.code(0);
    assert_eq!(json.code(0).kinds("drift"), ["build-changed RUSTFLAGS"]);
    assert_eq!(json.verdict()["drift"][0]["severity"], "warning");
    assert!(!human.text().contains("secret") && !json.text().contains("secret"));
    assert_snapshot!(format!("{}\n{}", human.text(), json.messages()));
}

#[test]
fn another_seed_is_seed_changed() {
    let project = Project::recorded("steady");
    project.edit("repro.toml", "seed = 42", "seed = 43").commit("another seed");
    assert_snapshot!(drifts(&project, &["seed-changed seed"]).snapshot);
}

#[test]
fn a_seed_or_parameter_of_the_command_line_drifts_as_one_of_the_manifest_does() {
    let project = Project::recorded("steady");
    let answer = project.json(&["verify", "--seed", "43", "-P", "depth=4"]);
    answer.code(3);
    assert_eq!(answer.kinds("drift"), ["seed-changed seed", "params-changed params.depth"]);
    project.json(&["status", "--seed", "42", "-P", "depth=3", "-P", "rate=0.10"]).code(0);
}

#[test]
fn a_parameter_that_changed_came_or_went_is_params_changed() {
    let project = Project::recorded("steady");
    project
        .edit("repro.toml", "depth = 3", "depth = 4")
        .edit("repro.toml", "rate = 0.1", "momentum = 0.9");
    project.commit("other parameters");
    let kinds = [
        "params-changed params.depth",
        "params-changed params.momentum",
        "params-changed params.rate",
    ];
    assert_snapshot!(drifts(&project, &kinds).snapshot);
}

#[test]
fn a_whole_number_that_becomes_a_decimal_is_params_changed() {
    let project = Project::recorded("steady");
    project
        .edit("repro.toml", "depth = 3", "depth = 3.0")
        .commit("the program gets the text 3.0 now");
    drifts(&project, &["params-changed params.depth"]);
}

#[test]
fn one_other_byte_in_the_data_is_data_changed() {
    let project = Project::recorded("steady");
    project.edit("data/numbers.csv", "3.5", "3.6");
    assert_snapshot!(drifts(&project, &["data-changed data.numbers"]).snapshot);
    // Committed or not: it is not what the lock pins.
    project.commit("other data");
    drifts(&project, &["data-changed data.numbers"]);
}

#[test]
fn a_file_that_became_a_directory_is_data_changed() {
    let project = Project::recorded("steady");
    project.remove("data/numbers.csv").write("data/numbers.csv/part", "1\n");
    drifts(&project, &["data-changed data.numbers"]);
}

#[test]
fn data_that_is_declared_elsewhere_is_data_changed_and_says_which_files_came_and_went() {
    let project = Project::recorded("steady");
    project
        .edit("repro.toml", "data/numbers.csv", "data/others.csv")
        .write("data/others.csv", "4\n")
        .commit("move");
    let kinds = [
        "data-changed data.numbers",
        "data-missing data.numbers",
        "data-added data.numbers",
    ];
    drifts(&project, &kinds);
}

#[test]
fn data_that_changes_while_the_program_reads_it_is_data_changed() {
    let project = Project::recorded("switch");
    let prepare = || {
        project.write("numbers.csv", "1\n2\n3.5\n").write("../switch.txt", "edit-data");
    };
    let both = project.both_after(&["verify"], prepare);
    both.human.code(3);
    assert_eq!(both.json.kinds("drift"), ["data-changed data.numbers"]);
    assert_eq!(both.json.verdict()["runs"], 1);
    assert_snapshot!(both.snapshot);
    // Nothing of it is recorded either.
    let before = project.read("repro.lock");
    prepare();
    project.repro(&["record"]).code(3);
    assert_eq!(project.read("repro.lock"), before);
}

#[test]
fn data_that_is_gone_is_data_missing() {
    let project = Project::recorded("steady");
    project.remove("data/numbers.csv");
    assert_snapshot!(drifts(&project, &["data-missing data.numbers"]).snapshot);
}

#[test]
fn a_file_that_came_into_a_declared_directory_is_data_added() {
    let project = Project::fixture("command");
    // The script reads one file of the directory; that there are more is a matter of the snapshot alone.
    project.edit("repro.toml", "numbers = \"numbers.csv\"", "numbers = \"numbers.csv\"\nmore = \"more/\"");
    project.write("more/a.csv", "1\n").commit("a directory").record();
    project.write("more/b.csv", "2\n");
    assert_snapshot!(drifts(&project, &["data-added data.more"]).snapshot);
}

#[test]
fn a_variable_that_passes_with_another_value_is_environment_changed() {
    let project = Project::fixture("steady");
    let text = project.read("repro.toml");
    project.write("repro.toml", &format!("{text}[environment]\npass = [\"THREADS\"]\nset = {{ MODE = \"fast\" }}\n"));
    project.commit("the environment");
    let run = |args: &[&str], threads: Option<&str>| {
        let mut command = project.command(args);
        match threads {
            Some(value) => project.answer(command.env("THREADS", value)),
            None => project.answer(command.env_remove("THREADS")),
        }
    };
    run(&["record"], Some("1")).code(0);
    project.commit("record");
    // What nobody declared does not count.
    let mut command = project.command(&["status"]);
    project.answer(command.env("THREADS", "1").env("UNDECLARED", "2")).code(0);

    let (human, json) = (run(&["verify"], Some("2")), run(&["verify", "--message-format", "json"], Some("2")));
    human.code(3);
    assert_eq!(json.kinds("drift"), ["environment-changed THREADS"]);
    assert_snapshot!(format!("{}\n{}", human.text(), json.messages()));

    let unset = run(&["verify", "--message-format", "json"], None);
    assert_eq!(unset.kinds("drift"), ["environment-changed THREADS"]);
    assert_eq!(unset.verdict()["drift"][0]["found"], serde_json::Value::Null);

    project.edit("repro.toml", "fast", "slow").commit("another mode");
    let set = run(&["verify", "--message-format", "json"], Some("1"));
    assert_eq!(set.kinds("drift"), ["environment-changed MODE"]);
}

#[test]
fn another_platform_class_is_platform_changed_and_the_training_is_judged_all_the_same() {
    let project = Project::recorded("steady");
    elsewhere(&project);
    let both = project.both(&["verify"]);
    both.human.code(0);
    assert_eq!(both.json.kinds("drift"), ["platform-changed libc"]);
    assert_eq!(both.json.verdict()["drift"][0]["severity"], "warning");
    assert_eq!(both.json.verdict()["verdict"], "reproduced");
    assert_snapshot!(both.snapshot);
}

/// Makes the lock one that was recorded on a machine with another libc.
pub fn elsewhere(project: &Project) {
    let lock = project.read("repro.lock");
    let libc = lock.lines().find(|line| line.starts_with("libc = ")).unwrap();
    project
        .edit("repro.lock", libc, "libc = \"glibc 2.17\"")
        .reseal()
        .commit("recorded elsewhere");
}

#[test]
fn a_tag_that_points_elsewhere_is_tag_moved() {
    let project = Project::fixture("steady");
    project.git(&["tag", "v1.0"]);
    project.record();
    project.repro(&["status"]).code(0);
    project.git(&["tag", "--force", "v1.0"]);
    assert_snapshot!(drifts(&project, &["tag-moved v1.0"]).snapshot);
    // A clone without tags cannot tell, and says so.
    project.git(&["tag", "--delete", "v1.0"]);
    let answer = project.json(&["status"]);
    answer.code(0);
    assert_eq!(answer.verdict()["not_checked"][0]["kind"], "tag");
}

#[test]
fn a_lock_that_was_edited_by_hand_is_lock_edited() {
    let project = Project::recorded("steady");
    project
        .edit("repro.lock", "value = \"0.065\"", "value = \"0.066\"")
        .commit("a better accuracy");
    assert_snapshot!(drifts(&project, &["lock-edited repro.lock"]).snapshot);
}

#[test]
fn another_argument_of_a_stage_is_manifest_changed() {
    let project = Project::recorded("steady");
    project
        .edit("repro.toml", "bin = \"steady\"", "bin = \"steady\"\nargs = [\"--fast\"]")
        .commit("faster");
    assert_snapshot!(drifts(&project, &["manifest-changed stage.train.args"]).snapshot);
}

#[test]
fn another_stage_is_manifest_changed() {
    let project = Project::recorded("steady");
    project.edit("repro.toml", "[stage.train]", "[stage.fit]").commit("rename the stage");
    drifts(&project, &["manifest-changed stage.fit", "manifest-changed stage.train"]);
}

#[test]
fn an_artifact_that_is_not_the_recorded_one_is_artifact_tampered() {
    let project = Project::recorded("steady");
    project.edit("model.json", "6.5", "6.6").commit("a better model");
    assert_snapshot!(drifts(&project, &["artifact-tampered model.json"]).snapshot);
    // A link to a file with the right bytes is not the file that was recorded.
    project.write("../model.json", "{\"sum\":6.5}\n").remove("model.json");
    std::os::unix::fs::symlink("../model.json", project.root.join("model.json")).unwrap();
    project.commit("a link");
    drifts(&project, &["artifact-tampered model.json"]);
}

/// A verification proves a commit. What lies in the work tree beside it is named, and stops nothing.
#[test]
fn what_a_run_by_hand_left_is_a_note() {
    let project = Project::recorded("steady");
    let leftover = |project: &Project, hint: &str| {
        let status = project.json(&["status"]);
        assert_eq!(status.code(0).kinds("notes"), ["artifact-leftover model.json"]);
        let said = status.verdict()["notes"][0]["hint"].as_str().unwrap().to_owned();
        assert!(said.contains(hint), "{said}");
        assert!(project.repro(&["status"]).code(0).stdout.contains("model.json in the work tree"));
    };
    project.edit("model.json", "6.5", "6.6");
    leftover(&project, "git restore :/model.json");
    let verified = project.json(&["verify"]);
    assert_eq!(verified.code(0).kinds("notes"), ["artifact-leftover model.json"]);
    // The hint does as it says.
    project.git(&["restore", ":/model.json"]);
    does_not_drift(&project);
    assert_eq!(project.json(&["status"]).kinds("notes"), [""; 0]);
    // A link is no file, and neither is an artifact that git ignores the commit's.
    project.remove("model.json");
    std::os::unix::fs::symlink("nowhere", project.root.join("model.json")).unwrap();
    leftover(&project, "git restore :/model.json");
    project.git(&["rm", "--quiet", "--cached", "model.json"]);
    project
        .remove("model.json")
        .write("model.json", "{}")
        .write(".gitignore", "target\nmodel.json\n");
    project.commit("keep the model elsewhere");
    leftover(&project, "cargo repro verify --artifacts DIR");
}

/// Between `record` and the commit, the lock speaks of artifacts that no commit has yet.
#[test]
fn a_lock_that_is_not_committed_yet_is_not_held_against_the_artifacts_of_the_commit() {
    let project = Project::recorded("steady");
    project.edit("src/main.rs", "/ 100.0", "/ 50.0").commit("another scale");
    project.edit("repro.toml", "seed = 42", "seed = 43").commit("another seed");
    project.repro(&["record"]).code(0);
    assert_eq!(project.json(&["status"]).code(0).kinds("drift"), [""; 0]);
    assert_eq!(project.json(&["status"]).kinds("notes"), [""; 0]);
}

#[test]
fn one_edit_is_one_input_and_says_how_it_is_accepted_and_undone() {
    let project = Project::recorded("steady");
    project.edit("repro.toml", "seed = 42", "seed = 43");
    let status = project.repro(&["status"]);
    assert!(status.code(3).stdout.starts_with("drifted: 1 input is not as in repro.lock"), "{}", status.stdout);
    let words = status.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("`cargo repro record` accepts it, once it is committed"), "{words}");
    assert!(words.contains("`git restore :/repro.toml` undoes what is not"), "{words}");
    // And in a line what it did not look at.
    let line = "not checked: outcome, dependency-sources (`cargo repro verify` goes on)";
    assert!(status.stdout.lines().any(|found| found == line), "{}", status.stdout);
    project.git(&["restore", ":/repro.toml"]);
    does_not_drift(&project);
}

#[test]
fn every_drift_is_reported_and_not_only_the_first() {
    let project = Project::recorded("steady");
    project
        .edit("repro.toml", "seed = 42", "seed = 43")
        .edit("repro.toml", "depth = 3", "depth = 4");
    project.edit("src/main.rs", "/ 100.0", "/ 99.0").edit("data/numbers.csv", "3.5", "3.6");
    project
        .edit("model.json", "6.5", "6.6")
        .edit("repro.lock", "value = \"0.065\"", "value = \"0.066\"");
    project.git(&["commit", "--quiet", "-m", "better", "model.json", "repro.lock"]);
    let kinds = [
        "lock-edited repro.lock",
        "seed-changed seed",
        "params-changed params.depth",
        "data-changed data.numbers",
        "source-dirty repro.toml",
        "source-dirty src/main.rs",
        "artifact-tampered model.json",
    ];
    assert_snapshot!(drifts(&project, &kinds).snapshot);
}

#[test]
fn a_touched_file_is_no_drift() {
    let project = Project::recorded("steady");
    for name in [
        "src/main.rs",
        "data/numbers.csv",
        "Cargo.toml",
        "Cargo.lock",
        "repro.toml",
        "repro.lock",
        "model.json",
    ] {
        let file = File::options().append(true).open(project.root.join(name)).unwrap();
        file.set_modified(SystemTime::now() + Duration::from_secs(3600)).unwrap();
    }
    does_not_drift(&project);
}

#[test]
fn an_edit_of_the_readme_is_no_drift_committed_or_not() {
    let project = Project::recorded("steady");
    project.edit("README.md", "steady", "as steady as can be");
    does_not_drift(&project);
    project.commit("praise");
    does_not_drift(&project);
}

#[test]
fn a_comment_in_the_manifest_is_no_drift() {
    let project = Project::recorded("steady");
    project
        .edit("repro.toml", "seed = 42", "# chosen by a fair die\nseed   =   42")
        .commit("say why");
    does_not_drift(&project);
}

#[test]
fn the_commit_that_adds_the_lock_is_no_drift() {
    let project = Project::fixture("steady");
    project.repro(&["record"]).code(0);
    does_not_drift(&project);
    project.commit("record");
    does_not_drift(&project);
    project.commit("and an empty commit after it");
    does_not_drift(&project);
}

#[test]
fn an_untracked_file_that_cannot_reach_the_program_is_no_drift() {
    let project = Project::recorded("steady");
    project.write("notes.txt", "try another seed\n").write("scratch/plot.py", "import this\n");
    project.write("data/unrelated.csv", "7\n");
    does_not_drift(&project);
}

#[test]
fn an_artifact_that_is_not_kept_is_no_drift_and_said_to_be_unchecked() {
    let project = Project::recorded("steady");
    project.remove("model.json");
    let answer = project.json(&["status"]);
    answer.code(0);
    assert_eq!(answer.verdict()["not_checked"][0]["kind"], "artifact");
}

#[test]
fn facts_that_nothing_compares_are_no_drift() {
    let project = Project::recorded("steady");
    let lock = project.read("repro.lock");
    let kernel = lock.lines().find(|line| line.starts_with("kernel = ")).unwrap();
    project.edit("repro.lock", kernel, "kernel = \"Plan 9\"").commit("another machine");
    does_not_drift(&project);
}

#[test]
fn another_timeout_is_no_drift() {
    let project = Project::recorded("switch");
    project.edit("repro.toml", "\"5m\"", "\"10m\"").commit("more time");
    does_not_drift(&project);
}

#[test]
fn each_file_that_reaches_a_program_in_a_workspace_is_source() {
    let project = Project::fixture("workspace");
    project.repro(&["record", "-p", "trainer"]).code(0);
    project.commit("record");
    project.repro(&["verify", "-p", "trainer"]).code(0);
    let reaching = [
        "Cargo.toml",
        "shared/Cargo.toml",
        "shared/src/lib.rs",
        "shared/src/name.txt",
        "trainer/Cargo.toml",
        "trainer/build.rs",
        "trainer/scale.txt",
        "trainer/src/main.rs",
    ];
    for file in reaching {
        let text = project.read(file);
        project.write(file, &format!("{text}\n"));
        let answer = project.json(&["status", "-p", "trainer"]);
        assert_eq!(answer.kinds("drift"), [format!("source-dirty {file}")]);
        project.write(file, &text);
    }
    for file in ["bystander/src/lib.rs", "README.md", ".gitignore"] {
        let text = project.read(file);
        project.write(file, &format!("{text}\n"));
        let answer = project.json(&["status", "-p", "trainer"]);
        assert_eq!(answer.kinds("drift"), [""; 0], "{file} cannot reach the program");
        project.write(file, &text);
    }
    // A build script where there was none is source from the moment that it appears.
    project.write("shared/build.rs", "fn main() {}\n");
    assert_eq!(project.json(&["status", "-p", "trainer"]).kinds("drift"), ["source-dirty shared/build.rs"]);
}

#[test]
fn every_committed_file_beside_a_command_is_source_save_for_prose_and_data() {
    let project = Project::recorded("command");
    project.repro(&["verify"]).code(0);
    project.edit("scripts/add.sh", "$1 + $2", "$2 + $1");
    drifts(&project, &["source-dirty scripts/add.sh"]);
    project.commit("the other way round");
    drifts(&project, &["source-changed scripts/add.sh"]);
    project.git(&["revert", "--no-edit", "HEAD"]);
    project.edit("README.md", "shell", "POSIX shell");
    does_not_drift(&project);
    // A new file may be one that the command reads.
    project.write("scripts/more.sh", "true\n").commit("one more");
    drifts(&project, &["source-changed scripts/more.sh"]);
}

#[test]
fn these_files_provoke_every_kind_of_drift() {
    // The tests above and in dependencies.rs name each kind that they provoke, in the form `kind subject`.
    let tests = concat!(include_str!("drift.rs"), include_str!("dependencies.rs"));
    for kind in DRIFT_KINDS {
        assert!(tests.contains(&format!("\"{kind} ")), "no test provokes {kind}");
    }
}
