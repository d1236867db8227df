//! The rules, computed anew from what they say; and what must not matter.

mod bad;
mod bombs;
mod parquet;
mod written;

use std::path::PathBuf;

use proptest::prelude::*;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use xxhash_rust::xxh3::xxh3_128;

use super::kind::{Kinds, is_number};
use super::*;

/// A file of its own directory.
struct Scratch(TempDir);

impl Scratch {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

fn reading(name: &str, bytes: impl AsRef<[u8]>, threads: usize) -> Reading {
    let scratch = Scratch::new();
    let path = scratch.file(name, &bytes);
    let progress = Progress::default();
    let reading = read(&path, Format::of(&path).unwrap(), threads, &progress).unwrap();
    assert_eq!(reading.digest, Digest::of(&bytes), "the digest of all bytes");
    assert_eq!((reading.bytes, progress.bytes().0), (bytes.as_ref().len() as u64, bytes.as_ref().len() as u64));
    reading
}

fn csv_table(bytes: impl AsRef<[u8]>) -> Table {
    reading("table.csv", bytes, 2).table.unwrap()
}

type Cell = Option<Vec<u8>>;

/// Names and types.
type Columns = Vec<(String, String)>;

/// What the rules say of these rows.
struct ByTheRules {
    content: Digest,
    unordered: String,
    block_rows: u64,
    blocks: Vec<String>,
    columns: Vec<Digest>,
}

fn by_the_rules(columns: &[(String, String)], rows: &[Vec<Cell>], hash: impl Fn(&[Cell]) -> u128) -> ByTheRules {
    let leaves: Vec<Vec<Vec<u8>>> = rows
        .chunks(512)
        .map(|leaf| {
            let of =
                |column: usize| Sha256::digest(leaf.iter().flat_map(|row| encoded(&row[column])).collect::<Vec<u8>>());
            (0..columns.len()).map(|column| of(column).to_vec()).collect()
        })
        .collect();
    let of_column =
        |column: usize| Digest::of(leaves.iter().flat_map(|leaf| leaf[column].clone()).collect::<Vec<u8>>());
    let digests: Vec<Digest> = (0..columns.len()).map(of_column).collect();
    let mut content = Vec::new();
    content.extend((rows.len() as u64).to_le_bytes());
    content.extend((columns.len() as u64).to_le_bytes());
    for ((name, kind), digest) in columns.iter().zip(&digests) {
        for text in [name, kind] {
            content.extend((text.len() as u64).to_le_bytes());
            content.extend(text.bytes());
        }
        content.extend(digest.raw());
    }
    let mut blocks: Vec<Vec<u8>> = leaves.iter().map(|leaf| Sha256::digest(leaf.concat())[..8].to_vec()).collect();
    let mut block_rows = 512;
    while blocks.len() > 64 {
        let pair = |pair: &[Vec<u8>]| {
            if pair.len() == 1 {
                pair[0].clone()
            } else {
                Sha256::digest(pair.concat())[..8].to_vec()
            }
        };
        blocks = blocks.chunks(2).map(pair).collect();
        block_rows *= 2;
    }
    let hex = |bytes: &Vec<u8>| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    ByTheRules {
        content: Digest::of(content),
        unordered: format!("{:032x}", rows.iter().fold(0u128, |sum, row| sum.wrapping_add(hash(row)))),
        block_rows,
        blocks: blocks.iter().map(hex).collect(),
        columns: digests,
    }
}

fn encoded(cell: &Cell) -> Vec<u8> {
    let Some(bytes) = cell else { return vec![0] };
    let mut out = Vec::new();
    let mut length = bytes.len() + 1;
    loop {
        let low = (length % 128) as u8;
        length /= 128;
        out.push(if length > 0 { low + 128 } else { low });
        if length == 0 {
            break;
        }
    }
    out.extend(bytes);
    out
}

fn line(row: &[Cell]) -> u128 {
    let cell = |cell: &Cell| {
        let text = String::from_utf8(cell.clone().unwrap_or_default()).unwrap();
        if text.contains([',', '"', '\r', '\n']) {
            format!("\"{}\"", text.replace('"', "\"\""))
        } else {
            text
        }
    };
    xxh3_128(row.iter().map(cell).collect::<Vec<_>>().join(",").as_bytes())
}

fn agrees(table: &Table, rules: &ByTheRules) {
    assert_eq!(table.columns.iter().map(|column| column.digest).collect::<Vec<_>>(), rules.columns);
    assert_eq!(table.content, rules.content);
    assert_eq!(table.unordered.to_string(), rules.unordered);
    assert_eq!(table.block_rows, rules.block_rows);
    assert_eq!(table.blocks.iter().map(Short::to_string).collect::<Vec<_>>(), rules.blocks);
}

/// The rows as the crate csv reads them.
fn by_crate_csv(bytes: &[u8], delimiter: u8) -> Vec<Vec<Vec<u8>>> {
    let mut reader = ::csv::ReaderBuilder::new();
    let mut reader = reader.has_headers(false).flexible(true).delimiter(delimiter).from_reader(bytes);
    reader
        .byte_records()
        .map(|row| row.unwrap().iter().map(<[u8]>::to_vec).collect())
        .collect()
}

/// The same table by the crate csv and the rules, or that it is none.
fn expected(bytes: &[u8]) -> Option<(Columns, Vec<Vec<Cell>>)> {
    let fields = |delimiter: &u8| by_crate_csv(bytes, *delimiter).first().map_or(0, Vec::len);
    let delimiter = *b",;\t|".iter().find(|delimiter| fields(delimiter) > 1).unwrap_or(&b',');
    let mut rows = by_crate_csv(bytes, delimiter);
    let header = rows.first()?.clone();
    let names: Vec<String> = if header.iter().all(|cell| is_number(cell)) {
        (1..=header.len()).map(|number| number.to_string()).collect()
    } else {
        rows.remove(0);
        header.into_iter().map(|cell| String::from_utf8(cell).unwrap()).collect()
    };
    let mut unique = names.clone();
    unique.sort();
    unique.dedup();
    if unique.len() != names.len() || rows.iter().any(|row| row.len() != names.len()) {
        return None;
    }
    let kind = |column: usize| {
        let cells = rows.iter().map(|row| &row[column]).filter(|cell| !cell.is_empty());
        cells
            .clone()
            .fold(Kinds::ALL, |kinds, cell| kinds.and(Kinds::of(cell)))
            .name(cells.count() == 0)
            .to_owned()
    };
    let columns = names.into_iter().enumerate().map(|(column, name)| (name, kind(column))).collect();
    let cell = |cell: Vec<u8>| if cell.is_empty() { None } else { Some(cell) };
    Some((columns, rows.into_iter().map(|row| row.into_iter().map(cell).collect()).collect()))
}

fn check_against_the_crate(text: &str) {
    match reading("t.csv", text, 2).table {
        Ok(table) => {
            let (columns, rows) = expected(text.as_bytes()).expect("the crate reads a table too");
            let found: Columns =
                table.columns.iter().map(|column| (column.name.clone(), column.kind.clone())).collect();
            assert_eq!(found, columns);
            assert_eq!(table.rows, rows.len() as u64);
            for (index, column) in table.columns.iter().enumerate() {
                assert_eq!(column.nulls, rows.iter().filter(|row| row[index].is_none()).count() as u64);
            }
            agrees(&table, &by_the_rules(&columns, &rows, line));
        }
        Err(NotATable(why)) if why.contains("never closed") => {}
        Err(NotATable(why)) => assert!(expected(text.as_bytes()).is_none(), "{why}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn whatever_is_read_is_what_the_crate_csv_reads(text in "[a,]{1,4}\n([ab1.,\"\r\n;é]{0,40}|([ab1.\"]{0,3},[1-9]{0,20}(\n|\r\n|\r)){0,12})") {
        check_against_the_crate(&text);
    }

    #[test]
    fn headers_and_delimiters_too(text in "[a1,;|\"\t\n]{0,9}\n[a1,;|\"\t\n]{0,20}") {
        check_against_the_crate(&text);
    }
}

/// Rows of three columns, some quoted, some missing, enough for several blocks.
fn big(rows: usize, eol: &str, quote: bool) -> String {
    let q = if quote { "\"" } else { "" };
    let mut text = format!("{q}id{q},x,name{eol}");
    for row in 0..rows {
        let x = if row % 7 == 3 {
            String::new()
        } else {
            format!("{}.{}", row * 31 % 1000, row % 10)
        };
        text += &format!("{row},{q}{x}{q},{q}n é {}{q}{eol}", row % 13);
    }
    text
}

#[test]
fn many_rows_follow_the_rules_too() {
    for rows in [0, 1, 511, 512, 513, 64 * 512, 64 * 512 + 1, 131 * 512 + 7] {
        check_against_the_crate(&big(rows, "\n", false));
    }
}

#[test]
fn how_the_file_is_written_does_not_matter() {
    let plain = csv_table(big(2000, "\n", false));
    assert_eq!(plain.rows, 2000);
    for text in [
        big(2000, "\r\n", false),
        big(2000, "\r", false),
        big(2000, "\n", true),
        big(2000, "\r\n\r\n", true),
        format!("\u{feff}{}", big(2000, "\n", false)),
        format!("\u{feff}{}", big(2000, "\n", true)),
        big(2000, "\n", false).replace(',', ";"),
        big(2000, "\n", false).replace(',', "|"),
        big(2000, "\n", false).trim_end().to_owned(),
    ] {
        assert_eq!(csv_table(text), plain);
    }
    let mut tsv = reading("t.TSV", big(2000, "\n", false).replace(',', "\t"), 2).table.unwrap();
    tsv.format = Format::Csv;
    assert_eq!(tsv, plain);
}

#[test]
fn the_number_of_threads_does_not_matter() {
    let text = big(20_000, "\n", true);
    let alone = reading("t.csv", &text, 1);
    for threads in [0, 2, 3, 8] {
        assert_eq!(reading("t.csv", &text, threads), alone);
    }
}

#[test]
fn a_comma_within_a_cell_is_no_comma_whatever_delimits() {
    let semicolons = csv_table("a;b\n1,5;x\n");
    assert_eq!(semicolons.content, csv_table("a,b\n\"1,5\",x\n").content);
    assert_eq!(semicolons.unordered, csv_table("a,b\n\"1,5\",x\n").unordered);
    assert_ne!(semicolons.content, csv_table("a,b\n1.5,x\n").content);
}

#[test]
fn cells_are_their_texts() {
    let of = |cell: &str| csv_table(format!("a,b\n{cell},x\n")).content;
    for (one, other) in [
        ("1.0", "1.00"),
        ("0.0", "-0.0"),
        ("NaN", "nan"),
        ("NA", ""),
        (" 1", "1"),
    ] {
        assert_ne!(of(one), of(other));
    }
    assert_eq!(of(""), of("\"\""));
    let table = csv_table("a,b,c,d,e,f,g\n1,1.5,true,2024-01-31,2024-01-31T10:00:00Z,x,\n,,,,,,\n");
    let kinds: Vec<&str> = table.columns.iter().map(|column| column.kind.as_str()).collect();
    assert_eq!(kinds, ["integer", "float", "boolean", "date", "timestamp", "text", "empty"]);
    assert_eq!(table.columns.iter().map(|column| column.nulls).collect::<Vec<_>>(), [1, 1, 1, 1, 1, 1, 2]);
}

#[test]
fn a_byte_order_mark_amid_the_file_belongs_to_its_cell() {
    let rows = "x,y\n".repeat(512);
    let of = |cell: &str| csv_table(format!("a,b\n{rows}{cell},\"q\"\n"));
    assert_ne!(of("\u{feff}x").content, of("x").content);
    check_against_the_crate(&format!("a,b\n{rows}\u{feff}x,\"q\"\n"));
}

#[test]
fn the_first_rows_alone_are_a_table() {
    let scratch = Scratch::new();
    let path = scratch.file("t.csv", big(3000, "\n", true));
    for rows in [0, 1, 512, 700, 3000, 4000] {
        let first = read_first(&path, Format::Csv, rows).unwrap().unwrap();
        let whole = csv_table(big(rows.min(3000) as usize, "\n", false));
        assert_eq!(
            first,
            Table {
                first: Some(rows),
                ..whole
            }
        );
    }
}

#[test]
fn only_small_tables_have_locators() {
    let of = |rows: usize| csv_table(format!("a\n{}", "1\n".repeat(rows))).columns[0].locator;
    assert!(of(1 << 20).is_some());
    assert!(of((1 << 20) + 1).is_none());
}

#[test]
fn a_table_reads_back_from_a_lock() {
    for table in [csv_table(big(1600, "\n", false)), csv_table("a\n")] {
        let text = toml::to_string(&table).unwrap();
        assert_eq!(toml::from_str::<Table>(&text).unwrap(), table, "{text}");
        let wrong = text.replace("unordered = \"", "unordered = \"g");
        assert!(toml::from_str::<Table>(&wrong).is_err());
    }
}

#[test]
fn formats_go_by_extension() {
    for (name, format) in [
        ("a.csv", Some(Format::Csv)),
        ("a.CSV", Some(Format::Csv)),
        ("a.tsv", Some(Format::Tsv)),
        ("a.tab", Some(Format::Tsv)),
        ("a.Parquet", Some(Format::Parquet)),
        ("a.pq", Some(Format::Parquet)),
        ("a.txt", None),
        ("csv", None),
    ] {
        assert_eq!(Format::of(Path::new(name)), format, "{name}");
    }
}
