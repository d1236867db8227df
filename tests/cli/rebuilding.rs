//! `record` keeps what it compiled for the next time: that may spare time, and nothing else.

use crate::support::{Project, copy, fixtures};

/// Its weight is what a macro reads in a file, of which the compiler learns nothing.
fn weighing() -> Project {
    let project = Project::fixture("steady");
    copy(&fixtures().join("programs/catalog/extras/macros"), &project.root.join("macros"));
    project.edit("Cargo.toml", "[dependencies]\n", "[dependencies]\nmacros = { path = \"macros\" }\n");
    project.edit("Cargo.lock", "version = \"0.1.0\"\n", "version = \"0.1.0\"\ndependencies = [\n \"macros\",\n]\n");
    let lock = project.read("Cargo.lock");
    project.write("Cargo.lock", &format!("{lock}\n[[package]]\nname = \"macros\"\nversion = \"0.1.0\"\n"));
    project.write("src/lib.rs", "pub const WEIGHT: f64 = macros::weight!();\n");
    project.edit("src/main.rs", "let sum: f64 = text", "let sum: f64 = steady::WEIGHT + text");
    project.edit("src/main.rs", ".sum();", ".sum::<f64>();");
    project.write("weight.txt", "1.5").commit("a weight");
    project
}

fn locks(project: &Project, path: &str) -> bool {
    project.read("repro.lock").contains(&format!("\n\"{path}\" = \"sha256:"))
}

#[test]
fn a_file_that_only_a_macro_reads_is_in_the_program_as_it_is_committed() {
    let project = weighing();
    project.repro(&["record"]).code(0);
    assert!(locks(&project, "weight.txt"), "{}", project.read("repro.lock"));
    let before = project.read("model.json");
    project.write("weight.txt", "2.5").commit("another weight");
    project.repro(&["record"]).code(0);
    assert!(locks(&project, "weight.txt"));
    assert_ne!(project.read("model.json"), before, "the lock would pin a weight that no program had");
    project.commit("record");
    project.repro(&["verify"]).code(0);
}

#[test]
fn what_a_macro_read_in_a_build_that_failed_is_pinned_by_the_next() {
    let project = weighing();
    let good = project.read("src/main.rs");
    project.write("src/main.rs", &good.replace("fn main() {", "fn main() { let x: u8 = -1;"));
    project.commit("not Rust");
    project.repro(&["record"]).code(5);
    project.write("src/main.rs", &good).commit("Rust");
    project.repro(&["record"]).code(0);
    assert!(locks(&project, "weight.txt"), "{}", project.read("repro.lock"));
}

#[test]
fn a_file_that_is_new_may_be_what_a_macro_looks_for() {
    let project = weighing();
    project.edit("macros/src/lib.rs", "/weight.txt\";", "/weight.txt\"; let path = if std::path::Path::new(&(path.clone() + \".new\")).exists() { path + \".new\" } else { path };");
    project.commit("looks for another");
    project.repro(&["record"]).code(0);
    let before = project.read("model.json");
    project.write("weight.txt.new", "7.5").commit("another");
    project.repro(&["record"]).code(0);
    assert_ne!(project.read("model.json"), before);
    assert!(locks(&project, "weight.txt.new"));
}

#[test]
fn what_a_macro_read_in_an_earlier_build_that_cargo_takes_up_again_is_pinned_too() {
    let project = weighing();
    project.edit("Cargo.toml", "[dependencies]\n", "[features]\nheavy = []\n[dependencies]\n");
    project.write(
        "src/lib.rs",
        "#[cfg(feature = \"heavy\")]\npub const WEIGHT: f64 = macros::weight!();\n#[cfg(not(feature = \"heavy\"))]\npub const WEIGHT: f64 = 0.0;\n",
    );
    let heavy = "[build]\nfeatures = [\"heavy\"]\n";
    let light = project.read("repro.toml");
    let record = |manifest: &str| {
        project.write("repro.toml", manifest).commit("other features");
        project.repro(&["record"]).code(0);
        locks(&project, "weight.txt")
    };
    assert!(record(&format!("{light}{heavy}")));
    let before = project.read("model.json");
    assert!(!record(&light));
    project.write("weight.txt", "2.5");
    assert!(record(&format!("{light}{heavy}")));
    assert_ne!(project.read("model.json"), before);
}

#[test]
fn what_only_the_build_shows_to_be_uncommitted_is_built_from_the_work_tree_where_that_is_allowed() {
    let project = weighing();
    project.repro(&["record"]).code(0);
    let before = project.read("model.json");
    project.write("weight.txt", "2.5");
    project.repro(&["record"]).code(1);
    project.repro(&["record", "--allow-dirty"]).code(0);
    assert!(project.read("repro.lock").contains("dirty = true"));
    assert_ne!(project.read("model.json"), before);
}

/// A program asks the test's own server what to do, which then edits what the program was built from.
fn edited_meanwhile(project: &Project, args: &[&str], path: &str, named: &str) {
    let before = project.repro(&["show"]).code;
    project.write("../switch.txt", &format!("write={path}"));
    let answer = project.repro(args);
    answer.code(1);
    assert!(answer.stderr.contains(&format!("{named} changed while it was built from")), "{}", answer.stderr);
    assert!(answer.stderr.contains("run the same command again"), "{}", answer.stderr);
    assert_eq!(project.repro(&["show"]).code, before, "a lock was written");
    project.remove("../switch.txt");
}

#[test]
fn a_source_that_is_edited_while_an_uncommitted_program_trains_gives_no_lock() {
    let project = Project::fixture("switch");
    let source = project.read("src/main.rs");
    project.write("src/main.rs", &format!("{source}\n// not committed\n"));
    edited_meanwhile(&project, &["record", "--allow-dirty"], "src/main.rs", "src/main.rs");
}

#[test]
fn a_source_outside_the_repository_that_is_edited_while_it_trains_gives_no_lock() {
    let project = Project::fixture("switch");
    for (path, text) in [
        ("Cargo.toml", "[package]\nname = \"beside\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n"),
        ("src/lib.rs", "//! Empty.\n"),
    ] {
        project.write(&format!("../beside/{path}"), text);
    }
    project.edit("Cargo.toml", "[dependencies]\n", "[dependencies]\nbeside = { path = \"../beside\" }\n");
    project.edit("Cargo.lock", "version = \"0.1.0\"\n", "version = \"0.1.0\"\ndependencies = [\n \"beside\",\n]\n");
    let lock = project.read("Cargo.lock");
    let package = "[[package]]\nname = \"beside\"\nversion = \"0.1.0\"\n\n";
    project.write("Cargo.lock", &lock.replacen("[[package]]", &format!("{package}[[package]]"), 1));
    project.edit("src/main.rs", "use std::fmt", "#[allow(unused_imports)]\nuse beside as _;\nuse std::fmt");
    project.commit("beside");
    edited_meanwhile(&project, &["record"], "../beside/src/lib.rs", "beside/src/lib.rs");
}

#[test]
fn what_a_macro_drew_without_the_seed_is_drawn_anew_by_the_seed() {
    let project = weighing();
    project.write("src/lib.rs", "pub const WEIGHT: f64 = (macros::fields!()[0] * 64 + macros::fields!()[1]) as f64;\n");
    project.commit("an order by chance");
    project.record();
    project.repro(&["record"]).code(0); // of the same files as the next one
    let manifest = project.read("repro.toml");
    project.write("repro.toml", &format!("{manifest}[determinism]\nentropy = \"seeded\"\n"));
    project.commit("by the seed");
    project.repro(&["record"]).code(0);
    project.commit("record");
    project.repro(&["verify"]).code(0);
}

/// A program of this package and of one beside it, whose build script can reach all that was kept.
fn with_dependency() -> Project {
    let project = Project::fixture("steady");
    project.write("dep/Cargo.toml", "[package]\nname = \"dep\"\nversion = \"0.1.0\"\nedition = \"2021\"\n");
    project.write("dep/src/lib.rs", "pub fn weight() -> f64 { 1.0 }\n");
    project.edit("Cargo.toml", "[dependencies]\n", "[dependencies]\ndep = { path = \"dep\" }\n");
    project.edit("Cargo.lock", "version = \"0.1.0\"\n", "version = \"0.1.0\"\ndependencies = [\n \"dep\",\n]\n");
    let lock = project.read("Cargo.lock");
    project.write("Cargo.lock", &format!("{lock}\n[[package]]\nname = \"dep\"\nversion = \"0.1.0\"\n"));
    project.edit("src/main.rs", "let sum: f64 = text", "let sum: f64 = dep::weight() + text");
    project.edit("src/main.rs", ".sum();", ".sum::<f64>();");
    project.write("build.rs", HONEST).commit("a dependency");
    project
}

#[test]
fn a_package_of_the_repository_may_be_named_by_an_absolute_path() {
    let project = with_dependency();
    let absolute = project.root.join("dep");
    project
        .edit("Cargo.toml", "path = \"dep\"", &format!("path = \"{}\"", absolute.display()))
        .commit("by its place");
    project.record();
    assert!(locks(&project, "dep/src/lib.rs"), "{}", project.read("repro.lock"));
    project.repro(&["verify"]).code(0);
    // It is the committed file that is built, wherever the path leads here.
    project.write("dep/src/lib.rs", "pub fn weight() -> f64 { 2.0 }\n");
    assert_eq!(project.json(&["status"]).code(3).kinds("drift"), ["source-dirty dep/src/lib.rs"]);
    project.repro(&["record", "--allow-dirty"]).code(0);
}

const HONEST: &str = "fn main() { println!(\"cargo::rerun-if-changed=build.rs\"); }\n";

#[test]
fn what_a_build_of_one_commit_leaves_is_nothing_to_that_of_another() {
    let project = with_dependency();
    project.repro(&["record"]).code(0);
    let honest = project.read("model.json");
    // Plants files wherever it can, and breaks what was compiled.
    let evil = "use std::{env::var, fs, path::Path};\n\
        fn spoil(directory: &Path) { for entry in fs::read_dir(directory).into_iter().flatten().flatten() {\n\
        let path = entry.path();\n\
        if path.is_dir() { spoil(&path) } else if path.extension().is_some_and(|e| e == \"rlib\" || e == \"rmeta\" || e == \"json\") {\n\
        let _ = fs::write(&path, \"spoilt\"); } } }\n\
        fn main() { println!(\"cargo::rerun-if-changed=build.rs\");\n\
        let cargo = var(\"CARGO_HOME\").unwrap();\n\
        let _ = fs::write(format!(\"{cargo}/config.toml\"), \"[build]\\nrustflags = [\\\"--cfg\\\", \\\"evil\\\"]\\n\");\n\
        for place in [\"HOME\", \"TMPDIR\", \"CARGO_HOME\", \"OUT_DIR\"] { let _ = fs::write(format!(\"{}/planted\", var(place).unwrap()), \"x\"); }\n\
        let out = var(\"OUT_DIR\").unwrap(); let target = Path::new(&out).ancestors().nth(4).unwrap();\n\
        let _ = fs::write(target.join(\"planted\"), \"x\"); spoil(target); }\n";
    project.write("build.rs", evil).commit("evil");
    let _ = project.repro(&["record"]);
    let looks = "fn main() { println!(\"cargo::rerun-if-changed=build.rs\");\n\
        for place in [\"HOME\", \"TMPDIR\", \"CARGO_HOME\", \"OUT_DIR\"] {\n\
        assert!(!std::path::Path::new(&format!(\"{}/planted\", std::env::var(place).unwrap())).exists(), \"{place}\"); }\n\
        let out = std::env::var(\"OUT_DIR\").unwrap();\n\
        assert!(!std::path::Path::new(&out).ancestors().nth(4).unwrap().join(\"planted\").exists());\n\
        let config = std::fs::read_to_string(format!(\"{}/config.toml\", std::env::var(\"CARGO_HOME\").unwrap()));\n\
        assert!(!config.unwrap_or_default().contains(\"evil\")); }\n";
    project.write("build.rs", looks).commit("looks");
    project.repro(&["record"]).code(0);
    assert_eq!(project.read("model.json"), honest);
    project.write("build.rs", HONEST).commit("honest again");
    project.repro(&["record"]).code(0);
    assert_eq!(project.read("model.json"), honest);
}

#[test]
fn an_unchanged_program_is_not_compiled_again() {
    let project = with_dependency();
    let first = project.repro(&["record"]);
    first.code(0);
    assert!(first.stderr.contains("Compiling"), "{}", first.stderr);
    project.commit("record");
    // Neither for a recording of the same, nor for another text, parameter or output that no compiler reads.
    let again = || {
        let answer = project.repro(&["record"]);
        answer.code(0);
        assert!(!answer.stderr.contains("Compiling"), "{}", answer.stderr);
    };
    again();
    project.write("README.md", "other words\n").commit("words");
    again();
    project.edit("repro.toml", "seed = 42", "seed = 43").commit("another seed");
    again();
    project
        .write("dep/src/lib.rs", "pub fn weight() -> f64 { 2.0 }\n")
        .commit("another weight");
    let answer = project.repro(&["record"]);
    answer.code(0);
    assert!(answer.stderr.contains("Compiling dep"), "{}", answer.stderr);
}
