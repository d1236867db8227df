//! What the tool says of itself: help, the meaning of its words, completions.

use std::process::Command;

use crate::support::{Project, cargo_home};

/// Every command as typed, hidden ones left out.
fn commands(project: &Project) -> Vec<String> {
    let help = project.repro(&["--help"]).code(0).stdout.clone();
    let list = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let names = list.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    let names: Vec<String> = names.filter(|name| !["", "help"].contains(name)).map(str::to_owned).collect();
    assert!(names.len() >= 18, "{names:?}");
    names
}

#[test]
fn every_command_has_help_with_an_example_in_eighty_columns() {
    let project = Project::empty();
    for name in commands(&project) {
        let at_eighty = |args: &[&str]| project.answer(project.command(args).env("COLUMNS", "80"));
        let answer = at_eighty(&[&name, "--help"]);
        answer.code(0);
        assert!(
            ["Example", "Where it goes"].iter().any(|word| answer.stdout.contains(word)),
            "{name}:\n{}",
            answer.stdout
        );
        let wide: Vec<&str> = answer.stdout.lines().filter(|line| line.chars().count() > 80).collect();
        assert!(wide.is_empty(), "{name}: {wide:#?}");
        assert_eq!(at_eighty(&["help", &name]).code(0).stdout, answer.stdout);
    }
}

#[test]
fn examples_can_be_pasted_as_they_stand() {
    let project = Project::empty();
    let nested = [
        "ci github",
        "ci gitlab",
        "key new",
        "key show",
        "hook install",
        "hook uninstall",
    ];
    for name in commands(&project).into_iter().chain(nested.map(str::to_owned)) {
        let mut args: Vec<&str> = name.split(' ').collect();
        args.push("--help");
        let help = |columns: &str| project.answer(project.command(&args).env("COLUMNS", columns)).stdout;
        let (narrow, wide) = (help("80"), help("200"));
        let examples = |help: &str| help.split_once("Example").map(|(_, examples)| examples.to_owned());
        assert_eq!(examples(&narrow), examples(&wide), "no line of them is broken");
        for line in examples(&narrow).unwrap_or_default().lines().skip(1).filter(|line| !line.is_empty()) {
            let command = line.split('#').next().unwrap().trim_end();
            assert!(!command.trim_start().contains("  "), "a remark begins with its sign: {line}");
        }
    }
}

#[test]
fn cargo_knows_the_command_and_its_help() {
    let directory = std::path::Path::new(env!("CARGO_BIN_EXE_cargo-repro")).parent().unwrap();
    let path = std::env::join_paths(
        std::iter::once(directory.to_path_buf()).chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
    );
    let cargo = |args: &[&str]| {
        let output = Command::new("cargo")
            .args(args)
            .env("PATH", path.as_ref().unwrap())
            .env("CARGO_HOME", cargo_home())
            .env("MANPATH", "/nowhere")
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(cargo(&["repro", "--help"]).contains("Usage: cargo repro"));
    assert!(cargo(&["help", "repro"]).contains("Usage: cargo repro"));
}

#[test]
fn a_word_is_explained_and_an_unknown_one_is_answered_with_those_like_it() {
    let project = Project::empty();
    let both = project.both(&["explain-code", "data-changed"]);
    both.human.code(0);
    assert!(both.human.stdout.starts_with("data-changed (Drift)\n\n"), "{}", both.human.stdout);
    crate::schema::holds(&both.json);
    assert!(both.json.lines()[0]["text"].as_str().unwrap().contains("cargo repro"));
    let answer = project.repro(&["explain-code", "4"]);
    assert!(answer.code(0).stdout.starts_with("exit code 4 (Exit codes)"), "{}", answer.stdout);
    let answer = project.repro(&["explain-code", "data-change"]);
    answer.code(2);
    assert!(answer.stderr.contains("hint: is it `data-changed`"), "{}", answer.stderr);
    let list = project.repro(&["explain-code"]);
    list.code(0);
    assert!(list.stdout.lines().all(|line| line.chars().count() <= 80), "{}", list.stdout);
    for word in ["data-changed", "metric-changed", "tag-moved", "clock", "130"] {
        assert!(list.stdout.contains(&format!("\n  {word} ")), "{word}");
    }
}

#[test]
fn completions_name_every_command_for_every_shell() {
    let project = Project::empty();
    let names = commands(&project);
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = project.repro(&["completions", shell]).code(0).stdout.clone();
        for name in &names {
            assert!(script.contains(name.as_str()), "{shell} does not know {name}");
        }
        // What the hook alone types.
        assert!(
            !script.contains("What the hook runs") && !script.contains("hook__run"),
            "{shell} offers what is hidden"
        );
    }
    project.repro(&["completions", "tcsh"]).code(2);
}

#[test]
#[allow(clippy::disallowed_macros, reason = "a test that was skipped must say so loudly")]
fn bash_completes_the_command_by_either_name() {
    if Command::new("bash").arg("--version").output().is_err() {
        eprintln!("SKIPPED bash_completes_the_command_by_either_name: there is no bash");
        return;
    }
    let project = Project::empty();
    let script = project.repro(&["completions", "bash"]).code(0).stdout.clone();
    project.write("completions.bash", &script);
    let complete = |words: &str, function: &str| {
        let count = words.split(' ').count() - 1;
        let (first, last) = (words.split(' ').next().unwrap(), words.rsplit(' ').next().unwrap());
        let ask = format!(
            "source completions.bash; COMP_WORDS=({words}); COMP_CWORD={count}; {function} {first} {last} y; echo \"${{COMPREPLY[@]}}\""
        );
        let output = Command::new("bash")
            .args(["--norc", "-c", &ask])
            .current_dir(&project.root)
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    };
    assert_eq!(complete("cargo-repro ver", "_cargo__repro"), "verify");
    assert_eq!(complete("cargo repro ver", "_cargo__repro_of_cargo"), "verify");
    assert_eq!(complete("cargo-repro verify --expl", "_cargo__repro"), "--explain");
    assert_eq!(complete("cargo repro hook inst", "_cargo__repro_of_cargo"), "install");
    assert_eq!(complete("cargo-repro explain-code data-ch", "_cargo__repro"), "data-changed");
}

#[test]
#[allow(clippy::disallowed_macros, reason = "a test that was skipped must say so loudly")]
fn fish_completes_the_command_by_either_name() {
    if Command::new("fish").arg("--version").output().is_err() {
        eprintln!("SKIPPED fish_completes_the_command_by_either_name: there is no fish");
        return;
    }
    let project = Project::empty();
    let script = project.repro(&["completions", "fish"]).code(0).stdout.clone();
    project.write("fish/conf.d/cargo-repro.fish", &script);
    let complete = |line: &str| {
        let mut command = Command::new("fish");
        command
            .args(["-c", "complete -C $line | string replace -r '\\t.*' ''"])
            .env("line", line)
            .env("XDG_CONFIG_HOME", &project.root)
            .env("HOME", project.around())
            .current_dir(&project.root);
        let output = command.output().unwrap();
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    };
    for (line, word) in [
        ("cargo-repro ver", "verify"),
        ("cargo repro ver", "verify"),
        ("cargo +nightly repro verify --expl", "--explain"),
        ("cargo repro hook inst", "install"),
        ("cargo repro explain-code data-ch", "data-changed"),
        ("cargo-repro completions z", "zsh"),
        ("cargo repro vary --only clo", "clock"),
    ] {
        assert_eq!(complete(line), word, "{line}");
    }
}

/// In a terminal of its own, as zsh completes in none but one.
#[test]
#[allow(clippy::disallowed_macros, reason = "a test that was skipped must say so loudly")]
fn zsh_completes_the_command() {
    if Command::new("zsh").arg("--version").output().is_err() {
        eprintln!("SKIPPED zsh_completes_the_command: there is no zsh");
        return;
    }
    let project = Project::empty();
    let script = project.repro(&["completions", "zsh"]).code(0).stdout.clone();
    project.write("functions/_cargo-repro", &script);
    for (line, word) in [
        ("cargo-repro ver", "verify"),
        ("cargo-repro verify --expl", "--explain"),
        ("cargo-repro hook inst", "install"),
        ("cargo-repro explain-code data-ch", "data-changed"),
        ("cargo-repro vary --only clo", "clock"),
    ] {
        let mut command = Command::new("zsh");
        command.args(["-f", "-c", OF_ZSH, "zsh", line]).current_dir(&project.root);
        let output = command.output().unwrap();
        let shown = String::from_utf8_lossy(&output.stdout);
        assert_eq!(shown.trim(), line.rsplit_once(' ').unwrap().0.to_owned() + " " + word, "{output:?}");
    }
}

/// Types a line and the tabulator into another zsh, and prints what the line is then.
const OF_ZSH: &str = r#"
zmodload zsh/zpty
zpty inner zsh -f -i
zpty -w inner "fpath=($PWD/functions \$fpath); autoload -U compinit; compinit -u -D
said() { print -r -- \"<said>\$BUFFER</said>\" > $PWD/said; }; zle -N said
complete-and-say() { zle complete-word; zle said; exit; }; zle -N complete-and-say
bindkey '^I' complete-and-say; print re''ady"
until [[ "$out" == *ready* ]]; do zpty -r inner line || break; out+="$line"; done
zpty -w -n inner "$1"$'\t'
while zpty -r inner line; do :; done
sed 's/^<said>//; s,</said>$,,' said
"#;
