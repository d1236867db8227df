//! Where a project may lie: names with blanks and letters from everywhere, workspaces, clones, work
//! trees, submodules, dependencies beside the repository. Wherever it is, the same sources give the
//! same binary.

use std::path::Path;

use crate::interruption::can_mount;
use crate::support::{Project, fixtures, git};

/// The digest of the program, as the lock has it.
fn binary(project: &Project) -> String {
    let lock = project.read("repro.lock");
    let line = lock
        .lines()
        .find(|line| line.starts_with("binary = "))
        .unwrap_or_else(|| panic!("none in\n{lock}"));
    line.to_owned()
}

/// The project seen from another directory of its scratch directory.
fn at(project: &Project, directory: &Path, args: &[&str]) -> crate::support::Answer {
    project.answer(project.command(args).current_dir(directory))
}

/// Copies the package of `steady` somewhere.
fn steady(to: &Path) {
    crate::support::copy(&fixtures().join("programs/steady"), to);
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

#[test]
fn two_directories_give_the_same_binary() {
    let binaries = ["a", "a much longer name ü/and deeper"].map(|directory| {
        let project = Project::fixture_in("steady", directory);
        // Paths that a program can carry: of its source, and of its panics.
        project.edit(
            "src/main.rs",
            "println!(",
            "eprintln!(\"{} {}\", file!(), std::panic::Location::caller());\n    println!(",
        );
        project.commit("carries its path").record();
        assert!(!project.read("repro.lock").contains("repro-test-"), "a path is in the lock");
        binary(&project)
    });
    assert_eq!(binaries[0], binaries[1]);
}

#[test]
fn two_directories_give_the_same_binary_though_it_asks_for_its_directory() {
    // Only a build at one place of its own gives that: remapping paths does not reach what `env!` gives.
    if !can_mount("two_directories_give_the_same_binary_though_it_asks_for_its_directory") {
        return;
    }
    let binaries = ["a", "somewhere/else"].map(|directory| {
        let project = Project::fixture_in("steady", directory);
        project.edit("src/main.rs", "println!(", "eprintln!(\"{}\", env!(\"CARGO_MANIFEST_DIR\"));\n    println!(");
        project.commit("carries its path").record();
        binary(&project)
    });
    assert_eq!(binaries[0], binaries[1]);
}

#[test]
fn two_directories_give_the_same_binary_with_a_path_dependency_outside_the_repository() {
    // Only a build at one place of its own gives that: remapping paths does not reach cargo's own hash of a package's path.
    if !can_mount("two_directories_give_the_same_binary_with_a_path_dependency_outside_the_repository") {
        return;
    }
    let binaries = ["here", "there and far/away"].map(|directory| {
        let project = Project::fixture_in("steady", directory);
        depend(&project, &project.root.join("../mylib"), "../mylib", "[workspace]\n");
        project.commit("depends").record();
        binary(&project)
    });
    assert_eq!(binaries[0], binaries[1]);
}

#[test]
fn two_directories_give_the_same_binary_with_generated_sources() {
    let binaries = ["a", "somewhere/else"].map(|directory| {
        let project = Project::fixture_in("steady", directory);
        let script = "fn main() {\n    let out = std::env::var(\"OUT_DIR\").unwrap();\n    std::fs::write(format!(\"{out}/generated.rs\"), \"fn generated() -> u32 { panic!() }\").unwrap();\n}\n";
        project.write("build.rs", script);
        let uses = "include!(concat!(env!(\"OUT_DIR\"), \"/generated.rs\"));\nfn main() {\n    if std::env::args().count() > 9 { generated(); }";
        project.edit("src/main.rs", "fn main() {", uses).edit("src/main.rs", "//! Adds", "// Adds").commit("generates").record();
        binary(&project)
    });
    assert_eq!(binaries[0], binaries[1]);
}

#[test]
fn blanks_quotes_and_letters_from_everywhere_are_fine_in_every_name() {
    let project = Project::fixture_in("steady", "mein Projekt – “ünïcode” & 数据 'x'");
    let work = project.around().join("ärbeit hier");
    std::fs::create_dir(&work).unwrap();
    project.write("src/größe 1.rs", "pub const N: f64 = 1.0;\n");
    project.write("text – eins/ü [1].txt", "7");
    project.write("data/Zahlen & 数 [1].csv", "1\n2\n3.5\n");
    project.edit("repro.toml", "data/numbers.csv", "data/Zahlen & 数 [1].csv");
    project.edit("repro.toml", "model.json", "modelle hier/größe.json");
    project.edit("src/main.rs", "\"model.json\"", "\"modelle hier/größe.json\"");
    project.edit(
        "src/main.rs",
        "fn main() {",
        "#[path = \"größe 1.rs\"]\nmod size;\nfn main() {\n    assert_eq!(include_str!(\"../text – eins/ü [1].txt\"), \"7\");\n    assert_eq!(size::N, 1.0);\n    std::fs::create_dir_all(\"modelle hier\").unwrap();",
    );
    project.commit("names");
    let run = |args: &[&str]| project.answer(project.command(args).env("TMPDIR", &work));
    run(&["record"]).code(0);
    let lock = project.read("repro.lock");
    for name in [
        "src/größe 1.rs",
        "text – eins/ü [1].txt",
        "data/Zahlen & 数 [1].csv",
        "modelle hier/größe.json",
    ] {
        assert!(lock.contains(name), "{name} is not in\n{lock}");
    }
    project.commit("record");
    run(&["status"]).code(0);
    run(&["verify"]).code(0);
    // Its edit is seen under its name.
    project.write("text – eins/ü [1].txt", "8");
    let answer = run(&["status"]);
    answer.code(3);
    assert!(answer.stdout.contains("text – eins/ü [1].txt"), "{}", answer.stdout);
}

#[test]
fn a_data_file_whose_name_is_not_utf8_is_refused_with_what_to_do() {
    use std::os::unix::ffi::OsStrExt as _;
    let project = Project::fixture("steady");
    project
        .edit("repro.toml", "data/numbers.csv", "more/")
        .write(".gitignore", "/target\n/more\n")
        .write("more/a", "1");
    project.commit("odd");
    std::fs::write(project.root.join("more").join(std::ffi::OsStr::from_bytes(b"odd-\xff")), "").unwrap();
    let answer = project.repro(&["record"]);
    answer.code(1);
    assert!(answer.stderr.contains("is not UTF-8"), "{}", answer.stderr);
    assert!(answer.stderr.contains("hint: rename it"), "{}", answer.stderr);
}

#[test]
fn a_manifest_path_through_a_link_and_a_subdirectory_lead_to_the_same_project() {
    let project = Project::fixture("steady");
    project.record();
    std::os::unix::fs::symlink(&project.root, project.around().join("link")).unwrap();
    let link = project.around().join("link/Cargo.toml");
    at(&project, Path::new("/"), &["verify", "--manifest-path", link.to_str().unwrap()]).code(0);
    at(&project, &project.root.join("src"), &["status"]).code(0);
    at(&project, &project.around().join("link/data"), &["status"]).code(0);
}

#[test]
fn variables_that_point_git_elsewhere_are_not_followed() {
    // A hook runs with these set, to the repository of whoever pushes.
    let project = Project::fixture("steady");
    project.record();
    let mut command = project.command(&["verify"]);
    let command = command
        .env("GIT_DIR", "/nowhere")
        .env("GIT_WORK_TREE", "/")
        .env("GIT_INDEX_FILE", "/nowhere/index");
    project.answer(command).code(0);
}

/// A workspace `outer` with the packages `crates/app` (which is `steady`) and `crates/helper`.
fn workspace() -> Project {
    let project = Project::bare("steady", "outer");
    for name in ["src", "data"] {
        std::fs::remove_dir_all(project.root.join(name)).unwrap();
    }
    project.remove("repro.toml").remove("README.md");
    project.write(
        "Cargo.toml",
        "[workspace]\nmembers = [\"crates/*\"]\nresolver = \"3\"\n[profile.release]\ncodegen-units = 1\n",
    );
    let app = project.root.join("crates/app");
    steady(&app);
    std::fs::remove_file(app.join("Cargo.lock")).unwrap();
    write(
        &app.join("Cargo.toml"),
        "[package]\nname = \"steady\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[dependencies]\nhelper = { path = \"../helper\" }\n",
    );
    project.write(
        "crates/helper/Cargo.toml",
        "[package]\nname = \"helper\"\nversion = \"0.1.0\"\nedition = \"2024\"\n",
    );
    project.write("crates/helper/src/lib.rs", "pub fn part() -> f64 { 100.0 }\n");
    project.write("crates/other/Cargo.toml", "[package]\nname = \"other\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
    project.write("crates/other/src/lib.rs", "\n");
    project.edit("crates/app/src/main.rs", "sum / 100.0", "sum / helper::part()");
    project.write(
        "Cargo.lock",
        "version = 4\n\n[[package]]\nname = \"helper\"\nversion = \"0.1.0\"\n\n[[package]]\nname = \"other\"\nversion = \"0.1.0\"\n\n[[package]]\nname = \"steady\"\nversion = \"0.1.0\"\ndependencies = [\n \"helper\",\n]\n",
    );
    project.git(&["init", "--quiet"]);
    project.commit("a workspace");
    project
}

#[test]
fn a_package_inside_a_workspace_is_recorded_with_what_it_depends_on() {
    let project = workspace();
    let app = project.root.join("crates/app");
    at(&project, &app, &["record"]).code(0);
    let lock = project.read("crates/app/repro.lock");
    assert!(lock.contains("\"crates/helper/src/lib.rs\"") && lock.contains("\"Cargo.toml\""), "{lock}");
    assert!(!lock.contains("crates/other/src"), "a package that it does not depend on is in\n{lock}");
    project.commit("record");
    at(&project, &app, &["verify"]).code(0);
    at(&project, &project.root, &["status", "-p", "steady"]).code(0);
    at(&project, project.around(), &["status", "--manifest-path", "outer/crates/app/Cargo.toml"]).code(0);
    project.edit("crates/other/src/lib.rs", "\n", "// not its\n").commit("other");
    at(&project, &app, &["status"]).code(0);
    project.edit("crates/helper/src/lib.rs", "100.0", "10.0").commit("helper");
    at(&project, &app, &["status"]).code(3);
}

#[test]
fn the_root_of_a_workspace_without_a_package_says_to_choose_one() {
    let project = workspace();
    let answer = at(&project, &project.root, &["record"]);
    answer.code(1);
    assert!(answer.stderr.contains("error: "), "{}", answer.stderr);
    assert!(answer.stderr.contains("-p"), "{}", answer.stderr);
    let answer = at(&project, &project.root, &["record", "-p", "stedy"]);
    answer.code(2);
    assert!(answer.stderr.contains("hint: its packages are: helper, other, steady"), "{}", answer.stderr);
}

/// Turns the project into a member of a workspace whose root lies at `ws`, beside it.
fn join_workspace(project: &Project, ws: &Path) {
    project.edit("Cargo.toml", "[workspace]\n", "");
    project.edit("Cargo.toml", "edition = \"2024\"", "edition = \"2024\"\nworkspace = \"../ws\"");
    project.edit("Cargo.toml", "[profile.release]\ncodegen-units = 1\n", "");
    let name = project.root.file_name().unwrap().to_str().unwrap();
    write(
        &ws.join("Cargo.toml"),
        &format!("[workspace]\nmembers = [\"../{name}\"]\nresolver = \"3\"\n[profile.release]\ncodegen-units = 1\n"),
    );
    std::fs::rename(project.root.join("Cargo.lock"), ws.join("Cargo.lock")).unwrap();
}

#[test]
fn a_workspace_whose_root_is_beside_the_package_is_found() {
    let project = Project::bare("steady", "repository/app");
    let top = project.around().join("repository");
    join_workspace(&project, &top.join("ws"));
    git(&top, &["init", "--quiet"]);
    git(&top, &["add", "--all"]);
    git(&top, &["commit", "--quiet", "--message", "start"]);
    project.record();
    let lock = project.read("repro.lock");
    assert!(lock.contains("\"ws/Cargo.toml\"") && lock.contains("\"app/src/main.rs\""), "{lock}");
    project.repro(&["verify"]).code(0);
    write(
        &top.join("ws/Cargo.toml"),
        "[workspace]\nmembers = [\"../app\"]\nresolver = \"3\"\n[profile.release]\ncodegen-units = 1\nopt-level = 1\n",
    );
    project.commit("slower");
    let answer = project.json(&["status"]);
    answer.code(3);
    assert!(
        answer.kinds("drift").iter().any(|kind| kind.starts_with("build-changed")),
        "{:?}",
        answer.kinds("drift")
    );
}

#[test]
fn a_workspace_whose_root_is_outside_the_repository_is_recorded_or_refused_but_never_half_seen() {
    let project = Project::fixture("steady");
    join_workspace(&project, &project.around().join("ws"));
    project.commit("a member");
    let answer = project.repro(&["record"]);
    assert_eq!(answer.code, Some(1), "{}", answer.stderr);
    assert!(answer.stderr.contains("the workspace") && answer.stderr.contains("outside"), "{}", answer.stderr);
    assert!(answer.stderr.contains("hint: "), "{}", answer.stderr);
}

#[test]
fn a_colleagues_clone_verifies_and_builds_the_same_binary() {
    let project = Project::fixture("steady");
    project.record();
    git(project.around(), &["clone", "--quiet", "project", "a clone"]);
    let clone = project.around().join("a clone");
    at(&project, &clone, &["verify"]).code(0);
    at(&project, &clone, &["record"]).code(0);
    // Not even the commit's id differs, since the source closure is the same.
    assert_eq!(git(&clone, &["status", "--porcelain"]), "");
}

#[test]
fn a_shallow_clone_verifies_and_records_without_the_commit_that_the_lock_names() {
    let project = Project::fixture("steady");
    project.record();
    project.git(&["tag", "v1"]);
    project
        .write("README.md", "changed")
        .commit("prose")
        .write("README.md", "again")
        .commit("prose");
    let from = format!("file://{}", project.root.display());
    git(project.around(), &["clone", "--quiet", "--depth", "1", &from, "shallow"]);
    let shallow = project.around().join("shallow");
    assert_eq!(git(&shallow, &["rev-list", "--count", "HEAD"]), "1");
    at(&project, &shallow, &["verify"]).code(0);
    at(&project, &shallow, &["status"]).code(0);
    at(&project, &shallow, &["record"]).code(0);
    assert_eq!(git(&shallow, &["status", "--porcelain"]), "");
    let answer = at(&project, &shallow, &["verify", "--rev", "v1"]);
    answer.code(1);
    assert!(answer.stderr.contains("this clone is shallow; `git fetch --unshallow --tags`"), "{}", answer.stderr);
}

#[test]
fn a_linked_work_tree_is_a_project_as_any_other() {
    let project = Project::fixture("steady");
    project.record();
    project.git(&["worktree", "add", "--quiet", "--detach", "../linked"]);
    let linked = project.around().join("linked");
    at(&project, &linked, &["verify"]).code(0);
    at(&project, &linked, &["record"]).code(0);
    assert_eq!(git(&linked, &["status", "--porcelain"]), "");
}

/// Writes a library `mylib`, with more lines in its manifest, and makes the project depend on it at
/// `path`.
fn depend(project: &Project, directory: &Path, path: &str, more: &str) {
    let manifest = format!("[package]\nname = \"mylib\"\nversion = \"0.1.0\"\nedition = \"2024\"\n{more}");
    write(&directory.join("Cargo.toml"), &manifest);
    write(
        &directory.join("src/lib.rs"),
        "pub fn part() -> f64 { assert!(std::env::args().count() < 99, \"{}\", file!()); 100.0 }\n",
    );
    project.edit("Cargo.toml", "[dependencies]\n", &format!("[dependencies]\nmylib = {{ path = \"{path}\" }}\n"));
    project.edit("src/main.rs", "sum / 100.0", "sum / mylib::part()");
    project.write(
        "Cargo.lock",
        "version = 4\n\n[[package]]\nname = \"mylib\"\nversion = \"0.1.0\"\n\n[[package]]\nname = \"steady\"\nversion = \"0.1.0\"\ndependencies = [\n \"mylib\",\n]\n",
    );
}

#[test]
fn a_path_dependency_outside_the_repository_is_pinned_by_its_content() {
    let project = Project::fixture("steady");
    let mylib = project.around().join("mylib");
    depend(&project, &mylib, "../mylib", "[workspace]\n");
    project.commit("depends").record();
    let lock = project.read("repro.lock");
    assert!(lock.contains("\"../mylib/src/lib.rs\"") && lock.contains("\"../mylib/Cargo.toml\""), "{lock}");
    project.repro(&["verify"]).code(0);
    let text = std::fs::read_to_string(mylib.join("src/lib.rs")).unwrap();
    write(&mylib.join("src/lib.rs"), &text.replace("100.0", "10.0"));
    let answer = project.json(&["verify"]);
    answer.code(3);
    assert_eq!(answer.kinds("drift"), ["source-changed ../mylib/src/lib.rs"]);
}

#[test]
fn a_path_dependency_that_is_named_by_its_place_on_the_machine_is_pinned_by_its_content() {
    let outside = tempfile::tempdir_in("/var/tmp").unwrap();
    let project = Project::fixture("steady");
    let mylib = outside.path().canonicalize().unwrap().join("mylib");
    let more = "[workspace]\n[dependencies]\ninner = { path = \"inner\" }\n";
    depend(&project, &mylib, &mylib.to_string_lossy(), more);
    let inner = mylib.join("inner");
    write(&inner.join("Cargo.toml"), "[package]\nname = \"inner\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
    write(&inner.join("src/lib.rs"), "pub const TEN: f64 = 10.0;\n");
    let text = std::fs::read_to_string(mylib.join("src/lib.rs")).unwrap();
    write(&mylib.join("src/lib.rs"), &text.replace("100.0", "inner::TEN * inner::TEN"));
    // Cargo is not told of this file, and yet it is an input.
    write(&mylib.join("build.rs"), "fn main() { std::fs::read(\"extra.txt\").unwrap(); }\n");
    write(&mylib.join("extra.txt"), "more\n");
    let own = "[[package]]\nname = \"mylib\"\nversion = \"0.1.0\"\n";
    let locked =
        format!("[[package]]\nname = \"inner\"\nversion = \"0.1.0\"\n\n{own}dependencies = [\n \"inner\",\n]\n");
    project.edit("Cargo.lock", own, &locked).commit("depends");
    project.record();
    project.repro(&["verify"]).code(0);

    let lock = project.read("repro.lock");
    assert!(!lock.contains(&format!("\"{}", mylib.display())), "{lock}");
    for file in ["src/lib.rs", "inner/src/lib.rs", "Cargo.toml", "build.rs", "extra.txt"] {
        let mut names = lock.lines().filter(|line| line.contains(&format!("/mylib/{file}\" = ")));
        let name = names
            .next()
            .unwrap_or_else(|| panic!("{file} is not pinned: {lock}"))
            .split('"')
            .nth(1)
            .unwrap();
        assert!(name.starts_with("../") && names.next().is_none(), "{file}: {lock}");
        let place = mylib.join(file);
        let original = std::fs::read_to_string(&place).unwrap();
        write(&place, &format!("{original}\n"));
        let answer = project.json(&["verify"]);
        answer.code(3);
        assert_eq!(answer.kinds("drift"), [format!("source-changed {name}")]);
        write(&place, &original);
    }
    // Kept builds and packages built apart are of the same.
    project.record();
    assert_eq!(project.read("repro.lock"), lock);
}

#[test]
fn a_path_dependency_two_levels_up_keeps_its_place() {
    let project = Project::fixture_in("steady", "one/two/three");
    depend(&project, &project.around().join("lib/mylib"), "../../../lib/mylib", "[workspace]\n");
    project.commit("depends").record();
    project.repro(&["verify"]).code(0);
    assert!(project.read("repro.lock").contains("\"../../../lib/mylib/src/lib.rs\""));
}

#[test]
fn a_path_dependency_that_is_not_there_is_named_by_cargo() {
    let project = Project::fixture("steady");
    depend(&project, &project.around().join("mylib"), "../mylib", "[workspace]\n");
    project.commit("depends");
    std::fs::remove_dir_all(project.around().join("mylib")).unwrap();
    let answer = project.repro(&["record"]);
    answer.code(1);
    assert!(answer.stderr.contains("mylib"), "{}", answer.stderr);
}

#[test]
fn a_submodule_is_pinned_at_its_commit() {
    let binaries = ["here", "there/far away"].map(|directory| {
        let project = Project::fixture_in("steady", directory);
        let source = project.around().join("mylib-source");
        depend(&project, &source, "vendored/mylib", "");
        git(&source, &["init", "--quiet"]);
        git(&source, &["add", "--all"]);
        git(&source, &["commit", "--quiet", "--message", "lib"]);
        project.git(&[
            "submodule",
            "--quiet",
            "add",
            source.to_str().unwrap(),
            "vendored/mylib",
        ]);
        project.commit("a submodule").record();
        let lock = project.read("repro.lock");
        assert!(lock.contains("[source.submodules]\n\"vendored/mylib\" = "), "{lock}");
        assert!(lock.contains("\"vendored/mylib/src/lib.rs\""), "{lock}");
        project.repro(&["verify"]).code(0);

        // An edit in it is named, though git's status shows only that there is one.
        project.edit("vendored/mylib/src/lib.rs", "100.0", "10.0");
        let answer = project.json(&["status"]);
        answer.code(3);
        assert_eq!(answer.kinds("drift"), ["source-dirty vendored/mylib/src/lib.rs"]);
        let answer = project.repro(&["record"]);
        answer.code(1);
        assert!(answer.stderr.contains("vendored/mylib/src/lib.rs (modified)"), "{}", answer.stderr);

        // Another commit of it is drift.
        git(&project.root.join("vendored/mylib"), &["commit", "--quiet", "--all", "--message", "ten"]);
        project.commit("bump");
        let answer = project.json(&["verify"]);
        answer.code(3);
        assert!(
            answer.kinds("drift").contains(&"source-changed vendored/mylib/src/lib.rs".to_owned()),
            "{:?}",
            answer.kinds("drift")
        );
        binary(&project)
    });
    assert_eq!(binaries[0], binaries[1]);
}

#[test]
fn a_clone_without_its_submodules_says_how_to_bring_them() {
    let project = Project::fixture("steady");
    let source = project.around().join("mylib-source");
    depend(&project, &source, "mylib", "");
    git(&source, &["init", "--quiet"]);
    git(&source, &["add", "--all"]);
    git(&source, &["commit", "--quiet", "--message", "lib"]);
    project.git(&["submodule", "--quiet", "add", source.to_str().unwrap(), "mylib"]);
    project.commit("a submodule").record();
    git(project.around(), &["clone", "--quiet", "project", "clone"]);
    let answer = at(&project, &project.around().join("clone"), &["verify"]);
    answer.code(1);
    assert!(answer.stderr.contains("mylib"), "{}", answer.stderr);
    assert!(answer.stderr.contains("git submodule update --init"), "{}", answer.stderr);
}
