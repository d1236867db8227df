//! Parquet files that are small, and would not be in memory.

use std::sync::Arc;

use ::parquet::arrow::ArrowWriter;
use ::parquet::basic::{Compression, Encoding};
use ::parquet::file::properties::{WriterProperties, WriterPropertiesBuilder};
use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::*;
use arrow_schema::{DataType, Field};
use proptest::prelude::*;

use super::*;

fn written(batch: &RecordBatch, properties: WriterPropertiesBuilder) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties.build())).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
    bytes
}

fn one(array: ArrayRef, properties: WriterPropertiesBuilder) -> Vec<u8> {
    written(&RecordBatch::try_from_iter_with_nullable([("a", array, true)]).unwrap(), properties)
}

fn why(bytes: impl AsRef<[u8]>) -> String {
    reading("t.parquet", bytes, 2).table.unwrap_err().0
}

#[test]
fn one_large_text_in_every_row_is_not_copied_for_each() {
    let text = "x".repeat(2 * MOST_LEAF_BYTES);
    let texts: ArrayRef = Arc::new(StringArray::from(vec![text.as_str(); 40]));
    let mut lists = ListBuilder::new(StringBuilder::new());
    for _ in 0..20 {
        lists.append_value([Some(&text), None]);
    }
    let lists: ArrayRef = Arc::new(lists.finish());
    for array in [texts, lists] {
        for properties in [
            WriterProperties::builder().set_dictionary_page_size_limit(64 << 20),
            WriterProperties::builder().set_dictionary_enabled(false),
            WriterProperties::builder()
                .set_dictionary_enabled(false)
                .set_encoding(Encoding::DELTA_BYTE_ARRAY),
        ] {
            let why = why(one(Arc::clone(&array), properties.set_compression(Compression::SNAPPY)));
            assert!(why.contains("take more than"), "{why}");
        }
    }
}

#[test]
fn a_schema_that_is_too_deep_is_told_and_one_that_is_not_is_read() {
    let nested = |depth: usize| {
        let mut array: ArrayRef = Arc::new(Int32Array::from(vec![1]));
        for _ in 0..depth {
            let field = Field::new("p", array.data_type().clone(), false);
            array = Arc::new(StructArray::from(vec![(Arc::new(field), array)]));
        }
        one(array, WriterProperties::builder())
    };
    // Whoever writes such a file needs more of a stack, too.
    let nested = |depth| {
        let writer = std::thread::Builder::new().stack_size(256 << 20).spawn(move || nested(depth));
        writer.unwrap().join().unwrap()
    };
    assert_eq!(why(nested(100)), "its columns lie more than 64 deep in one another");
    assert!(reading("t.parquet", nested(50), 2).table.is_ok());
}

#[test]
fn a_page_that_is_larger_than_it_says_is_not_unpacked() {
    let text = "x".repeat(MOST_LEAF_BYTES / 2);
    let codec = Compression::BROTLI(Default::default());
    let properties = WriterProperties::builder().set_dictionary_enabled(false).set_compression(codec);
    let array: ArrayRef = Arc::new(StringArray::from(vec![text.as_str()]));
    let mut bytes = one(array, properties);
    assert!(reading("t.parquet", &bytes, 2).table.is_ok());
    // After the magic: the kind of page, and its size as a zigzag varint of three bytes.
    assert_eq!(bytes[4..7], [0x15, 0, 0x15]);
    assert!(bytes[9] & 0x80 == 0 && bytes[7] & bytes[8] & 0x80 != 0);
    bytes[9] /= 2;
    assert_eq!(why(&bytes), "it cannot be read as Parquet: a page of column \"a\" is larger than it says");
}

#[test]
fn fixed_and_repeated_prefixes_are_read_in_as_many_rows_as_there_is_room_for() {
    let texts: StringArray = (0..1200).map(|row| Some(format!("{}{row}", "prefix".repeat(row % 7)))).collect();
    let bytes: Vec<Vec<u8>> = (0..1200_u32).map(|row| row.to_le_bytes().repeat(100)).collect();
    let fixed = FixedSizeBinaryArray::try_from_iter(bytes.into_iter()).unwrap();
    let fields: [(&str, ArrayRef); 2] = [("t", Arc::new(texts)), ("f", Arc::new(fixed))];
    let batch = RecordBatch::try_from_iter(fields).unwrap();
    let usual = reading("t.parquet", written(&batch, WriterProperties::builder()), 2).table.unwrap();
    let prefixed = WriterProperties::builder()
        .set_dictionary_enabled(false)
        .set_encoding(Encoding::DELTA_BYTE_ARRAY);
    assert_eq!(reading("t.parquet", written(&batch, prefixed), 2).table.unwrap(), usual);
    assert_eq!(usual.columns[1].kind, "binary[400]");
    assert!(matches!(batch.schema().field(1).data_type(), DataType::FixedSizeBinary(400)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn no_damage_breaks_the_reader(
        edits in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..6),
        packed in any::<bool>(),
    ) {
        let texts: ArrayRef = Arc::new((0..700).map(|row| (row % 5 != 0).then(|| format!("t{}", row % 90))).collect::<StringArray>());
        let codec = if packed { Compression::GZIP(Default::default()) } else { Compression::UNCOMPRESSED };
        let mut bytes = one(texts, WriterProperties::builder().set_compression(codec));
        for (at, byte) in edits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Err(NotATable(why)) = reading("t.parquet", bytes, 2).table {
            prop_assert!(!why.is_empty());
        }
    }

    #[test]
    fn no_bytes_break_the_reader(bytes: Vec<u8>) {
        let framed = [b"PAR1".as_slice(), &bytes, &(bytes.len() as u32).to_le_bytes(), b"PAR1"].concat();
        for bytes in [bytes, framed] {
            prop_assert!(reading("t.parquet", bytes, 2).table.is_err());
        }
    }
}
