//! The in-toto Statement v1: that something holds of files with these names and digests. What it is that
//! holds stands in the predicate, which each type of it reads for itself.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::flaw::Flaw;
use super::json;
use crate::digest::Digest;

/// Its type, which it states of itself.
pub const TYPE: &str = "https://in-toto.io/Statement/v1";

/// A file that a statement is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Subject {
    /// Its name: for an artifact, its path.
    pub name: String,
    /// SHA-256 of its bytes; where a part of it is left out, of the rest.
    pub digest: Digest,
    /// What is left out. Then the digest goes by a name of its own: whoever hashes the file finds another, and must not
    /// take the one for the other.
    pub left_out: Vec<String>,
}

/// What the digest of the rest of a file is called.
const REST: &str = "sha256Rest";

/// The annotation that says what is left out.
const LEFT_OUT: &str = "leftOut";

/// A statement.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// The files that it is about.
    pub subject: Vec<Subject>,
    /// The type of the predicate, a URI.
    pub predicate_type: String,
    /// What holds of them.
    pub predicate: Value,
}

/// As it is written; the keys stand in this order.
#[derive(Serialize)]
struct Written<'a> {
    #[serde(rename = "_type")]
    statement_type: &'static str,
    subject: Vec<Value>,
    #[serde(rename = "predicateType")]
    predicate_type: &'a str,
    predicate: &'a Value,
}

impl Statement {
    /// The bytes that are signed; the same for the same statement.
    #[must_use]
    pub fn to_payload(&self) -> Vec<u8> {
        let written = Written {
            statement_type: TYPE,
            subject: self.subject.iter().map(Subject::to_json).collect(),
            predicate_type: &self.predicate_type,
            predicate: &self.predicate,
        };
        serde_json::to_vec(&written).expect("a statement has string keys only")
    }

    /// Reads what was signed. Keys that it does not know mean nothing to it, as the format asks.
    ///
    /// # Errors
    /// When it is no Statement v1, or one about no files, about a file without a well-formed SHA-256, or
    /// about one name twice.
    pub fn from_payload(payload: &[u8]) -> Result<Self, Flaw> {
        let not_one = |why: String| Flaw::NotAStatement { why };
        let value = json::parse(payload).map_err(not_one)?;
        let Value::Object(mut object) = value else {
            return Err(not_one("it is no JSON object".to_owned()));
        };
        match object.get("_type") {
            Some(Value::String(found)) if found == TYPE => {}
            Some(Value::String(found)) => return Err(not_one(format!("its `_type` is \"{found}\""))),
            _ => return Err(not_one("it has no `_type`".to_owned())),
        }
        let subject = subjects(&object).map_err(not_one)?;
        let Some(Value::String(predicate_type)) = object.remove("predicateType") else {
            return Err(not_one("it has no `predicateType`".to_owned()));
        };
        let predicate = object.remove("predicate").unwrap_or(Value::Null);
        Ok(Self {
            subject,
            predicate_type,
            predicate,
        })
    }
}

impl Subject {
    fn to_json(&self) -> Value {
        let hex = self.digest.hex();
        if self.left_out.is_empty() {
            return json!({"name": self.name, "digest": {"sha256": hex}});
        }
        json!({"name": self.name, "digest": {REST: hex}, "annotations": {LEFT_OUT: self.left_out}})
    }

    fn from_json(value: &Value) -> Option<Self> {
        let digests = value.get("digest")?;
        let (hex, left_out) = match digests.get("sha256") {
            Some(whole) => (whole, Vec::new()),
            None => (digests.get(REST)?, left_out(value).filter(|left_out| !left_out.is_empty())?),
        };
        Some(Self {
            name: value.get("name")?.as_str()?.to_owned(),
            digest: format!("sha256:{}", hex.as_str()?).parse().ok()?,
            left_out,
        })
    }
}

fn left_out(subject: &Value) -> Option<Vec<String>> {
    let list = subject.get("annotations")?.get(LEFT_OUT)?.as_array()?;
    list.iter().map(|item| item.as_str().map(str::to_owned)).collect()
}

fn subjects(object: &Map<String, Value>) -> Result<Vec<Subject>, String> {
    let list = object.get("subject").and_then(Value::as_array).ok_or("it has no list `subject`")?;
    if list.is_empty() {
        return Err("its `subject` is empty".to_owned());
    }
    let mut names = BTreeSet::new();
    let mut subjects = Vec::new();
    for (at, value) in list.iter().enumerate() {
        let subject = Subject::from_json(value)
            .ok_or_else(|| format!("number {} of its `subject` has no name or no well-formed `sha256`", at + 1))?;
        if !names.insert(subject.name.clone()) {
            return Err(format!("its `subject` has \"{}\" twice", subject.name));
        }
        subjects.push(subject);
    }
    Ok(subjects)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn statement() -> Statement {
        Statement {
            subject: vec![Subject {
                name: "model.bin".to_owned(),
                digest: Digest::of("model"),
                left_out: Vec::new(),
            }],
            predicate_type: "https://example.com/v1".to_owned(),
            predicate: json!({"a": 1}),
        }
    }

    /// The statement with one text of it replaced.
    fn edited(from: &str, to: &str) -> Result<Statement, Flaw> {
        let text = String::from_utf8(statement().to_payload()).unwrap();
        assert!(text.contains(from), "{text}");
        Statement::from_payload(text.replacen(from, to, 1).as_bytes())
    }

    #[test]
    fn the_text_is_the_one_that_the_format_has() {
        let text = String::from_utf8(statement().to_payload()).unwrap();
        let digest = Digest::of("model").hex();
        let expected = format!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"digest":{{"sha256":"{digest}"}},"name":"model.bin"}}],"predicateType":"https://example.com/v1","predicate":{{"a":1}}}}"#
        );
        assert_eq!(text, expected);
    }

    #[test]
    fn a_statement_that_lacks_something_or_says_it_twice_is_none() {
        let hex = Digest::of("model").hex();
        let edits = [
            ("Statement/v1", "Statement/v0.1"),
            ("\"_type\"", "\"type\""),
            ("\"subject\"", "\"subjects\""),
            ("predicateType", "predicatetype"),
            ("\"name\"", "\"uri\""),
            ("sha256", "sha512"),
            (&hex, &hex[1..]),
            (&hex, &hex.to_uppercase()),
            ("{\"a\":1}", "{\"a\":1,\"a\":2}"),
        ];
        for (from, to) in edits {
            assert!(edited(from, to).is_err(), "{from} -> {to}");
        }
        let mut twice = statement();
        twice.subject.push(twice.subject[0].clone());
        let flaw = Statement::from_payload(&twice.to_payload()).unwrap_err();
        assert!(flaw.words().contains("\"model.bin\" twice"), "{}", flaw.words());
        let none = Statement {
            subject: Vec::new(),
            ..statement()
        };
        assert!(Statement::from_payload(&none.to_payload()).is_err());
    }

    #[test]
    fn the_digest_of_a_rest_is_not_that_of_a_file() {
        let rest = Statement {
            subject: vec![Subject {
                left_out: vec!["/trained_at".to_owned()],
                ..statement().subject.remove(0)
            }],
            ..statement()
        };
        let text = String::from_utf8(rest.to_payload()).unwrap();
        assert!(text.contains(r#""annotations":{"leftOut":["/trained_at"]},"digest":{"sha256Rest":""#), "{text}");
        assert!(!text.contains(r#""sha256":"#), "{text}");
        assert_eq!(Statement::from_payload(text.as_bytes()), Ok(rest));
        for (from, to) in [
            ("[\"/trained_at\"]", "[]"),
            ("leftOut", "other"),
            ("[\"/trained_at\"]", "[1]"),
        ] {
            assert!(Statement::from_payload(text.replace(from, to).as_bytes()).is_err(), "{from} -> {to}");
        }
    }

    #[test]
    fn keys_that_a_later_version_adds_are_no_flaw() {
        assert_eq!(edited("\"_type\"", "\"new\":[],\"_type\""), Ok(statement()));
    }

    proptest! {
        #[test]
        fn a_statement_reads_back_from_its_payload(
            names in proptest::collection::btree_set(".{0,20}", 1..5),
            predicate_type: String,
            text: String,
            number: i64,
        ) {
            let subject = |name: String| {
                let left_out = name.chars().filter(char::is_ascii_digit).map(String::from).collect();
                Subject { digest: Digest::of(&name), name, left_out }
            };
            let statement = Statement {
                subject: names.into_iter().map(subject).collect(),
                predicate_type,
                predicate: json!({"text": text, "number": number, "list": [null, true]}),
            };
            prop_assert_eq!(Statement::from_payload(&statement.to_payload()), Ok(statement));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let _ = Statement::from_payload(&bytes);
        }

        #[test]
        fn no_edit_makes_it_panic(at in 0..250_usize, byte: u8) {
            let mut payload = statement().to_payload();
            let at = at % payload.len();
            payload[at] = byte;
            let _ = Statement::from_payload(&payload);
        }
    }
}
