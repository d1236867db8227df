//! Canonical bytes, version 1: what the digest of a checkpoint is taken over.
//!
//! One value, one sequence of bytes, and no two values share theirs. They are hashed as they come
//! and never kept, so this is no storage format: there is no reader. Numbers are little-endian;
//! every value begins with a tag:
//!
//! | value | bytes |
//! |---|---|
//! | unit, unit struct | `00` |
//! | `false`, `true` | `01`, `02` |
//! | integer of any width, v ≥ 0 | `03`, count of bytes, v without leading zeros |
//! | integer of any width, v < 0 | `04`, count of bytes, −1 − v without leading zeros |
//! | `f32` | `05`, 4 bytes, the bits as they are |
//! | `f64` | `06`, 8 bytes, the bits as they are |
//! | character | `07`, 4 bytes |
//! | string | `08`, length in 8 bytes, UTF-8 |
//! | bytes | `09`, length in 8 bytes, the bytes |
//! | none | `0a` |
//! | some | `0b`, the value |
//! | sequence, tuple, tuple struct | `0c`, the elements, `0d` |
//! | map, struct | `0e`, key and value of each entry, sorted by the bytes of the key, `0d` |
//! | enum variant | `0f`, its name as a string, its payload: unit, value, sequence or map |
//!
//! The fields of a struct are entries with strings as keys. A newtype struct is the value in it. A
//! key twice is an error. `0.0` and `-0.0` differ, and so do NaNs with other bits: a checkpoint is
//! to show the first bit that changed. For the same reason `1_u8` and `1_i64` are alike but
//! `1.0_f32` and `1.0_f64` are not. Types that have one form for people and one for machines (such
//! as IP addresses) are in the one for people, as in [`json`](crate::json).
//!
//! Outside maps and structs, bytes go to the hash at once; an entry of a map waits until the
//! outermost map ends, so a large array in a struct is held in memory a second time.

mod compound;
mod sink;

use serde::{Serialize, Serializer};

use self::{
    compound::{List, Map},
    sink::Sink,
};
use crate::error::{Error, Result};

/// The tags, as the table above has them.
mod tag {
    pub(super) const UNIT: u8 = 0x00;
    pub(super) const FALSE: u8 = 0x01;
    pub(super) const TRUE: u8 = 0x02;
    pub(super) const NATURAL: u8 = 0x03;
    pub(super) const NEGATIVE: u8 = 0x04;
    pub(super) const F32: u8 = 0x05;
    pub(super) const F64: u8 = 0x06;
    pub(super) const CHAR: u8 = 0x07;
    pub(super) const STRING: u8 = 0x08;
    pub(super) const BYTES: u8 = 0x09;
    pub(super) const NONE: u8 = 0x0a;
    pub(super) const SOME: u8 = 0x0b;
    pub(super) const LIST: u8 = 0x0c;
    pub(super) const END: u8 = 0x0d;
    pub(super) const MAP: u8 = 0x0e;
    pub(super) const VARIANT: u8 = 0x0f;
}

/// The SHA-256 of a value's canonical bytes, as `sha256:` and 64 hexadecimal digits.
///
/// ```
/// assert_eq!(repro::canonical::digest(&7_u8)?, repro::canonical::digest(&7_i64)?);
/// assert_ne!(repro::canonical::digest(&0.0)?, repro::canonical::digest(&-0.0)?);
/// # Ok::<(), repro::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::Value`] when a map has a key twice, or the value's own `Serialize` fails.
pub fn digest<T: Serialize + ?Sized>(value: &T) -> Result<String> {
    let mut encoder = Encoder {
        sink: Sink::hashing(),
    };
    value.serialize(&mut encoder)?;
    Ok(encoder.sink.into_digest())
}

/// The canonical bytes themselves, for tests and for other implementations to compare with.
///
/// # Errors
///
/// As [`digest`].
pub fn to_vec<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>> {
    let mut encoder = Encoder {
        sink: Sink::keeping(),
    };
    value.serialize(&mut encoder)?;
    Ok(encoder.sink.into_bytes())
}

/// The serializer.
struct Encoder {
    sink: Sink,
}

impl<'a> Encoder {
    fn tag(&mut self, tag: u8) {
        self.sink.push(&[tag]);
    }

    /// A tag and bytes of a fixed count, in one push: this is the path of large arrays.
    fn fixed<const N: usize, const TAGGED: usize>(&mut self, tag: u8, bytes: [u8; N]) {
        let mut tagged = [tag; TAGGED];
        tagged[1..].copy_from_slice(&bytes);
        self.sink.push(&tagged);
    }

    fn counted(&mut self, tag: u8, bytes: &[u8]) {
        self.tag(tag);
        self.sink.push(&(bytes.len() as u64).to_le_bytes());
        self.sink.push(bytes);
    }

    fn natural(&mut self, value: u128) {
        self.magnitude(tag::NATURAL, value);
    }

    fn integer(&mut self, value: i128) {
        match u128::try_from(value) {
            Ok(natural) => self.natural(natural),
            // The complement of a negative number is −1 − v.
            Err(_) => self.magnitude(tag::NEGATIVE, (!value).cast_unsigned()),
        }
    }

    fn magnitude(&mut self, tag: u8, value: u128) {
        let count = (u128::BITS - value.leading_zeros()).div_ceil(u8::BITS);
        let mut bytes = [tag; 18];
        // At most 16, so it fits in its lowest byte.
        bytes[1] = count.to_le_bytes()[0];
        bytes[2..].copy_from_slice(&value.to_le_bytes());
        self.sink.push(&bytes[..2 + count as usize]);
    }

    fn variant(&mut self, name: &str) {
        self.tag(tag::VARIANT);
        self.counted(tag::STRING, name.as_bytes());
    }

    fn list(&'a mut self) -> List<'a> {
        self.tag(tag::LIST);
        List { encoder: self }
    }

    fn map(&'a mut self) -> Map<'a> {
        self.tag(tag::MAP);
        Map::new(self)
    }
}

/// Methods for integers, through the widest of their sign.
macro_rules! integers {
    ($($serialize:ident $type:ty, $encode:ident;)*) => {$(
        fn $serialize(self, value: $type) -> Result<()> {
            self.$encode(value.into());
            Ok(())
        }
    )*};
}

impl<'a> Serializer for &'a mut Encoder {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = List<'a>;
    type SerializeTuple = List<'a>;
    type SerializeTupleStruct = List<'a>;
    type SerializeTupleVariant = List<'a>;
    type SerializeMap = Map<'a>;
    type SerializeStruct = Map<'a>;
    type SerializeStructVariant = Map<'a>;

    integers! {
        serialize_i8 i8, integer;
        serialize_i16 i16, integer;
        serialize_i32 i32, integer;
        serialize_i64 i64, integer;
        serialize_i128 i128, integer;
        serialize_u8 u8, natural;
        serialize_u16 u16, natural;
        serialize_u32 u32, natural;
        serialize_u64 u64, natural;
        serialize_u128 u128, natural;
    }

    fn serialize_bool(self, value: bool) -> Result<()> {
        self.tag(if value { tag::TRUE } else { tag::FALSE });
        Ok(())
    }

    #[inline]
    fn serialize_f32(self, value: f32) -> Result<()> {
        self.fixed::<4, 5>(tag::F32, value.to_le_bytes());
        Ok(())
    }

    #[inline]
    fn serialize_f64(self, value: f64) -> Result<()> {
        self.fixed::<8, 9>(tag::F64, value.to_le_bytes());
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<()> {
        self.fixed::<4, 5>(tag::CHAR, u32::from(value).to_le_bytes());
        Ok(())
    }

    fn serialize_str(self, value: &str) -> Result<()> {
        self.counted(tag::STRING, value.as_bytes());
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<()> {
        self.counted(tag::BYTES, value);
        Ok(())
    }

    fn serialize_none(self) -> Result<()> {
        self.tag(tag::NONE);
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<()> {
        self.tag(tag::SOME);
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<()> {
        self.tag(tag::UNIT);
        Ok(())
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<()> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<()> {
        self.variant(variant);
        self.serialize_unit()
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<()> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<()> {
        self.variant(variant);
        value.serialize(self)
    }

    fn serialize_seq(self, _length: Option<usize>) -> Result<List<'a>> {
        Ok(self.list())
    }

    fn serialize_tuple(self, _length: usize) -> Result<List<'a>> {
        Ok(self.list())
    }

    fn serialize_tuple_struct(self, _name: &'static str, _length: usize) -> Result<List<'a>> {
        Ok(self.list())
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _length: usize,
    ) -> Result<List<'a>> {
        self.variant(variant);
        Ok(self.list())
    }

    fn serialize_map(self, _length: Option<usize>) -> Result<Map<'a>> {
        Ok(self.map())
    }

    fn serialize_struct(self, _name: &'static str, _length: usize) -> Result<Map<'a>> {
        Ok(self.map())
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _length: usize,
    ) -> Result<Map<'a>> {
        self.variant(variant);
        Ok(self.map())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::digest::digest_bytes;

    fn hex<T: Serialize + ?Sized>(value: &T) -> String {
        to_vec(value)
            .unwrap()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    #[derive(Serialize)]
    enum Shape {
        Unit,
        New(bool),
        Tuple(u8, u8),
        Struct { b: u8, a: u8 },
    }

    #[test]
    fn the_table_holds() {
        assert_eq!(hex(&()), "00");
        assert_eq!(hex(&(false, true)), "0c01020d");
        assert_eq!(hex(&0), "0300");
        assert_eq!(hex(&255), "0301ff");
        assert_eq!(hex(&256), "03020001");
        assert_eq!(hex(&-1), "0400");
        assert_eq!(hex(&-257), "04020001");
        assert_eq!(hex(&1.5_f32), "050000c03f");
        assert_eq!(hex(&1.5), "06000000000000f83f");
        assert_eq!(hex(&'ß'), "07df000000");
        assert_eq!(hex("ß"), "080200000000000000c39f");
        assert_eq!(hex(&None::<u8>), "0a");
        assert_eq!(hex(&Some(1)), "0b030101");
        assert_eq!(hex(&[1, 2]), "0c0301010301020d");
        assert_eq!(hex(&Shape::Unit), "0f080400000000000000556e697400");
        assert_eq!(hex(&Shape::New(true)), "0f0803000000000000004e657702");
        assert_eq!(
            hex(&Shape::Tuple(1, 0)),
            "0f0805000000000000005475706c650c03010103000d"
        );
        assert_eq!(
            hex(&Shape::Struct { b: 1, a: 0 }),
            "0f0806000000000000005374727563740e08010000000000000061030008010000000000000062030101\
             0d"
        );
    }

    #[test]
    fn bytes_are_counted() {
        struct Bytes;
        impl Serialize for Bytes {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_bytes(&[7, 8])
            }
        }
        assert_eq!(hex(&Bytes), "0902000000000000000708");
    }

    #[test]
    fn widths_of_integers_do_not_show() {
        assert_eq!(hex(&1_u8), hex(&1_i128));
        assert_eq!(hex(&-7_i8), hex(&-7_i128));
        assert_eq!(hex(&u128::MAX), format!("0310{}", "ff".repeat(16)));
        assert_eq!(hex(&i128::MIN), format!("0410{}7f", "ff".repeat(15)));
    }

    #[test]
    fn every_bit_of_a_float_shows() {
        assert_ne!(hex(&0.0), hex(&-0.0));
        assert_ne!(hex(&f64::NAN), hex(&f64::from_bits(f64::NAN.to_bits() + 1)));
        assert_ne!(hex(&1.0_f32), hex(&1.0_f64));
    }

    #[test]
    fn a_struct_is_a_map_whatever_its_order() {
        #[derive(Serialize)]
        struct Model {
            weights: Vec<f64>,
            bias: f64,
        }
        #[derive(Serialize)]
        struct Reordered {
            bias: f64,
            weights: Vec<f64>,
        }
        let model = hex(&[Model {
            weights: vec![1.0],
            bias: 2.0,
        }]);
        assert_eq!(
            model,
            hex(&[Reordered {
                weights: vec![1.0],
                bias: 2.0
            }])
        );
    }

    #[test]
    fn keys_are_sorted_by_their_bytes_and_nested_maps_too() {
        let inner = BTreeMap::from([(256, 'a'), (2, 'b')]);
        // 256 is `03020001` and 2 is `030102`, so 2 comes first; as strings, shorter ones do.
        assert_eq!(
            hex(&inner),
            "0e0301020762000000030200010761000000\
                                 0d"
        );
        let outer = BTreeMap::from([("bb", &inner), ("c", &inner)]);
        let bytes = hex(&outer);
        assert!(bytes.starts_with("0e08010000000000000063"), "{bytes}");
        assert_eq!(
            digest(&outer).unwrap(),
            digest_bytes(&to_vec(&outer).unwrap())
        );
    }

    #[test]
    fn a_key_twice_is_an_error() {
        struct Twice;
        impl Serialize for Twice {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_map([(1_u8, 'a'), (1, 'b')])
            }
        }
        assert!(digest(&Twice).unwrap_err().to_string().contains("twice"));
    }

    #[test]
    fn hashing_in_pieces_is_hashing_at_once() {
        let rows: Vec<(BTreeMap<String, u32>, f64)> = (0..20_000)
            .map(|row| {
                (
                    [(row.to_string(), row), ("x".into(), 1)].into(),
                    f64::from(row),
                )
            })
            .collect();
        assert_eq!(
            digest(&rows).unwrap(),
            digest_bytes(&to_vec(&rows).unwrap())
        );
    }
}
