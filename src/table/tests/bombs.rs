//! Parquet files that are small, and would not be in memory.

use ::parquet::basic::{Compression, Encoding};
use ::parquet::data_type::ByteArray;
use ::parquet::file::properties::WriterProperties;
use proptest::prelude::*;

use super::written::{Values, lists, optional, required, written};
use super::*;

fn why(bytes: impl AsRef<[u8]>) -> String {
    reading("t.parquet", bytes, 2).table.unwrap_err().0
}

#[test]
fn one_large_text_in_every_row_is_not_copied_for_each() {
    let text = "x".repeat(2 * MOST_LEAF_BYTES);
    let text = ByteArray::from(text.into_bytes());
    let texts = required(vec![text.clone(); 40]);
    let lists = lists((0..20).map(|_| Some(vec![Some(text.clone()), None])));
    for (schema, leaf) in [
        ("required binary a (STRING);", texts),
        ("optional group a (LIST) { repeated group list { optional binary element (STRING); } }", lists),
    ] {
        for properties in [
            WriterProperties::builder().set_dictionary_page_size_limit(64 << 20),
            WriterProperties::builder().set_dictionary_enabled(false),
            WriterProperties::builder()
                .set_dictionary_enabled(false)
                .set_encoding(Encoding::DELTA_BYTE_ARRAY),
        ] {
            let why =
                why(written(schema, std::slice::from_ref(&leaf), properties.set_compression(Compression::SNAPPY)));
            assert!(why.contains("take more than"), "{why}");
        }
    }
}

#[test]
fn a_schema_that_is_too_deep_is_told_and_one_that_is_not_is_read() {
    let nested = |depth: usize| {
        let schema = format!("{}required int32 a;{}", "required group p { ".repeat(depth), " }".repeat(depth));
        written(&schema, &[required(vec![1_i32])], WriterProperties::builder())
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
fn a_description_that_is_written_in_an_odd_way_is_not_read_past_its_depth() {
    let bytes = written("required int32 a;", &[required(vec![1_i32])], WriterProperties::builder());
    let footer = u32::from_le_bytes(bytes[bytes.len() - 8..bytes.len() - 4].try_into().unwrap()) as usize;
    let start = bytes.len() - 8 - footer;
    // The version is a varint of one byte: with ten more that add nothing to it.
    assert_eq!(bytes[start], 0x15);
    let version = [vec![bytes[start + 1] | 0x80], vec![0x80; 9], vec![0]].concat();
    let footer = [&bytes[start..=start], &version, &bytes[start + 2..bytes.len() - 8]].concat();
    let length = (footer.len() as u32).to_le_bytes();
    let odd = [&bytes[..start], &footer, &length, b"PAR1".as_slice()].concat();
    assert_eq!(why(odd), "it cannot be read as Parquet: its description of itself is broken");
}

#[test]
fn a_deep_schema_that_hides_in_a_text_is_nobodys_schema() {
    // Who reads a field by its number takes the length of this text for the version, and what it holds for fields.
    let deep = [0x35, 0, 0x18, 1, b'g', 0x15, 2, 0].repeat(400_000);
    let varint = |mut number: usize| {
        let mut bytes = Vec::new();
        while number >= 0x80 {
            bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        bytes.push(number as u8);
        bytes
    };
    let hidden = [[0x19, 0xfc].as_slice(), &varint(400_000), &deep].concat();
    let schema = [
        0x19, 0x2c, 0x48, 1, b'r', 0x15, 2, 0, 0x15, 2, 0x25, 0, 0x18, 1, b'a', 0,
    ];
    let rest = [0x16, 0, 0x19, 0x0c, 0];
    let footer = [[0x18].as_slice(), &varint(hidden.len()), &hidden, &schema, &rest].concat();
    let length = (footer.len() as u32).to_le_bytes();
    let bytes = [b"PAR1", footer.as_slice(), &length, b"PAR1"].concat();
    assert!(why(bytes).starts_with("it cannot be read as Parquet: "));
}

#[test]
fn a_page_that_is_larger_than_it_says_is_not_unpacked() {
    let text = "x".repeat(MOST_LEAF_BYTES / 2);
    let codec = Compression::BROTLI(Default::default());
    let properties = WriterProperties::builder().set_dictionary_enabled(false).set_compression(codec);
    let mut bytes = written("required binary a (STRING);", &[required(vec![text.as_str()])], properties);
    assert!(reading("t.parquet", &bytes, 2).table.is_ok());
    // After the magic: the kind of page, and its size as a zigzag varint of three bytes.
    assert_eq!(bytes[4..7], [0x15, 0, 0x15]);
    assert!(bytes[9] & 0x80 == 0 && bytes[7] & bytes[8] & 0x80 != 0);
    bytes[9] /= 2;
    assert_eq!(why(&bytes), "it cannot be read as Parquet: a page of column \"a\" is larger than it says");
}

#[test]
fn fixed_and_repeated_prefixes_are_read_in_as_many_rows_as_there_is_room_for() {
    let texts: Vec<String> = (0..1200).map(|row| format!("{}{row}", "prefix".repeat(row % 7))).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let fixed = Values::fixed((0..1200_u32).map(|row| row.to_le_bytes().repeat(100)));
    let schema = "required binary t (STRING); required fixed_len_byte_array(400) f;";
    let columns = [required(texts), required(fixed)];
    let usual = reading("t.parquet", written(schema, &columns, WriterProperties::builder()), 2)
        .table
        .unwrap();
    let prefixed = WriterProperties::builder()
        .set_dictionary_enabled(false)
        .set_encoding(Encoding::DELTA_BYTE_ARRAY);
    assert_eq!(reading("t.parquet", written(schema, &columns, prefixed), 2).table.unwrap(), usual);
    assert_eq!(usual.columns[1].kind, "binary[400]");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn no_damage_breaks_the_reader(
        edits in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..6),
        packed in any::<bool>(),
    ) {
        let texts: Vec<String> = (0..700).map(|row| format!("t{}", row % 90)).collect();
        let texts = optional((0..700).map(|row| (row % 5 != 0).then(|| texts[row].as_str())));
        let codec = if packed { Compression::GZIP(Default::default()) } else { Compression::UNCOMPRESSED };
        let properties = WriterProperties::builder().set_compression(codec);
        let mut bytes = written("optional binary a (STRING);", &[texts], properties);
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
