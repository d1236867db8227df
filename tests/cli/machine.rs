//! What of the machine is in sight of a run: the system's base, the toolchain, what is declared. Not its owner's home,
//! not another clone, and not where all that lies.

use std::path::Path;

use crate::support::{Project, has_namespaces};

/// A build script that ends badly unless it can read these files, or none of them.
fn reading(paths: &[String], can: bool) -> String {
    format!(
        "fn main() {{\n    for path in {paths:?} {{\n        assert_eq!(std::fs::read(path).is_ok(), {can}, \"{{path}}\");\n    }}\n}}\n"
    )
}

#[test]
fn a_build_sees_no_home_and_no_clone_but_what_is_declared() {
    if !has_namespaces("a_build_sees_no_home_and_no_clone_but_what_is_declared") {
        return;
    }
    let home = tempfile::Builder::new()
        .prefix(".repro-test-")
        .tempdir_in(std::env::home_dir().unwrap())
        .unwrap();
    let library = home.path().join("library");
    std::fs::create_dir(&library).unwrap();
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let project = Project::fixture("steady");
    std::fs::create_dir_all(project.cargo_home()).unwrap();
    let files = [
        home.path().join("id_rsa"),
        project.root.join("model.json"),
        project.cargo_home().join("credentials.toml"),
        library.join("library.a"),
    ];
    for file in &files {
        std::fs::write(file, "hunter2\n").unwrap();
    }
    project.write("build.rs", &reading(&files.each_ref().map(|file| text(file)), false));
    project.commit("a build that looks round");
    // By hand it would have read them, so nothing is recorded.
    let refused = project.json(&["record", "--allow-dirty"]);
    let mut causes = files.each_ref().map(|file| format!("undeclared-read {}", file.display()));
    causes.sort();
    assert_eq!(refused.kinds("causes"), causes, "{}", refused.stderr);
    refused.code(6);

    let manifest = project.read("repro.toml");
    let set = format!("{manifest}\n[environment]\nset = {{ LIBRARY = {:?} }}\n", text(&library));
    project.write("build.rs", &reading(&[text(&files[3])], true));
    project.write("repro.toml", &set).commit("declared");
    project.repro(&["record", "--allow-dirty"]).code(0);
}

/// Prints every file by which the kernel tells of mounts and of the machine, by several ways.
const ASKING: &str = "exec > model.txt
ln -s /proc/self/mountinfo $TMPDIR/link
cat $TMPDIR/link /proc/mounts /proc/cmdline /proc/swaps /proc/keys /proc/locks /proc/sys/kernel/random/boot_id
for process in self thread-self 1 self/task/$$; do
  for name in mountinfo mounts mountstats cgroup cpuset; do cat /proc/$process/$name; done
done
tr '\\0' ' ' < /proc/1/cmdline
cd /proc/self && cat mountinfo
cd /proc/self/task && cat ../mounts
for secret in environ maps exe cwd root fd/0; do
  if cat /proc/1/$secret > /dev/null 2>&1 || readlink /proc/1/$secret; then echo open: $secret; fi
done
cat /repro/*/repository/none 2> /dev/null
echo '{\"done\": 1}' > /repro/tree/repository/metrics.json
";

#[test]
fn what_the_kernel_tells_of_the_machine_is_the_same_in_every_run_and_has_none_of_its_paths() {
    if !has_namespaces("what_the_kernel_tells_of_the_machine_is_the_same_in_every_run_and_has_none_of_its_paths") {
        return;
    }
    let project = Project::fixture("command");
    project.write("scripts/train.sh", ASKING).commit("asks");
    project.record();
    let model = project.read("model.txt");
    assert!(model.contains(" / /repro "), "{model}");
    for path in [
        project.around(),
        &project.work(),
        Path::new("/dev/"),
        Path::new("/home"),
    ] {
        let mut lines = model.lines().filter(|line| !line.contains("/dev/shm"));
        assert!(!lines.any(|line| line.contains(path.to_str().unwrap())), "{}:\n{model}", path.display());
    }
    assert!(!model.contains("open: "), "{model}");
    // The model is all of that text, and verify runs elsewhere.
    project.repro(&["verify"]).code(0);
}
