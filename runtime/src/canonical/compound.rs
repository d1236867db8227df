//! Sequences and maps on their way into the sink; a map's entries are put in order when it ends.

use serde::{
    Serialize,
    ser::{
        Error as _, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant,
        SerializeTuple, SerializeTupleStruct, SerializeTupleVariant,
    },
};

use super::{Encoder, tag};
use crate::error::{Error, Result};

/// A sequence that is open.
pub(super) struct List<'a> {
    pub(super) encoder: &'a mut Encoder,
}

/// A map that is open. Its entries are in the sink already, in the order in which they came.
pub(super) struct Map<'a> {
    encoder: &'a mut Encoder,
    start: usize,
    entries: Vec<Entry>,
    /// Where the key and the value of the entry that is being written begin.
    current: (usize, usize),
}

/// Where an entry is in the sink.
struct Entry {
    start: usize,
    key_end: usize,
    end: usize,
}

impl<'a> Map<'a> {
    pub(super) fn new(encoder: &'a mut Encoder) -> Self {
        encoder.sink.open_map();
        Self {
            start: encoder.sink.position(),
            encoder,
            entries: Vec::new(),
            current: (0, 0),
        }
    }

    fn key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<()> {
        let start = self.encoder.sink.position();
        key.serialize(&mut *self.encoder)?;
        self.current = (start, self.encoder.sink.position());
        Ok(())
    }

    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        value.serialize(&mut *self.encoder)?;
        let (start, key_end) = self.current;
        let end = self.encoder.sink.position();
        self.entries.push(Entry {
            start,
            key_end,
            end,
        });
        Ok(())
    }

    fn close(mut self) -> Result<()> {
        let sink = &self.encoder.sink;
        let key = |entry: &Entry| sink.bytes(entry.start..entry.key_end);
        if !self.entries.is_sorted_by(|a, b| key(a) < key(b)) {
            self.sort()?;
        }
        self.encoder.sink.close_map();
        self.encoder.tag(tag::END);
        Ok(())
    }

    fn sort(&mut self) -> Result<()> {
        let sink = &mut self.encoder.sink;
        let key = |entry: &Entry| sink.bytes(entry.start..entry.key_end);
        self.entries.sort_by(|a, b| key(a).cmp(key(b)));
        if self
            .entries
            .windows(2)
            .any(|pair| key(&pair[0]) == key(&pair[1]))
        {
            return Err(Error::custom(
                "a map has the same key twice, so it is not one value",
            ));
        }
        let mut sorted = Vec::with_capacity(sink.position() - self.start);
        for entry in &self.entries {
            sorted.extend_from_slice(sink.bytes(entry.start..entry.end));
        }
        sink.replace_from(self.start, &sorted);
        Ok(())
    }
}

/// Traits of sequences, which differ only in the name of a method.
macro_rules! lists {
    ($($trait:ident $element:ident;)*) => {$(
        impl $trait for List<'_> {
            type Ok = ();
            type Error = Error;

            #[inline]
            fn $element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
                value.serialize(&mut *self.encoder)
            }

            fn end(self) -> Result<()> {
                self.encoder.tag(tag::END);
                Ok(())
            }
        }
    )*};
}

lists! {
    SerializeSeq serialize_element;
    SerializeTuple serialize_element;
    SerializeTupleStruct serialize_field;
    SerializeTupleVariant serialize_field;
}

/// Traits of structs, which do not differ.
macro_rules! structs {
    ($($trait:ident)*) => {$(
        impl $trait for Map<'_> {
            type Ok = ();
            type Error = Error;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<()> {
                self.key(name)?;
                self.value(value)
            }

            fn end(self) -> Result<()> {
                self.close()
            }
        }
    )*};
}

structs! { SerializeStruct SerializeStructVariant }

impl SerializeMap for Map<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<()> {
        self.key(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.value(value)
    }

    fn end(self) -> Result<()> {
        self.close()
    }
}
