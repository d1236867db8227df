//! The commands that explain this very tool as typed: its words, and its completions.

use clap::Args as ClapArgs;

/// `cargo repro explain-code`
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  cargo repro explain-code               # every word, one line each\n  cargo repro explain-code data-changed  # what it means, why, what to do\n  cargo repro explain-code 4             # the same of an exit code"
)]
pub struct ExplainCode {
    /// An exit code, or a `kind` as verdicts have it; all of them by default
    pub word: Option<String>,
}

/// `cargo repro completions`
#[derive(Debug, ClapArgs)]
#[command(after_help = WHERE)]
pub struct Completions {
    /// The shell: bash, elvish, fish, powershell, zsh
    #[arg(hide_possible_values = true)]
    pub shell: clap_complete::Shell,
}

/// What to put where; in bash, zsh and fish `cargo repro` is completed too.
const WHERE: &str = "\
Where it goes:
  bash        cargo repro completions bash > ~/.cargo-repro.bash
              and at the end of ~/.bashrc: source ~/.cargo-repro.bash
  zsh         cargo repro completions zsh > DIR/_cargo-repro
              with DIR in $fpath before compinit runs
  fish        cargo repro completions fish \\
                > ~/.config/fish/conf.d/cargo-repro.fish
  elvish      cargo repro completions elvish >> ~/.config/elvish/rc.elv
  powershell  cargo repro completions powershell >> $PROFILE

Each completes `cargo-repro …`. Those of bash and fish complete `cargo repro …`
too, and so do those of zsh wherever cargo's own are there, which ask for them.";
