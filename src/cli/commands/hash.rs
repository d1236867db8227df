//! `hash`: the digests that a lock would have of files and directories, for whoever wants to check them
//! or to know what is in a table. Needs no project.

use std::path::Path;

use super::done;
use crate::cache::Cache;
use crate::cli::args::{self, TableFormat};
use crate::cli::settings::Settings;
use crate::error::{Error, Result};
use crate::exit_code::ExitCode;
use crate::project::manifest::{Declared, Extent, Tables};
use crate::report;
use crate::snapshot::Data;
use crate::table::Format;

/// Runs the command.
///
/// # Errors
/// When one of the paths is not there or cannot be read; what stands before it was printed.
pub fn run(settings: &Settings, args: &args::Hash) -> Result<ExitCode> {
    for path in &args.paths {
        let declared = Declared {
            paths: vec![path.clone()],
            extent: if args.sample { Extent::Sample } else { Extent::Whole },
            tables: if args.files { Tables::Off } else { tables(args.table) },
        };
        let data = observe(&settings.current_directory, &declared, settings)?;
        if args.files {
            settings.console.result(&report::data::sums(&data))?;
        } else {
            settings.console.result(&report::data::human(path, &data, settings.console.layout()))?;
        }
        // With many files it is long; nobody is to wait for what is not printed.
        if !settings.console.is_human() {
            settings.console.json(&report::data::json(path, &data))?;
        }
    }
    done(settings)
}

fn observe(directory: &Path, declared: &Declared, settings: &Settings) -> Result<Data> {
    let observe = |progress: &_| Data::observe(directory, declared, &mut Cache::none(), progress);
    let data = settings.console.watching("Hashing", observe)?;
    match data.missing.first() {
        None => Ok(data),
        Some(path) => Err(Error::new(format!("there is nothing at {path}")).hint(
            "a path starts at the current directory; put a pattern in quotes, so that the shell leaves it alone",
        )),
    }
}

fn tables(typed: TableFormat) -> Tables {
    match typed {
        TableFormat::Auto => Tables::ByExtension,
        TableFormat::Csv => Tables::As(Format::Csv),
        TableFormat::Tsv => Tables::As(Format::Tsv),
        TableFormat::Parquet => Tables::As(Format::Parquet),
        TableFormat::None => Tables::Off,
    }
}
