//! Parquet, as it is written by this very crate.

use std::sync::Arc;

use ::parquet::arrow::ArrowWriter;
use ::parquet::basic::{Compression, Encoding, ZstdLevel};
use ::parquet::file::properties::{WriterProperties, WriterPropertiesBuilder, WriterVersion};
use arrow_array::builder::{ListBuilder, MapBuilder, StringBuilder};
use arrow_array::types::Int32Type;
use arrow_array::*;
use arrow_schema::{DataType, Field, Schema};

use super::*;

fn written(batch: &RecordBatch, properties: WriterPropertiesBuilder, rows_at_once: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties.build())).unwrap();
    for start in (0..batch.num_rows()).step_by(rows_at_once) {
        writer.write(&batch.slice(start, rows_at_once.min(batch.num_rows() - start))).unwrap();
    }
    writer.close().unwrap();
    bytes
}

fn usual(batch: &RecordBatch) -> Vec<u8> {
    written(batch, WriterProperties::builder(), 1024)
}

fn table_of(bytes: impl AsRef<[u8]>) -> Table {
    reading("t.parquet", bytes, 2).table.unwrap()
}

fn one(array: impl Array + 'static) -> Table {
    table_of(usual(
        &RecordBatch::try_from_iter_with_nullable([("a", Arc::new(array) as ArrayRef, true)]).unwrap(),
    ))
}

/// Several types, with nulls, over several leaves.
fn sample(rows: i32) -> RecordBatch {
    let ids: Int32Array = (0..rows).collect();
    let floats: Float64Array = (0..rows).map(|row| (row % 5 != 0).then_some(f64::from(row) / 3.0)).collect();
    let texts: StringArray = (0..rows).map(|row| (row % 3 != 0).then(|| format!("t{}", row % 17))).collect();
    let flags: BooleanArray = (0..rows).map(|row| (row % 4 != 0).then_some(row % 2 == 0)).collect();
    let lists = (0..rows).map(|row| (row % 6 != 0).then(|| (0..row % 4).map(|item| (item != 2).then_some(item))));
    let lists = ListArray::from_iter_primitive::<Int32Type, _, _>(lists);
    let fields: [(&str, ArrayRef); 5] = [
        ("id", Arc::new(ids)),
        ("x", Arc::new(floats)),
        ("t", Arc::new(texts)),
        ("f", Arc::new(flags)),
        ("l", Arc::new(lists)),
    ];
    RecordBatch::try_from_iter_with_nullable(fields.map(|(name, array)| (name, array, true))).unwrap()
}

#[test]
fn how_the_file_is_written_does_not_matter() {
    let batch = sample(2000);
    let plain = table_of(usual(&batch));
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
        (builder().set_max_row_group_row_count(Some(300)), 100),
        (builder().set_max_row_group_row_count(Some(7)), 2000),
        (builder().set_dictionary_enabled(false), 2000),
        (builder().set_dictionary_enabled(false).set_encoding(Encoding::PLAIN), 513),
        (builder().set_writer_version(WriterVersion::PARQUET_2_0).set_data_page_row_count_limit(50), 2000),
    ] {
        assert_eq!(table_of(written(&batch, properties, rows_at_once)), plain);
    }
}

#[test]
fn the_rules_hold() {
    let rows = 1100;
    let ids: Int32Array = (0..rows).map(|row| (row % 5 != 0).then_some(row)).collect();
    let texts: StringArray = (0..rows).map(|row| (row % 3 != 0).then(|| "x".repeat(row as usize % 200))).collect();
    let batch = RecordBatch::try_from_iter_with_nullable([
        ("id", Arc::new(ids.clone()) as ArrayRef, true),
        ("t", Arc::new(texts.clone()) as ArrayRef, true),
    ]);
    let table = table_of(usual(&batch.unwrap()));
    let columns = [("id", "int32"), ("t", "text")].map(|(name, kind)| (name.to_owned(), kind.to_owned()));
    let cells: Vec<Vec<Cell>> = (ids.iter().zip(&texts))
        .map(|(id, text)| {
            vec![
                id.map(|id| id.to_le_bytes().to_vec()),
                text.map(|text| text.as_bytes().to_vec()),
            ]
        })
        .collect();
    let hash = |row: &[Cell]| xxh3_128(&row.iter().flat_map(encoded).collect::<Vec<u8>>());
    agrees(&table, &by_the_rules(&columns, &cells, hash));
}

#[test]
fn every_nan_is_one_and_zeros_keep_their_sign() {
    let of = |value: f64| one(Float64Array::from(vec![Some(value)])).content;
    assert_eq!(of(f64::NAN), of(f64::from_bits(0xfff8_0000_0000_1234)));
    assert_ne!(of(0.0), of(-0.0));
    let single = |value: f32| one(Float32Array::from(vec![Some(value)])).content;
    assert_eq!(single(f32::NAN), single(-f32::NAN));
    assert_ne!(of(1.0), single(1.0), "another width is another type");
}

#[test]
fn types_have_their_unit_zone_scale_and_parts() {
    let stamp = |zone: Option<&str>| one(TimestampMicrosecondArray::from(vec![5]).with_timezone_opt(zone));
    assert_eq!(stamp(None).columns[0].kind, "timestamp[us]");
    assert_eq!(stamp(Some("UTC")).columns[0].kind, "timestamp[us, UTC]");
    assert_ne!(stamp(None).content, stamp(Some("UTC")).content);
    assert_eq!(stamp(None).columns[0].digest, stamp(Some("UTC")).columns[0].digest);
    assert_eq!(one(TimestampMillisecondArray::from(vec![5])).columns[0].kind, "timestamp[ms]");
    assert_eq!(one(Date32Array::from(vec![5])).columns[0].kind, "date");
    assert_eq!(one(Time64MicrosecondArray::from(vec![5])).columns[0].kind, "time[us]");
    let decimal = Decimal128Array::from(vec![150]).with_precision_and_scale(10, 2).unwrap();
    assert_eq!(one(decimal).columns[0].kind, "decimal(10, 2)");
    assert_eq!(one(BinaryArray::from_vec(vec![b"\xff"])).columns[0].kind, "binary");
    assert_eq!(one(UInt8Array::from(vec![5])).columns[0].kind, "uint8");
    let inner: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    let parts = StructArray::from(vec![(Arc::new(Field::new("p", DataType::Int64, false)), inner)]);
    assert_eq!(one(parts).columns[0].kind, "struct<p: int64>");
    let mut map = MapBuilder::new(None, StringBuilder::new(), ListBuilder::new(StringBuilder::new()));
    map.keys().append_value("k");
    map.values().append_value([Some("v")]);
    map.append(true).unwrap();
    assert_eq!(one(map.finish()).columns[0].kind, "map<text, list<text>>");
}

#[test]
fn a_missing_text_is_not_an_empty_one() {
    let of = |cell: Option<&str>| one(StringArray::from(vec![cell]));
    assert_ne!(of(None).content, of(Some("")).content);
    assert_eq!((of(None).columns[0].nulls, of(Some("")).columns[0].nulls), (1, 0));
}

#[test]
fn the_first_rows_alone_are_a_table() {
    let scratch = Scratch::new();
    let path = scratch.file("t.parquet", written(&sample(2000), WriterProperties::builder(), 300));
    let first = read_first(&path, Format::Parquet, 700).unwrap().unwrap();
    let whole = table_of(usual(&sample(2000).slice(0, 700)));
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
    let whole = usual(&sample(1200));
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
    let field = Field::new("a", DataType::Int32, false);
    let schema = Arc::new(Schema::new(vec![field.clone(), field]));
    let array: ArrayRef = Arc::new(Int32Array::from(vec![1]));
    let batch = RecordBatch::try_new(schema, vec![Arc::clone(&array), array]).unwrap();
    let why = reading("t.parquet", usual(&batch), 2).table.unwrap_err().0;
    assert_eq!(why, "two columns are called \"a\"");
}
