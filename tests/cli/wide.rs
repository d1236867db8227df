//! A package in a repository of much else: of that, only what the build and the stages look for is checked out, and
//! they find all that the commit has.

use std::os::unix::fs::symlink;
use std::path::Path;

use crate::support::{Project, git, has_namespaces};

const BUILD: &str = r#"
fn main() {
    // Nothing looks for these now.
    println!("cargo::rerun-if-changed=../../asked/one.txt");
    println!("cargo::rerun-if-changed=../../asked/more");
    let names = std::fs::read_dir("../../shared").unwrap().count();
    println!("cargo::rustc-env=NAMES={names}");
}
"#;

const MAIN: &str = r#"
use std::path::Path;
fn main() {
    let read = |path: &str| std::fs::read_to_string(path).unwrap();
    let told = (env!("NAMES"), include_str!("../../../README.md"), read("../other/file"), read("../../links/here/far.txt"));
    let listed = std::fs::read_dir("../../crowd").unwrap().count();
    let there = ["../../crowd", "../../asks/x", "../../asks/y"].map(|path| Path::new(path).exists());
    let tool = std::process::Command::new("../../tools/say.sh").output().unwrap().stdout;
    std::fs::write("model.json", format!("{told:?} {listed} {there:?} {tool:?}")).unwrap();
    std::fs::write("copy.json", include_str!("../../../golden.json")).unwrap();
    std::fs::write("metrics.json", "{\"accuracy\":0.5}").unwrap();
}
"#;

/// The package in its repository, committed. Data lies outside of it too.
fn wide() -> Project {
    let mut project = Project::fixture("steady");
    for name in ["Cargo.toml", "Cargo.lock", "repro.toml", "src"] {
        let to = project.root.join("packages/steady").join(name);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::rename(project.root.join(name), to).unwrap();
    }
    let package = "packages/steady";
    project.edit(&format!("{package}/repro.toml"), "data/numbers.csv", "../../data/numbers.csv");
    project.edit(&format!("{package}/repro.toml"), "[\"model.json\"]", "[\"model.json\", \"copy.json\"]");
    project
        .write(&format!("{package}/build.rs"), BUILD)
        .write(&format!("{package}/src/main.rs"), MAIN);
    for (path, text) in [
        ("README.md", "read when it is built"),
        ("golden.json", "[\"the very bytes of an artifact, which is therefore a copy\", 1, 2, 3]"),
        ("shared/a.txt", "a"),
        ("shared/deep/b.txt", "b"),
        ("packages/other/file", "read by a stage"),
        ("deep/inner/far.txt", "behind a link"),
        ("deep/near.txt", "behind a link itself"),
        ("deep/late.txt", "behind a link that a stage makes"),
        ("deep/inside/file", "in a directory behind a link"),
        ("deep/flagged.txt", "asked about as if it were open"),
        ("deep/above.txt", "above where a link leads"),
        ("deep/taken.txt", "a name that is taken"),
        ("deep/aside/file", "where another link leads"),
        ("asked/one.txt", "1"),
        ("asked/more/two.txt", "2"),
        ("asks/x", "x"),
        ("tools/say.sh", "#!../../tools/interpreter\n"),
        ("tools/interpreter", "#!/bin/sh\necho said\n"),
    ] {
        project.write(path, text);
    }
    for number in 0..40 {
        project
            .write(&format!("crowd/{number}"), "listed")
            .write(&format!("bystander/{number}.txt"), &format!("bystander {number}"));
    }
    for tool in ["say.sh", "interpreter"] {
        crate::support::executable(&project.root.join("tools").join(tool), &project.read(&format!("tools/{tool}")));
    }
    std::fs::create_dir(project.root.join("links")).unwrap();
    symlink("../deep/inner", project.root.join("links/here")).unwrap();
    symlink("../deep/near.txt", project.root.join("links/near.txt")).unwrap();
    symlink("../deep/inside", project.root.join("links/inside")).unwrap();
    symlink("../deep/aside", project.root.join("links/aside")).unwrap();
    project.commit("wide");
    project.root = project.root.join(package);
    project
}

/// Whether a run left a file of the repository in its checkout.
fn was_written(project: &Project, path: &str) -> bool {
    fn holds(directory: &Path, path: &str) -> bool {
        let place = directory.join("tree").join(path);
        let above = std::fs::read_dir(directory).into_iter().flatten().flatten();
        let mut rooms = above.filter(|entry| entry.path().is_dir() && entry.file_name() != "tree");
        std::fs::read_dir(directory.join("tree"))
            .into_iter()
            .flatten()
            .flatten()
            .any(|entry| entry.path().join(path).symlink_metadata().is_ok())
            || place.exists()
            || rooms.any(|room| holds(&room.path(), path))
    }
    holds(&project.work(), path)
}

#[test]
fn what_a_program_looks_for_outside_its_package_is_there_and_pinned_and_nothing_else_is_written() {
    let project = wide();
    project.record();
    let model = project.read("model.json");
    assert_eq!(
        model,
        format!(
            "(\"2\", \"read when it is built\", \"read by a stage\", \"behind a link\") 40 [true, true, false] {:?}",
            b"said\n"
        )
    );
    let lock = project.read("repro.lock");
    for path in [
        "README.md",
        "golden.json",
        "packages/other/file",
        "deep/inner/far.txt",
        "links/here",
        "asked/one.txt",
        "asked/more/two.txt",
        "tools/say.sh",
        "tools/interpreter",
    ] {
        assert!(lock.contains(&format!("\"{path}\" = \"sha256:")), "{path} is not pinned:\n{lock}");
    }
    assert!(lock.contains("shared = [\"a.txt\", \"deep/\"]"), "{lock}");
    assert!(lock.contains("\"asks/y\""), "what is not there is pinned as that:\n{lock}");
    assert!(lock.contains("copied"), "{lock}");
    if has_namespaces("what_a_program_looks_for_outside_its_package_is_there_and_pinned_and_nothing_else_is_written") {
        assert!(was_written(&project, "README.md") && was_written(&project, "crowd/7"));
        assert!(!was_written(&project, "bystander/7.txt"), "nobody looked for it");
    }
    project.repro(&["verify"]).code(0);
    // The build is taken as it is, and what it read is read no more.
    let again = project.repro(&["record", "-v"]);
    again.code(0);
    assert!(again.stderr.contains("Fresh"), "{}", again.stderr);
    assert_eq!(project.read("repro.lock"), lock);
}

#[test]
fn whatever_was_looked_for_outside_the_package_is_drift_when_it_changes() {
    let project = wide();
    project.record().commit("recorded");
    let edits: [(&str, &str, &str); 8] = [
        ("../../README.md", "other", "source-changed README.md"),
        ("../other/file", "other", "source-changed packages/other/file"),
        ("../../deep/inner/far.txt", "other", "source-changed deep/inner/far.txt"),
        ("../../asked/more/two.txt", "other", "source-changed asked/more/two.txt"),
        ("../../shared/new.txt", "", "source-changed shared/new.txt"),
        ("../../crowd/new", "", "source-changed crowd/new"),
        ("../../asks/y", "", "source-changed asks/y"),
        ("../../tools/interpreter", "#!/bin/sh\necho other\n", "source-changed tools/interpreter"),
    ];
    for (path, text, drift) in edits {
        project.write(path, text).commit("edit");
        assert_eq!(project.json(&["status"]).kinds("drift"), [drift], "{path}");
        project.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    }
    project
        .write("../../bystander/new.txt", "new")
        .write("../../shared/a.txt", "other")
        .commit("nothing to it");
    assert_eq!(project.json(&["status"]).kinds("drift"), [""; 0], "of what is listed only the names count");
    project.repro(&["verify"]).code(0);
}

#[test]
fn the_next_recording_finds_nothing_of_what_an_earlier_one_looked_for() {
    let project = wide();
    project.record();
    project.write("../other/file", "written anew").commit("another");
    project.record();
    assert!(project.read("model.json").contains("written anew"), "{}", project.read("model.json"));
    project.remove("../other/file").commit("gone");
    let answer = project.repro(&["record"]);
    answer.code(6);
    assert!(answer.stderr.contains("stage `train` failed"), "{}", answer.stderr);
}

const LOOKS: &str = r#"
use std::fs::{metadata, read_to_string, symlink_metadata};
unsafe extern "C" {
    fn statx(directory: i32, path: *const u8, flags: i32, mask: u32, into: *mut u8) -> i32;
}
fn main() {
    let mut model = Vec::new();
    // A link, and then where it leads.
    symlink_metadata("../../links/near.txt").unwrap();
    model.push(metadata("../../links/near.txt").is_ok());
    // A name that is looked for before it leads anywhere.
    let mut before = metadata("late").is_ok();
    std::os::unix::fs::symlink("../../deep/late.txt", "late").unwrap();
    before |= !metadata("late").is_ok();
    std::fs::remove_file("late").unwrap();
    model.push(!before);
    let here = std::env::current_dir().unwrap();
    symlink_metadata("../../links/inside").unwrap();
    model.push(std::env::set_current_dir("../../links/inside").is_ok() && read_to_string("file").is_ok());
    std::env::set_current_dir(here).unwrap();
    // AT_FDCWD and AT_EMPTY_PATH, though it is not empty.
    let path = "../../deep/flagged.txt\0";
    model.push(unsafe { statx(-100, path.as_ptr(), 0x1000, 0x7ff, [0u8; 256].as_mut_ptr()) } == 0);
    std::fs::write("own", "").unwrap();
    let taken = std::fs::hard_link("own", "../../deep/taken.txt").unwrap_err();
    model.push(taken.kind() == std::io::ErrorKind::AlreadyExists);
    model.push(read_to_string("../../links/aside/../above.txt").is_ok());
    std::fs::write("model.json", format!("{model:?}")).unwrap();
    std::fs::write("copy.json", "[1]").unwrap();
    std::fs::write("metrics.json", "{\"accuracy\":0.5}").unwrap();
}
"#;

#[test]
fn whichever_way_something_is_looked_for_it_is_there_and_pinned() {
    let project = wide();
    project.write("src/main.rs", LOOKS).write("build.rs", "fn main() {}\n").commit("looks");
    project.record();
    assert!(!project.read("model.json").contains("false"), "{}", project.read("model.json"));
    let lock = project.read("repro.lock");
    for path in [
        "links/near.txt",
        "deep/near.txt",
        "deep/late.txt",
        "links/inside",
        "deep/inside/file",
        "deep/flagged.txt",
        "links/aside",
        "deep/above.txt",
        "deep/taken.txt",
    ] {
        assert!(lock.contains(&format!("\"{path}\" = \"sha256:")), "{path} is not pinned:\n{lock}");
    }
}

#[test]
fn what_is_found_by_its_place_on_the_machine_is_there_and_pinned() {
    let project = wide();
    let top = project.root.join("../..").canonicalize().unwrap();
    let far = top.join("packages/far");
    project
        .write("../far/Cargo.toml", "[package]\nname = \"far\"\nversion = \"0.1.0\"\nedition = \"2021\"\n")
        .write("../far/src/lib.rs", "pub const TEXT: &str = include_str!(\"../../other/file\");\n")
        .edit(
            "Cargo.toml",
            "[dependencies]\n",
            &format!("[dependencies]\nfar = {{ path = \"{}\" }}\n", far.display()),
        )
        .edit("Cargo.lock", "version = \"0.1.0\"\n", "version = \"0.1.0\"\ndependencies = [\n \"far\",\n]\n");
    let lock = project.read("Cargo.lock");
    let main = format!(
        "fn main() {{\n    let listed = std::fs::read_dir(\"{0}/crowd\").unwrap().count();\n    \
         let text = std::fs::read_to_string(\"{0}/deep/near.txt\").unwrap();\n    \
         std::fs::write(\"model.json\", format!(\"{{}} {{text}} {{listed}}\", far::TEXT)).unwrap();\n    \
         std::fs::write(\"copy.json\", \"[1]\").unwrap();\n    \
         std::fs::write(\"metrics.json\", \"{{\\\"accuracy\\\":0.5}}\").unwrap();\n}}\n",
        top.display()
    );
    project
        .write("Cargo.lock", &format!("{lock}\n[[package]]\nname = \"far\"\nversion = \"0.1.0\"\n"))
        .write("src/main.rs", &main)
        .write("build.rs", "fn main() {}\n")
        .commit("by its place");
    project.record();
    assert_eq!(project.read("model.json"), "read by a stage behind a link itself 40");
    let lock = project.read("repro.lock");
    for path in ["packages/far/src/lib.rs", "packages/other/file", "deep/near.txt"] {
        assert!(lock.contains(&format!("\"{path}\" = \"sha256:")), "{path} is not pinned:\n{lock}");
    }
    project.repro(&["verify"]).code(0);
}

#[test]
fn a_partial_clone_is_brought_only_what_is_looked_for() {
    if !has_namespaces("a_partial_clone_is_brought_only_what_is_looked_for") {
        return;
    }
    let original = wide();
    let top = original.root.join("../..").canonicalize().unwrap();
    git(&top, &["config", "uploadpack.allowFilter", "true"]);
    let mut project = Project::empty();
    std::fs::remove_dir(&project.root).unwrap();
    let address = format!("file://{}", top.display());
    git(
        project.around(),
        &[
            "clone",
            "--quiet",
            "--filter=blob:none",
            "--no-checkout",
            &address,
            "project",
        ],
    );
    git(&project.root, &["sparse-checkout", "set", "--no-cone", "/*", "!/bystander/"]);
    git(&project.root, &["checkout", "--quiet"]);
    let top = project.root.clone();
    let missing = || {
        git(&top, &["rev-list", "--objects", "--no-walk", "--missing=print", "HEAD"])
            .matches('?')
            .count()
    };
    assert_eq!(missing(), 40, "one for each bystander");
    project.root = project.root.join("packages/steady");
    project.record();
    project.repro(&["verify"]).code(0);
    assert_eq!(missing(), 40);
}
