//! The commands of releases as typed: keys, attestations, tags, the gate and its hooks.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};

use super::Reports;

/// `cargo repro key`
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  cargo repro key new                    # your own key, behind a passphrase\n  cargo repro key show                   # its id, and the line for repro.toml"
)]
pub struct Key {
    /// What to do with it.
    #[command(subcommand)]
    pub command: KeyCommand,
}

/// What there is to do with a key.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Make a key; never over one that is there
    New(KeyNew),
    /// The id of a key, and the line by which a repro.toml allows it
    Show(KeyShow),
}

/// `cargo repro key new`
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  cargo repro key new                    # in your configuration directory\n  cargo repro key new --output ci.pem --no-passphrase\n                                         # for a machine that signs by itself"
)]
pub struct KeyNew {
    /// Where to write it; the public half goes beside it, with `.pub` at the end
    #[arg(long, value_name = "PATH")]
    pub output: Option<PathBuf>,
    /// Let everybody sign with it who can read its file
    #[arg(long, conflicts_with = "passphrase_file")]
    pub no_passphrase: bool,
    /// Read the passphrase from this file's first line
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
}

/// `cargo repro key show`
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  cargo repro key show                   # your own\n  cargo repro key show ci.pem.pub        # another, by its public half"
)]
pub struct KeyShow {
    /// A private or public key; your own by default
    pub path: Option<PathBuf>,
    /// Read the passphrase from this file's first line, where one is needed
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
}

/// `cargo repro tag`
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  cargo repro tag v1.2.0                 # verify, then tag this commit\n  cargo repro tag v1.2.0 --from alice.intoto.jsonl bob.intoto.jsonl\n                                         # by signed verdicts, no training"
)]
pub struct Tag {
    /// The tag's name
    #[arg(value_name = "TAG")]
    pub name: String,
    /// The first lines of the tag's message; the package and the tag by default
    #[arg(short, long, value_name = "TEXT")]
    pub message: Option<String>,
    /// Signed verdicts made elsewhere, in place of a training here
    #[arg(long, value_name = "ATTESTATION", num_args = 1.., conflicts_with = "times")]
    pub from: Vec<PathBuf>,
    /// Train N times; every outcome must be the locked one
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u32).range(1..))]
    pub times: u32,
    /// Where the policy is read; the commit itself by default
    #[arg(long, value_name = "REF")]
    pub policy_ref: Option<String>,
}

/// `cargo repro gate`
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  cargo repro gate v1.2.0                # by the tagged commit's own policy\n  cargo repro gate v1.2.0 --policy-ref origin/main\n                                         # by the policy of a protected branch"
)]
pub struct Gate {
    /// The tag
    #[arg(value_name = "TAG")]
    pub name: String,
    /// Where the policy is read; the tagged commit itself by default
    #[arg(long, value_name = "REF")]
    pub policy_ref: Option<String>,
    /// Attestations beside those of the repository
    #[arg(long, value_name = "ATTESTATION", num_args = 1..)]
    pub from: Vec<PathBuf>,
    /// The remote that is asked whether it has the tag as another object; `origin` by default, none with `--offline`
    #[arg(long, value_name = "NAME")]
    pub remote: Option<String>,
    /// Reports.
    #[command(flatten)]
    pub reports: Reports,
}

/// `cargo repro hook`
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  cargo repro hook install --policy-ref origin/main\n                                         # in a clone, for what is pushed\n  cargo repro hook uninstall             # takes it away again"
)]
pub struct Hook {
    /// What to do with them.
    #[command(subcommand)]
    pub action: HookAction,
}

/// What `cargo repro hook` does.
#[derive(Debug, Subcommand)]
pub enum HookAction {
    /// Write the hook; one that is there already is asked first
    Install(HookInstall),
    /// Take the hook away, and put back what was there before
    Uninstall(HookUninstall),
    /// What the hook runs: gates what git tells of a push on stdin
    #[command(hide = true)]
    Run(HookRun),
}

/// `cargo repro hook install`
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  cargo repro hook install --policy-ref origin/main\n                                         # in a clone, for what is pushed\n  cargo repro hook install --server      # in a bare one, for what is accepted"
)]
pub struct HookInstall {
    /// For the repository that is pushed to: a pre-receive hook
    #[arg(long)]
    pub server: bool,
    /// Where the policy is read; by default the tagged commit, and HEAD on a server
    #[arg(long, value_name = "REF")]
    pub policy_ref: Option<String>,
}

/// `cargo repro hook uninstall`
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  cargo repro hook uninstall             # in a clone\n  cargo repro hook uninstall --server    # in the repository that is pushed to"
)]
pub struct HookUninstall {
    /// For the repository that is pushed to
    #[arg(long)]
    pub server: bool,
}

/// `cargo repro hook run`
#[derive(Debug, ClapArgs)]
pub struct HookRun {
    /// Which hook this is
    #[arg(value_name = "HOOK")]
    pub hook: crate::release::gate::push::Hook,
    /// Where the policy is read
    #[arg(long, value_name = "REF")]
    pub policy_ref: Option<String>,
    /// What git gives the hook
    #[arg(last = true, value_name = "ARGUMENT")]
    pub arguments: Vec<String>,
}

/// `cargo repro attest`
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  cargo repro attest                     # verify, sign, keep it as a git note\n  cargo repro attest --output attestations/ci.intoto.jsonl\n  cargo repro attest --check ci.intoto.jsonl"
)]
pub struct Attest {
    /// The private key; `key.pem` in the user's configuration directory by default
    #[arg(long, value_name = "PATH")]
    pub key: Option<PathBuf>,
    /// A file whose first line is the key's passphrase
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
    /// Keep it in a file, one envelope a line, and not as a git note
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// The tag, branch or commit to verify, with the lock that it carries
    #[arg(long, value_name = "REV")]
    pub rev: Option<String>,
    /// Train N times; every outcome must be the locked one
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u32).range(1..))]
    pub times: u32,
    /// Train nothing; say whether these attestations vouch for the lock
    #[arg(long, value_name = "ATTESTATION", num_args = 1.., conflicts_with_all = ["key", "passphrase_file", "output", "times"])]
    pub check: Vec<PathBuf>,
    /// With --check: a public key that may vouch, beside those of [gate.keys]
    #[arg(long, value_name = "PATH", requires = "check")]
    pub public_key: Vec<PathBuf>,
}
