//! The columns of a Parquet file, by its schema: which hold values, and which hold cells of their own. Lists and maps
//! are told as the format's rules for older writers have it
//! (<https://github.com/apache/parquet-format/blob/master/LogicalTypes.md>). Names of types are this tool's own, so
//! that they stay what they are when a library's change.

use std::fmt;
use std::ops::Range;

use parquet::basic::{ConvertedType, LogicalType, Repetition};
use parquet::schema::types::Type;

use super::value::Value;

/// A named column, or a part of one.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) node: Node,
}

/// What is at one place of the schema.
#[derive(Debug)]
pub(super) struct Node {
    /// The definition level from which on it is there; none where it always is.
    pub(super) present: Option<i16>,
    /// The leaf columns below it.
    pub(super) columns: Range<usize>,
    pub(super) shape: Shape,
}

/// How a cell is made up.
#[derive(Debug)]
pub(super) enum Shape {
    Value(Value),
    Struct(Vec<Field>),
    List(Box<Items>),
    Map(Box<Items>),
}

/// What is there any number of times.
#[derive(Debug)]
pub(super) struct Items {
    /// The repetition level of all but the first.
    pub(super) again: i16,
    /// The definition level from which on there is one.
    pub(super) some: i16,
    /// What each is: one cell, or of a map a key and a value.
    pub(super) each: Vec<Node>,
}

impl Field {
    /// The columns of a schema.
    ///
    /// # Errors
    /// A sentence without its subject, which is the column of that name.
    pub(super) fn all(schema: &Type) -> Result<Vec<Self>, (String, String)> {
        let mut next = 0;
        let mut fields = Vec::new();
        for part in schema.get_fields() {
            let found = field(part, Level::TOP, &mut next);
            fields.extend(found.map_err(|why| (part.name().to_owned(), why))?);
        }
        Ok(fields)
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.shape {
            Shape::Value(value) => value.fmt(f),
            Shape::Struct(fields) => {
                f.write_str("struct<")?;
                for (index, field) in fields.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(f, "{comma}{}: {}", field.name, field.node)?;
                }
                f.write_str(">")
            }
            Shape::List(items) | Shape::Map(items) => {
                f.write_str(if matches!(self.shape, Shape::Map(_)) {
                    "map<"
                } else {
                    "list<"
                })?;
                for (index, node) in items.each.iter().enumerate() {
                    write!(f, "{}{node}", if index == 0 { "" } else { ", " })?;
                }
                f.write_str(">")
            }
        }
    }
}

/// How often what is above may be missing, and how often it may be there many times.
#[derive(Clone, Copy)]
struct Level {
    definition: i16,
    repetition: i16,
}

impl Level {
    const TOP: Self = Self {
        definition: 0,
        repetition: 0,
    };

    fn optional(self) -> Self {
        Self {
            definition: self.definition + 1,
            ..self
        }
    }

    fn repeated(self) -> Self {
        Self {
            definition: self.definition + 1,
            repetition: self.repetition + 1,
        }
    }
}

/// What a part is called, and what it is; none for a structure of nothing.
fn field(part: &Type, above: Level, next: &mut usize) -> Result<Option<Field>, String> {
    let named = |node| Field {
        name: part.name().to_owned(),
        node,
    };
    Ok(node(part, above, next)?.map(named))
}

fn node(part: &Type, above: Level, next: &mut usize) -> Result<Option<Node>, String> {
    match repetition(part) {
        Repetition::REQUIRED => once(part, above, None, next),
        Repetition::OPTIONAL => once(part, above.optional(), Some(above.optional().definition), next),
        // Outside of a list's usual form it is a list by itself.
        Repetition::REPEATED if is_list(part) || is_map(part) => Err("is a list of lists without a name".to_owned()),
        Repetition::REPEATED => {
            let level = above.repeated();
            Ok(once(part, level, None, next)?.map(|each| list_of(each, level, None)))
        }
    }
}

/// A part as it is when it is there.
fn once(part: &Type, level: Level, present: Option<i16>, next: &mut usize) -> Result<Option<Node>, String> {
    if part.is_primitive() {
        let columns = *next..*next + 1;
        *next += 1;
        let shape = Shape::Value(Value::of(part)?);
        return Ok(Some(Node {
            present,
            columns,
            shape,
        }));
    }
    if is_list(part) {
        return list(part, level, present, next);
    }
    if is_map(part) {
        return map(part, level, present, next);
    }
    structure(part, level, present, next)
}

fn structure(part: &Type, level: Level, present: Option<i16>, next: &mut usize) -> Result<Option<Node>, String> {
    let start = *next;
    let mut fields = Vec::new();
    for inner in part.get_fields() {
        fields.extend(field(inner, level, next)?);
    }
    let node = Node {
        present,
        columns: start..*next,
        shape: Shape::Struct(fields),
    };
    Ok((!node.columns.is_empty()).then_some(node))
}

fn list(part: &Type, level: Level, present: Option<i16>, next: &mut usize) -> Result<Option<Node>, String> {
    let [repeated] = part.get_fields() else {
        return Err("is a list of more than one thing".to_owned());
    };
    if repetition(repeated) != Repetition::REPEATED {
        return Err("is a list of something that is there once".to_owned());
    }
    let level = level.repeated();
    let each = if repeated.is_primitive() {
        once(repeated, level, None, next)?
    } else if is_element(part, repeated) {
        structure(repeated, level, None, next)?
    } else {
        node(&repeated.get_fields()[0], level, next)?
    };
    Ok(each.map(|each| list_of(each, level, present)))
}

/// Whether what is repeated is the element itself, as older writers have it, and not a shell around it.
fn is_element(list: &Type, repeated: &Type) -> bool {
    let [inner] = repeated.get_fields() else {
        return true;
    };
    let name = repeated.name();
    let is_named_so = name == "array" || name.strip_suffix("_tuple") == Some(list.name());
    is_named_so && !is_list(repeated) && repetition(inner) != Repetition::REPEATED
}

fn list_of(each: Node, level: Level, present: Option<i16>) -> Node {
    Node {
        present,
        columns: each.columns.clone(),
        shape: Shape::List(Box::new(Items {
            again: level.repetition,
            some: level.definition,
            each: vec![each],
        })),
    }
}

fn map(part: &Type, level: Level, present: Option<i16>, next: &mut usize) -> Result<Option<Node>, String> {
    let broken = || "is a map whose entries are no key and value".to_owned();
    let [entry] = part.get_fields() else {
        return Err(broken());
    };
    if repetition(entry) != Repetition::REPEATED || entry.is_primitive() {
        return Err(broken());
    }
    let (key, value) = match entry.get_fields() {
        // Of keys alone it is a list.
        [_] => return list(part, level, present, next),
        [key, value] => (key, value),
        _ => return Err(broken()),
    };
    if [key, value].iter().any(|side| repetition(side) == Repetition::REPEATED) {
        return Err(broken());
    }
    let level = level.repeated();
    let start = *next;
    let sides = (node(key, level, next)?, node(value, level, next)?);
    let (Some(key), Some(value)) = sides else {
        return Err(broken());
    };
    Ok(Some(Node {
        present,
        columns: start..*next,
        shape: Shape::Map(Box::new(Items {
            again: level.repetition,
            some: level.definition,
            each: vec![key, value],
        })),
    }))
}

fn repetition(of: &Type) -> Repetition {
    let info = of.get_basic_info();
    if info.has_repetition() {
        info.repetition()
    } else {
        Repetition::REQUIRED
    }
}

fn is_list(part: &Type) -> bool {
    let info = part.get_basic_info();
    part.is_group()
        && (info.logical_type_ref() == Some(&LogicalType::List) || info.converted_type() == ConvertedType::LIST)
}

fn is_map(part: &Type) -> bool {
    let info = part.get_basic_info();
    let converted = info.converted_type();
    part.is_group()
        && (info.logical_type_ref() == Some(&LogicalType::Map)
            || [ConvertedType::MAP, ConvertedType::MAP_KEY_VALUE].contains(&converted))
}
