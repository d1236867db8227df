//! Git hooks that gate what is pushed, with real pushes to a real bare repository.

use std::path::PathBuf;

use crate::support::{Project, executable, git, git_command, under};

const POLICY: &str = "\n[gate]\ntags = \"v*\"\nversion = \"v{version}\"\n";

/// A recorded project with a policy, and a bare repository that it has been pushed to.
struct Pushed {
    project: Project,
    remote: PathBuf,
}

impl Pushed {
    fn new() -> Self {
        let project = Project::recorded("steady");
        project.named();
        let manifest = project.read("repro.toml") + POLICY;
        project.write("repro.toml", &manifest).commit("a policy");
        let remote = project.around().join("remote.git");
        git(project.around(), &["init", "--quiet", "--bare", "--initial-branch=main", "remote.git"]);
        project.git(&["remote", "add", "origin", &remote.to_string_lossy()]);
        project.git(&["push", "--quiet", "origin", "main"]);
        Self { project, remote }
    }

    fn with_hook() -> Self {
        let pushed = Self::new();
        pushed.project.repro(&["hook", "install"]).code(0);
        pushed
    }

    fn with_server_hook() -> Self {
        let pushed = Self::new();
        let mut install = pushed.project.command(&["hook", "install", "--server"]);
        pushed.project.answer(install.current_dir(&pushed.remote)).code(0);
        pushed
    }

    /// Pushes; gives whether it went through, and what git and the hook said.
    fn push(&self, args: &[&str]) -> (bool, String) {
        push(&self.project, args)
    }

    #[track_caller]
    fn goes_through(&self, args: &[&str]) -> String {
        let (through, said) = self.push(args);
        assert!(through, "{said}");
        said
    }

    #[track_caller]
    fn is_refused(&self, args: &[&str], kind: &str) -> String {
        let before = self.refs();
        let (through, said) = self.push(args);
        assert!(!through && said.contains(kind), "{said}");
        assert!(!said.contains("passed:") || said.contains("refused:"), "{said}");
        assert_eq!(self.refs(), before, "a push that is refused changes nothing");
        said
    }

    fn refs(&self) -> String {
        git(&self.remote, &["for-each-ref"])
    }

    fn hook(&self) -> PathBuf {
        self.project.root.join(".git/hooks/pre-push")
    }
}

fn push(project: &Project, args: &[&str]) -> (bool, String) {
    let mut all = vec!["push", "origin"];
    all.extend(args);
    let output = git_command(&project.root, &all).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), said)
}

#[test]
fn a_release_that_was_reproduced_is_pushed() {
    for pushed in [Pushed::with_hook(), Pushed::with_server_hook()] {
        pushed.project.repro(&["tag", "v0.1.0"]).code(0);
        let said = pushed.goes_through(&["v0.1.0"]);
        assert!(said.contains("passed: v0.1.0 may be a release"), "{said}");
        assert!(pushed.refs().contains("refs/tags/v0.1.0"));
        // Again, and beside a branch: nothing is new.
        pushed.goes_through(&["main", "v0.1.0"]);
    }
}

#[test]
fn a_lightweight_tag_is_no_release_whatever_it_is_pushed_as() {
    for pushed in [Pushed::with_hook(), Pushed::with_server_hook()] {
        pushed.project.git(&["tag", "v0.1.0"]);
        pushed.is_refused(&["v0.1.0"], "tag-lightweight");
        pushed.is_refused(&["HEAD:refs/tags/v0.1.0"], "tag-lightweight");
        // Another name than that under which it was made.
        pushed.project.git(&["tag", "--delete", "v0.1.0"]);
        pushed.project.repro(&["tag", "v0.1.0"]).code(0);
        pushed.is_refused(&["v0.1.0:refs/tags/v0.1.0-final"], "tag-renamed");
    }
}

#[test]
fn tags_that_no_policy_names_and_branches_are_nobodys_business() {
    for pushed in [Pushed::with_hook(), Pushed::with_server_hook()] {
        pushed.project.git(&["tag", "nightly"]);
        pushed.project.git(&["tag", "the-data", "HEAD:data"]);
        pushed.project.git(&["tag", "v0", "HEAD:data"]);
        pushed.is_refused(&["v0"], "tag-target");
        let said = pushed.goes_through(&["nightly", "the-data", "main:refs/heads/other"]);
        assert!(!said.contains("passed") && !said.contains("refused"), "{said}");
    }
}

#[test]
fn a_release_is_not_moved() {
    for (pushed, word) in [
        (Pushed::with_hook(), "has another object under this tag"),
        (Pushed::with_server_hook(), "another object than when it was first seen"),
    ] {
        let project = &pushed.project;
        project.repro(&["tag", "v0.1.0"]).code(0);
        pushed.goes_through(&["v0.1.0"]);
        project.git(&["tag", "--delete", "v0.1.0"]);
        project.write("README.md", "more\n").commit("a word more");
        project.repro(&["tag", "v0.1.0"]).code(0);
        let said = pushed.is_refused(&["--force", "v0.1.0"], "tag-moved");
        let plain = said.replace("remote: ", "").split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(plain.contains(word), "{said}");
    }
}

#[test]
fn a_release_is_not_deleted() {
    for pushed in [Pushed::with_hook(), Pushed::with_server_hook()] {
        pushed.project.repro(&["tag", "v0.1.0"]).code(0);
        pushed.project.git(&["tag", "nightly"]);
        pushed.goes_through(&["v0.1.0", "nightly"]);
        pushed.is_refused(&["--delete", "v0.1.0"], "tag-deleted");
        pushed.goes_through(&["--delete", "nightly"]);
    }
}

#[test]
fn a_server_knows_a_release_that_was_deleted_behind_its_back() {
    let pushed = Pushed::with_server_hook();
    pushed.project.repro(&["tag", "v0.1.0"]).code(0);
    pushed.goes_through(&["v0.1.0"]);
    pushed.goes_through(&["main:refs/heads/another"]);
    git(&pushed.remote, &["update-ref", "-d", "refs/tags/v0.1.0"]);
    pushed.project.git(&["tag", "--delete", "v0.1.0"]);
    pushed.project.write("README.md", "more\n").commit("a word more");
    pushed.project.repro(&["tag", "v0.1.0"]).code(0);
    pushed.is_refused(&["v0.1.0"], "tag-moved");
}

#[test]
fn one_tag_that_is_refused_refuses_the_whole_push() {
    for pushed in [Pushed::with_hook(), Pushed::with_server_hook()] {
        pushed.project.repro(&["tag", "v0.1.0"]).code(0);
        pushed.project.git(&["tag", "v9"]);
        pushed.project.git(&["tag", "nightly"]);
        let said = pushed.is_refused(&["main:refs/heads/next", "nightly", "v0.1.0", "v9"], "tag-lightweight");
        assert!(said.contains("v9 is no release") && said.contains("v0.1.0 may be a release"), "{said}");
        for number in 0..30 {
            pushed.project.git(&["tag", &format!("build-{number}")]);
        }
        pushed.is_refused(&["--tags"], "v9 is no release");
        pushed.project.git(&["tag", "--delete", "v9"]);
        pushed.goes_through(&["--tags"]);
        assert_eq!(pushed.refs().lines().count(), 33);
    }
}

#[test]
fn a_server_takes_its_own_branchs_policy_and_not_one_that_is_brought_along() {
    let pushed = Pushed::with_server_hook();
    let project = &pushed.project;
    project.edit("repro.toml", "version = \"v{version}\"", "").commit("no version any more");
    project.git(&["tag", "--annotate", "--message", "v7", "v7"]);
    let said = pushed.is_refused(&["v7"], "version-other");
    assert!(said.contains("lock-unnamed"), "{said}");
    // Nor does it help to bring no policy at all.
    let manifest = project.read("repro.toml").split("\n[gate]").next().unwrap().to_owned();
    project.write("repro.toml", &manifest).commit("no policy any more");
    project.git(&["tag", "v8"]);
    pushed.is_refused(&["v8", "main"], "tag-lightweight");
}

#[test]
fn the_first_push_to_a_server_brings_its_policy() {
    let pushed = Pushed::with_server_hook();
    let fresh = pushed.project.around().join("fresh.git");
    git(pushed.project.around(), &["init", "--quiet", "--bare", "--initial-branch=main", "fresh.git"]);
    let mut install = pushed.project.command(&["hook", "install", "--server"]);
    pushed.project.answer(install.current_dir(&fresh)).code(0);
    pushed.project.git(&["remote", "set-url", "origin", &fresh.to_string_lossy()]);
    pushed.project.git(&["tag", "v0.1.0"]);
    let (through, said) = pushed.push(&["main", "v0.1.0"]);
    assert!(!through && said.contains("tag-lightweight"), "{said}");
    pushed.project.git(&["tag", "--delete", "v0.1.0"]);
    pushed.project.repro(&["tag", "v0.1.0"]).code(0);
    pushed.goes_through(&["main", "v0.1.0"]);
}

#[test]
fn a_hook_without_the_tool_refuses_tags_and_nothing_else() {
    for (pushed, place) in [
        (Pushed::with_hook(), ".git/hooks/pre-push"),
        (Pushed::with_server_hook(), "../remote.git/hooks/pre-receive"),
    ] {
        let place = pushed.project.root.join(place);
        let text = std::fs::read_to_string(&place).unwrap();
        let gone = text.replace(env!("CARGO_BIN_EXE_cargo-repro"), "/nowhere/cargo-repro");
        assert_ne!(text, gone, "the hook knows the program that wrote it");
        executable(&place, &gone);
        pushed.project.write("README.md", "more\n").commit("a word more");
        pushed.goes_through(&["main"]);
        pushed.project.git(&["tag", "nightly"]);
        let said = pushed.is_refused(&["nightly"], "cargo-repro is not in PATH");
        assert!(said.contains("hint: `cargo install --path .` in a checkout of cargo repro"), "{said}");
    }
}

#[test]
fn a_hook_that_is_there_is_asked_first_with_the_same_words() {
    let pushed = Pushed::new();
    let heard = pushed.project.around().join("heard");
    let theirs = format!(
        "#!/bin/sh\necho \"$@\" > '{0}'\ncat >> '{0}'\ngrep -q forbidden '{0}' && exit 7\nexit 0\n",
        heard.display()
    );
    executable(&pushed.hook(), &theirs);
    let answer = pushed.project.repro(&["hook", "install"]);
    answer.code(0);
    assert!(answer.stderr.contains("which asks the hook that was there first"), "{}", answer.stderr);
    pushed.project.git(&["tag", "v0.1.0"]);
    pushed.is_refused(&["v0.1.0"], "tag-lightweight");
    let words = std::fs::read_to_string(&heard).unwrap();
    assert!(words.starts_with(&format!("origin {}\n", pushed.remote.display())), "{words}");
    assert!(words.contains("refs/tags/v0.1.0"), "{words}");
    // Its no is a no.
    pushed.project.git(&["branch", "forbidden"]);
    assert!(!pushed.push(&["forbidden"]).0);
    // Twice is once, and what was there comes back.
    pushed.project.repro(&["hook", "install"]).code(0);
    pushed.project.repro(&["hook", "uninstall"]).code(0);
    assert_eq!(std::fs::read_to_string(pushed.hook()).unwrap(), theirs);
    pushed.goes_through(&["v0.1.0"]);
    let answer = pushed.project.repro(&["hook", "uninstall"]);
    answer.code(1);
    assert!(answer.stderr.contains("is no hook of cargo repro"), "{}", answer.stderr);
    assert_eq!(std::fs::read_to_string(pushed.hook()).unwrap(), theirs);
}

#[test]
fn an_installation_that_is_killed_leaves_the_hook_that_was_there() {
    let pushed = Pushed::new();
    let theirs = "#!/bin/sh\nexit 7\n";
    executable(&pushed.hook(), theirs);
    let inner = pushed.project.command(&["hook", "install"]);
    // The first byte that it writes to any file is its end.
    let mut command = under(&["sh", "-c", "ulimit -f 0; exec \"$0\" \"$@\""], &inner);
    let answer = pushed.project.answer(&mut command);
    assert_eq!(answer.code, None, "{}", answer.stderr);
    assert_eq!(std::fs::read_to_string(pushed.hook()).unwrap(), theirs);
    assert!(!pushed.push(&["main:refs/heads/other"]).0, "it is asked");
    let answer = pushed.project.repro(&["hook", "install"]);
    answer.code(0);
    assert!(answer.stderr.contains("which asks the hook that was there first"), "{}", answer.stderr);
    pushed.project.repro(&["hook", "uninstall"]).code(0);
    assert_eq!(std::fs::read_to_string(pushed.hook()).unwrap(), theirs);
}

#[test]
fn a_hook_goes_where_git_looks_for_hooks() {
    let pushed = Pushed::new();
    pushed.project.git(&["config", "core.hooksPath", ".githooks"]);
    pushed.project.repro(&["hook", "install"]).code(0);
    assert!(pushed.project.root.join(".githooks/pre-push").is_file() && !pushed.hook().exists());
    pushed.project.git(&["tag", "v0.1.0"]);
    pushed.is_refused(&["v0.1.0"], "tag-lightweight");
    pushed.project.repro(&["hook", "uninstall"]).code(0);
    assert!(!pushed.project.root.join(".githooks/pre-push").exists());

    let shared = pushed.project.around().join("shared-hooks");
    pushed.project.git(&["config", "core.hooksPath", &shared.to_string_lossy()]);
    let answer = pushed.project.repro(&["hook", "install"]);
    answer.code(0);
    assert!(answer.stderr.contains("warning: core.hooksPath leads outside the repository"), "{}", answer.stderr);
    pushed.is_refused(&["v0.1.0"], "tag-lightweight");
}

#[test]
fn a_hook_holds_in_a_linked_work_tree_too() {
    let pushed = Pushed::with_hook();
    let linked = pushed.project.around().join("linked");
    pushed.project.git(&["worktree", "add", "--quiet", &linked.to_string_lossy()]);
    pushed.project.git(&["tag", "v0.1.0"]);
    let output = git_command(&linked, &["push", "origin", "v0.1.0"]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("tag-lightweight"), "{said}");
}

#[test]
fn a_hook_takes_the_policy_of_the_reference_that_it_was_installed_with() {
    let pushed = Pushed::new();
    let project = &pushed.project;
    let answer = project.repro(&["hook", "install", "--policy-ref", "origin/nothing"]);
    answer.code(1);
    assert!(!pushed.hook().exists());
    project.repro(&["hook", "install", "--policy-ref", "origin/main"]).code(0);
    project.edit("repro.toml", "version = \"v{version}\"", "").commit("no version any more");
    project.repro(&["tag", "v7"]).code(0);
    pushed.is_refused(&["v7"], "version-other");
}

#[test]
fn what_git_would_not_say_is_an_error_and_no_yes() {
    let pushed = Pushed::new();
    let mut run = pushed.project.command(&["hook", "run", "pre-push", "--", "origin", "url"]);
    let file = pushed.project.around().join("stdin");
    std::fs::write(&file, "refs/tags/v1 of something\n").unwrap();
    let answer = pushed.project.answer(run.stdin(std::fs::File::open(file).unwrap()));
    answer.code(1);
    assert!(answer.stderr.contains("what stands on stdin is not what git says of a push"), "{}", answer.stderr);
}
