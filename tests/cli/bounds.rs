//! Files of others that would be waited for, or would fill memory: pipes, devices and links to these, in the place of
//! each file that the tool, cargo, rustup or git reads.

use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process};

use crate::support::Project;

/// What it may take, and how long.
const MEMORY: u64 = 4 << 30;
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs it to its end; it must come to one by itself.
fn ends(mut command: Command, what: &str) -> Output {
    let limit = || {
        Ok(rustix::process::setrlimit(
            Resource::As,
            Rlimit {
                current: Some(MEMORY),
                maximum: Some(MEMORY),
            },
        )?)
    };
    // SAFETY: between fork and exec it makes one system call.
    #[allow(unsafe_code, reason = "there is no other way to limit a child's memory")]
    unsafe {
        command.pre_exec(limit);
    }
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let last = Instant::now() + PATIENCE;
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > last {
            child.kill().unwrap();
            panic!("{what}: it waits\n{}", String::from_utf8_lossy(&child.wait_with_output().unwrap().stderr));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    child.wait_with_output().unwrap()
}

fn fifo(path: &Path) {
    rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
}

const FILES: [&str; 13] = [
    "repro.toml",
    "repro.lock",
    "Cargo.toml",
    "Cargo.lock",
    "rust-toolchain.toml",
    "rust-toolchain",
    ".cargo/config.toml",
    ".gitignore",
    ".gitattributes",
    "numbers.csv",
    "numbers.csv.dvc",
    "model.txt",
    "metrics.json",
];

const OF_GIT: [&str; 5] = [
    ".git/config",
    ".git/index",
    ".git/HEAD",
    ".git/refs/heads/main",
    ".git/packed-refs",
];

#[test]
fn nothing_in_the_place_of_a_file_is_waited_for_or_read_without_end() {
    let project = Project::recorded("command");
    for file in FILES.into_iter().chain(OF_GIT) {
        let path = project.root.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let kept = std::fs::read(&path).ok();
        let ways: [(&str, &dyn Fn()); 3] = [
            ("a FIFO", &|| fifo(&path)),
            ("a link to a FIFO", &|| {
                let place = project.around().join("fifo");
                let _ = std::fs::remove_file(&place);
                fifo(&place);
                symlink(&place, &path).unwrap();
            }),
            ("a link to /dev/zero", &|| symlink("/dev/zero", &path).unwrap()),
        ];
        for (way, put) in ways {
            let _ = std::fs::remove_file(&path);
            put();
            let output = ends(project.command(&["status"]), &format!("status with {way} for {file}"));
            let code = output.status.code();
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(code.is_some_and(|code| code < 10), "{way} for {file}: {:?}\n{said}", output.status);
        }
        std::fs::remove_file(&path).unwrap();
        kept.into_iter().for_each(|bytes| std::fs::write(&path, bytes).unwrap());
    }
    project.repro(&["status"]).code(0);
}

#[test]
fn nothing_that_a_git_configuration_names_is_waited_for_or_read_without_end() {
    let project = Project::recorded("command");
    let kept = project.read(".git/config");
    let pipe = project.around().join("pipe");
    fifo(&pipe);
    let innocent = project.around().join("innocent");
    std::fs::write(&innocent, "[user]\n").unwrap();
    let between = project.around().join("between");
    let named = |section: &str, key: &str, path: &Path| format!("{kept}[{section}]\n{key} = {}\n", path.display());
    for path in [&pipe, Path::new("/dev/zero")] {
        std::fs::write(&between, format!("[Include]\npath = {}\n", path.display())).unwrap();
        for (text, through) in [
            (named("include", "path", path), "include"),
            (named("includeIf \"gitdir:/**\"", "path", path), "includeIf"),
            (named("include", "path", &between), "an included one"),
            (named("core", "excludesFile", path), "excludesFile"),
            (named("core", "attributesFile", path), "attributesFile"),
        ] {
            project.write(".git/config", &text);
            let output = ends(project.command(&["status"]), through);
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(1), "{through}: {said}");
            assert!(said.contains(path.to_str().unwrap()), "{through}: {said}");
        }
    }
    for path in [&innocent, Path::new("/dev/null")] {
        for (section, key) in [
            ("include", "path"),
            ("core", "excludesFile"),
            ("core", "attributesFile"),
        ] {
            project.write(".git/config", &named(section, key, path));
            project.repro(&["status"]).code(0);
        }
    }
}

#[test]
fn without_a_lock_no_data_is_read_to_say_so() {
    let project = Project::recorded("steady");
    project.remove("repro.lock").edit("repro.toml", "data/numbers.csv", "data/large.bin");
    // More than could be read within the test's patience, and nothing on the disk.
    let large = std::fs::File::create(project.root.join("data/large.bin")).unwrap();
    large.set_len(1 << 40).unwrap();
    let output = ends(project.command(&["status"]), "a lock that is not there");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && said.contains("cargo repro record"), "{said}");
}

#[test]
fn what_the_users_own_git_configuration_names_is_theirs() {
    let project = Project::recorded("command");
    let home = project.around().join("own-home");
    std::fs::create_dir_all(&home).unwrap();
    for key in ["excludesFile", "attributesFile"] {
        std::fs::write(home.join(".gitconfig"), format!("[core]\n{key} = /dev/null\n")).unwrap();
        let mut command = project.command(&["status"]);
        command.env("HOME", &home);
        let output = ends(command, key);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn configurations_that_include_one_another_come_to_an_end() {
    let project = Project::recorded("command");
    let kept = project.read(".git/config");
    let file = |at: usize| project.around().join(format!("x{at}"));
    let chain = |length: usize, times: usize| {
        for at in 1..=length {
            let next = if at == length {
                String::new()
            } else {
                format!("path = ./x{}\n", at + 1).repeat(times)
            };
            std::fs::write(file(at), format!("[include]\n{next}")).unwrap();
        }
    };
    let status = |text: &str| {
        project.write(".git/config", &format!("{kept}{text}"));
        let output = ends(project.command(&["status"]), text);
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let first = format!("[include]\npath = {}\n", file(1).display());
    // Git reads one more; its library, which reads the rest, does not.
    chain(9, 1);
    assert_eq!(status(&first).0, Some(0));
    for (length, times, why) in [
        (11, 1, "more than 10 deep"),
        (10, 2, "more than 100 configurations are included"),
        (40, 2, "more than 10"),
    ] {
        chain(length, times);
        let (code, said) = status(&first);
        assert!(code == Some(1) && said.contains(why), "{length}: {code:?} {said}");
    }
    for path in ["~somebody/config", "%(prefix)/config"] {
        let (code, said) = status(&format!("[include]\npath = {path}\n"));
        assert!(code == Some(1) && said.contains(path), "{path}: {code:?} {said}");
    }
    // A branch of such a name has nothing to do with it.
    let (code, said) = status("[branch \"fix-include\"]\nremote = include\n");
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn only_what_includes_needs_git_and_says_so() {
    let project = Project::recorded("command");
    let kept = project.read(".git/config");
    let programs = project.around().join("without-git");
    std::fs::create_dir_all(&programs).unwrap();
    project.write(".git/config", &format!("{kept}[INCLUDE]\npath = x\n"));
    let mut command = project.command(&["status"]);
    command.env("PATH", &programs);
    let output = ends(command, "without git");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && said.contains("install git; it says what"), "{said}");
}

#[test]
fn what_keeps_a_file_from_being_read_is_named_with_it() {
    let project = Project::recorded("command");
    for (file, kind) in [
        ("repro.toml", "a FIFO"),
        ("Cargo.lock", "a FIFO"),
        ("repro.lock", "a device"),
    ] {
        let path = project.root.join(file);
        let kept = std::fs::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        match kind {
            "a FIFO" => fifo(&path),
            _ => symlink("/dev/zero", &path).unwrap(),
        }
        let output = ends(project.command(&["status"]), file);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(&format!("{file}: it is {kind}, not a regular file")), "{said}");
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, kept).unwrap();
    }
    // Of a second opinion it is enough to say that there is none.
    fifo(&project.root.join("numbers.csv.dvc"));
    let output = ends(project.command(&["status"]), "numbers.csv.dvc");
    assert_eq!(output.status.code(), Some(0));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("it is a FIFO"), "{said}");
    // A file that would be a text, and is larger than any.
    let lock = std::fs::File::options().append(true).open(project.root.join("repro.lock")).unwrap();
    lock.set_len(1 << 40).unwrap();
    let output = ends(project.command(&["status"]), "a sparse repro.lock");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(1) && said.contains("it is larger than 256 MiB"), "{said}");
}

/// Sends SIGTERM while it does something that takes for ever; it must end within a second.
fn ended_by_sigterm(project: &Project, mut command: Command, what: &str) {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(700));
    assert!(child.try_wait().unwrap().is_none(), "{what}: it has ended by itself");
    let asked = Instant::now();
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    let last = asked + Duration::from_secs(5);
    while child.try_wait().unwrap().is_none() && Instant::now() < last {
        std::thread::sleep(Duration::from_millis(5));
    }
    let took = asked.elapsed();
    let _ = child.kill();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{what}: {said}");
    assert!(took < Duration::from_secs(2), "{what}: it took {took:?}\n{said}");
    assert!(project.leftovers().is_empty(), "{what}: {:?}", project.leftovers());
}

#[test]
fn sigterm_ends_whatever_it_waits_for() {
    let project = Project::recorded("command");
    // A file of a terabyte, which is digested.
    let data = std::fs::File::options().append(true).open(project.root.join("numbers.csv")).unwrap();
    let size = data.metadata().unwrap().len();
    data.set_len(1 << 40).unwrap();
    ended_by_sigterm(&project, project.command(&["status"]), "digesting");
    ended_by_sigterm(&project, project.command(&["hash", "numbers.csv"]), "hash");
    data.set_len(size).unwrap();
    // A git that does not answer, by way of a remote that does not.
    let programs = project.around().join("bin");
    crate::support::executable(&programs.join("git"), "#!/bin/sh\nexec sleep 1000\n");
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let mut command = project.command(&["gate", "v1"]);
    command.env("PATH", &path);
    project
        .edit("repro.toml", "[stage.train]", "[gate]\ntags = \"v*\"\n[stage.train]")
        .commit("gate");
    project.git(&["remote", "add", "origin", "https://host.example/x"]);
    project.git(&["tag", "--annotate", "--message", "v1", "v1"]);
    ended_by_sigterm(&project, command, "git ls-remote");
    // A compiler that does not answer.
    std::fs::remove_file(programs.join("git")).unwrap();
    crate::support::executable(&programs.join("rustc"), "#!/bin/sh\nexec sleep 1000\n");
    std::fs::remove_dir_all(project.root.join(".git/cargo-repro")).ok();
    let mut command = project.command(&["status"]);
    command.env("PATH", &path);
    ended_by_sigterm(&project, command, "rustc");
}
