//! What is no table, and what it says then.

use super::*;

fn why(bytes: impl AsRef<[u8]>) -> String {
    let alone = reading("t.csv", &bytes, 1).table.unwrap_err();
    assert_eq!(reading("t.csv", &bytes, 3).table.unwrap_err(), alone, "whatever the threads");
    alone.0
}

#[test]
fn a_ragged_row_is_named() {
    assert_eq!(why("a,b\n1,2\n3\n"), "row 1 (counted from 0) has 1 field, the header has 2");
    assert_eq!(why("a,b\n1,2\n3,4,5\n6\n"), "row 1 (counted from 0) has 3 fields, the header has 2");
    assert_eq!(why("a,b\n\"1\",2\n\n3,4,5"), "row 1 (counted from 0) has 3 fields, the header has 2");
    let late = format!("a,b\n{}7\n{}8,9,10\n", "1,2\n".repeat(5000), "3,\"4\"\n".repeat(5000));
    assert_eq!(why(late), "row 5000 (counted from 0) has 1 field, the header has 2");
}

#[test]
fn without_a_header_columns_are_numbered() {
    let table = csv_table("1,2.5\n3,-4e1\n");
    assert_eq!(table.rows, 2);
    let names: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["1", "2"]);
    assert_eq!(csv_table("1,NaN\n3,4\n").rows, 1, "a word may be a name");
}

#[test]
fn columns_of_one_name_are_named() {
    assert_eq!(why("a,b,a\n1,2,3\n"), "two columns are called \"a\"");
    assert_eq!(why(",,b\n1,2,3\n"), "two columns are called \"\"");
}

#[test]
fn text_that_is_not_utf_8_is_located() {
    assert_eq!(why(b"a,b\n1,2\n3,\xff4\n"), "row 1 (counted from 0) is not valid UTF-8, at byte 10 of the file");
    assert_eq!(why(b"a,\xe9\n1,2\n"), "its header is not valid UTF-8");
    let mut late = "a,b\n".to_owned() + &"1,\"2\"\n".repeat(700);
    late.push_str("1,");
    let mut bytes = late.into_bytes();
    bytes.extend(b"\xe9\n");
    assert_eq!(why(&bytes), "row 700 (counted from 0) is not valid UTF-8, at byte 4206 of the file");
}

#[test]
fn an_empty_file_is_empty() {
    for bytes in ["", "\n\n", "\r\n", "\u{feff}"] {
        assert_eq!(why(bytes), "it is empty");
    }
    assert_eq!(csv_table("a,b\n").rows, 0);
    assert_eq!(csv_table("a,b").columns[0].kind, "empty");
}

#[test]
fn an_open_quote_is_named() {
    assert_eq!(why("a,b\n1,\"2\n3,4\n"), "it ends within a quote that is never closed");
    assert_eq!(why("a,\"b\n1,2\n"), "its first row opens a quote that is never closed");
}

#[test]
fn a_million_columns_are_no_table() {
    let names: Vec<String> = (0..100_000).map(|column| format!("c{column}")).collect();
    assert_eq!(why(names.join(",") + "\n"), "it has 100000 columns, more than 10000");
    let endless = "x".repeat(MOST_LEAF_BYTES + 1000);
    assert_eq!(why(endless), "its first row takes more than 1 MiB");
}

#[test]
fn rows_that_are_too_large_are_given_up() {
    let large = format!("a,b\n{}\"{}\",2\n", "1,2\n".repeat(600), "x".repeat(MOST_LEAF_BYTES + 1));
    let expected = "the 512 rows from row 512 on (counted from 0) take more than 1 MiB; a quote may be open";
    assert_eq!(why(large), expected);
}
