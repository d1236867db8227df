//! `explain-code`: what an exit code or a `kind` means. Needs no project.

use super::done;
use crate::cli::args;
use crate::cli::settings::Settings;
use crate::error::{Error, Result};
use crate::exit_code::ExitCode;
use crate::explanation::{self, Explanation};
use crate::report;

/// Runs the command.
///
/// # Errors
/// When there is no such word.
pub fn run(settings: &Settings, args: &args::ExplainCode) -> Result<ExitCode> {
    let (shown, text) = match &args.word {
        Some(word) => {
            let found = explanation::find(word).map_err(|near| unknown(word, &near))?;
            (vec![found], report::explanation::whole(&found, settings.console.layout()))
        }
        None => {
            let all = explanation::all();
            let text = report::explanation::list(&all, settings.console.layout());
            (all, text)
        }
    };
    settings.console.result(&text)?;
    let tell = |explanation: &Explanation| settings.console.json(&report::explanation::json(explanation));
    shown.iter().try_for_each(tell)?;
    done(settings)
}

fn unknown(word: &str, near: &[&str]) -> Error {
    let hint = match near {
        [] => "`cargo repro explain-code` lists every word".to_owned(),
        near => format!("is it `{}`? `cargo repro explain-code` lists every word", near.join("` or `")),
    };
    Error::new(format!("there is no exit code and no kind `{word}`"))
        .code(ExitCode::Usage)
        .hint(hint)
}
