//! D21 to D41: sources, revisions and dependencies.

use crate::row::{Row, contained, drift, fails, warning};

const PROGRAM: &str = "src/bin/sum.rs";

pub fn rows() -> Vec<Row> {
    [sources(), revisions(), locked(), tampered()].concat()
}

fn sources() -> Vec<Row> {
    vec![
        drift("D21", "an edit that is not committed")
            .plant(|it| it.edit(PROGRAM, "10000.0", "9999.0"))
            .must(&["source-dirty src/bin/sum.rs"]),
        drift("D21", "a committed edit")
            .plant(|it| {
                it.edit(PROGRAM, "10000.0", "9999.0");
                it.commit("another accuracy");
            })
            .must(&["source-changed src/bin/sum.rs"]),
        drift("D22", "a module that is not committed")
            .plant(|it| {
                it.write("src/extra.rs", "pub const SCALE: f64 = 9999.0;\n");
                it.edit(PROGRAM, "10000.0", "extra::SCALE");
                it.edit(PROGRAM, "fn main() {", "#[path = \"../extra.rs\"]\nmod extra;\n\nfn main() {");
            })
            .must(&["source-dirty src/bin/sum.rs"]),
        fails("D22", "a module that is not committed, recorded", &["record"], 1)
            .ready(|it| it.write("src/extra.rs", "pub const SCALE: f64 = 9999.0;\n"))
            .says(&["src/extra.rs (not committed)"]),
        fails("D23", "a source that git ignores", &["record"], 5)
            .program("includes")
            .says(&["gen/w.txt"]),
        drift("D28", "an edited path dependency")
            .prepare(|it| it.depend_on_path(&it.beside("mylib"), "../mylib", "[workspace]\n"))
            .plant(|it| std::fs::write(it.beside("mylib/src/lib.rs"), "pub fn part() -> f64 {\n    10.0\n}\n").unwrap())
            .must(&["source-changed ../mylib/src/lib.rs"]),
        drift("D29", "an edit that git was told not to see")
            .plant(|it| {
                it.git(&["update-index", "--assume-unchanged", PROGRAM]);
                it.edit(PROGRAM, "10000.0", "9999.0");
                assert_eq!(it.git(&["status", "--porcelain"]), "");
            })
            .must(&["source-dirty src/bin/sum.rs"]),
        contained("D30", "a commit that another replaces").plant(|it| {
            it.edit(PROGRAM, "10000.0", "9999.0");
            it.commit("another accuracy");
            let other = it.git(&["rev-parse", "HEAD"]);
            it.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
            it.git(&["replace", "HEAD", &other]);
            assert!(it.git(&["show", &format!("HEAD:{PROGRAM}")]).contains("9999.0"));
        }),
    ]
}

fn revisions() -> Vec<Row> {
    vec![
        drift("D24", "a tag that moved")
            .ready(|it| drop(it.git(&["tag", "v1.0"])))
            .plant(|it| drop(it.git(&["tag", "--force", "v1.0"])))
            .must(&["tag-moved v1.0"]),
        contained("D25", "a tag that is gone")
            .ready(|it| drop(it.git(&["tag", "v1.0"])))
            .plant(|it| drop(it.git(&["tag", "--delete", "v1.0"])))
            .must(&["not_checked/tag"]),
        contained("D26", "a clone without the recorded commit").plant(|it| it.clone_to("shallow", &["--depth", "1"])),
        fails("D26", "a commit that is not there", &["verify", "--rev", "0123456789abcdef"], 1)
            .says(&["0123456789abcdef"]),
        drift("D27", "a submodule at another commit")
            .prepare(|it| it.depend_on_submodule())
            .plant(|it| {
                crate::support::git(&it.root().join("vendored/mylib"), &["checkout", "--quiet", "HEAD~1"]);
            })
            .must(&["source-dirty vendored/mylib/src/lib.rs"]),
        drift("D27", "a submodule at another commit, committed")
            .prepare(|it| it.depend_on_submodule())
            .plant(|it| {
                crate::support::git(&it.root().join("vendored/mylib"), &["checkout", "--quiet", "HEAD~1"]);
                it.commit("back");
            })
            .must(&["source-changed vendored/mylib"]),
    ]
}

fn locked() -> Vec<Row> {
    vec![
        drift("D31", "a dependency's next commit")
            .prepare(|it| it.depend_on_tiny())
            .plant(|it| it.bump_tiny("0.1.0"))
            .must(&["dependency-changed tiny"]),
        drift("D32", "another checksum in Cargo.lock")
            .prepare(|it| it.depend_on_itoa())
            .plant(|it| {
                let checksum = crate::packages::Itoa::find().checksum;
                let other: String = checksum.chars().rev().collect();
                it.edit("Cargo.lock", &checksum, &other);
                it.commit("a checksum");
            })
            .must(&["dependency-changed itoa | dependency-tampered itoa"])
            .may(&["dependency-changed", "dependency-tampered"]),
        drift("D33", "another version in Cargo.lock")
            .prepare(|it| it.depend_on_tiny())
            .plant(|it| it.bump_tiny("0.2.0"))
            .must(&["dependency-changed tiny"]),
        fails("D34", "no Cargo.lock", &["verify"], 1)
            .plant(|it| {
                it.remove("Cargo.lock");
                it.commit("none");
            })
            .says(&["there is no Cargo.lock"]),
        fails("D34", "a stale Cargo.lock", &["verify"], 1)
            .plant(|it| {
                it.edit("Cargo.toml", "version = \"0.1.0\"", "version = \"0.2.0\"");
                it.commit("stale");
            })
            .says(&["Cargo.lock is stale"]),
        drift("D40", "a feature")
            .program("feature-seed")
            .plant(|it| {
                it.manifest("[build]\nfeatures = [\"os-seed\"]");
                it.commit("a feature");
            })
            .must(&["build-changed features"]),
    ]
}

fn tampered() -> Vec<Row> {
    vec![
        drift("D35", "an unpacked source")
            .prepare(|it| it.depend_on_itoa())
            .plant(|it| it.edit_unpacked_itoa())
            .must(&["dependency-tampered itoa"]),
        drift("D36", "a repacked archive")
            .prepare(|it| it.depend_on_itoa())
            .plant(|it| it.repack_itoa())
            .must(&["dependency-tampered itoa"]),
        drift("D37", "a vendored source with its checksum")
            .prepare(|it| it.vendor_itoa())
            .plant(|it| {
                it.append("vendor/itoa/src/lib.rs", "// and a little more\n");
                it.correct_checksums();
            })
            .must(&["source-dirty vendor/itoa/src/lib.rs"]),
        drift("D38", "a checkout of a git dependency")
            .prepare(|it| it.depend_on_tiny())
            .plant(|it| it.edit_checked_out_tiny())
            .must(&["dependency-tampered tiny"]),
        warning("D39", "a patch in the configuration of the home")
            .prepare(|it| it.depend_on_itoa())
            .plant(|it| {
                let config = format!("[patch.crates-io]\nitoa = {{ path = {:?} }}\n", it.patched_itoa());
                std::fs::write(it.cargo_home.as_ref().unwrap().join("config.toml"), config).unwrap();
            })
            .must(&["build-changed patch.crates-io.itoa"]),
        fails("D41", "an archive that is nowhere", &["verify", "--offline"], 1)
            .prepare(|it| it.depend_on_itoa())
            .plant(|it| it.forget_itoa())
            .says(&["itoa"]),
    ]
}
