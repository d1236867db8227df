//! Parquet, as it is written by this very crate, and by Arrow.

use ::parquet::basic::{Compression, Encoding, ZstdLevel};
use ::parquet::file::properties::{WriterProperties, WriterPropertiesBuilder, WriterVersion};

use super::written::{Leaf, Values, grouped, levelled, lists, optional, required};
use super::*;

fn usual(schema: &str, leaves: &[Leaf]) -> Vec<u8> {
    grouped(schema, leaves, WriterProperties::builder(), 1024)
}

fn table_of(bytes: impl AsRef<[u8]>) -> Table {
    reading("t.parquet", bytes, 2).table.unwrap()
}

fn one(schema: &str, leaf: Leaf) -> Table {
    table_of(usual(schema, &[leaf]))
}

const SAMPLE: &str = "optional int32 id; optional double x; optional binary t (STRING); optional boolean f;
    optional group l (LIST) { repeated group list { optional int32 element; } }";

/// Several types, with nulls, over several leaves.
fn sample(rows: i32) -> Vec<Leaf> {
    let texts: Vec<String> = (0..rows).map(|row| format!("t{}", row % 17)).collect();
    let text = |row: i32| (row % 3 != 0).then(|| texts[row as usize].as_str());
    vec![
        optional((0..rows).map(Some)),
        optional((0..rows).map(|row| (row % 5 != 0).then_some(f64::from(row) / 3.0))),
        optional((0..rows).map(text)),
        optional((0..rows).map(|row| (row % 4 != 0).then_some(row % 2 == 0))),
        lists(
            (0..rows).map(|row| (row % 6 != 0).then(|| (0..row % 4).map(|item| (item != 2).then_some(item)).collect())),
        ),
    ]
}

fn sampled(rows: i32, properties: WriterPropertiesBuilder, rows_at_once: usize) -> Vec<u8> {
    grouped(SAMPLE, &sample(rows), properties, rows_at_once)
}

#[test]
fn how_the_file_is_written_does_not_matter() {
    let plain = table_of(usual(SAMPLE, &sample(2000)));
    let kinds: Vec<&str> = plain.columns.iter().map(|column| column.kind.as_str()).collect();
    assert_eq!(kinds, ["int32", "float64", "text", "boolean", "list<int32>"]);
    assert_eq!(plain.rows, 2000);
    let builder = WriterProperties::builder;
    for (properties, rows_at_once) in [
        (builder().set_compression(Compression::SNAPPY), 2000),
        (builder().set_compression(Compression::ZSTD(ZstdLevel::default())), 2000),
        (builder().set_compression(Compression::GZIP(Default::default())), 2000),
        (builder().set_compression(Compression::BROTLI(Default::default())), 2000),
        (builder().set_compression(Compression::LZ4_RAW), 2000),
        (builder(), 300),
        (builder(), 7),
        (builder().set_dictionary_enabled(false), 2000),
        (builder().set_dictionary_enabled(false).set_encoding(Encoding::PLAIN), 513),
        (builder().set_writer_version(WriterVersion::PARQUET_2_0).set_data_page_row_count_limit(50), 2000),
    ] {
        assert_eq!(table_of(sampled(2000, properties, rows_at_once)), plain);
    }
}

#[test]
fn the_rules_hold() {
    let rows = 1100;
    let ids: Vec<Option<i32>> = (0..rows).map(|row| (row % 5 != 0).then_some(row)).collect();
    let texts: Vec<Option<String>> =
        (0..rows).map(|row| (row % 3 != 0).then(|| "x".repeat(row as usize % 200))).collect();
    let leaves = [optional(ids.clone()), optional(texts.iter().map(Option::as_deref))];
    let table = table_of(usual("optional int32 id; optional binary t (STRING);", &leaves));
    let columns = [("id", "int32"), ("t", "text")].map(|(name, kind)| (name.to_owned(), kind.to_owned()));
    let cells: Vec<Vec<Cell>> = (ids.iter().zip(&texts))
        .map(|(id, text)| {
            vec![
                id.map(|id| id.to_le_bytes().to_vec()),
                text.as_ref().map(|text| text.as_bytes().to_vec()),
            ]
        })
        .collect();
    let hash = |row: &[Cell]| xxh3_128(&row.iter().flat_map(encoded).collect::<Vec<u8>>());
    agrees(&table, &by_the_rules(&columns, &cells, hash));
}

#[test]
fn every_nan_is_one_and_zeros_keep_their_sign() {
    let of = |value: f64| one("required double a;", required(vec![value])).content;
    assert_eq!(of(f64::NAN), of(f64::from_bits(0xfff8_0000_0000_1234)));
    assert_ne!(of(0.0), of(-0.0));
    let single = |value: f32| one("required float a;", required(vec![value])).content;
    assert_eq!(single(f32::NAN), single(-f32::NAN));
    assert_ne!(of(1.0), single(1.0), "another width is another type");
    let half =
        |bits: u16| one("required fixed_len_byte_array(2) a (FLOAT16);", required(fixed(&bits.to_le_bytes()))).content;
    assert_eq!(half(0x7e00), half(0xfc01));
    assert_ne!(half(0x7c00), half(0x7e00), "infinity is none");
}

fn fixed(value: &[u8]) -> Values {
    Values::fixed([value.to_vec()])
}

#[test]
fn types_have_their_unit_zone_scale_and_parts() {
    let kind = |schema: &str, values: Values| one(schema, required(values)).columns[0].kind.clone();
    let stamp = |schema: &str| one(schema, required(vec![5_i64]));
    let (local, utc) = ("required int64 a (TIMESTAMP(MICROS,false));", "required int64 a (TIMESTAMP(MICROS,true));");
    assert_eq!(stamp(local).columns[0].kind, "timestamp[us]");
    assert_eq!(stamp(utc).columns[0].kind, "timestamp[us, UTC]");
    assert_ne!(stamp(local).content, stamp(utc).content);
    assert_eq!(stamp(local).columns[0].digest, stamp(utc).columns[0].digest);
    for (schema, is) in [
        ("required int64 a (TIMESTAMP(MILLIS,false));", "timestamp[ms]"),
        ("required int64 a (TIMESTAMP_MILLIS);", "timestamp[ms, UTC]"),
        ("required int64 a (TIME(MICROS,true));", "time[us]"),
        ("required int64 a (TIME(NANOS,true));", "time[ns]"),
        ("required int64 a (INTEGER(64,false));", "uint64"),
        ("required int64 a (DECIMAL(18,3));", "decimal(18, 3)"),
    ] {
        assert_eq!(kind(schema, vec![5_i64].into()), is, "{schema}");
    }
    for (schema, is) in [
        ("required int32 a (DATE);", "date"),
        ("required int32 a (TIME(MILLIS,true));", "time[ms]"),
        ("required int32 a (INTEGER(8,false));", "uint8"),
        ("required int32 a (INT_16);", "int16"),
        ("required int32 a (DECIMAL(9,2));", "decimal(9, 2)"),
    ] {
        assert_eq!(kind(schema, vec![5_i32].into()), is, "{schema}");
    }
    assert_eq!(kind("required binary a;", vec!["x"].into()), "binary");
    assert_eq!(kind("required binary a (ENUM);", vec!["x"].into()), "binary");
    assert_eq!(kind("required binary a (JSON);", vec!["{}"].into()), "text");
    assert_eq!(kind("required binary a (DECIMAL(40,2));", vec!["x"].into()), "decimal(40, 2)");
    assert_eq!(kind("required group a { required int32 p; }", vec![5_i32].into()), "struct<p: int32>");
}

#[test]
fn a_type_without_a_rule_and_a_value_that_its_type_cannot_have_are_no_table() {
    let why =
        |schema: &str, values: Values| reading("t.parquet", usual(schema, &[required(values)]), 2).table.unwrap_err().0;
    let interval = why("required fixed_len_byte_array(12) a (INTERVAL);", fixed(&[1; 12]));
    assert_eq!(interval, "column \"a\" is of a type that has no rule here: INTERVAL");
    let contradicts = "it cannot be read as Parquet: its parts contradict each other";
    assert_eq!(why("required int32 a (INTEGER(8,true));", vec![128_i32].into()), contradicts);
    let broken = Values::from(vec![::parquet::data_type::ByteArray::from(vec![0xff_u8])]);
    assert_eq!(why("required binary a (STRING);", broken), contradicts);
}

/// The number, however many bytes it is written in.
#[test]
fn a_decimal_is_its_number_in_whatever_width_it_is_written() {
    let digest = |schema: &str, values: Values| one(schema, required(values)).columns[0].digest;
    for number in [-70_000_i32, -1, 0, 1, 70_000] {
        let be = number.to_be_bytes();
        let wide = [[if number < 0 { 0xff } else { 0 }; 8].as_slice(), &be].concat();
        let bytes = |of: &[u8]| Values::from(vec![::parquet::data_type::ByteArray::from(of.to_vec())]);
        let of = digest("required int32 a (DECIMAL(9,2));", vec![number].into());
        assert_eq!(of, digest("required int64 a (DECIMAL(9,2));", vec![i64::from(number)].into()));
        assert_eq!(of, digest("required fixed_len_byte_array(4) a (DECIMAL(9,2));", fixed(&be)));
        assert_eq!(of, digest("required fixed_len_byte_array(12) a (DECIMAL(9,2));", fixed(&wide)));
        assert_eq!(of, digest("required binary a (DECIMAL(9,2));", bytes(&be)));
    }
}

#[test]
fn a_missing_text_is_not_an_empty_one() {
    let of = |cell: Option<&str>| one("optional binary a (STRING);", optional([cell]));
    assert_ne!(of(None).content, of(Some("")).content);
    assert_eq!((of(None).columns[0].nulls, of(Some("")).columns[0].nulls), (1, 0));
}

/// The same lists in every form that writers have had for them.
#[test]
fn lists_and_maps_are_what_they_are_in_each_of_their_forms() {
    let full = [(2, 0), (2, 1), (1, 0), (0, 0), (2, 0)];
    let item = || vec![1_i32, 2, 3];
    let usual = one(
        "optional group a (LIST) { repeated group list { required int32 element; } }",
        levelled(2, &full, item()),
    );
    assert_eq!((usual.rows, usual.columns[0].nulls, usual.columns[0].kind.as_str()), (4, 1, "list<int32>"));
    let two_levels = "optional group a (LIST) { repeated int32 array; }";
    assert_eq!(one(two_levels, levelled(2, &full, item())).columns[0].digest, usual.columns[0].digest);
    // Of keys alone a map is a list.
    let keys = "optional group a (MAP) { repeated group key_value { required int32 key; } }";
    assert_eq!(one(keys, levelled(2, &full, item())).columns[0].digest, usual.columns[0].digest);
    let bare = one("repeated int32 a;", levelled(1, &[(1, 0), (1, 1), (0, 0)], vec![1_i32, 2]));
    assert_eq!((bare.rows, bare.columns[0].nulls, bare.columns[0].kind.as_str()), (2, 0, "list<int32>"));
    for (named, kind) in [
        ("array", "list<struct<x: int32>>"),
        ("a_tuple", "list<struct<x: int32>>"),
        ("bag", "list<int32>"),
    ] {
        let schema = format!("optional group a (LIST) {{ repeated group {named} {{ required int32 x; }} }}");
        assert_eq!(one(&schema, levelled(2, &full, item())).columns[0].kind, kind);
    }
    let map = "required group a (MAP) { repeated group key_value { required binary key (STRING);
        optional group value (LIST) { repeated group list { optional binary element (STRING); } } } }";
    let keys = levelled(1, &[(1, 0), (1, 1), (0, 0)], vec!["k", "l"]);
    let values = levelled(4, &[(4, 0), (3, 2), (1, 1), (0, 0)], vec!["v"]);
    let map = table_of(grouped(map, &[keys, values], WriterProperties::builder(), 2));
    assert_eq!((map.rows, map.columns[0].kind.as_str()), (2, "map<text, list<text>>"));
    let cells = [vec![Some(b"\x02k\x04\x02v\0\x02l\0".to_vec())], vec![Some(Vec::new())]];
    agrees(
        &map,
        &by_the_rules(&[("a".to_owned(), "map<text, list<text>>".to_owned())], &cells, |row| {
            xxh3_128(&encoded(&row[0]))
        }),
    );
}

#[test]
fn parts_of_a_row_that_are_not_equally_many_contradict_each_other() {
    let schema = "required group a (LIST) { repeated group list { required int32 x; required int32 y; } }";
    let x = levelled(1, &[(1, 0), (1, 1)], vec![1_i32, 2]);
    let y = levelled(1, &[(1, 0)], vec![1_i32]);
    let why = reading("t.parquet", usual(schema, &[x, y]), 2).table.unwrap_err().0;
    assert_eq!(why, "it cannot be read as Parquet: its parts contradict each other");
}

/// Of each type that Arrow writes, with nulls and in one another, as `pyarrow` 26 wrote it; the digests are those
/// that Arrow's own reader gave.
#[test]
fn what_arrow_wrote_has_the_digests_that_it_had_when_arrow_read_it() {
    let table = table_of(include_bytes!("../../../fixtures/tables/arrow.parquet"));
    let told: Vec<String> = (table.columns.iter())
        .map(|column| format!("{} {} {} {}", column.name, column.kind, column.nulls, column.digest))
        .collect();
    let told = format!("{} {} {}\n{}\n", table.rows, table.content, table.unordered, told.join("\n"));
    assert_eq!(told, include_str!("../../../fixtures/tables/arrow.txt"));
}

#[test]
fn the_first_rows_alone_are_a_table() {
    let scratch = Scratch::new();
    let path = scratch.file("t.parquet", sampled(2000, WriterProperties::builder(), 300));
    let first = read_first(&path, Format::Parquet, 700).unwrap().unwrap();
    let whole = table_of(usual(SAMPLE, &sample(700)));
    assert_eq!(
        first,
        Table {
            first: Some(700),
            ..whole
        }
    );
}

#[test]
fn what_cannot_be_read_is_told_and_never_breaks_anything() {
    let whole = usual(SAMPLE, &sample(1200));
    let why = |bytes: &[u8]| reading("t.parquet", bytes, 2).table.unwrap_err().0;
    assert_eq!(why(b""), "it is empty");
    for cut in (1..whole.len()).step_by(97).chain([whole.len() - 1]) {
        let why = why(&whole[..cut]);
        assert!(why.starts_with("it cannot be read as Parquet: ") && !why.ends_with('.'), "{why}");
    }
    // Other bytes may be another table or none; they are never a panic.
    for at in (0..whole.len()).step_by(31) {
        let mut broken = whole.clone();
        broken[at] ^= 0x5a;
        if let Err(NotATable(why)) = reading("t.parquet", broken, 2).table {
            assert!(!why.is_empty());
        }
    }
}

#[test]
fn columns_of_one_name_are_named() {
    let columns = [required(vec![1_i32]), required(vec![1_i32])];
    let bytes = usual("required int32 a; required int32 a;", &columns);
    assert_eq!(reading("t.parquet", bytes, 2).table.unwrap_err().0, "two columns are called \"a\"");
}
