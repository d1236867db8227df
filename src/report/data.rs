//! Declared data, or any other, with the tables in it: for a person, for `sha256sum`, for a program.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};
use textwrap::core::display_width;

use super::human::{CAUTION, FAINT, NAME};
use super::json::SCHEMA;
use crate::snapshot::Data;
use crate::snapshot::data::{DataFile, Form, Remark};
use crate::table::Table;
use crate::text::layout::{Layout, padded};
use crate::text::{size, visible};

/// More files than this are counted and not named.
const MOST_NAMED: usize = 20;

/// For a person: the whole, then each file with its table.
#[must_use]
pub fn human(path: &str, data: &Data, layout: Layout) -> String {
    let files = match (data.form, data.files.len()) {
        (Form::File, _) => String::new(),
        (form, 1) => format!(", {} of 1 file", form.phrase()),
        (form, count) => format!(", {} of {count} files", form.phrase()),
    };
    let mut text = format!("{}\n  {NAME}{}{NAME:#}, {}{files}\n", data.digest, visible(path), size(data.bytes));
    if let Some(sample) = &data.sample {
        let read = size(sample.read);
        let _ = writeln!(
            text,
            "  {CAUTION}partial{CAUTION:#}: of {} only a sample was read, {read} in all",
            large(sample.files)
        );
    }
    let all = data.files.all();
    for (path, file) in all.iter().take(MOST_NAMED) {
        if data.form != Form::File {
            let _ = writeln!(text, "  {}  {}  {}", file.digest.short(), visible(path), size(file.bytes));
        }
        text += &table(file, layout);
    }
    if all.len() > MOST_NAMED {
        let _ = writeln!(text, "  and {} more; `--files` lists all", all.len() - MOST_NAMED);
    }
    text
}

fn large(files: usize) -> String {
    if files == 1 {
        "1 large file".to_owned()
    } else {
        format!("{files} large files")
    }
}

fn table(file: &DataFile, layout: Layout) -> String {
    if let Some(why) = &file.no_table {
        return layout.wrapped("    ", &format!("{CAUTION}no table{CAUTION:#}: "), &visible(why));
    }
    file.table.as_deref().map_or_else(String::new, |table| columns(table, layout))
}

fn columns(table: &Table, layout: Layout) -> String {
    let rows = match table.first {
        Some(_) => format!("the first {} rows", table.rows),
        None if table.rows == 1 => "1 row".to_owned(),
        None => format!("{} rows", table.rows),
    };
    let word = if table.columns.len() == 1 { "column" } else { "columns" };
    let start = format!("    {FAINT}{}{FAINT:#} ", table.format.word());
    let size = format!("{rows}, {} {word}, content {}", table.columns.len(), table.content.short());
    let mut text = layout.row(&start, &size);
    let widest = |of: &dyn Fn(&crate::table::Column) -> &str, least: usize| {
        let widths = table.columns.iter().map(|column| display_width(&visible(of(column))));
        widths.max().unwrap_or(0).clamp(least, 30)
    };
    let name = widest(&|column| &column.name, 6);
    let kind = widest(&|column| &column.kind, 4);
    let _ = writeln!(text, "    {FAINT}{:<name$}  {:<kind$}  {:>8}  digest{FAINT:#}", "column", "type", "missing");
    // A row that goes on in the next one is no table any more; which digest it is stands above.
    let is_narrow = 4 + name + 2 + kind + 2 + 8 + 2 + "sha256:0123456789ab".len() > layout.columns();
    for column in &table.columns {
        // Of a struct the type has names of its fields in it.
        let (title, typed) = (padded(&visible(&column.name), name), padded(&visible(&column.kind), kind));
        let digest = column.digest.short();
        let digest = if is_narrow {
            digest.split(':').next_back().unwrap_or_default()
        } else {
            &digest
        };
        let _ = writeln!(text, "    {title}  {typed}  {:>8}  {digest}", column.nulls);
    }
    text
}

/// Each file as `sha256sum` prints it, so that `sha256sum --check` reads it.
#[must_use]
pub fn sums(data: &Data) -> String {
    let mut text = String::new();
    for (path, file) in data.files.all().iter() {
        // A name with a backslash or a line end is escaped, and a backslash before the line says so.
        let escaped = path.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r");
        let mark = if escaped == *path { "" } else { "\\" };
        let _ = writeln!(text, "{mark}{}  {escaped}", file.digest.hex());
    }
    text
}

/// For a program: all of it.
#[must_use]
pub fn json(path: &str, data: &Data) -> Value {
    let all = data.files.all();
    let files: BTreeMap<&str, &DataFile> = all.iter().map(|(path, file)| (path.as_str(), file)).collect();
    json!({
        "reason": "data",
        "schema": SCHEMA,
        "path": path,
        "form": data.form,
        "digest": data.digest,
        "bytes": data.bytes,
        "sample": data.sample,
        "links": data.links,
        "files": files,
    })
}

/// One sentence for something worth saying.
#[must_use]
pub fn remark(remark: &Remark) -> (&'static str, String, Option<&'static str>) {
    match remark {
        Remark::NoTable { path, why } => (
            "no-table",
            format!("{path} is pinned by its bytes alone, since it cannot be read as a table: {why}"),
            Some("`table = \"none\"` in its [data] entry says that this is as it should be"),
        ),
        Remark::Dvc { path, says, found } => (
            "dvc-disagrees",
            format!("{path} notes the md5 {says}, and the data has {found}"),
            Some("`dvc checkout` brings the noted data, `dvc add` notes the data that is there"),
        ),
        Remark::DvcUnread { path, why } => ("dvc-unread", format!("{path} was not used as a cross-check: {why}"), None),
    }
}
