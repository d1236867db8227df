//! Step 6: says what came out: the metrics to cargo repro, and all of it to `report.json` for
//! people.

use std::path::Path;

use repro::Run;
use serde::Serialize;

use crate::{
    Params, Result,
    evaluate::Evaluation,
    load::{COLUMNS, Table},
};

/// No date, path, user or host: `report.json` is an artifact too, and must come out the same
/// elsewhere and tomorrow.
#[derive(Serialize)]
struct Report<'a> {
    run: String,
    data: Data,
    params: &'a Params,
    metrics: &'a Evaluation,
}

#[derive(Serialize)]
struct Data {
    digest: String,
    rows: usize,
    columns: usize,
}

pub fn write(
    run: &Run,
    data: &Path,
    table: &Table,
    params: &Params,
    metrics: &Evaluation,
) -> Result<()> {
    run.metric("accuracy", metrics.accuracy)?;
    run.metric("precision", metrics.precision)?;
    run.metric("recall", metrics.recall)?;

    let data = Data {
        digest: repro::digest_file(data)?,
        rows: table.rows(),
        columns: COLUMNS,
    };
    run.artifact(
        "report.json",
        &Report {
            run: run.name(),
            data,
            params,
            metrics,
        },
    )?;
    println!("accuracy {:.4}", metrics.accuracy);
    Ok(())
}
