//! Canonical JSON: one value, one text, byte for byte.
//!
//! For artifacts and ledger lines. It only writes; any JSON parser reads it back.
//!
//! - UTF-8, no white space between tokens, one LF at the end.
//! - Members of an object are sorted by the UTF-8 bytes of their names, whether they come from a
//!   struct or a map. The same name twice is an error.
//! - Integers are written as integers. An `f64` or `f32` is the shortest decimal that reads back to
//!   the same value of its own width, always with a point or an exponent; where two are as short and
//!   as near, the one that Rust's standard library takes. `-0.0` keeps its sign. NaN and the
//!   infinities, which JSON has not, are an error that names the value's place.
//! - In strings, `"` and `\` are escaped, and control characters below U+0020: as `\b`, `\t`, `\n`,
//!   `\f`, `\r` or `\u00xx` in lower case. Nothing else is.
//! - Otherwise it has the shapes of `serde_json`: enums are tagged from outside; `None` and `()`
//!   are `null`; bytes are an array of numbers; keys of maps may be strings, characters, integers,
//!   booleans, finite floats or unit variants.
//!
//! To read floats back exactly, `serde_json` needs its feature `float_roundtrip`.

mod compound;
mod key;
mod text;

use std::borrow::Cow;

use serde::{Serialize, Serializer, ser::Error as _};

use self::compound::{Array, Object, Wrapped};
use crate::error::{Error, Result};

/// The canonical JSON of a value, with its LF.
///
/// ```
/// let value = std::collections::BTreeMap::from([("b", 1.0), ("a", -0.0)]);
/// assert_eq!(repro::json::to_vec(&value)?, b"{\"a\":-0.0,\"b\":1.0}\n");
///
/// let error = repro::json::to_vec(&[0.5, f64::NAN]).unwrap_err();
/// assert!(error.to_string().starts_with("at /1: NaN"));
/// # Ok::<(), repro::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::Value`] for what JSON cannot hold, with the JSON pointer of the part to blame.
pub fn to_vec<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>> {
    let mut writer = Writer {
        out: Vec::new(),
        place: Vec::new(),
    };
    match value.serialize(&mut writer) {
        Ok(()) => {
            writer.out.push(b'\n');
            Ok(writer.out)
        }
        // Nothing is taken off the place when an error passes, so it still says where.
        Err(error) => Err(error.at(pointer(&writer.place))),
    }
}

/// A step from a value to a part of it.
enum Step {
    Member(Cow<'static, str>),
    Item(usize),
}

/// The text so far, and where in the value we are.
struct Writer {
    out: Vec<u8>,
    place: Vec<Step>,
}

/// RFC 6901.
fn pointer(place: &[Step]) -> String {
    let mut pointer = String::new();
    for step in place {
        pointer.push('/');
        match step {
            Step::Member(name) => pointer.push_str(&name.replace('~', "~0").replace('/', "~1")),
            Step::Item(index) => pointer.push_str(&index.to_string()),
        }
    }
    pointer
}

fn not_a_number(value: f64) -> Error {
    Error::custom(format_args!(
        "{value} is no number in JSON: write one that is, or an Option that is None"
    ))
}

impl Writer {
    fn token(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    fn array(&mut self) -> Array<'_> {
        self.out.push(b'[');
        self.place.push(Step::Item(0));
        Array {
            writer: self,
            next: 0,
        }
    }

    fn object(&mut self) -> Object<'_> {
        self.out.push(b'{');
        Object::new(self)
    }

    /// Begins `{"variant":`; whoever writes the payload ends it by [`Writer::end_wrap`].
    fn wrap(&mut self, variant: &'static str) {
        self.out.push(b'{');
        text::string(&mut self.out, variant);
        self.out.push(b':');
        self.place.push(Step::Member(variant.into()));
    }

    fn end_wrap(&mut self) {
        self.place.pop();
        self.out.push(b'}');
    }
}

/// Methods for types whose `Display` or `Debug` is their JSON.
macro_rules! written {
    ($($serialize:ident $type:ty;)*) => {$(
        fn $serialize(self, value: $type) -> Result<()> {
            self.token(&value.to_string());
            Ok(())
        }
    )*};
}

impl<'a> Serializer for &'a mut Writer {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Array<'a>;
    type SerializeTuple = Array<'a>;
    type SerializeTupleStruct = Array<'a>;
    type SerializeTupleVariant = Wrapped<Array<'a>>;
    type SerializeMap = Object<'a>;
    type SerializeStruct = Object<'a>;
    type SerializeStructVariant = Wrapped<Object<'a>>;

    written! {
        serialize_bool bool;
        serialize_i8 i8;
        serialize_i16 i16;
        serialize_i32 i32;
        serialize_i64 i64;
        serialize_i128 i128;
        serialize_u8 u8;
        serialize_u16 u16;
        serialize_u32 u32;
        serialize_u64 u64;
        serialize_u128 u128;
    }

    fn serialize_f32(self, value: f32) -> Result<()> {
        if !value.is_finite() {
            return Err(not_a_number(value.into()));
        }
        text::number(&mut self.out, value);
        Ok(())
    }

    fn serialize_f64(self, value: f64) -> Result<()> {
        if !value.is_finite() {
            return Err(not_a_number(value));
        }
        text::number(&mut self.out, value);
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<()> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<()> {
        text::string(&mut self.out, value);
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<()> {
        value.serialize(self)
    }

    fn serialize_none(self) -> Result<()> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<()> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<()> {
        self.token("null");
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
        self.serialize_str(variant)
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
        self.wrap(variant);
        value.serialize(&mut *self)?;
        self.end_wrap();
        Ok(())
    }

    fn serialize_seq(self, _length: Option<usize>) -> Result<Array<'a>> {
        Ok(self.array())
    }

    fn serialize_tuple(self, _length: usize) -> Result<Array<'a>> {
        Ok(self.array())
    }

    fn serialize_tuple_struct(self, _name: &'static str, _length: usize) -> Result<Array<'a>> {
        Ok(self.array())
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _length: usize,
    ) -> Result<Wrapped<Array<'a>>> {
        self.wrap(variant);
        Ok(Wrapped(self.array()))
    }

    fn serialize_map(self, _length: Option<usize>) -> Result<Object<'a>> {
        Ok(self.object())
    }

    fn serialize_struct(self, _name: &'static str, _length: usize) -> Result<Object<'a>> {
        Ok(self.object())
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _length: usize,
    ) -> Result<Wrapped<Object<'a>>> {
        self.wrap(variant);
        Ok(Wrapped(self.object()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn json<T: Serialize + ?Sized>(value: &T) -> String {
        String::from_utf8(to_vec(value).unwrap())
            .unwrap()
            .trim_end()
            .to_owned()
    }

    #[derive(Serialize)]
    enum Shape {
        Unit,
        New(f32),
        Tuple(u8, i8),
        Struct { zeta: bool, alpha: Option<u8> },
    }

    #[test]
    fn shapes_are_those_of_serde_json() {
        let shapes = [
            Shape::Unit,
            Shape::New(0.1),
            Shape::Tuple(1, -1),
            Shape::Struct {
                zeta: true,
                alpha: None,
            },
        ];
        assert_eq!(
            json(&shapes),
            r#"["Unit",{"New":0.1},{"Tuple":[1,-1]},{"Struct":{"alpha":null,"zeta":true}}]"#
        );
        assert_eq!(json(&()), "null");
        assert_eq!(json(&Vec::<u8>::new()), "[]");
        assert_eq!(json(&BTreeMap::<u8, u8>::new()), "{}");
    }

    #[test]
    fn numbers_are_shortest_and_keep_their_kind() {
        assert_eq!(
            json(&(1.0, -0.0, 1e300, 5e-324, 0.1_f32, f32::MAX)),
            "[1.0,-0.0,1e300,5e-324,0.1,3.4028235e38]"
        );
        assert_eq!(
            json(&(u128::MAX, i128::MIN)),
            format!("[{},{}]", u128::MAX, i128::MIN)
        );
    }

    #[test]
    fn members_are_sorted_by_bytes() {
        let map = BTreeMap::from([(9, 'a'), (10, 'b')]);
        assert_eq!(json(&map), r#"{"10":"b","9":"a"}"#);
        assert_eq!(
            json(&BTreeMap::from([("\u{ff5e}", 1), ("😀", 2), ("~", 3)])),
            "{\"~\":3,\"\u{ff5e}\":1,\"😀\":2}"
        );
        assert_eq!(
            json(&BTreeMap::from([(false, 0), (true, 1)])),
            r#"{"false":0,"true":1}"#
        );
    }

    #[test]
    fn strings_escape_what_they_must() {
        assert_eq!(
            json("\"\\/\u{8}\t\n\u{c}\r\u{0}\u{1f}\u{7f}é😀"),
            "\"\\\"\\\\/\\b\\t\\n\\f\\r\\u0000\\u001f\u{7f}é😀\""
        );
    }

    #[test]
    fn a_number_that_json_has_not_is_placed() {
        let value = BTreeMap::from([("a/b~c", vec![Shape::Unit, Shape::New(f32::INFINITY)])]);
        let error = to_vec(&value).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("at /a~1b~0c/1/New: inf is no number"),
            "{error}"
        );
        assert!(
            to_vec(&f64::NAN)
                .unwrap_err()
                .to_string()
                .starts_with("NaN")
        );
    }

    #[test]
    fn a_name_twice_is_an_error() {
        struct Twice;
        impl Serialize for Twice {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_map([("b", 1), ("a", 2), ("b", 3)])
            }
        }
        let error = to_vec(&[Twice]).unwrap_err().to_string();
        assert!(
            error.contains("at /0: ") && error.contains("\"b\" twice"),
            "{error}"
        );
    }

    #[test]
    fn a_key_must_be_text() {
        let error = to_vec(&BTreeMap::from([(vec![1], 1)]))
            .unwrap_err()
            .to_string();
        assert!(error.contains("key"), "{error}");
    }
}
