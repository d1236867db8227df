//! Arrays and objects on their way into the text; an object's members are put in order when it
//! ends.

use std::{borrow::Cow, ops::Range};

use serde::{
    Serialize,
    ser::{
        Error as _, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant,
        SerializeTuple, SerializeTupleStruct, SerializeTupleVariant,
    },
};

use super::{Step, Writer, key::Key, text};
use crate::error::{Error, Result};

/// An array that is open.
pub(super) struct Array<'a> {
    pub(super) writer: &'a mut Writer,
    pub(super) next: usize,
}

impl<'a> Array<'a> {
    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        if self.next > 0 {
            self.writer.out.push(b',');
        }
        if let Some(step) = self.writer.place.last_mut() {
            *step = Step::Item(self.next);
        }
        self.next += 1;
        value.serialize(&mut *self.writer)
    }

    fn close(self) -> &'a mut Writer {
        self.writer.place.pop();
        self.writer.out.push(b']');
        self.writer
    }
}

/// An object that is open. Its members are in the text already, in the order in which they came.
pub(super) struct Object<'a> {
    writer: &'a mut Writer,
    /// Where the first member begins in the text.
    start: usize,
    members: Vec<Member>,
    /// The key whose value is to come.
    key: Option<Cow<'static, str>>,
}

struct Member {
    name: Cow<'static, str>,
    /// Where `"name":value` is in the text.
    text: Range<usize>,
}

impl<'a> Object<'a> {
    pub(super) fn new(writer: &'a mut Writer) -> Self {
        Self {
            start: writer.out.len(),
            writer,
            members: Vec::new(),
            key: None,
        }
    }

    fn member<T: Serialize + ?Sized>(&mut self, name: Cow<'static, str>, value: &T) -> Result<()> {
        let out = &mut self.writer.out;
        if !self.members.is_empty() {
            out.push(b',');
        }
        let start = out.len();
        text::string(out, &name);
        out.push(b':');
        self.writer.place.push(Step::Member(name));
        value.serialize(&mut *self.writer)?;
        if let Some(Step::Member(name)) = self.writer.place.pop() {
            let text = start..self.writer.out.len();
            self.members.push(Member { name, text });
        }
        Ok(())
    }

    fn close(mut self) -> Result<&'a mut Writer> {
        if !self.members.is_sorted_by(|a, b| a.name < b.name) {
            self.sort()?;
        }
        self.writer.out.push(b'}');
        Ok(self.writer)
    }

    fn sort(&mut self) -> Result<()> {
        self.members.sort_by(|a, b| a.name.cmp(&b.name));
        if let Some(twice) = self
            .members
            .windows(2)
            .find(|pair| pair[0].name == pair[1].name)
        {
            return Err(Error::custom(format_args!(
                "an object has the name \"{}\" twice: a reader would see one of them only",
                twice[0].name
            )));
        }
        let out = &mut self.writer.out;
        let members: Vec<&[u8]> = self
            .members
            .iter()
            .map(|member| &out[member.text.clone()])
            .collect();
        let sorted = members.join(&b',');
        out.truncate(self.start);
        out.extend_from_slice(&sorted);
        Ok(())
    }
}

/// The payload of an enum variant, inside an object with the variant's name for its only member.
pub(super) struct Wrapped<T>(pub(super) T);

impl SerializeSeq for Array<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.item(value)
    }

    fn end(self) -> Result<()> {
        self.close();
        Ok(())
    }
}

impl SerializeTuple for Array<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.item(value)
    }

    fn end(self) -> Result<()> {
        self.close();
        Ok(())
    }
}

impl SerializeTupleStruct for Array<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.item(value)
    }

    fn end(self) -> Result<()> {
        self.close();
        Ok(())
    }
}

impl SerializeTupleVariant for Wrapped<Array<'_>> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.0.item(value)
    }

    fn end(self) -> Result<()> {
        self.0.close().end_wrap();
        Ok(())
    }
}

impl SerializeMap for Object<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<()> {
        self.key = Some(key.serialize(Key)?.into());
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        let key = self
            .key
            .take()
            .ok_or_else(|| Error::custom("a map's value came before its key"))?;
        self.member(key, value)
    }

    fn end(self) -> Result<()> {
        self.close().map(|_| ())
    }
}

impl SerializeStruct for Object<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<()> {
        self.member(name.into(), value)
    }

    fn end(self) -> Result<()> {
        self.close().map(|_| ())
    }
}

impl SerializeStructVariant for Wrapped<Object<'_>> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<()> {
        self.0.member(name.into(), value)
    }

    fn end(self) -> Result<()> {
        self.0.close()?.end_wrap();
        Ok(())
    }
}
