//! The schema of a Parquet file, from the description at its end. The crate that reads tables builds it by recursion, as
//! deep as the file says, and reads fields by their number whatever type they state. So the schema is looked at first,
//! by the format's own definition (parquet.thrift of parquet-format 2.12) and strictly, and then given to the crate
//! alone: what else the description holds, it does not take for a schema.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use parquet::file::metadata::ParquetMetaDataReader;
use parquet::schema::types::SchemaDescPtr;

use super::thrift::{Input, LIST, STRUCT, Shape};
use super::unreadable;
use crate::table::NotATable;

/// The most of the description at a file's end; in memory it is many times as large.
const MOST_FOOTER: u64 = 32 << 20;

/// The deepest schema: a list in a struct in a list takes three.
const DEEPEST: usize = 64;

/// `FileMetaData.schema`.
const SCHEMA: i64 = 2;

/// `SchemaElement.num_children`.
const CHILDREN: i64 = 5;

/// `SchemaElement`.
const ELEMENT: &[(i64, Shape)] = &[
    (1, Shape::I32),
    (2, Shape::I32),
    (3, Shape::I32),
    (4, Shape::Binary),
    (CHILDREN, Shape::I32),
    (6, Shape::I32),
    (7, Shape::I32),
    (8, Shape::I32),
    (9, Shape::I32),
    (10, Shape::Struct(LOGICAL_TYPE)),
];

/// `LogicalType`; whatever has no fields of its own is left to the rule for what is not known.
const LOGICAL_TYPE: &[(i64, Shape)] = &[
    (5, Shape::Struct(&[(1, Shape::I32), (2, Shape::I32)])),
    (7, Shape::Struct(TIME)),
    (8, Shape::Struct(TIME)),
    (10, Shape::Struct(&[(1, Shape::Byte), (2, Shape::Bool)])),
    (16, Shape::Struct(&[(1, Shape::Byte)])),
    (17, Shape::Struct(&[(1, Shape::Binary)])),
    (18, Shape::Struct(&[(1, Shape::Binary), (2, Shape::I32)])),
];

/// `TimeType` and `TimestampType`, with the unit.
const TIME: &[(i64, Shape)] = &[(1, Shape::Bool), (2, Shape::Struct(&[]))];

/// The schema that a file has; none where only the crate can say what is wrong with the file.
///
/// # Errors
/// The outer one is the file's, the inner one says what of the schema cannot be read.
pub(super) fn of(file: &File) -> io::Result<Result<Option<SchemaDescPtr>, NotATable>> {
    let length = file.metadata()?.len();
    let Some(tail_at) = length.checked_sub(8) else {
        return Ok(Ok(None));
    };
    let mut tail = [0; 8];
    file.read_exact_at(&mut tail, tail_at)?;
    let size = u64::from(u32::from_le_bytes([tail[0], tail[1], tail[2], tail[3]]));
    if &tail[4..] != b"PAR1" || size > tail_at {
        return Ok(Ok(None));
    }
    if size > MOST_FOOTER {
        let why = format!("its description of itself takes more than {} MiB", MOST_FOOTER >> 20);
        return Ok(Err(NotATable(why)));
    }
    let mut footer = vec![0; usize::try_from(size).unwrap_or(0)];
    file.read_exact_at(&mut footer, tail_at - size)?;
    Ok(in_footer(&footer).map(Some))
}

fn in_footer(footer: &[u8]) -> Result<SchemaDescPtr, NotATable> {
    let broken = || NotATable("it cannot be read as Parquet: its description of itself is broken".to_owned());
    let elements = elements(footer).ok_or_else(broken)?;
    match depth(elements).ok_or_else(broken)? {
        depth if depth > DEEPEST => Err(NotATable(format!("its columns lie more than {DEEPEST} deep in one another"))),
        _ => {
            let alone = [&[(SCHEMA as u8) << 4 | LIST], elements, &[0]].concat();
            ParquetMetaDataReader::decode_schema(&alone).map_err(|error| unreadable(&error))
        }
    }
}

/// The bytes of the schema, which is a list of its elements.
fn elements(footer: &[u8]) -> Option<&[u8]> {
    let mut found = None;
    Input(footer).fields(|(number, kind), input| {
        if number != SCHEMA {
            return Some(false);
        }
        let list = input.0;
        // A second one could be taken for the first by somebody else.
        if kind != LIST || found.is_some() {
            return None;
        }
        input.skip_value(LIST)?;
        found = list.get(..list.len() - input.0.len());
        Some(true)
    })?;
    found
}

/// How deep the schema goes, up to the first that is too deep; none if it cannot be told.
fn depth(elements: &[u8]) -> Option<usize> {
    let mut input = Input(elements);
    let (count, kind) = input.list()?;
    if kind != STRUCT {
        return None;
    }
    let mut deepest = 0;
    // How many are still to come at each level.
    let mut open: Vec<i64> = Vec::new();
    for _ in 0..count {
        let mut children = 0;
        input.known(ELEMENT, &mut |number, value| {
            if number == CHILDREN {
                children = value;
            }
        })?;
        if let Some(last) = open.last_mut() {
            *last -= 1;
        }
        if children > 0 {
            open.push(children);
        }
        deepest = deepest.max(open.len());
        if deepest > DEEPEST {
            break;
        }
        while open.last().is_some_and(|left| *left <= 0) {
            open.pop();
        }
    }
    Some(deepest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// How deep the crate takes a schema to be: the groups that lie in one another.
    fn deep(node: &parquet::schema::types::Type) -> usize {
        match node.is_group() {
            true => 1 + node.get_fields().iter().map(|field| deep(field)).max().unwrap_or(0),
            false => 0,
        }
    }

    /// A description, with a nested schema of much that a schema may say: `r { g { h { t, n } } }`.
    fn footer() -> Vec<u8> {
        let name = |name: &str| [&[0x18, name.len() as u8], name.as_bytes()].concat();
        let group =
            |called: &str, children: u8| [&[0x35, 0], name(called).as_slice(), &[0x15, children * 2, 0]].concat();
        let column = |called: &str, logical: &[u8]| {
            [&[0x15, 4, 0x25, 0], name(called).as_slice(), &[0x6c], logical, &[0]].concat()
        };
        let root = vec![0x48, 1, b'r', 0x15, 2, 0];
        let timestamp = column("t", &[0x8c, 0x11, 0x1c, 0x1c, 0, 0, 0, 0]);
        let integer = column("n", &[0xac, 0x13, 64, 0x11, 0, 0]);
        let elements = [root, group("g", 1), group("h", 2), timestamp, integer].concat();
        [&[0x15, 2, 0x19, 0x5c], elements.as_slice(), &[0x16, 0, 0x19, 0x0c, 0]].concat()
    }

    #[test]
    fn a_description_gives_its_schema_and_how_deep_that_is() {
        let footer = footer();
        assert_eq!(depth(elements(&footer).unwrap()), Some(3));
        let schema = in_footer(&footer).unwrap();
        assert_eq!(deep(schema.root_schema()), 3);
        assert_eq!(schema.num_columns(), 2);
    }

    #[test]
    fn a_schema_that_comes_twice_or_is_no_list_is_none() {
        let footer = footer();
        let twice = [&footer[..footer.len() - 1], &[0x09, 4], &footer[3..]].concat();
        assert_eq!(elements(&twice), None);
        assert_eq!(elements(&[0x28, 1, 0x0c, 0]), None);
        assert_eq!(elements(&[0x15, 2, 0]), None);
    }

    #[test]
    fn a_field_of_another_type_than_the_formats_is_refused_though_its_number_is_known() {
        // The type of a column as text: who reads it by its number takes the length for the type, and what the text
        // holds for fields.
        let element = [0x19, 0x1c, 0x18, 2, 0x55, 200, 0];
        assert_eq!(depth(&element[1..]), None);
        // And a number beyond 32 bits, which somebody else would cut off.
        let children = [0x1c, 0x55, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01, 0];
        assert_eq!(depth(&children), None);
        // A number in its long form, with the bits that are cut off of it set.
        let long = [0x1c, 0x05, 0x8a, 0x80, 0x08, 200, 0];
        assert_eq!(depth(&long), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn nothing_is_taken_for_a_deeper_schema_than_it_was_found_to_be(
            edits in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>(), 0_u8..3), 1..5),
        ) {
            let mut bytes = footer();
            for (at, byte, how) in edits {
                let at = at.index(bytes.len());
                match how {
                    0 => bytes[at] = byte,
                    1 => bytes.insert(at, byte),
                    _ => bytes[at] = bytes[at].wrapping_add(1),
                }
            }
            if let Ok(schema) = in_footer(&bytes) {
                let found = depth(elements(&bytes).unwrap()).unwrap();
                prop_assert!(deep(schema.root_schema()) <= found.max(1));
            }
        }
    }
}
