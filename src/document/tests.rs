//! What holds for every document.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use super::figures::{figures, is_ignored};
use super::pointer::{Pointer, rest};
use super::*;

/// Names that are easily taken for others.
fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-c*.\"\\\\]{0,3}",
        "[01]",
        Just("a.b".to_owned()),
        Just("\"a.b\"".to_owned()),
        ".{0,4}"
    ]
}

fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        "-?(0|[1-9][0-9]{0,40})",
        "-?(0|[1-9][0-9]{0,3})\\.[0-9]{1,20}([eE][+-]?[0-9]{1,3})?",
        Just("NaN".to_owned()),
        Just("-Infinity".to_owned()),
        any::<f64>()
            .prop_filter("JSON has no text for it", |number| number.is_finite())
            .prop_map(|number| format!("{number:?}")),
    ]
}

fn document() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        number().prop_map(Value::Number),
        ".{0,5}".prop_map(Value::Text),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::Array),
            btree_map(key(), inner, 0..4).prop_map(Value::Object),
        ]
    })
}

fn leaves(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(leaves).sum(),
        Value::Object(entries) => entries.values().map(leaves).sum(),
        _ => 1,
    }
}

fn metrics(text: &str, ignore: &[&str]) -> Vec<(String, String)> {
    let ignore: Vec<String> = ignore.iter().map(|text| (*text).to_owned()).collect();
    let found = figures(text.as_bytes(), &ignore).unwrap().metrics;
    found.into_iter().map(|(name, metric)| (name, metric.shown())).collect()
}

fn names(text: &str, ignore: &[&str]) -> Vec<String> {
    metrics(text, ignore).into_iter().map(|(name, _)| name).collect()
}

#[test]
fn what_is_nested_has_dotted_names() {
    assert_eq!(
        metrics(r#"{"eval": {"acc": 0.5}, "name": "x", "ok": true, "per_class": [0.5, 0.25], "none": null}"#, &[]),
        [
            ("eval.acc", "0.5"),
            ("name", "\"x\""),
            ("none", "null"),
            ("ok", "true"),
            ("per_class.0", "0.5"),
            ("per_class.1", "0.25")
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
}

#[test]
fn a_name_at_the_top_keeps_its_text_unless_another_is_called_so() {
    assert_eq!(names(r#"{"eval.acc": 1, "f1 score": 2, "val/loss": 3}"#, &[]), ["eval.acc", "f1 score", "val/loss"]);
    assert_eq!(names(r#"{"a.b": 1, "a": {"b": 2, "c.d": 3}}"#, &[]), ["\"a.b\"", "a.\"c.d\"", "a.b"]);
    assert_eq!(names(r#"{"a.b": 1, "a": {"b": 2}, "\"a.b\"": 3}"#, &[]).len(), 3);
}

#[test]
fn what_python_writes_is_read_as_what_it_is() {
    let found = metrics(r#"{"acc": NaN, "low": -Infinity, "n": 9007199254740993, "t": "NaN"}"#, &[]);
    let values: Vec<&str> = found.iter().map(|(_, value)| value.as_str()).collect();
    assert_eq!(values, ["NaN", "-inf", "9007199254740993", "NaN"]);
}

#[test]
fn a_file_that_is_no_list_of_figures_says_why() {
    for (text, why) in [
        ("", "line 1: it ends too early"),
        ("{\"a\": 1,\n \"a\": 2}", "line 2: \"a\" comes twice"),
        ("{\"a\": 01}", "line 1: this is no number of JSON"),
        ("{\"a\": 1} x", "line 1: something follows its end"),
        ("3", "it holds neither an object nor a list"),
        ("acc: 0.5", "line 1: this is no value"),
        ("{\"a\": \"\\ud800\"}", "line 1: this is no text of JSON"),
    ] {
        assert_eq!(figures(text.as_bytes(), &[]).unwrap_err(), why, "{text}");
    }
    let deep = "[".repeat(100_000);
    assert!(figures(deep.as_bytes(), &[]).unwrap_err().contains("nested deeper"));
    let many = format!("[{}1]", "1,".repeat(figures::MOST));
    assert!(figures(many.as_bytes(), &[]).unwrap_err().contains("more than"));
}

#[test]
fn what_is_ignored_is_neither_a_figure_nor_in_the_rest() {
    let text = r#"{"acc": 1, "time": {"train": 3}, "epochs": [{"loss": 1, "s": 2}, {"loss": 3, "s": 4}], "x.s": 5}"#;
    assert_eq!(names(text, &["time", "epochs.*.s", "x.s"]), ["acc", "epochs.0.loss", "epochs.1.loss"]);
    let ignore = ["time.train".to_owned(), "epochs".to_owned(), "x.s".to_owned()];
    assert_eq!(figures(text.as_bytes(), &ignore).unwrap().rest, r#"{"acc":1,"time":{}}"#);
    // A pattern without quotes means what is nested, where there are both.
    assert_eq!(names(r#"{"a.b": 1, "a": {"b": 2}}"#, &["a.b"]), ["\"a.b\""]);
    assert_eq!(names(r#"{"a.b": 1, "a": {"b": 2}}"#, &["\"a.b\""]), ["a.b"]);
    assert!(is_ignored("time.train", &["time".to_owned()]) && !is_ignored("times", &["time".to_owned()]));
}

#[test]
fn pointers_are_those_of_rfc_6901() {
    for bad in ["a", "/a~", "/~2", "~0"] {
        assert_eq!(Pointer::new(bad), None, "{bad}");
    }
    let text = r#"{"a/b": 1, "m~n": 2, "": 3, "l": [0, 1, {"t": 2}], "t": 1.0}"#;
    let without = |pointers: &[&str]| {
        let pointers: Vec<String> = pointers.iter().map(|text| (*text).to_owned()).collect();
        rest(text.as_bytes(), &pointers).unwrap()
    };
    assert_eq!(without(&["/a~1b", "/m~0n", "/", "/l"]).0, r#"{"t":1.0}"#);
    assert_eq!(without(&["/l/0", "/l/2/t", "/l/1", "/l/1"]).0, r#"{"":3,"a/b":1,"l":[{}],"m~n":2,"t":1.0}"#);
    assert_eq!(without(&["/x", "/l/3", "/l/01", "/t/0"]).1.len(), 4);
    assert_eq!(rest(b"no JSON", &["/a".to_owned()]), None);
}

proptest! {
    #[test]
    fn no_bytes_make_a_metrics_file_panic_and_what_is_no_json_is_told_with_its_line(
        bytes in prop_oneof![vec(any::<u8>(), 0..80), "[\\[\\]{}\":,0-9eE.a\\\\ \n-]{0,60}".prop_map(String::into_bytes)],
        ignore in vec("[a*.\"0-9]{0,5}", 0..3),
    ) {
        let is_text = std::str::from_utf8(&bytes).is_ok_and(|text| parse(text).is_err());
        match super::figures::figures(&bytes, &ignore) {
            Err(why) if is_text => prop_assert!(why.starts_with("line "), "{}", why),
            Err(why) => prop_assert!(!why.is_empty()),
            Ok(_) => prop_assert!(!is_text),
        }
    }

    #[test]
    fn a_document_reads_back_from_its_canonical_text(document in document()) {
        prop_assert_eq!(parse(&document.canonical()), Ok(document));
    }

    #[test]
    fn two_documents_have_one_canonical_text_only_if_they_are_equal(one in document(), other in document()) {
        prop_assert_eq!(one == other, one.canonical() == other.canonical());
    }

    #[test]
    fn every_figure_has_a_name_of_its_own(document in document()) {
        if matches!(document, Value::Object(_) | Value::Array(_)) {
            let found = figures(document.canonical().as_bytes(), &[]).unwrap();
            prop_assert_eq!(found.metrics.len(), leaves(&document));
            prop_assert_eq!(found.rest, document.canonical());
        }
    }

    #[test]
    fn every_figure_can_be_left_out_by_its_name_alone(document in document(), at in any::<prop::sample::Index>()) {
        if matches!(document, Value::Object(_) | Value::Array(_)) && leaves(&document) > 0 {
            let text = document.canonical();
            let all = figures(text.as_bytes(), &[]).unwrap().metrics;
            let name = at.get(&all.keys().cloned().collect::<Vec<_>>()).clone();
            let mut left = figures(text.as_bytes(), std::slice::from_ref(&name)).unwrap().metrics;
            prop_assert_eq!(left.len() + 1, all.len());
            left.insert(name.clone(), all[&name].clone());
            prop_assert_eq!(left, all);
        }
    }

    #[test]
    fn no_bytes_whatever_break_the_reader(bytes: Vec<u8>, text in "[\\[\\]{}\",:0-9eE.NaInfity\\\\ -]{0,30}") {
        let _ = figures(&bytes, &[]);
        let _ = rest(text.as_bytes(), &["/a".to_owned()]);
        if let (Ok(ours), Ok(theirs)) = (parse(&text), serde_json::from_str::<serde_json::Value>(&text)) {
            prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&ours.canonical()).unwrap(), theirs);
        }
    }
}
