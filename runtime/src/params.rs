//! From parameters as text to a struct of the program's own.
//!
//! A serde deserializer of one level: names to texts. Which texts there are is decided in
//! [`setup`](crate::setup).

mod failure;
mod value;

use std::{borrow::Cow, cell::Cell, collections::BTreeMap, vec};

use serde::{
    Deserializer,
    de::{DeserializeOwned, DeserializeSeed, IntoDeserializer, MapAccess, Visitor},
    forward_to_deserialize_any,
};

use self::{failure::Failure, value::Text};
use crate::{
    error::{Error, Result},
    protocol::variable,
};

/// What [`read`] came to.
pub(crate) struct Read<T> {
    /// The program's parameters.
    pub(crate) value: T,
    /// Names, as the program has them, and texts of the parameters that it asked for.
    pub(crate) used: Vec<(String, String)>,
}

/// Reads the program's parameters from texts whose names are as [`variable`] spells them.
pub(crate) fn read<T: DeserializeOwned>(texts: &BTreeMap<String, String>) -> Result<Read<T>> {
    let mut used = Vec::new();
    let value = T::deserialize(Params {
        texts,
        used: &mut used,
    })
    .map_err(Error::from)?;
    Ok(Read { value, used })
}

/// All parameters.
struct Params<'a> {
    texts: &'a BTreeMap<String, String>,
    used: &'a mut Vec<(String, String)>,
}

impl<'de> Deserializer<'de> for Params<'_> {
    type Error = Failure;

    /// Every parameter, for maps and for structs with `#[serde(flatten)]`.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        self.deserialize_struct("", &[], visitor)
    }

    /// The fields' parameters, then the others in the order of their names: a struct that denies
    /// unknown fields wants to see them.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        let mut rest = self.texts.clone();
        let mut entries = Vec::new();
        for field in fields {
            if let Some(text) = rest.remove(&variable("", field)) {
                entries.push((Cow::Borrowed(*field), text));
            }
        }
        entries.extend(
            rest.into_iter()
                .map(|(name, text)| (Cow::Owned(name.to_ascii_lowercase()), text)),
        );
        visitor.visit_map(Entries {
            rest: entries.into_iter(),
            current: None,
            used: self.used,
        })
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_some(self)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// The parameters on their way to a visitor.
struct Entries<'a> {
    rest: vec::IntoIter<(Cow<'static, str>, String)>,
    current: Option<(Cow<'static, str>, String)>,
    used: &'a mut Vec<(String, String)>,
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Failure;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Failure> {
        self.current = self.rest.next();
        let Some((name, _)) = &self.current else {
            return Ok(None);
        };
        seed.deserialize(name.as_ref().into_deserializer())
            .map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Failure> {
        let (name, text) = self
            .current
            .take()
            .expect("serde asks for a value only after its key");
        let ignored = Cell::new(false);
        let value = seed
            .deserialize(Text {
                text: &text,
                ignored: &ignored,
            })
            .map_err(|failure| failure.of(&name, &text))?;
        if !ignored.get() {
            self.used.push((name.into_owned(), text));
        }
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use serde::Deserialize;

    use super::*;

    fn texts(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|&(name, text)| (variable("", name), text.into()))
            .collect()
    }

    fn problem<T: DeserializeOwned>(pairs: &[(&str, &str)]) -> String {
        read::<T>(&texts(pairs))
            .map(|_| ())
            .unwrap_err()
            .to_string()
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "kebab-case")]
    enum Split {
        BestFirst,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Rate(f64);

    #[derive(Debug, Deserialize, PartialEq)]
    struct All {
        small: u8,
        big: i128,
        #[serde(rename = "learning-rate")]
        rate: Rate,
        half: f32,
        on: bool,
        text: String,
        letter: char,
        there: Option<u64>,
        gone: Option<u64>,
        #[serde(default)]
        also_gone: u64,
        split: Split,
    }

    const ALL: [(&str, &str); 9] = [
        ("small", "255"),
        ("big", "-170141183460469231731687303715884105728"),
        ("learning_rate", "1e-3"),
        ("half", "5"),
        ("on", "true"),
        ("text", "10"),
        ("letter", "ß"),
        ("there", "18446744073709551615"),
        ("split", "best-first"),
    ];

    #[test]
    fn every_kind_is_read() {
        let Read { value, used } = read::<All>(&texts(&ALL)).unwrap();
        assert_eq!(
            value,
            All {
                small: 255,
                big: i128::MIN,
                rate: Rate(1e-3),
                half: 5.0,
                on: true,
                text: "10".into(),
                letter: 'ß',
                there: Some(u64::MAX),
                gone: None,
                also_gone: 0,
                split: Split::BestFirst,
            }
        );
        assert_eq!(used.len(), ALL.len());
        assert_eq!(used[2], ("learning-rate".into(), "1e-3".into()));
    }

    #[derive(Debug, Deserialize)]
    struct Depth {
        #[allow(dead_code)]
        max_depth: u32,
    }

    #[test]
    fn a_missing_parameter_is_named() {
        assert_eq!(
            problem::<Depth>(&[]),
            "parameter `max_depth` is missing: add it to [params] in repro.toml"
        );
    }

    #[test]
    fn a_wrong_text_is_shown_with_the_type() {
        for text in ["ten", "1.5", "-1", "4294967296", ""] {
            let problem = problem::<Depth>(&[("max-depth", text)]);
            let start = format!(
                "parameter `max_depth` is `{text}`, but the program expects a whole number from 0 to 4294967295"
            );
            assert!(problem.starts_with(&start), "{problem}");
        }
    }

    #[test]
    fn what_a_type_itself_refuses_is_named_too() {
        #[derive(Debug, Deserialize)]
        #[allow(dead_code)]
        struct Refusing {
            depth: Option<NonZeroU32>,
            split: Option<Split>,
            list: Option<Vec<u8>>,
        }
        for (name, text, expected) in [
            ("depth", "0", "nonzero"),
            ("split", "worst", "best-first"),
            ("list", "[1]", "list"),
        ] {
            let problem = problem::<Refusing>(&[(name, text)]);
            assert!(
                problem.contains(&format!("`{name}` is `{text}`")) && problem.contains(expected),
                "{problem}"
            );
        }
    }

    #[test]
    fn one_that_is_not_asked_for_is_neither_used_nor_an_error() {
        let read = read::<Depth>(&texts(&[("max_depth", "3"), ("other", "x")])).unwrap();
        assert_eq!(read.used, [("max_depth".into(), "3".into())]);
    }

    #[test]
    fn unless_unknown_fields_are_denied() {
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Strict {
            #[allow(dead_code)]
            depth: u32,
        }
        let problem = problem::<Strict>(&[("depth", "3"), ("dpeth", "4")]);
        assert!(
            problem.contains("unknown") && problem.contains("`dpeth`"),
            "{problem}"
        );
    }

    #[test]
    fn a_map_takes_all() {
        let Read { value, used } =
            read::<BTreeMap<String, String>>(&texts(&[("b-c", "1"), ("a", "x")])).unwrap();
        assert_eq!(
            value,
            [("a".into(), "x".into()), ("b_c".into(), "1".into())].into()
        );
        assert_eq!(used.len(), 2);
        read::<()>(&texts(&[("a", "1")])).unwrap();
    }

    #[test]
    fn a_flattened_struct_works() {
        #[derive(Deserialize)]
        struct Outer {
            seedless: bool,
            #[serde(flatten)]
            inner: Depth,
        }
        let outer = read::<Outer>(&texts(&[("max_depth", "3"), ("seedless", "false")])).unwrap();
        assert_eq!(
            (outer.value.inner.max_depth, outer.value.seedless),
            (3, false)
        );
        assert_eq!(outer.used.len(), 2);
    }
}
