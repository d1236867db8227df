//! Nothing that the repository brings runs outside the sandbox, in any command; and what of the user's own settings does
//! not reach a build is named.

use std::path::{Path, PathBuf};

use crate::support::release::{PLAIN, SshKey, has_program};
use crate::support::{Project, executable};

/// A program in the repository that does as the real one does, and leaves a trace where it is outside the sandbox.
fn trap(project: &Project, path: &str) {
    let trace = project.around().join("ran").display().to_string();
    let script = format!(
        "#!/bin/sh\n[ \"$(uname -n)\" = repro ] || echo \"{path} $*\" >>{trace}\ncase $0 in */cargo) exec cargo \"$@\";; \
         */rustc) exec rustc \"$@\";; esac\nexec \"$@\"\n"
    );
    let path = project.root.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    executable(&path, &script);
}

/// What ran of the traps.
fn ran(project: &Project) -> String {
    std::fs::read_to_string(project.around().join("ran")).unwrap_or_default()
}

const COMMANDS: [&[&str]; 9] = [
    &["status"],
    &["verify"],
    &["verify", "--rev", "HEAD"],
    &["explain"],
    &["vary"],
    &["show"],
    &["log"],
    &["diff", "HEAD", "HEAD"],
    &["gate", "v1", "--offline"],
];

#[test]
fn no_command_runs_a_toolchain_that_the_repository_brings() {
    let project = Project::recorded("steady");
    trap(&project, "tc/bin/rustc");
    trap(&project, "tc/bin/cargo");
    std::fs::create_dir(project.root.join("tc/lib")).unwrap();
    project
        .write("rust-toolchain.toml", "[toolchain]\npath = \"/proc/self/cwd/tc\"\n")
        .commit("pin");
    project.git(&["tag", "--annotate", "--message", "v1", "v1"]);
    for args in COMMANDS
        .iter()
        .chain([&["record"][..], &["record", "--allow-dirty"], &["ci", "github"]].iter())
    {
        let answer = project.repro(args);
        assert_eq!(ran(&project), "", "{args:?}: {}", answer.text());
    }
    let pin = |text: &str| {
        project.write("rust-toolchain.toml", &format!("[toolchain]\npath = \"{text}\"\n"));
    };
    let refused = |how: &str| {
        let answer = project.repro(&["status"]);
        answer.code(1);
        assert!(
            answer.stderr.contains("rust-toolchain") && answer.stderr.contains("channel = "),
            "{how}: {}",
            answer.text()
        );
        assert_eq!(ran(&project), "", "{how}");
    };
    pin(&project.root.join("tc").to_string_lossy());
    refused("by its place");
    pin("tc");
    refused("from the file's place");
    let link = project.around().join("link");
    std::os::unix::fs::symlink(project.root.join("tc"), &link).unwrap();
    pin(&link.to_string_lossy());
    refused("by a link from outside");
    project.remove("rust-toolchain.toml").write("rust-toolchain", "/proc/self/cwd/tc\n");
    refused("in the old form");
    // So does rustup's own cargo tell this command of it.
    let answer = project.answer(project.command(&["status"]).env("RUSTUP_TOOLCHAIN", "/proc/self/cwd/tc"));
    assert_eq!((answer.code, ran(&project).as_str()), (Some(1), ""), "{}", answer.text());
}

#[test]
fn a_memory_that_came_with_the_repository_names_no_program_to_run() {
    let project = Project::recorded("steady");
    trap(&project, "tc/bin/rustc");
    trap(&project, "tc/bin/cargo");
    project.commit("traps");
    project.repro(&["status"]).code(0);
    let place = project.root.join(".git/cargo-repro/memory.json");
    let text = std::fs::read_to_string(&place).unwrap();
    let (kept, _) = text.rsplit_once('\n').unwrap();
    let mut memory: serde_json::Value = serde_json::from_str(kept).unwrap();
    for (_, fact) in memory["facts"].as_object_mut().unwrap() {
        fact["witnesses"] = serde_json::json!([]);
        for program in ["rustc", "cargo"] {
            if fact["value"].get("identity").is_some() {
                fact["value"][program] = project.root.join("tc/bin").join(program).to_string_lossy().into();
            }
        }
    }
    let facts = memory["facts"].as_object_mut().unwrap();
    facts.retain(|name, _| name.starts_with("toolchain"));
    // Were it the user's own, it would name no program either.
    let seal = cargo_repro::cache::seal::Seal::of_user().expect("the user of the tests has a cache");
    std::fs::write(&place, seal.close(&place, memory.to_string().into_bytes())).unwrap();
    project.repro(&["status"]).code(0);
    assert_eq!(ran(&project), "");
}

#[test]
fn no_program_of_the_configuration_runs_outside_and_builds_have_none() {
    let project = Project::fixture("steady");
    for name in ["wrapper", "workspace", "rustc", "provider"] {
        trap(&project, &format!("tools/{name}"));
    }
    let config = "include = [\"more.toml\"]\n[build]\nrustc-wrapper = \"tools/wrapper\"\nrustc = \"tools/rustc\"\n\
        [registry]\nglobal-credential-providers = [\"tools/provider\"]\n";
    project.write(".cargo/config.toml", config);
    project.write(".cargo/more.toml", "[build]\nrustc-workspace-wrapper = \"tools/workspace\"\n");
    project.commit("tools");
    let recorded = project.json(&["record"]);
    let named = ["rustc", "rustc-workspace-wrapper", "rustc-wrapper"];
    let named = named.map(|key| format!("setting-set-aside build.{key} of the repository"));
    assert_eq!(recorded.code(0).kinds("notes"), named);
    project.commit("record");
    assert_eq!(ran(&project), "");
    for args in COMMANDS {
        let answer = project.repro(args);
        assert_eq!(ran(&project), "", "{args:?}: {}", answer.text());
    }
    project.repro(&["verify"]).code(0);
    // What is included is as much an input as what includes it.
    project
        .edit(".cargo/more.toml", "[build]", "[build]\nrustflags = [\"--cfg\", \"more\"]")
        .commit("flags");
    let drifted = project.json(&["status"]);
    assert!(
        drifted.code(3).kinds("drift").contains(&"source-changed .cargo/more.toml".to_owned()),
        "{}",
        drifted.text()
    );
    assert!(drifted.kinds("drift").iter().any(|drift| drift.starts_with("build-changed")), "{}", drifted.text());
    project.edit(".cargo/config.toml", "more.toml", "../../outside.toml").commit("outside");
    let answer = project.repro(&["status"]);
    assert!(answer.code(1).stderr.contains("outside.toml, which is outside the repository"), "{}", answer.text());
}

#[test]
fn a_library_of_the_configuration_is_loaded_into_nothing_outside() {
    let project = Project::recorded("steady");
    let config = "[env]\nLD_PRELOAD = { value = \"preload.so\", relative = true }\n";
    project.write(".cargo/config.toml", config).commit("preload");
    // The loader complains of one that is not there, in the words of cargo's error.
    project.write("Cargo.lock", "");
    let answer = project.repro(&["status"]);
    assert!(!answer.text().contains("preload.so"), "{}", answer.text());
    project.git(&["restore", "Cargo.lock"]);
    project.repro(&["status"]).code(3);
}

/// A build script and a program that say how they were built.
fn says_how_it_was_built() -> Project {
    let project = Project::fixture("steady");
    project.write(
        "build.rs",
        "fn main() { println!(\"cargo::rustc-env=JOBS={}\", std::env::var(\"NUM_JOBS\").unwrap()); }\n",
    );
    let main = "fn main() { std::fs::write(\"model.json\", format!(\"{} {} {}\", env!(\"JOBS\"), cfg!(debug_assertions), cfg!(foo))).unwrap(); \
        std::fs::write(\"metrics.json\", \"{\\\"accuracy\\\": 1}\").unwrap(); }\n";
    project.write("src/main.rs", main);
    project
}

#[test]
fn what_is_set_aside_is_named_once_and_what_changes_no_program_is_followed() {
    let project = says_how_it_was_built();
    let config = "[build]\nbuild-dir = \"{workspace-root}/elsewhere/{workspace-path-hash}\"\ntarget-dir = \"target/deep\"\n\
        rustflags = [\"-C\", \"target-cpu=native\"]\n";
    project.write(".cargo/config.toml", config).commit("configuration");
    std::fs::create_dir_all(project.cargo_home()).unwrap();
    let home = "[build]\njobs = 2\nincremental = true\n[profile.release]\ndebug = true\n";
    std::fs::write(project.cargo_home().join("config.toml"), home).unwrap();
    let target = format!("CARGO_TARGET_{}_RUSTFLAGS", "x86_64-unknown-linux-gnu".to_uppercase().replace('-', "_"));
    let variables = [
        ("CARGO_BUILD_JOBS", "3"),
        ("CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS", "true"),
        ("RUSTFLAGS", "--cfg foo"),
        (target.as_str(), "--cfg foo"),
        ("CARGO_INCREMENTAL", "1"),
        ("CARGO_TARGET_DIR", "/nowhere"),
    ];
    let with = |args: &[&str]| project.answer(project.command(args).envs(variables));
    let recorded = with(&["record", "--message-format", "json"]);
    let names = [
        "setting-set-aside CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS".to_owned(),
        format!("setting-set-aside {target}"),
        "setting-set-aside RUSTFLAGS".to_owned(),
        "setting-set-aside profile.release.debug in $CARGO_HOME/config.toml".to_owned(),
        "native-code build".to_owned(),
    ];
    assert_eq!(recorded.code(0).kinds("notes"), names);
    assert_eq!(project.read("model.json"), "3 false false");
    project.commit("record");
    // Without the variable it is the configuration's, and the program says so.
    let verified = project.json(&["verify"]);
    assert_eq!(verified.code(4).kinds("notes")[0], "native-code build");
    assert_eq!(verified.kinds("drift"), ["build-changed profile.release.debug in $CARGO_HOME/config.toml"]);
    let verified = with(&["verify", "--message-format", "json"]);
    assert_eq!(verified.code(0).kinds("drift").len(), 4, "{}", verified.text());
}

#[test]
fn the_packages_own_pin_holds_from_anywhere() {
    let project = Project::recorded("steady");
    let pin = |directory: &Path, channel: &str| {
        let text = format!("[toolchain]\nchannel = \"{channel}\"\n");
        std::fs::write(directory.join("rust-toolchain.toml"), text).unwrap();
    };
    // Stands for rustup, which follows the variable first.
    let case = "*-vV) [ \"${RUSTUP_TOOLCHAIN:-own}\" = own ] && exec $real -vV; $real -vV | sed 's/^commit-hash: .*/commit-hash: 0/' ;;";
    project.with_compiler(case, &["status"]).code(0);
    let path = project.path_with_compiler();
    pin(&project.root, "own");
    project.commit("pin");
    project.answer(project.command(&["record"]).env("PATH", &path)).code(0);
    project.commit("record");
    let rustup = project.around().join("rustup");
    std::fs::create_dir(&rustup).unwrap();
    std::fs::write(rustup.join("settings.toml"), "default_toolchain = \"other-x86_64-unknown-linux-gnu\"\n").unwrap();
    let manifest = project.root.join("Cargo.toml").to_string_lossy().into_owned();
    let elsewhere = project.around().join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    let status = |directory: &PathBuf, chosen: &str| {
        let mut command = project.command(&["status", "--manifest-path", &manifest]);
        let command = command.current_dir(directory).env("PATH", &path).env("RUSTUP_HOME", &rustup);
        project.answer(command.env("RUSTUP_TOOLCHAIN", chosen))
    };
    // What rustup chose for the directory where the command was given.
    status(&elsewhere, "other-x86_64-unknown-linux-gnu").code(0);
    pin(&elsewhere, "pinned");
    status(&elsewhere, "pinned-x86_64-unknown-linux-gnu").code(0);
    // What the caller chose, by `cargo +NAME`.
    status(&elsewhere, "other-x86_64-unknown-linux-gnu").code(3);
    status(&project.root, "other-x86_64-unknown-linux-gnu").code(3);
}

/// Whatever git would start on the word of a `.git` that somebody else made.
fn with_traps_in_git(project: &Project) {
    trap(project, "tools/x");
    let program = project.root.join("tools/x").to_string_lossy().into_owned();
    let helper = format!("!{program}");
    let hooks = project.root.join(".git/hooks");
    for hook in [
        "reference-transaction",
        "post-checkout",
        "pre-push",
        "post-index-change",
        "pre-auto-gc",
        "fsmonitor-watchman",
    ] {
        let place = hooks.join(hook);
        std::fs::create_dir_all(&hooks).unwrap();
        executable(&place, &format!("#!/bin/sh\nexec {program} hook {hook}\n"));
    }
    let keys = [
        "core.fsmonitor",
        "core.sshCommand",
        "core.gitProxy",
        "core.askPass",
        "core.pager",
        "core.editor",
        "core.alternateRefsCommand",
        "remote.origin.uploadpack",
        "remote.origin.receivepack",
        "gpg.program",
        "gpg.openpgp.program",
        "gpg.ssh.program",
        "gpg.x509.program",
        "gpg.ssh.defaultKeyCommand",
        "filter.x.clean",
        "filter.x.smudge",
        "filter.x.process",
        "diff.x.textconv",
        "diff.x.command",
        "diff.external",
        "merge.x.driver",
        "sequence.editor",
    ];
    for key in keys {
        git2_set(project, key, &program);
    }
    for key in [
        "credential.helper",
        "credential.https://host.example.helper",
        "alias.tag",
        "alias.config",
        "alias.rev-parse",
    ] {
        git2_set(project, key, &helper);
    }
    git2_set(project, "protocol.ext.allow", "always");
    std::fs::write(project.root.join(".git/info/attributes"), "* filter=x diff=x merge=x\n").unwrap();
}

/// Sets a key without starting git, which the traps would be sprung by.
fn git2_set(project: &Project, key: &str, value: &str) {
    let mut configuration = git2::Config::open(&project.root.join(".git/config")).unwrap();
    configuration.set_str(key, value).unwrap();
}

#[test]
fn a_git_directory_of_somebody_else_starts_nothing() {
    let project = Project::gated(PLAIN);
    trap(&project, "tools/x");
    project.write(".gitattributes", "* filter=x diff=x\n").commit("attributes");
    let remote = project.around().join("remote.git");
    crate::support::git(
        project.around(),
        &[
            "clone",
            "--quiet",
            "--bare",
            &project.root.to_string_lossy(),
            "remote.git",
        ],
    );
    project.git(&["remote", "add", "origin", &remote.to_string_lossy()]);
    project.tag("v1");
    with_traps_in_git(&project);
    for args in COMMANDS.iter().chain(
        [
            &["gate", "v1", "--remote", "origin"][..],
            &["record"],
            &["hook", "install"],
        ]
        .iter(),
    ) {
        let answer = project.repro(args);
        assert_eq!(ran(&project), "", "{args:?}: {}", answer.text());
    }
    let gated = project.json(&["gate", "v1", "--remote", "origin"]);
    gated.code(0);
    // The transports that are programs, and those that are named by them.
    for url in [
        "ext::tools/x",
        "ssh://host.invalid/x",
        "git://host.invalid/x",
        "https://host.invalid/x",
    ] {
        git2_set(&project, "remote.origin.url", url);
        let answer = project.json(&["gate", "v1", "--remote", "origin"]);
        assert_eq!(ran(&project), "", "{url}");
        let checked = answer.verdict()["not_checked"].to_string();
        assert!(checked.contains("core.sshcommand") && checked.contains("was not followed"), "{url}: {checked}");
    }
    // Nor is a tag made or signed through them.
    project.repro(&["tag", "v0.1.0"]).code(0);
    assert_eq!(ran(&project), "");
    if !has_program("ssh-keygen", "a_git_directory_of_somebody_else_starts_nothing") {
        return;
    }
    let key = SshKey::new(&project, "alice");
    git2_set(&project, "gpg.format", "ssh");
    git2_set(&project, "user.signingkey", &key.path);
    git2_set(&project, "tag.gpgSign", "true");
    std::fs::remove_file(project.root.join(".git/refs/tags/v0.1.0")).unwrap();
    let made = project.repro(&["tag", "v0.1.0"]);
    assert_eq!((made.code, ran(&project).as_str()), (Some(0), ""), "{}", made.text());
}

/// A rustup of the test's own, with the installed toolchain under this name.
fn rustup_with(project: &Project, name: &str) -> PathBuf {
    let home = project.around().join("rustup-home");
    let bin = home.join("toolchains").join(name).join("bin");
    std::fs::create_dir_all(&bin).unwrap();
    let output = std::process::Command::new("rustc").args(["--print", "sysroot"]).output().unwrap();
    let sysroot = PathBuf::from(String::from_utf8(output.stdout).unwrap().trim());
    for program in ["rustc", "cargo"] {
        std::os::unix::fs::symlink(sysroot.join("bin").join(program), bin.join(program)).unwrap();
    }
    home
}

#[test]
fn a_revision_is_verified_with_the_toolchain_of_its_lock_where_that_is_installed() {
    let project = Project::recorded("steady");
    project.git(&["tag", "v1"]);
    let case = "*-vV) $real -vV | sed 's/^release: .*/release: 9.9.9/; s/^commit-hash: .*/commit-hash: 0/' ;;";
    let home = rustup_with(&project, "whatever");
    // Today's compiler is another one.
    project.with_compiler(case, &["status"]).code(3);
    let path = project.path_with_compiler();
    let verify = |args: &[&str], home: &Path, chosen: Option<&str>| {
        let mut command = project.command(args);
        command.env("PATH", &path).env("RUSTUP_HOME", home);
        project.answer(command.envs(chosen.map(|name| ("RUSTUP_TOOLCHAIN", name))))
    };
    let revision = ["verify", "--rev", "v1", "--message-format", "json"];
    let answer = verify(&revision, &project.around().join("none"), None);
    assert_eq!(answer.code(3).kinds("drift"), ["toolchain-changed rustc"]);
    let hint = answer.verdict()["drift"][0]["hint"].as_str().unwrap().to_owned();
    assert!(hint.starts_with("`rustup toolchain install "), "{hint}");
    verify(&revision, &home, None).code(0);
    // What is checked out is verified with what is used here, and so is everything where somebody says with what.
    verify(&["verify"], &home, None).code(3);
    verify(&revision, &home, Some("newer")).code(3);
}

#[test]
fn a_new_package_and_one_that_begins_pin_their_compiler() {
    let project = Project::bare("steady", "project");
    project.remove("repro.toml");
    let answer = project.repro(&["init"]);
    answer.code(0);
    let pin = project.read("rust-toolchain.toml");
    assert!(pin.contains("[toolchain]\nchannel = \""), "{pin}");
    assert!(answer.stderr.contains("rust-toolchain.toml, which pins "), "{}", answer.text());
    // One that is there stays, also where it is above the package.
    for name in ["rust-toolchain", "../rust-toolchain.toml"] {
        let text = "[toolchain]\ncomponents = [\"rustfmt\"]\n# mine\n";
        project.remove("rust-toolchain.toml").remove("repro.toml").write(name, text);
        project.repro(&["init"]).code(0);
        assert_eq!(project.read(name), text);
        assert!(!project.root.join("rust-toolchain.toml").exists(), "{name}");
        project.write("rust-toolchain.toml", "").remove(name);
    }
    let empty = Project::empty();
    empty.repro(&["new", "wine"]).code(0);
    assert_eq!(empty.read("wine/rust-toolchain.toml"), pin);
}

#[test]
fn a_pin_that_is_here_under_another_name_needs_no_download() {
    let project = Project::recorded("steady");
    let release = project.lock().lock.snapshot.toolchain.rustc;
    let home = rustup_with(&project, "stable-x86_64-unknown-linux-gnu");
    project
        .write("rust-toolchain.toml", &format!("[toolchain]\nchannel = \"{release}\"\n"))
        .commit("pin");
    // Stands for rustup, which would have to fetch the release.
    let case = "'--print sysroot') case $RUSTUP_TOOLCHAIN in stable-*) ;; *) echo none >&2; exit 1 ;; esac; echo ${0%/bin/rustc} ;;";
    project.with_compiler("", &["status"]).code(3);
    let script = format!(
        "#!/bin/sh\ncase \"$*\" in {case}\n*) exec {}/toolchains/stable-x86_64-unknown-linux-gnu/bin/rustc \"$@\" ;; esac\n",
        home.display()
    );
    executable(&project.around().join("toolchain/bin/rustc"), &script);
    let search = project.path_with_compiler();
    let status =
        |home: &Path| project.answer(project.command(&["status"]).env("PATH", &search).env("RUSTUP_HOME", home));
    // That the pin came is all that is said; and what the toolchain is, it is asked once.
    let asked = home.join("toolchains/stable-x86_64-unknown-linux-gnu/bin/rustc");
    let (real, log) = (asked.canonicalize().unwrap(), project.around().join("asked"));
    let script = format!("#!/bin/sh\necho \"$*\" >>{}\nexec {} \"$@\"\n", log.display(), real.display());
    executable(&asked, &script);
    status(&home).code(3);
    assert!(std::fs::read_to_string(&log).unwrap().contains("-vV"));
    status(&home).code(3); // by now nobody can have changed it within one tick of the clock
    std::fs::write(&log, "").unwrap();
    let answer = status(&home);
    assert_eq!(std::fs::read_to_string(&log).unwrap(), "");
    assert!(answer.code(3).stdout.contains("rust-toolchain.toml"), "{}", answer.text());
    assert_eq!(status(&project.around().join("none")).code, Some(1));
}
