//! Keys of maps: in JSON they are strings, whatever they were.

use std::fmt::Display;

use serde::{
    Serialize, Serializer,
    ser::{Error as _, Impossible},
};

use super::not_a_number;
use crate::error::{Error, Result};

/// The text of a key.
pub(super) struct Key;

/// Methods for keys that are their own text.
macro_rules! texts {
    ($($serialize:ident $type:ty;)*) => {$(
        fn $serialize(self, value: $type) -> Result<String> {
            Ok(value.to_string())
        }
    )*};
}

/// Methods for what no key can be; the arguments are all after `self`.
macro_rules! refused {
    ($($serialize:ident ($($argument:ty),*) -> $ok:ty, $what:literal;)*) => {$(
        fn $serialize(self, $(_: $argument),*) -> Result<$ok> {
            Err(refuse($what))
        }
    )*};
}

fn refuse(what: impl Display) -> Error {
    Error::custom(format_args!(
        "a key that is {what} cannot be a name in JSON: use strings, numbers, booleans or unit variants"
    ))
}

type Never = Impossible<String, Error>;

impl Serializer for Key {
    type Ok = String;
    type Error = Error;
    type SerializeSeq = Never;
    type SerializeTuple = Never;
    type SerializeTupleStruct = Never;
    type SerializeTupleVariant = Never;
    type SerializeMap = Never;
    type SerializeStruct = Never;
    type SerializeStructVariant = Never;

    texts! {
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
        serialize_char char;
        serialize_str &str;
    }

    fn serialize_f32(self, value: f32) -> Result<String> {
        if value.is_finite() {
            Ok(format!("{value:?}"))
        } else {
            Err(not_a_number(value.into()))
        }
    }

    fn serialize_f64(self, value: f64) -> Result<String> {
        if value.is_finite() {
            Ok(format!("{value:?}"))
        } else {
            Err(not_a_number(value))
        }
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<String> {
        Ok(variant.to_owned())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<String> {
        value.serialize(self)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<String> {
        Err(refuse("an Option"))
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<String> {
        Err(refuse("a variant with data"))
    }

    refused! {
        serialize_bytes(&[u8]) -> String, "bytes";
        serialize_none() -> String, "an Option";
        serialize_unit() -> String, "a unit";
        serialize_unit_struct(&'static str) -> String, "a unit";
        serialize_seq(Option<usize>) -> Never, "a sequence";
        serialize_tuple(usize) -> Never, "a tuple";
        serialize_tuple_struct(&'static str, usize) -> Never, "a tuple";
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Never, "a variant with data";
        serialize_map(Option<usize>) -> Never, "a map";
        serialize_struct(&'static str, usize) -> Never, "a struct";
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Never, "a variant with data";
    }
}
