//! As much of Thrift's compact protocol as it takes to see how large the parts of a Parquet file are, before the crate
//! that reads them believes what they say of themselves.

/// Nothing in a Parquet file goes deeper.
const DEEPEST: u32 = 32;

const TRUE: u8 = 1;
const FALSE: u8 = 2;
const BYTE: u8 = 3;
const I16: u8 = 4;
const I32: u8 = 5;
const I64: u8 = 6;
const DOUBLE: u8 = 7;
const BINARY: u8 = 8;
pub(super) const LIST: u8 = 9;
const SET: u8 = 10;
const MAP: u8 = 11;
pub(super) const STRUCT: u8 = 12;

/// Bytes that are read from the front. Whatever is wrong with them, or missing, gives `None`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Input<'a>(pub(super) &'a [u8]);

/// A field of a struct: its number and its type.
pub(super) type Field = (i64, u8);

/// What a field is by the definition of the format.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    Bool,
    Byte,
    I32,
    Binary,
    Struct(&'static [(i64, Shape)]),
}

impl Shape {
    /// Whether a field that states this type can be of this shape.
    fn is(self, kind: u8) -> bool {
        match self {
            Self::Bool => matches!(kind, TRUE | FALSE),
            Self::Byte => kind == BYTE,
            Self::I32 => kind == I32,
            Self::Binary => kind == BINARY,
            Self::Struct(_) => kind == STRUCT,
        }
    }
}

impl<'a> Input<'a> {
    fn byte(&mut self) -> Option<u8> {
        self.0.split_off_first().copied()
    }

    fn take(&mut self, count: u64) -> Option<&'a [u8]> {
        self.0.split_off(..usize::try_from(count).ok()?)
    }

    fn unsigned(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    /// A number of any width but one byte.
    pub(super) fn number(&mut self) -> Option<i64> {
        let zigzag = self.unsigned()?;
        Some((zigzag >> 1).cast_signed() ^ -((zigzag & 1).cast_signed()))
    }

    /// Shows each field of a struct, whose value it must read; `Some(false)` leaves that to be skipped.
    pub(super) fn fields(&mut self, mut show: impl FnMut(Field, &mut Self) -> Option<bool>) -> Option<()> {
        self.fields_at(0, &mut show)
    }

    fn fields_at(&mut self, depth: u32, show: &mut dyn FnMut(Field, &mut Self) -> Option<bool>) -> Option<()> {
        let mut number = 0_i64;
        loop {
            let header = self.byte()?;
            if header == 0 {
                return Some(());
            }
            number = match header >> 4 {
                0 => self.number()?,
                step => number.checked_add(i64::from(step))?,
            };
            let kind = header & 0x0f;
            if !show((number, kind), self)? {
                self.skip(kind, depth)?;
            }
        }
    }

    /// Reads a struct of which these fields are known, and shows the numbers among them. Stricter than Thrift is: the
    /// fields come in order, in the short form, each of the type that it has by definition, so that nobody can read
    /// another struct from these bytes. What is not known must be plain, for readers differ over lists.
    pub(super) fn known(&mut self, shape: &[(i64, Shape)], show: &mut dyn FnMut(i64, i64)) -> Option<()> {
        self.known_at(0, shape, show)
    }

    fn known_at(&mut self, depth: u32, shape: &[(i64, Shape)], show: &mut dyn FnMut(i64, i64)) -> Option<()> {
        if depth > DEEPEST {
            return None;
        }
        let mut number = 0_i64;
        loop {
            let header = self.byte()?;
            if header == 0 {
                return Some(());
            }
            let (step, kind) = (header >> 4, header & 0x0f);
            if step == 0 {
                return None;
            }
            number += i64::from(step);
            let known = shape.iter().find(|(known, _)| *known == number).map(|(_, shape)| *shape);
            if known.is_some_and(|shape| !shape.is(kind)) {
                return None;
            }
            match (known, kind) {
                (Some(Shape::I32), _) => show(number, i32::try_from(self.number()?).ok()?.into()),
                (Some(Shape::Struct(inner)), _) => self.known_at(depth + 1, inner, &mut |_, _| {})?,
                (None, STRUCT) => self.known_at(depth + 1, &[], &mut |_, _| {})?,
                (None, LIST..=MAP) => return None,
                _ => self.skip(kind, depth)?,
            }
        }
    }

    /// Leaves out a value of this type.
    pub(super) fn skip_value(&mut self, kind: u8) -> Option<()> {
        self.skip(kind, 0)
    }

    /// How many elements a list has, and of which type.
    pub(super) fn list(&mut self) -> Option<(u64, u8)> {
        let header = self.byte()?;
        let count = match header >> 4 {
            15 => self.unsigned()?,
            count => u64::from(count),
        };
        Some((count, header & 0x0f))
    }

    fn skip(&mut self, kind: u8, depth: u32) -> Option<()> {
        if depth > DEEPEST {
            return None;
        }
        match kind {
            TRUE | FALSE => {}
            BYTE => self.byte().map(|_| ())?,
            I16..=I64 => self.number().map(|_| ())?,
            DOUBLE => self.take(8).map(|_| ())?,
            BINARY => {
                let length = self.unsigned()?;
                self.take(length)?;
            }
            LIST | SET => {
                let (count, kind) = self.list()?;
                self.skip_elements(count, &[kind], depth)?;
            }
            MAP => {
                let count = self.unsigned()?;
                if count > 0 {
                    let kinds = self.byte()?;
                    self.skip_elements(count, &[kinds >> 4, kinds & 0x0f], depth)?;
                }
            }
            STRUCT => self.fields_at(depth + 1, &mut |_, _| Some(false))?,
            _ => return None,
        }
        Some(())
    }

    fn skip_elements(&mut self, count: u64, kinds: &[u8], depth: u32) -> Option<()> {
        for _ in 0..count {
            for kind in kinds {
                // Only as a field is a truth told by its type.
                let kind = if matches!(*kind, TRUE | FALSE) { BYTE } else { *kind };
                self.skip(kind, depth + 1)?;
            }
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_struct_is_read_field_by_field() {
        // 1: i32 = -3, 2: binary "ab", 4: list<i32> [1], 20: struct { 1: true }, stop
        let bytes = [0x15, 5, 0x18, 2, b'a', b'b', 0x29, 0x15, 2, 0x0c, 40, 0x11, 0, 0, 99];
        let (mut input, mut seen) = (Input(&bytes), Vec::new());
        let read = input.fields(|(number, kind), input| {
            seen.push((number, kind));
            Some(number == 1 && input.number()? == -3)
        });
        assert_eq!(read, Some(()));
        assert_eq!(seen, [(1, 5), (2, BINARY), (4, LIST), (20, STRUCT)]);
        assert_eq!(input.0, [99]);
    }

    proptest! {
        #[test]
        fn no_bytes_break_it(bytes: Vec<u8>) {
            let mut input = Input(&bytes);
            let _ = input.fields(|_, _| Some(false));
        }
    }

    #[test]
    fn depth_and_length_are_no_trap() {
        assert_eq!(Input(&[0x1c; 1 << 20]).fields(|_, _| Some(false)), None);
        assert_eq!(Input(&[0x19; 1 << 20]).fields(|_, _| Some(false)), None);
        assert_eq!(Input(&[0x18, 0xff, 0xff, 0xff, 0xff, 0x0f]).fields(|_, _| Some(false)), None);
    }
}
