//! From text to a document, within bounds.

use std::collections::BTreeMap;

use super::Value;

/// Nobody nests deeper, and every level takes a piece of the stack.
const DEEPEST: usize = 128;

/// Reads a document.
///
/// # Errors
/// What is wrong with it, and in which line.
pub fn parse(text: &str) -> Result<Value, String> {
    let mut reader = Reader { text, at: 0 };
    let value = reader.value(0).and_then(|value| {
        reader.space();
        if reader.at < text.len() {
            return Err("something follows its end".to_owned());
        }
        Ok(value)
    });
    value.map_err(|why| {
        let line = text.as_bytes()[..reader.at].iter().filter(|byte| **byte == b'\n').count() + 1;
        format!("line {line}: {why}")
    })
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &[u8] {
        &self.text.as_bytes()[self.at..]
    }

    fn space(&mut self) {
        self.at += self.rest().iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count();
    }

    /// Goes past this text, if it comes next.
    fn takes(&mut self, text: &str) -> bool {
        let is_next = self.rest().starts_with(text.as_bytes());
        self.at += if is_next { text.len() } else { 0 };
        is_next
    }

    fn value(&mut self, depth: usize) -> Result<Value, String> {
        if depth > DEEPEST {
            return Err(format!("it is nested deeper than {DEEPEST} levels"));
        }
        self.space();
        match self.rest().first().copied() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string().map(Value::Text),
            Some(b'-' | b'0'..=b'9' | b'N' | b'I') => self.number().map(Value::Number),
            Some(_) if self.takes("true") => Ok(Value::Bool(true)),
            Some(_) if self.takes("false") => Ok(Value::Bool(false)),
            Some(_) if self.takes("null") => Ok(Value::Null),
            Some(_) => Err("this is no value".to_owned()),
            None => Err("it ends too early".to_owned()),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Value, String> {
        self.at += 1;
        let mut entries = BTreeMap::new();
        self.space();
        if self.takes("}") {
            return Ok(Value::Object(entries));
        }
        loop {
            self.space();
            if self.rest().first() != Some(&b'"') {
                return Err("a name in quotes is missing".to_owned());
            }
            let key = self.string()?;
            self.space();
            if !self.takes(":") {
                return Err("a colon is missing".to_owned());
            }
            let value = self.value(depth + 1)?;
            if entries.insert(key.clone(), value).is_some() {
                return Err(format!("{} comes twice", super::quoted(&key)));
            }
            self.space();
            if self.takes("}") {
                return Ok(Value::Object(entries));
            }
            if !self.takes(",") {
                return Err("a comma or `}` is missing".to_owned());
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value, String> {
        self.at += 1;
        let mut items = Vec::new();
        self.space();
        if self.takes("]") {
            return Ok(Value::Array(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.space();
            if self.takes("]") {
                return Ok(Value::Array(items));
            }
            if !self.takes(",") {
                return Err("a comma or `]` is missing".to_owned());
            }
        }
    }

    /// Text from one quote to the next; what is in it is serde_json's to read.
    fn string(&mut self) -> Result<String, String> {
        let rest = self.rest();
        let mut end = 1;
        loop {
            match rest.get(end) {
                None => return Err("a text does not end".to_owned()),
                Some(b'"') => break,
                Some(b'\\') => end += 2,
                Some(_) => end += 1,
            }
        }
        let text = &rest[..=end];
        let read = serde_json::from_slice(text).map_err(|_| "this is no text of JSON".to_owned())?;
        self.at += end + 1;
        Ok(read)
    }

    fn number(&mut self) -> Result<String, String> {
        for word in ["NaN", "Infinity", "-Infinity"] {
            if self.takes(word) {
                return Ok(word.to_owned());
            }
        }
        let rest = self.rest();
        let digits = |from: usize| rest[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let refuse = || Err("this is no number of JSON".to_owned());
        let mut end = usize::from(rest[0] == b'-');
        let whole = digits(end);
        if whole == 0 || (whole > 1 && rest[end] == b'0') {
            return refuse();
        }
        end += whole;
        if rest.get(end) == Some(&b'.') {
            let fraction = digits(end + 1);
            if fraction == 0 {
                return refuse();
            }
            end += 1 + fraction;
        }
        if matches!(rest.get(end), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(rest.get(end + 1), Some(b'+' | b'-')));
            let exponent = digits(end + 1 + sign);
            if exponent == 0 {
                return refuse();
            }
            end += 1 + sign + exponent;
        }
        let number = self.text[self.at..self.at + end].to_owned();
        self.at += end;
        Ok(number)
    }
}
