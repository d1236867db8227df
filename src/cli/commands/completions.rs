//! `completions`: what a shell needs to complete the command. Needs no project.

use clap::builder::PossibleValuesParser;
use clap::{Command, CommandFactory as _};
use clap_complete::Shell;

use super::done;
use crate::cli::args::{self, Args};
use crate::cli::settings::Settings;
use crate::diagnose::factor::FACTORS;
use crate::error::Result;
use crate::exit_code::ExitCode;
use crate::explanation;
use crate::report;

/// The program as shells call it.
const PROGRAM: &str = "cargo-repro";

/// Runs the command.
///
/// # Errors
/// When stdout cannot be written.
pub fn run(settings: &Settings, args: &args::Completions) -> Result<ExitCode> {
    let script = script(args.shell);
    settings.console.raw(&script)?;
    settings.console.json(&report::json::completions(&args.shell.to_string(), &script))?;
    done(settings)
}

fn script(shell: Shell) -> String {
    let factors: PossibleValuesParser = FACTORS.map(|factor| factor.word()).into();
    let words: PossibleValuesParser =
        explanation::all().iter().map(|explanation| explanation.word).collect::<Vec<_>>().into();
    let mut command = visible(&Args::command(), PROGRAM)
        .version(env!("CARGO_PKG_VERSION"))
        .mut_subcommand("explain-code", |command| command.mut_arg("word", |word| word.value_parser(words)))
        .mut_subcommand("vary", |command| {
            command
                .mut_arg("only", |factor| factor.value_parser(factors.clone()))
                .mut_arg("skip", |factor| factor.value_parser(factors))
        });
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, PROGRAM, &mut script);
    let script = String::from_utf8(script).expect("the command line is declared in UTF-8");
    match shell {
        // The generator takes the hyphen in the program's name for a step down to a subcommand, in one of two
        // places, and then finds nothing below the first word.
        Shell::Bash => script.replace("cargo__subcmd__repro", "cargo__repro") + BASH_OF_CARGO,
        Shell::Fish => script + &fish_words(&command) + FISH_OF_CARGO,
        _ => script,
    }
}

/// What may stand after a subcommand, which the generator leaves out for fish.
fn fish_words(command: &Command) -> String {
    let words_of = |subcommand: &Command| {
        let words = subcommand.get_positionals().flat_map(clap::Arg::get_possible_values);
        let words: Vec<_> = words.map(|word| word.get_name().to_owned()).collect();
        let name = subcommand.get_name();
        let is_there = format!("__fish_cargo_repro_using_subcommand {name}");
        (!words.is_empty()).then(|| format!("complete -c {PROGRAM} -n \"{is_there}\" -f -a \"{}\"\n", words.join(" ")))
    };
    command.get_subcommands().filter_map(words_of).collect()
}

/// The same command line without what only the tool itself types: generators would offer it.
fn visible(command: &Command, name: &str) -> Command {
    let subcommands = command.get_subcommands().filter(|inner| !inner.is_hide_set());
    let subcommands = subcommands.map(|inner| visible(inner, inner.get_name()));
    Command::new(name.to_owned())
        .about(command.get_about().cloned().unwrap_or_default())
        .args(command.get_arguments().cloned())
        .subcommands(subcommands)
}

/// In bash one function completes all of `cargo`; so ours asks for what follows `repro`, and leaves the rest
/// to the one that was there. bash-completion loads that at the first use, which would then be too late.
const BASH_OF_CARGO: &str = r#"
_cargo__repro_of_cargo() {
    if [[ "${COMP_CWORD}" -ge 2 && "${COMP_WORDS[1]}" == repro ]]; then
        local COMP_WORDS=(cargo-repro "${COMP_WORDS[@]:2}") COMP_CWORD=$((COMP_CWORD - 1))
        _cargo__repro cargo-repro "$2" "${COMP_WORDS[COMP_CWORD - 1]}"
    elif [[ -n "${_cargo__repro_before}" ]]; then
        "${_cargo__repro_before}" "$@"
    fi
}

if ! complete -p cargo &>/dev/null; then
    if declare -F _comp_load &>/dev/null; then
        _comp_load cargo &>/dev/null
    elif declare -F __load_completion &>/dev/null; then
        __load_completion cargo &>/dev/null
    fi
fi
if [[ "$(complete -p cargo 2>/dev/null)" =~ \ -F\ ([^\ ]+)\  ]]; then
    if [[ "${BASH_REMATCH[1]}" != _cargo__repro_of_cargo ]]; then
        _cargo__repro_before="${BASH_REMATCH[1]}"
    fi
fi
complete -F _cargo__repro_of_cargo -o bashdefault -o default cargo
"#;

/// In fish whoever completes `cargo` is asked too; what follows `repro` is completed as our own command line.
const FISH_OF_CARGO: &str = r#"
complete -c cargo -n "__fish_seen_subcommand_from repro" -f -a "(complete -C (commandline -cp | string replace -r '^\s*cargo(\s+\+\S+)?\s+repro' cargo-repro | string collect))"
"#;
