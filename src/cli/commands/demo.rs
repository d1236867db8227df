//! `demo`: the whole story in a scratch directory: a new package, recorded, verified; then one byte of
//! its data changed, and what `verify` says of it.

use std::path::Path;

use super::release::as_verify;
use super::{done, new, record, verify};
use crate::cli::args;
use crate::cli::settings::Settings;
use crate::error::{Error, IoContext as _, Result};
use crate::exit_code::ExitCode;
use crate::os::bounded;
use crate::os::scratch::Scratch;
use crate::project::repository;
use crate::run::workdir;

/// Runs the command.
///
/// # Errors
/// When one of the steps does not come out as it should.
pub fn run(settings: &Settings, args: &args::Demo) -> Result<ExitCode> {
    let scratch = Scratch::new("cargo-repro-demo-")?;
    let directory = scratch.path().join("wine");
    let told = tell(settings, &directory);
    if args.keep {
        let kept = scratch.keep();
        settings
            .console
            .result(&format!("\nThe package is in {}\n", kept.join("wine").display()))?;
    } else {
        workdir::forget(&directory)?;
    }
    told?;
    done(settings)
}

fn tell(settings: &Settings, directory: &Path) -> Result<()> {
    let inside = Settings {
        current_directory: directory.to_path_buf(),
        manifest_path: None,
        package: None,
        ..settings.clone()
    };
    let layout = settings.console.layout();
    let tell = |number: u8, text: &str, command: &str| {
        let text = layout.wrapped("", &format!("{number}. "), text);
        settings.console.result(&format!("\n{text}  $ cargo repro {command}\n"))
    };

    tell(1, "A training package: a random forest on the red wine quality data.", "new wine")?;
    new::create(directory, "wine")?;
    repository::commit_scratch(directory, "Start")?;

    tell(2, "Train it, and pin everything that went in and came out.", "record")?;
    expect(ExitCode::Ok, record::run(&inside, &recording())?)?;
    repository::commit_scratch(directory, "Record")?;

    tell(3, "Rebuild and retrain from a clean checkout; is it the same model?", "verify")?;
    expect(ExitCode::Ok, verify::run(&inside, &as_verify(None, 1))?)?;

    tell(4, "Now one byte of the data changes: the first alcohol value, 9.4, becomes 9.5.", "verify")?;
    change_one_byte(&directory.join("data/winequality-red.csv"))?;
    expect(ExitCode::Drift, verify::run(&inside, &as_verify(None, 1))?)?;

    let end = [
        "That is the whole of it: record, verify, and a reason when it is not the same.",
        "Start your own: `cargo repro new DIR`, or `cargo repro init` in a package that you have.",
    ];
    let end = end.map(|text| layout.wrapped("", "", text)).concat();
    settings.console.result(&format!("\n{end}"))
}

fn recording() -> args::Record {
    args::Record {
        confirm: 2,
        allow_dirty: false,
        add_class: false,
        overrides: args::Overrides::default(),
    }
}

fn change_one_byte(path: &Path) -> Result<()> {
    let text = bounded::text(path, bounded::WRITTEN).at("read", path)?;
    std::fs::write(path, text.replacen(",9.4,", ",9.5,", 1)).at("write", path)
}

fn expect(expected: ExitCode, found: ExitCode) -> Result<()> {
    if expected == found {
        return Ok(());
    }
    Err(Error::new(format!(
        "the demo did not go as it should: a step ended with {}, not {}",
        found.number(),
        expected.number()
    ))
    .hint("what the step said stands above; please report it"))
}
