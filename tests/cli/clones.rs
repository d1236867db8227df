//! Clones that are not like the one that recorded: partial ones, ones in which git turned the line ends, ones of
//! another user, and ones with names that nobody can read.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use crate::support::hints::quotes;
use crate::support::{Answer, Project, git, git_command};

/// The recorded package, and a second lock a commit later; the first has the tag v1.
fn twice() -> Project {
    Project::recorded_as("command-twice", || {
        let project = Project::fixture("command");
        project.record().git(&["tag", "v1"]);
        let script = project.read("scripts/train.sh");
        project.write("scripts/train.sh", &format!("{script}# more\n")).commit("more");
        project
    })
}

fn clone(of: &Project, to: &Project, options: &[&str]) {
    std::fs::remove_dir(&to.root).unwrap();
    of.git(&["config", "uploadpack.allowFilter", "true"]);
    let address = format!("file://{}", of.root.display());
    let mut arguments = vec!["clone", "--quiet"];
    arguments.extend(options);
    arguments.extend([address.as_str(), "project"]);
    git(to.around(), &arguments);
}

#[test]
fn a_partial_clone_gets_what_it_lacks_through_git() {
    let original = twice();
    for filter in ["--filter=blob:none", "--filter=tree:0"] {
        let project = Project::empty();
        clone(&original, &project, &[filter]);
        let missing = || {
            git(&project.root, &["rev-list", "--objects", "--all", "--missing=print"])
                .matches('?')
                .count()
        };
        assert!(missing() > 0, "{filter}: the clone lacks nothing");
        project.repro(&["status"]).code(0);
        project.repro(&["diff", "v1", "HEAD"]).code(0);
        project.repro(&["verify", "--rev", "v1"]).code(0);
    }
}

#[test]
fn a_partial_clone_that_cannot_get_it_says_that_it_is_one_and_what_helps() {
    let original = twice();
    let project = Project::empty();
    clone(&original, &project, &["--filter=blob:none"]);
    let fails = |why: &str| {
        let answer = project.repro(&["verify", "--rev", "v1"]);
        answer.code(1);
        assert!(answer.stderr.contains("this clone is partial"), "{}", answer.stderr);
        assert!(answer.stderr.contains(why), "{}", answer.stderr);
        assert!(answer.stderr.contains("hint: `git fetch --refetch --no-filter origin`"), "{}", answer.stderr);
    };
    // Programs that the clone's own configuration names are not run, whatever git would do with them.
    let mark = project.around().join("was-run");
    let program = format!("touch {}; false", mark.display());
    for name in ["core.sshCommand", "remote.origin.uploadpack", "credential.helper"] {
        project.git(&["config", name, &program]);
        fails(&format!("has {}, which is not run", name.to_lowercase()));
        project.git(&["config", "--unset", name]);
    }
    // Nor by way of a file that it includes.
    project.write("../more", &format!("[core]\n\tsshCommand = {program}\n"));
    project.git(&[
        "config",
        "include.path",
        &project.around().join("more").to_string_lossy(),
    ]);
    fails("core.sshcommand");
    project.git(&["config", "--unset", "include.path"]);
    assert!(!mark.exists());
    // And a remote that is gone is named by git.
    project.git(&["config", "remote.origin.url", "file:///nowhere/at/all"]);
    fails("nowhere");
    project.git(&["config", "remote.origin.url", &format!("ext::touch {}", mark.display())]);
    fails("ext");
    assert!(!mark.exists());
}

/// A clone of the recorded package in which git turns line ends.
fn turned(options: &[&str], attributes: &str) -> Project {
    let original = Project::recorded("command");
    original.write(".gitattributes", attributes).commit("attributes");
    let project = Project::empty();
    std::fs::remove_dir(&project.root).unwrap();
    let address = original.root.to_string_lossy().into_owned();
    // The helper of the other tests has line ends left alone.
    let mut command = std::process::Command::new("git");
    command.args(["clone", "--quiet"]).args(options).args([&address, "project"]);
    command
        .current_dir(project.around())
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1");
    assert!(command.status().unwrap().success());
    let lock = std::fs::read_to_string(project.root.join("repro.lock")).unwrap();
    assert!(lock.contains("\r\n"), "git did not turn the line ends");
    project
}

#[test]
fn in_a_clone_with_other_line_ends_the_lock_is_read_and_changed_data_is_named_as_that() {
    for (options, attributes) in [
        (["-c", "core.autocrlf=true"], ""),
        (["-c", "core.eol=lf"], "* text eol=crlf\n"),
    ] {
        let project = turned(&options, attributes);
        let answer = project.repro(&["status"]);
        answer.code(3);
        assert!(answer.stdout.contains("other line ends (CRLF, was LF)"), "{}", answer.stdout);
        let verdict = project.json(&["status"]);
        assert_eq!(verdict.kinds("drift"), ["data-changed data.numbers"], "{}", verdict.stdout);
        assert!(!answer.stdout.contains("model.txt"), "the model is no leftover:\n{}", answer.stdout);
        // The hint, as it is printed.
        let hint = verdict.verdict()["drift"][0]["hint"].as_str().unwrap().to_owned();
        let commands = quotes(&hint);
        assert_eq!(commands.len(), 2, "{hint}");
        for command in commands {
            project.type_in(command);
        }
        project.repro(&["verify"]).code(0);
    }
}

#[test]
fn line_ends_that_somebody_else_turned_are_an_edit_and_other_content_has_no_turned_ones() {
    let project = Project::recorded("command");
    project.git(&["config", "core.autocrlf", "false"]);
    let script = project.read("scripts/train.sh");
    project.write("scripts/train.sh", &script.replace('\n', "\r\n"));
    let answer = project.repro(&["status"]);
    answer.code(3);
    assert!(answer.stdout.contains("scripts/train.sh is modified"), "{}", answer.stdout);
    project.write("scripts/train.sh", &script);
    // Only the ends: another content with other ends is another content.
    let numbers = project.read("numbers.csv");
    project.write("numbers.csv", &format!("{}9", numbers.replace('\n', "\r\n")));
    let answer = project.repro(&["status"]);
    answer.code(3);
    assert!(!answer.stdout.contains("line ends"), "{}", answer.stdout);
}

#[test]
fn a_name_that_is_not_utf8_and_an_input_is_refused_with_what_to_do() {
    let project = Project::fixture("command");
    let script = project.read("scripts/train.sh");
    project.write("scripts/train.sh", &format!("{script}cat scripts/caf* >/dev/null\n"));
    std::fs::write(project.root.join("scripts").join(OsStr::from_bytes(b"caf\xe9")), "one").unwrap();
    project.commit("odd");
    let answer = project.repro(&["record"]);
    answer.code(1);
    assert!(
        answer.stderr.contains("is not UTF-8") && answer.stderr.contains("hint: rename it"),
        "{}",
        answer.stderr
    );
}

#[test]
fn names_that_are_not_utf8_and_no_input_disturb_nothing() {
    let project = Project::fixture("command");
    let odd = |place: &str| {
        let path = project.root.join(place).join(OsStr::from_bytes(b"caf\xe9"));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    };
    std::fs::write(odd("docs"), "one").unwrap();
    std::fs::create_dir(odd("more")).unwrap();
    std::fs::write(odd("more").join("file.txt"), "two").unwrap();
    std::fs::write(odd("src"), "three").unwrap();
    project.commit("odd");
    // And one that git does not know.
    std::fs::write(odd("."), "four").unwrap();
    project.record();
    project.repro(&["status"]).code(0);
    project.repro(&["verify"]).code(0);
    project.repro(&["verify", "--rev", "HEAD"]).code(0);
    std::fs::write(odd("docs"), "other").unwrap();
    project.repro(&["status"]).code(0);
}

/// Asks about a repository that belongs to somebody else, with what git is told and from where.
fn ask(project: &Project, home: &Path, variables: &[(&str, &str)]) -> (bool, Answer) {
    let mut asked = git_command(&project.root, &["rev-parse", "--git-dir"]);
    let mut command = project.command(&["status"]);
    for command in [&mut asked, &mut command] {
        command.env("HOME", home).env_remove("GIT_CONFIG_GLOBAL").env_remove("XDG_CONFIG_HOME");
        command.envs(variables.iter().copied());
    }
    let answer = project.answer(&mut command);
    (asked.output().unwrap().status.success(), answer)
}

#[test]
#[allow(clippy::disallowed_macros, reason = "a test that was skipped must say so loudly")]
fn a_repository_of_another_user_is_read_exactly_where_git_reads_it() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("SKIPPED: only root can give a repository to somebody else");
        return;
    }
    let project = Project::recorded("command");
    let owned = std::process::Command::new("chown")
        .args(["-R", "12345:12345"])
        .arg(&project.root)
        .status();
    assert!(owned.unwrap().success());
    let home = project.around().join("home");
    let (root, above) = (project.root.display().to_string(), project.around().display().to_string());
    project.write("../included", &format!("[safe]\n\tdirectory = {root}\n"));
    std::os::unix::fs::symlink(&project.root, project.around().join("link")).unwrap();
    let values = [
        "directory = *".to_owned(),
        format!("directory = {root}"),
        format!("directory = {root}/"),
        format!("directory = {above}/*"),
        format!("directory = {above}/link"),
        format!("directory = {root}/*"),
        "directory = ~/../project".to_owned(),
        "directory = project".to_owned(),
        format!("directory = {root}\n\tdirectory ="),
        format!("directory =\n\tdirectory = {root}"),
        "directory = /nowhere".to_owned(),
    ];
    let mut texts: Vec<String> = values.iter().map(|value| format!("[safe]\n\t{value}\n")).collect();
    texts.push(format!("[include]\n\tpath = {above}/included\n"));
    texts.push(String::new());
    let mut accepted = 0;
    let mut hold = |text: &str, variables: &[(&str, &str)]| {
        std::fs::create_dir_all(&home).unwrap();
        std::fs::write(home.join(".gitconfig"), text).unwrap();
        let (reads, answer) = ask(&project, &home, variables);
        accepted += u32::from(reads);
        let is_refused = answer.stderr.contains("belongs to another user");
        assert_eq!(is_refused, !reads, "{text:?} {variables:?}: git says {reads}\n{}", answer.stderr);
        assert_eq!(answer.code, Some(if reads { 0 } else { 1 }), "{}", answer.text());
    };
    texts.iter().for_each(|text| hold(text, &[]));
    let count = [("GIT_CONFIG_COUNT", "1"), ("GIT_CONFIG_KEY_0", "safe.directory")];
    for value in [root.as_str(), "*", "/nowhere", ""] {
        hold("", &[count[0], count[1], ("GIT_CONFIG_VALUE_0", value)]);
        hold(&texts[0], &[count[0], count[1], ("GIT_CONFIG_VALUE_0", value)]);
    }
    let parameters = "'safe.directory=*'";
    hold("", &[("GIT_CONFIG_PARAMETERS", parameters)]);
    let elsewhere = home.join(".gitconfig").display().to_string();
    hold(&texts[0], &[("GIT_CONFIG_GLOBAL", "/dev/null")]);
    hold(&texts[0], &[("GIT_CONFIG_GLOBAL", &elsewhere)]);
    // What the repository says of itself does not count.
    let own = project.root.join(".git/config");
    let text = std::fs::read_to_string(&own).unwrap();
    std::fs::write(&own, format!("{text}[safe]\n\tdirectory = *\n")).unwrap();
    hold("", &[]);
    assert!(accepted > 8, "git accepted {accepted}");
}
