//! A run that dies of what it was denied says so first, and each hint leads on as it is printed.

use crate::support::hints::quoted;
use crate::support::{Answer, Project, executable, has_namespaces};

/// A copy of `command` whose stage does this first.
fn doing(line: &str) -> Project {
    let project = Project::fixture("command");
    let script = project.read("scripts/train.sh");
    project.write("scripts/train.sh", &format!("set -e\n{line}\n{script}")).commit("how");
    project
}

/// What stands behind `error: `, and the hint.
#[track_caller]
fn said(answer: &Answer) -> (String, String) {
    (answer.after("error: "), answer.hint())
}

#[test]
fn a_file_of_the_machine_is_named_with_who_asked_and_the_line_that_allows_it() {
    if !has_namespaces("a_file_of_the_machine_is_named_with_who_asked_and_the_line_that_allows_it") {
        return;
    }
    let outside = tempfile::tempdir_in("/var/tmp").unwrap();
    let vocabulary = outside.path().join("vocab.txt");
    std::fs::write(&vocabulary, "7\n").unwrap();
    let path = vocabulary.to_str().unwrap();
    let project = doing(&format!("cat {path}"));
    let (error, hint) = said(project.repro(&["record"]).code(6));
    assert!(error.contains(&format!("`cat` was denied {path}")), "{error}");
    project.under("[data]", &quoted(&hint, "vocab = "));
    project.repro(&["record"]).code(0);
    // In JSON it stands in the message.
    std::fs::remove_file(&vocabulary).unwrap();
    project.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    std::fs::write(&vocabulary, "7\n").unwrap();
    let json = project.json(&["record"]);
    assert!(json.code(6).verdict()["error"]["message"].as_str().unwrap().contains(path));
}

#[test]
fn a_file_that_is_not_in_the_commit_is_named_as_that() {
    let project = doing("cat extra/words.txt");
    project.write(".gitignore", "extra\n").write("extra/words.txt", "7\n").commit("ignore it");
    let (error, hint) = said(project.repro(&["record"]).code(6));
    if !has_namespaces("a_file_that_is_not_in_the_commit_is_named_as_that") {
        return;
    }
    assert!(error.contains("extra/words.txt, which is in the work tree and not in the commit"), "{error}");
    // Either of the two does.
    project.under("[data]", &quoted(&hint, "words = "));
    project.repro(&["record"]).code(0);
    project.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    let add = quoted(&hint, "git add ");
    project.git(&add.split(' ').skip(1).collect::<Vec<_>>());
    project.git(&["commit", "--quiet", "--message", "add"]);
    project.repro(&["record"]).code(0);
}

#[test]
fn a_variable_that_was_not_passed_on_is_named() {
    let project = doing("test -n \"$HUB_NAME_OF_MINE\" || { echo 'KeyError: HUB_NAME_OF_MINE'; exit 1; }");
    let record = |project: &Project| project.answer(project.command(&["record"]).env("HUB_NAME_OF_MINE", "x"));
    let (error, hint) = said(record(&project).code(6));
    assert!(error.contains("HUB_NAME_OF_MINE is set here and was not passed on"), "{error}");
    project.under("[environment]", &quoted(&hint, "pass = "));
    record(&project).code(0);
    // Nothing is said of one that nobody set.
    project.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    let (error, _) = said(project.repro(&["record"]).code(6));
    assert!(!error.contains("HUB_NAME_OF_MINE"), "{error}");
}

#[test]
fn a_program_that_a_run_does_not_find_is_named_with_where_it_is() {
    let bin = tempfile::tempdir().unwrap();
    let tool = bin.path().join("mytool");
    std::fs::write(&tool, "#!/bin/sh\necho 7\n").unwrap();
    std::fs::set_permissions(&tool, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", bin.path().display(), std::env::var("PATH").unwrap());
    let project = doing("mytool");
    let record = || project.answer(project.command(&["record"]).env("PATH", &path));
    let (error, hint) = said(record().code(6));
    assert!(
        error.contains(&format!("`mytool` is not on the PATH of a run; yours is {}", tool.display())),
        "{error}"
    );
    project.under("[data]", &quoted(&hint, "mytool = "));
    project.under("[environment]", &quoted(&hint, "set = "));
    record().code(0);
}

/// `steady` with this build script.
fn built_by(script: &str) -> Project {
    let project = Project::fixture("steady");
    project.write("build.rs", &format!("fn main() {{ {script} }}\n")).commit("a build script");
    project
}

#[test]
fn a_program_that_is_nowhere_is_named_whether_a_build_or_a_stage_wants_it() {
    if !has_namespaces("a_program_that_is_nowhere_is_named_whether_a_build_or_a_stage_wants_it") {
        return;
    }
    let unnamed = "std::process::Command::new(\"nosuchtool\").output().unwrap();";
    let named = "if std::process::Command::new(\"nosuchtool\").output().is_err() { panic!(\"is `nosuchtool` not installed?\") }";
    let linker = built_by("");
    linker
        .write(".cargo/config.toml", "[target.'cfg(all())']\nlinker = \"nosuchtool\"\n")
        .commit("a linker");
    for (project, code) in [
        (built_by(unnamed), 5),
        (built_by(named), 5),
        (linker, 5),
        (doing("nosuchtool"), 6),
    ] {
        let answer = project.answer(project.command(&["record"]).env("RUST_BACKTRACE", "1"));
        let (error, hint) = said(answer.code(code));
        assert!(error.contains("looked for the program `nosuchtool`, which is not here"), "{error}");
        // With the directory in which it is by now.
        let bin = project.around().join("tools");
        executable(&bin.join("nosuchtool"), "#!/bin/sh\ncase \"$*\" in '') ;; *) exec cc \"$@\" ;; esac\n");
        let line = quoted(&hint, "set = ").replace("DIR", bin.to_str().unwrap());
        project.under("[environment]", &line);
        if code == 6 {
            project.under("[data]", &format!("tools = \"{}\"", bin.display()));
        }
        project.repro(&["record"]).code(0);
    }
}

#[test]
fn a_library_or_a_header_that_is_nowhere_is_named_with_the_variable_that_leads_to_it() {
    let library = "println!(\"cargo::rustc-link-lib=nosuchlibrary\");";
    let header = "let out = std::env::var(\"OUT_DIR\").unwrap(); \
                  std::fs::write(format!(\"{out}/a.c\"), \"#include <nosuchheader.h>\\n\").unwrap(); \
                  assert!(std::process::Command::new(\"cc\").args([\"-c\", \"a.c\"]).current_dir(out).status().unwrap().success());";
    for (script, says) in [
        (library, "the linker found no library `nosuchlibrary`"),
        (header, "the C compiler found no nosuchheader.h"),
    ] {
        let project = built_by(script);
        let (error, hint) = said(project.repro(&["record"]).code(5));
        assert!(error.contains(says), "{error}");
        let lib = project.around().join("lib");
        std::fs::create_dir(&lib).unwrap();
        std::fs::write(lib.join("nosuchheader.h"), "int nothing(void);\n").unwrap();
        project.type_in(&format!(
            "cc -shared -o {0}/libnosuchlibrary.so -include {0}/nosuchheader.h -x c /dev/null",
            lib.display()
        ));
        project.under("[environment]", &quoted(&hint, "set = ").replace("DIR", lib.to_str().unwrap()));
        project.repro(&["record"]).code(0);
    }
}

#[test]
fn the_program_of_a_stage_that_is_another_than_by_hand_is_named() {
    let bin = tempfile::tempdir().unwrap();
    let shell = bin.path().join("sh");
    std::fs::write(&shell, "#!/bin/sh\nexec /bin/sh \"$@\"\n").unwrap();
    std::fs::set_permissions(&shell, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", bin.path().display(), std::env::var("PATH").unwrap());
    let project = doing("exit 1");
    let answer = project.answer(project.command(&["record"]).env("PATH", &path));
    answer.code(6);
    assert!(
        answer.stderr.contains(&format!("and not {}, which comes first for you", shell.display())),
        "{}",
        answer.stderr
    );
    let (error, hint) = said(&answer);
    assert!(error.ends_with("failed with exit code 1"), "that is no denial: {error}");
    assert!(hint.contains(&format!("command = [\"{}\"", shell.display())), "{hint}");
    // By hand the same one: nothing is said.
    let (_, hint) = said(project.repro(&["record"]).code(6));
    assert!(!hint.contains("command = "), "{hint}");
}

#[test]
fn a_build_that_wants_the_history_or_a_variable_is_told_so() {
    let project = Project::fixture("steady");
    let script = "fn main() { let out = std::process::Command::new(\"git\").arg(\"describe\").output().unwrap(); \
                  assert!(out.status.success(), \"{}\", String::from_utf8_lossy(&out.stderr)); }";
    project.write("build.rs", script).commit("describe");
    let (error, hint) = said(project.repro(&["record"]).code(5));
    assert!(error.contains("a checkout has no git history") && hint.contains("git describe"), "{error}\n{hint}");
    project.remove("build.rs");
    let main = project.read("src/main.rs");
    project.write("src/main.rs", &format!("{main}\nconst BUILT: &str = env!(\"BUILD_NAME\");\n"));
    project
        .edit("src/main.rs", "fn main() {", "fn main() {\n    eprintln!(\"{BUILT}\");")
        .commit("a name");
    let (error, hint) = said(project.repro(&["record"]).code(5));
    assert!(error.contains("the compiler wants the variable BUILD_NAME"), "{error}");
    project.under("[environment]", &quoted(&hint, "set = "));
    project.repro(&["record"]).code(0);
}
