//! What was not looked at, how whoever doubts the page can do the same, and what it would prove.

use maud::{Markup, html};

use super::View;
use super::text::{count, ticked};
use crate::exit_code::ExitCode;
use crate::lockfile;

/// How to check the id of a lock without this tool; a test runs it.
const CHECK_ID: &str = r"sed '1,/^id = /d; /^\[facts\]$/,$d' repro.lock | sed '$d' | sha256sum";

/// What no verdict vouches for. It always stands there.
pub(super) fn not_checked(view: View<'_>) -> Markup {
    let Ok(verdict) = view.facts.judged else {
        return html! { p {
            strong { "Everything that a verdict would vouch for. " }
            "The command failed; what it had looked at before is marked above."
        } };
    };
    let left_out = verdict.not_checked.len().saturating_sub(view.limits.rows);
    html! {
        @if verdict.not_checked.is_empty() {
            p { "The command left out nothing that it knows of. What no such command can show is told below." }
        } @else {
            dl.not-checked {
                @for entry in verdict.not_checked.iter().take(view.limits.rows) {
                    dt { code { (entry.kind) } }
                    dd { (ticked(&entry.why, view.limits.text)) }
                }
            }
            @if left_out > 0 { p.left-out { "and " (count(left_out, "more", "more")) } }
        }
    }
}

/// The commands, in order.
pub(super) fn how(view: View<'_>) -> Markup {
    let facts = view.facts;
    let tagged = facts.judged.is_ok_and(|verdict| verdict.tag.is_some());
    let version = env!("CARGO_PKG_VERSION");
    html! {
        ol.commands {
            li {
                "Get the repository, and go to the commit"
                @if facts.commit().is_none() { " (which this page does not know)" }
                ":"
                pre { code { "git clone REPOSITORY && cd DIRECTORY\n" (checkout(view)) } }
            }
            @if tagged {
                li { "Get the tags and the signed verdicts:" pre { code { "git fetch origin 'refs/tags/*:refs/tags/*' 'refs/notes/*:refs/notes/*'" } } }
            }
            li {
                "Install the tool in the version that wrote this page; it can be had by "
                code { "cargo install --path ." } " in a checkout of its own repository too:"
                pre { code { "cargo install cargo-repro-ml --version " (version) } }
            }
            li {
                "At the top of the repository, do what was done"
                @if !tagged { ", with the declared data that git does not keep in its place" }
                ":"
                pre { code { (view.text(&facts.repeat)) } }
                "The exit code was " (facts.exit_code().number()) "."
                @if facts.exit_code() == ExitCode::Drift { " A clone does not have what is changed only in a work tree." }
            }
            @if let Some(read) = facts.lock {
                li {
                    "To check the id of the lock without this tool, digest what stands between the line of the id and the table "
                    code { "[facts]" } ":"
                    pre.recipe { code { (CHECK_ID) } }
                    "It prints " code { (read.actual_id.hex()) }
                    @if read.actual_id == read.id { ", which is the id." } @else { ", which is not the id: the lock was edited." }
                }
            }
        }
    }
}

fn checkout(view: View<'_>) -> Markup {
    let newest = || view.facts.history.entries.first().map(|entry| entry.commit.as_str());
    match view.facts.commit().or_else(newest) {
        Some(commit) => html! { "git checkout " (view.text(commit)) },
        None => html! { "git checkout COMMIT  # the one with this " (lockfile::FILE) },
    }
}

/// As docs/audit.md has it.
pub(super) fn proof(view: View<'_>) -> Markup {
    let says = match view.facts.command {
        "gate" => {
            "“Passed” says: the tag and its commit are what the policy asks for, the commit has what the lock pins, and \
             as many allowed keys as the policy asks for vouch for a reproduction of this very lock. The gate itself \
             trains nothing."
        }
        "status" => {
            "“Unchanged” says: every input that can be looked at in a moment is as locked. Nothing was built or trained, \
             so nothing is said of the outputs."
        }
        _ => {
            "“Reproduced” says: from the commit, in a new directory, with the locked compiler, with every package's archive \
             checked against Cargo.lock, with the locked data before and after, the same command wrote the same bytes, the \
             same metrics to the last bit, and the same chain of checkpoints."
        }
    };
    html! {
        p { (says) }
        p {
            "It does not say that the program is deterministic: equal runs are evidence and no proof, and the lock tells how \
             often its outcome was computed. Byte identity is promised within one platform class only. The sandbox around \
             the program keeps an honest one from what it did not declare; it is no promise against an attack on the kernel. \
             And nothing here says that the model is good."
        }
    }
}
