//! What was looked for and was not there, what was listed, and what lies behind links or outside the package: all of
//! it is an input, and a file that comes there is drift and never a divergence.

use std::os::unix::fs::{PermissionsExt as _, symlink};

use crate::support::Project;

const BUILD: &str = r#"
use std::path::Path;
fn main() {
    println!("cargo::rerun-if-changed=protos");
    println!("cargo::rerun-if-changed=build.cfg");
    let listed = std::fs::read_dir("assets").unwrap().count();
    let there = std::fs::read_dir("protos").unwrap().count() + usize::from(Path::new("flag").exists());
    println!("cargo::rustc-env=SCALE={}", listed + there);
}
"#;

const MAIN: &str = r#"
mod far;
mod near { pub mod unit; }
#[path = "../../shared/src/free.rs"]
mod free;
fn main() {
    let names = |directory: &str| std::fs::read_dir(directory).unwrap().count();
    let optional = std::fs::read_to_string("override.txt").unwrap_or_default();
    // What it makes itself is there only for whoever made it.
    let cache = std::fs::read_to_string("cache.txt").unwrap_or_default();
    let _ = std::fs::write("cache.txt", "");
    let listed = names("configs") + names("../shared/more");
    let all = (env!("SCALE"), far::FAR, near::unit::UNIT, free::FREE, include_str!("../../README.md").len());
    std::fs::write("model.json", format!("{all:?} {listed} {optional:?} {cache:?}")).unwrap();
}
"#;

/// A package in a workspace, of which everything here reaches the model; recorded, and tagged `v1`.
fn recorded() -> Project {
    let mut project = Project::fixture("workspace");
    project.named();
    project.write("trainer/build.rs", BUILD).write("trainer/src/main.rs", MAIN);
    for (path, text) in [
        ("trainer/protos/a.proto", "a"),
        ("trainer/protos/z.proto", "z"),
        ("trainer/assets/a.bin", "a"),
        ("trainer/assets/deep/b.bin", "b"),
        ("trainer/configs/a.toml", "a"),
        ("trainer/configs/z.toml", "z"),
        ("trainer/flag", ""),
        ("shared/more/a.txt", "a"),
        ("shared/src/free.rs", "pub const FREE: u32 = 1;"),
        ("common/far.rs", "pub const FAR: u32 = 2;"),
        ("common/unit/unit.rs", "pub const UNIT: u32 = 3;"),
        (".gitignore", "target\n*.ignored\n"),
    ] {
        project.write(path, text);
    }
    symlink("../../common/far.rs", project.root.join("trainer/src/far.rs")).unwrap();
    symlink("../../common/unit", project.root.join("trainer/src/near")).unwrap();
    let text = project.read("trainer/repro.toml");
    project.write("trainer/repro.toml", &format!("{text}\n[gate]\ntags = \"v*\"\n"));
    project.commit("start");
    project.root = project.root.join("trainer");
    project.record().tag("v1");
    project
}

/// The subjects of what `status` finds after an edit, and of what the gate refuses of it once it is committed.
fn found(project: &Project, edit: &dyn Fn(&Project)) -> (Vec<String>, Vec<String>) {
    edit(project);
    project.commit("edit");
    let status = project.json(&["status"]);
    let drift = status.kinds("drift");
    assert_eq!(status.code, Some(if drift.is_empty() { 0 } else { 3 }), "{}", status.stdout);
    project.tag("v2");
    let gate = project.json(&["gate", "v2"]);
    let refused = gate.kinds("refusals");
    assert_eq!(gate.code, Some(if refused.is_empty() { 0 } else { 8 }), "{}", gate.stdout);
    project.git(&["tag", "--delete", "v2"]);
    project.git(&["reset", "--quiet", "--hard", "v1"]);
    (drift, refused)
}

#[test]
fn what_is_listed_and_what_is_absent_are_inputs_wherever_they_are() {
    let project = recorded();
    project.repro(&["verify"]).code(0);
    project.repro(&["gate", "v1"]).code(0);
    type Edit<'a> = (&'a str, &'a dyn Fn(&Project));
    let write = |path: &'static str| {
        move |project: &Project| {
            project.write(path, "new");
        }
    };
    let edits: [Edit<'_>; 16] = [
        ("trainer/assets/b.bin", &write("assets/b.bin")),
        ("trainer/assets/other/", &write("assets/other/c.bin")),
        ("trainer/assets/deep/", &|project| {
            std::fs::remove_dir_all(project.root.join("assets/deep")).unwrap()
        }),
        ("trainer/protos/b.proto", &write("protos/b.proto")),
        ("trainer/configs/b.toml", &write("configs/b.toml")),
        ("trainer/configs/a.toml", &|project| {
            project.remove("configs/a.toml");
        }),
        ("shared/more/b.txt", &write("../shared/more/b.txt")),
        ("trainer/override.txt", &write("override.txt")),
        ("trainer/build.cfg", &write("build.cfg")),
        ("trainer/cache.txt", &write("cache.txt")),
        ("trainer/flag", &|project| {
            project.remove("flag");
        }),
        ("common/far.rs", &write("../common/far.rs")),
        ("common/unit/unit.rs", &write("../common/unit/unit.rs")),
        ("shared/src/free.rs", &write("../shared/src/free.rs")),
        ("README.md", &write("../README.md")),
        ("trainer/src/near", &|project| {
            project.remove("src/near");
            symlink("../../common/../common/unit", project.root.join("src/near")).unwrap();
        }),
    ];
    for (path, edit) in edits {
        let wanted = vec![format!("source-changed {path}")];
        assert_eq!(found(&project, edit), (wanted.clone(), wanted), "{path}");
    }
    // The same bytes as something else.
    let (drift, refused) = found(&project, &|project| {
        let place = project.root.join("src/main.rs");
        std::fs::set_permissions(place, std::fs::Permissions::from_mode(0o755)).unwrap();
    });
    assert_eq!((drift.join(" "), refused.join(" ")), ("source-changed trainer/src/main.rs".into(), drift.join(" ")));
    let quiet: [&dyn Fn(&Project); 3] = [
        &write("assets/c.ignored"),
        &write("tests/a.rs"),
        &write("../bystander/src/new.rs"),
    ];
    for edit in quiet {
        assert_eq!(found(&project, edit), (Vec::new(), Vec::new()));
    }
}

#[test]
fn what_is_not_committed_is_told_where_it_would_matter_and_nowhere_else() {
    let project = recorded();
    project
        .write("assets/c.bin", "c")
        .write("override.txt", "")
        .write("configs/new/x.toml", "x");
    project.remove("protos/a.proto");
    // A leftover, what git ignores, what has no place in it, and a cache.
    project.write("cache.txt", "old").write("assets/c.ignored", "").write("notes.txt", "");
    project.write("configs/cache/CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc55");
    let status = project.json(&["status"]);
    status.code(3);
    let dirty = [
        "trainer/assets/c.bin",
        "trainer/configs/new/",
        "trainer/override.txt",
        "trainer/protos/a.proto",
    ];
    assert_eq!(status.kinds("drift"), dirty.map(|path| format!("source-dirty {path}")));
    // It is committed and recorded again: built anew, with what came.
    project.commit("more");
    project.record();
    assert!(project.read("repro.lock").contains("\"c.bin\""), "{}", project.read("repro.lock"));
    project.repro(&["verify"]).code(0);
}

#[test]
fn a_lock_from_before_listings_were_kept_verifies_and_says_what_it_lacks() {
    let project = Project::fixture("command");
    project.write("docs/a.md", "a\n");
    project.edit("scripts/train.sh", "sum=0", "sum=$(ls docs | wc -l)").commit("lists");
    project.record();
    let lock = project.read("repro.lock");
    assert!(lock.contains("[source.looks.listed]\ndocs = [\"a.md\"]\n"), "{lock}");
    let start = lock.find("[source.looks").unwrap();
    let end = lock.find("[source.files]").unwrap();
    project
        .write("repro.lock", &format!("{}{}", &lock[..start], &lock[end..]))
        .reseal()
        .commit("old");
    let status = project.json(&["status"]);
    status.code(0);
    let not_checked = status.verdict()["not_checked"].to_string();
    assert!(not_checked.contains("which directories were listed"), "{not_checked}");
    project.repro(&["verify"]).code(0);
    // With what is kept now, prose that a command lists counts as well.
    project.write("repro.lock", &lock).commit("new");
    project.write("docs/b.md", "b\n").commit("more");
    assert_eq!(project.json(&["status"]).kinds("drift"), ["source-changed docs/b.md"]);
    project.repro(&["verify"]).code(3);
}
