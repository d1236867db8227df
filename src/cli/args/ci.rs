//! The command that writes a pipeline, as typed.

use clap::{Args as ClapArgs, Subcommand};

/// `cargo repro ci`
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  cargo repro ci github                  # writes .github/workflows/repro.yml\n  cargo repro ci gitlab --print          # shows what it would write"
)]
pub struct Ci {
    /// For whom.
    #[command(subcommand)]
    pub forge: Forge,
}

/// Who runs the pipeline.
#[derive(Debug, Subcommand)]
pub enum Forge {
    /// A workflow of GitHub Actions
    Github(CiGithub),
    /// Jobs of GitLab CI
    Gitlab(CiGitlab),
}

/// `cargo repro ci github`
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  cargo repro ci github                  # a workflow of plain steps\n  cargo repro ci github --install '--git URL --rev COMMIT cargo-repro-ml'\n                                         # the tool from there\n  cargo repro ci github --action OWNER/REPO@REF\n                                         # by the action of that repository"
)]
pub struct CiGithub {
    /// The action that is used in place of plain steps, as `OWNER/REPO@REF`
    #[arg(long, value_name = "ACTION", conflicts_with = "install")]
    pub action: Option<String>,
    /// Where the tool comes from.
    #[command(flatten)]
    pub tool: Tool,
    /// What becomes of the text.
    #[command(flatten)]
    pub writing: Writing,
}

/// `cargo repro ci gitlab`
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  cargo repro ci gitlab                  # .gitlab-ci.yml, or a file to include\n  cargo repro ci gitlab --print          # shows it, and writes nothing"
)]
pub struct CiGitlab {
    /// Where the tool comes from.
    #[command(flatten)]
    pub tool: Tool,
    /// What becomes of the text.
    #[command(flatten)]
    pub writing: Writing,
}

/// Where the tool comes from.
#[derive(Clone, Debug, ClapArgs)]
pub struct Tool {
    /// What `cargo install` is told in the pipeline, in place of this version from crates.io
    #[arg(long, value_name = "WORDS", allow_hyphen_values = true)]
    pub install: Option<String>,
}

/// What becomes of the text.
#[derive(Clone, Copy, Debug, ClapArgs)]
pub struct Writing {
    /// Print it, and write no file
    #[arg(long)]
    pub print: bool,
    /// Replace the file if there is one
    #[arg(long, conflicts_with = "print")]
    pub force: bool,
}
