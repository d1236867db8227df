//! A table that drifted is told in the table's own words; a file that should be a table and is none is
//! pinned all the same.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::sync::Arc;

use insta::assert_snapshot;
use parquet::basic::Compression;
use parquet::data_type::{DoubleType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use super::{declaring, lock};
use crate::support::{Project, fixtures};

/// A recorded package with the wines of Portugal.
fn wine() -> Project {
    Project::recorded_as("command-with-wine", || {
        let project = declaring("wine = \"wine.csv\"\n");
        let from = fixtures().join("programs/wine-forest/data/winequality-red.csv");
        std::fs::copy(from, project.root.join("wine.csv")).unwrap();
        project.commit("wine");
        project
    })
}

/// Edits the lines of the table, and gives what `status` says of it.
#[track_caller]
fn told(edit: impl FnOnce(&mut Vec<String>)) -> String {
    let project = wine();
    let mut lines: Vec<String> = project.read("wine.csv").lines().map(str::to_owned).collect();
    edit(&mut lines);
    project.write("wine.csv", &(lines.join("\n") + "\n"));
    let both = project.both(&["status"]);
    both.human.code(3);
    assert_eq!(both.json.kinds("drift"), ["data-changed data.wine"]);
    // `verify` finds the same, and trains nothing.
    let verify = project.json(&["verify"]);
    verify.code(3);
    assert_eq!(verify.verdict()["drift"], both.json.verdict()["drift"]);
    assert_eq!(verify.verdict()["runs"], 0);
    both.human.text() + both.json.verdict()["drift"][0]["detail"].as_str().unwrap()
}

/// Line 0 is the header, so this is the line of row 0.
const FIRST: usize = 1;

fn cell(line: &mut String, column: usize, text: &str) {
    let mut cells: Vec<&str> = line.split(',').collect();
    cells[column] = text;
    *line = cells.join(",");
}

#[test]
fn three_changed_cells_of_one_column_are_told_with_their_rows() {
    let text = told(|lines| {
        for row in [2, 700, 1598] {
            cell(&mut lines[FIRST + row], 8, "9.99");
        }
    });
    for part in [
        "3 cells of column \"pH\" changed",
        "2, 700 and 1598",
        "other columns as locked",
    ] {
        assert!(text.contains(part), "not said: {part}\n{text}");
    }
    assert_snapshot!(text);
}

#[test]
fn rows_in_another_order_are_the_same_rows() {
    let text = told(|lines| lines[FIRST..].reverse());
    assert!(text.contains("the same rows in another order"), "{text}");
    assert_snapshot!(text);
}

#[test]
fn appended_rows_are_counted_and_the_others_are_as_locked() {
    let text = told(|lines| {
        let more = [lines[FIRST].clone(), lines[FIRST + 1].clone()];
        lines.extend(more);
    });
    assert!(text.contains("2 rows appended, the first 1,599 as locked"), "{text}");
    assert_snapshot!(text);
}

#[test]
fn rows_that_are_gone_from_the_end_are_counted() {
    let text = told(|lines| lines.truncate(FIRST + 1594));
    assert!(text.contains("the last 5 rows are gone, the first 1,594 as locked"), "{text}");
    // Of many rows a lock cannot tell; it says what it can.
    let text = told(|lines| lines.truncate(FIRST + 1500));
    let says = "99 rows fewer than the 1,599 locked; the first 1,024 as locked, of those after these it cannot be told";
    assert!(text.contains(says), "{text}");
}

#[test]
fn other_bytes_for_the_same_cells_are_not_another_table() {
    let text = told(|lines| {
        let (cell, rest) = lines[FIRST].split_once(['"', ';', ',']).unwrap();
        lines[FIRST] = format!("\"{cell}\"{}", &lines[FIRST][lines[FIRST].len() - rest.len() - 1..]);
    });
    assert!(text.contains("the bytes differ, the table does not"), "{text}");
    assert_snapshot!(text);
}

#[test]
fn a_new_column_is_named() {
    let text = told(|lines| {
        lines[0].push_str(",vineyard");
        lines[FIRST..].iter_mut().for_each(|line| line.push_str(",Vidigueira"));
    });
    assert!(text.contains("column \"vineyard\" is new"), "{text}");
    assert_snapshot!(text);
}

#[test]
fn a_column_of_another_name_has_the_same_cells() {
    let text = told(|lines| lines[0] = lines[0].replace("\"pH\"", "\"acidity\""));
    assert!(text.contains("column \"pH\" is called \"acidity\" now"), "{text}");
}

#[test]
fn a_table_that_is_none_any_more_says_why() {
    let text = told(|lines| lines.push("7.4,0.7".to_owned()));
    assert!(text.contains("is no table any more: "), "{text}");
    assert_snapshot!(text);
}

/// Files that one could take for tables.
fn strange(project: &Project) {
    let columns: Vec<String> = (0..1_000_000).map(|column| format!("c{column}")).collect();
    let wide = columns.join(",") + "\n" + &"0,".repeat(999_999) + "0\n";
    let files: [(&str, &[u8]); 18] = [
        ("plain.csv", b"a,b\n1,x\n2,y\n"),
        ("mark.csv", b"\xef\xbb\xbfa,b\n1,x\n2,y\n"),
        ("windows.csv", b"a,b\r\n1,x\r\n2,y\r\n"),
        ("quoted.csv", b"\"a\",\"b\"\n\"1\",\"x\"\n\"2\",\"y\"\n"),
        ("semicolons.csv", b"a;b\n1;x\n2;y\n"),
        ("tabs.tsv", b"a\tb\n1\tx\n2\ty\n"),
        ("no-end.csv", b"a,b\n1,x\n2,y"),
        ("headless.csv", b"1,2\n3,4\n"),
        ("header-alone.csv", b"a,b\n"),
        ("empty.csv", b""),
        ("blank.csv", b"\n\n\n"),
        ("ragged.csv", b"a,b\n1,2\n3\n"),
        ("twice.csv", b"a,a\n1,2\n"),
        ("latin.csv", b"a,b\n1,caf\xe9\n"),
        ("open-quote.csv", b"a,b\n1,\"2\n"),
        ("wide.csv", wide.as_bytes()),
        ("cut.parquet", b"PAR1\x15\x04\x15\x80\x01not much"),
        ("no-magic.parquet", b"a,b\n1,2\n"),
    ];
    std::fs::create_dir_all(project.root.join("tables")).unwrap();
    for (name, bytes) in files {
        std::fs::write(project.root.join("tables").join(name), bytes).unwrap();
    }
}

#[test]
fn a_file_that_is_no_table_is_pinned_by_its_bytes_and_says_why() {
    let project = declaring("tables = \"tables/\"\n");
    strange(&project);
    project.commit("strange tables");
    let record = project.json(&["record"]);
    record.code(0);
    let lock_before = lock(&project);
    let files = lock_before["data"]["tables"]["files"].as_object().unwrap();
    let mut text = String::new();
    let mut broken = Vec::new();
    for (path, file) in files {
        let told = match (&file["table"], file["no_table"].as_str()) {
            (table, None) => {
                let columns = table["columns"].as_array().unwrap().iter();
                let columns: Vec<String> =
                    columns.map(|column| format!("{}: {}", column["name"], column["type"])).collect();
                format!("{} rows of {}", table["rows"], columns.join(", "))
            }
            (serde_json::Value::Null, Some(why)) => {
                broken.push(format!("{path} is pinned by its bytes alone, since it cannot be read as a table: {why}"));
                why.to_owned()
            }
            both => panic!("{path}: {both:?}"),
        };
        writeln!(text, "{path}\n    {told}").unwrap();
    }
    assert_eq!(files.len(), 18);
    let notes = record.verdict()["notes"].as_array().unwrap().clone();
    let told: Vec<&str> = notes.iter().map(|note| note["detail"].as_str().unwrap()).collect();
    assert_eq!(told, broken);
    assert!(record.kinds("notes").iter().all(|note| note == "no-table data.tables"));
    assert_snapshot!(format!("{text}\n{}", project.repro(&["status"]).code(0).text()));

    // What cells there are does not depend on how they are written down.
    let content: BTreeMap<&str, &serde_json::Value> =
        files.iter().map(|(path, file)| (path.as_str(), &file["table"]["content"])).collect();
    for same in ["mark", "windows", "quoted", "semicolons", "no-end"] {
        assert_eq!(content[&*format!("tables/{same}.csv")], content["tables/plain.csv"], "{same}");
    }
    assert_eq!(content["tables/tabs.tsv"], content["tables/plain.csv"]);

    // Pinned is pinned: one byte of what is no table is a drift.
    project.commit("record");
    project.edit("tables/ragged.csv", "3\n", "4\n");
    let drift = project.json(&["status"]);
    drift.code(3);
    assert_eq!(drift.kinds("drift"), ["data-changed data.tables"]);
    project.edit("tables/ragged.csv", "4\n", "3\n");

    // Who says that they are no tables hears no more of it.
    project.edit("repro.toml", "tables = \"tables/\"", "tables = { path = \"tables/\", table = \"none\" }");
    project.commit("no tables");
    let silent = project.json(&["record"]);
    silent.code(0);
    assert_eq!(silent.kinds("notes"), [""; 0]);
    let after = lock(&project);
    for (path, file) in after["data"]["tables"]["files"].as_object().unwrap() {
        assert!(file["table"].is_null() && file["no_table"].is_null(), "{path}: {file}");
    }
    assert_eq!(after["data"]["tables"]["digest"], lock_before["data"]["tables"]["digest"]);
}

#[test]
fn a_file_is_read_as_the_table_that_the_manifest_says_it_is() {
    let project = declaring("[data.log]\npath = \"log.txt\"\ntable = \"tsv\"\n");
    project.write("log.txt", "step\tloss\n1\t0.5\n2\t0.25\n").commit("a log").record();
    let table = lock(&project)["data"]["log"]["files"]["log.txt"]["table"].clone();
    assert_eq!(table["format"], "tsv");
    assert_eq!(table["columns"][1]["name"], "loss");
    project.edit("log.txt", "0.25", "0.75");
    let answer = project.json(&["status"]);
    answer.code(3);
    let detail = answer.verdict()["drift"][0]["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("1 cell of column \"loss\" changed"), "{detail}");
}

fn parquet(project: &Project, sugar: &[Option<f64>], compression: Compression) {
    let schema = parse_message_type("message m { optional double sugar; required int64 quality; }").unwrap();
    let file = File::create(project.root.join("wine.parquet")).unwrap();
    let properties = WriterProperties::builder().set_compression(compression).build();
    let mut writer = SerializedFileWriter::new(file, Arc::new(schema), Arc::new(properties)).unwrap();
    let mut group = writer.next_row_group().unwrap();
    let there: Vec<f64> = sugar.iter().copied().flatten().collect();
    let levels: Vec<i16> = sugar.iter().map(|cell| i16::from(cell.is_some())).collect();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<DoubleType>().write_batch(&there, Some(&levels), None).unwrap();
    column.close().unwrap();
    let quality: Vec<i64> = (0..sugar.len()).map(|row| row as i64).collect();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<Int64Type>().write_batch(&quality, None, None).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    writer.close().unwrap();
}

#[test]
fn parquet_is_told_by_its_values_however_it_is_packed() {
    let project = declaring("wine = \"wine.parquet\"\n");
    let mut sugar = vec![Some(1.9), None, Some(0.0), Some(2.6)];
    parquet(&project, &sugar, Compression::UNCOMPRESSED);
    project.commit("wine").record();
    let detail = || {
        let answer = project.json(&["status"]);
        answer.code(3);
        answer.verdict()["drift"][0]["detail"].as_str().unwrap().to_owned()
    };
    parquet(&project, &sugar, Compression::SNAPPY);
    assert_eq!(detail(), "wine.parquet: the bytes differ, the table does not");
    // A sign that no text of the table might show.
    sugar[2] = Some(-0.0);
    parquet(&project, &sugar, Compression::SNAPPY);
    assert!(detail().contains("1 cell of column \"sugar\" changed"), "{}", detail());
    assert!(detail().contains("row 2"), "{}", detail());
    sugar[2] = Some(0.0);
    sugar[1] = Some(1.0);
    parquet(&project, &sugar, Compression::SNAPPY);
    assert!(detail().contains("\"sugar\" has 0 missing, had 1"), "{}", detail());
}
