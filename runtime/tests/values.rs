//! Canonical JSON and canonical bytes of arbitrary values, against `serde_json` and against computations by hand.

use std::collections::BTreeMap;

use proptest::prelude::*;
use repro::{canonical, digest_bytes, json};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
enum Value {
    Nothing,
    Answer(bool),
    Signed(i64),
    Unsigned(u64),
    Double(f64),
    Single(f32),
    Letter(char),
    Text(String),
    Perhaps(Option<Box<Value>>),
    Pair(Box<Value>, u8),
    List(Vec<Value>),
    Named { zeta: Box<Value>, alpha: String },
    Map(BTreeMap<String, Value>),
    Numbered(BTreeMap<i32, Value>),
}

/// Every code point, with those that need an escape more often than chance has them.
fn text() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        any::<char>(),
        prop::char::range('\0', '\x7f'),
        prop::char::range('\u{1f300}', '\u{1f5ff}')
    ];
    prop::collection::vec(character, 0..8).prop_map(String::from_iter)
}

/// Every finite bit pattern, subnormal numbers and both zeros among them.
fn double() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<u64>().prop_map(f64::from_bits),
        Just(0.0),
        Just(-0.0),
        -1e3..1e3
    ]
    .prop_filter("JSON", |x| x.is_finite())
}

fn single() -> impl Strategy<Value = f32> {
    any::<u32>()
        .prop_map(f32::from_bits)
        .prop_filter("JSON", |x| x.is_finite())
}

/// Those whose shortest decimal is exact, so that nobody has to choose between two as near.
fn exact_single() -> impl Strategy<Value = f32> {
    any::<i8>().prop_map(|quarters| f32::from(quarters) / 4.0)
}

fn value() -> impl Strategy<Value = Value> {
    value_with(single())
}

fn value_with(single: impl Strategy<Value = f32> + 'static) -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Nothing),
        any::<bool>().prop_map(Value::Answer),
        any::<i64>().prop_map(Value::Signed),
        any::<u64>().prop_map(Value::Unsigned),
        double().prop_map(Value::Double),
        single.prop_map(Value::Single),
        any::<char>().prop_map(Value::Letter),
        text().prop_map(Value::Text),
        Just(Value::Perhaps(None)),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        let boxed = inner.clone().prop_map(Box::new);
        prop_oneof![
            boxed.clone().prop_map(|value| Value::Perhaps(Some(value))),
            (boxed.clone(), any::<u8>()).prop_map(|(value, number)| Value::Pair(value, number)),
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::List),
            (boxed, text()).prop_map(|(zeta, alpha)| Value::Named { zeta, alpha }),
            prop::collection::btree_map(text(), inner.clone(), 0..4).prop_map(Value::Map),
            prop::collection::btree_map(any::<i32>(), inner, 0..4).prop_map(Value::Numbered),
        ]
    })
}

/// Equality that tells the zeros apart.
fn same(a: &Value, b: &Value) -> bool {
    canonical::to_vec(a).unwrap() == canonical::to_vec(b).unwrap()
}

proptest! {
    #[test]
    fn serde_json_reads_the_same_value_back(value in value()) {
        let text = json::to_vec(&value).unwrap();
        let back: Value = serde_json::from_slice(&text).unwrap();
        prop_assert!(same(&value, &back), "{value:?} came back as {back:?}");
        prop_assert_eq!(json::to_vec(&back).unwrap(), text);
    }

    #[test]
    fn text_is_as_serde_json_has_it_once_sorted(value in value_with(exact_single())) {
        // Without its feature `preserve_order`, a `serde_json::Value` is sorted too.
        let ours: serde_json::Value = serde_json::from_slice(&json::to_vec(&value).unwrap()).unwrap();
        let theirs: serde_json::Value = serde_json::from_str(&serde_json::to_string(&value).unwrap()).unwrap();
        prop_assert_eq!(ours, theirs);
    }

    #[test]
    fn other_values_have_other_bytes(a in value(), b in value()) {
        // NaN is not among the values, and the zeros are alike to `==` alone.
        prop_assert_eq!(same(&a, &b), a == b && json::to_vec(&a).unwrap() == json::to_vec(&b).unwrap());
    }

    #[test]
    fn a_digest_is_of_the_bytes(value in value()) {
        let bytes = canonical::to_vec(&value).unwrap();
        prop_assert_eq!(canonical::digest(&value).unwrap(), digest_bytes(&bytes));
    }
}

/// The README's vectors were made in Python; each must be what this crate makes.
#[test]
fn the_vectors_of_the_readme_hold() {
    #[derive(Serialize)]
    enum Kind {
        Leaf(u8),
    }
    fn row<T: Serialize + ?Sized>(label: &str, value: &T) -> String {
        let bytes = canonical::to_vec(value).unwrap();
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let digest = digest_bytes(&bytes).replace("sha256:", "");
        format!("| `{label}` | `{hex}` | `{digest}` |")
    }
    let readme = include_str!("../README.md");
    let map: BTreeMap<&str, serde_json::Value> =
        BTreeMap::from([("b", 1.into()), ("a", "x".into())]);
    for row in [
        row("()", &()),
        row("0", &0),
        row("1000", &1000),
        row("-1", &-1),
        row("-1000", &-1000),
        row("0.1_f32", &0.1_f32),
        row("[0.5, -0.0]", &[0.5, -0.0]),
        row("\"é\"", "é"),
        row("Some(true)", &Some(true)),
        row("{\"b\": 1, \"a\": \"x\"}", &map),
        row("Kind::Leaf(7)", &Kind::Leaf(7)),
    ] {
        assert!(readme.contains(&row), "{row}");
    }
}

#[test]
fn a_million_floats_digest_as_by_hand() {
    let values: Vec<f64> = (0..1_000_000)
        .map(|index| f64::from(index).sqrt())
        .collect();
    let mut bytes = vec![0x0c];
    for value in &values {
        bytes.push(0x06);
        bytes.extend(value.to_le_bytes());
    }
    bytes.push(0x0d);
    assert_eq!(canonical::digest(&values).unwrap(), digest_bytes(&bytes));
}

#[test]
fn a_file_digests_as_its_bytes() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("large");
    let bytes = vec![7; 200_001];
    std::fs::write(&path, &bytes).unwrap();
    assert_eq!(repro::digest_file(&path).unwrap(), digest_bytes(&bytes));
    let error = repro::digest_file(directory.path().join("none")).unwrap_err();
    assert!(error.to_string().contains("none"));
}
