//! One parameter: its text, read as whatever type the program's field has.

use std::cell::Cell;

use serde::{
    Deserializer,
    de::{IntoDeserializer, Visitor},
};

use super::failure::Failure;

/// A parameter's text.
pub(super) struct Text<'a> {
    pub(super) text: &'a str,
    /// Set when the program looks away.
    pub(super) ignored: &'a Cell<bool>,
}

fn refuse<T>(expected: impl Into<String>) -> Result<T, Failure> {
    Err(Failure::Expected(expected.into()))
}

/// Methods that read whole numbers, each in the range of its type.
macro_rules! whole_numbers {
    ($($deserialize:ident $visit:ident $type:ty;)*) => {$(
        fn $deserialize<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
            match self.text.parse::<$type>() {
                Ok(number) => visitor.$visit(number),
                Err(_) => refuse(format!("a whole number from {} to {}", <$type>::MIN, <$type>::MAX)),
            }
        }
    )*};
}

/// Methods that read something else by `FromStr`.
macro_rules! parsed {
    ($($deserialize:ident $visit:ident $type:ty, $expected:literal;)*) => {$(
        fn $deserialize<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
            match self.text.parse::<$type>() {
                Ok(value) => visitor.$visit(value),
                Err(_) => refuse($expected),
            }
        }
    )*};
}

/// Methods that take the text as it is.
macro_rules! as_it_is {
    ($($deserialize:ident)*) => {$(
        fn $deserialize<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
            visitor.visit_str(self.text)
        }
    )*};
}

/// Methods for what a single value cannot be; the arguments are those before the visitor.
macro_rules! never {
    ($($deserialize:ident ($($argument:ty),*) $expected:literal;)*) => {$(
        fn $deserialize<V: Visitor<'de>>(self, $(_: $argument,)* _: V) -> Result<V::Value, Failure> {
            refuse(concat!($expected, ", which a parameter cannot be"))
        }
    )*};
}

impl<'de> Deserializer<'de> for Text<'_> {
    type Error = Failure;

    /// A guess, for types that take anything: a boolean, a whole number, a number, or else text.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        let text = self.text;
        if let Ok(value) = text.parse::<bool>() {
            visitor.visit_bool(value)
        } else if let Ok(value) = text.parse::<u64>() {
            visitor.visit_u64(value)
        } else if let Ok(value) = text.parse::<i64>() {
            visitor.visit_i64(value)
        } else if let Ok(value) = text.parse::<f64>() {
            visitor.visit_f64(value)
        } else {
            visitor.visit_str(text)
        }
    }

    whole_numbers! {
        deserialize_i8 visit_i8 i8;
        deserialize_i16 visit_i16 i16;
        deserialize_i32 visit_i32 i32;
        deserialize_i64 visit_i64 i64;
        deserialize_i128 visit_i128 i128;
        deserialize_u8 visit_u8 u8;
        deserialize_u16 visit_u16 u16;
        deserialize_u32 visit_u32 u32;
        deserialize_u64 visit_u64 u64;
        deserialize_u128 visit_u128 u128;
    }

    parsed! {
        deserialize_bool visit_bool bool, "`true` or `false`";
        deserialize_f32 visit_f32 f32, "a number";
        deserialize_f64 visit_f64 f64, "a number";
        deserialize_char visit_char char, "a single character";
    }

    as_it_is! { deserialize_str deserialize_string deserialize_identifier }

    never! {
        deserialize_bytes() "bytes";
        deserialize_byte_buf() "bytes";
        deserialize_unit() "nothing";
        deserialize_unit_struct(&'static str) "nothing";
        deserialize_seq() "a list";
        deserialize_tuple(usize) "a list";
        deserialize_tuple_struct(&'static str, usize) "a list";
        deserialize_map() "a map";
        deserialize_struct(&'static str, &'static [&'static str]) "a struct";
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        visitor.visit_enum(self.text.into_deserializer())
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.ignored.set(true);
        visitor.visit_unit()
    }
}
