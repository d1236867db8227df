//! D42 to D57: the compiler, its flags, and the machine's libraries.

use crate::bench::{cpu_flag, program};
use crate::row::{Row, contained, drift, explained, held, left_out, warning};

pub fn rows() -> Vec<Row> {
    [flags(), scripts(), libraries()].concat()
}

fn flags() -> Vec<Row> {
    vec![
        drift("D42", "another compiler")
            .plant(|it| {
                it.compiler(
                    "'-vV') $real -vV | sed -e 's/^release: .*/release: 9.99.0/' \
                     -e 's/^commit-hash: .*/commit-hash: 0123456789012345678901234567890123456789/' ;;",
                );
            })
            .must(&["toolchain-changed rustc"]),
        left_out("D43", "a compiler is known by what it says of itself, and its files are not digested"),
        warning("D44", "flags of the caller's shell, which builds do not follow")
            .plant(|it| it.with("RUSTFLAGS", "-Ctarget-cpu=native"))
            .must(&["build-changed RUSTFLAGS"]),
        drift("D44", "flags in the repository")
            .plant(|it| {
                it.write(".cargo/config.toml", "[build]\nrustflags = [\"-Copt-level=1\"]\n");
                it.commit("flags");
            })
            .must(&["build-changed rustflags"])
            .may(&["source-changed"]),
        warning("D45", "flags in a configuration above the repository")
            .plant(|it| {
                std::fs::create_dir(it.beside(".cargo")).unwrap();
                std::fs::write(it.beside(".cargo/config.toml"), "[build]\nrustflags = [\"-Copt-level=1\"]\n").unwrap();
            })
            .must(&["build-changed build.rustflags"]),
        drift("D46", "a setting of the profile")
            .plant(|it| {
                it.edit("Cargo.toml", "codegen-units = 1", "codegen-units = 1\noverflow-checks = true");
                it.commit("checks");
            })
            .must(&["build-changed profile.release.overflow-checks"])
            .may(&["source-changed"]),
        drift("D47", "another target")
            .plant(|it| {
                it.write(".cargo/config.toml", "[build]\ntarget = \"x86_64-unknown-linux-musl\"\n");
                it.commit("another target");
            })
            .must(&["build-changed target"])
            .may(&["source-changed", "platform-changed"]),
        warning("D48", "a wrapper of the caller's shell, which builds do not follow")
            .plant(|it| it.with("RUSTC_WRAPPER", "/usr/bin/env"))
            .must(&["build-changed RUSTC_WRAPPER"]),
        drift("D48", "a wrapper in the repository")
            .plant(|it| {
                it.write(".cargo/config.toml", "[build]\nrustc-wrapper = \"/usr/bin/env\"\n");
                it.commit("a wrapper");
            })
            .must(&["build-changed build.rustc-wrapper"])
            .may(&["source-changed"]),
    ]
}

fn scripts() -> Vec<Row> {
    vec![
        drift("D49", "a variable that a build script reads and the manifest lets pass")
            .program("stamp")
            .prepare(|it| {
                it.build_script("variable");
                it.manifest("[environment]\npass = [\"BSVAR\"]");
            })
            .ready(|it| it.with("BSVAR", "5"))
            .plant(|it| it.with("BSVAR", "7"))
            .must(&["environment-changed BSVAR"]),
        // Not followed, and named all the same: plain cargo would build something else.
        warning("D49", "a variable that a build script reads and nobody declared")
            .program("stamp")
            .prepare(|it| it.build_script("variable"))
            .ready(|it| it.with("BSVAR", "5"))
            .plant(|it| it.with("BSVAR", "7"))
            .must(&["build-changed BSVAR"]),
        contained("D50", "the time of the build, which is not in the model")
            .program("stamp-printed")
            .prepare(|it| it.build_script("clock"))
            .must(&["notes/binary-changed"]),
        contained("D50", "what git says of the sources")
            .program("stamp")
            .prepare(|it| it.build_script("git"))
            .plant(|it| {
                it.write("README.md", "something else\n");
                it.commit("prose");
            }),
        drift("D51", "a variable of the build that passes")
            .program("option-env")
            .prepare(|it| it.manifest("[environment]\npass = [\"MMTEST_FEATURE\"]"))
            .plant(|it| it.with("MMTEST_FEATURE", "fallback"))
            .must(&["environment-changed MMTEST_FEATURE"]),
        warning("D51", "a variable of the build that nobody declared")
            .program("option-env")
            .plant(|it| it.with("MMTEST_FEATURE", "fallback"))
            .must(&["build-changed MMTEST_FEATURE"]),
        drift("D52", "a linker in the repository")
            .plant(|it| {
                it.write(".cargo/config.toml", "[target.x86_64-unknown-linux-gnu]\nlinker = \"gcc\"\n");
                it.commit("a linker");
            })
            .must(&["build-changed linker"])
            .may(&["source-changed"]),
        warning("D52", "a compiler of C in the caller's shell")
            .program("stamp")
            .prepare(|it| it.build_script("variable"))
            .plant(|it| it.with("CC", "clang"))
            .must(&["build-changed CC"]),
        contained("D53", "another directory and another cargo home")
            .program("build-place")
            .plant(|it| {
                it.clone_to("a much longer name, with blanks", &[]);
                it.cargo_home = Some(it.beside("another cargo home"));
            }),
        drift("D54", "a file that a macro reads")
            .program("macro-input")
            .prepare(|it| {
                it.macros();
                it.write("weight.txt", "1.5");
            })
            .plant(|it| {
                it.write("weight.txt", "2.5");
                it.commit("another weight");
            })
            .must(&["source-changed weight.txt | undeclared-read weight.txt"]),
    ]
}

fn libraries() -> Vec<Row> {
    vec![
        warning("D55", "recorded with another C library")
            .program("libm")
            .plant(|it| it.forge_line("libc = ", "\"glibc 2.17\""))
            .must(&["platform-changed libc"]),
        drift("D55", "a search path for libraries that passes")
            .program("libm")
            .prepare(|it| it.manifest("[environment]\npass = [\"LD_LIBRARY_PATH\"]"))
            .plant(|it| it.with("LD_LIBRARY_PATH", "/nowhere"))
            .must(&["environment-changed LD_LIBRARY_PATH"]),
        contained("D56", "another `exp` before the library's")
            .program("libm")
            .lacks(|| program(&["cc", "--version"]))
            .plant(|it| {
                std::fs::write(it.beside("shim.c"), "double exp(double x) { return x * 1.5; }\n").unwrap();
                let (source, library) = (it.beside("shim.c"), it.beside("shim.so"));
                let built = std::process::Command::new("cc")
                    .args(["-shared", "-fPIC", "-fno-builtin", "-o"])
                    .args([&library, &source])
                    .status();
                assert!(built.unwrap().success());
                it.with("LD_PRELOAD", library.to_str().unwrap());
            }),
        held("D57", "mathematics by the CPU")
            .program("libm")
            .lacks(|| cpu_flag("fma"))
            .must(&["cpu-features"]),
        contained("D57", "a CPU without its newest parts, by a variable that nobody declared")
            .program("libm")
            .plant(|it| it.with("GLIBC_TUNABLES", "glibc.cpu.hwcaps=-AVX2,-FMA")),
        warning("D57", "recorded on another CPU")
            .program("libm")
            .plant(|it| it.forge_line("cpu = ", "\"x86-64-v1\""))
            .must(&["platform-changed cpu"]),
        explained("D57", "recorded on another CPU, which changed the model")
            .program("libm")
            .lacks(|| cpu_flag("fma"))
            .plant(|it| {
                it.forge("model.json", "{\"weights\":[1,2,3,4]}\n");
                it.forge_line("cpu = ", "\"x86-64-v1\"");
            })
            .must(&["drift/platform-changed cpu"])
            .may(&["causes/cpu-features"]),
    ]
}
